-- {"actions","scope":"own"} gives a role actions on the records that its bearer has created, at every door; qehs.me tells so.
\set VERBOSITY terse
\set tenant own_records
\set ECHO none
\o /dev/null
\i sql/include/incidents.psql
SELECT qehs.user_create(name, name, NULL, '{contractor}') FROM unnest('{anna,bert}'::text[]) AS name;
SELECT qehs.module_publish('tips', '{"key":"tips","name":"Tips","displayCode":{"prefix":"TIP"},
 "fields":[{"key":"title","type":"text","required":true,"searchable":true},{"key":"secret","type":"text"},{"key":"held","type":"text"}],
 "workflow":{"states":["draft","sent"],"initial":"draft","transitions":{"send":{"from":"draft","to":"sent"}}},
 "permissions":{"roles":{"contractor":["create",{"actions":["read","update","transition"],"scope":"own"}],"viewer":["read"]},
  "fields":{"secret":{"read":["viewer"]},"held":{"read":["contractor","viewer"],"write":["viewer"]}}}}');
CREATE FUNCTION pg_temp.faults(actions jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	detail text;
BEGIN
	PERFORM qehs.module_publish('x', jsonb_build_object('key', 'x', 'name', 'X', 'displayCode', '{"prefix":"X"}'::jsonb, 'fields', '[{"key":"title","type":"text"}]'::jsonb,
		'workflow', '{"states":["a"],"initial":"a","transitions":{}}'::jsonb, 'permissions', jsonb_build_object('roles', jsonb_build_object('r', actions))));
	RETURN 'published';
EXCEPTION WHEN SQLSTATE 'QH400' THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN (SELECT string_agg(concat_ws(' ', e ->> 'path', e ->> 'message'), '; ' ORDER BY number) FROM jsonb_array_elements(detail::jsonb -> 'errors') WITH ORDINALITY AS v (e, number));
END $$;
\o
\set ECHO all
SELECT qehs.use_tenant('own_records', 'anna') IS NOT NULL AS anna;
SELECT qehs.record_create('tips', '{"title":"of anna"}') ->> 'id' AS hers \gset
SELECT qehs.use_tenant('own_records', 'bert') IS NOT NULL AS bert;
SELECT qehs.record_create('tips', '{"title":"of bert"}') ->> 'id' AS his \gset
SELECT item #>> '{payload,title}' AS listed FROM json_array_elements(qehs.record_list('tips') -> 'items') AS item;
SELECT item #>> '{payload,title}' AS found FROM json_array_elements(qehs.record_list('tips', q => 'of') -> 'items') AS item;
SELECT qehs.graphql('{ tipsList { title } }')::jsonb -> 'data' AS graphql;
SELECT qehs.record_get(:'his') IS NOT NULL AS his, qehs.record_update(:'his', '{"title":"still of bert"}') IS NOT NULL AS changed, qehs.record_transition(:'his', 'send') IS NOT NULL AS sent;
SELECT qehs.record_get(:'hers');
SELECT qehs.record_update(:'hers', '{"title":"mine"}');
SELECT qehs.record_transition(:'hers', 'send');
SELECT qehs.record_at(:'hers', '2099-12-31');
SELECT qehs.record_activity(:'hers');
SELECT qehs.record_delete(:'his');
SELECT count(DISTINCT e ->> 'recordId') AS records_in_audit FROM json_array_elements(qehs.audit_list() -> 'items') AS e;
SELECT jsonb_pretty(qehs.me()::jsonb - 'actor' - 'scopes');
SELECT qehs.use_tenant('own_records') IS NOT NULL AS system;
SELECT actions, pg_temp.faults(actions::jsonb) AS faults FROM (VALUES
	('[{"actions":["read"]}]'), ('[{"actions":["read"],"scope":"all"}]'), ('[{"actions":["create"],"scope":"own"}]'), ('[{"scope":"own"}]'),
	('[{"actions":["read"],"scope":"own","more":1}]'), ('[{"actions":[{"actions":["read"],"scope":"own"}],"scope":"own"}]'), ('[{"actions":"read","scope":"own"}]')) AS t (actions);
