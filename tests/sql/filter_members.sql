-- Members of objects and of values filter by their types; one that a type does not have, null, and what a field does not list (a unit, a comparator, a band) are
-- refused by name, unless a version before had it.
\set VERBOSITY terse
\set ECHO none
\o /dev/null
SELECT qehs.tenant_create('filter_members', 'A tenant');
SELECT qehs.use_tenant('filter_members');
CREATE FUNCTION pg_temp.publish(units jsonb, migrate jsonb) RETURNS json LANGUAGE sql AS $$
SELECT qehs.module_publish('samples', jsonb_build_object('key', 'samples', 'name', 'Samples', 'displayCode', '{"prefix":"S"}'::jsonb, 'workflow', '{"states":["new"],"initial":"new"}'::jsonb,
 'fields', jsonb_build_array('{"key":"no","type":"integer"}'::jsonb, jsonb_build_object('key', 'level', 'type', 'quantity', 'units', units, 'comparators', '["<",">"]'::jsonb),
  '{"key":"mass","type":"quantity","unit":"kg"}'::jsonb, '{"key":"any","type":"quantity"}'::jsonb, '{"key":"cost","type":"currency"}'::jsonb, '{"key":"risk","type":"matrix-score"}'::jsonb, '{"key":"span","type":"date-range"}'::jsonb,
  '{"key":"spot","type":"geolocation"}'::jsonb, '{"key":"names","type":"tags"}'::jsonb,
  '{"key":"place","type":"object","fields":[{"key":"site","type":"text"},{"key":"floor","type":"integer"},{"key":"kind","type":"select","options":["in","out"]},{"key":"deep","type":"object","fields":[{"key":"on","type":"date"}]}]}'::jsonb)) || coalesce(migrate, '{}'))
$$;
SELECT pg_temp.publish('["mg/m3","ppm"]', NULL);
SELECT qehs.record_create('samples', payload) FROM unnest(ARRAY[
 '{"no":1,"level":{"value":0.5,"unit":"mg/m3","comparator":"<"},"cost":{"amount":12.50,"currency":"EUR"},"risk":{"likelihood":2,"severity":3},"place":{"site":"Köln/Nord","floor":3,"kind":"in","deep":{"on":"2026-03-01"}}}',
 '{"no":2,"level":{"value":7,"unit":"ppm"},"mass":{"value":3,"unit":"kg"},"cost":{"amount":99,"currency":"USD"},"span":{"from":"2026-01-01","to":"2026-01-31"},"place":{"site":"Ulm","floor":10,"kind":"out"}}',
 '{"no":3,"any":{"value":1,"unit":"bar"},"risk":{"likelihood":5,"severity":5},"spot":{"lat":50.9,"lon":6.9}}']::jsonb[]) AS payload;
CREATE FUNCTION pg_temp.asked(filter jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE detail text;
BEGIN
	RETURN (SELECT coalesce(string_agg(item -> 'payload' ->> 'no', ' '), 'none') FROM json_array_elements(qehs.record_list('samples', filter, sort => 'no') -> 'items') AS item);
EXCEPTION WHEN SQLSTATE 'QH400' THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN (SELECT string_agg((fault ->> 'path') || ' ' || (fault ->> 'message'), '; ') FROM json_array_elements(detail::json -> 'errors') AS fault);
END $$;
\o
\pset format unaligned
\pset tuples_only on
\set ECHO all
SELECT filter, pg_temp.asked(filter) FROM unnest(ARRAY['{"place.floor":{"gte":3}}', '{"place.site":"Köln/Nord"}', '{"place.kind":"out"}', '{"place.deep.on":"2026-03-01"}', '{"place.deep.on":{"lt":"2026-01-01"}}', '{"not":{"place.floor":10}}',
 '{"level.unit":"ppm"}', '{"level.unit":{"gt":"n"}}', '{"level.comparator":"<"}', '{"level.comparator":{"exists":false}}', '{"mass.unit":"kg"}', '{"any.unit":"bar"}', '{"any.unit":"psi"}', '{"cost":{"gt":50}}', '{"cost.currency":{"in":"EUR,USD"}}',
 '{"risk.band":{"startsWith":"m"}}', '{"risk.score":25}', '{"risk.likelihood":{"lte":2}}', '{"span.from":{"lte":"2026-01-15"}}', '{"spot.lat":{"gt":50}}']::jsonb[]) AS filter;
SELECT filter, pg_temp.asked(filter) FROM unnest(ARRAY['{"level.nope":1}', '{"cost.nope":"EUR"}', '{"risk.nope":1}', '{"span.nope":1}', '{"spot.nope":1}', '{"place.nope":1}', '{"place.deep.nope":1}', '{"place.site.x":1}', '{"names.x":1}', '{"no.x":1}', '{"level.":1}', '{".level":1}',
 '{"level.unit":"kg"}', '{"level.unit":{"in":"ppm,kg"}}', '{"level.comparator":"~"}', '{"mass.unit":{"ne":"g"}}', '{"risk.band":"huge"}', '{"place.kind":"up"}', '{"place.floor":"x"}', '{"place.deep.on":"01/03/2026"}',
 '{"level":null}', '{"level.unit":null}', '{"cost.currency":null}', '{"place.floor":null}', '{"place":null}', '{"level":{"eq":null}}', '{"level":{"in":[1,null]}}', '{"place":{"floor":3}}', '{"cost":{"currency":"EUR"}}']::jsonb[]) AS filter;
-- a unit that a version before had is one that records may have
SELECT pg_temp.publish('["mg/m3","ug/m3"]', '{"migrate":{"rename":{"level":"level"}}}') ->> 'definitionVersion';
SELECT pg_temp.asked('{"level.unit":"ppm"}'), pg_temp.asked('{"level.unit":"ug/m3"}'), pg_temp.asked('{"level.unit":"kg"}');
