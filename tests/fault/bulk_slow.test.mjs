// A load in one transaction that sends too slowly gives up its locks: it ends with an error line and loads nothing.
import assert from "node:assert/strict"
import { test } from "node:test"
import { line, open, parse, publish } from "./bulk.mjs"
import { sleep, stage } from "./cluster.mjs"
import { send } from "./retry.mjs"

const at = stage("slowly", { modules: [], prepare: ({ cluster }) => publish(cluster, "slowly") })
const atomic = "?mode=atomic&onConflict=update&externalId=badge"
const count = () => at.cluster.sql("SELECT count(*) FROM qehs.record WHERE payload ->> 'title' LIKE 'slowly %'")

test("who sends a line a second, and holds the rows of others with it", { timeout: 60000 }, async () => {
	const made = await send(at.shim.port, at.key, "POST", "/api/v1/records", { moduleKey: "readings", payload: { title: "mine", badge: "slowly 1", severity: "low" } })
	const change = () => send(at.shim.port, at.key, "PATCH", `/api/v1/records/${made.json.id}`, { payload: { value: 1 } })
	const { request, answer } = open(at.shim.port, at.key, { query: atomic })
	request.on("error", () => {})
	let ended = false
	let held = false
	const whole = answer.finally(() => ended = true)
	for (let n = 1; !ended && n < 20; n++) {
		request.write(line("slowly", n))
		await Promise.race([whole, sleep(1000)])
		// not before the first line has come to the database
		held ||= !ended && n > 1 && [409, 503].includes((await change()).status)
	}
	assert.ok(held, "the row is held")
	request.end()
	const { error, summary } = parse(await whole)
	assert.equal(error.code, "timeout")
	assert.match(error.detail, /500 bytes a second/)
	assert.equal(summary, undefined)
	assert.equal(count(), "0")
	assert.equal((await change()).status, 200)
})

test("who pauses, and then sends enough, loads all", { timeout: 60000 }, async () => {
	const { request, answer } = open(at.shim.port, at.key, { query: atomic })
	for (let n = 1; n <= 4; n++) {
		request.write(line("slowly", n, { note: "x".repeat(6000) }))
		await sleep(4000)
	}
	request.end()
	assert.equal(parse(await answer).summary.created + parse(await answer).summary.updated, 4)
})
