-- A walk by a cursor, one record a page, over sort values that are stored short, compressed in place and out of line, for each type that sorts.
\set VERBOSITY terse
\set ECHO none
\o /dev/null
SELECT qehs.tenant_create('stored', 'A tenant');
SELECT qehs.use_tenant('stored');
SELECT qehs.module_publish('notes', jsonb_build_object('key', 'notes', 'name', 'Notes', 'displayCode', '{"prefix":"N"}'::jsonb,
	'workflow', jsonb_build_object('states', jsonb_build_array(repeat('a', 63), 'b' || repeat('a', 62)), 'initial', repeat('a', 63)),
	'fields', '[{"key":"title","type":"text","indexed":true},{"key":"number","type":"number","indexed":true},{"key":"span","type":"duration","indexed":true},
	  {"key":"kind","type":"select","options":["z","y","x"],"indexed":true},{"key":"day","type":"date","indexed":true},{"key":"done","type":"boolean","indexed":true},
	  {"key":"score","type":"computed","computed":"$.number * 3","indexed":true},{"key":"body","type":"text","maxLength":1000000},{"key":"plain","type":"text"}]'::jsonb));
-- four records of few bytes, four of 1.8 kB, whose slots are compressed in place, four whose payload is out of line
SELECT qehs.record_create('notes', jsonb_build_object('title', chr(97 + i) || repeat('x', 239), 'number', repeat((i % 9 + 1)::text, 200)::numeric, 'span', 'PT' || i || 'M',
	'kind', substr('xyz', 1 + i % 3, 1), 'day', '2026-01-' || lpad((i + 1)::text, 2, '0'), 'done', i % 2 = 0, 'plain', chr(97 + i) || repeat('y', 2000),
	'body', CASE WHEN i < 4 THEN '' ELSE (SELECT string_agg(encode(sha512(convert_to(n::text, 'UTF8')), 'base64'), '') FROM generate_series(1, CASE WHEN i < 8 THEN 16 ELSE 200 END) AS n) END),
	CASE WHEN i % 2 = 0 THEN repeat('a', 63) ELSE 'b' || repeat('a', 62) END)
FROM generate_series(0, 11) AS i;
SELECT qehs.record_create('notes', '{}');
\o
\set ECHO all
CREATE FUNCTION walk(sort text, OUT pages int, OUT records int) LANGUAGE plpgsql AS $$
DECLARE
	page jsonb;
	cursor text;
	seen text[] := '{}';
BEGIN
	pages := 0;
	LOOP
		page := qehs.record_list('notes', sort => walk.sort, page_size => 1, cursor => cursor);
		seen := seen || (page #>> '{items,0,id}');
		cursor := page ->> 'nextCursor';
		pages := pages + 1;
		EXIT WHEN cursor IS NULL OR pages > 40;
	END LOOP;
	records := (SELECT count(DISTINCT s) FROM unnest(seen) AS s);
END
$$;
SELECT name, direction, walk.* FROM unnest('{title,number,span,kind,day,done,score,plain,workflowState,createdAt,updatedAt,createdBy,displayCode,id,version,dueAt}'::text[]) AS name,
	(VALUES (''), ('-')) AS directions (direction), walk(direction || name) WHERE pages <> 13 OR records <> 13;
-- what the walks were over: slots compressed in place, payloads out of line
SET ROLE qehs_owner;
SELECT bool_or(pg_column_size(t1) < 100) AS compressed, bool_or(pg_column_size(payload) > 4000) AS out_of_line FROM qehs.record WHERE t1 LIKE '%xxx';
RESET ROLE;
-- a cursor is of the definition that sorted: another type, other options, and it is none
SELECT qehs.record_list('notes', sort => 'kind', page_size => 1)::jsonb ->> 'nextCursor' AS by_kind,
	qehs.record_list('notes', sort => 'plain', page_size => 1)::jsonb ->> 'nextCursor' AS by_plain,
	qehs.record_list('notes', sort => 'title', page_size => 1)::jsonb ->> 'nextCursor' AS by_title \gset
SELECT qehs.module_publish('notes', (definition #- '{migrate}') || jsonb_build_object('migrate', '{"default":{"plain":1}}'::jsonb, 'fields', (SELECT jsonb_agg(CASE field ->> 'key'
	WHEN 'kind' THEN '{"key":"kind","type":"select","options":["x","y","z"],"indexed":true}'::jsonb
	WHEN 'plain' THEN '{"key":"plain","type":"number"}'::jsonb ELSE field END) FROM jsonb_array_elements(definition -> 'fields') AS field)))::jsonb -> 'definitionVersion' AS version
FROM qehs.module_version AS v JOIN qehs.tenant AS t ON t.id = v.tenant_id WHERE t.slug = 'stored';
SELECT qehs.record_list('notes', sort => 'kind', page_size => 1, cursor => :'by_kind');
SELECT qehs.record_list('notes', sort => 'plain', page_size => 1, cursor => :'by_plain');
SELECT jsonb_array_length(qehs.record_list('notes', sort => 'title', page_size => 1, cursor => :'by_title')::jsonb -> 'items') AS goes_on;
