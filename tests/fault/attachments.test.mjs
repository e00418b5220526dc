// The embedded object store under faults: a shim that is killed, a full disk, many at once, a scanner of clamd's protocol.
// UPLOADS and UPLOAD_BYTES make the load larger (200 of 10 MB is what is promised).
import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { createHash, randomBytes } from "node:crypto"
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import http from "node:http"
import net from "node:net"
import { after, test } from "node:test"
import { stage, until } from "./cluster.mjs"

const UPLOADS = Number(process.env.UPLOADS ?? 40)
const UPLOAD_BYTES = Number(process.env.UPLOAD_BYTES ?? 4 << 20)
const EICAR = "X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + "EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"

// clamd, as far as INSTREAM goes: reads the chunks, and finds what it is told to.
let scanner = "answers"
const clamd = net.createServer((socket) => {
	let bytes = Buffer.alloc(0)
	socket.on("error", () => {})
	socket.on("data", (part) => {
		bytes = Buffer.concat([bytes, part])
		if (scanner === "hangs up") {
			socket.destroy()
			return
		}
		assert.equal(bytes.subarray(0, 10).toString("latin1"), "zINSTREAM\0".slice(0, bytes.length))
		const chunks = []
		for (let at = 10; at + 4 <= bytes.length;) {
			const length = bytes.readUInt32BE(at)
			if (length === 0) {
				socket.end(Buffer.concat(chunks).includes(EICAR) ? "stream: Win.Test.EICAR_HDB-1 FOUND\0" : "stream: OK\0")
				return
			}
			chunks.push(bytes.subarray(at + 4, at + 4 + length))
			at += 4 + length
		}
	})
})
await new Promise((resolve) => clamd.listen(0, "127.0.0.1", resolve))
after(() => clamd.close())

let folder
const at = stage("files", {
	flags: ({ cluster }) => {
		folder = `${cluster.directory}/storage`
		return ["--storage", folder, "--clamd", `127.0.0.1:${clamd.address().port}`]
	},
	prepare: ({ cluster }) => cluster.sql("SELECT qehs.use_tenant('files'); SELECT qehs.rate_limit_set('signed-urls', 0)"),
})

const call = (method, target, { body, headers = {}, key = at.key } = {}) => new Promise((resolve, reject) => {
	const outgoing = http.request({ port: at.shim.port, host: "127.0.0.1", method, path: target.replace(/^https?:\/\/[^/]+/, ""), headers: { ...key && { Authorization: `Bearer ${key}` }, ...headers } }, (answer) => {
		const parts = []
		answer.on("data", (part) => parts.push(part))
		answer.on("end", () => {
			const text = Buffer.concat(parts).toString("latin1")
			resolve({ status: answer.statusCode, text, json: /json/.test(answer.headers["content-type"] ?? "") ? JSON.parse(text) : undefined })
		})
	})
	outgoing.on("error", reject)
	outgoing.end(body)
})
const announce = async (members = {}) => (await call("POST", "/api/v1/attachments", {
	headers: { "Content-Type": "application/json" }, body: JSON.stringify({ filename: "x.bin", contentType: "application/octet-stream", ...members }),
})).json
const send = (announced, body) => call("PUT", announced.uploadUrl, { body, headers: announced.headers, key: null })
const read = async (id) => (await call("GET", `/api/v1/attachments/${id}`)).json
const objects = () => readdirSync(`${folder}/objects`, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => entry.name)

// Begin to send a body of size bytes, of which half goes out.
const sendHalf = (announced, size) => {
	const socket = net.connect(at.shim.port, "127.0.0.1")
	socket.on("error", () => {})
	socket.write(`PUT ${announced.uploadUrl.replace(/^https?:\/\/[^/]+/, "")} HTTP/1.1\r\nHost: x\r\nContent-Type: application/octet-stream\r\nContent-Length: ${size}\r\n\r\n`)
	socket.write(randomBytes(size / 2))
	return socket
}

test("a shim that is killed in an upload leaves nothing to see, and the file can be sent again", async () => {
	const announced = await announce({ sizeBytes: 2 << 20 })
	const socket = sendHalf(announced, 2 << 20)
	await until("the upload has begun", () => readdirSync(`${folder}/incoming`).length > 0)
	assert.equal(readdirSync(`${folder}/incoming`).length, 1)
	await at.shim.crash()
	await at.shim.ready()
	socket.destroy()
	assert.deepEqual(objects(), [])
	assert.equal((await read(announced.id)).status, "pending")
	const body = randomBytes(2 << 20)
	assert.equal((await send(announced, body)).status, 204)
	assert.deepEqual(objects(), [announced.id])
	assert.equal((await read(announced.id)).sha256, createHash("sha256").update(body).digest("hex"))
	// what is left of the killed one goes when it is a day old
	for (const name of readdirSync(`${folder}/incoming`))
		execFileSync("touch", ["-d", "2 days ago", `${folder}/incoming/${name}`])
	await at.shim.crash()
	await at.shim.ready()
	assert.deepEqual(readdirSync(`${folder}/incoming`), [])
})

test("a client that leaves in the middle leaves nothing behind", async () => {
	const socket = sendHalf(await announce(), 2 << 20)
	await until("the upload has begun", () => readdirSync(`${folder}/incoming`).length > 0)
	const before = objects()
	socket.destroy()
	await until("nothing comes in", () => readdirSync(`${folder}/incoming`).length === 0)
	assert.deepEqual(objects(), before)
})

test("many uploads at once take little memory, and all arrive", async () => {
	const body = randomBytes(UPLOAD_BYTES)
	const sha256 = createHash("sha256").update(body).digest("hex")
	const announced = await Promise.all(Array.from({ length: UPLOADS }, () => announce({ sizeBytes: body.length, sha256 })))
	const peak = () => Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${at.shim.process.pid}/status`, "latin1"))[1]) / 1024
	const statuses = await Promise.all(announced.map((one) => send(one, body).then(({ status }) => status)))
	assert.deepEqual([...new Set(statuses)], [204])
	for (const { id } of announced)
		assert.equal((await read(id)).status, "clean")
	// sanitizers have memory of their own
	if (!process.env.ASAN_OPTIONS || !/sanitized/.test(process.env.QEHS_SHIM_BIN ?? ""))
		assert.ok(peak() <= 64, `${peak()} MiB`)
})

test("what the scanner finds is not given out, nor kept", async () => {
	const announced = await announce({ filename: "eicar.com" })
	assert.equal((await send(announced, EICAR)).status, 204)
	const found = await read(announced.id)
	assert.deepEqual([found.status, found.downloadUrl], ["infected", null])
	assert.ok(!objects().includes(announced.id))
	assert.equal(at.cluster.sql("SELECT status_reason FROM qehs.attachment WHERE status = 'infected'"), "infected: Win.Test.EICAR_HDB-1")
})

test("while the scanner does not answer files are kept and not given out, and they are scanned later", async () => {
	scanner = "hangs up"
	const announced = await announce()
	assert.equal((await send(announced, "something")).status, 204)
	const found = await read(announced.id)
	assert.deepEqual([found.status, found.downloadUrl], ["uploaded", null])
	scanner = "answers"
	await until("it is clean", async () => (await read(announced.id)).status === "clean", 500)
})

test("files that are to go leave the store", async () => {
	const announced = await announce()
	assert.equal((await send(announced, "short-lived")).status, 204)
	assert.equal((await call("DELETE", `/api/v1/attachments/${announced.id}`)).status, 204)
	assert.ok(objects().includes(announced.id))
	at.cluster.sql("UPDATE qehs.attachment SET deleted_at = now() - interval '31 days' WHERE deleted_at IS NOT NULL; SELECT qehs.tick()")
	await until("it has left the store", () => !objects().includes(announced.id), 500)
	await until("nothing is to be removed", () => at.cluster.sql("SELECT count(*) FROM qehs.object_removal") === "0", 500)
})

test("a full disk is 507 and loses nothing; with room again it goes on", async (context) => {
	await at.shim.stop()
	try {
		mkdirSync(`${folder}.small`)
		execFileSync("mount", ["-t", "tmpfs", "-o", "size=2m", "tmpfs", `${folder}.small`], { stdio: "ignore" })
	} catch {
		context.skip("file systems cannot be mounted here")
		return
	}
	at.shim.flags = ["--storage", `${folder}.small`]
	at.shim.stopped = false
	at.shim.launch()
	await at.shim.ready()
	try {
		const first = await announce()
		assert.equal((await send(first, Buffer.alloc(1 << 20, "a"))).status, 204)
		const second = await announce()
		for (const size of [3 << 20, 40 << 20]) {
			const refused = await send(second, Buffer.alloc(size, "b"))
			assert.equal(refused.status, 507, refused.text)
			assert.equal(refused.json.code, "insufficient_storage")
		}
		assert.deepEqual(readdirSync(`${folder}.small/incoming`), [])
		const found = await read(first.id)
		assert.equal((await call("GET", found.downloadUrl, { key: null })).text.length, 1 << 20)
		writeFileSync(`${folder}.small/ballast`, "")
		assert.equal((await send(second, "little")).status, 204)
	} finally {
		await at.shim.stop()
		execFileSync("umount", [`${folder}.small`])
	}
})
