#!/bin/bash
# postgres.sh RELEASE: builds the extension with another release of PostgreSQL in a Debian in a folder (17: trixie; 18: sid), and runs the SQL
# and isolation tests on it. Exits with 77 when the release can't be had, having said why.
#
# QEHS_DEBIAN13 (/opt/debian13) and QEHS_DEBIAN_SID (/opt/debian-sid) are the folders. The sources are copied to DIR/qehs-RELEASE.
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/tools/cluster.sh
. tests/tools/debian.sh
release=${1:?usage: postgres.sh RELEASE}
case $release in
17) dir=${QEHS_DEBIAN13:-/opt/debian13} suite=trixie packages=$(tests/interop/debian13_packages.sh) ;;
18) dir=${QEHS_DEBIAN_SID:-/opt/debian-sid} suite=sid packages="gcc make libc6-dev postgresql-18 postgresql-server-dev-18 libpcre2-dev libidn2-dev libcrypt-dev" ;;
*) echo "no Debian is known for PostgreSQL $release" >&2; exit 1 ;;
esac
# shellcheck disable=SC2086
debian_folder "$dir" "$suite" $packages || exit 77

copy=qehs-$release
rm -rf "${dir:?}/$copy"
mkdir -p "$dir/$copy"
git ls-files -z --cached --others --exclude-standard Makefile qehs.control META.json extension sql tests/sql tests/specs tests/expected tests/tools |
	xargs -0 ls -d 2> /dev/null | tar -cf - -T - | tar -xf - -C "$dir/$copy"
port=$(free_port)
# shellcheck disable=SC2016
in_debian "$dir" bash -euo pipefail -c '
	cd "$1"
	export PG_CONFIG=/usr/lib/postgresql/$2/bin/pg_config
	make -s -j "$(nproc)" all install
	. tests/tools/cluster.sh
	cluster=$(mktemp -d /tmp/qehs-interop.XXXXXX)
	trap "cluster_stop $cluster; rm -rf $cluster" EXIT
	chmod 755 "$cluster"
	cluster_create "$cluster" "$3"
	cluster_start "$cluster"
	export PG_BIN PGHOST=$cluster PGPORT=$3 PGUSER=postgres QEHS_TEST_OUT=/$1/results
	"$PG_BIN/psql" -X -At -c "SELECT version()"
	tests/tools/sql_tests.sh || { cat "$QEHS_TEST_OUT"/*.diffs "$QEHS_TEST_OUT"/output_iso/*.diffs 2> /dev/null; exit 1; }
' bash "$copy" "$release" "$port"
