-- A page of large records ends early, with a cursor that goes on; trimmed to few members it does not.
\set VERBOSITY terse
\set ECHO none
\o /dev/null
SELECT qehs.tenant_create('large', 'A tenant');
SELECT qehs.use_tenant('large');
SELECT qehs.module_publish('notes', '{"key":"notes","name":"Notes","displayCode":{"prefix":"N"},"fields":[{"key":"n","type":"integer"},{"key":"body","type":"text","maxLength":1000000}],
 "workflow":{"states":["a"],"initial":"a","transitions":{}}}');
SELECT qehs.record_create('notes', jsonb_build_object('n', i, 'body', repeat('x', 900000))) FROM generate_series(1, 24) AS i;
\o
SET client_min_messages = warning;
\set ECHO all
SELECT length(page::text) / 1000000 AS megabytes, json_array_length(page -> 'items') AS first, json_array_length(qehs.record_list('notes', sort => 'n', page_size => 200, cursor => page ->> 'nextCursor') -> 'items') AS second
FROM qehs.record_list('notes', sort => 'n', page_size => 200) AS page;
SELECT length(page::text) < 2000 AS short, json_array_length(page -> 'items') AS items, page ->> 'nextCursor' AS next FROM qehs.record_list('notes', fields => 'payload.n', page_size => 200) AS page;
-- more words than a tsvector holds: q looks at the beginning
SELECT qehs.record_create('notes', jsonb_build_object('body', 'beginning ' || (SELECT string_agg(md5(i::text), ' ') FROM generate_series(1, 30000) AS i)))::json ->> 'id' IS NOT NULL AS made;
SELECT json_array_length(qehs.record_list('notes', q => 'beginning', fields => 'id') -> 'items') AS found;
