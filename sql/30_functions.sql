-- The request, tenants, users and API keys. Grants follow in 90_grants.sql.

CREATE FUNCTION qehs.problem_list() RETURNS json
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT pg_catalog.json_agg(pg_catalog.json_build_object('code', code, 'status', status, 'title', title,
		'description', description, 'titles', titles, 'scimType', scim_type) ORDER BY status, code)
	FROM qehs.problem;
END;
COMMENT ON FUNCTION qehs.problem_list() IS 'All problem codes as a JSON array of {"code","status","title","description","titles","scimType"} (RFC 9457).';

CREATE FUNCTION qehs.endpoint_list() RETURNS json
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
	SELECT pg_catalog.json_agg(pg_catalog.json_build_object('operation', operation, 'method', method, 'path', path, 'alias', alias,
		'function', function, 'status', status, 'body', body, 'answer', answer, 'takes', takes, 'gives', gives, 'errorForm', error_form,
		'streamBegin', stream_begin, 'streamEnd', stream_end, 'asyncBegin', async_begin, 'asyncFunction', async_function,
		'class', class, 'timeLimit', time_limit, 'auth', authenticated, 'tag', tag, 'summary', summary, 'parameters', parameters, 'headers', pg_catalog.concat(
			'Deprecation: @' || EXTRACT(epoch FROM deprecated_at)::pg_catalog.int8 || E'\n',
			'Sunset: ' || pg_catalog.to_char(sunset_at AT TIME ZONE 'UTC', 'Dy, DD Mon YYYY HH24:MI:SS "GMT"') || E'\n',
			'Link: <' || deprecation_link || E'>; rel="deprecation"\n')) ORDER BY path, method)
	FROM qehs.endpoint;
END;
COMMENT ON FUNCTION qehs.endpoint_list() IS 'All rows of qehs.endpoint as a JSON array; the shim routes by it. headers are the lines of a deprecated endpoint (RFC 9745, RFC 8594).';

CREATE FUNCTION qehs.request_begin(api_key text, trace_id text DEFAULT NULL, client_address text DEFAULT NULL,
	idempotency_key text DEFAULT NULL, fingerprint bytea DEFAULT NULL, operation text DEFAULT NULL, target text DEFAULT NULL,
	subject jsonb DEFAULT NULL)
RETURNS text AS 'MODULE_PATHNAME', 'qehs_request_begin'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.request_begin(text, text, text, text, bytea, text, text, jsonb) IS 'Starts a request for the rest of the transaction: verifies the API key, counts the rate limit, looks up the idempotency key (1 to 255 characters; fingerprint is the SHA-256 of the request). trace_id is 32 hexadecimal digits or a W3C traceparent, with the tracestate behind a space; what the server logs meanwhile has it in its context. subject is {"tenant","user","roles"} of a token that the shim has verified, taken instead of a key when qehs.bearer_tokens is on. Gives header lines ("Name: value") for the answer. Raises QH401 unauthenticated, QH429 rate_limited, QH409 idempotency_key_in_progress, QH422 idempotency_key_conflict, and QH200 with the stored answer for a replay; once the limit is counted, every error has the header lines in its field for a data types name.';

CREATE FUNCTION qehs.request_resume(api_key text, trace_id text DEFAULT NULL, client_address text DEFAULT NULL,
	idempotency_key text DEFAULT NULL, fingerprint bytea DEFAULT NULL, operation text DEFAULT NULL, target text DEFAULT NULL,
	subject jsonb DEFAULT NULL)
RETURNS text AS 'MODULE_PATHNAME', 'qehs_request_resume'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.request_resume(text, text, text, text, bytea, text, text, jsonb) IS 'The same for a request that request_begin has admitted before, in another transaction, and whose body has come since: it is not counted again. The API key is verified again. Raises what request_begin raises.';

CREATE FUNCTION qehs.request(api_key text, trace_id text, client_address text, idempotency_key text, fingerprint bytea, operation text,
	target text, VARIADIC arguments "any")
RETURNS text AS 'MODULE_PATHNAME', 'qehs_request'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER; -- pins search_path by itself
COMMENT ON FUNCTION qehs.request(text, text, text, text, bytea, text, text, "any") IS 'A whole request: what request_begin does, the function of the operation in qehs.endpoint, and what request_end does. arguments are the subject (jsonb, see request_begin) and the values of the endpoint''s parameters, in their order and of their types. Gives the HTTP status on the first line, header lines, an empty line, and the body. The statement is cancelled after the endpoint''s time_limit. Raises what request_begin and the function raise.';

CREATE FUNCTION qehs.request_part(api_key text, trace_id text, client_address text, idempotency_key text, fingerprint bytea, operation text,
	target text, VARIADIC arguments "any")
RETURNS text AS 'MODULE_PATHNAME', 'qehs_request_part'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER; -- pins search_path by itself
COMMENT ON FUNCTION qehs.request_part(text, text, text, text, bytea, text, text, "any") IS 'The next part of an answer of lines: what request does, with the cursor of the header line "@next" of the part before; only the first part counts against the rate limit. The API key is verified each time.';

CREATE FUNCTION qehs.request_end() RETURNS text AS 'MODULE_PATHNAME', 'qehs_request_end'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.request_end() IS 'Ends a request: gives the HTTP status on the first line and header lines after it, and stores the answer under the idempotency key. Raises QH401 when no request was begun.';

CREATE FUNCTION qehs.tenant_create(slug text, name text) RETURNS json AS 'MODULE_PATHNAME', 'qehs_tenant_create'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.tenant_create(text, text) IS 'Creates a tenant with the built-in roles; slug is 1 to 40 lower-case letters, digits or underscores. Gives {"slug","id","name","createdAt"}. Raises QH400 validation_failed, QH409 conflict for a taken slug.';

CREATE FUNCTION qehs.tenant_list(page_size int4 DEFAULT NULL, after text DEFAULT NULL) RETURNS json AS 'MODULE_PATHNAME', 'qehs_tenant_list'
LANGUAGE C STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.tenant_list(int4, text) IS 'The tenants of the database by slug, those behind the slug after: {"items":[{"slug","id","name","createdAt","suspendedAt","users","modules"}],"nextAfter"}; users counts active ones, nextAfter is null when nothing follows. page_size is 1 to 200, default 50. Raises QH400 invalid_parameter.';

CREATE FUNCTION qehs.tenant_suspend(slug text) RETURNS json AS 'MODULE_PATHNAME', 'qehs_tenant_suspend'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.tenant_suspend(text) IS 'Closes a tenant, with all its data kept: from the next request on its API keys and tokens answer 401, use_tenant refuses it and its jobs wait. Gives the tenant as tenant_list does. Sessions that act in it already go on until they end. Raises QH404 not_found.';

CREATE FUNCTION qehs.tenant_resume(slug text) RETURNS json AS 'MODULE_PATHNAME', 'qehs_tenant_resume'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.tenant_resume(text) IS 'Opens a suspended tenant again. Gives the tenant as tenant_list does. Raises QH404 not_found.';

CREATE FUNCTION qehs.tenant_remove(slug text) RETURNS json AS 'MODULE_PATHNAME', 'qehs_tenant_remove'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.tenant_remove(text) IS 'Removes a suspended tenant with all that it has, audit events included, in one transaction: {"slug","rows":{table:number}}. Its number is not used again; dumps and replicas keep what they have. Raises QH404 not_found, QH409 conflict while it is not suspended.';

-- What is a secret, or follows from the rest, stays here.
CREATE FUNCTION qehs.tenant_export(slug text) RETURNS SETOF json
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $export$
#variable_conflict use_column
DECLARE
	tenant qehs.tenant;
	name name;
BEGIN
	SELECT * INTO tenant FROM qehs.tenant AS t WHERE t.slug = tenant_export.slug;
	IF tenant.id IS NULL THEN
		RAISE EXCEPTION 'there is no tenant "%"', tenant_export.slug USING ERRCODE = 'QH404', CONSTRAINT = 'not_found', HINT = 'qehs.tenant_list names those there are.';
	END IF;
	RETURN NEXT json_build_object('table', 'tenant', 'row', to_json(tenant));
	FOR name IN
		SELECT c.relname FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
		WHERE c.relnamespace = 'qehs'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relname !~ '^report'
			AND c.relname <> ALL ('{idempotency,signature_credential,graphql_document}') ORDER BY c.relname
	LOOP
		RETURN QUERY EXECUTE format('SELECT json_build_object(''table'', %L, ''row'', %s) FROM qehs.%I AS t WHERE t.tenant_id = $1', name,
			CASE name WHEN 'api_key' THEN 'to_jsonb(t) - ''hash''' ELSE 'to_json(t)' END, name) USING tenant.id;
	END LOOP;
END
$export$;
COMMENT ON FUNCTION qehs.tenant_export(text) IS 'A tenant whole, as {"table","row"}: each row of each table that has a tenant_id, deleted records, audit events with their digests, seals, legal holds and tombstones included, in one snapshot; table by table. Left out are secrets (hashes of API keys, what people sign with), answers kept for retries, and what reports count from the rest. Files of attachments are in the object store. To a file: psql -At -v FETCH_COUNT=1000 -c "SELECT qehs.tenant_export(''acme'')". Raises QH404 for an unknown tenant.';

CREATE FUNCTION qehs.user_list(page_size int4 DEFAULT NULL, cursor text DEFAULT NULL) RETURNS json AS 'MODULE_PATHNAME', 'qehs_user_list'
LANGUAGE C STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.user_list(int4, text) IS 'A page of the current tenant''s users in order of creation: {"id","userName","displayName","email","active","createdAt","roles"}. page_size is 1 to 200, default 50. Needs scope admin.users. Raises QH400 invalid_parameter, invalid_cursor.';

CREATE FUNCTION qehs.user_deactivate(user_name text) RETURNS json AS 'MODULE_PATHNAME', 'qehs_user_deactivate'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.user_deactivate(text) IS 'Makes a user of the current tenant inactive: keys and tokens that act as the user answer 401 from the next request on, and jobs that it asked for fail. What it did stays under its name. Gives the user as user_list does. Needs scope admin.users. Raises QH404 not_found.';

CREATE FUNCTION qehs.user_activate(user_name text) RETURNS json AS 'MODULE_PATHNAME', 'qehs_user_activate'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.user_activate(text) IS 'Makes a user of the current tenant active again. Gives the user as user_list does. Needs scope admin.users. Raises QH404 not_found.';

CREATE FUNCTION qehs.use_tenant(slug text, user_name text DEFAULT NULL) RETURNS void AS 'MODULE_PATHNAME', 'qehs_use_tenant'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.use_tenant(text, text) IS 'Makes the session act in a tenant: as one of its users with that user''s roles, or, without user_name, as the system with role tenant-owner. Raises QH404 for an unknown tenant or user, QH403 for a suspended tenant.';

CREATE FUNCTION qehs.user_create(user_name text, display_name text, email text DEFAULT NULL, roles text[] DEFAULT '{tenant-user}')
RETURNS json AS 'MODULE_PATHNAME', 'qehs_user_create'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.user_create(text, text, text, text[]) IS 'Creates a user of the current tenant with roles; roles that do not exist yet are created. Gives {"id","userName","displayName"}. Needs scope admin.users. Raises QH409 conflict for a taken user name.';

CREATE FUNCTION qehs.api_key_create(name text,
	scopes text[] DEFAULT '{records.read,records.write,modules.read,modules.write,attachments.read,attachments.write,exports.create,audit.read,admin.users,admin.keys,holds.write,records.purge}',
	roles text[] DEFAULT '{tenant-owner}', modules text[] DEFAULT NULL, expires_at timestamptz DEFAULT NULL,
	acting_user text DEFAULT NULL, rate_limit int4 DEFAULT NULL, allowed_addresses text[] DEFAULT NULL,
	kind text DEFAULT 'live')
RETURNS json AS 'MODULE_PATHNAME', 'qehs_api_key_create'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.api_key_create(text, text[], text[], text[], timestamptz, text, int4, text[], text) IS 'Creates an API key of the current tenant and gives it once, in member "key"; only its SHA-256 is stored. modules NULL means all; acting_user is the user name that it acts as (of other users than the caller for administrators only), and whose roles it has when roles is empty; rate_limit is requests a minute, NULL the default of 300, 0 none; allowed_addresses are networks in CIDR notation, NULL all. kind is live (qehs_live_sk_…), test (qehs_test_sk_…, the same rights), service (sa_…, never acts as a user) or scim (scim_…, the SCIM endpoints only). A caller cannot give scopes, roles or modules that it lacks; one that is a key cannot give an end, a rate limit or networks beyond its own either, and its limits of other classes are those of the new key. Needs scope admin.keys. Raises QH400 validation_failed.';

CREATE FUNCTION qehs.api_key_list(page_size int4 DEFAULT NULL, cursor text DEFAULT NULL)
RETURNS json AS 'MODULE_PATHNAME', 'qehs_api_key_list'
LANGUAGE C STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.api_key_list(int4, text) IS 'A page of the tenant''s API keys in order of creation, without secrets. page_size is 1 to 200, default 50. Needs scope admin.keys. Raises QH400 invalid_parameter, invalid_cursor.';

CREATE FUNCTION qehs.api_key_revoke(id text) RETURNS json AS 'MODULE_PATHNAME', 'qehs_api_key_revoke'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.api_key_revoke(text) IS 'Revokes an API key by id (key_… or UUID), effective from the next request. Gives NULL. Needs scope admin.keys. Raises QH404 not_found, QH403 forbidden for a key that reaches modules that the caller does not.';

CREATE FUNCTION qehs.api_key_get(id text) RETURNS json AS 'MODULE_PATHNAME', 'qehs_api_key_get'
LANGUAGE C STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.api_key_get(text) IS 'One API key by id (key_… or UUID), without its secret. Needs scope admin.keys. Raises QH404 not_found.';

CREATE FUNCTION qehs.api_key_rotate(id text, overlap_seconds int4 DEFAULT NULL) RETURNS json AS 'MODULE_PATHNAME', 'qehs_api_key_rotate'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.api_key_rotate(text, int4) IS 'Creates a key with the rights and limits of another one and gives it once, in member "key"; the old one goes on for overlap_seconds (0 to 7776000, default one day, of a SCIM token 0). Needs scope admin.keys. Raises QH404 not_found, QH403 forbidden for rights that the caller lacks, QH400 validation_failed.';

CREATE FUNCTION qehs.me() RETURNS json AS 'MODULE_PATHNAME', 'qehs_me'
LANGUAGE C STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.me() IS 'The caller and what it may do: {"tenant","actor","administrator","roles","scopes","modules":[{"key","actions","actionsOnSome","hiddenFields","readOnlyFields"}]}. actions hold for every record of the module, actionsOnSome for own records or those that give the caller a role. Raises QH401 without a caller.';
