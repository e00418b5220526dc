-- Comments and links by GraphQL: as REST has them, a statement for each list, under the same rights.
SET qehs.clock = '2026-06-01T12:00:00Z';
\set VERBOSITY terse
\set tenant gqlc
\set ECHO none
\o /dev/null
\i sql/include/graphql.psql
SELECT qehs.module_publish('notes', '{"key":"notes","name":"Notes","displayCode":{"prefix":"NOT"},"fields":[{"key":"title","type":"text"},{"key":"comments","type":"text"},
  {"key":"about","type":"record-reference"},{"key":"more","type":"record-references","references":["incidents","notes"]},{"key":"hushed","type":"record-reference"}],
 "workflow":{"states":["open"],"initial":"open"},
 "permissions":{"roles":{"tenant-user":["read","create","comment"],"medic":["read"],"viewer":["read"]},"fields":{"hushed":{"read":["tenant-user"]}}}}');
SELECT qehs.user_create('vic', 'Vic', roles => '{viewer}');
SELECT qehs.record_create('notes', jsonb_build_object('title', 'One', 'comments', 'a field', 'about', :'slip', 'more', jsonb_build_array(:'slip'::text, :'fall'::text))) ->> 'id' AS one \gset
SELECT qehs.record_create('notes', jsonb_build_object('title', 'Two', 'about', :'one', 'hushed', :'fall')) ->> 'id' AS two \gset
SELECT qehs.record_create('notes', jsonb_build_object('title', 'Three', 'hushed', :'one', 'more', jsonb_build_array(:'fall'::text))) ->> 'id' AS three \gset
SELECT qehs.record_delete(qehs.record_create('notes', jsonb_build_object('title', 'Gone', 'about', :'one')) ->> 'id');
-- an answer without what differs from run to run
CREATE FUNCTION pg_temp.shown(answer json) RETURNS text LANGUAGE sql AS $$
SELECT pg_catalog.regexp_replace($1::text, '(cmt|rec|usr)_[0-9A-Z]{26}', '\1_…', 'g')
$$;
\o
\set ECHO all
-- to comment, to answer, to take back; what REST refuses is refused
SELECT qehs.use_tenant('gqlc', 'ann') \g /dev/null
SELECT qehs.graphql('mutation ($id: ID!) { notesComment(id: $id, body: "Seen, @ben and @nobody") { __typename id recordId parentId body mentions { type displayName } createdAt createdBy { displayName } deletedAt } }', jsonb_build_object('id', :'one')) AS answer \gset
SELECT pg_temp.shown(:'answer'), :'answer'::json #>> '{data,notesComment,id}' AS first \gset
\echo :shown
SELECT qehs.graphql('mutation ($id: ID!, $to: ID) { notesComment(id: $id, body: "Yes", parentId: $to) { id parentId body } }', jsonb_build_object('id', :'one', 'to', :'first')) AS answer \gset
SELECT :'answer'::json #>> '{data,notesComment,parentId}' = :'first' AS answers, :'answer'::json #>> '{data,notesComment,id}' AS second \gset
\echo :answers
SELECT pg_temp.shown(qehs.graphql('mutation ($id: ID!, $two: ID!) { blank: notesComment(id: $id, body: " ") { id } foreign: notesComment(id: $two, body: "x", parentId: $id) { id } none: notesComment(id: "rec_00000000000000000000000000", body: "x") { id }
 wrong: notesDeleteComment(id: $id) last: notesComment(id: $two, body: "Two") { body } }', jsonb_build_object('id', :'one', 'two', :'two')));
SELECT pg_temp.shown(qehs.graphql('mutation ($id: ID!) { notesDeleteComment(id: $id) again: notesDeleteComment(id: $id) }', jsonb_build_object('id', :'first')));
-- by another module's door, or another's hand, it is not
SELECT qehs.graphql('mutation { incidentsComment(id: "x", body: "x") { id } actionItemsComment(id: "x", body: "x") { id } }');
SELECT qehs.use_tenant('gqlc') \g /dev/null
SELECT pg_temp.shown(qehs.graphql('mutation ($id: ID!, $on: ID!) { incidentsDeleteComment(id: $id) incidentsComment(id: $on, body: "x") { id } }', jsonb_build_object('id', :'second', 'on', :'one')));
SELECT qehs.use_tenant('gqlc', 'vic') \g /dev/null
SELECT qehs.graphql('mutation { notesComment(id: "x", body: "x") { id } }');
-- the lists: one that was taken back keeps its place; behind a comment; a page
SELECT qehs.graphql('{ notesList(orderBy: "title") { title payloadComments comments { body createdBy { displayName } mentions { displayName } deletedAt } } }');
SELECT qehs.graphql('query ($id: ID!, $after: ID) { notesGet(id: $id) { comments(after: $after) { body } few: comments(limit: 1) { body } } }', jsonb_build_object('id', :'one', 'after', :'first'));
SELECT qehs.graphql('query ($id: ID!) { notesGet(id: $id) { comments(after: "rec_1") { body } } }', jsonb_build_object('id', :'one'));
SELECT qehs.graphql('{ notesList { comments(limit: 0) { body } links(limit: 201) { direction } } }');
-- links, both ways, with records of their own types; a viewer learns nothing of a hidden field
SELECT qehs.graphql('{ notesList(orderBy: "title") { title links { direction fields record { __typename displayCode ... on Note { title } ... on Incident { severity } } } } }');
SELECT qehs.graphql('{ incidentsList(orderBy: "title") { title links { fields record { ... on Note { title links(limit: 1) { __typename record { displayCode } } } } } } }');
SELECT qehs.use_tenant('gqlc', 'ann') \g /dev/null
SELECT qehs.graphql('{ notesList(orderBy: "title") { title links { direction fields record { displayCode } } } }');
SELECT qehs.graphql('{ node(id: "' || :'one' || '") { ... on Record { links { record { ... on Note { title } } other: record { id moduleKey } } } } }')::jsonb #> '{data,node,links}' -> 0 -> 'other' ->> 'moduleKey' AS module;
-- the cursor of a link is REST's; it is good for the links of its record alone
SELECT qehs.graphql('query ($id: ID!) { notesGet(id: $id) { links(limit: 2) { cursor record { displayCode } } } }', jsonb_build_object('id', :'one'))::jsonb #> '{data,notesGet,links}' AS page \gset
SELECT qehs.record_links(:'one', 2) ->> 'nextCursor' = :'page'::jsonb -> 1 ->> 'cursor' AS same;
SELECT qehs.graphql('query ($id: ID!, $c: String) { notesGet(id: $id) { links(cursor: $c) { record { displayCode } } } }', jsonb_build_object('id', :'one', 'c', :'page'::jsonb -> 1 ->> 'cursor'));
SELECT qehs.graphql('query ($id: ID!, $c: String) { notesGet(id: $id) { links(cursor: $c) { record { displayCode } } } }', jsonb_build_object('id', :'two', 'c', :'page'::jsonb -> 1 ->> 'cursor'));
-- behind many that are hidden from him, a viewer finds the one that is not
SELECT qehs.use_tenant('gqlc') \g /dev/null
SELECT count(qehs.record_create('notes', jsonb_build_object('title', 'Hidden', 'hushed', :'two'))) FROM pg_catalog.generate_series(1, 120);
SELECT qehs.record_create('notes', jsonb_build_object('title', 'Last', 'about', :'two')) IS NOT NULL AS made;
SELECT qehs.use_tenant('gqlc', 'vic') \g /dev/null
SELECT qehs.graphql('query ($id: ID!) { notesGet(id: $id) { links(limit: 2) { direction fields record { displayCode } } } notesList(limit: 3, filter: {title: {in: ["One", "Two", "Last"]}}) { title links(limit: 1) { record { displayCode } } } }', jsonb_build_object('id', :'two'));
SELECT qehs.record_links(:'two', 2) ->> 'nextCursor' IS NULL AS last, jsonb_array_length(qehs.record_links(:'two', 2)::jsonb -> 'items') AS links;
