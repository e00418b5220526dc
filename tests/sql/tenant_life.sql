-- What a DBA does without being superuser: tenants are listed, suspended, opened again and removed whole; users are listed and deactivated.
CREATE ROLE tenant_life_dba IN ROLE qehs_admin;
SET ROLE tenant_life_dba;
\set ECHO none
SELECT qehs.tenant_create('life_a', 'A'), qehs.tenant_create('life_b', 'B'), qehs.tenant_create('life_c', 'C') \g /dev/null
SELECT qehs.use_tenant('life_a') \g /dev/null
SELECT qehs.user_create('ann', 'Ann', 'ann@a.example', '{tenant-user,medic}'), qehs.user_create('bob', 'Bob', roles => '{viewer}') \g /dev/null
SELECT qehs.api_key_create('own', acting_user => 'ann')::jsonb ->> 'key' AS key \gset
SELECT qehs.module_install('life_a', 'incidents'), qehs.module_install('life_b', 'incidents') \g /dev/null
SELECT qehs.record_create('incidents', '{"title":"one","severity":"low"}') ->> 'id' AS id \gset
SELECT qehs.record_update(:'id', '{"severity":"high"}') \g /dev/null
SELECT qehs.use_tenant('life_b'), qehs.record_create('incidents', '{"title":"other","severity":"low"}') \g /dev/null
\set ECHO all
-- listed by slug, page by page
SELECT item ->> 'slug' AS slug, item ->> 'name' AS name, item ->> 'users' AS users, item ->> 'modules' AS modules
FROM json_array_elements(qehs.tenant_list(after => 'life_') -> 'items') AS item WHERE item ->> 'slug' LIKE 'life%';
SELECT json_array_length(page -> 'items') AS items, page ->> 'nextAfter' AS next FROM qehs.tenant_list(1, 'life_a') AS page;
SELECT qehs.tenant_list(0);
-- users
SELECT qehs.use_tenant('life_a');
SELECT item ->> 'userName' AS name, item ->> 'email' AS email, item ->> 'active' AS active, item -> 'roles' AS roles
FROM json_array_elements(qehs.user_list() -> 'items') AS item;
SELECT json_array_length(qehs.user_list(1, qehs.user_list(1) ->> 'nextCursor') -> 'items') AS second_page;
SELECT qehs.user_deactivate('ANN') ->> 'active' AS active;
SELECT qehs.use_tenant('life_a', 'ann');
RESET ROLE;
BEGIN;
SELECT qehs.request_begin(:'key');
ROLLBACK;
SET ROLE tenant_life_dba;
SELECT qehs.use_tenant('life_a');
SELECT qehs.user_activate('ann') ->> 'active' AS active;
SELECT qehs.user_deactivate('nobody');
RESET ROLE;
BEGIN;
SELECT qehs.request_begin(:'key') IS NOT NULL AS begun;
ROLLBACK;
-- closed: nobody acts in it, nothing is lost
SET ROLE tenant_life_dba;
SELECT qehs.tenant_suspend('life_a') ->> 'suspendedAt' IS NOT NULL AS suspended;
SELECT qehs.use_tenant('life_a');
RESET ROLE;
BEGIN;
SELECT qehs.request_begin(:'key');
ROLLBACK;
SET ROLE tenant_life_dba;
SELECT qehs.tenant_resume('life_a') ->> 'suspendedAt' AS suspended;
SELECT qehs.use_tenant('life_a');
SELECT qehs.record_get(:'id') -> 'payload' AS payload;
-- removed: as a whole, and only when it is closed; what others have stays
SELECT qehs.tenant_remove('life_a');
SELECT qehs.tenant_remove('life_z');
SELECT qehs.tenant_suspend('life_a') ->> 'slug' AS slug;
SELECT key, value FROM json_each_text(qehs.tenant_remove('life_a') -> 'rows') WHERE value <> '0' ORDER BY 1;
SELECT qehs.use_tenant('life_a');
SELECT qehs.use_tenant('life_b');
SELECT item -> 'payload' ->> 'title' AS title FROM json_array_elements(qehs.record_list('incidents') -> 'items') AS item;
SELECT item ->> 'type' AS type FROM json_array_elements(qehs.audit_list() -> 'items') AS item;
RESET ROLE;
-- what is kept for ever is so again, also for who made room in the same transaction
SELECT has_table_privilege('qehs_owner', 'qehs.audit_event', 'DELETE') AS owner_deletes;
BEGIN;
SELECT qehs.tenant_suspend('life_c') ->> 'slug' AS slug, qehs.tenant_remove('life_c') ->> 'slug' AS removed;
DELETE FROM qehs.module_version;
ROLLBACK;
DELETE FROM qehs.audit_event;
SELECT qehs.tenant_create('life_a', 'A again') ->> 'slug' AS slug;
-- rows that others refer to are not deleted
DELETE FROM qehs.tenant WHERE slug = 'life_b';
DELETE FROM qehs.module WHERE tenant_id = (SELECT id FROM qehs.tenant WHERE slug = 'life_b');
-- a sequence that lags behind the table, as after a cutover by logical replication
SELECT setval('qehs.tenant_id_seq', 1) AS lag;
SELECT qehs.tenant_create('life_d', 'D') ->> 'slug' AS slug;
SELECT qehs.tenant_create('life_d', 'D');
SELECT id = (SELECT max(id) FROM qehs.tenant) AS newest FROM qehs.tenant WHERE slug = 'life_d';
DROP ROLE tenant_life_dba;
