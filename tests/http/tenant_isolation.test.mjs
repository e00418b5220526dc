// Two tenants: on every endpoint that there is, what belongs to the other is as if it had never existed.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertOk, assertProblem } from './lib/client.mjs'
import { definition, makeJob, makeRecord, makeTenant, payload, psql, uuidOf } from './lib/tenant.mjs'

const mine = await makeTenant('mine')
const theirs = await makeTenant('theirs')
const missing = { rec: 'rec_01KQ0000000000000000000000', key: 'key_01KQ0000000000000000000000' }
const foreign = {
	rec: (await makeRecord(theirs, { title: 'Their secret', badge: 'B1' })).id, key: (await theirs.makeKey({ name: 'their key' })).keyId,
}
const deleted = (await makeRecord(theirs)).id
assert.equal((await theirs.api.delete(`/api/v1/records/${deleted}`)).status, 204)
assertOk(await theirs.api.put('/api/v1/modules/their_module', { ...definition, key: 'their_module', displayCode: { prefix: 'THR' } }), 201)
const endpoints = JSON.parse(await psql('SELECT qehs.endpoint_list()'))

// A body that the endpoint would take from its own tenant.
const bodies = {
	record_update: { payload: { cost: 1 } }, record_transition: { transition: 'reset' }, record_approve: { transition: 'close' }, record_reject: { transition: 'close' }, record_comment: { body: 'x' }, record_purge: { reason: 'x' }, record_erase: { reason: 'x', fields: ['title'] }, user_erase: { reason: 'x' }, legal_hold_release: { reason: 'x' }, record_migrate: {}, api_key_rotate: {},
}

const queries = { record_at: '?time=2099-12-31' }

// What differs between two requests for different ids: the trace, and the id in instance.
function bare(answer, id) {
	const headers = Object.fromEntries(Object.entries(answer.headers)
		.filter(([name]) => !['date', 'x-trace-id', 'traceparent', 'content-length', 'x-ratelimit-remaining', 'ratelimit'].includes(name)))
	const text = answer.text.replace(/"traceId":"[0-9a-f]{32}"/, '').replaceAll(id, '{id}').replaceAll(encodeURIComponent(id), '{id}')
	return { status: answer.status, headers, text }
}

const idKinds = path => path.includes('/records/') ? 'rec' : path.includes('/users/') ? 'usr' : path.includes('/api-keys/') ? 'key' : path.includes('/attachments/') ? 'att' : path.includes('/delegations/') ? 'dlg' : path.includes('/legal-holds/') ? 'hld' : path.startsWith('/api/v1/comments/') ? 'cmt' : /\/(exports|jobs)\//.test(path) ? 'job' : null
missing.att = 'att_01KQ0000000000000000000000'
missing.job = 'job_01KQ0000000000000000000000'
foreign.att = 'att_01KQ0000000000000000000001'
await theirs.sql("SELECT qehs.user_create('one', 'One'), qehs.user_create('two', 'Two') \\g /dev/null")
missing.usr = 'usr_01KQ0000000000000000000000'
foreign.usr = await theirs.sql("SELECT qehs.user_list() #>> '{items,0,id}'")
missing.cmt = 'cmt_01KQ0000000000000000000000'
foreign.cmt = assertOk(await theirs.api.post(`/api/v1/records/${foreign.rec}/comments`, { body: 'Theirs' }), 201).id
missing.dlg = 'dlg_01KQ0000000000000000000000'
foreign.dlg = assertOk(await theirs.api.post('/api/v1/delegations', { from: 'one', to: 'two', startsAt: '2026-01-01T00:00:00Z', endsAt: '2099-01-01T00:00:00Z' }), 201).id
missing.hld = 'hld_01KQ0000000000000000000000'
foreign.hld = assertOk(await theirs.api.post('/api/v1/legal-holds', { reason: 'Theirs', recordIds: [foreign.rec] }), 201).id
await makeJob(theirs)
foreign.job = (await theirs.api.get('/api/v1/jobs')).json.items[0].jobId

for (const endpoint of endpoints.filter(e => e.path.includes('{id}') || e.path.includes('{jobId}'))) {
	const kind = idKinds(endpoint.path)
	if (kind === null) continue
	test(`${endpoint.operation}: foreign and missing ids get the same bytes`, async () => {
		const ids = [foreign[kind], uuidOf(foreign[kind]), ...(kind === 'rec' ? [deleted] : [])]
		const call = id => mine.api[endpoint.method.toLowerCase()](endpoint.path.replace(/\{\w+\}/, id) + (queries[endpoint.operation] ?? ''),
			...(['GET', 'DELETE'].includes(endpoint.method) ? [] : [bodies[endpoint.operation]]))
		const expected = bare(await call(missing[kind]), missing[kind])
		assert.equal(expected.status, 404, expected.text)
		for (const id of ids) assert.deepEqual(bare(await call(id), id), expected)
		if (endpoint.parameters.some(p => p.name === 'If-Match')) {
			const answer = await (endpoint.method === 'DELETE' ? mine.api.delete(endpoint.path.replace('{id}', ids[0]), { 'If-Match': '"1"' })
				: mine.api[endpoint.method.toLowerCase()](endpoint.path.replace('{id}', ids[0]), bodies[endpoint.operation], { 'If-Match': '"1"' }))
			assert.deepEqual(bare(answer, ids[0]), expected)
		}
	})
}

test('modules: a foreign key is a missing key', async () => {
	for (const target of ['/api/v1/modules/{key}', '/api/v1/modules/{key}?version=1', '/api/v1/records?moduleKey={key}']) {
		const call = async key => bare(await mine.api.get(target.replace('{key}', key)), key)
		assert.deepEqual(await call('their_module'), await call('no_such_key_'))
	}
	const create = async key => bare(await mine.api.post('/api/v1/records', { moduleKey: key, payload: payload() }), key)
	assert.deepEqual(await create('their_module'), await create('no_such_key_'))
	// the name is free here
	const own = assertOk(await mine.api.put('/api/v1/modules/their_module', { ...definition, key: 'their_module', displayCode: { prefix: 'THR' } }), 201)
	assert.equal(own.definitionVersion, 1)
})

test('locations: a foreign one is a missing one, as a parent too, and gives nobody anything', async () => {
	assertOk(await theirs.api.put('/api/v1/locations/theirs', { name: 'Theirs' }), 201)
	const call = async (method, key) => bare(await mine.api[method](`/api/v1/locations/${key}`), key)
	for (const method of ['get', 'delete']) assert.deepEqual(await call(method, 'theirs'), await call(method, 'nobody'))
	const within = async parent => bare(await mine.api.put('/api/v1/locations/mine', { name: 'Mine', parent }), parent)
	assert.deepEqual(await within('theirs'), await within('nobody'))
	assert.deepEqual(assertOk(await mine.api.get('/api/v1/locations')).items, [])
})

test('lists, counts and audit show nothing of the other', async () => {
	const own = await makeRecord(mine, { title: 'Mine' })
	const list = assertOk(await mine.api.get('/api/v1/records?moduleKey=incidents&limit=200'))
	assert.deepEqual(list.items.map(item => item.id), [own.id])
	for (const query of ['&q=secret', '&filter[title][contains]=secret', `&filter[id]=${foreign.rec}`, '&filter[badge]=B1', `&filter[createdBy]=${theirs.keyId}`])
		assert.deepEqual(assertOk(await mine.api.get(`/api/v1/records?moduleKey=incidents${query}`)).items, [], query)
	const audit = assertOk(await mine.api.get('/api/v1/audit?limit=200'))
	assert.ok(!JSON.stringify(audit).includes('secret'))
	assert.ok(audit.items.every(event => event.recordId !== foreign.rec && event.recordId !== deleted))
	for (const id of [foreign.rec, deleted])
		assert.deepEqual(assertOk(await mine.api.get(`/api/v1/audit?recordId=${id}`)).items, [])
	assert.deepEqual(assertOk(await mine.api.get(`/api/v1/audit?actor=${theirs.keyId}`)).items, [])
	const counts = Object.fromEntries(assertOk(await mine.api.get('/api/v1/modules?limit=200')).items.map(m => [m.key, m.recordCount]))
	assert.equal(counts.incidents, 1)
	const keys = assertOk(await mine.api.get('/api/v1/api-keys?limit=200'))
	assert.ok(keys.items.every(item => item.name !== 'their key'))
	// display codes count for each tenant
	assert.match(own.displayCode, /-0001$/)
	// unique values are unique in a tenant
	await makeRecord(mine, { badge: 'B1' })
})

test('cursors do not cross', async () => {
	for (const tenant of [mine, theirs]) for (let i = 0; i < 3; i++) await makeRecord(tenant)
	await theirs.makeKey()
	await mine.makeKey()
	for (const target of ['/api/v1/records?moduleKey=incidents&limit=1', '/api/v1/audit?limit=1', '/api/v1/api-keys?limit=1', '/api/v1/modules?limit=1']) {
		const { nextCursor } = assertOk(await theirs.api.get(target))
		assert.ok(nextCursor, target)
		assertOk(await theirs.api.get(`${target}&cursor=${nextCursor}`))
		assertProblem(await mine.api.get(`${target}&cursor=${nextCursor}`), 400, 'invalid_cursor')
	}
})

test('idempotency keys do not cross', async () => {
	const body = { moduleKey: 'incidents', payload: payload({ title: 'Same' }) }
	const headers = { 'Idempotency-Key': 'the same key' }
	const one = await theirs.api.post('/api/v1/records', body, headers)
	const two = await mine.api.post('/api/v1/records', body, headers)
	assertOk(one, 201)
	assertOk(two, 201)
	assert.notEqual(one.json.id, two.json.id)
	assert.equal(two.headers['idempotency-replayed'], undefined)
	// nor does another body conflict
	assertOk(await mine.api.post('/api/v1/records', { ...body, payload: payload() }, { 'Idempotency-Key': 'k2' }), 201)
	assertOk(await theirs.api.post('/api/v1/records', body, { 'Idempotency-Key': 'k2' }), 201)
})

test('a reference to a foreign record is a reference to none', async () => {
	const refs = { ...definition, key: 'refs', displayCode: { prefix: 'REF' }, fields: [{ key: 'about', type: 'record-reference' }, { key: 'who', type: 'user' }] }
	assertOk(await mine.api.put('/api/v1/modules/refs', { ...refs, workflow: { ...refs.workflow, transitions: { reset: { from: '*', to: 'draft' } }, states: ['draft'] } }), 201)
	const create = async id => bare(await mine.api.post('/api/v1/records', { moduleKey: 'refs', payload: { about: id } }), id)
	const none = await create(missing.rec)
	assert.equal(none.status, 400)
	assert.deepEqual(await create(foreign.rec), none)
})

test('all other endpoints answer only for their own tenant', async () => {
	const known = new Set(['record_list', 'record_create', 'audit_list', 'module_list', 'module_get', 'module_publish', 'api_key_list', 'api_key_create', 'job_list', 'deprecation_list'])
	for (const endpoint of endpoints.filter(e => !/\{(id|jobId)\}/.test(e.path) && !known.has(e.operation) && e.method === 'GET' && !e.path.includes('{'))) {
		const answer = await mine.api.get(endpoint.path)
		assert.ok(answer.status < 500, `${endpoint.operation}: ${answer.text}`)
		assert.ok(!answer.text.includes('Their secret') && !answer.text.includes(foreign.rec) && !answer.text.includes(theirs.slug), endpoint.operation)
	}
})
