-- What a refusal tells: nothing but the refusal of a member that the caller may not touch, and in no message a value that he may not read.
\set ECHO none
\o /dev/null
SELECT qehs.tenant_create('messages', 'A tenant');
SELECT qehs.use_tenant('messages');
SELECT qehs.user_create(name, name, roles => ARRAY['staff', name]) FROM (VALUES ('medic'), ('clerk'), ('writer'), ('mover')) AS v (name);
-- every message that a call gives, one a row; or its payload
CREATE FUNCTION pg_temp.told(call text) RETURNS TABLE (path text, code text, message text) LANGUAGE plpgsql AS $$
DECLARE
	detail text;
	answer text;
BEGIN
	EXECUTE 'SELECT ' || call INTO answer;
	RETURN QUERY SELECT 'payload', '', answer::jsonb ->> 'payload';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	IF detail = '' THEN
		RETURN QUERY SELECT '', SQLSTATE, SQLERRM;
	ELSE
		RETURN QUERY SELECT e ->> 'path', e ->> 'code', e ->> 'message' FROM jsonb_array_elements(detail::jsonb -> 'errors') AS e;
	END IF;
END
$$;
\o
\set ECHO all
SELECT qehs.module_publish('cases', '{"key":"cases","name":"Cases","displayCode":{"prefix":"CAS"},
	"fields":[{"key":"title","type":"text","maxLength":8},{"key":"dose","type":"integer","max":100},{"key":"total","type":"computed","expression":"$.dose * 7"},
		{"key":"open_total","type":"computed","expression":"$.dose * 3"},{"key":"risk","type":"matrix-score"},{"key":"hidden_risk","type":"matrix-score"},
		{"key":"badge","type":"identifier"},{"key":"form","type":"object","fields":[{"key":"a","type":"integer"},{"key":"b","type":"integer"},{"key":"sum","type":"computed","expression":"$.a + $.b"}]},
		{"key":"rows","type":"table","fields":[{"key":"n","type":"integer"},{"key":"twice","type":"computed","expression":"$.n * 2"}]},{"key":"reason","type":"text"}],
	"workflow":{"states":["open","done"],"initial":"open","transitions":{"finish":{"from":"open","to":"done","requires":["reason"]},"again":{"from":"*","to":"open"}}},
	"permissions":{"roles":{"staff":["read","create","transition"],"medic":["update"],"clerk":["update"],"writer":["update"]},
		"fields":{"dose":{"read":["medic"],"write":["medic","writer"]},"open_total":{"read":["staff"]},"hidden_risk":{"read":["medic"],"write":["medic","writer"]},
			"badge":{"read":["medic"]},"form":{"read":["medic"],"write":["medic","writer"]},"rows":{"read":["medic"]}}}}')::jsonb -> 'definitionVersion' AS version;
SELECT qehs.use_tenant('messages', 'medic');
SELECT qehs.record_create('cases', '{"title":"one","dose":10,"risk":{"likelihood":2,"severity":3},"hidden_risk":{"likelihood":3,"severity":4},"badge":"B1","form":{"a":1,"b":2},"rows":[{"n":5}]}')::jsonb -> 'payload' AS payload;
SELECT qehs.record_list('cases')::jsonb #>> '{items,0,id}' AS id \gset
-- the reader is told what it must be
SELECT * FROM pg_temp.told(format('qehs.record_update(%L, %L)', :'id', '{"total":0,"hidden_risk":{"score":0},"form":{"sum":0},"rows":[{"n":5,"twice":0}]}'));
-- a clerk is told nothing but that he may not; whatever he guesses
SELECT qehs.use_tenant('messages', 'clerk');
SELECT * FROM pg_temp.told(format('qehs.record_update(%L, %L)', :'id', '{"total":0,"hidden_risk":{"score":0},"form":{"sum":0,"c":1},"rows":[{"n":5,"twice":0}],"badge":5,"dose":"x","title":"much too long"}'));
SELECT * FROM pg_temp.told(format('qehs.record_update(%L, %L)', :'id', '{"total":70,"hidden_risk":{"score":12},"form":{"sum":3},"rows":[{"n":5,"twice":10}],"badge":"B1","dose":10}'));
SELECT * FROM pg_temp.told(format('qehs.record_update(%L, %L)', :'id', '{"total":null,"dose":null,"badge":null}'));
-- a value computed of it that the definition shows is told
SELECT * FROM pg_temp.told(format('qehs.record_update(%L, %L)', :'id', '{"open_total":0}'));
SELECT * FROM pg_temp.told(format('qehs.record_create(%L, %L)', 'cases', '{"title":"much too long","total":1,"badge":"B1","form":{"sum":"x"}}'));
-- who may write and not read is not told what the server makes of both
SELECT qehs.use_tenant('messages', 'writer');
SELECT * FROM pg_temp.told(format('qehs.record_update(%L, %L)', :'id', '{"hidden_risk":{"likelihood":1,"score":4},"form":{"a":5,"sum":7}}'));
SELECT * FROM pg_temp.told(format('qehs.record_update(%L, %L)', :'id', '{"hidden_risk":{"likelihood":1,"band":"low"},"form":{"a":5,"sum":8},"total":70}'));
SELECT * FROM pg_temp.told(format('qehs.record_update(%L, %L)', :'id', '{"hidden_risk":{"likelihood":1},"form":{"a":5},"dose":11}'));
SELECT * FROM pg_temp.told(format('qehs.record_update(%L, %L)', :'id', '{"dose":101}'));
-- a transition changes what it requires, and the rest for who may update
SELECT qehs.use_tenant('messages', 'mover');
SELECT * FROM pg_temp.told(format('qehs.record_transition(%L, %L, %L)', :'id', 'finish', '{"title":"moved","total":0,"badge":"x","reason":"r"}'));
SELECT * FROM pg_temp.told(format('qehs.record_transition(%L, %L, %L)', :'id', 'finish', '{"title":"one","reason":"because"}'));
SELECT * FROM pg_temp.told(format('qehs.record_transition(%L, %L, %L)', :'id', 'again', '{"reason":"r"}'));
SELECT * FROM pg_temp.told(format('qehs.record_update(%L, %L)', :'id', '{"title":"moved"}'));
SELECT qehs.use_tenant('messages', 'clerk');
SELECT * FROM pg_temp.told(format('qehs.record_transition(%L, %L, %L)', :'id', 'again', '{"title":"moved"}'));
SELECT * FROM pg_temp.told(format('qehs.record_transition(%L, %L, %L)', :'id', 'finish', '{"dose":7,"total":77}'));
-- loads say the same
CREATE TEMP TABLE lines (document jsonb);
INSERT INTO lines VALUES ('{"title":"much too long","total":1,"badge":"B1","form":{"sum":"x"}}'), ('{"badge":"B1"}');
SELECT e.* FROM qehs.bulk_load_table('cases', 'lines', 'document') AS line, jsonb_to_recordset(line::jsonb -> 'errors') AS e (path text, code text, message text);
SELECT * FROM pg_temp.told($$(SELECT json_agg(l) FROM qehs.bulk_load_table('cases', 'lines', 'document', on_conflict => 'update', external_id => 'badge') AS l)$$);
-- the answer to a change shows what its caller may read: one without read sees that it was done
SELECT qehs.use_tenant('messages');
SELECT qehs.api_key_create('blind', scopes => '{records.write}', roles => '{tenant-admin}')::jsonb ->> 'key' AS blind, qehs.api_key_create('changer', scopes => '{records.read,records.write}', roles => '{medic}')::jsonb ->> 'key' AS changer \gset
BEGIN;
SELECT qehs.request_begin(:'blind') IS NOT NULL AS begun;
SELECT split_part(call, $$($$, 1) AS call, message AS payload FROM (VALUES ('qehs.record_update(' || quote_literal(:'id') || ', ''{}'')'), (format('qehs.record_update(%L, %L)', :'id', '{"title":"two"}')), (format('qehs.record_migrate(%L)', :'id')),
	(format('qehs.record_create(%L, %L)', 'cases', '{"title":"three"}'))) AS v (call), pg_temp.told(call);
SELECT qehs.record_delete(:'id');
SELECT qehs.record_restore(:'id')::jsonb -> 'payload' AS payload;
SELECT * FROM pg_temp.told(format('qehs.record_transition(%L, %L)', :'id', 'again'));
ROLLBACK;
BEGIN;
SELECT qehs.request_begin(:'changer') IS NOT NULL AS begun;
SELECT qehs.record_update(:'id', '{}')::jsonb -> 'payload' AS payload, qehs.record_update(:'id', '{"dose":12}')::jsonb -> 'payload' AS changed;
ROLLBACK;
-- a version in which a hidden value does not hold: who may not read it is told that, and not how long it is
SELECT qehs.use_tenant('messages');
SELECT qehs.record_update(:'id', '{"badge":"a long badge"}')::jsonb #>> '{payload,badge}' AS badge;
SELECT qehs.module_publish('cases', '{"key":"cases","name":"Cases","displayCode":{"prefix":"CAS"},"fields":[{"key":"title","type":"text","maxLength":2},{"key":"badge","type":"identifier","maxLength":5}],
	"workflow":{"states":["open","done"],"initial":"open"},"migrate":{"rename":{"badge":"badge","title":"title"},"drop":["dose","total","open_total","risk","hidden_risk","form","rows","reason"]},
	"permissions":{"roles":{"staff":["read","create","transition"],"medic":["update"],"clerk":["update"]},"fields":{"badge":{"read":["medic"]}}}}')::jsonb -> 'definitionVersion' AS version;
SELECT qehs.use_tenant('messages', 'medic');
SELECT * FROM pg_temp.told(format('qehs.record_migrate(%L)', :'id'));
SELECT qehs.use_tenant('messages', 'clerk');
SELECT * FROM pg_temp.told(format('qehs.record_migrate(%L)', :'id'));
