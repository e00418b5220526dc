// A socket that systemd has opened (LISTEN_FDS): the shim takes it in place of --listen, and what waited in it is served.
import assert from "node:assert/strict"
import net from "node:net"
import { test } from "node:test"
import { start } from "../http/lib/process.mjs"
import { stage } from "./cluster.mjs"

const at = stage("passed")
const binary = process.env.QEHS_SHIM_BIN ?? new URL("../../qehs-shim", import.meta.url).pathname

for (const threads of ["1", "2"])
	test(`with ${threads} event loops`, async () => {
		const server = net.createServer().listen(0, "127.0.0.1")
		await new Promise((resolve) => server.once("listening", resolve))
		const { port } = server.address()
		// the process that is started tells its own number, as systemd does
		const shim = start("sh", ["-c", 'LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" "$@"', binary, "--listen", "127.0.0.1:1", "--threads", threads,
			"--db", `${at.cluster.conninfo} user=qehs_shim`, "--log", "off"], { stdio: ["ignore", "ignore", "inherit", server._handle.fd] })
		const gone = new Promise((resolve) => shim.once("exit", resolve))
		try {
			// as nobody here accepts, only the shim can answer
			server.close()
			const answers = await Promise.all(Array.from({ length: 8 }, async () => {
				const answer = await fetch(`http://127.0.0.1:${port}/api/v1/modules`, { headers: { Authorization: `Bearer ${at.key}` } })
				return [answer.status, (await answer.json()).items.length]
			}))
			assert.deepEqual(answers, Array(8).fill([200, 1]))
		} finally {
			shim.kill("SIGTERM")
			await gone
		}
	})
