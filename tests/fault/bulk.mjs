// Bulk loads for the fault tests: lines, calls that may be cut, and what the database holds in the end.
import assert from "node:assert/strict"
import http from "node:http"
import { createInterface } from "node:readline"
import { start } from "../http/lib/process.mjs"

const LINES = "application/x-ndjson"

// A small module with a unique field.
export const definition = {
	key: "readings", name: "Readings", displayCode: { prefix: "REA" },
	fields: [
		{ key: "title", type: "text", required: true, maxLength: 500 },
		{ key: "badge", type: "identifier" },
		{ key: "severity", type: "select", options: ["low", "high"], required: true, indexed: true },
		{ key: "value", type: "number", min: 0, indexed: true },
		{ key: "note", type: "text", maxLength: 10000 },
	],
	workflow: { states: ["open", "done"], initial: "open", transitions: { finish: { from: "open", to: "done" } } },
}

export const path = "/api/v1/modules/readings/bulk"

export const publish = (cluster, slug) =>
	cluster.sql(`SELECT qehs.use_tenant('${slug}'); SELECT qehs.module_publish('readings', '${JSON.stringify(definition)}')`)

// Line n of a load; every title and badge exists once.
export const line = (load, n, members = {}) =>
	JSON.stringify({ title: `${load} ${n}`, badge: `${load} ${n}`, severity: n % 3 ? "low" : "high", value: n, ...members }) + "\n"

export const lines = (load, count, members) => Buffer.from(Array.from({ length: count }, (_, i) => line(load, i + 1, members)).join(""))

let opened = 0

// Every second load asks for its connection to be closed, and so gets its answer after the body only (shim/http/early.h).
// Open a load: {request, response, answer}. The body is the caller's to write to request; answer is {status, headers, text} and
// rejects when the connection breaks; response is the message itself for who reads it by hand (paused: reads nothing).
export function open(port, key, { query = "", headers = {}, paused = false } = {}) {
	const request = http.request({ host: "127.0.0.1", port, method: "POST", path: path + query, agent: false,
		headers: { Authorization: `Bearer ${key}`, "Content-Type": LINES, "Transfer-Encoding": "chunked",
			Connection: opened++ % 2 ? "close" : "keep-alive", ...headers } })
	const response = new Promise((resolve, reject) => {
		request.on("error", reject)
		request.on("response", resolve)
		request.on("close", () => reject(new Error("closed")))
	})
	response.catch(() => {})
	const answer = paused ? undefined : response.then(read)
	answer?.catch(() => {})
	return { request, response, answer }
}

// All of an answer; rejects when it is cut.
export const read = (response) => new Promise((resolve, reject) => {
	const parts = []
	response.on("data", (part) => parts.push(part))
	response.on("error", reject)
	response.on("end", () => resolve({ status: response.statusCode, headers: response.headers, text: Buffer.concat(parts).toString() }))
})

// The answer lines of a load that began: {lines, summary, error}.
export function parse(answer) {
	const all = answer.text.split("\n").filter(Boolean).map((text) => JSON.parse(text))
	const last = all.length > 0 && !("line" in all.at(-1)) ? all.pop() : {}
	return { lines: all, summary: last.summary, error: last.error }
}

// Send a whole body and wait: {lines, summary, error}, or {status, text} of a refusal.
export async function send(port, key, body, options) {
	const { request, answer } = open(port, key, { ...options, headers: { ...options?.headers } })
	request.end(body)
	const result = await answer
	return result.status === 200 ? parse(result) : result
}

// psql that stays connected, for questions asked often; connects again after the server was away.
export class Probe {
	constructor(cluster) {
		this.cluster = cluster
	}

	connect() {
		this.waiting = null
		const child = start("psql", ["-X", "-q", "-A", "-t", "-d", `${this.cluster.conninfo} user=postgres`], { stdio: ["pipe", "pipe", "ignore"] })
		this.child = child
		child.stdin.on("error", () => {})
		createInterface({ input: child.stdout }).on("line", (text) => this.child === child && this.settle(text))
		child.on("close", () => this.child === child && this.lost())
	}

	settle(text) {
		const { waiting } = this
		this.waiting = null
		waiting?.(text)
	}

	lost() {
		this.child = null
		this.settle(null)
	}

	// One value; null while the server is away.
	ask(sql) {
		if (!this.child)
			this.connect()
		return new Promise((resolve) => {
			this.waiting = resolve
			// psql goes on after an error, and after a lost connection it tries to connect again
			this.child.stdin.write(`${sql};\n\\if :ERROR\n\\q\n\\endif\n`)
		})
	}

	close() {
		this.child?.stdin.end()
	}
}

// Everything about a load that must hold in the end: each line's record once, with one event, its value and its key.
export function assertOnce(cluster, load, count, keyed = true) {
	const text = cluster.sql(`WITH r AS (SELECT * FROM qehs.record WHERE payload ->> 'title' LIKE '${load} %'),
			e AS (SELECT e.* FROM qehs.audit_event AS e JOIN r ON r.tenant_id = e.tenant_id AND r.id = e.record_id),
			u AS (SELECT * FROM qehs.record_unique WHERE value LIKE '${load} %'),
			i AS (SELECT * FROM qehs.idempotency WHERE idempotency_key LIKE '${load}#%')
		SELECT json_build_object('records', (SELECT count(*) FROM r), 'titles', (SELECT count(DISTINCT payload ->> 'title') FROM r),
			'codes', (SELECT count(DISTINCT display_no) FROM r), 'events', (SELECT count(*) FROM e),
			'created', (SELECT count(DISTINCT record_id) FROM e WHERE action = 'created' AND record_version = 1),
			'values', (SELECT count(*) FROM u JOIN r ON r.id = u.record_id AND r.payload ->> 'badge' = u.value),
			'all_values', (SELECT count(*) FROM u), 'keys', (SELECT count(*) FROM i))`)
	assert.deepEqual(JSON.parse(text), { records: count, titles: count, codes: count, events: count, created: count, values: count,
		all_values: count, keys: keyed ? count : 0 }, `what is there of ${load}`)
}

// No rows of records that are not there, whatever load they came from.
export function assertNoStrays(cluster) {
	assert.equal(cluster.sql(`SELECT (SELECT count(*) FROM qehs.audit_event AS e WHERE e.module_id <> 0 AND NOT EXISTS (SELECT FROM qehs.record AS r WHERE r.tenant_id = e.tenant_id AND r.id = e.record_id)),
		(SELECT count(*) FROM qehs.record_unique AS u WHERE NOT EXISTS (SELECT FROM qehs.record AS r WHERE r.tenant_id = u.tenant_id AND r.id = u.record_id)),
		(SELECT count(*) - count(DISTINCT (tenant_id, module_id, display_no)) FROM qehs.record)`), "0|0|0")
}
