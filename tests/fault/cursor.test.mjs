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

test("four secrets verify, the newest signs; what an older one signed is refused", async () => {
	const cursor = (await get(path)).json.nextCursor
	for (let i = 0; i < 3; i++)
		cluster.sql("SELECT qehs.secret_rotate(); SELECT qehs.tick()")
	assert.equal((await get(`${path}&cursor=${cursor}`)).status, 200)
	// twice in a transaction is two rotations as well
	cluster.sql("BEGIN; SELECT qehs.secret_rotate(); SELECT qehs.secret_rotate(); COMMIT")
	await refused(`${path}&cursor=${cursor}`)
	assert.equal((await get(`${path}&cursor=${(await get(path)).json.nextCursor}`)).status, 200)
	cluster.sql("SELECT qehs.tick()")
	assert.equal(cluster.sql("SELECT count(*) FROM qehs.secret WHERE purpose = 'cursor'"), "4")
})

test("every bit counts in a cursor of any list and sort, and a version that is none is refused", async () => {
	for (const target of ["/api/v1/records?moduleKey=incidents&limit=2&sort=title", "/api/v1/records?moduleKey=incidents&limit=2&sort=-severity", "/api/v1/audit?limit=2", "/api/v1/modules?limit=1"]) {
		const bytes = Buffer.from((await get(target)).json.nextCursor, "base64url")
		assert.equal(bytes[0], 1, "the version")
		for (let bit = 0; bit < bytes.length * 8; bit += 5) {
			const changed = Buffer.from(bytes)
			changed[bit >> 3] ^= 1 << (bit & 7)
			await refused(`${target}&cursor=${changed.toString("base64url")}`)
		}
		bytes[0] = 2
		await refused(`${target}&cursor=${bytes.toString("base64url")}`)
	}
})

// Defined: a page is what stands behind the cursor's place when it is read. So a record that moves over that place during a walk is
// seen once more or not at all, one that moves on one side of it is seen once, and the others are not touched by it.
test("a record whose sort value changes during a walk", async () => {
	const title = (i) => `w${String(i).padStart(2, "0")}`
	const ids = JSON.parse(cluster.sql(`SELECT qehs.use_tenant('one'); SELECT json_agg(qehs.record_create('incidents', jsonb_build_object('title', 'w' || lpad(i::text, 2, '0'),
		'severity', 'critical')) ->> 'id') FROM generate_series(0, 9) AS i`))
	const target = "/api/v1/records?moduleKey=incidents&filter[severity]=critical&sort=title&limit=4"
	const move = (i, to) => send(shim.port, key, "PATCH", `/api/v1/records/${ids[i]}`, { payload: { title: to } })
	const walk = async (afterFirst) => {
		const seen = []
		for (let cursor = ""; cursor !== null;) {
			const page = (await get(cursor ? `${target}&cursor=${cursor}` : target)).json
			seen.push(...page.items.map((item) => ids.indexOf(item.id)))
			if (cursor === "")
				await afterFirst()
			cursor = page.nextCursor
		}
		return seen
	}
	assert.deepEqual(await walk(async () => {}), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
	assert.deepEqual(await walk(() => move(1, title(20))), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 1], "from before the place to behind it: twice")
	await move(1, title(1))
	assert.deepEqual(await walk(() => move(8, "w00a")), [0, 1, 2, 3, 4, 5, 6, 7, 9], "from behind it to before: not at all")
	await move(8, title(8))
	assert.deepEqual(await walk(async () => { await move(5, "w08a"); await move(2, "w00b") }), [0, 1, 2, 3, 4, 6, 7, 8, 5, 9], "on one side: once")
	await move(5, title(5))
	await move(2, title(2))
	// the place itself stays when its record moves or goes
	assert.deepEqual(await walk(async () => { await move(3, title(30)) }), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 3])
	await move(3, title(3))
	assert.deepEqual(await walk(async () => { await send(shim.port, key, "DELETE", `/api/v1/records/${ids[3]}`) }), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
})
