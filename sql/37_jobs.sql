-- Work in the background: what a caller sees of it, and what workers call (extension/job/queue.c says how they share a queue).

CREATE FUNCTION qehs.job_get(job_id text, storage jsonb DEFAULT NULL) RETURNS json AS 'MODULE_PATHNAME', 'qehs_job_get'
LANGUAGE C STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.job_get(text, jsonb) IS 'A job by id (job_… or UUID): {"jobId","kind","status","progress","enqueuedAt","startedAt","finishedAt","rowCount","result","error","statusUrl"}; status is queued, running, succeeded, failed or cancelled, progress 0 to 100. A caller sees the jobs that it asked for, tenant-owner and tenant-admin all of the tenant. The result of an export has a link to its file, signed for the object store that the shim describes by storage. Raises QH404 not_found, QH503 unavailable when the shim has none.';

CREATE FUNCTION qehs.job_list(kind text DEFAULT NULL, status text DEFAULT NULL, page_size int4 DEFAULT NULL, cursor text DEFAULT NULL)
RETURNS json AS 'MODULE_PATHNAME', 'qehs_job_list'
LANGUAGE C STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.job_list(text, text, int4, text) IS 'A page of the jobs that the caller sees, newest first, of a kind and in a status where these are given; page_size is 1 to 200, default 50. Jobs that have ended are kept for 7 days. Raises QH400 invalid_parameter, invalid_cursor.';

CREATE FUNCTION qehs.job_cancel(job_id text, storage jsonb DEFAULT NULL) RETURNS json AS 'MODULE_PATHNAME', 'qehs_job_cancel'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.job_cancel(text, jsonb) IS 'Cancels a job and gives it as job_get does: at once when nobody works on it, else as soon as its worker sees it; what is done stays done. One that has ended stays as it is. Raises QH404 not_found, QH409 conflict for a kind that cannot be cancelled.';

CREATE FUNCTION qehs.job_claim(kinds text[], worker text, lease interval DEFAULT '1 minute', wait boolean DEFAULT true)
RETURNS json AS 'MODULE_PATHNAME', 'qehs_job_claim'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.job_claim(text[], text, interval, boolean) IS 'For workers: claims the next job of one of the kinds for a time of 1 second to 1 day, which job_heartbeat renews; worker is a name that no other has. Gives {"tenant","jobId","kind","arguments","position","attempts"}, or NULL when nothing is due. Tenants take turns, and none has more running at once than the limit of the kind; within a tenant older ones come first. Commit it before working. With wait false, what another session is claiming at the moment is passed over. Raises QH400 validation_failed.';

CREATE FUNCTION qehs.job_begin(tenant text, job_id text, worker text) RETURNS void AS 'MODULE_PATHNAME', 'qehs_job_begin'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.job_begin(text, text, text) IS 'For workers: until the transaction ends, this session acts as the caller that asked for the job, with the rights that it had then as far as it still has them, or as the system where no caller asked. Raises QH404 not_found, QH409 conflict when the worker does not hold the job, QH403 forbidden when the key is revoked or expired or the user inactive.';

CREATE FUNCTION qehs.job_heartbeat(tenant text, job_id text, worker text, lease interval DEFAULT '1 minute', done int8 DEFAULT NULL,
	total int8 DEFAULT NULL, "position" jsonb DEFAULT NULL)
RETURNS boolean AS 'MODULE_PATHNAME', 'qehs_job_heartbeat'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.job_heartbeat(text, text, text, interval, int8, int8, jsonb) IS 'For workers: renews the lease and keeps how far the job is (done of total) and where a successor would go on (position), those that are given. Gives false when the job is to be cancelled: then stop and call job_fail. Raises QH404 not_found, QH409 conflict when the worker does not hold the job any more.';

CREATE FUNCTION qehs.job_finish(tenant text, job_id text, worker text, result jsonb DEFAULT NULL, row_count int8 DEFAULT NULL)
RETURNS void AS 'MODULE_PATHNAME', 'qehs_job_finish'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.job_finish(text, text, text, jsonb, int8) IS 'For workers: the job has succeeded, with this result and number of rows. Raises QH404 not_found, QH409 conflict when the worker does not hold the job any more.';

CREATE FUNCTION qehs.job_fail(tenant text, job_id text, worker text, error jsonb DEFAULT NULL, retry boolean DEFAULT true)
RETURNS text AS 'MODULE_PATHNAME', 'qehs_job_fail'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.job_fail(text, text, text, jsonb, boolean) IS 'For workers: the job could not be done, with an error {"code","detail"}. With retry it is queued again, 2, 4, 8 … 300 seconds from now, as often as its kind allows. Gives the state that it has then: queued, failed, or cancelled where that was asked for. Raises QH404 not_found, QH409 conflict when the worker does not hold the job any more.';

CREATE FUNCTION qehs.job_release(tenant text, job_id text, worker text) RETURNS void AS 'MODULE_PATHNAME', 'qehs_job_release'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.job_release(text, text, text) IS 'For workers: gives the job back, to be claimed again by anyone, who goes on from its position. Raises QH404 not_found, QH409 conflict when the worker does not hold the job any more.';

CREATE FUNCTION qehs.job_abandon(worker text) RETURNS void
LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	UPDATE qehs.job AS j SET lease_until = qehs.clock_now() - interval '1 second' WHERE j.worker = job_abandon.worker AND j.finished_at IS NULL;
END;
COMMENT ON FUNCTION qehs.job_abandon(text) IS 'For workers, when they start: ends the leases that one of this name held before it died, so that its jobs go on at once.';

CREATE FUNCTION qehs.job_release_input() RETURNS void
LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	WITH ended AS (
		UPDATE qehs.job AS j SET input_bytes = NULL FROM qehs.tenant AS t
		WHERE t.id = j.tenant_id AND j.input_bytes IS NOT NULL AND j.finished_at IS NOT NULL RETURNING t.slug, j.id)
	INSERT INTO qehs.object_removal (tenant, object) SELECT e.slug, qehs.id_text('job_', e.id) FROM ended AS e ON CONFLICT DO NOTHING;
END;
COMMENT ON FUNCTION qehs.job_release_input() IS 'Has the shim remove the objects that jobs have read that have ended, however they did; they count no more against the quota. storage_work calls it.';

CREATE FUNCTION qehs.job_step(tenant text, job_id text, worker text, budget interval DEFAULT '100 milliseconds') RETURNS boolean AS 'MODULE_PATHNAME', 'qehs_job_step'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
-- a few rows by their ids, whatever the statistics of a table say that has just grown
SET enable_sort = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET enable_material = off SET jit = off;
COMMENT ON FUNCTION qehs.job_step(text, text, text, interval) IS 'For workers: runs one step of a claimed job that runs inside the database, which begins no other batch of its records once budget is used up, and gives whether there is more of it to do. Commit each step: writers of what it touches wait for that. Raises QH404 not_found, QH409 conflict when the worker does not hold the job or its kind runs outside.';

CREATE FUNCTION qehs.job_work(worker text, until timestamptz) RETURNS boolean
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $work$
DECLARE
	claimed json;
	more boolean;
BEGIN
	LOOP
		claimed := qehs.job_claim(ARRAY(SELECT k.kind FROM qehs.job_kind AS k WHERE NOT k.outside), worker, wait => false);
		IF claimed IS NULL THEN
			RETURN false;
		END IF;
		LOOP
			more := qehs.job_step(claimed ->> 'tenant', claimed ->> 'jobId', worker);
			EXIT WHEN NOT more OR clock_timestamp() >= until;
		END LOOP;
		IF more THEN
			PERFORM qehs.job_release(claimed ->> 'tenant', claimed ->> 'jobId', worker);
		END IF;
		IF clock_timestamp() >= until THEN
			RETURN EXISTS (SELECT FROM qehs.job AS j JOIN qehs.job_kind AS k USING (kind)
				WHERE j.finished_at IS NULL AND NOT k.outside AND j.not_before <= qehs.clock_now()
					AND (j.lease_until IS NULL OR j.lease_until < qehs.clock_now()));
		END IF;
	END LOOP;
END
$work$;
COMMENT ON FUNCTION qehs.job_work(text, timestamptz) IS 'Runs jobs inside the database, one step after the other, until none is due or the time is up; gives whether any is due then. tick calls it: all steps are of one transaction, so a budget of a fraction of a second keeps writers free.';

CREATE FUNCTION qehs.job_forget(batch_size int4) RETURNS bigint
LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	WITH gone AS (
		DELETE FROM qehs.job AS j USING (
			SELECT o.tenant_id, o.id FROM qehs.tenant AS t CROSS JOIN LATERAL (
				SELECT f.tenant_id, f.id FROM qehs.job AS f
				WHERE f.tenant_id = t.id AND f.finished_at < qehs.clock_now() - interval '7 days' ORDER BY f.finished_at LIMIT batch_size) AS o
			LIMIT batch_size) AS old
		WHERE j.tenant_id = old.tenant_id AND j.id = old.id RETURNING j.tenant_id, j.id, j.kind),
	objects AS (
		INSERT INTO qehs.object_removal (tenant, object) SELECT t.slug, qehs.id_text('job_', g.id) FROM gone AS g JOIN qehs.tenant AS t ON t.id = g.tenant_id
			JOIN qehs.job_kind AS k ON k.kind = g.kind AND k.outside ON CONFLICT DO NOTHING)
	SELECT pg_catalog.count(*) FROM gone;
END;
COMMENT ON FUNCTION qehs.job_forget(int4) IS 'Removes jobs that ended more than 7 days ago, batch_size of them at most, and has the shim remove the objects that those outside the database have made; gives how many. tick calls it.';
