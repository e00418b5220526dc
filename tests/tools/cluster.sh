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

# A TCP port that nobody listens on, below those that the kernel gives to clients, so that no connection takes it before its server does.
free_port() {
	local port
	while port=$((10000 + (RANDOM * 32768 + RANDOM) % 20000)); (: < "/dev/tcp/127.0.0.1/$port") 2> /dev/null; do :; done
	echo "$port"
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

# cluster_stop DIR [MODE]: a mode of pg_ctl.
cluster_stop() {
	(cd / && as_postgres "$PG_BIN/pg_ctl" -D "$1/data" -m "${2:-fast}" -w -s stop) || true
}
