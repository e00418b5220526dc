-- Views and columns of fields that are renamed or gone go on, by the rules that their field has now, and show nothing of another field of their key.
\set ECHO none
SET client_min_messages = warning;
\o /dev/null
SELECT qehs.tenant_create('report_rows', 'A tenant');
SELECT qehs.use_tenant('report_rows');
CREATE FUNCTION pg_temp.publish(fields text, more jsonb) RETURNS void LANGUAGE sql AS $$
	SELECT qehs.module_publish('cases', jsonb_build_object('key', 'cases', 'name', 'Cases', 'displayCode', '{"prefix":"CAS"}'::jsonb, 'fields', fields::jsonb,
		'workflow', '{"states":["open"],"initial":"open"}'::jsonb) || more);
$$;
SELECT pg_temp.publish('[{"key":"parts","label":"Parts","type":"table","fields":[{"key":"part","type":"text"},{"key":"title","type":"text"}]},{"key":"tools","type":"table","fields":[{"key":"tool","type":"text"}]},{"key":"title","type":"text"},{"key":"kind","type":"select","options":[{"value":"a","label":"Alpha"}]}]',
	'{"permissions":{"roles":{"viewer":["read"],"medic":["read"]}}}');
SELECT qehs.record_create('cases', '{"title":"of the record","kind":"a","parts":[{"part":"old part","title":"of the row"}],"tools":[{"tool":"old tool"}]}');
CREATE ROLE rows_reader LOGIN;
SELECT qehs.reporter_grant('rows_reader', 'report_rows');
SELECT pg_temp.publish('[{"key":"pieces","label":"Pieces","type":"table","fields":[{"key":"part","type":"text"},{"key":"size","type":"integer"}]},{"key":"tools","type":"tags"},{"key":"title","type":"text"},{"key":"sort","type":"text"}]',
	'{"permissions":{"roles":{"viewer":["read"],"medic":["read"]},"fields":{"pieces":{"read":["medic"]},"tools":{"read":["medic"]},"sort":{"read":["medic"]}}},"migrate":{"rename":{"parts":"pieces","kind":"sort"},"drop":["tools"]}}');
SELECT qehs.record_create('cases', '{"pieces":[{"part":"new part","size":3}],"tools":["secret","more"]}');
\o
\set ECHO all
SET ROLE rows_reader;
SELECT right(display_code, 4) AS record, sort, kind, kind_label FROM report_report_rows.cases ORDER BY id;
SELECT * FROM report_report_rows.cases__pieces;
SELECT * FROM report_report_rows.cases__parts;
SELECT right(display_code, 4) AS record, row_no, tool FROM report_report_rows.cases__tools;
RESET ROLE;
-- who may read the field sees the rows of all versions by either name
\o /dev/null
SELECT qehs.reporter_grant('rows_reader', 'report_rows', '{medic}');
\o
SET ROLE rows_reader;
SELECT right(display_code, 4) AS record, sort, kind, kind_label FROM report_report_rows.cases ORDER BY id;
SELECT right(display_code, 4) AS record, row_no, part, size FROM report_report_rows.cases__pieces ORDER BY record_id;
SELECT right(display_code, 4) AS record, row_no, part, title FROM report_report_rows.cases__parts ORDER BY record_id;
RESET ROLE;
SELECT obj_description(('report_report_rows.' || name)::regclass) FROM unnest('{cases__parts,cases__tools}'::text[]) AS name;
SELECT qehs.report_publish('report_rows', drop_deprecated => true);
SELECT relname FROM pg_class WHERE relnamespace = 'report_report_rows'::regnamespace AND relname LIKE 'cases%' ORDER BY 1;
SELECT qehs.tenant_suspend('report_rows') IS NOT NULL AND qehs.tenant_remove('report_rows') IS NOT NULL AS removed;
DROP OWNED BY rows_reader;
DROP ROLE rows_reader;
