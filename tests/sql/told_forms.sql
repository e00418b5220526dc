-- A value, a line or a definition of another form than the one wanted is told the form, and where it can be seen what was found.
\set VERBOSITY terse
\set ECHO none
\o /dev/null
SELECT qehs.tenant_create('toldforms', 'A tenant');
SELECT qehs.use_tenant('toldforms');
SELECT qehs.module_publish('visits', '{"key":"visits","name":"Visits","displayCode":{"prefix":"V"},
 "fields":[{"key":"day","type":"date"},{"key":"seen","type":"datetime"},{"key":"took","type":"duration"},{"key":"mail","type":"email"},
  {"key":"at","type":"text","schema":{"format":"time"}},{"key":"span","type":"date-range"}],"workflow":{"states":["open"],"initial":"open"}}');
CREATE FUNCTION pg_temp.faults(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE detail text;
BEGIN
	EXECUTE call;
	RETURN 'fine';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN coalesce((SELECT string_agg((fault ->> 'path') || ' ' || (fault ->> 'code') || ': ' || (fault ->> 'message'), E'\n') FROM json_array_elements(detail::json -> 'errors') AS fault), SQLERRM);
END
$$;
-- What becomes of the lines of a text in some encoding.
CREATE FUNCTION pg_temp.told(lines bytea) RETURNS SETOF text LANGUAGE sql AS $$
SELECT (a::json ->> 'status') || coalesce(' ' || (a::json -> 'errors' -> 0 ->> 'code') || ': ' || (a::json -> 'errors' -> 0 ->> 'message'), '')
FROM string_to_table(qehs.bulk_load('visits', lines, dry_run => true), E'\n') AS a WHERE a <> ''
$$;
\o
\pset format unaligned
\pset tuples_only on
\set ECHO all
SELECT pg_temp.faults(format('SELECT qehs.record_create(''visits'', %L)', payload)) FROM unnest(ARRAY['{"day":"3/14/2024"}', '{"day":"14.03.2024"}', '{"day":"20040101"}', '{"day":20040101}',
	'{"day":"2024-02-30"}', '{"day":"2024-03-14T00:00:00Z"}', '{"seen":"2024-03-14T09:30:00"}', '{"seen":"2024-03-14 09:30"}', '{"seen":"2024-03-14"}', '{"seen":1710405000}', '{"seen":"2024-03-14T09:30:00+0100"}',
	'{"took":"90 min"}', '{"took":90}', '{"mail":"ann at example.com"}', '{"at":"09:30:00"}', '{"at":"9:30 am"}', '{"span":{"from":"Mar 2024","to":"2024-13-01"}}', '{"day":{"en":"x"}}']) AS payload;
SELECT left(pg_temp.faults(format('SELECT qehs.record_create(''visits'', %L)', jsonb_build_object('day', repeat('long ', 100)))), 300);
-- files that are no lines of objects: other encodings, arrays in one and many lines, an indented object, CSV, archives
SELECT pg_temp.told('\xfffe7b0022006400610079002200');
SELECT pg_temp.told('\xfeff007b0022006400610079002200');
SELECT pg_temp.told('\x7b00220064006100790022003a006e0075006c006c007d000a007b007d00');
SELECT pg_temp.told(convert_to('{"mail":"é"}', 'LATIN1'));
SELECT pg_temp.told('[{"day":null},{"day":null}]');
SELECT pg_temp.told(E'[{"day":null},\n{"day":null},\n{"day":null}\n]');
SELECT pg_temp.told(E'{\n  "day": null,\n  "mail": null\n}');
SELECT pg_temp.told(E'{"day":null} , \n{"day":');
SELECT pg_temp.told(E'day,mail\n2024-01-01,a@example.com\n"a",2');
SELECT pg_temp.told('\x504b0304140000'), pg_temp.told('\x1f8b080000');
-- names and descriptions in two languages
SELECT pg_temp.faults($$SELECT qehs.module_publish('two', '{"key":"two","name":{"en":"Two","de":"Zwei"},"description":{"en":"a"},"displayCode":{"prefix":"T"},"fields":[{"key":"a","type":"text"}],"workflow":{"states":["open"],"initial":"open"}}')$$);
SELECT pg_temp.faults($$SELECT qehs.module_publish('two', '{"key":"two","displayCode":{"prefix":"T"},"fields":[{"key":"a","type":"text","description":{"de":"b"}}],"workflow":{"states":["open"],"initial":"open"}}')$$);
-- in queries
SELECT pg_temp.faults(format('SELECT qehs.record_list(''visits'', %L)', filter)) FROM unnest(ARRAY['{"day":"3/14/2024"}', '{"seen":{"gt":"2024-03-14T09:30:00"}}', '{"took":"90"}']) AS filter;
SELECT pg_temp.faults(format('SELECT qehs.record_list(''visits'', created_from => %L)', text)) FROM unnest(ARRAY['14.3.2024', '2024-03-14T09:30:00']) AS text;
-- types whose form is an object or a list, and numbers as people write them
\set ECHO none
\o /dev/null
SELECT qehs.module_publish('forms', '{"key":"forms","name":"Forms","displayCode":{"prefix":"F"},"fields":[
 {"key":"weight","type":"quantity","unit":"kg"},{"key":"dust","type":"quantity","units":["mg/m3","ppm"],"comparators":["<"]},{"key":"any","type":"quantity"},{"key":"cost","type":"currency"},
 {"key":"span","type":"date-range"},{"key":"spot","type":"geolocation"},{"key":"sign","type":"signature"},{"key":"risk","type":"matrix-score"},
 {"key":"kinds","type":"multi-select","options":["dust","noise","heat"]},{"key":"words","type":"tags"},{"key":"about","type":"record-references"},{"key":"one","type":"record-reference"},{"key":"who","type":"user"},
 {"key":"place","type":"object","fields":[{"key":"city","type":"text"},{"key":"floor","type":"integer"}]},{"key":"rows","type":"table","fields":[{"key":"name","type":"text"},{"key":"hours","type":"number"}]},
 {"key":"yes","type":"boolean"},{"key":"much","type":"number"},{"key":"count","type":"integer"},{"key":"share","type":"percentage"},{"key":"at","type":"time"},{"key":"note","type":"text"},{"key":"photo","type":"image"}],
 "workflow":{"states":["open"],"initial":"open"}}');
\o
\set ECHO all
SELECT pg_temp.faults(format('SELECT qehs.record_create(''forms'', %L)', jsonb_build_object(key, value))) FROM (VALUES ('weight', '"5 kg"'::jsonb), ('weight', '5'), ('weight', '{"value":"5,5","unit":"kg"}'), ('weight', '{"value":5}'), ('weight', '[5,"kg"]'),
	('dust', '"<0.5"'), ('any', '"5"'), ('cost', '"12,50 €"'), ('cost', '12.5'), ('cost', '{"amount":"12,50","currency":"EUR"}'), ('span', '"January 2026"'), ('span', '["2026-01-01","2026-01-31"]'),
	('spot', '"48.1 N 11.6 E"'), ('spot', '[11.6,48.1]'), ('spot', '{"lat":"48.1","lon":11.6}'), ('sign', '"Kim Lee"'), ('risk', '12'), ('risk', '"3x4"'), ('kinds', '"dust, noise"'), ('kinds', '{"dust":true}'), ('words', '"forklift"'),
	('about', '"INC-2026-0001"'), ('one', '7'), ('who', '7'), ('place', '"Ulm"'), ('place', '{"city":"Ulm","floor":"2nd"}'), ('rows', '{"name":"Kim"}'), ('rows', '["Kim"]'), ('rows', '[{"name":"Kim","hours":"7,5"}]'),
	('yes', '"Yes"'), ('yes', '1'), ('much', '"1.234,5"'), ('count', '"12 pcs"'), ('count', '1.5'), ('share', '"50 %"'), ('at', '930'), ('note', '5'), ('note', '["a"]'), ('photo', '5'),
	('much', to_jsonb(repeat('many ', 30)))) AS v (key, value);
