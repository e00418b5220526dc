# shellcheck shell=bash disable=SC2154
# The loader's parts of the bench: its speed (bulk), and what it does to the requests beside it (beside); sourced by run.sh.
#
# The database "bulk" is emptied before each load, and nothing vacuums it meanwhile. The yardstick is \copy of the finished rows,
# in the text that \copy itself has written, into the same tables with their indexes: those of qehs.record alone; with the audit events in the same
# transaction; and with the keys of the lines too.

bulk_url=/api/v1/modules/incidents/bulk
bulk_tables=(record audit_event record_unique idempotency)

bulk_psql() {
	"$PG_BIN/psql" -X -q -v ON_ERROR_STOP=1 -d bulk "$@"
}

# As a superuser may: events of the audit are only ever added otherwise.
bulk_empty() {
	bulk_psql -c 'SET session_replication_role = replica' -c "TRUNCATE $(printf 'qehs.%s, ' "${bulk_tables[@]:1}") qehs.record" -c CHECKPOINT
}

# Peak memory in MiB of the shim and of the biggest backend, without shared buffers, into DIR/peak, until the file DIR/sampling is gone.
# A process may end while it is looked at: what can't be read then counts as nothing.
bulk_sample() {
	local shim=$1 postmaster server=0 backend=0 now
	postmaster=$(head -1 "$dir/cluster/data/postmaster.pid")
	while [ -e "$dir/sampling" ]; do
		now=$(bulk_biggest "$shim")
		[ "$now" -le "$server" ] || server=$now
		# shellcheck disable=SC2046
		now=$(bulk_biggest $(cat "/proc/$postmaster/task/$postmaster/children" 2> /dev/null || true))
		[ "$now" -le "$backend" ] || backend=$now
		sleep 0.2
	done
	echo "$(((server + 1023) / 1024)) $(((backend + 1023) / 1024))" > "$dir/peak"
}

# bulk_biggest PID…: the memory in KiB of the biggest process of these that is still there, or 0.
bulk_biggest() {
	local pid
	for pid in "$@"; do
		cat "/proc/$pid/status" 2> /dev/null || true
	done | awk '/^Name/ { sum = 0 } /^RssAnon|^RssFile/ { sum += $2; if (sum > most) most = sum } END { print most + 0 }'
}

# bulk_measured SIDE PID COMMAND…: one load. Figures: rows a second, CPU of PostgreSQL, of the shim (PID) and of the client in
# milliseconds, peak memory of shim and backend in MiB.
bulk_measured() {
	local side=$1 pid=$2 begun before backends took
	shift 2
	bulk_empty
	touch "$dir/sampling"
	bulk_sample "$pid" &
	local sampler=$!
	before=$(cpu_of "$pid")
	backends=$(ended_cpu)
	begun=$(date +%s%N)
	timed "$@"
	took=$((($(date +%s%N) - begun) / 1000))
	# the load's connection ends a moment after its answer
	sleep 0.3
	rm "$dir/sampling"
	wait "$sampler"
	# shellcheck disable=SC2046
	result bulk "$side" "$((bulk_rows * 1000000 / took))" "$(($(ended_cpu) - backends))" "$(($(cpu_of "$pid") - before))" "$used" $(cat "$dir/peak")
}

# bulk_load SIDE QUERY CURL-ARGUMENT…
bulk_load() {
	local side=$1 query=$2
	shift 2
	bulk_measured "$side" "$pid_bulk" curl -sS --fail -X POST -H "Authorization: Bearer $bulk_key" -H 'Content-Type: application/x-ndjson' \
		-H 'Expect:' "$@" "$url_bulk$bulk_url$query"
	tail -1 "$dir/out" | grep -q "\"created\":$bulk_rows,\"replayed\":0,\"failed\":0" || { tail -1 "$dir/out" >&2; exit 1; }
}

# bulk_copy SIDE TABLE…: in one transaction.
bulk_copy() {
	local side=$1 table commands=()
	shift
	for table in "$@"; do
		commands+=(-c "\\copy qehs.$table FROM '$dir/bulk.$table'")
	done
	bulk_measured "$side" "$pid_bulk" bulk_psql -1 "${commands[@]}"
}

bulk_prepare() {
	"$PG_BIN/createdb" bulk
	bulk_psql -o /dev/null -c 'CREATE EXTENSION qehs' -c "SELECT qehs.tenant_create('bulk', 'Bulk')" -c "SELECT qehs.module_install('bulk', 'incidents')" \
		-c 'ALTER SYSTEM SET autovacuum = off' -c 'SELECT pg_reload_conf()' -c 'ALTER ROLE qehs_shim LOGIN'
	bulk_key=$(bulk_psql -At -c "SELECT qehs.use_tenant('bulk')" -c "SELECT qehs.api_key_create('bulk', rate_limit => 0) ->> 'key'" | tail -1)
	node tests/bench/lines.mjs "$bulk_rows" > "$dir/bulk.ndjson"
	gzip -k -3 "$dir/bulk.ndjson"
	start_server bulk ./qehs-shim --listen 127.0.0.1:PORT --threads 1 --connections "$connections" --log off \
		--db "host=$PGHOST port=$PGPORT user=qehs_shim dbname=bulk"
}

bulk_done() {
	"$PG_BIN/psql" -X -q -c 'ALTER SYSTEM RESET autovacuum' -c 'SELECT pg_reload_conf()' -o /dev/null
	kill "$pid_bulk"
	wait "$pid_bulk" 2> /dev/null || true
	"$PG_BIN/dropdb" bulk
	rm "$dir"/bulk.*
	rm -f "$dir"/{paced,busy}.paths
}

# GET beside others. Kinds: paced (16 connections that pause 10 ms) and busy (as many requests as go).
bulk_gets() {
	QEHS_BENCH_KEY=$bulk_key QEHS_PAUSE=10 clients=16 http_run paced "$1" "$url_bulk" "$pid_bulk"
	QEHS_BENCH_KEY=$bulk_key http_run busy "$1" "$url_bulk" "$pid_bulk"
}

# GET alone, beside a load that does not end, and beside clients that stall one (guests.mjs).
bulk_beside() {
	local helper answered begun
	bulk_psql -At -c "SELECT qehs.use_tenant('bulk')" -c "SELECT '/api/v1/records/' || (item ->> 'id')
		FROM json_array_elements(qehs.record_list('incidents', page_size => 25)::json -> 'items') AS item" | grep / > "$dir/paced.paths"
	cp "$dir/paced.paths" "$dir/busy.paths"
	for _ in $(seq "$rounds"); do
		bulk_gets quiet
		: > "$dir/bulk.answer"
		while cat "$dir/bulk.ndjson"; do :; done 2> /dev/null | curl -sS -N -o "$dir/bulk.answer" -H "Authorization: Bearer $bulk_key" \
			-H 'Content-Type: application/x-ndjson' -X POST -T - "$url_bulk$bulk_url" &
		helper=$!
		started+=("$helper")
		sleep 0.5
		answered=$(wc -l < "$dir/bulk.answer")
		begun=$(date +%s%N)
		bulk_gets load
		result beside load "$((($(wc -l < "$dir/bulk.answer") - answered) * 1000 / (($(date +%s%N) - begun) / 1000000)))"
		kill "$helper" || { say "the load ended too soon"; exit 1; }
		wait "$helper" || true
		node tests/bench/guests.mjs "$url_bulk$bulk_url" "$bulk_key" "$dir/bulk.ndjson" &
		helper=$!
		started+=("$helper")
		sleep 1
		bulk_gets guests
		kill "$helper"
		wait "$helper" || true
		sleep 0.5
	done
}

bench_bulk() {
	local lines="@$dir/bulk.ndjson" table
	result bulk rows "$bulk_rows"
	bulk_prepare
	bulk_load warm '' -H 'Idempotency-Key: warm' --data-binary "$lines"
	for table in "${bulk_tables[@]}"; do
		bulk_psql -c "\\copy (SELECT * FROM qehs.$table) TO '$dir/bulk.$table'"
	done
	for round in $(seq "$bulk_rounds"); do
		bulk_load plain '' --data-binary "$lines"
		bulk_copy copy record
		bulk_load keyed '' -H "Idempotency-Key: round-$round" --data-binary "$lines"
		bulk_copy copy-audit record audit_event
		bulk_load atomic '?mode=atomic' --data-binary "$lines"
		bulk_copy copy-keys "${bulk_tables[@]}"
		bulk_load gzip '' -H 'Content-Encoding: gzip' --data-binary "$lines.gz"
	done
	bulk_done
}

bench_beside() {
	bulk_prepare
	bulk_load warm '' --data-binary "@$dir/bulk.ndjson"
	bulk_beside
	bulk_done
}
