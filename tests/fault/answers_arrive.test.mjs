// Answers reach their clients: of loads that fail while the body still comes, of clients that read nothing for long; and clients that
// hardly read at all do not keep their places.
import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import net from "node:net"
import { test } from "node:test"
import { line, publish, send as load } from "./bulk.mjs"
import { freePort, Shim, sleep, stage, until } from "./cluster.mjs"
import { agent, send } from "./retry.mjs"

const at = stage("arrive", { modules: [], prepare: ({ cluster }) => publish(cluster, "arrive"),
	flags: ({ cluster }) => ["--early-answers", "never", "--log", `${cluster.directory}/shim.log`] })
const path = "/api/modules/readings/bulk"

// Send lines without end, slower once told; resolves with all that came and how the connection ended.
function endless(port, key, { module = path, pause = 1, most = 60000 } = {}) {
	const state = { text: "", sent: 0 }
	const socket = net.connect(port, "127.0.0.1")
	socket.on("data", (data) => state.text += data)
	socket.write(`POST ${module} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n`)
	state.ended = new Promise((resolve) => {
		socket.on("error", (error) => resolve(error.code))
		socket.on("end", () => resolve("end"))
	})
	state.run = (async () => {
		const block = Buffer.concat(Array.from({ length: 500 }, (_, i) => Buffer.from(line("endless", i))))
		const chunk = Buffer.concat([Buffer.from(`${block.length.toString(16)}\r\n`), block, Buffer.from("\r\n")])
		const until = Date.now() + most
		let ended = false
		state.ended.then(() => ended = true)
		while (!ended && Date.now() < until) {
			if (!socket.write(chunk))
				await Promise.race([new Promise((resolve) => socket.once("drain", resolve)), state.ended, sleep(1000)])
			state.sent += block.length
			await sleep(pause)
		}
		socket.destroy()
	})()
	return state
}

test("a load whose key is revoked meanwhile ends in its error line, though its client sends on", { timeout: 90000 }, async () => {
	const key = at.cluster.sql("SELECT qehs.use_tenant('arrive'); SELECT qehs.api_key_create('revoked', rate_limit => 0) ->> 'key'")
	const stream = endless(at.shim.port, key)
	await until("lines are loaded", () => at.cluster.sql("SELECT EXISTS (SELECT FROM qehs.record WHERE payload ->> 'title' LIKE 'endless %')") === "t")
	at.cluster.sql("UPDATE qehs.api_key SET revoked_at = now() WHERE name = 'revoked'")
	assert.equal(await stream.ended, "end", "the connection is closed, not reset")
	assert.match(stream.text, /^HTTP\/1.1 200 OK\r\n/)
	assert.match(stream.text, /\{"error":\{[^\n]*"code":"unauthenticated"[^\n]*\}\n/)
	await stream.run
})

test("a body that is too large is answered, though its client sends on", { timeout: 60000 }, async () => {
	for (const framing of ["Content-Length: 999999999", "Transfer-Encoding: chunked"]) {
		const socket = net.connect(at.shim.port, "127.0.0.1")
		let text = ""
		let end
		socket.on("data", (data) => text += data)
		const ended = new Promise((resolve) => {
			socket.on("error", (error) => resolve(error.code))
			socket.on("end", () => resolve("end"))
		})
		ended.then((how) => end = how)
		socket.write(`POST /api/v1/records HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${at.key}\r\nContent-Type: application/json\r\n${framing}\r\n\r\n`)
		const block = " ".repeat(65536)
		while (end === undefined) {
			if (!socket.write(framing.startsWith("T") ? `10000\r\n${block}\r\n` : block))
				await Promise.race([new Promise((resolve) => socket.once("drain", resolve)), ended])
			await sleep(0)
		}
		assert.equal(end, "end", `${framing}: closed, not reset`)
		assert.match(text, /^HTTP\/1.1 413 /, framing)
		socket.destroy()
	}
})

test("an answer for which there is no room ends with an error line, and the log says why", { timeout: 60000 }, async () => {
	const log = `${at.cluster.directory}/small.log`
	const shim = new Shim(at.cluster, await freePort(), ["--max-spool", "100000", "--log", log])
	try {
		await shim.ready()
		const socket = net.connect(shim.port, "127.0.0.1")
		socket.pause()
		socket.on("error", () => {})
		const body = Array.from({ length: 60000 }, (_, i) => line("room", i)).join("")
		socket.end(`POST ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${at.key}\r\nConnection: close\r\nX-Forwarded-For: 192.0.2.1\r\n`
			+ `Content-Type: application/x-ndjson\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
		await until("the log says why", () => /could not keep the answer of a stream: No space left on device/.test(readFileSync(log, "utf8")))
		const answer = await new Promise((resolve) => {
			let all = ""
			socket.on("data", (data) => all += data)
			socket.on("close", () => resolve(all))
			socket.resume()
		})
		const lines = answer.split("\r\n\r\n").slice(1).join("\r\n\r\n").split("\n").filter((one) => one.startsWith("{"))
		assert.match(lines.at(-1), /^\{"error":\{.*no room.*"code":"unavailable"/)
		assert.ok(lines.length > 1000 && lines.length < 60000, `${lines.length} lines were answered`)
	} finally {
		await shim.stop()
	}
})

test("who reads a byte a second loses the place, who reads slowly but surely does not", { timeout: 120000 }, async () => {
	const rows = Array.from({ length: 200 }, (_, i) => line("slow", i, { note: "n".repeat(4000) })).join("")
	assert.equal((await load(at.shim.port, at.key, rows)).summary.created, 200)
	const reader = (steady) => {
		const socket = net.connect(at.shim.port, "127.0.0.1")
		const state = { taken: 0, ended: false }
		socket.on("close", () => state.ended = true)
		socket.on("error", () => state.ended = true)
		socket.write(Array(40).fill(`GET /api/v1/records?moduleKey=readings&limit=200 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${at.key}\r\n\r\n`).join(""))
		if (steady)
			socket.on("data", (data) => {
				state.taken += data.length
				socket.pause()
				setTimeout(() => socket.resume(), 300)
			})
		else
			socket.pause()
		state.timer = setInterval(() => steady || socket.read(1), 1000)
		state.stop = () => (clearInterval(state.timer), socket.destroy())
		return state
	}
	// its client learns of the end once it has read what waits: the server's own count tells, of which one is the question's
	const connections = async () => Number(/^qehs_http_connections (\d+)$/m.exec((await send(at.shim.port, at.key, "GET", "/metrics", undefined, { Connection: "close" })).text)[1])
	const connected = (count) => until(`${count} are connected`, async () => await connections() === count, 100)
	agent.destroy()
	await connected(1)
	const [slow, steady] = [reader(false), reader(true)]
	await connected(3)
	await until("one is cut off", async () => await connections() < 3, 100)
	assert.equal(await connections(), 2, "the slow reader is cut off")
	assert.equal(steady.ended, false, `the steady one reads on, ${steady.taken} bytes`)
	slow.stop()
	steady.stop()
})
