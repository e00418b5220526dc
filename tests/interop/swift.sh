#!/bin/bash
# swift.sh DIR PORT: OpenStack Swift with its s3api middleware, an S3 server that verifies signatures, on PORT of 127.0.0.1 with all it has in DIR, until its
# input ends. Prints "ready". Access key test:tester, secret testing, region us-east-1. Status 77 where it cannot be had (as root, Debian's packages).
set -euo pipefail
dir=$1 port=$2
if ! command -v swift-proxy-server > /dev/null || ! command -v memcached > /dev/null; then
	[ "$(id -u)" = 0 ] || exit 77
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends swift-proxy swift-account swift-container swift-object swift memcached > /dev/null || exit 77
fi
[ "$(id -u)" = 0 ] || exit 77
mkdir -p "$dir/devices/sdb1" "$dir/run"
cat > "$dir/swift.conf" <<CONF
[swift-hash]
swift_hash_path_suffix = tests
swift_hash_path_prefix = tests
[storage-policy:0]
name = Policy-0
default = yes
CONF
pids=()
trap 'kill "${pids[@]}" 2> /dev/null; wait' EXIT
start() {
	setpriv --reuid swift --regid swift --clear-groups env "$@" > "$dir/${1##*/}.log" 2>&1 < /dev/null &
	pids+=($!)
}
number=1
for server in account container object; do
	(cd "$dir" && swift-ring-builder "$server.builder" create 4 1 0 && swift-ring-builder "$server.builder" add "r1z1-127.0.0.1:$((port + number))/sdb1" 1 \
		&& swift-ring-builder "$server.builder" rebalance) > /dev/null 2>&1
	cat > "$dir/$server.conf" <<CONF
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = $((port + number))
workers = 0
devices = $dir/devices
mount_check = false
swift_dir = $dir
user = swift
fallocate_reserve = 0
disable_fallocate = true
log_address = /dev/null
[pipeline:main]
pipeline = $server-server
[app:$server-server]
use = egg:swift#$server
CONF
	number=$((number + 1))
done
cat > "$dir/proxy.conf" <<CONF
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = $port
workers = 0
swift_dir = $dir
user = swift
log_address = /dev/null
[pipeline:main]
pipeline = catch_errors cache s3api tempauth copy dlo slo proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
# a busy machine is no broken one
conn_timeout = 10
node_timeout = 60
recoverable_node_timeout = 60
error_suppression_limit = 1000000
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:$((port + 4))
[filter:s3api]
use = egg:swift#s3api
location = us-east-1
dns_compliant_bucket_names = no
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = testing .admin
[filter:copy]
use = egg:swift#copy
[filter:dlo]
use = egg:swift#dlo
[filter:slo]
use = egg:swift#slo
CONF
chmod 755 "$dir"
chown -R swift "$dir"
start memcached -l 127.0.0.1 -p "$((port + 4))" -m 16
for server in account container object; do start "swift-$server-server" "$dir/$server.conf"; done
start swift-proxy-server "$dir/proxy.conf"
for _ in $(seq 100); do
	token=$(curl -s -i -H 'X-Auth-User: test:tester' -H 'X-Auth-Key: testing' "http://127.0.0.1:$port/auth/v1.0" | sed -n 's/^X-Auth-Token: \(.*\)\r$/\1/p') || true
	# ready is who has taken an object
	[ -z "$token" ] || ! curl -fs -X PUT -H "X-Auth-Token: $token" "http://127.0.0.1:$port/v1/AUTH_test/qehs-files" ||
		! curl -fs -X PUT -d ready -H "X-Auth-Token: $token" "http://127.0.0.1:$port/v1/AUTH_test/qehs-files/ready" || break
	token=
	sleep 0.2
done
[ -n "$token" ] || { tail -n 5 "$dir"/*.log >&2; exit 1; }
echo ready
cat > /dev/null
