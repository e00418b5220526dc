// A module is published anew while its records stand: they keep their version until they are migrated.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertOk, assertProblem } from './lib/client.mjs'
import { definition, makeRecord, makeTenant } from './lib/tenant.mjs'

const tenant = await makeTenant('migrate')
const { api } = tenant
const first = await makeRecord(tenant, { badge: 'B1', rca_text: 'because' })
const second = await makeRecord(tenant)
const path = `/api/v1/records/${first.id}`
const next = {
	...definition,
	fields: [...definition.fields.filter(({ key }) => key !== 'badge' && key !== 'rca_text'),
		{ key: 'tag', type: 'identifier' }, { key: 'region', type: 'text', required: true, indexed: true }],
	workflow: { ...definition.workflow, transitions: { ...definition.workflow.transitions, close: { from: 'investigating', to: 'closed' } } },
	migrate: { rename: { badge: 'tag' }, drop: ['rca_text'], default: { region: 'North' } },
}

test('publishing tells every fault of the rules', async () => {
	const answer = await api.put('/api/v1/modules/incidents', { ...next, migrate: { rename: { badge: 'tags_' }, drop: 1 } })
	const { errors } = assertProblem(answer, 400, 'validation_failed')
	assert.deepEqual(errors.map(error => error.path).sort(), ['/migrate/drop', '/migrate/rename/badge'])
	const { rename, drop } = next.migrate
	const narrowed = await api.put('/api/v1/modules/incidents', { ...next, migrate: { rename, drop } })
	assert.deepEqual(assertProblem(narrowed, 400, 'validation_failed').errors.map(({ path, code }) => [path, code]),
		[[`/fields/${next.fields.length - 1}/required`, 'narrowing']])
	assert.equal(assertOk(await api.put('/api/v1/modules/incidents', next)).definitionVersion, 2)
})

test('a record moves once, with an event and a new ETag', async () => {
	assertProblem(await api.post(`${path}:migrate`, {}, { 'If-Match': '"7"' }), 412, 'version_mismatch')
	const answer = await api.post(`${path}:migrate`, { definitionVersion: 2 }, { 'If-Match': '"1"', 'Idempotency-Key': 'move' })
	const record = assertOk(answer)
	assert.equal(answer.headers.etag, '"2"')
	assert.equal(record.definitionVersion, 2)
	assert.deepEqual(record.payload, { title: first.payload.title, severity: 'low', tag: 'B1', region: 'North' })
	const found = assertOk(await api.get(path))
	assert.deepEqual(found.activity.map(event => event.type), ['migrated', 'created'])
	assert.deepEqual(found.activity[0].changes.map(change => change.path).sort(),
		['/payload/badge', '/payload/rca_text', '/payload/region', '/payload/tag'])
	// a replay, and a second move, change nothing
	assert.equal((await api.post(`${path}:migrate`, { definitionVersion: 2 }, { 'If-Match': '"1"', 'Idempotency-Key': 'move' })).headers['idempotency-replayed'], 'true')
	assert.equal(assertOk(await api.post(`${path}:migrate`, {})).version, 2)
})

test('a version that there is not, and one before', async () => {
	for (const definitionVersion of [0, 3, 1])
		assert.deepEqual(assertProblem(await api.post(`${path}:migrate`, { definitionVersion }), 400, 'validation_failed').errors.map(error => error.path), ['/definitionVersion'])
})

test('a list shows records of both versions', async () => {
	const { items } = assertOk(await api.get('/api/v1/records?moduleKey=incidents&filter[severity]=low&sort=createdAt'))
	assert.deepEqual(items.map(({ id, definitionVersion }) => [id, definitionVersion]), [[first.id, 2], [second.id, 1]])
})
