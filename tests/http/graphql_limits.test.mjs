// GraphQL has the limits of REST: scopes, rate limits, idempotency keys, and lists that are bounded before anything runs.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { agent, assertLimited, request } from './lib/client.mjs'
import { makeTenant, payload } from './lib/tenant.mjs'

const tenant = await makeTenant('gqll')
const ask = (key, query, variables, headers = {}) => request('POST', '/api/graphql', { key, json: { query, variables }, headers })
const create = 'mutation ($p: JSON!) { incidentsCreate(payload: $p) { id } }'
after(() => agent.destroy())

test('requests count against the key, and one too many is 429 in the form of GraphQL', async () => {
	const { key } = await tenant.makeKey({ rateLimit: 2 })
	for (let i = 0; i < 2; i++)
		assertLimited(await ask(key, '{ __typename }'))
	const refused = await ask(key, '{ __typename }')
	assert.equal(refused.status, 429)
	assertLimited(refused)
	assert.match(refused.headers['retry-after'], /^\d+$/)
	assert.equal(refused.json.errors[0].extensions.code, 'rate_limited')
})

test('a key without the scope to write sees no mutations, and one for other modules no type of this', async () => {
	const reader = await tenant.makeKey({ scopes: ['records.read'] })
	assert.equal((await ask(reader.key, '{ __schema { mutationType { name } } }')).json.data.__schema.mutationType, null)
	const refused = await ask(reader.key, create, { p: payload() })
	assert.equal(refused.json.errors[0].extensions.code, 'GRAPHQL_VALIDATION_FAILED')
	const writer = await tenant.makeKey({ scopes: ['records.write'] })
	const unread = await ask(writer.key, '{ incidentsList { id } }')
	assert.ok(unread.json.errors.length > 0, unread.text)
})

test('a mutation with an Idempotency-Key runs once, and another request with it is a conflict', async () => {
	const headers = { 'Idempotency-Key': `gqll-${Date.now()}` }
	const first = await ask(tenant.key, create, { p: payload({ title: 'once' }) }, headers)
	const second = await ask(tenant.key, create, { p: payload({ title: 'once' }) }, headers)
	assert.deepEqual([second.headers['idempotency-replayed'], second.json], ['true', first.json])
	assert.equal((await ask(tenant.key, create, { p: payload({ title: 'other' }) }, headers)).status, 422)
	const { json } = await ask(tenant.key, '{ incidents(filter: {title: "once"}) { totalCount } }')
	assert.equal(json.data.incidents.totalCount, 1)
})

test('what asks for too much is refused before it runs: depth, values, lists, mutations, aliases', async () => {
	const many = Array.from({ length: 51 }, (_, i) => `a${i}: incidentsDelete(id: "x")`).join(' ')
	for (const [query, message] of [
		['{ incidentsList(limit: 201) { id } }', /must be 1 to 200/],
		['{ incidents(first: -1) { totalCount } }', /must be 0 to 200/],
		[`{ ${Array.from({ length: 20 }, (_, i) => `a${i}: incidentsList(limit: 200) { activity(limit: 200) { id type at } }`).join(' ')} }`, /more than 100000/],
		['{ a: me { id } a: me { id } }', /stands twice/],
		[`mutation { ${many} }`, /at most 50 mutations/],
	]) {
		const { json } = await ask(tenant.key, query)
		assert.match(json.errors[0].message, message)
		assert.equal(json.data, undefined, query)
	}
})

test('the endpoints have a time limit', async () => {
	const limits = (await tenant.sql("SELECT DISTINCT time_limit IS NOT NULL FROM qehs.endpoint WHERE path = '/api/graphql'")).trim()
	assert.equal(limits, 't')
})
