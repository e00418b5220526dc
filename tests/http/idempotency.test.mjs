// Idempotency-Key on every endpoint that changes something, without exception; and what it is not for.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeCaller, prepare } from './lib/calls.mjs'
import { assertOk, assertProblem, request } from './lib/client.mjs'
import { definition, makeRecord, makeTenant, payload, psql } from './lib/tenant.mjs'

const tenant = await makeTenant('idem')
const { api, key } = tenant
const endpoints = JSON.parse(await psql('SELECT qehs.endpoint_list()')).filter(endpoint => endpoint.auth)
let number = 0
const next = () => `key ${number++}`
const count = table => psql(`SELECT count(*) FROM qehs.${table} AS x JOIN qehs.tenant AS t ON t.id = x.tenant_id WHERE t.slug = '${tenant.slug}'`)
// the lines of a bulk load have keys of their own: bulk.test.mjs
// SCIM's: scim.test.mjs
const changing = endpoints.filter(({ method, body, errorForm }) => method !== 'GET' && body !== 'stream' && errorForm !== 'scim')

for (const endpoint of changing)
	test(`${endpoint.operation}: a replay is the first answer, and has no effect`, async () => {
		const { target, headers = {}, ...rest } = await prepare(tenant, endpoint)
		const { key } = await makeCaller(tenant, endpoint)
		const idempotencyKey = next()
		const call = () => request(endpoint.method, target, { key, headers: { ...headers, 'Idempotency-Key': idempotencyKey }, ...rest })
		const first = await call()
		assert.ok(first.status < 300, first.text)
		assert.equal(first.headers['idempotency-replayed'], undefined)
		const effects = async () => [await count('record'), await count('audit_event'), await count('api_key'), await count('module_version')]
		const before = await effects()
		for (let i = 0; i < 2; i++) {
			const second = await call()
			assert.equal(second.status, first.status)
			assert.equal(second.headers['idempotency-replayed'], 'true')
			assert.deepEqual(second.body, first.body)
			for (const name of ['etag', 'location', 'content-type', 'cache-control', 'link'])
				assert.equal(second.headers[name], first.headers[name], name)
			assert.notEqual(second.headers['x-trace-id'], first.headers['x-trace-id'])
		}
		assert.deepEqual(await effects(), before)
		assertProblem(await request(endpoint.method, `${target}?x=1`, { key, headers: { ...headers, 'Idempotency-Key': idempotencyKey }, ...rest }), 422, 'idempotency_key_conflict', { form: endpoint.errorForm })
	})

test('the fingerprint is of method, path, query and body bytes', async () => {
	const one = await makeRecord(tenant)
	const other = await makeRecord(tenant)
	const headers = { 'Idempotency-Key': next() }
	const patch = (id, body, method = 'PATCH', path = '') => request(method, `/api/v1/records/${id}${path}`, { key, headers, body })
	const first = await patch(one.id, '{"payload":{"cost":1}}')
	assertOk(first)
	assertOk(await patch(one.id, '{"payload":{"cost":1}}'))
	for (const answer of [await patch(other.id, '{"payload":{"cost":1}}'), await patch(one.id, '{"payload":{"cost": 1}}'), await patch(one.id, '{"payload":{"cost":2}}'),
		await patch(one.id, undefined, 'DELETE'), await patch(one.id, '{"transition":"reset"}', 'POST', ':transition')])
		assertProblem(answer, 422, 'idempotency_key_conflict', { errors: [{ path: '@Idempotency-Key', code: 'reused' }] })
})

test('every failure leaves the key free', async () => {
	const { id } = await makeRecord(tenant)
	const headers = { 'Idempotency-Key': next() }
	const path = `/api/v1/records/${id}`
	for (const [status, call] of [
		[400, () => api.patch(path, { payload: { cost: 'x' } }, headers)], [400, () => request('PATCH', path, { key, headers, body: '{' })],
		[412, () => api.patch(path, { payload: { cost: 1 } }, { ...headers, 'If-Match': '"9"' })], [404, () => api.patch('/api/v1/records/rec_x', { payload: {} }, headers)],
		[409, () => api.post(`${path}:transition`, { transition: 'reopen' }, headers)], [405, () => request('PUT', path, { key, headers, json: {} })],
		[413, () => request('PATCH', path, { key, headers, body: Buffer.alloc(1 << 21, 32) })], [415, () => request('PATCH', path, { key, headers: { ...headers, 'Content-Type': 'text/plain' }, body: 'x' })]])
		assert.equal((await call()).status, status)
	const answer = await api.patch(path, { payload: { cost: 1 } }, headers)
	assertOk(answer)
	assert.equal(answer.headers['idempotency-replayed'], undefined)
})

test('reading takes no notice of a key, not even of one that is none', async () => {
	const { id } = await makeRecord(tenant)
	for (const value of ['read', 'read', '', 'x'.repeat(300)]) {
		const answer = await api.get(`/api/v1/records/${id}`, { 'Idempotency-Key': value })
		assertOk(answer)
		assert.equal(answer.headers['idempotency-replayed'], undefined)
	}
	assert.equal(await psql("SELECT count(*) FROM qehs.idempotency WHERE idempotency_key = 'read'"), '0')
})

test('a large answer is kept whole', async () => {
	const fields = [...definition.fields, ...Array.from({ length: 450 }, (_, i) => ({ key: `f_${i}`, type: 'text', label: `A field with a long label, number ${i}: ${'\u00e4'.repeat(100)}` }))]
	const headers = { 'Idempotency-Key': next() }
	const call = () => api.put('/api/v1/modules/large', { ...definition, key: 'large', displayCode: { prefix: 'LRG' }, fields }, headers)
	const first = await call()
	assertOk(first, 201)
	assert.ok(first.body.length > 1 << 17)
	const second = await call()
	assert.equal(second.headers['idempotency-replayed'], 'true')
	assert.deepEqual(second.body, first.body)
	assert.ok(Number(await psql(`SELECT max(pg_column_size(body)) FROM qehs.idempotency WHERE idempotency_key = '${headers['Idempotency-Key']}'`)) < first.body.length / 2, 'TOAST compresses it')
})

test('a key that is none is refused in SQL too', async () => {
	const begin = value => psql(`SELECT qehs.request_begin('${key}', idempotency_key => ${value}, fingerprint => '\\x01', operation => 'record_create')`)
	for (const value of ["''", "repeat('x', 256)", "E'a\\tb'", "'\u00e4'"])
		await assert.rejects(begin(value), /must be 1 to 255 printable ASCII characters/)
	await begin("repeat('x', 255)")
})

test('without a key the same request twice is two', async () => {
	const body = { moduleKey: 'incidents', payload: payload() }
	assert.notEqual((await api.post('/api/v1/records', body)).json.id, (await api.post('/api/v1/records', body)).json.id)
})
