-- visibleWhen and requiredWhen: what is hidden is neither required nor looked at, what is required is not empty.
\set tenant field_conditions
\set ECHO none
\o /dev/null
SELECT qehs.tenant_create('field_conditions', 'A tenant');
SELECT qehs.use_tenant('field_conditions');
SELECT qehs.user_create('berta', 'Berta', roles => '{tenant-user}');
\o
\set ECHO all
\set VERBOSITY default
SELECT qehs.module_publish('asks', '{"key":"asks","name":"Asks","displayCode":{"prefix":"ASK"},
 "fields":[{"key":"kind","type":"select","options":["a","b","c"]},{"key":"n","type":"number"},
  {"key":"only_a","type":"text","required":true,"maxLength":3,"visibleWhen":"$.kind == \"a\""},
  {"key":"money","type":"currency","visibleWhen":"$.kind == \"a\"","required":true},
  {"key":"box","type":"object","visibleWhen":"$.kind == \"b\"","required":true,"fields":[{"key":"x","type":"number","required":true},
    {"key":"y","type":"text","visibleWhen":"$.x > 1","required":true},{"key":"z","type":"text","requiredWhen":"$.x > 2"}]},
  {"key":"rows","type":"table","requiredWhen":"$.kind == \"c\"","fields":[{"key":"x","type":"number"},{"key":"y","type":"text","requiredWhen":"$.x > 1"},
    {"key":"z","type":"email","visibleWhen":"$.x > 5"}]},
  {"key":"why","type":"text","requiredWhen":"$.kind == \"c\" && $.n > 5"},{"key":"tags","type":"multi-select","options":["p","q"],"requiredWhen":"$.n == 7"},
  {"key":"for_owner","type":"text","requiredWhen":"exists($roles[*] ? (@ == \"tenant-owner\")) && $.n == 9"},
  {"key":"odd","type":"text","requiredWhen":"$.n + 1","visibleWhen":"strict $.nowhere.x == 1"}],
 "workflow":{"states":["open"],"initial":"open","transitions":{}},"permissions":{"roles":{"tenant-user":["read","create","update"]}}}')::jsonb #> '{jsonSchema,required}' AS required;
CREATE FUNCTION pg_temp.faults(payload jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	detail text;
BEGIN
	PERFORM qehs.record_create('asks', payload);
	RETURN 'holds';
EXCEPTION WHEN SQLSTATE 'QH400' THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN (SELECT string_agg(substr(e ->> 'path', 10) || ' ' || (e ->> 'code'), ', ') FROM jsonb_array_elements(detail::jsonb -> 'errors') AS e);
END;
$$;
SELECT payload, pg_temp.faults(payload) FROM (VALUES ('{}'::jsonb), ('{"kind":"a"}'), ('{"kind":"a","only_a":"","money":{"amount":1,"currency":"XYZ"}}'),
	('{"kind":"b","only_a":"too long","money":"none","box":{"x":1,"y":5}}'), ('{"only_a":5,"money":{"amount":"x"},"box":[]}'), ('{"kind":"b"}'), ('{"kind":"b","box":{}}'),
	('{"kind":"b","box":{"x":2}}'), ('{"kind":"b","box":{"x":3,"y":"y","z":""}}'), ('{"kind":"c"}'), ('{"kind":"c","rows":[]}'), ('{"kind":"c","rows":[{"x":1,"z":"bad"},{"x":2},{"x":6,"y":"y","z":"bad"}]}'),
	('{"kind":"c","n":6,"rows":[{}]}'), ('{"kind":"c","n":6,"rows":[{}],"why":""}'), ('{"kind":"c","n":6,"rows":[{}],"why":"so"}'), ('{"n":7}'), ('{"n":7,"tags":[]}'), ('{"n":7,"tags":["p"]}'),
	('{"n":9}'), ('{"n":1,"odd":5}'), ('{"unknown":1,"only_a":{"x":1}}')) AS v (payload);
SELECT qehs.use_tenant('field_conditions', 'berta');
SELECT pg_temp.faults('{"n":9}') AS other_roles;
-- a list that is required has an entry
SELECT qehs.use_tenant('field_conditions');
SELECT qehs.module_publish('lists', '{"key":"lists","name":"Lists","displayCode":{"prefix":"LST"},
 "fields":[{"key":"tags","type":"multi-select","options":["p","q"],"required":true},{"key":"rows","type":"table","required":true,"fields":[{"key":"x","type":"number"}]}],
 "workflow":{"states":["open"],"initial":"open","transitions":{}}}')::jsonb -> 'definitionVersion' AS version;
SELECT qehs.record_create('lists', '{"tags":[],"rows":[]}');
SELECT qehs.record_create('lists', '{"tags":["p"],"rows":[{}]}')::jsonb -> 'payload' AS payload;
