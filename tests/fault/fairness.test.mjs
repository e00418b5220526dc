// Statements that take the processor for long, and tenants that ask for much, leave room for others.
import assert from "node:assert/strict"
import { test } from "node:test"
import { publish } from "./bulk.mjs"
import { stage } from "./cluster.mjs"
import { send } from "./retry.mjs"

let other
const at = stage("greedy", { modules: [], flags: ["--connections", "4"], prepare: ({ cluster }) => {
	publish(cluster, "greedy")
	other = cluster.tenant("modest", ["incidents"])
} })
// reads all records of its module, as nothing is found and no index helps
const slow = (key = at.key) => send(at.shim.port, key, "GET", "/api/v1/records?moduleKey=readings&filter[note][contains]=nothing%20of%20this")
// Records are loaded until looking at all of them takes SLOW_MS, as long on a fast machine. The shim tells what takes long by a moving average: one call
// is not known for it yet, some in a row are.
const SLOW_MS = 250
const slowAndKnown = async () => {
	for (let inRow = 0; inRow < 8;) {
		const began = performance.now()
		assert.equal((await slow()).status, 200)
		inRow = performance.now() - began >= SLOW_MS ? inRow + 1 : 0
		if (inRow === 0)
			at.cluster.sql(`SELECT qehs.use_tenant('greedy');
				CREATE TEMP TABLE staged AS SELECT jsonb_build_object('title', 'r ' || n, 'severity', 'low', 'note', repeat(md5(n::text), 60)) AS document FROM generate_series(1, 15000) AS n;
				SELECT count(*) FROM qehs.bulk_load_table('readings', 'staged', 'document')`)
	}
}
const fast = (key) => send(at.shim.port, key, "GET", "/api/v1/modules")

test("eight slow filters beside fast requests: many of these end while each of those runs", { timeout: 600000 }, async () => {
	await slowAndKnown()
	let going = true
	const rounds = []
	let done = 0
	const filters = Array.from({ length: 8 }, async () => {
		do {
			const before = done
			const { status } = await slow()
			// half of the connections are for such; who waits for one for too long is told to come again
			assert.ok([200, 503].includes(status), `${status}`)
			if (status === 200)
				rounds.push(done - before)
		} while (rounds.length < 16)
	})
	const requests = Array.from({ length: 2 }, async () => {
		while (going) {
			assert.equal((await fast(at.key)).status, 200)
			done++
		}
	})
	await Promise.all(filters)
	going = false
	await Promise.all(requests)
	assert.ok(rounds.every((ended) => ended >= 3), `fast requests that ended while a filter ran: ${rounds}`)
})

test("a tenant with 60 requests in the queue does not keep another one waiting for all of them", { timeout: 600000 }, async () => {
	let ended = 0
	const crowd = Array.from({ length: 60 }, async () => {
		const { status } = await slow()
		ended++
		return status
	})
	// the crowd is there
	while (ended < 2)
		await new Promise((resolve) => setTimeout(resolve, 20))
	for (let i = 0; i < 3; i++) {
		const before = ended
		assert.equal((await send(at.shim.port, other, "POST", "/api/v1/records", { moduleKey: "incidents", payload: { title: "t", severity: "low" } })).status, 201)
		assert.ok(ended - before <= 8, `${ended - before} of the others' were served first`)
	}
	assert.ok(ended < 60, "while the crowd waited")
	assert.ok((await Promise.all(crowd)).every((status) => [200, 503, 504].includes(status)))
})
