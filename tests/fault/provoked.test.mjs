// The errors of PostgreSQL that operators meet, each brought about as it comes in life: what its answer is, and that all is well
// once the cause is gone. errors.test.mjs has every SQLSTATE by name.
import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { mkdirSync, statSync, writeFileSync } from "node:fs"
import { test } from "node:test"
import { uuidOf } from "../http/lib/tenant.mjs"
import { Shim, freePort, sleep, stage, until } from "./cluster.mjs"
import { assertFault, send } from "./retry.mjs"

const at = stage("provoked")
const records = "/api/v1/records"
const list = (shim = at.shim) => send(shim.port, at.key, "GET", `${records}?moduleKey=incidents`)
const create = (shim = at.shim, headers = {}) => send(shim.port, at.key, "POST", records, { moduleKey: "incidents", payload: { title: "t", severity: "low" } }, headers)
const patch = (id, severity, headers = {}, shim = at.shim) => send(shim.port, at.key, "PATCH", `${records}/${id}`, { payload: { severity } }, headers)

// A shim whose sessions have settings of their own.
async function shimWith(settings, use, cluster = at.cluster) {
	for (const setting of settings)
		at.cluster.sql(`ALTER ROLE qehs_shim SET ${setting}`)
	const shim = new Shim(cluster, await freePort())
	try {
		await shim.ready()
		await use(shim)
	} finally {
		for (const setting of settings)
			at.cluster.sql(`ALTER ROLE qehs_shim RESET ${setting.split(" ")[0]}`)
		await shim.stop()
	}
}

// Until a backend of the shim waits for a lock.
const waiting = () => until("a backend of the shim waits for a lock",
	() => at.cluster.sql("SELECT count(*) FROM pg_stat_activity WHERE usename = 'qehs_shim' AND wait_event_type = 'Lock'") !== "0")

const locked = async (use) => {
	const session = at.cluster.session()
	await session.run("BEGIN; LOCK TABLE qehs.record")
	try {
		await use(session)
	} finally {
		await session.end()
	}
}

test("a full disk is 503, and the database goes on once there is room", async (context) => {
	const folder = `${at.cluster.directory}/small`
	const owner = statSync(`${at.cluster.directory}/pg/data`)
	mkdirSync(folder)
	try {
		execFileSync("mount", ["-t", "tmpfs", "-o", `size=1m,uid=${owner.uid},gid=${owner.gid}`, "tmpfs", folder], { stdio: "ignore" })
	} catch {
		context.skip("file systems cannot be mounted here")
		return
	}
	try {
		at.cluster.sql(`CREATE TABLESPACE small LOCATION '${folder}'`)
		at.cluster.sql("ALTER TABLE qehs.record SET TABLESPACE small")
		assert.throws(() => writeFileSync(`${folder}/ballast`, Buffer.alloc(2 << 20)), { code: "ENOSPC" })
		const answers = []
		// the table's last page may still have room
		for (let i = 0; i < 200 && answers.at(-1)?.status !== 503; i++)
			answers.push(await create())
		assertFault(answers.at(-1), 503, "unavailable")
		assert.ok(answers.slice(0, -1).every(({ status }) => status === 201))
		assert.equal((await list()).status, 200)
		writeFileSync(`${folder}/ballast`, "")
		assert.equal((await create()).status, 201)
	} finally {
		at.cluster.sql("ALTER TABLE qehs.record SET TABLESPACE pg_default")
		at.cluster.sql("DROP TABLESPACE small")
		execFileSync("umount", [folder])
	}
})

test("while PostgreSQL refuses some of the connections the others do the work; without one answers are 503", async () => {
	const reconnect = async (limit) => {
		at.cluster.sql(`ALTER ROLE qehs_shim CONNECTION LIMIT ${limit}`)
		at.cluster.sql("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = 'qehs_shim'")
	}
	try {
		await reconnect(0)
		assertFault(await create(), 503, "unavailable")
		assertFault(await send(at.shim.port, at.key, "GET", "/readyz"), 503, "unavailable")
		await reconnect(2)
		await at.shim.ready()
		const answers = await Promise.all(Array.from({ length: 20 }, () => create()))
		assert.deepEqual(answers.map(({ status }) => status), Array(20).fill(201))
		assert.ok(Number(at.cluster.sql("SELECT count(*) FROM pg_stat_activity WHERE usename = 'qehs_shim'")) <= 2)
	} finally {
		await reconnect(-1)
	}
	await at.shim.ready()
	assert.equal((await create()).status, 201)
})

test("a deadlock is tried again for a request with a key, and is 409 for one without", async () => {
	const { id } = (await create()).json
	for (const key of [undefined, "deadlock"]) {
		const session = at.cluster.session()
		await session.run("BEGIN; SET LOCAL deadlock_timeout = '1h'; LOCK TABLE qehs.audit_event IN EXCLUSIVE MODE")
		const answer = patch(id, key ? "high" : "medium", key ? { "Idempotency-Key": key } : {})
		await waiting()
		// the shim's session has the record and waits for the event; from here on each waits for the other
		await session.run(`UPDATE qehs.record SET version = version WHERE id = '${uuidOf(id)}'`)
		if (key)
			await waiting()
		await session.end()
		if (key)
			assert.deepEqual([(await answer).status, (await answer).json.payload.severity], [200, "high"])
		else
			assertFault(await answer, 409, "conflict")
	}
	assert.equal((await send(at.shim.port, at.key, "GET", `${records}/${id}`)).json.version, 2)
})

test("a serialization failure is tried again for a request with a key, and is 409 for one without", async () => {
	const { id } = (await create()).json
	await shimWith(["default_transaction_isolation = 'repeatable read'"], async (shim) => {
		for (const key of [undefined, "serialization"]) {
			const session = at.cluster.session()
			await session.run(`BEGIN; UPDATE qehs.record SET version = version WHERE id = '${uuidOf(id)}'`)
			const answer = patch(id, key ? "high" : "medium", key ? { "Idempotency-Key": key } : {}, shim)
			await waiting()
			await session.run("COMMIT")
			await session.end()
			if (key)
				assert.deepEqual([(await answer).status, (await answer).json.payload.severity], [200, "high"])
			else
				assertFault(await answer, 409, "conflict")
		}
	})
	assert.equal((await send(at.shim.port, at.key, "GET", `${records}/${id}`)).json.version, 2)
})

test("a lock that is not had in time is 409 for a change, 503 for who only reads", () => shimWith(["lock_timeout = '200ms'"], (shim) => locked(async () => {
	assertFault(await create(shim), 409, "conflict")
	assertFault(await list(shim), 503, "unavailable")
})))

test("a statement that takes too long is 504", () => shimWith(["statement_timeout = '3s'"], (shim) => locked(async () => assertFault(await list(shim), 504, "timeout"))))

for (const [name, call, status, code] of [["cancelled", "pg_cancel_backend", 504, "timeout"], ["terminated", "pg_terminate_backend", 503, "unavailable"]])
	test(`a session that an administrator has ${name} is ${status}`, async () => {
		await locked(async () => {
			const answer = create()
			await waiting()
			at.cluster.sql(`SELECT ${call}(pid) FROM pg_stat_activity WHERE usename = 'qehs_shim' AND wait_event_type = 'Lock'`)
			assertFault(await answer, status, code)
		})
		assert.equal((await create()).status, 201)
	})

test("a standby can be read; changes are 503", async () => {
	const { id } = (await create()).json
	const standby = await at.cluster.standby()
	try {
		await shimWith([], async (shim) => {
			assert.equal((await list(shim)).status, 200)
			assert.equal((await send(shim.port, at.key, "GET", `${records}/${id}`)).status, 200)
			for (const method of ["HEAD", "OPTIONS"])
				assert.ok((await send(shim.port, at.key, method, `${records}/${id}`)).status < 300)
			for (const headers of [{}, { "Idempotency-Key": "standby" }]) {
				assertFault(await create(shim, headers), 503, "unavailable")
				assertFault(await patch(id, "high", headers, shim), 503, "unavailable")
				assertFault(await send(shim.port, at.key, "DELETE", `${records}/${id}`, undefined, headers), 503, "unavailable")
			}
			assert.equal((await send(shim.port, "qehs_live_sk_0", "GET", records)).status, 401)
			assert.match(await (await fetch(`http://127.0.0.1:${shim.port}/metrics`)).text(), /^qehs_database_up 1$/m)
			assert.equal(JSON.parse(standby.sql("SELECT qehs.tick()")).idempotencyKeys, 0)
		}, standby)
	} finally {
		standby.remove()
	}
})

test("a server that is starting up is 503 until it has started", async () => {
	const standby = await at.cluster.standby(false)
	const shim = new Shim(standby, await freePort())
	try {
		await sleep(500)
		assert.throws(() => standby.sql("SELECT 1"), /not accepting connections|starting up/)
		assertFault(await create(shim), 503, "unavailable")
		assertFault(await send(shim.port, at.key, "GET", "/readyz"), 503, "unavailable")
		standby.stopImmediately()
		standby.configure("hot_standby = on")
		standby.start()
		await shim.ready()
		assert.equal((await list(shim)).status, 200)
	} finally {
		await shim.stop()
		standby.remove()
	}
})

test("a server that shuts down while it works on a request is 503, and is found again", async () => {
	const session = at.cluster.session()
	await session.run("BEGIN; LOCK TABLE qehs.record")
	const answer = create()
	await waiting()
	at.cluster.stop()
	assertFault(await answer, 503, "unavailable")
	assertFault(await create(), 503, "unavailable")
	await session.end()
	at.cluster.start()
	await at.shim.ready()
	assert.equal((await create()).status, 201)
})
