-- What a variable may not be is told with its place in a list.
\set VERBOSITY terse
\set tenant gqlv
\set ECHO none
\o /dev/null
\i sql/include/graphql.psql
\o
\set ECHO all
SELECT qehs.graphql('query ($by: [String!]) { incidentsAggregate(groupBy: $by) { count } }', '{"by":["severity",null]}');
SELECT qehs.graphql('query ($by: [String!]) { incidentsAggregate(groupBy: $by) { count } }', '{"by":["severity","title",3]}');
SELECT qehs.graphql('query ($by: [String!]) { incidentsAggregate(groupBy: $by) { count } }', '{"by":7}');
SELECT qehs.graphql('query ($n: [[Int!]]) { incidentsList(filter: {cost: {in: $n}}) { id } }', '{"n":[[1],[2,3],[4,5,"x"]]}');
SELECT qehs.graphql('query ($n: [[Int!]]!) { incidentsList(filter: {cost: {in: $n}}) { id } }', '{"n":null}');
SELECT qehs.graphql('query ($n: [[Int!]], $b: Boolean!) { incidentsList(filter: {cost: {in: $n}}) { id @skip(if: $b) } }', '{"n":[1,2.5],"b":"yes"}');
