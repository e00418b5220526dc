-- Queries: typed fields, references both ways, pages, connections, aggregates.
-- codes have the year in them
SET qehs.clock = '2026-06-01T12:00:00Z';
\set VERBOSITY terse
\set tenant gql
\set ECHO none
\o /dev/null
\i sql/include/graphql.psql
\o
\set ECHO all
-- every type of field
SELECT qehs.graphql('{ actionItemsList(filter: {title: "Mop"}) { __typename title due doneAt kind odd tags payloadVersion version share open cost { amount currency }
 weight { value unit } place { lat lon accuracy } steps { whatToDo count } address { city } double secret } }');
SELECT qehs.graphql('{ incidentsList(orderBy: "title") { title severity cost on email risk { likelihood severity score band } period { from to } workflowState displayCode: workflowState } }');
-- references, back-references, users and creators; what a record does not have is null
SELECT qehs.graphql('{ actionItemsList(orderBy: "title") { title parent { title severity actionItemsByParent(limit: 1) { title } } owner { userName displayName email active } createdBy { type displayName email } } }');
SELECT qehs.graphql('query ($id: ID!) { incidentsGet(id: $id) { title actionItemsByParent { title } activity { type actor { displayName } changes { path } } attachments { id } availableTransitions { name to requires } } }',
	jsonb_build_object('id', :'slip'));
SELECT qehs.graphql('query ($id: ID!) { node(id: $id) { __typename ... on Incident { title } ... on ActionItem { parent { title } } } incidentsGet(id: $id) { id } }', jsonb_build_object('id', :'mop'));
SELECT qehs.graphql('{ node(id: "rec_00000000000000000000000000") { id } actionItemsGet(id: "nonsense") { id } }');
-- the original's page
SELECT qehs.graphql('{ records(moduleKey: "incidents", sort: "-title", limit: 1) { items { moduleKey ... on Incident { title } } } }');
SELECT qehs.graphql('query ($c: String) { records(moduleKey: "incidents", sort: "-title", limit: 1, cursor: $c) { items { ... on Incident { title } } nextCursor } }',
	jsonb_build_object('c', qehs.graphql('{ records(moduleKey: "incidents", sort: "-title", limit: 1) { nextCursor } }') #>> '{data,records,nextCursor}'));
SELECT qehs.graphql('{ incidentsList(orderBy: "title", limit: 1, offset: 1) { title } }');
-- connections both ways
SELECT qehs.graphql('{ incidents(first: 1, orderBy: "title") { totalCount edges { node { title } } nodes { title } pageInfo { hasNextPage hasPreviousPage } } }');
SELECT qehs.graphql('query ($c: String) { incidents(first: 5, after: $c, orderBy: "title") { edges { node { title } } pageInfo { hasNextPage hasPreviousPage } } }',
	jsonb_build_object('c', qehs.graphql('{ incidents(first: 1, orderBy: "title") { pageInfo { endCursor } } }') #>> '{data,incidents,pageInfo,endCursor}'));
SELECT qehs.graphql('{ incidents(last: 1, orderBy: "title") { nodes { title } pageInfo { hasNextPage hasPreviousPage } } }');
SELECT qehs.graphql('query ($c: String) { incidents(last: 5, before: $c, orderBy: "cost") { nodes { title } } }',
	jsonb_build_object('c', qehs.graphql('{ incidents(last: 1, orderBy: "cost") { pageInfo { startCursor } } }') #>> '{data,incidents,pageInfo,startCursor}'));
-- aggregates
SELECT qehs.graphql('{ incidentsAggregate(groupBy: ["severity", "workflowState"]) { key count sum { cost } avg { cost } min { on cost } max { on } } }');
SELECT qehs.graphql('{ incidentsAggregate(filter: {severity: "low"}) { key count } }');
-- variables, directives, fragments, aliases
SELECT qehs.graphql('query Q($with: Boolean!, $n: Int = 1) { a: incidentsList(limit: $n, orderBy: "title") { ...F id @skip(if: true) severity @include(if: $with) } } fragment F on Incident { title ... { cost } }',
	'{"with":true}', 'Q');
SELECT qehs.graphql('{ activeTenant { slug name } myTenants { slug } modules { key name definitionVersion } me { type roles } }');
-- a value that a type cannot tell is null, with an error
UPDATE qehs.record SET payload = payload || '{"version":3000000000,"kind":"gone"}' WHERE payload ->> 'title' = 'Sign';
SELECT qehs.graphql('{ actionItemsList(filter: {title: "Sign"}) { title payloadVersion kind } }');
-- fields outside of the payload alone: it is not read
SELECT qehs.graphql('{ incidentsList(orderBy: "title") { displayCode workflowState actionItemsByParent { displayCode } } records(moduleKey: "action_items") { items { displayCode } } }');
SELECT qehs.graphql('query ($id: ID!) { actionItemsGet(id: $id) { displayCode } node(id: $id) { __typename } }', jsonb_build_object('id', :'mop'));
