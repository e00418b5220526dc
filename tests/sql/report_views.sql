-- The reporting views of a tenant: typed columns, names, comments, versions side by side.
\set ECHO none
\o /dev/null
SELECT qehs.tenant_create('report_views', 'A tenant');
SELECT qehs.use_tenant('report_views');
SELECT qehs.user_create('ada', 'Ada Lovelace') ->> 'id' AS ada \gset
CREATE FUNCTION pg_temp.definition(fields text, more jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_object('key', 'cases', 'name', 'Cases', 'displayCode', '{"prefix":"CAS"}'::jsonb, 'fields', fields::jsonb,
		'workflow', '{"states":["open","done"],"initial":"open","stateLabels":{"open":{"en":"Still open","de":"Offen"}},"transitions":{"finish":{"from":"open","to":"done"},"reopen":{"from":"done","to":"open"}}}'::jsonb,
		'permissions', '{"roles":{"tenant-user":["read","create","update","transition"]}}'::jsonb) || more
$$;
\o
\set ECHO all
\set VERBOSITY terse
\pset null '(null)'
SELECT qehs.module_publish('cases', pg_temp.definition('[{"key":"title","label":{"de":"Titel","en":"Title"},"type":"text","maxLength":60,"indexed":true},{"key":"note","label":"Note","type":"text"},
	{"key":"day","label":"Day","type":"date","indexed":true},{"key":"at","label":"At","type":"datetime","indexed":true},{"key":"took","type":"duration"},{"key":"cost","type":"currency"},
	{"key":"weight","type":"quantity"},{"key":"open","type":"boolean","indexed":true},{"key":"risk","type":"matrix-score"},{"key":"period","type":"date-range"},{"key":"place","type":"geolocation"},
	{"key":"kind","label":"Kind","type":"select","options":[{"value":"a","label":{"en":"Alpha","de":"Erstens"}},"b"],"indexed":true},
	{"key":"tags","type":"multi-select","options":[{"value":"x","label":"Ex"},"y"]},{"key":"owner","label":"Owner","type":"user","indexed":true},{"key":"parent","type":"record-reference","references":"cases"},
	{"key":"twice","type":"computed","expression":"$.count * 2"},{"key":"count","type":"integer"},{"key":"extra","type":"object"},
	{"key":"witnesses","label":"Witnesses","type":"table","fields":[{"key":"name","label":"Name","type":"text"},{"key":"age","type":"integer"},{"key":"who","type":"user"}]}]')) IS NOT NULL AS published;
SELECT qehs.record_create('cases', '{"title":"First","count":21}') ->> 'id' AS first \gset
SELECT qehs.record_create('cases', jsonb_build_object('title', 'Second', 'note', repeat('long ', 100), 'day', '2026-02-03', 'at', '2026-02-03T04:05:06+02:00', 'took', 'P1DT2H', 'cost', '{"amount":"12.50","currency":"EUR"}'::jsonb,
	'weight', '{"value":3,"unit":"kg"}'::jsonb, 'open', true, 'risk', '{"likelihood":5,"severity":4}'::jsonb, 'period', '{"from":"2026-01-01","to":"2026-01-31"}'::jsonb, 'place', '{"lat":48.1,"lon":11.5}'::jsonb,
	'kind', 'a', 'tags', '["x","y"]'::jsonb, 'owner', :'ada', 'parent', :'first', 'extra', '{"k":1}'::jsonb, 'witnesses', jsonb_build_array(jsonb_build_object('name', 'Bo', 'age', 40), jsonb_build_object('name', 'Cy', 'who', :'ada')))) ->> 'id' AS second \gset
SELECT qehs.record_create('cases', '{"title":"Third"}') ->> 'id' AS third \gset
SELECT qehs.record_delete(:'third');
SELECT qehs.report_publish('report_views');
\d report_report_views.cases
\x on
SELECT right(display_code, 4) AS code, workflow_state, workflow_state_label, created_by_name, title, length(note) AS note, day, "at" AT TIME ZONE 'UTC' AS "at", took, cost, cost_currency, weight, weight_unit, open, risk, risk_band, risk_likelihood, risk_severity,
	period_from, period_to, place_lat, place_lon, kind, kind_label, tags, tags_labels, owner_name, parent_id = (SELECT id FROM report_report_views.cases WHERE display_code LIKE '%-0001') AS parent_is, right(parent_code, 4) AS parent, twice, count, extra
FROM report_report_views.cases ORDER BY id;
\x off
SELECT row_no, name, age, who_name FROM report_report_views.cases__witnesses ORDER BY row_no;
-- deleted ones have views of their own
SELECT title, deleted_at IS NOT NULL AS deleted FROM report_report_views.cases_deleted;
SELECT action, right(display_code, 4) AS record FROM report_report_views.record_activity ORDER BY id;
SELECT action, right(display_code, 4) AS record, changes #>> '{payload,title}' AS title FROM report_report_views.audit ORDER BY id;
-- stays in states
SELECT qehs.record_transition(:'first', 'finish') IS NOT NULL AS finished, qehs.record_update(:'first', '{"title":"1st"}') IS NOT NULL AS updated, qehs.record_transition(:'first', 'reopen') IS NOT NULL AS reopened;
SELECT visit, state, state_label, transition, "left" IS NULL AS stays, dwell >= '0' AS dwells, entered = lag("left") OVER (ORDER BY visit) AS follows FROM report_report_views.record_transitions WHERE display_code LIKE '%-0001' ORDER BY visit;
SELECT state, state_label, there_now, re_entries FROM report_report_views.state_dwell ORDER BY state;
-- every view and column has a comment
SELECT c.relname, a.attname FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum >= 0 WHERE c.relnamespace = 'report_report_views'::regnamespace AND col_description(c.oid, a.attnum) IS NULL;
SELECT relname, obj_description(oid) AS comment FROM pg_class WHERE relnamespace = 'report_report_views'::regnamespace ORDER BY relname COLLATE "C";
SELECT attname, col_description(attrelid, attnum) FROM pg_attribute WHERE attrelid = 'report_report_views.cases'::regclass AND attname IN ('title', 'kind_label', 'owner_id', 'cost_currency');
-- what is indexed is found by its index, as a reporting tool writes it
\o /dev/null
SELECT qehs.record_create('cases', jsonb_build_object('title', 'n' || i, 'day', date '2020-01-01' + i, 'at', format('%s-01-01T00:00:00Z', 1000 + i), 'kind', CASE WHEN i = 7 THEN 'b' ELSE 'a' END, 'open', i = 8), CASE WHEN i = 9 THEN 'done' END)
FROM generate_series(1, 900) AS i;
ANALYZE qehs.record;
\o
CREATE FUNCTION pg_temp.conditions(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	line text;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
		IF line LIKE '%Index Cond%' THEN
			RETURN NEXT regexp_replace(line, '\s+Index Cond: \(\(tenant_id = \d+\) AND (\(module_id = \d+\) AND )?', '');
		END IF;
	END LOOP;
END
$$;
SET timezone = 'UTC';
SELECT query, pg_temp.conditions('SELECT note FROM report_report_views.cases WHERE ' || query) AS index_condition FROM (VALUES (1, $$id = '01a2210d-6855-726c-8120-5b23aba2ae41'$$), (2, $$title = 'n17'$$),
	(3, $$kind = 'b'$$), (4, $$title IN ('n1', 'n2')$$), (5, $$day BETWEEN '2026-01-01' AND '2026-03-31'$$), (6, $$"at" >= '1200-01-01' AND "at" < '1201-01-01'$$),
	(7, $$created_at >= now() + interval '1 hour'$$), (8, $$workflow_state = 'done'$$), (9, $$open$$), (10, $$title >= 'n898' AND title < 'n899'$$)) AS v (place, query) ORDER BY place;
-- joins of views: from a filter on one, to the other by its id; from a record to those that refer to it, and to the rows of its table
\o /dev/null
SELECT qehs.record_update(r.id::text, jsonb_build_object('owner', :'ada')) FROM report_report_views.cases AS r WHERE title IN ('n20', 'n21');
SELECT qehs.record_create('cases', jsonb_build_object('title', 'n0', 'owner', qehs.user_create('u' || i, 'U') ->> 'id')) FROM generate_series(1, 100) AS i;
ANALYZE qehs.record;
\o
-- whatever the planner thinks of so few rows
SET enable_hashjoin = off;
SET enable_mergejoin = off;
SELECT pg_temp.conditions($$SELECT title FROM report_report_views.cases WHERE owner_id = '01a2210d-6855-726c-8120-5b23aba2ae41'$$);
SELECT regexp_replace(pg_temp.conditions($$SELECT c.note, o.at FROM report_report_views.cases AS c JOIN report_report_views.cases AS o ON o.id = c.parent_id WHERE c.title = 'n17'$$), ', \d+', '') AS conditions;
SELECT pg_temp.conditions($$SELECT c.note, o.at FROM report_report_views.cases AS c LEFT JOIN report_report_views.cases AS o ON o.owner_id = c.id WHERE c.title = 'n17'$$);
SELECT regexp_replace(pg_temp.conditions($$SELECT w.name FROM report_report_views.cases AS c JOIN report_report_views.cases__witnesses AS w ON w.record_id = c.parent_id WHERE c.title = 'n17' AND w.age > 30$$), ', \d+', '') AS conditions;
RESET enable_hashjoin;
RESET enable_mergejoin;
SELECT qehs.utc_day(t) FROM unnest('{2026-01-01 00:00:00+00,2026-01-01 23:59:59.999999+00,1999-12-31 23:59:59.999999+00,2000-01-01 00:00:00+00,1970-01-01 00:00:00+00,1969-12-31 23:59:59+00,0001-01-01 00:00:00+00 BC,-infinity,infinity}'::timestamptz[]) AS t;
SELECT count(*) AS not_the_same FROM generate_series(timestamptz '1998-01-01 00:00+00', '2002-01-01 00:00+00', '7 hours 13 minutes') AS t WHERE qehs.utc_day(t) <> (t AT TIME ZONE 'UTC')::date;
SELECT bool_and(qehs.record_delete(id::text) IS NULL) AS deleted FROM report_report_views.cases WHERE title LIKE 'n%';
-- a new version: a field renamed, one gone, one of another type, one more; old reports go on
CREATE VIEW public.report_of_mine AS SELECT display_code, note, weight, count FROM report_report_views.cases;
SELECT qehs.module_publish('cases', pg_temp.definition('[{"key":"headline","label":"Headline","type":"text","maxLength":60,"indexed":true},{"key":"weight","type":"text"},{"key":"day","type":"date"},{"key":"amount","type":"integer"}]',
	'{"migrate":{"rename":{"title":"headline","count":"amount"},"drop":["note","at","took","cost","weight","open","risk","period","place","kind","tags","owner","parent","twice","extra","witnesses"]}}')) ->> 'definitionVersion' AS version;
SELECT qehs.record_create('cases', '{"headline":"New","weight":"heavy","amount":7}') IS NOT NULL AS created;
SELECT definition_version, title, headline, length(note) AS note, weight, weight_text, count, amount, kind_label FROM report_report_views.cases ORDER BY id;
SELECT right(display_code, 4) AS record, length(note) AS note, weight, count FROM public.report_of_mine ORDER BY 1;
SELECT module_key, state, label, is_current FROM report_report_views.workflow_states ORDER BY place;
SELECT attname FROM pg_attribute WHERE attrelid = 'report_report_views.cases'::regclass AND attnum > 42 ORDER BY attnum;
SELECT qehs.report_publish('report_views', drop_deprecated => true);
DROP VIEW public.report_of_mine;
SELECT qehs.report_publish('report_views', drop_deprecated => true);
SELECT string_agg(attname, ' ' ORDER BY attnum) AS columns FROM pg_attribute WHERE attrelid = 'report_report_views.cases'::regclass AND attnum > 12;
-- a tenant that is removed takes its views with it
SELECT qehs.tenant_suspend('report_views') IS NOT NULL AS suspended;
SET client_min_messages = warning;
SELECT qehs.tenant_remove('report_views') IS NOT NULL AS removed, to_regnamespace('report_report_views') AS schema;
SELECT qehs.report_publish('nobody');
