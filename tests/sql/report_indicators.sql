-- Indicators read sums that qehs.tick keeps: after each change they say what the views say, for who may read all that they are made of.
\set ECHO none
SET datestyle = 'ISO, YMD';
\o /dev/null
SELECT qehs.tenant_create('indicators', 'A tenant');
SELECT qehs.module_install('indicators', 'observations', 'inspections', 'actions', 'complaints', 'training', 'injury_cases', 'exposure_hours');
SELECT qehs.use_tenant('indicators');
SELECT id AS tenant FROM qehs.tenant WHERE slug = 'indicators' \gset
SELECT qehs.user_create('pat', 'Pat') ->> 'id' AS pat \gset
CREATE TEMP TABLE made (name text PRIMARY KEY, id text);
CREATE FUNCTION pg_temp.make(name text, module text, payload jsonb, state text DEFAULT NULL) RETURNS void LANGUAGE sql AS $$INSERT INTO made SELECT name, qehs.record_create(module, payload, state) ->> 'id'$$;
CREATE FUNCTION pg_temp.of(name text) RETURNS text LANGUAGE sql AS $$SELECT id FROM made AS m WHERE m.name = $1$$;
SELECT pg_temp.make('seen ' || i, 'observations', '{"kind":"near_miss","occurred_at":"2024-03-31T23:59:00Z","site":"A","description":"x","category":"lifting","potential_risk":{"likelihood":1,"severity":1}}', CASE i WHEN 4 THEN 'void' END) FROM generate_series(1, 4) AS i;
SELECT pg_temp.make('training ' || i, 'training', jsonb_build_object('person', :'pat', 'course', 'C' || i, 'requirement', 'legal', 'due_date', '2024-03-15', 'completed_on', format('2024-03-%s', 14 + i)), 'completed') FROM generate_series(1, 3) AS i;
SELECT pg_temp.make('spill', 'incidents', '{"title":"Spill","severity":"low","event_type":"environmental_release","occurred_at":"2024-04-01T00:00:00Z"}');
SELECT pg_temp.make('fire', 'incidents', '{"title":"Fire","severity":"low","event_type":"fire_explosion","occurred_at":"2024-04-01T00:00:00Z"}');
SELECT qehs.report_publish('indicators');
-- brings the sums up to date, and compares the view by them with the view by the records
CREATE FUNCTION pg_temp.same(OUT near_misses numeric, OUT releases numeric, OUT trainings text, OUT facts bigint, OUT differences bigint) LANGUAGE plpgsql AS $$
DECLARE
	tenant int4 := (SELECT t.id FROM qehs.tenant AS t WHERE t.slug = 'indicators');
BEGIN
	-- events are counted once they are ten seconds old, and no transaction is under way any more
	PERFORM qehs.report_trail_count(tenant, clock_timestamp() + interval '1 minute');
	PERFORM pg_sleep(0.02);
	UPDATE qehs.report_trail SET seen_before = '0', seen = clock_timestamp() + interval '10 seconds' WHERE tenant_id = tenant;
	PERFORM qehs.report_trail_count(tenant, clock_timestamp() + interval '1 minute');
	PERFORM pg_sleep(0.02);
	CREATE TEMP TABLE by_sums AS SELECT * FROM report_indicators.leading_lagging;
	UPDATE qehs.report_trail AS s SET is_whole = false WHERE s.tenant_id = tenant;
	SELECT sum(s.near_misses), sum(s.releases), string_agg(s.trainings_on_time::text, ' ') INTO near_misses, releases, trainings FROM by_sums AS s;
	facts := (SELECT count(*) FROM qehs.report_fact AS f WHERE f.tenant_id = tenant);
	differences := (SELECT count(*) FROM ((TABLE by_sums EXCEPT SELECT * FROM report_indicators.leading_lagging) UNION ALL (SELECT * FROM report_indicators.leading_lagging EXCEPT TABLE by_sums)) AS d);
	UPDATE qehs.report_trail AS s SET is_whole = true WHERE s.tenant_id = tenant;
	DROP TABLE by_sums;
END
$$;
\o
\set ECHO all
SELECT * FROM pg_temp.same();
-- what is counted is what the sums have, until the next tick
SELECT qehs.record_update(pg_temp.of('fire'), '{"event_type":"environmental_release"}') IS NOT NULL AS changed;
SELECT sum(releases) AS releases FROM report_indicators.leading_lagging;
SELECT * FROM pg_temp.same();
-- one that is new, one gone, one back, one in another month, one by its state
SELECT pg_temp.make('seen 5', 'observations', '{"kind":"near_miss","occurred_at":"2024-05-01T00:00:00Z","site":"A","description":"x","category":"lifting","potential_risk":{"likelihood":1,"severity":1}}');
SELECT qehs.record_delete(pg_temp.of('seen 1')), qehs.record_delete(pg_temp.of('seen 2'));
SELECT * FROM pg_temp.same();
SELECT qehs.record_restore(pg_temp.of('seen 1')) IS NOT NULL AS restored, qehs.record_update(pg_temp.of('spill'), '{"occurred_at":"2024-06-01T00:00:00Z"}') IS NOT NULL AS moved, qehs.record_transition(pg_temp.of('seen 3'), 'void', comment => 'x') IS NOT NULL AS void;
SELECT * FROM pg_temp.same();
-- what has changed is looked up record by record: neither the records nor the trail are read whole with each step
SELECT count(pg_temp.make('more ' || i, 'observations', '{"kind":"near_miss","occurred_at":"2024-07-01T00:00:00Z","site":"A","description":"x","category":"lifting","potential_risk":{"likelihood":1,"severity":1}}')) FROM generate_series(1, 200) AS i;
SELECT * FROM pg_temp.same();
SELECT qehs.record_update(pg_temp.of('spill'), '{"occurred_at":"2024-05-01T00:00:00Z"}') IS NOT NULL AS moved;
ANALYZE qehs.record, qehs.audit_event;
SELECT pg_sleep(0.02);
BEGIN;
SELECT COALESCE(sum(seq_scan), 0) AS scans FROM pg_stat_xact_user_tables WHERE relid IN ('qehs.record'::regclass, 'qehs.audit_event'::regclass) \gset
UPDATE qehs.report_trail SET seen_before = '0', seen = clock_timestamp() + interval '10 seconds' WHERE tenant_id = :tenant;
SELECT qehs.report_trail_count(:tenant, clock_timestamp() + interval '1 minute') IS NOT NULL AS counted;
SELECT sum(seq_scan) - :scans AS read_whole FROM pg_stat_xact_user_tables WHERE relid IN ('qehs.record'::regclass, 'qehs.audit_event'::regclass);
COMMIT;
SELECT * FROM pg_temp.same();
-- who may not read them has none of them, nor of the sums
CREATE ROLE indicators_reader LOGIN;
SELECT qehs.reporter_grant('indicators_reader', 'indicators', '{nobody}');
SET ROLE indicators_reader;
SELECT count(*) FROM report_indicators.leading_lagging;
SELECT count(*) FROM qehs.report_indicator;
RESET ROLE;
DROP OWNED BY indicators_reader;
DROP ROLE indicators_reader;
-- a tenant whose views are gone is counted no more
SET client_min_messages = warning;
DROP SCHEMA report_indicators CASCADE;
SELECT qehs.report_trail_count(:tenant, clock_timestamp()) AS more;
SELECT count(*) FROM qehs.report_trail WHERE tenant_id = :tenant;
