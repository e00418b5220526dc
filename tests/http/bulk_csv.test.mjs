// Bulk loads of CSV: records that arrive in any pieces, what is asked by query parameters, headers that cannot be used.
import assert from 'node:assert/strict'
import http from 'node:http'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { assertProblem, base, request } from './lib/client.mjs'
import { makeTenant } from './lib/tenant.mjs'

const tenant = await makeTenant('csv')
const path = '/api/v1/modules/incidents/bulk'
const CSV = 'text/csv; charset=utf-8'

// Load a CSV; gives the answer lines, the summary and the error that took its place.
async function load(body, { query = '', headers = {} } = {}) {
	const answer = await request('POST', path + query, { key: tenant.key, body, headers: { 'Content-Type': CSV, ...headers } })
	if (answer.status !== 200) return answer
	const lines = answer.text.trimEnd().split('\n').map(text => JSON.parse(text))
	const last = lines.pop()
	return { ...answer, lines, summary: last.summary, error: last.error }
}
const titles = async q => (await tenant.api.get(`/api/v1/records?moduleKey=incidents&filter[title][startsWith]=${q}&sort=createdAt&limit=200`)).json.items.map(item => item.payload.title)

test('a file as spreadsheets write it', async () => {
	const answer = await load('\ufeffTitle,severity,cost,due\r\n"first, ""quoted""\r\nin two lines",low,007.50,2026-03-04\r\nfirst and plain,high,,\r\n')
	assert.deepEqual(answer.lines.map(item => [item.line, item.status]), [[2, 'created'], [3, 'created']])
	const { durationMs, ...summary } = answer.summary
	assert.ok(Number.isInteger(durationMs))
	assert.deepEqual(summary, { lines: 2, created: 2, replayed: 0, failed: 0 })
	const { payload } = (await tenant.api.get(`/api/v1/records/${answer.lines[0].id}`)).json
	assert.deepEqual(payload, { title: 'first, "quoted"\r\nin two lines', severity: 'low', cost: 7.5, due: '2026-03-04' })
})

test('a body in pieces of one byte', async () => {
	const body = Buffer.from('\ufefftitle,severity\r\n"piece ""ä""\r\n\r\n, two",low\r\n"","high"\r\n\r\npiece of 5" pipe,low')
	const outgoing = http.request({ host: base.hostname, port: base.port, method: 'POST', path, agent: false,
		headers: { Authorization: `Bearer ${tenant.key}`, 'Content-Type': 'Text/CSV', 'Transfer-Encoding': 'chunked' } })
	const answer = new Promise((resolve, reject) => {
		outgoing.on('error', reject)
		outgoing.on('response', async response => {
			let text = ''
			for await (const part of response) text += part
			resolve(text)
		})
	})
	outgoing.setNoDelay(true)
	for (const byte of body) {
		outgoing.write(Buffer.of(byte))
		await new Promise(setImmediate)
	}
	outgoing.end()
	const lines = (await answer).trimEnd().split('\n').map(line => JSON.parse(line))
	assert.deepEqual(lines.slice(0, -1).map(line => [line.line, line.status, line.errors?.map(error => error.path)]),
		[[2, 'created', undefined], [3, 'failed', ['/payload/title']], [5, 'created', undefined]])
	assert.deepEqual(await titles('piece'), ['piece "ä"\r\n\r\n, two', 'piece of 5" pipe'])
})

test('more rows than a chunk, compressed, each with line breaks, once with a key however often it is sent', async () => {
	const rows = Array.from({ length: 5000 }, (_, i) => `"bulky\n${i}",low,${i % 7 === 0 ? -1 : i}\n`).join('')
	const once = () => load(gzipSync(`title,severity,cost\n${rows}`), { headers: { 'Content-Encoding': 'gzip', 'Idempotency-Key': 'rows' } })
	const first = await once()
	assert.deepEqual([first.summary.created, first.summary.failed], [4285, 715])
	assert.deepEqual(first.lines.map(line => line.line), Array.from({ length: 5000 }, (_, i) => i + 2))
	assert.deepEqual(first.lines.filter(line => line.status === 'failed').map(line => line.line), Array.from({ length: 715 }, (_, i) => i * 7 + 2))
	const again = await once()
	assert.deepEqual([again.summary.created, again.summary.replayed, again.summary.failed], [0, 4285, 715])
	assert.equal(again.lines[1].id, first.lines[1].id)
})

test('delimiter, columns and unknownColumns', async () => {
	const columns = encodeURIComponent(JSON.stringify({ 'Was geschah?': 'title', 'Lfd. Nr.': null, Breite: 'spot.lat' }))
	const answer = await load('Was geschah?;Severity;Lfd. Nr.;Breite;spot.lon;Bemerkung\nmapped;medium;1;48,1;11.6;x\nmapped;medium;1;48.1;11.6;\n',
		{ query: `?delimiter=%3B&columns=${columns}&unknownColumns=ignore` })
	assert.deepEqual(answer.lines.map(line => [line.status, line.errors]), [['failed', [{ path: '/payload/spot/lat', code: 'type', message: 'must be a number, not "48,1"' }]], ['created', undefined]])
	assert.deepEqual(await titles('mapped'), ['mapped'])
	for (const query of ['?delimiter=%3B', '?columns={}', '?unknownColumns=ignore']) {
		const refused = await request('POST', path + query, { key: tenant.key, body: '{}', headers: { 'Content-Type': 'application/x-ndjson' } })
		assertProblem(refused, 400, 'invalid_parameter')
	}
	for (const query of ['?delimiter=%3A', '?columns=[]', '?columns={"a":1}', '?columns={', '?unknownColumns=drop'])
		assertProblem(await load('title\n', { query }), 400, 'invalid_parameter')
	assertProblem(await load('title\n', { headers: { 'Content-Type': 'text/csv; charset=windows-1252' } }), 415, 'unsupported_media_type')
})

test('mode, dryRun and onConflict are those of lines', async () => {
	const file = 'badge,title,severity\nB1,kept,low\nB2,kept,nonsense\n'
	const atomic = await load(file, { query: '?mode=atomic' })
	assert.deepEqual(atomic.lines.map(line => line.status), ['failed'])
	const dry = await load(file, { query: '?dryRun=true' })
	assert.deepEqual([dry.summary.valid, dry.summary.failed], [1, 1])
	assert.deepEqual(await titles('kept'), [])
	await load('badge,title,severity,cost\nB1,kept,low,3\n')
	const merged = await load('Badge,title,cost\nB1,kept and merged,\n', { query: '?onConflict=update&externalId=badge' })
	assert.equal(merged.summary.updated, 1)
	const { payload } = (await tenant.api.get(`/api/v1/records/${merged.lines[0].id}`)).json
	assert.deepEqual(payload, { badge: 'B1', title: 'kept and merged', severity: 'low' })
})

test('a header that cannot be used is told in full, and nothing is loaded', async () => {
	const answer = await load('title,Employer,severity,title\nnever,x,low,y\n'.repeat(2))
	assert.deepEqual(answer.lines, [])
	assert.equal(answer.error.code, 'validation_failed')
	assert.deepEqual(answer.error.errors.map(error => [error.path, error.code]), [['#col=2', 'unknown_column'], ['#col=4', 'duplicate']])
	const only = await load('Employer')
	assert.deepEqual(only.error.errors.map(error => error.path), ['#col=1'])
	assert.match((await load('title;severity\na;low')).error.errors[0].message, /delimiter may be ";"/)
	assert.deepEqual((await load('title,severity')).lines, [])
	assert.equal((await load('title,severity')).summary.lines, 0)
	assert.equal((await load('')).summary.lines, 0)
	assert.deepEqual(await titles('never'), [])
})
