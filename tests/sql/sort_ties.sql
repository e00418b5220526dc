-- Lists by several keys whose first ties in thousands of records go value by value, and show every record once, in order, both ways.
\set VERBOSITY terse
\set ECHO none
\o /dev/null
SELECT qehs.tenant_create('tying', 'A tenant');
SELECT qehs.use_tenant('tying');
SELECT qehs.module_publish('cases', '{"key":"cases","name":"Cases","displayCode":{"prefix":"CAS"},"fields":[{"key":"no","type":"integer"},{"key":"rank","type":"integer","indexed":true},
 {"key":"name","type":"text","indexed":true},{"key":"level","type":"select","options":["low","unused","high"],"indexed":true},{"key":"even","type":"boolean","indexed":true}],
 "workflow":{"states":["open","done"],"initial":"open","transitions":{"finish":{"from":"open","to":"done"}}}}');
-- of rank 1 and 2 there are thousands, of others one; names are longer than what is kept of them in an index
SELECT count(*) FROM string_to_table(qehs.bulk_load('cases', (SELECT convert_to(string_agg(jsonb_build_object('payload', jsonb_strip_nulls(jsonb_build_object('no', no,
	'rank', CASE WHEN no % 100 = 0 THEN -no WHEN no % 101 = 0 THEN NULL ELSE 1 + no % 2 END, 'name', CASE WHEN no % 7 > 0 THEN repeat('x', 254) || no % 3 || no % 5 END,
	'level', CASE no % 3 WHEN 0 THEN 'low' WHEN 1 THEN 'high' END, 'even', no % 2 = 0)), 'createdAt', timestamptz '2026-01-01Z' + (no * 7919 % 6007) * interval '1 minute',
	'workflowState', CASE WHEN no = 77 THEN 'done' ELSE 'open' END)::text, E'\n'), 'UTF8') FROM generate_series(1, 6000) AS no)), E'\n') AS line;
ANALYZE qehs.record;
CREATE TEMP TABLE expected AS SELECT r.id, (payload ->> 'no')::int AS no, (payload ->> 'rank')::int AS rank, left(payload ->> 'name', 255) COLLATE "C" AS name, array_position('{low,unused,high}', payload ->> 'level') AS level,
	payload ->> 'even' AS even, r.created_at AS at, workflow_state COLLATE "C" AS state FROM qehs.record AS r JOIN qehs.tenant AS t ON t.id = tenant_id AND slug = 'tying';
CREATE FUNCTION pg_temp.walk(sort text, filter jsonb DEFAULT NULL) RETURNS int[] LANGUAGE plpgsql AS $$
DECLARE page jsonb; place text; seen int[] := '{}';
BEGIN
	LOOP
		page := qehs.record_list('cases', filter, sort => sort, fields => 'payload.no', page_size => 199, cursor => place);
		seen := seen || ARRAY(SELECT (item #>> '{payload,no}')::int FROM jsonb_array_elements(page -> 'items') WITH ORDINALITY AS e (item, i) ORDER BY i);
		place := page ->> 'nextCursor';
		IF place IS NULL OR cardinality(seen) > 6000 THEN RETURN seen; END IF;
	END LOOP;
END $$;
CREATE FUNCTION pg_temp.before(sort text) RETURNS int[] LANGUAGE plpgsql AS $$
DECLARE page jsonb; place text; seen int[] := '{}';
BEGIN
	LOOP
		page := qehs.graphql(format('{ cases(last: 200, orderBy: "%s"%s) { nodes { no } pageInfo { startCursor hasPreviousPage } } }', sort, coalesce(', before: "' || place || '"', ''))) #> '{data,cases}';
		seen := ARRAY(SELECT (item ->> 'no')::int FROM jsonb_array_elements(page -> 'nodes') WITH ORDINALITY AS e (item, i) ORDER BY i) || seen;
		place := page #>> '{pageInfo,startCursor}';
		IF NOT (page #>> '{pageInfo,hasPreviousPage}')::boolean OR cardinality(seen) > 6000 THEN RETURN seen; END IF;
	END LOOP;
END $$;
\o
\set ECHO all
SELECT sort, pg_temp.walk(sort) = wanted AS forward, pg_temp.before(sort) = wanted AS backward, cardinality(wanted) AS records FROM (
	SELECT 'workflowState,-createdAt' AS sort, array_agg(no ORDER BY state, at DESC, id) AS wanted FROM expected
	UNION ALL SELECT '-workflowState,createdAt', array_agg(no ORDER BY state DESC, at, id DESC) FROM expected
	UNION ALL SELECT 'workflowState,rank,-name', array_agg(no ORDER BY state, rank, name DESC NULLS LAST, id) FROM expected
	UNION ALL SELECT 'rank,-createdAt', array_agg(no ORDER BY rank, at DESC, id) FROM expected
	UNION ALL SELECT '-rank,name', array_agg(no ORDER BY rank DESC NULLS LAST, name, id DESC) FROM expected
	UNION ALL SELECT 'level,-no', array_agg(no ORDER BY level, no DESC, id) FROM expected
	UNION ALL SELECT '-level,-createdAt', array_agg(no ORDER BY level DESC NULLS LAST, at DESC, id DESC) FROM expected
	UNION ALL SELECT 'even,rank,createdAt', array_agg(no ORDER BY even, rank, at, id) FROM expected
	UNION ALL SELECT '-name,createdAt', array_agg(no ORDER BY name DESC NULLS LAST, at, id DESC) FROM expected
	UNION ALL SELECT 'createdBy,-createdAt', array_agg(no ORDER BY at DESC, id) FROM expected) AS w;
-- with a filter, one that leaves little of each value as well
SELECT pg_temp.walk('rank,-createdAt', '{"no":{"gt":5900}}') = array_agg(no ORDER BY rank, at DESC, id) FILTER (WHERE no > 5900) AS few,
	pg_temp.walk('workflowState,createdAt', '{"workflowState":"done"}') = '{77}' AS one, pg_temp.walk('rank,-createdAt', '{"no":0}') = '{}' AS none FROM expected;
-- a value that is gone when its page is followed: the walk goes on behind it
SELECT qehs.record_list('cases', sort => 'rank,no', page_size => 61)::jsonb AS page \gset
SELECT :'page'::jsonb #>> '{items,60,payload,rank}' AS last, qehs.record_delete(:'page'::jsonb #>> '{items,60,id}') IS NULL AS deleted;
SELECT qehs.record_list('cases', sort => 'rank,no', page_size => 2, cursor => :'page'::jsonb ->> 'nextCursor')::jsonb @? '$.items[0] ? (@.payload.rank == 1 && @.payload.no == 4)' AS follows;
