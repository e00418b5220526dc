// What happens by itself to records: done once from however many sessions, by the background worker alone, and after a session that died at it.
import assert from "node:assert/strict"
import { test } from "node:test"
import { start } from "../http/lib/process.mjs"
import { Cluster, sleep, stage } from "./cluster.mjs"

const at = stage("timers", { modules: [], settings: ["qehs.database = 'postgres'", "log_min_messages = fatal"] })
const definition = JSON.stringify({
	key: "tasks", name: "Tasks", displayCode: { prefix: "TSK" }, fields: [{ key: "title", type: "text" }],
	workflow: {
		states: ["open", "late"], initial: "open",
		deadlines: { open: { due: "P1D", escalate: [{ after: "PT0S", event: "task.late", to: ["manager"] }] } },
		transitions: { expire: { from: "open", to: "late", after: "P2D", effects: [{ createRecord: { moduleKey: "tasks", payload: { title: "Look at it" } } }] } },
	},
})

// Records that have been open for three days.
const make = (db, slug, count) => db.sql(`SELECT qehs.use_tenant('${slug}'); SELECT qehs.module_publish('tasks', '${definition}');
	SELECT set_config('qehs.clock', to_char(now() - interval '3 days', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), false);
	SELECT qehs.record_create('tasks', jsonb_build_object('title', 't' || i)) FROM generate_series(1, ${count}) AS i`)

// psql in another process, so that many run at once.
function psql(db, sql) {
	const run = start("psql", ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", `${db.conninfo} user=postgres`, "-c", sql])
	let output = ""
	run.stdout.on("data", (data) => { output += data })
	run.stderr.on("data", (data) => { output += data })
	return new Promise((resolve, reject) => run.on("close", (code) => code === 0 ? resolve(output.trim()) : reject(new Error(output))))
}

// How many records are in which state, with how many events of each kind; and what the outbox has.
const done = (db, slug) => db.sql(`SELECT r.workflow_state, count(DISTINCT r.id), count(*) FILTER (WHERE e.action = 'escalated'), count(*) FILTER (WHERE e.action = 'transitioned'), max(r.version)
	FROM qehs.record AS r JOIN qehs.tenant AS t ON t.id = r.tenant_id AND t.slug = '${slug}' JOIN qehs.audit_event AS e ON e.tenant_id = r.tenant_id AND e.record_id = r.id
	GROUP BY 1 ORDER BY 1; SELECT topic, count(*) FROM qehs.outbox AS o JOIN qehs.tenant AS t ON t.id = o.tenant_id AND t.slug = '${slug}' GROUP BY 1`)
const all = (count) => `late|${count}|${count}|${count}|2\nopen|${count}|0|0|1\ntask.late|${count}`
const left = "SELECT count(*) FROM qehs.record_timer WHERE at < now()"

// A database without a worker.
function unattended(name) {
	at.cluster.sql(`CREATE DATABASE ${name}`)
	const db = { get conninfo() { return at.cluster.conninfo.replace("dbname=postgres", `dbname=${name}`) }, sql: Cluster.prototype.sql }
	db.sql("CREATE EXTENSION qehs")
	return db
}

test("tick from eight sessions at once does each thing once", async () => {
	const db = unattended("ticked")
	for (const slug of ["a", "b"]) {
		db.sql(`SELECT qehs.tenant_create('${slug}', '${slug}')`)
		make(db, slug, 100)
	}
	await Promise.all(Array.from({ length: 8 }, async () => {
		while (await psql(db, left) !== "0")
			await psql(db, "SELECT qehs.tick(budget => '50 milliseconds')")
	}))
	for (const slug of ["a", "b"])
		assert.equal(done(db, slug), all(100))
})

test("a session that dies at it, and a server that does, leave nothing half done", async () => {
	const db = unattended("killed")
	db.sql("SELECT qehs.tenant_create('a', 'a')")
	make(db, "a", 60)
	const died = psql(db, "BEGIN; SELECT qehs.timer_run(now() + interval '1 minute', 20); SELECT pg_terminate_backend(pg_backend_pid())")
	await assert.rejects(died)
	assert.equal(db.sql(left), "120")
	db.sql("SELECT qehs.timer_run(now() + interval '1 minute', 10)")
	const working = psql(db, "BEGIN; SELECT qehs.timer_run(now() + interval '1 minute', 20); SELECT pg_sleep(60)")
	working.catch(() => {})
	while (db.sql("SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)' AND wait_event = 'PgSleep'") === "0")
		await sleep(50)
	at.cluster.stop()
	await assert.rejects(working)
	at.cluster.start()
	assert.equal(db.sql(left), "110")
	while (db.sql(left) !== "0")
		db.sql("SELECT qehs.tick()")
	assert.equal(done(db, "a"), all(60))
})

test("the background worker does it", async () => {
	make(at.cluster, "timers", 20)
	// the worker begins with it when it starts; else once a minute
	at.cluster.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'qehs worker'")
	while (at.cluster.sql(left) !== "0")
		await sleep(200)
	assert.equal(done(at.cluster, "timers"), all(20))
})
