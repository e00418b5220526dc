// API keys: each scope and each narrowing to modules holds on every endpoint there is, a key gives no more than it has, and the
// text of a key tells its kind and its checksum.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { calls, makeCaller, prepare } from './lib/calls.mjs'
import { assertOk, assertProblem, caller, request } from './lib/client.mjs'
import { definition, makeJob, makeRecord, makeTenant, payload, psql } from './lib/tenant.mjs'

const tenant = await makeTenant('keys')
const { api } = tenant
const path = '/api/v1/api-keys'
const scopes = ['records.read', 'records.write', 'modules.read', 'modules.write', 'attachments.read', 'attachments.write', 'exports.create', 'audit.read',
	'admin.users', 'admin.keys', 'holds.write', 'records.purge']
const all = JSON.parse(await psql("SELECT json_agg(json_build_object('operation', operation, 'method', method, 'path', path, 'scope', scope, 'form', error_form)) FROM qehs.endpoint WHERE authenticated"))
const ofScim = ({ operation }) => operation.startsWith('scim_')
const endpoints = all.filter(endpoint => !ofScim(endpoint))
assertOk(await api.put('/api/v1/modules/other', { ...definition, key: 'other', displayCode: { prefix: 'OTH' } }), 201)

const ofKeys = operation => operation.startsWith('api_key_')

async function call(endpoint, key) {
	const { target, ...rest } = await prepare(tenant, endpoint)
	return request(endpoint.method, target, { key, ...rest })
}

for (const endpoint of endpoints) {
	if (endpoint.scope === null) {
		test(`${endpoint.operation}: needs a key, and no scope of it`, async () => {
			assert.ok(calls[endpoint.operation], 'a new endpoint belongs into this test')
			const bare = await makeCaller(tenant, endpoint, { scopes: [], roles: ['tenant-owner'] })
			const done = await call(endpoint, bare.key)
			assert.ok(done.status < 300, done.text)
		})
		continue
	}
	test(`${endpoint.operation}: works with its scope, and with all others but it is forbidden`, async () => {
		assert.ok(calls[endpoint.operation], 'a new endpoint belongs into this test')
		assert.ok(scopes.includes(endpoint.scope), `${endpoint.scope} is a scope`)
		const without = await makeCaller(tenant, endpoint, { scopes: scopes.filter(scope => scope !== endpoint.scope) })
		const refused = await call(endpoint, without.key)
		assertProblem(refused, 403, 'forbidden')
		if (refused.json.detail.includes('lacks the scope')) assert.equal(refused.headers['www-authenticate'], `Bearer error="insufficient_scope", scope="${endpoint.scope}"`)
		const done = await call(endpoint, (await makeCaller(tenant, endpoint)).key)
		assert.ok(done.status < 300, done.text)
	})
	if (!ofKeys(endpoint.operation))
		test(`${endpoint.operation}: a key for another module finds nothing here`, async () => {
			const narrow = await makeCaller(tenant, endpoint, { modules: ['other'] })
			const hidden = { audit_list: [], tombstone_list: [], legal_hold_list: [], module_list: ['other'] }[endpoint.operation]
			const answer = await call(endpoint, narrow.key)
			if (hidden === undefined) assertProblem(answer, 403, 'forbidden')
			else assert.deepEqual(assertOk(answer).items.map(item => item.key), hidden)
		})
}

for (const endpoint of all.filter(ofScim))
	test(`${endpoint.operation}: needs ${endpoint.scope ?? 'a key, and no scope of it'}`, async () => {
		const target = endpoint.path.replace(/\{.*?\}/g, 'none')
		const json = ['POST', 'PUT', 'PATCH'].includes(endpoint.method) ? { schemas: [] } : undefined
		const without = await tenant.makeKey({ scopes: scopes.filter(scope => scope !== endpoint.scope), roles: ['tenant-owner'] })
		const answer = await request(endpoint.method, target, { key: without.key, json })
		// who acts as no user has no Me, whatever its scopes
		const refusal = endpoint.path.endsWith('/Me') ? 404 : 403
		if (endpoint.scope) assert.deepEqual([answer.status, answer.json.status], [refusal, String(refusal)], answer.text)
		else assert.ok([200, 404].includes(answer.status), answer.text)
		const able = await tenant.makeKey({ scopes: [endpoint.scope ?? 'admin.users'], roles: ['tenant-owner'] })
		const done = await request(endpoint.method, target, { key: able.key, json })
		assert.ok([200, 400, 404].includes(done.status), done.text)
	})

test('jobs of other modules are as good as missing for a key for one module', async () => {
	const narrow = await tenant.makeKey({ modules: ['other'], roles: ['tenant-owner'] })
	await makeJob(tenant)
	assert.deepEqual(assertOk(await narrow.api.get('/api/v1/jobs')).items, [])
	for (const method of ['GET', 'DELETE'])
		assertProblem(await request(method, `/api/v1/jobs/${await makeJob(tenant)}`, { key: narrow.key }), 404, 'not_found')
})

test('audit of a key for one module has that module only, page by page', async () => {
	const narrow = await tenant.makeKey({ modules: ['other'] })
	for (let i = 0; i < 5; i++) {
		await makeRecord(tenant)
		assertOk(await api.post('/api/v1/records', { moduleKey: 'other', payload: payload() }), 201)
	}
	const seen = []
	for (let cursor = ''; cursor !== null;) {
		const page = assertOk(await narrow.api.get(`/api/v1/audit?limit=2${cursor && `&cursor=${cursor}`}`))
		seen.push(...page.items)
		cursor = page.nextCursor
	}
	assert.equal(seen.length, 5)
	assert.ok(seen.every(event => event.moduleKey === 'other'))
})

test('a key cannot give what it lacks: scopes, roles, modules, a person', async () => {
	await tenant.sql(`SELECT qehs.user_create('owner@example.com', 'Owner', roles => '{tenant-owner}'); SELECT qehs.user_create('plain@example.com', 'Plain', roles => '{viewer}');`)
	const clerk = await tenant.makeKey({ scopes: ['admin.keys', 'records.read'], roles: ['viewer'], modules: ['incidents'] })
	const give = members => clerk.api.post(path, { name: 'k', scopes: ['records.read'], roles: ['viewer'], modules: ['incidents'], ...members })
	assertOk(await give({}), 201)
	for (const [members, error] of [
		[{ scopes: ['records.read', 'records.write'] }, '/scopes/1'], [{ roles: ['viewer', 'tenant-owner'] }, '/roles/1'],
		[{ modules: ['incidents', 'other'] }, '/modules/1'], [{ modules: null }, '/modules'], [{ roles: [], actingUser: 'owner@example.com' }, '/actingUser'],
		[{ actingUser: 'plain@example.com' }, '/actingUser'], [{ actingUser: 'nobody@example.com' }, '/actingUser'],
	]) {
		const problem = assertProblem(await give(members), 400, 'validation_failed')
		assert.deepEqual(problem.errors.map(({ path }) => path), [error], JSON.stringify(members))
	}
	const mighty = await tenant.makeKey({ modules: ['incidents'] })
	const wide = await tenant.makeKey({ modules: null })
	for (const target of [wide.keyId, (await tenant.makeKey({ scopes: ['modules.write'] })).keyId])
		assertProblem(await clerk.api.post(`${path}/${target}:rotate`), 403, 'forbidden')
	assertProblem(await mighty.api.post(`${path}/${wide.keyId}:rotate`), 403, 'forbidden')
	const own = assertOk(await api.post(path, { name: 'k', scopes: ['records.read', 'records.write'], roles: [], actingUser: 'plain@example.com' }), 201)
	const record = await makeRecord(tenant)
	assert.equal((await caller(own.key).get(`/api/v1/records/${record.id}`)).status, 200)
	assertProblem(await caller(own.key).patch(`/api/v1/records/${record.id}`, { payload: { cost: 2 } }), 403, 'forbidden')
	assert.match(own.actingUser, /^usr_/)
})

test('a key stops with its person, whoever says so', async () => {
	const user = JSON.parse(await tenant.sql("SELECT qehs.user_create('leaver@example.com', 'Leaver', roles => '{viewer}');")).id
	const { key } = assertOk(await api.post(path, { name: 'k', scopes: ['records.read'], roles: [], actingUser: 'leaver@example.com' }), 201)
	const list = () => request('GET', '/api/v1/records?moduleKey=incidents', { key })
	assertOk(await list())
	await psql(`UPDATE qehs.user_account SET active = false WHERE user_name = 'leaver@example.com'`)
	assertProblem(await list(), 401, 'unauthenticated')
	await psql(`UPDATE qehs.user_account SET active = true WHERE user_name = 'leaver@example.com'`)
	assertOk(await list())
	await psql(`DELETE FROM qehs.role_member AS m USING qehs.user_account AS u WHERE u.tenant_id = m.tenant_id AND u.id = m.user_id AND u.user_name = 'leaver@example.com'`)
	assertProblem(await list(), 403, 'forbidden')
	assert.match(user, /^usr_/)
})

// What README tells a scanner, done without the server.
const alphabet = '0123456789abcdefghjkmnpqrstvwxyz'
const form = /^(qehs_live_sk_|qehs_test_sk_|sa_|scim_)[0-9a-hjkmnp-tv-z]{66}$/
function checksum(text) {
	let crc = 0xffffffff
	for (const byte of Buffer.from(text)) {
		crc ^= byte
		for (let i = 0; i < 8; i++) crc = crc >>> 1 ^ (crc & 1 ? 0x82f63b78 : 0)
	}
	const value = (crc ^ 0xffffffff) >>> 0
	return Array.from({ length: 7 }, (_, i) => alphabet[Math.floor(value / 32 ** (6 - i)) % 32]).join('')
}

const kinds = { live: 'qehs_live_sk_', test: 'qehs_test_sk_', service: 'sa_', scim: 'scim_' }
for (const [kind, scheme] of Object.entries(kinds))
	test(`a ${kind} key begins with ${scheme} and ends with its checksum`, async () => {
		const made = assertOk(await api.post(path, { name: kind, kind, scopes: ['admin.users'], roles: ['tenant-owner'] }), 201)
		assert.equal(made.kind, kind)
		assert.match(made.key, form)
		assert.ok(made.key.startsWith(scheme) && made.key.startsWith(made.prefix))
		assert.equal(checksum(made.key.slice(0, -7)), made.key.slice(-7))
		const next = assertOk(await api.post(`${path}/${made.id}:rotate`), 201)
		assert.ok(next.key.startsWith(scheme))
		assert.equal(assertOk(await api.get(`${path}/${next.id}`)).kind, kind)
	})

test('every single typing error is refused', async () => {
	const { key } = await tenant.makeKey()
	for (let i = 0; i < key.length; i += 3) {
		const typed = key.slice(0, i) + alphabet[(alphabet.indexOf(key[i]) + 7) % 32] + key.slice(i + 1)
		assert.notEqual(checksum(typed.slice(0, -7)), typed.slice(-7))
		assertProblem(await request('GET', path, { key: typed }), 401, 'unauthenticated')
	}
})

test('a service key acts as nobody else; a SCIM key has one scope and opens SCIM only', async () => {
	const make = members => api.post(path, { name: 'k', scopes: ['admin.users'], roles: ['tenant-owner'], ...members })
	assertProblem(await make({ kind: 'service', actingUser: 'owner@example.com' }), 400, 'validation_failed', { errors: [{ path: '/actingUser', code: 'forbidden' }] })
	assertProblem(await make({ kind: 'scim', scopes: ['admin.users', 'records.read'] }), 400, 'validation_failed', { errors: [{ path: '/scopes/1', code: 'enum' }] })
	assertProblem(await make({ kind: 'root' }), 400, 'validation_failed', { errors: [{ path: '/kind', code: 'enum' }] })
	const scim = assertOk(await make({ kind: 'scim' }), 201).key
	for (const endpoint of endpoints)
		assertProblem(await call(endpoint, scim), 403, 'forbidden', { form: endpoint.form })
	assert.equal((await request('GET', '/api/docs/spec.json', { key: scim })).status, 200)
})

test('rotated, both keys work, and the old one until its end', async () => {
	const old = assertOk(await api.post(path, { name: 'k', scopes: ['modules.read'], roles: ['viewer'], modules: ['other'], allowedAddresses: ['127.0.0.0/8'], rateLimit: 1000 }), 201)
	const works = async key => (await request('GET', '/api/v1/modules', { key })).status
	const next = assertOk(await api.post(`${path}/${old.id}:rotate`, { overlapSeconds: 600 }), 201)
	assert.deepEqual([await works(old.key), await works(next.key)], [200, 200])
	for (const member of ['name', 'kind', 'scopes', 'roles', 'modules', 'allowedAddresses', 'rateLimit']) assert.deepEqual(next[member], old[member])
	assert.ok(Date.parse(assertOk(await api.get(`${path}/${old.id}`)).expiresAt) > Date.now())
	const last = assertOk(await api.post(`${path}/${next.id}:rotate`, { overlapSeconds: 0 }), 201)
	assert.deepEqual([await works(old.key), await works(next.key), await works(last.key)], [200, 401, 200])
	assertProblem(await api.post(`${path}/${next.id}:rotate`), 404, 'not_found')
	for (const overlapSeconds of [-1, 7776001])
		assertProblem(await api.post(`${path}/${last.id}:rotate`, { overlapSeconds }), 400, 'validation_failed', { errors: [{ path: '/overlapSeconds', code: 'range' }] })
	assert.equal((await api.delete(`${path}/${last.id}`)).status, 204)
	assert.equal(await works(last.key), 401)
	assertProblem(await api.delete(`${path}/${last.id}`), 404, 'not_found')
	assert.ok(assertOk(await api.get(`${path}/${last.id}`)).revokedAt)
})

test('secrets are in the answers of create and rotate only; those are not to be stored', async () => {
	const made = await api.post(path, { name: 'k', scopes: [], roles: [] })
	assert.equal(made.headers['cache-control'], 'no-store')
	const one = await api.get(made.headers.location)
	for (const { text } of [one, await api.get(`${path}?limit=200`), await api.get('/api/v1/audit?limit=200')])
		assert.doesNotMatch(text, /(qehs_(live|test)_sk|sa|scim)_[0-9a-z]{66}/)
	assert.equal((await api.get(made.headers.location, { 'If-None-Match': one.headers.etag })).status, 304)
	await api.delete(made.headers.location)
	const after = await api.get(made.headers.location, { 'If-None-Match': one.headers.etag })
	assert.equal(after.status, 200)
	assert.notEqual(after.headers.etag, one.headers.etag)
})
