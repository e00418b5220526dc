// Display numbers where no shared memory counts them, and on a standby that is promoted.
import assert from "node:assert/strict"
import { test } from "node:test"
import { Cluster, until } from "./cluster.mjs"

const definition = JSON.stringify({ key: "things", name: "Things", displayCode: { prefix: "T" },
	fields: [{ key: "title", type: "text" }, { key: "badge", type: "identifier" }], workflow: { states: ["open"], initial: "open" } })
const enter = "SELECT qehs.use_tenant('numbers')"
const create = (payload) => `SELECT qehs.record_create('things', '${JSON.stringify(payload)}')`
const load = (payload) => `SELECT qehs.bulk_load('things', convert_to('${JSON.stringify(payload)}', 'UTF8'))`
const codes = (cluster) => cluster.sql("SELECT string_agg(display_no % 1000000000 || coalesce(' ' || (payload ->> 'title'), ''), ', ' ORDER BY display_no) FROM qehs.record")

async function prepared(settings) {
	const cluster = await Cluster.create(settings)
	cluster.tenant("numbers", [])
	cluster.sql(`${enter}; SELECT qehs.module_publish('things', '${definition}')`)
	return cluster
}

const waiting = (cluster, count) => until(`${count} locks are waited for`, () => Number(cluster.sql("SELECT count(*) FROM pg_locks WHERE NOT granted")) === count)

test("without preload a create and a load that share a unique value wait in a line, not in a circle", async () => {
	const cluster = await prepared(["shared_preload_libraries = ''", "deadlock_timeout = 100ms"])
	try {
		const [first, second] = [cluster.session(), cluster.session()]
		await first.run(`${enter}; BEGIN; ${create({ title: "first" })}`)
		await second.run(enter)
		const loaded = second.run(load({ title: "loaded", badge: "B5" }))
		await waiting(cluster, 1)
		await first.run(create({ title: "second", badge: "B5" }))
		await first.run("COMMIT")
		await loaded
		await Promise.all([first.end(), second.end()])
		assert.equal(codes(cluster), "1 first, 2 second")
		assert.equal(cluster.sql("SELECT deadlocks FROM pg_stat_database WHERE datname = 'postgres'"), "0")
	} finally {
		cluster.remove()
	}
})

test("a standby that was asked for a number before its promotion gives none out twice", async () => {
	const cluster = await prepared([])
	let standby
	try {
		cluster.sql(`${enter}; ${create({ title: "before" })}`)
		standby = await cluster.standby()
		await until("the record is there", () => standby.sql("SELECT count(*) FROM qehs.record") === "1")
		assert.throws(() => standby.sql(`${enter}; ${create({ title: "too early" })}`), /read-only/)
		cluster.sql(`${enter}; ${create({ title: "meanwhile" })}; ${create({ title: "meanwhile" })}`)
		await until("the others are there", () => standby.sql("SELECT count(*) FROM qehs.record") === "3")
		cluster.stop()
		standby.sql("SELECT pg_promote()")
		standby.sql(`${enter}; ${create({ title: "after" })}; ${load({ title: "loaded" })}`)
		assert.equal(codes(standby), "1 before, 2 meanwhile, 3 meanwhile, 4 after, 5 loaded")
	} finally {
		standby?.remove()
		cluster.remove()
	}
})
