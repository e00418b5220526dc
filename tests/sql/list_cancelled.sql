-- A page trimmed to small members of large records is cancelled between two of them, and holds one at a time.
\set VERBOSITY sqlstate
\set ECHO none
\o /dev/null
SELECT qehs.tenant_create('cancelled', 'A tenant');
SELECT qehs.use_tenant('cancelled');
SELECT qehs.module_publish('notes', '{"key":"notes","name":"Notes","displayCode":{"prefix":"N"},"fields":[{"key":"n","type":"integer"},{"key":"body","type":"text","maxLength":1000000}],
 "workflow":{"states":["a"],"initial":"a","transitions":{}}}');
SELECT qehs.record_create('notes', jsonb_build_object('n', i, 'body', noise)) FROM (SELECT string_agg(md5(i::text), '') AS noise FROM generate_series(1, 28000) AS i) AS one, generate_series(1, 40) AS i;
\c -
SELECT qehs.use_tenant('cancelled');
-- blocks of large values that this session has read
CREATE FUNCTION pg_temp.blocks() RETURNS int8 LANGUAGE sql AS $$
	SELECT pg_stat_clear_snapshot();
	SELECT pg_statio.toast_blks_read + pg_statio.toast_blks_hit FROM pg_statio_all_tables AS pg_statio WHERE pg_statio.relid = 'qehs.record'::regclass $$;
CREATE FUNCTION pg_temp.peak() RETURNS int8 LANGUAGE sql RETURN (regexp_match(pg_read_file('/proc/self/status'), 'VmPeak:\s+(\d+) kB'))[1]::int8;
SELECT pg_stat_force_next_flush();
SELECT pg_temp.blocks() AS none, pg_temp.peak() AS peak \gset
\o
\set ECHO all
SELECT length(page::text) < 4000 AS short, json_array_length(page -> 'items') AS items FROM qehs.record_list('notes', fields => 'payload.n', page_size => 200) AS page;
SELECT pg_temp.peak() - :peak < 20000 AS "holds few of 36 MB";
\set ECHO none
\o /dev/null
SELECT pg_stat_force_next_flush();
SELECT pg_temp.blocks() AS whole \gset
\o
\set ECHO all
SET statement_timeout = '5ms';
SELECT qehs.record_list('notes', fields => 'payload.n', page_size => 200);
RESET statement_timeout;
\set ECHO none
\o /dev/null
SELECT pg_stat_force_next_flush();
SELECT pg_temp.blocks() AS part \gset
\o
\set ECHO all
SELECT :whole - :none > 0 AS read, :part - :whole < :whole - :none AS "ended before the last record";
