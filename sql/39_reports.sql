-- Reporting: who may read the views of which tenant, and the views that every tenant has beside those of its modules.

CREATE TABLE qehs.reporter (
	tenant_id int4 NOT NULL,
	login text NOT NULL,
	roles text[] NOT NULL,
	audit boolean NOT NULL DEFAULT false,
	PRIMARY KEY (tenant_id, login)
);
COMMENT ON TABLE qehs.reporter IS 'Logins that read the reporting views of a tenant, with the roles by which these show records and fields. Written by qehs.reporter_grant.';
COMMENT ON COLUMN qehs.reporter.login IS 'name of the role of the cluster; without USAGE on the schema report_<slug>, as one made again under the name of a dropped one, it reads nothing';
COMMENT ON COLUMN qehs.reporter.audit IS 'may also read events with their changes, and deleted records';

CREATE TABLE qehs.report_column (
	tenant_id int4 NOT NULL,
	view_name text NOT NULL,
	name text NOT NULL,
	field text NOT NULL,
	suffix text NOT NULL,
	version int4 NOT NULL,
	PRIMARY KEY (tenant_id, view_name, name)
);
COMMENT ON TABLE qehs.report_column IS 'What each column of the views of modules is of, so that it never becomes another field''s. Written with the views.';
COMMENT ON COLUMN qehs.report_column.field IS 'key of the field in the version; empty: of the record';
COMMENT ON COLUMN qehs.report_column.suffix IS 'which of the field''s columns: _label, _code; of the record, its name';
COMMENT ON COLUMN qehs.report_column.version IS 'version of the definition that had the field last';

CREATE TABLE qehs.report_view (
	name text PRIMARY KEY,
	place int4 NOT NULL UNIQUE,
	modules text[] NOT NULL DEFAULT '{}',
	comment text NOT NULL,
	columns jsonb NOT NULL DEFAULT '{}',
	query text NOT NULL
);
COMMENT ON TABLE qehs.report_view IS 'Views that qehs.report_publish makes in each schema of reports. Made anew by each release, not dumped.';
COMMENT ON COLUMN qehs.report_view.place IS 'order in which they are made';
COMMENT ON COLUMN qehs.report_view.modules IS 'keys of modules without which the tenant does not get it';
COMMENT ON COLUMN qehs.report_view.columns IS 'comment of columns by name; others have their name as one';
COMMENT ON COLUMN qehs.report_view.query IS 'SELECT over the views of the schema; @tenant stands for the tenant''s number, @today for the day in UTC';

CREATE FUNCTION qehs.display_code(prefix text, display_no int8) RETURNS text AS 'MODULE_PATHNAME', 'qehs_display_code'
LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
COMMENT ON FUNCTION qehs.display_code(text, int8) IS 'The display code (INC-2026-0001) of a prefix and a display_no of qehs.record.';

CREATE FUNCTION qehs.report_label(value text, labels text[]) RETURNS text AS 'MODULE_PATHNAME', 'qehs_report_label'
LANGUAGE C IMMUTABLE STRICT LEAKPROOF PARALLEL SAFE;
COMMENT ON FUNCTION qehs.report_label(text, text[]) IS 'What a value is called: labels are value, label, value, label …; one that they lack is itself. Reporting views show choices and states with it.';

CREATE FUNCTION qehs.report_reads(tenant_id int4, module_id int4, version int4 DEFAULT 0, field text DEFAULT NULL) RETURNS boolean
AS 'MODULE_PATHNAME', 'qehs_report_reads'
LANGUAGE C STABLE PARALLEL RESTRICTED;
COMMENT ON FUNCTION qehs.report_reads(int4, int4, int4, text) IS 'Whether the current user may read records of a module, or a field of a version of its definition (0: the current one), in reports: false for whatever he may not know of. Reporting views ask it.';

CREATE FUNCTION qehs.report_modules(tenant_id int4, what text DEFAULT 'read') RETURNS int4[] AS 'MODULE_PATHNAME', 'qehs_report_modules'
LANGUAGE C STABLE PARALLEL RESTRICTED;
COMMENT ON FUNCTION qehs.report_modules(int4, text) IS 'Numbers of the modules of a tenant of which the current user may read in reports: read (records), audit (events and deleted records) or changes (what events say of fields, which may be all).';

CREATE FUNCTION qehs.report_name(tenant_id int4, id uuid) RETURNS text AS 'MODULE_PATHNAME', 'qehs_report_name'
LANGUAGE C STABLE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION qehs.report_name(int4, uuid) IS 'The name of a user or API key of a tenant, or System, for reports: NULL for an id that is none, and for whoever does not read reports of the tenant.';

CREATE FUNCTION qehs.report_publish(tenant text, drop_deprecated boolean DEFAULT false) RETURNS void AS 'MODULE_PATHNAME', 'qehs_report_publish'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.report_publish(text, boolean) IS 'Makes or renews the schema report_<slug> of a tenant: a typed view per module and table field, deleted records, events and key figures. From then on publishing a module renews its views. A view keeps its columns, new ones come at its end; drop_deprecated makes all views anew without those whose fields are gone, which is refused (2BP01) while a view elsewhere reads one. Raises QH404 for an unknown tenant, QH409 for a schema that is somebody else''s.';

CREATE FUNCTION qehs.report_standard(tenant_id int4, schema_name text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $standard$
DECLARE
	wanted record;
	said record;
BEGIN
	FOR wanted IN
		SELECT v.* FROM qehs.report_view AS v
		WHERE NOT EXISTS (SELECT FROM unnest(v.modules) AS k WHERE k NOT IN (SELECT m.key FROM qehs.module AS m WHERE m.tenant_id = report_standard.tenant_id))
		ORDER BY v.place
	LOOP
		-- a module of the same key whose fields are others is the tenant's right: it does without the view
		BEGIN
			PERFORM set_config('search_path', format('pg_catalog, %I', schema_name), true);
			EXECUTE format('CREATE OR REPLACE VIEW %I.%I WITH (security_barrier) AS %s', schema_name, wanted.name,
				replace(replace(wanted.query, '@tenant', tenant_id::text), '@today', '(now() AT TIME ZONE ''UTC'')::date'));
			PERFORM set_config('search_path', 'pg_catalog, pg_temp', true);
			EXECUTE format('COMMENT ON VIEW %I.%I IS %L', schema_name, wanted.name, wanted.comment);
			FOR said IN SELECT a.attname AS key, COALESCE(wanted.columns ->> a.attname, pg_catalog.upper(left(a.attname, 1)) || substr(replace(a.attname, '_', ' '), 2)) AS value
				FROM pg_attribute AS a WHERE a.attrelid = format('%I.%I', schema_name, wanted.name)::regclass AND a.attnum > 0
			LOOP
				EXECUTE format('COMMENT ON COLUMN %I.%I.%I IS %L', schema_name, wanted.name, said.key, said.value);
			END LOOP;
			EXECUTE format('GRANT SELECT ON %I.%I TO qehs_reporter', schema_name, wanted.name);
		EXCEPTION WHEN syntax_error_or_access_rule_violation THEN
			PERFORM set_config('search_path', 'pg_catalog, pg_temp', true);
			RAISE NOTICE 'the tenant has no view "%": %', wanted.name, SQLERRM;
		END;
	END LOOP;
END
$standard$;
COMMENT ON FUNCTION qehs.report_standard(int4, text) IS 'Makes the views of qehs.report_view whose modules the tenant has; for qehs.report_publish. One that does not fit the tenant''s modules is left out with a notice.';

CREATE FUNCTION qehs.reporter_keep(login text, tenant text, roles text[], audit boolean) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $keep$
DECLARE
	tenant_no int4;
BEGIN
	PERFORM qehs.report_publish(tenant);
	SELECT t.id INTO tenant_no FROM qehs.tenant AS t WHERE t.slug = reporter_keep.tenant;
	INSERT INTO qehs.reporter AS r (tenant_id, login, roles, audit) VALUES (tenant_no, reporter_keep.login, reporter_keep.roles, reporter_keep.audit)
		ON CONFLICT ON CONSTRAINT reporter_pkey DO UPDATE SET roles = EXCLUDED.roles, audit = EXCLUDED.audit;
	EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', 'report_' || tenant, login);
END
$keep$;
COMMENT ON FUNCTION qehs.reporter_keep(text, text, text[], boolean) IS 'What qehs.reporter_grant does as the owner of the tables: makes the views, keeps the login with its roles, lets it use the schema.';

CREATE FUNCTION qehs.reporter_grant(login text, tenant text, roles text[] DEFAULT '{viewer}', audit boolean DEFAULT false) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $grant$
DECLARE
	holder record;
BEGIN
	SELECT r.oid, r.rolsuper OR r.rolcreaterole OR r.rolreplication OR r.rolbypassrls AS strong INTO holder FROM pg_roles AS r WHERE r.rolname = login;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'there is no role "%"', login USING ERRCODE = 'QH404', CONSTRAINT = 'not_found', HINT = 'Create it with CREATE ROLE … LOGIN.';
	END IF;
	IF holder.strong OR pg_has_role(holder.oid, 'qehs_owner', 'MEMBER') OR pg_has_role(holder.oid, 'qehs_admin', 'MEMBER') OR pg_has_role(holder.oid, 'qehs_shim', 'MEMBER') THEN
		RAISE EXCEPTION 'role "%" may do more than a reporting login', login USING ERRCODE = 'QH409', CONSTRAINT = 'conflict',
			HINT = 'Create a role of its own for reports, without attributes and without membership in qehs_owner, qehs_admin or qehs_shim.';
	END IF;
	IF roles IS NULL OR array_position(roles, NULL) IS NOT NULL OR audit IS NULL THEN
		RAISE EXCEPTION 'roles and audit must not be null' USING ERRCODE = 'QH400', CONSTRAINT = 'validation_failed';
	END IF;
	PERFORM qehs.reporter_keep(login, tenant, roles, audit);
	IF NOT pg_has_role(holder.oid, 'qehs_reporter', 'USAGE') THEN
		EXECUTE format('GRANT qehs_reporter TO %I', login);
	END IF;
	-- what the DBA has set stays
	IF NOT EXISTS (SELECT FROM pg_db_role_setting AS s, unnest(s.setconfig) AS c WHERE s.setrole = holder.oid AND c LIKE 'statement\_timeout=%') THEN
		EXECUTE format('ALTER ROLE %I SET statement_timeout = %L', login, '5min');
		EXECUTE format('ALTER ROLE %I SET idle_in_transaction_session_timeout = %L', login, '1min');
		EXECUTE format('ALTER ROLE %I SET default_transaction_read_only = on', login);
	END IF;
	-- rows of tables inside records are estimated at a hundred each, so that costs of views over them look worth compiling, which takes seconds
	IF NOT EXISTS (SELECT FROM pg_db_role_setting AS s, unnest(s.setconfig) AS c WHERE s.setrole = holder.oid AND c LIKE 'jit=%') THEN
		EXECUTE format('ALTER ROLE %I SET jit = off', login);
	END IF;
	IF (SELECT a.rolconnlimit FROM pg_roles AS a WHERE a.oid = holder.oid) < 0 THEN
		EXECUTE format('ALTER ROLE %I CONNECTION LIMIT 10', login);
	END IF;
END
$grant$;
COMMENT ON FUNCTION qehs.reporter_grant(text, text, text[], boolean) IS 'Lets a login read the reporting views of a tenant with the rights of these roles of it (default viewer); audit adds events with their changes, and deleted records. Makes the views if there are none. A login without settings of its own gets a statement_timeout of 5 minutes, an idle_in_transaction_session_timeout of 1 minute, read-only transactions, no JIT compilation and 10 connections. Roles that a record gives (@createdBy) do not apply, since a login is no user. For a role that may change the login. Raises QH404 for an unknown role or tenant, QH409 for a role that may do more.';

CREATE FUNCTION qehs.reporter_revoke(login text, tenant text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $revoke$
BEGIN
	DELETE FROM qehs.reporter AS r USING qehs.tenant AS t
	WHERE t.slug = reporter_revoke.tenant AND r.tenant_id = t.id AND r.login = reporter_revoke.login;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'the login "%" reads no reports of "%"', login, tenant USING ERRCODE = 'QH404', CONSTRAINT = 'not_found';
	END IF;
	EXECUTE format('REVOKE USAGE ON SCHEMA %I FROM %I', 'report_' || tenant, login);
END
$revoke$;
COMMENT ON FUNCTION qehs.reporter_revoke(text, text) IS 'Takes the reporting views of a tenant from a login; effective with its next query. Raises QH404 for a login that does not read them.';

INSERT INTO qehs.report_view (name, place, comment, columns, query) VALUES
('record_activity', 10, 'What happened to live records, who did it and when.',
	'{"id":"Id of the event","record_id":"Id of the record","module_key":"Key of its module","display_code":"Display code of the record","action":"created, updated, transitioned, restored, migrated, …","at":"When","actor_id":"Id of who did it","actor_name":"Name of who did it","transition":"Transition that was fired","from_state":"State before","to_state":"State after","record_version":"Version of the record after it","comment":"What was said to it"}',
	$$SELECT e.id, e.record_id, m.key AS module_key, qehs.display_code(m.display_prefix, r.display_no) AS display_code, e.action, e.at,
	e.actor_id, qehs.report_name(@tenant, e.actor_id) AS actor_name, e.transition, e.from_state, e.to_state, e.record_version, e.comment
	FROM qehs.audit_event AS e
	JOIN qehs.record AS r ON r.tenant_id = @tenant AND r.id = e.record_id AND r.deleted_at IS NULL
	JOIN qehs.module AS m ON m.tenant_id = @tenant AND m.id = e.module_id
	WHERE e.tenant_id = @tenant AND e.module_id = ANY ((SELECT qehs.report_modules(@tenant))::int4[])$$),
('workflow_states', 15, 'The states of each module in the order of its definition, with what people call them: those of older versions, too, as the last one that had them called them.',
	'{"module_key":"Key of the module","state":"Key of the state","label":"As people read it","is_current":"Whether the current version of the definition has it","place":"Number in its version, from 1"}',
	$$SELECT m.key AS module_key, s.state, COALESCE(CASE pg_catalog.jsonb_typeof(s.label) WHEN 'string' THEN s.label #>> '{}'
			WHEN 'object' THEN COALESCE(s.label ->> 'en', (SELECT l.value FROM pg_catalog.jsonb_each_text(s.label) AS l LIMIT 1)) END, s.state) AS label, s.version = m.version AS is_current, s.place
	FROM qehs.module AS m CROSS JOIN LATERAL (
		SELECT DISTINCT ON (e.state) e.state, e.place, v.version, v.definition #> ARRAY['workflow', 'stateLabels', e.state] AS label
		FROM qehs.module_version AS v CROSS JOIN LATERAL pg_catalog.jsonb_array_elements_text(v.definition #> '{workflow,states}') WITH ORDINALITY AS e (state, place)
		WHERE v.tenant_id = @tenant AND v.module_id = m.id ORDER BY e.state, v.version DESC) AS s
	WHERE m.tenant_id = @tenant AND m.id = ANY ((SELECT qehs.report_modules(@tenant))::int4[])$$),
('record_transitions', 20, 'Each stay of a live record in a state: from when to when, and how long. The last one of a record has not been left; its dwell runs to now. Source: the audit trail.',
	'{"record_id":"Id of the record","module_key":"Key of its module","display_code":"Display code of the record","visit":"Number of the stay, from 1","state":"Workflow state","state_label":"Workflow state: as people read it","entered":"When the record came into it","left":"When it left it; NULL: it is there","dwell":"How long it stayed, or has stayed until now","transition":"Transition by which it came; NULL: it was created so","actor_name":"Who fired it"}',
	$$SELECT s.record_id, s.module_key, s.display_code, pg_catalog.row_number() OVER w AS visit, s.to_state AS state, COALESCE(l.label, s.to_state) AS state_label, s.at AS entered,
	pg_catalog.lead(s.at) OVER w AS "left", COALESCE(pg_catalog.lead(s.at) OVER w, pg_catalog.now()) - s.at AS dwell, s.transition, s.actor_name
	FROM record_activity AS s LEFT JOIN workflow_states AS l ON l.module_key = s.module_key AND l.state = s.to_state WHERE s.to_state IS NOT NULL AND s.from_state IS DISTINCT FROM s.to_state
	WINDOW w AS (PARTITION BY s.record_id ORDER BY s.at, s.id)$$),
('audit', 30, 'The whole audit trail, deleted records included, for auditors. Changes are shown of modules without rules for fields, and of all to tenant-owner and tenant-admin.',
	'{"id":"Id of the event","record_id":"Id of the record","module_key":"Key of its module","display_code":"Display code of the record","action":"created, updated, transitioned, deleted, restored, migrated, …","at":"When","actor_id":"Id of who did it","actor_name":"Name of who did it","transition":"Transition that was fired","from_state":"State before","to_state":"State after","record_version":"Version of the record after it","comment":"What was said to it","reason":"Why","address":"Where the request came from","trace_id":"Trace of the request","changes":"[{path, from, to}], or the last payload of what was deleted"}',
	$$SELECT e.id, e.record_id, m.key AS module_key, qehs.display_code(m.display_prefix, r.display_no) AS display_code, e.action, e.at,
	e.actor_id, qehs.report_name(@tenant, e.actor_id) AS actor_name, e.transition, e.from_state, e.to_state, e.record_version, e.comment, e.reason, e.address, e.trace_id,
	CASE WHEN e.module_id = ANY ((SELECT qehs.report_modules(@tenant, 'changes'))::int4[]) THEN e.changes END AS changes
	FROM qehs.audit_event AS e
	LEFT JOIN qehs.record AS r ON r.tenant_id = @tenant AND r.id = e.record_id
	JOIN qehs.module AS m ON m.tenant_id = @tenant AND m.id = e.module_id
	WHERE e.tenant_id = @tenant AND e.module_id = ANY ((SELECT qehs.report_modules(@tenant, 'audit'))::int4[])$$);
SELECT pg_catalog.pg_extension_config_dump('qehs.reporter', '');
SELECT pg_catalog.pg_extension_config_dump('qehs.report_column', '');
