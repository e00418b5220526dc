#!/bin/bash
# microhttpd.sh: builds extension and shim in the Debian 13 folder, with its libmicrohttpd 1.0 and PostgreSQL 17, and runs the HTTP and fault
# tests there (HTTP_TESTS as of check.sh). Exits with 77 when the folder can't be had, having said why.
#
# The sources are copied to DIR/qehs-microhttpd; the packages of node come along from here.
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/tools/debian.sh
dir=${QEHS_DEBIAN13:-/opt/debian13}
copy=qehs-microhttpd
# shellcheck disable=SC2046
debian_folder "$dir" trixie $(tests/interop/debian13_packages.sh) || exit 77
rm -rf "${dir:?}/$copy"
mkdir -p "$dir/$copy"
git ls-files -z --cached --others --exclude-standard | xargs -0 ls -d 2> /dev/null | tar -cf - -T - | tar -xf - -C "$dir/$copy"
cp -a tests/node_modules "$dir/$copy/tests/"
[ ! -e shim/portal/node_modules ] || cp -a shim/portal/node_modules "$dir/$copy/shim/portal/"
# shellcheck disable=SC2016
in_debian "$dir" bash -euo pipefail -c '
	cd "$1"
	export PG_CONFIG=/usr/lib/postgresql/17/bin/pg_config QEHS_STAGES=http
	dpkg-query -W -f "libmicrohttpd \${Version}\n" libmicrohttpd-dev
	git init -q . && git add -A
	make -s -j "$(nproc)" all install
	tests/tools/check.sh
' bash "$copy"
