// 16 clients create, change, move and delete records through a proxy that cuts connections, in front of two shims, while the
// shims, single backends and the whole server are killed. Every client retries what is unclear with its key. In the end each
// intended effect exists once, and each record's audit trail is whole. FAULT_OPERATIONS and FAULT_SEED choose size and course.
import assert from "node:assert/strict"
import { test } from "node:test"
import { Cluster, CuttingProxy, Shim, freePort, sleep } from "./cluster.mjs"
import { seeded } from "../tools/random.mjs"
import { agent, persist } from "./retry.mjs"

const operations = Number(process.env.FAULT_OPERATIONS ?? 2000)
const seed = Number(process.env.FAULT_SEED ?? 20261124)
const CLIENTS = 16
const random = seeded(seed)
const statistics = { retries: 0, replayed: 0 }
const faults = { shim: 0, backend: 0, server: 0 }

const cluster = await Cluster.create()
const key = cluster.tenant("fault", ["incidents"])
const shims = []
for (let i = 0; i < 2; i++)
	shims.push(new Shim(cluster, await freePort()))
await Promise.all(shims.map((shim) => shim.ready()))
const proxy = await CuttingProxy.create(shims.map((shim) => shim.port), seeded(seed + 1), 0.01)

let done = 0
let running = true

// What a client means to do with one record, in order; it keeps what was acknowledged.
async function life(client, number) {
	const name = `client ${client} record ${number}`
	const call = (step, method, path, body) => {
		done++
		return persist(proxy.port, key, `${name} ${step}`, method, path, body, statistics)
	}
	const created = await call("create", "POST", "/api/v1/records", { moduleKey: "incidents", payload: { title: name, severity: "low" } })
	assert.equal(created.status, 201, created.text)
	const path = `/api/v1/records/${created.json.id}`
	const record = { name, id: created.json.id, events: ["created"] }
	const updated = await call("update", "PATCH", path, { payload: { severity: "high" } })
	assert.equal(updated.status, 200, updated.text)
	record.events.push("updated")
	const moved = await call("move", "POST", `${path}:transition`, { transition: "accept" })
	assert.equal(moved.status, 200, moved.text)
	record.events.push("transitioned")
	if (number % 3 === 0) {
		const deleted = await call("delete", "DELETE", path)
		assert.equal(deleted.status, 204, deleted.text)
		record.events.push("deleted")
	}
	return record
}

async function work(client) {
	const records = []
	for (let number = 0; done < operations; number++)
		records.push(await life(client, number))
	return records
}

async function breakThings() {
	while (running) {
		await sleep(200 + random() * 800)
		if (!running)
			break
		const dice = random()
		if (dice < 0.5) {
			faults.shim++
			await shims[Math.floor(random() * shims.length)].crash()
		} else if (dice < 0.75) {
			faults.backend += cluster.killBackend(random)
		} else {
			faults.server++
			cluster.stopImmediately()
			await sleep(random() * 500)
			cluster.start()
		}
	}
}

// The events of every record, oldest first, as the audit trail has them.
function trails() {
	const rows = cluster.sql(`SELECT json_agg(t) FROM (SELECT r.payload ->> 'title' AS title, r.version, r.deleted_at IS NOT NULL AS deleted,
		r.workflow_state AS state, array_agg(e.action ORDER BY e.record_version) AS events, array_agg(e.record_version ORDER BY e.record_version) AS versions
		FROM qehs.record AS r JOIN qehs.audit_event AS e ON e.tenant_id = r.tenant_id AND e.record_id = r.id GROUP BY r.tenant_id, r.id) AS t`)
	return JSON.parse(rows)
}

test("what was meant happens once, whatever is killed", async (t) => {
	try {
		const breaking = breakThings()
		const records = (await Promise.all(Array.from({ length: CLIENTS }, (_, client) => work(client)))).flat()
		running = false
		await breaking
		await shims[0].ready()

		const found = trails()
		assert.equal(found.length, records.length, "as many records as were meant")
		const byTitle = new Map(found.map((row) => [row.title, row]))
		assert.equal(byTitle.size, records.length, "each record once")
		for (const record of records) {
			const row = byTitle.get(record.name)
			assert.ok(row, `${record.name} exists`)
			assert.deepEqual(row.events, record.events, `the trail of ${record.name}`)
			assert.deepEqual(row.versions, record.events.map((_, i) => i + 1), `the versions of ${record.name}`)
			assert.equal(row.deleted, record.events.includes("deleted"))
		}
		t.diagnostic(`${done} operations on ${records.length} records held: seed ${seed}, killed ${faults.shim} shims, ${faults.backend} backends, ` +
			`${faults.server} servers, cut ${proxy.cuts} connections; ${statistics.retries} retries, ${statistics.replayed} replayed answers`)
	} finally {
		running = false
		proxy.close()
		agent.destroy()
		await Promise.all(shims.map((shim) => shim.stop()))
		cluster.remove()
	}
})
