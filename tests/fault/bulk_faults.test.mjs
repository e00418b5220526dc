// Bulk loads that break at random moments: shim, backend or server killed, the connection cut. The same call is sent again with
// the same key until it ends; then each line exists once, with one event. A moment is the commit of a line chosen by seed, or
// for an atomic load a size of the table. FAULT_BULK_MOMENTS, FAULT_BULK_LINES and FAULT_SEED choose size and course.
import assert from "node:assert/strict"
import { after, before, test } from "node:test"
import { Probe, assertNoStrays, assertOnce, lines, open, parse, publish } from "./bulk.mjs"
import { Cluster, CuttingProxy, Shim, freePort, sleep, until } from "./cluster.mjs"
import { seeded } from "../tools/random.mjs"

const moments = Number(process.env.FAULT_BULK_MOMENTS ?? 6)
const count = Number(process.env.FAULT_BULK_LINES ?? 6000)
const seed = Number(process.env.FAULT_SEED ?? 20261125)
const random = seeded(seed)
const HELD_BYTES = 2000
const KINDS = ["shim", "backend", "server", "connection"]
let cluster
let key
let shims
let proxy
let probe

before(async () => {
	cluster = await Cluster.create()
	key = cluster.tenant("bulk", [])
	publish(cluster, "bulk")
	shims = [new Shim(cluster, await freePort()), new Shim(cluster, await freePort())]
	await Promise.all(shims.map((shim) => shim.ready()))
	proxy = await CuttingProxy.create(shims.map((shim) => shim.port), seeded(seed + 1), 0)
	probe = new Probe(cluster)
})

after(async () => {
	probe?.close()
	proxy?.close()
	await Promise.all((shims ?? []).map((shim) => shim.stop()))
	cluster?.remove()
})

// The backend that loads, if one does.
const loader = `SELECT coalesce(max(pid), 0) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 5`

const strike = {
	async shim() {
		await Promise.all(shims.map((shim) => shim.crash()))
	},
	async backend() {
		const pid = Number(await probe.ask(loader))
		try {
			if (pid === 0)
				return false
			process.kill(pid, "SIGKILL")
		} catch {
			// it has ended meanwhile
			return false
		}
		await until("the server has ended all other sessions, and recovers", async () => (await probe.ask("SELECT true")) === null)
		return true
	},
	async server() {
		await cluster.crash(random() < 0.5 ? "SIGKILL" : "SIGQUIT")
		cluster.start()
	},
	async connection() {
		proxy.cut()
	},
}

// The call once; undefined when its outcome is not known, else {status} or the parsed answer. The end of the body waits for `released`.
async function attempt(body, name, query, port = proxy.port, released = null) {
	const { request, answer } = open(port, key, { query, headers: { "Idempotency-Key": name } })
	if (released) {
		request.write(body.subarray(0, -HELD_BYTES))
		released.then(() => request.end(body.subarray(-HELD_BYTES)))
	} else
		request.end(body)
	try {
		const result = await answer
		if (result.status === 200)
			return parse(result)
		assert.ok([429, 502, 503].includes(result.status), `${result.status} ${result.text}`)
		return { status: result.status }
	} catch (error) {
		if (error instanceof assert.AssertionError)
			throw error
		return undefined
	}
}

// Ended with a summary, not with an error or without either?
function isWhole(outcome) {
	if (outcome?.error)
		assert.ok(["unavailable", "timeout"].includes(outcome.error.code), JSON.stringify(outcome.error))
	return outcome?.summary !== undefined
}

async function persist(body, name, query, port) {
	for (let i = 0; i < 400; i++) {
		const outcome = await attempt(body, name, query, port)
		if (isWhole(outcome))
			return outcome
		await sleep(50)
	}
	throw new Error(`${name} did not end`)
}

// Strike once, when `moment` (SQL) comes true; gives whether the load had not ended before. Two in three loads wait for it with
// their last lines; the others may be struck at their end, too.
async function breakAt(body, name, query, kind, moment) {
	let ended = false
	let release = null
	const released = random() < 0.67 ? new Promise((resolve) => { release = resolve }) : null
	const outcome = attempt(body, name, query, proxy.port, released).then((result) => {
		ended = true
		return result
	})
	for (let i = 0; i < 500 && !ended && (await probe.ask(moment)) !== "t"; i++)
		await sleep(1)
	await sleep(random() * 8)
	const early = !ended && (await strike[kind]()) !== false
	release?.()
	const result = await outcome
	if (!early || kind === "connection")
		return early
	await Promise.all(shims.map((shim) => shim.ready()))
	isWhole(result)
	return true
}

const shuffledKinds = () => Array.from({ length: moments }, (_, i) => KINDS[i % KINDS.length]).map((kind) => [random(), kind])
	.sort((a, b) => a[0] - b[0]).map(([, kind]) => kind)

// The ids by line that are committed of a load.
function committed(name) {
	const rows = cluster.sql(`SELECT split_part(idempotency_key, '#', 2), body FROM qehs.idempotency WHERE idempotency_key LIKE '${name}#%'`)
	return new Map(rows.split("\n").filter(Boolean).map((row) => row.split("|")).map(([number, id]) => [Number(number), id]))
}

function assertAnswers(outcome, before) {
	assert.deepEqual(outcome.lines.map((item) => item.line), Array.from({ length: count }, (_, i) => i + 1))
	assert.equal(outcome.summary.failed, 0)
	assert.equal(outcome.summary.created + outcome.summary.replayed, count)
	for (const { line, status, id } of outcome.lines)
		if (before.has(line))
			assert.deepEqual([status, id], ["replayed", before.get(line)], `line ${line} was loaded before`)
	assert.equal(new Set(outcome.lines.map((item) => item.id)).size, count)
}

// Break loads at all moments; a load that is there whole makes room for the next. check(name) gives how many of its lines are there.
async function breakLoads(prefix, query, moment, check) {
	const struck = Object.fromEntries(KINDS.map((kind) => [kind, 0]))
	const progress = []
	const names = [`${prefix}1`]
	for (const [i, kind] of shuffledKinds().entries()) {
		let have = check(names.at(-1))
		if (have === count)
			have = check(names[names.push(`${prefix}${names.length + 1}`) - 1])
		// not among the lines that wait
		const place = Math.min(count - 60, have + Math.floor(Math.min(1, (2 * random()) / (moments - i)) * (count - have)))
		const name = names.at(-1)
		struck[kind] += await breakAt(lines(name, count), name, query, kind, await moment(name, Math.max(1, place)))
		await until("the server is there again", async () => (await probe.ask("SELECT true")) === "t")
		progress.push(check(name))
	}
	for (const name of names) {
		const before = committed(name)
		const outcome = await persist(lines(name, count), name, query)
		assertAnswers(outcome, before)
		assertOnce(cluster, name, count)
		const again = await persist(lines(name, count), name, query)
		assert.deepEqual(again.lines, outcome.lines.map((item) => ({ ...item, status: "replayed" })))
		assertOnce(cluster, name, count)
	}
	assertNoStrays(cluster)
	assert.ok(Object.values(struck).reduce((sum, n) => sum + n, 0) > moments / 4, `the loads of ${count} lines ended before they were struck: ${JSON.stringify(struck)}`)
	return `${names.length} loads of ${count} lines, seed ${seed}; struck while loading: ${JSON.stringify(struck)}; there was then: ${progress.join(" ")}`
}

test("a load that is broken again and again has each line once in the end", async (t) => {
	const moment = (name, line) => `SELECT EXISTS (SELECT FROM qehs.idempotency WHERE idempotency_key = '${name}#${line}')`
	t.diagnostic(await breakLoads("lines", "", moment, (name) => committed(name).size))
})

test("an atomic load is there whole or not at all after each break", async (t) => {
	// what an open transaction has written shows in the size of the table only
	const moment = async (name, line) => `SELECT pg_relation_size('qehs.record') >= ${Number(await probe.ask("SELECT pg_relation_size('qehs.record')")) + 200 * line}`
	t.diagnostic(await breakLoads("atomic", "?mode=atomic", moment, (name) => {
		const there = Number(cluster.sql(`SELECT count(*) FROM qehs.record WHERE payload ->> 'title' LIKE '${name} %'`))
		assert.ok(there === 0 || there === count, `${there} of ${count} records are there`)
		return there
	}))
})

test("one call sent through two shims at once", async () => {
	for (const query of ["", "?mode=atomic"]) {
		const name = `twice${query.length}`
		const body = lines(name, count)
		const both = await Promise.all(shims.map((shim) => persist(body, name, query, shim.port)))
		assert.equal(both[0].summary.created + both[1].summary.created, count)
		for (const outcome of both)
			assertAnswers(outcome, new Map())
		assert.deepEqual(both[0].lines.map((item) => item.id), both[1].lines.map((item) => item.id))
		assertOnce(cluster, name, count)
	}
})
