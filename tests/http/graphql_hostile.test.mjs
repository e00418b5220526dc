// Documents and variables that are made to be costly are refused over HTTP by name, and what comes behind them is answered.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { agent, request } from './lib/client.mjs'
import { makeTenant } from './lib/tenant.mjs'

const { key } = await makeTenant('gqlh')
const many = (count, item) => Array.from({ length: count }, (_, i) => item(i)).join(' ')
const ask = json => request('POST', '/api/graphql', { key, json, headers: { Accept: 'application/graphql-response+json' } })
after(() => agent.destroy())

for (const [name, query, message] of [
	['10,000 aliases', `{ ${many(10000, i => `a${i}: me { id }`)} }`, /tokens/],
	['100,000 braces inside each other', '{'.repeat(100000), /./],
	['100,000 lists inside each other', `{ incidentsList(filter: ${'['.repeat(100000)}`, /./],
	['fragments that spread each other', '{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }', /"A"/],
	['a huge block string', `{ node(id: """${'\n  x'.repeat(250000)}""") { id } }`, /./],
	['10,000 directives', `{ me { id ${'@skip(if: false) '.repeat(10000)} } }`, /tokens/],
	['1,000 directives of one name', `{ me { id ${'@skip(if: false) '.repeat(1000)} } }`, /"@skip"/],
	['10,000 variables', `query (${many(10000, i => `$v${i}: Int`)}) { me { id } }`, /tokens/],
])
	test(`refused by name: ${name}`, async () => {
		const { status, json, text } = await ask({ query })
		assert.ok(status === 400 || status === 413, `${status} ${text.slice(0, 300)}`)
		assert.equal('data' in json, false)
		assert.match(json.errors[0].message, message)
	})

test('giant variables are refused with the place that is no value of its type', async () => {
	const query = 'query ($n: [Int!]) { incidentsList(filter: {cost: {in: $n}}) { id } }'
	const refused = await ask({ query, variables: { n: [...Array(100000).keys(), 'x'] } })
	assert.deepEqual([refused.status, refused.json.errors[0].message], [400, 'variable "$n" must be a value of type "Int" at "n[100000]"'])
	const many = await ask({ query, variables: { n: [...Array(100000).keys()] } })
	assert.deepEqual([many.status, many.json.errors[0].extensions.code], [400, 'invalid_parameter'], many.text.slice(0, 300))
	const long = await ask({ query: 'query ($s: String) { incidentsList(orderBy: $s) { id } }', variables: { s: 'x'.repeat(900000) } })
	assert.deepEqual([long.status, long.json.errors[0].extensions.code], [400, 'invalid_parameter'])
	assert.ok(long.text.length < 5000, `${long.text.length} bytes`)
})

test('variables that are nested too deeply are refused', async () => {
	const body = `{"query":"query ($f: JSON) { incidentsList(filter: $f) { id } }","variables":{"f":{"title":${'['.repeat(100000)}${']'.repeat(100000)}}}}`
	const { status, json, text } = await request('POST', '/api/graphql', { key, body, headers: { 'Content-Type': 'application/json' } })
	assert.equal(status, 400, text.slice(0, 300))
	assert.ok(json.errors[0].message.length > 0)
})

test('the next request is answered', async () => {
	assert.deepEqual((await ask({ query: '{ __typename }' })).json, { data: { __typename: 'Query' } })
})
