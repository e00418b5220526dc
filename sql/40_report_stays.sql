-- How long records stayed in each state, as state_dwell shows it: counts by state and length, which qehs.tick keeps from the audit trail, so that what a
-- dashboard reads does not grow with the records.
--
-- Each event is counted once, in the order of ids, which begin with their time. An event can be committed behind later ones: so only those are counted that
-- are older than a moment of which each transaction has ended that was under way then (seen, seen_before). What a span of events changes is what the stays
-- of its records are with it, less what they were without.
--
-- A length is kept as a bucket of 0.5%, with its sum: where a bucket has one length the median is exact, elsewhere within that.

CREATE TABLE qehs.report_stay (
	tenant_id int4 NOT NULL,
	module_id int4 NOT NULL,
	state text NOT NULL,
	bucket int4 NOT NULL,
	stays int8 NOT NULL,
	re_entries int8 NOT NULL,
	microseconds numeric NOT NULL,
	PRIMARY KEY (tenant_id, module_id, state, bucket)
);
COMMENT ON TABLE qehs.report_stay IS 'Stays of live records in states, by how long they were, of tenants that report. Made by qehs.report_stays_add, not dumped.';
COMMENT ON COLUMN qehs.report_stay.bucket IS '200 times the natural logarithm of the milliseconds and 1, rounded down; -1: those that have not ended';
COMMENT ON COLUMN qehs.report_stay.re_entries IS 'how many of them were not their record''s first in the state';
COMMENT ON COLUMN qehs.report_stay.microseconds IS 'of all of them together';

CREATE TABLE qehs.report_stay_summary (
	tenant_id int4 PRIMARY KEY,
	counted_at timestamptz NOT NULL,
	is_whole boolean NOT NULL DEFAULT false,
	counted_to uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
	complete_to uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
	seen timestamptz NOT NULL,
	seen_before xid8 NOT NULL
);
COMMENT ON TABLE qehs.report_stay_summary IS 'How far qehs.report_stay is, by tenant. Not dumped: after a restore it is made anew.';
COMMENT ON COLUMN qehs.report_stay_summary.counted_at IS 'when it was brought up to date last';
COMMENT ON COLUMN qehs.report_stay_summary.is_whole IS 'whether it has ever got to complete_to';
COMMENT ON COLUMN qehs.report_stay_summary.counted_to IS 'id of the last event that it has';
COMMENT ON COLUMN qehs.report_stay_summary.complete_to IS 'no event with a lesser id can come any more';
COMMENT ON COLUMN qehs.report_stay_summary.seen IS 'complete_to becomes this, less 10 seconds, once the transactions below seen_before have ended';

CREATE FUNCTION qehs.report_stays_add(tenant_id int4, after uuid, upto uuid) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $add$
	WITH touched AS (
		SELECT DISTINCT e.record_id FROM qehs.audit_event AS e WHERE e.tenant_id = report_stays_add.tenant_id AND e.id > after AND e.id <= upto
			AND (e.to_state IS NOT NULL AND e.from_state IS DISTINCT FROM e.to_state OR e.action IN ('deleted', 'restored'))),
	side (sign, until) AS (VALUES (-1, after), (1, upto)),
	stay AS (
		SELECT s.sign, e.module_id, e.to_state AS state, EXTRACT(epoch FROM lead(e.at) OVER (PARTITION BY s.sign, e.record_id ORDER BY e.at, e.id) - e.at) * 1000000 AS length,
			row_number() OVER (PARTITION BY s.sign, e.record_id, e.to_state ORDER BY e.at, e.id) > 1 AS again
		FROM touched AS t CROSS JOIN side AS s
		CROSS JOIN LATERAL (SELECT v.* FROM qehs.audit_event AS v WHERE v.tenant_id = report_stays_add.tenant_id AND v.record_id = t.record_id AND v.id <= s.until) AS e
		WHERE e.to_state IS NOT NULL AND e.from_state IS DISTINCT FROM e.to_state
			AND NOT COALESCE((SELECT d.action = 'deleted' FROM qehs.audit_event AS d WHERE d.tenant_id = report_stays_add.tenant_id AND d.record_id = t.record_id
				AND d.id <= s.until AND d.action IN ('deleted', 'restored') ORDER BY d.id DESC LIMIT 1), false))
	INSERT INTO qehs.report_stay AS r (tenant_id, module_id, state, bucket, stays, re_entries, microseconds)
	SELECT report_stays_add.tenant_id, s.module_id, s.state, CASE WHEN s.length IS NULL THEN -1 ELSE floor(200 * ln(GREATEST(s.length, 0)::float8 / 1000 + 1))::int4 END, sum(s.sign),
		COALESCE(sum(s.sign) FILTER (WHERE s.again), 0), COALESCE(sum(s.sign * s.length), 0)
	FROM stay AS s GROUP BY 2, 3, 4
	ON CONFLICT ON CONSTRAINT report_stay_pkey DO UPDATE SET stays = r.stays + EXCLUDED.stays, re_entries = r.re_entries + EXCLUDED.re_entries, microseconds = r.microseconds + EXCLUDED.microseconds
$add$;
COMMENT ON FUNCTION qehs.report_stays_add(int4, uuid, uuid) IS 'Counts the events of a tenant behind one id up to another into qehs.report_stay, which has those up to the first. For qehs.report_stays_count.';

CREATE FUNCTION qehs.report_stays_count(tenant_id int4, until timestamptz) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $count$
DECLARE
	state qehs.report_stay_summary;
	ended xid8;
	upto uuid;
	step int4 := 5000;
BEGIN
	INSERT INTO qehs.report_stay_summary (tenant_id, counted_at, seen, seen_before) VALUES (report_stays_count.tenant_id, now(), clock_timestamp(), pg_snapshot_xmax(pg_current_snapshot())) ON CONFLICT DO NOTHING;
	IF FOUND THEN
		DELETE FROM qehs.report_stay AS r WHERE r.tenant_id = report_stays_count.tenant_id;
	END IF;
	SELECT * INTO state FROM qehs.report_stay_summary AS s WHERE s.tenant_id = report_stays_count.tenant_id FOR UPDATE;
	ended := pg_snapshot_xmin(pg_current_snapshot());
	IF ended >= state.seen_before THEN
		-- sessions may be ahead of each other
		state.complete_to := GREATEST(state.complete_to, qehs.report_event_id(state.seen - interval '10 seconds'));
		state.seen := clock_timestamp();
		state.seen_before := pg_snapshot_xmax(pg_current_snapshot());
	END IF;
	WHILE state.counted_to < state.complete_to AND clock_timestamp() < until LOOP
		SELECT e.id INTO upto FROM qehs.audit_event AS e WHERE e.tenant_id = report_stays_count.tenant_id AND e.id > state.counted_to AND e.id < state.complete_to ORDER BY e.id OFFSET step - 1 LIMIT 1;
		upto := COALESCE(upto, state.complete_to);
		PERFORM qehs.report_stays_add(report_stays_count.tenant_id, state.counted_to, upto);
		state.counted_to := upto;
	END LOOP;
	UPDATE qehs.report_stay_summary AS s SET counted_at = clock_timestamp(), is_whole = s.is_whole OR state.counted_to > '00000000-0000-0000-0000-000000000000' AND state.counted_to = state.complete_to,
		counted_to = state.counted_to, complete_to = state.complete_to, seen = state.seen, seen_before = state.seen_before
	WHERE s.tenant_id = report_stays_count.tenant_id;
	RETURN state.counted_to < state.complete_to;
END
$count$;
COMMENT ON FUNCTION qehs.report_stays_count(int4, timestamptz) IS 'Brings qehs.report_stay up to date for a tenant, some thousand events at a time until the time is up; gives whether some are left. qehs.report_stays_count_due calls it.';

CREATE FUNCTION qehs.report_stays_count_due(until timestamptz) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $due$
DECLARE
	tenant int4;
	more boolean := false;
BEGIN
	DELETE FROM qehs.report_stay_summary AS s USING qehs.tenant AS t WHERE t.id = s.tenant_id AND to_regclass(format('%I.state_dwell', 'report_' || t.slug)) IS NULL;
	FOR tenant IN
		SELECT t.id FROM qehs.tenant AS t LEFT JOIN qehs.report_stay_summary AS s ON s.tenant_id = t.id
		WHERE t.suspended_at IS NULL AND to_regclass(format('%I.state_dwell', 'report_' || t.slug)) IS NOT NULL
			AND (s.tenant_id IS NULL OR s.counted_to < s.complete_to OR s.counted_at < clock_timestamp() - interval '10 seconds')
		ORDER BY s.counted_at NULLS FIRST
	LOOP
		more := qehs.report_stays_count(tenant, until) OR more;
		EXIT WHEN clock_timestamp() >= until;
	END LOOP;
	RETURN more;
END
$due$;
COMMENT ON FUNCTION qehs.report_stays_count_due(timestamptz) IS 'Brings qehs.report_stay up to date for tenants whose last time is 10 seconds ago, longest ago first, until the time is up; gives whether events are left. tick calls it.';
