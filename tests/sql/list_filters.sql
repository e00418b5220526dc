-- Filters by each operator, on fields with and without a slot; sorts with missing values; a walk by cursor.
\set VERBOSITY terse
\set tenant lists
\set ECHO none
\o /dev/null
\i sql/include/incidents.psql
SELECT qehs.record_create('incidents', jsonb_strip_nulls(jsonb_build_object('title', 'T' || i, 'severity',
	(ARRAY['low', 'medium', 'high', 'critical'])[1 + i % 4], 'cost', CASE WHEN i % 3 > 0 THEN i END,
	'on', '2026-01-0' || i, 'notes', 'wet floor ' || i, 'email', CASE WHEN i = 5 THEN 'five@example.com' END)))
FROM generate_series(1, 8) AS i;
\o
\set ECHO all
CREATE FUNCTION titles(page json) RETURNS jsonb LANGUAGE sql RETURN jsonb_path_query_array(page::jsonb, '$.items[*].payload.title');
SELECT titles(qehs.record_list('incidents', '{"severity":"low"}', sort => 'title')) AS eq;
SELECT titles(qehs.record_list('incidents', '{"severity":{"in":"low,high"}}', sort => 'title')) AS "in";
SELECT titles(qehs.record_list('incidents', '{"severity":{"nin":["low","high"]}}', sort => 'title')) AS nin;
SELECT titles(qehs.record_list('incidents', '{"cost":{"gte":"4"}}', sort => 'title')) AS gte_number;
SELECT titles(qehs.record_list('incidents', '{"cost":{"ne":4}}', sort => 'title')) AS ne_with_missing;
SELECT titles(qehs.record_list('incidents', '{"on":{"lt":"2026-01-03"}}', sort => 'title')) AS lt_date;
SELECT titles(qehs.record_list('incidents', '{"email":{"exists":true}}')) AS exists;
SELECT titles(qehs.record_list('incidents', '{"notes":{"contains":"FLOOR 7"}}')) AS contains;
SELECT titles(qehs.record_list('incidents', '{"title":{"startsWith":"T8"}}')) AS starts_with;
SELECT titles(qehs.record_list('incidents', '{"or":[{"title":"T1"},{"not":{"cost":{"lt":8}}}]}', sort => 'title')) AS combined;
SELECT titles(qehs.record_list('incidents', q => 'wet 3')) AS q;
SELECT titles(qehs.record_list('incidents', status => 'closed')) AS status;
SELECT titles(qehs.record_list('incidents', sort => 'cost')) AS missing_last, titles(qehs.record_list('incidents', sort => '-cost')) AS missing_last_too;
SELECT qehs.record_list('incidents', '{"title":"T1"}', fields => 'payload.title,workflowState')::jsonb -> 'items' -> 0 #- '{id}' AS trimmed;
-- a field named twice, or by itself and in the whole payload, is there once
SELECT regexp_replace(qehs.record_list('incidents', '{"title":"T1"}', fields => 'version,payload.title,version')::text, 'rec_\w+', '') AS once;
SELECT count(*) FROM regexp_matches(qehs.record_list('incidents', '{"title":"T1"}', fields => 'payload.title,payload')::text, '"(payload|title)"', 'g');
DO $$
DECLARE
	page jsonb;
	cursor text;
	seen text[] := '{}';
BEGIN
	LOOP
		page := qehs.record_list('incidents', sort => '-cost', page_size => 3, cursor => cursor);
		seen := seen || ARRAY(SELECT jsonb_path_query(page, '$.items[*].payload.title') ->> 0);
		cursor := page ->> 'nextCursor';
		EXIT WHEN cursor IS NULL;
	END LOOP;
	RAISE NOTICE 'seen % of % distinct', cardinality(seen), (SELECT count(DISTINCT s) FROM unnest(seen) AS s);
END
$$;
SELECT length(qehs.record_list('incidents', page_size => 1)::jsonb ->> 'nextCursor') <= 200 AS short;
SELECT qehs.record_list('incidents', '{"bogus":1}');
SELECT qehs.record_list('incidents', '{"cost":"many"}');
SELECT qehs.record_list('incidents', '{"cost":{"like":1}}');
SELECT qehs.record_list('incidents', sort => 'period');
SELECT qehs.record_list('incidents', fields => 'payload.bogus');
SELECT qehs.record_list('incidents', created_from => '2026-01-01T00:00:00 01:00');
-- a date is a time; as the end it is the whole day
SELECT json_array_length(qehs.record_list('incidents', created_from => day, created_to => day) -> 'items') AS today,
	json_array_length(qehs.record_list('incidents', created_to => '2026-01-01') -> 'items') AS long_ago
FROM to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS day;
-- lists in a text: blanks do not count, quotes keep a comma, what is no option or state is told
SELECT titles(qehs.record_list('incidents', '{"title":{"in":" T1 , \"T2\",\"T,3\""}}', sort => 'title')) AS quoted;
SELECT qehs.record_list('incidents', '{"title":{"in":"\"T1"}}');
SELECT qehs.record_list('incidents', '{"severity":{"in":"high,huge"}}');
SELECT qehs.record_list('incidents', '{"severity":{"contains":"huge"}}') -> 'items' AS part_of_none;
SELECT qehs.record_list('incidents', '{"workflowState":"nowhere"}');
SELECT qehs.record_list('incidents', status => 'nowhere');
SELECT qehs.record_list('incidents', '{"displayCode":{"gt":"nope"}}');
-- options have the order in which they are listed
SELECT titles(qehs.record_list('incidents', '{"severity":{"gte":"high"}}', sort => '-severity')) AS from_high;
SELECT qehs.record_list(NULL);
-- all that is wrong with the parameters is said at once, once a place
\set VERBOSITY default
SELECT qehs.record_list('incidents', '{"cost":{"gte":"x","like":1},"bogus":1,"on":{"in":["y","z"]}}', created_from => '2026', q => '',
	sort => 'period', fields => 'a,b', page_size => 900);
SELECT qehs.audit_list('x', 'y', from_time => 'z', page_size => 0);
\set VERBOSITY terse
SELECT jsonb_path_query_array(qehs.audit_list(action => 'created', page_size => 2)::jsonb, '$.items[*].type') AS audit;
-- a choice whose options have no order is not ordered by
SELECT qehs.module_publish('kinds', '{"key":"kinds","name":"Kinds","displayCode":{"prefix":"K"},"fields":[{"key":"kind","type":"select","options":["b","a"],"ordered":false}],
 "workflow":{"states":["open"],"initial":"open","transitions":{}}}')::jsonb -> 'definitionVersion' AS version;
SELECT qehs.record_list('kinds', '{"kind":{"gt":"a"}}');
SELECT qehs.record_list('kinds', sort => 'kind');
SELECT qehs.record_list('kinds', '{"kind":{"in":["a","b"]}}') -> 'items' AS none;
