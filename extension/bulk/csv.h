/*
 * csv.h
 *	  Rows of CSV (RFC 4180) as lines of a bulk load.
 *
 * The first record is the header.  Each of its columns is a field, found by the
 * caller's mapping, by key or by label; a member of a field's value by a path
 * ("address.city", "cost.amount"); or idempotencyKey, workflowState, createdAt, where
 * no field is called so.  A row becomes the envelope that a line of NDJSON could be.
 *
 * A header lives in the memory context in which it is read.  Rows raise no errors.
 */
#ifndef QEHS_BULK_CSV_H
#define QEHS_BULK_CSV_H

#include "base/error.h"
#include "module/module.h"

/* Columns of a header. */
#define QEHS_CSV_COLUMNS 2000

/* A text that stands for an option of a choice: the option itself, or a label of it. */
typedef struct CsvChoice
{
	char	   *text;			/* as csv_fold makes it */
	const char *option;
} CsvChoice;

/* A member of the envelope that is made of a row, or of what is in it. */
typedef struct CsvNode
{
	const char *key;
	int			key_length;
	const ModuleField *field;	/* NULL: no field, but a member of a field's value or of the envelope */
	FieldType	type;			/* of the cell's value */
	const char *unit;			/* of a quantity that has one; or NULL */
	int			choice_count;
	CsvChoice  *choices;		/* sorted by text */
	int			column;			/* whose cells it is; -1: it has members */
	int			member_count;
	struct CsvNode **members;
} CsvNode;

typedef struct CsvHeader
{
	char		delimiter;
	int			column_count;
	char	  **names;			/* "": the column must be empty */
	CsvNode    *root;			/* the envelope */
	bool		has_key;		/* rows bring idempotency keys */
	uint64		fingerprint;	/* of what makes a row what it is */
} CsvHeader;

/* What a load asks of the columns. */
typedef struct CsvOptions
{
	char		delimiter;
	const Jsonb *columns;		/* {header: path of a field, or null for none}; NULL: no mapping */
	bool		ignore_unknown;
} CsvOptions;

/* ---- csv_cells.c ---- */

/* A cell as it is between delimiters, without its quotes. */
typedef struct CsvCell
{
	char	   *text;			/* with a NUL behind */
	int			length;
} CsvCell;

/* The cells of a record, at most most of them, and in *count how many it has; NULL with a violation for what is no CSV. */
extern CsvCell *csv_cells(const char *text, int length, char delimiter, int most, int *count, ViolationList *violations);

/* Take off what shows nothing around a text, of Unicode: spreadsheets leave no-break spaces. */
extern void csv_trim(const char **text, int *length);

/* ---- csv_header.c ---- */

/* Lower case, with blanks, hyphens and underscores as one: by which names are compared; palloc'd. */
extern char *csv_fold(const char *text, int length);

/* Read a header record; every fault is added, at #col=n (RFC 7111).  NULL with faults. */
extern CsvHeader *csv_read_header(const ModuleDef *module, const CsvOptions *options, const char *text, int length, ViolationList *faults);

/* ---- csv_row.c ---- */

/*
 * The envelope of a row.  An empty cell is no value: its member is left out, or with
 * nulls (RFC 7396) is null.  NULL with violations for a row that does not fit the header.
 */
extern Jsonb *csv_read_row(const CsvHeader *header, const char *text, int length, bool nulls, ViolationList *violations);

/* ---- csv_value.c ---- */

/* What a cell that is not empty says, as a value of the node's type; a text, for the schema to refuse, when it is none. */
extern void csv_value(const CsvNode *node, const CsvCell *cell, JsonbValue *value);

#endif							/* QEHS_BULK_CSV_H */
