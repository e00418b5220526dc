#!/bin/bash
# Runs pg_regress on tests/sql and the isolation tester on tests/specs against the server that PGHOST and so on name.
set -euo pipefail
cd "$(dirname "$0")/.."
pgxs=$(dirname "$("${PG_CONFIG:-/usr/lib/postgresql/15/bin/pg_config}" --pgxs)")/..
out=${QEHS_TEST_OUT:-$PWD/results}
mkdir -p "$out"
PG_BIN=${PG_BIN:-$(dirname "${PG_CONFIG:-/usr/lib/postgresql/15/bin/pg_config}")}
tests=$(find sql -maxdepth 1 -name '*.sql' -printf '%f\n' | sed 's/[.]sql$//' | sort)
specs=$(find . -path './specs/*.spec' -printf '%f\n' | sed 's/[.]spec$//' | sort)
# shellcheck disable=SC2086
[ -z "$tests" ] || "$pgxs/test/regress/pg_regress" --inputdir=. --outputdir="$out" --bindir="$PG_BIN" --host="${PGHOST:-/var/run/postgresql}" --port="${PGPORT:-5432}" --dbname=qehs_regress \
	--load-extension=qehs $tests
# shellcheck disable=SC2086
[ -z "$specs" ] || "$pgxs/test/isolation/pg_isolation_regress" --inputdir=. --outputdir="$out" --bindir="$PG_BIN" --host="${PGHOST:-/var/run/postgresql}" --port="${PGPORT:-5432}" \
	--dbname=qehs_isolation --load-extension=qehs $specs
