// JSON Web Tokens as bearer tokens: signature, times, issuer and audience are checked; roles of the token count.
import assert from "node:assert/strict"
import { generateKeyPairSync, sign } from "node:crypto"
import { writeFileSync } from "node:fs"
import { after, before, test } from "node:test"
import { Cluster, Shim, freePort } from "./cluster.mjs"
import { agent, send } from "./retry.mjs"

const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 })
const ec = generateKeyPairSync("ec", { namedCurve: "P-256" })
const foreign = generateKeyPairSync("rsa", { modulusLength: 2048 })
let cluster
let shim
let closed

before(async () => {
	cluster = await Cluster.create(["qehs.bearer_tokens = on"])
	cluster.tenant("token", ["incidents"])
	cluster.sql("SELECT qehs.use_tenant('token'); SELECT qehs.user_create('ann@example.com', 'Ann', roles => '{viewer}')")
	const file = `${cluster.directory}/keys.json`
	writeFileSync(file, JSON.stringify({ keys: [{ ...rsa.publicKey.export({ format: "jwk" }), kid: "r1" }, { ...ec.publicKey.export({ format: "jwk" }), kid: "e1" }] }))
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

function token(payload, { alg = "RS256", kid = "r1", key = rsa.privateKey } = {}) {
	const signed = `${part({ alg, kid, typ: "JWT" })}.${part(payload)}`
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
