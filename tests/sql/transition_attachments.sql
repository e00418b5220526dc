-- A transition that wants files of a kind, and states that lock them.
\set VERBOSITY terse
\set ECHO none
\o /dev/null
SELECT qehs.tenant_create('evidence', 'Evidence');
SELECT qehs.use_tenant('evidence');
SELECT qehs.module_publish('cases', '{"key":"cases","name":"Cases","displayCode":{"prefix":"CAS"},"fields":[{"key":"title","type":"text"},{"key":"report","type":"file"},{"key":"more","type":"file"}],
 "workflow":{"states":["open","closed"],"initial":"open","transitions":{
  "close":{"from":"open","to":"closed","attachments":[{"min":2,"mediaTypes":["image/*"]},{"field":"report","mediaTypes":["application/pdf","text/*"]}]},"reopen":{"from":"closed","to":"open"}}},
 "permissions":{"states":{"closed":{"edit":[],"fields":{"more":["tenant-owner"]}}}}}');
SELECT qehs.record_create('cases', '{"title":"One"}') ->> 'id' AS id \gset
CREATE FUNCTION pg_temp.announce(record_id text, content_type text, field text DEFAULT NULL) RETURNS text LANGUAGE sql AS
$$SELECT qehs.attachment_create(record_id, 'a', content_type, 5, NULL, field) ->> 'id'$$;
CREATE FUNCTION pg_temp.settle(id text, type text, scan text DEFAULT NULL) RETURNS void LANGUAGE sql AS $$SELECT qehs.attachment_settle('evidence', id, 5, repeat('ab', 32), type, scan)$$;
CREATE FUNCTION pg_temp.close(id text, payload jsonb DEFAULT NULL) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	told text;
	code text;
BEGIN
	PERFORM qehs.record_transition(id, 'close', payload);
	RETURN NEXT 'fired';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS told = PG_EXCEPTION_DETAIL, code = CONSTRAINT_NAME;
	RETURN NEXT code;
	RETURN QUERY SELECT e ->> 'path' || ' ' || (e ->> 'code') || ': ' || (e ->> 'message') FROM jsonb_array_elements(told::jsonb -> 'errors') AS e;
END
$$;
\o
\set ECHO all
SELECT pg_temp.close(:'id');
-- announced is not there, infected neither, and a text is no image
SELECT pg_temp.announce(:'id', 'image/png') AS one, pg_temp.announce(:'id', 'image/jpeg') AS two, pg_temp.announce(:'id', 'text/plain') AS text \gset
SELECT pg_temp.settle(:'one', 'image/png'), pg_temp.settle(:'text', 'text/plain') \g /dev/null
SELECT pg_temp.close(:'id');
SELECT pg_temp.settle(:'two', 'image/jpeg', 'infected: Eicar') \g /dev/null
SELECT pg_temp.close(:'id');
SELECT pg_temp.announce(:'id', 'image/png') AS three \gset
SELECT pg_temp.settle(:'three', 'image/png') \g /dev/null
-- the text is in no field; one that the transition names counts, of its type
SELECT pg_temp.announce(NULL, 'image/png') AS picture, pg_temp.announce(NULL, 'text/plain; charset=utf-8') AS report \gset
SELECT pg_temp.settle(:'picture', 'image/png'), pg_temp.settle(:'report', 'text/plain') \g /dev/null
SELECT pg_temp.close(:'id', jsonb_build_object('report', :'picture'::text));
SELECT pg_temp.close(:'id', jsonb_build_object('report', :'report'::text));
-- a closed case takes and gives up no file, but for the field that it leaves open
SELECT pg_temp.announce(:'id', 'image/png');
SELECT pg_temp.announce(:'id', 'image/png', 'report');
SELECT qehs.attachment_delete(:'one');
SELECT pg_temp.announce(:'id', 'image/png', 'more') IS NOT NULL AS taken;
SELECT qehs.record_transition(:'id', 'reopen') ->> 'workflowState' AS state;
SELECT qehs.attachment_delete(:'one') IS NULL AS deleted;
SELECT pg_temp.close(:'id');
-- faults of definitions
\set VERBOSITY default
SELECT qehs.module_publish('cases', '{"key":"cases","name":"Cases","displayCode":{"prefix":"CAS"},"fields":[{"key":"title","type":"text"},{"key":"report","type":"file"},{"key":"more","type":"file"}],
 "workflow":{"states":["open","closed"],"initial":"open","transitions":{
  "close":{"from":"open","to":"closed","attachments":[{"min":0,"mediaTypes":["png"]},{"field":"title","most":1},{"field":"nothing","mediaTypes":[]},1]},"reopen":{"from":"closed","to":"open","attachments":2}}}}');
