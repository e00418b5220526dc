# shellcheck shell=bash
# Functions to run a PostgreSQL cluster of one's own; sourced by the other scripts.
#
# PostgreSQL refuses to run as root: then it runs as the user postgres, and its data lives in a
# folder that this user can enter, whatever the permissions of the checkout are.

PG_BIN=$("${PG_CONFIG:-/usr/lib/postgresql/15/bin/pg_config}" --bindir 2> /dev/null || pg_config --bindir)

as_postgres() {
	if [ "$(id -u)" = 0 ]; then
		runuser -u postgres -- "$@"
	else
		"$@"
	fi
}

# A TCP port that nobody listens on.
free_port() {
	node -e 'const s = require("node:net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close() })'
}

# cluster_create DIR PORT: a new cluster with the socket in DIR.
cluster_create() {
	mkdir -p "$1"
	[ "$(id -u)" != 0 ] || chown postgres "$1"
	(cd / && as_postgres "$PG_BIN/initdb" -D "$1/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 > /dev/null)
	as_postgres tee -a "$1/data/postgresql.conf" > /dev/null <<CONF
port = $2
unix_socket_directories = '$1'
listen_addresses = '127.0.0.1'
shared_preload_libraries = 'qehs'
max_connections = 200
shared_buffers = 256MB
CONF
}

# cluster_start DIR [OPTION…]: options of pg_ctl.
cluster_start() {
	(cd / && as_postgres "$PG_BIN/pg_ctl" -D "$1/data" -l "$1/postgresql.log" -w -s "${@:2}" start)
}

cluster_stop() {
	(cd / && as_postgres "$PG_BIN/pg_ctl" -D "$1/data" -m fast -w -s stop) || true
}
