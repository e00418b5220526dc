// A chunk that fails while the next one waits behind it at the database: what was loaded is answered for, the problem comes last.
import assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { test } from "node:test"
import { lines, open, parse, publish } from "./bulk.mjs"
import { sleep, stage } from "./cluster.mjs"

const at = stage("broken", { modules: [], prepare: ({ cluster }) => publish(cluster, "broken") })

async function until(holds) {
	for (let i = 0; i < 400; i++) {
		if (holds())
			return
		await sleep(25)
	}
	assert.fail(`not true: ${holds}`)
}

// A session that holds a lock until its input ends.
async function hold(statement) {
	const session = spawn("psql", ["-X", "-q", "-d", `${at.cluster.conninfo} user=postgres`], { stdio: ["pipe", "pipe", "inherit"] })
	const held = new Promise((resolve) => session.stdout.once("data", resolve))
	session.stdin.write(`BEGIN;\n${statement};\nSELECT 'held';\n`)
	await held
	return () => session.stdin.end("ROLLBACK;\n")
}

const blocked = () => at.cluster.sql("SELECT pid FROM pg_stat_activity WHERE usename = 'qehs_shim' AND wait_event_type = 'Lock' LIMIT 1")
const stored = (load) => Number(at.cluster.sql(`SELECT count(*) FROM qehs.record WHERE payload ->> 'title' LIKE '${load} %'`))

async function cancelled(load, query) {
	const release = await hold("LOCK TABLE qehs.record_unique IN ACCESS EXCLUSIVE MODE")
	const { request, answer } = open(at.shim.port, at.key, { query })
	request.end(lines(load, 9000))
	await until(() => blocked() !== "")
	await sleep(300)
	at.cluster.sql(`SELECT pg_cancel_backend(${blocked()})`)
	await sleep(300)
	release()
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
