-- A page of q ends when the index has done the work of a page, short or empty, with a cursor that goes on; the pages together are all that is found.
SET qehs.clock = '2026-06-01T12:00:00Z';
\set VERBOSITY terse
\set ECHO none
\o /dev/null
SELECT qehs.tenant_create('bounded', 'A tenant');
SELECT qehs.use_tenant('bounded');
SELECT qehs.module_publish('cases', '{"key":"cases","name":"Cases","displayCode":{"prefix":"CAS"},"fields":[{"key":"no","type":"integer"},{"key":"text","type":"text"}],
 "workflow":{"states":["open"],"initial":"open"}}');
-- numbers of a year are in a row, and apart from those of others, as the index has them
SELECT qehs.bulk_load('cases', convert_to(string_agg(jsonb_build_object('payload', jsonb_build_object('no', no, 'text', CASE WHEN no % 3 = 0 THEN 'red ladder' ELSE 'ladder red' END),
	'createdAt', format('%s-03-01T00:00:00Z', 2010 + no))::text, E'\n' ORDER BY no), 'UTF8')) FROM generate_series(1, 12) AS no;
CREATE FUNCTION pg_temp.walk(q text, sort text, size int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE page jsonb; place text; seen text := '';
BEGIN
	LOOP
		page := qehs.record_list('cases', q => q, sort => sort, page_size => size, cursor => place);
		place := page ->> 'nextCursor';
		seen := seen || (SELECT coalesce(string_agg(item -> 'payload' ->> 'no', ' ' ORDER BY i), '-') FROM jsonb_array_elements(page -> 'items') WITH ORDINALITY AS e (item, i)) || ' | ';
		IF place IS NULL OR length(seen) > 1000 THEN RETURN seen || (place IS NULL); END IF;
	END LOOP;
END $$;
CREATE FUNCTION pg_temp.connection(arguments text) RETURNS text LANGUAGE sql AS $$
SELECT (qehs.graphql(format('{ cases(q: "\"red ladder\"", %s) { pageInfo { hasNextPage hasPreviousPage startCursor endCursor } nodes { no } } }', arguments)) -> 'data' -> 'cases')::text
$$;
\o
\pset format unaligned
\pset tuples_only on
\set ECHO all
SELECT question, sort, pg_temp.walk(question, sort, 50) FROM unnest('{"\"red ladder\"","\"ladder red\"",ladder,none}'::text[]) AS question, unnest('{-displayCode,displayCode}'::text[]) AS sort;
SET qehs.search_work = 0;
SELECT question, sort, size, pg_temp.walk(question, sort, size) FROM unnest('{"\"red ladder\"","\"ladder red\"",ladder,none}'::text[]) AS question, unnest('{-displayCode,displayCode}'::text[]) AS sort, unnest('{1,50}'::int[]) AS size;
-- an estimate is told to be one; a count is exact
SELECT page -> 'totalCount', page -> 'totalCountEstimated' FROM unnest('{exact,estimated}'::text[]) AS count, LATERAL CAST(qehs.record_list('cases', q => '"red ladder"', count => count) AS jsonb) AS page;
-- GraphQL: a list without cursors is whole, pages and connections go on, both ways
SELECT qehs.graphql('{ casesList(q: "\"red ladder\"") { no } }') -> 'data';
SELECT json_array_length(page -> 'items') AS items, page ->> 'nextCursor' IS NULL AS last FROM (SELECT qehs.graphql('{ records(moduleKey: "cases", q: "\"red ladder\"") { items { id } nextCursor } }') #> '{data,records}' AS page) AS p;
DO $$
DECLARE page jsonb; at text; way text; seen text;
BEGIN
	FOREACH way IN ARRAY ARRAY['first', 'last'] LOOP
		at := NULL;
		seen := way;
		FOR i IN 1..20 LOOP
			page := pg_temp.connection(format('%s: 2%s', way, CASE WHEN at IS NOT NULL THEN format(', %s: "%s"', CASE way WHEN 'first' THEN 'after' ELSE 'before' END, at) ELSE '' END));
			seen := concat(seen, ' ', (SELECT string_agg(node ->> 'no', ' ') FROM jsonb_array_elements(page -> 'nodes') AS node));
			at := page #>> CASE way WHEN 'first' THEN '{pageInfo,endCursor}' ELSE '{pageInfo,startCursor}' END::text[];
			EXIT WHEN NOT (page #>> CASE way WHEN 'first' THEN '{pageInfo,hasNextPage}' ELSE '{pageInfo,hasPreviousPage}' END::text[])::boolean;
		END LOOP;
		RAISE INFO '%', regexp_replace(seen, ' +', ' ', 'g');
	END LOOP;
END $$;
RESET qehs.search_work;
