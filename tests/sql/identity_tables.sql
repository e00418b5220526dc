-- Users and roles have ids, versions and the ids of who provisions them; a role is renamed without losing its members.
\set VERBOSITY terse
SELECT qehs.tenant_create('identity', 'Identity') ->> 'slug' AS tenant;
SELECT qehs.use_tenant('identity');
SELECT qehs.user_create('dora', 'Dora', 'dora@example.com', '{tenant-user,"safety-team"}') ->> 'userName' AS made;
CREATE TEMP VIEW own_user AS SELECT u.* FROM qehs.user_account AS u JOIN qehs.tenant AS t ON t.id = tenant_id WHERE slug = 'identity';
CREATE TEMP VIEW own_role AS SELECT r.* FROM qehs.role AS r JOIN qehs.tenant AS t ON t.id = tenant_id WHERE slug = 'identity';
SELECT user_name, version, external_id, attributes, updated_at = created_at AS unchanged FROM own_user;
SELECT name, r.version, substr(r.id::text, 15, 1) AS uuid_version FROM own_role AS r JOIN qehs.role_member AS m ON m.role_id = r.id JOIN own_user AS u ON u.id = m.user_id ORDER BY name;

-- a change counts, what changes nothing does not
SELECT pg_sleep(0.002) IS NOT NULL AS later;
UPDATE qehs.user_account SET external_id = 'okta-1', display_name = 'Dora D.' WHERE user_name = 'dora';
UPDATE qehs.user_account SET display_name = 'Dora D.' WHERE user_name = 'dora';
SELECT version, external_id, updated_at > created_at AS changed FROM own_user;
UPDATE qehs.role SET display_name = 'The Safety Team' WHERE name = 'safety-team';
SELECT display_name, version FROM own_role WHERE name = 'safety-team';
SELECT qehs.use_tenant('identity', 'DORA');

-- a role that somebody makes at the same time is taken, and named once by who asks twice
SELECT qehs.use_tenant('identity');
SELECT qehs.user_create('emil', 'Emil', NULL, '{viewer,viewer}') ->> 'userName' AS made;
SELECT count(*) FROM qehs.role_member AS m JOIN own_user AS u ON u.id = m.user_id WHERE user_name = 'emil';
SELECT attributes FROM own_user WHERE user_name = 'emil';
