-- Whatever stands in whatever place of a definition: publishing gives a fault or a module that works, never an error of another kind.
\set tenant definition_mutants
\set ECHO none
\o /dev/null
SELECT qehs.tenant_create('definition_mutants', 'A tenant');
SELECT qehs.use_tenant('definition_mutants');
CREATE TEMP TABLE good AS SELECT '{"key":"mutant","name":"Mutant","description":"x","displayCode":{"prefix":"MUT"},"requireIfMatch":false,
 "fields":[{"key":"title","label":{"en":"Title","de":"Titel"},"type":"text","required":true,"maxLength":50,"minLength":1,"pattern":"^[a-z]","default":"a","description":"x","schema":{"not":{"const":"b"}},"searchable":true,"indexed":true},
  {"key":"kind","type":"select","options":["a",{"value":"b","label":{"en":"B"}}],"visibleWhen":"$.title == \"a\"","unique":true},
  {"key":"amount","type":"quantity","units":["kg",{"value":"g"}],"min":0,"max":10,"step":1,"requiredWhen":"$.kind == \"a\""},
  {"key":"cost","type":"currency","default":{"amount":1,"currency":"EUR"},"deprecated":false},
  {"key":"risk","type":"matrix-score","size":2,"bands":[{"name":"low","max":2},{"name":"high","max":4}]},
  {"key":"boss","type":"user"},{"key":"twin","type":"record-reference","references":"mutant"},
  {"key":"rows","type":"table","fields":[{"key":"x","type":"number","unit":"m"},{"key":"y","type":"computed","computed":"$.x + 1"}]},
  {"key":"sum","type":"computed","expression":"$.amount.value * 2"}],
 "workflow":{"states":["open","done"],"initial":"open","transitions":{"finish":{"from":["open"],"to":"done","label":{"en":"Finish"},"requires":["title"],"roles":["boss","@boss"],
  "when":"$.title != \"x\"","commentRequired":false,"description":"x"},"reopen":{"from":"*","to":"open","roles":"boss"}}},
 "permissions":{"roles":{"tenant-user":["read","create"]},"fields":{"cost":{"read":["boss"],"write":["boss"]}}},
 "migrate":{"rename":{"old":"title"},"drop":["gone"],"default":{"title":"a"},"states":{"old":"open"}}}'::jsonb AS definition;
CREATE TEMP TABLE places AS WITH RECURSIVE walk AS (
	SELECT ARRAY[]::text[] AS path, definition AS value FROM good
	UNION ALL SELECT path || step.key, step.value FROM walk, LATERAL (
		SELECT key, value FROM jsonb_each(CASE jsonb_typeof(walk.value) WHEN 'object' THEN walk.value ELSE '{}' END)
		UNION ALL SELECT (number - 1)::text, value FROM jsonb_array_elements(CASE jsonb_typeof(walk.value) WHEN 'array' THEN walk.value ELSE '[]' END) WITH ORDINALITY AS e (value, number)) AS step)
SELECT path, value FROM walk WHERE cardinality(path) > 0;
CREATE FUNCTION pg_temp.outcome(definition jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	key text := 'm' || substr(md5(definition::text), 1, 20);
	made jsonb;
BEGIN
	PERFORM qehs.module_publish(key, CASE WHEN definition ->> 'key' = 'mutant' THEN jsonb_set(definition, '{key}', to_jsonb(key)) ELSE definition END);
	BEGIN
		made := qehs.record_create(key, '{"title":"ab","rows":[{"x":1}]}');
		PERFORM qehs.record_get(made ->> 'id');
		PERFORM qehs.record_transition(made ->> 'id', 'finish', comment => 'x');
		PERFORM qehs.record_list(key, '{"title":"ab"}', q => 'ab', sort => 'title');
		PERFORM qehs.module_get(key, accept_language => 'de');
	EXCEPTION WHEN OTHERS THEN
		IF SQLSTATE NOT LIKE 'QH4%' THEN
			RETURN format('used: %s %s', SQLSTATE, SQLERRM);
		END IF;
	END;
	RETURN 'published';
EXCEPTION WHEN OTHERS THEN
	RETURN CASE WHEN SQLSTATE = 'QH400' THEN 'refused' ELSE format('%s %s', SQLSTATE, SQLERRM) END;
END;
$$;
\o
\set ECHO all
SELECT pg_temp.outcome(jsonb_set(definition, '{fields,6}', '{"key":"twin","type":"record-reference"}')) AS as_it_is FROM good;
SELECT count(*) > 100 AS places FROM places;
-- each place with another value, and without its value
SELECT m.path, m.junk, o.outcome FROM (SELECT path, junk, CASE WHEN junk IS NULL THEN definition #- path ELSE jsonb_set(definition, path, junk) END AS definition
	FROM (SELECT jsonb_set(definition, '{fields,6}', '{"key":"twin","type":"record-reference"}') AS definition FROM good) AS g, places,
	unnest(ARRAY[NULL, 'null', '5', '-1.5', '1e400', 'true', '""', '"x"', '"*"', '[]', '[5]', '[null,{}]', '{}', '{"x":1}', '{"value":[]}', '[[[]]]']::jsonb[]) AS junk
	WHERE definition #> path IS NOT NULL) AS m, LATERAL pg_temp.outcome(m.definition) AS o (outcome)
WHERE o.outcome NOT IN ('refused', 'published') ORDER BY 1, 2;
-- values that other places have
SELECT m.path, m.junk, o.outcome FROM (SELECT a.path, b.value AS junk, jsonb_set(definition, a.path, b.value) AS definition
	FROM (SELECT jsonb_set(definition, '{fields,6}', '{"key":"twin","type":"record-reference"}') AS definition FROM good) AS g, places AS a, places AS b
	WHERE definition #> a.path IS NOT NULL AND hashtext(a.path::text || b.path::text) % 20 = 0) AS m, LATERAL pg_temp.outcome(m.definition) AS o (outcome)
WHERE o.outcome NOT IN ('refused', 'published') ORDER BY 1, 2;
