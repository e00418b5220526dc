// What bulk loads leave in the metrics and in the access log.
import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { test } from "node:test"
import { parseMetrics } from "../http/lib/prometheus.mjs"
import { lines, line, open, parse, publish } from "./bulk.mjs"
import { stage, until } from "./cluster.mjs"

const at = stage("seen", { modules: [], flags: ({ cluster }) => ["--log", `${cluster.directory}/shim.log`], prepare: ({ cluster }) => publish(cluster, "seen") })
const metrics = async () => parseMetrics(await (await fetch(`http://127.0.0.1:${at.shim.port}/metrics`)).text())

// The metrics once they are as wanted.
async function metricsWith(wanted) {
	let seen
	await until(`metrics with ${wanted}`, async () => wanted(seen = await metrics()), 50)
	return seen
}

async function load(body, options) {
	const { request, answer } = open(at.shim.port, at.key, options)
	request.end(body)
	return answer
}

// The line of a load in the log, which is written once per turn of the loop.
async function logged(answer) {
	let found
	await until("the line is in the log", () => found = readFileSync(`${at.cluster.directory}/shim.log`, "utf8").split("\n").slice(0, -1).map((text) => JSON.parse(text))
		.find((one) => one.status && one.traceId === answer.headers["x-trace-id"]))
	return found
}

test("lines are counted by what became of them, bytes as they came, chunks as they were sent", async () => {
	const before = await metrics()
	const grown = (now, name) => now.get(name) - (before.get(name) ?? 0)
	const [body, dry] = ["m", "d"].map((name) => Buffer.concat([lines(name, 1200), Buffer.from('{"title":1}\n{\n')]))
	const headers = { "Idempotency-Key": "m" }
	await load(body, { headers })
	await load(body, { headers })
	await load(dry, { query: "?dryRun=true" })
	await load(lines("m", 3), { query: "?onConflict=update&externalId=badge" })
	// a load has ended a little after its client has the answer
	const now = await metricsWith((seen) => seen.get("qehs_streams") === 0)
	const expected = { created: 1200, replayed: 1200, valid: 1200, updated: 3, failed: 6, undone: 0 }
	for (const [outcome, count] of Object.entries(expected))
		assert.equal(grown(now, `qehs_stream_lines_total{outcome="${outcome}"}`), count, outcome)
	assert.equal(grown(now, "qehs_stream_body_bytes_total"), 2 * body.length + dry.length + lines("m", 3).length)
	assert.ok(grown(now, "qehs_stream_chunk_duration_seconds_count") >= 4)
	assert.ok(grown(now, "qehs_stream_chunk_duration_seconds_sum") > 0)
})

test("lines of an atomic load that fails are undone", async () => {
	const before = await metrics()
	await load(Buffer.concat([lines("a", 700), Buffer.from("{\n")]), { query: "?mode=atomic" })
	await load(lines("b", 700), { query: "?mode=atomic" })
	const now = await metricsWith((seen) => seen.get("qehs_streams") === 0)
	for (const [outcome, count] of Object.entries({ undone: 700, failed: 1, created: 700 }))
		assert.equal((now.get(`qehs_stream_lines_total{outcome="${outcome}"}`) ?? 0) - (before.get(`qehs_stream_lines_total{outcome="${outcome}"}`) ?? 0), count, outcome)
})

test("loads are counted while they run, also when their clients leave", async () => {
	const loads = Array.from({ length: 3 }, () => open(at.shim.port, at.key))
	for (const [i, { request }] of loads.entries()) request.write(line("running", i))
	await metricsWith((seen) => seen.get("qehs_streams") === 3)
	loads[0].request.destroy()
	await metricsWith((seen) => seen.get("qehs_streams") === 2)
	for (const { request } of loads.slice(1)) request.end()
	for (const { answer } of loads.slice(1)) await answer
	await metricsWith((seen) => seen.get("qehs_streams") === 0)
})

test("the log has a load's lines and its bytes in both directions, whichever way the answer goes", async () => {
	for (const early of [false, true]) {
		const { request, response } = open(at.shim.port, at.key, { paused: true, headers: { Connection: early ? "keep-alive" : "close" } })
		const body = lines(`log ${early}`, 1500)
		request.write(body)
		request.write("{}\n")
		if (early) await response
		request.end()
		const incoming = await response
		const parts = []
		for await (const part of incoming) parts.push(part)
		const answer = { headers: incoming.headers, text: Buffer.concat(parts).toString() }
		assert.equal(parse(answer).summary.created, 1500)
		const one = await logged(answer)
		assert.deepEqual([one.status, one.bytes, one.bodyBytes, one.lines, one.failedLines], [200, Buffer.byteLength(answer.text), body.length + 3, 1501, 1])
		assert.ok(one.databaseMs > 0 && one.databaseMs <= one.ms)
	}
})
