#!/bin/bash
# run.sh SECONDS [TARGET…]: build the fuzzers (fuzz.mk) and run each for so long, as many at once as there are processors.
#
# Targets are the programs shim_*, and of the extension those of extension_driver.c, named extension_*. Each begins with its corpus in
# tests/fuzz/corpus/TARGET and what earlier runs found in build/fuzz/corpus/TARGET. What breaks one is kept in build/fuzz/finds, told, and
# fails the run; to try it again: run.sh FILE TARGET. FUZZ_SEED (0: by chance) is libFuzzer's.
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/tools/cluster.sh
clang=${CLANG:-clang-14}
what=${1:?usage: run.sh SECONDS|FILE [TARGET…]}
shift
make --no-print-directory -s -j "$(nproc)" -f tests/fuzz/fuzz.mk CLANG="$clang"
targets=("$@")
if [ ${#targets[@]} = 0 ]; then
	for source in tests/fuzz/shim_*.c tests/fuzz/extension_*.c; do
		target=$(basename "$source" .c)
		[ "$target" = extension_driver ] || targets+=("$target")
	done
fi
dir=$(mktemp -d /var/tmp/qehs-fuzz.XXXXXX)
trap 'rm -rf "$dir"' EXIT
chmod 755 "$dir"

# One cluster's files a target, since a server in single-user mode has them for itself.
make_cluster() {
	cluster_create "$dir/cluster" 5432
	sed -i '/^shared_preload_libraries/d' "$dir/cluster/data/postgresql.conf"
	cp build/fuzz/qehs_fuzz.so "$dir/cluster"
	chmod 755 "$dir/cluster/qehs_fuzz.so"
}

# run_extension TARGET ARGUMENT…
run_extension() {
	local target=$1 data=$dir/$1/data list
	shift
	cp -a "$dir/cluster/data" "$data"
	list=$(printf ",'%s'" "$@")
	(cd / && as_postgres "$PG_BIN/postgres" --single -D "$data" -c log_min_messages=error -c max_stack_depth=200kB postgres) <<-SQL
		CREATE FUNCTION fuzz(text, text[]) RETURNS int AS '$dir/cluster/qehs_fuzz.so', 'qehs_fuzz' LANGUAGE C;
		SELECT fuzz('${target#extension_}', ARRAY[${list#,}]);
	SQL
}

# run_target TARGET ARGUMENT…: its log goes to DIR/TARGET.log, its figures to standard output.
run_target() {
	local target=$1 status=0 work=$dir/$1
	shift
	mkdir -p "$work/corpus" "$work/seeds" "$work/finds" "build/fuzz/corpus/$target"
	cp -r "tests/fuzz/corpus/$target/." "$work/seeds" 2> /dev/null || true
	cp -r "build/fuzz/corpus/$target/." "$work/corpus"
	[ "$(id -u)" != 0 ] || chown -R postgres "$work"
	set -- "$@" "-artifact_prefix=$work/finds/" -timeout=20 -rss_limit_mb=3000 -print_final_stats=1 -seed="${FUZZ_SEED:-0}"
	if [ -f "$what" ]; then
		cp "$what" "$work/input"
		chmod 644 "$work/input"
		set -- "$@" "$work/input"
	else
		set -- "$@" -max_total_time="$what" -max_len=4096 "$work/corpus" "$work/seeds"
		[ ! -e "tests/fuzz/$target.dict" ] || cp "tests/fuzz/$target.dict" "$work/dict"
		[ ! -e "$work/dict" ] || set -- "-dict=$work/dict" "$@"
	fi
	case $target in
	extension_*) run_extension "$target" "$@" > "$dir/$target.log" 2>&1 || status=$? ;;
	*) "build/fuzz/$target" "$@" > "$dir/$target.log" 2>&1 || status=$? ;;
	esac
	cp -r "$work/corpus/." "build/fuzz/corpus/$target"
	local runs
	runs=$(sed -n 's/^stat::number_of_executed_units: *//p; s/^Executed .* in .* ms$/1/p' "$dir/$target.log" | tail -1)
	if [ -n "$(ls "$work/finds")" ] || [ "$status" != 0 ] || [ -z "$runs" ]; then
		mkdir -p build/fuzz/finds
		for find in "$work"/finds/*; do
			[ ! -e "$find" ] || cp "$find" "build/fuzz/finds/$target-${find##*/}"
		done
		tail -60 "$dir/$target.log"
		echo "fuzz: $target BROKE (status $status; inputs in build/fuzz/finds)"
		return 1
	fi
	echo "fuzz: $target: $runs inputs"
}

[[ " ${targets[*]} " != *" extension_"* ]] || make_cluster
failed=0
running=0
for target in "${targets[@]}"; do
	if [ "$running" -ge "$(nproc)" ]; then
		wait -n || failed=1
		running=$((running - 1))
	fi
	run_target "$target" &
	running=$((running + 1))
done
while [ "$running" -gt 0 ]; do
	wait -n || failed=1
	running=$((running - 1))
done
exit $failed
