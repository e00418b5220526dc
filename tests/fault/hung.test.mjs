// Servers that do not answer, locks that somebody holds, statements that take long: each costs what it holds and nothing else.
import assert from "node:assert/strict"
import net from "node:net"
import { test } from "node:test"
import { Shim, freePort, sleep, stage, until } from "./cluster.mjs"
import { send } from "./retry.mjs"

const at = stage("hung", {
	flags: ({ cluster }) => ["--connections", "4", "--log", `${cluster.directory}/shim.log`],
	prepare: ({ cluster }) => cluster.sql("UPDATE qehs.endpoint SET time_limit = 2000 WHERE class = 'default'"),
})
const get = (path) => send(at.shim.port, at.key, "GET", path)
const create = (title = "t") => send(at.shim.port, at.key, "POST", "/api/v1/records", { moduleKey: "incidents", payload: { title, severity: "low" } })
const backends = () => at.cluster.sql("SELECT pid FROM pg_stat_activity WHERE usename = 'qehs_shim'").split("\n").filter(Boolean).map(Number)
const signal = (pids, name) => {
	for (const pid of pids)
		try {
			process.kill(pid, name)
		} catch {
			// it has ended meanwhile
		}
}
const timed = async (promise) => {
	const started = Date.now()
	const answer = await promise
	return { status: answer.status, ms: Date.now() - started }
}
// While somebody holds what the statements lock.
async function held(statements, during) {
	const holder = at.cluster.session()
	await holder.run(`BEGIN; ${statements}`)
	try {
		await during()
	} finally {
		await holder.end()
	}
}

const ready = async () => (await fetch(`http://127.0.0.1:${at.shim.port}/readyz`)).status

async function readyIs(status) {
	await until(`readiness is ${status}`, async () => await ready() === status, 50)
}

// Fifty calls, one after the other, beside eight clients whose calls are held up again and again. Gives the answers of these: if calls had to wait for a
// connection that they hold, four of them and more would end for each.
async function callBeside(heldUp, call) {
	const answers = []
	let going = true
	const clients = Array.from({ length: 8 }, async (_, i) => {
		while (going)
			answers.push(await heldUp(i))
	})
	await until("some are held up", () => at.cluster.sql("SELECT count(*) FROM pg_stat_activity WHERE usename = 'qehs_shim' AND wait_event_type = 'Lock' AND query LIKE 'SELECT qehs.request(%'") !== "0")
	for (let i = 0; i < 50; i++)
		assert.equal((await call()).status, 200)
	const meanwhile = answers.length
	going = false
	await Promise.all(clients)
	assert.ok(meanwhile < 100, `${meanwhile} ended while 50 others did`)
	return answers
}

test("one server process that is stopped costs its own request 504, and no other", async () => {
	await Promise.all(Array.from({ length: 16 }, () => get("/api/v1/modules")))
	const [stopped] = backends()
	signal([stopped], "SIGSTOP")
	try {
		const answers = []
		// longer than the limit of a request, and enough to have met it
		const end = Date.now() + 7000
		await Promise.all(Array.from({ length: 8 }, async () => {
			while (Date.now() < end || answers.length <= 1000)
				answers.push(await timed(get("/api/v1/modules")))
		}))
		const late = answers.filter(({ status }) => status !== 200)
		assert.ok(late.length <= 1, JSON.stringify(late))
		assert.ok(late.every(({ status }) => status === 504))
		assert.equal(await ready(), 200)
	} finally {
		signal([stopped], "SIGCONT")
	}
})

test("all server processes that are stopped: others take over, and readiness says so again", async () => {
	const stopped = backends()
	signal(stopped, "SIGSTOP")
	try {
		const first = await Promise.all(Array.from({ length: 8 }, () => timed(get("/api/v1/modules"))))
		// that they are answered at all: the client waits longer than the limit
		assert.ok(first.every(({ status }) => [200, 503, 504].includes(status)), JSON.stringify(first))
		await readyIs(200)
		assert.equal((await get("/api/v1/modules")).status, 200)
		assert.equal((await create()).status, 201)
	} finally {
		signal(stopped, "SIGCONT")
	}
})

test("SIGHUP and SIGTERM are seen while all server processes are stopped", async () => {
	const others = backends()
	const shim = new Shim(at.cluster, await freePort())
	await shim.ready()
	const stopped = backends().filter((pid) => !others.includes(pid))
	assert.ok(stopped.length > 0)
	signal(stopped, "SIGSTOP")
	try {
		shim.process.kill("SIGHUP")
		await sleep(1500)
		assert.equal((await fetch(`http://127.0.0.1:${shim.port}/healthz`)).status, 200)
		const { ms } = await timed(shim.stop().then(() => ({ status: 0 })))
		assert.ok(ms < 20000, `stopped after ${ms} ms, while requests would have 30 s to end`)
	} finally {
		signal(stopped, "SIGCONT")
	}
})

test("a table that is locked: reads and writes of it end within the limit, others go on", async () => {
	await held("LOCK TABLE qehs.record IN ACCESS EXCLUSIVE MODE", async () => {
		const blocked = await callBeside((i) => i % 2 ? create() : get("/api/v1/records?moduleKey=incidents"), () => get("/api/v1/modules/incidents"))
		assert.ok(blocked.every(({ status }) => [409, 503, 504].includes(status)), `${blocked.map(({ status }) => status)}`)
	})
	assert.equal((await create()).status, 201)
})

test("a row that is locked ends in a conflict with Retry-After, and other requests go on", async () => {
	const { id } = (await create("held")).json
	await held("SELECT 1 FROM qehs.record WHERE payload ->> 'title' = 'held' FOR UPDATE", async () => {
		const patch = () => send(at.shim.port, at.key, "PATCH", `/api/v1/records/${id}`, { payload: { severity: "high" } })
		for (const answer of await callBeside(patch, () => get(`/api/v1/records/${id}`))) {
			assert.ok([409, 503].includes(answer.status), answer.text)
			assert.ok(Number(answer.headers["retry-after"]) > 0)
		}
	})
})

test("a client that leaves cancels its read", async () => {
	at.cluster.sql("UPDATE qehs.endpoint SET time_limit = 20000 WHERE operation = 'record_list'")
	const shim = new Shim(at.cluster, await freePort())
	await shim.ready()
	// housekeeping and figures, which wait for the table too, have limits of their own
	const reading = () => at.cluster.sql("SELECT count(*) FROM pg_stat_activity WHERE usename = 'qehs_shim' AND wait_event_type = 'Lock' AND query LIKE 'SELECT qehs.request(%'")
	await held("LOCK TABLE qehs.record IN ACCESS EXCLUSIVE MODE", async () => {
		const controller = new AbortController()
		const gone = fetch(`http://127.0.0.1:${shim.port}/api/v1/records?moduleKey=incidents`, { headers: { Authorization: `Bearer ${at.key}` }, signal: controller.signal }).catch(() => {})
		await until("the read waits", () => reading() === "1")
		controller.abort()
		await gone
		const since = Date.now()
		await until("it waits no more", () => reading() === "0")
		assert.ok(Date.now() < since + 15000, `cancelled after ${Date.now() - since} ms, the limit being 20 s`)
	})
	await shim.stop()
	at.cluster.sql("UPDATE qehs.endpoint SET time_limit = 2000 WHERE operation = 'record_list'")
})

// Tables that the shim's own tasks lock: endpoints, readiness, figures, housekeeping.
const tables = () => [...at.cluster.sql(`BEGIN; SELECT qehs.endpoint_list() IS NULL, qehs.problem_list() IS NULL, qehs.metrics() IS NULL, qehs.tick() IS NULL;
	SELECT 'table ' || relation::regclass FROM pg_locks JOIN pg_class AS c ON c.oid = relation WHERE pid = pg_backend_pid() AND relkind = 'r' AND relnamespace = 'qehs'::regnamespace;
	ROLLBACK`).matchAll(/^table (.*)$/gm)].map(([, name]) => name)

test("each table that they read is locked in turn: SIGHUP and SIGTERM are seen, the rest goes on", { timeout: 300000 }, async () => {
	const locked = [...tables(), "pg_catalog.pg_extension"]
	for (const table of ["qehs.endpoint", "qehs.idempotency", "qehs.job"])
		assert.ok(locked.includes(table), `${table} is among ${locked}`)
	for (const table of locked) {
		const shim = new Shim(at.cluster, await freePort())
		await shim.ready()
		await held(`LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE`, async () => {
			shim.process.kill("SIGHUP")
			// each is answered while the lock is held: with what it asks for, or that it could not wait longer for the table
			const asked = await Promise.all([send(shim.port, at.key, "GET", "/api/v1/modules"), send(shim.port, at.key, "GET", "/api/v1/records?moduleKey=incidents"),
				fetch(`http://127.0.0.1:${shim.port}/readyz`), fetch(`http://127.0.0.1:${shim.port}/healthz`), sleep(1500)])
			const allowed = [[200, 503, 504], [200, 503, 504], [200, 503], [200]]
			assert.ok(allowed.every((statuses, i) => statuses.includes(asked[i].status)), `${table}: ${asked.map((answer) => answer?.status)}`)
			const { ms } = await timed(shim.stop().then(() => ({ status: 0 })))
			assert.ok(ms < 20000, `${table}: stopped after ${ms} ms, while requests would have 30 s to end`)
		})
	}
})

test("readiness goes on through others when the server process that answers the probes is stopped", async () => {
	// the session has other work, too, every few seconds
	let probing
	const find = () => at.cluster.sql("SELECT pid FROM pg_stat_activity WHERE usename = 'qehs_shim' AND query LIKE 'SELECT (SELECT extversion%' ORDER BY query_start DESC LIMIT 1").split("\n").filter(Boolean).map(Number)
	await until("a session answers probes", () => (probing = find()).length === 1)
	signal(probing, "SIGSTOP")
	try {
		const seen = []
		for (const until = Date.now() + 8000; Date.now() < until; await sleep(100))
			seen.push(await ready())
		assert.deepEqual(seen.filter((status) => status !== 200), [])
	} finally {
		signal(probing, "SIGCONT")
	}
})

test("readiness is 503 while no probe is answered, and 200 again", async () => {
	await held("LOCK TABLE pg_catalog.pg_extension IN ACCESS EXCLUSIVE MODE", async () => {
		await readyIs(503)
	})
	await readyIs(200)
})

test("what comes on a connection whose request waits is the next request, in however many pieces", { timeout: 60000 }, async () => {
	const text = `GET /api/v1/modules HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${at.key}\r\n\r\n`
	const socket = net.connect(at.shim.port, "127.0.0.1").setNoDelay()
	let received = ""
	socket.setEncoding("utf8").on("data", (part) => received += part)
	const answers = async (count) => {
		while (received.split("HTTP/1.1 ").length <= count)
			await sleep(10)
	}
	try {
		await held("LOCK TABLE qehs.module", async () => {
			socket.write(text)
			for (const byte of text) {
				socket.write(byte)
				await sleep(1)
			}
		})
		await answers(2)
		// and again, with nothing held
		for (const byte of text)
			socket.write(byte)
		await answers(3)
		assert.match(received.split("HTTP/1.1 ")[3], /^200 /)
	} finally {
		socket.destroy()
	}
})
