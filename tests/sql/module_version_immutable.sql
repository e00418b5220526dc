-- Published versions are immutable, for everybody; records keep theirs.
\set tenant module_version_immutable
\set ECHO none
\o /dev/null
\i sql/include/incidents.psql
SELECT qehs.record_create('incidents', '{"title":"old","severity":"low"}')::jsonb ->> 'id' AS old \gset
SELECT qehs.module_publish('incidents', qehs.module_get('incidents')::jsonb - '{definitionVersion,createdAt,jsonSchema}'::text[]
 || '{"name":"Renamed"}');
SELECT qehs.record_create('incidents', '{"title":"new","severity":"low"}')::jsonb ->> 'id' AS new \gset
\o
\set ECHO all
UPDATE qehs.module_version SET definition = '{}';
DELETE FROM qehs.module_version;
TRUNCATE qehs.module_version;
SET ROLE qehs_owner;
UPDATE qehs.module_version SET slots = '{}' WHERE version = 1;
RESET ROLE;
SELECT version, qehs.module_get('incidents', version) ->> 'name' AS name FROM generate_series(1, 2) AS version;
-- an update does not move a record
SELECT qehs.record_update(:'old', '{"cost":1}') ->> 'definitionVersion' AS updated;
SELECT qehs.record_get(:'old') ->> 'definitionVersion' AS old, qehs.record_get(:'new') ->> 'definitionVersion' AS new;
