// Many connections that send, or read, a byte now and then do not keep good requests out.
import assert from "node:assert/strict"
import net from "node:net"
import { test } from "node:test"
import { Shim, freePort, sleep, stage, until } from "./cluster.mjs"
import { send } from "./retry.mjs"

const at = stage("slow", { flags: ["--max-connections", "500"], prepare: ({ cluster }) => cluster.sql(`SELECT qehs.use_tenant('slow');
	SELECT count(*) FROM (SELECT qehs.record_create('incidents', jsonb_build_object('title', 't', 'severity', 'low', 'description', repeat('d', 5000))) FROM generate_series(1, 200)) AS made`) })

test("10,000 slow connections on a limit of 500", { timeout: 600000 }, async () => {
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
	await until("slow connections are closed", () => ended > 9000)
	for (const socket of sockets)
		socket.destroy()
})

// Each asks for 1 MB ASKED times, more than sockets keep for who does not read. Few places, so that the readers are there long before their half minute is over.
const ASKED = 12
test("50 readers of a byte a second on a limit of 40: others are served beside them, not once they have gone", { timeout: 600000 }, async () => {
	const shim = new Shim(at.cluster, await freePort(), ["--max-connections", "40"])
	const sockets = []
	const figure = async (pattern) => Number(pattern.exec(await (await fetch(`http://127.0.0.1:${shim.port}/metrics`, { headers: { Connection: "close" } })).text())?.[1] ?? 0)
	const open = () => figure(/^qehs_http_connections (\d+)$/m)
	const begun = () => figure(/^qehs_http_requests_total\{[^}]*operation="record_list"[^}]*status="200"\} (\d+)$/m)
	try {
		await shim.ready()
		for (let i = 0; i < 50; i++) {
			const socket = net.connect(shim.port, "127.0.0.1")
			socket.on("error", () => {})
			socket.pause()
			socket.write(Array(ASKED).fill(`GET /api/v1/records?moduleKey=incidents&limit=200 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${at.key}\r\n\r\n`).join(""))
			sockets.push(socket)
			if (i % 10 === 9)
				assert.equal((await send(shim.port, at.key, "GET", "/api/v1/modules", undefined, { Connection: "close" })).status, 200, `beside ${i + 1}`)
		}
		// until sockets take no more
		for (let before = -1, now = await begun(); now !== before; now = await begun()) {
			before = now
			await sleep(500)
		}
		for (let i = 0; i < 30; i++) {
			for (const slow of sockets)
				slow.read(1)
			assert.equal((await send(shim.port, at.key, "GET", "/api/v1/modules", undefined, { Connection: "close" })).status, 200)
		}
		const answers = await begun()
		assert.ok(answers < 40 * ASKED, `${answers} answers: no reader is slow`)
		const left = await open()
		assert.ok(left > 25 && left <= 40, `${left} are connected`)
	} finally {
		sockets.forEach((socket) => socket.destroy())
		await shim.stop()
	}
})
