-- Comments on records: threads, mentions, who may, what the audit trail keeps; and the links between records.
\set VERBOSITY terse
\set ECHO none
\o /dev/null
SELECT qehs.tenant_create('comments', 'Comments');
SELECT qehs.use_tenant('comments');
SELECT qehs.user_create('ann', 'Ann', roles => '{tenant-user}'), qehs.user_create('bob.b', 'Bob', roles => '{tenant-user}'), qehs.user_create('eve@example.com', 'Eve', roles => '{viewer}'),
	qehs.user_create('gone', 'Gone', roles => '{tenant-user}');
SELECT qehs.user_deactivate('gone');
SELECT qehs.module_publish('cases', '{"key":"cases","name":"Cases","displayCode":{"prefix":"CAS"},"fields":[{"key":"title","type":"text"},{"key":"about","type":"record-reference"},{"key":"secret","type":"record-reference"},
 {"key":"rows","type":"table","fields":[{"key":"case","type":"record-reference"}]}],"workflow":{"states":["open","closed"],"initial":"open","transitions":{"close":{"from":"open","to":"closed"}}},
 "permissions":{"roles":{"tenant-user":["read","comment"],"viewer":["read"]},"fields":{"secret":{"read":["tenant-user"]}},"states":{"closed":{"edit":[]}}}}');
SELECT qehs.module_publish('hidden', '{"key":"hidden","name":"Hidden","displayCode":{"prefix":"HID"},"fields":[{"key":"about","type":"record-reference"}],"workflow":{"states":["open"],"initial":"open"},
 "permissions":{"roles":{"tenant-user":[]}}}');
SELECT qehs.record_create('cases', '{"title":"One"}') ->> 'id' AS one \gset
CREATE FUNCTION pg_temp.shown(c jsonb) RETURNS jsonb LANGUAGE sql AS $$
SELECT jsonb_build_object('body', c -> 'body', 'by', c -> 'createdBy' ->> 'displayName', 'mentions', jsonb_path_query_array(c, '$.mentions[*].displayName'), 'answers', c ->> 'parentId' IS NOT NULL, 'deleted', c ->> 'deletedAt' IS NOT NULL)
$$;
CREATE FUNCTION pg_temp.links(id text) RETURNS TABLE (direction text, fields jsonb, record text, module_key text) LANGUAGE sql AS $$
SELECT i ->> 'direction', i -> 'fields', regexp_replace(i -> 'record' ->> 'displayCode', '\d{4}', 'year'), i -> 'record' ->> 'moduleKey' FROM jsonb_array_elements(qehs.record_links(id)::jsonb -> 'items') AS i
$$;
\o
\set ECHO all
SELECT qehs.use_tenant('comments', 'ann') \g /dev/null
SELECT c ->> 'id' AS first, pg_temp.shown(c) FROM (SELECT qehs.record_comment(:'one', 'Seen, @bob.b. And (@EVE@example.com), but not @nobody, @gone, a@ann or @bob.b again.')::jsonb AS c) AS m \gset
SELECT :'shown' AS shown;
-- an answer; a state that locks lets comments be
SELECT qehs.use_tenant('comments') \g /dev/null
SELECT qehs.record_transition(:'one', 'close') ->> 'workflowState' AS state;
SELECT qehs.use_tenant('comments', 'bob.b') \g /dev/null
SELECT c ->> 'id' AS second, pg_temp.shown(c) FROM (SELECT qehs.record_comment(:'one', 'Yes', :'first')::jsonb AS c) AS m \gset
SELECT :'shown' AS shown;
-- faults
SELECT qehs.record_comment(:'one', E' \n');
SELECT qehs.record_comment(:'one', repeat('é', 10001));
SELECT qehs.record_comment(:'one', 'x', 'cmt_00000000000000000000000000');
SELECT qehs.record_comment('rec_00000000000000000000000000', 'x');
-- who may not
SELECT qehs.comment_delete(:'first');
SELECT qehs.use_tenant('comments', 'eve@example.com') \g /dev/null
SELECT qehs.record_comment(:'one', 'x');
SELECT qehs.comment_delete(:'first');
SELECT jsonb_array_length(qehs.record_comments(:'one')::jsonb -> 'items') AS comments;
-- taken back, its text goes and its place stays; it is answered no more
SELECT qehs.use_tenant('comments', 'ann') \g /dev/null
SELECT qehs.comment_delete(:'first') IS NULL AS deleted;
SELECT qehs.comment_delete(:'first');
SELECT qehs.record_comment(:'one', 'x', :'first');
SELECT pg_temp.shown(c) FROM jsonb_array_elements(qehs.record_comments(:'one')::jsonb -> 'items') AS c;
-- page by page
SELECT qehs.record_comments(:'one', 1) ->> 'nextCursor' AS next \gset
SELECT pg_temp.shown(c) ->> 'body' AS body FROM jsonb_array_elements(qehs.record_comments(:'one', 1, :'next')::jsonb -> 'items') AS c;
SELECT qehs.record_comments(:'one', 1, :'next') ->> 'nextCursor' IS NULL AS last;
-- the trail keeps what was said, the record its version
SELECT qehs.use_tenant('comments') \g /dev/null
SELECT a ->> 'type' AS type, a -> 'actor' ->> 'displayName' AS by, a ->> 'comment' AS comment, regexp_replace(a -> 'changes' ->> 0, 'cmt_\w+', 'cmt_…') AS changes
FROM jsonb_array_elements(qehs.audit_list(:'one')::jsonb -> 'items') AS a;
SELECT qehs.record_get(:'one') ->> 'version' AS version, qehs.audit_verify('comments') -> 'fault' AS fault;
SELECT topic, body ->> 'recordId' = :'one' AS of_it, jsonb_path_query_array(body, '$.mentions[*].displayName') AS mentions FROM qehs.outbox WHERE tenant_id = (SELECT id FROM qehs.tenant WHERE slug = 'comments');
-- links, both ways, by whichever field; a deleted record has none
SELECT qehs.record_create('cases', jsonb_build_object('title', 'Two', 'about', :'one', 'secret', :'one')) ->> 'id' AS two \gset
SELECT qehs.record_create('cases', jsonb_build_object('title', 'Three', 'secret', :'one', 'rows', jsonb_build_array(jsonb_build_object('case', :'two'::text)))) ->> 'id' AS three \gset
SELECT qehs.record_create('hidden', jsonb_build_object('about', :'two')) IS NOT NULL AS made;
SELECT * FROM pg_temp.links(:'one');
SELECT * FROM pg_temp.links(:'two');
SELECT qehs.record_links(:'two', 1) ->> 'nextCursor' AS next \gset
SELECT right(i -> 'record' ->> 'displayCode', 4) AS second FROM jsonb_array_elements(qehs.record_links(:'two', 1, :'next')::jsonb -> 'items') AS i;
-- a viewer learns nothing of a hidden field, nobody of a module that he may not read
SELECT qehs.use_tenant('comments', 'eve@example.com') \g /dev/null
SELECT * FROM pg_temp.links(:'one');
SELECT * FROM pg_temp.links(:'three');
SELECT qehs.use_tenant('comments', 'ann') \g /dev/null
SELECT * FROM pg_temp.links(:'two');
SELECT qehs.use_tenant('comments') \g /dev/null
SELECT qehs.record_delete(:'three') IS NULL AS deleted;
SELECT * FROM pg_temp.links(:'two');
