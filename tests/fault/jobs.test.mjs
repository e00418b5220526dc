// Work in the background: a worker that dies, is cancelled or meets others leaves each job done once, and writers free.
import assert from "node:assert/strict"
import { test } from "node:test"
import { start } from "../http/lib/process.mjs"
import { Cluster, sleep, stage, until as come } from "./cluster.mjs"
import { send } from "./retry.mjs"

const at = stage("jobs", { modules: [], settings: ["qehs.database = 'postgres'", "log_min_messages = fatal"] })
const definition = (key, more = {}) => ({
	key, name: key, displayCode: { prefix: "J" }, workflow: { states: ["open"], initial: "open" },
	fields: [{ key: "title", type: "text" }, { key: "cost", type: "integer", indexed: more.indexed ?? false }], ...more.members,
})
const literal = (value) => `'${JSON.stringify(value).replaceAll("'", "''")}'`
const publish = (db, slug, key, more) => db.sql(`SELECT qehs.use_tenant('${slug}'); SELECT qehs.module_publish('${key}', ${literal(definition(key, more))}) ->> 'key'`)
const load = (db, slug, key, count) => db.sql(`SELECT qehs.use_tenant('${slug}'); CREATE TEMP TABLE staged (document jsonb);
	INSERT INTO staged SELECT jsonb_build_object('title', 't' || i, 'cost', i % 1000) FROM generate_series(1, ${count}) AS i;
	SELECT count(*) FROM qehs.bulk_load_table('${key}', 'staged', 'document')`)
const call = (method, path, body, key = at.key) => send(at.shim.port, key, method, path, body)
const running = (job) => ["queued", "running"].includes(job.status)

async function until(jobId, isEnough) {
	for (;;) {
		const answer = await call("GET", `/api/v1/jobs/${jobId}`)
		if (answer.status === 200 && isEnough(answer.json))
			return answer.json
		await sleep(answer.status === 200 ? 5 : 200)
	}
}

const ended = (jobId) => until(jobId, (job) => !running(job))

// How often records of a module moved, and of which versions they are.
const moves = (db, slug, key) => db.sql(`SELECT r.definition_version, count(*), count(DISTINCT r.id), min(r.version), max(r.version), sum(e.events)
	FROM qehs.record AS r JOIN qehs.module AS m ON m.tenant_id = r.tenant_id AND m.id = r.module_id AND m.key = '${key}'
	JOIN qehs.tenant AS t ON t.id = r.tenant_id AND t.slug = '${slug}'
	CROSS JOIN LATERAL (SELECT count(*) AS events FROM qehs.audit_event AS e WHERE e.tenant_id = r.tenant_id AND e.record_id = r.id AND e.action = 'migrated') AS e
	GROUP BY 1 ORDER BY 1`)

// A module of many records, whose second version they are to move to.
function grown(slug, key, count) {
	publish(at.cluster, slug, key)
	load(at.cluster, slug, key, count)
	publish(at.cluster, slug, key, { members: { name: "Second" } })
}

const workers = () => at.cluster.sql("SELECT pid FROM pg_stat_activity WHERE backend_type = 'qehs worker'").split("\n").filter(Boolean).map(Number)

test("a job over HTTP: queued, asked for, ended", async () => {
	grown("jobs", "http", 300)
	const asked = await call("POST", "/api/v1/modules/http:migrate", {})
	assert.equal(asked.status, 202, asked.text)
	assert.equal(asked.headers.location, asked.json.statusUrl)
	assert.equal(asked.headers["cache-control"], "no-store")
	assert.ok(Number(asked.headers["retry-after"]) > 0)
	const done = await ended(asked.json.jobId)
	assert.deepEqual([done.status, done.progress, done.rowCount, done.error], ["succeeded", 100, 300, null])
	assert.deepEqual(done.result, { migrated: 300, failed: 0, failures: [] })
	assert.ok(done.enqueuedAt <= done.startedAt && done.startedAt <= done.finishedAt)
	const found = await call("GET", asked.json.statusUrl)
	assert.equal(found.headers["retry-after"], undefined)
	assert.equal(found.headers["cache-control"], "no-store")
	assert.equal((await call("DELETE", asked.json.statusUrl)).json.status, "succeeded", "what has ended stays as it is")
	assert.ok((await call("GET", "/api/v1/jobs?kind=module_migrate&status=succeeded")).json.items.some(({ jobId }) => jobId === done.jobId))
	assert.equal((await call("GET", "/api/v1/jobs?status=done")).json.code, "invalid_parameter")
	// of others it is as good as missing
	const viewer = at.cluster.sql("SELECT qehs.use_tenant('jobs'); SELECT qehs.api_key_create('viewer', roles => '{viewer}') ->> 'key'")
	assert.equal((await call("GET", asked.json.statusUrl, undefined, viewer)).status, 404)
	assert.deepEqual((await call("GET", "/api/v1/jobs", undefined, viewer)).json.items, [])
	assert.equal((await call("GET", asked.json.statusUrl, undefined, at.cluster.tenant("others", []))).status, 404)
	assert.equal((await call("POST", "/api/v1/modules/http:migrate", {}, viewer)).status, 403)
	assert.deepEqual((await call("POST", "/api/v1/modules/http:migrate", { toVersion: 9 })).json.errors.map(({ path }) => path), ["/toVersion"])
})

// Does a session wait for what another one holds? Not so any more once that is let go, also while the session has not noticed yet.
const isBlocked = (which) => at.cluster.sql(`SELECT count(*) > 0 FROM pg_stat_activity WHERE ${which} AND cardinality(pg_blocking_pids(pid)) > 0`) === "t"

// Records of a module, which stand at these places of a job's walk, in the hand of another session: the job waits at each until that lets it go.
async function stops(slug, key, places) {
	const session = at.cluster.session()
	const take = (place) => `SAVEPOINT at_${place}; SELECT id FROM qehs.record WHERE id = (SELECT r.id FROM qehs.record AS r JOIN qehs.module AS m ON m.tenant_id = r.tenant_id
		AND m.id = r.module_id AND m.key = '${key}' JOIN qehs.tenant AS t ON t.id = r.tenant_id AND t.slug = '${slug}' ORDER BY r.id OFFSET ${place} LIMIT 1) FOR UPDATE`
	const waits = () => isBlocked("backend_type = 'qehs worker'")
	await session.run(`BEGIN; ${[...places].reverse().map(take).join("; ")}`)
	return {
		waits,
		// Once the time of the step (100 ms) is used up, which therefore ends behind the next records.
		async reached() {
			await come("the job waits for a record", waits)
			await sleep(150)
		},
		go: () => session.run(`ROLLBACK TO at_${places.shift()}`),
		end: () => session.end(),
	}
}

for (const [how, kill] of [["ended", () => at.cluster.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'qehs worker'")],
	["killed, and the server with it,", () => workers().forEach((pid) => process.kill(pid, "SIGKILL"))]])
	test(`a worker that is ${how} in the middle is followed by another, and each record moves once`, async () => {
		const key = how.slice(0, 5)
		grown("jobs", key, 6000)
		const held = await stops("jobs", key, [1000, 4000])
		const { json: { jobId } } = await call("POST", `/api/v1/modules/${key}:migrate`, {})
		await held.reached()
		await held.go()
		await held.reached()
		const half = await until(jobId, () => true)
		assert.equal(half.status, "running")
		assert.ok(half.progress >= 16 && half.progress <= 67, `${half.progress}`)
		kill()
		await held.end()
		const done = await ended(jobId)
		assert.deepEqual([done.status, done.result], ["succeeded", { migrated: 6000, failed: 0, failures: [] }])
		assert.equal(moves(at.cluster, "jobs", key), "2|6000|6000|2|2|6000")
		assert.equal(workers().length, 1)
	})

test("a cancel in the middle ends the job between two steps", async () => {
	grown("jobs", "cancelled", 10000)
	const held = await stops("jobs", "cancelled", Array.from({ length: 18 }, (_, i) => 1000 + 500 * i))
	const { json: { jobId } } = await call("POST", "/api/v1/modules/cancelled:migrate", {})
	await held.reached()
	await held.go()
	await held.reached()
	// it waits for the end of a step, for a time, and the worker may go on first: then it is told to come again
	let answer
	const cancelling = (async () => {
		let given
		do
			given = await call("DELETE", `/api/v1/jobs/${jobId}`)
		while ([409, 503].includes(given.status))
		answer = given
	})()
	await come("the cancel waits", () => answer || isBlocked("usename = 'qehs_shim'"))
	while (!answer) {
		await held.go()
		await come("the cancel is answered, or the job waits again", () => answer || held.waits())
		await Promise.race([cancelling, sleep(150)])
	}
	assert.equal(answer.status, 200, answer.text)
	await held.end()
	const job = await ended(jobId)
	assert.equal(job.status, "cancelled")
	const [first, second] = moves(at.cluster, "jobs", "cancelled").split("\n").map((line) => line.split("|").map(Number))
	assert.ok(first[0] === 1 && first[1] > 0 && second[1] > 0 && first[1] + second[1] === 10000)
	assert.equal(second[1], second[5], "one event for each that moved")
})

test("an index on 60,000 records is filled while others write, and lists are right all along", async (t) => {
	publish(at.cluster, "jobs", "big")
	load(at.cluster, "jobs", "big", 60000)
	const held = await stops("jobs", "big", [10000, 40000])
	publish(at.cluster, "jobs", "big", { indexed: true })
	const list = "/api/v1/records?moduleKey=big&sort=-cost&limit=3&fields=payload.cost"
	const { json: { items: [{ jobId }] } } = await call("GET", "/api/v1/jobs?kind=module_refill")
	let highest = 999
	let longest = 0
	const write = async () => {
		const began = performance.now()
		const made = await call("POST", "/api/v1/records", { moduleKey: "big", payload: { title: "new", cost: ++highest } })
		longest = Math.max(longest, performance.now() - began)
		assert.equal(made.status, 201, made.text)
		if (highest % 25 === 0)
			assert.equal((await call("GET", list)).json.items[0].payload.cost, highest)
	}
	// in the middle of a step, which is of one transaction
	for (let stop = 0; stop < 2; stop++) {
		await held.reached()
		for (let i = 0; i < 50; i++)
			await write()
		assert.ok(held.waits(), "others wrote and read while the job ran")
		await held.go()
	}
	await held.end()
	while (running((await call("GET", `/api/v1/jobs/${jobId}`)).json))
		await write()
	t.diagnostic(`${highest - 999} creates beside it, the longest took ${Math.round(longest)} ms`)
	assert.equal((await call("GET", `/api/v1/jobs/${jobId}`)).json.status, "succeeded")
	assert.deepEqual((await call("GET", list)).json.items.map(({ payload }) => payload.cost), [highest, highest - 1, highest - 2])
	assert.equal(at.cluster.sql(`SELECT count(*) - count(n1) FROM qehs.record AS r JOIN qehs.module AS m ON m.id = r.module_id AND m.tenant_id = r.tenant_id AND m.key = 'big'`), "0")
})

// psql in another process, so that many run at once.
const psql = (db, sql) => new Promise((resolve, reject) => {
	const run = start("psql", ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", `${db.conninfo} user=postgres`, "-c", sql])
	let output = ""
	run.stdout.on("data", (data) => { output += data })
	run.stderr.on("data", (data) => { output += data })
	run.on("close", (code) => code === 0 ? resolve(output.trim()) : reject(new Error(output)))
})

test("tick from eight sessions at once does each job once, where no worker is", async () => {
	at.cluster.sql("CREATE DATABASE ticked")
	const db = { get conninfo() { return at.cluster.conninfo.replace("dbname=postgres", "dbname=ticked") }, sql: Cluster.prototype.sql }
	db.sql("CREATE EXTENSION qehs")
	const slugs = ["a", "b", "c", "d"]
	for (const slug of slugs) {
		db.sql(`SELECT qehs.tenant_create('${slug}', '${slug}')`)
		for (const key of ["one", "two"]) {
			publish(db, slug, key)
			load(db, slug, key, 400)
			publish(db, slug, key, { indexed: true })
			db.sql(`SELECT qehs.use_tenant('${slug}'); SELECT qehs.module_migrate('${key}')`)
		}
	}
	const open = "SELECT count(*) FROM qehs.job WHERE finished_at IS NULL"
	await Promise.all(Array.from({ length: 8 }, async () => {
		while (await psql(db, open) !== "0")
			await psql(db, "SELECT qehs.tick(budget => '20 milliseconds')")
	}))
	assert.equal(db.sql("SELECT kind, state, count(*), sum(row_count) FROM qehs.job GROUP BY 1, 2 ORDER BY 1"), "module_migrate|succeeded|8|3200\nmodule_refill|succeeded|8|3200")
	for (const slug of slugs)
		for (const key of ["one", "two"])
			assert.equal(moves(db, slug, key), "2|400|400|2|2|400")
})
