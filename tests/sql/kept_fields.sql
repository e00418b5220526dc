-- Fields that the server fills ($today, $now, $user), that only it writes (readOnly), and whose value stays (writeOnce).
\set VERBOSITY terse
\set ECHO none
\o /dev/null
SELECT qehs.tenant_create('kept', 'A tenant');
SELECT qehs.use_tenant('kept');
SELECT qehs.user_create('kim', 'Kim', roles => '{tenant-user}');
\o
\set ECHO all
CREATE FUNCTION pg_temp.publish(fields text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	detail text;
BEGIN
	RETURN qehs.module_publish('notes', jsonb_build_object('key', 'notes', 'name', 'Notes', 'displayCode', '{"prefix":"NOT"}'::jsonb, 'fields', fields::jsonb,
		'workflow', '{"states":["open","done"],"initial":"open","transitions":{"finish":{"from":"open","to":"done","requires":["closed_on"],"effects":[{"setField":{"result":"ok"}}]}}}'::jsonb,
		'permissions', '{"roles":{"tenant-user":["read","create","update","transition"]}}'::jsonb))::jsonb ->> 'definitionVersion';
EXCEPTION WHEN SQLSTATE 'QH400' THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN (SELECT string_agg(format('%s (%s) %s', e ->> 'path', e ->> 'code', e ->> 'message'), E'\n') FROM jsonb_array_elements(detail::jsonb -> 'errors') AS e);
END $$;
-- what a definition may not say
SELECT pg_temp.publish('[{"key":"a","type":"text","default":"$user"},{"key":"b","type":"date","default":"$now"},{"key":"c","type":"datetime","default":"$today"},{"key":"d","type":"user","default":"$me"},
	{"key":"e","type":"text","readOnly":true,"required":true},{"key":"f","type":"text","readOnly":true,"requiredWhen":"true"},{"key":"g","type":"text","readOnly":true,"writeOnce":true},{"key":"h","type":"text","writeOnce":1},
	{"key":"i","type":"computed","computed":"1","readOnly":true},{"key":"j","type":"object","fields":[{"key":"k","type":"text","writeOnce":true},{"key":"l","type":"text","readOnly":true}]},
	{"key":"m","type":"date","default":"$today","schema":{"pattern":"^1999"}},{"key":"closed_on","type":"date"},{"key":"result","type":"text"}]');
SELECT pg_temp.publish('[{"key":"title","type":"text"},{"key":"reported_on","type":"date","default":"$today","readOnly":true,"required":true},{"key":"at","type":"datetime","default":"$now"},
	{"key":"reporter","type":"user","default":"$user","readOnly":true},{"key":"batch","type":"text","writeOnce":true},{"key":"closed_on","type":"date"},{"key":"result","type":"text","readOnly":true},
	{"key":"visit","type":"object","fields":[{"key":"on","type":"date","default":"$today"}]}]');
SELECT p #- '{reported_on,default}' FROM jsonb_path_query(qehs.module_get('notes')::jsonb, '$.jsonSchema.properties') AS p;
-- a user's record
SELECT qehs.use_tenant('kept', 'kim');
SET qehs.clock = '2026-03-04T23:30:00Z';
CREATE TEMP TABLE made AS SELECT qehs.record_create('notes', '{"title":"a","visit":{}}')::jsonb AS record;
SELECT record #- '{payload,reporter}' -> 'payload' AS payload, record -> 'payload' -> 'reporter' = record -> 'createdBy' -> 'id' AS mine FROM made;
SELECT record ->> 'id' AS id, record -> 'payload' -> 'reporter' AS reporter FROM made \gset
SELECT qehs.record_create('notes', '{"at":"2020-01-01T00:00:00Z","batch":"B1"}')::jsonb #- '{payload,reporter}' -> 'payload' AS payload;
-- what the server writes is not sent, but may be sent back as it was read
\set VERBOSITY default
\set SHOW_CONTEXT never
SELECT qehs.record_create('notes', '{"reported_on":"2020-01-01","reporter":null,"result":"ok"}');
SELECT qehs.record_update(:'id', jsonb_build_object('reported_on', '2026-03-04', 'reporter', :'reporter'::jsonb, 'result', NULL, 'title', 'b', 'batch', 'B2'))::jsonb -> 'version' AS version;
SELECT qehs.record_update(:'id', '{"reported_on":"2026-03-05","result":"bad","batch":"B3"}');
SELECT qehs.record_update(:'id', '{"reported_on":null,"batch":null}');
SELECT qehs.record_update(:'id', '{"batch":"B2"}')::jsonb -> 'version' AS version;
SELECT qehs.record_transition(:'id', 'finish', '{"closed_on":"2026-03-06","result":"bad"}');
SELECT qehs.record_transition(:'id', 'finish', '{"closed_on":"2026-03-06"}')::jsonb -> 'payload' ->> 'result' AS result;
-- the system is no user, and writes what is read-only
SELECT qehs.use_tenant('kept');
SELECT qehs.record_create('notes', '{"reported_on":"2020-01-01"}')::jsonb -> 'payload' AS payload;
SELECT qehs.record_update(:'id', '{"result":"corrected"}')::jsonb -> 'payload' ->> 'result' AS result;
