-- An action is overdue as well when the time by which it was due to leave its state is past; days count from the earlier of the two.
\set ECHO none
\o /dev/null
SELECT qehs.tenant_create('overdue', 'A tenant');
SELECT qehs.module_install('overdue', 'incidents', 'actions');
SELECT qehs.use_tenant('overdue');
-- whatever is done is to be verified within three days
SELECT qehs.module_publish('actions', jsonb_set(definition, '{workflow,deadlines,done}', '{"due":"P3D"}')) FROM qehs.module_catalogue WHERE key = 'actions';
-- in one transaction, so that "today" is one day
BEGIN;
CREATE TEMP TABLE made (name text PRIMARY KEY, id text);
SELECT qehs.user_create('pat', 'Pat') ->> 'id' AS pat \gset
INSERT INTO made SELECT 'incident', qehs.record_create('incidents', '{"title":"An incident","severity":"low"}') ->> 'id';
-- came into its state so many days ago, at noon, and is due in so many days
CREATE FUNCTION pg_temp.action(title text, owner text, ago int, due int, state text, priority text DEFAULT 'high', more jsonb DEFAULT '{}') RETURNS void LANGUAGE sql AS $$
	SELECT set_config('qehs.clock', to_char((now() AT TIME ZONE 'UTC')::date - ago, 'YYYY-MM-DD"T12:00:00Z"'), true);
	INSERT INTO made SELECT title, qehs.record_create('actions', jsonb_build_object('title', title, 'parent', (SELECT id FROM made WHERE name = 'incident'), 'action_type', 'corrective', 'priority', priority, 'owner', owner,
		'due_date', (now() AT TIME ZONE 'UTC')::date + due) || more, state) ->> 'id'
$$;
SELECT pg_temp.action('verified late', :'pat', 12, 5, 'done'), pg_temp.action('verified in time', :'pat', 2, 5, 'done'), pg_temp.action('due at noon today', :'pat', 3, 5, 'done'), pg_temp.action('since yesterday', :'pat', 4, 5, 'done'),
	pg_temp.action('both, by date', :'pat', 10, -20, 'done'), pg_temp.action('both, by state', :'pat', 30, -2, 'done'), pg_temp.action('due today', :'pat', 30, 0, 'open'), pg_temp.action('due yesterday', :'pat', 30, -1, 'open'),
	pg_temp.action('verified', :'pat', 12, 5, 'verified'), pg_temp.action('of low priority', :'pat', 20, 5, 'done', 'low'),
	pg_temp.action('extended', :'pat', 1, 5, 'in_progress', 'low', jsonb_build_object('original_due_date', (now() AT TIME ZONE 'UTC')::date - 1));
SELECT qehs.report_publish('overdue');
SET timezone = 'UTC';
\o
\set ECHO all
SELECT title, workflow_state AS state, days_overdue, days_overdue_original AS original, bucket, (due_at - '1 microsecond'::interval)::date - (now() AT TIME ZONE 'UTC')::date AS due_in FROM report_overdue.actions_overdue ORDER BY title;
SELECT priority, bucket, actions, overdue FROM report_overdue.ageing WHERE actions > 0 ORDER BY priority, place;
-- the time is a column of each module's records
SELECT title, due_at IS NULL AS never FROM report_overdue.actions WHERE due_at IS NULL ORDER BY title;
COMMIT;
