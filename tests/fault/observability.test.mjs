// The metrics and the access log: what each request leaves in them, and that no payload and no secret does.
import assert from "node:assert/strict"
import { readFileSync, readdirSync, statSync } from "node:fs"
import net from "node:net"
import { test } from "node:test"
import { parseMetrics } from "../http/lib/prometheus.mjs"
import { stage, until } from "./cluster.mjs"
import { send } from "./retry.mjs"

const at = stage("seen", { rateLimit: 100000, flags: ({ cluster }) => ["--log", `${cluster.directory}/shim.log`] })
const log = () => `${at.cluster.directory}/shim.log`

const metrics = async () => parseMetrics(await (await fetch(`http://127.0.0.1:${at.shim.port}/metrics`)).text())

// The metrics once they are as wanted: the shim asks the database for its figures every few seconds.
async function metricsWith(wanted) {
	let seen
	await until(`metrics with ${wanted}`, async () => wanted(seen = await metrics()), 50)
	return seen
}

// The log is written once per turn of the loop.
async function logged(count, wanted = () => true) {
	let lines
	await until(`${count} lines in the log`, () => {
		lines = readFileSync(log(), "utf8").split("\n").slice(0, -1).map((line) => JSON.parse(line)).filter((line) => line.status && wanted(line))
		return lines.length >= count
	})
	return lines
}

const create = (headers, payload = { title: "t", severity: "low" }, sender = at.key) =>
	send(at.shim.port, sender, "POST", "/api/v1/records", { moduleKey: "incidents", payload }, headers)

test("requests are counted per route, with a histogram that adds up", async () => {
	const labels = 'operation="record_get",method="GET",route="/api/v1/records/{id}"'
	const { id } = (await create()).json
	for (let i = 0; i < 5; i++)
		await send(at.shim.port, at.key, "GET", `/api/v1/records/${id}`)
	await send(at.shim.port, at.key, "GET", "/api/v1/records/rec_00000000000000000000000000")
	const seen = await metrics()
	assert.equal(seen.get(`qehs_http_requests_total{${labels},status="200"}`), 5)
	assert.equal(seen.get(`qehs_http_requests_total{${labels},status="404"}`), 1)
	assert.equal(seen.get(`qehs_http_request_duration_seconds_count{${labels}}`), 6)
	assert.ok(seen.get(`qehs_http_request_duration_seconds_sum{${labels}}`) > 0)
	assert.ok(seen.get('qehs_database_connections{state="open"}') > 0)
	assert.ok(![...seen.keys()].some((name) => name.includes("rec_")), "no id is a label")
})

test("idempotency keys and rate limits are counted by outcome", async () => {
	const before = await metrics()
	const small = at.cluster.key("seen", 2)
	const answers = [await create({ "Idempotency-Key": "m1" }), await create({ "Idempotency-Key": "m1" }), await create({ "Idempotency-Key": "m1" }, { title: "u", severity: "low" }),
		await create({ "Idempotency-Key": "m2" }, {})]
	for (let i = 0; i < 3; i++)
		answers.push(await send(at.shim.port, small, "GET", "/api/v1/modules"))
	answers.push(await send(at.shim.port, "qehs_live_sk_wrong", "GET", "/api/v1/modules"))
	assert.deepEqual(answers.map((answer) => answer.status), [201, 201, 422, 400, 200, 200, 429, 401])
	const now = await metrics()
	// a policy is there from its first request on
	const grown = (name) => (now.get(name) ?? 0) - (before.get(name) ?? 0)
	for (const [outcome, count] of Object.entries({ executed: 1, replayed: 1, conflict: 1, failed: 1, in_progress: 0 }))
		assert.equal(grown(`qehs_idempotency_requests_total{outcome="${outcome}"}`), count, outcome)
	assert.equal(grown('qehs_rate_limit_requests_total{policy="default",outcome="passed"}'), 6)
	assert.equal(grown('qehs_rate_limit_requests_total{policy="default",outcome="refused"}'), 1)
	assert.equal(grown('qehs_rate_limit_requests_total{policy="address",outcome="passed"}'), 1)
	at.cluster.sql("SELECT qehs.use_tenant('seen'); SELECT qehs.rate_limit_set('tenant', 1)")
	const many = [at.cluster.key("seen"), at.cluster.key("seen", 100)]
	for (const key of [...many, ...many])
		await send(at.shim.port, key, "GET", "/api/v1/modules")
	at.cluster.sql("SELECT qehs.use_tenant('seen'); SELECT qehs.rate_limit_set('tenant', 0)")
	const later = await metrics()
	const since = (name) => (later.get(name) ?? 0) - (now.get(name) ?? 0)
	assert.equal(since('qehs_rate_limit_requests_total{policy="tenant",outcome="refused"}'), 3, "the tenant's refusals are the tenant's")
	assert.equal(since('qehs_rate_limit_requests_total{policy="default",outcome="refused"}'), 0)
})

async function hold(statements) {
	const session = at.cluster.session()
	await session.run(`BEGIN;\n${statements}`)
	return () => session.end()
}

test("who is refused by the limit of the tenant is counted there", async () => {
	const key = at.cluster.tenant("few", [])
	at.cluster.sql("SELECT qehs.use_tenant('few'); SELECT qehs.rate_limit_set('tenant', 2)")
	const before = await metrics()
	for (const status of [200, 200, 429])
		assert.equal((await send(at.shim.port, key, "GET", "/api/v1/modules")).status, status)
	const seen = await metrics()
	const count = (from, policy, outcome) => from.get(`qehs_rate_limit_requests_total{policy="${policy}",outcome="${outcome}"}`) ?? 0
	const grown = (policy, outcome) => count(seen, policy, outcome) - count(before, policy, outcome)
	assert.deepEqual([grown("tenant", "passed"), grown("tenant", "refused"), grown("default", "refused")], [2, 1, 0])
})

test("requests at the database, and waiting for it, are counted while they are", async () => {
	const release = await hold("LOCK TABLE qehs.record IN ACCESS EXCLUSIVE MODE")
	const answers = Promise.all(Array.from({ length: 12 }, () => send(at.shim.port, at.key, "GET", "/api/v1/records?moduleKey=incidents")))
	// at least one on each of four connections; how many more depends on what was known of them when they came
	const count = (seen, state) => seen.get(`qehs_database_requests{state="${state}"}`)
	await metricsWith((seen) => count(seen, "in_flight") >= 4 && count(seen, "in_flight") + count(seen, "waiting") === 12)
	await release()
	assert.ok((await answers).every(({ status }) => status === 200))
	await metricsWith((seen) => seen.get('qehs_database_requests{state="in_flight"}') === 0 && seen.get('qehs_database_requests{state="waiting"}') === 0)
})

test("a twin that is refused while the first one runs is counted", async () => {
	const release = await hold("LOCK TABLE qehs.record IN ACCESS EXCLUSIVE MODE")
	const before = await metrics()
	const first = create({ "Idempotency-Key": "twin" })
	await metricsWith((seen) => seen.get('qehs_database_requests{state="in_flight"}') === 1)
	assert.equal((await create({ "Idempotency-Key": "twin" })).status, 409)
	await release()
	assert.equal((await first).status, 201)
	const name = 'qehs_idempotency_requests_total{outcome="in_progress"}'
	assert.equal((await metrics()).get(name) - before.get(name), 1)
})

test("client connections are counted while they are open", async () => {
	const before = (await metrics()).get("qehs_http_connections")
	const sockets = await Promise.all(Array.from({ length: 5 }, () => new Promise((resolve) => {
		const socket = net.connect(at.shim.port, "127.0.0.1", () => resolve(socket))
	})))
	await metricsWith((seen) => seen.get("qehs_http_connections") >= before + 5)
	for (const socket of sockets)
		socket.destroy()
	await metricsWith((seen) => seen.get("qehs_http_connections") <= before)
})

test("expired keys wait for tick, which says what it removed and when it ran", async () => {
	await create({ "Idempotency-Key": "old" })
	const before = await metrics()
	at.cluster.sql("UPDATE qehs.idempotency SET created_at = now() - interval '25 hours' WHERE idempotency_key = 'old'; ANALYZE qehs.idempotency")
	// the shim calls it every few seconds, too
	assert.ok(JSON.parse(at.cluster.sql("SELECT qehs.tick()")).idempotencyKeys <= 1)
	const name = 'qehs_tick_removed_rows_total{table="idempotency"}'
	const seen = await metricsWith((now) => now.get("qehs_idempotency_keys_expired") === 0 && now.get(name) - before.get(name) === 1)
	assert.ok(seen.get("qehs_tick_runs_total") > before.get("qehs_tick_runs_total"))
	assert.ok(Math.abs(seen.get("qehs_tick_last_run_timestamp_seconds") - Date.now() / 1000) < 600, "the clock's time")
})

test("a migration of a module is counted by batches and records", async () => {
	const definition = (fields, more) => JSON.stringify({ key: "moved", name: "Moved", displayCode: { prefix: "MOV" }, fields: [{ key: "title", type: "text", required: true }, ...fields], workflow: { states: ["s"], initial: "s", transitions: {} }, ...more }).replaceAll("'", "''")
	const acting = "SELECT qehs.use_tenant('seen');"
	at.cluster.sql(`${acting} SELECT qehs.module_publish('moved', '${definition([{ key: "a", type: "text" }])}')`)
	for (const a of ["x", "y", "z"])
		assert.equal((await send(at.shim.port, at.key, "POST", "/api/v1/records", { moduleKey: "moved", payload: { title: "t", a } })).status, 201)
	at.cluster.sql(`${acting} SELECT qehs.module_publish('moved', '${definition([], { migrate: { drop: ["a"] } })}')`)
	at.cluster.sql(`${acting} SELECT qehs.module_migrate('moved')`)
	const seen = await metricsWith((now) => now.get("qehs_migrate_batches_total") === 1)
	assert.equal(seen.get('qehs_migrate_records_total{outcome="migrated"}'), 3)
	assert.equal(seen.get('qehs_migrate_records_total{outcome="failed"}'), 0)
	assert.ok(seen.get("qehs_migrate_last_batch_timestamp_seconds") > 1e9)
})

test("places of bulk loads are counted while they are taken", async () => {
	const release = await hold("SELECT qehs.use_tenant('seen'); SELECT qehs.bulk_begin('incidents')")
	await metricsWith((seen) => seen.get("qehs_bulk_places_taken") === 1)
	await release()
	await metricsWith((seen) => seen.get("qehs_bulk_places_taken") === 0)
})

test("the process is described as by every client library", async () => {
	const seen = await metrics()
	const pid = at.shim.process.pid
	assert.ok(Math.abs(seen.get("process_start_time_seconds") - statSync(`/proc/${pid}`).ctimeMs / 1000) < 60)
	assert.ok(seen.get("process_resident_memory_bytes") > 1e6 && seen.get("process_cpu_seconds_total") > 0)
	assert.ok(Math.abs(seen.get("process_open_fds") - readdirSync(`/proc/${pid}/fd`).length) <= 2)
	assert.equal(seen.get("process_max_fds"), Number(/Max open files\s+(\d+)/.exec(readFileSync(`/proc/${pid}/limits`, "utf8"))[1]))
	assert.equal(seen.get(`qehs_build_info{version="${/default_version = '(.*)'/.exec(readFileSync(new URL("../../qehs.control", import.meta.url), "utf8"))[1]}"}`), 1)
})

test("a line of the log says who asked for what and how long it took", async () => {
	const trace = "0af7651916cd43dd8448eb211c80319c"
	const answer = await create({ traceparent: `00-${trace}-00f067aa0ba902b7-01` })
	const keyId = at.cluster.sql("SELECT qehs.use_tenant('seen'); SELECT k ->> 'id' FROM json_array_elements(qehs.api_key_list(200) -> 'items') AS k ORDER BY k ->> 'id' LIMIT 1")
	const [line] = await logged(1, (one) => one.traceId === trace)
	assert.deepEqual({ ...line, time: 0, ms: 0, databaseMs: 0, client: 0 }, { time: 0, level: "info", traceId: trace, spanId: answer.headers.traceparent.split("-")[2],
		parentSpanId: "00f067aa0ba902b7", client: 0, method: "POST", route: "/api/v1/records",
		path: "/api/v1/records", operation: "record_create", tenant: "seen", keyId, status: 201, bytes: Buffer.byteLength(answer.text), ms: 0, databaseMs: 0 })
	assert.match(line.time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
	assert.ok(line.ms >= line.databaseMs && line.databaseMs > 0)
})

test("an error inside has its cause in the log, under the trace of its answer, in PostgreSQL's log as well", async () => {
	const answer = await failed()
	assert.equal(answer.json.code, "internal")
	assert.doesNotMatch(answer.text, /relation|qehs\.record|42P01|\.c:/)
	const [line] = await logged(1, (one) => one.traceId === answer.json.traceId)
	assert.equal(line.level, "error")
	assert.match(line.error, /^42P01/)
	assert.ok(databaseLog().includes(`qehs trace ${answer.headers.traceparent}\n`))
})

const databaseLog = () => readFileSync(`${at.cluster.directory}/pg/postgresql.log`, "utf8")

// An answer 500, for which the cause is in both logs.
async function failed(headers, table = "record") {
	// one that no backend has seen, as those that they know are not looked up
	const unseen = at.cluster.key("seen")
	at.cluster.sql(`ALTER TABLE qehs.${table} RENAME TO away`)
	try {
		const answer = await create(headers, undefined, unseen)
		assert.equal(answer.status, 500, answer.text)
		return answer
	} finally {
		at.cluster.sql(`ALTER TABLE qehs.away RENAME TO ${table}`)
	}
}

test("also when it is the key that cannot be looked up", async () => {
	const answer = await failed({}, "api_key")
	assert.ok(databaseLog().includes(`qehs trace ${answer.headers.traceparent}\n`))
})

const parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
for (const [name, state, kept] of [["goes on", "vendor=t61rcWkgMzE,rojo@corp=00f067aa0ba902b7", true], ["with 32 members goes on", Array.from({ length: 32 }, (_, i) => `k${i}=v`).join(), true],
	["with 33 members does not", Array.from({ length: 33 }, (_, i) => `k${i}=v`).join(), false], ["of more than 512 characters does not", `k=${"v".repeat(511)}`, false],
	["without a value does not", "lonely", false], ["with a capital key does not", "Key=value", false], ["that is not ASCII does not", "key=v\u00e9", false]])
	test(`a tracestate ${name} to PostgreSQL's log`, async () => {
		const answer = await failed({ traceparent: parent, tracestate: state })
		const line = databaseLog().split("\n").find((one) => one.includes(`qehs trace ${answer.headers.traceparent}`))
		assert.equal(line.slice(line.indexOf("qehs trace")), `qehs trace ${answer.headers.traceparent}${kept ? ` ${state}` : ""}`)
	})

test("a tracestate without a valid traceparent is not taken", async () => {
	for (const headers of [{}, { traceparent: parent.replace("00-", "ff-") }]) {
		const answer = await failed({ ...headers, tracestate: "vendor=value" })
		assert.ok(databaseLog().includes(`qehs trace ${answer.headers.traceparent}\n`))
	}
})

test("every endpoint's refusals have one trace: header, body, the shim's log and PostgreSQL's", async () => {
	const settings = { log_min_duration_statement: 0, "qehs.log_client_errors": "on" }
	for (const [name, value] of Object.entries(settings))
		await at.cluster.set(name, value)
	const refused = []
	for (const { operation, method, path, errorForm } of JSON.parse(at.cluster.sql("SELECT qehs.endpoint_list()"))) {
		const target = path.replace("{id}", "rec_00000000000000000000000000").replace("{moduleKey}", "nowhere")
		for (const [verb, key, suffix] of [[method, at.key, "?bogus=1"], [method, "qehs_live_sk_wrong", ""], ["PROPFIND", at.key, ""], ["HEAD", "qehs_live_sk_wrong", ""], ["OPTIONS", at.key, ""]]) {
			const answer = await send(at.shim.port, key, verb, target + suffix)
			const where = `${operation} ${verb} ${answer.status}`
			assert.equal(answer.headers.traceparent.split("-")[1], answer.headers["x-trace-id"], where)
			// RFC 7644 section 3.12 has no member for it
			if (verb !== "HEAD" && verb !== "OPTIONS" && errorForm !== "scim")
				assert.equal((errorForm === "graphql" ? answer.json.errors[0].extensions.problem : answer.json).traceId, answer.headers["x-trace-id"], where)
			refused.push({ where, status: answer.status, trace: answer.headers["x-trace-id"], parent: answer.headers.traceparent })
		}
	}
	for (const name of Object.keys(settings))
		await at.cluster.set(name)
	const traces = new Set(refused.map(({ trace }) => trace))
	const lines = new Map((await logged(refused.length, (line) => traces.has(line.traceId))).map((line) => [line.traceId, line]))
	const text = databaseLog()
	for (const { where, status, trace, parent } of refused) {
		assert.equal(lines.get(trace)?.status, status, where)
		assert.ok(text.includes(`qehs trace ${parent}\n`), `${where} in PostgreSQL's log`)
	}
	assert.equal(traces.size, refused.length)
})

test("no payload is in the logs", async () => {
	const words = ["xylophone", "hippopotamus", "quetzal"]
	await create({ "Idempotency-Key": "not to be logged" }, { title: words[0], severity: "low" })
	await create({}, { title: words[0], severity: words[1] })
	await send(at.shim.port, at.key, "GET", `/api/v1/records?moduleKey=incidents&q=${words[2]}&filter[title]=${words[0]}`)
	await logged(1, (one) => one.operation === "record_list")
	const text = readFileSync(log(), "utf8") + databaseLog()
	for (const word of [...words, "not to be logged"])
		assert.ok(!text.includes(word), word)
})

test("the database is up while connections to it are open, whether or not another may log in for the figures", async () => {
	const failures = (now) => now.get('qehs_task_failures_total{task="metrics"}')
	const before = failures(await metricsWith((now) => now.get('qehs_database_connections{state="open"}') >= 4))
	at.cluster.sql("ALTER ROLE qehs_shim CONNECTION LIMIT 1; SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = 'qehs_shim' AND query !~ 'qehs.request'")
	const seen = await metricsWith((now) => failures(now) > before)
	assert.ok(seen.get('qehs_database_connections{state="open"}') > 0)
	assert.equal(seen.get("qehs_database_up"), 1)
	at.cluster.sql("ALTER ROLE qehs_shim CONNECTION LIMIT -1")
	await metricsWith((now) => now.has("qehs_idempotency_keys"))
})

test("while the database is away the metrics say so, and have none of its figures", async () => {
	at.cluster.stopImmediately()
	const seen = await metricsWith((now) => now.get("qehs_database_up") === 0 && now.get('qehs_task_failures_total{task="metrics"}') >= 1)
	assert.ok(!seen.has("qehs_idempotency_keys"))
	assert.equal(seen.get('qehs_database_connections{state="open"}'), 0)
	at.cluster.start()
	await at.shim.ready()
	const again = await metricsWith((now) => now.get("qehs_database_up") === 1 && now.has("qehs_tick_runs_total") && now.get('qehs_database_connections{state="open"}') === 4)
	assert.ok(again.get("qehs_tick_runs_total") < 5, "counted from the start of the server")
})
