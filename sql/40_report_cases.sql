-- Injury cases as kpi_rates counts them, kept in a narrow table that qehs.tick brings up to date, so that a dashboard does not count the days of each case.
--
-- Which cases have changed is told by the audit trail, whose events have ids by time. An event can be committed behind later ones: so a span of time is
-- looked at until each transaction has ended that was under way at its end (seen, seen_before), and a case is counted again as often as it is found.

CREATE TABLE qehs.report_case (
	tenant_id int4 NOT NULL,
	case_id uuid NOT NULL,
	incident_id uuid,
	establishment_id uuid,
	occurred_on date,
	recordable int4 NOT NULL,
	dart int4 NOT NULL,
	lost_time int4 NOT NULL,
	days int8 NOT NULL,
	days_lost int8 NOT NULL,
	open_until date,
	PRIMARY KEY (tenant_id, case_id)
);
COMMENT ON TABLE qehs.report_case IS 'Live injury cases of tenants that report, with what they add to the rates. Made by qehs.report_count, not dumped.';
COMMENT ON COLUMN qehs.report_case.recordable IS '1 when the case is in osha_300, else 0; dart and lost_time likewise';
COMMENT ON COLUMN qehs.report_case.open_until IS 'the day up to which the days were counted, of a case that has a spell without an end';
CREATE INDEX report_case_incident ON qehs.report_case (tenant_id, incident_id);
CREATE INDEX report_case_open ON qehs.report_case (tenant_id, open_until) WHERE open_until IS NOT NULL;

CREATE TABLE qehs.report_rate (
	tenant_id int4 NOT NULL,
	establishment_id uuid NOT NULL,
	month date NOT NULL,
	cases int8 NOT NULL,
	recordable int8 NOT NULL,
	dart int8 NOT NULL,
	lost_time int8 NOT NULL,
	days int8 NOT NULL,
	days_lost int8 NOT NULL,
	PRIMARY KEY (tenant_id, establishment_id, month)
);
COMMENT ON TABLE qehs.report_rate IS 'Sums of qehs.report_case by establishment and month, which the rates read: as many rows however many cases there are. Made by qehs.report_count, not dumped.';
COMMENT ON COLUMN qehs.report_rate.establishment_id IS 'zeros: of no establishment';
COMMENT ON COLUMN qehs.report_rate.month IS 'its first day; infinity: the day of the injury is not known';

CREATE TABLE qehs.report_summary (
	tenant_id int4 PRIMARY KEY,
	counted_at timestamptz NOT NULL,
	is_whole boolean NOT NULL DEFAULT false,
	last_at timestamptz NOT NULL DEFAULT '-infinity',
	last_case uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
	changed_since timestamptz NOT NULL,
	seen timestamptz NOT NULL,
	seen_before xid8 NOT NULL
);
COMMENT ON TABLE qehs.report_summary IS 'How far qehs.report_case is, by tenant. Not dumped: after a restore it is made anew.';
COMMENT ON COLUMN qehs.report_summary.counted_at IS 'when it was brought up to date last';
COMMENT ON COLUMN qehs.report_summary.is_whole IS 'whether all cases that there were have been counted; last_at and last_case are the last one of those until then';
COMMENT ON COLUMN qehs.report_summary.changed_since IS 'events since then are still looked at';
COMMENT ON COLUMN qehs.report_summary.seen IS 'changed_since becomes this once the transactions below seen_before have ended';

CREATE FUNCTION qehs.report_event_id(at timestamptz) RETURNS uuid
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $event$
	SELECT (lpad(to_hex((EXTRACT(epoch FROM at) * 1000)::int8), 12, '0') || repeat('0', 20))::uuid
$event$;
COMMENT ON FUNCTION qehs.report_event_id(timestamptz) IS 'The least id that an event of this time can have: ids begin with their time in milliseconds.';

CREATE FUNCTION qehs.report_rate_add(tenant_id int4, cases uuid[], sign int4) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $rate$
	INSERT INTO qehs.report_rate AS r (tenant_id, establishment_id, month, cases, recordable, dart, lost_time, days, days_lost)
	SELECT report_rate_add.tenant_id, COALESCE(c.establishment_id, '00000000-0000-0000-0000-000000000000'), COALESCE(date_trunc('month', c.occurred_on::timestamp)::date, 'infinity'),
		sign * count(*), sign * sum(c.recordable), sign * sum(c.dart), sign * sum(c.lost_time), sign * sum(c.days), sign * sum(c.days_lost)
	FROM qehs.report_case AS c WHERE c.tenant_id = report_rate_add.tenant_id AND c.case_id = ANY (report_rate_add.cases) GROUP BY 2, 3
	ON CONFLICT ON CONSTRAINT report_rate_pkey DO UPDATE SET cases = r.cases + EXCLUDED.cases, recordable = r.recordable + EXCLUDED.recordable, dart = r.dart + EXCLUDED.dart,
		lost_time = r.lost_time + EXCLUDED.lost_time, days = r.days + EXCLUDED.days, days_lost = r.days_lost + EXCLUDED.days_lost
$rate$;
COMMENT ON FUNCTION qehs.report_rate_add(int4, uuid[], int4) IS 'Adds injury cases of a tenant as qehs.report_case has them to the sums of qehs.report_rate, or takes them out (sign -1). For qehs.report_count_cases.';

CREATE FUNCTION qehs.report_count_cases(tenant_id int4, schema_name text, cases uuid[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $cases$
BEGIN
	PERFORM qehs.report_rate_add(tenant_id, cases, -1);
	DELETE FROM qehs.report_case AS r WHERE r.tenant_id = report_count_cases.tenant_id AND r.case_id = ANY (cases);
	EXECUTE format($count$
		INSERT INTO qehs.report_case (tenant_id, case_id, incident_id, establishment_id, occurred_on, recordable, dart, lost_time, days, days_lost, open_until)
		SELECT $1, c.id, c.incident_id, c.establishment_id, d.occurred_on, COALESCE(d.counts, false)::int4, COALESCE(d.counts AND d.outcome IN ('days_away', 'job_transfer_restriction'), false)::int4, COALESCE(d.counts AND d.outcome IN ('death', 'days_away'), false)::int4,
			CASE WHEN d.counts THEN d.days_away + d.days_restricted ELSE 0 END, CASE WHEN d.counts THEN d.days_lost ELSE 0 END, CASE WHEN d.has_open_days THEN (now() AT TIME ZONE 'UTC')::date END
		FROM unnest($2) AS u (id) CROSS JOIN LATERAL (SELECT x.id, x.incident_id, x.establishment_id FROM %1$I.injury_cases AS x WHERE x.id = u.id LIMIT 1) AS c
		LEFT JOIN LATERAL (SELECT y.*, COALESCE(y.recordable AND y.employment IN ('employee', 'temp_supervised'), false) AS counts FROM %1$I.osha_case_days AS y WHERE y.case_id = u.id LIMIT 1) AS d ON true$count$,
		schema_name) USING tenant_id, cases;
	PERFORM qehs.report_rate_add(tenant_id, cases, 1);
END
$cases$;
COMMENT ON FUNCTION qehs.report_count_cases(int4, text, uuid[]) IS 'Counts injury cases of a tenant anew, whose views are in that schema; those that are gone are no more. For qehs.report_count.';

CREATE FUNCTION qehs.report_count(tenant_id int4, until timestamptz) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $count$
DECLARE
	place text := (SELECT 'report_' || t.slug FROM qehs.tenant AS t WHERE t.id = report_count.tenant_id);
	state qehs.report_summary;
	injuries int4 := (SELECT m.id FROM qehs.module AS m WHERE m.tenant_id = report_count.tenant_id AND m.key = 'injury_cases');
	incidents int4 := (SELECT m.id FROM qehs.module AS m WHERE m.tenant_id = report_count.tenant_id AND m.key = 'incidents');
	since uuid;
	found_cases uuid[];
	step int4 := 500;
	ended xid8;
BEGIN
	IF to_regclass(format('%I.osha_case_days', place)) IS NULL THEN
		DELETE FROM qehs.report_summary AS s WHERE s.tenant_id = report_count.tenant_id;
		RETURN false;
	END IF;
	INSERT INTO qehs.report_summary (tenant_id, counted_at, changed_since, seen, seen_before) VALUES (report_count.tenant_id, now(), now(), now(), pg_snapshot_xmax(pg_current_snapshot())) ON CONFLICT DO NOTHING;
	IF FOUND THEN
		DELETE FROM qehs.report_case AS c WHERE c.tenant_id = report_count.tenant_id;
		DELETE FROM qehs.report_rate AS r WHERE r.tenant_id = report_count.tenant_id;
	END IF;
	SELECT * INTO state FROM qehs.report_summary AS s WHERE s.tenant_id = report_count.tenant_id FOR UPDATE;
	WHILE NOT state.is_whole LOOP
		SELECT array_agg(r.id ORDER BY r.created_at, r.id), (array_agg(r.created_at ORDER BY r.created_at DESC, r.id DESC))[1] INTO found_cases, state.last_at FROM (
			SELECT r.id, r.created_at FROM qehs.record AS r WHERE r.tenant_id = report_count.tenant_id AND r.module_id = injuries AND r.deleted_at IS NULL
				AND (r.created_at, r.id) > (state.last_at, state.last_case) ORDER BY r.created_at, r.id LIMIT step) AS r;
		PERFORM qehs.report_count_cases(report_count.tenant_id, place, COALESCE(found_cases, '{}'));
		state.is_whole := COALESCE(cardinality(found_cases), 0) < step;
		state.last_case := COALESCE(found_cases[cardinality(found_cases)], state.last_case);
		EXIT WHEN clock_timestamp() >= until;
	END LOOP;
	-- before the events are looked for: what ends meanwhile is looked at again
	ended := pg_snapshot_xmin(pg_current_snapshot());
	-- sessions may be ahead of each other
	since := qehs.report_event_id(state.changed_since - interval '10 seconds');
	found_cases := ARRAY(
		SELECT e.record_id FROM qehs.audit_event AS e WHERE e.tenant_id = report_count.tenant_id AND e.id >= since AND e.module_id = injuries
		UNION SELECT c.case_id FROM qehs.audit_event AS e JOIN qehs.report_case AS c ON c.tenant_id = report_count.tenant_id AND c.incident_id = e.record_id
			WHERE e.tenant_id = report_count.tenant_id AND e.id >= since AND e.module_id = incidents
		UNION SELECT c.case_id FROM qehs.report_case AS c WHERE c.tenant_id = report_count.tenant_id AND c.open_until < (now() AT TIME ZONE 'UTC')::date);
	PERFORM qehs.report_count_cases(report_count.tenant_id, place, found_cases);
	IF ended >= state.seen_before THEN
		state.changed_since := state.seen;
		state.seen := now();
		state.seen_before := pg_snapshot_xmax(pg_current_snapshot());
	END IF;
	UPDATE qehs.report_summary AS s SET counted_at = now(), is_whole = state.is_whole, last_at = COALESCE(state.last_at, s.last_at), last_case = state.last_case, changed_since = state.changed_since, seen = state.seen, seen_before = state.seen_before
	WHERE s.tenant_id = report_count.tenant_id;
	RETURN NOT state.is_whole;
END
$count$;
COMMENT ON FUNCTION qehs.report_count(int4, timestamptz) IS 'Brings qehs.report_case up to date for a tenant: the cases that have changed, or whose incident has, those whose days go on, and until the time is up those that were there before; gives whether such are left. A tenant without the views has no summary. qehs.report_count_due calls it.';

CREATE FUNCTION qehs.report_count_due(until timestamptz) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $due$
DECLARE
	tenant int4;
	more boolean := false;
BEGIN
	FOR tenant IN
		SELECT t.id FROM qehs.tenant AS t LEFT JOIN qehs.report_summary AS s ON s.tenant_id = t.id
		WHERE t.suspended_at IS NULL AND to_regclass(format('%I.osha_case_days', 'report_' || t.slug)) IS NOT NULL
			AND (s.tenant_id IS NULL OR NOT s.is_whole OR s.counted_at < clock_timestamp() - interval '10 seconds')
		ORDER BY s.counted_at NULLS FIRST
	LOOP
		-- modules of these keys whose fields are others make views that do not fit
		BEGIN
			more := qehs.report_count(tenant, until) OR more;
		EXCEPTION WHEN syntax_error_or_access_rule_violation THEN
			DELETE FROM qehs.report_summary AS s WHERE s.tenant_id = tenant;
		END;
		EXIT WHEN clock_timestamp() >= until;
	END LOOP;
	RETURN more;
END
$due$;
COMMENT ON FUNCTION qehs.report_count_due(timestamptz) IS 'Brings qehs.report_case up to date for tenants whose last time is 10 seconds ago, longest ago first, until the time is up; gives whether cases are left. tick calls it.';
