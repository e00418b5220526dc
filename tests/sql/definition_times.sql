-- Faults of a definition's times, each by its place.
\set VERBOSITY terse
\set ECHO none
\o /dev/null
CREATE SCHEMA definition_times;
SET search_path = definition_times, public;
SELECT qehs.tenant_create('deadlines', 'Deadlines');
SELECT qehs.use_tenant('deadlines');
CREATE FUNCTION faults(workflow jsonb, permissions jsonb DEFAULT '{}') RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	told text;
BEGIN
	PERFORM qehs.module_publish('tasks', jsonb_build_object('key', 'tasks', 'name', 'Tasks', 'displayCode', '{"prefix":"TSK"}'::jsonb,
		'fields', '[{"key":"title","type":"text"},{"key":"owner","type":"user"},{"key":"due_date","type":"date"},{"key":"starts","type":"datetime"}]'::jsonb,
		'workflow', '{"states":["open","done"],"initial":"open","transitions":{"finish":{"from":"open","to":"done"}}}'::jsonb || workflow,
		'permissions', permissions));
	RETURN NEXT 'published';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS told = PG_EXCEPTION_DETAIL;
	RETURN QUERY SELECT format('%s %s: %s', e ->> 'path', e ->> 'code', e ->> 'message') FROM jsonb_array_elements(told::jsonb -> 'errors') AS e;
END
$$;
CREATE FUNCTION deadline(deadline jsonb) RETURNS SETOF text LANGUAGE sql AS $$
SELECT faults(jsonb_build_object('deadlines', jsonb_build_object('open', deadline))) $$;
CREATE FUNCTION timed(finish jsonb) RETURNS SETOF text LANGUAGE sql AS $$
SELECT faults(jsonb_build_object('transitions', jsonb_build_object('finish', '{"from":"open","to":"done"}'::jsonb || finish))) $$;
CREATE FUNCTION hidden(fields jsonb) RETURNS SETOF text LANGUAGE sql AS $$
SELECT faults('{"deadlines":{"open":{"due":"@due_date+P1D"}}}', jsonb_build_object('fields', fields)) $$;
\o
\set ECHO all
SELECT faults('{"deadlines":[]}');
SELECT faults('{"deadlines":{"gone":{"due":"P1D"},"open":"P1D","done":{}}}');
SELECT deadline('{"due":5}');
SELECT deadline('{"due":"14 days"}');
SELECT deadline('{"due":"PT0S"}');
SELECT deadline('{"due":"P101Y"}');
SELECT deadline('{"due":"@title"}');
SELECT deadline('{"due":"@due_date+"}');
SELECT deadline('{"due":"@gone-P1D"}');
SELECT deadline('{"due":"P1M","calendar":"business"}');
SELECT deadline('{"due":"P2W","calendar":"business"}');
SELECT deadline('{"due":"P2D","calendar":"lunar","after":"P1D"}');
SELECT deadline('{"due":"P2D","calendar":"business","escalate":[{},{"before":"P1D","after":"P1D","event":"x","to":["a"]},
 {"after":"soon","event":"","to":"a"},{"before":"P1M","event":"x","to":["@title","@createdBy","@owner",5]},"x",{"after":"P1D","event":"x","to":["a"],"cc":1}]}');
-- a date that only some may read is not told by what is due
SELECT hidden('{"due_date":{"read":["manager"]}}');
SELECT hidden('{"due_date":{"write":["manager"]},"title":{"read":["manager"]}}');
SELECT timed('{"after":"P1D","approvers":{"count":1,"role":"a"},"signature":true,"commentRequired":true}');
SELECT timed('{"after":"P1D","signature":false,"commentRequired":false}');
SELECT timed('{"calendar":"business"}');
SELECT timed('{"after":"@due_date","from":["open","done"]}');
SELECT timed('{"after":"@due_date","from":"*"}');
SELECT timed('{"after":"P1Y","from":"*"}');
SELECT timed('{"after":"@starts-PT30M","roles":["system"]}');
SELECT deadline('{"due":"P5DT4H","calendar":"business","escalate":[{"after":"PT0S","event":"x","to":["a","@owner"]}]}');
