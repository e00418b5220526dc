#!/bin/bash
# Runs pg_regress on tests/sql and the isolation tester on tests/specs against the server that PGHOST and so on name.
# SQL_TESTS names the tests of tests/sql to run instead of all, without the isolation tests.
set -euo pipefail
cd "$(dirname "$0")/.."
pgxs=$(dirname "$("${PG_CONFIG:-/usr/lib/postgresql/15/bin/pg_config}" --pgxs)")/..
out=${QEHS_TEST_OUT:-$PWD/results}
mkdir -p "$out"
PG_BIN=${PG_BIN:-$(dirname "${PG_CONFIG:-/usr/lib/postgresql/15/bin/pg_config}")}
tests=$(find sql -maxdepth 1 -name '*.sql' -printf '%f\n' | sed 's/[.]sql$//' | sort)
tests=${SQL_TESTS:-$tests}
specs=$([ -n "${SQL_TESTS:-}" ] || find . -path './specs/*.spec' -printf '%f\n' | sed 's/[.]spec$//' | sort)
# shellcheck disable=SC2086
[ -z "$tests" ] || "$pgxs/test/regress/pg_regress" --inputdir=. --outputdir="$out" --bindir="$PG_BIN" --host="${PGHOST:-/var/run/postgresql}" --port="${PGPORT:-5432}" --dbname=qehs_regress \
	--load-extension=qehs $tests
if [ -n "$specs" ]; then
	# the specs share functions: their database is made here
	export PGHOST=${PGHOST:-/var/run/postgresql} PGPORT=${PGPORT:-5432}
	"$PG_BIN/dropdb" --if-exists qehs_isolation 2> /dev/null
	"$PG_BIN/createdb" -T template0 -E UTF8 qehs_isolation
	"$PG_BIN/psql" -X -q -v ON_ERROR_STOP=1 -d qehs_isolation -f specs/include/isolation.psql
	# shellcheck disable=SC2086
	"$pgxs/test/isolation/pg_isolation_regress" --use-existing --inputdir=. --outputdir="$out" --bindir="$PG_BIN" --host="$PGHOST" \
		--port="$PGPORT" --dbname=qehs_isolation $specs
fi
