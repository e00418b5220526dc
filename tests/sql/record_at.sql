-- A record as of a time has what it had then: payload, state, version, definition and who changed it last.
\set VERBOSITY terse
\set tenant record_at
\set ECHO none
\o /dev/null
\i sql/include/incidents.psql
SELECT qehs.user_create('anna', 'Anna', NULL, '{tenant-admin}');
\o
CREATE FUNCTION pg_temp.at(hour int) RETURNS void LANGUAGE sql AS $$
SELECT set_config('qehs.clock', format('2027-03-01T%s:00:00Z', lpad(hour::text, 2, '0')), false) $$;
CREATE FUNCTION pg_temp.told(id text, at_time text) RETURNS text LANGUAGE sql AS $$
SELECT format('%s v%s %s by %s%s', r -> 'payload', r ->> 'version', r ->> 'workflowState', r #>> '{updatedBy,displayName}', CASE WHEN r ->> 'deletedAt' IS NOT NULL THEN ' deleted' END)
FROM (SELECT qehs.record_at(id, at_time)::jsonb AS r) AS t $$;
\set ECHO all
SELECT pg_temp.at(1);
SELECT qehs.record_create('incidents', '{"title":"one","severity":"low","email":"a@example.com"}') ->> 'id' AS id \gset
SELECT pg_temp.at(2), qehs.use_tenant('record_at', 'anna');
SELECT qehs.record_update(:'id', '{"title":"two","cost":5,"email":null}') IS NOT NULL AS changed;
SELECT pg_temp.at(3);
SELECT qehs.record_transition(:'id', 'submit', '{"rca_text":"because"}') IS NOT NULL AS changed;
SELECT pg_temp.at(4);
SELECT qehs.record_update(:'id', '{"severity":"high"}') IS NOT NULL AS changed;
SELECT qehs.record_update(:'id', '{"severity":"medium"}') IS NOT NULL AS changed_twice_at_the_same_time;
SELECT pg_temp.at(5), qehs.record_delete(:'id');
SELECT pg_temp.at(6);
SELECT qehs.record_restore(:'id') IS NOT NULL AS restored;
SELECT pg_temp.at(7);
SELECT pg_temp.told(:'id', '2027-03-01T00:59:59Z');
SELECT hour, pg_temp.told(:'id', format('2027-03-01T0%s:30:00Z', hour)) FROM generate_series(1, 7) AS hour;
-- the time of an event is with it; a date is its end
SELECT pg_temp.told(:'id', '2027-03-01T02:00:00Z') AS with_event, pg_temp.told(:'id', '2027-03-01T01:59:59.999Z') AS before, pg_temp.told(:'id', '2027-03-01') = pg_temp.told(:'id', '2027-03-01T07:00:00Z') AS date_is_end;
-- what is told of the last moment is what the record is
SELECT qehs.record_at(:'id', '2027-03-01')::jsonb - '{activity,attachments,availableTransitions,legalHolds}'::text[] = qehs.record_get(:'id')::jsonb - '{activity,attachments,availableTransitions,legalHolds}'::text[] AS same_as_now;
SELECT qehs.record_at(:'id', NULL);
SELECT qehs.record_at(:'id', '2027-03-01T02:00:00');
SELECT qehs.record_at('rec_00000000000000000000000000', '2027-03-01');
-- who comments later changes nothing: version, time and name are of who changed it last
SELECT pg_temp.at(1), qehs.use_tenant('record_at');
SELECT qehs.record_create('incidents', '{"title":"one","severity":"low"}') ->> 'id' AS noted \gset
SELECT pg_temp.at(2), qehs.use_tenant('record_at', 'anna');
SELECT qehs.record_comment(:'noted', 'seen') IS NOT NULL AS said, qehs.attachment_create(:'noted', 'a.txt', 'text/plain') IS NOT NULL AS attached;
SELECT pg_temp.at(3);
SELECT qehs.record_update(:'noted', '{"title":"two"}') IS NOT NULL AS changed;
SELECT hour, pg_temp.told(:'noted', format('2027-03-01T0%s:30:00Z', hour)), qehs.record_at(:'noted', format('2027-03-01T0%s:30:00Z', hour)) ->> 'updatedAt' AS updated FROM generate_series(1, 3) AS hour;
SELECT pg_temp.at(7);
-- a DBA's change past the functions is undone as well
UPDATE qehs.record SET payload = '{"title":"dba","severity":"low"}' WHERE tenant_id = (SELECT id FROM qehs.tenant WHERE slug = 'record_at');
SELECT pg_temp.told(:'id', '2027-03-01T06:30:00Z');
-- when it was due: by the state that it was in, and by what its field had
SELECT pg_temp.at(1), qehs.use_tenant('record_at');
SELECT qehs.module_publish('visits', '{"key":"visits","name":"Visits","displayCode":{"prefix":"VIS"},"fields":[{"key":"title","type":"text"},{"key":"on","type":"datetime"}],
	"workflow":{"states":["open","told","done"],"initial":"open","deadlines":{"open":{"due":"PT5H"},"told":{"due":"@on+P1D"}},"transitions":{"tell":{"from":"open","to":"told"},"end":{"from":"told","to":"done"}}}}') -> 'definitionVersion' AS version;
SELECT qehs.record_create('visits', '{"title":"one","on":"2027-04-01T10:00:00Z"}') ->> 'id' AS visit \gset
SELECT pg_temp.at(2);
SELECT qehs.record_update(:'visit', '{"title":"two"}') ->> 'dueAt' AS due;
SELECT pg_temp.at(3);
SELECT qehs.record_transition(:'visit', 'tell') ->> 'dueAt' AS due;
SELECT pg_temp.at(4);
SELECT qehs.record_update(:'visit', '{"on":"2027-05-01T10:00:00Z"}') ->> 'dueAt' AS due;
SELECT pg_temp.at(5);
SELECT qehs.record_transition(:'visit', 'end') ->> 'dueAt' AS due;
SELECT hour, qehs.record_at(:'visit', format('2027-03-01T0%s:30:00Z', hour)) ->> 'dueAt' AS due FROM generate_series(1, 5) AS hour;
