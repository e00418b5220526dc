// Bulk loads over HTTP: lines in, lines out, in chunks; what goes wrong with a line, with a call, with a connection.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import http from 'node:http'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { assertProblem, base, request } from './lib/client.mjs'
import { until } from './lib/process.mjs'
import { definition, makeTenant, payload, psql } from './lib/tenant.mjs'

const tenant = await makeTenant('bulk')
const LINES = 'application/x-ndjson'
const path = '/api/v1/modules/incidents/bulk'
const line = members => JSON.stringify(payload(members))
const many = (count, members = {}) => Array.from({ length: count }, (_, i) => line({ title: `line ${i + 1}`, ...members })).join('\n') + '\n'

// Send lines; gives the answer with its lines parsed and the summary taken off.
async function bulk(body, { query = '', headers = {}, key = tenant.key, target = path } = {}) {
	const answer = await request('POST', target + query, { key, body, headers: { 'Content-Type': LINES, ...headers } })
	if (answer.status !== 200) return answer
	assert.equal(answer.headers['content-type'], LINES)
	const lines = answer.text.trimEnd().split('\n').map(text => JSON.parse(text))
	const last = lines.pop()
	return { ...answer, lines, summary: last.summary, error: last.error }
}

// Open a load and leave its body open: {outgoing, answer}.
function open(query = '', headers = {}, key = tenant.key) {
	const outgoing = http.request({ host: base.hostname, port: base.port, method: 'POST', path: path + query, agent: false,
		headers: { Authorization: `Bearer ${key}`, 'Content-Type': LINES, 'Transfer-Encoding': 'chunked', ...headers } })
	const answer = new Promise((resolve, reject) => {
		outgoing.on('error', reject)
		outgoing.on('response', response => {
			let text = ''
			response.on('data', part => { text += part })
			response.on('error', reject)
			response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, text }))
		})
	})
	answer.catch(() => {})
	return { outgoing, answer }
}

const count = async where => Number(await psql(`SELECT count(*) FROM qehs.record AS r JOIN qehs.tenant AS t ON t.id = r.tenant_id WHERE t.slug = '${tenant.slug}' AND ${where}`))
const summary = (answer, expected) => {
	const { durationMs, ...rest } = answer.summary
	assert.ok(Number.isInteger(durationMs))
	assert.deepEqual(rest, expected)
}

test('a few lines', async () => {
	const answer = await bulk(`${line({ title: 'one' })}\n${line({ title: 'two' })}\n`)
	assert.deepEqual(answer.lines.map(item => [item.line, item.status]), [[1, 'created'], [2, 'created']])
	summary(answer, { lines: 2, created: 2, replayed: 0, failed: 0 })
	const record = (await tenant.api.get(`/api/v1/records/${answer.lines[1].id}`)).json
	assert.equal(record.payload.title, 'two')
	assert.equal(record.activity.length, 1)
})

test('the path without a version is the same', async () => {
	summary(await bulk(line(), { target: '/api/modules/incidents/bulk' }), { lines: 1, created: 1, replayed: 0, failed: 0 })
})

test('no lines at all', async () => {
	for (const body of ['', '\n', '\r\n\n', '\ufeff'])
		summary(await bulk(body), { lines: 0, created: 0, replayed: 0, failed: 0 })
})

test('a byte order mark, CRLF, empty lines, a last line without newline', async () => {
	const answer = await bulk(`\ufeff${line()}\r\n\r\n\n${line()}\r\n${line()}`)
	assert.deepEqual(answer.lines.map(item => [item.line, item.status]), [[1, 'created'], [4, 'created'], [5, 'created']])
})

test('lines that fail are named by their numbers and harm no other, over many chunks', async () => {
	const lines = many(9000).trimEnd().split('\n')
	const wrong = new Map([[1, ['{', 'malformed_json']], [1999, [line({ severity: 'none' }), 'enum']], [2000, ['[1]', undefined]], [2001, [line({ cost: 'x' }), 'type']],
		[6000, ['{"title":"x","title":"y","severity":"low"}', undefined]], [8999, [Buffer.from('{"title":"\xff","severity":"low"}', 'latin1'), undefined]]])
	for (const [number, [text]] of wrong) lines[number - 1] = text
	const answer = await bulk(Buffer.concat(lines.flatMap(text => [Buffer.from(text), Buffer.from('\n')])))
	assert.deepEqual(answer.lines.map(item => item.line), Array.from({ length: 9000 }, (_, i) => i + 1))
	assert.deepEqual(answer.lines.filter(item => item.status === 'failed').map(item => item.line), [...wrong.keys()])
	for (const [number, [, code]] of wrong) {
		const { errors } = answer.lines[number - 1]
		assert.ok(errors.length > 0 && errors.every(item => typeof item.path === 'string' && item.code && item.message))
		if (code) assert.equal(errors[0].code, code)
	}
	assert.equal(new Set(answer.lines.filter(item => item.id).map(item => item.id)).size, 8994)
	summary(answer, { lines: 9000, created: 8994, replayed: 0, failed: 6 })
})

test('a line that is too long fails alone, wherever it stands', async () => {
	const long = 'x'.repeat(3 << 20)
	for (const [lines, bad] of [[[long, line(), line()], [1]], [[line(), long, line()], [2]], [[line(), line(), long], [3]], [[long, long, line()], [1, 2]],
		[[line(), line({ description: 'y'.repeat(1 << 20) }), line()], [2]]])
		for (const end of ['\n', '']) {
			const answer = await bulk(lines.join('\n') + end)
			assert.deepEqual(answer.lines.map(item => item.line), [1, 2, 3])
			assert.deepEqual(answer.lines.filter(item => item.status === 'failed').map(item => item.line), bad)
			for (const number of bad) assert.equal(answer.lines[number - 1].errors[0].code, 'payload_too_large')
		}
})

test('gzip, in one member and in two', async () => {
	const body = Buffer.from(many(2000))
	for (const packed of [gzipSync(body), Buffer.concat([gzipSync(body.subarray(0, 1000)), gzipSync(body.subarray(1000))])])
		summary(await bulk(packed, { headers: { 'Content-Encoding': 'gzip' } }), { lines: 2000, created: 2000, replayed: 0, failed: 0 })
})

test('zstd', async () => {
	const packed = await new Promise((resolve, reject) => {
		const child = execFile('zstd', ['-q', '-c'], { encoding: 'buffer', maxBuffer: 1 << 26 }, (error, stdout) => error ? reject(error) : resolve(stdout))
		child.stdin.on('error', () => {})
		child.stdin.end(many(2000))
	})
	summary(await bulk(packed, { headers: { 'Content-Encoding': 'zstd' } }), { lines: 2000, created: 2000, replayed: 0, failed: 0 })
	summary(await bulk(Buffer.concat([packed, packed]), { headers: { 'Content-Encoding': 'zstd' } }), { lines: 4000, created: 4000, replayed: 0, failed: 0 })
})

test('a body that is not what its encoding says, or is cut, ends with an error and no summary', async () => {
	const packed = gzipSync(many(100))
	for (const [encoding, body] of [['gzip', line()], ['zstd', line()], ['gzip', packed.subarray(0, packed.length - 9)], ['gzip', Buffer.concat([packed, Buffer.from('x')])]]) {
		const answer = await bulk(body, { headers: { 'Content-Encoding': encoding } })
		assert.equal(answer.summary, undefined)
		assert.equal(answer.error.code, 'malformed_request')
	}
	assertProblem(await bulk(line(), { headers: { 'Content-Encoding': 'br' } }), 415, 'unsupported_media_type')
	assertProblem(await bulk(line(), { headers: { 'Content-Type': 'text/plain' } }), 415, 'unsupported_media_type')
})

test('the same call with the same key loads nothing twice', async () => {
	const body = many(1200, { severity: 'critical' })
	const headers = { 'Idempotency-Key': 'once' }
	const first = await bulk(body, { headers })
	const again = await bulk(body, { headers })
	assert.deepEqual(again.lines, first.lines.map(item => ({ ...item, status: 'replayed' })))
	summary(again, { lines: 1200, created: 0, replayed: 1200, failed: 0 })
	assert.equal(await count(`payload ->> 'severity' = 'critical'`), 1200)
	assertProblem(await bulk(body, { headers: { 'Idempotency-Key': 'x'.repeat(256) } }), 400, 'invalid_parameter')
})

test('mode=atomic is all or nothing', async () => {
	const mark = { site: 'Atomic' }
	const lines = many(1500, mark).trimEnd().split('\n')
	const whole = await bulk(lines.join('\n'), { query: '?mode=atomic' })
	assert.equal(whole.lines.length, 1500)
	summary(whole, { lines: 1500, created: 1500, replayed: 0, failed: 0 })
	lines[3] = lines[1400] = line({ severity: 'none' })
	const none = await bulk(lines.join('\n'), { query: '?mode=atomic' })
	assert.deepEqual(none.lines.map(item => [item.line, item.status]), [[4, 'failed'], [1401, 'failed']])
	summary(none, { lines: 1500, created: 0, replayed: 0, failed: 2 })
	assert.equal(await count(`payload ->> 'site' = 'Atomic'`), 1500)
})

test('dryRun=true loads nothing', async () => {
	const answer = await bulk(`${line({ site: 'Dry' })}\n${line({ severity: 'none' })}\n`, { query: '?dryRun=true' })
	assert.deepEqual(answer.lines.map(item => item.status), ['valid', 'failed'])
	summary(answer, { lines: 2, created: 0, valid: 1, replayed: 0, failed: 1 })
	assert.equal(await count(`payload ->> 'site' = 'Dry'`), 0)
})

test('onError=stop loads nothing behind the first line that fails', async () => {
	const lines = many(2000, { site: 'Stop' }).trimEnd().split('\n')
	lines[699] = '{'
	const answer = await bulk(lines.join('\n'), { query: '?onError=stop' })
	assert.deepEqual(answer.lines.at(-1).line, 700)
	summary(answer, { lines: 700, created: 699, replayed: 0, failed: 1 })
	assert.equal(await count(`payload ->> 'site' = 'Stop'`), 699)
})

test('onConflict=update merges by a unique field', async () => {
	const query = '?onConflict=update&externalId=badge'
	const first = await bulk(`${line({ badge: 'u1' })}\n${line({ badge: 'u2' })}\n`, { query })
	summary(first, { lines: 2, created: 2, updated: 0, replayed: 0, failed: 0 })
	const second = await bulk(`${line({ badge: 'u2', cost: 7 })}\n${line({ badge: 'u3' })}\n`, { query })
	assert.deepEqual(second.lines.map(item => item.status), ['updated', 'created'])
	summary(second, { lines: 2, created: 1, updated: 1, replayed: 0, failed: 0 })
	assert.equal(second.lines[0].id, first.lines[1].id)
	assert.equal((await tenant.api.get(`/api/v1/records/${first.lines[1].id}`)).json.payload.cost, 7)
})

test('who may not load is told so before the body', async () => {
	const viewer = await tenant.makeKey({ scopes: ['records.read'], roles: ['viewer'] })
	for (const body of [line(), many(20000)]) {
		assertProblem(await bulk(body, { key: viewer.key }), 403, 'forbidden')
		assertProblem(await bulk(body, { key: null }), 401, 'unauthenticated')
		assertProblem(await bulk(body, { target: '/api/v1/modules/nowhere/bulk' }), 404, 'not_found')
		assertProblem(await bulk(body, { query: '?mode=x' }), 400, 'invalid_parameter')
		assertProblem(await bulk(body, { query: '?unheard_of=1' }), 400, 'invalid_parameter')
	}
	assertProblem(await request('GET', path, { key: tenant.key }), 405, 'method_not_allowed')
})

test('a load counts once against the rate limit', async () => {
	const { key } = await tenant.makeKey({ rateLimit: 10 })
	summary(await bulk(many(20 * 2000), { key }), { lines: 40000, created: 40000, replayed: 0, failed: 0 })
	const answer = await request('GET', '/api/v1/modules', { key })
	assert.equal(answer.headers['x-ratelimit-remaining'], '8')
})

test('lines load while the body is still open', async () => {
	const { outgoing, answer } = open()
	outgoing.write(`${line({ site: 'Slow' })}\n${line({ site: 'Slow' })}\n{"title":`)
	await until('two lines committed', async () => await count(`payload ->> 'site' = 'Slow'`) === 2)
	outgoing.end('"third","severity":"low","site":"Slow"}')
	assert.equal(JSON.parse((await answer).text.trimEnd().split('\n').at(-1)).summary.created, 3)
})

test('the eleventh at once gets 429, and a place that was left can be taken', async () => {
	const other = await makeTenant('bulk_places', definition)
	const places = async () => Number(await psql(`SELECT count(*) FROM pg_locks AS l JOIN pg_database AS d ON d.oid = l.database AND d.datname = current_database()
		WHERE locktype = 'advisory' AND objsubid = 5 AND classid = (SELECT id FROM qehs.tenant WHERE slug = '${other.slug}')`))
	const loads = Array.from({ length: 10 }, () => open('', {}, other.key))
	for (const { outgoing } of loads) outgoing.write(`${line()}\n`)
	await until('ten places taken', async () => await places() === 10)
	const refused = await bulk(line(), { key: other.key })
	assertProblem(refused, 429, 'rate_limited')
	assert.ok(Number(refused.headers['retry-after']) > 0)
	summary(await bulk(line()), { lines: 1, created: 1, replayed: 0, failed: 0 })
	loads[0].outgoing.destroy()
	await until('a place given back by who left', async () => await places() === 9)
	summary(await bulk(line(), { key: other.key }), { lines: 1, created: 1, replayed: 0, failed: 0 })
	for (const { outgoing } of loads.slice(1)) outgoing.end()
	for (const { answer } of loads.slice(1)) assert.equal(JSON.parse((await answer).text.trimEnd().split('\n').at(-1)).summary.created, 1)
	await until('no place is taken', async () => await places() === 0)
})

test('a client that leaves in the middle can send the same again', async () => {
	const body = many(3000, { site: 'Left' })
	const headers = { 'Idempotency-Key': 'left' }
	const { outgoing } = open('', headers)
	outgoing.write(body.slice(0, body.length / 2))
	await until('some lines committed', async () => await count(`payload ->> 'site' = 'Left'`) > 0)
	outgoing.destroy()
	const answer = await bulk(body, { headers })
	assert.equal(answer.summary.created + answer.summary.replayed, 3000)
	assert.ok(answer.summary.replayed > 0)
	assert.equal(await count(`payload ->> 'site' = 'Left'`), 3000)
})

test('a client that leaves an atomic load leaves nothing', async () => {
	const { outgoing } = open('?mode=atomic')
	outgoing.write(many(2000, { site: 'Gone' }))
	const transactions = async () => Number(await psql(`SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND usename = 'qehs_shim' AND state LIKE 'idle in transaction%'`))
	await until('its transaction is open', async () => await transactions() > 0)
	outgoing.destroy()
	await until('its session ended', async () => await transactions() === 0)
	assert.equal(await count(`payload ->> 'site' = 'Gone'`), 0)
})

test('a revoked key ends the load with an error and no summary', async () => {
	const { key, keyId } = await tenant.makeKey()
	const { outgoing, answer } = open('', {}, key)
	outgoing.write(`${line({ site: 'Revoked' })}\n`)
	await until('the first line committed', async () => await count(`payload ->> 'site' = 'Revoked'`) === 1)
	assert.equal((await tenant.api.delete(`/api/v1/api-keys/${keyId}`)).status, 204)
	outgoing.end(`${line({ site: 'Revoked' })}\n`)
	const lines = (await answer).text.trimEnd().split('\n').map(text => JSON.parse(text))
	assert.deepEqual(lines.map(item => item.status ?? item.error.code), ['created', 'unauthenticated'])
	assert.equal(await count(`payload ->> 'site' = 'Revoked'`), 1)
})

test('a lost database connection ends the load with an error, and the same call goes on', async () => {
	const body = many(3000, { site: 'Lost' })
	const headers = { 'Idempotency-Key': 'lost' }
	const { outgoing, answer } = open('', headers)
	outgoing.write(body.slice(0, body.length / 2))
	await until('some lines committed', async () => await count(`payload ->> 'site' = 'Lost'`) > 0)
	await psql(`SELECT pg_terminate_backend(l.pid) FROM pg_locks AS l JOIN pg_database AS d ON d.oid = l.database AND d.datname = current_database()
		WHERE locktype = 'advisory' AND objsubid = 5 AND classid = (SELECT id FROM qehs.tenant WHERE slug = '${tenant.slug}') \\g /dev/null`)
	outgoing.end(body.slice(body.length / 2))
	const last = JSON.parse((await answer).text.trimEnd().split('\n').at(-1))
	assert.equal(last.error.code, 'unavailable')
	const again = await bulk(body, { headers })
	assert.equal(again.summary.created + again.summary.replayed, 3000)
	assert.equal(await count(`payload ->> 'site' = 'Lost'`), 3000)
})
