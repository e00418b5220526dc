-- When something is due: by the clock on the wall, by time that passes, and in business days, across changes of clocks and holidays.
\set VERBOSITY terse
\set ECHO none
\o /dev/null
CREATE SCHEMA due_dates_in_calendars;
SET search_path = due_dates_in_calendars, public;
SET timezone = 'UTC';
SELECT qehs.tenant_create('calendars', 'Calendars');
SELECT qehs.use_tenant('calendars');
CREATE FUNCTION due(clock text, due text, calendar text DEFAULT NULL, payload jsonb DEFAULT '{}') RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('qehs.clock', '2026-01-01T00:00:00Z', true);
	PERFORM qehs.module_publish('tasks', jsonb_build_object('key', 'tasks', 'name', 'Tasks', 'displayCode', '{"prefix":"TSK"}'::jsonb,
		'fields', '[{"key":"day","type":"date"},{"key":"time","type":"datetime"}]'::jsonb,
		'workflow', jsonb_build_object('states', '{open}'::text[], 'initial', 'open', 'transitions', '{}'::jsonb,
			'deadlines', jsonb_build_object('open', jsonb_strip_nulls(jsonb_build_object('due', due, 'calendar', calendar))))));
	PERFORM set_config('qehs.clock', clock, true);
	RETURN to_char((qehs.record_create('tasks', payload)::jsonb ->> 'dueAt')::timestamptz, 'Dy YYYY-MM-DD HH24:MI:SS');
END
$$;
\o
\set ECHO all
-- without a calendar: UTC, and every day counts
SELECT due('2026-03-06T15:00:00Z', 'P1D'), due('2026-03-06T15:00:00Z', 'P1D', 'business');
SELECT due('2026-01-31T12:00:00Z', 'P1M'), due('2028-01-31T12:00:00Z', 'P1M'), due('2028-02-29T12:00:00Z', 'P1Y'), due('2026-01-31T12:00:00Z', 'P1Y1M1DT1H');
-- clocks go forward on 29 March and back on 25 October 2026 in Berlin: a day is one of the wall, an hour is an hour
SELECT qehs.calendar_set('Europe/Berlin');
SELECT due('2026-03-28T11:00:00Z', 'P1D'), due('2026-03-28T11:00:00Z', 'PT24H'), due('2026-10-24T11:00:00Z', 'P1D'), due('2026-10-24T11:00:00Z', 'PT24H');
-- 02:30 is left out on the one day, and comes twice on the other
SELECT due('2026-03-28T01:30:00Z', 'P1D'), due('2026-10-24T00:30:00Z', 'P1D');
-- the end of a day that a field names, which has 23 hours
SELECT due('2026-03-01T00:00:00Z', '@day', NULL, '{"day":"2026-03-29"}'), due('2026-03-01T00:00:00Z', '@day-P1D', NULL, '{"day":"2026-03-29"}'),
	due('2026-03-01T00:00:00Z', '@day', NULL, '{}');
SELECT due('2026-03-01T00:00:00Z', '@time+PT1H', NULL, '{"time":"2026-03-29T02:30:00+01:00"}');
-- working hours, holidays: over Easter and over a weekend; what begins at night begins in the morning
SELECT qehs.calendar_set(opens => '08:00', closes => '16:00', holidays => '{2026-04-03,2026-04-06}');
SELECT due('2026-04-02T10:00:00Z', 'P1D', 'business'), due('2026-04-02T20:00:00Z', 'P1D', 'business'), due('2026-04-04T10:00:00Z', 'PT1H', 'business');
SELECT due('2026-04-02T13:00:00Z', 'PT1H', 'business'), due('2026-04-02T13:00:00Z', 'PT2H', 'business'), due('2026-04-02T13:00:00Z', 'P1DT9H30M', 'business');
-- back from a time outside of the hours, and within them
SELECT due('2026-04-01T00:00:00Z', '@day-P1D', 'business', '{"day":"2026-04-06"}'), due('2026-04-01T00:00:00Z', '@time-PT3H', 'business', '{"time":"2026-04-07T07:00:00Z"}');
-- a night shift of clocks within working hours: seven hours are left of that day
SELECT qehs.calendar_set(working_days => '{7}', opens => '00:00', closes => '08:00', holidays => '{}');
SELECT due('2026-03-28T20:00:00Z', 'PT7H', 'business'), due('2026-03-28T20:00:00Z', 'PT8H', 'business'), due('2026-10-24T20:00:00Z', 'PT9H', 'business');
-- a zone with half hours, west of UTC
SELECT qehs.calendar_set('America/St_Johns', '{1,2,3,4,5}', '09:00', '17:00');
SELECT due('2026-03-06T18:00:00Z', 'P1D', 'business'), due('2026-03-06T20:00:00Z', 'PT1H', 'business');
