-- Key figures: views that every tenant gets with the modules that they are made of, each with its formula and source.
-- Rates are sums over sums, never averages of rates; days are UTC; deleted records count nowhere.

CREATE TABLE qehs.osha_column (
	edition text NOT NULL,
	form text NOT NULL CHECK (form IN ('300a', 'cases')),
	place int4 NOT NULL,
	name text NOT NULL,
	PRIMARY KEY (edition, form, place)
);
COMMENT ON TABLE qehs.osha_column IS 'Headers of the files that establishments submit to OSHA electronically (29 CFR 1904.41), by published edition; the views osha_ita_300a and osha_ita_cases have those of edition "ein". Made anew by each release, not dumped.';
INSERT INTO qehs.osha_column (edition, form, place, name)
SELECT e.edition, '300a', n.place, CASE WHEN n.name = 'ein' THEN e.edition ELSE n.name END
FROM (VALUES ('ein'), ('ein_number')) AS e (edition), pg_catalog.unnest('{establishment_name,ein,company_name,street_address,city,state,zip,naics_code,industry_description,size,establishment_type,year_filing_for,annual_average_employees,total_hours_worked,no_injuries_illnesses,total_deaths,total_dafw_cases,total_djtr_cases,total_other_cases,total_dafw_days,total_djtr_days,total_injuries,total_skin_disorders,total_respiratory_conditions,total_poisonings,total_hearing_loss,total_other_illnesses,change_reason}'::text[])
	WITH ORDINALITY AS n (name, place);
INSERT INTO qehs.osha_column (edition, form, place, name)
SELECT e.edition, 'cases', n.place, n.name FROM (VALUES ('ein'), ('ein_number')) AS e (edition), pg_catalog.unnest('{establishment_name,year_of_filing,case_number,job_title,date_of_incident,incident_location,incident_description,incident_outcome,dafw_num_away,djtr_num_tr,type_of_incident,date_of_birth,date_of_hire,sex,treatment_facility_type,treatment_in_patient,time_started_work,time_of_incident,time_unknown,nar_before_incident,nar_what_happened,nar_injury_illness,nar_object_substance,date_of_death}'::text[])
	WITH ORDINALITY AS n (name, place);

INSERT INTO qehs.report_view (name, place, modules, comment, query) VALUES
('osha_case_days', 100, '{incidents,injury_cases}', 'Injury cases with their incidents and days: calendar days, the day of injury not counted, away and restricted together at most 180, in the order of the days; a spell without an end runs to today; a day that is both counts as away. days_lost is days away without the limit, none counted twice. is_logged: in osha_300; riddor: its category there. Source: 29 CFR 1904.7(b)(3), (b)(4).',
$$SELECT c.id AS case_id, COALESCE(n.away, 0)::int8 AS days_away, COALESCE(n.restricted, 0)::int8 AS days_restricted, COALESCE(n.lost, 0)::int8 AS days_lost, c.display_code AS case_code, i.display_code AS incident_code, c.establishment_id, i.occurred_at, i.occurred_on,
	i.site, c.person_name, c.job_title, c.employment, c.recordable, c.outcome, c.kind, c.privacy_case, COALESCE(c.nar_injury, i.description, i.title) AS description, i.regulator_notifiable, i.notified_at, c.incident_id, COALESCE(n.is_open, false) AS has_open_days,
	COALESCE(c.recordable AND c.employment IN ('employee', 'temp_supervised'), false) AS is_logged,
	CASE WHEN c.outcome = 'death' THEN 'fatal' WHEN i.regulator_notifiable = 'riddor_immediate' THEN 'specified' WHEN n.lost > 7 THEN 'over_7_days' WHEN n.lost > 3 THEN 'over_3_days' ELSE 'none' END AS riddor
FROM injury_cases AS c
-- one by one, since a tenant has far more incidents than injuries
CROSS JOIN LATERAL (SELECT x.display_code, x.occurred_at, (x.occurred_at AT TIME ZONE 'UTC')::date AS occurred_on, x.site, x.description, x.title, x.regulator_notifiable, x.notified_at FROM incidents AS x WHERE x.id = c.incident_id LIMIT 1) AS i
CROSS JOIN LATERAL (
	SELECT pg_catalog.sum(LEAST(q.upto, 180) - LEAST(q.upto - q.days, 180)) FILTER (WHERE q.kind = 'away') AS away, pg_catalog.sum(LEAST(q.upto, 180) - LEAST(q.upto - q.days, 180)) FILTER (WHERE q.kind = 'restricted') AS restricted,
		pg_catalog.sum(q.days) FILTER (WHERE q.kind = 'away') AS lost, pg_catalog.bool_or(q.is_open) AS is_open
	FROM (SELECT p.kind, p.days, s.is_open, pg_catalog.sum(p.days) OVER (ORDER BY p.first) AS upto
		FROM (SELECT COALESCE(pg_catalog.range_agg(e.days) FILTER (WHERE e.kind = 'away'), '{}') AS away, COALESCE(pg_catalog.range_agg(e.days) FILTER (WHERE e.kind = 'restricted'), '{}') AS restricted, pg_catalog.bool_or(e.is_open) AS is_open
			FROM (SELECT d.kind, d.to_date IS NULL AS is_open, pg_catalog.daterange(GREATEST(d.from_date, i.occurred_on + 1), GREATEST(COALESCE(d.to_date, @today) + 1, d.from_date, i.occurred_on + 1)) AS days FROM injury_cases__days AS d WHERE d.record_id = c.id) AS e) AS s
		CROSS JOIN LATERAL (SELECT 'away' AS kind, pg_catalog.lower(r) AS first, pg_catalog.upper(r) - pg_catalog.lower(r) AS days FROM pg_catalog.unnest(s.away) AS r
			UNION ALL SELECT 'restricted', pg_catalog.lower(r), pg_catalog.upper(r) - pg_catalog.lower(r) FROM pg_catalog.unnest(s.restricted - s.away) AS r) AS p) AS q) AS n$$),
('osha_300', 110, '{incidents,injury_cases,establishments}', 'Log of work-related injuries and illnesses (OSHA Form 300): a row per recordable case of an employee or supervised temporary worker, in the year of the injury. Columns A to M; the name of a privacy case is withheld. Source: 29 CFR 1904.29, 1904.31.',
$$SELECT d.establishment_id, e.name AS establishment, EXTRACT(year FROM d.occurred_on)::int AS year, d.case_id,
	d.case_code AS a_case_no, CASE WHEN d.privacy_case THEN 'Privacy Case' ELSE d.person_name END AS b_name, d.job_title AS c_job_title, d.occurred_on AS d_date, d.site AS e_where,
	d.description AS f_description, d.outcome = 'death' AS g_death, d.outcome = 'days_away' AS h_days_away, d.outcome = 'job_transfer_restriction' AS i_restricted, d.outcome = 'other_recordable' AS j_other,
	d.days_away AS k_days_away, d.days_restricted AS l_days_restricted, d.kind AS m_kind, pg_catalog.array_position('{injury,skin_disorder,respiratory,poisoning,hearing_loss,other_illness}'::text[], d.kind) AS m_type, d.days_lost
FROM osha_case_days AS d LEFT JOIN establishments AS e ON e.id = d.establishment_id
WHERE d.is_logged$$),
('osha_301', 120, '{incidents,injury_cases,establishments}', 'Injury and illness incident report (OSHA Form 301): a row per row of osha_300, with what was told; nothing of the person in a privacy case. Source: 29 CFR 1904.29(b)(2).',
$$SELECT l.establishment, l.year, l.a_case_no AS case_no, l.b_name AS name, l.c_job_title AS job_title, CASE WHEN NOT c.privacy_case THEN c.birth_date END AS birth_date, CASE WHEN NOT c.privacy_case THEN c.hire_date END AS hire_date,
	CASE WHEN NOT c.privacy_case THEN c.sex END AS sex, c.er_treated, c.inpatient, l.d_date AS date_of_injury, c.time_began_work, CASE WHEN c.time_unknown IS NOT TRUE THEN c.time_of_event END AS time_of_event, COALESCE(c.time_unknown, false) AS time_unknown,
	c.nar_before, c.nar_what, c.nar_injury, c.nar_object, c.death_date
FROM osha_300 AS l JOIN injury_cases AS c ON c.id = l.case_id$$),
('osha_300a', 130, '{incidents,injury_cases,establishments,exposure_hours}', 'Summary of injuries and illnesses (OSHA Form 300A): a row per establishment and year that has hours, also without a case, or cases, also without hours. G to J cases by outcome, K and L days, M1 to M6 cases by kind; is_consistent: G+H+I+J = M1+…+M6. Cases: case_totals. Source: 29 CFR 1904.32.',
$$SELECT e.id AS establishment_id, e.name AS establishment, COALESCE(y.year, n.year) AS year, pg_catalog.round(y.employees) AS annual_average_employees, pg_catalog.round(y.hours) AS total_hours_worked, COALESCE(n.cases, 0) = 0 AS no_cases,
	COALESCE(n.g, 0) AS g_deaths, COALESCE(n.h, 0) AS h_days_away, COALESCE(n.i, 0) AS i_restricted, COALESCE(n.j, 0) AS j_other, COALESCE(n.k, 0) AS k_days_away, COALESCE(n.l, 0) AS l_days_restricted,
	COALESCE(n.m1, 0) AS m1_injuries, COALESCE(n.m2, 0) AS m2_skin_disorders, COALESCE(n.m3, 0) AS m3_respiratory, COALESCE(n.m4, 0) AS m4_poisonings, COALESCE(n.m5, 0) AS m5_hearing_loss, COALESCE(n.m6, 0) AS m6_other_illnesses,
	COALESCE(n.g + n.h + n.i + n.j = n.m1 + n.m2 + n.m3 + n.m4 + n.m5 + n.m6, true) AS is_consistent
FROM (SELECT h.establishment_id, EXTRACT(year FROM h.month)::int AS year, pg_catalog.sum(h.hours) AS hours, pg_catalog.avg(h.average_employees) AS employees FROM exposure_hours AS h GROUP BY 1, 2) AS y
FULL JOIN (SELECT t.establishment_id, EXTRACT(year FROM t.month)::int AS year, pg_catalog.sum(t.recordable)::int8 AS cases, pg_catalog.sum(t.deaths)::int8 AS g, pg_catalog.sum(t.away)::int8 AS h, pg_catalog.sum(t.restricted)::int8 AS i, pg_catalog.sum(t.other)::int8 AS j,
	pg_catalog.sum(t.days_away) AS k, pg_catalog.sum(t.days_restricted) AS l, pg_catalog.sum(t.injuries)::int8 AS m1, pg_catalog.sum(t.skin_disorders)::int8 AS m2, pg_catalog.sum(t.respiratory)::int8 AS m3,
	pg_catalog.sum(t.poisonings)::int8 AS m4, pg_catalog.sum(t.hearing_loss)::int8 AS m5, pg_catalog.sum(t.other_illnesses)::int8 AS m6
	FROM case_totals AS t WHERE t.recordable > 0 AND t.month IS NOT NULL GROUP BY 1, 2) AS n ON n.establishment_id = y.establishment_id AND n.year = y.year
JOIN establishments AS e ON e.id = COALESCE(y.establishment_id, n.establishment_id)$$),
('osha_ita_300a', 140, '{incidents,injury_cases,establishments,exposure_hours}', 'The 28 columns of the electronic Form 300A: size 1 (under 20 at the peak), 21 (20-99), 22 (100-249), 3 (250 and more); establishment_type 1 private, 2 state, 3 local; no_injuries_illnesses 1 had cases, 2 had none. Other headers of column 2: qehs.osha_column. Source: 29 CFR 1904.41.',
$$SELECT e.name AS establishment_name, e.ein, e.company_name, e.street_address, e.city, e.region AS state, e.postal_code AS zip, e.naics_code, e.industry_description,
	CASE WHEN e.peak_employees < 20 THEN 1 WHEN e.peak_employees < 100 THEN 21 WHEN e.peak_employees < 250 THEN 22 WHEN e.peak_employees >= 250 THEN 3 END AS size,
	pg_catalog.array_position('{private,state_government,local_government}'::text[], e.establishment_type) AS establishment_type, s.year AS year_filing_for, s.annual_average_employees, s.total_hours_worked,
	CASE WHEN s.no_cases THEN 2 ELSE 1 END AS no_injuries_illnesses, s.g_deaths AS total_deaths, s.h_days_away AS total_dafw_cases, s.i_restricted AS total_djtr_cases, s.j_other AS total_other_cases, s.k_days_away AS total_dafw_days, s.l_days_restricted AS total_djtr_days,
	s.m1_injuries AS total_injuries, s.m2_skin_disorders AS total_skin_disorders, s.m3_respiratory AS total_respiratory_conditions, s.m4_poisonings AS total_poisonings, s.m5_hearing_loss AS total_hearing_loss, s.m6_other_illnesses AS total_other_illnesses, ''::text AS change_reason
FROM osha_300a AS s JOIN establishments AS e ON e.id = s.establishment_id$$),
('osha_ita_cases', 150, '{incidents,injury_cases,establishments}', 'The 24 columns of the electronic case file: no names; outcome 1 death, 2 days away, 3 restricted, 4 other; type 1 to 6 in the order of column M; dates MM/DD/YYYY, times HH:MM; facility type and inpatient 0 or 1. Source: 29 CFR 1904.41(a)(2).',
$$SELECT l.establishment AS establishment_name, l.year AS year_of_filing, l.a_case_no AS case_number, l.c_job_title AS job_title, pg_catalog.to_char(l.d_date, 'MM/DD/YYYY') AS date_of_incident, l.e_where AS incident_location, l.f_description AS incident_description,
	CASE WHEN l.g_death THEN 1 WHEN l.h_days_away THEN 2 WHEN l.i_restricted THEN 3 WHEN l.j_other THEN 4 END AS incident_outcome, l.k_days_away AS dafw_num_away, l.l_days_restricted AS djtr_num_tr, l.m_type AS type_of_incident,
	pg_catalog.to_char(c.birth_date, 'MM/DD/YYYY') AS date_of_birth, pg_catalog.to_char(c.hire_date, 'MM/DD/YYYY') AS date_of_hire, c.sex, COALESCE(c.er_treated, false)::int AS treatment_facility_type, COALESCE(c.inpatient, false)::int AS treatment_in_patient,
	c.time_began_work AS time_started_work, CASE WHEN c.time_unknown IS NOT TRUE THEN c.time_of_event END AS time_of_incident, COALESCE(c.time_unknown, false)::int AS time_unknown,
	c.nar_before AS nar_before_incident, c.nar_what AS nar_what_happened, c.nar_injury AS nar_injury_illness, c.nar_object AS nar_object_substance, pg_catalog.to_char(c.death_date, 'MM/DD/YYYY') AS date_of_death
FROM osha_300 AS l JOIN injury_cases AS c ON c.id = l.case_id$$),
('kpi_rates', 160, '{incidents,injury_cases,establishments,exposure_hours}', 'Rates by month of injury and establishment, and of all together (establishment_id NULL), for the month and the twelve months to it (_12m). TRIR = 200,000 (G+H+I+J) / hours; DART = 200,000 (H+I) / hours; LTIFR = 1,000,000 (G+H) / hours; severity_osha = 200,000 (K+L) / hours; severity_ilo = 1,000,000 days lost / hours, not limited to 180. Sums over sums. Cases: case_totals. Sources: OSHA, "How to compute incidence rates"; ILO Resolution of 1998.',
$$WITH fact AS (
	SELECT h.establishment_id, pg_catalog.date_trunc('month', h.month::timestamp)::date AS month, h.hours, 0 AS recordable, 0 AS dart, 0 AS lost_time, 0::numeric AS days, 0::numeric AS days_lost FROM exposure_hours AS h
	UNION ALL
	SELECT t.establishment_id, t.month, 0, t.recordable, t.away + t.restricted, t.deaths + t.away, t.days_away + t.days_restricted, t.days_lost FROM case_totals AS t WHERE t.recordable > 0),
total AS (
	SELECT f.establishment_id, f.month, GROUPING(f.establishment_id) AS is_all, pg_catalog.sum(f.hours) AS hours, pg_catalog.sum(f.recordable) AS recordable, pg_catalog.sum(f.dart) AS dart, pg_catalog.sum(f.lost_time) AS lost_time, pg_catalog.sum(f.days) AS days, pg_catalog.sum(f.days_lost) AS days_lost
	FROM fact AS f GROUP BY GROUPING SETS ((f.establishment_id, f.month), (f.month))),
year AS (
	SELECT t.*, pg_catalog.sum(t.hours) OVER w AS hours_12m, pg_catalog.sum(t.recordable) OVER w AS recordable_12m, pg_catalog.sum(t.dart) OVER w AS dart_12m, pg_catalog.sum(t.lost_time) OVER w AS lost_time_12m, pg_catalog.sum(t.days) OVER w AS days_12m, pg_catalog.sum(t.days_lost) OVER w AS days_lost_12m
	FROM total AS t WINDOW w AS (PARTITION BY t.is_all, t.establishment_id ORDER BY t.month RANGE BETWEEN '11 months'::interval PRECEDING AND CURRENT ROW))
SELECT y.establishment_id, e.name AS establishment, y.month, y.hours, y.recordable AS recordable_cases, y.dart AS dart_cases, y.lost_time AS lost_time_cases, y.days AS days_away_restricted, y.days_lost,
	pg_catalog.round(200000 * y.recordable / NULLIF(y.hours, 0), 2) AS trir, pg_catalog.round(200000 * y.dart / NULLIF(y.hours, 0), 2) AS dart, pg_catalog.round(1000000 * y.lost_time / NULLIF(y.hours, 0), 2) AS ltifr,
	pg_catalog.round(200000 * y.days / NULLIF(y.hours, 0), 2) AS severity_osha, pg_catalog.round(1000000 * y.days_lost / NULLIF(y.hours, 0), 2) AS severity_ilo, y.hours_12m, y.recordable_12m AS recordable_cases_12m,
	pg_catalog.round(200000 * y.recordable_12m / NULLIF(y.hours_12m, 0), 2) AS trir_12m, pg_catalog.round(200000 * y.dart_12m / NULLIF(y.hours_12m, 0), 2) AS dart_12m, pg_catalog.round(1000000 * y.lost_time_12m / NULLIF(y.hours_12m, 0), 2) AS ltifr_12m,
	pg_catalog.round(200000 * y.days_12m / NULLIF(y.hours_12m, 0), 2) AS severity_osha_12m, pg_catalog.round(1000000 * y.days_lost_12m / NULLIF(y.hours_12m, 0), 2) AS severity_ilo_12m
FROM year AS y LEFT JOIN establishments AS e ON e.id = y.establishment_id$$),
('hours_quality', 170, '{establishments,exposure_hours}', 'Hours per employee and year of each establishment, with those outside 120 to 4,500 as implausible, and months that are missing between the first that the establishment ever sent and the last of the year. Source: OSHA''s checks of electronic submissions.',
$$SELECT y.establishment_id, e.name AS establishment, y.year, y.months, y.hours, y.employees, pg_catalog.round(y.hours / NULLIF(y.employees, 0), 1) AS hours_per_employee,
	COALESCE(y.hours / NULLIF(y.employees, 0) NOT BETWEEN 120 AND 4500, true) AS is_implausible, y.last_month - CASE WHEN EXTRACT(year FROM y.first_day) = y.year THEN EXTRACT(month FROM y.first_day)::int - 1 ELSE 0 END - y.months AS missing_months
FROM (SELECT h.establishment_id, EXTRACT(year FROM h.month)::int AS year, pg_catalog.count(DISTINCT pg_catalog.date_trunc('month', h.month::timestamp)) AS months, pg_catalog.max(EXTRACT(month FROM h.month))::int AS last_month,
	pg_catalog.min(pg_catalog.min(h.month)) OVER (PARTITION BY h.establishment_id) AS first_day, pg_catalog.sum(h.hours) AS hours, pg_catalog.avg(h.average_employees) AS employees FROM exposure_hours AS h GROUP BY 1, 2) AS y LEFT JOIN establishments AS e ON e.id = y.establishment_id$$),
('riddor', 180, '{incidents,injury_cases}', 'Injury cases by what RIDDOR 2013 asks of them: fatal without delay, over seven days within 15 days, over three days to be recorded only. Days are consecutive days away, the day of the accident not counted. Source: RIDDOR 2013, regulations 4, 6, 12 (specified injuries are told by the incident''s regulator_notifiable).',
$$SELECT d.incident_code, d.case_code, d.occurred_at, d.days_lost AS days_incapacitated, d.regulator_notifiable, d.notified_at,
	d.riddor AS category, CASE WHEN d.riddor IN ('fatal', 'specified') THEN d.occurred_on WHEN d.riddor = 'over_7_days' THEN d.occurred_on + 15 END AS report_by
FROM osha_case_days AS d$$),
('riddor_totals', 185, '{incidents,injury_cases}', 'Injury cases of riddor by year, establishment and category. Cases: case_totals. Source: RIDDOR 2013, regulations 4, 6, 12.',
$$SELECT EXTRACT(year FROM t.month)::int AS year, t.establishment_id, x.category, pg_catalog.sum(x.cases)::int8 AS cases FROM case_totals AS t
CROSS JOIN LATERAL (VALUES ('fatal', t.riddor_fatal), ('specified', t.riddor_specified), ('over_7_days', t.riddor_over_7), ('over_3_days', t.riddor_over_3),
	('none', t.cases - t.riddor_fatal - t.riddor_specified - t.riddor_over_7 - t.riddor_over_3)) AS x (category, cases)
WHERE x.cases > 0 GROUP BY 1, 2, 3$$),
('actions_overdue', 200, '{actions}', 'Actions that are neither verified nor cancelled and past their due date, past the time by which they were due to leave their state (due_at, of the workflow''s deadlines), or past their original due date: days by the earlier of the first two, days by the original one, and bucket (1-7, 8-30, 31-60, 61-90, over 90; extended: due later by now, days_overdue 0). Days are today less the day that was the last in time. Source: ISO 9001, 14001 and 45001, 10.2.',
$$SELECT a.id, a.display_code, a.title, a.workflow_state, a.workflow_state_label, a.priority, a.priority_label, a.owner_name, a.parent_code, a.due_date, a.original_due_date, d.overdue AS days_overdue, GREATEST(@today - COALESCE(a.original_due_date, a.due_date), 0) AS days_overdue_original,
	CASE WHEN d.overdue = 0 THEN 'extended' WHEN d.overdue <= 7 THEN '1-7' WHEN d.overdue <= 30 THEN '8-30' WHEN d.overdue <= 60 THEN '31-60' WHEN d.overdue <= 90 THEN '61-90' ELSE 'over 90' END AS bucket, a.due_at
-- due by midnight is due on the day before it
FROM actions AS a CROSS JOIN LATERAL (SELECT GREATEST(@today - LEAST(a.due_date, ((a.due_at - '1 microsecond'::interval) AT TIME ZONE 'UTC')::date), 0) AS overdue) AS d
WHERE a.workflow_state = ANY (ARRAY(SELECT s.state FROM workflow_states AS s WHERE s.module_key = 'actions' AND s.state NOT IN ('verified', 'cancelled'))) AND (a.due_date < @today OR a.due_at <= (@today)::timestamp AT TIME ZONE 'UTC' OR a.original_due_date < @today)$$),
('ageing', 210, '{actions}', 'Open actions by priority and age since they were created: 0-7, 8-30, 31-60, 61-90, over 90 days; overdue: those of them with days_overdue in actions_overdue. Source: ISO 9001, 14001 and 45001, 10.2.',
$$SELECT b.place, b.bucket, p.priority, pg_catalog.count(a.id) AS actions, pg_catalog.count(a.id) FILTER (WHERE a.due_date < @today OR a.due_at <= (@today)::timestamp AT TIME ZONE 'UTC') AS overdue
FROM (VALUES (1, '0-7', 0, 7), (2, '8-30', 8, 30), (3, '31-60', 31, 60), (4, '61-90', 61, 90), (5, 'over 90', 91, 1000000)) AS b (place, bucket, least, most)
CROSS JOIN (VALUES ('low'), ('medium'), ('high'), ('critical')) AS p (priority)
LEFT JOIN actions AS a ON a.priority = p.priority AND a.workflow_state = ANY (ARRAY(SELECT s.state FROM workflow_states AS s WHERE s.module_key = 'actions' AND s.state NOT IN ('verified', 'cancelled'))) AND @today - (a.created_at AT TIME ZONE 'UTC')::date BETWEEN b.least AND b.most
GROUP BY 1, 2, 3$$),
('state_dwell', 220, '{}', 'How long records stay in each state: visits that have ended, their median and 90th percentile (interpolated, of lengths within 0.5%), records that are there now, and entries beyond a record''s first. Source: record_transitions, as qehs.tick has counted it last (qehs.report_trail).',
$$WITH usable AS MATERIALIZED (SELECT EXISTS (SELECT FROM qehs.report_trail AS s WHERE s.tenant_id = @tenant AND s.is_whole) AS is_used),
bucket AS (
	SELECT b.module_id, b.state, b.bucket >= 0 AS has_ended, b.stays, b.re_entries, b.microseconds / b.stays AS mean, pg_catalog.sum(b.stays) OVER (w ORDER BY b.bucket) AS upto, pg_catalog.sum(b.stays) OVER w AS visits
	FROM qehs.report_stay AS b WHERE b.tenant_id = @tenant AND b.stays > 0 AND b.module_id = ANY ((SELECT qehs.report_modules(@tenant))::int4[]) AND (SELECT u.is_used FROM usable AS u)
	WINDOW w AS (PARTITION BY b.module_id, b.state, b.bucket >= 0)),
-- the visits that are floor and ceil of a percentile's place
place AS (
	SELECT b.*, 0.5 * (b.visits - 1) AS half, 0.9 * (b.visits - 1) AS tenth FROM bucket AS b),
summed AS (
	SELECT p.module_id, p.state, COALESCE(pg_catalog.sum(p.stays) FILTER (WHERE p.has_ended), 0)::int8 AS visits, COALESCE(pg_catalog.sum(p.stays) FILTER (WHERE NOT p.has_ended), 0)::int8 AS there_now, pg_catalog.sum(p.re_entries)::int8 AS re_entries,
		pg_catalog.min(p.mean) FILTER (WHERE p.has_ended AND p.upto > pg_catalog.floor(p.half)) AS half_floor, pg_catalog.min(p.mean) FILTER (WHERE p.has_ended AND p.upto > pg_catalog.ceil(p.half)) AS half_ceil, pg_catalog.max(p.half % 1) FILTER (WHERE p.has_ended) AS half_part,
		pg_catalog.min(p.mean) FILTER (WHERE p.has_ended AND p.upto > pg_catalog.floor(p.tenth)) AS tenth_floor, pg_catalog.min(p.mean) FILTER (WHERE p.has_ended AND p.upto > pg_catalog.ceil(p.tenth)) AS tenth_ceil, pg_catalog.max(p.tenth % 1) FILTER (WHERE p.has_ended) AS tenth_part
	FROM place AS p GROUP BY 1, 2),
counted AS (
	SELECT m.key AS module_key, s.state, s.visits, pg_catalog.justify_hours(pg_catalog.make_interval(secs => ((s.half_floor + (s.half_ceil - s.half_floor) * s.half_part) / 1000000)::float8)) AS median,
		pg_catalog.justify_hours(pg_catalog.make_interval(secs => ((s.tenth_floor + (s.tenth_ceil - s.tenth_floor) * s.tenth_part) / 1000000)::float8)) AS p90, s.there_now, s.re_entries
	FROM summed AS s JOIN qehs.module AS m ON m.tenant_id = @tenant AND m.id = s.module_id
	UNION ALL
	SELECT s.module_key, s.state, pg_catalog.count(s."left"), pg_catalog.percentile_cont(0.5) WITHIN GROUP (ORDER BY s.dwell) FILTER (WHERE s."left" IS NOT NULL), pg_catalog.percentile_cont(0.9) WITHIN GROUP (ORDER BY s.dwell) FILTER (WHERE s."left" IS NOT NULL),
		pg_catalog.count(*) - pg_catalog.count(s."left"), pg_catalog.count(*) - pg_catalog.count(DISTINCT s.record_id)
	FROM record_transitions AS s WHERE NOT (SELECT u.is_used FROM usable AS u) GROUP BY 1, 2)
SELECT c.module_key, c.state, COALESCE(l.label, c.state) AS state_label, c.visits, c.median, c.p90, c.there_now, c.re_entries
FROM counted AS c LEFT JOIN workflow_states AS l ON l.module_key = c.module_key AND l.state = c.state$$),
('findings_by_clause', 230, '{findings,audits}', 'Audit findings by standard, clause, grade and site, those that repeat an earlier one apart. Source: ISO 19011, 6.4.8.',
$$SELECT f.standard, f.standard_label, f.clause, f.grade, f.grade_label, a.site, f.repeat_of_id IS NOT NULL AS is_repeat, pg_catalog.count(*) AS findings, pg_catalog.count(*) FILTER (WHERE f.workflow_state <> 'closed') AS open
FROM findings AS f LEFT JOIN audits AS a ON a.id = f.audit_id GROUP BY 1, 2, 3, 4, 5, 6, 7$$),
('training_matrix', 240, '{training,required_courses}', 'Each active person with each course that a role of his requires (required_courses) or that was ever assigned to him, by the latest record: valid, expiring (within 30 days), expired, missing (not completed), waived. Without expires_on a training holds for the months of the requirement, or for ever. Whoever may not read whose training it is, sees nobody. Source: ISO 45001 and 9001, 7.2.',
$$WITH demand AS (
	SELECT u.id AS person_id, u.display_name AS person_name, q.course, pg_catalog.string_agg(DISTINCT q.role, ', ' ORDER BY q.role) AS required_by, pg_catalog.min(q.valid_months) AS valid_months
	FROM required_courses AS q JOIN qehs.role AS r ON r.tenant_id = @tenant AND r.name = q.role JOIN qehs.role_member AS m ON m.tenant_id = @tenant AND m.role_id = r.id
	JOIN qehs.user_account AS u ON u.tenant_id = @tenant AND u.id = m.user_id AND u.active
	WHERE q.workflow_state = 'active' AND (SELECT qehs.report_reads(@tenant, k.id) AND qehs.report_reads(@tenant, k.id, 0, 'person') FROM qehs.module AS k WHERE k.tenant_id = @tenant AND k.key = 'training') GROUP BY 1, 2, 3),
latest AS (SELECT DISTINCT ON (t.person_id, t.course) t.* FROM training AS t JOIN qehs.user_account AS u ON u.tenant_id = @tenant AND u.id = t.person_id AND u.active ORDER BY t.person_id, t.course, t.completed_on DESC NULLS LAST, t.created_at DESC, t.id DESC)
SELECT COALESCE(d.person_id, l.person_id) AS person_id, COALESCE(d.person_name, l.person_name) AS person_name, COALESCE(d.course, l.course) AS course, d.required_by, l.requirement, l.due_date, l.completed_on, e.expires_on,
	CASE WHEN l.workflow_state = 'waived' THEN 'waived' WHEN l.id IS NULL OR l.workflow_state NOT IN ('completed', 'expired') THEN 'missing' WHEN l.workflow_state = 'expired' OR e.expires_on < @today THEN 'expired'
		WHEN e.expires_on <= @today + 30 THEN 'expiring' ELSE 'valid' END AS status
FROM demand AS d FULL JOIN latest AS l ON l.person_id = d.person_id AND l.course = d.course
CROSS JOIN LATERAL (SELECT COALESCE(l.expires_on, (l.completed_on + pg_catalog.make_interval(months => COALESCE(l.valid_months, d.valid_months)::int))::date) AS expires_on) AS e$$),
('risk_heatmap', 250, '{risk_assessments}', 'Residual risk of assessments in force or in review by likelihood and severity, cells without any too; size of the matrix and bands are those of the field residual_risk, which has 5 x 5 and low to 4, medium to 9, high to 16, extreme to 25 without its own. Score = likelihood x severity. Source: IEC 31010, consequence/likelihood matrix.',
$$WITH field AS (
	SELECT f.value AS field FROM qehs.module AS m JOIN qehs.module_version AS v ON v.tenant_id = @tenant AND v.module_id = m.id AND v.version = m.version CROSS JOIN LATERAL pg_catalog.jsonb_array_elements(v.definition -> 'fields') AS f
	WHERE m.tenant_id = @tenant AND m.key = 'risk_assessments' AND f.value ->> 'key' = 'residual_risk'),
matrix AS (SELECT COALESCE((field ->> 'size')::int, 5) AS size, COALESCE(field -> 'bands', '[{"name":"low","max":4},{"name":"medium","max":9},{"name":"high","max":16},{"name":"extreme","max":25}]') AS bands FROM field)
SELECT l.likelihood, s.severity, l.likelihood * s.severity AS score,
	(SELECT b.value ->> 'name' FROM pg_catalog.jsonb_array_elements(x.bands) AS b WHERE l.likelihood * s.severity <= (b.value ->> 'max')::int ORDER BY (b.value ->> 'max')::int LIMIT 1) AS band, pg_catalog.count(r.id) AS assessments
FROM matrix AS x CROSS JOIN LATERAL pg_catalog.generate_series(1, x.size) AS l (likelihood) CROSS JOIN LATERAL pg_catalog.generate_series(1, x.size) AS s (severity)
LEFT JOIN risk_assessments AS r ON r.residual_risk_likelihood = l.likelihood AND r.residual_risk_severity = s.severity AND r.workflow_state IN ('active', 'review') GROUP BY 1, 2, x.bands$$),
('indicator_facts', 255, '{observations,inspections,actions,complaints,training,incidents}', 'What each live record adds to the indicators of leading_lagging, on its day: near_miss, inspection, action, training, release, complaint; is_good: in time, of those that are due. What is void, cancelled, rejected or waived is not there, nor actions that were loaded after their due date. Source: leading_lagging.',
$$SELECT f.record_id, f.what, f.day, COALESCE(f.is_good, false) AS is_good FROM (
	SELECT x.id AS record_id, 'near_miss' AS what, (x.occurred_at AT TIME ZONE 'UTC')::date AS day, true AS is_good FROM observations AS x WHERE x.kind = 'near_miss' AND x.workflow_state <> 'void'
	UNION ALL SELECT x.id, 'inspection', x.scheduled_for, (x.conducted_at AT TIME ZONE 'UTC')::date <= x.scheduled_for FROM inspections AS x
	UNION ALL SELECT x.id, 'action', x.due_date, (d.entered AT TIME ZONE 'UTC')::date <= x.due_date FROM actions AS x CROSS JOIN LATERAL (SELECT pg_catalog.min(v.at) AS begun, pg_catalog.min(v.at) FILTER (WHERE v.to_state = 'done') AS entered FROM record_activity AS v WHERE v.record_id = x.id AND v.to_state IS NOT NULL) AS d WHERE x.workflow_state <> 'cancelled' AND (d.begun AT TIME ZONE 'UTC')::date <= x.due_date
	UNION ALL SELECT x.id, 'training', x.due_date, x.completed_on <= x.due_date FROM training AS x WHERE x.workflow_state <> 'waived'
	UNION ALL SELECT x.id, 'release', (x.occurred_at AT TIME ZONE 'UTC')::date, true FROM incidents AS x WHERE x.event_type = 'environmental_release' AND x.workflow_state <> 'rejected'
	UNION ALL SELECT x.id, 'complaint', (x.received_at AT TIME ZONE 'UTC')::date, true FROM complaints AS x WHERE x.workflow_state <> 'cancelled') AS f WHERE f.day IS NOT NULL$$),
('leading_lagging', 260, '{observations,inspections,actions,complaints,training,incidents,injury_cases,establishments,exposure_hours}', 'By month, of all establishments. Leading: near misses per 200,000 hours; inspections conducted by their day, actions done by their due date (for the first time), trainings completed by theirs (% of those due in the month). Lagging: TRIR, DART, environmental releases, complaints. What is void, cancelled, rejected or waived does not count, nor actions that were loaded after their due date, since when they were done is not known. Records as qehs.tick has counted them last (qehs.report_trail), for who may read all that they are made of. Sources: ISO 45001, 9.1.1; OSHA, "Using Leading Indicators to Improve Safety and Health Outcomes".',
$$WITH usable AS MATERIALIZED (
	SELECT EXISTS (SELECT FROM qehs.report_trail AS s WHERE s.tenant_id = @tenant AND s.is_whole AND s.has_facts) AND (SELECT pg_catalog.bool_and(qehs.report_reads(@tenant, m.id) AND qehs.report_reads(@tenant, m.id, 0, f.field)) FROM (VALUES ('observations', 'kind'), ('observations', 'occurred_at'),
		('inspections', 'scheduled_for'), ('inspections', 'conducted_at'), ('actions', 'due_date'), ('training', 'due_date'), ('training', 'completed_on'), ('incidents', 'event_type'), ('incidents', 'occurred_at'), ('complaints', 'received_at')) AS f (module, field)
		JOIN qehs.module AS m ON m.tenant_id = @tenant AND m.key = f.module) AS is_used),
counted AS (
	SELECT i.month, i.what, i.records AS n, i.good FROM qehs.report_indicator AS i WHERE i.tenant_id = @tenant AND i.records > 0 AND (SELECT u.is_used FROM usable AS u)
	UNION ALL
	SELECT pg_catalog.date_trunc('month', f.day::timestamp)::date, f.what, pg_catalog.count(*), pg_catalog.count(*) FILTER (WHERE f.is_good) FROM indicator_facts AS f WHERE NOT (SELECT u.is_used FROM usable AS u) GROUP BY 1, 2),
wide AS (SELECT c.month, pg_catalog.max(c.n) FILTER (WHERE c.what = 'near_miss') AS near_misses, pg_catalog.max(c.n) FILTER (WHERE c.what = 'release') AS releases, pg_catalog.max(c.n) FILTER (WHERE c.what = 'complaint') AS complaints,
	pg_catalog.max(pg_catalog.round(100.0 * c.good / c.n, 1)) FILTER (WHERE c.what = 'inspection') AS inspections_on_time, pg_catalog.max(pg_catalog.round(100.0 * c.good / c.n, 1)) FILTER (WHERE c.what = 'action') AS actions_on_time,
	pg_catalog.max(pg_catalog.round(100.0 * c.good / c.n, 1)) FILTER (WHERE c.what = 'training') AS trainings_on_time FROM counted AS c GROUP BY 1)
SELECT COALESCE(k.month, w.month) AS month, k.hours, COALESCE(w.near_misses, 0) AS near_misses, pg_catalog.round(200000 * COALESCE(w.near_misses, 0) / NULLIF(k.hours, 0), 2) AS near_miss_rate, w.inspections_on_time, w.actions_on_time, w.trainings_on_time,
	k.trir, k.dart, COALESCE(w.releases, 0) AS releases, COALESCE(w.complaints, 0) AS complaints
FROM (SELECT r.* FROM kpi_rates AS r WHERE r.establishment_id IS NULL) AS k FULL JOIN wide AS w ON w.month = k.month$$),
('cost_of_poor_quality', 270, '{nonconformances,complaints,actions}', 'Cost by month and currency: prevention (preventive actions), internal failure (rework and scrap of nonconformances), external failure (complaints); what is void or cancelled does not count. Appraisal cost and revenue are not recorded, so no share is given. Source: BS 6143-2, prevention, appraisal and failure model.',
$$SELECT x.month, x.currency, pg_catalog.sum(x.prevention) AS prevention, pg_catalog.sum(x.internal_failure) AS internal_failure, pg_catalog.sum(x.external_failure) AS external_failure, pg_catalog.sum(x.prevention + x.internal_failure + x.external_failure) AS total FROM (
	SELECT pg_catalog.date_trunc('month', a.created_at AT TIME ZONE 'UTC')::date AS month, a.cost_currency AS currency, a.cost AS prevention, 0::numeric AS internal_failure, 0::numeric AS external_failure
		FROM actions AS a WHERE a.action_type = 'preventive' AND a.cost IS NOT NULL AND a.workflow_state <> 'cancelled'
	UNION ALL SELECT pg_catalog.date_trunc('month', n.detected_at AT TIME ZONE 'UTC')::date, n.cost_internal_currency, 0, n.cost_internal, 0 FROM nonconformances AS n WHERE n.cost_internal IS NOT NULL AND n.workflow_state <> 'void'
	UNION ALL SELECT pg_catalog.date_trunc('month', n.detected_at AT TIME ZONE 'UTC')::date, n.cost_scrap_currency, 0, n.cost_scrap, 0 FROM nonconformances AS n WHERE n.cost_scrap IS NOT NULL AND n.workflow_state <> 'void'
	UNION ALL SELECT pg_catalog.date_trunc('month', c.received_at AT TIME ZONE 'UTC')::date, c.cost_external_currency, 0, 0, c.cost_external FROM complaints AS c WHERE c.cost_external IS NOT NULL AND c.workflow_state <> 'cancelled') AS x GROUP BY 1, 2$$);
