// What only a cluster of its own can show of API keys: no secret in any log, few writes for "last used", no look-up for a typing
// error, and the addresses that a key may be used from, behind proxies too.
import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { after, before, test } from "node:test"
import { Cluster, Shim, freePort, until } from "./cluster.mjs"
import { agent, send } from "./retry.mjs"

let cluster
let shims
let bare
let key

before(async () => {
	cluster = await Cluster.create(["log_statement = 'all'", "log_min_duration_statement = 0", "log_duration = on", "log_min_error_statement = 'debug1'",
		"qehs.log_client_errors = on", "shared_preload_libraries = 'qehs, pg_stat_statements'"])
	cluster.sql("CREATE EXTENSION pg_stat_statements")
	key = cluster.tenant("keys", ["incidents"])
	const options = ["--trusted-proxies", "127.0.0.0/8, 10.0.0.0/8, 2001:db8:aaaa::/48"]
	const start = async (flags) => new Shim(cluster, await freePort(), flags)
	shims = [await start([...options, "--log", `${cluster.directory}/shim.log`]), await start(options)]
	bare = await start([])
	await Promise.all([...shims, bare].map((shim) => shim.ready()))
})

after(async () => {
	agent.destroy()
	await Promise.all([...shims, bare].map((shim) => shim.stop()))
	cluster.remove()
})

const get = (sender = key, headers = {}, shim = shims[0]) => send(shim.port, sender, "GET", "/api/v1/records?moduleKey=incidents", undefined, headers)
const make = (members, headers = {}) => send(shims[0].port, key, "POST", "/api/v1/api-keys", { name: "k", scopes: ["records.read"], roles: ["viewer"], ...members }, headers)
const flip = (text) => text.slice(0, 30) + (text[30] === "x" ? "y" : "x") + text.slice(31)

test("no log, no statistics and no table has a secret", async () => {
	const payload = "payload that is nobody's business"
	const made = (await make({}, { "Idempotency-Key": "made" })).json
	assert.equal((await make({}, { "Idempotency-Key": "made" })).json.key, made.key)
	const rotated = (await send(shims[0].port, key, "POST", `/api/v1/api-keys/${made.id}:rotate`, {}, { "Idempotency-Key": "rotated" })).json
	const secrets = [key, made.key, rotated.key, flip(made.key)]
	for (const secret of secrets)
		await get(secret)
	await send(shims[0].port, made.key, "POST", "/api/v1/records", { moduleKey: "incidents", payload: { title: payload } })
	await send(shims[0].port, key, "POST", "/api/v1/records", { moduleKey: "incidents", payload: { title: payload, severity: "none" } })
	// an error of PostgreSQL's own, which is logged with its statement
	cluster.sql("ALTER TABLE qehs.record RENAME TO aside")
	assert.equal((await send(shims[0].port, key, "POST", "/api/v1/records", { moduleKey: "incidents", payload: { title: payload, severity: "low" } })).status, 500)
	cluster.sql("ALTER TABLE qehs.aside RENAME TO record")
	const texts = {
		server: readFileSync(`${cluster.directory}/pg/postgresql.log`, "utf8"), shim: readFileSync(`${cluster.directory}/shim.log`, "utf8"),
		statements: cluster.sql("SELECT query FROM pg_stat_statements"), activity: cluster.sql("SELECT query FROM pg_stat_activity"),
		tables: execFileSync("pg_dump", ["-d", `${cluster.conninfo} user=postgres`], { encoding: "utf8", maxBuffer: 1 << 28 }),
		metrics: await (await fetch(`http://127.0.0.1:${shims[0].port}/metrics`)).text(),
	}
	assert.match(texts.server, /qehs\.request\(/)
	assert.match(texts.shim, /api_key_create|\/api\/v1\/api-keys/)
	for (const [name, text] of Object.entries(texts))
		for (const secret of secrets)
			assert.ok(!text.includes(secret.slice(-40)), `a secret in ${name}: ${text.split("\n").find((line) => line.includes(secret.slice(-40)))}`)
	assert.ok(!texts.server.includes(payload) && !texts.shim.includes(payload))
})

test("last used costs one write a minute, however many requests and connections", async () => {
	cluster.sql(`CREATE TABLE writes (kind text); GRANT INSERT ON writes TO PUBLIC;
		CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.writes VALUES (TG_ARGV[0]); RETURN NULL; END $$;
		CREATE TRIGGER rows AFTER UPDATE ON qehs.api_key FOR EACH ROW EXECUTE FUNCTION note('row');
		CREATE TRIGGER statements AFTER UPDATE ON qehs.api_key FOR EACH STATEMENT EXECUTE FUNCTION note('statement')`)
	const writes = (kind) => Number(cluster.sql(`SELECT count(*) FROM writes WHERE kind = '${kind}'`))
	const fresh = cluster.key("keys")
	const requests = (count) => Promise.all(Array.from({ length: count }, (_, i) => get(fresh, {}, shims[i % 2])))
	assert.ok((await requests(400)).every((answer) => answer.status === 200))
	assert.equal(writes("row"), 1)
	// four connections of each shim, and as many more while those are busy (pool.h)
	assert.ok(writes("statement") <= 16, "a connection asks once")
	const used = () => cluster.sql(`SELECT last_used_at FROM qehs.api_key WHERE hash = sha256('${fresh}')`)
	const first = used()
	assert.notEqual(first, "")
	// a minute later: the row says so, and the connections forget
	cluster.sql(`UPDATE qehs.api_key SET last_used_at = last_used_at - interval '61 seconds', name = 'aged' WHERE hash = sha256('${fresh}'); TRUNCATE writes`)
	await requests(100)
	assert.equal(writes("row"), 1)
	assert.ok(used() > first)
	cluster.sql("DROP TRIGGER rows ON qehs.api_key; DROP TRIGGER statements ON qehs.api_key")
})

test("a typing error is refused without a look-up", async () => {
	const mine = cluster.key("keys")
	const holder = cluster.session()
	await holder.run("BEGIN; LOCK TABLE qehs.api_key IN ACCESS EXCLUSIVE MODE")
	// whoever looks waits for the lock, so that an answer now is one without a look
	const right = get(mine, { "X-Forwarded-For": "203.0.113.80" })
	const waiting = () => cluster.sql("SELECT count(*) FROM pg_locks WHERE relation = 'qehs.api_key'::regclass AND NOT granted")
	await until("the right key waits", () => waiting() === "1")
	for (const typed of [flip(mine), `${mine}0`, mine.slice(0, -1), mine.replace("live", "test"), mine.replace("qehs_live_sk_", "sa_")])
		assert.equal((await get(typed, { "X-Forwarded-For": "203.0.113.81" }, shims[1])).status, 401)
	assert.equal(waiting(), "1")
	await holder.end()
	assert.equal((await right).status, 200)
})

test("an expired key is refused from the very moment", async () => {
	const { json } = await make({ expiresAt: new Date(Date.now() + 5000).toISOString() })
	assert.equal((await get(json.key)).status, 200)
	while (Date.now() <= Date.parse(json.expiresAt))
		await new Promise((resolve) => setTimeout(resolve, 50))
	const answer = await get(json.key)
	assert.equal(answer.status, 401)
	assert.match(answer.headers["www-authenticate"], /^Bearer error="invalid_token"/)
})

for (const [networks, inside, outside] of [
	[["192.0.2.0/24"], ["192.0.2.1", "192.0.2.255", "::ffff:192.0.2.7"], ["192.0.3.1", "2001:db8::1", "::1"]],
	[["192.0.2.7"], ["192.0.2.7"], ["192.0.2.8"]],
	[["2001:db8:1::/48", "198.51.100.0/25"], ["2001:db8:1:2::3", "198.51.100.127"], ["2001:db8:2::1", "198.51.100.128"]],
	[["::ffff:192.0.2.0/120"], ["192.0.2.9", "::ffff:192.0.2.9"], ["192.0.3.9", "::c000:209"]],
	[[], [], ["192.0.2.1", "127.0.0.1"]],
])
	test(`a key for ${networks.join(" and ") || "no address"}`, async () => {
		const { key: mine } = (await make({ allowedAddresses: networks })).json
		for (const address of inside)
			assert.equal((await get(mine, { "X-Forwarded-For": address })).status, 200, address)
		for (const address of outside) {
			const answer = await get(mine, { "X-Forwarded-For": address })
			assert.equal(answer.status, 403, address)
			assert.equal(answer.json.code, "forbidden")
		}
	})

test("a network that is none is refused, and bits behind the mask are dropped", async () => {
	const bad = ["192.0.2.0/33", "192.0.2.256", "example.com", "2001:db8::/129", "fe80::1%eth0", "", "192.0.2.0/24/8"]
	const answer = await make({ allowedAddresses: bad })
	assert.deepEqual(answer.json.errors.map((error) => error.path), bad.map((_, i) => `/allowedAddresses/${i}`))
	assert.deepEqual((await make({ allowedAddresses: ["192.0.2.77/24", "::ffff:10.1.2.3"] })).json.allowedAddresses, ["192.0.2.0/24", "10.1.2.3/32"])
})

// What a proxy at 127.0.0.1 that is trusted says of the client, as far as it can be believed.
const client = "203.0.113.20"
for (const [name, headers, allowed] of [
	["one address", { "X-Forwarded-For": client }, true],
	["with a port", { "X-Forwarded-For": `${client}:4711` }, true],
	["behind two trusted proxies", { "X-Forwarded-For": `${client}, 10.1.2.3, 127.0.0.9` }, true],
	["in a line of its own, as HAProxy adds it", { "X-Forwarded-For": ["198.51.100.9", client] }, true],
	["made up by the client in front", { "X-Forwarded-For": `${client}, 198.51.100.9` }, false],
	["made up by the client in an earlier line", { "X-Forwarded-For": [client, "198.51.100.9"] }, false],
	["in Forwarded", { Forwarded: `for=${client}` }, true],
	["in Forwarded with a port and more", { Forwarded: `for="${client}:4711";proto=https;by=10.0.0.1` }, true],
	["in Forwarded behind an IPv6 proxy that is trusted", { Forwarded: `For=${client}, for="[2001:db8:aaaa::1]:80"` }, true],
	["in Forwarded behind one that is not", { Forwarded: `for=${client}, for="[2001:db8:bbbb::1]"` }, false],
	["in a Forwarded that the client made up, before a proxy that writes the other", { Forwarded: `for=${client}`, "X-Forwarded-For": "198.51.100.9" }, false],
	["in X-Forwarded-For beside another Forwarded", { Forwarded: "for=198.51.100.9", "X-Forwarded-For": client }, true],
	["unknown", { Forwarded: "for=unknown" }, false],
	["obfuscated", { Forwarded: "for=_hidden" }, false],
	["nonsense", { "X-Forwarded-For": "999.1.1.1" }, false],
	["empty", { "X-Forwarded-For": "" }, false],
	["after an unknown hop", { Forwarded: `for=${client}, for=unknown` }, false],
])
	test(`the client's address ${name}: ${allowed ? "believed" : "not believed"}`, async () => {
		const { key: mine } = (await make({ allowedAddresses: [`${client}/32`] })).json
		assert.equal((await get(mine, headers)).status, allowed ? 200 : 403)
	})

test("without trusted proxies no header is believed", async () => {
	const { key: mine } = (await make({ allowedAddresses: [`${client}/32`] })).json
	for (const headers of [{ "X-Forwarded-For": client }, { Forwarded: `for=${client}` }])
		assert.equal((await get(mine, headers, bare)).status, 403)
	const { key: local } = (await make({ allowedAddresses: ["127.0.0.1"] })).json
	assert.equal((await get(local, { "X-Forwarded-For": client }, bare)).status, 200)
})
