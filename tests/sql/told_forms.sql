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
