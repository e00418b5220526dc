-- Bulk loads: chunks of NDJSON or CSV, each in the transaction of its caller.

CREATE FUNCTION qehs.bulk_begin(module_key text, mode text DEFAULT NULL, dry_run boolean DEFAULT false, on_conflict text DEFAULT NULL,
	external_id text DEFAULT NULL, on_error text DEFAULT NULL, accept_language text DEFAULT NULL, content_type text DEFAULT NULL,
	delimiter text DEFAULT NULL, columns jsonb DEFAULT NULL, unknown_columns text DEFAULT NULL) RETURNS json AS 'MODULE_PATHNAME', 'qehs_bulk_begin'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.bulk_begin(text, text, boolean, text, text, text, text, text, text, jsonb, text) IS 'Checks whether the caller may load the module so, and takes one of the tenant''s places for bulk loads (10 at once, or as rate_limit_set says for class bulk) until bulk_end or the end of the connection. Gives how the load is to be run: {"transaction":all chunks in one transaction, rolled back when a line fails,"inTurns":a chunk must not run before the one ahead has ended,"stopOnFailure":boolean,"delimiter":of CSV, in whose quotes lines may break,"statuses":{status of an answer line:what a rollback makes of it: undone (neither told nor counted), counted or told}}. mode is NULL or atomic (the caller''s transaction spans all chunks); accept_language is for bulk_load; content_type, delimiter, columns and unknown_columns are checked as bulk_load does it. Needs scope records.write and action create, with on_conflict also update. Raises QH400 invalid_parameter, QH403 forbidden, QH404 not_found, QH429 rate_limited with Retry-After.';

CREATE FUNCTION qehs.bulk_end() RETURNS void AS 'MODULE_PATHNAME', 'qehs_bulk_end'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.bulk_end() IS 'Gives back the place that bulk_begin took in this session, if it holds one.';

-- The statements look keys up for each line whatever the statistics say: a table is empty when a load begins.
CREATE FUNCTION qehs.bulk_load(module_key text, lines bytea, first_line bigint DEFAULT 1, batch_key text DEFAULT NULL,
	dry_run boolean DEFAULT false, on_conflict text DEFAULT NULL, external_id text DEFAULT NULL, on_error text DEFAULT NULL,
	accept_language text DEFAULT NULL, content_type text DEFAULT NULL, header bytea DEFAULT NULL, delimiter text DEFAULT NULL,
	columns jsonb DEFAULT NULL, unknown_columns text DEFAULT NULL)
RETURNS text AS 'MODULE_PATHNAME', 'qehs_bulk_load'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET plan_cache_mode = force_generic_plan SET jit = off;
COMMENT ON FUNCTION qehs.bulk_load(text, bytea, bigint, text, boolean, text, text, text, text, text, bytea, text, jsonb, text) IS 'Loads one chunk of whole lines of NDJSON or, with content_type text/csv, CSV, UTF-8, ended by LF or CRLF, of which the first is number first_line, and gives one line of JSON for each that is not empty: {"line","status","id"} with status created, updated or replayed, {"line","status":"valid"} of a dry run, {"line","status":"failed","errors"}. A line is a payload or {"payload","idempotencyKey","workflowState","createdAt"} (the last two with action bulk.state). A line that fails harms no other; lines over 1 MiB fail. Line n has the key batch_key#n unless it brings its own; a key used within 24 hours is answered as replayed. on_conflict update with the key of a unique field (or site,number of fields that are unique together) as external_id merges a line into the record that has its value (RFC 7396). on_error stop loads and answers nothing behind the first line that fails. A dry run (of chunks in order between bulk_begin and bulk_end, or in one transaction, beginning with line 1) holds unique values and keys against the records and against the lines before, some 780,000 of them, and a line of an upsert against the record as the lines before it would have left it. accept_language is an Accept-Language value: where it prefers a language of the labels, messages start with the field''s label in it. CSV is RFC 4180 with a header, which is line 1 and, for a chunk that begins behind it, the argument header; its columns are fields by key or label, members of values by a path (address.city), idempotencyKey, workflowState or createdAt; columns maps names of the header to such, or to null (left out), unknown_columns ignore leaves out those that are none of these; delimiter is a comma, semicolon, tab or |. An empty cell is no value, in an upsert null. Faults of the header are told at #col=n (RFC 7111). Needs scope records.write and action create, with on_conflict also update. Raises QH400 invalid_parameter and, for a header, validation_failed, QH403 forbidden, QH404 not_found.';

CREATE FUNCTION qehs.bulk_load_csv(module_key text, csv text, columns jsonb DEFAULT NULL, delimiter text DEFAULT NULL, unknown_columns text DEFAULT NULL,
	batch_key text DEFAULT NULL, dry_run boolean DEFAULT false, on_conflict text DEFAULT NULL, external_id text DEFAULT NULL, on_error text DEFAULT NULL)
RETURNS SETOF text AS 'MODULE_PATHNAME', 'qehs_bulk_load_csv'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET plan_cache_mode = force_generic_plan SET jit = off;
COMMENT ON FUNCTION qehs.bulk_load_csv(text, text, jsonb, text, text, text, boolean, text, text, text) IS 'Loads a text of CSV with a header, as psql has a file in a variable, and gives the answer lines of bulk_load, whose arguments these are: line n is the nth row, the header being line 1. All in the caller''s transaction, 1,000 rows at a time. Raises what bulk_load raises.';

-- Prefer: respond-async: the body waits in the object store for a worker of the shim.
CREATE FUNCTION qehs.bulk_announce(module_key text, mode text DEFAULT NULL, dry_run boolean DEFAULT false, on_conflict text DEFAULT NULL,
	external_id text DEFAULT NULL, on_error text DEFAULT NULL, accept_language text DEFAULT NULL, content_type text DEFAULT NULL,
	delimiter text DEFAULT NULL, columns jsonb DEFAULT NULL, unknown_columns text DEFAULT NULL, storage jsonb DEFAULT NULL)
RETURNS json AS 'MODULE_PATHNAME', 'qehs_bulk_announce'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.bulk_announce(text, text, boolean, text, text, text, text, text, text, jsonb, text, jsonb) IS 'For the shim: checks a load as bulk_begin does, whose arguments these are, and gives {"tenant","id","quota"}: what its body is to be called in the object store that storage describes, and how many bytes the tenant may store still, where it has a quota. The object is removed in a day unless bulk_queue makes a job of it. Raises what bulk_begin raises but 429, QH503 unavailable without a store, QH507 insufficient_storage.';

CREATE FUNCTION qehs.bulk_queue(module_key text, mode text DEFAULT NULL, dry_run boolean DEFAULT false, on_conflict text DEFAULT NULL,
	external_id text DEFAULT NULL, on_error text DEFAULT NULL, accept_language text DEFAULT NULL, content_type text DEFAULT NULL,
	delimiter text DEFAULT NULL, columns jsonb DEFAULT NULL, unknown_columns text DEFAULT NULL, content_encoding text DEFAULT NULL,
	batch_key text DEFAULT NULL, job_id text DEFAULT NULL, size_bytes int8 DEFAULT NULL)
RETURNS json AS 'MODULE_PATHNAME', 'qehs_bulk_queue'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.bulk_queue(text, text, boolean, text, text, text, text, text, text, jsonb, text, text, text, text, int8) IS 'For the shim: queues a job of kind bulk_load for a body that bulk_announce was called for and that is in the object store by now, with size_bytes bytes in content_encoding (gzip, zstd or NULL); job_id is the id that bulk_announce gave, the other arguments are those of bulk_announce and bulk_load. Gives the job as job_get does. It is run with the rights of the caller, as far as it has them then. Raises what bulk_announce raises, QH409 conflict when nothing of that id was announced.';

CREATE FUNCTION qehs.bulk_job_load(tenant text, job_id text, worker text, lines bytea DEFAULT NULL, first_line int8 DEFAULT 1, last_line int8 DEFAULT 0,
	header bytea DEFAULT NULL, long_line int8 DEFAULT NULL, line_limit int8 DEFAULT NULL, so_far jsonb DEFAULT NULL)
RETURNS json AS 'MODULE_PATHNAME', 'qehs_bulk_job_load'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET plan_cache_mode = force_generic_plan SET jit = off;
COMMENT ON FUNCTION qehs.bulk_job_load(text, text, text, bytea, int8, int8, bytea, int8, int8, jsonb) IS 'For workers: loads the next chunk of a job of kind bulk_load that the worker holds, as bulk_load does: lines from first_line to last_line (both count empty ones), header of CSV, and long_line the number of a line behind them that has more than line_limit bytes, which fails. so_far is what the chunk before gave, or the position of the claimed job. Gives {"line":the last one that is settled,"stopped":no more is to be loaded,"undo":what was loaded is to be rolled back,"result":{"summary","errors","errorsOmitted"}}; of a load that is no single transaction this is kept as the job''s position in the same transaction, so that each line is loaded once, whoever goes on. errors are the first 100 lines that failed, some 64 KiB at most. Raises what bulk_load raises, QH404, QH409 when the worker does not hold the job, QH403 when the caller that asked may do nothing any more.';

CREATE FUNCTION qehs.bulk_job_end(tenant text, job_id text, worker text, so_far jsonb DEFAULT NULL) RETURNS text AS 'MODULE_PATHNAME', 'qehs_bulk_job_end'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.bulk_job_end(text, text, text, jsonb) IS 'For workers: all lines are settled, and so_far is what the last bulk_job_load gave (NULL: there were none). The job has succeeded with its result, whatever lines failed, as a synchronous load has status 200; one of mode atomic of which a line failed, whose transaction the worker has rolled back, has failed with validation_failed and the same result. Gives the state of the job. Raises QH404, QH409 when the worker does not hold the job.';

-- As the caller: it reads what the caller may read.
CREATE FUNCTION qehs.bulk_load_table(module_key text, source regclass, column_name text, batch_key text DEFAULT NULL,
	dry_run boolean DEFAULT false, on_conflict text DEFAULT NULL, external_id text DEFAULT NULL, chunk_rows int4 DEFAULT 1000)
RETURNS SETOF text
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $load$
DECLARE
	-- a line break in JSON stands between tokens only, where a space does as well
	query CONSTANT text := format('SELECT replace(replace(s.%I::text, E''\r'', '' ''), E''\n'', '' '') FROM %s AS s', column_name, source);
	lines refcursor;
	line text;
	chunk text[] := '{}';
	first_line bigint := 1;
BEGIN
	IF chunk_rows IS NULL OR chunk_rows < 1 THEN
		RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = 'chunk_rows must be at least 1';
	END IF;
	OPEN lines NO SCROLL FOR EXECUTE query;
	LOOP
		FETCH lines INTO line;
		EXIT WHEN NOT FOUND;
		chunk := chunk || COALESCE(line, '');
		IF cardinality(chunk) = chunk_rows THEN
			RETURN QUERY SELECT answer FROM string_to_table(qehs.bulk_load(module_key, convert_to(array_to_string(chunk, E'\n'), 'UTF8'),
				first_line, batch_key, dry_run, on_conflict, external_id), E'\n') AS answer WHERE answer <> '';
			first_line := first_line + chunk_rows;
			chunk := '{}';
		END IF;
	END LOOP;
	CLOSE lines;
	RETURN QUERY SELECT answer FROM string_to_table(qehs.bulk_load(module_key, convert_to(array_to_string(chunk, E'\n'), 'UTF8'),
		first_line, batch_key, dry_run, on_conflict, external_id), E'\n') AS answer WHERE answer <> '';
END
$load$;
COMMENT ON FUNCTION qehs.bulk_load_table(text, regclass, text, text, boolean, text, text, int4) IS 'Loads a column of type json, jsonb or text of a table, say one that COPY has filled, and gives the answer lines of bulk_load: line n is the nth row as the table is read. All in the caller''s transaction, chunk_rows rows at a time; the other arguments are those of bulk_load. Reads the table with the caller''s rights; call qehs.use_tenant first.';
