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
#include "record/link.h"

typedef struct RunLevel RunLevel;

/* A record that a field names, by its number in a level of its module. */
typedef struct RunNamed
{
	RunLevel   *level;
	int			number;
} RunNamed;

/* A link of a record of a level. */
typedef struct RunLink
{
	int			place;			/* of the record that it is a link of */
	LinkPosition position;
	const char *fields;			/* a JSON array */
} RunLink;

/* All of them. */
typedef struct RunLinks
{
	Run		   *run;			/* while they are taken */
	MemoryContext memory;
	bool		keeps_records;	/* the other records are asked for */
	int			count;
	int			room;
	RunLink    *items;			/* record by record, when all are there */
	int			record_count;
	Record	   *records;		/* at their other ends, by their ids, each once */
	RunNamed  **named;			/* of each field of RecordLink that is the record: where records are */
} RunLinks;

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

/* Load activity, attachments, comments or availableTransitions of the level's records into values (lists.c). */
extern void lists_load(Run *run, const RunLevel *level, const RunField *field, RunLoaded *loaded);

/* Find the links of the level's records, all but the levels of the other records (links.c). */
extern RunLinks *links_find(Run *run, const RunLevel *level, RunField *field, RunLoaded *loaded);

/* Append the record of a number; false where null came to a field that does not take it. */
extern bool load_write_record(Run *run, StringInfo out, const RunLevel *level, int number);

/* Append records that a field names as a list; false as above. */
extern bool load_write_named(Run *run, StringInfo out, const RunNamed *named, int count);

/* Append records from the first on as a list; false as above. */
extern bool load_write_records(Run *run, StringInfo out, const RunLevel *level, int first, int count);

#endif							/* QEHS_GRAPHQL_LOAD_H */
