-- Every keyword that can be violated says so to people: where, and what it should be; values are shown cut.
SELECT n, errors.* FROM (VALUES
	(1, '{"type":"integer"}', '"x"'), (2, '{"type":["string","null"]}', '1.5'), (3, '{"enum":["low","high",3,null,[1]]}', '"x"'),
	(4, '{"const":{"a":1}}', '2'), (5, '{"minLength":1}', '""'), (6, '{"minLength":3}', '"äb"'), (7, '{"maxLength":1}', '"ab"'),
	(8, '{"pattern":"^[a-z]+$"}', '"A"'), (9, '{"minimum":1.50}', '1'), (10, '{"maximum":10}', '10.01'), (11, '{"exclusiveMinimum":1}', '1'),
	(12, '{"exclusiveMaximum":1}', '1'), (13, '{"multipleOf":0.25}', '0.3'), (14, '{"minItems":1}', '[]'), (15, '{"maxItems":1}', '[1,2]'),
	(16, '{"uniqueItems":true}', '[1,{"a":[]},{"a":[]}]'), (17, '{"contains":{"type":"string"}}', '[1]'), (18, '{"contains":{"type":"string"},"minContains":2}', '["a"]'),
	(19, '{"contains":{"type":"string"},"maxContains":1}', '["a","b"]'), (20, '{"minProperties":2}', '{"a":1}'), (21, '{"maxProperties":1}', '{"a":1,"b":2}'),
	(22, '{"required":["a"]}', '{}'), (23, '{"dependentRequired":{"a":["b","c"]}}', '{"a":1,"c":2}'), (24, '{"dependentSchemas":{"a":{"required":["b"]}}}', '{"a":1}'),
	(25, '{"properties":{"a":{"type":"string"}}}', '{"a":1}'), (26, '{"properties":{"a":false}}', '{"a":1}'), (27, '{"patternProperties":{"^x-":{"type":"string"}}}', '{"x-/~":1}'),
	(28, '{"additionalProperties":false}', '{"a":1}'), (29, '{"additionalProperties":{"type":"string"}}', '{"a":1}'), (30, '{"propertyNames":{"maxLength":1}}', '{"ab":1}'),
	(31, '{"prefixItems":[{"type":"string"}]}', '[1]'), (32, '{"items":{"type":"string"}}', '["a",1]'), (33, '{"prefixItems":[true],"items":false}', '[1,2]'),
	(34, '{"allOf":[{"minimum":2},{"minimum":3}]}', '1'), (35, '{"anyOf":[{"type":"string"},{"minimum":3}]}', '1'), (36, '{"oneOf":[{"type":"string"},{"minimum":3}]}', '1'),
	(37, '{"oneOf":[{"type":"number"},{"minimum":1}]}', '1'), (38, '{"not":{"type":"number"}}', '1'), (39, '{"if":{"minimum":1},"then":{"maximum":2},"else":{"const":0}}', '3'),
	(40, '{"if":{"minimum":1},"then":{"maximum":2},"else":{"const":0}}', '-1'), (41, '{"unevaluatedProperties":false,"properties":{"a":true}}', '{"a":1,"b":2}'),
	(42, '{"unevaluatedItems":false,"prefixItems":[true]}', '[1,2]'), (43, '{"unevaluatedItems":{"type":"string"},"prefixItems":[true]}', '[1,2]'), (44, 'false', '1'),
	(45, '{"$ref":"#/$defs/a","$defs":{"a":{"type":"string"}}}', '1'), (46, '{"$dynamicRef":"#n","$defs":{"a":{"$dynamicAnchor":"n","type":"string"}}}', '1'),
	(47, '{"dependencies":{"a":["b"],"c":{"maxProperties":1}}}', '{"a":1,"c":2}')
) AS pair (n, schema, instance), LATERAL qehs.jsonschema_errors(schema::jsonb, instance::jsonb) AS errors ORDER BY n, instance_location, keyword_location;
-- formats, where they decide
SELECT format, message FROM unnest('{date,time,date-time,duration,email,idn-email,hostname,idn-hostname,ipv4,ipv6,uri,uri-reference,iri,iri-reference,uuid,uri-template,json-pointer,relative-json-pointer,regex}'::text[])
	AS format, LATERAL qehs.jsonschema_errors(jsonb_build_object('format', format), '"\\ {("', true);
SELECT qehs.jsonschema_is_valid('{"format":"color"}', '"no such format"', true) AS unknown_format;
-- long values
SELECT keyword, left(regexp_replace(message, '(.)\1{50,}', '\1…'), 150) AS message, length(message) < 500 AS cut FROM (VALUES
	('{"const":"' || repeat('x', 1000) || '"}', '1'), ('{"enum":["' || repeat('x', 1000) || '","' || repeat('y', 1000) || '",1,2]}', '1.5'), ('{"const":[' || repeat('1,', 1000) || '1]}', '1'),
	('{"pattern":"^' || repeat('x', 1000) || '$"}', '"a"'), ('{"minimum":' || repeat('9', 1000) || '}', '1'), ('{"multipleOf":' || repeat('9', 1000) || '}', '1'),
	('{"dependentRequired":{"' || repeat('k', 1000) || '":["a"]}}', '{"' || repeat('k', 1000) || '":1}'), ('{"const":"' || repeat('ä', 1000) || '"}', '1')
) AS pair (schema, instance), LATERAL qehs.jsonschema_errors(schema::jsonb, instance::jsonb);
-- faults of schemas, each with its place
SELECT n, faults.* FROM (VALUES
	(1, '{"type":"text"}'), (2, '{"type":[]}'), (3, '{"enum":1}'), (4, '{"minLength":-1}'), (5, '{"maxItems":1.5}'), (6, '{"pattern":1}'), (7, '{"pattern":"["}'), (8, '{"format":1}'),
	(9, '{"minimum":"1"}'), (10, '{"multipleOf":0}'), (11, '{"uniqueItems":1}'), (12, '{"items":[{}]}'), (13, '{"allOf":[]}'), (14, '{"anyOf":{}}'), (15, '{"required":[1]}'),
	(16, '{"properties":[]}'), (17, '{"properties":{"a":1}}'), (18, '{"patternProperties":{"(":{}}}'), (19, '{"dependentRequired":{"a":[1]}}'), (20, '{"$ref":1}'), (21, '{"$ref":"#/$defs/none"}'),
	(22, '{"$ref":"#none"}'), (23, '{"$dynamicRef":"#none"}'), (24, '{"$id":1}'), (25, '{"$id":"https://example.com/#x"}'), (26, '{"$anchor":1}'), (27, '{"$anchor":"1 x"}'),
	(28, '{"$schema":"https://example.com/none"}'), (29, '{"not":{"if":3}}'), (30, '{"minContains":"1"}'), (31, '1'), (32, '{"required":["a","a"]}'), (33, '{"$defs":{"a":{"type":1}}}'), (34, '{"title":1}')
) AS made (n, schema), LATERAL qehs.jsonschema_check(schema::jsonb) AS faults ORDER BY n, location;
