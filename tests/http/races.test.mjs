// Many clients on one record: exactly one wins, nothing is lost, nothing happens twice.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertOk, assertProblem } from './lib/client.mjs'
import { makeRecord, makeTenant, payload } from './lib/tenant.mjs'

const CLIENTS = 32
const tenant = await makeTenant('races')
const { api } = tenant
const all = (count, call) => Promise.all(Array.from({ length: count }, (_, i) => call(i)))

function assertOneWins(answers, losers) {
	const won = answers.filter(answer => answer.status === 200)
	assert.equal(won.length, 1, answers.map(answer => answer.status).join())
	for (const answer of answers.filter(answer => answer !== won[0])) assertProblem(answer, ...losers)
	return won[0].json
}

test('each transition has one winner', async () => {
	const record = await makeRecord(tenant, { description: 'x' })
	const path = `/api/v1/records/${record.id}`
	for (const transition of ['submit', 'investigate']) {
		const answers = await all(CLIENTS, i => api.post(`${path}:transition`, { transition, comment: `client ${i}` }))
		assertOneWins(answers, [409, 'transition_not_allowed'])
	}
	const found = assertOk(await api.get(path))
	assert.equal(found.version, 3)
	assert.equal(found.workflowState, 'investigating')
	assert.deepEqual(found.activity.map(event => event.type), ['transitioned', 'transitioned', 'created'])
})

test('each If-Match has one winner', async () => {
	const record = await makeRecord(tenant)
	const path = `/api/v1/records/${record.id}`
	for (let version = 1; version <= 3; version++) {
		const answers = await all(CLIENTS, i => api.patch(path, { payload: { count: i + version * 100 } }, { 'If-Match': `"${version}"` }))
		const winner = assertOneWins(answers, [412, 'version_mismatch'])
		assert.equal(winner.version, version + 1)
		assert.equal(assertOk(await api.get(path)).payload.count, winner.payload.count)
	}
})

test('no update is lost: each client changes a member of its own', async () => {
	const record = await makeRecord(tenant, { extra: {} })
	const path = `/api/v1/records/${record.id}`
	for (const answer of await all(CLIENTS, i => api.patch(path, { payload: { extra: { [`client_${i}`]: i } } }))) assertOk(answer)
	const found = assertOk(await api.get(path))
	assert.deepEqual(found.payload.extra, Object.fromEntries(Array.from({ length: CLIENTS }, (_, i) => [`client_${i}`, i])))
	assert.equal(found.version, CLIENTS + 1)
	assert.equal(found.activity.length, CLIENTS + 1)
})

test('a counter by read and If-Match counts every client', async () => {
	const record = await makeRecord(tenant, { count: 0 })
	const path = `/api/v1/records/${record.id}`
	await all(8, async () => {
		for (let left = 4; left > 0;) {
			const read = await api.get(path)
			const answer = await api.patch(path, { payload: { count: read.json.payload.count + 1 } }, { 'If-Match': read.headers.etag })
			if (answer.status === 200) left--
			else assertProblem(answer, 412, 'version_mismatch')
		}
	})
	assert.equal(assertOk(await api.get(path)).payload.count, 32)
})

test('one of many deletes and one of many restores wins', async () => {
	const record = await makeRecord(tenant)
	const path = `/api/v1/records/${record.id}`
	const deletes = await all(CLIENTS, () => api.delete(path))
	assert.equal(deletes.filter(answer => answer.status === 204).length, 1)
	for (const answer of deletes.filter(answer => answer.status !== 204)) assertProblem(answer, 404, 'not_found')
	assertOneWins(await all(CLIENTS, () => api.post(`${path}:restore`)), [409, 'conflict'])
	const { items } = assertOk(await api.get(`${path}/activity`))
	assert.deepEqual(items.map(event => event.type), ['restored', 'deleted', 'created'])
})

test('one of many creates with a unique value wins', async () => {
	const answers = await all(CLIENTS, () => api.post('/api/v1/records', { moduleKey: 'incidents', payload: payload({ badge: 'ONE' }) }))
	assert.equal(answers.filter(answer => answer.status === 201).length, 1)
	for (const answer of answers.filter(answer => answer.status !== 201)) assertProblem(answer, 409, 'conflict')
})

test('64 twins on one Idempotency-Key make one record', async () => {
	const body = { moduleKey: 'incidents', payload: payload({ title: 'Twin' }) }
	const answers = await all(64, () => api.post('/api/v1/records', body, { 'Idempotency-Key': 'twins' }))
	const made = answers.filter(answer => answer.status === 201)
	const first = made.filter(answer => !answer.headers['idempotency-replayed'])
	assert.equal(first.length, 1)
	for (const answer of made) assert.ok(answer.body.equals(first[0].body))
	for (const answer of answers.filter(answer => answer.status !== 201)) {
		assertProblem(answer, 409, 'idempotency_key_in_progress')
		assert.match(answer.headers['retry-after'], /^[1-9]\d*$/)
	}
	assert.equal(assertOk(await api.get('/api/v1/records?moduleKey=incidents&filter[title]=Twin')).items.length, 1)
})

test('twins that prefer to wait all get the first answer', async () => {
	const body = { moduleKey: 'incidents', payload: payload({ title: 'Patient twin' }) }
	const answers = await all(32, () => api.post('/api/v1/records', body, { 'Idempotency-Key': 'patient', Prefer: 'wait=5' }))
	for (const answer of answers) {
		assertOk(answer, 201)
		assert.ok(answer.body.equals(answers[0].body))
	}
	assert.equal(answers.filter(answer => !answer.headers['idempotency-replayed']).length, 1)
})

test('publishing races: versions are one after the other', async () => {
	const { definition } = await import('./lib/tenant.mjs')
	const answers = await all(8, i => api.put('/api/v1/modules/incidents', { ...definition, fields: [...definition.fields, { key: `extra_${i}`, type: 'text' }] }))
	const published = answers.filter(answer => answer.status === 200).map(answer => answer.json.definitionVersion).sort((a, b) => a - b)
	assert.deepEqual(published, published.map((_, i) => i + 2))
	for (const answer of answers.filter(answer => answer.status !== 200)) assert.ok([400, 409].includes(answer.status), answer.text)
})
