-- A datetime without timeZone takes times without an offset once the tenant's calendar names a zone; filters and loads do too.
\set VERBOSITY default
\set SHOW_CONTEXT never
\set ECHO none
\o /dev/null
SELECT qehs.tenant_create('zoned', 'A tenant'), qehs.tenant_create('unzoned', 'Another');
SELECT qehs.use_tenant('zoned');
\o
\set ECHO all
SELECT qehs.module_publish('shifts', '{"key":"shifts","name":"Shifts","displayCode":{"prefix":"SHI"},"fields":[{"key":"at","type":"datetime","indexed":true},{"key":"there","type":"datetime","timeZone":"America/New_York"},
	{"key":"rows","type":"table","fields":[{"key":"at","type":"datetime"}]},{"key":"note","type":"text"}],"workflow":{"states":["open"],"initial":"open","transitions":{}}}')::jsonb -> 'definitionVersion' AS version;
-- no zone is named: neither without a calendar nor with one that only says when people work
SELECT qehs.record_create('shifts', '{"at":"2026-07-01T08:00"}');
SELECT qehs.calendar_set(working_days => '{1,2,3}') \g /dev/null
SELECT qehs.calendar_get() ->> 'timeZone' AS zone;
SELECT qehs.record_create('shifts', '{"at":"2026-07-01T08:00"}');
-- the tenant's zone, unless the field has its own, or the time has an offset
SELECT qehs.calendar_set('Europe/Berlin') \g /dev/null
SELECT qehs.calendar_get() ->> 'timeZone' AS zone;
SELECT r ->> 'id' AS id, r -> 'payload' AS payload FROM (SELECT qehs.record_create('shifts', '{"at":"2026-07-01T08:00","there":"2026-07-01T08:00","rows":[{"at":"2026-01-01 08:00:30"},{"at":"2026-01-01T08:00:00Z"}],"note":"2026-07-01T08:00"}') AS r) AS r \gset
SELECT :'payload' AS payload;
SELECT qehs.record_create('shifts', '{"at":"2026-02-30T08:00"}');
SELECT line::jsonb -> 'status' AS status FROM qehs.bulk_load_csv('shifts', E'at,note\n2026-12-01 06:30,winter\n2026-06-01T06:30,summer\n') AS line;
SELECT i -> 'payload' -> 'at' AS at FROM jsonb_array_elements(qehs.record_list('shifts', sort => 'at')::jsonb -> 'items') AS i;
SELECT i -> 'payload' -> 'at' AS at FROM jsonb_array_elements(qehs.record_list('shifts', '{"at":{"gte":"2026-07-01T08:00","lt":"2026-07-01T06:00:01Z"}}')::jsonb -> 'items') AS i;
-- what is stored keeps the offset that it got
SELECT qehs.calendar_set('Asia/Tokyo') \g /dev/null
SELECT qehs.record_update(:'id', '{"note":"moved"}')::jsonb -> 'payload' -> 'at' AS at;
SELECT qehs.record_update(:'id', '{"at":"2026-07-01T08:00"}')::jsonb -> 'payload' -> 'at' AS at;
-- another tenant has its own calendar
SELECT qehs.use_tenant('unzoned') \g /dev/null
SELECT qehs.module_publish('shifts', '{"key":"shifts","name":"Shifts","displayCode":{"prefix":"SHI"},"fields":[{"key":"at","type":"datetime"}],"workflow":{"states":["open"],"initial":"open","transitions":{}}}')::jsonb -> 'definitionVersion' AS version;
SELECT qehs.record_create('shifts', '{"at":"2026-07-01T08:00"}');
