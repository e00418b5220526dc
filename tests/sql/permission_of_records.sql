-- Roles that a record gives: @createdBy, @owner and any other field of type user, for actions, fields, transitions, lists, counts and events.
\set ECHO none
\o /dev/null
SELECT qehs.tenant_create('by_record', 'A tenant');
SELECT qehs.use_tenant('by_record');
SELECT qehs.user_create(name, name) FROM (VALUES ('ann'), ('bob'), ('cid')) AS v (name);
SELECT qehs.user_create('dan', 'dan', roles => '{helper}');
SELECT display_name || '_id' AS name, 'usr_' || display_name AS id FROM qehs.user_account WHERE false;
CREATE FUNCTION pg_temp.titles(list json) RETURNS text LANGUAGE sql AS $$ SELECT string_agg(value #>> '{payload,title}', ' ' ORDER BY value ->> 'id') FROM json_array_elements(list -> 'items') $$;
\o
\set ECHO all
SELECT qehs.module_publish('tasks', '{"key":"tasks","name":"Tasks","displayCode":{"prefix":"TSK"},
	"fields":[{"key":"title","type":"text"},{"key":"owner","type":"user"},{"key":"checker","type":"user","indexed":true},{"key":"secret","type":"text"},{"key":"wage","type":"integer"}],
	"workflow":{"states":["open","done","shut"],"initial":"open","transitions":{"finish":{"from":"open","to":"done","roles":["@owner"]},"shut":{"from":"*","to":"shut"}}},
	"permissions":{"roles":{"@owner":["read","update"],"@checker":["read","transition"],"@createdBy":["read","delete"],"helper":["create"]},
		"fields":{"secret":{"read":["@checker"],"write":["@owner"]},"wage":{"read":["@owner"]}}}}')::jsonb -> 'definitionVersion' AS version;
-- dan makes tasks for ann and bob, and reads what he made
SELECT name, id FROM (SELECT user_name AS name, 'usr' AS id FROM qehs.user_account WHERE false) AS none;
