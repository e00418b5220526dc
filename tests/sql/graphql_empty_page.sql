-- A connection of no records: pageInfo tells whether there are any, behind a cursor too.
\set VERBOSITY terse
\set tenant gqlz
\set ECHO none
\o /dev/null
\i sql/include/graphql.psql
\o
\set ECHO all
SELECT qehs.graphql('{ incidents(first: 0) { totalCount edges { cursor node { id } } nodes { id } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }');
SELECT qehs.graphql('{ incidents(last: 0) { edges { cursor } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }');
SELECT qehs.graphql('{ incidents(first: 0, filter: {title: "nope"}) { totalCount nodes { id } pageInfo { hasNextPage endCursor } } }');
SELECT qehs.graphql('{ incidents(first: 0, orderBy: "severity") { nodes { id } pageInfo { hasNextPage } } found: incidents(first: 0, q: "slip") { totalCount nodes { id } pageInfo { hasNextPage } } none: incidents(first: 0, q: "nothing") { pageInfo { hasNextPage } } }');
SELECT qehs.graphql('{ incidents(first: 2) { pageInfo { endCursor } } }') #>> '{data,incidents,pageInfo,endCursor}' AS last \gset
SELECT qehs.graphql('query ($c: String) { incidents(first: 0, after: $c) { pageInfo { hasNextPage hasPreviousPage } } back: incidents(last: 0, before: $c) { pageInfo { hasNextPage hasPreviousPage } } }', jsonb_build_object('c', :'last'));
-- the other lists have no page of none
SELECT qehs.graphql('{ incidentsList(limit: 0) { id } }');
SELECT qehs.graphql('{ incidents(first: -1) { totalCount } back: incidents(last: 201) { totalCount } }');
