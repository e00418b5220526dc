// Cursors: no bit can change, none crosses filters, sorts or tenants, a rotation of the secret does not break a walk.
import assert from "node:assert/strict"
import { after, before, test } from "node:test"
import { Cluster, Shim, freePort } from "./cluster.mjs"
import { agent, send } from "./retry.mjs"

let cluster
let shim
let key
const path = "/api/v1/records?moduleKey=incidents&limit=2"

before(async () => {
	cluster = await Cluster.create()
	key = cluster.tenant("one", ["incidents", "capa"])
	cluster.tenant("two", ["incidents"])
	cluster.sql("SELECT qehs.use_tenant('one'); SELECT qehs.record_create('incidents', jsonb_build_object('title', 't' || i, 'severity', 'low')) FROM generate_series(1, 9) AS i")
	shim = new Shim(cluster, await freePort())
	await shim.ready()
})

after(async () => {
	agent.destroy()
	await shim.stop()
	cluster.remove()
})

const get = (target, sender = key) => send(shim.port, sender, "GET", target)
const refused = async (target, sender) => {
	const answer = await get(target, sender)
	assert.equal(answer.status, 400, answer.text)
	assert.equal(answer.json.code, "invalid_cursor")
	assert.equal(answer.json.errors[0].path, "?cursor")
}

test("a cursor is short", async () => {
	assert.ok((await get(path)).json.nextCursor.length <= 200)
})

test("each bit of it counts", async () => {
	const bytes = Buffer.from((await get(path)).json.nextCursor, "base64url")
	for (let bit = 0; bit < bytes.length * 8; bit++) {
		const changed = Buffer.from(bytes)
		changed[bit >> 3] ^= 1 << (bit & 7)
		await refused(`${path}&cursor=${changed.toString("base64url")}`)
	}
	for (let length = 0; length < bytes.length; length += 7)
		await refused(`${path}&cursor=${bytes.subarray(0, length).toString("base64url") || "A"}`)
})

test("it is bound to filter, sort, endpoint and tenant", async () => {
	const cursor = (await get(path)).json.nextCursor
	await refused(`${path}&filter[severity]=low&cursor=${cursor}`)
	await refused(`${path}&sort=createdAt&cursor=${cursor}`)
	await refused(`${path}&q=t1&cursor=${cursor}`)
	await refused(`/api/v1/records?moduleKey=capa&cursor=${cursor}`)
	await refused(`/api/v1/modules?cursor=${cursor}`)
	await refused(`/api/v1/audit?cursor=${cursor}`)
	await refused(`${path}&cursor=${cursor}`, cluster.key("two"))
})

test("a walk goes on over a rotation of the secret", async () => {
	const seen = []
	for (let cursor = ""; cursor !== null;) {
		const page = (await get(cursor ? `${path}&cursor=${cursor}` : path)).json
		seen.push(...page.items.map((item) => item.id))
		cursor = page.nextCursor
		if (seen.length === 4)
			cluster.sql("SELECT qehs.secret_rotate()")
	}
	assert.equal(new Set(seen).size, 9)
})
