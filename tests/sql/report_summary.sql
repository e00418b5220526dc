-- The rates read a summary of the injury cases that qehs.tick keeps: after each change it says what the views say, for who may read all that it is made of.
\set ECHO none
SET datestyle = 'ISO, YMD';
\o /dev/null
SELECT qehs.tenant_create('report_summary', 'A tenant');
SELECT qehs.module_install('report_summary', key) FROM unnest('{injury_cases,exposure_hours}'::text[]) AS key;
SELECT qehs.use_tenant('report_summary');
CREATE TEMP TABLE made (name text PRIMARY KEY, id text);
CREATE FUNCTION pg_temp.make(name text, module text, payload jsonb) RETURNS void LANGUAGE sql AS $$INSERT INTO made SELECT name, qehs.record_create(module, payload) ->> 'id'$$;
CREATE FUNCTION pg_temp.of(name text) RETURNS text LANGUAGE sql AS $$SELECT id FROM made AS m WHERE m.name = $1$$;
SELECT pg_temp.make('site', 'establishments', '{"name":"Site","company_name":"Acme","ein":"123456789","street_address":"1 Main St","city":"Austin","region":"TX","postal_code":"78701","naics_code":"332710","industry_description":"Machine Shops","peak_employees":60,"establishment_type":"private"}');
SELECT pg_temp.make('hours ' || m, 'exposure_hours', jsonb_build_object('establishment', pg_temp.of('site'), 'month', make_date(2024, m, 1), 'hours', 10000, 'average_employees', 60)) FROM generate_series(1, 12) AS m;
SELECT qehs.user_create('pat', 'Pat') ->> 'id' AS pat \gset
CREATE FUNCTION pg_temp.injure(name text, person text, day date, more jsonb) RETURNS void LANGUAGE sql AS $$
	SELECT pg_temp.make('incident ' || name, 'incidents', jsonb_build_object('title', name, 'severity', 'low', 'occurred_at', day || 'T10:00:00Z'));
	SELECT pg_temp.make(name, 'injury_cases', jsonb_build_object('incident', pg_temp.of('incident ' || name), 'establishment', pg_temp.of('site'), 'person', person, 'employment', 'employee', 'job_title', 'Welder', 'recordable', true, 'outcome', 'days_away',
		'kind', 'injury', 'privacy_case', false, 'nar_before', 'x', 'nar_what', 'x', 'nar_injury', 'x', 'nar_object', 'x') || more);
$$;
SELECT pg_temp.injure('a', :'pat', '2024-03-01', '{"days":[{"kind":"away","from_date":"2024-03-02","to_date":"2024-03-11"}]}'), pg_temp.injure('b', :'pat', '2024-04-01', '{"outcome":"other_recordable"}'),
	pg_temp.injure('c', :'pat', '2024-05-01', '{"employment":"contractor"}'), pg_temp.injure('d', :'pat', '2024-06-01', '{"outcome":"job_transfer_restriction","days":[{"kind":"restricted","from_date":"2024-06-02"}]}');
SELECT qehs.report_publish('report_summary');
-- Form 300A, RIDDOR and the totals that they and the rates are made of
CREATE FUNCTION pg_temp.told() RETURNS SETOF jsonb LANGUAGE sql AS $$
	SELECT to_jsonb(a) FROM report_report_summary.osha_300a AS a UNION ALL SELECT to_jsonb(t) FROM report_report_summary.case_totals AS t UNION ALL SELECT to_jsonb(r) FROM report_report_summary.riddor_totals AS r
$$;
-- the rates by the views alone, beside those by the summary
CREATE FUNCTION pg_temp.same() RETURNS TABLE (is_filled boolean, cases bigint, days numeric, differ bigint) LANGUAGE plpgsql AS $$
DECLARE
	tenant int4 := (SELECT t.id FROM qehs.tenant AS t WHERE t.slug = 'report_summary');
BEGIN
	UPDATE qehs.report_summary SET counted_at = '-infinity' WHERE tenant_id = tenant;
	PERFORM qehs.report_count_due(clock_timestamp() + interval '1 minute');
	CREATE TEMP TABLE by_summary AS SELECT * FROM report_report_summary.kpi_rates;
	CREATE TEMP TABLE told AS SELECT * FROM pg_temp.told();
	UPDATE qehs.report_summary AS s SET is_whole = false WHERE s.tenant_id = tenant;
	RETURN QUERY SELECT EXISTS (SELECT FROM qehs.report_case AS c WHERE c.tenant_id = tenant), (SELECT sum(s.recordable_cases)::bigint FROM by_summary AS s WHERE s.establishment_id IS NULL),
		(SELECT sum(s.days_away_restricted) FROM by_summary AS s WHERE s.establishment_id IS NULL AND s.month < '2024-06-01'),
		(SELECT count(*) FROM ((TABLE by_summary EXCEPT SELECT * FROM report_report_summary.kpi_rates) UNION ALL (SELECT * FROM report_report_summary.kpi_rates EXCEPT TABLE by_summary)) AS d)
		+ (SELECT count(*) FROM ((TABLE told EXCEPT ALL SELECT * FROM pg_temp.told()) UNION ALL (SELECT * FROM pg_temp.told() EXCEPT ALL TABLE told)) AS d);
	UPDATE qehs.report_summary AS s SET is_whole = true WHERE s.tenant_id = tenant;
	DROP TABLE by_summary, told;
END
$$;
\o
\set ECHO all
SELECT * FROM pg_temp.same();
-- what is counted is what the summary has, until the next tick
SELECT qehs.record_update(pg_temp.of('b'), '{"outcome":"days_away","days":[{"kind":"away","from_date":"2024-04-02","to_date":"2024-04-06"}]}') IS NOT NULL AS changed;
SELECT dart_cases, days_away_restricted AS days FROM report_report_summary.kpi_rates WHERE establishment_id IS NULL AND month = '2024-04-01';
SELECT * FROM pg_temp.same();
SELECT dart_cases, days_away_restricted AS days FROM report_report_summary.kpi_rates WHERE establishment_id IS NULL AND month = '2024-04-01';
-- a case that is new, and one that is gone
SELECT pg_temp.injure('e', :'pat', '2024-02-01', '{}');
SELECT qehs.record_delete(pg_temp.of('b'));
SELECT * FROM pg_temp.same();
-- its incident on another day, gone, and back
SELECT qehs.record_update(pg_temp.of('incident a'), '{"occurred_at":"2024-03-05T10:00:00Z"}') IS NOT NULL AS changed;
SELECT * FROM pg_temp.same();
SELECT qehs.record_delete(pg_temp.of('incident e'));
SELECT * FROM pg_temp.same();
SELECT qehs.record_restore(pg_temp.of('incident e')) IS NOT NULL AS restored, qehs.record_restore(pg_temp.of('b')) IS NOT NULL AS restored;
SELECT * FROM pg_temp.same();
-- a spell without an end goes on from day to day
UPDATE qehs.report_case SET open_until = open_until - 1, days_restricted = days_restricted - 1 WHERE open_until IS NOT NULL;
UPDATE qehs.report_rate SET days_restricted = days_restricted - 1 WHERE month = '2024-06-01';
SELECT * FROM pg_temp.same();
-- who may not read the cases has none of them, nor of the summary
CREATE ROLE summary_reader LOGIN;
SELECT qehs.reporter_grant('summary_reader', 'report_summary', '{viewer}');
SET ROLE summary_reader;
SELECT sum(recordable_cases) AS cases, sum(hours) AS hours FROM report_report_summary.kpi_rates WHERE establishment_id IS NULL;
SELECT count(*) FROM qehs.report_case;
RESET ROLE;
DROP OWNED BY summary_reader;
DROP ROLE summary_reader;
-- a tenant whose views are gone has no summary
SET client_min_messages = warning;
DROP SCHEMA report_report_summary CASCADE;
SELECT qehs.report_count(t.id, now()) AS more FROM qehs.tenant AS t WHERE slug = 'report_summary';
SELECT count(*) FROM qehs.report_summary AS s JOIN qehs.tenant AS t ON t.id = s.tenant_id WHERE t.slug = 'report_summary';
