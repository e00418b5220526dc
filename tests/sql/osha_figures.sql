-- The OSHA figures of a worked example, computed by hand (29 CFR 1904): two sites with cases and one without, in 2024.
-- Hours: A 12 x 8,333 = 99,996; B 12 x 5,000 = 60,000; C 12 x 1,000 = 12,000; together 171,996.
-- A: case 1, injured 1 March, away 1 March to 8 July and restricted from 9 July to 31 December: 129 days away (the day of injury is none), and 180 - 129 = 51 restricted.
--    case 2, a supervised temp, other recordable, skin disorder; 3 a contractor's; 4 is deleted; 5 is not recordable; case 6 is a privacy case, restricted 10 days.
-- B: case 7, away since 21 December 2024 without an end: 180 days; case 8, a death.
-- TRIR 200,000 x 5 / 171,996 = 5.81; DART 200,000 x 3 / 171,996 = 3.49; LTIFR 1,000,000 x 3 / 171,996 = 17.44; severity 200,000 x (129 + 61 + 180) / 171,996 = 430.24
\set ECHO none
SET datestyle = 'ISO, YMD';
\o /dev/null
SELECT qehs.tenant_create('osha', 'A tenant');
SELECT qehs.module_install('osha', 'injury_cases');
SELECT qehs.module_install('osha', 'exposure_hours');
SELECT qehs.use_tenant('osha');
CREATE TEMP TABLE made (name text PRIMARY KEY, id text);
CREATE FUNCTION pg_temp.make(name text, module text, payload jsonb) RETURNS void LANGUAGE sql AS $$
	INSERT INTO made SELECT name, qehs.record_create(module, payload) ->> 'id';
$$;
CREATE FUNCTION pg_temp.of(name text) RETURNS text LANGUAGE sql AS $$SELECT id FROM made AS m WHERE m.name = $1$$;
SELECT pg_temp.make(name, 'establishments', jsonb_build_object('name', 'Site ' || name, 'company_name', 'Acme', 'ein', '123456789', 'street_address', '1 Main St', 'city', 'Austin', 'region', 'TX', 'postal_code', '78701', 'naics_code', '332710',
	'industry_description', 'Machine Shops', 'peak_employees', peak, 'establishment_type', 'private')) FROM (VALUES ('A', 60), ('B', 30), ('C', 8)) AS v (name, peak);
SELECT qehs.record_create('exposure_hours', jsonb_build_object('establishment', pg_temp.of(name), 'month', make_date(2024, m, 1), 'hours', hours, 'average_employees', employees))
FROM (VALUES ('A', 8333, 50), ('B', 5000, 30), ('C', 1000, 6)) AS v (name, hours, employees), generate_series(1, 12) AS m;
INSERT INTO made SELECT 'person', qehs.user_create('pat', 'Pat Smith') ->> 'id';
CREATE FUNCTION pg_temp.injure(no int, site text, day date, employment text, recordable boolean, outcome text, kind text, privacy boolean, days jsonb DEFAULT '[]') RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM pg_temp.make('incident ' || no, 'incidents', jsonb_build_object('title', 'Injury ' || no, 'severity', 'high', 'occurred_at', day || 'T10:00:00Z', 'site', 'Hall ' || no));
	PERFORM pg_temp.make('case ' || no, 'injury_cases', jsonb_build_object('incident', pg_temp.of('incident ' || no), 'establishment', pg_temp.of(site), 'person', pg_temp.of('person'), 'employment', employment, 'job_title', 'Welder',
		'recordable', recordable, 'kind', kind, 'privacy_case', privacy, 'days', days, 'time_of_event', '10:00', 'time_began_work', '06:30', 'birth_date', '1980-05-06', 'hire_date', '2010-01-02', 'sex', 'F')
		|| CASE WHEN recordable THEN jsonb_build_object('outcome', outcome, 'nar_before', 'before', 'nar_what', 'what', 'nar_injury', 'injury', 'nar_object', 'object') ELSE '{}' END
		|| CASE WHEN outcome = 'death' THEN jsonb_build_object('death_date', day) ELSE '{}' END);
END
$$;
SELECT pg_temp.injure(1, 'A', '2024-03-01', 'employee', true, 'days_away', 'injury', false, '[{"kind":"away","from_date":"2024-03-01","to_date":"2024-07-08"},{"kind":"restricted","from_date":"2024-07-09","to_date":"2024-12-31"}]');
SELECT pg_temp.injure(2, 'A', '2024-04-01', 'temp_supervised', true, 'other_recordable', 'skin_disorder', false);
SELECT pg_temp.injure(3, 'A', '2024-05-01', 'contractor', true, 'days_away', 'injury', false, '[{"kind":"away","from_date":"2024-05-02","to_date":"2024-05-20"}]');
SELECT pg_temp.injure(4, 'A', '2024-06-01', 'employee', true, 'job_transfer_restriction', 'injury', false, '[{"kind":"restricted","from_date":"2024-06-02","to_date":"2024-06-20"}]');
SELECT qehs.record_delete(pg_temp.of('case 4'));
SELECT pg_temp.injure(5, 'A', '2024-07-01', 'employee', false, NULL, 'injury', false);
SELECT pg_temp.injure(6, 'A', '2024-05-10', 'employee', true, 'job_transfer_restriction', 'other_illness', true, '[{"kind":"restricted","from_date":"2024-05-11","to_date":"2024-05-20"}]');
SELECT pg_temp.injure(7, 'B', '2024-12-20', 'employee', true, 'days_away', 'respiratory', false, '[{"kind":"away","from_date":"2024-12-21"}]');
SELECT pg_temp.injure(8, 'B', '2024-02-02', 'employee', true, 'death', 'injury', false);
SELECT qehs.report_publish('osha');
SET search_path = report_osha, public;
\pset null '(null)'
\o
\set ECHO all
SELECT establishment, b_name, c_job_title, d_date, e_where, g_death AS g, h_days_away AS h, i_restricted AS i, j_other AS j, k_days_away AS k, l_days_restricted AS l, m_type FROM osha_300 ORDER BY d_date;
SELECT establishment, annual_average_employees AS employees, total_hours_worked AS hours, no_cases, g_deaths AS g, h_days_away AS h, i_restricted AS i, j_other AS j, k_days_away AS k, l_days_restricted AS l,
	m1_injuries AS m1, m2_skin_disorders AS m2, m3_respiratory AS m3, m4_poisonings AS m4, m5_hearing_loss AS m5, m6_other_illnesses AS m6, is_consistent FROM osha_300a ORDER BY 1;
-- a case in a year for which no hours were sent is in the form of that year, which lacks the hours
BEGIN;
SELECT pg_temp.injure(9, 'C', '2022-02-02', 'employee', true, 'other_recordable', 'hearing_loss', false);
SELECT establishment, year, total_hours_worked AS hours, no_cases, j_other AS j, m5_hearing_loss AS m5, is_consistent FROM osha_300a WHERE establishment = 'Site C' ORDER BY 2;
ROLLBACK;
-- the month of March in A: 200,000 x 1 / 8,333 = 24.00
SELECT establishment, trir, dart, ltifr FROM kpi_rates WHERE month = '2024-03-01' ORDER BY 1;
SELECT establishment, hours_12m, recordable_cases_12m AS cases, trir_12m, dart_12m, ltifr_12m, severity_osha_12m FROM kpi_rates WHERE month = '2024-12-01' ORDER BY 1;
SELECT name, birth_date, sex, date_of_injury, time_of_event FROM osha_301 ORDER BY date_of_injury;
SELECT establishment, hours_per_employee, is_implausible, missing_months FROM hours_quality ORDER BY 1;
SELECT category, count(*) FROM riddor GROUP BY 1 ORDER BY 1;
-- the files of the electronic submission: the columns of the published list, and their rules
SELECT form, array_agg(name::text ORDER BY place) = (SELECT array_agg(attname::text ORDER BY attnum) FROM pg_attribute WHERE attnum > 0 AND attrelid = ('osha_ita_' || form)::regclass) AS same, count(*) FROM qehs.osha_column WHERE edition = 'ein' GROUP BY 1 ORDER BY 1;
COPY (SELECT * FROM osha_ita_300a ORDER BY 1) TO STDOUT (FORMAT csv, HEADER);
COPY (SELECT establishment_name, year_of_filing, job_title, date_of_incident, incident_location, incident_outcome, CASE WHEN date_of_incident LIKE '12%' THEN dafw_num_away END AS open_away, djtr_num_tr, type_of_incident, date_of_birth, date_of_hire, sex, treatment_facility_type, treatment_in_patient, time_started_work, time_of_incident, time_unknown, date_of_death
	FROM osha_ita_cases ORDER BY date_of_incident) TO STDOUT (FORMAT csv, HEADER);
SELECT j.key, j.value AS breaks_the_rule FROM (SELECT to_jsonb(a) AS line FROM osha_ita_300a AS a UNION ALL SELECT to_jsonb(c) FROM osha_ita_cases AS c) AS l, jsonb_each_text(line) AS j
JOIN (VALUES ('ein', '^\d{9}$'), ('state', '^[A-Z]{2}$'), ('zip', '^\d{5}(\d{4})?$'), ('naics_code', '^\d{6}$'), ('size', '^(1|21|22|3)$'), ('establishment_type', '^[123]$'), ('year_filing_for', '^\d{4}$'), ('annual_average_employees', '^\d+$'), ('total_hours_worked', '^\d+$'),
	('no_injuries_illnesses', '^[12]$'), ('total_\w+', '^\d+$'), ('incident_outcome', '^[1234]$'), ('type_of_incident', '^[1-6]$'), ('date_of_\w+', '^\d\d/\d\d/\d{4}$'), ('time_(started_work|of_incident)', '^\d\d:\d\d$'), ('time_unknown|treatment_\w+', '^[01]$'), ('(dafw|djtr)_num_\w+', '^(\d{1,2}|1[0-7]\d|180)$'))
	AS r (name, rule) ON j.key ~ ('^(' || r.name || ')$') WHERE j.value !~ r.rule;
-- who may not read whose injury it was, reads the log without
CREATE ROLE osha_reader LOGIN;
SELECT qehs.reporter_grant('osha_reader', 'osha', '{manager}');
SET ROLE osha_reader;
SELECT establishment, b_name, k_days_away AS k FROM osha_300 ORDER BY d_date LIMIT 1;
RESET ROLE;
RESET search_path;
DROP OWNED BY osha_reader;
DROP ROLE osha_reader;
