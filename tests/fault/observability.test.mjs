// The metrics and the access log: what each request leaves in them, and that no payload and no secret does.
import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { test } from "node:test"
import { sleep, stage } from "./cluster.mjs"
import { send } from "./retry.mjs"

const at = stage("seen", { rateLimit: 100000, flags: ({ cluster }) => ["--log", `${cluster.directory}/shim.log`] })
const log = () => `${at.cluster.directory}/shim.log`

// Every series of /metrics by its name with labels, which must be in Prometheus's text format.
async function metrics() {
	const text = await (await fetch(`http://127.0.0.1:${at.shim.port}/metrics`)).text()
	const series = new Map()
	const typed = new Set()
	for (const line of text.trimEnd().split("\n")) {
		const type = /^# TYPE (\w+) (counter|gauge|histogram)$/.exec(line)
		if (type)
			typed.add(type[1])
		if (line.startsWith("#"))
			continue
		const match = /^(\w+)(\{\w+="[^"\n]*"(?:,\w+="[^"\n]*")*\})? ([\d.e+-]+)$/.exec(line)
		assert.ok(match, line)
		assert.ok(typed.has(match[1]) || typed.has(match[1].replace(/_(bucket|sum|count)$/, "")), `${match[1]} has a type`)
		assert.ok(!series.has(match[1] + (match[2] ?? "")), `${line} stands once`)
		series.set(match[1] + (match[2] ?? ""), Number(match[3]))
	}
	return series
}

// The log is written once per turn of the loop.
async function logged(count, wanted = () => true) {
	for (let i = 0; i < 100; i++) {
		const lines = readFileSync(log(), "utf8").trimEnd().split("\n").map((line) => JSON.parse(line)).filter((line) => line.status && wanted(line))
		if (lines.length >= count)
			return lines
		await sleep(20)
	}
	assert.fail(`${count} lines in the log`)
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
	const buckets = [...seen].filter(([name]) => name.startsWith(`qehs_http_request_duration_seconds_bucket{${labels},le=`)).map(([, value]) => value)
	assert.deepEqual(buckets, [...buckets].sort((a, b) => a - b), "buckets only grow")
	assert.equal(buckets.at(-1), 6)
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
	const grown = (name) => now.get(name) - before.get(name)
	for (const [outcome, count] of Object.entries({ executed: 1, replayed: 1, conflict: 1, failed: 1, in_progress: 0 }))
		assert.equal(grown(`qehs_idempotency_requests_total{outcome="${outcome}"}`), count, outcome)
	assert.equal(grown('qehs_rate_limit_requests_total{policy="default",outcome="passed"}'), 6)
	assert.equal(grown('qehs_rate_limit_requests_total{policy="default",outcome="refused"}'), 1)
	assert.equal(grown('qehs_rate_limit_requests_total{policy="address",outcome="passed"}'), 1)
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
	at.cluster.sql(`ALTER TABLE qehs.${table} RENAME TO away`)
	try {
		const answer = await create(headers)
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
