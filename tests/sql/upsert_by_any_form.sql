-- An upsert finds the record by an id or an instant in whichever form it is written.
\set VERBOSITY terse
\set ECHO none
\o /dev/null
SELECT qehs.tenant_create('forms', 'A tenant');
SELECT qehs.use_tenant('forms');
INSERT INTO qehs.user_account (tenant_id, id, user_name, display_name) SELECT id, '00000000-0000-0000-0000-000000000001', 'ann', 'Ann' FROM qehs.tenant WHERE slug = 'forms';
SELECT qehs.module_publish('seats', '{"key":"seats","name":"Seats","displayCode":{"prefix":"S"},"fields":[{"key":"who","type":"user","unique":true},{"key":"since","type":"datetime","unique":true},
 {"key":"span","type":"duration","unique":true},{"key":"note","type":"text"}],"workflow":{"states":["a"],"initial":"a","transitions":{}}}');
CREATE FUNCTION load(field text, line text) RETURNS jsonb LANGUAGE sql RETURN
	(SELECT answer::jsonb - 'id' FROM string_to_table(qehs.bulk_load('seats', convert_to(line || E'\n', 'UTF8'), on_conflict => 'update', external_id => field), E'\n') AS answer WHERE answer <> '' LIMIT 1);
\o
\set ECHO all
SELECT load('who', '{"who":"usr_00000000000000000000000001","since":"2026-01-01T00:00:00Z","span":"PT1H"}') AS made;
SELECT load('who', '{"who":"00000000-0000-0000-0000-000000000001","note":"uuid"}') AS by_uuid;
SELECT load('since', '{"since":"2026-01-01T01:00:00.000+01:00","note":"offset"}') AS by_instant;
SELECT load('span', '{"span":"PT60M","note":"minutes"}') AS by_length;
SELECT json_array_length(qehs.record_list('seats', '{"note":"minutes"}') -> 'items') AS one, json_array_length(qehs.record_list('seats') -> 'items') AS of_one;
