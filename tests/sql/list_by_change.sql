-- updatedAt, filtered and sorted by, is the order of the last changes, whatever was changed, deleted or restored before, at one time or another; a walk
-- by cursor sees each record once; and the events tell it, so that no index of the records is written with each update.
\set VERBOSITY terse
\set ECHO none
\o /dev/null
SELECT qehs.tenant_create('list_by_change', 'A tenant');
SELECT qehs.use_tenant('list_by_change');
SELECT qehs.module_publish(key, jsonb_build_object('key', key, 'name', key, 'displayCode', '{"prefix":"C"}'::jsonb, 'workflow', '{"states":["open"],"initial":"open"}'::jsonb,
 'fields', '[{"key":"no","type":"integer"},{"key":"text","type":"text"}]'::jsonb)) FROM unnest('{things,others}'::text[]) AS key;
SET qehs.clock = '2026-06-01T10:00:00Z';
SELECT qehs.record_create('things', jsonb_build_object('no', no, 'text', 'word' || no % 2)) FROM generate_series(1, 12) AS no;
SELECT qehs.record_create('others', '{"no":99}');
CREATE TEMP TABLE things AS SELECT (item -> 'payload' ->> 'no')::int AS no, item ->> 'id' AS id FROM json_array_elements(qehs.record_list('things') -> 'items') AS item;
SET qehs.clock = '2026-06-02T10:00:00Z';
SELECT qehs.record_update(id, '{"text":"second day"}') FROM things WHERE no IN (5, 3) ORDER BY no DESC;
SELECT qehs.record_comment(id, 'No change of the record') FROM things WHERE no = 1;
SET qehs.clock = '2026-06-03T10:00:00Z';
SELECT qehs.record_update(id, '{"text":"third day"}') FROM things WHERE no IN (5, 7);
SELECT qehs.record_update(id, '{"no":70}') FROM things WHERE no = 7;
SELECT qehs.record_delete(id) FROM things WHERE no = 2;
SELECT qehs.record_delete(id) FROM things WHERE no = 4;
SET qehs.clock = '2026-06-04T10:00:00Z';
SELECT qehs.record_restore(id) FROM things WHERE no = 4;
-- a clock that was put back: a record is never older than it was
SET qehs.clock = '2026-06-02T12:00:00Z';
SELECT qehs.record_update(id, '{"text":"back"}') FROM things WHERE no IN (4, 6);
CREATE FUNCTION pg_temp.numbers(filter jsonb, sort text, q text DEFAULT NULL) RETURNS text LANGUAGE sql AS $$
SELECT string_agg(item -> 'payload' ->> 'no', ' ') FROM json_array_elements(qehs.record_list('things', filter, sort => sort, q => q) -> 'items') AS item
$$;
\o
\pset format unaligned
\pset tuples_only on
\set ECHO all
SELECT pg_temp.numbers(NULL, 'updatedAt');
SELECT pg_temp.numbers(NULL, '-updatedAt');
SELECT filter, pg_temp.numbers(filter, 'updatedAt') AS changes, pg_temp.numbers(filter, '-updatedAt') AS newest, pg_temp.numbers(filter, 'no') AS by_number
FROM unnest(ARRAY['{"updatedAt":{"gt":"2026-06-02T10:00:00Z"}}', '{"updatedAt":{"gte":"2026-06-02T10:00:00Z"}}', '{"updatedAt":{"gte":"2026-06-02T10:00:00Z","lt":"2026-06-03T10:00:00Z"}}',
 '{"updatedAt":"2026-06-03T10:00:00Z"}', '{"updatedAt":{"lte":"2026-06-01T10:00:00Z"}}', '{"updatedAt":{"gt":"2026-06-05T00:00:00Z"}}', '{"updatedAt":{"ne":"2026-06-01T10:00:00Z"}}',
 '{"updatedAt":{"gt":"2026-06-01T10:00:00Z"},"text":{"contains":"day"}}', '{"or":[{"updatedAt":{"gte":"2026-06-04T00:00:00Z"}},{"no":1}]}', '{"not":{"updatedAt":{"lte":"2026-06-02T10:00:00Z"}}}']::jsonb[]) AS filter;
SELECT pg_temp.numbers('{"updatedAt":{"gte":"2026-06-02T10:00:00Z"}}', NULL, 'day'), pg_temp.numbers(NULL, '-updatedAt', 'day');
-- a walk by pages, as long as there are changes
CREATE FUNCTION pg_temp.walk(sort text, filter jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE page json; cursor text; seen text;
BEGIN
	LOOP
		page := qehs.record_list('things', filter, sort => sort, page_size => 2, cursor => cursor);
		seen := concat_ws(' | ', seen, (SELECT string_agg(item -> 'payload' ->> 'no', ' ') FROM json_array_elements(page -> 'items') AS item));
		cursor := page ->> 'nextCursor';
		EXIT WHEN cursor IS NULL;
	END LOOP;
	RETURN seen;
END $$;
SELECT sort, pg_temp.walk(sort, filter) FROM unnest('{updatedAt,-updatedAt}'::text[]) AS sort, unnest('{NULL,"{\"updatedAt\":{\"gt\":\"2026-06-01T10:00:00Z\"}}"}'::jsonb[]) AS filter;
-- the index of events has the order, and none of the records has the time
SELECT indexrelid::regclass FROM pg_index WHERE indrelid = 'qehs.record'::regclass AND pg_get_indexdef(indexrelid) LIKE '%updated_at%';
-- every record's time is that of one of its events, loaded ones and those with a time of creation of their own too
SELECT count(*) > 0 FROM (SELECT qehs.bulk_load('things', convert_to(E'{"payload":{"no":20},"createdAt":"2020-01-01T00:00:00Z"}\n{"no":21}', 'UTF8'))) AS loaded;
SELECT count(*), count(*) FILTER (WHERE NOT EXISTS (SELECT FROM qehs.audit_event AS e WHERE e.tenant_id = r.tenant_id AND e.module_id = r.module_id AND e.record_id = r.id AND e.at = r.updated_at)) AS without
FROM qehs.record AS r WHERE tenant_id = (SELECT id FROM qehs.tenant WHERE slug = 'list_by_change');
