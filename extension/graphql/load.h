/*
 * load.h
 *	  Rows of records and what hangs on them, loaded a level at a time.
 *
 * A level is records of one type with the fields that are asked of them.  All
 * that these fields need is read with one statement a field, whatever the number
 * of records: users by their ids, referenced records by theirs, records that refer
 * to these and events by a lateral join.  Inside SPI, whose memory holds the rows.
 */
#ifndef QEHS_GRAPHQL_LOAD_H
#define QEHS_GRAPHQL_LOAD_H

#include "graphql/run.h"

typedef struct RunLevel RunLevel;

/* A record that a field names, by its number in a level of its module. */
typedef struct RunNamed
{
	RunLevel   *level;
	int			number;
} RunNamed;

/* Links of the records of a level (links.c). */
typedef struct RunLinks RunLinks;

/* What was loaded for one field of a level. */
typedef struct RunLoaded
{
	RunLevel   *below;			/* of a field of records that refer to these */
	RunNamed   *named;		/* of a field that names records */
	RunLinks   *links;			/* of the field links */
	int		   *starts;			/* for each record: its first below, in named or in links, and how many */
	int		   *counts;
	Jsonb	  **values;			/* of another field: for each record its value, or NULL */
} RunLoaded;

struct RunLevel
{
	RunFields  *fields;
	const ModuleDef *module;	/* the current definition of the records' module */
	bool		reads_all;		/* no rule of a field is in the caller's way */
	int			count;
	Record	   *records;
	RunLoaded  *loaded;			/* in the order of fields */
};

/* Whether fields of records of the module need their payload. */
extern bool load_needs_payload(const Run *run, const RunFields *fields, const ModuleDef *module);

/* The columns of a record, QEHS_RECORD_COLUMNS in number and order, behind an alias. */
extern const char *load_columns(const char *alias, bool with_payload);

/* The value of a field in a record of whatever version; false where it has none, or the caller may not read it. */
extern bool load_value(const Run *run, const RunLevel *level, const ModuleField *field, const Record *record, JsonbValue *value);

/* The level of records, with all that its fields need. */
extern RunLevel *load_level(Run *run, RunFields *fields, const ModuleDef *module, Record *records, int count);

/* The live records of ids that the caller may read, in one statement; *count says how many. */
extern Record *load_records(Run *run, const Datum *ids, int id_count, bool with_payload, int *count);

/*
 * The levels, one for each module, of records that a field names, whose type is their own: where each record is in them, in the order of
 * records, which are each there once; its level is NULL where the field's type does not have it.
 */
extern RunNamed *load_named(Run *run, RunField *field, const Record *records, int count);

/* Load activity, attachments, comments or availableTransitions of the level's records into values (lists.c). */
extern void lists_load(Run *run, const RunLevel *level, const RunField *field, RunLoaded *loaded);

/* ---- links.c ---- */

/* Load the links of the level's records; append those of the record of a number, false where null came to a field that does not take it. */
extern void links_load(Run *run, const RunLevel *level, RunField *field, RunLoaded *loaded);
extern bool links_write(Run *run, StringInfo out, RunField *field, const RunLevel *level, const RunLoaded *loaded, int number);

/* Append the record of a number; false where null came to a field that does not take it. */
extern bool load_write_record(Run *run, StringInfo out, const RunLevel *level, int number);

/* Append records that a field names as a list; false as above. */
extern bool load_write_named(Run *run, StringInfo out, const RunNamed *named, int count);

/* Append records from the first on as a list; false as above. */
extern bool load_write_records(Run *run, StringInfo out, const RunLevel *level, int first, int count);

#endif							/* QEHS_GRAPHQL_LOAD_H */
