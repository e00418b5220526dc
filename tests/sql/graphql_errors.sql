-- What is refused, and how it is told.
\set VERBOSITY terse
\set tenant gqle
\set ECHO none
\o /dev/null
\i sql/include/graphql.psql
\o
\set ECHO all
SELECT qehs.graphql('{ me { id }');
SELECT qehs.graphql('{ incidentsList { nope } x: incidentsList(limit: "a") { id } }');
SELECT qehs.graphql('query A { me { id } } query B { me { id } }');
SELECT qehs.graphql('query A { me { id } }', NULL, 'B');
SELECT qehs.graphql('query ($n: Int!) { incidentsList(limit: $n) { id } }');
SELECT qehs.graphql('query ($n: Int!) { incidentsList(limit: $n) { id } }', '{"n":1.5}');
SELECT qehs.graphql('query ($n: Int!) { incidentsList(limit: $n) { id } }', '[1]');
SELECT qehs.graphql(NULL);
SELECT qehs.graphql('{ me { displayName } incidentsList(offset: -1, filter: {nope: 1, severity: {like: 1}}, orderBy: "nope") { id } }');
SELECT qehs.graphql('{ incidents(first: 1, last: 1) { totalCount } me { displayName } }');
SELECT qehs.graphql('{ incidentsList(cursor: "x") { id } }');
SELECT qehs.graphql('{ records(moduleKey: "nope") { items { id } } }');
-- limits
SELECT qehs.graphql('{ actionItemsList { parent { actionItemsByParent { parent { actionItemsByParent { parent { actionItemsByParent { parent { id } } } } } } } } }');
SELECT qehs.graphql('{ incidentsList(limit: 200) { actionItemsByParent(limit: 200) { title due id } } }');
SELECT qehs.graphql('{ a: me { id } a: me { id } }');
SELECT qehs.graphql('{ ' || repeat('me { id } ', 3000) || '}');
SELECT qehs.graphql(repeat('{ me ', 200));
SELECT qehs.graphql('{ incidentsList(filter: {cost: {gt: 1e99999}}) { id } }');
SELECT left(qehs.graphql('{ ' || (SELECT string_agg('a' || i || ': me { id }', ' ') FROM generate_series(1, 10000) AS i) || ' }')::text, 100);
-- a list below is bounded as one at the root
SELECT qehs.graphql('{ incidentsList(limit: 1) { actionItemsByParent(limit: 201) { id } activity(limit: -1) { id } } }');
SELECT qehs.graphql('query ($n: Int) { incidentsList(limit: 1) { actionItemsByParent(limit: $n) { id } } incidents(last: -1) { totalCount } }', '{"n":0}');
