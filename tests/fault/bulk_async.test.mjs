// Loads that a job runs: each line is loaded once and each job ends once, in a state that says why, whatever happens to workers and callers.
// What becomes of the bodies; how much memory a load takes. FAULT_MEMORY_LINES chooses its length.
import assert from "node:assert/strict"
import { once } from "node:events"
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs"
import http from "node:http"
import { after, test } from "node:test"
import { start } from "../http/lib/process.mjs"
import { uuidOf } from "../http/lib/tenant.mjs"
import { line, lines, path, publish } from "./bulk.mjs"
import { sleep, stage, until as come } from "./cluster.mjs"
import { call, file, storeFolder } from "./exports.mjs"

const COUNT = 20000
const MOST = Number(process.env.FAULT_MEMORY_LINES ?? 40000)
const MOST_KB = 64 * 1024
const folder = storeFolder()
let key
const others = []
const made = stage("bulkasync", { settings: ["shared_buffers = 64MB", "max_wal_size = 4GB"], flags: ["--storage", folder, "--export-workers", "0", "--load-workers", "0", "--max-object", "200000000"],
	prepare({ cluster }) {
		key = cluster.tenant("waits", [])
		publish(cluster, "waits")
	} })
after(() => {
	for (const worker of others)
		worker.kill("SIGKILL")
	rmSync(folder, { recursive: true })
})

function startWorker() {
	const worker = start(process.env.QEHS_SHIM_BIN ?? new URL("../../qehs-shim", import.meta.url).pathname,
		["--worker", "--db", `${made.cluster.conninfo} user=qehs_shim`, "--storage", folder, "--load-workers", "1", "--log", "off"], { stdio: ["ignore", "ignore", "inherit"] })
	worker.gone = new Promise((resolve) => worker.once("exit", (code, signal) => resolve(code ?? signal)))
	others.push(worker)
	return worker
}

async function stopWorker(worker, signal = "SIGTERM") {
	worker.kill(signal)
	return worker.gone
}

// Send a body, whole or by a function that writes it; gives {status, json}.
function send(body, { query = "", headers = {}, by = key } = {}) {
	return new Promise((resolve, reject) => {
		const request = http.request({ host: "127.0.0.1", port: made.shim.port, method: "POST", path: path + query, agent: false,
			headers: { authorization: `Bearer ${by}`, "content-type": "application/x-ndjson", prefer: "respond-async", ...headers } }, (response) => {
			let text = ""
			response.on("data", (part) => { text += part })
			response.on("end", () => resolve({ status: response.statusCode, json: text && JSON.parse(text) }))
		})
		request.on("error", reject)
		if (typeof body === "function")
			body(request)
		else
			request.end(body)
	})
}

async function queue(body, options) {
	const answer = await send(body, options)
	assert.equal(answer.status, 202, JSON.stringify(answer.json))
	return answer.json.jobId
}

async function until(id, holds = (job) => !["queued", "running"].includes(job.status)) {
	for (let i = 0; i < 2400; i++) {
		const { json } = await call(made.shim, key, "GET", `/api/v1/jobs/${id}`)
		if (holds(json))
			return json
		await sleep(25)
	}
	throw new Error(`${id} did not come so far`)
}

const count = (name) => Number(made.cluster.sql(`SELECT count(*) FROM qehs.record WHERE payload ->> 'title' LIKE '${name} %'`))
const distinct = (name) => Number(made.cluster.sql(`SELECT count(DISTINCT payload ->> 'title') FROM qehs.record WHERE payload ->> 'title' LIKE '${name} %'`))
const loseLease = () => made.cluster.sql("UPDATE qehs.job SET lease_until = now() - interval '1 second' WHERE state = 'running'")
// Chunks of a load are 2,000 lines: another session has the unique value of a line behind the middle, so that its chunk waits until that one has ended.
const MIDDLE = COUNT / 2

async function hold(name) {
	const session = made.cluster.session()
	await session.run(`BEGIN; SELECT qehs.use_tenant('waits'); SELECT qehs.bulk_load('readings', convert_to('${JSON.stringify({ title: "held", severity: "low", badge: `${name} ${MIDDLE + 1}` })}', 'UTF8'))`)
	return session
}

const waits = (many = 1) => come(`${many} of jobs wait`,
	() => Number(made.cluster.sql("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'qehs-shim job' AND wait_event_type = 'Lock'")) >= many)

test("a worker that is killed in the middle: another goes on, and each line is loaded once", async () => {
	const id = await queue(lines("killed", COUNT))
	const held = await hold("killed")
	const first = startWorker()
	await waits()
	const during = (await call(made.shim, key, "GET", `/api/v1/jobs/${id}`)).json
	assert.deepEqual([during.status, during.result.summary.created, count("killed")], ["running", MIDDLE, MIDDLE])
	await stopWorker(first, "SIGKILL")
	loseLease()
	// the chunk of the killed one waits on in the server, and must not be kept when it has what it waits for
	const second = startWorker()
	await waits(2)
	await held.end()
	const done = await until(id)
	assert.deepEqual([done.status, done.rowCount], ["succeeded", COUNT], JSON.stringify(done))
	assert.deepEqual({ ...done.result.summary, durationMs: 0 }, { lines: COUNT, created: COUNT, replayed: 0, failed: 0, durationMs: 0 })
	assert.deepEqual([count("killed"), distinct("killed")], [COUNT, COUNT])
	await stopWorker(second)
})

test("a killed worker of mode=atomic has loaded nothing, and another loads all", async () => {
	const id = await queue(lines("whole", COUNT), { query: "?mode=atomic" })
	const held = await hold("whole")
	const first = startWorker()
	await waits()
	await stopWorker(first, "SIGKILL")
	loseLease()
	await held.end()
	assert.equal(count("whole"), 0)
	const second = startWorker()
	const done = await until(id)
	assert.deepEqual([done.status, done.rowCount, count("whole")], ["succeeded", COUNT, COUNT], JSON.stringify(done))
	await stopWorker(second)
})

test("a worker that has lost its job to another loads nothing more", async () => {
	const id = await queue(lines("lost", COUNT))
	const held = await hold("lost")
	const first = startWorker()
	await waits()
	first.kill("SIGSTOP")
	loseLease()
	const second = startWorker()
	await waits(2)
	await held.end()
	assert.equal((await until(id)).rowCount, COUNT)
	first.kill("SIGCONT")
	assert.deepEqual([count("lost"), distinct("lost")], [COUNT, COUNT])
	await stopWorker(first)
	await stopWorker(second)
})

test("a worker that is told to stop gives its job back, which goes on where it was", async () => {
	const id = await queue(lines("back", COUNT))
	const held = await hold("back")
	const first = startWorker()
	await waits()
	assert.equal(await stopWorker(first), 0)
	assert.equal(made.cluster.sql(`SELECT worker IS NULL FROM qehs.job WHERE id = '${uuidOf(id)}'`), "t")
	await held.end()
	assert.equal(count("back"), MIDDLE)
	const second = startWorker()
	const done = await until(id)
	assert.deepEqual([done.rowCount, done.result.summary.created, count("back")], [COUNT, COUNT, COUNT])
	await stopWorker(second)
})

for (const [name, query, stays] of [["kept", "", MIDDLE], ["undone", "?mode=atomic", 0]])
	test(`a cancel in the middle ${stays ? "keeps what is loaded" : "of mode=atomic keeps nothing"}`, async () => {
		const id = await queue(lines(name, COUNT), { query })
		const held = await hold(name)
		const worker = startWorker()
		await waits()
		assert.equal((await call(made.shim, key, "DELETE", `/api/v1/jobs/${id}`)).status, 200)
		const done = await until(id)
		await held.end()
		assert.deepEqual([done.status, count(name), done.result?.summary.created ?? 0], ["cancelled", stays, stays])
		await stopWorker(worker)
	})

test("a job that waits is cancelled at once", async () => {
	const id = await queue(lines("never", 10))
	assert.equal((await call(made.shim, key, "DELETE", `/api/v1/jobs/${id}`)).json.status, "cancelled")
	assert.equal(count("never"), 0)
})

test("a load whose key is revoked before or in the middle fails and says so", async () => {
	const make = () => JSON.parse(made.cluster.sql("SELECT qehs.use_tenant('waits'); SELECT qehs.api_key_create('gone', rate_limit => 0)"))
	const revoke = (gone) => made.cluster.sql(`SELECT qehs.use_tenant('waits'); SELECT qehs.api_key_revoke('${gone.id}')`)
	const [early, late] = [make(), make()]
	const before = await queue(lines("early", 10), { by: early.key })
	revoke(early)
	const worker = startWorker()
	const refused = await until(before)
	assert.deepEqual([refused.status, refused.error.code, refused.result], ["failed", "forbidden", null])
	const during = await queue(lines("late", COUNT), { by: late.key })
	const held = await hold("late")
	await until(during, (job) => job.status === "running")
	await waits()
	revoke(late)
	await held.end()
	const broken = await until(during)
	// the chunk that waited began before
	assert.deepEqual([broken.status, broken.error.code, broken.result.summary.created, count("late")], ["failed", "forbidden", MIDDLE + 2000, MIDDLE + 2000])
	assert.equal(count("early"), 0)
	await stopWorker(worker)
})

test("the bodies of jobs that have ended leave the store; one that nobody queued does so a day later", async () => {
	// the shim looks every ten seconds
	await come("no body is kept", () => made.cluster.sql("SELECT count(*) FROM qehs.job WHERE input_bytes IS NOT NULL") === "0", 50)
	const ids = made.cluster.sql("SELECT qehs.id_text('job_', id) FROM qehs.job").split("\n")
	await come("no body is in the store", () => !ids.some((id) => file(folder, "waits", id)), 50)
	// a call that was answered before: its body is of no use
	const id = await queue(lines("twice", 10), { headers: { "idempotency-key": "twice" } })
	const objects = () => existsSync(`${folder}/objects/waits`) ? readdirSync(`${folder}/objects/waits`, { recursive: true }).filter((name) => name.includes("job_")).length : 0
	assert.equal(objects(), 1)
	assert.equal(await queue(lines("twice", 10), { headers: { "idempotency-key": "twice" } }), id)
	await come("one body is left", () => objects() === 1)
	// a body whose sender has left
	made.cluster.sql("DELETE FROM qehs.object_removal")
	const later = () => made.cluster.sql("SELECT count(*) FROM qehs.object_removal WHERE not_before BETWEEN now() + interval '23 hours' AND now() + interval '25 hours'")
	await assert.rejects(send(async (request) => {
		request.write(line("left", 1))
		await come("the body is to be removed", () => later() === "1")
		request.destroy()
	}))
	assert.equal(later(), "1")
	await call(made.shim, key, "DELETE", `/api/v1/jobs/${id}`)
})

test("a body beyond --max-object is 413 before it comes", async () => {
	const answer = await send((request) => request.flushHeaders(), { headers: { "content-length": "200000001", expect: "100-continue" } })
	assert.deepEqual([answer.status, answer.json.code], [413, "payload_too_large"])
	assert.equal(made.cluster.sql("SELECT count(*) FROM qehs.job WHERE finished_at IS NULL"), "0")
})

test(`${MOST} lines of a kilobyte are kept and loaded in constant memory`, async (t) => {
	const note = "x".repeat(1000 - line("memory", MOST, { note: "" }).length)
	const id = await queue(async (request) => {
		let part = ""
		for (let n = 1; n <= MOST; n++) {
			part += line("memory", n, { note })
			if (part.length > 1 << 18 || n === MOST) {
				if (!request.write(part))
					await once(request, "drain")
				part = ""
			}
		}
		request.end()
	})
	const peak = (pid) => Number(/^VmHWM:\s*(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))[1])
	const front = peak(made.shim.process.pid)
	const worker = startWorker()
	const done = await until(id)
	assert.equal(done.rowCount, MOST)
	const back = peak(worker.pid)
	t.diagnostic(`${MOST} lines in ${done.result.summary.durationMs} ms: peak of the shim ${front} kB, of the worker ${back} kB`)
	// sanitizers have memory of their own
	if (!/sanitized/.test(process.env.QEHS_SHIM_BIN ?? "")) {
		assert.ok(front <= MOST_KB, `the shim took ${front} kB`)
		assert.ok(back <= MOST_KB, `the worker took ${back} kB`)
	}
	await stopWorker(worker)
})
