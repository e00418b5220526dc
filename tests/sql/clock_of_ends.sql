-- What ends after a time ends by the product's clock: keys that were rotated, keys of lines, documents of GraphQL.
\set VERBOSITY terse
SELECT qehs.tenant_create('ends', 'Ends') IS NOT NULL AS made;
SELECT qehs.use_tenant('ends');
SET qehs.clock = '2031-01-01T00:00:00Z';
SELECT qehs.module_publish('notes', '{"key":"notes","name":"Notes","displayCode":{"prefix":"N"},"fields":[{"key":"title","type":"text"}],
	"workflow":{"states":["open"],"initial":"open"},"permissions":{"roles":{"tenant-user":["read","create"]}}}') IS NOT NULL AS published;
SELECT qehs.api_key_create('old')::jsonb AS old \gset
SELECT qehs.api_key_rotate((:'old'::jsonb) ->> 'id', 60)::jsonb ->> 'key' AS new \gset
SELECT expires_at AT TIME ZONE 'UTC' AS ends FROM qehs.api_key AS k JOIN qehs.tenant AS t ON t.id = k.tenant_id AND t.slug = 'ends' WHERE expires_at IS NOT NULL;
-- a line's key is kept for 24 hours
CREATE FUNCTION pg_temp.loaded() RETURNS TABLE (status text) LANGUAGE sql AS $$
SELECT a::jsonb ->> 'status' FROM string_to_table(qehs.bulk_load('notes', '{"title":"a"}', batch_key => 'batch'), E'\n') AS a WHERE a LIKE '%status%' $$;
SELECT * FROM pg_temp.loaded();
SELECT * FROM pg_temp.loaded();
SELECT qehs.graphql('{__typename}', extensions => jsonb_build_object('persistedQuery', jsonb_build_object('version', 1, 'sha256Hash', encode(sha256('{__typename}'), 'hex'))));
SELECT count(*) AS documents FROM qehs.graphql_document AS d JOIN qehs.tenant AS t ON t.id = d.tenant_id AND t.slug = 'ends';
SET qehs.clock = '2031-01-01T00:01:01Z';
BEGIN;
SELECT qehs.request_begin((:'old'::jsonb) ->> 'key', NULL, NULL, NULL, NULL, 'record_list');
ROLLBACK;
SELECT qehs.use_tenant('ends');
SELECT qehs.api_key_rotate((:'old'::jsonb) ->> 'id', 60);
SELECT qehs.api_key_revoke(id::text) FROM qehs.api_key WHERE hash = sha256(:'new'::bytea);
SELECT revoked_at AT TIME ZONE 'UTC' AS revoked FROM qehs.api_key WHERE hash = sha256(:'new'::bytea);
SELECT qehs.module_publish('notes', qehs.module_get('notes')::jsonb - '{definitionVersion,createdAt,jsonSchema}'::text[] || '{"name":"Others"}') IS NOT NULL AS published;
SELECT updated_at AT TIME ZONE 'UTC' AS updated FROM qehs.module AS m JOIN qehs.tenant AS t ON t.id = m.tenant_id AND t.slug = 'ends';
-- a day later
SET qehs.clock = '2031-01-02T00:00:01Z';
SELECT qehs.metrics() ~ E'\nqehs_idempotency_keys_expired [1-9]' AS told;
SELECT * FROM pg_temp.loaded();
-- a month later another document takes the place
SET qehs.clock = '2031-02-01T00:00:01Z';
SELECT qehs.graphql('{ __typename}', extensions => jsonb_build_object('persistedQuery', jsonb_build_object('version', 1, 'sha256Hash', encode(sha256('{ __typename}'), 'hex'))));
SELECT count(*) AS documents FROM qehs.graphql_document AS d JOIN qehs.tenant AS t ON t.id = d.tenant_id AND t.slug = 'ends';
RESET qehs.clock;
