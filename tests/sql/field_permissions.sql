-- Who may read and who may write a field, through every door.
\set tenant field_permissions
\set ECHO none
\o /dev/null
SELECT qehs.tenant_create('field_permissions', 'A tenant');
SELECT qehs.use_tenant('field_permissions');
SELECT qehs.user_create(name, name, roles => ARRAY[role]) FROM (VALUES ('user', 'tenant-user'), ('medic', 'medic'), ('clerk', 'clerk')) AS v (name, role);
CREATE FUNCTION pg_temp.definition(fields text, permissions text, more jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_object('key', 'cases', 'name', 'Cases', 'displayCode', '{"prefix":"CAS"}'::jsonb, 'fields', fields::jsonb,
		'workflow', '{"states":["open","done"],"initial":"open","transitions":{"finish":{"from":"open","to":"done"}}}'::jsonb,
		'permissions', '{"roles":{"tenant-user":["read","create","update","transition"],"medic":["read","create","update","transition"],"clerk":["read","create","update"]}}'::jsonb
			|| permissions::jsonb) || more
$$;
CREATE FUNCTION pg_temp.listed(filter jsonb DEFAULT NULL, q text DEFAULT NULL) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_path_query_array(qehs.record_list('cases', filter, q => q, sort => 'createdAt')::jsonb, '$.items[*].payload')
$$;
\o
\set ECHO all
\set VERBOSITY default
-- notes: medics read and write; tip: clerks write, medics read; grade: all read, medics write
SELECT qehs.module_publish('cases', pg_temp.definition('[{"key":"title","type":"text","required":true},{"key":"notes","type":"text","indexed":true,"required":true,"default":"none"},
	{"key":"tip","type":"text"},{"key":"grade","type":"integer"}]',
	'{"fields":{"notes":{"read":["medic"]},"tip":{"read":["medic"],"write":["clerk"]},"grade":{"write":["medic"]}}}'))::jsonb -> 'permissions' -> 'fields' AS rules;
SELECT qehs.use_tenant('field_permissions', 'medic');
SELECT qehs.record_create('cases', '{"title":"first","notes":"asthma","grade":2}')::jsonb AS case \gset
SELECT :'case'::jsonb -> 'payload' AS payload, :'case'::jsonb ->> 'id' AS id \gset
SELECT :'payload' AS payload;
SELECT qehs.use_tenant('field_permissions', 'clerk');
SELECT qehs.record_create('cases', '{"title":"second","tip":"the boss did it"}')::jsonb -> 'payload' AS payload;
SELECT qehs.use_tenant('field_permissions', 'user');
-- not read: in the record, in lists whole or by fields, in what a change answers
SELECT qehs.record_get(:'id')::jsonb -> 'payload' AS payload;
SELECT pg_temp.listed();
SELECT qehs.record_list('cases', fields => 'payload.notes,payload.title,payload.grade', sort => 'createdAt')::jsonb #> '{items,0,payload}' AS payload;
SELECT qehs.record_update(:'id', '{"title":"renamed"}', 'by user')::jsonb -> 'payload' AS payload;
-- not guessed: by filter, sort or search
SELECT pg_temp.listed('{"notes":"asthma"}');
SELECT pg_temp.listed('{"or":[{"title":"x"},{"not":{"tip":{"exists":true}}}]}');
SELECT qehs.record_list('cases', sort => '-notes');
SELECT pg_temp.listed('{"grade":2}') AS grade, pg_temp.listed(q => 'asthma') AS asthma, pg_temp.listed(q => 'boss') AS boss, pg_temp.listed(q => 'renamed') AS renamed;
-- not written, in whatever call; what is read may be sent back as it is, what is not read may not be guessed so
SELECT qehs.record_create('cases', '{"title":"third","notes":"x","tip":"y","grade":1}');
SELECT qehs.record_update(:'id', '{"title":5,"notes":"asthma","grade":3}');
SELECT qehs.record_update(:'id', '{"tip":null}');
SELECT qehs.record_update(:'id', '{"title":"again","grade":2}')::jsonb -> 'payload' AS payload;
SELECT qehs.record_transition(:'id', 'finish', '{"grade":5}');
CREATE TEMP TABLE lines (document jsonb);
INSERT INTO lines VALUES ('{"title":"loaded","grade":5}'), ('{"title":"loaded"}');
SELECT line::jsonb - 'id' #- '{summary,durationMs}' AS line FROM qehs.bulk_load_table('cases', 'lines', 'document') AS line;
-- the document of this caller has neither
SELECT document #> '{components,schemas,CasesPayload,required}' AS required, jsonb_path_query_array(document, '$.components.schemas.CasesPayload.properties.keyvalue().key') AS read,
	jsonb_path_query_array(document, '$.components.schemas.CasesNew.properties.keyvalue().key') AS written,
	jsonb_path_query_array(document, '$.components.schemas.CasesPatch.properties.keyvalue().key') AS patched,
	document #> '{components,schemas,CasesFilter,properties,notes}' AS filter FROM (SELECT qehs.openapi()::jsonb AS document) AS d;
-- medics read what the others do not, and search it
SELECT qehs.use_tenant('field_permissions', 'medic');
SELECT qehs.record_update(:'id', '{"notes":"asthma, mild","grade":4}')::jsonb -> 'payload' AS payload;
SELECT qehs.record_update(:'id', '{"tip":"x"}');
SELECT pg_temp.listed('{"notes":{"startsWith":"asthma"}}') AS by_notes, pg_temp.listed(q => 'boss') AS boss;
SELECT jsonb_path_query_array(qehs.record_get(:'id')::jsonb, '$.activity[*].changes[*].path') AS changes;
SELECT qehs.use_tenant('field_permissions', 'user');
SELECT jsonb_path_query_array(qehs.record_get(:'id')::jsonb, '$.activity[*].changes[*].path') AS changes,
	jsonb_path_query_array(qehs.record_activity(:'id')::jsonb, '$.items[*].changes[*].path') AS activity;
-- the current definition rules over old records too, also under old keys, and what is gone stays as it was
SELECT qehs.use_tenant('field_permissions');
SELECT qehs.module_publish('cases', pg_temp.definition('[{"key":"title","type":"text","required":true},{"key":"remarks","type":"text","searchable":true},
	{"key":"grade","type":"integer"}]', '{"fields":{"remarks":{"read":["medic"]},"grade":{"read":["medic"]}}}',
	'{"migrate":{"rename":{"notes":"remarks"},"drop":["tip"]}}'))::jsonb -> 'definitionVersion' AS version;
SELECT qehs.use_tenant('field_permissions', 'user');
SELECT pg_temp.listed() AS listed, pg_temp.listed(q => 'mild') AS mild;
SELECT qehs.record_update(:'id', '{"notes":"x"}');
SELECT qehs.use_tenant('field_permissions', 'medic');
SELECT pg_temp.listed() AS listed, pg_temp.listed(q => 'mild') AS mild;
-- so does what a role may do
SELECT qehs.use_tenant('field_permissions');
SELECT qehs.module_publish('cases', jsonb_set((qehs.module_get('cases')::jsonb - 'migrate' - 'definitionVersion' - 'createdAt' - 'jsonSchema'), '{permissions,roles,clerk}', '[]'))::jsonb -> 'definitionVersion' AS version;
SELECT qehs.use_tenant('field_permissions', 'clerk');
SELECT qehs.record_get(:'id');
-- the last payload of a deleted record
SELECT qehs.use_tenant('field_permissions');
SELECT qehs.record_delete(:'id');
SELECT qehs.audit_list(:'id')::jsonb #> '{items,0,payload}' AS payload;
SELECT qehs.api_key_create('auditor', scopes => '{audit.read}', roles => '{tenant-user}')::jsonb ->> 'key' AS key \gset
BEGIN;
SELECT qehs.request_begin(:'key') IS NOT NULL AS begun;
SELECT qehs.audit_list(:'id')::jsonb #> '{items,0,payload}' AS payload, jsonb_path_query_array(qehs.audit_list(:'id')::jsonb, '$.items[*].changes[*].path') AS changes;
ROLLBACK;
-- rules that are none
SELECT qehs.module_publish('bad', pg_temp.definition('[{"key":"a","type":"text"},{"key":"b","type":"text"},{"key":"c","type":"text"}]',
	'{"fields":{"a":{"read":"medic","see":[]},"b":["medic"],"c":{"read":[1,""],"write":["x"]},"d":{"read":["x"]}}}') || '{"key":"bad"}');
