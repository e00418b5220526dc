-- {"actions","scope":"location"} gives a role actions on the records that are in a location of its bearer, or below it, at every door of SQL;
-- what is elsewhere is not to be told from what does not exist.
-- codes have the year in them
SET qehs.clock = '2026-06-01T12:00:00Z';
\set VERBOSITY terse
\set ECHO none
\o /dev/null
CREATE ROLE location_reader LOGIN;
SELECT qehs.tenant_create('locations', 'A tenant');
SELECT qehs.use_tenant('locations');
SELECT qehs.user_create('ann', 'Ann', roles => '{supervisor}')::jsonb ->> 'id' AS ann, qehs.user_create('bob', 'Bob', roles => '{supervisor,berlin-staff}')::jsonb ->> 'id' AS bob,
	qehs.user_create('eve', 'Eve', roles => '{supervisor}')::jsonb ->> 'id' AS eve, qehs.user_create('max', 'Max', roles => '{viewer,editor}')::jsonb ->> 'id' AS max \gset
SELECT qehs.location_put('world', 'World');
SELECT qehs.location_put('berlin', 'Berlin', 'world', roles => '{berlin-staff}');
SELECT qehs.location_put('hall-3', 'Hall 3', 'berlin', users => '{Ann}');
SELECT qehs.location_put('bay.7', 'Bay 7', 'hall-3');
SELECT qehs.location_put('munich', 'Munich', 'world', users => '{max}');
SELECT qehs.module_publish('hazards', '{"key":"hazards","name":"Hazards","displayCode":{"prefix":"HAZ"},
 "fields":[{"key":"title","type":"text","required":true,"searchable":true},{"key":"site","type":"location","indexed":true},{"key":"owner","type":"user"},
  {"key":"code","type":"text","unique":true},{"key":"parent","type":"record-reference","references":"hazards"}],
 "workflow":{"states":["open","done"],"initial":"open","transitions":{"finish":{"from":"open","to":"done","requires":["site"]},"again":{"from":"done","to":"open"}}},
 "permissions":{"location":"site","roles":{
  "supervisor":[{"actions":["create","read","update","delete","transition","export","comment"],"scope":"location"}],
  "@owner":["read","update"],"viewer":["read"],"editor":[{"actions":["update","transition"],"scope":"location"}]}}}');
CREATE FUNCTION pg_temp.titles(list json) RETURNS text LANGUAGE sql AS $$ SELECT string_agg(coalesce(value #>> '{payload,title}', value ->> 'title'), ' ' ORDER BY value ->> 'id') FROM json_array_elements(list -> 'items') $$;
CREATE FUNCTION pg_temp.as_user(name text) RETURNS text LANGUAGE sql AS $$ SELECT name FROM qehs.use_tenant('locations', name) $$;
CREATE FUNCTION pg_temp.try(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	answer text;
	detail text;
BEGIN
	EXECUTE 'SELECT ' || call INTO answer;
	RETURN 'done';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN concat_ws(' ', SQLSTATE, SQLERRM, (SELECT string_agg(concat_ws(' ', e ->> 'path', e ->> 'code', e ->> 'message'), '; ') FROM jsonb_array_elements(CASE WHEN detail LIKE '{%' THEN detail::jsonb -> 'errors' END) AS e));
END
$$;
CREATE FUNCTION pg_temp.make(title text, site text, more jsonb DEFAULT '{}') RETURNS text LANGUAGE sql AS $$ SELECT qehs.record_create('hazards', jsonb_build_object('title', title, 'site', site) || more) ->> 'id' $$;
SELECT pg_temp.make('berlin', 'berlin') AS berlin, pg_temp.make('hall', 'hall-3', '{"code":"H"}') AS hall, pg_temp.make('bay', 'bay.7') AS bay,
	pg_temp.make('munich', 'munich', '{"code":"M"}') AS munich, qehs.record_create('hazards', '{"title":"nowhere"}') ->> 'id' AS nowhere,
	pg_temp.make('of ann', 'munich', jsonb_build_object('owner', :'ann')) AS hers \gset
SELECT qehs.record_delete(pg_temp.make('gone from munich', 'munich')), qehs.record_delete(pg_temp.make('gone from hall', 'hall-3'));
\o
\set ECHO all
-- each caller: lists, search, sort, filter with what lies below, counts, events, GraphQL
SELECT pg_temp.as_user(who) AS caller, pg_temp.titles(qehs.record_list('hazards')) AS listed FROM unnest('{ann,bob,eve,max}'::text[]) AS who;
SELECT pg_temp.as_user(who) AS caller, pg_temp.titles(qehs.record_list('hazards', q => 'munich')) AS found, pg_temp.titles(qehs.record_list('hazards', '{"site":"berlin"}')) AS below,
	pg_temp.titles(qehs.record_list('hazards', '{"site":{"nin":["hall-3"]}}', sort => '-title')) AS not_below, (qehs.record_list('hazards', count => 'exact') -> 'totalCount')::text AS total,
	qehs.module_list()::jsonb #> '{items,0,recordCount}' AS counted, (SELECT string_agg(e ->> 'type', ' ' ORDER BY e ->> 'id') FROM json_array_elements(qehs.audit_list() -> 'items') AS e) AS events
FROM unnest('{ann,bob,eve}'::text[]) AS who;
SELECT pg_temp.as_user(who) AS caller, qehs.graphql('{ hazardsList { title } }')::jsonb -> 'data' AS graphql FROM unnest('{ann,eve}'::text[]) AS who;
SELECT jsonb_pretty((qehs.me()::jsonb) - 'actor' - 'scopes') AS me FROM pg_temp.as_user('ann');
-- what is elsewhere is as what does not exist, and what is below is as one's own
SELECT pg_temp.as_user('ann');
SELECT what, pg_temp.try(replace(call, '@', :'bay')) AS bay, pg_temp.try(replace(call, '@', :'munich')) AS munich, pg_temp.try(replace(call, '@', 'rec_00000000000000000000000000')) AS none FROM (VALUES
	('get', 'qehs.record_get(''@'')'), ('at', 'qehs.record_at(''@'', ''2099-12-31'')'), ('activity', 'qehs.record_activity(''@'')'), ('links', 'qehs.record_links(''@'')'),
	('comments', 'qehs.record_comments(''@'')'), ('comment', 'qehs.record_comment(''@'', ''Seen'')'), ('approvals', 'qehs.record_approvals(''@'')'),
	('attach', 'qehs.attachment_create(''@'', ''a.txt'', ''text/plain'')'), ('update', 'qehs.record_update(''@'', ''{"title":"other"}'')'),
	('refer', 'pg_temp.make(''refers'', ''hall-3'', ''{"parent":"@"}'')'), ('transition', 'qehs.record_transition(''@'', ''finish'')'), ('migrate', 'qehs.record_migrate(''@'')'),
	('delete', 'qehs.record_delete(''@'')'), ('restore', 'qehs.record_restore(''@'')')) AS t (what, call);
SELECT id ->> 'status' AS bulk, id -> 'errors' AS errors FROM (SELECT line::jsonb AS id FROM string_to_table(qehs.bulk_load('hazards', E'{"title":"a","site":"bay.7"}\n{"title":"b","site":"munich"}\n{"title":"c"}\n', dry_run => true)::text, E'\n') AS line WHERE line <> '') AS lines;
-- a record comes to where its maker, or who moves it, may have it
SELECT pg_temp.try($$pg_temp.make('new', 'munich')$$) AS elsewhere, pg_temp.try($$qehs.record_create('hazards', '{"title":"new"}')$$) AS nowhere, pg_temp.try($$pg_temp.make('new', 'atlantis')$$) AS unknown;
SELECT pg_temp.as_user(NULL) IS NULL AS system, pg_temp.try($$pg_temp.make('new', 'atlantis')$$) AS unknown;
SELECT pg_temp.as_user('ann');
SELECT pg_temp.try(format('qehs.record_update(%L, %L)', :'hall', '{"site":"munich"}')) AS moved, pg_temp.try(format('qehs.record_update(%L, %L)', :'hall', '{"site":null}')) AS cleared,
	pg_temp.try(format('qehs.record_update(%L, %L)', :'hall', '{"site":"bay.7"}')) AS within, pg_temp.try(format('qehs.record_transition(%L, %L, %L)', :'hall', 'finish', '{"site":"munich"}')) AS fired;
SELECT pg_temp.as_user('max'), pg_temp.try(format('qehs.record_update(%L, %L)', :'munich', '{"site":"berlin"}')) AS moved, pg_temp.try(format('qehs.record_transition(%L, %L, %L)', :'munich', 'finish', '{"site":"berlin"}')) AS fired,
	pg_temp.try(format('qehs.record_update(%L, %L)', :'bay', '{"title":"mine"}')) AS other, pg_temp.try(format('qehs.record_update(%L, %L)', :'munich', '{"title":"munich"}')) AS own;
-- a unique value is taken in the whole tenant; by which record is told to who may read it
SELECT pg_temp.as_user('ann'), pg_temp.try($$pg_temp.make('new', 'hall-3', '{"code":"M"}')$$) AS elsewhere, pg_temp.try($$pg_temp.make('new', 'hall-3', '{"code":"H"}')$$) AS own;
-- the tree: what moves, or is given or taken, counts from the next call on
SELECT pg_temp.as_user(NULL) IS NULL AS system, qehs.location_put('hall-3', 'Hall 3', 'munich', users => '{ann}') ->> 'parent' AS parent;
SELECT pg_temp.as_user(who) AS caller, pg_temp.titles(qehs.record_list('hazards')) AS listed FROM unnest('{ann,bob,max}'::text[]) AS who;
SELECT pg_temp.as_user(NULL) IS NULL AS system, qehs.location_put('hall-3', 'Hall 3', 'berlin', users => '{}') ->> 'users' AS users, qehs.location_put('munich', 'Munich', 'world', roles => '{supervisor}') ->> 'roles' AS roles;
SELECT pg_temp.as_user(who) AS caller, pg_temp.titles(qehs.record_list('hazards')) AS listed FROM unnest('{ann,eve}'::text[]) AS who;
SELECT pg_temp.as_user(NULL) IS NULL AS system, pg_temp.try($$qehs.location_put('world', 'World', 'bay.7')$$) AS cycle, pg_temp.try($$qehs.location_put('world', 'World', 'world')$$) AS itself,
	pg_temp.try($$qehs.location_put('a', '', 'atlantis', '{nobody}', '{no-role}')$$) AS unknown, pg_temp.try($$qehs.location_put('a', 'A', 'atlantis')$$) AS parent, pg_temp.try($$qehs.location_put('no key', 'A')$$) AS key;
SELECT max(pg_temp.try(format('qehs.location_put(%L, %L, %L)', 'deep-' || i, 'Deep', CASE WHEN i > 1 THEN 'deep-' || i - 1 END))) AS deepest FROM generate_series(1, 32) AS i;
SELECT pg_temp.try($$qehs.location_put('deep-33', 'Deep', 'deep-32')$$) AS too_deep, pg_temp.try($$qehs.location_put('deep-2', 'Deep', 'bay.7')$$) AS moved_too_deep;
SELECT pg_temp.try($$qehs.location_delete('munich')$$) AS deleted, pg_temp.try($$qehs.location_delete('munich')$$) AS again, pg_temp.try($$qehs.location_delete('berlin')$$) AS not_empty;
SELECT pg_temp.as_user('eve') AS caller, pg_temp.titles(qehs.record_list('hazards')) AS listed;
SELECT qehs.location_get('berlin') AS as_eve, pg_temp.try($$qehs.location_get('munich')$$) AS gone;
SELECT count(*) AS told FROM json_array_elements(qehs.location_list(3) -> 'items');
SELECT pg_temp.as_user('max'), pg_temp.titles(qehs.record_list('hazards')) AS "still named by records", pg_temp.try(format('qehs.record_update(%L, %L)', :'munich', '{"title":"munich"}')) AS changed;
-- who made, gave and moved what is in the audit trail
SELECT pg_temp.as_user(NULL) IS NULL AS system;
SELECT e ->> 'type' AS type, c ->> 'path' AS path, c -> 'from' AS "from", c -> 'to' AS "to" FROM json_array_elements(qehs.audit_list(action => 'location.updated') -> 'items') AS e, json_array_elements(e -> 'changes') AS c WHERE c ->> 'path' <> '/users';
-- a tree that a DBA has cut or bent gives nobody anything
UPDATE qehs.location SET parent = 'bay.7' WHERE key = 'berlin';
SELECT pg_temp.as_user('bob') AS caller, pg_temp.titles(qehs.record_list('hazards')) AS listed;
UPDATE qehs.location SET parent = NULL WHERE key = 'berlin';
SELECT pg_temp.as_user('bob') AS caller, pg_temp.titles(qehs.record_list('hazards')) AS listed;
-- a reporting login is in no location
SELECT pg_temp.as_user(NULL) IS NULL AS system, qehs.report_publish('locations') IS NOT NULL AS published, qehs.reporter_grant('location_reader', 'locations', '{supervisor,berlin-staff}') IS NOT NULL AS granted;
SET SESSION AUTHORIZATION location_reader;
SELECT count(*) AS reported FROM report_locations.hazards;
RESET SESSION AUTHORIZATION;
-- what definitions may say
CREATE FUNCTION pg_temp.faults(permissions text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	detail text;
BEGIN
	PERFORM qehs.module_publish('x', jsonb_build_object('key', 'x', 'name', 'X', 'displayCode', '{"prefix":"X"}'::jsonb, 'fields', '[{"key":"title","type":"text","indexed":true},{"key":"site","type":"location","indexed":true},{"key":"place","type":"location"}]'::jsonb,
		'workflow', '{"states":["a"],"initial":"a","transitions":{}}'::jsonb, 'permissions', permissions::jsonb));
	RETURN 'published';
EXCEPTION WHEN SQLSTATE 'QH400' THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN (SELECT string_agg(concat_ws(' ', e ->> 'path', e ->> 'message'), '; ' ORDER BY number) FROM jsonb_array_elements(detail::jsonb -> 'errors') WITH ORDINALITY AS v (e, number));
END $$;
SELECT permissions, pg_temp.faults(permissions) AS faults FROM (VALUES ('{"location":"title"}'), ('{"location":"place"}'), ('{"location":1}'), ('{"roles":{"r":[{"actions":["read"],"scope":"location"}]}}'),
	('{"location":"site","roles":{"r":[{"actions":["create","bulk.state"],"scope":"location"}],"@createdBy":[{"actions":["create"],"scope":"location"}],"s":[{"actions":["create"],"scope":"here"}]}}'),
	('{"location":"site","roles":{"r":[{"actions":["read"],"scope":"location"}]}}')) AS t (permissions);
