-- Every violation of a payload is reported with its pointer, not just the first.
\set tenant record_all_violations
\set ECHO none
\o /dev/null
\i sql/include/incidents.psql
\o
\set ECHO all
SELECT jsonb_pretty(qehs.module_get('incidents')::jsonb -> 'jsonSchema' -> 'properties' -> 'severity') AS severity;
\set VERBOSITY default
SELECT qehs.record_create('incidents', '{"title":"much longer than twenty characters","severity":"grave","cost":-1,
	"on":"2026-02-30","email":"nobody","bogus":1,"risk":{"likelihood":6},"period":{"from":"2026-02-01","to":"2026-01-01"}}');
SELECT qehs.record_create('incidents', '{"severity":"critical"}');
SELECT qehs.record_create('incidents', '[]');
SELECT qehs.record_create(NULL, NULL);
SELECT qehs.record_create('nonsense', '{}');
SELECT qehs.record_create('incidents', '{"title":"x","severity":"low"}', 'nowhere');
