/*
 * value.h
 *	  The one form by which the values of a field compare: in slots, filters,
 *	  sorts, cursors, unique values and upserts.
 *
 * text, email, url …	text, whole; by order its first QEHS_TEXT_SLOT_BYTES bytes (value_clip)
 * user, reference		text: the id as rec_… (CONTRACT 1), whichever form came
 * boolean				text: true, false
 * select				text: the option; by order its place among the options
 * number, amounts …	numeric: of an object its number, whatever the unit
 * date, datetime		timestamptz: a date is midnight UTC
 * time				numeric: microseconds since midnight
 * duration				numeric: microseconds as PostgreSQL's interval compares them (a month is 30 days, a day 24 hours)
 * multi-select, tags, file	text[]: what it has
 *
 * A value of another JSON type than the field's, which a record of an older
 * version may hold, counts as absent, but numbers and booleans are texts where
 * the field is one.  Pure: no SPI, no errors.
 */
#ifndef QEHS_VALUE_H
#define QEHS_VALUE_H

#include "module/module.h"

/* Significant digits of a number beyond which its slot is rounded; a payload's number has no more. */
#define QEHS_NUMBER_DIGITS 1000

/* The SQL type of a kind's values. */
extern Oid	value_oid(ValueKind kind);

/* What a member of a payload compares as; false when it is no value of the type.  The value may point into json. */
extern bool value_read(FieldType type, const JsonbValue *json, Datum *value);

/* The elements of a list, as text[]; an id alone is a list of one.  False when json is none. */
extern bool value_read_list(const JsonbValue *json, Datum *value);

/* The same from the text of a filter; false, with what it must be ("a number") in *wanted, when it is none. */
extern bool value_parse(FieldType type, const char *text, int length, Datum *value, const char **wanted);

/* Reads a display code ("INC-2026-0001") as its prefix, the first bytes of the text, and a display_no; returns false if it is none. */
extern bool value_parse_display_code(const char *text, int length, int *prefix_length, int64 *display_no);

/*
 * A local time of a datetime with the offset of its field's zone, or else of the tenant's calendar (fill.c); NULL: neither names one,
 * or the text has an offset, or is no time.  Runs SPI by itself.
 */
extern char *value_complete_time(int32 tenant_id, const ModuleField *field, const char *text, int length);

/*
 * The first QEHS_TEXT_SLOT_BYTES bytes of a text, by which it is ordered.  A
 * character that they cut is filled up with the least bytes that make it one
 * again, so that the result is valid UTF-8 and orders as the bytes do.
 */
extern text *value_clip(const char *bytes, int length);

/* What a slot holds of a value. */
extern Datum value_slot(ValueKind kind, Datum value);

/* Whether a value is no answer: null, an empty list or object, a text of which nothing is to be seen (of rich text, markup aside). */
extern bool value_is_empty(FieldType type, const JsonbValue *json);

/* Whether a value has the JSON type that values of a field have; what they are like is *wanted ("a number"). */
extern bool value_has_shape(FieldType type, const JsonbValue *json, const char **wanted);

/*
 * The text by which what is unique tells payloads apart (of the current definition, or NULL);
 * NULL when the payload lacks a value of one of its fields.  Texts are
 * taken as people read them: Unicode NFC, without blanks at the end, an e-mail
 * without regard to case, and an empty one is none.  A long one is its
 * beginning and its SHA-256, since an index entry has a limit.
 */
extern char *value_unique(const ModuleUnique *unique, Jsonb *payload);

#endif							/* QEHS_VALUE_H */
