-- Stays in states are counted from the audit trail, event by event as all at once: the view says the same by the counts as by the events.
\set ECHO none
SET datestyle = 'ISO, YMD';
SET timezone = 'UTC';
\o /dev/null
SELECT qehs.tenant_create('stays', 'A tenant');
SELECT qehs.use_tenant('stays');
SELECT qehs.module_publish('tasks', '{"key":"tasks","name":"Tasks","displayCode":{"prefix":"TSK"},"fields":[{"key":"title","type":"text"}],"permissions":{"roles":{"tenant-user":["read","create","update","transition"]}},
	"workflow":{"states":["open","done"],"initial":"open","stateLabels":{"open":"Offen"},"transitions":{"finish":{"from":"open","to":"done"},"reopen":{"from":"done","to":"open"}}}}');
SELECT qehs.report_publish('stays');
SELECT id AS tenant FROM qehs.tenant WHERE slug = 'stays' \gset
CREATE TEMP TABLE made (name text PRIMARY KEY, id text);
CREATE FUNCTION pg_temp.happens(at text, name text, what text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	record text := (SELECT m.id FROM made AS m WHERE m.name = happens.name);
BEGIN
	PERFORM set_config('qehs.clock', at, true);
	CASE what
		WHEN 'create' THEN INSERT INTO made SELECT name, qehs.record_create('tasks', '{}') ->> 'id';
		WHEN 'delete' THEN PERFORM qehs.record_delete(record);
		WHEN 'restore' THEN PERFORM qehs.record_restore(record);
		WHEN 'update' THEN PERFORM qehs.record_update(record, jsonb_build_object('title', at));
		ELSE PERFORM qehs.record_transition(record, what);
	END CASE;
	PERFORM set_config('qehs.clock', '', true);
END
$$;
-- that of the view by the counts and by the events
CREATE FUNCTION pg_temp.dwell(counted boolean) RETURNS SETOF report_stays.state_dwell LANGUAGE plpgsql AS $$
BEGIN
	UPDATE qehs.report_trail SET is_whole = counted;
	RETURN QUERY SELECT * FROM report_stays.state_dwell;
END
$$;
CREATE FUNCTION pg_temp.differences() RETURNS bigint LANGUAGE sql AS $$
	SELECT count(*) FROM (SELECT * FROM pg_temp.dwell(true)) AS c FULL JOIN (SELECT * FROM pg_temp.dwell(false)) AS e USING (module_key, state)
	WHERE (c.state_label, c.visits, c.median, c.p90, c.there_now, c.re_entries) IS DISTINCT FROM (e.state_label, e.visits, e.median, e.p90, e.there_now, e.re_entries)
$$;
SELECT pg_temp.happens('2024-01-01T00:00:00Z', 'a', 'create');
SELECT pg_temp.happens('2024-01-01T06:00:00Z', 'b', 'create');
SELECT pg_temp.happens('2024-01-02T01:00:00Z', 'a', 'finish');
SELECT pg_temp.happens('2024-01-02T02:00:00Z', 'c', 'create');
SELECT pg_temp.happens('2024-01-02T03:00:00Z', 'a', 'update');
SELECT pg_temp.happens('2024-01-05T03:00:00Z', 'a', 'reopen');
SELECT pg_temp.happens('2024-01-05T04:00:00Z', 'c', 'finish');
SELECT pg_temp.happens('2024-01-06T00:00:00Z', 'c', 'delete');
SELECT pg_temp.happens('2024-01-08T00:00:00Z', 'b', 'finish');
SELECT pg_temp.happens('2024-01-09T00:00:00Z', 'b', 'delete');
SELECT pg_temp.happens('2024-01-10T00:00:00Z', 'b', 'restore');
SELECT pg_temp.happens('2024-01-11T00:00:00Z', 'b', 'reopen');
SELECT pg_temp.happens('2024-01-12T00:00:00Z', 'd', 'create');
SELECT pg_temp.happens('2024-01-12T00:00:00Z', 'a', 'finish');
INSERT INTO qehs.report_trail (tenant_id, counted_at, has_facts, seen, seen_before) VALUES (:tenant, now(), false, now(), '0');
\o
\set ECHO all
SELECT state, state_label, visits, median, p90, there_now, re_entries FROM pg_temp.dwell(false) ORDER BY state;
-- all at once
SELECT qehs.report_stays_add(:tenant, '00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff');
SELECT state, state_label, visits, median, p90, there_now, re_entries FROM pg_temp.dwell(true) ORDER BY state;
SELECT pg_temp.differences();
-- event by event
DELETE FROM qehs.report_stay WHERE tenant_id = :tenant;
SELECT count(*) FILTER (WHERE qehs.report_stays_add(:tenant, e.before, e.id) IS NULL) AS events FROM (
	SELECT id, lag(id, 1, '00000000-0000-0000-0000-000000000000') OVER (ORDER BY id) AS before FROM qehs.audit_event WHERE tenant_id = :tenant ORDER BY id) AS e;
SELECT pg_temp.differences();
SELECT pg_sleep(0.02);
-- as tick does it: what is older than ten seconds before a moment whose transactions have ended
DELETE FROM qehs.report_trail WHERE tenant_id = :tenant;
SELECT qehs.report_trail_count(:tenant, clock_timestamp() + interval '1 minute') AS more;
UPDATE qehs.report_trail SET seen_before = '0', seen = clock_timestamp() + interval '10 seconds' WHERE tenant_id = :tenant;
SELECT qehs.report_trail_count(:tenant, clock_timestamp() + interval '1 minute') AS more;
SELECT is_whole FROM qehs.report_trail WHERE tenant_id = :tenant;
SELECT pg_temp.differences();
-- not yet: what a transaction may still write, and the last seconds
SELECT pg_sleep(0.02);
SELECT qehs.record_create('tasks', '{}') IS NOT NULL AS created;
SELECT pg_sleep(0.02);
UPDATE qehs.report_trail SET seen_before = '1000000000000', is_whole = true WHERE tenant_id = :tenant;
SELECT qehs.report_trail_count(:tenant, clock_timestamp() + interval '1 minute') AS more;
SELECT sum(there_now) AS there_now FROM report_stays.state_dwell;
UPDATE qehs.report_trail SET seen_before = '0', seen = clock_timestamp() + interval '10 seconds' WHERE tenant_id = :tenant;
SELECT qehs.report_trail_count(:tenant, clock_timestamp() + interval '1 minute') AS more;
SELECT sum(there_now) AS there_now FROM report_stays.state_dwell;
SELECT pg_temp.differences();
-- what is purged is counted no more, whether its deletion was counted before or goes with it
SELECT qehs.record_delete((SELECT id FROM made WHERE name = 'a')) IS NULL AS deleted;
BEGIN;
SELECT qehs.record_purge((SELECT id FROM made WHERE name = 'a'), 'too old') IS NULL AS purged;
SELECT count(*) FILTER (WHERE qehs.report_stays_add(:tenant, s.counted_to, 'ffffffff-ffff-ffff-ffff-ffffffffffff') IS NULL) AS counted FROM qehs.report_trail AS s WHERE s.tenant_id = :tenant;
SELECT pg_temp.differences();
UPDATE qehs.report_trail SET counted_to = 'ffffffff-ffff-ffff-ffff-ffffffffffff' WHERE tenant_id = :tenant;
SELECT qehs.record_purge((SELECT id FROM made WHERE name = 'c'), 'too old') IS NULL AS purged;
SELECT pg_temp.differences();
SELECT state, visits, there_now FROM pg_temp.dwell(true) ORDER BY state;
COMMIT;
-- a login that reads none of the module has none of its counts
CREATE ROLE stays_reader LOGIN;
SELECT qehs.reporter_grant('stays_reader', 'stays', '{nobody}');
UPDATE qehs.report_trail SET is_whole = true WHERE tenant_id = :tenant;
SET ROLE stays_reader;
SELECT count(*) FROM report_stays.state_dwell;
SELECT count(*) FROM qehs.report_stay;
RESET ROLE;
DROP OWNED BY stays_reader;
DROP ROLE stays_reader;
-- a tenant whose views are gone is counted no more
SET client_min_messages = warning;
DROP SCHEMA report_stays CASCADE;
SELECT qehs.report_trail_count(:tenant, clock_timestamp()) AS more;
SELECT count(*) FROM qehs.report_trail WHERE tenant_id = :tenant;
