-- A column of a reporting view keeps the field that it has: a new field is told apart whose key is the name of another's column of labels or codes, or one that another had before.
\set ECHO none
\o /dev/null
SELECT qehs.tenant_create('kept_columns', 'A tenant');
SELECT qehs.use_tenant('kept_columns');
CREATE FUNCTION pg_temp.publish(fields text, rename jsonb DEFAULT NULL, dropped jsonb DEFAULT NULL) RETURNS void LANGUAGE sql AS $$
	SELECT qehs.module_publish('cases', jsonb_strip_nulls(jsonb_build_object('key', 'cases', 'name', 'Cases', 'displayCode', '{"prefix":"CAS"}'::jsonb, 'fields', fields::jsonb,
		'workflow', '{"states":["open"],"initial":"open","transitions":{}}'::jsonb, 'migrate', CASE WHEN rename IS NOT NULL OR dropped IS NOT NULL THEN jsonb_build_object('rename', rename, 'drop', dropped) END)))
$$;
SELECT pg_temp.publish('[{"key":"title","type":"text"},{"key":"kind","type":"select","options":[{"value":"a","label":"Alpha"}]},{"key":"parent","type":"record-reference","references":"cases"},
 {"key":"cost","type":"currency"},{"key":"note","type":"text"},{"key":"lines","type":"table","fields":[{"key":"sort","type":"select","options":[{"value":"x","label":"Ex"}]}]}]');
SELECT qehs.record_create('cases', '{"title":"First","note":"old","kind":"a","cost":{"amount":"1.5","currency":"EUR"},"lines":[{"sort":"x"}]}') ->> 'displayCode' AS code \gset
SELECT qehs.report_publish('kept_columns');
\o
\set ECHO all
\set VERBOSITY terse
-- keys that are names of columns, in front of the fields that have these
SELECT pg_temp.publish('[{"key":"kind_label","type":"text"},{"key":"parent_code","type":"text"},{"key":"cost_currency","type":"text"},{"key":"title","type":"text"},{"key":"kind","type":"select","options":[{"value":"a","label":"Alpha"}]},
 {"key":"parent","type":"record-reference","references":"cases"},{"key":"cost","type":"currency"},{"key":"note","type":"text"},
 {"key":"lines","type":"table","fields":[{"key":"sort_label","type":"text"},{"key":"sort","type":"select","options":[{"value":"x","label":"Ex"}]}]}]');
SELECT qehs.record_create('cases', jsonb_build_object('title', 'Second', 'kind', 'a', 'parent', :'code', 'cost', '{"amount":2,"currency":"USD"}'::jsonb, 'kind_label', 'KL', 'parent_code', 'PC', 'cost_currency', 'CC', 'lines', '[{"sort":"x","sort_label":"SL"}]'::jsonb)) IS NOT NULL AS created;
SELECT title, kind_label, kind_label_2, right(parent_code, 5) AS parent_code, parent_code_2, cost_currency, cost_currency_2 FROM report_kept_columns.cases ORDER BY id;
SELECT sort, sort_label, sort_label_2 FROM report_kept_columns.cases__lines ORDER BY record_id;
-- made once more, they stay
SELECT qehs.report_publish('kept_columns');
SELECT title, kind_label, kind_label_2, right(parent_code, 5) AS parent_code, parent_code_2, cost_currency, cost_currency_2 FROM report_kept_columns.cases ORDER BY id;
-- a name that a field had before
SELECT pg_temp.publish('[{"key":"headline","type":"text"},{"key":"kind","type":"select","options":[{"value":"a","label":"Alpha"}]},{"key":"note","type":"text"}]', '{"title":"headline"}', '["kind_label","parent_code","cost_currency","parent","cost","lines"]');
SELECT pg_temp.publish('[{"key":"title","type":"text"},{"key":"headline","type":"text"},{"key":"kind","type":"select","options":[{"value":"a","label":"Alpha"}]}]', dropped => '["note"]');
SELECT qehs.record_create('cases', '{"title":"new title","headline":"Third","kind":"a"}') IS NOT NULL AS created;
SELECT title, headline, title_2 FROM report_kept_columns.cases ORDER BY id;
SELECT qehs.report_publish('kept_columns');
SELECT title, headline, title_2, note FROM report_kept_columns.cases ORDER BY id;
-- one that comes back under its key goes on in its column
SELECT pg_temp.publish('[{"key":"note","type":"text"},{"key":"title","type":"text"},{"key":"headline","type":"text"},{"key":"kind","type":"select","options":[{"value":"a","label":"Alpha"}]}]');
SELECT qehs.record_create('cases', '{"title":"t","headline":"Fourth","note":"back","kind":"a"}') IS NOT NULL AS created;
SELECT title, headline, title_2, note FROM report_kept_columns.cases ORDER BY id;
-- what each column is of
SELECT attname, col_description(attrelid, attnum) FROM pg_attribute WHERE attrelid = 'report_kept_columns.cases'::regclass AND attnum > 12 ORDER BY attnum;
-- made anew, each has its own name
SELECT qehs.report_publish('kept_columns', drop_deprecated => true);
SELECT title, headline, note FROM report_kept_columns.cases ORDER BY id;
SELECT string_agg(attname, ' ' ORDER BY attnum) AS columns FROM pg_attribute WHERE attrelid = 'report_kept_columns.cases'::regclass AND attnum > 12;
-- one that takes the key of another that is gone, beside which it lived
SELECT pg_temp.publish('[{"key":"title","type":"text"},{"key":"headline","type":"text"}]', dropped => '["note","kind"]');
SELECT pg_temp.publish('[{"key":"note","type":"text"},{"key":"headline","type":"text"}]', '{"title":"note"}');
SELECT headline, title, note FROM report_kept_columns.cases ORDER BY id;
