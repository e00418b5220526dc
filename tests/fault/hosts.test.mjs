// A connection string with several hosts: the first may be closed, silent, or a standby, and one may be promoted.
import assert from "node:assert/strict"
import { existsSync, readFileSync } from "node:fs"
import net from "node:net"
import { after, before, test } from "node:test"
import { Cluster, Shim, freePort, sleep, until } from "./cluster.mjs"
import { agent, send } from "./retry.mjs"

let primary, standby, key, silent
const shims = []

before(async () => {
	primary = await Cluster.create()
	key = primary.tenant("hosts", ["incidents"])
	standby = await primary.standby()
	// takes connections and never answers
	silent = net.createServer(() => {}).listen(0, "127.0.0.1")
	await new Promise((resolve) => silent.once("listening", resolve))
})

after(async () => {
	agent.destroy()
	silent.close()
	await Promise.all(shims.map((shim) => shim.stop()))
	standby?.remove()
	primary?.remove()
})

// A shim whose connection string has these ports of 127.0.0.1.
async function shimOn(ports, more = "") {
	const cluster = { conninfo: `host=${ports.map(() => "127.0.0.1").join(",")} port=${ports.join(",")} dbname=postgres connect_timeout=2 ${more}` }
	const shim = new Shim(cluster, await freePort(), ["--log", `${primary.directory}/shim${shims.length}.log`])
	shim.log = () => {
		const path = `${primary.directory}/shim${shims.indexOf(shim)}.log`
		return existsSync(path) ? readFileSync(path, "utf8") : ""
	}
	shims.push(shim)
	return shim
}

const create = (shim) => send(shim.port, key, "POST", "/api/v1/records", { moduleKey: "incidents", payload: { title: "t", severity: "low" } })

async function logs(shim, pattern) {
	await until(`the log has ${pattern}`, () => pattern.test(shim.log()), 50)
}

test("a closed port first", async () => {
	const shim = await shimOn([await freePort(), primary.port])
	await shim.ready()
	assert.equal((await create(shim)).status, 201)
	await logs(shim, new RegExp(`connected to the database at 127.0.0.1:${primary.port}`))
})

test("a host that never answers first", async () => {
	const shim = await shimOn([silent.address().port, primary.port])
	await shim.ready()
	assert.equal((await create(shim)).status, 201)
})

// What a server says while it starts or stops, in PostgreSQL's protocol.
test("a host that refuses first", async () => {
	const refusing = net.createServer((socket) => {
		socket.on("error", () => {})
		socket.on("data", (data) => {
			// to a request for TLS or GSSAPI: no
			if (data.length === 8)
				return socket.write("N")
			const fields = Buffer.from("SFATAL\0VFATAL\0C57P03\0Mthe database system is starting up\0\0")
			const head = Buffer.alloc(5)
			head.write("E")
			head.writeInt32BE(fields.length + 4, 1)
			socket.end(Buffer.concat([head, fields]))
		})
	}).listen(0, "127.0.0.1")
	await new Promise((resolve) => refusing.once("listening", resolve))
	try {
		const shim = await shimOn([refusing.address().port, primary.port])
		await shim.ready()
		assert.equal((await create(shim)).status, 201)
	} finally {
		refusing.close()
	}
})

test("a standby first, and writes wanted", async () => {
	const shim = await shimOn([standby.port, primary.port], "target_session_attrs=read-write")
	await shim.ready()
	assert.equal((await create(shim)).status, 201)
})

test("no host at all: the log says why, once", async () => {
	const closed = await freePort()
	const shim = await shimOn([closed])
	await logs(shim, /could not connect to the database: connection to server at .* failed: Connection refused/)
	await sleep(1500)
	assert.ok(shim.log().match(/could not connect/g).length <= 2, "the pool of requests and that of the shim's own work")
	assert.equal((await fetch(`http://127.0.0.1:${shim.port}/readyz`).catch(() => ({ status: 503 }))).status, 503)
})

test("a string that can never work ends the shim at once", async () => {
	const shim = new Shim({ conninfo: "hots=localhost" }, await freePort())
	const code = await new Promise((resolve) => shim.process.once("exit", resolve))
	assert.equal(code, 2)
})

test("after a promotion the shim serves again, and tells of both", async () => {
	const shim = await shimOn([primary.port, standby.port], "target_session_attrs=read-write")
	await shim.ready()
	assert.equal((await create(shim)).status, 201)
	await until("the standby has all", () => primary.sql("SELECT count(*) FROM pg_stat_replication WHERE replay_lsn = pg_current_wal_lsn()") === "1", 50)
	primary.stop()
	await logs(shim, /lost the database/)
	standby.sql("SELECT pg_promote()")
	await until("it takes changes again", async () => (await create(shim)).status === 201, 50)
	await logs(shim, new RegExp(`connected to the database at 127.0.0.1:${standby.port}`))
})
