-- A reference takes the display code of a record wherever it is written, and is kept as its id.
\set VERBOSITY terse
\set ECHO none
\o /dev/null
SET qehs.clock = '2026-05-06T10:00:00Z';
SELECT qehs.tenant_create('coded', 'A tenant');
SELECT qehs.use_tenant('coded');
SELECT qehs.user_create('ann', 'ann', roles => '{tenant-user}');
CREATE FUNCTION pg_temp.definition(key text, prefix text, fields jsonb, more jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_object('key', key, 'name', initcap(key), 'displayCode', jsonb_build_object('prefix', prefix), 'fields', fields,
		'workflow', '{"states":["open","done"],"initial":"open","transitions":{"finish":{"from":"open","to":"done","requires":["cause"]}}}'::jsonb) || more $$;
SELECT qehs.module_publish_all(jsonb_build_array(
	pg_temp.definition('events', 'EV', '[{"key":"title","type":"text"}]', '{"workflow":{"states":["open"],"initial":"open","transitions":{}}}'),
	pg_temp.definition('audits', 'AU', '[{"key":"title","type":"text"}]', '{"workflow":{"states":["open"],"initial":"open","transitions":{}}}'),
	pg_temp.definition('twins', 'AU', '[{"key":"title","type":"text"}]', '{"workflow":{"states":["open"],"initial":"open","transitions":{}}}'),
	pg_temp.definition('secrets', 'SEC', '[{"key":"title","type":"text"}]', '{"workflow":{"states":["open"],"initial":"open","transitions":{}},"permissions":{"roles":{"tenant-user":[],"medic":["read"]}}}'),
	pg_temp.definition('actions', 'AC', '[{"key":"title","type":"text"},{"key":"cause","type":"record-reference","references":"events"},{"key":"about","type":"record-references"},
		{"key":"found_in","type":"record-reference","references":["audits","twins"]},{"key":"parent","type":"record-reference","references":"actions","acyclic":true},
		{"key":"no","type":"integer"},{"key":"seen_at","type":"datetime","timeZone":"Europe/Berlin","unique":true},
		{"key":"steps","type":"table","fields":[{"key":"of","type":"record-reference","references":"events"}]},
		{"key":"place","type":"object","fields":[{"key":"of","type":"record-references","references":"events"}]}]',
		'{"unique":[{"fields":["cause","no"]}],"permissions":{"roles":{"tenant-user":["read","create","update","transition"]}}}')));
-- EV-2026-0001 to 3, AU-2026-0001 to 2 of audits, AU-2026-0001 of twins, SEC-2026-0001
SELECT qehs.record_create('events', '{"title":"e1"}')::jsonb ->> 'id' AS e1 \gset
SELECT qehs.record_create('events', '{"title":"e2"}')::jsonb ->> 'id' AS e2 \gset
SELECT qehs.record_create('events', '{"title":"gone"}')::jsonb ->> 'id' AS gone \gset
SELECT qehs.record_delete(:'gone');
SELECT qehs.record_create('audits', '{"title":"a1"}');
SELECT qehs.record_create('audits', '{"title":"a2"}')::jsonb ->> 'id' AS a2 \gset
SELECT qehs.record_create('twins', '{"title":"t1"}');
SELECT qehs.record_create('secrets', '{"title":"s1"}')::jsonb ->> 'id' AS s1 \gset
-- ids as the codes that they stand for
CREATE FUNCTION pg_temp.coded(record json) RETURNS text LANGUAGE sql AS $$
	SELECT replace(replace(replace(replace((record::jsonb -> 'payload')::text, current_setting('t.e1'), '<e1>'), current_setting('t.e2'), '<e2>'), current_setting('t.a2'), '<a2>'), current_setting('t.s1'), '<s1>') $$;
SELECT set_config('t.e1', :'e1', false), set_config('t.e2', :'e2', false), set_config('t.a2', :'a2', false), set_config('t.s1', :'s1', false);
CREATE FUNCTION pg_temp.created(payload jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE detail text;
BEGIN
	RETURN pg_temp.coded(qehs.record_create('actions', payload));
EXCEPTION WHEN SQLSTATE 'QH400' THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN (SELECT string_agg((e ->> 'path') || ' ' || (e ->> 'code') || ': ' || (e ->> 'message'), '; ') FROM jsonb_array_elements(detail::jsonb -> 'errors') AS e);
END $$;
\o
\pset format unaligned
\pset tuples_only on
\set ECHO all
-- itself, in lists, rows and objects, in either case, beside ids; what is named twice is told as of ids
SELECT pg_temp.created(payload) FROM unnest(ARRAY['{"cause":"EV-2026-0001"}', '{"cause":"ev-2026-0002"}', '{"about":["EV-2026-0001","AU-2026-0002","SEC-2026-0001"]}', '{"found_in":"AU-2026-0002"}',
	'{"steps":[{"of":"EV-2026-0001"},{"of":"EV-2026-0002"}],"place":{"of":["EV-2026-0002"]}}']::jsonb[]) AS payload;
SELECT pg_temp.created(jsonb_build_object('about', jsonb_build_array('EV-2026-0001', :'e1')));
-- unknown, deleted, of another module, ambiguous, no code
SELECT pg_temp.created(payload) FROM unnest(ARRAY['{"cause":"EV-2026-0009"}', '{"cause":"EV-2026-0003"}', '{"cause":"AU-2026-0002"}', '{"found_in":"AU-2026-0001"}', '{"found_in":"AU-2026-0009"}', '{"about":["EV-2026-0001","XX-2026-0001"]}',
	'{"cause":"EV-2026-1"}', '{"cause":"EV-20260-0001"}', '{"cause":"EV-2026-0001 "}', '{"cause":1}', '{"steps":[{"of":"EV-2026-0009"}],"place":{"of":["AU-2026-0002"]}}', '{"about":["AU-2026-0001"]}']::jsonb[]) AS payload;
-- changes, transitions, what comes back
SELECT (qehs.record_create('actions', '{"title":"one"}')::jsonb ->> 'id') AS one \gset
SELECT pg_temp.coded(qehs.record_update(:'one', '{"parent":"AC-2026-0001","about":["EV-2026-0002"]}')) ~ '"about": \["<e2>"\]' AS changed;
SELECT pg_temp.coded(qehs.record_transition(:'one', 'finish', '{"cause":"EV-2026-0001"}')) ~ '"cause": "<e1>"' AS moved;
SELECT qehs.record_update(:'one', '{"cause":"EV-2026-0001"}')::jsonb ->> 'version' AS version_stays;
SELECT qehs.record_update((qehs.record_list('actions', '{"displayCode":"AC-2026-0001"}')::jsonb #>> '{items,0,id}'), jsonb_build_object('parent', qehs.record_get(:'one')::jsonb ->> 'displayCode'));
-- loads, and what merges them: the fields of an external id as they would be stored
SELECT line::jsonb - 'id' FROM qehs.bulk_load_csv('actions', E'title,cause,about,no\nfrom csv,EV-2026-0002,EV-2026-0001; AU-2026-0002,7\nwrong,EV-2026-0077,,8\n') AS line;
SELECT line::jsonb - 'id' FROM qehs.bulk_load_csv('actions', E'title,cause,no\nagain,ev-2026-0002,7\n', on_conflict => 'update', external_id => 'cause,no') AS line;
SELECT line::jsonb - 'id' FROM qehs.bulk_load_csv('actions', E'title,seen_at\nfirst,2026-03-01T08:00\n', on_conflict => 'update', external_id => 'seen_at') AS line;
SELECT line::jsonb - 'id' FROM qehs.bulk_load_csv('actions', E'title,seen_at\nsecond,2026-03-01T08:00\n', on_conflict => 'update', external_id => 'seen_at') AS line;
SELECT pg_temp.coded(item) FROM json_array_elements(qehs.record_list('actions', '{"no":7}') -> 'items') AS item;
SELECT a::jsonb - 'id' - 'summary' FROM string_to_table(qehs.bulk_load('actions', convert_to(E'{"cause":"EV-2026-0001"}\n{"about":["EV-2026-0044"]}\n', 'UTF8')), E'\n') AS a WHERE a <> '';
SELECT qehs.graphql('mutation { actionsCreate(data: {title: "g", cause: "EV-2026-0001"}) { cause { title } causeId } x: actionsCreate(data: {cause: "EV-2026-0404"}) { title } }')::jsonb #- '{data,actionsCreate,causeId}' #- '{errors,0,extensions,problem,traceId}' #- '{errors,0,extensions,traceId}';
-- filters, in every operator that compares ids
CREATE FUNCTION pg_temp.found(filter jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE detail text;
BEGIN
	RETURN (SELECT coalesce(string_agg(item ->> 'displayCode', ' ' ORDER BY item ->> 'displayCode'), 'none') FROM json_array_elements(qehs.record_list('actions', filter) -> 'items') AS item);
EXCEPTION WHEN SQLSTATE 'QH400' THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN (SELECT string_agg((e ->> 'path') || ' ' || (e ->> 'code') || ': ' || (e ->> 'message'), '; ') FROM jsonb_array_elements(detail::jsonb -> 'errors') AS e);
END $$;
SELECT filter, pg_temp.found(by_code) AS found, pg_temp.found(by_code) = pg_temp.found(replace(replace(lower(by_code::text), 'ev-2026-0001', :'e1'), 'ev-2026-0002', :'e2')::jsonb) AS as_by_id
	FROM unnest(ARRAY['{"cause":"EV-2026-0001"}', '{"cause":"ev-2026-0002"}', '{"cause":{"ne":"EV-2026-0001"}}', '{"cause":{"in":"EV-2026-0001, EV-2026-0002"}}', '{"cause":{"nin":["EV-2026-0001","EV-2026-0002"]}}',
	'{"about":"EV-2026-0001"}', '{"about":{"contains":"EV-2026-0002"}}', '{"about":{"nin":"EV-2026-0001,EV-2026-0002"}}', '{"place.of":"EV-2026-0002"}',
	'{"or":[{"cause":"EV-2026-0001"},{"not":{"about":{"exists":false}}}]}']::jsonb[]) AS by_code, LATERAL (SELECT by_code AS filter) AS f;
SELECT pg_temp.found('{"cause":{"gte":"EV-2026-0001"}}') = pg_temp.found(jsonb_build_object('cause', jsonb_build_object('gte', :'e1'))) AS order_as_by_id;
SELECT filter, pg_temp.found(filter) FROM unnest(ARRAY['{"cause":"EV-2026-0009"}', '{"cause":"EV-2026-0003"}', '{"cause":"AU-2026-0002"}', '{"found_in":"AU-2026-0001"}', '{"about":{"in":"EV-2026-0001,XX-2026-0001"}}',
	'{"cause":"EV-2026-1"}', '{"or":[{"cause":{"in":["EV-2026-0009"]}}]}', '{"id":"AC-2026-0001"}', '{"cause":1}']::jsonb[]) AS filter;
SELECT qehs.graphql('{ actionsList(filter: {cause: "EV-2026-0001", no: {exists: true}}) { displayCode } none: actionsList(filter: {cause: "EV-2026-0404"}) { displayCode } }')::jsonb #- '{errors,0,extensions,problem,traceId}' #- '{errors,0,extensions,traceId}';
-- a record that the caller may not read is as one that is not there
\o /dev/null
SELECT qehs.use_tenant('coded', 'ann');
\o
SELECT pg_temp.created(payload) FROM unnest(ARRAY['{"about":["SEC-2026-0001"]}', '{"about":["SEC-2026-0009"]}', '{"cause":"EV-2026-0001"}']::jsonb[]) AS payload;
SELECT pg_temp.found(filter) FROM unnest(ARRAY['{"about":"SEC-2026-0001"}', '{"about":"SEC-2026-0009"}']::jsonb[]) AS filter;
