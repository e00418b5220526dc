-- Exports: records as files. What a caller asks for, and what the worker that writes the file calls.

CREATE FUNCTION qehs.export_create(module_key text DEFAULT NULL, format text DEFAULT NULL, filter jsonb DEFAULT NULL, sort text DEFAULT NULL, columns text[] DEFAULT NULL,
	include_deleted boolean DEFAULT NULL, q text DEFAULT NULL, status text DEFAULT NULL, created_from text DEFAULT NULL, created_to text DEFAULT NULL,
	record_id text DEFAULT NULL, header text DEFAULT NULL, bom boolean DEFAULT NULL, dates text DEFAULT NULL, locale text DEFAULT NULL,
	time_zone text DEFAULT NULL, paper text DEFAULT NULL, include_attachments boolean DEFAULT NULL,
	accept_language text DEFAULT NULL, storage jsonb DEFAULT NULL)
RETURNS json AS 'MODULE_PATHNAME', 'qehs_export_create'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.export_create(text, text, jsonb, text, text[], boolean, text, text, text, text, text, text, boolean, text, text, text, text, boolean, text, jsonb) IS 'Queues a job that writes records of a module into a file, and gives the job: format csv (RFC 4180), xlsx, pdf, ndjson or json, a document {"modules":[{"key",…,"records"}]} that is of all modules which the caller may export where module_key is NULL. filter, sort, q, status, created_from and created_to are those of record_list. columns names fields and members of records (displayCode, title); without it the file has all fields that the caller may read, ndjson and json whole records. include_deleted (with scope audit.read) takes deleted records too; include_attachments (with scope attachments.read) makes a ZIP of the file, the files of the records'' attachments and attachments.ndjson, which says what they are. record_id makes a report of this one record (pdf), with its approvals, signatures, activity and, with scope attachments.read, its photos. header is labels (in the language that accept_language prefers) or keys; bom puts a byte order mark in front of a CSV; dates is iso or locale, as people of locale write them (de-AT), in time_zone (default UTC); paper is A4 or Letter. The file has what the caller may read when it is written. An audit event keeps what was asked for. Needs scope exports.create and, in the module, the actions read and export. Raises QH400 validation_failed, QH403 forbidden, QH404 not_found, QH503 unavailable when the shim, which describes its object store by storage, has none.';

CREATE FUNCTION qehs.export_get(job_id text, storage jsonb DEFAULT NULL) RETURNS json AS 'MODULE_PATHNAME', 'qehs_export_get'
LANGUAGE C STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.export_get(text, jsonb) IS 'The job of an export, as job_get gives it; once it has succeeded, result is {"downloadUrl","expiresAt","filename","contentType","sizeBytes","sha256"}; the link is signed for the object store that the shim describes by storage. Raises QH404 not_found, QH503 unavailable when the shim has none.';

CREATE FUNCTION qehs.export_cancel(job_id text, storage jsonb DEFAULT NULL) RETURNS json AS 'MODULE_PATHNAME', 'qehs_export_cancel'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.export_cancel(text, jsonb) IS 'Cancels an export, as job_cancel does. Raises QH404 not_found.';

CREATE FUNCTION qehs.export_open(job_id text) RETURNS json AS 'MODULE_PATHNAME', 'qehs_export_open'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.export_open(text) IS 'For workers, behind qehs.job_begin in the same transaction: opens the rows of an export that runs, which are those that there are now, and gives {"moduleName","total","at","actor","options","columns":[{"key","label","type","fields"}],"record"}: options is what was asked for, record (of a report) the record with its activity and decisions, its approvals, rejections and what was signed. Raises QH404 not_found, QH403 forbidden, QH400 validation_failed when what was asked for cannot be had any more.';

CREATE FUNCTION qehs.export_fetch(row_count int4) RETURNS text AS 'MODULE_PATHNAME', 'qehs_export_fetch'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.export_fetch(int4) IS 'For workers: the next rows of the export that is open, row_count (1 to 10000) or about a megabyte of them at most, each a line of JSON: an array of cells in the order of the columns, of ndjson and json an object; of json the records of a module come behind a line "module " and {"key","name","definitionVersion","definition"}, the last with scope modules.read. NULL behind the last. Raises QH409 conflict when none is open.';

CREATE FUNCTION qehs.export_files(storage jsonb) RETURNS text AS 'MODULE_PATHNAME', 'qehs_export_files'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.export_files(jsonb) IS 'For workers: the attachments of the records that the last export_fetch gave, a line of JSON each: {"id","filename","contentType","sizeBytes","sha256","status","createdAt","recordId","displayCode","field"}. Those that the caller may read and whose file the object store that storage describes gives out. NULL when there are none, as always where the export did not ask for them and is no report. Raises QH409 conflict when none is open.';
