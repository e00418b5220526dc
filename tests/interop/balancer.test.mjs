// A rolling restart of two shims behind HAProxy, under load: no request fails.
import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { writeFileSync } from "node:fs"
import { after, before, test } from "node:test"
import { start } from "../http/lib/process.mjs"
import { Cluster, Shim, freePort, sleep, until } from "../fault/cluster.mjs"
import { agent, send } from "../fault/retry.mjs"

let cluster, key, balancer, port
const shims = []

before(async () => {
	execFileSync("haproxy", ["-v"])
	cluster = await Cluster.create()
	key = cluster.tenant("rolling", ["incidents"])
	for (let i = 0; i < 2; i++)
		shims.push(new Shim(cluster, await freePort(), ["--drain", "2"]))
	await Promise.all(shims.map((shim) => shim.ready()))
	port = await freePort()
	const config = `${cluster.directory}/haproxy.cfg`
	writeFileSync(config, `defaults
	mode http
	timeout connect 2s
	timeout client 30s
	timeout server 30s
listen shims
	bind 127.0.0.1:${port}
	option httpchk GET /readyz
	default-server check inter 200ms fall 1 rise 1
${shims.map((shim, i) => `	server shim${i} 127.0.0.1:${shim.port}`).join("\n")}
`)
	balancer = start("haproxy", ["-db", "-f", config], { stdio: "ignore" })
	await until("the balancer answers", () => send(port, key, "GET", "/api/v1/modules").then(({ status }) => status === 200, () => false))
})

after(async () => {
	agent.destroy()
	balancer?.kill("SIGTERM")
	await Promise.all(shims.map((shim) => shim.stop()))
	cluster?.remove()
})

test("no request fails while one shim after the other is replaced", async (t) => {
	let running = true
	const seen = new Map()
	const note = (what) => seen.set(what, (seen.get(what) ?? 0) + 1)
	const clients = Array.from({ length: 8 }, async (_, client) => {
		while (running)
			try {
				const answer = client % 2
					? await send(port, key, "GET", "/api/v1/records?moduleKey=incidents&limit=5")
					: await send(port, key, "POST", "/api/v1/records", { moduleKey: "incidents", payload: { title: "t", severity: "low" } })
				note(answer.status)
			} catch (error) {
				note(error.message)
			}
	})
	for (const shim of shims) {
		await sleep(500)
		await shim.stop()
		shim.launch()
		await shim.ready()
		await sleep(1000)
	}
	running = false
	await Promise.all(clients)
	t.diagnostic(JSON.stringify([...seen]))
	assert.deepEqual([...seen.keys()].sort(), [200, 201])
})
