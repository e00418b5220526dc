-- A session that used the extension before it was dropped and made again keeps nothing of the first: tenants have the same numbers then.
\set VERBOSITY terse
CREATE DATABASE qehs_made_again TEMPLATE template0 ENCODING 'UTF8';
\set back :DBNAME
\c qehs_made_again
CREATE EXTENSION qehs;
SELECT qehs.tenant_create('first', 'First')::jsonb - 'createdAt' AS tenant;
SELECT qehs.use_tenant('first');
SELECT qehs.module_install('first', 'actions') IS NOT NULL AS installed;
SELECT qehs.api_key_create('x') ->> 'key' AS key \gset
SELECT qehs.request_begin(:'key') LIKE 'X-RateLimit%' AS begun;
SELECT qehs.record_list('actions');
DROP EXTENSION qehs;
CREATE EXTENSION qehs;
SELECT qehs.tenant_create('second', 'Second')::jsonb - 'createdAt' AS tenant;
SELECT qehs.request_begin(:'key');
SELECT qehs.use_tenant('second');
SELECT qehs.record_list('actions');
\c :back
DROP DATABASE qehs_made_again;
