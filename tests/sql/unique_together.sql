-- Fields that are unique together: no two live records have all of them alike, and what lacks one is held against none.
\set VERBOSITY default
\set ECHO none
\set SHOW_CONTEXT never
\o /dev/null
SET qehs.clock = '2026-05-06T10:00:00Z';
SELECT qehs.tenant_create('pairs', 'A tenant');
SELECT qehs.use_tenant('pairs');
CREATE FUNCTION pg_temp.definition(more text DEFAULT '', fields text DEFAULT '') RETURNS jsonb LANGUAGE sql RETURN
	('{"key":"extinguishers","name":"Extinguishers","displayCode":{"prefix":"FX"},"fields":[{"key":"site","type":"text"},{"key":"number","type":"integer"},
	{"key":"kind","type":"select","options":["foam","powder"]},{"key":"note","type":"text"},{"key":"hidden","type":"text"}' || fields || '],
	"workflow":{"states":["open"],"initial":"open","transitions":{}},"permissions":{"roles":{"tenant-user":["read","create","update"],"clerk":["create","update"]},
	"fields":{"hidden":{"read":["tenant-admin"]}}}' || more || '}')::jsonb;
CREATE FUNCTION pg_temp.id_of(code text) RETURNS text LANGUAGE sql RETURN (SELECT i ->> 'id' FROM json_array_elements(qehs.record_list('extinguishers') -> 'items') AS i WHERE i ->> 'displayCode' = code);
CREATE FUNCTION pg_temp.loaded(lines text, dry boolean DEFAULT false, external text DEFAULT 'site,number') RETURNS SETOF jsonb LANGUAGE sql AS $$
	SELECT a.line::jsonb - 'id' FROM string_to_table(qehs.bulk_load('extinguishers', convert_to(lines, 'UTF8'), dry_run => dry, on_conflict => CASE WHEN external <> '' THEN 'update' END,
		external_id => nullif(external, '')), E'\n') AS a (line) WHERE a.line <> '' $$;
SELECT qehs.module_publish('extinguishers', pg_temp.definition(',"unique":[{"fields":["site","number"]}]'));
\o
\set ECHO all
SELECT qehs.record_create('extinguishers', '{"site":"Oulu","number":7,"note":"first"}') ->> 'displayCode' AS code;
SELECT qehs.record_create('extinguishers', '{"site":"Oulu","number":8}') ->> 'displayCode' AS other_number;
SELECT qehs.record_create('extinguishers', '{"site":"Oulu 7","number":7}') ->> 'displayCode' AS other_site;
SELECT qehs.record_create('extinguishers', '{"site":"Oulu ","number":7.0}') ->> 'displayCode';
SELECT qehs.record_create('extinguishers', '{"site":"Oulu"}') ->> 'displayCode' AS lacks_one, qehs.record_create('extinguishers', '{"site":"Oulu","number":null}') ->> 'displayCode' AS lacks_it_too;
SELECT qehs.record_create('extinguishers', '{}') ->> 'displayCode' AS lacks_both, qehs.record_create('extinguishers', '{}') ->> 'displayCode' AS lacks_both_too;
-- a change of either field, or of both
SELECT qehs.record_update(pg_temp.id_of('FX-2026-0002'), '{"number":7}') ->> 'version';
SELECT qehs.record_update(pg_temp.id_of('FX-2026-0002'), '{"number":9,"note":"moved"}') ->> 'version' AS moved;
SELECT qehs.record_create('extinguishers', '{"site":"Oulu","number":8,"note":"in its place"}') ->> 'displayCode' AS free_again;
-- a record that is deleted frees its values, and comes back only while they are free
SELECT qehs.record_delete(pg_temp.id_of('FX-2026-0001')) IS NULL AS deleted;
SELECT qehs.record_create('extinguishers', '{"site":"Oulu","number":7,"note":"heir"}') ->> 'displayCode' AS heir;
SELECT i ->> 'recordId' AS gone FROM json_array_elements(qehs.audit_list(action => 'deleted') -> 'items') AS i \gset
SELECT qehs.record_restore(:'gone') ->> 'displayCode';
-- a load, in which lines stand in each other's way, and one that merges by both fields
SELECT * FROM pg_temp.loaded(E'{"site":"Turku","number":1}\n{"site":"Turku","number":2}\n{"site":"Turku","number":1}\n{"site":"Oulu","number":7}\n{"site":"Turku"}', external => '');
SELECT * FROM pg_temp.loaded(E'{"site":"Turku","number":3}\n{"site":"Turku","number":3}\n{"site":"Oulu","number":8}', dry => true, external => '');
SELECT * FROM pg_temp.loaded(E'{"site":"Turku","number":1,"note":"merged"}\n{"site":"Turku","number":4,"note":"new"}\n{"site":"Turku","number":4,"kind":"foam"}');
SELECT * FROM pg_temp.loaded(E'{"site":"Turku","number":1,"note":"dry"}\n{"site":"Turku","number":5}\n{"site":"Turku","number":5,"kind":"none"}', dry => true);
SELECT i -> 'payload' AS payload FROM json_array_elements(qehs.record_list('extinguishers', '{"site":"Turku"}', sort => 'number,-createdAt') -> 'items') AS i;
SELECT * FROM pg_temp.loaded('{}', external => 'number,site');
SELECT * FROM pg_temp.loaded('{}', external => 'site');
-- who may not read the record is not told which it is
\o /dev/null
SELECT qehs.user_create('carl', 'Carl', roles => '{clerk}');
\o
SELECT qehs.use_tenant('pairs', 'carl');
SELECT qehs.record_create('extinguishers', '{"site":"Oulu","number":7}');
SELECT qehs.use_tenant('pairs');
-- a set that comes later: records may share values, so the rules of migration have to say that they stay
SELECT qehs.module_publish('extinguishers', pg_temp.definition(',"unique":[{"fields":["site","number"]},{"fields":["note","kind"]}]'));
SELECT qehs.record_update(pg_temp.id_of('FX-2026-0002'), '{"kind":"foam","note":"same"}') ->> 'version' AS changed, qehs.record_update(pg_temp.id_of('FX-2026-0003'), '{"kind":"foam","note":"same"}') ->> 'version' AS as_well;
SELECT qehs.module_publish('extinguishers', pg_temp.definition(',"unique":[{"fields":["note","kind"]}],"migrate":{"rename":{"note":"note"}}')) ->> 'definitionVersion' AS version;
SELECT qehs.record_create('extinguishers', '{"kind":"foam","note":"same"}');
SELECT qehs.record_create('extinguishers', '{"site":"Oulu","number":7,"note":"sites are free"}') ->> 'displayCode' AS code;
-- renamed, a field keeps its part
SELECT qehs.module_publish('extinguishers', replace(pg_temp.definition(',"unique":[{"fields":["remark","kind"]}],"migrate":{"rename":{"note":"remark"}}')::text, '"key": "note"', '"key": "remark"')::jsonb) ->> 'definitionVersion' AS version;
SELECT qehs.record_create('extinguishers', '{"kind":"foam","remark":"same"}');
SELECT c -> 'path' AS path, c -> 'kind' AS kind, c -> 'compatible' AS compatible, c ->> 'message' AS message
	FROM json_array_elements(qehs.module_diff('extinguishers', 1, 2) -> 'changes') AS c WHERE c ->> 'path' LIKE '/unique%';
SELECT array_agg(DISTINCT field) AS fields FROM qehs.record_unique WHERE tenant_id = (SELECT id FROM qehs.tenant WHERE slug = 'pairs');
-- what cannot be
SELECT qehs.module_publish('extinguishers', pg_temp.definition(',"unique":[{"fields":["site"]},{"fields":["site","site"]},{"fields":["site","nowhere"]},{"fields":["site","parts"]},"site",
	{"fields":["site","number"]},{"fields":["number","site"]},{"fields":["site","kind"],"name":"x"},{}]', ',{"key":"parts","type":"object"}'));
