-- A new index is filled from the records by a job: lists and q are right before, while and after, and use it only after.
\set tenant module_refill
\set ECHO none
\o /dev/null
\i sql/include/incidents.psql
SELECT qehs.record_create('incidents', jsonb_build_object('title', 't' || i, 'severity', 'low', 'cost', (i * 7) % 250, 'notes', 'word' || i % 3))
FROM generate_series(1, 250) AS i;
CREATE TEMP TABLE base AS SELECT qehs.module_get('incidents')::jsonb - '{definitionVersion,createdAt,jsonSchema}'::text[] AS definition;
CREATE FUNCTION pg_temp.set_field(d jsonb, key text, member text, value jsonb) RETURNS jsonb LANGUAGE sql AS $$
SELECT jsonb_set(d, '{fields}', (SELECT jsonb_agg(CASE WHEN f ->> 'key' = $2 THEN f || jsonb_build_object($3, $4) ELSE f END ORDER BY n)
	FROM jsonb_array_elements(d -> 'fields') WITH ORDINALITY AS e (f, n))) $$;
CREATE FUNCTION pg_temp.top(sort text) RETURNS text LANGUAGE sql AS $$
SELECT string_agg(coalesce(i -> 'payload' ->> 'cost', '-'), ' ' ORDER BY n) FROM json_array_elements(qehs.record_list('incidents', sort => $1, page_size => 4) -> 'items') WITH ORDINALITY AS e (i, n) $$;
CREATE VIEW pg_temp.state AS SELECT m.version, m.unfilled, m.search_unfilled,
	(SELECT count(*) FROM qehs.record AS r WHERE r.tenant_id = m.tenant_id AND r.module_id = m.id AND (n1 IS NOT NULL OR n2 IS NOT NULL OR n3 IS NOT NULL OR n4 IS NOT NULL)) AS with_number,
	(SELECT count(*) FROM qehs.record AS r WHERE r.tenant_id = m.tenant_id AND r.module_id = m.id AND search IS NOT NULL) AS with_search
FROM qehs.module AS m JOIN qehs.tenant AS t ON t.id = m.tenant_id AND t.slug = 'module_refill';
CREATE VIEW pg_temp.jobs AS SELECT kind, state, done, total, row_count, attempts, worker IS NULL AS free, arguments ->> 'moduleKey' AS module
FROM qehs.job WHERE tenant_id = (SELECT id FROM qehs.tenant WHERE slug = 'module_refill') ORDER BY id;
UPDATE base SET definition = pg_temp.set_field(definition, 'cost', 'indexed', 'false');
SELECT qehs.module_publish('incidents', definition) FROM base;
SELECT qehs.tick(budget => '1 hour');
DELETE FROM qehs.job WHERE tenant_id = (SELECT id FROM qehs.tenant WHERE slug = 'module_refill');
\o
\set ECHO all
SELECT * FROM pg_temp.state;
SELECT pg_temp.top('-cost') AS highest, pg_temp.top('cost') AS lowest;
-- published, and nothing done yet: right all the same; who writes fills its own
UPDATE base SET definition = pg_temp.set_field(definition, 'cost', 'indexed', 'true');
SELECT qehs.module_publish('incidents', definition) ->> 'definitionVersion' AS version FROM base;
SELECT * FROM pg_temp.jobs;
SELECT qehs.record_create('incidents', '{"title":"new","severity":"low","cost":300}') ->> 'version' AS version;
SELECT * FROM pg_temp.state;
SELECT pg_temp.top('-cost') AS highest, pg_temp.top('cost') AS lowest;
-- half done: the same, over a cursor too
SELECT qehs.record_list('incidents', sort => 'cost', page_size => 4) ->> 'nextCursor' AS cursor \gset
SELECT c ->> 'tenant' AS tenant, c ->> 'jobId' AS job FROM qehs.job_claim('{module_refill}', 'w') AS c \gset
SELECT qehs.job_step(:'tenant', :'job', 'w', '0') AS more;
SELECT kind, state, done, total, attempts, free FROM pg_temp.jobs;
SELECT * FROM pg_temp.state;
SELECT pg_temp.top('-cost') AS highest, pg_temp.top('cost') AS lowest;
-- another index meanwhile: the job begins anew, and its worker goes on with that
UPDATE base SET definition = pg_temp.set_field(pg_temp.set_field(definition, 'notes', 'searchable', 'true'), 'severity', 'indexed', 'false');
SELECT qehs.module_publish('incidents', definition) ->> 'definitionVersion' AS version FROM base;
SELECT kind, state, done, total, attempts, free FROM pg_temp.jobs;
SELECT json_array_length(qehs.record_list('incidents', q => 'word1', page_size => 200) -> 'items') AS found;
SELECT qehs.job_step(:'tenant', :'job', 'w', '0') AS more;
SELECT * FROM pg_temp.state;
SELECT qehs.tick(budget => '1 hour') ->> 'more' AS more;
SELECT qehs.job_abandon('w');
SELECT qehs.tick(budget => '1 hour') ->> 'more' AS more;
SELECT * FROM pg_temp.state;
SELECT kind, state, done, total, row_count, free FROM pg_temp.jobs WHERE state = 'succeeded' ORDER BY done;
SELECT pg_temp.top('-cost') AS highest, pg_temp.top('cost') AS lowest;
SELECT string_agg(i -> 'payload' ->> 'cost', ' ' ORDER BY n) AS next_page
FROM json_array_elements(qehs.record_list('incidents', sort => 'cost', page_size => 4, cursor => :'cursor') -> 'items') WITH ORDINALITY AS e (i, n);
SELECT json_array_length(qehs.record_list('incidents', q => 'word1', page_size => 200) -> 'items') AS found;
-- a label changes no index
SELECT qehs.module_publish('incidents', pg_temp.set_field(definition, 'cost', 'label', '"Costs"')) ->> 'definitionVersion' AS version FROM base;
SELECT count(*) AS jobs FROM pg_temp.jobs WHERE state IN ('queued', 'running');
-- it cannot be cancelled, and can be asked for again
SELECT qehs.module_refill('incidents');
SELECT unfilled, search_unfilled FROM pg_temp.state;
SELECT i ->> 'jobId' AS job FROM json_array_elements(qehs.job_list('module_refill', 'queued') -> 'items') AS i \gset
SELECT qehs.job_cancel(:'job');
SELECT qehs.module_refill('nowhere');
SELECT qehs.tick(budget => '1 hour') ->> 'more' AS more;
SELECT * FROM pg_temp.state;
-- a module without records has nothing to fill
SELECT qehs.module_publish('empty', jsonb_set(definition, '{key}', '"empty"')) ->> 'definitionVersion' AS version FROM base;
SELECT qehs.module_publish('empty', pg_temp.set_field(jsonb_set(definition, '{key}', '"empty"'), 'severity', 'indexed', 'true')) ->> 'definitionVersion' AS version FROM base;
SELECT count(*) AS jobs FROM pg_temp.jobs WHERE state IN ('queued', 'running');
