// Bulk loads that wait for each other in a circle: one of them goes on, and the other is told, or sends its chunk again by itself.
import assert from "node:assert/strict"
import { after, before, test } from "node:test"
import { assertOnce, line, open, parse, publish, send } from "./bulk.mjs"
import { Cluster, Shim, freePort, until } from "./cluster.mjs"

let cluster
let shim
let key

before(async () => {
	cluster = await Cluster.create(["deadlock_timeout = 100ms"])
	key = cluster.tenant("crossing", [])
	publish(cluster, "crossing")
	shim = new Shim(cluster, await freePort())
	await shim.ready()
})

after(async () => {
	await shim?.stop()
	cluster?.remove()
})

const deadlocks = () => Number(cluster.sql("SELECT pg_stat_clear_snapshot(); SELECT deadlocks FROM pg_stat_database WHERE datname = 'postgres'"))

test("two atomic loads that cross in unique values: one is whole, the other is told to try again and has no effect", async () => {
	const first = open(shim.port, key, { query: "?mode=atomic" })
	const second = open(shim.port, key, { query: "?mode=atomic" })
	first.request.write(line("cross", 1))
	second.request.write(line("cross", 2))
	await until("both hold a value", () => cluster.sql("SELECT count(DISTINCT pid) FROM pg_locks WHERE relation = 'qehs.record_unique'::regclass AND mode = 'RowExclusiveLock'") === "2")
	first.request.end(line("cross", 2))
	second.request.end(line("cross", 1))
	const outcomes = (await Promise.all([first.answer, second.answer])).map(parse)
	const told = outcomes.find((outcome) => outcome.error)
	const whole = outcomes.find((outcome) => outcome.summary)
	assert.deepEqual([told.error.code, told.error.status], ["conflict", 409])
	assert.match(told.error.detail, /try again/)
	assert.equal(told.lines.length, 0)
	assert.equal(whole.summary.created, 2)
	assertOnce(cluster, "cross", 2, false)
	assert.ok(deadlocks() > 0)
})

test("two loads that change the same records in opposite orders both end", async () => {
	const query = "?onConflict=update&externalId=badge"
	const numbers = Array.from({ length: 400 }, (_, i) => i + 1)
	const body = (order, members) => order.map((n) => line("turn", n, members)).join("")
	assert.equal((await send(shim.port, key, body(numbers), { query })).summary.created, 400)
	for (let round = 0; round < 4; round++) {
		const outcomes = await Promise.all([send(shim.port, key, body(numbers, { note: `up ${round}` }), { query }),
			send(shim.port, key, body(numbers.toReversed(), { note: `down ${round}` }), { query })])
		for (const { summary } of outcomes) {
			assert.equal(summary.updated, 400)
			assert.equal(summary.failed, 0)
		}
	}
	assert.equal(cluster.sql("SELECT count(*) FROM qehs.record WHERE payload ->> 'title' LIKE 'turn %' AND version = 9"), "400")
	assert.equal(cluster.sql("SELECT count(*) FROM qehs.audit_event AS e JOIN qehs.record AS r ON r.id = e.record_id WHERE payload ->> 'title' LIKE 'turn %'"), "3600")
})
