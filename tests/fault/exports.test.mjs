// Jobs of exports end once, in a state that says why, whatever happens to workers and callers.
import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { randomBytes } from "node:crypto"
import { readFileSync, rmSync } from "node:fs"
import { after, test } from "node:test"
import { freePort, Shim, sleep, stage, until as come } from "./cluster.mjs"
import { start } from "../http/lib/process.mjs"
import { uuidOf } from "../http/lib/tenant.mjs"
import { ask, call, file, load, makeTenant, storeFolder, until } from "./exports.mjs"

const ROWS = Number(process.env.EXPORT_ROWS ?? 12000)
const ZIP_FILES = Number(process.env.EXPORT_FILES ?? 20)
const folder = storeFolder()
let key
const others = []
const made = stage("exports", { flags: ["--storage", folder, "--export-workers", "0"], prepare({ cluster }) {
	key = makeTenant(cluster, "many")
	for (let i = 0; i < ROWS; i += 1000)
		load(cluster, "many", Array.from({ length: 1000 }, (_, j) => ({ title: `Slip on wet stairs while carrying boxes, number ${i + j}`, n: i + j })))
} })
after(async () => {
	for (const worker of others)
		worker.kill("SIGKILL")
	rmSync(folder, { recursive: true })
})

// A worker alone, which nobody can connect to.
function startWorker(workers = 1) {
	const worker = start(process.env.QEHS_SHIM_BIN ?? new URL("../../qehs-shim", import.meta.url).pathname,
		["--worker", "--db", `${made.cluster.conninfo} user=qehs_shim`, "--storage", folder, "--export-workers", String(workers), "--log", "off"], { stdio: ["ignore", "ignore", "inherit"] })
	worker.gone = new Promise((resolve) => worker.once("exit", (code, signal) => resolve(code ?? signal)))
	others.push(worker)
	return worker
}

const job = (id) => JSON.parse(made.cluster.sql(`SELECT row_to_json(j) FROM (SELECT attempts, worker FROM qehs.job WHERE id = '${uuidOf(id)}') AS j`))
// A ZIP asks for the attachments of its rows after each 1,000: while another session has their table, as hold takes it before the worker starts, the job
// stands behind the first of them.
const HELD = { format: "pdf", columns: ["displayCode", "title", "n"], includeAttachments: true }
async function hold() {
	const session = made.cluster.session()
	await session.run("BEGIN; LOCK TABLE qehs.attachment IN ACCESS EXCLUSIVE MODE")
	return session
}
const inTheMiddle = async (id) => {
	await come("the job waits", () => made.cluster.sql("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'qehs-shim job' AND cardinality(pg_blocking_pids(pid)) > 0") !== "0")
	assert.equal((await call(made.shim, key, "GET", `/api/v1/exports/${id}`)).json.status, "running")
}
const lines = (id) => file(folder, "many", id).bytes.toString().trimEnd().split("\r\n").length - 1

test("a queued export waits, says when to ask again, and is cancelled at once", async () => {
	const answer = await call(made.shim, key, "POST", "/api/v1/exports", { moduleKey: "visits", format: "csv" })
	assert.equal(answer.status, 202)
	assert.equal(answer.headers.get("location"), answer.json.statusUrl)
	assert.ok(Number(answer.headers.get("retry-after")) > 0)
	const poll = await call(made.shim, key, "GET", `/api/v1/exports/${answer.json.jobId}`)
	assert.equal(poll.json.status, "queued")
	assert.equal(poll.headers.get("cache-control"), "no-store")
	assert.equal((await call(made.shim, key, "DELETE", `/api/v1/exports/${answer.json.jobId}`)).json.status, "cancelled")
})

test("a worker that is killed in the middle: another takes the job up, and it is finished once", async () => {
	const id = await ask(made.shim, key, HELD)
	const held = await hold()
	const first = startWorker()
	await inTheMiddle(id)
	first.kill("SIGKILL")
	await first.gone
	assert.equal(job(id).attempts, 1)
	// as if the lease had run out
	made.cluster.sql("UPDATE qehs.job SET lease_until = now() - interval '1 second' WHERE state = 'running'")
	await held.end()
	const second = startWorker()
	const done = await until(made.shim, key, id)
	assert.equal(done.status, "succeeded", JSON.stringify(done))
	assert.equal(done.rowCount, ROWS)
	assert.equal(job(id).attempts, 2)
	const [report] = JSON.parse(execFileSync("python3", ["-c", "import json,sys,zipfile; z = zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None; print(json.dumps([z.read(i).decode('latin1')[-6:] for i in z.infolist()]))",
		file(folder, "many", id).path], { encoding: "utf8" }))
	assert.equal(report, "%%EOF\n")
	second.kill("SIGTERM")
	assert.equal(await second.gone, 0)
})

test("a worker that is told to stop gives its job back", async () => {
	const id = await ask(made.shim, key, HELD)
	const held = await hold()
	const first = startWorker()
	await inTheMiddle(id)
	first.kill("SIGTERM")
	assert.equal(await first.gone, 0)
	assert.equal(job(id).attempts, 0)
	assert.equal(job(id).worker, null)
	await held.end()
	const second = startWorker()
	assert.equal((await until(made.shim, key, id)).status, "succeeded")
	second.kill("SIGTERM")
	await second.gone
})

test("a cancel in the middle ends the job and leaves no file", async () => {
	const id = await ask(made.shim, key, HELD)
	const held = await hold()
	const worker = startWorker()
	await inTheMiddle(id)
	assert.equal((await call(made.shim, key, "DELETE", `/api/v1/jobs/${id}`)).status, 200)
	const done = await until(made.shim, key, id)
	await held.end()
	assert.equal(done.status, "cancelled")
	assert.equal(file(folder, "many", id), null)
	worker.kill("SIGTERM")
	await worker.gone
})

test("two workers on one queue: each job is done once; a tenant at its limit waits, in order", async () => {
	made.cluster.sql("SELECT qehs.use_tenant('many'); SELECT qehs.rate_limit_set('exports', 1)")
	const ids = []
	for (let i = 0; i < 6; i++)
		ids.push(await ask(made.shim, key, { format: "csv", columns: ["n"], filter: { n: { lt: 100 + i } } }))
	const workers = [startWorker(2), startWorker(2)]
	let most = 0
	for (let open = true; open;) {
		most = Math.max(most, Number(made.cluster.sql("SELECT count(*) FROM qehs.job WHERE state = 'running'")))
		open = made.cluster.sql("SELECT count(*) FROM qehs.job WHERE finished_at IS NULL") !== "0"
		await sleep(20)
	}
	assert.ok(most <= 1, `${most} ran at once`)
	for (const [i, id] of ids.entries()) {
		assert.equal((await until(made.shim, key, id)).rowCount, 100 + i)
		assert.equal(lines(id), 100 + i)
	}
	assert.equal(made.cluster.sql("SELECT string_agg(row_count::text, ' ' ORDER BY finished_at) FROM qehs.job WHERE row_count BETWEEN 100 AND 105"), "100 101 102 103 104 105")
	for (const worker of workers)
		worker.kill("SIGTERM")
	await Promise.all(workers.map((worker) => worker.gone))
})

test("files that must wait are in TMPDIR: a worker for which there is no such folder says so", async () => {
	const id = await ask(made.shim, key, { format: "pdf", columns: ["n"], filter: { n: { lt: 10 } } })
	const folderOfOthers = process.env.TMPDIR
	process.env.TMPDIR = "/nowhere"
	const worker = startWorker()
	if (folderOfOthers === undefined)
		delete process.env.TMPDIR
	else
		process.env.TMPDIR = folderOfOthers
	let job
	for (let i = 0; i < 2400 && !job?.error; i++) {
		await sleep(50)
		job = (await call(made.shim, key, "GET", `/api/v1/exports/${id}`)).json
	}
	assert.match(job.error.detail, /TMPDIR/)
	worker.kill("SIGTERM")
	await worker.gone
	await call(made.shim, key, "DELETE", `/api/v1/exports/${id}`)
})

test("an export whose key was revoked meanwhile fails and says so", async () => {
	const gone = makeKey()
	const id = await ask(made.shim, gone.key, { format: "csv" })
	made.cluster.sql(`SELECT qehs.use_tenant('many'); SELECT qehs.api_key_revoke('${gone.id}')`)
	const worker = startWorker()
	const done = await until(made.shim, key, id)
	assert.equal(done.status, "failed")
	assert.equal(done.error.code, "forbidden")
	worker.kill("SIGTERM")
	await worker.gone
})

function makeKey() {
	return JSON.parse(made.cluster.sql("SELECT qehs.use_tenant('many'); SELECT qehs.api_key_create('gone', rate_limit => 0)"))
}

test(`a ZIP with ${ZIP_FILES} attachments of 10 MB is written in constant memory`, async (t) => {
	const bytes = randomBytes(10000000)
	made.cluster.sql("SELECT qehs.use_tenant('many'); SELECT qehs.rate_limit_set('signed-urls', 0)")
	const [record] = (await call(made.shim, key, "GET", "/api/v1/records?moduleKey=visits&filter[n]=0")).json.items
	for (let i = 0; i < ZIP_FILES; i++) {
		const { json } = await call(made.shim, key, "POST", "/api/v1/attachments", { recordId: record.id, filename: `photo ${i}.bin`, contentType: "application/octet-stream" })
		const answer = await fetch(new URL(json.uploadUrl, `http://127.0.0.1:${made.shim.port}`), { method: "PUT", headers: json.headers, body: bytes })
		assert.equal(answer.status, 204, await answer.text())
	}
	const id = await ask(made.shim, key, { format: "csv", includeAttachments: true })
	const worker = startWorker()
	const done = await until(made.shim, key, id, undefined, 240)
	assert.equal(done.status, "succeeded", JSON.stringify(done))
	const peak = Number(/^VmHWM:\s*(\d+) kB/m.exec(readFileSync(`/proc/${worker.pid}/status`, "latin1"))[1])
	t.diagnostic(`${ZIP_FILES} files of 10 MB in ${(Date.parse(done.finishedAt) - Date.parse(done.startedAt)) / 1000} s: a ZIP of ${done.result.sizeBytes} bytes, peak of the worker ${peak} kB`)
	assert.ok(done.result.sizeBytes > ZIP_FILES * bytes.length)
	// sanitizers have memory of their own
	if (!/sanitized/.test(process.env.QEHS_SHIM_BIN ?? ""))
		assert.ok(peak <= 64 * 1024, `the worker took ${peak} kB`)
	worker.kill("SIGTERM")
	await worker.gone
})

test("a shim without an object store refuses exports", async () => {
	const shim = new Shim(made.cluster, await freePort())
	await shim.ready()
	const answer = await call(shim, key, "POST", "/api/v1/exports", { moduleKey: "visits", format: "csv" })
	assert.equal(answer.status, 503)
	assert.equal(answer.json.code, "unavailable")
	await shim.stop()
})
