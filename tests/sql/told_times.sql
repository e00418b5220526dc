-- A time that an answer tells is the time that filters, from, to, the audit trail and a sync by "later than the last seen" compare with.
\set VERBOSITY terse
\set tenant times
\set ECHO none
\o /dev/null
\i sql/include/incidents.psql
SELECT qehs.record_create('incidents', jsonb_build_object('title', 'T' || i, 'severity', 'low')) FROM generate_series(1, 3) AS i;
SELECT qehs.record_create('incidents', '{"title":"T4","severity":"low"}')::json ->> 'id' AS id \gset
SELECT pg_sleep(0.002);
SELECT qehs.record_update(:'id', '{"severity":"high"}');
SELECT qehs.export_create('incidents', 'csv');
SELECT qehs.bulk_load('incidents', convert_to(E'{"payload":{"title":"T5","severity":"low"},"createdAt":"2026-01-01T00:00:00.123987+01:00"}\n', 'UTF8'));
\o
\set ECHO all
CREATE FUNCTION items(page json) RETURNS SETOF jsonb LANGUAGE sql RETURN jsonb_path_query(page::jsonb, '$.items[*]');
-- every told time finds its record, nothing is later than itself, and both ends belong to from and to
SELECT item #>> '{payload,title}' AS wrong FROM items(qehs.record_list('incidents')) AS item
WHERE (SELECT count(*) FROM items(qehs.record_list('incidents', jsonb_build_object('id', item ->> 'id', 'createdAt', item ->> 'createdAt', 'updatedAt', item ->> 'updatedAt')))) <> 1
	OR (SELECT count(*) FROM items(qehs.record_list('incidents', jsonb_build_object('id', item ->> 'id', 'updatedAt', jsonb_build_object('gt', item ->> 'updatedAt'))))) <> 0
	OR (SELECT count(*) FROM items(qehs.record_list('incidents', jsonb_build_object('id', item ->> 'id'), created_from => item ->> 'createdAt', created_to => item ->> 'createdAt'))) <> 1;
SELECT event ->> 'type' AS wrong FROM items(qehs.audit_list()) AS event
WHERE NOT EXISTS (SELECT FROM items(qehs.audit_list(from_time => event ->> 'at', to_time => event ->> 'at')) AS found WHERE found ->> 'id' = event ->> 'id');
-- a sync sees each change once
DO $$
DECLARE
	seen text := '2000-01-01T00:00:00Z';
	found text[];
	rounds int := 0;
BEGIN
	LOOP
		SELECT array_agg(item #>> '{payload,title}' ORDER BY item #>> '{payload,title}'), coalesce(max(item ->> 'updatedAt'), seen) INTO found, seen
		FROM items(qehs.record_list('incidents', jsonb_build_object('updatedAt', jsonb_build_object('gt', seen)), sort => 'updatedAt')) AS item;
		EXIT WHEN found IS NULL OR rounds > 3;
		RAISE NOTICE '%', found;
		rounds := rounds + 1;
	END LOOP;
END
$$;
