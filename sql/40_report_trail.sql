-- Key figures that are kept, so that what a dashboard reads does not grow with the records: qehs.tick walks the audit trail of each tenant that reports, and
-- counts what its events have changed (qehs.report_stay, qehs.report_fact).
--
-- Each event is counted once, in the order of ids, which begin with their time. An event can be committed behind later ones: so only those are counted that
-- are older than a moment of which each transaction has ended that was under way then (seen, seen_before).

CREATE TABLE qehs.report_trail (
	tenant_id int4 PRIMARY KEY,
	counted_at timestamptz NOT NULL,
	is_whole boolean NOT NULL DEFAULT false,
	has_facts boolean NOT NULL,
	counted_to uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
	complete_to uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
	seen timestamptz NOT NULL,
	seen_before xid8 NOT NULL
);
COMMENT ON TABLE qehs.report_trail IS 'How far the audit trail has been counted, by tenant. Not dumped: after a restore it is counted anew.';
COMMENT ON COLUMN qehs.report_trail.counted_at IS 'when it was brought up to date last';
COMMENT ON COLUMN qehs.report_trail.is_whole IS 'whether it has ever got to complete_to';
COMMENT ON COLUMN qehs.report_trail.has_facts IS 'whether the tenant has the view indicator_facts, of which qehs.report_fact is then';
COMMENT ON COLUMN qehs.report_trail.counted_to IS 'id of the last event that was counted';
COMMENT ON COLUMN qehs.report_trail.complete_to IS 'no event with a lesser id can come any more';
COMMENT ON COLUMN qehs.report_trail.seen IS 'complete_to becomes this, less 10 seconds, once the transactions below seen_before have ended';

CREATE FUNCTION qehs.report_trail_begin(tenant_id int4, has_facts boolean) RETURNS qehs.report_trail
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $begin$
DECLARE
	state qehs.report_trail;
BEGIN
	DELETE FROM qehs.report_trail AS s WHERE s.tenant_id = report_trail_begin.tenant_id AND s.has_facts <> report_trail_begin.has_facts;
	INSERT INTO qehs.report_trail (tenant_id, counted_at, has_facts, seen, seen_before) VALUES (report_trail_begin.tenant_id, now(), report_trail_begin.has_facts, clock_timestamp(), pg_snapshot_xmax(pg_current_snapshot())) ON CONFLICT DO NOTHING;
	IF FOUND THEN
		DELETE FROM qehs.report_stay AS r WHERE r.tenant_id = report_trail_begin.tenant_id;
		DELETE FROM qehs.report_fact AS f WHERE f.tenant_id = report_trail_begin.tenant_id;
		DELETE FROM qehs.report_indicator AS i WHERE i.tenant_id = report_trail_begin.tenant_id;
	END IF;
	SELECT * INTO state FROM qehs.report_trail AS s WHERE s.tenant_id = report_trail_begin.tenant_id FOR UPDATE;
	RETURN state;
END
$begin$;
COMMENT ON FUNCTION qehs.report_trail_begin(int4, boolean) IS 'How far the trail of a tenant has been counted, locked; from its beginning where it never was, or without facts that there are now. For qehs.report_trail_count.';

-- Planned without knowing the ids, a span of events looks like a share of all of them, for which joins read the whole trail, with each step: so that records are
-- looked up by index, other plans are off.
CREATE FUNCTION qehs.report_trail_count(tenant_id int4, until timestamptz) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $count$
DECLARE
	place text := (SELECT 'report_' || t.slug FROM qehs.tenant AS t WHERE t.id = report_trail_count.tenant_id);
	modules int4[] := ARRAY(SELECT m.id FROM qehs.module AS m WHERE m.tenant_id = report_trail_count.tenant_id AND m.key IN ('observations', 'inspections', 'actions', 'training', 'incidents', 'complaints'));
	state qehs.report_trail;
	ended xid8 := pg_snapshot_xmin(pg_current_snapshot());
	upto uuid;
	step int4 := 5000;
BEGIN
	IF to_regclass(format('%I.state_dwell', place)) IS NULL THEN
		DELETE FROM qehs.report_trail AS s WHERE s.tenant_id = report_trail_count.tenant_id;
		RETURN false;
	END IF;
	state := qehs.report_trail_begin(tenant_id, to_regclass(format('%I.indicator_facts', place)) IS NOT NULL);
	IF ended >= state.seen_before THEN
		-- sessions may be ahead of each other
		state.complete_to := GREATEST(state.complete_to, qehs.report_event_id(state.seen - interval '10 seconds'));
		state.seen := clock_timestamp();
		state.seen_before := pg_snapshot_xmax(pg_current_snapshot());
	END IF;
	WHILE state.counted_to < state.complete_to LOOP
		SELECT e.id INTO upto FROM qehs.audit_event AS e WHERE e.tenant_id = report_trail_count.tenant_id AND e.id > state.counted_to AND e.id < state.complete_to ORDER BY e.id OFFSET step - 1 LIMIT 1;
		upto := COALESCE(upto, state.complete_to);
		PERFORM qehs.report_stays_add(tenant_id, state.counted_to, upto);
		IF state.has_facts THEN
			PERFORM qehs.report_facts_take(tenant_id, place, ARRAY(SELECT DISTINCT e.record_id FROM qehs.audit_event AS e
				WHERE e.tenant_id = report_trail_count.tenant_id AND e.id > state.counted_to AND e.id <= upto AND e.module_id = ANY (modules)));
		END IF;
		state.counted_to := upto;
		EXIT WHEN clock_timestamp() >= until;
	END LOOP;
	UPDATE qehs.report_trail AS s SET counted_at = clock_timestamp(), is_whole = s.is_whole OR state.counted_to > '00000000-0000-0000-0000-000000000000' AND state.counted_to = state.complete_to,
		counted_to = state.counted_to, complete_to = state.complete_to, seen = state.seen, seen_before = state.seen_before
	WHERE s.tenant_id = report_trail_count.tenant_id;
	RETURN state.counted_to < state.complete_to;
END
$count$;
COMMENT ON FUNCTION qehs.report_trail_count(int4, timestamptz) IS 'Counts the events of a tenant that are left, some thousand at a time until the time is up; gives whether some are. A tenant without the views has no counts. qehs.report_count_due calls it.';

CREATE FUNCTION qehs.report_count_due(until timestamptz) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $due$
DECLARE
	due record;
	has_more boolean;
	more boolean := false;
BEGIN
	FOR due IN
		SELECT t.id, k.* FROM qehs.tenant AS t LEFT JOIN qehs.report_summary AS s ON s.tenant_id = t.id LEFT JOIN qehs.report_trail AS r ON r.tenant_id = t.id
		CROSS JOIN LATERAL (VALUES ('osha_case_days', 'report_count', 'report_summary', s.counted_at, NOT s.is_whole), ('state_dwell', 'report_trail_count', 'report_trail', r.counted_at, r.counted_to < r.complete_to))
			AS k (of_view, count, state, counted_at, is_left)
		WHERE t.suspended_at IS NULL AND (k.counted_at IS NOT NULL OR to_regclass(format('%I.%I', 'report_' || t.slug, k.of_view)) IS NOT NULL)
			AND (k.counted_at IS NULL OR k.is_left OR k.counted_at < clock_timestamp() - interval '10 seconds')
		ORDER BY k.counted_at NULLS FIRST
	LOOP
		-- modules of these keys whose fields are others make views that do not fit
		BEGIN
			EXECUTE format('SELECT qehs.%I($1, $2)', due.count) INTO has_more USING due.id, until;
			more := has_more OR more;
		EXCEPTION WHEN syntax_error_or_access_rule_violation THEN
			EXECUTE format('DELETE FROM qehs.%I WHERE tenant_id = $1', due.state) USING due.id;
		END;
		EXIT WHEN clock_timestamp() >= until;
	END LOOP;
	RETURN more;
END
$due$;
COMMENT ON FUNCTION qehs.report_count_due(timestamptz) IS 'Counts the cases and the audit trails of tenants whose last time is 10 seconds ago, longest ago first, until the time is up; gives whether some are left. tick calls it.';
