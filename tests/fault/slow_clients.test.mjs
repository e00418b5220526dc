// Many connections that send a byte now and then do not keep good requests out.
import assert from "node:assert/strict"
import net from "node:net"
import { test } from "node:test"
import { sleep, stage } from "./cluster.mjs"
import { send } from "./retry.mjs"

const at = stage("slow", { flags: ["--max-connections", "500"] })

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
