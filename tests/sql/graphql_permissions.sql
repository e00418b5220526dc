-- A caller's schema has what the caller may read, and nothing tells of the rest.
\set VERBOSITY terse
\set tenant gqlp
\set ECHO none
\o /dev/null
\i sql/include/graphql.psql
\o
\set ECHO all
SELECT qehs.use_tenant('gqlp', 'ann');
-- the field secret is for medics: no field of the type, no filter, no order, no group
SELECT jsonb_path_exists(qehs.graphql('{ __type(name: "ActionItem") { fields { name } } }')::jsonb, '$.data.__type.fields[*] ? (@.name == "secret")') AS told;
SELECT qehs.graphql('{ actionItemsList { title secret } }');
SELECT qehs.graphql('{ actionItemsList(filter: {secret: "psst"}) { title } }');
SELECT qehs.graphql('{ actionItemsList(orderBy: "secret") { title } }');
SELECT qehs.graphql('{ actionItemsAggregate(groupBy: ["secret"]) { count } }');
SELECT qehs.graphql('{ actionItemsList(filter: {title: "Mop"}) { payload } }') #> '{data,actionItemsList,0,payload}' -> 'secret' AS secret;
SELECT qehs.graphql('{ actionItemsList(filter: {title: "Mop"}) { activity { type changes { path from to } } } }') AS "activity, which says nothing of it";
-- tenant-user has no update here: no such mutation
SELECT jsonb_path_query_array(qehs.graphql('{ __schema { mutationType { fields { name } } } }')::jsonb, '$.data.__schema.mutationType.fields[*].name') AS mutations;
SELECT qehs.use_tenant('gqlp', 'ben');
SELECT qehs.graphql('{ actionItemsList(filter: {secret: "psst"}) { title secret } __type(name: "Incident") { name } }');
SELECT qehs.use_tenant('gqlp');
SELECT qehs.tenant_create('gqlq', 'Another') IS NOT NULL AS made;
SELECT qehs.use_tenant('gqlq');
-- another tenant sees nothing of this one
SELECT qehs.graphql('{ node: __type(name: "Incident") { name } modules { key } activeTenant { slug } }');
