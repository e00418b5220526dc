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

test('If-None-Match: * publishes a new module only', async () => {
	const path = '/api/v1/modules/once'
	const put = headers => api.put(path, { ...definition, key: 'once', displayCode: { prefix: 'ONC' } }, headers)
	assertOk(await put({ 'If-None-Match': '*' }), 201)
	assertProblem(await put({ 'If-None-Match': '*' }), 412, 'version_mismatch', { errors: [{ path: '@If-None-Match', code: 'version' }] })
	assertProblem(await put({ 'If-None-Match': '"7", W/"1"' }), 412, 'version_mismatch')
	assertOk(await put({ 'If-None-Match': '"7"' }))
	assertProblem(await put({ 'If-None-Match': '1' }), 400, 'invalid_parameter', { errors: [{ path: '@If-None-Match', code: 'format' }] })
	const answers = await Promise.all(Array.from({ length: 8 }, (_, i) => api.put('/api/v1/modules/raced', { ...definition, key: 'raced', name: `Race ${i}`, displayCode: { prefix: 'RAC' } }, { 'If-None-Match': '*' })))
	assert.deepEqual(answers.map(answer => answer.status).sort(), [201, ...Array(7).fill(412)])
})

// RFC 9110 section 15.4.5 and 8.6: what a cache must learn from a 304, and from HEAD.
for (const [what, path] of [
	['a record', `/api/v1/records/${(await makeRecord(tenant, { description: 'x'.repeat(2000) })).id}`], ['a module', '/api/v1/modules/incidents'],
	['an API key', `/api/v1/api-keys/${(await tenant.makeKey()).keyId}`], ['the document', '/api/docs/spec.json'],
])
	test(`304 and HEAD of ${what} carry what the 200 does`, async () => {
		for (const encoding of ['identity', 'gzip']) {
			const accept = { 'Accept-Encoding': encoding }
			const full = await api.get(path, accept)
			const { etag } = full.headers
			assert.match(etag, /^"[!-~]+"$/)
			const kept = Object.keys(full.headers).filter(name => ['etag', 'vary', 'cache-control', 'content-location', 'expires'].includes(name))
			for (const value of [etag, `W/${etag}`, '*', `"other", ${etag}`]) {
				const same = await api.get(path, { ...accept, 'If-None-Match': value })
				assert.equal(same.status, 304, value)
				assert.equal(same.body.length, 0)
				for (const name of kept) assert.equal(same.headers[name], full.headers[name], name)
				if (same.headers['content-length']) assert.equal(same.headers['content-length'], full.headers['content-length'])
				assert.equal((await api.head(path, { ...accept, 'If-None-Match': value })).status, 304)
			}
			const head = await api.head(path, accept)
			assert.equal(head.status, 200)
			assert.equal(head.body.length, 0)
			for (const name of [...kept, 'content-type', 'content-length', 'content-encoding']) assert.equal(head.headers[name], full.headers[name], name)
			assert.equal((await api.get(path, { ...accept, 'If-None-Match': '"other"' })).status, 200)
			assert.equal((await api.get(path, { ...accept, 'If-Match': etag })).status, 200)
			// strong comparison: a weak tag matches nothing
			assertProblem(await api.get(path, { ...accept, 'If-Match': `W/${etag}` }), 412, 'version_mismatch', { errors: [{ path: '@If-Match', code: 'version' }] })
		}
	})

test('of a change a weak tag matches nothing, a list any of its tags', async () => {
	const { id, version } = await makeRecord(tenant)
	const change = value => api.patch(`/api/v1/records/${id}`, { payload: { cost: 3 } }, { 'If-Match': value })
	for (const value of [`W/"${version}"`, `"${version}0"`, `"0${version}"`, `"x,${version}"`]) assertProblem(await change(value), 412, 'version_mismatch')
	assertOk(await change(`"9" ,W/"1","${version}"`))
	assertOk(await change(' * '))
})

test('what is still missing of approvals has no ETag, since an approval comes while the version stays', async () => {
	const approvals = await makeTenant('approvals_etag', { ...definition, workflow: { ...definition.workflow, transitions: { ...definition.workflow.transitions, submit: { from: 'draft', to: 'submitted', approvers: { count: 2, role: 'reviewer' } } } } })
	await approvals.sql("SELECT qehs.user_create('rita', 'Rita', roles => '{reviewer}') \\g /dev/null")
	const rita = await approvals.makeKey({ actingUser: 'rita', roles: [] })
	const { id, version } = await makeRecord(approvals)
	const before = await rita.api.get(`/api/v1/records/${id}/approvals`)
	assert.equal(before.headers.etag, undefined)
	assertOk(await rita.api.post(`/api/v1/records/${id}:approve`, { transition: 'submit' }))
	assert.equal(assertOk(await rita.api.get(`/api/v1/records/${id}/approvals`, { 'If-None-Match': `"${version}"` })).pending[0].steps[0].approved, 1)
})

test('a location changes and goes only as it was read; * makes a new one only', async () => {
	const path = '/api/v1/locations/hall-3'
	const put = (name, headers) => api.put(path, { name, users: [] }, headers)
	assertProblem(await put('Hall', { 'If-Match': '*' }), 412, 'version_mismatch')
	const first = await put('Hall', { 'If-None-Match': '*' })
	assertOk(first, 201)
	assert.equal((await api.get(path)).headers.etag, first.headers.etag)
	assert.equal((await api.get(path, { 'If-None-Match': first.headers.etag })).status, 304)
	assertProblem(await put('Hall 3', { 'If-None-Match': '*' }), 412, 'version_mismatch')
	const answers = await Promise.all(['One', 'Two'].map(name => put(name, { 'If-Match': first.headers.etag })))
	assert.deepEqual(answers.map(answer => answer.status).sort(), [200, 412])
	assertProblem(await api.delete(path, { 'If-Match': first.headers.etag }), 412, 'version_mismatch')
	assert.equal((await api.delete(path, { 'If-Match': (await api.get(path)).headers.etag })).status, 204)
})
