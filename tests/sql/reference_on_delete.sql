-- References that keep what they name from being deleted, at every door, and what is told of those that do.
\set VERBOSITY default
\set SHOW_CONTEXT never
\set ECHO none
\o /dev/null
SELECT qehs.tenant_create('keepers', 'A tenant');
SELECT qehs.use_tenant('keepers');
SELECT qehs.user_create('ann', 'Ann', roles => '{cleaner}'), qehs.user_create('bob', 'Bob', roles => '{stranger}');
CREATE FUNCTION pg_temp.publish(key text, fields jsonb, more jsonb DEFAULT '{}') RETURNS text LANGUAGE sql AS $$
	SELECT qehs.module_publish(publish.key, jsonb_build_object('key', publish.key, 'name', publish.key, 'displayCode', jsonb_build_object('prefix', upper(left(publish.key, 3))), 'fields', fields,
		'workflow', '{"states":["open"],"initial":"open","transitions":{}}'::jsonb) || more)::jsonb ->> 'definitionVersion' $$;
-- What deleting a record answers, without the year of display codes.
CREATE FUNCTION pg_temp.deleted(id text) RETURNS TABLE (state text, message text) LANGUAGE plpgsql AS $$
BEGIN
	PERFORM qehs.record_delete(id);
	RETURN QUERY SELECT 'deleted', NULL;
EXCEPTION WHEN OTHERS THEN
	RETURN QUERY SELECT SQLSTATE::text, regexp_replace(SQLERRM, '-\d{4}-', '-year-', 'g');
END $$;
\o
\set ECHO all
-- the definition
SELECT pg_temp.publish('faulty', '[{"key":"a","type":"text","onDelete":"restrict"},{"key":"b","type":"record-reference","onDelete":"cascade"},{"key":"c","type":"record-reference","onDelete":true},{"key":"d","type":"object","fields":[{"key":"e","type":"record-reference","onDelete":"restrict"}]}]');
SELECT pg_temp.publish('sites', '[{"key":"name","type":"text"}]', '{"permissions":{"roles":{"cleaner":["read","delete"],"stranger":["read","delete"]}}}');
SELECT pg_temp.publish('visits', '[{"key":"at","type":"record-reference","references":"sites","onDelete":"restrict"},{"key":"secret","type":"record-reference","onDelete":"restrict"},{"key":"near","type":"record-reference"},{"key":"before","type":"record-reference","onDelete":"restrict"}]',
	'{"permissions":{"roles":{"cleaner":["read"],"stranger":[]},"fields":{"secret":{"read":["stranger"]}}}}');
SELECT qehs.record_create('sites', '{"name":"a"}')::jsonb ->> 'id' AS a \gset
SELECT qehs.record_create('sites', '{"name":"b"}')::jsonb ->> 'id' AS b \gset
SELECT qehs.record_create('visits', jsonb_build_object('at', :'a'))::jsonb ->> 'id' AS first \gset
SELECT qehs.record_create('visits', jsonb_build_object('at', :'a', 'near', :'b'))::jsonb ->> 'id' AS second \gset
SELECT count(qehs.record_create('visits', jsonb_build_object('at', :'a'))) AS more FROM generate_series(1, 5);
-- who may read what refers to the record is told of it
SELECT * FROM pg_temp.deleted(:'a');
SELECT qehs.record_delete(:'first') \g /dev/null
SELECT * FROM pg_temp.deleted(:'a');
SELECT qehs.use_tenant('keepers', 'bob') \g /dev/null
SELECT * FROM pg_temp.deleted(:'a');
-- a field without the option keeps nothing
SELECT * FROM pg_temp.deleted(:'b');
SELECT qehs.use_tenant('keepers') \g /dev/null
SELECT qehs.record_restore(:'b') \g /dev/null
-- a field that the caller may not read keeps, and is not told
SELECT qehs.record_update(:'second', jsonb_build_object('secret', :'b')) \g /dev/null
SELECT * FROM pg_temp.deleted(:'b');
SELECT qehs.use_tenant('keepers', 'ann') \g /dev/null
SELECT * FROM pg_temp.deleted(:'b');
SELECT * FROM pg_temp.deleted(:'a');
SELECT qehs.use_tenant('keepers') \g /dev/null
SELECT regexp_replace(qehs.graphql('mutation ($id: ID!) { sitesDelete(id: $id) }', jsonb_build_object('id', :'b'))::text, '-\d{4}-', '-year-') AS answer;
-- a record is not kept by itself, nor by one that refers to it no more
SELECT qehs.record_update(:'second', jsonb_build_object('before', :'second', 'secret', null)) \g /dev/null
SELECT * FROM pg_temp.deleted(:'b');
-- a reference to what is gone is refused, as ever; a deleted one that had it comes back as it was
SELECT qehs.record_create('visits', jsonb_build_object('at', :'b'));
SELECT qehs.record_create('visits', jsonb_build_object('before', :'second'))::jsonb ->> 'id' AS third \gset
SELECT * FROM pg_temp.deleted(:'second');
SELECT qehs.record_delete(:'third') \g /dev/null
SELECT * FROM pg_temp.deleted(:'second');
SELECT qehs.record_restore(:'third')::jsonb -> 'payload' ->> 'before' = :'second' AS names_it;
-- the current definition says it of records of every version, under a new name too
SELECT qehs.record_create('sites', '{"name":"c"}')::jsonb ->> 'id' AS c \gset
SELECT qehs.record_create('visits', jsonb_build_object('near', :'c'))::jsonb ->> 'id' AS fourth \gset
SELECT pg_temp.publish('visits', '[{"key":"place","type":"record-reference","references":"sites"},{"key":"close","type":"record-reference","onDelete":"restrict"}]', '{"migrate":{"rename":{"at":"place","near":"close"},"drop":["secret","before"]}}');
SELECT * FROM pg_temp.deleted(:'c');
SELECT * FROM pg_temp.deleted(:'a');
-- a load looks before it names
SELECT a::jsonb -> 'status' AS status, a::jsonb -> 'errors' -> 0 -> 'code' AS code FROM string_to_table(qehs.bulk_load('visits', convert_to(format(E'{"close":"%s"}\n{"close":"%s"}\n{"place":"%s"}\n', :'b', :'c', :'c'), 'UTF8')), E'\n') AS a WHERE a <> '';
-- many refer to it, most of them by a field that keeps nothing; or more than are counted
SELECT count(*) AS loaded FROM string_to_table(qehs.bulk_load('visits', convert_to(repeat(format(E'{"place":"%s"}\n', :'c'), 450), 'UTF8')), E'\n') AS a WHERE a LIKE '%created%';
SELECT split_part(message, ': ', 2) AS message FROM pg_temp.deleted(:'c');
SELECT qehs.record_create('sites', '{"name":"d"}')::jsonb ->> 'id' AS d \gset
SELECT count(*) AS loaded FROM string_to_table(qehs.bulk_load('visits', convert_to(repeat(format(E'{"place":"%s"}\n', :'d'), 450), 'UTF8')), E'\n') AS a WHERE a LIKE '%created%';
SELECT qehs.record_create('visits', jsonb_build_object('close', :'d')) \g /dev/null
SELECT split_part(message, ': ', 2) AS message FROM pg_temp.deleted(:'d');
SELECT qehs.record_create('sites', '{"name":"e"}')::jsonb ->> 'id' AS e \gset
SELECT count(*) AS loaded FROM string_to_table(qehs.bulk_load('visits', convert_to(repeat(format(E'{"close":"%s"}\n', :'e'), 1100), 'UTF8')), E'\n') AS a WHERE a LIKE '%created%';
SELECT split_part(split_part(message, ': ', 2), ',', 1) AS message FROM pg_temp.deleted(:'e');
