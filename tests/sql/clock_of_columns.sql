-- What a row says of when it was made and changed is the product's clock, to the millisecond, whoever writes it.
\set VERBOSITY terse
SET qehs.clock = '2031-01-01T00:00:00.123Z';
SELECT qehs.tenant_create('columns', 'Columns') ->> 'createdAt' AS tenant;
SELECT qehs.use_tenant('columns');
SELECT qehs.user_create('ann', 'Ann') IS NOT NULL AS made;
SELECT qehs.api_key_create('key') ->> 'createdAt' AS key;
SELECT qehs.scim_user_create('{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"bob"}') #>> '{meta,created}' AS bob;
SELECT qehs.scim_group_create('{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"Medics"}') #>> '{meta,lastModified}' AS medics;
SELECT qehs.module_publish('notes', '{"key":"notes","name":"Notes","displayCode":{"prefix":"N"},"fields":[{"key":"title","type":"text"}],
	"workflow":{"states":["open"],"initial":"open"},"permissions":{"roles":{"tenant-user":["read","create"]}}}') ->> 'createdAt' AS notes;
SET qehs.clock = '2031-01-02T00:00:00Z';
UPDATE qehs.user_account SET display_name = 'Anne' WHERE user_name = 'ann' AND tenant_id = (SELECT id FROM qehs.tenant WHERE slug = 'columns');
SELECT user_name, created_at AT TIME ZONE 'UTC' AS made, updated_at AT TIME ZONE 'UTC' AS changed FROM qehs.user_account
WHERE tenant_id = (SELECT id FROM qehs.tenant WHERE slug = 'columns') ORDER BY 1;
-- no column has another clock, but for the one by which secrets are in order
SELECT d.adrelid::regclass AS "table", a.attname AS "column" FROM pg_attrdef AS d JOIN pg_class AS c ON c.oid = d.adrelid AND c.relnamespace = 'qehs'::regnamespace
JOIN pg_attribute AS a ON a.attrelid = d.adrelid AND a.attnum = d.adnum WHERE pg_get_expr(d.adbin, d.adrelid) ~ '(now|clock_timestamp|transaction_timestamp|statement_timestamp)\(\)|CURRENT_';
