// Retention over HTTP: a hold keeps a record from every door, a purge leaves a tombstone, and the trail goes on verifying.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertOk, assertProblem } from './lib/client.mjs'
import { definition, makeRecord, makeTenant } from './lib/tenant.mjs'

const tenant = await makeTenant('retention', { ...definition, retention: [{ after: 'P7Y', from: 'createdAt', action: 'delete' }, { after: 'P30D', action: 'purge' }] })
const { api } = tenant

test('a definition tells its retention, and faults of it by their pointers', async () => {
	assert.deepEqual(assertOk(await api.get('/api/v1/modules/incidents')).retention[1], { after: 'P30D', action: 'purge' })
	assertProblem(await api.put('/api/v1/modules/incidents', { ...definition, retention: { after: 'seven years', action: 'burn', from: 'title' } }), 400, 'validation_failed',
		{ errors: [{ path: '/retention/after', code: 'pattern' }, { path: '/retention/action', code: 'enum' }, { path: '/retention/from', code: 'undefined' }] })
})

test('a held record is neither deleted nor purged, nor changed by GraphQL into a deleted one; released, it goes', async () => {
	const { id } = await makeRecord(tenant)
	const hold = await api.post('/api/v1/legal-holds', { reason: 'Claim 4711', recordIds: [id] })
	assertOk(hold, 201)
	assert.equal(hold.headers.location, `/api/v1/legal-holds/${hold.json.id}`)
	assert.deepEqual(assertOk(await api.get(hold.headers.location)), hold.json)
	assert.deepEqual(assertOk(await api.get(`/api/v1/records/${id}`)).legalHolds, [{ id: hold.json.id, reason: 'Claim 4711', createdAt: hold.json.createdAt }])
	assertProblem(await api.delete(`/api/v1/records/${id}`), 409, 'conflict')
	assertProblem(await api.post(`/api/v1/records/${id}:purge`, { reason: 'old' }), 409, 'conflict')
	const { errors } = assertOk(await api.post('/api/graphql', { query: `mutation { incidentsDelete(id: "${id}") }` }))
	assert.equal(errors[0].extensions.code, 'conflict', JSON.stringify(errors))
	assert.equal(assertOk(await api.post(`/api/v1/legal-holds/${hold.json.id}:release`, { reason: 'Settled' })).releaseReason, 'Settled')
	assertOk(await api.delete(`/api/v1/records/${id}`), 204)
	assertOk(await api.post(`/api/v1/records/${id}:purge`, { reason: 'Entered twice' }), 204)
	assertProblem(await api.get(`/api/v1/records/${id}`), 404, 'not_found')
	assertProblem(await api.post(`/api/v1/records/${id}:restore`), 404, 'not_found')
	const [tombstone] = assertOk(await api.get(`/api/v1/tombstones?recordId=${id}`)).items
	assert.equal(tombstone.reason, 'Entered twice')
	const { items } = assertOk(await api.get(`/api/v1/audit?recordId=${id}`))
	assert.deepEqual(items.map(({ type, id: event }) => ({ type, event })), [{ type: 'purged', event: tombstone.eventId }])
	assert.equal((await tenant.sql(`SELECT qehs.audit_verify('${tenant.slug}') -> 'fault'`)).trim(), 'null')
})

test('only who has the scope and the role holds and purges; a viewer is not told of holds', async () => {
	const { id } = await makeRecord(tenant)
	assertOk(await api.post('/api/v1/legal-holds', { reason: 'Claim', recordIds: [id] }), 201)
	const viewer = (await tenant.makeKey({ scopes: ['records.read', 'holds.write', 'records.purge', 'audit.read'], roles: ['viewer'] })).api
	assertProblem(await viewer.post('/api/v1/legal-holds', { reason: 'Mine' }), 403, 'forbidden')
	assertProblem(await viewer.post('/api/v1/legal-holds', { reason: 'Mine', recordIds: [id] }), 403, 'forbidden')
	assertProblem(await api.post('/api/v1/legal-holds', { reason: 'Mine', recordIds: ['rec_00000000000000000000000000'] }), 400, 'validation_failed', { errors: [{ path: '/recordIds/0', code: 'not_found' }] })
	assertProblem(await viewer.post(`/api/v1/records/${id}:purge`, { reason: 'Mine' }), 403, 'forbidden')
	assert.equal('legalHolds' in assertOk(await viewer.get(`/api/v1/records/${id}`)), false)
	assert.deepEqual(assertOk(await viewer.get('/api/v1/legal-holds')).items, [])
	const reader = (await tenant.makeKey({ scopes: ['records.read'] })).api
	assertProblem(await reader.get('/api/v1/legal-holds'), 403, 'forbidden')
	assert.equal('legalHolds' in assertOk(await reader.get(`/api/v1/records/${id}`)), false)
})

test('a reference to a purged record stays as an id of nothing, in REST, GraphQL and links', async () => {
	assertOk(await api.put('/api/v1/modules/notes', { key: 'notes', name: 'Notes', displayCode: { prefix: 'NOT' }, fields: [{ key: 'of', type: 'record-reference', references: 'incidents' }],
		workflow: { states: ['open'], initial: 'open', transitions: {} } }), 201)
	const { id } = await makeRecord(tenant)
	const note = assertOk(await api.post('/api/v1/records', { moduleKey: 'notes', payload: { of: id } }), 201).id
	assertOk(await api.delete(`/api/v1/records/${id}`), 204)
	assertOk(await api.post(`/api/v1/records/${id}:purge`, { reason: 'old' }), 204)
	assert.equal(assertOk(await api.get(`/api/v1/records/${note}`)).payload.of, id)
	assert.deepEqual(assertOk(await api.get(`/api/v1/records/${note}/links`)).items, [])
	assertProblem(await api.post('/api/v1/records', { moduleKey: 'notes', payload: { of: id } }), 400, 'validation_failed')
	const { data } = assertOk(await api.post('/api/graphql', { query: `{ notesGet(id: "${note}") { id of { id } } }` }))
	assert.equal(data.notesGet.of, null)
})

test('erased values are gone from the record, its activity, the audit trail and a retry; the trail verifies', async () => {
	const headers = { 'Idempotency-Key': 'made once' }
	const body = { moduleKey: 'incidents', payload: { title: 'Ms Quetzal fell', severity: 'low' } }
	const { id } = assertOk(await api.post('/api/v1/records', body, headers), 201)
	assertOk(await api.patch(`/api/v1/records/${id}`, { payload: { title: 'Ms Quetzal fell twice' } }))
	assertOk(await api.post(`/api/v1/records/${id}/comments`, { body: 'Quetzal was told' }), 201)
	assertOk(await api.post(`/api/v1/records/${id}:erase`, { reason: 'Request of the data subject', fields: ['title'], comments: true }), 204)
	for (const target of [`/api/v1/records/${id}`, `/api/v1/records/${id}/activity`, `/api/v1/records/${id}/comments`, `/api/v1/audit?recordId=${id}`])
		assert.equal((await api.get(target)).text.includes('Quetzal'), false, target)
	const [event] = assertOk(await api.get(`/api/v1/audit?recordId=${id}`)).items
	assert.deepEqual([event.type, event.reason, event.changes], ['erased', 'Request of the data subject', [{ path: '/payload/title' }, { path: '/comments' }]])
	assertProblem(await api.post('/api/v1/records', body, headers), 422, 'idempotency_key_conflict')
	assert.equal((await tenant.sql(`SELECT qehs.audit_verify('${tenant.slug}') -> 'fault'`)).trim(), 'null')
})
