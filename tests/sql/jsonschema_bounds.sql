-- Schemas and documents that would take time or memory by the product of their sizes: memory stays in bounds, and what
-- is too much ends with an error that says which limit it met.
\set VERBOSITY terse
CREATE FUNCTION outcome(schema jsonb, instance jsonb, assert_formats boolean DEFAULT false) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	detail text;
BEGIN
	RETURN qehs.jsonschema_is_valid(schema, instance, assert_formats);
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN SQLSTATE || ' ' || regexp_replace(CASE detail WHEN '' THEN SQLERRM ELSE detail END, '(/items){9,}', '/items...');
END
$$;
CREATE FUNCTION nested(depth int4, head text, core text, tail text) RETURNS jsonb LANGUAGE sql AS
$$ SELECT (repeat(head, depth) || core || repeat(tail, depth))::jsonb $$;
-- the most memory that this session ever held
CREATE FUNCTION peak_is_below(megabytes int4) RETURNS boolean LANGUAGE sql AS
$$ SELECT substring(pg_read_file('/proc/self/status') FROM 'VmHWM:\s+(\d+)')::int4 < megabytes * 1024 $$;

-- schemas within each other, with short keys and long ones
\c
SELECT outcome(nested(4095, '{"items":', '{}', '}'), '[[[1]]]') AS within, outcome(nested(10000, '{"items":', '{}', '}'), '[[[1]]]') AS beyond,
	(SELECT string_agg(message, '; ') FROM qehs.jsonschema_check(nested(10000, '{"not":', '{}', '}'))) AS checked;
SELECT outcome(nested(4000, '{"properties":{"' || repeat('k', 1000) || '":', '{}', '}}'), '{}') AS long_keys;
-- places are as long as keys and depth make them: errors stop where a megabyte of text is full
SELECT count(*) < 60 AS few, max(length(instance_location)) AS longest FROM qehs.jsonschema_errors('{"additionalProperties":{"$ref":"#"},"required":["x"]}',
	nested(1000, '{"' || repeat('k', 1000) || '":', '{}', '}'));
SELECT peak_is_below(200) AS bounded;

-- references in a row, and to many names
\c
SELECT outcome(jsonb_build_object('$ref', '#/$defs/d1', '$defs', jsonb_object_agg('d' || i,
	CASE WHEN i = 500 THEN '{"type":"string"}' ELSE jsonb_build_object('$ref', '#/$defs/d' || (i + 1)) END)), '1') AS row_of_500 FROM generate_series(1, 500) AS i;
SELECT outcome(jsonb_build_object('$ref', '#d1', '$defs', jsonb_object_agg('d' || i, jsonb_build_object('$anchor', 'd' || i, '$ref', '#d' || (i % 10000 + 1)))), '1')
	AS circle_of_10000 FROM generate_series(1, 10000) AS i;
SELECT outcome(jsonb_build_object('allOf', jsonb_agg(jsonb_build_object('$ref', '#d' || i)), '$defs', jsonb_object_agg('d' || i, jsonb_build_object('$anchor', 'd' || i))), '1')
	AS anchors FROM generate_series(1, 40000) AS i;
SELECT outcome(jsonb_build_object('allOf', jsonb_agg(jsonb_build_object('$dynamicRef', '#d' || i)), '$defs', jsonb_object_agg('d' || i, jsonb_build_object('$dynamicAnchor', 'd' || i))), '1')
	AS dynamic_anchors FROM generate_series(1, 30000) AS i;
SELECT outcome(jsonb_build_object('$defs', jsonb_object_agg('d' || i, '{"type":"string"}'::jsonb)), '1') AS definitions FROM generate_series(1, 100000) AS i;
SELECT outcome(jsonb_build_object('allOf', jsonb_agg('{}'::jsonb)), '1') AS subschemas, outcome(jsonb_build_object('allOf', jsonb_agg(true)), '1') AS booleans
FROM generate_series(1, 200001) AS i;
SELECT outcome(jsonb_build_object('$defs', jsonb_object_agg('d' || i, jsonb_build_object('$id', 'https://example.com/' || i))), '1') AS resources FROM generate_series(1, 1001) AS i;
SELECT outcome(nested(900, '{"$id":"' || repeat('x', 100) || '/","items":', '{}', '}'), '[[[1]]]') AS uris;
SELECT count(*) AS faults, max(length(message)) AS longest FROM (SELECT jsonb_build_object('allOf', jsonb_agg(jsonb_build_object('$ref', 'https://example.com/' || repeat('x', 1000) || i)))
	AS schema FROM generate_series(1, 20000) AS i) AS made, qehs.jsonschema_check(schema);
SELECT peak_is_below(500) AS bounded;

-- patterns: each is small, compiled all together are not; what one takes is counted
\c
SELECT regexp_replace(outcome(jsonb_build_object('patternProperties', jsonb_object_agg('(a{1,1000}){1,50}b' || i, true)), '{}'), 'b\d+', 'b') AS outcome FROM generate_series(1, 20000) AS i;
SELECT outcome((SELECT jsonb_build_object('patternProperties', jsonb_object_agg('^(a+)+' || i || '$', true)) FROM generate_series(1, 500) AS i),
	(SELECT jsonb_object_agg(repeat('a', 15) || i, 1) FROM generate_series(1, 10000) AS i)) AS patterns_by_keys;
SELECT outcome('{"items":{"anyOf":[{"pattern":"^(a+)+$"},true]}}', (SELECT jsonb_agg(repeat('a', 18) || '!' || i) FROM generate_series(1, 20000) AS i)) AS strings;
SELECT outcome('{"items":{"format":"regex"}}', (SELECT jsonb_agg('(a{1,1000}){1,50}'::text) FROM generate_series(1, 50000) AS i), true) AS formats;
SELECT peak_is_below(150) AS bounded;

-- tables of a schema by values of a document
\c
CREATE TEMP TABLE list AS SELECT jsonb_agg(i) AS numbers, jsonb_agg(-i) AS others, jsonb_agg(jsonb_build_array(i)) AS arrays, jsonb_agg(jsonb_build_array(-i)) AS other_arrays,
	jsonb_agg('{"a":1}'::jsonb) AS objects, jsonb_agg('k' || i) AS names, jsonb_object_agg('k' || i, true) AS members FROM generate_series(1, 50000) AS i;
SELECT outcome(jsonb_build_object('items', jsonb_build_object('not', jsonb_build_object('enum', numbers))), others) AS numbers,
	outcome(jsonb_build_object('items', jsonb_build_object('not', jsonb_build_object('enum', arrays))), other_arrays) AS arrays,
	outcome(jsonb_build_object('items', jsonb_build_object('enum', arrays)), arrays) AS same,
	outcome('{"uniqueItems":true}', arrays || other_arrays || '[null,true,false,[],{},"1"]') AS distinct_items,
	outcome('{"uniqueItems":true}', arrays || other_arrays || '[[1.0]]') AS twins FROM list;
SELECT outcome(jsonb_build_object('items', jsonb_build_object('dependentRequired', jsonb_build_object('a', names))), objects) AS dependent,
	outcome(jsonb_build_object('items', jsonb_build_object('anyOf', jsonb_build_array(jsonb_build_object('required', names), true))), objects) AS required,
	(SELECT count(*) FROM qehs.jsonschema_errors(jsonb_build_object('items', jsonb_build_object('required', names)), objects)) AS required_errors,
	outcome(jsonb_build_object('items', jsonb_build_object('properties', members)), objects) AS properties FROM list;
-- every one of many values has a violation that nobody reads
SELECT outcome('{"items":{"anyOf":[{"type":["null","boolean"]},{"minimum":100000},{"enum":[1,2]},{"maximum":100000}]}}', numbers) AS quiet FROM list;
-- circles in which every step doubles
SELECT outcome('{"anyOf":[{"$ref":"#/$defs/a"},{"type":"integer"}],"$defs":{"a":{"allOf":[{"$ref":"#/$defs/b"},{"$ref":"#/$defs/b"},{"type":"null"}]},
	"b":{"oneOf":[{"items":{"$ref":"#"}},{"contains":{"$ref":"#"}},{"type":"string"}]}}}', nested(60, '[1,', '1', ']')) AS doubling;
-- multiples of numbers as long as numeric goes
SELECT outcome(('{"items":{"multipleOf":' || repeat('7', 60000) || '}}')::jsonb, ('[' || repeat(repeat('9', 120000) || ',', 5) || '7]')::jsonb) AS multiples;
SELECT peak_is_below(250) AS bounded;

-- what was looked at is kept for each branch on the way
\c
SELECT outcome(nested(1000, '{"anyOf":[', '{"items":true}', ']}') || '{"unevaluatedItems":false}', jsonb_agg(NULL::int4)) AS evaluated FROM generate_series(1, 1000000);
SELECT outcome('{"uniqueItems":true}', jsonb_agg(NULL::int4)) AS nulls FROM generate_series(1, 1000000);
-- the session keeps many schemas, but not many large ones
SELECT count(*) FROM generate_series(1, 20) AS n, LATERAL (SELECT jsonb_build_object('title', n, 'properties', jsonb_object_agg('k' || i, '{"type":"string"}'::jsonb)) AS schema
	FROM generate_series(1, 20000) AS i WHERE n > 0) AS made WHERE qehs.jsonschema_is_valid(schema, '{}');
SELECT sum(total_bytes) < 64 * 1024 * 1024 AS kept FROM pg_backend_memory_contexts WHERE name LIKE 'qehs schema%';
SELECT peak_is_below(300) AS bounded;
