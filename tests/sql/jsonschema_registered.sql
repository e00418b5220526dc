-- Registered schemas: in parallel workers, for any role, among each other, and as dialects with vocabularies of their own.
\set VERBOSITY terse
SELECT qehs.jsonschema_register('https://example.com/tree', '{"properties":{"leaves":{"items":{"$ref":"leaf"}}},"additionalProperties":false}');
-- what it refers to may come later
SELECT location, message FROM qehs.jsonschema_check('{"$ref":"https://example.com/tree"}');
SELECT qehs.jsonschema_register('https://example.com/leaf', '{"anyOf":[{"type":"integer"},{"$ref":"tree"}]}');
SELECT location, message FROM qehs.jsonschema_check('{"$ref":"https://example.com/tree"}');
SELECT qehs.jsonschema_is_valid('{"$ref":"https://example.com/tree"}', '{"leaves":[1,{"leaves":[]}]}') AS valid;
SELECT instance_location, keyword_location, message FROM qehs.jsonschema_errors('{"$ref":"https://example.com/tree"}', '{"leaves":[1,{"leaves":["x"]},{"fruit":1}]}');
-- what is faulty is refused, since it could not be mended
SELECT qehs.jsonschema_register('https://example.com/faulty', '{"properties":{"a":{"type":"text"}}}');
SELECT qehs.jsonschema_register('https://example.com/faulty', '5');
SELECT qehs.jsonschema_register('https://example.com/faulty', (repeat('{"not":', 5000) || '{}' || repeat('}', 5000))::jsonb);

-- parallel workers read them too
CREATE TABLE measured AS SELECT to_jsonb(i) AS size FROM generate_series(1, 1000) AS i;
SET min_parallel_table_scan_size = 0;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET parallel_leader_participation = off;
EXPLAIN (COSTS OFF) SELECT count(*) FROM measured WHERE qehs.jsonschema_is_valid('{"$ref":"https://example.com/leaf"}', size);
SELECT count(*) FROM measured WHERE qehs.jsonschema_is_valid('{"$ref":"https://example.com/leaf"}', size);
SET parallel_leader_participation = on;
SELECT count(*) FROM measured WHERE qehs.jsonschema_is_valid('{"title":"with the leader","$ref":"https://example.com/leaf"}', size);
RESET ALL;
DROP TABLE measured;

-- any role may use them, few may register
CREATE ROLE regress_qehs_reader;
SET ROLE regress_qehs_reader;
SELECT qehs.jsonschema_is_valid('{"$ref":"https://example.com/leaf"}', '1') AS valid;
SELECT qehs.jsonschema_register('https://example.com/mine', 'true');
DELETE FROM qehs.json_schema;
RESET ROLE;
DROP ROLE regress_qehs_reader;

-- a dialect: only the vocabularies that it names count, and its format-assertion asserts; the schema is checked by it
SELECT qehs.jsonschema_register('https://example.com/dialect', '{"$vocabulary":{"https://json-schema.org/draft/2020-12/vocab/core":true,
	"https://json-schema.org/draft/2020-12/vocab/validation":true,"https://json-schema.org/draft/2020-12/vocab/format-assertion":true,"https://example.com/vocab/colour":false},
	"$dynamicAnchor":"meta","allOf":[{"$ref":"https://json-schema.org/draft/2020-12/meta/validation"}],"required":["title"],"properties":{"title":{"type":"string"}}}');
SELECT qehs.jsonschema_is_valid('{"$schema":"https://example.com/dialect","format":"date"}', '"2026-02-30"') AS format,
	qehs.jsonschema_is_valid('{"format":"date"}', '"2026-02-30"') AS other_dialect,
	qehs.jsonschema_is_valid('{"$schema":"https://example.com/dialect","properties":{"a":false},"minProperties":1}', '{"a":1}') AS no_applicators;
SELECT * FROM qehs.jsonschema_check('{"$schema":"https://example.com/dialect","minLength":"x"}');
SELECT * FROM qehs.jsonschema_check('{"$schema":"https://example.com/dialect","title":"t"}');
SELECT qehs.jsonschema_register('https://example.com/demanding', '{"$vocabulary":{"https://json-schema.org/draft/2020-12/vocab/core":true,"https://example.com/vocab/colour":true}}');
SELECT * FROM qehs.jsonschema_check('{"$schema":"https://example.com/demanding"}');
DELETE FROM qehs.json_schema WHERE uri ~ '(tree|leaf|dialect|demanding)$';
