-- What a key makes or changes is never wider than itself: scopes, roles, modules, user, end, addresses, limits.
\set ECHO none
\o /dev/null
SELECT qehs.tenant_create('key_bounds', 'A tenant');
SELECT qehs.use_tenant('key_bounds');
SELECT qehs.user_create('ann', 'Ann', roles => '{clerk}');
-- a key with every kind of bound, and one with none
SELECT qehs.api_key_create('narrow', scopes => '{admin.keys,records.read}', roles => '{clerk}', modules => '{cases}', expires_at => '2100-01-01Z', rate_limit => 5, allowed_addresses => '{192.0.2.0/24,2001:db8::/32}') AS made \gset
SELECT :'made'::jsonb ->> 'key' AS narrow, :'made'::jsonb ->> 'id' AS narrow_id \gset
SELECT qehs.rate_limit_set('signed-urls', 2, :'narrow_id');
SELECT qehs.api_key_create('wide', scopes => '{admin.keys,records.read,records.write}', roles => '{tenant-admin}', rate_limit => 0) AS made \gset
SELECT :'made'::jsonb ->> 'key' AS wide, :'made'::jsonb ->> 'id' AS wide_id \gset
SELECT qehs.api_key_create('other', scopes => '{records.read}', roles => '{clerk}', modules => '{tools}')::jsonb ->> 'id' AS other_id \gset
SELECT qehs.api_key_create('same', scopes => '{records.read}', roles => '{clerk}', modules => '{cases}')::jsonb ->> 'id' AS same_id \gset
CREATE FUNCTION pg_temp.told(call text) RETURNS TABLE (path text, code text, message text) LANGUAGE plpgsql AS $$
DECLARE
	detail text;
	answer jsonb;
BEGIN
	EXECUTE 'SELECT ' || call INTO answer;
	RETURN QUERY SELECT e.key, '', e.value::text FROM jsonb_each(answer) AS e WHERE e.key IN ('scopes', 'roles', 'modules', 'rateLimit', 'allowedAddresses');
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	IF detail IN ('', '{}') OR detail::jsonb -> 'errors' IS NULL THEN
		RETURN QUERY SELECT '', SQLSTATE, SQLERRM;
	ELSE
		RETURN QUERY SELECT e ->> 'path', e ->> 'code', e ->> 'message' FROM jsonb_array_elements(detail::jsonb -> 'errors') AS e;
	END IF;
END
$$;
CREATE FUNCTION pg_temp.limits(key_name text) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_object_agg(class, quantity) FROM qehs.rate_limit AS l JOIN qehs.api_key AS k ON k.id = l.key_id AND k.tenant_id = l.tenant_id WHERE k.name = key_name AND k.revoked_at IS NULL
		AND k.id = (SELECT max(id::text)::uuid FROM qehs.api_key AS o WHERE o.tenant_id = k.tenant_id AND o.name = key_name)
$$;
\o
\set ECHO all
-- what is no key
SELECT * FROM pg_temp.told($$qehs.api_key_create(E'two\nlines', '{records.read}', ARRAY['a', E'b\r\nc'], ARRAY['', 'm'], expires_at => now() - interval '1 second')$$);
SELECT * FROM pg_temp.told($$qehs.api_key_create('nulls', ARRAY['records.read', NULL], ARRAY[NULL]::text[], expires_at => '-infinity')$$);
BEGIN;
SELECT qehs.request_begin(:'narrow', NULL, '192.0.2.7') IS NOT NULL AS begun;
SELECT * FROM pg_temp.told($$qehs.api_key_create('child', '{records.read,records.write}', '{clerk,medic}', '{cases,tools}')$$);
SELECT * FROM pg_temp.told($$qehs.api_key_create('child', '{records.read}', '{clerk}', NULL, expires_at => '2100-01-02Z', rate_limit => 6, allowed_addresses => '{192.0.2.128/25,192.0.0.0/16,2001:db8:1::/48,0.0.0.0/0}')$$);
SELECT * FROM pg_temp.told($$qehs.api_key_create('child', '{records.read}', '{clerk}', '{cases}', rate_limit => 0, acting_user => 'ann', allowed_addresses => '{192.0.2.0/24}', expires_at => 'infinity')$$);
SELECT * FROM pg_temp.told($$qehs.api_key_create('child', '{records.read}', '{clerk}', '{cases}', expires_at => '2099-01-01Z', rate_limit => 5, allowed_addresses => '{192.0.2.7,2001:db8:1::/48}')$$);
SELECT pg_temp.limits('child');
-- another key: what it reaches beyond is not this one's to end or to renew; a key may end itself
SELECT * FROM pg_temp.told(format('qehs.api_key_revoke(%L)', :'other_id'));
SELECT * FROM pg_temp.told(format('qehs.api_key_revoke(%L)', :'wide_id'));
SELECT * FROM pg_temp.told(format('qehs.api_key_rotate(%L)', :'same_id'));
SELECT qehs.api_key_revoke(:'same_id') IS NULL AS revoked;
SELECT * FROM pg_temp.told(format('qehs.api_key_rotate(%L)', :'narrow_id'));
SELECT pg_temp.limits('narrow');
SELECT qehs.api_key_revoke(:'narrow_id') IS NULL AS revoked;
ROLLBACK;
-- a key without bounds makes what it likes; rotation keeps limits
BEGIN;
SELECT qehs.request_begin(:'wide') IS NOT NULL AS begun;
SELECT * FROM pg_temp.told($$qehs.api_key_create('child', '{records.read}', '{clerk,medic}', NULL, rate_limit => 0, acting_user => 'ann')$$);
SELECT qehs.api_key_rotate(:'other_id') IS NOT NULL AS rotated;
ROLLBACK;
SELECT qehs.rate_limit_set('default', 7, :'narrow_id');
SELECT qehs.api_key_rotate(:'narrow_id')::jsonb ->> 'key' AS renewed \gset
SELECT pg_temp.limits('narrow');
BEGIN;
SELECT split_part(qehs.request_begin(:'renewed', NULL, '192.0.2.7'), E'\n', 1) AS limited;
ROLLBACK;
-- a limit of all keys of the tenant counts, and one that the key got since
SELECT qehs.rate_limit_set('default', 3, :'wide_id');
BEGIN;
SELECT qehs.request_begin(:'wide') IS NOT NULL AS begun;
SELECT * FROM pg_temp.told($$qehs.api_key_create('child', '{records.read}', '{clerk}')$$);
ROLLBACK;
-- refused within a savepoint, a request has no caller; nor has one that was begun in what is undone
\c
\set VERBOSITY terse
BEGIN;
SAVEPOINT before;
SELECT qehs.request_begin(:'renewed', NULL, '198.51.100.1');
ROLLBACK TO before;
SELECT qehs.api_key_list();
ROLLBACK;
BEGIN;
SAVEPOINT before;
SELECT qehs.request_begin(:'renewed', NULL, '192.0.2.7') IS NOT NULL AS begun;
SELECT qehs.api_key_list() IS NOT NULL AS listed;
ROLLBACK TO before;
SELECT qehs.api_key_list();
ROLLBACK;
BEGIN;
SELECT qehs.request_begin(:'renewed', NULL, '192.0.2.7') IS NOT NULL AS begun;
SAVEPOINT before;
SELECT 1 / 0;
ROLLBACK TO before;
SELECT qehs.api_key_list() IS NOT NULL AS listed;
ROLLBACK;
