// Attachments under a real clamd, whose only signature is EICAR's: the network of its updates is not needed.
import assert from "node:assert/strict"
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import net from "node:net"
import { after, test } from "node:test"
import { gzipSync } from "node:zlib"
import { stage, until } from "../fault/cluster.mjs"
import { start } from "../http/lib/process.mjs"

const EICAR = "X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + "EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
const directory = mkdtempSync("/tmp/qehs-clamd.")
const socket = `${directory}/clamd.sock`
mkdirSync(`${directory}/signatures`)
writeFileSync(`${directory}/signatures/eicar.ndb`, `Qehs.Test.EICAR:0:*:${Buffer.from(EICAR).toString("hex")}\n`)
writeFileSync(`${directory}/clamd.conf`, `LocalSocket ${socket}\nDatabaseDirectory ${directory}/signatures\nForeground yes\nStreamMaxLength 1M\n`)

let clamd

// The scanner, once it takes connections.
async function startScanner() {
	clamd = start("clamd", ["-c", `${directory}/clamd.conf`], { stdio: "ignore" })
	clamd.gone = new Promise((resolve) => clamd.once("exit", resolve))
	await until("clamd (package clamav-daemon) has started", () => new Promise((resolve) => {
		const client = net.connect(socket, () => { client.destroy(); resolve(true) }).on("error", () => resolve(false))
	}), 100)
}
async function stopScanner() {
	clamd.kill("SIGTERM")
	await clamd.gone
}
await startScanner()
after(async () => {
	await stopScanner()
	rmSync(directory, { recursive: true })
})
const at = stage("scanned", {
	flags: ["--storage", `${directory}/store`, "--clamd", socket],
	prepare: ({ cluster }) => cluster.sql("SELECT qehs.use_tenant('scanned'); SELECT qehs.rate_limit_set('signed-urls', 0)"),
})
const base = () => `http://127.0.0.1:${at.shim.port}`
async function api(method, path, json) {
	const answer = await fetch(`${base()}${path}`, { method, headers: { authorization: `Bearer ${at.key}`, ...json && { "content-type": "application/json" } }, body: json && JSON.stringify(json) })
	return answer.json()
}

// Announce and send a file; gives the attachment as it then is.
async function sent(filename, contentType, body) {
	const announced = await api("POST", "/api/v1/attachments", { filename, contentType })
	const answer = await fetch(new URL(announced.uploadUrl, base()), { method: announced.method, headers: announced.headers, body })
	assert.equal(answer.status, 204, await answer.text())
	return api("GET", `/api/v1/attachments/${announced.id}`)
}
const reason = (status) => at.cluster.sql(`SELECT string_agg(DISTINCT status_reason, '; ') FROM qehs.attachment WHERE status = '${status}'`)
const stored = (id) => readdirSync(`${directory}/store/objects`, { recursive: true }).some((name) => String(name).endsWith(id))

test("a file in which clamd finds nothing is clean, and is fetched as it was", async () => {
	const found = await sent("note.txt", "text/plain", "Found at the foot of the stairs.\n")
	assert.equal(found.status, "clean")
	assert.equal(await (await fetch(new URL(found.downloadUrl, base()))).text(), "Found at the foot of the stairs.\n")
})

test("EICAR is infected: it has no URL, is not kept, and the name of what was found is noted", async () => {
	const found = await sent("eicar.com", "application/octet-stream", EICAR)
	assert.deepEqual([found.status, found.downloadUrl, stored(found.id)], ["infected", null, false])
	assert.equal(reason("infected"), "infected: Qehs.Test.EICAR.UNOFFICIAL")
})

test("EICAR in a compressed file is found, as clamd unpacks it", async () => {
	const found = await sent("report.gz", "application/gzip", gzipSync(EICAR))
	assert.deepEqual([found.status, found.downloadUrl], ["infected", null])
})

test("a file that is longer than clamd takes has failed, and says why", async () => {
	const found = await sent("long.bin", "application/octet-stream", Buffer.alloc(2 << 20, "x"))
	assert.deepEqual([found.status, found.downloadUrl, stored(found.id)], ["failed", null, false])
	assert.equal(reason("failed"), "is longer than the scanner takes")
})

test("while clamd is away files are not given out; once it is back they are scanned, and found infected", async () => {
	await stopScanner()
	const harmless = await sent("later.txt", "text/plain", "something")
	const harmful = await sent("later.com", "application/octet-stream", EICAR)
	assert.deepEqual([harmless.status, harmless.downloadUrl, harmful.status, harmful.downloadUrl], ["uploaded", null, "uploaded", null])
	await startScanner()
	const now = async ({ id }) => (await api("GET", `/api/v1/attachments/${id}`)).status
	await until("both are scanned", async () => await now(harmful) !== "uploaded" && await now(harmless) !== "uploaded", 500)
	assert.deepEqual([await now(harmless), await now(harmful)], ["clean", "infected"])
	await until("it has left the store", () => !stored(harmful.id), 500)
})
