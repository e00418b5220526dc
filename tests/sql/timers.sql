-- States are due to be left, people are told, and transitions are fired by time: by the system, once, when the clock says so.
\set VERBOSITY terse
\set ECHO none
\o /dev/null
CREATE SCHEMA timers;
SET search_path = timers, public;
SET timezone = 'UTC';
SET qehs.clock = '2026-03-02T09:00:00Z';
SELECT qehs.tenant_create('timers', 'Timers');
SELECT qehs.use_tenant('timers');
SELECT qehs.user_create('ann', 'Ann');
SELECT qehs.module_publish('tasks', '{"key":"tasks","name":"Tasks","displayCode":{"prefix":"TSK"},
 "fields":[{"key":"title","type":"text"},{"key":"owner","type":"user"},{"key":"due_date","type":"date"},{"key":"result","type":"text"}],
 "workflow":{"states":["open","doing","done","checked","dropped"],"initial":"open",
  "deadlines":{"open":{"due":"P2D","calendar":"business","escalate":[
    {"before":"P1D","event":"task.due_soon","to":["@owner","@createdBy"]},{"after":"PT1H","event":"task.late","to":["manager","@owner"]}]},
   "doing":{"due":"@due_date","escalate":[{"after":"PT0S","event":"task.overdue","to":["manager"]}]}},
  "transitions":{"start":{"from":"open","to":"doing"},"finish":{"from":"doing","to":"done"},
   "check":{"from":"done","to":"checked","after":"P1M","requires":["result"],"effects":[{"event":"task.checked"}]},
   "drop":{"from":["open","doing"],"to":"dropped","after":"@due_date+P30D"}}}}');
CREATE TABLE ids (name text, id text);
CREATE FUNCTION make(name text, payload jsonb) RETURNS text LANGUAGE sql AS $$
INSERT INTO ids SELECT name, qehs.record_create('tasks', payload)::jsonb ->> 'id' RETURNING id $$;
CREATE FUNCTION of(name text) RETURNS text LANGUAGE sql AS $$ SELECT id FROM ids AS i WHERE i.name = $1 $$;
CREATE VIEW timers AS SELECT i.name, t.kind, t.step, t.at, t.held FROM qehs.record_timer AS t JOIN ids AS i ON qehs.id_uuid(i.id) = t.record_id ORDER BY 1, 2, 3;
CREATE VIEW events AS SELECT i.name, e.action, e.transition, e.comment, e.reason, e.record_version AS version, e.actor_id = '00000000-0000-0000-0000-000000000000' AS system, e.at
FROM qehs.audit_event AS e JOIN ids AS i ON qehs.id_uuid(i.id) = e.record_id ORDER BY e.id;
CREATE VIEW told AS SELECT topic, body - '{recordId,displayCode}'::text[] AS body FROM qehs.outbox WHERE tenant_id = (SELECT id FROM qehs.tenant WHERE slug = 'timers') ORDER BY id;
-- none of other tests is due
DELETE FROM qehs.record_timer;
SELECT make('one', jsonb_build_object('title', 'one', 'owner', (SELECT qehs.id_text('usr_', id) FROM qehs.user_account WHERE user_name = 'ann' AND tenant_id = (SELECT id FROM qehs.tenant WHERE slug = 'timers'))));
\o
\set ECHO all
-- Monday: two working days on
SELECT qehs.record_get(of('one'))::jsonb ->> 'dueAt' AS due;
TABLE timers;
-- nothing is due yet
SELECT qehs.tick() ->> 'more' AS more;
SELECT count(*) FROM told;
-- a day before it is
SET qehs.clock = '2026-03-03T09:00:00Z';
SELECT qehs.timer_run(clock_timestamp());
SELECT qehs.timer_run(clock_timestamp());
SELECT topic, body #- '{users}' AS body, jsonb_array_length(body -> 'users') AS users FROM told;
-- long after: the rest, once; the record stays as it was
SET qehs.clock = '2026-03-06T09:00:00Z';
SELECT qehs.tick() ->> 'more' AS more;
SELECT qehs.tick() ->> 'more' AS more;
SELECT topic FROM told;
SELECT action, comment, version, system FROM events;
TABLE timers;
-- a transition starts the clock of the state that it leads to; without a date nothing is due
SELECT qehs.record_transition(of('one'), 'start')::jsonb -> 'dueAt' AS due;
TABLE timers;
-- the date comes: the end of that day, and thirty days from its beginning
SELECT qehs.record_update(of('one'), '{"due_date":"2026-03-10"}')::jsonb ->> 'dueAt' AS due;
TABLE timers;
-- another change moves nothing; the date moves what goes by it
SELECT qehs.record_update(of('one'), '{"title":"1"}')::jsonb ->> 'dueAt' AS due;
SELECT qehs.record_update(of('one'), '{"due_date":"2026-03-05"}')::jsonb ->> 'dueAt' AS due;
TABLE timers;
SELECT qehs.timer_run(clock_timestamp() + '1 minute');
SELECT qehs.record_update(of('one'), '{"due_date":"2026-03-31"}')::jsonb ->> 'dueAt' AS due;
TABLE timers;
-- fired by time
SELECT qehs.record_transition(of('one'), 'finish')::jsonb -> 'dueAt' AS due;
TABLE timers;
-- a guard does not hold: put off, and told once
SET qehs.clock = '2026-04-06T09:00:00Z';
SELECT qehs.timer_run(clock_timestamp() + '1 minute');
TABLE timers;
SELECT qehs.timer_run(clock_timestamp() + '1 minute');
SET qehs.clock = '2026-04-06T10:00:00Z';
SELECT qehs.timer_run(clock_timestamp() + '1 minute');
TABLE timers;
SELECT topic, body FROM told WHERE topic LIKE 'tasks.%';
SELECT action, transition, comment, system FROM events WHERE action = 'held';
-- it holds now
SELECT qehs.record_update(of('one'), '{"result":"good"}')::jsonb ->> 'version' AS version;
SET qehs.clock = '2026-04-06T11:00:00Z';
SELECT qehs.timer_run(clock_timestamp() + '1 minute');
SELECT qehs.timer_run(clock_timestamp() + '1 minute');
SELECT r ->> 'workflowState' AS state, r ->> 'version' AS version, r #>> '{updatedBy,type}' AS by FROM (SELECT qehs.record_get(of('one'))::jsonb) AS g (r);
SELECT action, transition, reason, version, system, at FROM events ORDER BY at DESC LIMIT 1;
SELECT topic, body FROM told WHERE topic = 'task.checked';
TABLE timers;
-- deleted: nothing happens to it; restored: its clock starts again
SELECT make('two', '{"title":"two","due_date":"2026-04-01"}') IS NOT NULL AS made;
SELECT qehs.record_delete(of('two')) IS NULL AS deleted;
TABLE timers;
SET qehs.clock = '2026-04-07T11:00:00Z';
SELECT qehs.record_restore(of('two'))::jsonb ->> 'dueAt' AS due;
TABLE timers;
-- one tenant's calendar: working hours, a holiday, a time zone
SELECT qehs.calendar_get();
SELECT qehs.calendar_set('Europe/Berlin', '{5,4,3,2,1}', '08:00', '17:00', '{2026-05-01,2026-04-06,2026-04-03}');
SELECT qehs.calendar_get();
SET qehs.clock = '2026-04-30T10:00:00Z';
SELECT make('three', '{"title":"three","due_date":"2026-05-10"}') IS NOT NULL AS made;
SELECT qehs.record_get(of('three'))::jsonb ->> 'dueAt' AS due;
SELECT * FROM timers WHERE name = 'three';
-- lists: by when they are due, those without a date behind them; which are late
SELECT jsonb_path_query_array(qehs.record_list('tasks', sort => 'dueAt')::jsonb, '$.items[*].payload.title') AS titles,
	jsonb_path_query_array(qehs.record_list('tasks', sort => '-dueAt', page_size => 2)::jsonb, '$.items[*].payload.title') AS backward,
	jsonb_path_query_array(qehs.record_list('tasks', filter => '{"dueAt":{"lt":"2026-04-30"}}', fields => 'dueAt')::jsonb, '$.items[*].dueAt') AS late,
	jsonb_path_query_array(qehs.record_list('tasks', filter => '{"dueAt":{"exists":false}}')::jsonb, '$.items[*].payload.title') AS without;
-- to whom it belongs
SELECT qehs.use_tenant('timers', 'ann');
SELECT qehs.calendar_get();
SELECT qehs.use_tenant('timers');
SELECT qehs.calendar_set(working_days => '{}', opens => '17:00', closes => '08:00', holidays => '{infinity}', time_zone => 'Mars/Olympus');
SELECT qehs.calendar_set(opens => '07:00');
-- a suspended tenant waits
SET qehs.clock = '2026-07-01T00:00:00Z';
SELECT qehs.tenant_suspend('timers')::jsonb ->> 'slug' AS slug;
SELECT qehs.tick() ->> 'more' AS more;
SELECT count(*) FROM timers WHERE at < qehs.clock_now();
