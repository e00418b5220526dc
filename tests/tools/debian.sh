# shellcheck shell=bash
# Functions to have another Debian in a folder and to run programs in it; sourced by other scripts. They need root.
#
# A folder is made once by debootstrap and kept; it is made anew when it is missing, broken off or of other packages. DEBIAN_MIRROR is where
# packages come from. Programs in it see the host's /proc and /dev, in a mount namespace of their own.

DEBIAN_MIRROR=${DEBIAN_MIRROR:-http://deb.debian.org/debian}

# debian_folder DIR SUITE PACKAGE…: make sure of the folder; what fails is said, with the end of its log.
debian_folder() {
	local dir=$1 suite=$2 log=$1.log status=0
	shift 2
	[ "$(id -u)" = 0 ] || { echo "$suite in a folder needs root" >&2; return 1; }
	mkdir -p "${dir%/*}"
	(
		flock 9
		[ "$(cat "$dir/qehs-packages" 2> /dev/null)" != "$suite $*" ] || exit 0
		set -e
		exec > "$log" 2>&1
		if [ ! -e "$dir/qehs-base" ]; then
			rm -rf --one-file-system "$dir"
			debootstrap --variant=minbase --keyring=/usr/share/keyrings/debian-archive-keyring.gpg "$suite" "$dir" "$DEBIAN_MIRROR"
			# no service starts in it, and PostgreSQL's package makes no cluster
			printf '#!/bin/sh\nexit 101\n' > "$dir/usr/sbin/policy-rc.d"
			chmod 755 "$dir/usr/sbin/policy-rc.d"
			mkdir -p "$dir/etc/postgresql-common"
			echo 'create_main_cluster = false' > "$dir/etc/postgresql-common/createcluster.conf"
			touch "$dir/qehs-base"
		fi
		cp /etc/resolv.conf "$dir/etc/resolv.conf"
		in_debian "$dir" apt-get update -qq
		in_debian "$dir" env DEBIAN_FRONTEND=noninteractive LC_ALL=C apt-get install -y -qq --no-install-recommends "$@"
		in_debian "$dir" apt-get clean
		echo "$suite $*" > "$dir/qehs-packages"
	) 9> "$dir.lock" || status=$?
	[ "$status" = 0 ] || { echo "$suite could not be had from $DEBIAN_MIRROR:"; tail -15 "$log"; } >&2
	return "$status"
}

# in_debian DIR COMMAND…
in_debian() {
	# shellcheck disable=SC2016
	unshare -m bash -c 'set -e; mount --rbind /proc "$0/proc"; mount --rbind /dev "$0/dev"; exec chroot "$0" "$@"' "$@"
}
