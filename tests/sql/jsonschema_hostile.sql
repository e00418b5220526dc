-- Hostile schemas and documents: each ends with an answer or a clear error, and a cancel is heard.
\set VERBOSITY terse
-- What a statement gives, or its error; where the stack ends depends on the server, so that is named by its SQLSTATE alone.
CREATE FUNCTION pg_temp.outcome(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	answer text;
	detail text;
BEGIN
	EXECUTE statement INTO answer;
	RETURN answer;
EXCEPTION WHEN statement_too_complex THEN
	RETURN 'too deep';
WHEN OTHERS OR query_canceled THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN SQLSTATE || ' ' || left(CASE detail WHEN '' THEN SQLERRM ELSE detail END, 150);
END
$$;
CREATE FUNCTION pg_temp.nested(depth int4, head text, core text, tail text) RETURNS text LANGUAGE sql AS
$$ SELECT repeat(head, depth) || core || repeat(tail, depth) $$;

-- depth of 10,000: in the document, in the schema, in both, in what is compared; no case is listed, all end well
SELECT shape, outcome FROM (VALUES
	('document', $$SELECT qehs.jsonschema_is_valid('{"items":{"$ref":"#"}}', pg_temp.nested(10000, '[', '', ']')::jsonb)$$),
	('objects', $$SELECT qehs.jsonschema_is_valid('{"additionalProperties":{"$ref":"#"}}', pg_temp.nested(10000, '{"a":', '1', '}')::jsonb)$$),
	('errors', $$SELECT count(*) FROM qehs.jsonschema_errors('{"items":{"$ref":"#"},"type":"string"}', pg_temp.nested(10000, '[', '', ']')::jsonb)$$),
	('schema', $$SELECT qehs.jsonschema_is_valid(pg_temp.nested(10000, '{"items":', '{}', '}')::jsonb, '[[[1]]]')$$),
	('check', $$SELECT count(*) FROM qehs.jsonschema_check(pg_temp.nested(10000, '{"not":', '{}', '}')::jsonb)$$),
	('not', $$SELECT qehs.jsonschema_is_valid(pg_temp.nested(10000, '{"not":', '{}', '}')::jsonb, '1')$$),
	('const', $$SELECT qehs.jsonschema_is_valid(('{"const":' || pg_temp.nested(10000, '[', '', ']') || '}')::jsonb, pg_temp.nested(10000, '[', '1', ']')::jsonb)$$),
	('unique', $$SELECT qehs.jsonschema_is_valid('{"uniqueItems":true}', jsonb_build_array(pg_temp.nested(9999, '[', '', ']')::jsonb, pg_temp.nested(9999, '[', '1', ']')::jsonb))$$)
) AS cases (shape, statement), LATERAL (SELECT pg_temp.outcome(statement) AS outcome OFFSET 0) AS run
WHERE outcome NOT IN ('too deep', 'true', 'false', '0', '1') AND outcome NOT LIKE '%nested too deeply%' AND outcome NOT LIKE '%nested deeper than 4096 subschemas.';

-- 100,000 members and more: of documents, of schemas, of lists
SELECT count(*) AS members, jsonb_object_agg('k' || i, i) AS wide, jsonb_object_agg('k' || i, '{"type":"integer"}'::jsonb) AS properties, jsonb_agg('k' || i) AS names
FROM generate_series(1, 100000) AS i \gset
SELECT :members AS members, qehs.jsonschema_is_valid(jsonb_build_object('properties', :'properties'::jsonb, 'additionalProperties', false), :'wide') AS properties,
	qehs.jsonschema_is_valid(jsonb_build_object('required', :'names'::jsonb), :'wide') AS required,
	qehs.jsonschema_is_valid(jsonb_build_object('enum', :'names'::jsonb), '"k100001"') AS enum,
	qehs.jsonschema_is_valid('{"patternProperties":{"^k[0-9]+$":{"type":"integer"}},"unevaluatedProperties":false}', :'wide') AS patterns,
	qehs.jsonschema_is_valid('{"propertyNames":{"maxLength":6},"uniqueItems":true}', :'wide') AS names;
SELECT count(*) AS errors FROM qehs.jsonschema_errors('{"additionalProperties":{"type":"string"}}', :'wide');
SELECT pg_temp.outcome($$SELECT qehs.jsonschema_is_valid((SELECT jsonb_build_object('allOf', jsonb_agg('{}'::jsonb)) FROM generate_series(1, 200001)), '1')$$);
SELECT pg_temp.outcome($$SELECT qehs.jsonschema_is_valid((SELECT jsonb_build_object('$defs', jsonb_object_agg('d' || i, jsonb_build_object('$id', 'https://example.com/' || i)))
	FROM generate_series(1, 1001) AS i), '1')$$);

-- patterns that backtrack without end, and those that are too large
SELECT pattern, pg_temp.outcome(format('SELECT qehs.jsonschema_is_valid(%L, %L)', jsonb_build_object('pattern', pattern), to_jsonb(repeat(letters, 40) || '!'))) AS outcome
FROM (VALUES ('^(a+)+$', 'a'), ('^(a|aa)+$', 'a'), ('^(a|a?)+$', 'a'), ('(.*)*x(.*)*y(.*)*z', 'x'), ('^(\w+\s?)*$', 'ab'), ('(a*)*b(a*)*c\1\2', 'a')) AS patterns (pattern, letters);
SELECT name, pg_temp.outcome(format('SELECT qehs.jsonschema_is_valid(%L, ''"a"'')', jsonb_build_object('pattern', pattern))) AS outcome
FROM (VALUES ('repeats', '((((a{1,1000}){1,1000}){1,1000}){1,1000})'), ('parentheses', repeat('(', 10000) || 'a' || repeat(')', 10000)),
	('count', 'a{99999999999999999999}'), ('class', '[' || repeat('a-z', 30000) || ']'), ('length', repeat('a?', 200000))) AS patterns (name, pattern);
SELECT pg_temp.outcome($$SELECT qehs.jsonschema_is_valid('{"patternProperties":{"^(a+)+$":true}}', jsonb_build_object(repeat('a', 60) || '!', 1))$$) AS names;

-- references in circles
SELECT pg_temp.outcome(format('SELECT qehs.jsonschema_is_valid(%L, ''[[1]]'')', schema)) AS outcome
FROM (VALUES ('{"$ref":"#"}'), ('{"$dynamicAnchor":"n","$dynamicRef":"#n"}'), ('{"$defs":{"a":{"$ref":"#/$defs/b"},"b":{"$ref":"#/$defs/a"}},"$ref":"#/$defs/a"}'),
	('{"not":{"$ref":"#"}}'), ('{"if":{"$ref":"#"},"then":true}'), ('{"anyOf":[{"$ref":"#"},{"$ref":"#"}]}'), ('{"unevaluatedItems":{"$ref":"#"}}'),
	('{"items":{"anyOf":[{"$ref":"#"},{"$ref":"#"}]}}'), ('{"$ref":"https://example.com/nowhere"}'), ('{"$ref":"file:///etc/passwd"}')) AS circles (schema);

-- numbers of 1,000 digits, and those that are as great as numeric goes
SELECT keyword, digits, pg_temp.outcome(format('SELECT qehs.jsonschema_is_valid(%L, %L)', format('{"%s":%s}', keyword, bound), repeat('9', digits))) AS outcome
FROM (VALUES ('multipleOf', '9'), ('multipleOf', '0.' || repeat('0', 999) || '3'), ('minimum', repeat('9', 1000)), ('maximum', repeat('9', 999)), ('exclusiveMaximum', repeat('9', 1000)),
	('const', repeat('9', 1000)), ('multipleOf', '1e-1000')) AS bounds (keyword, bound), unnest('{1000,100000}'::int4[]) AS digits;
SELECT keyword, pg_temp.outcome(format('SELECT qehs.jsonschema_is_valid(%L, ''"x"'')', format('{"%s":%s}', keyword, repeat('9', 1000)))) AS outcome
FROM unnest('{maxLength,minLength,maxItems,minProperties,maxContains}'::text[]) AS keyword;

-- a cancel is heard within one document: each of its strings takes a while, all of them a very long one
CREATE TEMP TABLE slow AS SELECT jsonb_agg(repeat('a', 15) || '!') AS document FROM generate_series(1, 300000);
SET statement_timeout = '200ms';
SELECT pg_temp.outcome($$SELECT qehs.jsonschema_is_valid('{"items":{"anyOf":[{"pattern":"^(a+)+$"},true]}}', document) FROM slow$$) AS is_valid;
SELECT pg_temp.outcome($$SELECT count(*) FROM qehs.jsonschema_errors('{"items":{"anyOf":[{"pattern":"^(a+)+$"},true]}}', (SELECT document FROM slow))$$) AS errors;
RESET statement_timeout;
-- the session goes on
SELECT qehs.jsonschema_is_valid('{"type":"integer"}', '1');
