#!/bin/bash
# scim.sh: the costs of SCIM on a throw-away cluster (SCIM_USERS users; see scim.mjs). make bench-scim.
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/tools/cluster.sh
dir=$(mktemp -d /tmp/qehs-bench-scim.XXXXXX)
chmod 755 "$dir"
shim_pid=
finish() {
	[ -z "$shim_pid" ] || kill "$shim_pid" 2> /dev/null || true
	cluster_stop "$dir/cluster"
	rm -rf "$dir"
}
trap finish EXIT
port=$(free_port)
cluster_create "$dir/cluster" "$port"
cluster_start "$dir/cluster"
export PG_BIN PGHOST=$dir/cluster PGPORT=$port PGUSER=postgres PGDATABASE=postgres QEHS_ADMIN_DB="host=$dir/cluster port=$port user=postgres dbname=postgres"
"$PG_BIN/psql" -q -X -c 'CREATE EXTENSION qehs' -c 'ALTER ROLE qehs_shim LOGIN'
http_port=$(free_port)
export QEHS_URL=http://127.0.0.1:$http_port
./qehs-shim --listen "127.0.0.1:$http_port" --db "host=$PGHOST port=$port user=qehs_shim dbname=postgres" --log off &
shim_pid=$!
export QEHS_SHIM_PID=$shim_pid
for _ in $(seq 100); do
	curl -fs "$QEHS_URL/readyz" > /dev/null && break
	sleep 0.1
done
node tests/bench/scim.mjs
