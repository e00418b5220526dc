// Every door asked by every kind of caller: what is answered, what the document says of it, and that no answer has what its caller may not read.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertOk, request } from './lib/client.mjs'
import { definition, literal, makeTenant, payload } from './lib/tenant.mjs'

const secret = 'under the mat', hidden = 734651902811
const module = {
	...definition,
	fields: [...definition.fields, { key: 'owner', type: 'user' }, { key: 'secret', type: 'text', searchable: true }, { key: 'wage', type: 'integer' },
		{ key: 'yearly', type: 'computed', expression: '$.wage * 1' }],
	workflow: { ...definition.workflow, transitions: { ...definition.workflow.transitions, take: { from: '*', to: 'draft', roles: ['@owner'], requires: ['description'] } } },
	permissions: {
		roles: { viewer: ['read'], 'tenant-user': ['read', 'create', 'update'], mover: ['read', 'transition'], changer: ['update'], loader: ['create', 'bulk.state'], '@owner': ['read', 'update'], '@createdBy': ['read', 'delete'] },
		fields: { secret: { read: ['medic'] }, wage: { read: ['medic'] } },
	},
}
const tenant = await makeTenant('permissions', module)
await tenant.sql(`SELECT qehs.module_publish('other', ${literal(JSON.stringify({ ...definition, key: 'other', displayCode: { prefix: 'OTH' } }))}) \\g /dev/null`)
const ann = JSON.parse(await tenant.sql("SELECT qehs.user_create('ann', 'Ann', roles => '{}');")).id
await tenant.sql("SELECT qehs.user_create('eve', 'Eve', roles => '{}');")
const records = ['records.read', 'records.write', 'modules.read', 'audit.read']
const callers = {
	admin: {},
	viewer: { scopes: records, roles: ['viewer'] },
	staff: { scopes: records, roles: ['tenant-user'] },
	mover: { scopes: records, roles: ['mover'] },
	changer: { scopes: records, roles: ['changer'] },
	loader: { scopes: records, roles: ['loader'] },
	owner: { scopes: records, roles: [], actingUser: 'ann' },
	stranger: { scopes: records, roles: [], actingUser: 'eve' },
	writer: { scopes: ['records.write'], roles: ['tenant-user'] },
	reader: { scopes: ['records.read'], roles: ['tenant-user'] },
	auditor: { scopes: ['audit.read'], roles: ['viewer'] },
	'auditor without roles': { scopes: ['audit.read'], roles: ['nobody'] },
	'staff of another module': { scopes: records, roles: ['tenant-user'], modules: ['other'] },
}
for (const options of Object.values(callers)) Object.assign(options, await tenant.makeKey(options))
const create = (api, more = {}, body = {}) => api.post('/api/v1/records', { moduleKey: 'incidents', payload: payload(more), ...body })
const made = async () => assertOk(await create(tenant.api, { owner: ann, secret, wage: hidden, description: 'd' }), 201).id
const changed = async (change = {}) => {
	const id = await made()
	assertOk(await tenant.api.patch(`/api/v1/records/${id}`, { payload: { secret: `${secret}, moved`, wage: hidden + 1, ...change } }))
	return id
}
const removed = async () => {
	const id = await changed()
	assert.equal((await tenant.api.delete(`/api/v1/records/${id}`)).status, 204)
	return id
}

// A call of each door on a record of its own, and what each caller gets: a status, or for lists how many items and counts.
const count = answer => answer.status === 200 ? answer.json.items.length > 0 ? 'some' : 'none' : answer.status
const doors = {
	get: { operation: 'record_get', call: async api => api.get(`/api/v1/records/${await changed()}`) },
	list: { operation: 'record_list', call: async api => (await made(), api.get('/api/v1/records?moduleKey=incidents')), tell: count },
	search: { operation: 'record_list', call: async api => (await made(), api.get('/api/v1/records?moduleKey=incidents&q=mat')), tell: count },
	activity: { operation: 'record_activity', call: async api => api.get(`/api/v1/records/${await changed()}/activity`), tell: count },
	at: { operation: 'record_at', call: async api => api.get(`/api/v1/records/${await changed()}/at?time=2099-12-31`) },
	'activity of a deleted one': { call: async api => api.get(`/api/v1/records/${await removed()}/activity`), tell: count },
	audit: { operation: 'audit_list', call: async api => api.get(`/api/v1/audit?recordId=${await removed()}`), tell: count },
	create: { operation: 'record_create', call: api => create(api) },
	'create in a state': { call: api => create(api, {}, { workflowState: 'closed' }) },
	load: { operation: 'bulk_load', call: api => request('POST', '/api/v1/modules/incidents/bulk', { key: api.key, body: JSON.stringify(payload()), headers: { 'Content-Type': 'application/x-ndjson' } }) },
	'load in a state': {
		call: api => request('POST', '/api/v1/modules/incidents/bulk', { key: api.key, body: JSON.stringify({ payload: payload(), workflowState: 'closed' }), headers: { 'Content-Type': 'application/x-ndjson' } }),
		tell: answer => answer.status === 200 ? JSON.parse(answer.text.split('\n')[0]).status : answer.status,
	},
	update: { operation: 'record_update', call: async api => api.patch(`/api/v1/records/${await changed()}`, { payload: { cost: 3 } }) },
	'update of nothing': { call: async api => api.patch(`/api/v1/records/${await changed()}`, { payload: {} }) },
	'update of what is hidden': { call: async api => api.patch(`/api/v1/records/${await changed()}`, { payload: { secret: 'x', yearly: hidden } }) },
	migrate: { operation: 'record_migrate', call: async api => api.post(`/api/v1/records/${await changed()}:migrate`, {}) },
	transition: { call: async api => api.post(`/api/v1/records/${await changed()}:transition`, { transition: 'reset' }) },
	'transition of the owner': { call: async api => api.post(`/api/v1/records/${await changed()}:transition`, { transition: 'take', payload: { description: 'mine' } }) },
	'transition with more': { call: async api => api.post(`/api/v1/records/${await changed()}:transition`, { transition: 'reset', payload: { cost: 9 } }) },
	delete: { operation: 'record_delete', call: async api => api.delete(`/api/v1/records/${await changed()}`) },
	restore: { operation: 'record_restore', call: async api => api.post(`/api/v1/records/${await removed()}:restore`) },
	modules: {
		operation: 'module_list', call: async api => (await made(), api.get('/api/v1/modules')),
		tell: answer => answer.status === 200 ? (answer.json.items.find(item => item.key === 'incidents')?.recordCount ?? -1) > 0 ? 'some' : 'none' : answer.status,
	},
}
const none = (...names) => Object.fromEntries(names.map(name => [name, 404]))
const expected = {
	// who may read some records of the module does not learn of others: @createdBy may
	get: { admin: 200, viewer: 200, staff: 200, mover: 200, owner: 200, reader: 200, ...none('changer', 'loader', 'stranger') },
	list: { admin: 'some', viewer: 'some', staff: 'some', mover: 'some', owner: 'some', reader: 'some', loader: 'none', stranger: 'none', changer: 'none' },
	search: { admin: 'some', viewer: 'none', staff: 'none', mover: 'none', owner: 'none', reader: 'none', loader: 'none', stranger: 'none', changer: 'none' },
	activity: { admin: 'some', viewer: 'some', staff: 'some', mover: 'some', owner: 'some', reader: 'some', ...none('changer', 'loader', 'stranger') },
	at: { admin: 200, viewer: 200, staff: 200, mover: 200, owner: 200, reader: 200, ...none('changer', 'loader', 'stranger') },
	'activity of a deleted one': { admin: 'some', viewer: 'some', staff: 'some', mover: 'some', owner: 'some', reader: 404, ...none('changer', 'loader', 'stranger') },
	audit: { admin: 'some', viewer: 'some', staff: 'some', mover: 'some', owner: 'some', auditor: 'some', 'auditor without roles': 'none', changer: 'none', loader: 'none', stranger: 'none', 'staff of another module': 'none' },
	create: { admin: 201, staff: 201, loader: 201, writer: 201 },
	'create in a state': { admin: 201, loader: 201 },
	load: { admin: 200, staff: 200, loader: 200, writer: 200 },
	'load in a state': { admin: 'created', staff: 'failed', loader: 'created', writer: 'failed' },
	update: { admin: 200, staff: 200, changer: 200, owner: 200, writer: 200, ...none('loader', 'stranger') },
	'update of nothing': { admin: 200, staff: 200, changer: 200, owner: 200, writer: 200, ...none('loader', 'stranger') },
	'update of what is hidden': { admin: 400, staff: 400, changer: 400, owner: 400, writer: 400, ...none('loader', 'stranger') },
	migrate: { admin: 200, staff: 200, changer: 200, owner: 200, writer: 200, ...none('loader', 'stranger') },
	transition: { admin: 200, mover: 200, ...none('changer', 'loader', 'stranger') },
	'transition of the owner': { admin: 200, owner: 200, mover: 409, staff: 409, viewer: 409, ...none('changer', 'loader', 'stranger') },
	'transition with more': { admin: 200, mover: 400, ...none('changer', 'loader', 'stranger') },
	delete: { admin: 204, ...none('changer', 'loader', 'stranger') },
	restore: { admin: 200, ...none('changer', 'loader', 'stranger') },
	modules: { admin: 'some', viewer: 'some', staff: 'some', mover: 'some', owner: 'some', changer: 'none', loader: 'some', stranger: 'none', 'staff of another module': 'none' },
}

for (const [name, { call, tell = answer => answer.status }] of Object.entries(doors))
	test(`${name}: to each caller what he may`, async () => {
		const got = {}
		for (const [who, { api }] of Object.entries(callers)) {
			const answer = await call(api)
			const told = tell(answer)
			if (told !== 403) got[who] = told
			if (who !== 'admin') assert.ok(!answer.text.includes(secret) && !answer.text.includes(String(hidden)), `${who} was told: ${answer.text}`)
			if (answer.status < 300) {
				assert.match(answer.headers['cache-control'] ?? '', /private|no-store/, who)
				assert.match(answer.headers.vary ?? '', /Authorization/, who)
			}
		}
		assert.deepEqual(got, expected[name])
	})

test('the document of each caller has the operations that some record answers', async () => {
	for (const [who, { api }] of Object.entries(callers)) {
		const paths = Object.values(assertOk(await api.get('/api/docs/spec.json')).paths)
		const shown = new Set(paths.flatMap(path => Object.values(path).map(operation => operation.operationId)))
		for (const [name, { operation }] of Object.entries(doors))
			// @createdBy may delete what he made, whoever he is
			if (operation && expected[name][who] !== undefined && !shown.has(operation)) assert.fail(`${who} may ${name}, and the document has no ${operation}`)
	}
})

test('who may write and not read gets what he needs to go on, and no payload', async () => {
	const id = await changed()
	for (const answer of [await callers.writer.api.patch(`/api/v1/records/${id}`, { payload: { cost: 1 } }), await callers.changer.api.patch(`/api/v1/records/${id}`, { payload: {} })]) {
		assertOk(answer)
		assert.deepEqual(answer.json.payload, {})
		assert.match(answer.headers.etag, /^"\d+"$/)
	}
})

test('a creator reads and deletes what he made, by key as by person', async () => {
	const { id } = assertOk(await create(callers.loader.api), 201)
	assertOk(await callers.loader.api.get(`/api/v1/records/${id}`))
	assert.equal((await callers.loader.api.delete(`/api/v1/records/${id}`)).status, 204)
})

test('a 304 says what the answer would depend on', async () => {
	const { api } = callers.viewer
	const id = await changed()
	const { etag } = (await api.get(`/api/v1/records/${id}`)).headers
	const answer = await api.get(`/api/v1/records/${id}`, { 'If-None-Match': etag })
	assert.equal(answer.status, 304)
	assert.equal(answer.headers['cache-control'], 'private, no-cache')
	assert.match(answer.headers.vary, /Authorization/)
})
