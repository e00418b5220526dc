-- Attachments from psql: what is told, who may, what housekeeping collects.
\set VERBOSITY terse
\set ECHO none
\o /dev/null
SELECT qehs.tenant_create('files', 'Files');
SELECT qehs.use_tenant('files');
SET qehs.clock = '2026-01-01T00:00:00Z';
SELECT qehs.module_publish('notes', '{"key":"notes","name":"Notes","displayCode":{"prefix":"N"},"fields":[{"key":"title","type":"text"},{"key":"photo","type":"image","maxSizeBytes":1000},
	{"key":"rows","type":"table","fields":[{"key":"evidence","type":"file","mediaTypes":["text/*","application/pdf"]}]}],"workflow":{"states":["open"],"initial":"open","transitions":{}}}');
SELECT qehs.record_create('notes', '{"title":"One"}') ->> 'id' AS record \gset
CREATE FUNCTION pg_temp.announce(record_id text DEFAULT NULL, filename text DEFAULT 'a.png', content_type text DEFAULT 'image/png', size_bytes int8 DEFAULT NULL, field text DEFAULT NULL)
RETURNS text LANGUAGE sql AS $$SELECT qehs.attachment_create(record_id, filename, content_type, size_bytes, NULL, field) ->> 'id'$$;
CREATE FUNCTION pg_temp.settle(id text, type text, scan text DEFAULT NULL, size int8 DEFAULT 5) RETURNS text LANGUAGE sql AS $$
	SELECT qehs.attachment_settle('files', id, size, repeat('ab', 32), type, scan); SELECT qehs.attachment_get(id) ->> 'status'$$;
\o
\set ECHO all
-- the URL of the embedded store begins with its path
SELECT regexp_replace(qehs.attachment_create(:'record', 'a b.png', 'image/png', 5)::text, '(att_)\w+|(signature=)\w+', '\1\2…', 'g') AS announced;
-- faults of a definition
SELECT qehs.module_publish('bad', '{"key":"bad","name":"Bad","displayCode":{"prefix":"B"},"fields":[{"key":"a","type":"text","mediaTypes":["image/png"]},{"key":"b","type":"file","mediaTypes":[],"maxSizeBytes":0},
	{"key":"c","type":"file","mediaTypes":["png",5],"maxSizeBytes":1.5}],"workflow":{"states":["open"],"initial":"open","transitions":{}}}');
-- what a field takes
SELECT qehs.attachment_create(:'record', 'a.txt', 'text/plain', 1001, NULL, 'photo');
SELECT qehs.attachment_create(:'record', 'a.csv', 'text/csv', 1001, NULL, 'rows.evidence') IS NOT NULL AS taken;
SELECT qehs.attachment_create(:'record', 'a.csv', 'text/csv', 1001, NULL, 'rows');
-- statuses
SELECT pg_temp.announce(:'record') AS one, pg_temp.announce(:'record') AS two, pg_temp.announce(:'record') AS three, pg_temp.announce(:'record', size_bytes => 6) AS four \gset
SELECT pg_temp.settle(:'one', 'image/png') AS one, pg_temp.settle(:'two', 'text/html') AS two, pg_temp.settle(:'three', 'image/png', 'infected: Eicar') AS three, pg_temp.settle(:'four', 'image/png') AS four;
SELECT status, status_reason, size_bytes, left(encode(sha256, 'hex'), 4) AS sha256, sniffed_type FROM qehs.attachment WHERE uploaded_at IS NOT NULL ORDER BY id;
-- scanned later; what has an end stays
SELECT pg_temp.settle(:'one', 'image/png', 'clean') AS one, pg_temp.settle(:'two', 'image/png') AS two;
SELECT qehs.attachment_get(:'three', redirect => true);
-- a store whose files are scanned gives out clean ones only; no store gives none
SELECT qehs.attachment_get(:'one', storage => '{"kind":"local","baseUrl":"http://x","scanned":true}') ->> 'downloadUrl' LIKE 'http://x/storage/files/att_%' AS clean;
SELECT qehs.attachment_get(:'one', storage => '{"kind":"none"}');
-- one that belongs to no record is that of the first that names it
SELECT pg_temp.announce() AS loose \gset
SELECT pg_temp.settle(:'loose', 'image/png');
SELECT qehs.record_create('notes', jsonb_build_object('photo', :'loose'::text)) -> 'payload' ->> 'photo' = :'loose' AS bound;
SELECT qehs.record_create('notes', jsonb_build_object('photo', :'loose'::text));
-- a name of one attachment in two rows of one payload
SELECT pg_temp.announce(content_type => 'text/plain') AS twice \gset
SELECT qehs.record_create('notes', jsonb_build_object('rows', jsonb_build_array(jsonb_build_object('evidence', :'twice'::text), jsonb_build_object('evidence', jsonb_build_array(:'twice'::text))))) -> 'payload' ->> 'rows' IS NOT NULL AS bound;
-- what housekeeping collects: infected and failed files at once, then those that nobody named or sent, then deleted ones
SELECT count(*) FROM qehs.object_removal WHERE tenant = 'files';
SELECT pg_temp.announce(:'record') AS never, pg_temp.announce() AS loose \gset
SELECT pg_temp.settle(:'loose', 'image/png');
SELECT qehs.attachment_delete(:'one');
SET qehs.clock = '2026-01-02T00:00:01Z';
SELECT qehs.attachment_collect(10) > 0 AS collected;
SELECT count(*) FILTER (WHERE status = 'pending') AS pending, count(*) FILTER (WHERE record_id IS NULL) AS loose, count(*) FILTER (WHERE removed_at IS NOT NULL) AS removed FROM qehs.attachment AS a JOIN qehs.tenant AS t ON t.id = a.tenant_id AND t.slug = 'files';
SET qehs.clock = '2026-02-02T00:00:01Z';
SELECT qehs.attachment_collect(10);
SELECT qehs.attachment_collect(10);
SELECT count(*) > 5 AS some, count(*) FILTER (WHERE line NOT LIKE E'remove\tfiles\tatt\\_%\t') AS other FROM string_to_table(qehs.storage_work('{"kind":"local"}'), E'\n') AS line WHERE line LIKE E'%\tfiles\t%';
SELECT qehs.storage_report(jsonb_build_array(jsonb_build_object('tenant', 'files', 'id', :'one'::text, 'removed', true)));
SELECT count(*) FROM qehs.object_removal WHERE tenant = 'files' AND object = :'one';
-- a tenant that is removed takes its files with it
SELECT qehs.tenant_suspend('files') ->> 'slug' AS suspended;
SELECT qehs.tenant_remove('files') ->> 'slug' AS removed;
SELECT count(*) > 8 AS queued FROM qehs.object_removal WHERE tenant = 'files';
DELETE FROM qehs.object_removal WHERE tenant = 'files';
