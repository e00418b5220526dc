-- An integer of any size is told: Int where its bounds keep it to 32 bits, else BigInt, which is text where a double loses digits.
\set VERBOSITY terse
\set tenant gqlint
\set ECHO none
\o /dev/null
\i sql/include/graphql.psql
\o
\set ECHO all
SELECT qehs.module_publish('counts', '{"key":"counts","name":"Counts","displayCode":{"prefix":"CNT"},
 "fields":[{"key":"free","type":"integer"},{"key":"low","type":"integer","min":0},{"key":"both","type":"integer","min":-2147483648,"max":2147483647},
  {"key":"wide","type":"integer","min":0,"max":2147483648},{"key":"rows","type":"table","fields":[{"key":"n","type":"integer"},{"key":"small","type":"integer","min":1,"max":5}]}],
 "workflow":{"states":["open"],"initial":"open","transitions":{}},"permissions":{"roles":{"tenant-user":["read","create"]}}}')::jsonb -> 'definitionVersion' AS version;
SELECT f ->> 'name' AS field, f #>> '{type,name}' AS type
 FROM jsonb_array_elements(qehs.graphql('{ __type(name: "Count") { fields { name type { name } } } }')::jsonb #> '{data,__type,fields}') AS f
 WHERE f ->> 'name' IN ('free', 'low', 'both', 'wide') ORDER BY 1;
SELECT qehs.graphql('{ __type(name: "CountRows") { fields { name type { name } } } big: __type(name: "BigInt") { kind } }');
SELECT 1 AS made FROM (SELECT qehs.record_create('counts', p::jsonb) FROM unnest(ARRAY[
 '{"free":3000000000,"low":9007199254740991,"both":2147483647,"wide":2147483648,"rows":[{"n":-9007199254740992,"small":5}]}',
 '{"free":-3,"low":123456789012345678901234567890,"both":-2147483648,"wide":0,"rows":[{"n":7,"small":1}]}']) AS p) AS m;
SELECT qehs.graphql('{ countsList(orderBy: "free") { free low both wide rows { n small } } }');
-- a variable of it in a filter
SELECT qehs.graphql('query ($n: BigInt!) { countsList(filter: {low: {gte: $n}}) { low } }', '{"n":9007199254740992}');
-- what an Int cannot hold, as of a definition before, is null with an error
UPDATE qehs.record SET payload = payload || '{"both":3000000000}' WHERE payload ->> 'free' = '-3';
SELECT qehs.graphql('{ countsList(filter: {free: -3}) { both payload } }');
