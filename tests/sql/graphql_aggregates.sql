-- The key of a group has values as records show them and filters take them; what is no one value is not grouped by; faults name the argument.
-- codes have the year in them
SET qehs.clock = '2026-06-01T12:00:00Z';
\set VERBOSITY terse
\set tenant gqla
\set ECHO none
\o /dev/null
\i sql/include/graphql.psql
SELECT qehs.module_publish('visits', '{"key":"visits","name":"Visits","displayCode":{"prefix":"VIS"},"fields":[{"key":"day","type":"date"},{"key":"at","type":"datetime"},{"key":"clock","type":"time"},
  {"key":"span","type":"duration"},{"key":"done","type":"boolean"},{"key":"kinds","type":"multi-select","options":["a","b"]},{"key":"fee","type":"currency"},{"key":"guest","type":"user"},
  {"key":"about","type":"record-reference"},{"key":"place","type":"geolocation"},{"key":"weeks","type":"date-range"},{"key":"rows","type":"table","fields":[{"key":"x","type":"text"}]}],
 "workflow":{"states":["open"],"initial":"open"},"permissions":{"roles":{"tenant-user":["read","create"]}}}');
SELECT qehs.use_tenant('gqla', 'ann');
SELECT qehs.record_create('visits', jsonb_build_object('day', '2026-03-29', 'at', '2026-03-29T10:00:00+02:00', 'clock', '09:30', 'span', 'PT60M', 'done', true, 'kinds', '["b","a"]'::jsonb,
  'fee', '{"amount":"1.10","currency":"EUR"}'::jsonb, 'guest', :'ann', 'about', :'slip'));
SELECT qehs.record_create('visits', jsonb_build_object('day', '2026-03-29', 'at', '2026-03-29T08:00:00Z', 'clock', '09:30:00', 'span', 'PT1H', 'done', false, 'kinds', '["a"]'::jsonb));
\o
\set ECHO all
SELECT pg_catalog.regexp_replace(qehs.graphql(pg_catalog.format('{ visitsAggregate(groupBy: ["%s"]) { key count } }', field))::jsonb #>> '{data,visitsAggregate}', '(rec|usr)_[0-9A-Z]{26}', '\1_…', 'g') AS groups
FROM unnest('{day,at,clock,span,done,kinds,fee,fee.currency,guest,about,workflowState,createdAt,createdBy,displayCode,id,version}'::text[]) AS field;
-- a key is a value to filter by
SELECT qehs.graphql('query ($by: JSON) { visits(filter: $by) { totalCount } }', jsonb_build_object('by', jsonb_build_object(field, qehs.graphql(pg_catalog.format('{ visitsAggregate(groupBy: ["%s"], filter: {done: true}) { key } }', field))::jsonb
 #> '{data,visitsAggregate,0,key}' -> field))) #>> '{data,visits,totalCount}' AS found FROM unnest('{day,at,clock,span,done,guest,createdAt,createdBy,displayCode,id,version}'::text[]) AS field;
SELECT qehs.graphql('{ visitsAggregate(groupBy: ["place"]) { key } }');
SELECT qehs.graphql('{ visitsAggregate(groupBy: ["weeks", "rows"]) { key } }');
-- faults have the argument's name
SELECT qehs.graphql('{ visitsList(orderBy: "nope") { id } }');
SELECT qehs.graphql('{ records(moduleKey: "visits", sort: "nope") { nextCursor } }');
SELECT qehs.graphql('{ visits(first: 1, after: "nope") { totalCount } }');
SELECT qehs.graphql('{ visits(last: 1, before: "nope") { totalCount } }');
SELECT qehs.use_tenant('gqla') \g /dev/null
SELECT qehs.graphql('mutation ($id: ID!) { incidentsUpdate(id: $id, payload: {}, ifVersion: 0) { version } }', jsonb_build_object('id', :'slip'));
