// Hostile names of objects touch nothing outside the store: strace sees each path that the shim gives to the kernel.
import assert from "node:assert/strict"
import { execFileSync, spawnSync } from "node:child_process"
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import http from "node:http"
import { after, test } from "node:test"
import { start } from "../http/lib/process.mjs"
import { freePort, stage, until } from "./cluster.mjs"
import { call } from "./exports.mjs"

const directory = mkdtempSync("/tmp/qehs-paths.")
const folder = `${directory}/store`
const traced = `${directory}/trace`
mkdirSync(`${directory}/outside`)
writeFileSync(`${directory}/outside/canary`, "not yours")
const at = stage("paths", { prepare: ({ cluster }) => cluster.sql("SELECT qehs.use_tenant('paths'); SELECT qehs.rate_limit_set('signed-urls', 0)") })
after(() => rmSync(directory, { recursive: true }))

// The status of a request whose target goes out as it is.
const send = (port, method, path, body) => new Promise((resolve) => {
	const request = http.request({ host: "127.0.0.1", port, method, path, agent: false, headers: body ? { "content-type": "text/plain", "content-length": body.length } : {} }, (answer) => {
		answer.resume()
		answer.on("end", () => resolve(answer.statusCode))
	})
	request.on("error", () => resolve(0))
	request.end(body)
})

test("no name of an object leads out of the store", async (context) => {
	if (spawnSync("strace", ["-o", "/dev/null", "true"]).status !== 0)
		return context.skip("strace is not there, or may not trace")
	const port = await freePort()
	const shim = start("strace", ["-f", "-s", "8192", "-e", "trace=%file", "-o", traced, process.env.QEHS_SHIM_BIN ?? new URL("../../qehs-shim", import.meta.url).pathname,
		"--listen", `127.0.0.1:${port}`, "--db", `${at.cluster.conninfo} user=qehs_shim`, "--storage", folder, "--log", "off"], { stdio: "ignore" })
	const gone = new Promise((resolve) => shim.once("exit", resolve))
	await until("the shim is ready", async () => await send(port, "GET", "/readyz") === 200, 50)
	const { json } = await call({ port }, at.key, "POST", "/api/v1/attachments", { filename: "a.txt", contentType: "text/plain" })
	const target = json.uploadUrl.replace(/^https?:\/\/[^/]+/, "")
	const [path, query] = target.split("?")
	assert.equal(await send(port, "PUT", target, "some text"), 204)
	const download = (await call({ port }, at.key, "GET", `/api/v1/attachments/${json.id}`)).json.downloadUrl.replace(/^https?:\/\/[^/]+/, "")
	assert.equal(await send(port, "GET", download), 200)
	const up = ["../", "..%2f", "%2e%2e/", "%2e%2e%2f", "..%5c", "%c0%ae%c0%ae%2f", "%ef%bc%8e%ef%bc%8e%ef%bc%8f", ".%00./", "....//"]
	const names = up.flatMap((step) => [`/storage/${step.repeat(3)}outside/canary`, `/storage/paths/${step.repeat(4)}outside/canary`, `${path}/${step.repeat(5)}outside/canary`, `/storage/paths/${step}${step}${step}outside%2fcanary`])
		.concat([`/storage/paths/${directory}/outside/canary`, `/storage/%2f${directory.slice(1)}/outside/canary`, `/storage/paths/${"canary".repeat(700)}`, `/storage/${"canary".repeat(700)}/x`, "/storage/paths/canary%00", `${path}%00canary`, `${path}canary`,
			"/storage/../../../../etc/passwd", "/storage/paths/%2e%2e%2f%2e%2e%2f%2e%2e%2fetc%2fpasswd"])
	for (const name of names)
		for (const [method, rest] of [["GET", download.split("?")[1]], ["PUT", query]])
			assert.ok([0, 400, 403, 404, 414].includes(await send(port, method, `${name}?${rest}`, method === "PUT" ? "other text" : undefined)), `${method} ${name}`)
	execFileSync("pkill", ["-TERM", "-P", String(shim.pid)])
	await gone
	assert.equal(readFileSync(`${directory}/outside/canary`, "utf8"), "not yours")
	const calls = readFileSync(traced, "latin1").split("\n").filter((line) => /^\d+ +\w+\(/.test(line))
	const paths = calls.flatMap((line) => [...line.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, text]) => text).slice(0, /execve/.test(line) ? 0 : undefined))
	const within = paths.filter((name) => name.startsWith(folder))
	assert.ok(within.includes(`${folder}/objects/paths/${json.id.slice(-2)}/${json.id}`), "the trace has what is allowed")
	for (const name of within)
		assert.match(name.slice(folder.length), /^(|\/incoming(\/\w{6})?|\/objects(\/paths(\/[0-9A-Z]{2}(\/att_[0-9A-Z]{26})?)?)?)$/)
	for (const name of paths)
		assert.ok(!/canary|outside|passwd/.test(name) && (!name.includes("../") || name.startsWith("/usr/") || name.startsWith("/lib")), name)
})
