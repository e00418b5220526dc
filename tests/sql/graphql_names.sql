-- Names that GraphQL would give twice are refused at publish.
\set VERBOSITY default
\set tenant gqln
SELECT qehs.tenant_create(:'tenant', 'A tenant')::jsonb ->> 'slug' AS tenant;
SELECT qehs.use_tenant(:'tenant');
CREATE FUNCTION pg_temp.publish(key text, fields text) RETURNS int LANGUAGE sql AS $$
SELECT (qehs.module_publish(key, format('{"key":"%s","name":"N","displayCode":{"prefix":"%s"},"fields":%s,"workflow":{"states":["a"],"initial":"a","transitions":{}}}', key, 'P' || upper(left(md5(key), 3)), fields)::jsonb) ->> 'definitionVersion')::int
$$;
SELECT pg_temp.publish('things', '[{"key":"a","type":"text"}]');
SELECT pg_temp.publish('thing', '[{"key":"a","type":"text"}]');
SELECT pg_temp.publish('users', '[{"key":"a","type":"text"}]');
SELECT pg_temp.publish('boxes', '[{"key":"a_b","type":"text"},{"key":"ab","type":"text"}]');
SELECT pg_temp.publish('boxes', '[{"key":"a_b","type":"text"},{"key":"a__b","type":"text"}]');
SELECT pg_temp.publish('crates', '[{"key":"version","type":"text"},{"key":"payload_version","type":"text"}]');
SELECT pg_temp.publish('changes', '[{"key":"id","type":"text"},{"key":"activity","type":"text"}]');
SELECT jsonb_path_query_array(qehs.graphql('{ __type(name: "Change") { fields { name } } }')::jsonb, '$.data.__type.fields[*].name') AS fields;
