// Secrets in every place where a client may put them by mistake: afterwards neither log has them, however much PostgreSQL is
// told to log, and no answer repeats them.
import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { test } from "node:test"
import { raw } from "../http/lib/client.mjs"
import { sleep, stage } from "./cluster.mjs"
import { send } from "./retry.mjs"

const at = stage("secrets", {
	rateLimit: 100000,
	settings: ["log_statement = 'all'", "log_min_duration_statement = 0", "log_parameter_max_length_on_error = -1", "qehs.log_client_errors = on", "log_error_verbosity = verbose"],
	flags: ({ cluster }) => ["--log", `${cluster.directory}/shim.log`, "--trusted-proxies", "127.0.0.1"],
})

const digits = "0123456789abcdefghjkmnpqrstvwxyz"
const random = (length) => Array.from({ length }, () => digits[Math.floor(Math.random() * digits.length)]).join("")
const token = () => `eyJhbGciOiJSUzI1NiJ9.${random(40)}.${random(60)}`
const secrets = () => [at.key, at.key.slice(0, -3), `${at.key}x`, at.key.toUpperCase(), `qehs_test_sk_${random(66)}`, `sa_${random(40)}`, `scim_${random(40)}`, token()]
// what of each must be nowhere: its middle
const tail = (secret) => secret.slice(30, 50)
const record = { moduleKey: "incidents", payload: { title: "t", severity: "low" } }
const valid = { "Content-Type": "application/json" }

// The headers that the shim reads, and some that others do.
const headers = ["Idempotency-Key", "If-Match", "If-None-Match", "Accept-Language", "Accept", "Accept-Encoding", "Content-Type", "Content-Encoding", "traceparent", "tracestate", "Prefer",
	"Origin", "X-Forwarded-For", "Forwarded", "User-Agent", "Referer", "Cookie", "X-Api-Key", "X-Request-Id"]

function requests(secret) {
	const hex = [...secret].map((letter) => `%${letter.charCodeAt(0).toString(16)}`).join("")
	const list = [
		["GET", `/api/v1/records/${secret}`], ["GET", `/api/v1/records/${hex}`], ["DELETE", `/api/v1/records/rec_${secret}`], ["GET", `/${secret}`], ["PROPFIND", `/api/v1/records/${secret}`],
		["GET", `/api/v1/modules/${secret}`], ["GET", `/api/v1/modules/incidents?key=${secret}`], ["GET", `/api/v1/modules/incidents?${secret}=1`],
		["GET", `/api/v1/modules/incidents?version=${secret}`], ["GET", `/api/v1/records?moduleKey=${secret}`], ["GET", `/api/v1/records?moduleKey=incidents&limit=1&q=${secret}`],
		["GET", `/api/v1/records?moduleKey=incidents&filter[${secret}]=1`], ["GET", `/api/v1/records?moduleKey=incidents&filter[title][${secret}]=1`],
		["GET", `/api/v1/records?moduleKey=incidents&filter[cost]=${secret}`], ["GET", `/api/v1/records?moduleKey=incidents&sort=${secret}`],
		["GET", `/api/v1/records?moduleKey=incidents&fields=${secret}`], ["GET", `/api/v1/records?moduleKey=incidents&cursor=${secret}`], ["GET", `/api/v1/audit?actor=${secret}`],
		["GET", `/healthz?${secret}`], ["GET", `/developers/${secret}`], ["OPTIONS", `/api/v1/records/${secret}`], ["HEAD", `/api/v1/records/${secret}`],
		["POST", "/api/v1/records", { ...record, [secret]: 1 }], ["POST", "/api/v1/records", { ...record, moduleKey: secret }], ["POST", "/api/v1/records", { ...record, workflowState: secret }],
		["POST", "/api/v1/records", { ...record, payload: { ...record.payload, [secret]: 1 } }], ["POST", "/api/v1/records", { ...record, payload: { title: "t", severity: secret } }],
		["POST", "/api/v1/api-keys", { name: "n", scopes: [secret], roles: ["viewer"] }],
		["PUT", `/api/v1/modules/${secret}`, { key: "incidents", fields: [] }], ["PUT", "/api/v1/modules/incidents", { key: secret, fields: [] }],
	]
	return [...list.map(([method, path, body]) => [method, path, body, {}]),
		...headers.map((name) => ["POST", "/api/v1/records", { moduleKey: "incidents", payload: {} }, { ...valid, [name]: secret }]),
		...["traceparent", "tracestate"].map((name) => ["GET", "/api/v1/nowhere", undefined, { traceparent: "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01", [name]: `k=${secret}` }]),
		["GET", "/api/v1/modules", undefined, { Authorization: `Basic ${secret}` }], ["GET", "/api/v1/modules", undefined, { Authorization: secret }]]
}

const lines = (secret) => [`GET /${secret}\r\n\r\n`, `${secret} / HTTP/1.1\r\nHost: x\r\n\r\n`, `GET / HTTP/${secret}\r\n\r\n`, `${secret}\r\n\r\n`, `GET /api/v1/records/${secret}%zz%ff HTTP/1.1\r\nHost: x\r\n\r\n`,
	`GET /api/v1/records/%71${secret.slice(1)}%00 HTTP/1.1\r\nHost: x\r\n\r\n`, `GET http://${secret}@x/api/v1/records/${secret}?${secret} HTTP/1.1\r\nHost: ${secret}\r\n\r\n`,
	`GET / HTTP/1.1\r\nHost: x\r\n${secret}: 1\r\n\r\n`, `GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${secret}\r\nAuthorization: Bearer ${secret}\r\nContent-Length: ${secret}\r\n\r\n`,
	`GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${secret}\r\nX: \n\r\n`]

async function sendEverything() {
	const used = secrets()
	for (const secret of used) {
		for (const [method, path, body, extra] of requests(secret)) {
			const answer = await send(at.shim.port, at.key, method, path, body, extra)
			const echo = JSON.stringify(answer.headers) + answer.text
			assert.ok(!echo.toLowerCase().includes(tail(secret).toLowerCase()), `${method} ${path} ${JSON.stringify(extra)} is answered ${echo}`)
		}
		for (const bytes of lines(secret)) {
			const answer = await raw(bytes, { count: 1, half: true, wait: 500, url: new URL(`http://127.0.0.1:${at.shim.port}`) })
			assert.ok(!answer.bytes.toString("latin1").toLowerCase().includes(tail(secret).toLowerCase()), bytes)
		}
	}
	await sleep(200)
	return used
}

function assertNowhere(used) {
	for (const file of ["shim.log", "pg/postgresql.log"]) {
		const text = readFileSync(`${at.cluster.directory}/${file}`, "utf8").toLowerCase()
		assert.ok(text.length > 10000, `${file} has its lines`)
		for (const secret of used) {
			const found = text.indexOf(tail(secret).toLowerCase())
			assert.equal(found, -1, `${file}: ${text.slice(Math.max(0, found - 300), found + 100)}`)
		}
	}
}

test("no log has them, and no answer", { timeout: 600000 }, async () => assertNowhere(await sendEverything()))

test("nor has PostgreSQL's log when it is told to write parameters", { timeout: 600000 }, async () => {
	at.cluster.sql("ALTER ROLE qehs_shim RESET log_parameter_max_length; ALTER ROLE qehs_shim RESET log_parameter_max_length_on_error")
	await at.shim.crash()
	await at.shim.ready()
	const used = await sendEverything()
	assertNowhere(used)
	const text = readFileSync(`${at.cluster.directory}/pg/postgresql.log`, "utf8")
	assert.match(text, /parameters: \$1 = 'qehs_live_sk_\*\*\*'/)
	assert.match(text, /qehs trace 00-0af7651916cd43dd8448eb211c80319c-[0-9a-f]{16}-01/)
})

test("nor of what an administrator writes into a statement, whether it fails or not", () => {
	assert.throws(() => at.cluster.sql(`SELECT qehs.request_begin('${at.key}', NULL); SELECT 1/0 AS "${at.key.slice(0, 50)}"`))
	at.cluster.sql(`SELECT '${at.key}'`)
	assertNowhere([at.key])
})

test("nor of an answer from the store that holds a new key", async () => {
	const body = { name: "n", scopes: ["records.read"], roles: ["viewer"] }
	const answers = []
	for (let i = 0; i < 2; i++)
		answers.push(await send(at.shim.port, at.key, "POST", "/api/v1/api-keys", body, { "Idempotency-Key": "new" }))
	assert.equal(answers[1].headers["idempotency-replayed"], "true")
	assert.equal(answers[0].text, answers[1].text)
	assert.match(answers[0].json.key, /^qehs_live_sk_/)
	assertNowhere([answers[0].json.key])
})

test("an id, a hash, a word that only begins like a key stay what they are", async () => {
	for (const word of ["scim_users", "sa_lt", "rec_01KA5X8ZK5Q3V7N2M4T6W8Y0AB", "eyJ.a", "0".repeat(64), "key_live_"]) {
		const answer = await send(at.shim.port, at.key, "GET", `/api/v1/none/${word}`)
		assert.equal(answer.json.instance, `/api/v1/none/${word}`)
	}
})
