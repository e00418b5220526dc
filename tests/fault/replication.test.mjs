// What backends have cached is read anew when a change arrives by logical replication, or by the log of a standby's primary.
import assert from "node:assert/strict"
import { after, before, test } from "node:test"
import { agent } from "../http/lib/client.mjs"
import { Cluster, Shim, freePort, until as come } from "./cluster.mjs"

const tables = ["tenant", "user_account", "role", "role_member", "api_key", "rate_limit", "module", "module_version", "record"].map((name) => `qehs.${name}`).join(", ")
const made = {}

before(async () => {
	made.publisher = await Cluster.create(["wal_level = logical", "max_prepared_transactions = 2"])
	made.key = made.publisher.tenant("replicated", ["observations"])
	made.publisher.sql("SELECT qehs.use_tenant('replicated'); SELECT qehs.user_create('rita', 'Rita')")
	made.userKey = made.publisher.sql("SELECT qehs.use_tenant('replicated'); SELECT qehs.api_key_create('of rita', roles => '{}', acting_user => 'rita', rate_limit => 0) ->> 'key'")
	made.publisher.sql(`CREATE PUBLICATION all_of_qehs FOR TABLE ${tables}`)
	made.subscriber = await Cluster.create()
	made.subscriber.sql("INSERT INTO qehs.secret (purpose, value) VALUES ('cursor', decode(repeat('00', 32), 'hex'))")
	made.subscriber.sql(`CREATE SUBSCRIPTION of_publisher CONNECTION '${made.publisher.conninfo} user=postgres' PUBLICATION all_of_qehs`)
	await until(() => made.subscriber.sql("SELECT count(*) FROM pg_subscription_rel WHERE srsubstate <> 'r'") === "0")
	made.standby = await made.publisher.standby()
	made.shims = []
	for (const cluster of [made.subscriber, made.standby])
		made.shims.push(new Shim(cluster, await freePort()))
	for (const shim of made.shims)
		await shim.ready()
})

after(async () => {
	agent.destroy()
	for (const shim of made.shims ?? [])
		await shim.stop()
	made.subscriber?.sql("ALTER SUBSCRIPTION of_publisher DISABLE; ALTER SUBSCRIPTION of_publisher SET (slot_name = NONE); DROP SUBSCRIPTION of_publisher")
	for (const cluster of [made.subscriber, made.standby, made.publisher])
		cluster?.remove()
})

const until = (holds) => come("the change arrives", holds, 100)

// Change the publisher and wait until both others have it; then what each connection of their shims answers, which all had asked before.
async function answers(path, key, change) {
	const ask = async (shim) => {
		const found = await Promise.all(Array.from({ length: 32 }, async () => {
			const response = await fetch(`http://127.0.0.1:${shim.port}${path}`, { headers: { Authorization: `Bearer ${key}` } })
			return [response.status, await response.text()]
		}))
		assert.equal(new Set(found.map(([status]) => status)).size, 1, "all connections answer alike")
		return found[0]
	}
	const before = []
	for (const shim of made.shims)
		before.push((await ask(shim))[0])
	made.publisher.sql(change)
	const position = made.publisher.sql("SELECT pg_current_wal_insert_lsn()")
	await until(() => made.standby.sql(`SELECT pg_last_wal_replay_lsn() >= '${position}'`) === "t")
	await until(() => made.publisher.sql(`SELECT count(*) FROM pg_stat_replication WHERE replay_lsn < '${position}'`) === "0")
	const found = []
	for (const shim of made.shims)
		found.push(await ask(shim))
	return { before, after: found.map(([status]) => status), bodies: found.map(([, body]) => body) }
}

const list = "/api/v1/records?moduleKey=observations"

test("a definition that was published there is read here", async () => {
	const found = await answers("/api/v1/modules/observations", made.key, `SELECT qehs.use_tenant('replicated');
		SELECT qehs.module_publish('observations', (qehs.module_get('observations')::jsonb - 'jsonSchema' - 'createdAt' - 'definitionVersion') || '{"name":"Seen things"}')`)
	assert.deepEqual([found.before, found.after], [[200, 200], [200, 200]])
	for (const body of found.bodies)
		assert.equal(JSON.parse(body).name, "Seen things")
})

test("roles that are gone there, by TRUNCATE too, give no right here", async () => {
	const found = await answers(list, made.userKey, "TRUNCATE qehs.role_member")
	assert.deepEqual([found.before, found.after], [[200, 200], [403, 403]])
})

test("roles given in a transaction that was prepared first are there once it commits", async () => {
	const give = `INSERT INTO qehs.role_member (tenant_id, role_id, user_id) SELECT u.tenant_id, r.id, u.id FROM qehs.user_account AS u JOIN qehs.role AS r USING (tenant_id)
		WHERE user_name = 'rita' AND r.name = 'tenant-user'`
	const prepared = await answers(list, made.userKey, `BEGIN; ${give}; PREPARE TRANSACTION 'given'`)
	assert.deepEqual([prepared.before, prepared.after], [[403, 403], [403, 403]])
	const committed = await answers(list, made.userKey, "COMMIT PREPARED 'given'")
	assert.deepEqual([committed.before, committed.after], [[403, 403], [200, 200]])
})

test("a person who was deactivated there is nobody here", async () => {
	const found = await answers(list, made.userKey, "UPDATE qehs.user_account SET active = false WHERE user_name = 'rita'")
	assert.deepEqual([found.before, found.after], [[200, 200], [401, 401]])
})

test("a key that was revoked there is refused here", async () => {
	const found = await answers(list, made.key, "SELECT qehs.use_tenant('replicated'); SELECT qehs.api_key_revoke(item ->> 'id') FROM json_array_elements(qehs.api_key_list() -> 'items') AS item WHERE item ->> 'name' = 'test'")
	assert.deepEqual([found.before, found.after], [[200, 200], [401, 401]])
})

test("a reporting login reads its views on the standby, until it is revoked", async () => {
	const replayed = async () => {
		const position = made.publisher.sql("SELECT pg_current_wal_insert_lsn()")
		await until(() => made.standby.sql(`SELECT pg_last_wal_replay_lsn() >= '${position}'`) === "t")
	}
	const read = "SET ROLE replica_reader; SELECT count(*), min(kind_label), min(created_by_name), (SELECT sum(there_now) FROM report_replicated.state_dwell) FROM report_replicated.observations"
	made.publisher.sql(`SELECT qehs.use_tenant('replicated'); SELECT qehs.record_create('observations', '{"kind":"near_miss","occurred_at":"2026-01-02T03:04:05Z","site":"A","description":"x","category":"lifting",
		"potential_risk":{"likelihood":1,"severity":1}}'); CREATE ROLE replica_reader LOGIN; SELECT qehs.reporter_grant('replica_reader', 'replicated', '{tenant-admin}')`)
	await replayed()
	const [found, expected] = [made.standby.sql(read), made.publisher.sql(read)]
	assert.match(found, /^1\|Near miss\|.+\|1$/)
	assert.equal(found, expected)
	assert.match(made.standby.sql("SELECT array_to_string(setconfig, ' ') FROM pg_db_role_setting WHERE setrole = 'replica_reader'::regrole"), /statement_timeout=5min/)
	made.publisher.sql("SELECT qehs.reporter_revoke('replica_reader', 'replicated')")
	await replayed()
	assert.throws(() => made.standby.sql(read), /permission denied/)
})
