-- Hostile definitions end in a clear fault with its place, or in one that costs no record more than a bounded time.
\set tenant definition_hostile
\set ECHO none
\o /dev/null
SELECT qehs.tenant_create('definition_hostile', 'A tenant');
SELECT qehs.use_tenant('definition_hostile');
CREATE FUNCTION pg_temp.faults(fields jsonb, more jsonb DEFAULT '{}') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	detail text;
	key text := 'm' || substr(md5(random()::text), 1, 12);
BEGIN
	PERFORM qehs.module_publish(key, jsonb_build_object('key', key, 'name', 'Hostile', 'displayCode', '{"prefix":"HST"}'::jsonb, 'fields', fields,
		'workflow', '{"states":["open"],"initial":"open","transitions":{}}'::jsonb) || more);
	PERFORM set_config('test.key', key, false);
	RETURN 'published';
EXCEPTION WHEN SQLSTATE 'QH400' THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN (SELECT string_agg(format('%s (%s) %s', left(e ->> 'path', 100), e ->> 'code', e ->> 'message'), E'\n' ORDER BY number)
		FROM jsonb_array_elements(detail::jsonb -> 'errors') WITH ORDINALITY AS v (e, number) WHERE number <= 5);
END;
$$;
CREATE FUNCTION pg_temp.try(payload jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	detail text;
BEGIN
	RETURN left((qehs.record_create(current_setting('test.key'), payload)::jsonb -> 'payload')::text, 100);
EXCEPTION WHEN SQLSTATE 'QH400' THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN 'refused: ' || (detail::jsonb #>> '{errors,0,path}') || ' ' || left(detail::jsonb #>> '{errors,0,message}', 100);
END;
$$;
CREATE FUNCTION pg_temp.one(field jsonb) RETURNS jsonb LANGUAGE sql AS $$ SELECT jsonb_build_array('{"key":"a","type":"text"}'::jsonb || field) $$;
\o
\pset format unaligned
\pset tuples_only on
\set ECHO queries
-- many
SELECT pg_temp.faults((SELECT jsonb_agg(jsonb_build_object('key', 'f' || i, 'type', 'text')) FROM generate_series(1, 10000) AS i));
SELECT pg_temp.faults((SELECT jsonb_agg(jsonb_build_object('key', 'f' || i, 'type', 'object', 'fields', nested)) FROM generate_series(1, 500) AS i,
	(SELECT jsonb_agg(jsonb_build_object('key', 'g' || j, 'type', 'text')) AS nested FROM generate_series(1, 500) AS j) AS n));
SELECT pg_temp.faults(pg_temp.one(jsonb_build_object('type', 'select', 'options', (SELECT jsonb_agg('o' || i) FROM generate_series(1, 100000) AS i))));
SELECT pg_temp.faults(pg_temp.one(jsonb_build_object('type', 'select', 'options', (SELECT jsonb_agg('o' || i) FROM generate_series(1, 10000) AS i))));
SELECT pg_temp.try('{"a":"o10000"}'), pg_temp.try('{"a":"o10001"}') LIKE 'refused: /payload/a must be one of o1, o2,%' AS refused;
SELECT pg_temp.faults((SELECT jsonb_agg(jsonb_build_object('key', 'F' || i, 'type', 'none')) FROM generate_series(1, 500) AS i));
-- names
SELECT pg_temp.faults(pg_temp.one('{"key":"a\u0001\n"}'), '{"name":"x\u0001","a/b~c":1}');
SELECT pg_temp.faults(pg_temp.one('{"label":{"x/y":"z","de":"\u0007"},"x~/y":1}'), '{"permissions":{"roles":{"a/b\u0001":["look"],"":[]},"fields":{"b/~":{"read":["\u0002"]}}}}');
SELECT pg_temp.faults(pg_temp.one('{}'), '{"workflow":{"states":["a\u0001"],"initial":"a\u0001","transitions":{"x/y~":{"from":"a","to":5,"bo/gus":1}}}}');
SELECT pg_temp.faults(pg_temp.one(jsonb_build_object('label', repeat('x', 1000000))));
-- expressions
SELECT pg_temp.faults(pg_temp.one(jsonb_build_object('requiredWhen', repeat('$.a == 1 && ', 90000) || 'true')));
SELECT pg_temp.faults(pg_temp.one(jsonb_build_object('requiredWhen', repeat('!(', 3300) || '$.a == 1' || repeat(')', 3300))));
SELECT pg_temp.try('{"a":"x"}');
SELECT pg_temp.faults(pg_temp.one('{"type":"object"}') || '{"key":"c","type":"computed","computed":"$.a.**.**.** ? (@ == 5)"}');
SELECT pg_temp.faults(pg_temp.one('{"type":"object"}') || '{"key":"c","type":"computed","computed":"$.a.** ? (@ == 5)"}');
SELECT pg_temp.try(jsonb_build_object('a', (repeat('{"b":', 60) || '5' || repeat('}', 60))::jsonb)) <> '' AS made;
SELECT pg_temp.faults(pg_temp.one('{}') || '{"key":"c","type":"computed","computed":"$.a.datetime(\"bogus\")"}');
-- one that errs when it runs gives no value
SELECT pg_temp.faults('[{"key":"a","type":"text"},{"key":"n","type":"number"},{"key":"c","type":"computed","computed":"strict $.x.y / 0"},{"key":"d","type":"computed","computed":"$.a.double()"},
	{"key":"e","type":"computed","computed":"$.a.datetime(\"YYYY\")"},{"key":"f","type":"computed","computed":"$.n * 1e100000 * 1e100000"},{"key":"g","type":"text","requiredWhen":"$.a + 1"},
	{"key":"h","type":"computed","computed":"$.a like_regex \"^(a*)*b$\""}]');
SELECT pg_temp.try('{"a":"x","n":1e300}') LIKE '%"h": false%' AS made, pg_temp.try(jsonb_build_object('a', repeat('a', 9000))) <> '' AS made_too;
-- schemas
SELECT pg_temp.faults(pg_temp.one(jsonb_build_object('schema', (repeat('{"not":', 5000) || '{}' || repeat('}', 5000))::jsonb)));
SELECT pg_temp.faults(pg_temp.one('{"schema":{"$ref":"#"}}'));
SELECT pg_temp.faults(pg_temp.one('{"schema":{"$defs":{"x":{"allOf":[{"$ref":"#/$defs/y"}]},"y":{"$ref":"#/$defs/x"}},"if":{"type":"string"},"then":{"$ref":"#/$defs/x"}}}'));
SELECT pg_temp.faults(pg_temp.one('{"pattern":"^(a+)+$"}'));
SELECT pg_temp.try(jsonb_build_object('a', repeat('a', 40) || '!'));
SELECT pg_temp.faults(pg_temp.one(jsonb_build_object('type', 'number', 'max', ('1' || repeat('0', 2000))::numeric, 'step', '1e-500'::numeric)));
SELECT pg_temp.try('{"a":1.5}');
