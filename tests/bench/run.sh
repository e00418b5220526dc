#!/bin/bash
# The bench (make bench): qehs against its yardsticks, in turns (A/B/A/B), in one run on a cluster of its own.
#
#   run.sh [--record]     --record appends the figures to RESULTS.md
#
# BENCH_SECONDS (3) and BENCH_ROUNDS (3) say how long, BENCH_ROWS (1000000) how big the table of the page walk, BENCH_BULK_ROWS
# (200000) how much the loader loads, BENCH_BULK_ROUNDS (2) how often, BENCH_ONLY (all of "http graphql conventions sql bulk beside schema documents
# depth idle", and workflow) which parts; of http, BENCH_KINDS ("get page create") which requests, and BENCH_PEERS (1; 0 without) whether beside Fastify too.
# The database settings are those of the tests but for memory; commits are durable.
# start_server sets the variables url_NAME and pid_NAME by their names.
# shellcheck disable=SC2154
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/tools/cluster.sh
. tests/bench/bulk.sh
. tests/bench/workflow.sh

seconds=${BENCH_SECONDS:-3}
rounds=${BENCH_ROUNDS:-3}
rows=${BENCH_ROWS:-1000000}
bulk_rows=${BENCH_BULK_ROWS:-200000}
bulk_rounds=${BENCH_BULK_ROUNDS:-2}
parts=${BENCH_ONLY:-http graphql conventions sql bulk beside schema documents depth idle}
kinds=${BENCH_KINDS:-get page create}
peers=${BENCH_PEERS:-1}
connections=4
clients=64
record=
[ "${1:-}" != --record ] || record=1
dir=$(mktemp -d /var/tmp/qehs-bench.XXXXXX)
chmod 755 "$dir"
started=()

finish() {
	rm -f "$dir/sampling"
	for pid in "${started[@]}"; do
		kill "$pid" 2> /dev/null || true
	done
	wait
	[ ! -e "$dir/cluster/data/postmaster.pid" ] || cluster_stop "$dir/cluster"
	rm -rf "$dir"
}

say() {
	echo "bench: $*" >&2
}

install_tools() {
	if ! command -v wrk > /dev/null; then
		[ "$(id -u)" = 0 ] || { say "wrk is missing: apt-get install wrk"; exit 1; }
		apt-get update -qq
		DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends wrk > /dev/null
	fi
	[ -e tests/bench/node_modules/.package-lock.json ] || npm ci --prefix tests/bench --no-audit --no-fund --silent
}

start_database() {
	export PGHOST=$dir/cluster PGPORT=5432 PGUSER=postgres PGDATABASE=bench
	cluster_create "$dir/cluster" "$PGPORT"
	as_postgres tee -a "$dir/cluster/data/postgresql.conf" > /dev/null <<-'CONF'
		listen_addresses = ''
		shared_buffers = 1GB
		max_wal_size = 8GB
		checkpoint_timeout = 30min
	CONF
	cluster_start "$dir/cluster"
	"$PG_BIN/createdb" bench
	node tests/bench/prepare.mjs "$dir"
	# shellcheck disable=SC1091
	. "$dir/env"
	export QEHS_BENCH_KEY QEHS_METERED_KEY
	defines=()
	while IFS= read -r line; do
		defines+=(-D "$line")
	done < "$dir/vars"
}

# start_server NAME COMMAND…: in the background; its address goes to url_NAME and its pid to pid_NAME.
start_server() {
	local name=$1 port
	shift
	port=$(free_port)
	"${@//PORT/$port}" > "$dir/$name.out" 2>&1 &
	started+=($!)
	declare -g "pid_$name=$!" "url_$name=http://127.0.0.1:$port"
	for _ in $(seq 600); do
		! curl -fs -o /dev/null "http://127.0.0.1:$port/readyz" || return 0
		kill -0 "${started[-1]}" 2> /dev/null || break
		sleep 0.1
	done
	tail -5 "$dir/$name.out" >&2
	say "$name did not get ready"
	exit 1
}

# Processor time of processes, in milliseconds.
cpu_of() {
	local pid stat sum=0
	for pid in "$@"; do
		stat=$(cat "/proc/$pid/stat" 2> /dev/null) || continue
		# shellcheck disable=SC2086
		set -- ${stat##*) }
		sum=$((sum + (${12} + ${13}) * 10))
	done
	echo "$sum"
}

result() {
	echo "$*" >> "$dir/results"
	say "$*"
}

# timed COMMAND…: run it; its processor time in milliseconds goes to used, its output to DIR/out.
timed() {
	local TIMEFORMAT='%U %S'
	{ time "$@" > "$dir/out" 2> "$dir/err"; } 2> "$dir/time" || { cat "$dir/err" >&2; exit 1; }
	used=$(awk '{ print int(($1 + $2) * 1000) }' "$dir/time")
}

# http_run KIND SIDE URL PID: one round of wrk. Figures: requests a second, p50, p99, CPU of server, of PostgreSQL and of wrk.
http_run() {
	local kind=$1 side=$2 url=$3 pid=$4 before backends backends_before count
	backends=$("$PG_BIN/psql" -X -At -c "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()")
	before=$(cpu_of "$pid")
	# shellcheck disable=SC2086
	backends_before=$(cpu_of $backends)
	timed wrk_round "$kind" "$url"
	# shellcheck disable=SC2046
	set -- $(grep '^RESULT' "$dir/out")
	count=$(($2 * seconds + 1))
	[ "$3" = 0 ] || say "$3 answers were not 2xx ($kind, $side)"
	[ "$3" -le $((count / 100)) ] || exit 1
	# shellcheck disable=SC2086
	result "$kind" "$side" "$2" "$4" "$5" "$((($(cpu_of "$pid") - before) * 1000 / count))" \
		"$((($(cpu_of $backends) - backends_before) * 1000 / count))" "$((used * 1000 / count))"
}

wrk_round() {
	unset QEHS_TARGET
	if [[ $1 == create* ]]; then
		export QEHS_BODIES=$dir/create.bodies
	elif [[ $1 == *graphql* || $1 == postgraphile* ]]; then
		export QEHS_BODIES=$dir/$1.bodies QEHS_TARGET=/api/graphql
		[[ $1 != postgraphile* ]] || QEHS_TARGET=/graphql
	else
		unset QEHS_BODIES
		export QEHS_PATHS=$dir/$1.paths
	fi
	wrk -t1 -c$clients -d"${seconds}s" --latency -s tests/bench/wrk.lua "$2"
}

# Processor time of the backends that have ended, in milliseconds.
ended_cpu() {
	awk '{ print ($16 + $17) * 10 }' "/proc/$(head -1 "$dir/cluster/data/postmaster.pid")/stat"
}

# sql_run KIND SIDE USER SCRIPTS: one round of pgbench with the scripts DIR/SCRIPTS.*.sql. Figures as of http_run, without p50 and p99.
sql_run() {
	local kind=$1 side=$2 user=$3 files=() file tps before count
	for file in "$dir/$4".*.sql; do
		files+=(-f "$file")
	done
	before=$(ended_cpu)
	timed "$PG_BIN/pgbench" -U "$user" -n -M prepared -c $connections -j "${BENCH_JOBS:-1}" -T "$seconds" "${defines[@]}" "${files[@]}"
	# the backends end a moment after their client
	sleep 0.2
	tps=$(sed -n 's/^tps = \([0-9]*\).*/\1/p' "$dir/out" | head -1)
	count=$((tps * seconds + 1))
	result "$kind" "$side" "$tps" - - - "$((($(ended_cpu) - before) * 1000 / count))" "$((used * 1000 / count))"
}

# The yardsticks of a GET in pgbench: the three statements in a pipeline, the same three calls in one statement, and the payload alone.
bench_http() {
	local kind url name pid
	start_server shim ./qehs-shim --listen 127.0.0.1:PORT --threads 1 --connections $connections --log off \
		--db "host=$PGHOST port=$PGPORT user=qehs_shim dbname=bench"
	if [ "$peers" = 1 ]; then
		start_server pool node tests/bench/peer.mjs PORT $connections pool
		start_server pipeline node tests/bench/peer.mjs PORT $connections pipeline
	fi
	# once for nothing: plans, caches, compiled JavaScript
	for kind in $kinds; do
		for url in "$url_shim" "${url_pool:-}" "${url_pipeline:-}"; do
			[ -z "$url" ] || seconds=1 timed wrk_round "$kind" "$url"
		done
	done
	for kind in $kinds; do
		for _ in $(seq "$rounds"); do
			http_run "$kind" shim "$url_shim" "$pid_shim"
			sql_run "$kind" pgbench qehs_shim "$kind"
			sql_run "$kind" pgbench-one qehs_shim "$kind-one"
			[ "$kind" != get ] || sql_run get pgbench-plain postgres get-plain
			[ "$peers" = 1 ] || continue
			http_run "$kind" fastify-pool "$url_pool" "$pid_pool"
			http_run "$kind" fastify-pipeline "$url_pipeline" "$pid_pipeline"
		done
	done
	for name in shim pool pipeline; do
		pid=pid_$name
		[ -z "${!pid:-}" ] || result memory "$name" "$(awk '/VmRSS/ { print int($2 / 1024 + 0.5) }' "/proc/${!pid}/status")"
	done
}

# PostGraphile 5 over a table of just the fields that are asked for; it needs Node 22, which a package of npm brings.
start_postgraphile() {
	(cd tests/bench/postgraphile && { [ -e node_modules/.package-lock.json ] || npm ci --no-audit --no-fund --silent; })
	"$PG_BIN/psql" -X -q -f - <<-'SQL'
		CREATE SCHEMA peer;
		CREATE TABLE peer.incident AS SELECT id, 'INC-' || display_no / 1000000000 || '-' || lpad((display_no % 1000000000)::text, 4, '0') AS display_code,
			payload ->> 'title' AS title, payload ->> 'severity' AS severity, workflow_state, (payload ->> 'occurred_at')::timestamptz AS occurred_at, version FROM qehs.record;
		ALTER TABLE peer.incident ADD PRIMARY KEY (id);
		ANALYZE peer.incident;
	SQL
	local port
	port=$(free_port)
	(cd tests/bench/postgraphile && PORT=$port CONNECTIONS=$connections NODE_ENV=production GRAPHILE_ENV=production \
		exec node_modules/node/bin/node node_modules/postgraphile/dist/cli-run.js) > "$dir/postgraphile.out" 2>&1 &
	started+=($!)
	pid_postgraphile=$! url_postgraphile=http://127.0.0.1:$port
	for _ in $(seq 300); do
		! curl -fs -o /dev/null -H 'Content-Type: application/json' -d '{"query":"{ __typename }"}' "$url_postgraphile/graphql" || return 0
		sleep 0.1
	done
	say "PostGraphile did not get ready"
	exit 1
}

# GraphQL: a record and a page of 50 with seven fields, against the same by hand in SQL and, with BENCH_PEERS, PostGraphile.
bench_graphql() {
	local kind
	start_server graphql ./qehs-shim --listen 127.0.0.1:PORT --threads 1 --connections $connections --log off \
		--db "host=$PGHOST port=$PGPORT user=qehs_shim dbname=bench"
	[ "$peers" != 1 ] || start_postgraphile
	for kind in get page; do
		seconds=1 timed wrk_round graphql-$kind "$url_graphql"
		[ "$peers" != 1 ] || seconds=1 timed wrk_round postgraphile-$kind "$url_postgraphile"
		for _ in $(seq "$rounds"); do
			http_run graphql-$kind shim "$url_graphql" "$pid_graphql"
			sql_run graphql-$kind hand postgres graphql-$kind
			[ "$peers" != 1 ] || http_run postgraphile-$kind server "$url_postgraphile" "$pid_postgraphile"
		done
	done
}

# The conventions (rate limit, idempotency, trace, conditions) against requests without them, and creates also without durable
# commits, behind which they hide. The table of keys grows with each round, as it does in a day.
bench_conventions() {
	start_server conventions ./qehs-shim --listen 127.0.0.1:PORT --threads 1 --connections $connections --log off \
		--db "host=$PGHOST port=$PGPORT user=qehs_shim dbname=bench"
	for kind in get create create-async; do
		[ $kind != create-async ] ||
			"$PG_BIN/psql" -X -q -c 'ALTER SYSTEM SET synchronous_commit = off' -c 'SELECT pg_reload_conf()' -o /dev/null
		seconds=1 QEHS_CONVENTIONS=1 timed wrk_round $kind "$url_conventions"
		for _ in $(seq "$rounds"); do
			QEHS_CONVENTIONS=1 http_run $kind with "$url_conventions" "$pid_conventions"
			http_run $kind without "$url_conventions" "$pid_conventions"
		done
	done
	"$PG_BIN/psql" -X -q -c 'ALTER SYSTEM RESET synchronous_commit' -c 'SELECT pg_reload_conf()' -o /dev/null
}

bench_sql() {
	for _ in $(seq "$rounds"); do
		sql_run record_create call postgres call
		sql_run record_create insert postgres insert
		PGOPTIONS='-c synchronous_commit=off' sql_run record_create-async call postgres call
		PGOPTIONS='-c synchronous_commit=off' sql_run record_create-async insert postgres insert
	done
}

bench_schema() {
	say "validating documents by JSON Schema"
	node tests/bench/jsonschema.mjs > "$dir/schema.txt"
}

# The kept OpenAPI document of a tenant with 20 modules, with the time of psql to take its text.
bench_documents() {
	"$PG_BIN/psql" -X -q -o /dev/null -c "SELECT qehs.tenant_create('documents', 'Documents')" -c "SELECT qehs.use_tenant('documents')" \
		-c "SELECT qehs.module_publish('module_' || n, definition || jsonb_build_object('key', 'module_' || n, 'displayCode',
			jsonb_build_object('prefix', 'M' || n))) FROM qehs.module_catalogue, generate_series(1, 20) AS n WHERE key = 'incidents'"
	{
		printf '%s\n' "SELECT qehs.use_tenant('documents') \\g /dev/null" 'SELECT qehs.openapi() \g /dev/null' '\timing on'
		for _ in $(seq 25); do echo 'SELECT qehs.openapi() \g /dev/null'; done
	} > "$dir/documents.sql"
	result documents openapi "$("$PG_BIN/psql" -X -q -f "$dir/documents.sql" | sed -n 's/^Time: \([0-9.]*\) ms.*/\1/p' | sort -n | sed -n 13p)"
}

bench_depth() {
	local begun
	say "filling a tenant with $rows records through record_create"
	"$PG_BIN/psql" -X -q -o /dev/null -c "SELECT qehs.tenant_create('depth', 'Depth')" -c "SELECT qehs.module_install('depth', 'incidents')"
	begun=$(date +%s%N)
	# real payloads over and over, each on a random second of the three years
	for session in 0 1; do
		"$PG_BIN/psql" -X -q -o /dev/null -c "SELECT qehs.use_tenant('depth')" -c "SELECT count(qehs.record_create('incidents',
			jsonb_set(payload, '{occurred_at}', to_jsonb(to_char(timestamp '2015-01-01' +
				((hashint8(2 * number + $session) & 2147483647) % 94694400) * interval '1 second', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')))))
			FROM (SELECT payload, row_number() OVER () AS number
				FROM public.sample, generate_series(1, $((rows / 40000 + 1))) LIMIT $((rows / 2))) AS rows" &
		started+=($!)
	done
	wait "${started[@]: -2}"
	result fill record_create "$((rows * 1000 / (($(date +%s%N) - begun) / 1000000)))"
	"$PG_BIN/psql" -X -q -c 'VACUUM ANALYZE qehs.record' -c CHECKPOINT
	node tests/bench/depth.mjs > "$dir/depth.md"
}

bench_idle() {
	local out
	ulimit -n 4096 2> /dev/null || true
	start_server idle ./qehs-shim --listen 127.0.0.1:PORT --threads 1 --connections $connections --log off \
		--db "host=$PGHOST port=$PGPORT user=qehs_shim dbname=bench"
	out=$(node tests/bench/idle.mjs "$url_idle$(head -1 "$dir/get.paths")" "$pid_idle" 1000)
	# shellcheck disable=SC2086
	result idle 1000 $out
}

report() {
	echo "## $(date -u '+%Y-%m-%d %H:%M') UTC, commit $(git rev-parse --short HEAD 2> /dev/null || echo '?')"
	echo
	echo "$(nproc) processors ($(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -1)), $(free -g | awk '/^Mem/ { print $2 }') GB," \
		"$("$PG_BIN/pg_config" --version | sed 's/ (.*//'), node $(node --version)."
	echo "wrk with $clients connections, $connections PostgreSQL connections a side, $rounds rounds of ${seconds} s in turns: medians of the" \
		"figures, and of the ratios of neighbours."
	echo
	node tests/bench/report.mjs "$dir/results"
	if [ -e "$dir/schema.txt" ]; then
		echo
		echo "JSON Schema validation:"
		echo
		sed 's/^/    /' "$dir/schema.txt"
	fi
	if [ -e "$dir/depth.md" ]; then
		echo
		echo "Pages of 50 among $rows records, by cursor:"
		echo
		cat "$dir/depth.md"
	fi
}

trap finish EXIT
trap 'exit 130' INT TERM
[ -x ./qehs-shim ] || { say "build first: make"; exit 1; }
install_tools
: > "$dir/results"
start_database
for part in $parts; do
	"bench_$part"
done
report > "$dir/report.md"
cat "$dir/report.md"
if [ -n "$record" ]; then
	{ echo; cat "$dir/report.md"; } >> tests/bench/RESULTS.md
fi
