// Bulk loads by clients that are slow, leave, or are too many: others go on being answered meanwhile, and afterwards nothing is
// held: no connection to the database, no place, no file. FAULT_CLIENT_GETS and FAULT_CLIENT_PAUSE (ms between two bytes) choose
// the size.
import assert from "node:assert/strict"
import { readdirSync, readlinkSync } from "node:fs"
import net from "node:net"
import { after, afterEach, before, test } from "node:test"
import { gzipSync } from "node:zlib"
import { assertNoStrays, assertOnce, line, lines, open, parse, path, publish, read, send as load } from "./bulk.mjs"
import { Cluster, Shim, freePort, sleep, until } from "./cluster.mjs"
import { agent, send } from "./retry.mjs"

const gets = Number(process.env.FAULT_CLIENT_GETS ?? 100)
const pause = Number(process.env.FAULT_CLIENT_PAUSE ?? 5)
let cluster
let shim
let key
let otherKey
let quiet

before(async () => {
	cluster = await Cluster.create()
	for (const slug of ["clients", "others"]) {
		cluster.tenant(slug, [])
		publish(cluster, slug)
	}
	key = cluster.key("clients")
	otherKey = cluster.key("others")
	shim = new Shim(cluster, await freePort())
	await shim.ready()
	// once all connections of the shim's pool are there
	await getMany(64)
	await load(shim.port, key, line("warm", 1))
	quiet = await settled()
})

after(async () => {
	agent.destroy()
	await shim?.stop()
	cluster?.remove()
})

// What the shim and the database hold for clients.
function held() {
	const links = readdirSync(`/proc/${shim.process.pid}/fd`).map((name) => {
		try {
			return readlinkSync(`/proc/${shim.process.pid}/fd/${name}`)
		} catch {
			return "closed meanwhile"
		}
	})
	const [sessions, places, open] = cluster.sql(`SELECT (SELECT count(*) FROM pg_stat_activity WHERE usename = 'qehs_shim'),
		(SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 5),
		(SELECT count(*) FROM pg_stat_activity WHERE usename = 'qehs_shim' AND xact_start IS NOT NULL)`).split("|").map(Number)
	return { files: links.length, spools: links.filter((name) => name.includes("qehs-shim.")).length, sessions, places, transactions: open }
}

// Until nothing changes any more, without clients.
async function settled() {
	agent.destroy()
	for (let last = "", same = 0; same < 3; await sleep(100)) {
		const now = JSON.stringify(held())
		same = now === last ? same + 1 : 0
		last = now
	}
	return held()
}

// As after the first load: this is what each test here is about, too.
afterEach(async () => {
	agent.destroy()
	// files and sessions of the start may have been closed
	await until(`no more is held than ${JSON.stringify(quiet)}`, () => {
		const now = held()
		return Object.keys(quiet).every((name) => now[name] <= quiet[name])
	}, 50)
})

const places = () => held().places
const countOf = (name) => Number(cluster.sql(`SELECT count(*) FROM qehs.record WHERE payload ->> 'title' LIKE '${name} %'`))

// Requests of others, all answered.
async function getMany(count = gets) {
	let next = 0
	await Promise.all(Array.from({ length: 8 }, async () => {
		while (next++ < count) {
			const answer = await send(shim.port, otherKey, "GET", "/api/v1/records?moduleKey=readings&limit=5")
			assert.equal(answer.status, 200, answer.text)
		}
	}))
}

// Answers that are larger than what sockets buffer: each line breaks a hundred rules.
const faulty = JSON.stringify(Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`nobody_knows_this_member_${i}`, i]))) + "\n"

test("a client that does not read its answer", async () => {
	const count = 2000
	for (const query of ["", "?mode=atomic"]) {
		const { request, response } = open(shim.port, key, { query, paused: true })
		let gone = false
		request.on("close", () => { gone = true })
		request.end(faulty.repeat(count))
		await getMany()
		assert.ok(!gone, "the client is still there")
		const { lines: answers, summary } = parse(await read(await response))
		assert.equal(answers.length, count)
		assert.equal(summary.failed, count)
		assert.ok(answers.every((item, i) => item.line === i + 1 && item.errors.length === 100))
	}
})

test("a client that never reads its answer and then leaves", async () => {
	const { request } = open(shim.port, key, { paused: true })
	request.end(faulty.repeat(3000))
	await getMany()
	request.destroy()
})

test("clients that send a byte now and then", async () => {
	const clients = Array.from({ length: 5 }, (_, i) => ({ name: `drip${i}`, ...open(shim.port, key, { query: i % 2 ? "?mode=atomic" : "" }) }))
	let answered = false
	const done = Promise.all(clients.map(async ({ name, request }) => {
		for (const byte of lines(name, 3)) {
			request.write(Buffer.of(byte))
			await sleep(pause)
		}
		await until("others were answered", () => answered)
		request.end()
	}))
	await getMany()
	await until("each has its place", () => places() === 5)
	answered = true
	await done
	for (const { name, answer } of clients) {
		assert.equal(parse(await answer).summary.created, 3)
		assertOnce(cluster, name, 3, false)
	}
})

// Ways to leave: what is sent, and what is waited for before.
const ways = {
	"with nothing sent": async () => {},
	"in the middle of the first line": async (request) => request.write('{"title":"lea'),
	"in the middle of many lines": async (request, name) => request.write(lines(name, 3000).subarray(0, -20)),
	"when lines are committed": async (request, name) => {
		request.write(lines(name, 1000))
		await until("some are committed", () => countOf(name) > 0)
	},
	"before the answer": async (request, name) => request.end(lines(name, 3000)),
	"in the middle of a compressed body": async (request, name) => request.write(gzipSync(lines(name, 3000)).subarray(0, -30)),
}

let left = 0

for (const [way, go] of Object.entries(ways)) {
	test(`clients that leave ${way}`, async () => {
		const compressed = way.includes("compressed") ? { "Content-Encoding": "gzip" } : {}
		for (const keyed of [true, false])
			for (const atomic of [false, true]) {
				if (atomic && way.includes("committed"))
					continue
				const name = `left${++left}`
				const headers = { ...compressed, ...(keyed && { "Idempotency-Key": name }) }
				const query = atomic ? "?mode=atomic" : ""
				const { request } = open(shim.port, key, { query, headers })
				request.flushHeaders()
				await go(request, name)
				await until("it has its place", () => way.includes("before the answer") || places() === 1)
				await getMany(20)
				request.destroy()
				await until("its place is free", () => places() === 0)
				if (atomic)
					assert.ok([0, 3000].includes(countOf(name)))
				if (!keyed)
					continue
				const body = lines(name, 3000)
				const again = await load(shim.port, key, compressed["Content-Encoding"] ? gzipSync(body) : body, { query, headers })
				assert.equal(again.summary.created + again.summary.replayed, 3000)
				assertOnce(cluster, name, 3000)
			}
		assertNoStrays(cluster)
	})
}

test("a client that closes its sending side once all is sent has its answer", async () => {
	const body = lines("half", 3000)
	for (const [name, framing] of [["Content-Length", [`Content-Length: ${body.length}\r\n\r\n`, body]],
		["chunked", ["Transfer-Encoding: chunked\r\n\r\n", `${body.length.toString(16)}\r\n`, body, "\r\n0\r\n\r\n"]]]) {
		const socket = net.connect({ port: shim.port, host: "127.0.0.1", allowHalfOpen: true })
		socket.write(`POST ${path}?dryRun=true HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/x-ndjson\r\nAuthorization: Bearer ${key}\r\n`)
		for (const part of framing)
			socket.write(part)
		socket.end()
		let text = ""
		for await (const part of socket)
			text += part
		assert.match(text, /"valid":3000/, name)
	}
})

test("compressed bodies that break off", async () => {
	const packed = gzipSync(lines("broken", 3000))
	for (const query of ["", "?mode=atomic"])
		for (const length of [5, packed.length >> 1, packed.length - 1]) {
			const before = countOf("broken")
			const { lines: answers, summary, error } = await load(shim.port, key, packed.subarray(0, length), { query, headers: { "Content-Encoding": "gzip", "Idempotency-Key": "broken" } })
			assert.equal(summary, undefined)
			assert.equal(error.code, "malformed_request")
			const created = answers.filter((item) => item.status === "created").length
			assert.equal(countOf("broken"), before + (query ? 0 : created))
		}
	const whole = await load(shim.port, key, packed, { headers: { "Content-Encoding": "gzip", "Idempotency-Key": "broken" } })
	assert.equal(whole.summary.created + whole.summary.replayed, 3000)
	assertOnce(cluster, "broken", 3000)
})

test("ten loads at once, and more", async () => {
	const ten = Array.from({ length: 10 }, (_, i) => ({ name: `ten${i}`, ...open(shim.port, key) }))
	for (const { name, request } of ten)
		request.write(lines(name, 700))
	await until("ten places are taken", () => places() === 10)
	for (let i = 0; i < 5; i++) {
		const refused = await load(shim.port, key, line("eleventh", i))
		assert.equal(refused.status, 429)
		assert.equal(JSON.parse(refused.text).code, "rate_limited")
		assert.match(refused.headers["retry-after"], /^[1-9]\d*$/)
	}
	await getMany()
	assert.equal((await load(shim.port, otherKey, line("other", 1))).summary.created, 1)
	for (const { name, request } of ten)
		request.end(line(name, 701))
	for (const { name, answer } of ten) {
		assert.equal(parse(await answer).summary.created, 701)
		assertOnce(cluster, name, 701, false)
	}
	assert.equal(countOf("eleventh"), 0)
	await until("all places are free", () => places() === 0)
	assert.equal((await load(shim.port, key, line("eleventh", 1))).summary.created, 1)
})
