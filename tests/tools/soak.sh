#!/bin/bash
# Campaigns of hours (make soak): each round has seeds of its own, and rounds go on until SOAK_SECONDS (14400) are over. What fails is told at
# the end with its seeds and fails the run; its output is kept in build/soak. Run by check.sh, which has the cluster and the shim.
#
# A round: faults over SOAK_OPERATIONS (20000) operations, loads that are struck at 30 moments, loads of a million lines for memory, requests of the
# contract, JSON Schema held against ajv and hit with mutants, each fuzzer for 120 s.
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=${SOAK_SECONDS:-14400}
operations=${SOAK_OPERATIONS:-20000}
out=build/soak
mkdir -p "$out"
failures=()
passed=0

# campaign NAME SEED COMMAND…
campaign() {
	local name=$1 seed=$2 begun=$SECONDS
	shift 2
	if "$@" > "$out/$name-$seed.log" 2>&1; then
		passed=$((passed + 1))
		rm "$out/$name-$seed.log"
		echo "soak: $name, seed $seed: $((SECONDS - begun)) s"
	else
		failures+=("$name, seed $seed: $out/$name-$seed.log")
		echo "soak: $name, seed $seed FAILED: $out/$name-$seed.log"
	fi
}

while [ "$SECONDS" -lt "$seconds" ]; do
	seed=$((RANDOM * 32768 + RANDOM))
	campaign faults "$seed" env FAULT_SEED="$seed" FAULT_OPERATIONS="$operations" node --test tests/fault/faults.test.mjs
	campaign bulk_faults "$seed" env FAULT_SEED="$seed" FAULT_BULK_MOMENTS=30 FAULT_BULK_LINES=20000 node --test tests/fault/bulk_faults.test.mjs
	campaign bulk_memory "$seed" env FAULT_MEMORY_LINES=1000000 node --test tests/fault/bulk_memory.test.mjs
	campaign bulk_clients "$seed" env FAULT_CLIENT_GETS=1000 node --test tests/fault/bulk_clients.test.mjs
	campaign contract "$seed" env QEHS_CONTRACT_SEED="$seed" QEHS_CONTRACT_RUNS=50000 node --test tests/http/contract.test.mjs
	campaign jsonschema "$seed" node tests/fuzz/jsonschema.mjs 200000 "$seed"
	campaign mutants "$seed" node tests/fuzz/jsonschema_mutants.mjs 50000 "$seed"
	campaign fuzz "$seed" env FUZZ_SEED="$seed" tests/fuzz/run.sh 120
done
for failure in "${failures[@]}"; do
	echo "soak: failed: $failure"
done
echo "$passed passed, ${#failures[@]} failed"
[ ${#failures[@]} = 0 ]
