-- q finds the words of its own module, whatever other modules and tenants have; long texts are searched from their beginning, and
-- stored whole, over every door.
\set VERBOSITY terse
\set ECHO none
SELECT qehs.tenant_create('searching', 'Searching') \g /dev/null
SELECT qehs.use_tenant('searching') \g /dev/null
CREATE FUNCTION pg_temp.module(key text) RETURNS void LANGUAGE sql AS $$
SELECT qehs.module_publish(key, jsonb_build_object('key', key, 'name', key, 'displayCode', '{"prefix":"S"}'::jsonb,
	'fields', '[{"key":"title","type":"text"},{"key":"body","type":"text","maxLength":2000000,"searchable":true}]'::jsonb, 'workflow', '{"states":["open"],"initial":"open"}'::jsonb))
$$;
CREATE FUNCTION pg_temp.found(key text, question text) RETURNS text LANGUAGE sql AS $$
SELECT string_agg(item -> 'payload' ->> 'title', ' ' ORDER BY item -> 'payload' ->> 'title')
FROM json_array_elements(qehs.record_list(key, q => question) -> 'items') AS item
$$;
\set ECHO all
SELECT pg_temp.module('first'), pg_temp.module('second');
SELECT qehs.record_create('first', '{"title":"a","body":"Slipped from a red ladder"}') IS NOT NULL,
	qehs.record_create('first', '{"title":"b","body":"A ladder that was red, and a scaffold"}') IS NOT NULL,
	qehs.record_create('second', '{"title":"c","body":"The forklift hit a ladder, 1.2.ladder"}') IS NOT NULL;
SELECT question, pg_temp.found('first', question) AS first, pg_temp.found('second', question) AS second
FROM unnest('{ladder,LADDER,"\"red ladder\"",ladder -scaffold,scaffold or slipped,forklift,1.2.ladder,2.ladder,the}'::text[]) AS question;
-- no entry of the index is of another module's word
SELECT count(*) FROM qehs.record WHERE tenant_id = (SELECT id FROM qehs.tenant WHERE slug = 'searching')
	AND qehs.search_words(tenant_id, module_id, display_no, search) @@ format('%s.%s.%s.forklift', tenant_id, module_id, to_hex(display_no / 4096))::tsquery;
SELECT qehs.search_words(1, 2, 2026000000003, qehs.search_vector('b-2 a b')), qehs.search_vector('');
-- 900 kB of different words, one of 3,000 characters among them, by a create, an update, a dry run and a load
CREATE TEMP TABLE long AS SELECT 'beginning ' || repeat('x', 3000) || ' ' || string_agg(md5(n::text) || ' ' || md5((-n)::text), ' ' ORDER BY n) || ' ending' AS text FROM generate_series(1, 14000) AS n;
SELECT length(qehs.record_create('second', jsonb_build_object('title', 'd', 'body', text)) -> 'payload' ->> 'body') = length(text) FROM long;
SELECT qehs.record_update((SELECT item ->> 'id' FROM json_array_elements(qehs.record_list('second', '{"title":"c"}') -> 'items') AS item), jsonb_build_object('body', text || ' forklift')) IS NOT NULL FROM long;
SELECT a::json ->> 'status' FROM long, unnest('{true,false}'::boolean[]) AS dry,
	string_to_table(qehs.bulk_load('second', convert_to(jsonb_build_object('title', 'e', 'body', text)::text || E'\n{"title":"f"}', 'UTF8'), dry_run => dry), E'\n') AS a WHERE a <> '';
SELECT question, pg_temp.found('second', question) FROM unnest('{beginning,ending,forklift}'::text[]) AS question;
-- words that would take more than a tsvector holds
SELECT length(qehs.search_words(1000000000, 1000000000, 1, qehs.search_vector((SELECT string_agg(to_hex(n), ' ') FROM generate_series(1, 80000) AS n)))) BETWEEN 10000 AND 79999 AS cut;
SELECT length(qehs.search_vector((SELECT string_agg(n || 'x', '-') FROM generate_series(1, 80000) AS n))) BETWEEN 10000 AND 239999 AS cut,
	length(qehs.search_vector(repeat(chr(64954), 50000))) AS words;
