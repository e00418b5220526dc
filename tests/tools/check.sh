#!/bin/bash
# All tests on a cluster of their own: SQL, isolation, conformance, HTTP, faults, browser. Fails when one stage fails.
#
# QEHS_TEST_OUT names a folder that keeps the diffs and the screenshots of the portal. QEHS_STAGES says which stages run of sql
# (with isolation and conformance), http (with faults) and browser. QEHS_SHIM_BIN is another shim than ./qehs-shim; what one that
# is built with sanitizers reports fails the run.
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/tools/cluster.sh
stages=" ${QEHS_STAGES:-sql http browser} "
export QEHS_SHIM_BIN=${QEHS_SHIM_BIN:-$PWD/qehs-shim}
dir=$(mktemp -d /tmp/qehs-check.XXXXXX)
chmod 755 "$dir"
shim_pid=
stop_shim() {
	[ -n "$shim_pid" ] || return 0
	kill "$shim_pid" 2> /dev/null || true
	wait "$shim_pid" || true
	shim_pid=
}
finish() {
	stop_shim
	cluster_stop "$dir/cluster"
	rm -rf "$dir"
}
trap finish EXIT
port=$(free_port)
cluster_create "$dir/cluster" "$port"
cluster_start "$dir/cluster"
export PG_BIN PGHOST=$dir/cluster PGPORT=$port PGUSER=postgres PGDATABASE=postgres QEHS_TEST_DIR=$dir QEHS_TEST_OUT=${QEHS_TEST_OUT:-$dir/results}
failed=0
has_stage() {
	[[ $stages == *" $1 "* ]]
}

if has_stage sql; then
	node tests/tools/source_rules.mjs || failed=1
	tests/tools/sql_tests.sh | tee "$dir/sql.log" || {
		failed=1
		cat "$QEHS_TEST_OUT"/*.diffs
	}
fi

createdb qehs_http
psql -q -X -d qehs_http -c 'CREATE EXTENSION qehs' -c 'ALTER ROLE qehs_shim LOGIN'
export PGDATABASE=qehs_http QEHS_ADMIN_DB="host=$PGHOST port=$port user=postgres dbname=qehs_http"
if has_stage sql; then
	for suite in tests/conformance/*.mjs; do
		node "$suite" || failed=1
	done
fi
if [ -x "$QEHS_SHIM_BIN" ]; then
	http_port=$(free_port)
	export QEHS_URL=http://127.0.0.1:$http_port
	# to files, one a process, so that no report is lost in the output of a test
	export ASAN_OPTIONS=quarantine_size_mb=8:log_path=$dir/sanitizer UBSAN_OPTIONS=print_stacktrace=1:log_path=$dir/sanitizer
	"$QEHS_SHIM_BIN" --listen "127.0.0.1:$http_port" --db "host=$PGHOST port=$port user=qehs_shim dbname=qehs_http" \
		--log "$dir/shim.log" &
	shim_pid=$!
	export QEHS_SHIM_PID=$shim_pid QEHS_SHIM_LOG=$dir/shim.log
	for _ in $(seq 100); do
		curl -fs "$QEHS_URL/readyz" > /dev/null && break
		sleep 0.1
	done
	# every answer that the tests receive is held against the document
	export QEHS_CONTRACT=$dir/spec.json
	curl -fs "$QEHS_URL/api/docs/spec.json" > "$QEHS_CONTRACT"
fi
if has_stage http; then
	node --test tests/http/*.test.mjs tests/fault/*.test.mjs || failed=1
fi
# apart from the others: a browser wants a processor for itself
if has_stage browser; then
	node --test tests/browser/*.test.mjs || failed=1
fi
stop_shim
for report in "$dir"/sanitizer.*; do
	[ ! -e "$report" ] || { cat "$report"; failed=1; }
done
exit $failed
