-- A tenant may switch introspection off: from the next request on, for itself alone.
\set VERBOSITY terse
\set tenant gqli
\set ECHO none
\o /dev/null
\i sql/include/graphql.psql
SELECT qehs.tenant_create('gqli_other', 'Other');
\o
\set ECHO all
SELECT qehs.graphql('{ __schema { queryType { name } } __type(name: "Query") { name } }');
SELECT qehs.graphql_introspection_set(false);
SELECT qehs.graphql('{ __schema { queryType { name } } __type(name: "Query") { name } }');
SELECT qehs.graphql('{ __typename incidentsList(orderBy: "title") { __typename title } }');
SELECT qehs.use_tenant('gqli_other') \g /dev/null
SELECT qehs.graphql('{ __schema { queryType { name } } }');
SELECT qehs.use_tenant('gqli') \g /dev/null
SELECT qehs.graphql_introspection_set(NULL);
SELECT qehs.graphql_introspection_set(true);
SELECT qehs.graphql('{ __schema { queryType { name } } }');
-- by plain SQL too
UPDATE qehs.tenant SET graphql_introspection = false WHERE slug = 'gqli';
SELECT qehs.graphql('{ __schema { queryType { name } } }');
