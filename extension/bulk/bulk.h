/*
 * bulk.h
 *	  Loading chunks of NDJSON or CSV: what the files of the bulk noun share.
 *
 * A chunk goes through phases: split into lines (chunk.c), look-up of the keys
 * that were loaded before (keys.c), each line read (parse.c, csv.h) and checked
 * (line.c), then all rows that are to be created handed to record_apply (rows.c),
 * and those that change a record that exists one by one (upsert.c).
 *
 * Everything of a chunk lives in BulkLoad.memory, everything of one line's
 * check in line_memory, which is reset after each line.  No subtransactions:
 * record_apply stores nothing of a refused line.
 */
#ifndef QEHS_BULK_H
#define QEHS_BULK_H

#include "bulk/csv.h"
#include "change/change.h"
#include "fmgr.h"

/* Longest line, without its end, whoever calls; over HTTP --max-body is the limit before (shim/stream/stream.c). */
#define QEHS_BULK_LINE_BYTES (64 * 1024 * 1024)
#define QEHS_BULK_KEY_BYTES 255

typedef enum BulkStatus
{
	BULK_WAITING,				/* not checked yet, or checked and not stored yet */
	BULK_CREATED,
	BULK_UPDATED,
	BULK_REPLAYED,
	BULK_VALID,					/* dry run */
	BULK_FAILED
} BulkStatus;

typedef struct BulkRow
{
	int64		line;
	const char *text;			/* in the chunk */
	int			length;
	BulkStatus	status;
	const char *errors;			/* {"errors":[…]} of a failed one */
	Jsonb	   *parsed;			/* the whole line, or NULL when not parsed ahead */
	const char *key;			/* idempotency key, or NULL */
	uint64		fingerprint;	/* of module and line, when there is a key */
	const char *external;		/* value of the external id, or NULL */
	pg_uuid_t	existing;		/* the record that has it, when to_update */
	bool		to_update;
	struct BulkRow *twin;		/* the last line before it in the chunk with the same external id, or NULL */
	/* what to store */
	pg_uuid_t	id;
	Jsonb	   *payload;
	const char *state;
	TimestampTz created_at;
} BulkRow;

typedef struct BulkOptions
{
	bool		dry_run;
	bool		upsert;
	bool		stop;
	const ModuleUnique *external;	/* of an upsert: by what records are found */
	bool		is_csv;			/* lines are rows of CSV */
	CsvOptions	csv;
} BulkOptions;

/* What a load is asked to do, as the arguments of the functions of this noun have it; NULL: not given. */
typedef struct BulkRequest
{
	char	   *module_key;
	char	   *mode;			/* of a load as a whole */
	bool		dry_run;
	char	   *on_conflict;
	char	   *external_id;
	char	   *on_error;
	char	   *accept_language;
	char	   *content_type;
	char	   *delimiter;
	Jsonb	   *columns;
	char	   *unknown_columns;
	char	   *batch_key;
} BulkRequest;

typedef struct BulkLoad
{
	RequestContext *context;
	const ModuleDef *module;
	BulkOptions options;
	const CsvHeader *header;	/* of CSV */
	const char *batch_key;		/* or NULL */
	const char *accept_language;	/* or NULL */
	Jsonb	   *labels;			/* that it prefers, once a line has failed; NULL: messages name no field */
	bool		has_labels;		/* labels is what it is to be */
	TimestampTz now;			/* of the transaction */
	bool		may_set_state;	/* and createdAt: action bulk.state */
	BulkRow    *rows;
	int			count;			/* rows to answer for */
	int			stored;			/* rows before this one are settled */
	MemoryContext memory;
	MemoryContext line_memory;
} BulkLoad;

/* ---- chunk.c ---- */

/*
 * Check a request, start a load, hold the slot map, and take the module as it is then.  load is zeroes, and has
 * its memory until bulk_finish or the end of the current context.  Raises QH400, QH403, QH404, QH428.
 */
extern void bulk_start(BulkLoad *load, const BulkRequest *request);

/* Behind the end of the line at text; a row of CSV may have line ends in quotes. */
extern const char *bulk_line_end(const BulkLoad *load, const char *text, const char *end);

/* Read the header of CSV; raises QH400 with all that is wrong with it.  Returns how many bytes it has with its line end. */
extern int	bulk_read_header(BulkLoad *load, const char *text, int length);

/* Load whole lines, of which the first is number first_line: settles load->rows. */
extern void bulk_run_lines(BulkLoad *load, const char *text, int length, int64 first_line);

/* The same of a chunk (NULL: of no lines): one of CSV begins with its header where it has line 1, or comes with it. */
extern void bulk_run_chunk(BulkLoad *load, const bytea *lines, int64 first_line, const bytea *header);

/* Free what bulk_start has made. */
extern void bulk_finish(BulkLoad *load);

/* The word of answers for how a row was settled. */
extern const char *bulk_status_name(BulkStatus status);

/* ---- parse.c: neither SPI nor errors ---- */

/*
 * The jsonb of one line, in the current memory context; NULL with one violation
 * added for what is no JSON as RFC 8259 and this API want it (UTF-8, no NUL, no
 * duplicate keys, 64 levels, numbers that numeric holds).
 */
extern Jsonb *bulk_parse(const char *text, int length, ViolationList *violations);

/* What stands before any reader of a line: its length, no NUL, UTF-8; false with a violation. */
extern bool bulk_check_text(const char *text, int length, ViolationList *violations);

/* ---- form.c: pure ---- */

/* What bytes that are no text of JSON are, for "the line …"; NULL when that is not to be seen. */
extern const char *bulk_form_of_bytes(const char *text, int length);

/* What a line that is no object of JSON is, the same way. */
extern const char *bulk_form_of_line(const char *text, int length);

/* ---- line.c ---- */

/* Parse ahead of the check, for a line whose key, external id or references are wanted; settles the row on failure. */
extern void bulk_parse_ahead(BulkLoad *load, BulkRow *row);

/* Whether the line may bring a key of its own. */
extern bool bulk_has_own_key(const BulkLoad *load, const BulkRow *row);

/* Check a line and fill what is to be stored; settles the row on failure or in a dry run. */
extern void bulk_check_line(BulkLoad *load, BulkRow *row);

/* Settle a row as failed; the messages name fields in the language of the caller. */
extern void bulk_fail(BulkLoad *load, BulkRow *row, ViolationList *violations);
/* The same for what the line's payload has: of a row of CSV messages say what stands in the cell. */
extern void bulk_fail_payload(BulkLoad *load, BulkRow *row, const Jsonb *payload, ViolationList *violations);
extern void bulk_fail_at(BulkLoad *load, BulkRow *row, const char *path, const char *code, const char *message);
/* The same for what another record (holder; NULL: a line before) has already (taken_tell). */
extern void bulk_fail_taken(BulkLoad *load, BulkRow *row, const ModuleUnique *unique, int32 version, const pg_uuid_t *holder);

/* ---- keys.c: qehs.idempotency, inside SPI ---- */

/* Settle the rows whose keys were used within 24 hours; forget older uses. */
extern void bulk_find_replays(BulkLoad *load, BulkRow **rows, int count);

/* Claim the keys of rows; gives how many were not to be had, moved to the end of rows. */
extern int	bulk_claim_keys(BulkLoad *load, BulkRow **rows, int count);

/* Give back keys of rows that failed after all. */
extern void bulk_release_keys(BulkLoad *load, BulkRow **rows, int count);

/* ---- rows.c, inside SPI ---- */

/* Store the checked rows before end that wait. */
extern void bulk_store(BulkLoad *load, int end);

/* ---- values.c: qehs.record_unique, inside SPI ---- */

/* What storing rows would find, in a dry run: settles all rows, which are in the order of lines. */
extern void bulk_look_at_values(BulkLoad *load, BulkRow **rows, int count);

/* Which records have the external ids of rows now: fills existing and to_update. */
extern void bulk_find_existing(BulkLoad *load, BulkRow **rows, int count);

/* ---- seen.c: lines before, in a dry run ---- */

/* Before a chunk: what was seen is forgotten when it begins with line 1. */
extern void bulk_start_seen(int64 first_line);
extern void bulk_forget_seen(void);

/* Has a line before this one taken a name, of a field's values or (kind "") of keys?  Gives what it came with. */
extern bool bulk_was_seen(const char *kind, const char *name, int64 line, uint64 *what);
extern void bulk_see(const char *kind, const char *name, int64 line, uint64 what);

/*
 * Keep what the line of an upsert would make of the record with an external id; and the
 * record that the last line before this one has left, in the current memory context
 * (NULL: only ask), or false.
 */
extern void bulk_keep_record(const char *external, int64 line, const Record *record);
extern bool bulk_find_kept(const char *external, int64 line, Record *record);

/* ---- upsert.c, inside SPI ---- */

/* Lock the records that rows are to change. */
extern void bulk_lock_existing(BulkLoad *load, BulkRow **rows, int count);

/* Merge a line into the record that has its external id, and settle the row. */
extern void bulk_update(BulkLoad *load, BulkRow *row);

/* ---- options.c ---- */

/* Whether a load runs in this session: after bulk_begin, before bulk_end. */
extern bool bulk_is_running(void);
extern void bulk_set_running(bool running);

/* Whether an optional parameter is given; raises QH400 naming it unless it is the word. */
extern bool bulk_is_word(const char *value, const char *parameter, const char *word);

/* Raise QH400 unless it is NULL or a key for a batch. */
extern void bulk_check_batch_key(const char *batch_key);

/* Options from arguments; raises QH400 naming the query parameter. */
extern void bulk_read_options(const ModuleDef *module, const char *on_conflict, const char *external_id,
							  const char *on_error, BulkOptions *options);

/*
 * The same of CSV: content_type is that of the body (NULL: NDJSON); raises QH400 naming the query
 * parameter, also where one is given for NDJSON.
 */
extern void bulk_read_csv_options(const char *content_type, const char *delimiter, const Jsonb *columns, const char *unknown_columns,
								  BulkOptions *options);

/* The module by key with the actions that the options need; raises QH404, QH403. */
extern const ModuleDef *bulk_find_module(const RequestContext *context, const char *key);

/*
 * Read the arguments of a function that has those of bulk_begin first, check them and the caller's rights, and fill
 * options.  Raises QH400, QH403, QH404, QH428.
 */
extern const ModuleDef *bulk_read_request(FunctionCallInfo fcinfo, const RequestContext *context, BulkRequest *request, BulkOptions *options);

/* Is the whole load one transaction, of which nothing stays when a line fails? */
extern bool bulk_is_atomic(const BulkRequest *request);

/* How the chunks are to be run, as the comment on qehs.endpoint.stream_begin has it: a JSON object, palloc'd. */
extern char *bulk_describe(const BulkRequest *request, const BulkOptions *options);

/* Raise QH403 unless the caller may create (and, for an upsert, update), QH428 for an upsert where If-Match is demanded. */
extern void bulk_require_actions(const RequestContext *context, const ModuleDef *module, const BulkOptions *options);

#endif							/* QEHS_BULK_H */
