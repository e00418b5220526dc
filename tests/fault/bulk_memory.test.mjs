// A long load in constant memory: the shim's and the backend's peak of resident memory from start to end.
// FAULT_MEMORY_LINES chooses the length.
import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { after, before, test } from "node:test"
import { once } from "node:events"
import { line, open, publish } from "./bulk.mjs"
import { Cluster, Shim, freePort, sleep } from "./cluster.mjs"

const most = Number(process.env.FAULT_MEMORY_LINES ?? 100000)
const LINE_BYTES = 1000
const SHIM_KB = 64 * 1024
const BACKEND_KB = 128 * 1024
const NOTE = "x".repeat(LINE_BYTES - line("memory", most, { note: "" }).length)
let cluster
let shim
let key

before(async () => {
	// shared memory that a backend has touched counts as its own
	cluster = await Cluster.create(["shared_buffers = 64MB", "max_wal_size = 4GB"])
	key = cluster.tenant("memory", [])
	publish(cluster, "memory")
	shim = new Shim(cluster, await freePort())
	await shim.ready()
})

after(async () => {
	await shim?.stop()
	cluster?.remove()
})

const peak = (pid) => Number(/^VmHWM:\s*(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))[1])

// Write all lines but the last as fast as they are taken.
async function writeLines(request, name, count) {
	let part = ""
	for (let n = 1; n < count; n++) {
		part += line(name, n, { note: NOTE })
		if (part.length > 1 << 18 || n === count - 1) {
			if (!request.write(part))
				await once(request, "drain")
			part = ""
		}
	}
}

// Counts answer lines without keeping them.
function counter(response) {
	const seen = { lines: 0, last: "" }
	response.setEncoding("utf8")
	response.on("data", (part) => {
		seen.lines += part.split("\n").length - 1
		seen.last = (seen.last + part).slice(-1000)
	})
	return seen
}

for (const [count, query, headers] of [[most, "", { "Idempotency-Key": "memory" }], [Math.ceil(most / 5), "?mode=atomic", {}]]) {
	test(`${count} lines of a kilobyte with ${query || "a key"}`, async (t) => {
		const name = query ? "whole" : "memory"
		const { request, response } = open(shim.port, key, { query, headers, paused: true })
		const counted = response.then(counter)
		await writeLines(request, name, count)
		const pid = cluster.sql("SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 5")
		// all but less than a chunk has been stored: the load's row in the statistics waits for more
		const waits = `SELECT wait_event = 'ClientRead' FROM pg_stat_activity WHERE pid = ${pid}`
		for (let same = 0; same < 10; await sleep(50))
			same = cluster.sql(waits) === "t" ? same + 1 : 0
		const backend = peak(pid)
		request.end(line(name, count, { note: NOTE }))
		const seen = await counted
		await once(await response, "end")
		const { summary } = JSON.parse(seen.last.trimEnd().split("\n").at(-1))
		assert.equal(summary.created, count)
		assert.equal(seen.lines, count + 1)
		const front = peak(shim.process.pid)
		t.diagnostic(`${count} lines in ${summary.durationMs} ms: peak of the shim ${front} kB, of the backend ${backend} kB`)
		assert.ok(front <= SHIM_KB, `the shim took ${front} kB`)
		assert.ok(backend <= BACKEND_KB, `the backend took ${backend} kB`)
	})
}
