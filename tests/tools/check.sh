#!/bin/bash
# All tests on a cluster of their own: SQL, isolation, conformance, HTTP, faults, browser. Fails when one stage fails.
#
# QEHS_TEST_OUT names a folder that keeps the diffs and the screenshots of the portal. QEHS_STAGES says which stages run of sql
# (with the rules of the sources, isolation and conformance), rules (what the build shows, and that the rules see what is planted), http (with faults), browser, fuzz and, when asked for (make interop, make soak), interop and soak. HTTP_TESTS names the files of the stage http to
# run instead of all, SQL_TESTS the tests of tests/sql, without isolation and conformance. QEHS_SHIM_BIN is another shim than ./qehs-shim; what one that is built with sanitizers reports fails the run.
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/tools/cluster.sh
stages=" ${QEHS_STAGES:-rules sql http browser fuzz} "
export QEHS_SHIM_BIN=${QEHS_SHIM_BIN:-$PWD/qehs-shim}
dir=$(mktemp -d /tmp/qehs-check.XXXXXX)
chmod 755 "$dir"
shim_pid=
job=
stop_shim() {
	[ -n "$shim_pid" ] || return 0
	kill "$shim_pid" 2> /dev/null || true
	wait "$shim_pid" || true
	shim_pid=
}
finish() {
	[ -z "$job" ] || kill -KILL -- "-$job" 2> /dev/null || true
	stop_shim
	# those of tests too, where a test was killed
	find "$dir" -maxdepth 4 -name postmaster.pid -path '*/data/*' | while read -r file; do
		cluster_stop "${file%/data/*}" immediate
	done
	rm -rf "$dir"
}
trap finish EXIT
trap 'exit 130' INT TERM
port=$(free_port)
cluster_create "$dir/cluster" "$port"
cluster_start "$dir/cluster"
export PG_BIN PGHOST=$dir/cluster PGPORT=$port PGUSER=postgres PGDATABASE=postgres QEHS_TEST_DIR=$dir QEHS_TEST_OUT=${QEHS_TEST_OUT:-$dir/results}
failed=0
times=
has_stage() {
	[[ $stages == *" $1 "* ]]
}

# part NAME COMMAND…: run it, and tell at the end how long it took. What takes longer than QEHS_PART_SECONDS (40 minutes) hangs: it is told what runs
# still, which is then ended, with all that it has started.
part() {
	local name=$1 begun=$SECONDS limit=${QEHS_PART_SECONDS:-2400}
	shift
	# a group of processes of its own
	set -m
	"$@" < /dev/null &
	job=$!
	set +m
	while kill -0 "$job" 2> /dev/null; do
		if [ $((SECONDS - begun)) -gt "$limit" ]; then
			echo "check: $name has not ended in $limit s. It still runs:"
			ps -eo pgid,pid,etime,args | awk -v group="$job" '$1 == group' || true
			kill -- "-$job" || true
			sleep 10
			kill -KILL -- "-$job" 2> /dev/null || true
		fi
		sleep 0.3
	done
	wait "$job" || { failed=1; echo "check: $name FAILED"; }
	job=
	times+="check: $name took $((SECONDS - begun)) s"$'\n'
}

# Node's runner: a file that takes longer than QEHS_FILE_SECONDS (15 minutes; those of interop run whole suites) is ended and named, and one that leaves
# timers or connections behind ends all the same, where this version of node knows how.
node_test() {
	local flags=(--test)
	if node --test --test-force-exit --test-timeout=1 --version > /dev/null 2>&1; then
		flags+=(--test-force-exit --test-timeout=$((${QEHS_FILE_SECONDS:-900} * 1000)))
	fi
	node "${flags[@]}" "$@"
}

sql_tests() {
	tests/tools/sql_tests.sh | tee "$dir/sql.log" || {
		cat "$QEHS_TEST_OUT"/*.diffs
		return 1
	}
}

conformance() {
	local suite status=0
	for suite in tests/conformance/*.mjs; do
		node "$suite" || status=1
	done
	return "$status"
}

if has_stage rules; then
	part circles node tests/tools/circles.mjs
	part planted node_test tests/tools/*.test.mjs
fi
if has_stage sql; then
	part rules node tests/tools/source_rules.mjs
	part sql sql_tests
fi
if has_stage fuzz; then
	FUZZ_SEED=${FUZZ_SEED:-1} part fuzz tests/fuzz/run.sh "${FUZZ_SECONDS:-5}"
fi

createdb qehs_http
psql -q -X -d qehs_http -c 'CREATE EXTENSION qehs' -c 'ALTER ROLE qehs_shim LOGIN'
export PGDATABASE=qehs_http QEHS_ADMIN_DB="host=$PGHOST port=$port user=postgres dbname=qehs_http"
if has_stage sql && [ -z "${SQL_TESTS:-}" ]; then
	part conformance conformance
fi
if [ -x "$QEHS_SHIM_BIN" ]; then
	http_port=$(free_port)
	export QEHS_URL=http://127.0.0.1:$http_port
	# to files, one a process, so that no report is lost in the output of a test
	export ASAN_OPTIONS=quarantine_size_mb=8:log_path=$dir/sanitizer UBSAN_OPTIONS=print_stacktrace=1:log_path=$dir/sanitizer
	"$QEHS_SHIM_BIN" --listen "127.0.0.1:$http_port" --db "host=$PGHOST port=$port user=qehs_shim dbname=qehs_http" \
		--storage "$dir/storage" --log "$dir/shim.log" &
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
	# shellcheck disable=SC2086
	if [ -n "${HTTP_TESTS:-}" ]; then
		part http node_test $HTTP_TESTS
	else
		part http node_test tests/http/*.test.mjs
		part fault node_test tests/fault/*.test.mjs
	fi
fi
# apart from the others: a browser wants a processor for itself
if has_stage browser; then
	part browser node_test tests/browser/*.test.mjs
fi
if has_stage interop; then
	QEHS_FILE_SECONDS=${QEHS_FILE_SECONDS:-2400} part interop node_test tests/interop/*.test.mjs
fi
if has_stage soak; then
	QEHS_PART_SECONDS=${QEHS_PART_SECONDS:-$((${SOAK_SECONDS:-14400} + 7200))} part soak tests/tools/soak.sh
fi
stop_shim
for report in "$dir"/sanitizer.*; do
	[ ! -e "$report" ] || { cat "$report"; failed=1; }
done
printf '%s' "$times"
exit $failed
