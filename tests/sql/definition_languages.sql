-- Labels in several languages: Accept-Language chooses, in fields, options, rows, transitions and the schema's titles.
\set tenant definition_languages
\set ECHO none
\o /dev/null
SELECT qehs.tenant_create('definition_languages', 'A tenant');
SELECT qehs.use_tenant('definition_languages');
\o
\set ECHO all
\set VERBOSITY default
SELECT jsonb_path_query_array(qehs.module_publish('spills', '{"key":"spills","name":"Spills","displayCode":{"prefix":"SPL"},
 "fields":[{"key":"title","label":{"de":"Titel","en":"Title","de-AT":"Überschrift"},"type":"text"},
  {"key":"where","label":"Where","type":"text"},
  {"key":"size","label":{"en":"Size","fr":"Taille"},"type":"select","options":["small",{"value":"big","label":{"en":"Big","de":"Groß"}}]},
  {"key":"rows","type":"table","label":{"de":"Zeilen"},"fields":[{"key":"a","type":"text","label":{"en":"A","de":"Ah"}}]},
  {"key":"extra","type":"object","default":{"label":{"xx":"not a label"}}}],
 "workflow":{"states":["open","done"],"initial":"open","transitions":{"end":{"from":"open","to":"done","label":{"en":"End","de":"Beenden"}}}}}')::jsonb,
 '$.jsonSchema.**.title') AS titles;
CREATE FUNCTION pg_temp.labels(accept text) RETURNS text LANGUAGE sql AS $$
	SELECT concat_ws(' ', jsonb_path_query_array(d, '$.fields[*].label'), jsonb_path_query_array(d, '$.fields[*].options[1].label'),
		jsonb_path_query_array(d, '$.fields[*].fields[*].label'), d #> '{workflow,transitions,end,label}', jsonb_path_query_array(d, '$.jsonSchema.**.title'))
	FROM CAST(qehs.module_get('spills', accept_language => accept) AS jsonb) AS d
$$;
SELECT pg_temp.labels('de');
SELECT pg_temp.labels('fr;q=0.5, de-CH;q=0.7, en;q=0.1');
SELECT pg_temp.labels('de-AT, de');
SELECT pg_temp.labels('it, fr-CA;q=0.2');
SELECT pg_temp.labels('de;q=0, EN');
-- without a language that there is, labels are as published; what only looks like a label stays
SELECT pg_temp.labels(accept) = pg_temp.labels(NULL) AS as_published FROM unnest(ARRAY['*', 'it', 'xx', '', ',;q=', 'd']) AS accept;
SELECT qehs.module_get('spills', accept_language => 'de')::jsonb #> '{fields,4,default}' AS not_a_label;
-- messages name the field, in rows too; without a language that there is they do not
SELECT qehs.record_create('spills', '{"title":1,"where":2,"rows":[{"a":1}],"bogus":1}', accept_language => 'de');
SELECT qehs.record_create('spills', '{"title":1,"where":2,"rows":[{"a":1}]}', accept_language => 'it');
SELECT qehs.record_create('spills', '{"title":"x"}')::jsonb ->> 'id' AS id \gset
SELECT qehs.record_update(:'id', '{"size":"huge"}', accept_language => 'fr');
SELECT qehs.record_transition(:'id', 'end', '{"rows":[{}, {"a":false}]}', accept_language => 'en');
SELECT qehs.record_update(:'id', '{"size":"big"}')::jsonb -> 'version' AS version;
SELECT qehs.module_publish('spills', jsonb_set(qehs.module_get('spills')::jsonb - 'definitionVersion' - 'createdAt' - 'jsonSchema', '{fields,2,options}', '["small","huge"]')
	|| '{"migrate":{"rename":{"size":"size"}}}')::jsonb -> 'definitionVersion' AS version;
SELECT qehs.record_migrate(:'id', accept_language => 'fr-CA, en;q=0.5');
-- faults
SELECT qehs.module_publish('bad', '{"key":"bad","name":"Bad","displayCode":{"prefix":"BAD"},
 "fields":[{"key":"a","type":"text","label":1},{"key":"b","type":"text","label":{}},{"key":"c","type":"text","label":{"en":1,"e":"x","en-":"x","12":"x"}},
  {"key":"d","type":"select","options":[{"value":"x","label":[]}]}],
 "workflow":{"states":["open"],"initial":"open","transitions":{"go":{"from":"open","to":"open","label":{"toolonglanguage":"x"}}}}}');
-- the module and states have labels too; a state that there is not has none
SELECT jsonb_build_array(d -> 'name', d -> 'label', d #> '{workflow,stateLabels}', d #> '{workflow,states}') AS labels
FROM CAST(qehs.module_publish('leaks', '{"key":"leaks","name":"Leaks","label":{"en":"Leaks","de":"Lecks"},"displayCode":{"prefix":"LEA"},"fields":[{"key":"a","type":"text"}],
 "workflow":{"states":["open","done"],"initial":"open","stateLabels":{"open":{"en":"Open","de":"Offen"},"done":"Done"},"transitions":{"end":{"from":"open","to":"done"}}}}') AS jsonb) AS p,
 unnest('{NULL,de,fr}'::text[]) AS accept, LATERAL (SELECT qehs.module_get('leaks', accept_language => accept)::jsonb AS d) AS g;
SELECT qehs.module_publish('bad', '{"key":"bad","name":"Bad","label":7,"displayCode":{"prefix":"BAD"},"fields":[{"key":"a","type":"text"}],
 "workflow":{"states":["open"],"initial":"open","stateLabels":{"open":{"english":7},"shut":"Shut"},"transitions":{}}}');
SELECT qehs.module_publish('bad', '{"key":"bad","name":"Bad","displayCode":{"prefix":"BAD"},"fields":[{"key":"a","type":"text"}],"workflow":{"states":["open"],"initial":"open","stateLabels":["Open"],"transitions":{}}}');
