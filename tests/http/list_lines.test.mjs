// A list as lines: Accept: application/x-ndjson gives all records of a list, a line each, in place of a page.
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { request } from './lib/client.mjs'
import { makeTenant } from './lib/tenant.mjs'

const RECORDS = 700
let tenant
before(async () => {
	tenant = await makeTenant('as_lines', {
		key: 'incidents', name: 'Incidents', displayCode: { prefix: 'I' },
		fields: [{ key: 'title', type: 'text', required: true, indexed: true }, { key: 'n', type: 'integer', indexed: true }, { key: 'note', type: 'text' }],
		workflow: { states: ['open'], initial: 'open', transitions: {} },
	})
	const body = Array.from({ length: RECORDS }, (_, i) => JSON.stringify({ title: `t${i % 10}`, n: i, note: 'x'.repeat(1000) })).join('\n')
	const loaded = await request('POST', '/api/v1/modules/incidents/bulk', { key: tenant.key, body, headers: { 'Content-Type': 'application/x-ndjson' } })
	assert.equal(loaded.status, 200)
})
const path = '/api/v1/records?moduleKey=incidents'
const get = (query, accept = 'application/x-ndjson') => tenant.api.get(path + query, { Accept: accept })
const lines = async query => {
	const answer = await get(query)
	assert.equal(answer.status, 200, answer.text)
	assert.equal(answer.headers['content-type'], 'application/x-ndjson')
	return answer.text.split('\n').filter(Boolean).map(line => JSON.parse(line))
}

test('the lines are the records of all pages, in their order', async () => {
	for (const query of ['', '&sort=title', '&sort=-n&filter[n][lt]=500', '&fields=payload.n']) {
		const walked = []
		for (let cursor = ''; cursor !== undefined;) {
			const page = (await tenant.api.get(`${path}${query}&limit=200${cursor}`)).json
			walked.push(...page.items)
			cursor = page.nextCursor === null ? undefined : `&cursor=${page.nextCursor}`
		}
		assert.deepEqual(await lines(query), walked, query)
	}
})

test('a list that is empty has no lines', async () => {
	assert.deepEqual(await lines('&filter[n]=-1'), [])
})

test('they go on at the cursor of a page', async () => {
	const page = (await tenant.api.get(`${path}&sort=n&limit=3`)).json
	assert.deepEqual((await lines(`&sort=n&cursor=${page.nextCursor}`)).map(record => record.payload.n), Array.from({ length: RECORDS - 3 }, (_, i) => i + 3))
})

test('a limit is refused, and so is a type that the list does not have', async () => {
	const answer = await get('&limit=10')
	assert.equal(answer.status, 400)
	assert.deepEqual(answer.json.errors.map(fault => `${fault.path} ${fault.code}`), ['?limit media_type'])
	assert.equal((await get('', 'text/csv')).status, 406)
	assert.equal((await get('&filter[nope]=1')).headers['content-type'], 'application/problem+json')
})

test('a page is what is given without a wish, and caches are told that it depends on Accept', async () => {
	const answer = await tenant.api.get(`${path}&limit=1`, { Accept: '*/*' })
	assert.equal(answer.json.items.length, 1)
	assert.match([answer.headers.vary].flat().join(','), /Accept\b(?!-)/)
})

test('HEAD has the headers alone', async () => {
	const answer = await tenant.api.head(path, { Accept: 'application/x-ndjson' })
	assert.equal(answer.status, 200)
	assert.equal(answer.headers['content-type'], 'application/x-ndjson')
	assert.equal(answer.body.length, 0)
})

test('all parts are one request of the limit, and what the parts tell the server is not in the headers', async () => {
	const few = await tenant.makeKey({ rateLimit: 3 })
	for (let i = 0; i < 2; i++) {
		const all = await few.api.get(path, { Accept: 'application/x-ndjson' })
		assert.ok(all.body.length > 2 * 256 * 1024)
		assert.equal(all.text.trimEnd().split('\n').filter(line => JSON.parse(line).id).length, RECORDS)
		assert.ok(Object.keys(all.headers).every(name => !name.startsWith('@')))
	}
})
