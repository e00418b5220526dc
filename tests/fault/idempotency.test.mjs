// Idempotency-Key: one effect for many twins, the same bytes for a replay, nothing across keys, no secret in the table.
import assert from "node:assert/strict"
import { after, before, test } from "node:test"
import { Cluster, Shim, freePort } from "./cluster.mjs"
import { agent, send } from "./retry.mjs"

let cluster
let shim
let key
let other

before(async () => {
	cluster = await Cluster.create()
	key = cluster.tenant("twins", ["incidents"])
	other = cluster.key("twins")
	shim = new Shim(cluster, await freePort())
	await shim.ready()
})

after(async () => {
	agent.destroy()
	await shim.stop()
	cluster.remove()
})

const create = (title, idempotencyKey, headers = {}, sender = key) =>
	send(shim.port, sender, "POST", "/api/v1/records", { moduleKey: "incidents", payload: { title, severity: "low" } },
		{ "Idempotency-Key": idempotencyKey, ...headers })
const count = (title) => Number(cluster.sql(`SELECT count(*) FROM qehs.record WHERE payload ->> 'title' = '${title}'`))

test("of 64 twins one is executed, the others get its answer or 409", async () => {
	const answers = await Promise.all(Array.from({ length: 64 }, () => create("twins", "k1")))
	const first = answers.filter((answer) => answer.status === 201 && !answer.headers["idempotency-replayed"])
	assert.equal(first.length, 1)
	for (const answer of answers)
		if (answer.status === 201)
			assert.equal(answer.text, first[0].text)
		else {
			assert.equal(answer.status, 409, answer.text)
			assert.equal(answer.json.code, "idempotency_key_in_progress")
			assert.ok(answer.headers["retry-after"])
		}
	assert.equal(count("twins"), 1)
})

test("with Prefer: wait every twin gets the answer", async () => {
	const answers = await Promise.all(Array.from({ length: 64 }, () => create("patient", "k2", { Prefer: "wait=10" })))
	for (const answer of answers)
		assert.equal(answer.status, 201, answer.text)
	assert.equal(new Set(answers.map((answer) => answer.text)).size, 1)
	assert.equal(count("patient"), 1)
})

test("a replay has the same bytes, status and headers", async () => {
	const first = await create("replay", "k3")
	const second = await create("replay", "k3")
	assert.equal(first.headers["idempotency-replayed"], undefined)
	assert.equal(second.headers["idempotency-replayed"], "true")
	assert.equal(second.status, first.status)
	assert.equal(second.text, first.text)
	for (const name of ["etag", "location", "content-type"])
		assert.equal(second.headers[name], first.headers[name])
})

test("the same key with another body is refused", async () => {
	await create("body", "k4")
	const answer = await create("other body", "k4")
	assert.equal(answer.status, 422)
	assert.equal(answer.json.code, "idempotency_key_conflict")
	assert.equal(answer.json.errors[0].path, "@Idempotency-Key")
})

test("a key of another API key does not replay", async () => {
	const first = await create("apart", "k5")
	const second = await create("apart", "k5", {}, other)
	assert.equal(second.status, 201)
	assert.equal(second.headers["idempotency-replayed"], undefined)
	assert.notEqual(second.json.id, first.json.id)
})

test("a request that failed leaves no key behind", async () => {
	const bad = await send(shim.port, key, "POST", "/api/v1/records", { moduleKey: "incidents", payload: { severity: "none" } }, { "Idempotency-Key": "k6" })
	assert.equal(bad.status, 400)
	assert.equal((await create("good", "k6")).status, 201)
})

test("an answer with a new secret is kept encrypted", async () => {
	const body = { name: "secret", scopes: ["records.read"], roles: ["viewer"] }
	const call = () => send(shim.port, key, "POST", "/api/v1/api-keys", body, { "Idempotency-Key": "k7" })
	const first = await call()
	const second = await call()
	assert.equal(first.status, 201)
	assert.equal(second.text, first.text)
	assert.equal(cluster.sql(`SELECT count(*) FROM qehs.idempotency WHERE body LIKE '%${first.json.key}%'`), "0")
	assert.equal(cluster.sql("SELECT count(*) FROM qehs.idempotency WHERE sealed"), "1")
})

test("expired keys go by tick, and are free again", async () => {
	await create("expired", "k8")
	cluster.sql("UPDATE qehs.idempotency SET created_at = created_at - interval '25 hours' WHERE idempotency_key = 'k8'")
	assert.equal((await create("expired", "k8")).headers["idempotency-replayed"], undefined)
	// in one transaction, as the shim calls it every few seconds, too
	assert.ok(JSON.parse(cluster.sql("UPDATE qehs.idempotency SET created_at = created_at - interval '25 hours'; SELECT qehs.tick()")).idempotencyKeys > 0)
	assert.equal(cluster.sql("SELECT count(*) FROM qehs.idempotency"), "0")
})
