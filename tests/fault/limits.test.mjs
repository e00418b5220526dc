// Rate limits: exact in a burst, over two shims, not given back by a rollback; headers on every answer; the window slides.
import assert from "node:assert/strict"
import { after, before, test } from "node:test"
import { Cluster, Shim, freePort, sleep } from "./cluster.mjs"
import { agent, send } from "./retry.mjs"

const fields = ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset", "ratelimit-policy", "ratelimit"]
let cluster
let shims
let ports

before(async () => {
	cluster = await Cluster.create()
	cluster.tenant("limits", ["incidents"])
	ports = [await freePort(), await freePort()]
	shims = ports.map((port) => new Shim(cluster, port, ["--trusted-proxies", "127.0.0.0/8"]))
	await Promise.all(shims.map((shim) => shim.ready()))
})

after(async () => {
	agent.destroy()
	await Promise.all(shims.map((shim) => shim.stop()))
	cluster.remove()
})

// What is exact within one minute of the clock only: done until it has begun and ended within one. Each time it makes a key of its own.
async function inOneMinute(work) {
	const minute = () => Math.floor(Date.now() / 60000)
	for (;;) {
		const left = 60000 - Date.now() % 60000
		if (left < 8000)
			await sleep(left + 100)
		const begun = minute()
		const result = await work()
		if (minute() === begun)
			return result
	}
}

async function burst(count, key, targets, method = "GET", path = "/api/v1/modules", body = undefined) {
	const answers = []
	let next = 0
	await Promise.all(Array.from({ length: 16 }, async () => {
		while (next < count) {
			const i = next++
			answers.push(await send(targets[i % targets.length], key, method, path, body))
		}
	}))
	return answers
}

test("of 1,000 requests 300 pass through one shim, and through two", async () => {
	for (const targets of [[ports[0]], ports]) {
		const answers = await inOneMinute(() => burst(1000, cluster.key("limits", 300), targets))
		const passed = answers.filter((answer) => answer.status === 200)
		const refused = answers.filter((answer) => answer.status === 429)
		assert.equal(passed.length, 300)
		assert.equal(refused.length, 700)
		assert.deepEqual(passed.map((a) => Number(a.headers["x-ratelimit-remaining"])).sort((a, b) => b - a), Array.from({ length: 300 }, (_, i) => 299 - i))
		for (const answer of refused) {
			assert.equal(answer.json.code, "rate_limited")
			assert.ok(Number(answer.headers["retry-after"]) >= 1)
			assert.equal(answer.headers["x-ratelimit-remaining"], "0")
		}
	}
})

test("of 1,000 requests that are rolled back 300 are let to fail", async () => {
	const answers = await inOneMinute(async () => {
		const key = cluster.key("limits", 300)
		return [...await burst(1000, key, ports, "POST", "/api/v1/records", { moduleKey: "incidents", payload: { severity: "none" } }), await send(ports[1], key, "GET", "/api/v1/modules")]
	})
	assert.equal(answers.pop().status, 429, "nothing was given back")
	assert.equal(answers.filter((answer) => answer.status === 400).length, 300)
	assert.equal(answers.filter((answer) => answer.status === 429).length, 700)
	for (const answer of answers)
		for (const field of fields)
			assert.ok(answer.headers[field], `${field} on ${answer.status}`)
})

test("a request that fails is counted", async () => {
	const calls = [["POST", "/api/v1/records", { moduleKey: "incidents", payload: {} }, 400], ["GET", "/api/v1/nowhere", undefined, 404],
		["GET", "/api/v1/records?limit=x&moduleKey=incidents", undefined, 400], ["GET", "/api/v1/records/rec_00000000000000000000000000", undefined, 404], ["DELETE", "/api/v1/modules", undefined, 405],
		["GET", "/api/v1/modules", undefined, 429]]
	const answers = await inOneMinute(async () => {
		const key = cluster.key("limits", 5)
		const answers = []
		for (const [method, path, body] of calls)
			answers.push(await send(ports[0], key, method, path, body))
		return answers
	})
	for (const [i, answer] of answers.entries()) {
		const status = calls[i][3]
		assert.equal(answer.status, status, answer.text)
		for (const field of fields)
			assert.ok(answer.headers[field], `${field} on ${status}`)
	}
})

test("without a valid key the address is limited, failures count double", async () => {
	await cluster.set("qehs.address_rate_limit", "6")
	// addresses of their own each time
	let net = 0
	const from = (address, key) => send(ports[0], key, "GET", "/api/v1/modules", undefined, { "X-Forwarded-For": `198.51.100.1, 203.0.${net}.${address}` })
	const statuses = await inOneMinute(async () => {
		net++
		const statuses = []
		for (let i = 0; i < 5; i++)
			statuses.push((await from(7, "qehs_live_sk_wrong")).status)
		return statuses
	})
	assert.deepEqual(statuses, [401, 401, 401, 429, 429])
	assert.equal((await from(8, "qehs_live_sk_wrong")).status, 401, "another address is not held up")
	assert.equal((await from(7, cluster.key("limits"))).status, 200, "a valid key is not held up")
	const answer = await from(9, "x")
	for (const field of fields)
		assert.ok(answer.headers[field], field)
	await cluster.set("qehs.address_rate_limit")
})

test("a limit set in SQL holds from the next request", async () => {
	const key = cluster.key("limits", null)
	const limit = async () => Number((await send(ports[1], key, "GET", "/api/v1/modules")).headers["x-ratelimit-limit"])
	assert.equal(await limit(), 300)
	cluster.sql("SELECT qehs.use_tenant('limits'); SELECT qehs.rate_limit_set('default', 77)")
	assert.equal(await limit(), 77)
	const id = cluster.sql("SELECT qehs.use_tenant('limits'); SELECT k ->> 'id' FROM json_array_elements(qehs.api_key_list(200) -> 'items') AS k ORDER BY k ->> 'id' DESC LIMIT 1")
	cluster.sql(`SELECT qehs.use_tenant('limits'); SELECT qehs.rate_limit_set('default', 12, '${id}')`)
	assert.equal(await limit(), 12)
	cluster.sql(`SELECT qehs.use_tenant('limits'); SELECT qehs.rate_limit_set('default', NULL, '${id}'); SELECT qehs.rate_limit_set('default', NULL)`)
	assert.equal(await limit(), 300)
})

test("the window slides: after Retry-After the next request passes", async () => {
	const [key, answers] = await inOneMinute(async () => {
		const key = cluster.key("limits", 2)
		return [key, [await send(ports[0], key, "GET", "/api/v1/modules"), await send(ports[0], key, "GET", "/api/v1/modules"), await send(ports[0], key, "GET", "/api/v1/modules")]]
	})
	assert.deepEqual(answers.map(({ status }) => status), [200, 200, 429])
	await sleep(Number(answers[2].headers["retry-after"]) * 1000)
	assert.equal((await send(ports[0], key, "GET", "/api/v1/modules")).status, 200)
})

test("a key with networks works from them only", async () => {
	const key = cluster.sql("SELECT qehs.use_tenant('limits'); SELECT qehs.api_key_create('net', rate_limit => 0, allowed_addresses => '{203.0.113.0/24}') ->> 'key'")
	const from = (address) => send(ports[0], key, "GET", "/api/v1/modules", undefined, { Forwarded: `for="${address}:4711"` })
	assert.equal((await from("203.0.113.20")).status, 200)
	assert.equal((await from("192.0.2.20")).status, 403)
})

test("every answer has the fields, whatever its status", async () => {
	const key = cluster.key("limits", 1000)
	const call = (method, path, body, headers) => send(ports[0], key, method, path, body, headers)
	const record = (await call("POST", "/api/v1/records", { moduleKey: "incidents", payload: { title: "t", severity: "low" } })).json.id
	const one = `/api/v1/records/${record}`
	const limited = cluster.sql("SELECT qehs.use_tenant('limits'); SELECT qehs.api_key_create('l', scopes => '{records.read}', roles => '{}', rate_limit => 1000) ->> 'key'")
	for (const [status, ask] of [
		[200, () => call("GET", one)], [304, () => call("GET", one, undefined, { "If-None-Match": '"1"' })], [400, () => call("GET", one, undefined, { "If-None-Match": "1" })],
		[201, () => call("POST", "/api/v1/records", { moduleKey: "incidents", payload: { title: "t", severity: "low" } }, { "Idempotency-Key": "f" })],
		[422, () => call("PATCH", one, { payload: {} }, { "Idempotency-Key": "f" })], [401, () => send(ports[0], "x", "GET", one)], [403, () => send(ports[0], limited, "GET", one)],
		[404, () => call("GET", "/api/v1/records/rec_x")], [404, () => call("GET", "/nowhere")], [405, () => call("PUT", one, {})], [406, () => call("GET", one, undefined, { Accept: "text/html" })],
		[409, () => call("POST", `${one}:restore`)], [412, () => call("PATCH", one, { payload: {} }, { "If-Match": '"9"' })], [415, () => call("PATCH", one, {}, { "Content-Type": "text/plain" })],
		[413, () => call("PATCH", one, { payload: "x".repeat(1 << 20) })], [204, () => call("OPTIONS", one)], [204, () => call("DELETE", one)],
	]) {
		const answer = await ask()
		assert.equal(answer.status, status, answer.text)
		for (const field of fields)
			assert.ok(answer.headers[field], `${field} on ${status}`)
		assert.match(answer.headers["ratelimit-policy"], /^"(default|address)";q=\d+;w=60$/)
		assert.match(answer.headers.ratelimit, /^"(default|address)";r=\d+;t=\d+$/)
	}
})

test("signed URLs have a limit of their own beside that of the key, and both are told", async () => {
	cluster.sql("UPDATE qehs.endpoint SET class = 'signed-urls' WHERE operation = 'module_get'")
	const [answers, other, more] = await inOneMinute(async () => {
		const key = cluster.key("limits", 100)
		const found = [await burst(60, key, ports, "GET", "/api/v1/modules/incidents"), await send(ports[0], key, "GET", "/api/v1/modules")]
		cluster.sql("SELECT qehs.use_tenant('limits'); SELECT qehs.rate_limit_set('signed-urls', 55)")
		found.push(await burst(10, key, ports, "GET", "/api/v1/modules/incidents"))
		cluster.sql("SELECT qehs.use_tenant('limits'); SELECT qehs.rate_limit_set('signed-urls', NULL)")
		return found
	})
	assert.equal(answers.filter((answer) => answer.status === 200).length, 50)
	const refused = answers.find((answer) => answer.status === 429)
	assert.match(refused.json.detail, /50 signed URLs a minute/)
	assert.equal(refused.headers["x-ratelimit-limit"], "50")
	assert.equal(refused.headers["ratelimit-policy"], '"default";q=100;w=60, "signed-urls";q=50;w=60')
	assert.match(refused.headers.ratelimit, /^"default";r=\d+;t=\d+, "signed-urls";r=0;t=\d+$/)
	assert.equal(other.status, 200, "other requests go on")
	assert.equal(more.filter((answer) => answer.status === 200).length, 5)
	cluster.sql("UPDATE qehs.endpoint SET class = 'default' WHERE operation = 'module_get'")
})

test("all keys of a tenant together have a limit when one is set", async () => {
	let tenants = 0
	let slug
	const answers = await inOneMinute(async () => {
		cluster.tenant(slug = `together${++tenants}`, ["incidents"])
		const keys = [cluster.key(slug), cluster.key(slug, 1000)]
		cluster.sql(`SELECT qehs.use_tenant('${slug}'); SELECT qehs.rate_limit_set('tenant', 40)`)
		return (await Promise.all(keys.map((key) => burst(30, key, ports)))).flat()
	})
	assert.equal(answers.filter((answer) => answer.status === 200).length, 40)
	const refused = answers.find((answer) => answer.status === 429)
	assert.match(refused.json.detail, /of the tenant may send 40 requests a minute together/)
	assert.equal(refused.headers["x-ratelimit-limit"], "40")
	assert.equal((await send(ports[0], cluster.key("limits"), "GET", "/api/v1/modules")).status, 200, "another tenant is not held up")
	const list = JSON.parse(cluster.sql(`SELECT qehs.use_tenant('${slug}'); SELECT qehs.rate_limit_list()`)).items
	assert.deepEqual(list.filter((item) => item.keyId === null), [
		{ class: "bulk", keyId: null, quantity: 10, builtIn: true }, { class: "default", keyId: null, quantity: 300, builtIn: true },
		{ class: "exports", keyId: null, quantity: 5, builtIn: true }, { class: "signed-urls", keyId: null, quantity: 50, builtIn: true },
		{ class: "tenant", keyId: null, quantity: 40, builtIn: false }])
	assert.ok(list.some((item) => item.keyId?.startsWith("key_") && item.class === "default" && item.quantity === 1000))
	assert.throws(() => cluster.sql(`SELECT qehs.use_tenant('${slug}'); SELECT qehs.rate_limit_set('tenant', 1, '${list.find((item) => item.keyId).keyId}')`))
})

test("of IPv6 a network of 64 bits is one client", async () => {
	await cluster.set("qehs.address_rate_limit", "6")
	// networks of their own each time
	let net = 0
	const from = async (address) => (await send(ports[0], "wrong", "GET", "/api/v1/modules", undefined, { "X-Forwarded-For": `2001:db8:${net}:${address}` })).status
	const statuses = await inOneMinute(async () => {
		net++
		const statuses = []
		for (const address of ["1::1", "1::2", "1:ffff::3", "1::4"])
			statuses.push(await from(address))
		return statuses
	})
	assert.deepEqual(statuses, [401, 401, 401, 429])
	assert.equal(await from("2::1"), 401, "another network is not held up")
	await cluster.set("qehs.address_rate_limit")
})

test("addresses by the thousand do not push a key's count out", async () => {
	const [used, more] = await inOneMinute(async () => {
		const key = cluster.key("limits", 10)
		const used = await burst(9, key, ports)
		// far more than the table has places
		cluster.sql("SELECT count(qehs.request_begin(NULL, client_address => format('10.%s.%s.1', i / 256, i % 256), operation => NULL)) FROM generate_series(1, 60000) AS i")
		return [used, await burst(3, key, ports)]
	})
	assert.ok(used.every((answer) => answer.status === 200))
	assert.deepEqual(more.map((answer) => answer.status).sort(), [200, 429, 429])
})

test("without shared_preload_libraries a limit holds over all connections too, and after a crash", async () => {
	const plain = await Cluster.create(["shared_preload_libraries = ''"])
	const two = [new Shim(plain, await freePort()), new Shim(plain, await freePort())]
	try {
		plain.tenant("plain", ["incidents"])
		await Promise.all(two.map((shim) => shim.ready()))
		for (let round = 0; round < 2; round++) {
			const answers = await inOneMinute(() => burst(300, plain.key("plain", 100), two.map((shim) => shim.port), "POST", "/api/v1/records", { moduleKey: "incidents", payload: {} }))
			assert.equal(answers.filter((answer) => answer.status === 400).length, 100)
			assert.equal(answers.filter((answer) => answer.status === 429).length, 200)
			plain.stopImmediately()
			plain.start()
			await Promise.all(two.map((shim) => shim.ready()))
		}
	} finally {
		await Promise.all(two.map((shim) => shim.stop()))
		plain.remove()
	}
})
