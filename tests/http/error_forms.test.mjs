// Errors below /api/scim/v2 and /api/graphql have the forms of SCIM and GraphQL, whatever refuses: the router, the limit, the framing.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { request } from './lib/client.mjs'
import { makeTenant } from './lib/tenant.mjs'

const { key } = await makeTenant('forms')

test('SCIM: schemas, a status that is a string, the detail (RFC 7644 section 3.12)', async () => {
	for (const path of ['/api/scim/v2', '/api/scim/v2/Nothing', '/api/scim/v2/Users/1/x?y=z']) {
		const answer = await request('GET', path, { key })
		assert.equal(answer.status, 404)
		assert.equal(answer.headers['content-type'], 'application/scim+json')
		assert.deepEqual(answer.json, { schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'], status: '404', detail: 'there is nothing at this path' })
	}
})

test('SCIM: scimType comes from the problem table', async () => {
	const answer = await request('GET', '/api/scim/v2/%ff', { key })
	assert.equal(answer.status, 400)
	assert.deepEqual([answer.headers['content-type'], answer.json.scimType], ['application/scim+json', 'invalidValue'])
	const large = await request('POST', '/api/scim/v2/Users', { key, headers: { 'Content-Type': 'application/scim+json' }, body: ' '.repeat(2 << 20) })
	assert.deepEqual([large.status, large.json.status, large.json.scimType], [413, '413', undefined])
	const types = (await request('GET', '/api/public/problems.json')).json
	assert.equal(types.find(({ code }) => code === 'validation_failed').scimType, 'invalidValue')
	assert.equal(types.find(({ code }) => code === 'conflict').scimType, 'uniqueness')
})

test('GraphQL: errors with the problem among their extensions', async () => {
	const answer = await request('GET', '/api/graphql/nothing', { key })
	assert.equal(answer.status, 404)
	assert.equal(answer.headers['content-type'], 'application/graphql-response+json')
	const [error, ...others] = answer.json.errors
	assert.deepEqual(Object.keys(answer.json), ['errors'])
	assert.deepEqual(others, [])
	assert.equal(error.message, error.extensions.problem.detail)
	assert.equal(error.extensions.code, 'not_found')
	assert.equal(error.extensions.problem.status, 404)
	assert.equal(error.extensions.problem.traceId, answer.headers['x-trace-id'])
})

test('what only begins alike is a problem', async () => {
	for (const path of ['/api/scim/v20', '/api/graphqlx', '/api/scim'])
		assert.equal((await request('GET', path, { key })).headers['content-type'], 'application/problem+json')
})
