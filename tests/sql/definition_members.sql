-- A member of a definition is acted on or refused with its place: unknown ones anywhere, and those on which nothing acts yet.
\set tenant definition_members
\set ECHO none
\o /dev/null
SELECT qehs.tenant_create('definition_members', 'A tenant');
SELECT qehs.use_tenant('definition_members');
CREATE FUNCTION pg_temp.faults(change jsonb, path text[]) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	detail text;
	definition jsonb := '{"key":"tried","name":"Tried","displayCode":{"prefix":"TRY"},
	 "fields":[{"key":"a","type":"select","options":[{"value":"x"}]},{"key":"b","type":"quantity","units":[{"value":"kg"}]},
	  {"key":"c","type":"matrix-score","bands":[{"name":"all","max":25}]},{"key":"d","type":"table","fields":[{"key":"e","type":"text"}]},{"key":"f","type":"computed","computed":"1","unit":"mSv"}],
	 "workflow":{"states":["open","done"],"initial":"open","transitions":{"go":{"from":"open","to":"done"}}},
	 "permissions":{"roles":{"viewer":["read"]},"fields":{"a":{"read":["viewer"]}}},"migrate":{}}';
BEGIN
	PERFORM qehs.module_publish('tried', CASE WHEN path = '{}' THEN definition || change ELSE jsonb_set(definition, path, (definition #> path) || change) END);
	RETURN NEXT 'published';
EXCEPTION WHEN SQLSTATE 'QH400' THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN QUERY SELECT format('%s (%s) %s', e ->> 'path', e ->> 'code', e ->> 'message') FROM jsonb_array_elements(detail::jsonb -> 'errors') AS e;
END;
$$;
\o
\pset format unaligned
\pset tuples_only on
\set ECHO all
-- one that nobody knows, in each object that a definition has
SELECT pg_temp.faults('{"bogus":1}', path::text[]) FROM (VALUES ('{displayCode}'), ('{fields,0}'), ('{fields,0,options,0}'), ('{fields,1,units,0}'), ('{fields,2,bands,0}'),
	('{fields,3,fields,0}'), ('{workflow}'), ('{workflow,transitions,go}'), ('{permissions}'), ('{permissions,fields,a}'), ('{migrate}')) AS p (path);
SELECT pg_temp.faults(change, '{fields,0}') FROM unnest('{"{\"labels\":{\"en\":\"A\"}}","{\"personalData\":true}"}'::jsonb[]) AS change;
SELECT pg_temp.faults('{"bogus":1,"standards":"ISO 45001","searchable":true}', '{}');
-- known, and nothing acts on it yet, whatever its shape
SELECT pg_temp.faults(change, '{workflow,transitions,go}') FROM unnest('{"{\"approvers\":{\"count\":2,\"role\":\"viewer\"}}","{\"effects\":[]}","{\"signature\":true}"}'::jsonb[]) AS change;
SELECT pg_temp.faults('{"tenant-user":["read","export"],"viewer":["comment","say"]}', '{permissions,roles}');
-- two names of one thing; and what works at the top only
SELECT pg_temp.faults('{"expression":"2"}', '{fields,4}');
SELECT pg_temp.faults('{"searchable":true}', '{fields,3,fields,0}');
-- what is left is acted on
SELECT pg_temp.faults('{"description":"Done is done.","label":"Go"}', '{workflow,transitions,go}');
SELECT jsonb_path_query((qehs.openapi() #>> '{}')::jsonb, '$.**."x-unit"') AS unit;
SELECT jsonb_path_query((qehs.openapi() #>> '{}')::jsonb, '$.components.schemas.TriedTransition.description') AS transition;
SELECT qehs.record_create('tried', '{}') ->> 'id' AS id \gset
SELECT qehs.record_get(:'id')::jsonb -> 'availableTransitions' AS available;
-- a signature of a request is of its form
SELECT qehs.record_transition(:'id', 'go', signature => '{"meaning":"reviewed"}');
