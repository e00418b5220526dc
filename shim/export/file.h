/*
 * file.h
 *	  Files of exports: what is to be written, and the formats that write it.
 *
 * A format is given what the file is about (ExportInfo), then line after line as
 * qehs.export_fetch gives them, and writes bytes into a output.  No format keeps more
 * than a few rows in memory; what must wait goes into a file of TMPDIR.
 */
#ifndef QEHS_EXPORT_FILE_H
#define QEHS_EXPORT_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

/* ---- info.c: what a file is about ---- */

/* How the cells of a column are written: see extension/export/cells.c. */
typedef enum ColumnType
{
	COLUMN_TEXT, COLUMN_NUMBER, COLUMN_MEASURE, COLUMN_BOOLEAN, COLUMN_DATE, COLUMN_DATETIME, COLUMN_LIST, COLUMN_FILES, COLUMN_TABLE
} ColumnType;

typedef struct Column
{
	const char *key;
	const char *title;			/* key or label, as was asked for */
	ColumnType	type;
	int			count;			/* of fields, of a table */
	struct Column *fields;
} Column;

/* Something that happened to the record of a report. */
typedef struct Activity
{
	const char *at;				/* RFC 3339 */
	const char *type;
	const char *actor;			/* may be empty, as the following */
	const char *from;
	const char *to;
	const char *comment;
	const char *principal;		/* for whom the actor acted, or empty */
	const char *signer;			/* empty: it was not signed */
	const char *meaning;
} Activity;

/* An attachment of an exported record. */
typedef struct FileEntry
{
	const char *id;				/* att_… */
	const char *filename;
	const char *content_type;
	const char *code;			/* of its record */
} FileEntry;

/* The attachments of a report's record. */
typedef struct FileSource
{
	void	   *owner;
	/* Read the next entry into the arena; false at the end. */
	bool		(*next) (void *owner, Arena *arena, FileEntry *entry);
	/* A descriptor of its file, to be closed, and how many bytes it has; -1 when it cannot be had. */
	int			(*open) (void *owner, const FileEntry *entry, int64_t *size);
} FileSource;

typedef struct ExportInfo
{
	const char *format;
	const char *module_key;		/* empty: all modules */
	const char *module_name;
	const char *tenant;			/* slug */
	const char *actor;			/* who exported */
	const char *at;				/* RFC 3339, UTC */
	const char *trace_id;
	const char *filter;			/* JSON; empty: none */
	const char *sort;
	const char *public_url;
	bool		attachments;	/* a ZIP with the files of the records */
	bool		bom;
	const char *locale;			/* NULL: ISO 8601 */
	const char *time_zone;
	bool		letter;			/* paper; else A4 */
	int64_t		total;			/* rows */
	int			column_count;
	Column	   *columns;
	const char *code;			/* of the record of a report; NULL: no report */
	int			activity_count;
	Activity   *activities;
	int			decision_count;
	Activity   *decisions;
	const FileSource *files;	/* set by the worker */
} ExportInfo;

/* Read what qehs.export_open gave into the arena; false when it is not that. */
extern bool info_read(const char *head, size_t length, const char *tenant, const char *public_url, Arena *arena, ExportInfo *info);

/* Read a line of qehs.export_files into the arena; false when it is none. */
extern bool file_read(const char *line, size_t length, Arena *arena, FileEntry *file);

/* The line that says who exported, when and by which request. */
extern const char *info_watermark(const ExportInfo *info, Arena *arena);

/* Dates and times as text; see below. */
typedef struct Dates Dates;

/* ---- row.c: a line as cells ---- */

typedef enum CellType
{
	CELL_NULL, CELL_TRUE, CELL_FALSE, CELL_NUMBER, CELL_TEXT, CELL_ARRAY
} CellType;

typedef struct Cell
{
	CellType	type;
	const char *text;			/* of a text: decoded, with a NUL behind it; of a number and an array: their JSON */
	size_t		length;
} Cell;

/* Read a JSON array of cells into at most count cells, the rest null; false when it is none. */
extern bool row_read(const char *line, size_t length, Arena *arena, Cell *cells, int count);

/* How many elements an array has. */
extern int	row_count(const Cell *cell);

/* What a cell of a column looks like as text, as people read it; a table stays JSON. */
extern const char *row_text(const Column *column, const Cell *cell, const Dates *dates, Arena *arena, size_t *length);

/* ---- dates.c: dates and times as text ---- */

/* iso_times: times stay RFC 3339 in UTC.  Never NULL; an unknown time zone is UTC. */
extern Dates *dates_open(const ExportInfo *info, bool iso_times);
extern void dates_free(Dates *dates);
/* A date or a time (RFC 3339) as text; one that is neither stays as it is. */
extern const char *dates_text(const Dates *dates, const Cell *cell, bool with_time, Arena *arena, size_t *length);
/* The same as days since 1899-12-30 in the time zone, as spreadsheets count; false when it is neither. */
extern bool dates_serial(const Dates *dates, const Cell *cell, bool with_time, double *serial);

/* ---- output.c: where bytes go ---- */

typedef struct Output
{
	bool		(*put) (struct Output *output, const void *bytes, size_t length);
	char		message[256];	/* why it failed */
	bool		failed;
	size_t		used;
	char		buffer[65536];
} Output;

/* Write bytes, or what is gathered; false once anything has failed. */
extern bool output_write(Output *output, const void *bytes, size_t length);
extern bool output_flush(Output *output);
/* Note why something failed; gives false. */
extern bool output_fail(Output *output, const char *format,...) __attribute__((format(printf, 2, 3)));

/* ---- the formats ---- */

typedef struct FileFormat
{
	const char *name;			/* csv */
	const char *content_type;
	/* Begin; NULL when it fails (the output has the reason). */
	void	   *(*open) (const ExportInfo *info, Output *output);
	/* Take a row, a line without its end. */
	bool		(*row) (void *file, const char *line, size_t length);
	/* Write what is left. */
	bool		(*close) (void *file);
	/* Free it, closed or not. */
	void		(*free) (void *file);
} FileFormat;

/* One file each. */
extern const FileFormat csv_format;
extern const FileFormat ndjson_format;
extern const FileFormat xlsx_format;
extern const FileFormat pdf_format;
extern const FileFormat json_format;

/* The format of a name; NULL when there is none. */
extern const FileFormat *format_find(const char *name);

/* Does a line, of format json, begin a module, in place of being a row? */
extern bool json_begins_module(const char *line, size_t length);

#endif							/* QEHS_EXPORT_FILE_H */
