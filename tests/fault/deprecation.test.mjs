// A deprecated endpoint says so on each answer (RFC 9745, RFC 8594), in the list of deprecations and in the OpenAPI document.
import assert from "node:assert/strict"
import { test } from "node:test"
import { stage } from "./cluster.mjs"
import { send } from "./retry.mjs"

const old = stage("old", {
	prepare: ({ cluster }) => cluster.sql(`UPDATE qehs.endpoint SET deprecated_at = '2026-01-02T03:04:05Z', sunset_at = '2027-06-05T04:03:02Z',
		deprecation_link = 'https://example.com/use-the-audit-trail' WHERE operation = 'record_activity';
		UPDATE qehs.endpoint SET deprecated_at = '2026-01-02T03:04:05Z' WHERE operation IN ('api_key_list', 'module_get')`),
})

const get = (path, sender = old.key, method = "GET") => send(old.shim.port, sender, method, path)

test("each of its answers has the headers, also HEAD and errors", async () => {
	const { id } = (await send(old.shim.port, old.key, "POST", "/api/v1/records", { moduleKey: "incidents", payload: { title: "t", severity: "low" } })).json
	const path = `/api/v1/records/${id}/activity`
	for (const [answer, status] of [[await get(path), 200], [await get(path, old.key, "HEAD"), 200], [await get("/api/v1/records/rec_00000000000000000000000000/activity"), 404],
		[await get(`${path}?limit=x`), 400], [await get(path, "qehs_live_sk_wrong"), 401]]) {
		assert.equal(answer.status, status)
		assert.equal(answer.headers.deprecation, `@${Date.UTC(2026, 0, 2, 3, 4, 5) / 1000}`)
		assert.equal(answer.headers.sunset, "Sat, 05 Jun 2027 04:03:02 GMT")
		assert.ok(answer.headers.link.includes('<https://example.com/use-the-audit-trail>; rel="deprecation"'), answer.headers.link)
	}
})

test("what has no date of its end and no link has neither header", async () => {
	const { headers } = await get("/api/v1/api-keys")
	assert.equal(headers.deprecation, `@${Date.UTC(2026, 0, 2, 3, 4, 5) / 1000}`)
	assert.equal(headers.sunset, undefined)
	assert.equal(headers.link, undefined)
})

test("nor is an answer without a body left out", async () => {
	const { etag } = (await get("/api/v1/modules/incidents")).headers
	const answer = await send(old.shim.port, old.key, "GET", "/api/v1/modules/incidents", undefined, { "If-None-Match": etag })
	assert.equal(answer.status, 304)
	assert.match(answer.headers.deprecation, /^@\d+$/)
})

test("others have none", async () => {
	const { headers } = await get("/api/v1/modules")
	assert.equal(headers.deprecation, undefined)
	assert.equal(headers.sunset, undefined)
})

test("they are listed without a key, and marked in the document", async () => {
	const list = await fetch(`http://127.0.0.1:${old.shim.port}/api/public/deprecations.json`)
	assert.equal(list.status, 200)
	assert.deepEqual((await list.json()).items, [
		{ operation: "api_key_list", method: "GET", path: "/api/v1/api-keys", deprecatedAt: "2026-01-02T03:04:05.000Z", sunsetAt: null, link: null },
		{ operation: "module_get", method: "GET", path: "/api/v1/modules/{moduleKey}", deprecatedAt: "2026-01-02T03:04:05.000Z", sunsetAt: null, link: null },
		{ operation: "record_activity", method: "GET", path: "/api/v1/records/{id}/activity", deprecatedAt: "2026-01-02T03:04:05.000Z", sunsetAt: "2027-06-05T04:03:02.000Z",
			link: "https://example.com/use-the-audit-trail" }])
	const { paths } = (await get("/api/docs/spec.json")).json
	const marked = Object.entries(paths).flatMap(([path, item]) => Object.values(item).filter((operation) => operation.deprecated).map((operation) => operation.operationId))
	assert.deepEqual(marked.sort(), ["api_key_list", "module_get", "record_activity"])
})
