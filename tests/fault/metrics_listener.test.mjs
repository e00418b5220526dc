// /metrics on an address of its own (--metrics-listen): there, with the health of the shim, and nowhere else.
import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { test } from "node:test"
import { freePort, stage } from "./cluster.mjs"

const apart = await freePort()
const at = stage("apart", { flags: () => ["--metrics-listen", `127.0.0.1:${apart}`] })
const get = async (port, path, method = "GET", key = at.key) => {
	const answer = await fetch(`http://127.0.0.1:${port}${path}`, { method, headers: { Authorization: `Bearer ${key}` } })
	return { status: answer.status, json: await answer.json() }
}

test("the metrics are at the address that is theirs", async () => {
	const answer = await fetch(`http://127.0.0.1:${apart}/metrics`)
	assert.equal(answer.status, 200)
	assert.match(await answer.text(), /^qehs_database_up 1$/m)
	for (const path of ["/healthz", "/readyz"])
		assert.equal((await get(apart, path)).status, 200, path)
})

test("the address of the API has no metrics then, as it has no other unknown path", async () => {
	const answer = await get(at.shim.port, "/metrics")
	const unknown = await get(at.shim.port, "/nothing")
	assert.deepEqual([answer.status, answer.json.code, answer.json.detail], [404, "not_found", unknown.json.detail])
	assert.equal((await get(at.shim.port, "/readyz")).status, 200)
})

test("the address of the metrics has no API and no pages", async () => {
	for (const [method, path] of [["GET", "/api/v1/records?moduleKey=incidents"], ["POST", "/api/v1/records"], ["POST", "/api/modules/incidents/bulk"], ["GET", "/developers"], ["GET", "/%ff"]]) {
		const answer = await get(apart, path, method)
		assert.deepEqual([answer.status, answer.json.code], [404, "not_found"], `${method} ${path}`)
	}
	assert.equal((await get(apart, "/metrics", "POST")).status, 405)
})

test("an address that is none is refused by name", () => {
	const { status, stderr } = spawnSync(process.env.QEHS_SHIM_BIN ?? new URL("../../qehs-shim", import.meta.url).pathname,
		["--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:99999"], { encoding: "utf8" })
	assert.equal(status, 2)
	assert.match(stderr, /--metrics-listen/)
})
