-- A field names records of several modules, one of them or a list: what it takes, and what every door makes of it.
\set VERBOSITY default
\set SHOW_CONTEXT never
\set ECHO none
\o /dev/null
SET qehs.clock = '2026-05-06T10:00:00Z';
SELECT qehs.tenant_create('links', 'A tenant');
SELECT qehs.use_tenant('links');
CREATE FUNCTION pg_temp.definition(key text, fields jsonb, more jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_object('key', key, 'name', initcap(key), 'displayCode', jsonb_build_object('prefix', upper(left(key, 3))), 'fields', fields,
		'workflow', '{"states":["open","done"],"initial":"open","transitions":{"finish":{"from":"open","to":"done"}}}'::jsonb) || more $$;
CREATE FUNCTION pg_temp.made(module text, payload jsonb) RETURNS text LANGUAGE sql AS $$ SELECT qehs.record_create(module, payload)::jsonb ->> 'id' $$;
CREATE FUNCTION pg_temp.codes(filter jsonb) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(i ->> 'displayCode', ' ' ORDER BY i ->> 'displayCode') FROM json_array_elements(qehs.record_list('letters', filter) -> 'items') AS i $$;
CREATE FUNCTION pg_temp.told(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE detail text;
BEGIN
	EXECUTE statement;
	RETURN 'fine';
EXCEPTION WHEN SQLSTATE 'QH400' OR SQLSTATE 'QH409' THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN coalesce((SELECT string_agg((e ->> 'path') || ' ' || (e ->> 'code') || ': ' || (e ->> 'message'), '; ') FROM jsonb_array_elements(nullif(detail, '')::jsonb -> 'errors') AS e),
		nullif(detail, '')::jsonb ->> 'message', SQLERRM);
END $$;
SELECT qehs.report_publish('links') FROM (SELECT qehs.use_tenant('links')) AS t;
SELECT qehs.module_publish_all(jsonb_build_array(
	pg_temp.definition('valves', '[{"key":"title","type":"text"},{"key":"parts","type":"record-references","references":"valves","acyclic":true}]'),
	pg_temp.definition('leaks', '[{"key":"title","type":"text"}]', '{"workflow":{"states":["open","done"],"initial":"open","transitions":{"close":{"from":"open","to":"done",
		"children":{"moduleKey":"letters","via":"about","state":"done"}}}}}'),
	pg_temp.definition('letters', '[{"key":"title","type":"text"},{"key":"cause","type":"record-reference","references":["leaks","valves"],"indexed":true},
		{"key":"about","type":"record-references","references":["leaks","valves"],"onDelete":"restrict"},{"key":"copies","type":"record-references"},
		{"key":"rows","type":"table","fields":[{"key":"seen","type":"record-references","references":"valves"}]}]')));
SELECT pg_temp.made('valves', '{"title":"v1"}') AS v1, pg_temp.made('valves', '{"title":"v2"}') AS v2, pg_temp.made('leaks', '{"title":"l1"}') AS l1, pg_temp.made('leaks', '{"title":"l2"}') AS l2 \gset
\o
\set ECHO all
SELECT pg_temp.made('letters', jsonb_build_object('title', 'both', 'cause', :'l1', 'about', jsonb_build_array(:'v1', :'l1'))) AS both \gset
SELECT pg_temp.made('letters', jsonb_build_object('title', 'one', 'cause', :'v1', 'about', jsonb_build_array(:'l2'), 'rows', jsonb_build_array(jsonb_build_object('seen', jsonb_build_array(:'v2', :'v1'))))) AS one \gset
SELECT pg_temp.made('letters', '{"title":"none","about":[]}') AS none \gset
-- what it takes; an id in either form is kept in one
SELECT pg_temp.told(format('SELECT qehs.record_create(''letters'', %L)', jsonb_build_object('cause', :'both'))) AS cause;
SELECT pg_temp.told(format('SELECT qehs.record_create(''letters'', %L)', jsonb_build_object('about', jsonb_build_array(:'v1', :'both', 'rec_00000000000000000000000000')))) AS about;
SELECT pg_temp.told(format('SELECT qehs.record_create(''letters'', %L)', jsonb_build_object('about', jsonb_build_array(:'v1', :'v1')))) AS twice;
SELECT pg_temp.told(format('SELECT qehs.record_create(''letters'', %L)', '{"about":"EV-2026-0001"}'::jsonb)) AS no_list, pg_temp.told($$SELECT qehs.record_create('letters', '{"about":["x",1]}')$$) AS no_id;
SELECT pg_temp.told(format('SELECT qehs.record_create(''letters'', %L)', jsonb_build_object('copies', (SELECT jsonb_agg(i) FROM generate_series(1, 101) AS i)))) ~ 'maxItems' AS too_many;
SELECT qehs.record_update(:'none', jsonb_build_object('copies', jsonb_build_array(:'both', qehs.id_uuid(:'l1'))))::jsonb -> 'payload' -> 'copies' = jsonb_build_array(:'both', :'l1') AS kept_as_rec;
-- filters read it as a list
SELECT pg_temp.codes(jsonb_build_object('about', :'l1')) AS eq, pg_temp.codes(jsonb_build_object('about', jsonb_build_object('contains', qehs.id_uuid(:'v1')))) AS contains,
	pg_temp.codes(jsonb_build_object('about', jsonb_build_object('in', jsonb_build_array(:'l1', :'l2')))) AS any_of, pg_temp.codes(jsonb_build_object('about', jsonb_build_object('nin', jsonb_build_array(:'l1', :'v2')))) AS none_of,
	pg_temp.codes('{"about":{"exists":true}}') AS there, pg_temp.codes(jsonb_build_object('cause', :'v1')) AS cause;
SELECT pg_temp.told($$SELECT qehs.record_list('letters', '{"about":"l1"}')$$) AS no_id, pg_temp.told($$SELECT qehs.record_list('letters', '{"about":{"lt":"l1"}}')$$) AS no_order;
-- links both ways, and what keeps a record
SELECT i ->> 'direction' AS direction, i -> 'fields' AS fields, i -> 'record' ->> 'displayCode' AS code FROM json_array_elements(qehs.record_links(:'both') -> 'items') AS i ORDER BY 3, 1;
SELECT pg_temp.told(format('SELECT qehs.record_delete(%L)', :'l2')) AS kept, pg_temp.told(format('SELECT qehs.record_delete(%L)', :'v2')) AS let_go;
SELECT qehs.record_update(:'one', '{"about":null}') IS NULL AS changed, pg_temp.told(format('SELECT qehs.record_delete(%L)', :'l2')) AS free;
-- what is gone may stay where it was, and comes to no other place
SELECT qehs.record_update(:'one', jsonb_build_object('title', 'still', 'rows', jsonb_build_array(jsonb_build_object('seen', jsonb_build_array(:'v1', :'v2')))))::jsonb ->> 'version' AS version;
SELECT pg_temp.told(format('SELECT qehs.record_update(%L, %L)', :'one', jsonb_build_object('copies', jsonb_build_array(:'v2')))) AS gone;
-- a guard over those that name it, and no chain that leads back
SELECT pg_temp.told(format('SELECT qehs.record_transition(%L, ''close'')', :'l1')) AS guarded;
SELECT qehs.record_transition(:'both', 'finish')::jsonb ->> 'workflowState' AS letter, qehs.record_transition(:'l1', 'close')::jsonb ->> 'workflowState' AS leak;
SELECT pg_temp.made('valves', jsonb_build_object('title', 'v3', 'parts', jsonb_build_array(:'v1'))) AS v3 \gset
SELECT pg_temp.made('valves', jsonb_build_object('title', 'v4', 'parts', jsonb_build_array(:'v3', :'v1'))) AS v4 \gset
SELECT pg_temp.told(format('SELECT qehs.record_update(%L, %L)', :'v1', jsonb_build_object('parts', jsonb_build_array(:'v4')))) AS circle,
	pg_temp.told(format('SELECT qehs.record_update(%L, %L)', :'v1', jsonb_build_object('parts', jsonb_build_array(:'v1')))) AS itself;
-- GraphQL: the interface Record for several modules, one statement for each module
SELECT qehs.graphql('{ lettersList(orderBy: "title", limit: 10) { title cause { __typename displayCode ... on Leak { title } } about(limit: 10) { moduleKey ... on Valve { title } ... on Leak { lettersByAbout { title } lettersByCause { title } } } aboutIds rows { seen } } }')::jsonb
	#- '{data,lettersList,0,aboutIds}' #- '{data,lettersList,2,rows}' AS answer;
SELECT qehs.graphql('{ valvesList(orderBy: "title", limit: 10) { title parts(limit: 10) { title parts { title } } valvesByParts { title } } }') AS answer;
SELECT qehs.graphql('{ valvesList(orderBy: "title") { parts(limit: 1) { title } } }') -> 'data' AS first_of_each, qehs.graphql('{ valvesList(limit: 200) { parts { parts { title } } } }') -> 'errors' -> 0 ->> 'message' AS too_many;
SELECT f -> 'name' AS name, f -> 'type' AS type FROM jsonb_array_elements(qehs.graphql('{ __type(name: "Letter") { fields { name type { kind name ofType { kind name ofType { kind ofType { kind name } } } } } } }')::jsonb #> '{data,__type,fields}') AS f
	WHERE f ->> 'name' ~ '^(about|cause|copies)';
-- a CSV with two in a cell, and views to report from
SELECT line::jsonb - 'id' #- '{summary,durationMs}' AS line FROM qehs.bulk_load_csv('letters', E'title,about\ncsv,' || :'l1' || '; ' || :'v1' || E'\nbad,l1\n') AS line;
SELECT line::jsonb #- '{summary,durationMs}' AS line FROM string_to_table(qehs.bulk_load('letters', E'{"about":{"a":["b"]}}\n{"about":[{"a":1},["x"]],"copies":7}\n'), E'\n') AS line WHERE line <> '';
SELECT title, cause_code, about_codes, cardinality(about_ids) AS ids FROM report_links.letters ORDER BY 1;
SELECT display_code, row_no, about_code, about_id IS NOT NULL AS id FROM report_links.letters__about ORDER BY 1, 2;
-- what a definition cannot say, and what a next version may
SELECT pg_temp.told(format('SELECT qehs.module_publish(''odd'', %L)', pg_temp.definition('odd', '[{"key":"a","type":"record-references","indexed":true},{"key":"b","type":"record-references","unique":true},{"key":"c","type":"record-reference","references":[]},
	{"key":"d","type":"record-reference","references":["leaks","leaks",1]},{"key":"e","type":"text","references":["leaks"]},{"key":"f","type":"record-reference","references":{"a":1}}]'))) AS odd;
SELECT pg_temp.told(format('SELECT qehs.module_publish(''odd'', %L)', pg_temp.definition('odd', '[{"key":"a","type":"record-references","references":["leaks","nowhere"]},{"key":"b","type":"record-references","references":["odd","leaks"],"acyclic":true}]'))) AS nowhere;
SELECT c -> 'path' AS path, c -> 'compatible' AS compatible FROM (SELECT qehs.module_publish('letters', jsonb_set(jsonb_set(d, '{fields,1,references}', '["leaks","valves","letters"]'), '{fields,2}', d #> '{fields,2}' || '{"references":["valves","leaks"]}'))
	FROM pg_temp.definition('letters', '[{"key":"title","type":"text"},{"key":"cause","type":"record-reference","references":["leaks","valves"],"indexed":true},
		{"key":"about","type":"record-references","references":["leaks","valves"],"onDelete":"restrict"},{"key":"copies","type":"record-references"},
		{"key":"rows","type":"table","fields":[{"key":"seen","type":"record-references","references":"valves"}]}]') AS d) AS p, LATERAL (SELECT p) AS q, json_array_elements(qehs.module_diff('letters', 1, 2) -> 'changes') AS c;
