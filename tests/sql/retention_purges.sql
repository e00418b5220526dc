-- Records go by themselves when they have been kept as long as their module says: deleted, then purged; the audit trail verifies throughout.
\set VERBOSITY terse
\set ECHO none
SET qehs.clock = '2027-01-01T00:00:00Z';
SELECT qehs.tenant_create('retention', 'A') \g /dev/null
SELECT qehs.use_tenant('retention') \g /dev/null
CREATE FUNCTION pg_temp.publish(key text, retention jsonb, version int DEFAULT 1) RETURNS json LANGUAGE sql AS $$
SELECT qehs.module_publish(key, jsonb_build_object('key', key, 'name', initcap(key), 'displayCode', jsonb_build_object('prefix', upper(left(key, 3))), 'description', version::text,
	'fields', '[{"key":"title","type":"text","searchable":true},{"key":"closed_on","type":"date","indexed":true},{"key":"badge","type":"text","unique":true},
		{"key":"parent","type":"record-reference","references":"cases","onDelete":"restrict"},{"key":"see","type":"record-reference","references":"cases"},{"key":"photo","type":"file"}]'::jsonb,
	'workflow', '{"states":["open","closed"],"initial":"open","transitions":{"close":{"from":"open","to":"closed"}}}'::jsonb,
	'permissions', '{"states":{"closed":{"edit":[]}}}'::jsonb, 'retention', retention) - CASE WHEN retention IS NULL THEN 'retention' ELSE '' END) $$;
-- all that is due of the tenant, and what came of it
CREATE FUNCTION pg_temp.kept() RETURNS TABLE (module text, kept bigint, deleted bigint, tombstones bigint, result jsonb) LANGUAGE plpgsql AS $$
BEGIN
	PERFORM qehs.tick(budget => '1 minute');
	PERFORM qehs.tick(budget => '1 minute');
	RETURN QUERY SELECT m.key, count(r.id) FILTER (WHERE r.deleted_at IS NULL), count(r.id) FILTER (WHERE r.deleted_at IS NOT NULL),
		(SELECT count(*) FROM qehs.record_tombstone AS s WHERE s.tenant_id = m.tenant_id AND s.module_id = m.id),
		(SELECT j.result FROM qehs.job AS j WHERE j.tenant_id = m.tenant_id AND j.kind = 'retention' AND j.arguments ->> 'moduleKey' = m.key ORDER BY j.id DESC LIMIT 1)
	FROM qehs.module AS m JOIN qehs.tenant AS t ON t.id = m.tenant_id LEFT JOIN qehs.record AS r ON r.tenant_id = m.tenant_id AND r.module_id = m.id
	WHERE t.slug = 'retention' GROUP BY m.tenant_id, m.id, m.key ORDER BY m.key;
END $$;
\set ECHO all
-- what a definition may say
DO $faults$
DECLARE
	rule jsonb;
	detail text;
BEGIN
	FOREACH rule IN ARRAY '{"{\"after\":\"P7Y\"}","{\"after\":\"7 years\",\"action\":\"keep\",\"from\":\"title\",\"until\":1}","{\"after\":\"P1D\",\"action\":\"delete\",\"from\":\"deletedAt\"}","[]","[1]","\"P7Y\""}'::jsonb[] LOOP
		BEGIN
			PERFORM pg_temp.publish('cases', rule);
			RAISE NOTICE '% is taken', rule;
		EXCEPTION WHEN SQLSTATE 'QH400' THEN
			GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
			RAISE NOTICE '%: %', rule, (SELECT string_agg(concat_ws(' ', e ->> 'path', e ->> 'code', e ->> 'message'), '; ') FROM json_array_elements(detail::json -> 'errors') AS e);
		END;
	END LOOP;
END $faults$;
SELECT pg_temp.publish('cases', '[{"after":"P7Y","from":"closed_on","action":"delete"},{"after":"P30D","action":"purge"}]') -> 'retention' AS retention;
SELECT pg_temp.publish('drafts', '{"after":"P1Y","from":"createdAt","action":"purge"}') -> 'definitionVersion' AS version;
SELECT pg_temp.publish('kept', NULL) -> 'definitionVersion' AS version;
-- cases: one closed, one open, one closed that another keeps, one deleted by hand; drafts and what is kept for ever
SELECT qehs.record_create('cases', '{"title":"closed quetzal","closed_on":"2027-01-31","badge":"B1"}') ->> 'id' AS closed \gset
SELECT qehs.record_create('cases', '{"title":"open"}') ->> 'id' AS open \gset
SELECT qehs.record_create('cases', '{"title":"parent","closed_on":"2027-01-31"}') ->> 'id' AS parent \gset
SELECT qehs.record_create('cases', jsonb_build_object('title', 'child', 'parent', :'parent', 'see', :'closed')) ->> 'id' AS child \gset
SELECT qehs.record_create('cases', '{"title":"by hand"}') ->> 'id' AS hand \gset
SELECT qehs.record_create('drafts', '{"title":"draft"}') ->> 'id' AS draft \gset
SELECT qehs.record_create('kept', '{"title":"for ever","closed_on":"1999-01-01"}') ->> 'id' AS kept \gset
SELECT qehs.record_comment(:'closed', 'seen') ->> 'body' AS comment, qehs.record_update(:'closed', '{"title":"closed quetzal bird"}', 'told') ->> 'version' AS version, qehs.record_transition(:'closed', 'close') ->> 'workflowState' AS state;
SELECT qehs.record_delete(:'hand');
SELECT qehs.audit_seal('retention') ->> 'seals' AS seals;
-- once a day: after 29 days nothing; then what was deleted by hand
SET qehs.clock = '2027-01-30T00:00:00Z';
SELECT * FROM pg_temp.kept();
SET qehs.clock = '2027-01-31T00:00:00Z';
SELECT * FROM pg_temp.kept();
-- drafts are purged a year after they were made, though nobody has deleted them
SET qehs.clock = '2028-01-02T00:00:00Z';
SELECT * FROM pg_temp.kept();
-- seven years behind the end of the day: deleted by the system though the state locks it; 30 days later purged. What a live record keeps stays and is counted
SET qehs.clock = '2034-01-31T23:00:00Z';
SELECT * FROM pg_temp.kept();
SET qehs.clock = '2034-02-02T00:00:00Z';
SELECT * FROM pg_temp.kept();
SELECT i ->> 'type' AS type, i ->> 'reason' AS reason, i ->> 'actor' AS actor FROM json_array_elements(qehs.audit_list(record_id => :'closed') -> 'items') AS i LIMIT 1;
SET qehs.clock = '2034-03-05T00:00:00Z';
SELECT * FROM pg_temp.kept();
-- nothing is left but the tombstone and the event that says so; a day later nothing happens
SELECT qehs.record_get(:'closed');
SELECT qehs.record_restore(:'closed');
SELECT qehs.record_at(:'closed', '2028-01-01');
SELECT i ->> 'displayCode' AS code, i ->> 'purgedAt' AS at, i -> 'purgedBy' AS by, i ->> 'reason' AS reason, i ->> 'eventCount' AS events, length(i ->> 'head') AS head
FROM json_array_elements(qehs.tombstone_list() -> 'items') AS i;
SELECT i ->> 'type' AS type, i ->> 'reason' AS reason, i -> 'changes' AS changes, i ->> 'id' = (qehs.tombstone_list(:'closed') #>> '{items,0,eventId}') AS told
FROM json_array_elements(qehs.audit_list(record_id => :'closed') -> 'items') AS i;
SELECT (SELECT count(*) FROM qehs.record_unique AS u WHERE u.tenant_id = t.id) AS unique_values, (SELECT count(*) FROM qehs.record_comment AS c WHERE c.tenant_id = t.id) AS comments,
	(SELECT count(*) FROM qehs.record_link AS l WHERE l.tenant_id = t.id) AS links, (SELECT count(*) FROM qehs.audit_event AS e WHERE e.tenant_id = t.id AND e.changes::text ~ 'quetzal') AS events
FROM qehs.tenant AS t WHERE t.slug = 'retention';
SELECT qehs.record_get(:'child') #>> '{payload,see}' = :'closed' AS reference_stays, qehs.record_links(:'child') #>> '{items,0,record,displayCode}' AS link;
SELECT json_array_length(qehs.record_list('cases', q => 'quetzal') -> 'items') AS found;
SET qehs.clock = '2034-03-06T00:00:00Z';
SELECT * FROM pg_temp.kept();
-- the trail verifies, with what was sealed before and since
SELECT qehs.audit_verify('retention') -> 'fault' AS fault, qehs.audit_seal('retention') IS NOT NULL AS sealed;
SELECT qehs.audit_verify('retention') -> 'fault' AS fault;
-- a number is not given out again, nor is a unique value taken for ever
SELECT qehs.record_create('drafts', '{"title":"another"}') ->> 'displayCode' AS code, qehs.record_create('cases', '{"badge":"B1"}') #>> '{payload,badge}' AS badge;
-- the reference of the parent is gone, and it goes as well, in its time
SELECT qehs.record_update(:'child', '{"parent":null}') ->> 'version' AS version;
SET qehs.clock = '2034-03-08T00:00:00Z';
SELECT * FROM pg_temp.kept();
