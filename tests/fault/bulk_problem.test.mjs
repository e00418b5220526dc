// A chunk that fails while the next one waits behind it at the database: what was loaded is answered for, the problem comes last.
import assert from "node:assert/strict"
import { readdirSync, readFileSync } from "node:fs"
import { test } from "node:test"
import { lines, open, parse, publish } from "./bulk.mjs"
import { sleep, stage, until } from "./cluster.mjs"

const at = stage("broken", { modules: [], prepare: ({ cluster }) => publish(cluster, "broken") })

// The shim has sent what it has: none of its threads runs or has run for a while.
async function idle() {
	const threads = () => readdirSync(`/proc/${at.shim.process.pid}/task`).map((thread) => {
		const [state, ...rest] = readFileSync(`/proc/${at.shim.process.pid}/task/${thread}/stat`, "latin1").split(") ")[1].split(" ")
		return `${state} ${rest[10]} ${rest[11]}`
	}).join()
	let same = 0
	let last
	await until("the shim is idle", async () => {
		const now = threads()
		same = now === last && !now.includes("R") ? same + 1 : 0
		last = now
		return same === 10
	}, 30)
}

const blocked = () => at.cluster.sql("SELECT pid FROM pg_stat_activity WHERE usename = 'qehs_shim' AND wait_event_type = 'Lock' LIMIT 1")
const stored = (load) => Number(at.cluster.sql(`SELECT count(*) FROM qehs.record WHERE payload ->> 'title' LIKE '${load} %'`))

async function cancelled(load, query) {
	const holder = at.cluster.session()
	await holder.run("BEGIN; LOCK TABLE qehs.record_unique IN ACCESS EXCLUSIVE MODE")
	const { request, answer } = open(at.shim.port, at.key, { query })
	request.end(lines(load, 9000))
	await until("a chunk waits for the table", () => blocked() !== "")
	await idle()
	at.cluster.sql(`SELECT pg_cancel_backend(${blocked()})`)
	await sleep(300)
	await holder.end()
	return parse(await answer)
}

test("each line that was loaded is answered, and nothing is sent after a failure", async () => {
	const { lines: answers, error } = await cancelled("each", "")
	assert.ok(error.code, "the last line is the problem")
	assert.ok(answers.every((item) => item.status === "created"))
	assert.equal(stored("each"), answers.length)
	assert.ok(answers.length > 0 && answers[0].line > 1, "the chunk behind the one that failed")
	assert.deepEqual(answers.map((item) => item.line), answers.map((item, i) => answers[0].line + i))
	const again = open(at.shim.port, at.key)
	again.request.end(lines("again", 10))
	assert.equal(parse(await again.answer).summary.created, 10)
})

test("an atomic load is undone as a whole", async () => {
	const { lines: answers, error } = await cancelled("whole", "?mode=atomic")
	assert.ok(error.code)
	assert.deepEqual(answers, [])
	assert.equal(stored("whole"), 0)
})
