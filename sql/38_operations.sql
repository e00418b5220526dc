-- Limits, secrets, housekeeping and deprecations: what an administrator or a scheduler calls.

CREATE FUNCTION qehs.rate_limit_set(class text, quantity int4, key_id text DEFAULT NULL) RETURNS void AS 'MODULE_PATHNAME', 'qehs_rate_limit_set'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.rate_limit_set(text, int4, text) IS 'Sets a limit of the current tenant, effective from the next request: class default or signed-urls (requests a minute of each API key), tenant (requests a minute of all keys together), bulk or exports (running at once); quantity 0 is without limit, NULL the built-in one again; key_id (key_… or UUID) narrows it to one API key. Raises QH400 validation_failed, QH404 not_found.';

CREATE FUNCTION qehs.rate_limit_list() RETURNS json AS 'MODULE_PATHNAME', 'qehs_rate_limit_list'
LANGUAGE C STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.rate_limit_list() IS 'The limits of the current tenant that hold: {"items":[{"class","keyId","quantity","builtIn"}]}, first those of each class (keyId null), then those of single API keys. quantity 0 is without limit. Needs scope admin.keys.';

CREATE FUNCTION qehs.secret_rotate() RETURNS void
LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	INSERT INTO qehs.secret (purpose, created_at, value)
	SELECT 'cursor', pg_catalog.clock_timestamp(), pg_catalog.sha256(pg_catalog.uuid_send(pg_catalog.gen_random_uuid())
		OPERATOR(pg_catalog.||) pg_catalog.uuid_send(pg_catalog.gen_random_uuid())
		OPERATOR(pg_catalog.||) pg_catalog.uuid_send(pg_catalog.gen_random_uuid()));
END;
COMMENT ON FUNCTION qehs.secret_rotate() IS 'Makes a new secret that signs cursors and URLs of the embedded object store from now on. The three before it go on verifying, so that walks under way do not break; qehs.tick removes older ones.';

CREATE FUNCTION qehs.tick_begin() RETURNS boolean AS 'MODULE_PATHNAME', 'qehs_tick_begin'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.tick_begin() IS 'Whether this transaction is to do the housekeeping: false while another one does, and on a server in recovery. By a lock that no other SQL function takes. tick calls it.';

CREATE FUNCTION qehs.tick_note(idempotency_keys bigint, secrets bigint) RETURNS void AS 'MODULE_PATHNAME', 'qehs_tick_note'
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.tick_note(bigint, bigint) IS 'Counts a run of tick and what it removed for qehs.metrics. tick calls it.';

CREATE FUNCTION qehs.metrics() RETURNS text AS 'MODULE_PATHNAME', 'qehs_metrics'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.metrics() IS 'Figures of the database in Prometheus''s text format, which the shim adds to its own under /metrics: kept and expired idempotency keys, places taken by bulk loads and, where the library is preloaded, runs of tick with what they removed and batches of module_migrate, counted since the server started.';

CREATE FUNCTION qehs.tick(batch_size int4 DEFAULT 5000, budget interval DEFAULT '200 milliseconds') RETURNS json
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
-- so that the oldest come by index, whatever the statistics of a table say that has just grown
SET enable_sort = off SET jit = off AS $tick$
DECLARE
	cutoff timestamptz := qehs.clock_now() - interval '24 hours';
	deadline timestamptz := clock_timestamp() + budget;
	jobs_due boolean;
	timers_due boolean;
	step int4 := greatest(batch_size, 1);
	tenants int4[];
	tenant int4;
	gone bigint;
	expired bigint := 0;
	secrets bigint := 0;
	late boolean := false;
BEGIN
	IF pg_is_in_recovery() THEN
		RETURN json_build_object('idempotencyKeys', 0, 'secrets', 0, 'more', false);
	END IF;
	PERFORM qehs.timer_run(clock_timestamp() + budget / 2);
	timers_due := EXISTS (SELECT FROM qehs.tenant AS n WHERE n.suspended_at IS NULL
		AND EXISTS (SELECT FROM qehs.record_timer AS t WHERE t.tenant_id = n.id AND t.at <= qehs.clock_now()));
	jobs_due := qehs.job_work(format('tick %s', pg_backend_pid()), deadline);
	-- of the rest one at a time is enough, whoever calls
	IF NOT qehs.tick_begin() THEN
		RETURN json_build_object('idempotencyKeys', 0, 'secrets', 0, 'more', jobs_due OR timers_due);
	END IF;
	tenants := ARRAY(SELECT t.id FROM qehs.tenant AS t WHERE (
		SELECT e.created_at FROM qehs.idempotency AS e WHERE e.tenant_id = t.id AND e.created_at > '-infinity' ORDER BY e.created_at LIMIT 1) < cutoff ORDER BY random());
	-- in turns, a batch each, until none has any left or the time is up
	WHILE NOT late AND tenants <> '{}' LOOP
		FOREACH tenant IN ARRAY tenants LOOP
			DELETE FROM qehs.idempotency WHERE ctid = ANY (ARRAY(SELECT e.ctid FROM qehs.idempotency AS e
				WHERE e.tenant_id = tenant AND e.created_at > '-infinity' AND e.created_at < cutoff ORDER BY e.created_at LIMIT step));
			GET DIAGNOSTICS gone = ROW_COUNT;
			expired := expired + gone;
			IF gone < step THEN
				tenants := array_remove(tenants, tenant);
			END IF;
			late := clock_timestamp() >= deadline;
			EXIT WHEN late;
		END LOOP;
	END LOOP;
	DELETE FROM qehs.secret AS s WHERE s.purpose = 'cursor' AND (
		SELECT count(*) FROM qehs.secret AS n WHERE n.purpose = s.purpose AND n.created_at > s.created_at) >= 4;
	GET DIAGNOSTICS secrets = ROW_COUNT;
	PERFORM qehs.job_forget(step);
	PERFORM qehs.audit_seal_due(deadline);
	jobs_due := qehs.report_count_due(deadline) OR jobs_due;
	jobs_due := qehs.retention_due() > 0 OR jobs_due;
	PERFORM qehs.attachment_collect(step);
	PERFORM qehs.tick_note(expired, secrets);
	RETURN json_build_object('idempotencyKeys', expired, 'secrets', secrets, 'more', jobs_due OR timers_due OR tenants <> '{}');
END
$tick$;
COMMENT ON FUNCTION qehs.tick(int4, interval) IS 'Housekeeping in small steps: does what is due of records by time (qehs.timer_run) for half of budget, runs jobs that are due inside the database until budget is used up, removes expired idempotency keys, batch_size of a tenant at a time while budget lasts, jobs that ended 7 days ago, attachments that nobody named (qehs.attachment_collect) and secrets that verify nothing any more, seals audit events that are a minute old, queues the daily retention of modules (qehs.retention_due), and counts injury cases, indicators and stays in states for the key figures of reports. Several sessions may call it at once. The background worker and the shim call it; without either call it from a scheduler. Gives {"idempotencyKeys","secrets","more"}: the numbers removed, and whether timers or jobs are due or expired keys are left.';

CREATE FUNCTION qehs.deprecation_list() RETURNS json
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT pg_catalog.json_build_object('items', COALESCE(pg_catalog.json_agg(pg_catalog.json_build_object(
		'operation', operation, 'method', method, 'path', path,
		'deprecatedAt', pg_catalog.to_char(deprecated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
		'sunsetAt', pg_catalog.to_char(sunset_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
		'link', deprecation_link) ORDER BY path, method), '[]'))
	FROM qehs.endpoint WHERE deprecated_at IS NOT NULL;
END;
COMMENT ON FUNCTION qehs.deprecation_list() IS 'Endpoints that are deprecated: {"items":[{"operation","method","path","deprecatedAt","sunsetAt","link"}]}.';
