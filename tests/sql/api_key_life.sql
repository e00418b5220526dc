-- The secret is given once; a typing error, a revoked and an expired key are refused alike.
\set VERBOSITY terse
SELECT qehs.tenant_create('keys', 'Keys')::jsonb - 'createdAt' - 'id' AS tenant;
SELECT qehs.use_tenant('keys');
SELECT qehs.api_key_create('k', rate_limit => 0) AS made \gset
SELECT :'made'::jsonb ->> 'key' AS key, :'made'::jsonb ->> 'id' AS id \gset
SELECT length(:'key'), :'key' ~ '^qehs_live_sk_[0-9a-z]{66}$' AS form;
SELECT split_part(qehs.request_begin(:'key'), E'\n', 1) AS headers;
SELECT qehs.request_begin(overlay(:'key' PLACING '~' FROM 30 FOR 1));
SELECT qehs.request_begin(NULL, operation => 'record_list');
SELECT position(:'key' IN qehs.api_key_list()::text) AS secret_in_list;
SELECT qehs.api_key_revoke(:'id') IS NULL AS revoked;
SELECT qehs.request_begin(:'key');
SELECT qehs.api_key_revoke(:'id');
SELECT qehs.api_key_create('old', expires_at => now() + interval '1 hour')::jsonb ->> 'key' AS old \gset
UPDATE qehs.api_key SET expires_at = now() - interval '1 second' WHERE name = 'old';
SELECT qehs.request_begin(:'old');
-- all violations at once
\set VERBOSITY default
SELECT qehs.api_key_create('', '{records.read,nonsense}', rate_limit => -1);
