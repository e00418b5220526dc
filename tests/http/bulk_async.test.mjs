// Bulk loads that nobody waits for (Prefer: respond-async): a job loads the body, and tells what a synchronous load answers.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import * as zlib from 'node:zlib'
import { assertProblem, request } from './lib/client.mjs'
import { makeTenant, payload, psql } from './lib/tenant.mjs'

const tenant = await makeTenant('bulkasync')
const path = '/api/v1/modules/incidents/bulk'
const line = members => JSON.stringify(payload(members))
const lines = (name, count, members = {}) => Array.from({ length: count }, (_, i) => line({ title: `${name} ${i + 1}`, ...members })).join('\n') + '\n'
const count = async (name, slug = tenant.slug) => Number(await psql(`SELECT count(*) FROM qehs.record AS r JOIN qehs.tenant AS t ON t.id = r.tenant_id
	WHERE t.slug = '${slug}' AND r.payload ->> 'title' LIKE '${name}%'`))

const send = (body, { query = '', headers = {}, key = tenant.key, target = path } = {}) =>
	request('POST', target + query, { key, body, headers: { 'Content-Type': 'application/x-ndjson', Prefer: 'respond-async', ...headers } })

async function queue(body, options = {}) {
	const answer = await send(body, options)
	assert.equal(answer.status, 202, answer.text)
	assert.equal(answer.headers.location, `/api/v1/jobs/${answer.json.jobId}`)
	assert.equal(answer.headers['preference-applied'], 'respond-async')
	assert.equal(answer.json.kind, 'bulk_load')
	return answer.json.jobId
}

async function ended(id, api = tenant.api) {
	for (let i = 0; i < 3600; i++) {
		const { json } = await api.get(`/api/v1/jobs/${id}`)
		if (!['queued', 'running'].includes(json.status)) return json
		await sleep(50)
	}
	assert.fail(`${id} did not end`)
}

const load = async (body, options) => ended(await queue(body, options))
const summary = (job, expected) => {
	const { durationMs, ...rest } = job.result.summary
	assert.ok(Number.isInteger(durationMs))
	assert.deepEqual(rest, expected)
}

test('lines are loaded by a job, on either path, and the job tells the summary', async () => {
	for (const target of [path, '/api/modules/incidents/bulk']) {
		const answer = await send(lines('plain', 2500), { target })
		assert.ok(Number(answer.headers['retry-after']) > 0)
		assert.ok(Number(answer.headers['x-ratelimit-limit'] ?? 1) > 0)
		const job = await ended(answer.json.jobId)
		assert.deepEqual([job.status, job.progress, job.rowCount, job.error], ['succeeded', 100, 2500, null])
		summary(job, { lines: 2500, created: 2500, replayed: 0, failed: 0 })
		assert.deepEqual([job.result.errors, job.result.errorsOmitted], [[], 0])
	}
	assert.equal(await count('plain'), 5000)
})

test('an event of a record that was loaded has the trace of the request', async () => {
	const trace = '4bf92f3577b34da6a3ce929d0e0e4736'
	await load(lines('traced', 1), { headers: { traceparent: `00-${trace}-00f067aa0ba902b7-01` } })
	const found = await psql(`SELECT e.trace_id FROM qehs.audit_event AS e JOIN qehs.record AS r ON r.tenant_id = e.tenant_id AND r.id = e.record_id WHERE r.payload ->> 'title' = 'traced 1'`)
	assert.equal(found.replaceAll('-', ''), trace)
})

test('a preference beside others, in any case, is seen', async () => {
	assert.equal((await load(line({ title: 'preferred' }), { headers: { Prefer: 'handling=lenient, Respond-Async; foo=bar, wait=1' } })).status, 'succeeded')
	assert.equal((await send(line({ title: 'other' }), { headers: { Prefer: 'wait=1' } })).status, 200)
	assert.equal((await send(line({ title: 'json' }), { headers: { Accept: 'application/json' } })).status, 202)
})

test('compressed bodies and rows of CSV', async () => {
	summary(await load(zlib.gzipSync(lines('gzip', 3)), { headers: { 'Content-Encoding': 'gzip' } }), { lines: 3, created: 3, replayed: 0, failed: 0 })
	if (zlib.zstdCompressSync)
		summary(await load(zlib.zstdCompressSync(lines('zstd', 3)), { headers: { 'Content-Encoding': 'zstd' } }), { lines: 3, created: 3, replayed: 0, failed: 0 })
	const rows = `What;severity\n${Array.from({ length: 2100 }, (_, i) => `"csv\n${i}";low\n`).join('')}"csv of none";worst\n`
	const job = await load(rows, { query: `?delimiter=;&columns=${encodeURIComponent('{"What":"title"}')}`, headers: { 'Content-Type': 'text/csv' } })
	summary(job, { lines: 2101, created: 2100, replayed: 0, failed: 1 })
	assert.deepEqual(job.result.errors.map(item => [item.line, item.status, item.errors[0].path]), [[2102, 'failed', '/payload/severity']])
	const broken = await load(zlib.gzipSync(lines('broken', 3)).subarray(0, 60), { headers: { 'Content-Encoding': 'gzip' } })
	assert.deepEqual([broken.status, broken.error.code], ['failed', 'malformed_request'])
})

test('a header of CSV that names no fields fails the job with its faults', async () => {
	const job = await load('title,nonsense\na,b\n', { headers: { 'Content-Type': 'text/csv' } })
	assert.deepEqual([job.status, job.error.code, job.error.errors.map(item => item.path)], ['failed', 'validation_failed', ['#col=2']])
})

test('lines that fail are told with their numbers, 100 of them', async () => {
	const body = Array.from({ length: 300 }, (_, i) => line({ title: `mixed ${i}`, severity: i % 2 ? 'low' : 'worst' })).join('\n\n') + `\n${'x'.repeat(1100000)}\n${line({ title: 'mixed end' })}`
	const job = await load(body)
	summary(job, { lines: 302, created: 151, replayed: 0, failed: 151 })
	assert.deepEqual([job.status, job.result.errors.length, job.result.errorsOmitted], ['succeeded', 100, 51])
	assert.deepEqual(job.result.errors.slice(0, 3).map(item => item.line), [1, 5, 9])
	assert.equal(job.result.errors[0].errors[0].path, '/payload/severity')
})

test('a line that is too long fails with its number', async () => {
	const job = await load(`${line({ title: 'long a' })}\n${JSON.stringify({ title: 'x'.repeat(1100000) })}\n${line({ title: 'long b' })}\n`)
	summary(job, { lines: 3, created: 2, replayed: 0, failed: 1 })
	assert.deepEqual(job.result.errors, [{ line: 2, status: 'failed', errors: [{ path: '', code: 'payload_too_large', message: 'must be at most 1048576 bytes long' }] }])
})

test('mode=atomic loads all lines or, when one fails, none', async () => {
	const good = await load(lines('whole', 2100), { query: '?mode=atomic' })
	summary(good, { lines: 2100, created: 2100, replayed: 0, failed: 0 })
	const bad = await load(lines('none', 2100) + line({ severity: 'worst' }), { query: '?mode=atomic' })
	assert.deepEqual([bad.status, bad.error.code, bad.error.detail], ['failed', 'validation_failed', 'of 2101 lines 1 failed, so that none is loaded'])
	summary(bad, { lines: 2101, created: 0, replayed: 0, failed: 1 })
	assert.deepEqual(bad.result.errors.map(item => item.line), [2101])
	assert.deepEqual([await count('whole'), await count('none')], [2100, 0])
})

test('dryRun, onConflict and onError are those of a synchronous load', async () => {
	summary(await load(lines('dry', 2100, { badge: 'one' }), { query: '?dryRun=true' }), { lines: 2100, created: 0, valid: 1, replayed: 0, failed: 2099 })
	assert.equal(await count('dry'), 0)
	await load(lines('upsert', 1, { badge: 'B-1' }))
	const upsert = await load(`${line({ title: 'upsert again', badge: 'B-1' })}\n${line({ title: 'upsert new', badge: 'B-2' })}\n`, { query: '?onConflict=update&externalId=badge' })
	summary(upsert, { lines: 2, created: 1, updated: 1, replayed: 0, failed: 0 })
	assert.equal(upsert.rowCount, 2)
	const stopped = await load(lines('stop', 3) + line({ severity: 'worst' }) + '\n' + lines('behind', 3000), { query: '?onError=stop' })
	summary(stopped, { lines: 4, created: 3, replayed: 0, failed: 1 })
	assert.equal(await count('behind'), 0)
})

test('the same call with its Idempotency-Key answers the same job, and with another body 422', async () => {
	const headers = { 'Idempotency-Key': 'nightly' }
	const id = await queue(lines('once', 10), { headers })
	const again = await send(lines('once', 10), { headers })
	assert.deepEqual([again.status, again.json.jobId, again.headers['idempotency-replayed']], [202, id, 'true'])
	assertProblem(await send(lines('once', 11), { headers }), 422, 'idempotency_key_conflict')
	await ended(id)
	assert.equal(await count('once'), 10)
	// the keys of the lines are those of a synchronous load
	const answer = await send(lines('once', 10), { headers: { ...headers, Prefer: '' } })
	assert.deepEqual(JSON.parse(answer.text.trimEnd().split('\n').at(-1)).summary.replayed, 10)
})

test('what a synchronous load would be refused is refused before the body is kept', async () => {
	assertProblem(await send('{}', { target: '/api/v1/modules/nowhere/bulk' }), 404, 'not_found')
	assertProblem(await send('{}', { query: '?mode=some' }), 400, 'invalid_parameter')
	assertProblem(await send('{}', { headers: { 'Content-Type': 'text/plain' } }), 415, 'unsupported_media_type')
	assertProblem(await send('{}', { headers: { 'Idempotency-Key': 'ü' } }), 400, 'invalid_parameter')
	const reader = await tenant.makeKey({ roles: ['viewer'] })
	assertProblem(await send('{}', { key: reader.key }), 403, 'forbidden')
	assertProblem(await send('{}', { key: 'qehs_live_sk_none' }), 401, 'unauthenticated')
	assert.equal((await tenant.api.get('/api/v1/jobs?kind=bulk_load&status=queued')).json.items.length, 0)
})

test('no lines at all are loaded, too', async () => {
	summary(await load(''), { lines: 0, created: 0, replayed: 0, failed: 0 })
	summary(await load('\n\n'), { lines: 0, created: 0, replayed: 0, failed: 0 })
})

test('a body counts against the quota until its job has ended, and beyond it is 507', async () => {
	const other = await makeTenant('bulkquota')
	await other.sql('SELECT qehs.storage_quota_set(100000)')
	const options = { key: other.key }
	assertProblem(await send(lines('much', 5000), options), 507, 'insufficient_storage')
	const chunked = await request('POST', path, { key: other.key, body: lines('much', 5000), headers: { 'Content-Type': 'application/x-ndjson', Prefer: 'respond-async', Expect: '100-continue' } })
	assertProblem(chunked, 507, 'insufficient_storage')
	// a job that waits for a worker
	await other.sql(`INSERT INTO qehs.job (tenant_id, id, kind, created_at, not_before, created_by, input_bytes)
		SELECT id, gen_random_uuid(), 'bulk_load', now(), now() + interval '1 hour', '00000000-0000-0000-0000-000000000000', 99900 FROM qehs.tenant WHERE slug = '${other.slug}'`)
	assertProblem(await send(lines('few', 5), options), 507, 'insufficient_storage')
	await psql(`UPDATE qehs.job SET state = 'cancelled', finished_at = now() WHERE input_bytes = 99900`)
	await psql('SELECT qehs.job_release_input()')
	assert.equal((await ended(await queue(lines('few', 5), options), other.api)).status, 'succeeded')
})

test('a job that waits is cancelled at once; those of others cannot be seen', async () => {
	const id = await queue(lines('seen', 1))
	const stranger = await makeTenant('bulkother')
	assertProblem(await stranger.api.get(`/api/v1/jobs/${id}`), 404, 'not_found')
	await ended(id)
	assert.equal((await tenant.api.delete(`/api/v1/jobs/${id}`)).json.status, 'succeeded')
})
