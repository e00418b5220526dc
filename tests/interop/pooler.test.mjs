// Requests through pgbouncer: session mode of any version, transaction mode also of one that knows no prepared statements (before 1.21).
import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { chmodSync, readFileSync, writeFileSync } from "node:fs"
import { after, before, test } from "node:test"
import { start } from "../http/lib/process.mjs"
import { Cluster, Shim, freePort } from "../fault/cluster.mjs"
import { agent, send } from "../fault/retry.mjs"

let cluster, key

before(async () => {
	execFileSync("pgbouncer", ["--version"])
	cluster = await Cluster.create()
	key = cluster.tenant("pooled", ["incidents"])
})

after(() => {
	agent.destroy()
	cluster?.remove()
})

for (const mode of ["session", "transaction"])
	test(`pool_mode = ${mode}`, async () => {
		const port = await freePort()
		const config = `${cluster.directory}/${mode}.ini`
		writeFileSync(`${cluster.directory}/users.txt`, '"qehs_shim" ""\n')
		writeFileSync(config, `[databases]
postgres = host=${cluster.directory}/pg port=${cluster.port} dbname=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
auth_type = trust
auth_file = ${cluster.directory}/users.txt
pool_mode = ${mode}
default_pool_size = ${mode === "session" ? 20 : 2}
unix_socket_dir =
`)
		chmodSync(config, 0o644)
		chmodSync(`${cluster.directory}/users.txt`, 0o644)
		const pooler = start("pgbouncer", ["-u", "postgres", config], { stdio: "ignore" })
		const log = `${cluster.directory}/${mode}.log`
		const shim = new Shim({ conninfo: `host=127.0.0.1 port=${port} dbname=postgres` }, await freePort(), ["--log", log])
		try {
			await shim.ready()
			const statuses = (await Promise.all(Array.from({ length: 200 }, (_, i) => i % 2
				? send(shim.port, key, "GET", "/api/v1/records?moduleKey=incidents&limit=5")
				: send(shim.port, key, "POST", "/api/v1/records", { moduleKey: "incidents", payload: { title: "t", severity: "low" } })))).map(({ status }) => status)
			assert.deepEqual([...new Set(statuses)].sort(), [200, 201], readFileSync(log, "utf8").split("\n").filter((line) => line.includes('"error"')).slice(0, 5).join("\n"))
		} finally {
			await shim.stop()
			pooler.kill("SIGINT")
		}
	})
