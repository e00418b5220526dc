// GraphQL over HTTP: every audit of graphql-http, the statuses by media type, persisted queries, and what a GET may do.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, test } from 'node:test'
import { serverAudits } from 'graphql-http'
import { buildClientSchema, getIntrospectionQuery, validateSchema } from 'graphql'
import { agent, base, request } from './lib/client.mjs'
import { makeTenant, payload } from './lib/tenant.mjs'

const tenant = await makeTenant('gql')
const { key } = tenant
const post = (json, headers = {}) => request('POST', '/api/graphql', { key, json, headers })
const get = (query, headers = {}) => request('GET', `/api/graphql?${new URLSearchParams(query)}`, { key, headers })
after(() => agent.destroy())

const fetchFn = (url, options = {}) => fetch(url, { ...options, headers: { ...options.headers, Authorization: `Bearer ${key}` } })
for (const audit of serverAudits({ url: new URL('/api/graphql', base).href, fetchFn }))
	test(`audit ${audit.id}: ${audit.name}`, async () => {
		const result = await audit.fn()
		assert.equal(result.status, 'ok', result.reason)
	})

test('the schema that introspection tells has no fault for graphql-js', async () => {
	const { json } = await post({ query: getIntrospectionQuery({ descriptions: true, specifiedByUrl: true, directiveIsRepeatable: true, inputValueDeprecation: true, oneOf: true, schemaDescription: true }) })
	const schema = buildClientSchema(json.data)
	assert.deepEqual(validateSchema(schema), [])
	assert.ok(schema.getType('Incident').getFields().severity)
})

test('a request that cannot run is 400 as application/graphql-response+json, 200 as application/json', async () => {
	for (const query of ['{', '{ nope }', 'query ($n: Int!) { incidentsList(limit: $n) { id } }', 'query A { me { id } } query B { me { id } }']) {
		const told = await post({ query }, { Accept: 'application/graphql-response+json' })
		assert.deepEqual([told.status, told.headers['content-type'], 'data' in told.json], [400, 'application/graphql-response+json', false], query)
		const plain = await post({ query }, { Accept: 'application/json' })
		assert.deepEqual([plain.status, plain.headers['content-type']], [200, 'application/json; charset=utf-8'], query)
		assert.deepEqual(plain.json, told.json)
	}
})

test('a field that fails is told beside the data; one that stands alone is a problem in the form of GraphQL', async () => {
	const beside = await post({ query: '{ me { id } node(id: "x") { id } incidentsAggregate(filter: {nope: 1}) { count } }' })
	assert.equal(beside.status, 200)
	assert.equal(beside.json.errors[0].extensions.code, 'invalid_parameter')
	const alone = await post({ query: '{ incidentsList(filter: {nope: 1}) { id } }' })
	assert.equal(alone.status, 400)
	assert.equal(alone.json.errors[0].extensions.problem.errors[0].code, 'unknown_field')
})

test('GET runs queries only, and each form of variables', async () => {
	const made = await post({ query: 'mutation ($p: JSON!) { incidentsCreate(payload: $p) { id } }', variables: { p: payload() } })
	assert.equal(made.status, 200, JSON.stringify(made.json))
	const { id } = made.json.data.incidentsCreate
	const answer = await get({ query: 'query Q($id: ID!) { incidentsGet(id: $id) { id } }', variables: JSON.stringify({ id }), operationName: 'Q' })
	assert.deepEqual(answer.json, { data: { incidentsGet: { id } } })
	const refused = await get({ query: 'mutation { incidentsCreate(payload: {}) { id } }' })
	assert.deepEqual([refused.status, refused.headers.allow], [405, 'POST'])
	assert.equal((await get({ query: '{ me { id } }', variables: '{' })).status, 400)
	assert.equal((await get({ query: '{ me { id } }', nope: '1' })).status, 400)
})

test('a document is asked for by its SHA-256 once it was sent', async () => {
	const query = '{ activeTenant { slug } me { type } }'
	const extensions = { persistedQuery: { version: 1, sha256Hash: createHash('sha256').update(query).digest('hex') } }
	assert.equal((await get({ extensions: JSON.stringify(extensions) })).json.errors[0].extensions.code, 'PERSISTED_QUERY_NOT_FOUND')
	const sent = await post({ query, extensions })
	assert.equal(sent.json.data.activeTenant.slug, tenant.slug)
	assert.deepEqual((await get({ extensions: JSON.stringify(extensions) })).json, sent.json)
	assert.deepEqual((await post({ extensions })).json, sent.json)
	const other = await makeTenant('gql')
	const foreign = await request('POST', '/api/graphql', { key: other.key, json: { extensions } })
	assert.equal(foreign.json.errors[0].extensions.code, 'PERSISTED_QUERY_NOT_FOUND')
	assert.equal((await post({ query: '{ me { id } }', extensions })).status, 400)
})

test('a mutation is sent again safely', async () => {
	const headers = { 'Idempotency-Key': `gql-${Date.now()}` }
	const json = { query: 'mutation ($p: JSON!) { incidentsCreate(payload: $p) { id } }', variables: { p: payload() } }
	const first = await request('POST', '/api/graphql', { key, json, headers })
	const second = await request('POST', '/api/graphql', { key, json, headers })
	assert.equal(second.headers['idempotency-replayed'], 'true')
	assert.deepEqual(second.json, first.json)
})

test('no simple request of a browser runs anything (CSRF)', async () => {
	for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x'])
		assert.equal((await request('POST', '/api/graphql', { key, headers: { 'Content-Type': type }, body: '{"query":"{ me { id } }"}' })).status, 415)
	assert.equal((await request('POST', '/api/graphql', { json: { query: '{ me { id } }' } })).status, 401)
})
