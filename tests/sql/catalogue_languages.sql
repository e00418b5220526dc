-- Every module of the catalogue, each field, column of a table, option, state and transition of it has a label in English and in German.
CREATE TEMP VIEW labels AS SELECT c.key AS module, l.what, l.labelled -> 'label' AS label FROM qehs.module_catalogue AS c CROSS JOIN LATERAL (
	SELECT 'module' AS what, c.definition AS labelled
	UNION ALL SELECT f ->> 'key', f FROM jsonb_path_query(c.definition, 'strict $.**.fields[*]') AS f
	UNION ALL SELECT COALESCE(o ->> 'value', o #>> '{}'), o FROM jsonb_path_query(c.definition, 'strict $.**.options[*]') AS o
	UNION ALL SELECT s, jsonb_build_object('label', c.definition #> ARRAY['workflow', 'stateLabels', s]) FROM jsonb_array_elements_text(c.definition #> '{workflow,states}') AS s
	UNION ALL SELECT t.key, t.value FROM jsonb_each(c.definition #> '{workflow,transitions}') AS t) AS l;
SELECT module, what AS not_in_both FROM labels WHERE (SELECT count(*) FROM jsonb_each_text(CASE jsonb_typeof(label) WHEN 'object' THEN label END) WHERE key IN ('en', 'de') AND value <> '') IS DISTINCT FROM 2;
SELECT count(*) > 500 AS many FROM labels;
-- a German reader has them all in his language, and reports show those of choices and states
SELECT qehs.tenant_create('labelled', 'Labelled') IS NOT NULL AS created;
SELECT qehs.module_install('labelled', 'actions') IS NOT NULL AS installed;
SELECT qehs.use_tenant('labelled');
SELECT jsonb_path_query_array(d, '$.label') AS module, jsonb_path_query_array(d, '$.fields[0 to 3].label') AS fields, jsonb_path_query_array(d, '$.fields[*].options[*].label') AS options,
	d #> '{workflow,stateLabels}' AS states, jsonb_path_query_array(d, '$.workflow.transitions.*.label') AS transitions
FROM CAST(qehs.module_get('actions', accept_language => 'de-DE') AS jsonb) AS d;
SELECT qehs.record_create('actions', '{"title":"Fit a guard"}', accept_language => 'de');
