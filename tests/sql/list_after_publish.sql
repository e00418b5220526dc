-- A cursor holds for the definition by which it sorted; and a record that has not moved is found by what the field is now, indexed or not.
\set VERBOSITY terse
\set ECHO none
SELECT qehs.tenant_create('after_publish', 'After') \g /dev/null
SELECT qehs.use_tenant('after_publish') \g /dev/null
CREATE FUNCTION pg_temp.published(field text) RETURNS jsonb LANGUAGE sql AS $$
SELECT qehs.module_publish('notes', (jsonb_build_object('key', 'notes', 'name', 'Notes', 'displayCode', '{"prefix":"N"}'::jsonb, 'fields', jsonb_build_array(field::jsonb),
	'workflow', '{"states":["open"],"initial":"open"}'::jsonb) || '{"migrate":{"rename":{"n":"n"}}}'))::jsonb -> 'definitionVersion'
$$;
CREATE FUNCTION pg_temp.found(filter jsonb) RETURNS jsonb LANGUAGE sql AS $$
SELECT jsonb_path_query_array(qehs.record_list('notes', filter, sort => 'createdAt')::jsonb, '$.items[*].payload.n')
$$;
SELECT qehs.module_publish('notes', '{"key":"notes","name":"Notes","displayCode":{"prefix":"N"},"fields":[{"key":"n","type":"number","indexed":true}],
	"workflow":{"states":["open"],"initial":"open"}}') \g /dev/null
SELECT count(qehs.record_create('notes', jsonb_build_object('n', n))) FROM unnest(ARRAY[5, 10, 20]) AS n \g /dev/null
SELECT qehs.record_list('notes', sort => 'n', page_size => 1)::jsonb ->> 'nextCursor' AS cursor, qehs.record_list('notes', sort => 'createdAt', page_size => 1)::jsonb ->> 'nextCursor' AS other \gset
\set ECHO all
-- another label changes nothing of the order
SELECT pg_temp.published('{"key":"n","type":"number","indexed":true,"label":"Number"}');
SELECT jsonb_path_query_array(qehs.record_list('notes', sort => 'n', cursor => :'cursor')::jsonb, '$.items[*].payload.n') AS rest;
-- another type does; an order that does not go by the field goes on
SELECT pg_temp.published('{"key":"n","type":"text","indexed":true}');
SELECT qehs.record_list('notes', sort => 'n', cursor => :'cursor');
SELECT jsonb_path_query_array(qehs.record_list('notes', sort => 'createdAt', cursor => :'other')::jsonb, '$.items[*].payload.n') AS rest;
-- records of the version before, and one of this; before the index is filled, after it, and without
SELECT qehs.record_create('notes', '{"n":"5"}')::jsonb -> 'payload' AS made;
SELECT pg_temp.found('{"n":"5"}') AS equal, pg_temp.found('{"n":{"in":["10","20"]}}') AS listed, pg_temp.found('{"n":{"startsWith":"1"}}') AS beginning;
SELECT qehs.tick(budget => '1 hour') -> 'more' AS more;
SELECT pg_temp.found('{"n":"5"}') AS equal, pg_temp.found('{"n":{"in":["10","20"]}}') AS listed, pg_temp.found('{"n":{"startsWith":"1"}}') AS beginning;
SELECT pg_temp.published('{"key":"n","type":"text"}');
SELECT pg_temp.found('{"n":"5"}') AS equal, pg_temp.found('{"n":{"in":["10","20"]}}') AS listed, pg_temp.found('{"n":{"startsWith":"1"}}') AS beginning;
-- the options of a choice are its order
SELECT pg_temp.published('{"key":"n","type":"select","options":["20","10","5"],"indexed":true}');
SELECT qehs.tick(budget => '1 hour') -> 'more' AS more;
SELECT qehs.record_list('notes', sort => 'n', page_size => 1)::jsonb ->> 'nextCursor' AS cursor \gset
SELECT pg_temp.published('{"key":"n","type":"select","options":["5","10","20"],"indexed":true}');
SELECT qehs.record_list('notes', sort => 'n', cursor => :'cursor');
-- what is no display code is told
SELECT qehs.record_list('notes', '{"displayCode":{"gt":"nope"}}');
