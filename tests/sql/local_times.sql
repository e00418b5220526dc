-- A datetime with timeZone takes times without an offset; filters do too.
\set VERBOSITY default
\set SHOW_CONTEXT never
\set ECHO none
\o /dev/null
SELECT qehs.tenant_create('local', 'A tenant');
SELECT qehs.use_tenant('local');
\o
\set ECHO all
SELECT qehs.module_publish('shifts', '{"key":"shifts","name":"Shifts","displayCode":{"prefix":"SHI"},"fields":[{"key":"a","type":"datetime","timeZone":"Europe/Nowhere"},{"key":"b","type":"datetime","timeZone":"+02:00"},
	{"key":"c","type":"datetime","timeZone":"EST5EDT"},{"key":"d","type":"date","timeZone":"Europe/Berlin"},{"key":"e","type":"datetime","timeZone":1}],"workflow":{"states":["open"],"initial":"open","transitions":{}}}');
SELECT qehs.module_publish('shifts', '{"key":"shifts","name":"Shifts","displayCode":{"prefix":"SHI"},"fields":[{"key":"n","type":"integer"},{"key":"at","type":"datetime","timeZone":"Europe/Berlin","indexed":true},
	{"key":"plain","type":"datetime"},{"key":"rows","type":"table","fields":[{"key":"at","type":"datetime","timeZone":"America/New_York"}]}],"workflow":{"states":["open"],"initial":"open","transitions":{}}}')::jsonb -> 'definitionVersion' AS version;
-- summer and winter, the hour that comes twice, the one that is left out, old offsets; one that is told stays
CREATE FUNCTION pg_temp.stored(value text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	detail text;
BEGIN
	RETURN qehs.record_create('shifts', jsonb_build_object('at', value))::jsonb -> 'payload' ->> 'at';
EXCEPTION WHEN SQLSTATE 'QH400' THEN
	RETURN 'refused';
END $$;
SELECT value, pg_temp.stored(value) FROM unnest(ARRAY['2026-07-01T08:00', '2026-01-01 08:00:30', '2026-10-25T02:30', '2026-03-29T02:30', '2026-01-01T08:00:00.250', '1900-06-01T12:00', '2026-01-01T08:00:00-05:00', '2026-01-01T08:00Z',
	'2026-02-30T08:00', '2026-01-01T24:00', '2026-01-01T08', '2026-01-01', '2026-01-01T08:00:61', '2026-01-01T08:00:00.', '20260101T0800', '2026-01-01T8:00']) AS value;
SELECT qehs.record_create('shifts', '{"n":1,"rows":[{"at":"2026-07-01T08:00"},{}]}')::jsonb -> 'payload' AS payload;
SELECT qehs.record_create('shifts', '{"plain":"2026-07-01T08:00"}');
SELECT item -> 'payload' ->> 'at' AS at FROM jsonb_array_elements(qehs.record_list('shifts', '{"at":{"gte":"2026-07-01T08:00","lt":"2026-07-01T06:00:01Z"}}')::jsonb -> 'items') AS item;
SELECT count(*) FROM jsonb_array_elements(qehs.record_list('shifts', '{"at":{"in":"2026-01-01 08:00:30,2026-07-01T08:00:00+02:00"}}')::jsonb -> 'items');
SELECT qehs.record_list('shifts', '{"plain":"2026-07-01T08:00"}');
