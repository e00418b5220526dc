#!/bin/bash
# Runs the SQL tests on a server under valgrind, and fails when valgrind finds an error with the extension in its stack.
#
# SQL_TESTS names some of the tests; all of them take a few minutes. Errors of PostgreSQL alone do not count; valgrind.supp holds those
# that PostgreSQL causes beneath the extension.
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/tools/cluster.sh
if ! command -v valgrind > /dev/null; then
	if [ "$(id -u)" != 0 ]; then
		echo "missing tool; install it as root: apt-get install valgrind" >&2
		exit 1
	fi
	apt-get update -qq
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends valgrind > /dev/null
fi

dir=$(mktemp -d /tmp/qehs-valgrind.XXXXXX)
chmod 755 "$dir"
finish() {
	[ ! -e "$dir/cluster/data/postmaster.pid" ] || cluster_stop "$dir/cluster"
	rm -rf "$dir"
}
trap finish EXIT
mkdir -m 1777 "$dir/reports"
cp tests/tools/valgrind.supp "$dir"
cat > "$dir/postgres" <<WRAPPER
#!/bin/sh
exec valgrind --quiet --leak-check=no --track-origins=yes --num-callers=40 --suppressions=$dir/valgrind.supp --xml=yes \\
	--xml-file=$dir/reports/%p.xml "$PG_BIN/postgres" "\$@"
WRAPPER
chmod 755 "$dir/postgres"

port=$(free_port)
cluster_create "$dir/cluster" "$port"
# a start under valgrind takes its time
PGCTLTIMEOUT=300 cluster_start "$dir/cluster" -p "$dir/postgres"
failed=0
export SQL_TESTS=${SQL_TESTS:-$(basename -a -s .sql tests/sql/*.sql | tr '\n' ' ')}
export PG_BIN PGHOST=$dir/cluster PGPORT=$port PGUSER=postgres QEHS_TEST_OUT=$dir/results
tests/tools/sql_tests.sh || {
	failed=1
	cat "$dir"/results/*.diffs
}
cluster_stop "$dir/cluster"

# One error after the other: its text and its stack; those without the extension are dropped.
cat "$dir"/reports/*.xml | awk '
	/<error>/ { text = ""; ours = 0; inside = 1 }
	inside && /<(kind|text|what|auxwhat)>/ { line = $0; gsub(/^ *<[a-z]*>|<\/[a-z]*>$/, "", line); text = text line "\n" }
	inside && /<frame>/ { fn = "?"; file = ""; at = "" }
	inside && /<obj>/ { obj = $0; gsub(/.*<obj>.*\/|<\/obj>/, "", obj); ours = ours || obj == "qehs.so" }
	inside && /<fn>/ { fn = $0; gsub(/ *<\/?fn>/, "", fn) }
	inside && /<file>/ { file = $0; gsub(/ *<\/?file>/, "", file) }
	inside && /<line>/ { at = $0; gsub(/ *<\/?line>/, "", at) }
	inside && /<\/frame>/ { text = text "    " fn " (" obj (file ? ", " file ":" at : "") ")\n" }
	/<\/error>/ { all++; inside = 0; if (ours) { count++; printf "%s\n", text } }
	END { printf "valgrind: %d errors with the extension in the stack, %d without\n", count, all - count; exit count > 0 }' || failed=1
exit $failed
