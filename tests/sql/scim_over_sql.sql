-- SCIM called as functions, without HTTP: a user and a group through their life, and what is refused.
\set VERBOSITY terse
\set ECHO none
\o /dev/null
SELECT qehs.tenant_create('scim_over_sql', 'A tenant');
SELECT qehs.use_tenant('scim_over_sql');
SELECT qehs.module_publish('notes', '{"key":"notes","name":"Notes","displayCode":{"prefix":"NOT"},"fields":[{"key":"title","type":"text"}],"workflow":{"states":["open"],"initial":"open","transitions":{}},"permissions":{"roles":{"reader":["read"]}}}');
\o
-- What differs from run to run is left out.
CREATE FUNCTION pg_temp.seen(resource json) RETURNS jsonb LANGUAGE sql AS $$
	SELECT resource::jsonb - '{id,meta,schemas,groups,members}'::text[] || jsonb_build_object('version', resource -> 'meta' ->> 'version') $$;
CREATE FUNCTION pg_temp.made(user_name text, more jsonb DEFAULT '{}') RETURNS json LANGUAGE sql AS $$
	SELECT qehs.scim_user_create(jsonb_build_object('schemas', ARRAY['urn:ietf:params:scim:schemas:core:2.0:User'], 'userName', user_name) || more) $$;
CREATE FUNCTION pg_temp.patched(id text, VARIADIC operations jsonb[]) RETURNS json LANGUAGE sql AS $$
	SELECT qehs.scim_user_update(id, jsonb_build_object('schemas', ARRAY['urn:ietf:params:scim:api:messages:2.0:PatchOp'], 'Operations', to_jsonb(operations)), attributes => 'userName,active,emails,title') $$;
CREATE FUNCTION pg_temp.found(filter text) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(r ->> 'userName', ' ' ORDER BY n) FROM json_array_elements(qehs.scim_user_list(filter, sort_by => 'userName') -> 'Resources') WITH ORDINALITY AS u (r, n) $$;
\set ECHO all
SELECT pg_temp.made('Ann@example.com', '{"name":{"givenName":"Ann"},"title":"Nurse","emails":[{"value":"ann@example.com","type":"work","primary":true}],"password":"never shown"}') AS ann \gset
SELECT :'ann'::json ->> 'id' AS ann_id \gset
SELECT pg_temp.seen(:'ann');
SELECT pg_temp.made('ben', '{"active":"False","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"Yard"}}') ->> 'id' AS ben_id \gset
SELECT pg_temp.made('ANN@example.com');
SELECT pg_temp.made('');
SELECT qehs.scim_user_create('{"userName":"no schema"}');
SELECT pg_temp.found('username EQ "ann@EXAMPLE.com"'), pg_temp.found('not (active eq true) and title pr or emails[type eq "work" and value co "@example"]') AS one_element, pg_temp.found('active eq false') AS inactive,
	pg_temp.found('urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department sw "ya"') AS by_urn;
SELECT pg_temp.found('active gt true');
SELECT pg_temp.found('userName is "ann"');
SELECT pg_temp.seen(pg_temp.patched(:'ann_id', '{"op":"Replace","path":"emails[type eq \"work\"].value","value":"a@example.com"}', '{"op":"remove","path":"title"}'));
SELECT pg_temp.seen(pg_temp.patched(:'ann_id', '{"op":"Add","value":{"emails":[{"value":"a@example.com","type":"work","primary":true}]}}')) AS no_change_keeps_the_version;
SELECT pg_temp.patched(:'ann_id', '{"op":"replace","path":"title","value":"lost"}', '{"op":"remove","path":"userName"}');
SELECT pg_temp.seen(qehs.scim_user_get(:'ann_id', attributes => 'title')) AS all_or_none;
SELECT qehs.scim_user_replace(:'ann_id', jsonb_build_object('schemas', ARRAY['urn:ietf:params:scim:schemas:core:2.0:User'], 'userName', 'ann'), if_match => 'W/"1"');
SELECT pg_temp.seen(qehs.scim_user_replace(:'ann_id', jsonb_build_object('schemas', ARRAY['urn:ietf:params:scim:schemas:core:2.0:User'], 'userName', 'ann'), if_match => 'W/"2"'));
-- A group whose displayName is a role's name gives that role.
SELECT qehs.scim_group_create(jsonb_build_object('schemas', ARRAY['urn:ietf:params:scim:schemas:core:2.0:Group'], 'displayName', 'reader', 'members', jsonb_build_array(jsonb_build_object('value', :'ann_id')))) ->> 'id' AS group_id \gset
SELECT qehs.use_tenant('scim_over_sql', 'ann') \g /dev/null
SELECT json_array_length(qehs.record_list('notes') -> 'items') AS may_read;
SELECT qehs.use_tenant('scim_over_sql') \g /dev/null
SELECT qehs.scim_group_update(:'group_id', jsonb_build_object('schemas', ARRAY['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
	'Operations', jsonb_build_array(jsonb_build_object('op', 'Remove', 'path', 'members', 'value', jsonb_build_array(jsonb_build_object('value', :'ann_id')))))) \g /dev/null
SELECT qehs.use_tenant('scim_over_sql', 'ann') \g /dev/null
SELECT qehs.record_list('notes');
SELECT qehs.use_tenant('scim_over_sql') \g /dev/null
SELECT qehs.scim_group_update(:'group_id', '{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"add","path":"members","value":[{"value":"nobody"}]}]}');
SELECT qehs.scim_user_delete(:'ann_id') \g /dev/null
SELECT qehs.scim_user_get(:'ann_id');
SELECT pg_temp.seen(pg_temp.made('ann')) ->> 'userName' AS free_again;
SELECT qehs.scim_search('{"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"]}', resource_type => 'Gadgets');
-- An attribute that a type lacks is one without value there; one that no type has is an error.
SELECT qehs.scim_search(jsonb_build_object('schemas', ARRAY['urn:ietf:params:scim:api:messages:2.0:SearchRequest'], 'filter', f)) -> 'totalResults' AS found, f
	FROM string_to_table('displayName eq "reader" or userName eq "ben", userName eq null, not (userName pr), not (members pr) and userName sw "b", members[value pr] or title pr', ', ') AS f;
SELECT qehs.scim_search('{"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],"filter":"colour eq \"red\""}');
