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
COMMENT ON FUNCTION qehs.secret_rotate() IS 'Makes a new secret that signs cursors from now on. The three before it go on verifying, so that walks under way do not break; qehs.tick removes older ones.';

CREATE FUNCTION qehs.tick(batch_size int4 DEFAULT 1000) RETURNS json
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $tick$
DECLARE
	expired bigint := 0;
	secrets bigint := 0;
BEGIN
	-- one at a time is enough, whoever calls
	IF pg_is_in_recovery() OR NOT pg_try_advisory_xact_lock(hashtext('qehs.tick')) THEN
		RETURN json_build_object('idempotencyKeys', 0, 'secrets', 0);
	END IF;
	DELETE FROM qehs.idempotency AS i USING (
		SELECT o.tenant_id, o.key_id, o.idempotency_key FROM qehs.tenant AS t
		CROSS JOIN LATERAL (
			SELECT e.tenant_id, e.key_id, e.idempotency_key FROM qehs.idempotency AS e
			WHERE e.tenant_id = t.id AND e.created_at < now() - interval '24 hours'
			ORDER BY e.created_at LIMIT batch_size) AS o
		LIMIT batch_size) AS old
	WHERE i.tenant_id = old.tenant_id AND i.key_id = old.key_id AND i.idempotency_key = old.idempotency_key;
	GET DIAGNOSTICS expired = ROW_COUNT;
	DELETE FROM qehs.secret AS s WHERE s.purpose = 'cursor' AND (
		SELECT count(*) FROM qehs.secret AS n WHERE n.purpose = s.purpose AND n.created_at > s.created_at) >= 4;
	GET DIAGNOSTICS secrets = ROW_COUNT;
	RETURN json_build_object('idempotencyKeys', expired, 'secrets', secrets);
END
$tick$;
COMMENT ON FUNCTION qehs.tick(int4) IS 'Housekeeping in small steps: removes up to batch_size expired idempotency keys and secrets that verify nothing any more. The shim calls it every minute; without a shim call it from a scheduler. Gives {"idempotencyKeys","secrets"}, the numbers removed.';

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
