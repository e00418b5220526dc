/*
 * json.h
 *	  Writing JSON text in one pass into one StringInfo, and small readers of
 *	  binary jsonb.  No SPI; raises no errors of its own.
 *
 * Writers put no commas: a caller writes json_comma() or a literal piece with
 * the comma in it, which the compiler turns into one memcpy.
 */
#ifndef QEHS_JSON_H
#define QEHS_JSON_H

#include "datatype/timestamp.h"
#include "lib/stringinfo.h"
#include "utils/jsonb.h"
#include "utils/uuid.h"

/* Append a string literal without strlen at run time. */
#define json_literal(out, text) appendBinaryStringInfo((out), (text), sizeof(text) - 1)

/* Append text quoted and escaped (RFC 8259 section 7); NULL becomes null. */
extern void json_string(StringInfo out, const char *text);
extern void json_string_n(StringInfo out, const char *text, int length);

/* Append an array of texts. */
extern void json_strings(StringInfo out, const char *const *texts, int count);

/* Append "name": with the name escaped. */
extern void json_name(StringInfo out, const char *name);

/* Append a number, or true or false. */
extern void json_int(StringInfo out, int64 value);
extern void json_bool(StringInfo out, bool value);

/* Append a prefixed id, quoted. */
extern void json_id(StringInfo out, const pg_uuid_t *id, const char *prefix);

/* Append a whole jsonb, or one value of it, as compact text. */
extern void json_jsonb(StringInfo out, const Jsonb *value);
extern void json_jsonb_value(StringInfo out, const JsonbValue *value);
extern void json_container(StringInfo out, const JsonbContainer *container);

/* Turn the buffer into a Datum of type json (no copy; the buffer is spent). */
extern Datum json_datum(StringInfo out);
/* Start a buffer that json_datum can turn into a Datum. */
extern void json_begin(StringInfo out);

/* Find a member of an object; false when it is absent or container is no object. */
extern bool json_member(const JsonbContainer *object, const char *key, int key_length, JsonbValue *value);
/* The member's text when it is a string, palloc'd and NUL-terminated, else NULL. */
extern char *json_member_text(const JsonbContainer *object, const char *key);
extern bool json_member_bool(const JsonbContainer *object, const char *key, bool otherwise);
/* Whether a value is a number without a fraction, from least to most. */
extern bool json_is_integer(const JsonbValue *value, int64 least, int64 most);
extern bool json_member_int(const JsonbContainer *object, const char *key, int32 *result);
/* Is it a string with this text? */
extern bool json_text_is(const JsonbValue *value, const char *text);
/* NUL-terminated copy of a jbvString. */
extern char *json_text_copy(const JsonbValue *value);
/* Equality of two values as jsonb compares them (1.0 equals 1). */
extern bool json_values_equal(const JsonbValue *left, const JsonbValue *right);
/* Jsonb of one value (a container or a scalar). */
extern Jsonb *json_value_to_jsonb(const JsonbValue *value);

/* A copy of an object with one member set. */
extern Jsonb *json_with_member(Jsonb *object, const char *key, int key_length, JsonbValue *value);

/* Append a reference token to a JSON Pointer, escaped (RFC 6901). */
extern void json_pointer_append(StringInfo pointer, const char *token, int length);
/* A copy of a pointer with one token more. */
extern char *json_pointer_to(const char *pointer, const char *token);

/* ---- json_time.c ---- */

/* Append "2026-04-16T08:30:00.000Z" (RFC 3339, UTC, milliseconds, quoted). */
extern void json_time(StringInfo out, TimestampTz value);
/* The same without quotes. */
extern void json_time_raw(StringInfo out, TimestampTz value);

/*
 * Read an RFC 3339 date-time with an offset or Z ('T' or one space between
 * date and time); false when it is none or carries no offset.
 */
extern bool json_time_parse(const char *text, int length, TimestampTz *value);
/* Read an RFC 3339 full-date; the value is midnight UTC. */
extern bool json_date_parse(const char *text, int length, TimestampTz *value);
/* What a text that is no time and no date must be, for messages; a + that came as a blank is told. */
extern const char *json_time_wanted(const char *text, int length);

#endif							/* QEHS_JSON_H */
