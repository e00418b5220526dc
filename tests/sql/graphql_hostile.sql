-- Documents that are made to be costly are refused, or run at a cost that grows no faster than they do.
\set VERBOSITY terse
\set tenant gqlh
\set ECHO none
\o /dev/null
\i sql/include/graphql.psql
CREATE FUNCTION pg_temp.n(count int, text text, separator text DEFAULT ' ') RETURNS text
	RETURN (SELECT string_agg(replace(replace(text, '#1', ((i + 1) % count)::text), '#', i::text), separator ORDER BY i) FROM generate_series(0, count - 1) AS i);
CREATE FUNCTION pg_temp.first_error(document text) RETURNS text
	RETURN (SELECT coalesce(answer #>> '{errors,0,message}', 'runs') FROM qehs.graphql(document) AS answer);
\o
\set ECHO all
-- tokens, bytes, depth
SELECT pg_temp.first_error('{ ' || pg_temp.n(10000, 'a#: me { id }') || ' }');
SELECT pg_temp.first_error(repeat('{', 100000));
SELECT pg_temp.first_error(repeat('{a', 100000));
SELECT pg_temp.first_error('{ incidentsList(filter: ' || repeat('[', 100000));
SELECT pg_temp.first_error('query ($a: ' || repeat('[', 100000));
SELECT pg_temp.first_error('{ node(id: """' || repeat(E'\n  x', 250000) || '""") { id } }');
SELECT pg_temp.first_error('{ node(id: "' || repeat('\u0041', 170000) || '") { id } }');
SELECT pg_temp.first_error(repeat('#', 1000000));
-- fragments that reach themselves, and that reach the next one twice
SELECT pg_temp.first_error('{ ...F } fragment F on Query { ...F }');
SELECT pg_temp.first_error('{ ...F0 } ' || pg_temp.n(500, 'fragment F# on Query { ...F#1 me { id } }'));
SELECT pg_temp.first_error('{ ...F0 } ' || pg_temp.n(60, 'fragment F# on Query { ' || repeat('...F1 ...F2 ...F3 ', 20) || '}'));
SELECT pg_temp.first_error('{ ...F0 } ' || pg_temp.n(250, 'fragment F# on Query { ...G# ...G# a#: me { id } } fragment G# on Query { ...F#1 }'));
-- names that are many
SELECT pg_temp.first_error('{ me { ' || pg_temp.n(3300, 'a#: id') || ' } }');
SELECT pg_temp.first_error('{ me { ' || repeat('id ', 9000) || ' } }');
SELECT pg_temp.first_error('query (' || pg_temp.n(2400, '$v#: Int') || ') { me { id } }');
SELECT pg_temp.first_error('{ node(' || pg_temp.n(3000, 'a#: 1') || ') { id } }');
SELECT pg_temp.first_error('{ me { id ' || repeat('@skip(if: false) ', 1500) || ' } }');
-- a name twice among many
SELECT qehs.graphql('query ($a: Int $b: Int $a: Int) { incidentsList(limit: $b limit: $a filter: {x: 1 y: 2 x: 3}) { id } }');
