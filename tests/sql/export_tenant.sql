-- Exports of all modules as JSON, and the files of their records: only what the caller may have, in one state.
\set ECHO none
\o /dev/null
SELECT qehs.tenant_create('export_whole', 'Whole');
SELECT qehs.use_tenant('export_whole');
SELECT qehs.user_create('ann', 'Ann', roles => '{clerk}');
SELECT qehs.module_publish(key, jsonb_build_object('key', key, 'name', upper(key), 'displayCode', jsonb_build_object('prefix', prefix),
	'fields', '[{"key":"title","type":"text"},{"key":"photo","type":"image"},{"key":"x_ray","type":"image"}]'::jsonb,
	'workflow', '{"states":["open"],"initial":"open","transitions":{}}'::jsonb,
	'permissions', jsonb_build_object('roles', roles::jsonb, 'fields', '{"x_ray":{"read":["tenant-admin"]}}'::jsonb)))
FROM (VALUES ('audits', 'AUD', '{"clerk":["read","create","export"]}'), ('empty', 'EMP', '{"clerk":["read","export"]}'), ('secrets', 'SEC', '{"clerk":["read"]}')) AS m (key, prefix, roles);
SELECT qehs.record_create(key, jsonb_build_object('title', key || ' ' || n)) FROM unnest('{audits,secrets}'::text[]) AS key, generate_series(1, 3) AS n;
-- a file for each record and one of a field that the clerk may not read, all but one of them there
SELECT qehs.attachment_create(item ->> 'id', f || '.png', 'image/png', field => f)
FROM json_array_elements(qehs.record_list('audits', sort => 'displayCode') -> 'items') AS item, unnest('{photo,x_ray}'::text[]) AS f;
UPDATE qehs.attachment SET status = 'clean', size_bytes = 1, sha256 = sha256('x') WHERE id <> (SELECT id FROM qehs.attachment WHERE field = 'photo' ORDER BY id LIMIT 1);
-- what other tests left in the queue
DELETE FROM qehs.job WHERE finished_at IS NULL;
CREATE FUNCTION pg_temp.rows(count int4, files boolean DEFAULT false, OUT line text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	claimed json := qehs.job_claim('{export}', 'w');
BEGIN
	PERFORM qehs.job_begin(claimed ->> 'tenant', claimed ->> 'jobId', 'w');
	line := qehs.export_open(claimed ->> 'jobId') ->> 'total';
	RETURN NEXT;
	LOOP
		line := qehs.export_fetch(count);
		EXIT WHEN line IS NULL;
		RETURN QUERY SELECT regexp_replace(l, '("definition":).*', '\1…') FROM regexp_split_to_table(rtrim(line, E'\n'), '\n') AS l WHERE NOT files;
		RETURN QUERY SELECT concat_ws(' ', f ->> 'displayCode', f ->> 'field', f ->> 'filename') FROM regexp_split_to_table(rtrim(qehs.export_files(NULL), E'\n'), '\n') AS l,
			to_json(l::json) AS f;
	END LOOP;
	PERFORM qehs.job_finish(claimed ->> 'tenant', claimed ->> 'jobId', 'w');
END $$;
CREATE FUNCTION pg_temp.short(line text) RETURNS text LANGUAGE sql AS $$
	SELECT CASE WHEN line LIKE '{%' THEN concat_ws(' ', line::json ->> 'displayCode', line::json -> 'payload') ELSE regexp_replace(line, '2[0-9]{3}-', 'YYYY-') END $$;
\o
\set VERBOSITY terse
\set ECHO all
\pset format unaligned
\pset tuples_only
-- each module that the caller may export, in the order of the keys, with all records of it, however few are fetched at once
SELECT qehs.use_tenant('export_whole', 'ann');
SELECT qehs.export_create(format => 'json') ->> 'status';
SELECT regexp_replace(pg_temp.short(line), '2[0-9]{3}-', 'YYYY-') FROM pg_temp.rows(2) AS line;
-- one module by filter and columns
SELECT qehs.export_create('audits', 'json', columns => '{title}', filter => '{"title":{"in":["audits 1","audits 3"]}}', sort => 'title') ->> 'status';
SELECT line FROM pg_temp.rows(10) AS line;
-- the files that are there, of the fields that the caller may read
SELECT qehs.export_create(format => 'json', include_attachments => true) ->> 'status';
SELECT regexp_replace(line, '2[0-9]{3}-', 'YYYY-') FROM pg_temp.rows(2, true) AS line;
SELECT qehs.export_create('audits', 'csv', columns => '{title}', sort => 'title', include_attachments => true) ->> 'status';
SELECT regexp_replace(line, '2[0-9]{3}-', 'YYYY-') FROM pg_temp.rows(10) AS line;
-- what goes with one module only
\set VERBOSITY default
SELECT qehs.export_create(format => 'csv');
SELECT qehs.export_create(format => 'json', filter => '{}', sort => 'title', columns => '{title}', q => 'x', status => 'open', bom => true);
SELECT qehs.export_create();
\set VERBOSITY terse
-- the trail has one event of it, of no module
SELECT qehs.use_tenant('export_whole');
SELECT e ->> 'type', e ->> 'moduleKey', e ->> 'recordId', e -> 'export' ->> 'format', e -> 'export' ->> 'includeAttachments'
	FROM json_array_elements(qehs.audit_list(action => 'exported') -> 'items') AS e;
