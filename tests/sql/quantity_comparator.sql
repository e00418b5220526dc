-- A quantity with comparators: below the limit of detection, above the range.
\set VERBOSITY default
\set SHOW_CONTEXT never
\set ECHO none
\o /dev/null
SELECT qehs.tenant_create('compared', 'A tenant');
SELECT qehs.use_tenant('compared');
\o
\set ECHO all
SELECT qehs.module_publish('samples', '{"key":"samples","name":"Samples","displayCode":{"prefix":"SMP"},"fields":[{"key":"a","type":"quantity","comparators":[]},{"key":"b","type":"quantity","comparators":["<","~","<"]},
	{"key":"c","type":"number","comparators":["<"]},{"key":"d","type":"quantity","comparators":"<"}],"workflow":{"states":["open"],"initial":"open","transitions":{}}}');
SELECT qehs.module_publish('samples', '{"key":"samples","name":"Samples","displayCode":{"prefix":"SMP"},"fields":[{"key":"lead","type":"quantity","unit":"ug/L","comparators":["<",">"],"min":0,"indexed":true},{"key":"any","type":"quantity","comparators":["<","<=",">=",">"]},
	{"key":"plain","type":"quantity"}],"workflow":{"states":["open"],"initial":"open","transitions":{}}}')::jsonb -> 'jsonSchema' -> 'properties' -> 'lead' AS lead;
SELECT qehs.record_create('samples', '{"lead":{"value":0.5,"unit":"ug/L","comparator":"<"}}')::jsonb -> 'payload' AS payload;
SELECT qehs.record_create('samples', '{"lead":{"value":1,"unit":"ug/L","comparator":"<="},"plain":{"value":1,"unit":"x","comparator":"<"}}');
SELECT line::jsonb - 'id' AS line FROM qehs.bulk_load_csv('samples', E'lead,any.comparator,any.value,any.unit\n<0.7,,,\n> 12 ug/L,<=,3,mg\n0.6,,2,mg\n<=1,,,\n<,,,\n') AS line;
SELECT item -> 'payload' AS payload FROM jsonb_array_elements(qehs.record_list('samples', '{"lead":{"gt":0.5}}', sort => '-lead')::jsonb -> 'items') AS item;
-- the comparator is asked for as a member, and has a column in reports
SELECT item -> 'payload' -> 'lead' AS lead FROM jsonb_array_elements(qehs.record_list('samples', '{"lead.comparator":"<"}', sort => 'lead')::jsonb -> 'items') AS item;
SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = 'report_compared' AND table_name = 'samples' AND column_name ~ 'lead|plain' ORDER BY ordinal_position;
SELECT qehs.report_publish('compared') \g /dev/null
SELECT lead, lead_unit, lead_comparator, plain FROM report_compared.samples ORDER BY lead;
-- and in GraphQL
SELECT qehs.graphql('{ samplesList(orderBy: "lead", limit: 2) { lead { value unit comparator } } }') -> 'data' AS data;
