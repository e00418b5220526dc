-- Injury cases as osha_case_days has them, kept in a narrow table that qehs.tick brings up to date, and their sums by establishment and month, so that a dashboard
-- does not count the days of each case.
--
-- Which cases have changed is told by the audit trail, whose events have ids by time. An event can be committed behind later ones: so a span of time is
-- looked at until each transaction has ended that was under way at its end (seen, seen_before), and a case is counted again as often as it is found.

CREATE TABLE qehs.report_case (
	tenant_id int4 NOT NULL,
	case_id uuid NOT NULL,
	incident_id uuid,
	establishment_id uuid,
	occurred_on date,
	is_logged boolean NOT NULL,
	outcome text,
	kind text,
	riddor text,
	days_away int8 NOT NULL,
	days_restricted int8 NOT NULL,
	days_lost int8 NOT NULL,
	open_until date,
	PRIMARY KEY (tenant_id, case_id)
);
COMMENT ON TABLE qehs.report_case IS 'Live injury cases of tenants that report, as osha_case_days has them. Made by qehs.report_count, not dumped.';
COMMENT ON COLUMN qehs.report_case.is_logged IS 'whether the case is in osha_300';
COMMENT ON COLUMN qehs.report_case.riddor IS 'its category in the view riddor; NULL: its incident is gone, and the case counts nowhere';
COMMENT ON COLUMN qehs.report_case.open_until IS 'the day up to which the days were counted, of a case that has a spell without an end';
CREATE INDEX report_case_incident ON qehs.report_case (tenant_id, incident_id);
CREATE INDEX report_case_open ON qehs.report_case (tenant_id, open_until) WHERE open_until IS NOT NULL;

CREATE TABLE qehs.report_rate (
	tenant_id int4 NOT NULL,
	establishment_id uuid NOT NULL,
	month date NOT NULL,
	cases int8 NOT NULL,
	recordable int8 NOT NULL,
	deaths int8 NOT NULL,
	away int8 NOT NULL,
	restricted int8 NOT NULL,
	other int8 NOT NULL,
	days_away int8 NOT NULL,
	days_restricted int8 NOT NULL,
	days_lost int8 NOT NULL,
	injuries int8 NOT NULL,
	skin_disorders int8 NOT NULL,
	respiratory int8 NOT NULL,
	poisonings int8 NOT NULL,
	hearing_loss int8 NOT NULL,
	other_illnesses int8 NOT NULL,
	riddor_fatal int8 NOT NULL,
	riddor_specified int8 NOT NULL,
	riddor_over_7 int8 NOT NULL,
	riddor_over_3 int8 NOT NULL,
	PRIMARY KEY (tenant_id, establishment_id, month)
);
COMMENT ON TABLE qehs.report_rate IS 'Sums of qehs.report_case by establishment and month, which case_totals reads: as many rows however many cases there are. Made by qehs.report_count, not dumped.';
COMMENT ON COLUMN qehs.report_rate.establishment_id IS 'zeros: of no establishment';
COMMENT ON COLUMN qehs.report_rate.recordable IS 'those in osha_300, of which deaths to other_illnesses are; cases and riddor_… are of all';
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

CREATE FUNCTION qehs.report_case_sums() RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $sums$
	SELECT $text$pg_catalog.count(c.riddor) AS cases, pg_catalog.count(*) FILTER (WHERE c.is_logged) AS recordable,
		pg_catalog.count(*) FILTER (WHERE c.is_logged AND c.outcome = 'death') AS deaths, pg_catalog.count(*) FILTER (WHERE c.is_logged AND c.outcome = 'days_away') AS away, pg_catalog.count(*) FILTER (WHERE c.is_logged AND c.outcome = 'job_transfer_restriction') AS restricted, pg_catalog.count(*) FILTER (WHERE c.is_logged AND c.outcome = 'other_recordable') AS other,
		COALESCE(pg_catalog.sum(c.days_away) FILTER (WHERE c.is_logged), 0)::int8 AS days_away, COALESCE(pg_catalog.sum(c.days_restricted) FILTER (WHERE c.is_logged), 0)::int8 AS days_restricted, COALESCE(pg_catalog.sum(c.days_lost) FILTER (WHERE c.is_logged), 0)::int8 AS days_lost,
		pg_catalog.count(*) FILTER (WHERE c.is_logged AND c.kind = 'injury') AS injuries, pg_catalog.count(*) FILTER (WHERE c.is_logged AND c.kind = 'skin_disorder') AS skin_disorders, pg_catalog.count(*) FILTER (WHERE c.is_logged AND c.kind = 'respiratory') AS respiratory,
		pg_catalog.count(*) FILTER (WHERE c.is_logged AND c.kind = 'poisoning') AS poisonings, pg_catalog.count(*) FILTER (WHERE c.is_logged AND c.kind = 'hearing_loss') AS hearing_loss, pg_catalog.count(*) FILTER (WHERE c.is_logged AND c.kind = 'other_illness') AS other_illnesses,
		pg_catalog.count(*) FILTER (WHERE c.riddor = 'fatal') AS riddor_fatal, pg_catalog.count(*) FILTER (WHERE c.riddor = 'specified') AS riddor_specified, pg_catalog.count(*) FILTER (WHERE c.riddor = 'over_7_days') AS riddor_over_7, pg_catalog.count(*) FILTER (WHERE c.riddor = 'over_3_days') AS riddor_over_3$text$
$sums$;
COMMENT ON FUNCTION qehs.report_case_sums() IS 'What is summed of injury cases c, as osha_case_days and qehs.report_case have them: the columns of qehs.report_rate from cases on, as SQL.';

CREATE FUNCTION qehs.report_rate_add(tenant_id int4, cases uuid[], sign int4) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $rate$
BEGIN
	EXECUTE format($add$
		INSERT INTO qehs.report_rate AS r (tenant_id, establishment_id, month, cases, recordable, deaths, away, restricted, other, days_away, days_restricted, days_lost, injuries, skin_disorders, respiratory, poisonings, hearing_loss, other_illnesses, riddor_fatal, riddor_specified, riddor_over_7, riddor_over_3)
		SELECT $1, s.establishment_id, s.month, $3 * s.cases, $3 * s.recordable, $3 * s.deaths, $3 * s.away, $3 * s.restricted, $3 * s.other, $3 * s.days_away, $3 * s.days_restricted, $3 * s.days_lost, $3 * s.injuries, $3 * s.skin_disorders, $3 * s.respiratory, $3 * s.poisonings, $3 * s.hearing_loss, $3 * s.other_illnesses, $3 * s.riddor_fatal, $3 * s.riddor_specified, $3 * s.riddor_over_7, $3 * s.riddor_over_3 FROM (
			SELECT COALESCE(c.establishment_id, '00000000-0000-0000-0000-000000000000') AS establishment_id, COALESCE(date_trunc('month', c.occurred_on::timestamp)::date, 'infinity') AS month, %s
			FROM qehs.report_case AS c WHERE c.tenant_id = $1 AND c.case_id = ANY ($2) GROUP BY 1, 2) AS s
		ON CONFLICT ON CONSTRAINT report_rate_pkey DO UPDATE SET cases = r.cases + EXCLUDED.cases, recordable = r.recordable + EXCLUDED.recordable, deaths = r.deaths + EXCLUDED.deaths, away = r.away + EXCLUDED.away, restricted = r.restricted + EXCLUDED.restricted, other = r.other + EXCLUDED.other, days_away = r.days_away + EXCLUDED.days_away, days_restricted = r.days_restricted + EXCLUDED.days_restricted, days_lost = r.days_lost + EXCLUDED.days_lost, injuries = r.injuries + EXCLUDED.injuries, skin_disorders = r.skin_disorders + EXCLUDED.skin_disorders, respiratory = r.respiratory + EXCLUDED.respiratory, poisonings = r.poisonings + EXCLUDED.poisonings, hearing_loss = r.hearing_loss + EXCLUDED.hearing_loss, other_illnesses = r.other_illnesses + EXCLUDED.other_illnesses, riddor_fatal = r.riddor_fatal + EXCLUDED.riddor_fatal, riddor_specified = r.riddor_specified + EXCLUDED.riddor_specified, riddor_over_7 = r.riddor_over_7 + EXCLUDED.riddor_over_7, riddor_over_3 = r.riddor_over_3 + EXCLUDED.riddor_over_3$add$, qehs.report_case_sums())
	USING tenant_id, cases, sign;
END
$rate$;
COMMENT ON FUNCTION qehs.report_rate_add(int4, uuid[], int4) IS 'Adds injury cases of a tenant as qehs.report_case has them to the sums of qehs.report_rate, or takes them out (sign -1). For qehs.report_count_cases.';

CREATE FUNCTION qehs.report_count_cases(tenant_id int4, schema_name text, cases uuid[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $cases$
BEGIN
	PERFORM qehs.report_rate_add(tenant_id, cases, -1);
	DELETE FROM qehs.report_case AS r WHERE r.tenant_id = report_count_cases.tenant_id AND r.case_id = ANY (cases);
	EXECUTE format($count$
		INSERT INTO qehs.report_case (tenant_id, case_id, incident_id, establishment_id, occurred_on, is_logged, outcome, kind, riddor, days_away, days_restricted, days_lost, open_until)
		SELECT $1, c.id, c.incident_id, c.establishment_id, d.occurred_on, COALESCE(d.is_logged, false), d.outcome, d.kind, d.riddor, COALESCE(d.days_away, 0), COALESCE(d.days_restricted, 0), COALESCE(d.days_lost, 0), CASE WHEN d.has_open_days THEN (now() AT TIME ZONE 'UTC')::date END
		FROM unnest($2) AS u (id) CROSS JOIN LATERAL (SELECT x.id, x.incident_id, x.establishment_id FROM %1$I.injury_cases AS x WHERE x.id = u.id LIMIT 1) AS c
		LEFT JOIN LATERAL (SELECT y.* FROM %1$I.osha_case_days AS y WHERE y.case_id = u.id LIMIT 1) AS d ON true$count$,
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

INSERT INTO qehs.report_view (name, place, modules, comment, columns, query) VALUES
('case_totals', 105, '{incidents,injury_cases}', 'Injury cases by establishment and month of the injury, as qehs.tick has counted them last (qehs.report_summary), for who may read all that they are made of; else as osha_case_days has them now. cases and riddor_… are of all, the others of those in osha_300. Source: osha_case_days.',
	'{"month":"Its first day; NULL: the day is not known"}', pg_catalog.format($$WITH usable AS MATERIALIZED (
	-- the summary is for who may read all that it is made of
	SELECT EXISTS (SELECT FROM qehs.report_summary AS s WHERE s.tenant_id = @tenant AND s.is_whole) AND (SELECT pg_catalog.bool_and(qehs.report_reads(@tenant, m.id) AND qehs.report_reads(@tenant, m.id, 0, f.field)) FROM (VALUES ('injury_cases', 'incident'),
		('injury_cases', 'establishment'), ('injury_cases', 'employment'), ('injury_cases', 'recordable'), ('injury_cases', 'outcome'), ('injury_cases', 'kind'), ('injury_cases', 'days'), ('incidents', 'occurred_at'), ('incidents', 'regulator_notifiable')) AS f (module, field)
		JOIN qehs.module AS m ON m.tenant_id = @tenant AND m.key = f.module) AS is_used)
SELECT NULLIF(s.establishment_id, '00000000-0000-0000-0000-000000000000') AS establishment_id, NULLIF(s.month, 'infinity') AS month, s.cases, s.recordable, s.deaths, s.away, s.restricted, s.other, s.days_away, s.days_restricted, s.days_lost, s.injuries, s.skin_disorders, s.respiratory, s.poisonings, s.hearing_loss, s.other_illnesses, s.riddor_fatal, s.riddor_specified, s.riddor_over_7, s.riddor_over_3
FROM qehs.report_rate AS s WHERE s.tenant_id = @tenant AND s.cases > 0 AND (SELECT u.is_used FROM usable AS u)
UNION ALL
SELECT c.establishment_id, pg_catalog.date_trunc('month', c.occurred_on::timestamp)::date, %s
FROM osha_case_days AS c WHERE NOT (SELECT u.is_used FROM usable AS u) GROUP BY 1, 2$$, qehs.report_case_sums()));
