// A list that is sent as lines comes from the database part by part: in memory that does not grow with it, without a transaction that
// waits for its reader, and on connections that are not those of other requests.
import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import http from "node:http"
import { test } from "node:test"
import { uuidOf } from "../http/lib/tenant.mjs"
import { sleep, stage, until } from "./cluster.mjs"
import { send } from "./retry.mjs"

const RECORDS = Number(process.env.FAULT_LIST_RECORDS ?? 30000)
const GROWTH_KB = 16 * 1024
const BACKEND_KB = 128 * 1024
const at = stage("lines", { settings: ["shared_buffers = 64MB"], flags: ["--threads", "1"], prepare: ({ cluster }) => cluster.sql(`SELECT qehs.use_tenant('lines');
	SELECT count(*) FROM generate_series(1, ${RECORDS / 1000}) AS g, LATERAL (SELECT qehs.bulk_load('incidents', (SELECT convert_to(string_agg(
		jsonb_build_object('title', 't' || g * 1000 + i, 'severity', 'low', 'description', repeat('d', 1000))::text, E'\\n'), 'UTF8')
		FROM generate_series(1, 1000) AS i))) AS loaded`) })

// Ask for all lines; gives the answer, of which nothing is read yet.
const ask = (key = at.key) => new Promise((resolve, reject) => {
	const request = http.get({ port: at.shim.port, path: "/api/v1/records?moduleKey=incidents", agent: false,
		headers: { Authorization: `Bearer ${key}`, Accept: "application/x-ndjson" } }, (response) => {
		response.on("error", () => {})
		resolve(response)
	})
	request.on("error", reject)
})
const read = async (response) => {
	let text = ""
	for await (const part of response.setEncoding("utf8"))
		text += part
	return text.trimEnd().split("\n").map((line) => JSON.parse(line))
}
const peak = (pid) => Number(/^VmHWM:\s*(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))[1])
const backends = () => at.cluster.sql("SELECT pid FROM pg_stat_activity WHERE usename = 'qehs_shim'").split("\n").filter(Boolean)

test("all records, in memory that does not grow with them", async (t) => {
	const page = await send(at.shim.port, at.key, "GET", "/api/v1/records?moduleKey=incidents&limit=200")
	assert.equal(page.status, 200)
	const before = peak(at.shim.process.pid)
	const response = await ask()
	assert.equal(response.statusCode, 200)
	await until("parts come on a connection of their own", () => response.readableLength > 0 && backends().length > 0)
	const ids = new Set()
	let bytes = 0
	let tail = ""
	let last
	const seen = new Set()
	for await (const part of response.setEncoding("utf8")) {
		const lines = (tail + part).split("\n")
		bytes += part.length
		tail = lines.pop()
		for (const line of lines) {
			last = JSON.parse(line)
			ids.add(last.id)
		}
		if (seen.size === 0)
			for (const pid of backends())
				seen.add(pid)
	}
	assert.equal(tail, "")
	assert.equal(ids.size, RECORDS)
	assert.ok(last.id, JSON.stringify(last))
	const front = peak(at.shim.process.pid)
	t.diagnostic(`${RECORDS} records, ${Math.round(bytes / 1024)} kB: peak of the shim ${before} kB before, ${front} kB after`)
	assert.ok(bytes > 2 * GROWTH_KB * 1024, "the answer is more than what the shim may take")
	assert.ok(front - before < GROWTH_KB, `the shim took ${front - before} kB more`)
	for (const pid of backends())
		assert.ok(peak(pid) < BACKEND_KB, `a backend took ${peak(pid)} kB`)
})

test("a reader that waits holds no transaction, and one that leaves gives its connection back", async () => {
	const idle = backends().length
	const response = await ask()
	await until("it has a connection of its own", () => backends().length > idle)
	await sleep(500)
	// the shim's own work has transactions, short ones
	await until("none is in a transaction", () => at.cluster.sql("SELECT count(*) FROM pg_stat_activity WHERE usename = 'qehs_shim' AND xact_start IS NOT NULL") === "0")
	response.destroy()
	await until("the connection is closed", () => backends().length <= idle)
	assert.equal((await send(at.shim.port, at.key, "GET", "/api/v1/records?moduleKey=incidents&limit=1")).status, 200)
})

test("a key that is revoked meanwhile ends the lines with an error", async () => {
	const other = JSON.parse(at.cluster.sql("SELECT qehs.use_tenant('lines'); SELECT qehs.api_key_create('short')"))
	const response = await ask(other.key)
	await sleep(300)
	at.cluster.sql(`SELECT qehs.use_tenant('lines'); SELECT qehs.api_key_revoke('${uuidOf(other.id)}')`)
	const lines = await read(response)
	assert.equal(lines.at(-1).error?.code, "unauthenticated", JSON.stringify(lines.at(-1)))
	assert.ok(lines.length < RECORDS)
	assert.ok(lines.slice(0, -1).every((line) => line.id))
})

test("readers that wait leave the connections of other requests alone; too many are refused", async () => {
	const waiting = []
	let refused = 0
	for (let i = 0; i < 80; i++) {
		const response = await ask()
		if (response.statusCode === 503)
			refused++
		else
			waiting.push(response)
	}
	assert.ok(refused > 0 && waiting.length >= 32, `${refused} refused, ${waiting.length} wait`)
	for (let i = 0; i < 50; i++)
		assert.equal((await send(at.shim.port, at.key, "GET", "/api/v1/records?moduleKey=incidents&limit=1")).status, 200)
	for (const response of waiting)
		response.destroy()
})
