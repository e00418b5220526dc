-- Nothing is erased or purged that is held, whichever hold it is and whoever asks, deleted or not; one that is released, or of others, holds nothing.
\set VERBOSITY terse
\set ECHO none
SET qehs.clock = '2027-01-01T00:00:00Z';
\o /dev/null
SELECT qehs.tenant_create('held_erasure', 'A tenant');
SELECT qehs.use_tenant('held_erasure');
SELECT qehs.module_publish(key, jsonb_build_object('key', key, 'name', key, 'displayCode', jsonb_build_object('prefix', upper(left(key, 3))), 'fields', '[{"key":"title","type":"text","indexed":true},{"key":"name","type":"text","personalData":true}]'::jsonb,
	'workflow', '{"states":["open"],"initial":"open","transitions":{}}'::jsonb)) FROM unnest('{cases,visits}'::text[]) AS key;
SELECT qehs.record_create('cases', '{"title":"one","name":"Quetzal"}') ->> 'id' AS one \gset
SELECT qehs.record_create('cases', '{"title":"two","name":"Quetzal"}') ->> 'id' AS two \gset
SELECT qehs.record_create('visits', '{"title":"three","name":"Quetzal"}') ->> 'id' AS three \gset
SELECT qehs.record_delete(:'two');
SELECT qehs.user_create('ann', 'Ann');
-- what erasing by each door says of each record; nothing of it stays
CREATE FUNCTION pg_temp.tried(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	code text;
BEGIN
	EXECUTE 'SELECT ' || call;
	RAISE EXCEPTION USING MESSAGE = 'undo', CONSTRAINT = 'done';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS code = CONSTRAINT_NAME;
	RETURN code;
END
$$;
CREATE FUNCTION pg_temp.told(one text, two text, three text) RETURNS TABLE (record text, erase text, fields text, comments text, purge text) LANGUAGE sql AS $$
SELECT name, pg_temp.tried(format('qehs.record_erase(%L, ''asked for'')', id)), pg_temp.tried(format('qehs.record_erase(%L, ''asked for'', ''{title}'')', id)), pg_temp.tried(format('qehs.record_erase(%L, ''asked for'', comments => true)', id)),
	pg_temp.tried(format('qehs.record_purge(%L, ''old'')', id)) FROM (VALUES ('one', one), ('two, deleted', two), ('of another module', three)) AS r (name, id)
$$;
\o
\set ECHO all
-- no hold: only what is not deleted is not purged
SELECT * FROM pg_temp.told(:'one', :'two', :'three');
-- of records, one of them deleted
SELECT qehs.legal_hold_create('claim', ARRAY[:'one', :'two']) ->> 'id' AS hold \gset
SELECT * FROM pg_temp.told(:'one', :'two', :'three');
-- by a filter that the record meets no more
SELECT qehs.legal_hold_create('by filter', module_key => 'cases', filter => '{"title":"one"}') ->> 'id' AS by_filter \gset
SELECT qehs.legal_hold_release(:'hold', 'settled') ->> 'releaseReason' AS released, qehs.record_update(:'one', '{"title":"1"}') IS NOT NULL AS changed;
SELECT * FROM pg_temp.told(:'one', :'two', :'three');
-- of the module, then of the tenant, under which users are not erased either
SELECT qehs.legal_hold_release(:'by_filter', 'settled') ->> 'releaseReason' AS released, qehs.legal_hold_create('of the module', module_key => 'cases') ->> 'id' AS hold \gset
SELECT * FROM pg_temp.told(:'one', :'two', :'three');
SELECT qehs.legal_hold_release(:'hold', 'settled') ->> 'releaseReason' AS released, qehs.legal_hold_create('of all') ->> 'id' AS hold \gset
SELECT * FROM pg_temp.told(:'one', :'two', :'three');
SELECT pg_temp.tried($$qehs.user_erase('ann', 'left')$$) AS user_erase;
SELECT qehs.legal_hold_release(:'hold', 'settled') ->> 'releaseReason' AS released;
SELECT * FROM pg_temp.told(:'one', :'two', :'three');
SELECT pg_temp.tried($$qehs.user_erase('ann', 'left')$$) AS user_erase;
SELECT payload ->> 'name' AS name FROM qehs.record AS r JOIN qehs.tenant AS t ON t.id = r.tenant_id WHERE t.slug = 'held_erasure' ORDER BY r.id;
