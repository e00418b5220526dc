// ifVersion over HTTP: of several changes that follow one version a single one is made, and every mutation that takes it compares it.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { agent, request } from './lib/client.mjs'
import { makeTenant, payload } from './lib/tenant.mjs'

const { key } = await makeTenant('gqlver')
const ask = async (query, variables) => (await request('POST', '/api/graphql', { key, json: { query, variables } })).json
const make = async () => (await ask('mutation ($p: JSON) { incidentsCreate(payload: $p) { id } }', { p: payload({ description: 'd' }) })).data.incidentsCreate.id
after(() => agent.destroy())

test('of changes at once that follow the same version one is made, the others are version_mismatch', async () => {
	const id = await make()
	const update = 'mutation ($id: ID!, $p: JSON) { incidentsUpdate(id: $id, payload: $p, ifVersion: 1) { version } }'
	const answers = await Promise.all(['a', 'b', 'c', 'd'].map(title => ask(update, { id, p: { title } })))
	assert.deepEqual(answers.map(({ data, errors }) => data?.incidentsUpdate?.version ?? errors[0].extensions.code).sort(), [2, ...Array(3).fill('version_mismatch')])
})

test('a mutation follows the version that the one before it made', async () => {
	const { data, errors } = await ask(`mutation ($id: ID!) { a: incidentsUpdate(id: $id, payload: {title: "a"}, ifVersion: 1) { version }
		b: incidentsUpdate(id: $id, payload: {title: "b"}, ifVersion: 1) { version } c: incidentsUpdate(id: $id, payload: {title: "c"}, ifVersion: 2) { version } }`, { id: await make() })
	assert.deepEqual(data, { a: { version: 2 }, b: null, c: { version: 3 } })
	assert.deepEqual(errors.map(error => [error.path, error.extensions.code, error.extensions.problem.status]), [[['b'], 'version_mismatch', 412]])
	assert.equal(errors[0].message, '?ifVersion does not match the current version "2"')
	assert.deepEqual(errors[0].extensions.problem.errors, [{ path: '?ifVersion', code: 'version', message: 'does not match the current version "2"' }])
})

test('transitions and deletes compare it, too', async () => {
	const id = await make()
	for (const [change, rest] of [['incidentsTransition(id: $id, transition: "submit", ifVersion: 7)', '{ id }'], ['incidentsDelete(id: $id, ifVersion: 7)', '']])
		assert.equal((await ask(`mutation ($id: ID!) { ${change} ${rest} }`, { id })).errors[0].extensions.code, 'version_mismatch', change)
	assert.deepEqual((await ask('mutation ($id: ID!) { incidentsTransition(id: $id, transition: "submit", ifVersion: 1) { version } }', { id })).data.incidentsTransition, { version: 2 })
	assert.deepEqual((await ask('mutation ($id: ID!) { incidentsDelete(id: $id, ifVersion: 2) }', { id })).data, { incidentsDelete: id })
})
