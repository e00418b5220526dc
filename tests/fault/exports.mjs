// What the tests of exports share: a tenant with a module of all kinds of fields, and asking for files.
import assert from "node:assert/strict"
import { existsSync, mkdtempSync, readFileSync } from "node:fs"
import { sleep } from "./cluster.mjs"

export const module = {
	key: "visits", name: "Visits", displayCode: { prefix: "V" },
	fields: [
		{ key: "title", label: { en: "Title", de: "Titel" }, type: "text", required: true },
		{ key: "due", label: "Due", type: "date" },
		{ key: "seen", label: "Seen", type: "datetime" },
		{ key: "cost", label: "Cost", type: "currency" },
		{ key: "tags", label: "Tags", type: "multi-select", options: ["a", "b"] },
		{ key: "done", label: "Done", type: "boolean" },
		{ key: "n", label: "Number", type: "number", indexed: true },
		{ key: "phone", label: "Phone", type: "text" },
		{ key: "photo", label: "Photo", type: "text" },
		{ key: "parts", label: "Parts", type: "table", fields: [{ key: "name", label: "Name", type: "text" }, { key: "count", label: "Count", type: "integer" }] },
	],
	workflow: { states: ["open", "closed"], initial: "open", transitions: { close: { from: "open", to: "closed" } } },
}

export const literal = (text) => `$q$${text}$q$`

// Records of the tenant, by lines of a bulk load.
export function load(cluster, slug, payloads) {
	cluster.sql(`SELECT qehs.use_tenant('${slug}'); SELECT count(qehs.bulk_load('visits', convert_to(${literal(payloads.map((p) => `${JSON.stringify(p)}\n`).join(""))}, 'UTF8')))`)
}

export function makeTenant(cluster, slug, options = "") {
	cluster.sql(`SELECT qehs.tenant_create('${slug}', '${slug}'); SELECT qehs.use_tenant('${slug}'); SELECT qehs.module_publish('visits', ${literal(JSON.stringify(module))})`)
	return cluster.sql(`SELECT qehs.use_tenant('${slug}'); SELECT qehs.api_key_create('auditor', rate_limit => 0${options}) ->> 'key'`)
}

export const storeFolder = () => mkdtempSync("/tmp/qehs-store.")

export async function call(shim, key, method, target, json) {
	const response = await fetch(`http://127.0.0.1:${shim.port}${target}`,
		{ method, headers: { authorization: `Bearer ${key}`, ...json ? { "content-type": "application/json" } : {} }, body: json && JSON.stringify(json) })
	const text = await response.text()
	return { status: response.status, headers: response.headers, json: text && JSON.parse(text) }
}

export async function ask(shim, key, request) {
	const answer = await call(shim, key, "POST", "/api/v1/exports", { moduleKey: "visits", ...request })
	assert.equal(answer.status, 202, JSON.stringify(answer.json))
	return answer.json.jobId
}

// Wait until the job is in one of the states; gives it.
export async function until(shim, key, jobId, states = ["succeeded", "failed", "cancelled"], seconds = 60) {
	for (let i = 0; i < seconds * 100; i++) {
		const { status, json } = await call(shim, key, "GET", `/api/v1/exports/${jobId}`)
		assert.equal(status, 200, JSON.stringify(json))
		if (states.includes(json.status))
			return json
		await sleep(50)
	}
	throw new Error(`${jobId} did not get ${states.join(" or ")}`)
}

// The file of a job that has succeeded, as a client fetches it.
export async function fetched(shim, job) {
	const response = await fetch(new URL(job.result.downloadUrl, `http://127.0.0.1:${shim.port}`))
	const bytes = Buffer.from(await response.arrayBuffer())
	assert.equal(response.status, 200, bytes.toString())
	assert.equal(response.headers.get("content-type"), job.result.contentType)
	assert.ok(response.headers.get("content-disposition").startsWith(`attachment; filename="${job.result.filename}"`))
	return bytes
}

// The file of a job, where the embedded store has it; null: it has none.
export function file(folder, slug, jobId) {
	const path = `${folder}/objects/${slug}/${jobId.slice(-2)}/${jobId}`
	return existsSync(path) ? { path, bytes: readFileSync(path) } : null
}
