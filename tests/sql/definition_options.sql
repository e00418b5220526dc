-- An option stands with the types that it is for, and has the form that it must have; elsewhere it is refused, never ignored.
\set tenant definition_options
\set ECHO none
\o /dev/null
SELECT qehs.tenant_create('definition_options', 'A tenant');
SELECT qehs.use_tenant('definition_options');
CREATE FUNCTION pg_temp.faults(fields jsonb) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	detail text;
BEGIN
	PERFORM qehs.module_publish('tried', jsonb_build_object('key', 'tried', 'name', 'Tried', 'displayCode', '{"prefix":"TRY"}'::jsonb, 'fields', fields,
		'workflow', '{"states":["open"],"initial":"open","transitions":{}}'::jsonb));
EXCEPTION WHEN SQLSTATE 'QH400' THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN QUERY SELECT format('%s (%s) %s', substr(e ->> 'path', 9), e ->> 'code', e ->> 'message') FROM jsonb_array_elements(detail::jsonb -> 'errors') AS e;
END;
$$;
\o
\pset format unaligned
\pset tuples_only on
-- which types refuse which option
SELECT o.option, string_agg(t.type, ' ' ORDER BY t.number) FROM unnest('{text,rich-text,email,phone,url,identifier,number,integer,quantity,currency,percentage,date,datetime,duration,date-range,boolean,select,multi-select,lookup,record-reference,user,location,geolocation,file,image,signature,matrix-score,table,object,computed}'::text[]) WITH ORDINALITY AS t (type, number),
	(VALUES ('options', '["a"]'::jsonb), ('min', '1'), ('max', '1'), ('step', '1'), ('minLength', '1'), ('maxLength', '100'), ('pattern', '"."'), ('unit', '"kg"'), ('units', '["kg"]'),
		('unique', 'true'), ('searchable', 'true'), ('indexed', 'true'), ('references', '"tried"'), ('size', '5'), ('bands', '[{"name":"x","max":25}]'), ('fields', '[{"key":"x","type":"text"}]'),
		('computed', '"1"'), ('expression', '"1"'), ('required', 'true'), ('requiredWhen', '"true"'), ('visibleWhen', '"true"'), ('deprecated', 'true'), ('personalData', 'true'),
		('description', '"x"'), ('label', '"x"'), ('schema', '{}')) AS o (option, value)
WHERE EXISTS (SELECT FROM pg_temp.faults(jsonb_build_array(jsonb_build_object('key', 'a', 'type', t.type)
	|| CASE WHEN t.type IN ('select', 'multi-select') THEN '{"options":["a"]}'::jsonb WHEN t.type = 'table' THEN '{"fields":[{"key":"x","type":"text"}]}'
		WHEN t.type = 'computed' AND o.option <> 'expression' THEN '{"computed":"1"}' ELSE '{}' END || jsonb_build_object(o.option, o.value))) AS f WHERE f LIKE '0/' || o.option || ' %')
GROUP BY 1 ORDER BY 1;
-- forms
SELECT pg_temp.faults('[{"key":"a","type":"text","required":1,"description":5,"personalData":"x","label":[],"schema":[],"minLength":1.5,"maxLength":-1,"pattern":5},
	{"key":"b","type":"number","min":"1","step":-1,"unit":5},{"key":"c","type":"select","options":["a","a",{"value":"b"},{"value":"b"},5,{"label":"x"},{"value":5}]},
	{"key":"d","type":"multi-select","options":[]},{"key":"e","type":"select"},{"key":"f","type":"record-reference","references":5},{"key":"g","type":"matrix-score","size":2.5},
	{"key":"h","type":"quantity","units":["kg","kg"]},{"key":"i"},{"type":"text"},{"key":"j","type":5},5,{"key":"k","type":"text","bogus":1},{"key":"l","type":"object","fields":{}},
	{"key":"m","type":"table","fields":[]}]');
