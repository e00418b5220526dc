// A record from creation through its workflow to deletion and back, over HTTP.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import zlib from 'node:zlib'
import { assertLimited, assertOk, assertProblem, base, caller, request } from './lib/client.mjs'
import { definition, makeRecord, makeTenant, payload, uuidOf } from './lib/tenant.mjs'

const tenant = await makeTenant('life')
const { api } = tenant
const records = '/api/v1/records'
const listOf = query => `${records}?moduleKey=incidents${query}`
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/
const RECORD = ['id', 'moduleKey', 'displayCode', 'workflowState', 'payload', 'version', 'definitionVersion', 'createdAt',
	'updatedAt', 'createdBy', 'updatedBy', 'deletedAt']

function assertRecord(record, more = []) {
	assert.deepEqual(Object.keys(record), [...RECORD, ...more])
	assert.match(record.id, /^rec_[0-9A-HJKMNP-TV-Z]{26}$/)
	assert.match(record.displayCode, /^INC-\d{4}-\d{4,}$/)
	assert.match(record.createdAt, TIME)
	assert.match(record.updatedAt, TIME)
	assert.deepEqual(Object.keys(record.createdBy), ['id', 'type', 'displayName'])
	assert.deepEqual(Object.keys(record.updatedBy), ['id', 'type', 'displayName'])
}

test('create answers 201 with Location, ETag and the record', async () => {
	const answer = await api.post(records, { moduleKey: 'incidents', payload: payload({ cost: 12.50, tags: ['a', 'c'] }) })
	const record = assertOk(answer, 201)
	assertRecord(record)
	assert.equal(answer.headers.location, `${records}/${record.id}`)
	assert.equal(answer.headers.etag, '"1"')
	assert.equal(record.version, 1)
	assert.equal(record.definitionVersion, 1)
	assert.equal(record.workflowState, 'draft')
	assert.equal(record.deletedAt, null)
	assert.deepEqual(record.payload, payload({ cost: 12.5, tags: ['a', 'c'] }))
	assert.deepEqual(record.createdBy, { id: tenant.keyId, type: 'apiKey', displayName: 'key' })
	const found = await api.get(answer.headers.location)
	assertRecord(assertOk(found), ['activity', 'attachments', 'availableTransitions'])
	assert.equal(found.json.id, record.id)
})

test('a record is read by both forms of its id, in any case', async () => {
	const record = await makeRecord(tenant)
	const answers = await Promise.all([record.id, uuidOf(record.id), uuidOf(record.id).toUpperCase(), record.id.toLowerCase()]
		.map(id => api.get(`${records}/${id}`)))
	for (const answer of answers) assert.equal(assertOk(answer).id, record.id)
})

test('the record lists its activity, attachments and the transitions that the caller may fire', async () => {
	const record = await makeRecord(tenant)
	const found = assertOk(await api.get(`${records}/${record.id}`))
	assert.deepEqual(found.attachments, [])
	assert.deepEqual(found.availableTransitions.sort((a, b) => a.name < b.name ? -1 : 1), [
		{ name: 'reset', to: 'draft', requires: [] }, { name: 'submit', to: 'submitted', requires: ['description'] }])
	assert.equal(found.activity.length, 1)
	const [event] = found.activity
	assert.deepEqual(Object.keys(event), ['id', 'type', 'at', 'actor', 'changes', 'from', 'to', 'comment'])
	assert.match(event.id, /^evt_[0-9A-HJKMNP-TV-Z]{26}$/)
	assert.equal(event.type, 'created')
	const viewer = await tenant.makeKey({ roles: ['viewer'] })
	assert.deepEqual(assertOk(await viewer.api.get(`${records}/${record.id}`)).availableTransitions, [])
})

test('display codes rise', async () => {
	const codes = []
	for (let i = 0; i < 5; i++) codes.push((await makeRecord(tenant)).displayCode)
	const numbers = codes.map(code => Number(code.split('-')[2]))
	assert.deepEqual(numbers, [...numbers].sort((a, b) => a - b))
	assert.equal(new Set(codes).size, 5)
	const together = await Promise.all(Array.from({ length: 20 }, () => makeRecord(tenant)))
	assert.equal(new Set(together.map(record => record.displayCode)).size, 20)
})

test('PATCH merges by RFC 7396: only the keys supplied change, null removes', async () => {
	const record = await makeRecord(tenant, { description: 'old', cost: 3, extra: { a: 1, b: { c: 2, d: [1, 2] } } })
	const path = `${records}/${record.id}`
	const changed = await api.patch(path, { payload: { cost: null, severity: 'high', extra: { b: { c: null, d: [3] }, e: 'x' } }, comment: 'better' })
	assert.deepEqual(assertOk(changed).payload,
		payload({ severity: 'high', description: 'old', extra: { a: 1, b: { d: [3] }, e: 'x' } }))
	assert.equal(changed.json.version, 2)
	assert.equal(changed.headers.etag, '"2"')
	const [event] = (await api.get(path)).json.activity
	assert.equal(event.type, 'updated')
	assert.equal(event.comment, 'better')
	assert.deepEqual(event.changes.find(change => change.path === '/payload/severity'), { path: '/payload/severity', from: 'low', to: 'high' })
	assert.deepEqual(event.changes.find(change => change.path === '/payload/cost'), { path: '/payload/cost', from: 3 })
	const same = await api.patch(path, { payload: { severity: 'high' } })
	assert.equal(assertOk(same).version, 2, 'a patch that changes nothing makes no version')
	assertProblem(await api.patch(path, { payload: { title: null } }), 400, 'validation_failed',
		{ errors: [{ path: '/payload/title', code: 'required' }] })
	assertOk(await request('PATCH', path, { key: tenant.key, json: { payload: { cost: 1 } }, headers: { 'Content-Type': 'application/merge-patch+json' } }))
})

test('transitions move a record, and say why they do not', async () => {
	const record = await makeRecord(tenant)
	const path = `${records}/${record.id}:transition`
	assertProblem(await api.post(path, { transition: 'submit' }), 409, 'guard_failed',
		{ errors: [{ path: '/payload/description', code: 'required' }] })
	assertProblem(await api.post(path, { transition: 'investigate' }), 409, 'transition_not_allowed')
	assertProblem(await api.post(path, { transition: 'fly' }), 400, 'validation_failed', { errors: [{ path: '/transition', code: 'enum' }] })
	const moved = await api.post(path, { transition: 'submit', payload: { description: 'It was wet.' }, comment: 'go' })
	assert.equal(assertOk(moved).workflowState, 'submitted')
	assert.equal(moved.json.version, 2)
	assert.equal(moved.headers.etag, '"2"')
	assert.equal(moved.json.payload.description, 'It was wet.')
	assertOk(await api.post(path, { transition: 'investigate' }))
	assertProblem(await api.post(path, { transition: 'close', comment: 'x' }), 409, 'guard_failed')
	assertProblem(await api.post(path, { transition: 'close' }), 409, 'guard_failed', { errors: [{ path: '/transition', code: 'when' }, { path: '/comment', code: 'required' }] })
	assertProblem(await api.post(path, { transition: 'close', payload: { rca_text: 'mop' } }), 409, 'guard_failed',
		{ errors: [{ path: '/comment', code: 'required' }] })
	const user = await tenant.makeKey({ roles: ['tenant-user'] })
	assertProblem(await user.api.post(path, { transition: 'review' }), 409, 'guard_failed', { errors: [{ path: '/transition', code: 'roles' }] })
	const reviewer = await tenant.makeKey({ roles: ['reviewer'] })
	assert.deepEqual(assertOk(await reviewer.api.get(`${records}/${record.id}`)).availableTransitions.map(t => t.name).includes('review'), true)
	assert.equal(assertOk(await reviewer.api.post(path, { transition: 'review' })).workflowState, 'closed')
	const found = assertOk(await api.get(`${records}/${record.id}`))
	assert.deepEqual(found.activity.map(event => event.type), ['transitioned', 'transitioned', 'transitioned', 'created'])
	assert.deepEqual([found.activity[0].from, found.activity[0].to], ['investigating', 'closed'])
})

test('ETag, If-None-Match and If-Match', async () => {
	const record = await makeRecord(tenant)
	const path = `${records}/${record.id}`
	const tag = (await api.get(path)).headers.etag
	assert.equal(tag, '"1"')
	for (const header of [tag, `W/${tag}`, `"9", ${tag}`, '*']) {
		const answer = await api.get(path, { 'If-None-Match': header })
		assert.equal(answer.status, 304, header)
		assert.equal(answer.body.length, 0)
		assert.equal(answer.headers.etag, tag)
	}
	assertOk(await api.get(path, { 'If-None-Match': '"2"' }))
	const stale = await api.patch(path, { payload: { cost: 1 } }, { 'If-Match': '"7"' })
	assertProblem(stale, 412, 'version_mismatch')
	assertOk(await api.patch(path, { payload: { cost: 1 } }, { 'If-Match': tag }))
	assertProblem(await api.post(`${path}:transition`, { transition: 'reset' }, { 'If-Match': tag }), 412, 'version_mismatch')
	assertProblem(await api.delete(path, { 'If-Match': tag }), 412, 'version_mismatch')
	assertOk(await api.patch(path, { payload: { cost: 2 } }, { 'If-Match': '*' }))
	assertOk(await api.patch(path, { payload: { cost: 4 } }, { 'If-Match': '"1", "3"' }))
	assert.equal((await api.delete(path, { 'If-Match': '"4"' })).status, 204)
})

test('a deleted record is gone for reads, kept in activity and audit, and comes back', async () => {
	const record = await makeRecord(tenant, { description: 'remember me' })
	const path = `${records}/${record.id}`
	const gone = await api.delete(path)
	assert.equal(gone.status, 204)
	assert.equal(gone.body.length, 0)
	assertProblem(await api.delete(path), 404, 'not_found')
	assertProblem(await api.get(path), 404, 'not_found')
	assertProblem(await api.patch(path, { payload: { cost: 1 } }), 404, 'not_found')
	assertProblem(await api.post(`${path}:transition`, { transition: 'reset' }), 404, 'not_found')
	const list = assertOk(await api.get(listOf(`&filter[id]=${record.id}`)))
	assert.deepEqual(list.items, [])
	const activity = assertOk(await api.get(`${path}/activity`))
	assert.deepEqual(activity.items.map(event => event.type), ['deleted', 'created'])
	const audit = assertOk(await api.get(`/api/v1/audit?recordId=${record.id}&action=deleted`))
	assert.equal(audit.items.length, 1)
	assert.match(JSON.stringify(audit.items[0]), /remember me/)
	const noAudit = await tenant.makeKey({ scopes: ['records.read'] })
	assertProblem(await noAudit.api.get(`${path}/activity`), 404, 'not_found')
	const restored = await api.post(`${path}:restore`)
	assert.equal(assertOk(restored).deletedAt, null)
	assert.deepEqual(restored.json.payload, record.payload)
	assertProblem(await api.post(`${path}:restore`), 409, 'conflict')
	assertOk(await api.get(path))
})

test('lists: pages, Link, filters, sorts, search, fields', async () => {
	const own = await makeTenant('lists')
	const made = []
	for (let i = 0; i < 7; i++)
		made.push(await makeRecord(own, { title: `Number ${i}`, severity: ['low', 'high'][i % 2], cost: i, site: `Site${i}` }))
	const ids = made.map(record => record.id)
	const get = async query => assertOk(await own.api.get(listOf(query)))
	const first = await own.api.get(listOf('&limit=3'))
	assert.deepEqual(assertOk(first).items.map(item => item.id), ids.slice().reverse().slice(0, 3), 'the newest first')
	for (const item of first.json.items) assertRecord(item)
	const [, link] = /^<([^>]+)>; rel="next"$/.exec(first.headers.link)
	const linked = new URL(link, base)
	assert.equal(linked.searchParams.get('cursor'), first.json.nextCursor)
	assert.equal(linked.searchParams.get('limit'), '3')
	const second = assertOk(await own.api.get(linked.pathname + linked.search))
	assert.deepEqual(second.items.map(item => item.id), ids.slice().reverse().slice(3, 6))
	const third = await own.api.get(listOf(`&limit=3&cursor=${second.nextCursor}`))
	assert.deepEqual(assertOk(third).items.map(item => item.id), [ids[0]])
	assert.equal(third.json.nextCursor, null)
	assert.equal(third.headers.link, undefined)
	assert.equal((await get('&limit=7')).nextCursor, null, 'nothing follows a page that is just full')
	const titles = async query => (await get(query)).items.map(item => item.payload.cost)
	assert.deepEqual(await titles('&filter[severity]=high&sort=cost'), [1, 3, 5])
	assert.deepEqual(await titles('&filter%5Bcost%5D%5Bgte%5D=2&filter[cost][lt]=5&sort=-cost'), [4, 3, 2])
	assert.deepEqual(await titles('&filter[cost][in]=1,6&sort=cost'), [1, 6])
	assert.deepEqual(await titles('&filter[cost][nin]=1,2,3,4,5&sort=cost'), [0, 6])
	assert.deepEqual(await titles('&filter[title][startsWith]=Number+3'), [3])
	assert.deepEqual(await titles('&filter[title][contains]=BER%204'), [4])
	assert.deepEqual(await titles('&filter[description][exists]=true'), [])
	assert.deepEqual(await titles('&filter[severity][ne]=high&sort=cost'), [0, 2, 4, 6])
	assert.deepEqual(await titles('&q=number+5'), [5])
	assert.deepEqual(await titles('&status=draft&sort=cost&limit=2'), [0, 1])
	assert.deepEqual(await titles('&status=closed'), [])
	assert.deepEqual(await titles(`&filter[displayCode]=${made[2].displayCode}`), [2])
	assert.deepEqual(await titles(`&from=${made[0].createdAt}&to=2999-01-01T00:00:00%2B02:00&sort=cost&limit=1`), [0])
	assert.deepEqual(await titles('&to=2000-01-01T00:00:00Z'), [])
	const trimmed = await get('&fields=id,payload.title,version&limit=1')
	assert.deepEqual(trimmed.items, [{ id: ids[6], version: 1, payload: { title: 'Number 6' } }])
})

test('activity and audit are pages too', async () => {
	const record = await makeRecord(tenant)
	const path = `${records}/${record.id}`
	for (let i = 1; i <= 4; i++) assertOk(await api.patch(path, { payload: { cost: i } }))
	for (const target of [`${path}/activity?limit=2`, `/api/v1/audit?recordId=${record.id}&limit=2`]) {
		const seen = []
		let next = target
		while (next) {
			const page = assertOk(await api.get(next))
			assert.ok(page.items.length <= 2)
			seen.push(...page.items.map(item => item.id))
			next = page.nextCursor && `${target}&cursor=${page.nextCursor}`
		}
		assert.equal(seen.length, 5)
		assert.deepEqual(seen, [...seen].sort().reverse(), 'newest first')
	}
	const byActor = assertOk(await api.get(`/api/v1/audit?recordId=${record.id}&actor=${tenant.keyId}&action=created`))
	assert.equal(byActor.items.length, 1)
})

test('HEAD gives the headers of GET without a body', async () => {
	const record = await makeRecord(tenant)
	for (const target of [`${records}/${record.id}`, listOf('&limit=1'), `${records}/${record.id}/activity`, '/api/v1/modules',
		'/api/v1/modules/incidents', '/api/v1/audit?limit=1', '/api/v1/api-keys', `${records}/rec_00000000000000000000000000`]) {
		const got = await api.get(target)
		const head = await api.head(target)
		assert.equal(head.status, got.status, target)
		assert.equal(head.body.length, 0)
		const same = headers => Object.fromEntries(Object.entries(headers).filter(([name]) => !['date', 'x-trace-id', 'traceparent'].includes(name)))
		assert.deepEqual(same(head.headers), same(got.headers), target)
	}
})

test('gzip where it is asked for and worth it', async () => {
	await Promise.all(Array.from({ length: 10 }, () => makeRecord(tenant, { description: 'x'.repeat(300) })))
	const target = `${records}?moduleKey=incidents&limit=5`
	const plain = await api.get(target)
	const packed = await api.get(target, { 'Accept-Encoding': 'br, gzip;q=0.5' })
	assert.equal(packed.headers['content-encoding'], 'gzip')
	assert.match(packed.headers.vary, /Accept-Encoding/)
	assert.match(plain.headers.vary, /Accept-Encoding/)
	assert.equal(plain.headers['content-encoding'], undefined)
	assert.deepEqual(zlib.gunzipSync(packed.body), plain.body)
	assert.equal((await api.get(target, { 'Accept-Encoding': 'gzip;q=0' })).headers['content-encoding'], undefined)
	assert.equal((await api.get(target, { 'Accept-Encoding': 'xgzip' })).headers['content-encoding'], undefined)
})

test('a request with an Idempotency-Key runs once and replays the same bytes', async () => {
	const body = { moduleKey: 'incidents', payload: payload({ title: 'Once' }) }
	const headers = { 'Idempotency-Key': 'create 1 ~!' }
	const first = await api.post(records, body, headers)
	assertOk(first, 201)
	assert.equal(first.headers['idempotency-replayed'], undefined)
	const again = await api.post(records, body, headers)
	assert.equal(again.status, 201)
	assert.equal(again.headers['idempotency-replayed'], 'true')
	assert.ok(again.body.equals(first.body))
	assert.equal(again.headers.location, first.headers.location)
	assert.equal(again.headers.etag, first.headers.etag)
	assert.equal(again.headers['content-type'], first.headers['content-type'])
	assertProblem(await api.post(records, { ...body, workflowState: 'draft' }, headers), 422, 'idempotency_key_conflict')
	assertProblem(await api.patch(first.headers.location, { payload: { cost: 1 } }, headers), 422, 'idempotency_key_conflict')
	const path = first.headers.location
	const calls = [
		() => api.patch(path, { payload: { cost: 5 } }, { 'Idempotency-Key': 'patch' }),
		() => api.post(`${path}:transition`, { transition: 'reset' }, { 'Idempotency-Key': 'move' }),
		() => api.delete(path, { 'Idempotency-Key': 'delete' }),
		() => api.post(`${path}:restore`, undefined, { 'Idempotency-Key': 'restore' }),
	]
	for (const call of calls) {
		const one = await call()
		const two = await call()
		assert.ok(one.status < 300, one.text)
		assert.equal(two.status, one.status, two.text)
		assert.equal(two.headers['idempotency-replayed'], 'true')
		assert.ok(two.body.equals(one.body))
	}
})

test('an Idempotency-Key belongs to one API key', async () => {
	const body = { moduleKey: 'incidents', payload: payload() }
	const headers = { 'Idempotency-Key': 'shared' }
	const other = await tenant.makeKey({ name: 'other' })
	const first = assertOk(await api.post(records, body, headers), 201)
	const answer = await other.api.post(records, body, headers)
	assert.notEqual(assertOk(answer, 201).id, first.id)
	assert.equal(answer.headers['idempotency-replayed'], undefined)
})

test('a failed request leaves no Idempotency-Key behind', async () => {
	const headers = { 'Idempotency-Key': 'fails first' }
	const bad = { moduleKey: 'incidents', payload: { severity: 'low' } }
	assertProblem(await api.post(records, bad, headers), 400, 'validation_failed')
	assertProblem(await api.post(records, bad, headers), 400, 'validation_failed')
	const good = await api.post(records, { moduleKey: 'incidents', payload: payload() }, headers)
	assertOk(good, 201)
	assert.equal(good.headers['idempotency-replayed'], undefined)
})

test('a unique value in use is a conflict', async () => {
	const first = await makeRecord(tenant, { badge: 'B-1' })
	const twin = { moduleKey: 'incidents', payload: payload({ badge: 'B-1' }) }
	assertProblem(await api.post(records, twin), 409, 'conflict', { errors: [{ path: '/payload/badge', code: 'unique' }] })
	assert.equal((await api.delete(`${records}/${first.id}`)).status, 204)
	assertOk(await api.post(records, twin), 201)
	assertProblem(await api.post(`${records}/${first.id}:restore`), 409, 'conflict')
})

test('modules: list, read, publish a new version', async () => {
	const own = await makeTenant('modules')
	const list = assertOk(await own.api.get('/api/v1/modules'))
	assert.deepEqual(list, { items: [{ key: 'incidents', name: 'Incidents', description: 'For tests', definitionVersion: 1, recordCount: 0 }], nextCursor: null })
	await makeRecord(own)
	assert.equal(assertOk(await own.api.get('/api/v1/modules')).items[0].recordCount, 1)
	const one = await own.api.get('/api/v1/modules/incidents')
	assert.equal(assertOk(one).definitionVersion, 1)
	assert.deepEqual(one.json.fields.map(field => field.key), definition.fields.map(field => field.key))
	assert.equal(one.json.jsonSchema.type, 'object')
	const wider = { ...definition, fields: [...definition.fields, { key: 'floor', type: 'integer' }] }
	const published = await own.api.put('/api/v1/modules/incidents', wider)
	assert.equal(assertOk(published, 200).definitionVersion, 2)
	assert.equal(assertOk(await own.api.get('/api/v1/modules/incidents')).definitionVersion, 2)
	assert.equal(assertOk(await own.api.get('/api/v1/modules/incidents?version=1')).fields.length, definition.fields.length)
	assertProblem(await own.api.get('/api/v1/modules/incidents?version=3'), 404, 'not_found')
	const record = await makeRecord(own, { floor: 3 })
	assert.equal(record.definitionVersion, 2)
	const fresh = await own.api.put('/api/v1/modules/second', { ...definition, key: 'second', displayCode: { prefix: 'SEC' } })
	assertOk(fresh, 201)
	assertProblem(await own.api.put('/api/v1/modules/other', { ...definition, key: 'second' }), 400, 'validation_failed')
})

test('what a key lacks is 403: scopes, roles, modules', async () => {
	const record = await makeRecord(tenant)
	const path = `${records}/${record.id}`
	const reader = await tenant.makeKey({ scopes: ['records.read'] })
	assertOk(await reader.api.get(path))
	assertProblem(await reader.api.patch(path, { payload: { cost: 1 } }), 403, 'forbidden')
	assertProblem(await reader.api.get('/api/v1/audit'), 403, 'forbidden')
	assertProblem(await reader.api.get('/api/v1/modules'), 403, 'forbidden')
	assertProblem(await reader.api.get('/api/v1/api-keys'), 403, 'forbidden')
	const viewer = await tenant.makeKey({ roles: ['viewer'] })
	assertOk(await viewer.api.get(path))
	assertProblem(await viewer.api.delete(path), 403, 'forbidden')
	assertProblem(await viewer.api.post(records, { moduleKey: 'incidents', payload: payload() }), 403, 'forbidden')
	const elsewhere = await tenant.makeKey({ modules: ['capa'] })
	assert.ok([403, 404].includes((await elsewhere.api.get(path)).status))
	assert.equal(assertOk(await elsewhere.api.get('/api/v1/modules')).items.length, 0)
})

test('API keys: made, listed without their secret, revoked at once', async () => {
	const made = await api.post('/api/v1/api-keys', { name: 'child', scopes: ['records.read'], roles: ['viewer'] })
	const key = assertOk(made, 201)
	assert.match(key.key, /^qehs_live_sk_/)
	const child = caller(key.key)
	assertOk(await child.get(listOf('')))
	const list = await api.get('/api/v1/api-keys?limit=200')
	assert.ok(assertOk(list).items.some(item => item.id === key.id))
	assert.ok(!list.text.includes(key.key))
	assert.equal((await api.delete(`/api/v1/api-keys/${key.id}`)).status, 204)
	assertProblem(await child.get(listOf('')), 401, 'unauthenticated')
})

test('rate-limit headers on every answer of a key with a limit', async () => {
	const limited = await tenant.makeKey({ rateLimit: 3 })
	const target = listOf('&limit=1')
	for (const remaining of [2, 1, 0]) {
		const answer = await limited.api.get(remaining === 1 ? `${records}/none` : target)
		assertLimited(answer)
		assert.equal(answer.headers['x-ratelimit-limit'], '3')
		assert.equal(answer.headers['x-ratelimit-remaining'], String(remaining))
	}
	assertProblem(await limited.api.get(target), 429, 'rate_limited', { limited: true })
})
