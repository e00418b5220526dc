#!/bin/bash
# demo.sh run|start|stop: a cluster of its own in RUN_DIR, the extension, tenant acme with sample data, and the shim on PORT.
#
# As root PostgreSQL runs as the user postgres, and the shim as nobody, with the group postgres to reach the socket and no capability.
# RUN_DIR holds demo.env (addresses and keys, to be sourced), cluster (data, or a link to it), shim.log and shim.pid. A second
# run finds its data again; keys are stored in the database as hashes only, so demo.env is where they are kept. When demo.env
# is gone, the keys are lost and the data is made anew.
set -euo pipefail
here=$PWD
cd "$(dirname "$0")/../.."
. tests/tools/cluster.sh

PORT=${PORT:-8080}
RUN_DIR=${RUN_DIR:-.run}
EMPTY=${EMPTY:-}
ENV_NAMES="QEHS_URL QEHS_API_KEY QEHS_BENCH_KEY PGHOST PGPORT PGUSER PGDATABASE"
MODULES="incidents capa audits inspections actions observations establishments exposure_hours injury_cases findings nonconformances complaints risk_assessments required_courses training"
case $RUN_DIR in /*) ;; *) RUN_DIR=$here/$RUN_DIR ;; esac
url=http://127.0.0.1:$PORT
shim_pid=

die() {
	echo "demo: $*" >&2
	exit 1
}

# The cluster lives in RUN_DIR when the user that runs PostgreSQL can enter it and the path of the socket stays short enough;
# otherwise under /var/tmp, behind the link RUN_DIR/cluster.
place_cluster() {
	mkdir -p "$RUN_DIR"
	RUN_DIR=$(cd "$RUN_DIR" && pwd -P)
	if [ -e "$RUN_DIR/cluster" ]; then
		cluster=$(readlink -f "$RUN_DIR/cluster")
	elif [ ${#RUN_DIR} -le 75 ] && as_postgres test -x "$RUN_DIR"; then
		cluster=$RUN_DIR/cluster
	else
		cluster=/var/tmp/qehs-$(id -u)-$(echo "$RUN_DIR" | sha256sum | cut -c 1-12)
	fi
}

running() {
	local pid
	pid=$(cat "$RUN_DIR/shim.pid" 2> /dev/null) || return 1
	tr '\0' '\n' 2> /dev/null < "/proc/$pid/cmdline" | head -1 | grep -q 'qehs-shim$'
}

port_is_free() {
	node -e 'require("node:net").createServer().on("error", () => process.exit(1)).listen(+process.argv[1], "127.0.0.1", function () { this.close() })' "$1"
}

# Make the cluster anew.
make_cluster() {
	if [ -e "$cluster" ]; then
		[ -O "$cluster" ] || [ "$(stat -c %U "$cluster")" = postgres ] || die "$cluster belongs to somebody else"
		[ ! -e "$cluster/data/postmaster.pid" ] || cluster_stop "$cluster"
		rm -rf "$cluster"
	fi
	rm -f "$RUN_DIR/cluster" "$RUN_DIR/loaded"
	cluster_create "$cluster" 5432
	[ "$cluster" = "$RUN_DIR/cluster" ] || ln -s "$cluster" "$RUN_DIR/cluster"
	echo "listen_addresses = ''" | as_postgres tee -a "$cluster/data/postgresql.conf" > /dev/null
}

# Connections in the cluster's directory need no password: only PostgreSQL's user and group may enter it.
start_cluster() {
	if [ ! -e "$RUN_DIR/demo.env" ] || [ ! -e "$cluster/data/PG_VERSION" ]; then
		echo "Making a cluster in $cluster"
		rm -f "$RUN_DIR/demo.env"
		make_cluster
	fi
	[ "$(id -u)" != 0 ] || chgrp postgres "$cluster"
	chmod 750 "$cluster"
	if ! (cd / && as_postgres "$PG_BIN/pg_ctl" -D "$cluster/data" status) > /dev/null 2>&1; then
		cluster_start "$cluster" || { tail -20 "$cluster/postgresql.log" >&2; die "PostgreSQL did not start"; }
	fi
	export PGHOST=$cluster PGPORT=5432 PGUSER=postgres
}

sql() {
	"$PG_BIN/psql" -X -q -A -t -v ON_ERROR_STOP=1 "$@"
}

make_tenant() {
	[ "$(sql -d postgres -c "SELECT count(*) FROM pg_database WHERE datname = 'qehs'")" = 1 ] || "$PG_BIN/createdb" qehs
	sql <<-'SQL'
		SET client_min_messages = warning;
		BEGIN;
		CREATE EXTENSION qehs;
		ALTER ROLE qehs_shim LOGIN;
		SELECT qehs.tenant_create('acme', 'Acme Corporation') \g /dev/null
		SELECT qehs.use_tenant('acme') \g /dev/null
		SELECT qehs.user_create(user_name, display_name, user_name || '@acme.example', roles)
		FROM (VALUES ('dana.ortiz', 'Dana Ortiz', '{tenant-admin}'::text[]), ('sam.okafor', 'Sam Okafor', '{tenant-user,supervisor}'),
			('mei.lin', 'Mei Lin', '{tenant-user,specialist}'), ('ravi.nair', 'Ravi Nair', '{tenant-user,quality_manager,approver}'),
			('jo.weber', 'Jo Weber', '{tenant-user,manager}'), ('ana.silva', 'Ana Silva', '{viewer,auditor}'))
			AS people (user_name, display_name, roles) \g /dev/null
		SELECT qehs.user_create(lower(replace(name, ' ', '.')), name, lower(replace(name, ' ', '.')) || '@acme.example', ARRAY[CASE WHEN n % 3 = 0 THEN 'driver' ELSE 'machinist' END])
		FROM unnest('{Ada Brandt,Ben Cole,Cora Diaz,Dev Patel,Ella Frost,Finn Gale,Gus Hahn,Hana Ito,Ivo Jung,Jade Kerr,Kurt Lamb,Lena Moss,Milo Nash,Nora Oaks,Otto Pohl,Pia Quist,Quin Ross,Rosa Shaw,Seth Tran,Tess Unger,Umar Vance,Vera Wolf,Walt Xu,Yara Zech}'::text[])
			WITH ORDINALITY AS employee (name, n) \g /dev/null
		COMMIT;
	SQL
	for module in $MODULES; do
		sql -c "SELECT qehs.module_install('acme', '$module')" > /dev/null
	done
}

# new_key NAME [ARGUMENT]: the secret of a new key of acme.
new_key() {
	sql -c "SELECT qehs.use_tenant('acme')" -c "SELECT qehs.api_key_create('$1'${2:+, $2})::jsonb ->> 'key'" | tail -1
}

write_env() {
	(
		umask 077
		{
			for name in $ENV_NAMES; do
				printf '%s=%q\n' "$name" "${!name}"
			done
			echo "export $ENV_NAMES"
		} > "$RUN_DIR/demo.env.new"
	)
	mv "$RUN_DIR/demo.env.new" "$RUN_DIR/demo.env"
}

prepare_database() {
	export PGDATABASE=qehs QEHS_URL=$url QEHS_API_KEY='' QEHS_BENCH_KEY=''
	if [ -e "$RUN_DIR/demo.env" ]; then
		eval "$(grep -E '^QEHS_(API|BENCH)_KEY=' "$RUN_DIR/demo.env")"
		sql -c "SET client_min_messages = warning" -c "ALTER EXTENSION qehs UPDATE"
	else
		make_tenant
		QEHS_API_KEY=$(new_key demo)
		QEHS_BENCH_KEY=$(new_key bench 'rate_limit => 0')
	fi
	write_env
}

# As root from a copy that the shim may execute, with its log through a descriptor, since the checkout and RUN_DIR need not be for others.
start_shim() {
	local shim=./qehs-shim storage=$cluster/storage unprivileged=()
	if [ "$(id -u)" = 0 ]; then
		shim=$cluster/qehs-shim
		install -g postgres -m 750 qehs-shim "$shim"
		unprivileged=(setpriv --reuid nobody --regid postgres --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all --)
	fi
	mkdir -p "$storage"
	[ "$(id -u)" != 0 ] || chown nobody "$storage"
	"${unprivileged[@]}" "$shim" --listen "127.0.0.1:$PORT" --db "host=$PGHOST port=$PGPORT user=qehs_shim dbname=$PGDATABASE" \
		--storage "$storage" --log stderr < /dev/null >> "$RUN_DIR/shim.log" 2>&1 &
	shim_pid=$!
	echo "$shim_pid" > "$RUN_DIR/shim.pid"
	for _ in $(seq 150); do
		! curl -fs -o /dev/null "$url/readyz" || return 0
		kill -0 "$shim_pid" 2> /dev/null || break
		sleep 0.1
	done
	tail -5 "$RUN_DIR/shim.log" >&2 || true
	die "the shim did not get ready"
}

# demo_users WHAT [NOT]: of the users who work in the plants, or not.
demo_users() {
	sql -c "SELECT $1 FROM qehs.user_account AS u WHERE tenant_id = (SELECT id FROM qehs.tenant WHERE slug = 'acme') AND $2 EXISTS (SELECT FROM qehs.role_member AS m
		JOIN qehs.role AS r USING (tenant_id) WHERE m.tenant_id = u.tenant_id AND m.user_id = u.id AND r.id = m.role_id AND r.name IN ('machinist', 'driver'))"
}

load_sample() {
	if [ -z "$EMPTY" ] && [ ! -e "$RUN_DIR/loaded" ]; then
		export QEHS_SIGNER_CREDENTIAL="the secret of Jo Weber" QEHS_SIGNER_KEY
		QEHS_SIGNER_KEY=$(new_key 'sample signatures' "acting_user => 'jo.weber', rate_limit => 0, expires_at => now() + interval '1 hour'")
		sql -c "SELECT qehs.use_tenant('acme', 'jo.weber')" -c "SELECT qehs.signature_credential_set('$QEHS_SIGNER_CREDENTIAL',
			CASE WHEN EXISTS (SELECT FROM qehs.signature_credential) THEN '$QEHS_SIGNER_CREDENTIAL' END)" > /dev/null
		export QEHS_DEMO_USERS QEHS_DEMO_EMPLOYEES
		QEHS_DEMO_USERS=$(demo_users 'json_object_agg(user_name, id)' NOT)
		QEHS_DEMO_EMPLOYEES=$(demo_users 'json_agg(id ORDER BY user_name)' '')
		node tests/data/load.mjs
		node tests/data/year.mjs
		sql -c "SELECT qehs.report_publish('acme')" > /dev/null
		touch "$RUN_DIR/loaded"
	fi
}

stop_shim() {
	local pid
	pid=$(cat "$RUN_DIR/shim.pid" 2> /dev/null || true)
	if running; then
		kill "$pid"
		for _ in $(seq 320); do
			kill -0 "$pid" 2> /dev/null || break
			sleep 0.1
		done
	fi
	rm -f "$RUN_DIR/shim.pid"
}

stop_all() {
	stop_shim
	[ ! -e "$cluster/data/postmaster.pid" ] || cluster_stop "$cluster"
}

print_guide() {
	# the newest incident that waits for its first transition, to have an id to show
	local id
	id=$(curl -fs -H "Authorization: Bearer $QEHS_BENCH_KEY" "$url/api/v1/records?moduleKey=incidents&status=reported&limit=1" |
		jq -r '.items[0].id // "REC_ID"')
	cat <<-TEXT

		qehs serves tenant acme at $url
		API key: $QEHS_API_KEY   (also in $RUN_DIR/demo.env)

		List, with a filter and a sort:
		  curl -g -H 'Authorization: Bearer $QEHS_API_KEY' \\
		    '$url/api/v1/records?moduleKey=incidents&filter[severity]=critical&sort=-occurred_at&limit=2'
		Create:
		  curl -H 'Authorization: Bearer $QEHS_API_KEY' -H 'Content-Type: application/json' \\
		    -d '{"moduleKey":"incidents","payload":{"title":"Slip on wet stairs","severity":"low"}}' $url/api/v1/records
		Move through the workflow:
		  curl -H 'Authorization: Bearer $QEHS_API_KEY' -H 'Content-Type: application/json' \\
		    -d '{"transition":"accept","comment":"Seen"}' $url/api/v1/records/$id:transition

		SQL: . $RUN_DIR/demo.env && psql -c "SELECT qehs.use_tenant('acme')" -c "SELECT qehs.record_list('incidents', page_size => 2)"
	TEXT
}

begin() {
	[ -x ./qehs-shim ] || die "build first: make"
	place_cluster
	exec 9> "$RUN_DIR/lock"
	flock -n 9 || die "another start in $RUN_DIR is under way"
	if running; then
		[ "$1" = start ] || die "already running in the background; make stop first"
		# shellcheck disable=SC1091
		. "$RUN_DIR/demo.env"
		echo "already running at $QEHS_URL"
		exit 0
	fi
	port_is_free "$PORT" || die "port $PORT is in use; choose another: make $1 PORT=$((PORT + 1))"
	# whatever fails from here on leaves nothing running
	trap stop_all EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	# the lock ends with this script, not with the servers that it starts
	start_cluster 9>&-
	prepare_database 9>&-
	start_shim 9>&-
	load_sample 9>&-
	flock -u 9
	print_guide
}

case ${1:-} in
run)
	begin run
	trap 'exit 0' INT TERM
	echo
	echo "Ctrl-C stops it all."
	wait "$shim_pid" || true
	;;
start)
	set -m # a process group of its own: Ctrl-C in this terminal does not reach the shim later
	begin start
	trap - EXIT INT TERM
	echo
	echo "make stop stops it."
	;;
stop)
	place_cluster
	stop_all
	;;
*)
	die "usage: demo.sh run|start|stop"
	;;
esac
