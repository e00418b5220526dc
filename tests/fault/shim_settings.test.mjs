// What the shim takes at start and at reload: settings that cannot be meant are refused, endpoint rows that it does not know are told.
import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs"
import net from "node:net"
import { test } from "node:test"
import { start } from "../http/lib/process.mjs"
import { freePort, Shim, sleep, stage, until } from "./cluster.mjs"
import { send } from "./retry.mjs"

const at = stage("settings", { flags: ({ cluster }) => ["--log", `${cluster.directory}/shim.log`] })
const binary = process.env.QEHS_SHIM_BIN ?? new URL("../../qehs-shim", import.meta.url).pathname
const log = () => readFileSync(`${at.cluster.directory}/shim.log`, "utf8")

async function logs(pattern) {
	await until(`the log has ${pattern}`, () => pattern.test(log()), 50)
}

test("settings that cannot be meant are refused by name", () => {
	for (const [flag, value] of [["--public-url", "foo"], ["--public-url", "https://x/"], ["--public-url", "ftp://x"], ["--public-url", "https://x?y"],
		["--cors-origins", "x"], ["--cors-origins", "https://a.example/path"], ["--cors-origins", "https://a.example,b"], ["--log-level", "loud"], ["--max-spool", "-1"]]) {
		const { status, stderr } = spawnSync(binary, [flag, value, "--listen", "127.0.0.1:1"], { encoding: "utf8" })
		assert.equal(status, 2, `${flag} ${value}`)
		assert.match(stderr, new RegExp(flag))
	}
})

test("an endpoint row that the shim does not know keeps the table as it was, and the log says why", async () => {
	const wide = JSON.stringify(Array.from({ length: 25 }, (_, i) => ({ name: `p${i}`, in: "query", argument: `p${i}`, type: "string", sqlType: "text" })))
	const odd = JSON.stringify([{ name: "p", in: "cookie", argument: "p", type: "string", sqlType: "text" }])
	for (const [parameters, told] of [[wide, /made_up: more parameters than this version takes: \\"25\\"/], [odd, /made_up: in cannot be \\"cookie\\"/]]) {
		at.cluster.sql(`INSERT INTO qehs.endpoint (operation, method, path, function, tag, summary, parameters) VALUES ('made_up', 'GET', '/api/v1/made-up', 'qehs.problem_list', 'About', 'x', '${parameters}')`)
		at.shim.process.kill("SIGHUP")
		await logs(told)
		assert.equal((await send(at.shim.port, at.key, "GET", "/api/v1/modules")).status, 200)
		at.cluster.sql("DELETE FROM qehs.endpoint WHERE operation = 'made_up'")
	}
})

test("each log line is JSON, whatever bytes a request has", async () => {
	for (const bytes of ["P\xd6ST / HTTP/1.1\r\nHost: x\r\n\r\n", "GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n", "GET /%ff%22%5c HTTP/1.1\r\nHost: x\r\n\r\n", "\x16\x03\x01\x02\x00\x01\xff", "GET / HTTP/1.1\r\nHost: x\r\ntraceparent: \xff\r\n\r\n",
		"\"\\ / HTTP/1.1\r\nHost: x\r\n\r\n", "GET /api/v1/modules?\xc3 HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: \xff\"\r\n\r\n"])
		await new Promise((resolve) => {
			const socket = net.connect(at.shim.port, "127.0.0.1", () => socket.end(Buffer.from(bytes, "latin1")))
			socket.on("close", resolve)
			socket.on("error", resolve)
			socket.resume()
			setTimeout(() => socket.destroy(), 1000)
		})
	await sleep(200)
	const text = readFileSync(`${at.cluster.directory}/shim.log`)
	assert.ok(Buffer.from(text.toString("utf8")).equals(text), "UTF-8")
	for (const line of text.toString("utf8").trimEnd().split("\n"))
		JSON.parse(line)
})

test("--log-level leaves out what has less weight", async () => {
	const file = `${at.cluster.directory}/quiet.log`
	const shim = new Shim(at.cluster, await freePort(), ["--log", file, "--log-level", "warn"])
	try {
		await shim.ready()
		await send(shim.port, at.key, "GET", "/api/v1/modules")
		await send(shim.port, at.key, "GET", "/api/v1/nowhere")
		await until("the log has a request", () => readFileSync(file, "utf8").includes("/api/v1/nowhere"))
		const lines = readFileSync(file, "utf8").trimEnd().split("\n").map((line) => JSON.parse(line))
		assert.deepEqual(lines.filter(({ status }) => status).map(({ status, level }) => [status, level]), [[404, "warn"]])
	} finally {
		await shim.stop()
	}
})

test("before the endpoints are loaded a large load is told to come again", async () => {
	const port = await freePort()
	const shim = new Shim({ conninfo: "host=/nonexistent" }, port)
	try {
		let answer
		await until("the shim answers", async () =>
			answer = await send(port, at.key, "POST", "/api/modules/incidents/bulk", Buffer.alloc(3 << 20, " "), { "Content-Type": "application/x-ndjson" }).catch(() => undefined), 50)
		assert.deepEqual([answer?.status, answer?.json?.code, answer?.headers["retry-after"]], [503, "unavailable", "1"])
	} finally {
		await shim.stop()
	}
})

test("a role that is a superuser or the owner is warned of, the shim's own is not", async () => {
	for (const [user, warned] of [["postgres", true], ["qehs_shim", false]]) {
		const file = `${at.cluster.directory}/as_${user}.log`
		const shim = new Shim(at.cluster, await freePort(), ["--log", file, "--db", `${at.cluster.conninfo} user=${user}`])
		await shim.ready()
		await shim.stop()
		assert.equal(/"level":"error","message":"the shim has logged in as a superuser or as the owner/.test(readFileSync(file, "utf8")), warned, user)
	}
})

test("a log that cannot be opened again is told on stderr too", async () => {
	const folder = `${at.cluster.directory}/logs`
	mkdirSync(folder)
	const port = await freePort()
	const child = start(binary, ["--listen", `127.0.0.1:${port}`, "--db", `${at.cluster.conninfo} user=qehs_shim`, "--log", `${folder}/shim.log`], { stdio: ["ignore", "ignore", "pipe"] })
	try {
		let told = ""
		child.stderr.on("data", (data) => told += data)
		// once the log is there signals are seen, too
		await until("it listens", () => send(port, at.key, "GET", "/readyz").then(({ status }) => status === 200, () => false))
		renameSync(folder, `${folder}.gone`)
		child.kill("SIGHUP")
		await until("it is told", () => told.endsWith("\n"))
		assert.match(told, /could not open the log ".*" again: No such file or directory/)
		assert.match(readFileSync(`${folder}.gone/shim.log`, "utf8"), /could not open the log .* again, and go on in the one that is open/)
	} finally {
		child.kill("SIGTERM")
		await new Promise((resolve) => child.once("exit", resolve))
	}
})

test("the connection string comes from QEHS_DB and the password from PGPASSFILE: ps shows neither", async () => {
	const rules = `${at.cluster.directory}/pg/data/pg_hba.conf`
	at.cluster.sql("CREATE ROLE with_password LOGIN PASSWORD 'correct horse' IN ROLE qehs_shim")
	writeFileSync(rules, `local all with_password scram-sha-256\n${readFileSync(rules, "utf8")}`)
	at.cluster.sql("SELECT pg_reload_conf()")
	for (const [password, status] of [["correct horse", 200], ["battery staple", 503]]) {
		const file = `${at.cluster.directory}/pgpass`
		const port = await freePort()
		writeFileSync(file, `*:*:*:with_password:${password}\n`, { mode: 0o600 })
		const child = start(binary, ["--listen", `127.0.0.1:${port}`, "--log", "off"], { stdio: "ignore", env: { ...process.env, QEHS_DB: `${at.cluster.conninfo} user=with_password`, PGPASSFILE: file } })
		try {
			const answer = () => send(port, at.key, "GET", "/readyz").then((found) => found.status, () => undefined)
			await until(`readiness is ${status}`, async () => await answer() === status, 50)
			if (status === 503) {
				await sleep(1000)
				assert.equal(await answer(), 503)
			}
			assert.doesNotMatch(readFileSync(`/proc/${child.pid}/cmdline`, "utf8"), /with_password|correct|host=/)
		} finally {
			child.kill()
		}
	}
})
