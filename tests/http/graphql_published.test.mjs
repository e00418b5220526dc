// The schema is that of the definitions of the moment: what is published, or hidden, between two requests of a client holds for the second.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { agent, request } from './lib/client.mjs'
import { definition, literal, makeTenant, payload } from './lib/tenant.mjs'

const tenant = await makeTenant('gqlpub')
const ask = async (query, variables) => (await request('POST', '/api/graphql', { key: tenant.key, json: { query, variables } })).json
const publish = fields => tenant.sql(`SELECT qehs.module_publish('incidents', ${literal(JSON.stringify({ ...definition, fields }))})`)
after(() => agent.destroy())

test('a field that is published is there for the next request, and a document that was sent before still holds', async () => {
	const query = '{ incidentsList { title } }'
	await ask('mutation ($p: JSON) { incidentsCreate(payload: $p) { id } }', { p: payload({ title: 'first' }) })
	assert.deepEqual((await ask(query)).data, { incidentsList: [{ title: 'first' }] })
	const added = '{ incidentsList { title big } __type(name: "Incident") { fields { name } } }'
	assert.match((await ask(added)).errors[0].message, /has no field "big"/)
	await publish([...definition.fields, { key: 'big', type: 'integer' }])
	const { data } = await ask(added)
	assert.deepEqual([data.incidentsList, data.__type.fields.some(({ name }) => name === 'big')], [[{ title: 'first', big: null }], true])
	const made = await ask('mutation ($p: JSON) { incidentsCreate(payload: $p) { big definitionVersion } }', { p: payload({ big: 2 ** 40 }) })
	assert.deepEqual(made.data.incidentsCreate, { big: 2 ** 40, definitionVersion: 2 })
	assert.equal((await ask(query)).data.incidentsList.length, 2)
})

test('bounds that keep an integer to 32 bits make it an Int', async () => {
	const type = async () => (await ask('{ __type(name: "Incident") { fields { name type { name } } } }')).data.__type.fields.find(({ name }) => name === 'wide')?.type.name
	await publish([...definition.fields, { key: 'big', type: 'integer' }, { key: 'wide', type: 'integer', min: 0, max: 10 }])
	assert.equal(await type(), 'Int')
	await publish([...definition.fields, { key: 'big', type: 'integer' }, { key: 'wide', type: 'integer', min: 0 }])
	assert.equal(await type(), 'BigInt')
})

test('a schema that is hidden is told by name at the next request, and __typename stays', async () => {
	await tenant.sql('SELECT qehs.graphql_introspection_set(false)')
	for (const query of ['{ __schema { queryType { name } } }', '{ ... on Query { __type(name: "Query") { name } } }']) {
		const { data, errors } = await ask(query)
		assert.deepEqual([data, errors[0].extensions.code], [undefined, 'GRAPHQL_VALIDATION_FAILED'], query)
	}
	assert.deepEqual((await ask('{ __typename me { __typename } }')).data, { __typename: 'Query', me: { __typename: 'Caller' } })
	await tenant.sql('SELECT qehs.graphql_introspection_set(true)')
	assert.equal((await ask('{ __schema { queryType { name } } }')).data.__schema.queryType.name, 'Query')
})
