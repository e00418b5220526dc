-- tick seals a tenant's events when one of them is a minute old, and what was written meanwhile with it.
\set VERBOSITY terse
\set tenant seal_tick
\set ECHO none
\o /dev/null
\i sql/include/incidents.psql
\o
SET client_min_messages = warning;
\set ECHO all
SELECT qehs.record_create('incidents', '{"title":"t","severity":"low"}') IS NOT NULL AS made FROM generate_series(1, 3);
SELECT qehs.tick() IS NOT NULL AS ran;
SELECT qehs.audit_seals() -> 'items' AS none_yet;
SELECT set_config('qehs.clock', to_char((now() + interval '2 minutes') AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), false) IS NOT NULL AS later;
SELECT qehs.tick() IS NOT NULL AS ran;
SELECT qehs.audit_seals() #> '{items,0,sealNo}' AS seal_no, qehs.audit_seals() #> '{items,0,eventCount}' AS events;
SELECT qehs.tick() IS NOT NULL AS ran;
SELECT json_array_length(qehs.audit_seals() -> 'items') AS seals;
SELECT qehs.audit_verify('seal_tick')::jsonb AS verified;
