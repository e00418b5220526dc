-- Reads by id go to the index by themselves where a table is all here; where it is not, their statements see what there is.
\set ECHO none
\o /dev/null
SELECT qehs.tenant_create('lookups', 'A tenant');
SELECT qehs.module_install('lookups', 'incidents');
SELECT qehs.use_tenant('lookups');
SELECT qehs.record_create('incidents', '{"title":"slip","severity":"low"}')::jsonb ->> 'id' AS id \gset
-- who plans a statement locks all indexes of its tables; a look-up locks its own
CREATE VIEW public.lookups_planned AS SELECT count(*) > 0 AS planned FROM pg_locks JOIN pg_index ON relation = indexrelid
	WHERE pid = pg_backend_pid() AND indrelid IN ('qehs.record'::regclass, 'qehs.audit_event'::regclass) AND
	indexrelid NOT IN ('qehs.record_pkey'::regclass, 'qehs.audit_event_record'::regclass);
CREATE VIEW public.lookups_record AS SELECT r #>> '{payload,title}' AS title, jsonb_array_length(r -> 'activity') AS events, jsonb_array_length(r -> 'attachments') AS files
	FROM (SELECT qehs.record_get(:'id')::jsonb) AS v (r);
\c -
SELECT qehs.use_tenant('lookups');
\o
\set ECHO all
BEGIN;
TABLE public.lookups_record;
TABLE public.lookups_planned;
COMMIT;
-- tables that others inherit from, and rows of which some are in those
CREATE TABLE public.lookups_records () INHERITS (qehs.record);
CREATE TABLE public.lookups_events () INHERITS (qehs.audit_event);
CREATE TABLE public.lookups_files () INHERITS (qehs.attachment);
INSERT INTO public.lookups_records SELECT * FROM qehs.record WHERE id = qehs.id_uuid(:'id');
INSERT INTO public.lookups_events SELECT * FROM qehs.audit_event WHERE record_id = qehs.id_uuid(:'id');
INSERT INTO public.lookups_files (tenant_id, id, record_id, filename, content_type, created_at, created_by)
	SELECT tenant_id, id, id, 'a.png', 'image/png', now(), id FROM ONLY qehs.record WHERE id = qehs.id_uuid(:'id');
SET session_replication_role = replica;
DELETE FROM ONLY qehs.record WHERE id = qehs.id_uuid(:'id');
RESET session_replication_role;
TABLE public.lookups_record;
\set ECHO none
\o /dev/null
\c -
SELECT qehs.use_tenant('lookups');
\o
\set ECHO all
BEGIN;
TABLE public.lookups_record;
TABLE public.lookups_planned;
COMMIT;
-- and when they are as they were, in the same session
INSERT INTO qehs.record SELECT * FROM public.lookups_records;
DROP TABLE public.lookups_records, public.lookups_events, public.lookups_files;
ANALYZE qehs.record, qehs.audit_event, qehs.attachment;
TABLE public.lookups_record;
-- where Citus has its table of those that it distributes, statements run
SET allow_system_table_mods = on;
CREATE TABLE pg_catalog.pg_dist_partition (logicalrelid regclass);
RESET allow_system_table_mods;
\set ECHO none
\o /dev/null
\c -
SELECT qehs.use_tenant('lookups');
\o
\set ECHO all
BEGIN;
TABLE public.lookups_record;
TABLE public.lookups_planned;
COMMIT;
SET allow_system_table_mods = on;
DROP TABLE pg_catalog.pg_dist_partition;
RESET allow_system_table_mods;
DROP VIEW public.lookups_record, public.lookups_planned;
