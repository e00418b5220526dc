-- The modules of the catalogue ask for approvals, signatures, finished actions and another person where the standards do.
\set VERBOSITY terse
\set ECHO none
\o /dev/null
SELECT qehs.tenant_create('catalogue_approvals', 'Approvals of the catalogue');
SELECT qehs.use_tenant('catalogue_approvals');
SELECT qehs.module_install('catalogue_approvals', key) FROM unnest('{incidents,observations,actions,capa,establishments,injury_cases,nonconformances}'::text[]) AS key;
SELECT qehs.user_create(n, initcap(n), roles => r || '{tenant-user}'::text[]) FROM (VALUES ('ann', '{quality_manager,approver}'::text[]), ('bob', '{quality_manager,approver,manager}'), ('sam', '{specialist,supervisor}')) AS p (n, r);
CREATE FUNCTION pg_temp.told(call text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	told text;
	code text;
	answer jsonb;
BEGIN
	EXECUTE 'SELECT ' || call INTO answer;
	RETURN NEXT coalesce(answer -> 'approvals' ->> 'complete', answer ->> 'workflowState');
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS told = PG_EXCEPTION_DETAIL, code = CONSTRAINT_NAME;
	RETURN QUERY SELECT code || ' ' || (e ->> 'path') || ' ' || (e ->> 'code') FROM jsonb_array_elements(told::jsonb -> 'errors') AS e;
END
$$;
CREATE FUNCTION pg_temp.sign(name text) RETURNS jsonb LANGUAGE sql AS $$ SELECT jsonb_build_object('meaning', 'approval', 'credential', 'the secret of ' || name) $$;
SELECT qehs.use_tenant('catalogue_approvals', n), qehs.signature_credential_set('the secret of ' || n) FROM unnest('{ann,bob}'::text[]) AS n;
SELECT qehs.use_tenant('catalogue_approvals', 'sam');
SELECT (qehs.record_create('observations', '{"kind":"near_miss","occurred_at":"2026-01-05T08:00:00Z","site":"Dayton","description":"A load swung","category":"lifting","potential_risk":{"likelihood":5,"severity":5}}')) ->> 'id' AS observation \gset
SELECT id AS sam FROM qehs.user_account WHERE user_name = 'sam' AND tenant_id = (SELECT id FROM qehs.tenant WHERE slug = 'catalogue_approvals') \gset
SELECT qehs.use_tenant('catalogue_approvals');
SELECT qehs.record_create('capa', jsonb_build_object('source', :'observation', 'title', 'Prevent it', 'capa_type', 'corrective', 'problem_statement', 'A load swung', 'risk', '{"likelihood":2,"severity":2}'::jsonb, 'owner', :'sam', 'due_date', '2026-02-01',
	'root_cause', 'No tag line', 'rca_method', 'five_why', 'action_plan', 'Buy some', 'effectiveness_criteria', 'None swings'), 'investigation') ->> 'id' AS capa \gset
\o
\set ECHO all
-- an observation of high risk becomes an incident
SELECT qehs.use_tenant('catalogue_approvals', 'sam') \g /dev/null
SELECT pg_temp.told(format('qehs.record_transition(%L, ''escalate'')', :'observation'));
SELECT i ->> 'id' AS incident, i -> 'payload' AS payload FROM jsonb_array_elements(qehs.record_list('incidents')::jsonb -> 'items') AS i \gset
SELECT :'payload'::jsonb AS payload;
-- a plan needs an action, then two who approve and sign
SELECT pg_temp.told(format('qehs.record_transition(%L, ''submit_plan'')', :'capa'));
SELECT qehs.record_create('actions', jsonb_build_object('title', 'Buy tag lines', 'parent', :'capa', 'action_type', 'corrective', 'control_level', 'engineering', 'priority', 'high', 'owner', :'sam', 'due_date', '2026-01-20')) IS NOT NULL AS made;
SELECT pg_temp.told(format('qehs.record_transition(%L, ''submit_plan'')', :'capa'));
SELECT qehs.use_tenant('catalogue_approvals', 'ann') \g /dev/null
SELECT pg_temp.told(format('qehs.record_approve(%L, ''approve_plan'')', :'capa'));
SELECT pg_temp.told(format('qehs.record_approve(%L, ''approve_plan'', signature => pg_temp.sign(''ann''))', :'capa'));
SELECT qehs.use_tenant('catalogue_approvals', 'bob') \g /dev/null
SELECT pg_temp.told(format('qehs.record_approve(%L, ''approve_plan'', signature => pg_temp.sign(''bob''))', :'capa'));
-- its actions are not finished
SELECT qehs.use_tenant('catalogue_approvals', 'sam') \g /dev/null
SELECT pg_temp.told(format('qehs.record_transition(%L, ''implemented'')', :'capa'));
-- an incident is closed with a signature, once its injury cases are classified
SELECT qehs.use_tenant('catalogue_approvals') \g /dev/null
SELECT qehs.record_create('incidents', :'payload'::jsonb || '{"regulator_notifiable":"osha_24h"}', 'review') ->> 'id' AS review \gset
SELECT qehs.record_create('establishments', '{"name":"Dayton"}') ->> 'id' AS place \gset
SELECT qehs.record_create('injury_cases', jsonb_build_object('incident', :'review', 'establishment', :'place', 'person', :'sam', 'employment', 'employee', 'job_title', 'Rigger', 'recordable', true,
	'kind', 'injury', 'privacy_case', false, 'outcome', 'other_recordable', 'nar_before', 'Rigging', 'nar_what', 'A load swung', 'nar_injury', 'Bruise', 'nar_object', 'Beam', 'days', '[]'::jsonb)) ->> 'id' AS injury \gset
SELECT qehs.use_tenant('catalogue_approvals', 'bob') \g /dev/null
SELECT pg_temp.told(format('qehs.record_transition(%L, ''approve_close'', signature => pg_temp.sign(''bob''))', :'review'));
SELECT qehs.use_tenant('catalogue_approvals', 'sam') \g /dev/null
SELECT pg_temp.told(format('qehs.record_transition(%L, ''classify'')', :'injury'));
SELECT qehs.use_tenant('catalogue_approvals', 'bob') \g /dev/null
SELECT pg_temp.told(format('qehs.record_transition(%L, ''approve_close'', ''{"notified_at":"2026-01-05T09:00:00Z"}'', signature => pg_temp.sign(''bob''))', :'review'));
