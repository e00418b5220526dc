// The 21,578 OSHA reports with one line in a hundred broken, of twenty kinds: each broken line is answered with its number, pointer,
// code and message, and all others load; in a dry run, atomically, up to the first failure, and resumed with the same key.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { reports } from '../data/incidents.mjs'
import { request } from './lib/client.mjs'
import { Random } from './lib/generate.mjs'
import { makeTenant, psql } from './lib/tenant.mjs'

const definition = JSON.parse(readFileSync(new URL('../../sql/modules/incidents.json', import.meta.url)))
definition.fields.push({ key: 'badge', label: 'Badge', type: 'identifier' }, { key: 'diagnosis', label: 'Diagnosis', type: 'text' })
definition.permissions.fields = { diagnosis: { read: ['manager'], write: ['manager'] } }
const tenant = await makeTenant('bulk_osha', definition)
// a caller who is no administrator
const { key } = await tenant.makeKey({ roles: ['tenant-user'] })
const random = new Random(1904)

const good = [...reports()].map((payload, i) => ({ ...payload, badge: `REPORT-${i + 1}` }))
const json = JSON.stringify
// kind: [line from a good payload, path, code]
const kinds = {
	'malformed JSON': [payload => json(payload).slice(0, -1), '', 'malformed_json'],
	'something behind the object': [payload => `${json(payload)} {}`, '', 'malformed_json'],
	'invalid UTF-8': [payload => Buffer.from(json({ ...payload, title: 'caf\xe9' }), 'latin1'), '', 'utf8'],
	'too long': [payload => json({ ...payload, description: 'x'.repeat(1 << 20) }), '', 'payload_too_large'],
	'an array': [payload => json([payload]), '', 'type'],
	'a bare text': [() => '"text"', '', 'type'],
	'a duplicate key': [payload => json(payload).replace('{', '{"title":"first",'), '', 'duplicate_key'],
	'U+0000': [payload => json({ ...payload, title: 'a\u0000b' }), '', 'nul'],
	'65 levels': [payload => json({ ...payload, root_causes: 0 }).replace('"root_causes":0', `"root_causes":${'{"a":'.repeat(64)}1${'}'.repeat(64)}`), '', 'depth'],
	'a number out of range': [payload => json(payload).replace('{', '{"amputation":1e999999,').replace(/,"amputation":\d+/, ''), '', 'number_range'],
	'an unknown member': [payload => json({ ...payload, nobody: 1 }), '/payload/nobody', 'unknown_member'],
	'a wrong type': [payload => json({ ...payload, hospitalized: 'two' }), '/payload/hospitalized', 'type'],
	'an unknown option': [payload => json({ ...payload, severity: 'dire' }), '/payload/severity', 'enum'],
	'a required member that is missing': [({ title, ...payload }) => json(payload), '/payload/title', 'required'],
	'a text that is too long': [payload => json({ ...payload, naics: '12345678901' }), '/payload/naics', 'maxLength'],
	'a day that is none': [payload => json({ ...payload, occurred_at: '2017-02-30T10:00:00Z' }), '/payload/occurred_at', 'format'],
	'a negative count': [payload => json({ ...payload, hospitalized: -1 }), '/payload/hospitalized', 'minimum'],
	'a value that a record has': [payload => json({ ...payload, badge: 'STORED' }), '/payload/badge', 'unique'],
	'a value that an earlier line has': [payload => json({ ...payload, badge: 'REPORT-1' }), '/payload/badge', 'unique'],
	'a state that is not to be chosen': [payload => json({ payload, workflowState: 'closed' }), '/workflowState', 'forbidden'],
	'a state that is none': [payload => json({ payload, workflowState: 'nowhere' }), '/workflowState', 'enum'],
	'a time of creation that is not to be set': [payload => json({ payload, createdAt: '2017-01-01T00:00:00Z' }), '/createdAt', 'forbidden'],
	'a key that is none': [payload => json({ payload, idempotencyKey: '' }), '/idempotencyKey', 'length'],
	'a field that is not to be written': [payload => json({ ...payload, diagnosis: 'x' }), '/payload/diagnosis', 'forbidden'],
}

const lines = good.map(json)
const broken = new Map()
const names = Object.keys(kinds)
while (broken.size < Math.round(good.length / 100)) {
	const number = random.int(2, good.length)
	if (broken.has(number)) continue
	const kind = names[broken.size % names.length]
	const [make, path, code] = kinds[kind]
	lines[number - 1] = make(good[number - 1])
	broken.set(number, { kind, path, code })
}
const body = Buffer.concat(lines.flatMap(line => [Buffer.from(line), Buffer.from('\n')]))
const first = Math.min(...broken.keys())

async function bulk(query) {
	const answer = await request('POST', `/api/v1/modules/incidents/bulk${query}`,
		{ key, body, headers: { 'Content-Type': 'application/x-ndjson', 'Idempotency-Key': 'osha' } })
	assert.equal(answer.status, 200, answer.text)
	const all = answer.text.trimEnd().split('\n').map(text => JSON.parse(text))
	const { durationMs, ...summary } = all.pop().summary
	return { all, summary }
}

function assertBroken(all, numbers = [...broken.keys()]) {
	const failed = all.filter(item => item.status === 'failed')
	assert.deepEqual(failed.map(item => item.line), numbers.toSorted((a, b) => a - b))
	for (const { line, errors } of failed) {
		const { kind, path, code } = broken.get(line)
		assert.deepEqual(errors.map(error => [error.path, error.code]), [[path, code]], `line ${line}: ${kind}: ${json(errors)}`)
		assert.ok(errors[0].message.length > 0)
	}
}

const stored = async () => Number(await psql(`SELECT count(*) FROM qehs.record WHERE tenant_id = (SELECT id FROM qehs.tenant WHERE slug = '${tenant.slug}')`)) - 1

test('there are twelve kinds and more, each several times', () => {
	assert.equal(good.length, 21578)
	assert.ok(names.length >= 12)
	for (const kind of names) assert.ok([...broken.values()].filter(item => item.kind === kind).length >= 5)
})

test('a dry run names them and loads nothing', async () => {
	assert.equal((await tenant.api.post('/api/v1/records', { moduleKey: 'incidents', payload: { title: 'x', severity: 'low', badge: 'STORED' } })).status, 201)
	const { all, summary } = await bulk('?dryRun=true')
	assertBroken(all)
	assert.deepEqual(summary, { lines: good.length, created: 0, valid: good.length - broken.size, replayed: 0, failed: broken.size })
	assert.equal(await stored(), 0)
})

test('an atomic load names them and loads nothing', async () => {
	const { all, summary } = await bulk('?mode=atomic')
	assert.equal(all.length, broken.size)
	assertBroken(all)
	assert.deepEqual(summary, { lines: good.length, created: 0, replayed: 0, failed: broken.size })
	assert.equal(await stored(), 0)
})

test('with onError=stop all before the first load', async () => {
	const { all, summary } = await bulk('?onError=stop')
	assert.equal(all.length, first)
	assertBroken(all, [first])
	assert.deepEqual(summary, { lines: first, created: first - 1, replayed: 0, failed: 1 })
	assert.equal(await stored(), first - 1)
})

test('all others load, and once', async () => {
	const { all, summary } = await bulk('')
	assert.equal(all.length, good.length)
	assertBroken(all)
	assert.deepEqual(summary, { lines: good.length, created: good.length - broken.size - (first - 1), replayed: first - 1, failed: broken.size })
	const again = await bulk('')
	assertBroken(again.all)
	assert.deepEqual(again.all.filter(item => item.id).map(item => [item.line, item.status, item.id]),
		all.filter(item => item.id).map(item => [item.line, 'replayed', item.id]))
	assert.equal(await stored(), good.length - broken.size)
	// what is stored is what was sent
	const some = all.filter(item => item.id).filter((_, i) => i % 1000 === 0)
	for (const { line, id } of some) {
		const record = (await tenant.api.get(`/api/v1/records/${id}`)).json
		assert.deepEqual(record.payload, good[line - 1])
		assert.deepEqual(record.activity.map(event => event.type), ['created'])
	}
})
