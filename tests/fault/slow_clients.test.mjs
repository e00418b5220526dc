// Many connections that send, or read, a byte now and then do not keep good requests out.
import assert from "node:assert/strict"
import net from "node:net"
import { test } from "node:test"
import { sleep, stage } from "./cluster.mjs"
import { send } from "./retry.mjs"

const at = stage("slow", { flags: ["--max-connections", "500"], prepare: ({ cluster }) => cluster.sql(`SELECT qehs.use_tenant('slow');
	SELECT count(*) FROM (SELECT qehs.record_create('incidents', jsonb_build_object('title', 't', 'severity', 'low', 'description', repeat('d', 5000))) FROM generate_series(1, 200)) AS made`) })

test("10,000 slow connections on a limit of 500", { timeout: 60000 }, async () => {
	const sockets = []
	let ended = 0
	for (let i = 0; i < 10000; i++) {
		const socket = net.connect(at.shim.port, "127.0.0.1", () => socket.write("GET /api/v1/modules HTTP/1.1\r\nHost: x\r\nX-Slow: "))
		socket.on("close", () => ended++)
		socket.on("error", () => {})
		sockets.push(socket)
		if (i % 250 === 249) {
			for (const slow of sockets)
				if (slow.writable)
					slow.write("x")
			const answer = await send(at.shim.port, at.key, "GET", "/api/v1/modules", undefined, { Connection: "close" })
			assert.equal(answer.status, 200)
		}
	}
	await sleep(500)
	assert.ok(ended > 9000, `${ended} slow connections were closed`)
	for (const socket of sockets)
		socket.destroy()
})

// Each asks for 2 MB, more than sockets keep for who does not read.
test("600 readers of a byte a second on a limit of 500", { timeout: 120000 }, async () => {
	const sockets = []
	let ended = 0
	for (let i = 0; i < 600; i++) {
		const socket = net.connect(at.shim.port, "127.0.0.1")
		socket.on("error", () => {})
		socket.on("close", () => ended++)
		socket.pause()
		socket.write(Array(2).fill(`GET /api/v1/records?moduleKey=incidents&limit=200 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${at.key}\r\n\r\n`).join(""))
		sockets.push(socket)
		if (i % 100 === 99) {
			for (const slow of sockets)
				slow.read(1)
			const answer = await send(at.shim.port, at.key, "GET", "/api/v1/modules", undefined, { Connection: "close" })
			assert.equal(answer.status, 200, `beside ${i + 1}`)
		}
	}
	const figures = await (await fetch(`http://127.0.0.1:${at.shim.port}/metrics`)).text()
	assert.ok(Number(/^qehs_http_connections (\d+)$/m.exec(figures)[1]) <= 500)
	for (const socket of sockets)
		socket.destroy()
})
