-- Exports: who may ask for one and with what, what its rows are, and that a worker gets them as the caller would, from one state.
-- codes have the year in them
SET qehs.clock = '2026-06-01T12:00:00Z';
\set ECHO none
\o /dev/null
SELECT qehs.tenant_create('exports', 'Exports');
SELECT qehs.use_tenant('exports');
SELECT qehs.user_create('ann', 'Ann Archer', roles => '{clerk}') ->> 'id' AS ann \gset
SELECT qehs.user_create('bob', 'Bob', roles => '{reader}');
SELECT qehs.module_publish('visits', '{"key":"visits","name":"Visits","displayCode":{"prefix":"V"},
	"fields":[{"key":"title","label":{"en":"Title","de":"Titel"},"type":"text","required":true},{"key":"due","type":"date"},{"key":"seen","type":"datetime","indexed":true},
		{"key":"cost","type":"currency"},{"key":"weight","type":"quantity","unit":"kg"},{"key":"tags","type":"multi-select","options":["a","b"]},{"key":"done","type":"boolean"},
		{"key":"span","type":"date-range"},{"key":"place","type":"geolocation"},{"key":"who","type":"user"},{"key":"n","type":"number","indexed":true},{"key":"notes","type":"text"},
		{"key":"parts","type":"table","fields":[{"key":"name","type":"text"},{"key":"count","type":"integer"}]},{"key":"old","type":"text","deprecated":true}],
	"workflow":{"states":["open","closed"],"initial":"open","transitions":{"close":{"from":"open","to":"closed"}}},
	"permissions":{"roles":{"clerk":["read","create","export"],"reader":["read"],"@createdBy":["read","update","export"]},"fields":{"notes":{"read":["tenant-admin"]}}}}');
SELECT qehs.record_create('visits', jsonb_build_object('title', 'Visit ' || n, 'n', n, 'notes', 'secret')) FROM generate_series(1, 3) AS n;
SELECT qehs.record_create('visits', ('{"title":"=1+1","due":"2026-02-03","seen":"2026-02-03T10:00:00+02:00","cost":{"amount":12.50,"currency":"EUR"},"weight":{"value":3,"unit":"kg"},"tags":["a","b"],
	"done":true,"span":{"from":"2026-01-01","to":"2026-01-31"},"place":{"lat":48.1,"lon":11.5},"n":4,"notes":"secret","parts":[{"name":"p","count":2},{"name":"q"}]}'::jsonb)
	|| jsonb_build_object('who', :'ann')) ->> 'id' AS gone \gset
CREATE FUNCTION pg_temp.ask(VARIADIC arguments text[]) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	RETURN (qehs.export_create('visits', arguments[1], sort => arguments[2], columns => arguments[3]::text[], filter => arguments[4]::jsonb,
		include_deleted => arguments[5]::boolean, accept_language => arguments[6])) ->> 'status';
END $$;
CREATE FUNCTION pg_temp.rows(OUT line text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	claimed json := qehs.job_claim('{export}', 'w');
BEGIN
	PERFORM qehs.job_begin(claimed ->> 'tenant', claimed ->> 'jobId', 'w');
	SELECT string_agg(c ->> 'key' || ' ' || (c ->> 'label') || ' ' || (c ->> 'type') || coalesce(' ' || (c -> 'fields')::text, ''), ', ') INTO line
		FROM json_array_elements(qehs.export_open(claimed ->> 'jobId') -> 'columns') AS c;
	RETURN NEXT;
	LOOP
		line := qehs.export_fetch(2);
		EXIT WHEN line IS NULL;
		RETURN QUERY SELECT l FROM regexp_split_to_table(rtrim(line, E'\n'), '\n') AS l;
	END LOOP;
	PERFORM qehs.job_finish(claimed ->> 'tenant', claimed ->> 'jobId', 'w', row_count => 4);
END $$;
\o
\set VERBOSITY terse
\set ECHO all
\pset format unaligned
\pset tuples_only
-- all that the caller may read, in the order of the definition, typed
SELECT qehs.use_tenant('exports', 'ann');
SELECT pg_temp.ask('csv', 'n');
SELECT regexp_replace(line, '"2[0-9-]{9}T[^"]*Z","System","2[^"]*Z","System"', 'T') FROM pg_temp.rows() AS line;
-- columns, labels in a language, an order; NDJSON has whole records or what is asked for
SELECT pg_temp.ask('csv', '-n', '{title,payload.n}', '{"n":{"gt":1}}', NULL, 'de');
SELECT * FROM pg_temp.rows();
SELECT pg_temp.ask('ndjson', 'n', '{displayCode,n,notes}');
SELECT * FROM pg_temp.rows();
SELECT pg_temp.ask('ndjson', 'n');
SELECT regexp_replace(substring(line from '"payload":(.*),"version"'), 'usr_\w+', 'usr') FROM pg_temp.rows() AS line WHERE line LIKE '{%';
-- a field that the caller may not read is no condition and no order
SELECT pg_temp.ask('csv', 'notes');
SELECT pg_temp.ask('csv', NULL, NULL, '{"notes":"secret"}');
-- who reads a record need not export it: a role gives that, or the record itself
SELECT qehs.use_tenant('exports', 'bob');
SELECT pg_temp.ask('csv', 'n');
SELECT count(*) FROM pg_temp.rows();
-- deleted records, with the scope of their trail, also by fields that have an index
SELECT qehs.use_tenant('exports');
SELECT qehs.record_delete(:'gone');
SELECT pg_temp.ask('csv', '-n', '{displayCode,n,deletedAt}', '{"n":{"gte":3}}', 'true');
SELECT regexp_replace(line, '2[0-9-]{9}T[^"]*Z', 'T') FROM pg_temp.rows() AS line;
SELECT pg_temp.ask('csv', '-n', '{displayCode,n}', '{"n":{"gte":3}}');
SELECT * FROM pg_temp.rows();
-- every fault at once, each at its place in the request
\set VERBOSITY default
SELECT qehs.export_create('visits', 'tiff');
SELECT qehs.export_create('visits', 'xlsx', bom => true, dates => 'local', paper => 'A5', time_zone => 'Mars', record_id => 'rec_1');
SELECT qehs.export_create('visits', 'csv', filter => '{"nope":1}', sort => 'cost', columns => '{title,nope}', status => 'gone', created_from => 'x', q => '');
SELECT qehs.export_create('visits', 'csv', columns => '{}', dates => 'locale');
SELECT qehs.export_create('nope', 'csv');
\set VERBOSITY terse
-- a fetch without an open export, and outside of its transaction
SELECT qehs.export_fetch(1);
-- the rights are those that the caller has when the file is written
SELECT qehs.use_tenant('exports', 'ann');
SELECT pg_temp.ask('csv');
SELECT qehs.use_tenant('exports');
SELECT qehs.user_deactivate('ann') \g /dev/null
SELECT * FROM pg_temp.rows();
-- the trail says who asked for what
SELECT e ->> 'type', e -> 'actor' ->> 'displayName', e ->> 'recordId', e -> 'export' ->> 'format', e -> 'export' ->> 'filter'
	FROM json_array_elements(qehs.audit_list(action => 'exported') -> 'items') AS e LIMIT 3;
