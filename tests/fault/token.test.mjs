// JSON Web Tokens as bearer tokens: signature, times, issuer and audience are checked; roles of the token count.
import assert from "node:assert/strict"
import { createHmac, generateKeyPairSync, sign } from "node:crypto"
import { writeFileSync } from "node:fs"
import { after, before, test } from "node:test"
import { Cluster, Shim, freePort, sleep, until } from "./cluster.mjs"
import { agent, send } from "./retry.mjs"

const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 })
const ec = generateKeyPairSync("ec", { namedCurve: "P-256" })
const foreign = generateKeyPairSync("rsa", { modulusLength: 2048 })
const weak = generateKeyPairSync("rsa", { modulusLength: 1024 })
const encryption = generateKeyPairSync("rsa", { modulusLength: 2048 })
const p384 = generateKeyPairSync("ec", { namedCurve: "P-384" })
let keysFile
let cluster
let shim
let closed

before(async () => {
	cluster = await Cluster.create(["qehs.bearer_tokens = on"])
	cluster.tenant("token", ["incidents"])
	cluster.sql("SELECT qehs.use_tenant('token'); SELECT qehs.user_create('ann@example.com', 'Ann', roles => '{viewer}')")
	const file = `${cluster.directory}/keys.json`
	keysFile = file
	writeFileSync(file, JSON.stringify({ keys: [{ ...weak.publicKey.export({ format: "jwk" }), kid: "w1" }, { ...p384.publicKey.export({ format: "jwk" }), kid: "p1" },
		{ ...encryption.publicKey.export({ format: "jwk" }), kid: "n1", use: "enc" }, { ...rsa.publicKey.export({ format: "jwk" }), kid: "r1" }, { ...ec.publicKey.export({ format: "jwk" }), kid: "e1" }] }))
	shim = new Shim(cluster, await freePort(), ["--jwt-keys", file, "--jwt-issuer", "https://id.example", "--jwt-audience", "qehs"])
	closed = new Shim(cluster, await freePort())
	await shim.ready()
	await closed.ready()
})

after(async () => {
	agent.destroy()
	await shim.stop()
	await closed.stop()
	cluster.remove()
})

const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url")
const now = () => Math.floor(Date.now() / 1000)
const claims = (more = {}) => ({ iss: "https://id.example", aud: ["other", "qehs"], exp: now() + 300, sub: "ann@example.com", tenant: "token", ...more })

function token(payload, { alg = "RS256", kid = "r1", key = rsa.privateKey, header = {} } = {}) {
	const signed = `${part({ alg, kid, typ: "JWT", ...header })}.${part(payload)}`
	if (alg === "HS256")
		return `${signed}.${createHmac("sha256", key).update(signed).digest("base64url")}`
	if (alg === "none")
		return `${signed}.`
	return `${signed}.${sign("sha256", Buffer.from(signed), alg === "ES256" ? { key, dsaEncoding: "ieee-p1363" } : key).toString("base64url")}`
}

const get = (bearer, port = shim.port) => send(port, bearer, "GET", "/api/v1/records?moduleKey=incidents")
const create = (bearer, headers) => send(shim.port, bearer, "POST", "/api/v1/records", { moduleKey: "incidents", payload: { title: "t", severity: "low" } }, headers)

test("RS256 and ES256 tokens open the door", async () => {
	assert.equal((await get(token(claims()))).status, 200)
	assert.equal((await get(token(claims(), { alg: "ES256", kid: "e1", key: ec.privateKey }))).status, 200)
})

test("roles of the token count, else those of the user", async () => {
	assert.equal((await create(token(claims()))).status, 403)
	const created = await create(token(claims({ roles: ["tenant-user", "no-such-role"] })))
	assert.equal(created.status, 201, created.text)
	assert.equal(created.json.createdBy.displayName, "Ann")
	assert.equal(created.json.createdBy.type, "user")
})

test("a replay works with another token of the same person", async () => {
	const first = await create(token(claims({ roles: ["tenant-user"] })), { "Idempotency-Key": "a" })
	const second = await create(token(claims({ roles: ["tenant-user"], exp: now() + 301 })), { "Idempotency-Key": "a" })
	assert.equal(second.headers["idempotency-replayed"], "true")
	assert.equal(second.text, first.text)
})

for (const [what, bearer] of [
	["expired", () => token(claims({ exp: now() - 3600 }))],
	["without exp", () => token(claims({ exp: undefined }))],
	["not yet valid", () => token(claims({ nbf: now() + 3600 }))],
	["of another issuer", () => token(claims({ iss: "https://evil.example" }))],
	["for another audience", () => token(claims({ aud: "other" }))],
	["of an unknown user", () => token(claims({ sub: "bob@example.com" }))],
	["of an unknown tenant", () => token(claims({ tenant: "nobody" }))],
	["without a tenant", () => token(claims({ tenant: undefined }))],
	["signed by another key", () => token(claims(), { key: foreign.privateKey })],
	["with alg none", () => token(claims(), { alg: "none" })],
	["with a changed payload", () => token(claims()).replace(/\.[^.]+\./, `.${part(claims({ sub: "root" }))}.`)],
	["cut", () => token(claims()).slice(0, -20)],
	["with alg HS256 and the public key as secret", () => token(claims(), { alg: "HS256", key: rsa.publicKey.export({ type: "spki", format: "pem" }) })],
	["with alg HS256 and the modulus as secret", () => token(claims(), { alg: "HS256", key: Buffer.from(rsa.publicKey.export({ format: "jwk" }).n, "base64url") })],
	["with the signature of one key and the kid of another", () => token(claims(), { alg: "RS256", kid: "e1" })],
	["with an unknown kid", () => token(claims(), { kid: "none" })],
	["signed by a key of 1,024 bits", () => token(claims(), { kid: "w1", key: weak.privateKey })],
	["signed by a key for encryption", () => token(claims(), { kid: "n1", key: encryption.privateKey })],
	["signed by a key of another curve", () => token(claims(), { alg: "ES256", kid: "p1", key: p384.privateKey })],
	["with an extension that must be understood", () => token(claims(), { header: { crit: ["b64"], b64: true } })],
	["expired for more than the leeway of a minute", () => token(claims({ exp: now() - 70 }))],
	["not valid for more than the leeway", () => token(claims({ nbf: now() + 80 }))],
	["whose exp is a text", () => token(claims({ exp: String(now() + 300) }))],
	["whose nbf is a text", () => token(claims({ nbf: String(now() - 300) }))],
	["whose roles are an object", () => token(claims({ roles: { "tenant-owner": true } }))],
	["with claims that stand twice", () => `${part({ alg: "RS256", kid: "r1" })}.${Buffer.from(`{"sub":"ann@example.com",${JSON.stringify(claims()).slice(1)}`).toString("base64url")}`],
])
	test(`a token ${what} is refused`, async () => {
		const answer = await get(bearer())
		assert.equal(answer.status, 401, answer.text)
		assert.match(answer.headers["www-authenticate"], /error="invalid_token"/)
	})

test("a shim without keys takes no tokens", async () => {
	assert.equal((await get(token(claims()), closed.port)).status, 401)
})

// cjose asserts on some of these: the shim must not get that far
test("what only looks like a token is refused, and the shim lives on", async () => {
	const pid = shim.process.pid
	const [head, body, signature] = token(claims()).split(".")
	const broken = ["eyJ..", "eyJ.a.", "eyJa.b.c", `${head}=.${body}.${signature}`, `${head.slice(0, 9)}=${head.slice(9)}.${body}.${signature}`, `${head}.${body}.${signature}=`, `${head}.${body}=x.${signature}`,
		`${head}.${body}.${signature}.${signature}`, `${head}.${body}`, `${head}.${body}.`, `${head}..${signature}`, `${head}.${body}.${signature} `, `${head}.${body}/+.${signature}`, `eyJhbGciOjF9.${body}.${signature}`,
		`${part({ alg: null })}.${body}.${signature}`, `${part({ alg: ["RS256"] })}.${body}.${signature}`, `${part({ alg: "RS256", kid: 1 })}.${body}.${signature}`, `${part("eyJ")}.${body}.${signature}`,
		...[1, 2, 3, 4, 5].flatMap((cut) => [`${head.slice(0, -cut)}.${body}.${signature}`, `${head}.${body.slice(0, -cut)}.${signature}`, `${head}.${body}.${signature.slice(0, -cut)}`])]
	for (const bearer of broken)
		assert.equal((await get(bearer)).status, 401, bearer)
	assert.equal((await get(token(claims()))).status, 200)
	assert.equal(shim.process.pid, pid)
	assert.equal(shim.process.exitCode ?? shim.process.signalCode, null)
})

test("times have a leeway of a minute, and may have fractions", async () => {
	for (const times of [{ exp: now() - 30 }, { nbf: now() + 30 }, { exp: now() + 300.5, nbf: now() - 0.5 }])
		assert.equal((await get(token(claims(times)))).status, 200, JSON.stringify(times))
})

test("roles may be one name; without a kid each key is tried", async () => {
	assert.equal((await create(token(claims({ roles: "tenant-user" })))).status, 201)
	assert.equal((await create(token(claims({ roles: [] })))).status, 403)
	assert.equal((await get(token(claims(), { header: { kid: undefined } }))).status, 200)
})

test("a person who is deactivated is out at once, and their limit is that of the tenant", async () => {
	cluster.sql("SELECT qehs.use_tenant('token'); SELECT qehs.user_create('bo@example.com', 'Bo', roles => '{viewer}'); SELECT qehs.rate_limit_set('default', 123)")
	const bo = token(claims({ sub: "Bo@Example.com" }))
	const answer = await get(bo)
	assert.equal(answer.status, 200)
	assert.equal(answer.headers["x-ratelimit-limit"], "123")
	cluster.sql("UPDATE qehs.user_account SET active = false WHERE user_name = 'bo@example.com'; SELECT qehs.use_tenant('token'); SELECT qehs.rate_limit_set('default', NULL)")
	const refused = await get(bo)
	assert.equal(refused.status, 401)
	assert.match(refused.headers["www-authenticate"], /error="invalid_token"/)
})

test("an answer with a secret is not stored for a token", async () => {
	const admin = token(claims({ roles: ["tenant-admin"] }))
	const make = (headers) => send(shim.port, admin, "POST", "/api/v1/api-keys", { name: "k", scopes: ["records.read"], roles: ["viewer"] }, headers)
	const refused = await make({ "Idempotency-Key": "secret" })
	assert.equal(refused.status, 400)
	assert.equal(refused.json.errors[0].path, "@Idempotency-Key")
	assert.equal((await make()).status, 201)
})

test("SIGHUP reads the keys again; a file that cannot be read changes nothing", async () => {
	const added = generateKeyPairSync("ec", { namedCurve: "P-256" })
	const fresh = () => token(claims(), { alg: "ES256", kid: "e2", key: added.privateKey })
	const old = () => token(claims())
	const reload = async (text, judge) => {
		writeFileSync(keysFile, text)
		shim.process.kill("SIGHUP")
		await until("the keys are read again", judge, 50)
	}
	assert.equal((await get(fresh())).status, 401)
	await reload(JSON.stringify({ keys: [{ ...added.publicKey.export({ format: "jwk" }), kid: "e2" }] }), async () => (await get(fresh())).status === 200)
	assert.equal((await get(fresh())).status, 200)
	assert.equal((await get(old())).status, 401, "a key that is out of the file opens nothing")
	for (const text of ["", "{", '{"keys":[]}', '{"keys":[{"kty":"oct","k":"AAAA"}]}'])
		await reload(text, async () => true)
	await sleep(500)
	assert.equal((await get(fresh())).status, 200)
})
