-- A field's own schema that leaves no value of the field's type is refused when it is published.
\set tenant definition_unsatisfiable
\set ECHO none
\o /dev/null
SELECT qehs.tenant_create('definition_unsatisfiable', 'A tenant');
SELECT qehs.use_tenant('definition_unsatisfiable');
CREATE FUNCTION pg_temp.answer(field jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	detail text;
BEGIN
	PERFORM qehs.module_publish('tried', jsonb_build_object('key', 'tried', 'name', 'Tried', 'displayCode', '{"prefix":"TRY"}'::jsonb,
		'fields', jsonb_build_array(field || '{"key":"a"}'), 'workflow', '{"states":["open"],"initial":"open","transitions":{}}'::jsonb));
	RETURN 'published';
EXCEPTION WHEN SQLSTATE 'QH400' THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN (SELECT string_agg(format('%s (%s) %s', e ->> 'path', e ->> 'code', e ->> 'message'), '; ') FROM jsonb_array_elements(detail::jsonb -> 'errors') AS e);
END;
$$;
\o
\pset format unaligned
\pset tuples_only on
\set ECHO all
-- none can hold
SELECT field ->> 'type' || ' ' || (field ->> 'schema') AS field, pg_temp.answer(field) FROM unnest(ARRAY[
	'{"type":"object","schema":{"type":"array"}}', '{"type":"text","schema":false}', '{"type":"text","schema":{"not":{}}}', '{"type":"text","schema":{"type":["number","null"]}}',
	'{"type":"integer","schema":{"minimum":1.2,"maximum":1.8}}', '{"type":"number","max":5,"schema":{"exclusiveMinimum":5}}', '{"type":"integer","schema":{"not":{"type":"number"}}}',
	'{"type":"text","maxLength":3,"schema":{"minLength":4}}', '{"type":"text","schema":{"allOf":[{"enum":["a","b"]},{"enum":["c"]}]}}', '{"type":"date","schema":{"const":"tomorrow"}}',
	'{"type":"select","options":["a","b"],"schema":{"minLength":2}}', '{"type":"boolean","schema":{"enum":["yes"]}}', '{"type":"boolean","schema":{"not":{"enum":[true,false]}}}',
	'{"type":"matrix-score","schema":{"properties":{"likelihood":{"type":"string"}}}}', '{"type":"quantity","units":["kg"],"schema":{"properties":{"unit":{"const":"g"}}}}',
	'{"type":"object","schema":{"required":["x"],"properties":{"x":false}}}', '{"type":"object","fields":[{"key":"x","type":"text"}],"schema":{"required":["y"]}}',
	'{"type":"multi-select","options":["a"],"required":true,"schema":{"items":{"const":"b"}}}', '{"type":"table","fields":[{"key":"x","type":"text"}],"schema":{"minItems":2,"maxItems":1}}',
	'{"type":"text","schema":{"anyOf":[{"type":"number"},{"type":"object"}]}}', '{"type":"text","schema":{"$defs":{"n":{"type":"number"}},"$ref":"#/$defs/n"}}',
	'{"type":"text","schema":{"oneOf":[{"anyOf":[{"type":"number"},{"const":5}]},{"minLength":9,"maxLength":8}]}}']::jsonb[]) AS field;
-- a field of a table is told at its own place
SELECT pg_temp.answer('{"type":"table","fields":[{"key":"x","type":"text","schema":{"type":"array"}}]}');
-- some can, or nobody can tell
SELECT field ->> 'type' || ' ' || (field ->> 'schema') AS field, pg_temp.answer(field || format('{"label":"%s"}', number)::jsonb) FROM unnest(ARRAY[
	'{"type":"object","schema":{"type":["array","object"]}}', '{"type":"text","schema":{"not":{"type":"number"}}}', '{"type":"integer","schema":{"minimum":1.2,"maximum":2}}',
	'{"type":"number","schema":{"minimum":1.2,"maximum":1.8}}', '{"type":"select","options":["a","bb"],"schema":{"minLength":2}}', '{"type":"boolean","schema":{"const":true}}',
	'{"type":"matrix-score","schema":{"properties":{"likelihood":{"maximum":2}}}}', '{"type":"object","schema":{"properties":{"x":false}}}', '{"type":"object","schema":{"required":["x"],"properties":{"x":{"$ref":"#"}}}}',
	'{"type":"text","schema":{"anyOf":[{"type":"number"},{"maxLength":2}]}}', '{"type":"text","schema":{"$id":"https://x.example/a","$defs":{"n":{"$id":"b","$defs":{"n":{"type":"string"}},"$ref":"#/$defs/n"}},"allOf":[{"$ref":"b"}]}}']::jsonb[]) WITH ORDINALITY AS f (field, number);
-- patterns, formats and lengths that exclude each other, entries that are too few, steps without a multiple: by the schema and by options
SELECT field - 'type' ->> 'schema' AS schema, field - 'schema' AS field, pg_temp.answer(field) FROM unnest(ARRAY[
	'{"type":"multi-select","options":["a","b"],"schema":{"minItems":3}}', '{"type":"multi-select","options":["a","b","cc"],"schema":{"minItems":3,"items":{"maxLength":1}}}', '{"type":"table","fields":[{"key":"x","type":"text"}],"schema":{"minItems":1001}}',
	'{"type":"tags","schema":{"minItems":3,"items":{"enum":["a","b"]}}}', '{"type":"date","schema":{"pattern":"^[A-Z]"}}', '{"type":"date","schema":{"pattern":"[.]"}}', '{"type":"date","schema":{"pattern":"^\\d{2}/\\d{2}"}}', '{"type":"date","pattern":"^2026-13"}',
	'{"type":"date","schema":{"minLength":11}}', '{"type":"date","maxLength":9}', '{"type":"datetime","pattern":"^\\d{4}-\\d\\d-\\d\\d$"}', '{"type":"datetime","schema":{"maxLength":10}}', '{"type":"duration","pattern":"^[0-9]"}', '{"type":"email","pattern":"^[a-z.]+$"}',
	'{"type":"url","pattern":"^ftp:"}', '{"type":"phone","pattern":"^0"}', '{"type":"text","pattern":"^.{5}$","maxLength":4}', '{"type":"text","pattern":"^a?b?$","minLength":3}', '{"type":"text","pattern":"^a$","schema":{"pattern":"^b$"}}',
	'{"type":"time","schema":{"pattern":"^2[4-9]"}}', '{"type":"identifier","pattern":"^$"}', '{"type":"text","schema":{"format":"date","allOf":[{"format":"ipv4"}]}}', '{"type":"integer","min":1,"max":4,"step":5}', '{"type":"number","min":0.1,"max":0.4,"step":0.5}', '{"type":"number","min":-4,"max":-1,"step":5}',
	'{"type":"percentage","max":-1}', '{"type":"user","schema":{"pattern":"^rec_"}}', '{"type":"record-reference","schema":{"maxLength":5}}']::jsonb[]) AS field;
SELECT field - 'type' ->> 'schema' AS schema, field - 'schema' AS field, pg_temp.answer(field || format('{"label":"%s"}', number)::jsonb) FROM unnest(ARRAY[
	'{"type":"multi-select","options":["a","b"],"schema":{"minItems":2}}', '{"type":"tags","schema":{"minItems":3}}', '{"type":"date","schema":{"pattern":"^2026-"}}', '{"type":"date","pattern":"-31$"}', '{"type":"date","pattern":"^(1|2)\\d+-0?[0-9]"}',
	'{"type":"datetime","pattern":"Z$"}', '{"type":"email","pattern":"@example[.]com$"}', '{"type":"url","pattern":"^https://"}', '{"type":"phone","pattern":"^[+]49"}', '{"type":"text","pattern":"^.{5}$","maxLength":5}', '{"type":"text","pattern":"^[^a-z]+$","minLength":3}',
	'{"type":"text","pattern":"^\\p{L}+$","schema":{"pattern":"^[0-9]$"}}', '{"type":"date","pattern":"^(?!2026)"}', '{"type":"text","pattern":"^a$","schema":{"pattern":"^[^b]$"}}', '{"type":"text","pattern":"^[äö]$","schema":{"pattern":"[^a-z]"}}', '{"type":"text","pattern":"^\\W$","schema":{"pattern":"^[^!-~ ]$"}}',
	'{"type":"integer","min":1,"max":5,"step":5}', '{"type":"integer","min":-5,"max":-5,"step":5}', '{"type":"number","min":-9,"max":-3,"step":5}', '{"type":"duration","pattern":"^PT[0-9]+M$"}', '{"type":"text","pattern":"^(a|b)*c{2,3}$","minLength":100,"maxLength":300}']::jsonb[]) WITH ORDINALITY AS f (field, number);
-- what would take long is left: thousands of branches end at once
SELECT pg_temp.answer(jsonb_build_object('type', 'text', 'schema', jsonb_build_object('allOf',
	(SELECT jsonb_agg('{"anyOf":[{"type":"number"},{"type":"array"},{"minLength":3},{"maxLength":2}]}'::jsonb) FROM generate_series(1, 300))))) AS long;
