#!/bin/bash
# deps.sh [tests|interop]: installs the Debian packages that building and the demo need and, with tests, what only the tests do, with
# interop what make interop does too; does nothing when all are there.
set -euo pipefail
cd "$(dirname "$0")/../.."

packages="gcc make libc6-dev postgresql-15 postgresql-server-dev-15 postgresql-client-15 libmicrohttpd-dev libgnutls28-dev
libpq-dev libjansson-dev libcjose-dev libpcre2-dev libidn2-dev zlib1g-dev libzstd-dev libssl-dev libcurl4-openssl-dev libmagic-dev
pkg-config libxlsxwriter-dev libarchive-dev libpango1.0-dev libcairo2-dev libicu-dev libexif-dev fonts-noto-core fonts-noto-cjk fonts-noto-color-emoji curl jq nodejs npm"
[ "${1:-}" = "" ] || packages="$packages chromium poppler-utils python3 zstd git strace clang-14 libclang-rt-14-dev"
[ "${1:-}" != interop ] || packages="$packages debootstrap debian-archive-keyring haproxy pgbouncer
clamav-daemon libreoffice-calc-nogui libreoffice-draw-nogui python3-psycopg2 python3-pandas unixodbc odbc-postgresql"
missing=""
for package in $packages; do
	case $package in
	nodejs | npm) command -v "${package%js}" > /dev/null && continue ;;
	esac
	dpkg-query -W -f '${Status}' "$package" 2> /dev/null | grep -q 'ok installed' || missing="$missing $package"
done
if [ -n "$missing" ]; then
	if [ "$(id -u)" != 0 ]; then
		echo "missing packages:$missing" >&2
		echo "install them as root: apt-get install$missing" >&2
		exit 1
	fi
	# the package would make and start a cluster of its own, which nothing here needs
	if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
		mkdir -p /etc/postgresql-common
		echo "create_main_cluster = false" > /etc/postgresql-common/createcluster.conf
	fi
	export DEBIAN_FRONTEND=noninteractive
	apt-get update -qq
	# shellcheck disable=SC2086
	apt-get install -y -qq --no-install-recommends -o Dpkg::Options::=--force-confold $missing > /dev/null
fi

# The packages of a folder's lock file, anew when that is newer than they are.
node_packages() {
	if [ ! "$1/node_modules/.package-lock.json" -nt "$1/package-lock.json" ]; then
		npm ci --prefix "$1" --no-audit --no-fund --silent
		touch "$1/node_modules/.package-lock.json"
	fi
}
[ "${1:-}" = "" ] || node_packages tests
[ "${1:-}" != interop ] || node_packages tests/interop
