// A module with requireIfMatch takes no change that does not say which version it is of (RFC 6585 section 3).
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertOk, assertProblem } from './lib/client.mjs'
import { assertProblemSchema } from './lib/schema.mjs'
import { definition, makeRecord, makeTenant } from './lib/tenant.mjs'

const tenant = await makeTenant('preconditions', { ...definition, requireIfMatch: true })
const { api } = tenant
const record = await makeRecord(tenant)
const one = `/api/v1/records/${record.id}`
const changes = {
	update: headers => api.patch(one, { payload: { cost: 7 } }, headers),
	transition: headers => api.post(`${one}:transition`, { transition: 'reset' }, headers),
	migrate: headers => api.post(`${one}:migrate`, {}, headers),
	delete: headers => api.delete(one, headers),
}

for (const [name, change] of Object.entries(changes)) {
	test(`${name} without If-Match is refused and changes nothing`, async () => {
		const before = await api.get(one)
		const answer = await change()
		assertProblem(answer, 428, 'precondition_required', { errors: [{ path: '@If-Match', code: 'required' }] })
		assertProblemSchema(answer.json)
		assert.equal((await api.get(one)).text, before.text)
	})
	test(`${name} with another version is refused`, async () => assertProblem(await change({ 'If-Match': '"99"' }), 412, 'version_mismatch'))
}

test('with the ETag, or with * for any version, each is done', async () => {
	const updated = await changes.update({ 'If-Match': (await api.get(one)).headers.etag })
	assertOk(updated)
	const moved = await changes.transition({ 'If-Match': updated.headers.etag })
	assertOk(moved)
	assertOk(await changes.migrate({ 'If-Match': moved.headers.etag }))
	assert.equal((await changes.delete({ 'If-Match': '*' })).status, 204)
	// nobody can have read the version of a deleted record
	assertOk(await api.post(`${one}:restore`))
})

test('of two who publish over the same version one is told', async () => {
	const path = '/api/v1/modules/shared'
	const put = (name, headers) => api.put(path, { ...definition, key: 'shared', name }, headers)
	assertProblem(await put('None', { 'If-Match': '"1"' }), 412, 'version_mismatch', { errors: [{ path: '@If-Match', code: 'version' }] })
	assertProblem(await put('None', { 'If-Match': '*' }), 412, 'version_mismatch')
	assert.equal((await api.get(path)).status, 404)
	const first = await put('First')
	assertOk(first, 201)
	const { etag } = (await api.get(path)).headers
	assert.equal(etag, first.headers.etag)
	const answers = await Promise.all(['Second', 'Third'].map(name => put(name, { 'If-Match': etag })))
	assert.deepEqual(answers.map(answer => answer.status).sort(), [200, 412])
	const next = (await api.get(path)).headers.etag
	assert.notEqual(next, etag)
	assert.equal((await api.get(path, { 'If-None-Match': next })).status, 304)
	assertOk(await put('Fourth', { 'If-Match': next }))
})

test('the definition tells of it, and it can only be a boolean', async () => {
	assert.equal((await api.get('/api/v1/modules/incidents')).json.requireIfMatch, true)
	assertProblem(await api.put('/api/v1/modules/incidents', { ...definition, requireIfMatch: 'yes' }), 400, 'validation_failed',
		{ errors: [{ path: '/requireIfMatch', code: 'type' }] })
	assertOk(await api.put('/api/v1/modules/incidents', definition))
	const free = await makeRecord(tenant)
	assertOk(await api.patch(`/api/v1/records/${free.id}`, { payload: { cost: 1 } }))
})
