// A GraphQL query that takes the processor for long ends with its time, and with its client.
import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import http from "node:http"
import { test } from "node:test"
import { publish } from "./bulk.mjs"
import { stage, until } from "./cluster.mjs"
import { send } from "./retry.mjs"

const at = stage("slow", { modules: [], settings: ["log_min_messages = error"], flags: ({ cluster }) => ["--log", `${cluster.directory}/shim.log`], prepare: ({ cluster }) => {
	publish(cluster, "slow")
	cluster.sql(`SELECT qehs.use_tenant('slow');
		CREATE TEMP TABLE staged AS SELECT jsonb_build_object('title', 'r ' || n, 'severity', 'low', 'note', repeat(md5(n::text), 60)) AS document FROM generate_series(1, 10000) AS n;
		SELECT count(*) FROM qehs.bulk_load_table('readings', 'staged', 'document')`)
} })
// each field reads all records, as nothing is found and no index helps
const query = `{${Array.from({ length: 60 }, (_, i) => `a${i}:readingsList(limit:1,filter:{note:{contains:"none ${i}"}}){id}`).join(" ")}}`
const cancelled = () => readFileSync(`${at.cluster.directory}/pg/postgresql.log`, "utf8").split("canceling statement").length - 1
// statements of requests: the shim has work of its own, too
const running = () => Number(at.cluster.sql("SELECT count(*) FROM pg_stat_activity WHERE usename = 'qehs_shim' AND state = 'active' AND query LIKE 'SELECT qehs.request(%'"))
const loads = () => readFileSync(`${at.cluster.directory}/shim.log`, "utf8").split(" endpoints of qehs ").length
// Of both ways to ask; the shim takes it when it is told to read the endpoints again.
async function limit(milliseconds) {
	at.cluster.sql(`UPDATE qehs.endpoint SET time_limit = ${milliseconds} WHERE path = '/api/graphql'`)
	const before = loads()
	at.shim.process.kill("SIGHUP")
	await until("the endpoints are read again", () => loads() > before)
}

test("beyond its time the query is cancelled, and the answer is 504 in the form of GraphQL", async () => {
	await limit(300)
	const answer = await send(at.shim.port, at.key, "POST", "/api/graphql", { query })
	assert.deepEqual([answer.status, answer.json.errors?.[0].extensions.code], [504, "timeout"], answer.text)
	await until("it is cancelled", () => cancelled() > 0)
	await until("no statement runs", () => running() === 0)
	await limit(60000)
	assert.equal((await send(at.shim.port, at.key, "POST", "/api/graphql", { query: "{ __typename }" })).status, 200)
})

// GET, and POST of a document without a mutation, which may be given up as well
for (const [name, path, body] of [["asks", `/api/graphql?query=${encodeURIComponent(query)}`], ["posts", "/api/graphql", JSON.stringify({ query })]])
	test(`a client that leaves takes the query that it ${name} with it`, async () => {
		await limit(60000)
		const before = cancelled()
		const request = http.request({ host: "127.0.0.1", port: at.shim.port, path, method: body ? "POST" : "GET", headers: { authorization: `Bearer ${at.key}`, ...body && { "content-type": "application/json" } } })
		request.on("error", () => {})
		request.end(body)
		await until("the query has begun", () => running() > 0, 5)
		request.destroy()
		await until("it is cancelled", () => cancelled() > before)
		await until("no statement runs", () => running() === 0)
	})

test("a mutation goes on without its client", async () => {
	const create = 'mutation { readingsCreate(payload: {title: "left alone", severity: "low"}) { id } }'
	const found = () => Number(at.cluster.sql("SELECT count(*) FROM qehs.record WHERE payload ->> 'title' = 'left alone'"))
	at.cluster.sql("CREATE FUNCTION public.slowly() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(3); RETURN NEW; END $$; CREATE TRIGGER slowly BEFORE INSERT ON qehs.record FOR EACH ROW EXECUTE FUNCTION public.slowly()")
	const request = http.request({ host: "127.0.0.1", port: at.shim.port, path: "/api/graphql", method: "POST", headers: { authorization: `Bearer ${at.key}`, "content-type": "application/json" } })
	request.on("error", () => {})
	request.end(JSON.stringify({ query: create }))
	await until("the mutation has begun", () => running() > 0)
	request.destroy()
	await until("the record is there", () => found() === 1)
})
