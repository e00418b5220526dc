#!/bin/bash
# Memory of one backend that serves many tenants: tests/bench/tenants.sh [TENANTS]
#
# Each tenant has a key, a user and the module incidents. One session sends a request of each of them (a create, a list and a GET of what
# was created), in transactions of their own, and says what it holds after 1, 10, 100 … tenants, and how long a request takes. A last
# round says what a new user in one tenant costs the others. PG_CONFIG is the server's, with the extension installed.
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/tools/cluster.sh
tenants=${1:-10000}
dir=$(mktemp -d /var/tmp/qehs-tenants.XXXXXX)
chmod 755 "$dir"
trap 'cluster_stop "$dir/cluster"; rm -rf "$dir"' EXIT
cluster_create "$dir/cluster" 5432
echo "listen_addresses = ''" | as_postgres tee -a "$dir/cluster/data/postgresql.conf" > /dev/null
cluster_start "$dir/cluster"
"$PG_BIN/psql" -X -q -A -t -v ON_ERROR_STOP=1 -v tenants="$tenants" -h "$dir/cluster" -U postgres -f - <<'SQL'
\o /dev/null
CREATE EXTENSION qehs;
CREATE TABLE caller (number int PRIMARY KEY, key text NOT NULL);
SELECT set_config('bench.tenants', :'tenants', false);
-- made in a session of its own, which leaves nothing in the one that is measured
SELECT qehs.tenant_create('t1', 'T1');
SELECT qehs.module_install('t1', 'incidents');
DO $$
BEGIN
	FOR i IN 1 .. current_setting('bench.tenants')::int LOOP
		IF i > 1 THEN
			PERFORM qehs.tenant_create('t' || i, 'T' || i);
		END IF;
		PERFORM qehs.use_tenant('t' || i);
		PERFORM qehs.user_create('user', 'User');
		INSERT INTO caller SELECT i, qehs.api_key_create('bench', acting_user => 'user', rate_limit => 0) ->> 'key';
	END LOOP;
	INSERT INTO qehs.module (tenant_id, id, key, name, display_prefix, version)
	SELECT t.id, m.id, m.key, m.name, m.display_prefix, m.version FROM qehs.module AS m, qehs.tenant AS t WHERE m.tenant_id = 1 AND t.id > 1;
	INSERT INTO qehs.module_version (tenant_id, module_id, version, definition, json_schema, slots, created_by)
	SELECT t.id, m.module_id, m.version, m.definition, m.json_schema, m.slots, m.created_by FROM qehs.module_version AS m, qehs.tenant AS t WHERE m.tenant_id = 1 AND t.id > 1;
END $$;
ANALYZE;
\c
CREATE PROCEDURE serve(first int, last int) LANGUAGE plpgsql AS $$
DECLARE
	record text;
	caller text;
BEGIN
	FOR i IN first .. last LOOP
		SELECT key INTO caller FROM caller WHERE number = i;
		PERFORM qehs.request_begin(caller);
		record := qehs.record_create('incidents', '{"title":"A fall","severity":"low"}') ->> 'id';
		PERFORM qehs.record_list('incidents');
		PERFORM qehs.record_get(record);
		PERFORM qehs.request_end();
		COMMIT;
	END LOOP;
END $$;
CREATE PROCEDURE measure(tenants int) LANGUAGE plpgsql AS $$
DECLARE
	done int := 0;
	wanted int := 1;
	started timestamptz;
	elapsed interval;
BEGIN
	WHILE done < tenants LOOP
		started := clock_timestamp();
		CALL serve(done + 1, wanted);
		elapsed := clock_timestamp() - started;
		RAISE NOTICE '% tenants: % MiB in memory contexts, % MiB resident, % ms a tenant', wanted,
			(SELECT (sum(total_bytes) / 1048576)::numeric(9, 1) FROM pg_backend_memory_contexts),
			(split_part(pg_read_file('/proc/self/statm'), ' ', 2)::numeric / 256 - split_part(pg_read_file('/proc/self/statm'), ' ', 3)::numeric / 256)::numeric(9, 1),
			(extract(epoch FROM elapsed) * 1000 / (wanted - done))::numeric(9, 2);
		done := wanted;
		wanted := least(wanted * 10, tenants);
	END LOOP;
	FOR round IN 1 .. 2 LOOP
		IF round = 2 THEN
			PERFORM qehs.use_tenant('t1');
			PERFORM qehs.user_create('another', 'Another');
			PERFORM qehs.module_publish('incidents', jsonb_set((qehs.module_get('incidents')::jsonb - 'jsonSchema' - 'createdAt' - 'definitionVersion'), '{name}', '"Other"'));
			COMMIT;
		END IF;
		started := clock_timestamp();
		CALL serve(greatest(tenants - 99, 2), tenants);
		RAISE NOTICE '100 tenants again%: % ms a tenant', CASE round WHEN 2 THEN ' after a publish and a new user in another' ELSE '' END,
			(extract(epoch FROM clock_timestamp() - started) * 1000 / 100)::numeric(9, 2);
	END LOOP;
END $$;
SET client_min_messages = notice;
CALL measure(:tenants);
SQL
