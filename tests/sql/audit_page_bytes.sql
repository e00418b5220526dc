-- A page of events ends early once it is 16 MiB, as a page of records does; a walk over such pages shows each event once.
\set VERBOSITY terse
\set tenant audit_bytes
\set ECHO none
\o /dev/null
\i sql/include/incidents.psql
SELECT qehs.module_publish('large', '{"key":"large","name":"Large","displayCode":{"prefix":"LRG"},"fields":[{"key":"note","type":"object"}],
	"workflow":{"states":["open"],"initial":"open","transitions":{}},"permissions":{"roles":{}}}');
SELECT qehs.record_create('large', jsonb_build_object('note', jsonb_build_object('n', repeat('0', 500000)))) ->> 'id' AS id \gset
SELECT qehs.record_update(:'id', jsonb_build_object('note', jsonb_build_object('n', repeat((n % 10)::text, 500000)))) FROM generate_series(1, 40) AS n;
\o
\set ECHO all
CREATE TEMP TABLE seen (page int, id text);
DO $$
DECLARE
	at text;
	answer jsonb;
BEGIN
	FOR page IN 1..9 LOOP
		answer := qehs.record_activity((SELECT qehs.record_list('large') -> 'items' -> 0 ->> 'id'), 60, at);
		INSERT INTO seen SELECT page, item ->> 'id' FROM jsonb_array_elements(answer -> 'items') AS item;
		at := answer ->> 'nextCursor';
		EXIT WHEN at IS NULL;
	END LOOP;
END $$;
SELECT max(page) AS pages, count(*) AS events, count(DISTINCT id) AS different, bool_and(id <= before IS NOT FALSE) AS newest_first
FROM (SELECT page, id, lag(id) OVER (ORDER BY page, id DESC) AS before FROM seen) AS s;
SELECT json_array_length(qehs.audit_list(page_size => 200) -> 'items') BETWEEN 10 AND 30 AS of_the_audit_too;
