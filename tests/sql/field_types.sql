-- What a schema cannot say is checked too, in rows of tables and in objects as in the payload itself.
\set tenant field_types
\set ECHO none
\o /dev/null
SELECT qehs.tenant_create('field_types', 'A tenant');
SELECT qehs.use_tenant('field_types');
INSERT INTO qehs.user_account (tenant_id, id, user_name, display_name, active)
SELECT id, '01900000-0000-7000-8000-000000000001'::uuid, 'ann', 'Ann', true FROM qehs.tenant WHERE slug = 'field_types'
UNION ALL SELECT id, '01900000-0000-7000-8000-000000000002', 'bob', 'Bob', false FROM qehs.tenant WHERE slug = 'field_types';
INSERT INTO qehs.role_member (tenant_id, role_id, user_id) SELECT u.tenant_id, r.id, u.id FROM qehs.user_account AS u JOIN qehs.role AS r USING (tenant_id)
WHERE u.id = '01900000-0000-7000-8000-000000000001' AND r.name = 'tenant-user';
SELECT qehs.module_publish('secrets', '{"key":"secrets","name":"Secrets","displayCode":{"prefix":"SEC"},
 "fields":[{"key":"a","type":"text"}],"workflow":{"states":["open"],"initial":"open","transitions":{}},
 "permissions":{"roles":{"tenant-user":[]}}}');
SELECT qehs.record_create('secrets', '{"a":"x"}')::jsonb ->> 'id' AS secret \gset
\o
\set ECHO all
\set VERBOSITY default
SELECT qehs.module_publish('things', '{"key":"things","name":"Things","displayCode":{"prefix":"THG"},
 "fields":[{"key":"title","type":"text"},{"key":"notes","type":"rich-text","schema":{"minLength":2}},
  {"key":"dose","type":"number","unit":"mSv","step":0.5,"description":"Whole body"},{"key":"phone","type":"phone"},{"key":"took","type":"duration"},
  {"key":"cost","type":"currency"},{"key":"boss","type":"user"},
  {"key":"source","type":"record-reference"},{"key":"twin","type":"record-reference","references":"things"},
  {"key":"even","type":"integer","schema":{"multipleOf":2}},
  {"key":"kind","type":"select","options":["a","b"]},
  {"key":"detail","type":"object","visibleWhen":"$.kind == \"a\"","fields":[{"key":"price","type":"currency"},
    {"key":"period","type":"date-range","required":true}]},
  {"key":"rows","type":"table","fields":[{"key":"who","type":"user"},{"key":"what","type":"record-reference"},
    {"key":"period","type":"date-range"},{"key":"cost","type":"currency"},{"key":"level","type":"select","options":["low","high"]},
    {"key":"why","type":"text","requiredWhen":"$.level == \"high\""},
    {"key":"more","type":"integer","required":true,"visibleWhen":"$.level == \"low\""}]}],
 "workflow":{"states":["open"],"initial":"open","transitions":{}},
 "permissions":{"roles":{"tenant-user":["read","create","update"]}}}')::jsonb -> 'jsonSchema' -> 'properties' -> 'dose' AS dose;
-- all that holds
SELECT qehs.record_create('things', '{"notes":"<p>a &lt; b, 1 < 2 <br/><a href=\"https://x.example/?a=1\">x</a></p><","dose":1.5,"phone":"+4917012345678",
	"took":"PT1H30M","cost":{"amount":"12.50","currency":"EUR"},"boss":"01900000-0000-7000-8000-000000000001","even":4,"kind":"b",
	"rows":[{"who":"01900000-0000-7000-8000-000000000001","period":{"from":"2026-01-01","to":"2026-01-01"},"level":"low","more":1},
	{"level":"high","why":"so"}]}')::jsonb AS thing \gset
SELECT :'thing'::jsonb ->> 'id' AS id \gset
-- all that does not, with its place
SELECT qehs.record_create('things', '{"notes":"<img src=x onerror=alert(1)>","dose":1.2,"phone":"017012345678","took":"90 minutes",
	"cost":{"amount":1,"currency":"EUX"},"boss":"01900000-0000-7000-8000-000000000002","source":"01900000-0000-7000-8000-000000000003",
	"even":3,"kind":"a","detail":{"price":{"amount":1,"currency":"ABC"}}}');
SELECT qehs.record_create('things', '{"rows":[{"level":"low","more":1},{"who":"01900000-0000-7000-8000-000000000002","what":"01900000-0000-7000-8000-000000000003",
	"period":{"from":"2026-02-01","to":"2026-01-01"},"cost":{"amount":1,"currency":"ZZZ"},"level":"high"},{"level":"low"},{"level":"high","why":"x","more":"hidden"}]}');
-- a hidden object is not looked into
SELECT qehs.record_create('things', '{"kind":"b","detail":{"price":{"amount":1,"currency":"ABC"}}}')::jsonb ->> 'workflowState' AS state;
-- rich text: a list of tags, no attributes, links to a page or a mailbox
SELECT markup, qehs.jsonschema_is_valid(qehs.module_get('things')::jsonb -> 'jsonSchema', jsonb_build_object('notes', markup)) AS taken
FROM unnest(ARRAY['plain text', '<h1>x</h1><ul><li>y</li></ul>', '<a href="mailto:a@b.example">a</a>', '<script>x</script>', '<p onclick="x">', '<a href="javascript:x">',
	'<a href="https://x" onclick="y">', '<<script>', '<!-- x -->', '<?x?>', '<SCRIPT', 'a </script', '<a href=''https://x''>', '<svg/onload=x>']) AS markup;
-- a record that the caller may not read looks like none; what stands already may stay
SELECT qehs.use_tenant('field_types', 'ann');
SELECT qehs.record_update(:'id', format('{"source":"%s"}', :'secret')::jsonb);
SELECT qehs.use_tenant('field_types');
SELECT qehs.record_update(:'id', format('{"source":"%s"}', :'secret')::jsonb)::jsonb -> 'version' AS version;
SELECT qehs.record_update(:'id', format('{"twin":"%s"}', :'secret')::jsonb);
UPDATE qehs.user_account SET active = false WHERE user_name = 'ann';
SELECT qehs.use_tenant('field_types');
SELECT qehs.record_update(:'id', '{"title":"x"}')::jsonb -> 'version' AS version;
SELECT qehs.record_update(:'id', '{"rows":[{"level":"high","why":"first"},{"who":"01900000-0000-7000-8000-000000000001"}]}')::jsonb -> 'version' AS version;
SELECT qehs.record_update(:'id', '{"rows":[{"who":"01900000-0000-7000-8000-000000000002"}]}');
-- faults of options have their place in the definition
SELECT qehs.module_publish('bad', '{"key":"bad","name":"Bad","displayCode":{"prefix":"BAD"},
 "fields":[{"key":"a","type":"number","min":"1","step":0,"unit":""},{"key":"b","type":"text","maxLength":-1,"pattern":"(","required":"yes"},
  {"key":"c","type":"text","schema":{"minLength":"x"}},{"key":"d","type":"text","schema":1},
  {"key":"e","type":"table","fields":[{"key":"f","type":"identifier"},{"key":"g","type":"text","unique":true}]}],
 "workflow":{"states":["open"],"initial":"open","transitions":{}}}');
SELECT qehs.module_publish('bad', '{"key":"bad","name":"Bad","displayCode":{"prefix":"BAD"},
 "fields":[{"key":"a","type":"record-reference","references":"bad"},{"key":"b","type":"record-reference","references":"capa"},
  {"key":"e","type":"table","fields":[{"key":"f","type":"record-reference","references":"nowhere"}]}],
 "workflow":{"states":["open"],"initial":"open","transitions":{}}}');
