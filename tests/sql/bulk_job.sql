-- A load whose body waits: announced, queued once, loaded by who holds the job, and its object let go.
\set VERBOSITY sqlstate
SELECT qehs.tenant_create('bulk_waits', 'Waits') IS NOT NULL AS created;
SELECT qehs.use_tenant('bulk_waits') IS NOT NULL AS used;
SELECT qehs.module_publish('notes', '{"key":"notes","name":"Notes","displayCode":{"prefix":"N"},"fields":[{"key":"title","type":"text","required":true}],
	"workflow":{"states":["open"],"initial":"open"}}') IS NOT NULL AS published;
SELECT qehs.bulk_announce('notes') ->> 'id' AS id \gset
SELECT tenant, object = :'id' AS announced, not_before > now() + interval '23 hours' AS later FROM qehs.object_removal WHERE tenant = 'bulk_waits';
SELECT job ->> 'kind' AS kind, job ->> 'status' AS status, job ->> 'jobId' = :'id' AS same FROM qehs.bulk_queue('notes', job_id => :'id', size_bytes => 60) AS job;
SELECT count(*) AS announced FROM qehs.object_removal WHERE tenant = 'bulk_waits';
-- what was not announced, or has been queued already
SELECT qehs.bulk_queue('notes', job_id => :'id', size_bytes => 60);
SELECT qehs.bulk_queue('notes', job_id => 'job_01KA5X8ZK5Q3V7N2M4T6W8Y0AB', size_bytes => 60);
SELECT qehs.bulk_announce('nowhere');
SELECT qehs.bulk_announce('notes', mode => 'some');
-- nobody holds it yet
SELECT qehs.bulk_job_load('bulk_waits', :'id', 'one', '{"title":"a"}'::bytea, 1, 1);
SELECT qehs.job_claim('{bulk_load}', 'one') ->> 'jobId' = :'id' AS claimed;
SELECT qehs.bulk_job_load('bulk_waits', :'id', 'one', convert_to(E'{"title":"a"}\n\n{"title":1}\n', 'UTF8'), 1, 3) AS so_far \gset
SELECT :'so_far'::jsonb #- '{result,summary,durationMs}' AS so_far;
SELECT position - 'result' AS kept, position -> 'result' = :'so_far'::jsonb -> 'result' AS same FROM qehs.job WHERE kind = 'bulk_load';
-- another worker has loaded nothing when it is told that it holds nothing
SELECT qehs.bulk_job_load('bulk_waits', :'id', 'two', convert_to('{"title":"b"}', 'UTF8'), 4, 4, so_far => :'so_far');
SELECT qehs.bulk_job_load('bulk_waits', :'id', 'one', convert_to('{"title":"b"}', 'UTF8'), 4, 4, long_line => 5, line_limit => 10, so_far => :'so_far') AS so_far \gset
SELECT qehs.bulk_job_end('bulk_waits', :'id', 'one', :'so_far') AS state;
SELECT job ->> 'status' AS status, job ->> 'rowCount' AS rows, job -> 'result' #- '{summary,durationMs}' AS result FROM (SELECT qehs.job_get(:'id')::jsonb AS job) AS j;
SELECT count(*) AS records FROM qehs.record AS r JOIN qehs.tenant AS t ON t.id = r.tenant_id WHERE t.slug = 'bulk_waits';
-- the object goes when the job has ended
SELECT qehs.job_release_input();
SELECT object = :'id' AS going, not_before <= now() AS now FROM qehs.object_removal WHERE tenant = 'bulk_waits';
SELECT input_bytes IS NULL AS released FROM qehs.job WHERE kind = 'bulk_load';
DELETE FROM qehs.job WHERE kind = 'bulk_load';
DELETE FROM qehs.object_removal WHERE tenant = 'bulk_waits';
