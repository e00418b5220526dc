// SIGHUP loads the endpoints anew while requests are under way: none of them fails, and none of those that follow.
import assert from "node:assert/strict"
import net from "node:net"
import { test } from "node:test"
import { sleep, stage, until } from "./cluster.mjs"
import { send } from "./retry.mjs"

const at = stage("reload")
const reload = () => at.shim.process.kill("SIGHUP")
const create = (headers, title = "t") => send(at.shim.port, at.key, "POST", "/api/v1/records", { moduleKey: "incidents", payload: { title, severity: "low" } }, headers)

// Every connection of the pool serves requests.
async function assertServes() {
	const answers = await Promise.all(Array.from({ length: 40 }, () => send(at.shim.port, at.key, "GET", "/api/v1/modules")))
	assert.deepEqual(answers.map(({ status }) => status).filter((status) => status !== 200), [])
}

const body = JSON.stringify({ moduleKey: "incidents", payload: { title: "halves", severity: "low" } })

// A request whose body comes in halves, with something in between them.
function halves(between) {
	return new Promise((resolve, reject) => {
		let text = ""
		const socket = net.connect(at.shim.port, "127.0.0.1", async () => {
			socket.write(`POST /api/v1/records HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer ${at.key}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body.slice(0, 20)}`)
			await sleep(100)
			await between()
			socket.write(body.slice(20))
		})
		socket.on("data", (data) => { text += data })
		socket.on("close", () => resolve(text))
		socket.on("error", reject)
	})
}

test("a request with half its body sent", async () => {
	await assertServes()
	const answer = await halves(async () => {
		reload()
		await sleep(300)
		await assertServes()
	})
	assert.match(answer, /^HTTP\/1.1 201 /)
	await assertServes()
})

test("a request that waits for its twin", async () => {
	const holder = at.cluster.session()
	const first = await create({ "Idempotency-Key": "warm" })
	assert.equal(first.status, 201)
	await holder.run("BEGIN; LOCK TABLE qehs.record IN ACCESS EXCLUSIVE MODE")
	const twins = [create({ "Idempotency-Key": "twin" }, "twin")]
	await until("the first waits", () => at.cluster.sql("SELECT count(*) FROM pg_stat_activity WHERE usename = 'qehs_shim' AND wait_event_type = 'Lock' AND query LIKE 'SELECT qehs.request(%'") === "1")
	twins.push(create({ "Idempotency-Key": "twin", Prefer: "wait=8" }, "twin"))
	await sleep(200)
	reload()
	await sleep(500)
	await holder.end()
	const answers = await Promise.all(twins)
	assert.deepEqual(answers.map(({ status }) => status), [201, 201])
	assert.equal(answers[0].json.id, answers[1].json.id)
	await assertServes()
})

test("20 busy clients", async () => {
	let running = true
	const seen = new Map()
	const clients = Array.from({ length: 20 }, async (_, client) => {
		while (running) {
			const { status } = client % 4 === 0 ? await create() : await send(at.shim.port, at.key, "GET", "/api/v1/records?moduleKey=incidents&limit=5")
			seen.set(status, (seen.get(status) ?? 0) + 1)
		}
	})
	for (let i = 0; i < 20; i++) {
		reload()
		await sleep(50)
	}
	running = false
	await Promise.all(clients)
	assert.deepEqual([...seen.keys()].sort(), [200, 201])
	await assertServes()
})
