-- References to records of the same module that must not lead back, over versions and deleted records.
\set VERBOSITY default
\set SHOW_CONTEXT never
\set ECHO none
\o /dev/null
SELECT qehs.tenant_create('chains', 'A tenant');
SELECT qehs.use_tenant('chains');
\o
\set ECHO all
CREATE FUNCTION pg_temp.publish(fields jsonb, migrate jsonb DEFAULT NULL) RETURNS text LANGUAGE sql AS $$
	SELECT qehs.module_publish('parts', jsonb_strip_nulls(jsonb_build_object('key', 'parts', 'name', 'Parts', 'displayCode', '{"prefix":"PRT"}'::jsonb, 'fields', fields, 'migrate', migrate,
		'workflow', '{"states":["open"],"initial":"open","transitions":{}}'::jsonb)))::jsonb ->> 'definitionVersion' $$;
SELECT pg_temp.publish('[{"key":"a","type":"record-reference","acyclic":true},{"key":"b","type":"record-reference","references":"incidents","acyclic":true}]');
SELECT pg_temp.publish('[{"key":"c","type":"text","acyclic":true},{"key":"d","type":"object","fields":[{"key":"e","type":"record-reference","references":"parts","acyclic":true}]},{"key":"f","type":"record-reference","acyclic":1}]');
SELECT pg_temp.publish('[{"key":"name","type":"text"},{"key":"parent","type":"record-reference","references":"parts","acyclic":true},{"key":"twin","type":"record-reference","references":"parts"}]');
SELECT qehs.record_create('parts', '{"name":"a"}')::jsonb ->> 'id' AS a \gset
SELECT qehs.record_create('parts', jsonb_build_object('name', 'b', 'parent', :'a'))::jsonb ->> 'id' AS b \gset
SELECT qehs.record_create('parts', jsonb_build_object('name', 'c', 'parent', :'b', 'twin', :'a'))::jsonb ->> 'id' AS c \gset
SELECT qehs.record_update(:'a', jsonb_build_object('parent', :'a'));
SELECT qehs.record_update(:'a', jsonb_build_object('parent', :'c'));
SELECT qehs.record_update(:'a', jsonb_build_object('twin', :'c'))::jsonb -> 'version' AS version;
SELECT qehs.record_update(:'c', jsonb_build_object('parent', :'b', 'name', 'c again'))::jsonb -> 'version' AS version;
-- a deleted record is a link of the chain still: it may be restored
SELECT qehs.record_delete(:'b') \g /dev/null
SELECT qehs.record_update(:'a', jsonb_build_object('parent', :'c'));
SELECT qehs.record_restore(:'b') \g /dev/null
-- under another name
SELECT pg_temp.publish('[{"key":"name","type":"text"},{"key":"above","type":"record-reference","references":"parts","acyclic":true},{"key":"twin","type":"record-reference","references":"parts"}]', '{"rename":{"parent":"above"}}');
SELECT qehs.record_update(:'a', jsonb_build_object('parent', :'c'));
SELECT qehs.record_migrate(:'a')::jsonb -> 'definitionVersion' AS moved;
SELECT qehs.record_update(:'a', jsonb_build_object('above', :'c'));
SELECT qehs.record_update(:'c', '{"parent":null}')::jsonb -> 'version' AS version;
SELECT qehs.record_update(:'a', jsonb_build_object('above', :'c'))::jsonb -> 'version' AS version;
