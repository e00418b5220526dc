-- Mutations run in order; one that fails is null with its problem, and leaves nothing behind.
\set VERBOSITY terse
\set tenant gqlm
\set ECHO none
\o /dev/null
\i sql/include/graphql.psql
\o
\set ECHO all
SELECT qehs.graphql('mutation ($p: JSON!) { a: incidentsCreate(payload: $p) { title version workflowState } b: incidentsCreate(data: {title: "x", severity: "nope"}) { id } c: incidentsCreate(data: {title: "Third", severity: low}) { title } }',
	'{"p":{"title":"First","severity":"low"}}');
SELECT qehs.graphql('{ incidents { totalCount } }');
SELECT qehs.graphql('mutation ($id: ID!) { incidentsUpdate(id: $id, payload: {cost: 3, email: null}, comment: "why", ifVersion: 1) { cost version activity(limit: 1) { type comment changes { path from to } } } again: incidentsUpdate(id: $id, payload: {cost: 4}, ifVersion: 1) { cost } }',
	jsonb_build_object('id', :'slip'));
SELECT qehs.graphql('mutation ($id: ID!) { incidentsTransition(id: $id, transition: "submit") { workflowState } wrong: incidentsTransition(id: $id, transition: "submit") { workflowState } }', jsonb_build_object('id', :'slip'));
SELECT qehs.graphql('mutation ($id: ID!) { incidentsDelete(id: $id) again: incidentsDelete(id: $id) incidentsRestore(id: $id) { title deletedTwice: version } }', jsonb_build_object('id', :'fall'))::jsonb #- '{data,incidentsDelete}';
-- a record of another module is not there for a module's mutations
SELECT qehs.graphql('mutation ($id: ID!) { incidentsDelete(id: $id) }', jsonb_build_object('id', :'mop'));
SELECT qehs.graphql('mutation { incidentsCreate(payload: {title: "a"}, data: {title: "a"}) { id } b: incidentsCreate { id } }');
-- only queries
SELECT qehs.graphql_query('mutation { incidentsCreate(payload: {title: "a", severity: "low"}) { id } }');
SELECT qehs.graphql_query('{ incidents { totalCount } }');
