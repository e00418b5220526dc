// Lists by several keys against an oracle: pages of a few records, forward by cursor and backward by GraphQL, with values that are missing and values that tie; and what
// lists have in all.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertProblem, request } from './lib/client.mjs'
import { makeTenant } from './lib/tenant.mjs'

const options = ['low', 'medium', 'high']
const tenant = await makeTenant('sorted', {
	key: 'things', name: 'Things', displayCode: { prefix: 'THI' },
	fields: [
		{ key: 'level', type: 'select', options, indexed: true }, { key: 'rank', type: 'integer', indexed: true }, { key: 'name', type: 'text' }, { key: 'on', type: 'date' },
		{ key: 'kind', type: 'select', options }, { key: 'place', type: 'object', fields: [{ key: 'town', type: 'text' }] }, { key: 'cost', type: 'currency' },
	],
	workflow: { states: ['open', 'done'], initial: 'open', transitions: { finish: { from: 'open', to: 'done' } } },
	permissions: { roles: { 'tenant-user': ['read', 'create', 'bulk.state'] } },
})

// Few different values, so that many tie, and many that are missing.
let seed = 7
const random = bound => (seed = (seed * 1103515245 + 12345) % 2147483648) % bound
const maybe = value => random(4) === 0 ? {} : value
const payloads = Array.from({ length: 150 }, () => ({
	...maybe({ level: options[random(3)] }), ...maybe({ rank: random(3) }), ...maybe({ name: ['a', 'B', 'ä', 'a,b'][random(4)] }), ...maybe({ on: `2026-01-0${1 + random(3)}` }),
	...maybe({ kind: options[random(3)] }), ...maybe({ place: maybe({ town: ['Bonn', 'Ulm'][random(2)] }) }), ...maybe({ cost: { amount: [1, '1.0', 20][random(3)], currency: ['EUR', 'USD'][random(2)] } }),
}))
const loaded = await request('POST', '/api/v1/modules/things/bulk', { key: tenant.key, body: payloads.map((payload, i) => JSON.stringify({ payload, workflowState: i % 3 ? 'open' : 'done' })).join('\n'), headers: { 'Content-Type': 'application/x-ndjson' } })
const records = loaded.text.trimEnd().split('\n').slice(0, -1).map((line, i) => ({ id: JSON.parse(line).id, state: i % 3 ? 'open' : 'done', payload: payloads[i] }))

const keys = {
	level: record => record.payload.level && options.indexOf(record.payload.level), rank: record => record.payload.rank, name: record => record.payload.name && Buffer.from(record.payload.name),
	on: record => record.payload.on, kind: record => record.payload.kind && options.indexOf(record.payload.kind), 'place.town': record => record.payload.place?.town,
	cost: record => record.payload.cost && Number(record.payload.cost.amount), 'cost.amount': record => record.payload.cost && Number(record.payload.cost.amount),
	'cost.currency': record => record.payload.cost?.currency, workflowState: record => record.state, id: record => record.id,
}
const compare = (a, b) => Buffer.isBuffer(a) ? Buffer.compare(a, b) : a < b ? -1 : a > b ? 1 : 0
function expected(sort) {
	const parts = sort.split(',').map(text => text.trim()).map(text => ({ value: keys[text.replace('-', '')], sign: text.startsWith('-') ? -1 : 1 }))
	return records.toSorted((a, b) => {
		for (const { value, sign } of parts) {
			const [left, right] = [value(a), value(b)]
			if (left === undefined && right === undefined) continue
			if (left === undefined || right === undefined) return left === undefined ? 1 : -1
			const order = sign * compare(left, right)
			if (order !== 0) return order
		}
		return parts[0].sign * compare(a.id, b.id)
	}).map(record => record.id)
}

const sorts = ['-level,rank', 'rank,-level', 'rank,name', '-name,-on,kind', 'kind,-kind', 'workflowState,-cost', '-workflowState,rank,name', 'on,place.town,-rank', '-place.town,level', 'cost.currency,-cost.amount', 'cost,rank',
	'-id,rank', 'level', '-level', 'rank', '-kind', 'place.town', '-cost.amount', 'level, -on , name,kind,rank,cost,workflowState,-id']

test('walks by cursor show every record once, in order', async () => {
	for (const sort of sorts) {
		const walked = []
		for (let cursor = ''; cursor !== null;) {
			const page = await tenant.api.get(`/api/v1/records?moduleKey=things&limit=7&fields=id&sort=${encodeURIComponent(sort)}${cursor && `&cursor=${cursor}`}`)
			assert.equal(page.status, 200, page.text)
			walked.push(...page.json.items.map(item => item.id))
			cursor = page.json.nextCursor
		}
		assert.deepEqual(walked, expected(sort), sort)
	}
})

test('walks of GraphQL go back the same way', async () => {
	for (const sort of sorts) {
		const walked = []
		for (let before = null; ;) {
			const { json } = await tenant.api.post('/api/graphql', { query: 'query ($before: String, $sort: String) { things(last: 7, before: $before, orderBy: $sort) { nodes { id } pageInfo { hasPreviousPage startCursor } } }',
				variables: { before, sort } })
			assert.equal(json.errors, undefined, JSON.stringify(json.errors))
			walked.unshift(...json.data.things.nodes.map(node => node.id))
			if (!json.data.things.pageInfo.hasPreviousPage) break
			before = json.data.things.pageInfo.startCursor
		}
		assert.deepEqual(walked, expected(sort), sort)
	}
})

test('a cursor holds for the sort that it was made for', async () => {
	const { json } = await tenant.api.get('/api/v1/records?moduleKey=things&limit=7&sort=rank,name')
	assertProblem(await tenant.api.get(`/api/v1/records?moduleKey=things&limit=7&sort=rank,-name&cursor=${json.nextCursor}`), 400, 'invalid_cursor')
	assertProblem(await tenant.api.get(`/api/v1/records?moduleKey=things&limit=7&sort=rank&cursor=${json.nextCursor}`), 400, 'invalid_cursor')
})

test('a key that has no order, an empty one and a ninth are refused', async () => {
	for (const sort of ['rank,nothing', 'rank,place', 'rank,', ',rank', 'rank,,name', '-', 'level,rank,name,on,kind,cost,workflowState,id,version', 'cost.nothing', 'place.town.x'])
		assertProblem(await tenant.api.get(`/api/v1/records?moduleKey=things&sort=${sort}`), 400, 'invalid_parameter')
})

test('members of values are filtered by', async () => {
	const ids = async filter => (await tenant.api.get(`/api/v1/records?moduleKey=things&limit=200&sort=id&${filter}`)).json.items.map(item => item.id)
	const chosen = holds => records.filter(holds).map(record => record.id).toSorted()
	assert.deepEqual(await ids('filter[cost.currency]=USD'), chosen(record => record.payload.cost?.currency === 'USD'))
	assert.deepEqual(await ids('filter[cost.amount][gte]=2'), chosen(record => Number(record.payload.cost?.amount) >= 2))
	assert.deepEqual(await ids('filter[cost.amount]=1'), chosen(record => Number(record.payload.cost?.amount) === 1))
	assert.deepEqual(await ids('filter[place.town][ne]=Ulm'), chosen(record => record.payload.place?.town !== 'Ulm'))
})

test('count says how many there are in all pages', async () => {
	const counted = async query => (await tenant.api.get(`/api/v1/records?moduleKey=things&limit=1&${query}`)).json
	assert.equal((await counted('')).totalCount, undefined)
	assert.equal((await counted('count=exact')).totalCount, 150)
	const some = await counted('count=estimated&filter[level]=low')
	assert.deepEqual([some.totalCount, some.totalCountEstimated], [records.filter(record => record.payload.level === 'low').length, undefined])
	assertProblem(await tenant.api.get('/api/v1/records?moduleKey=things&count=yes'), 400, 'invalid_parameter')
	const [, estimated] = (await tenant.sql(`INSERT INTO qehs.record (tenant_id, module_id, id, display_no, workflow_state, version, definition_version, payload, created_at, created_by, updated_at, updated_by)
		SELECT r.tenant_id, r.module_id, gen_random_uuid(), 3000000000000 + n, 'open', 1, 1, '{"rank":9}', now(), r.created_by, now(), r.updated_by
		FROM (SELECT * FROM qehs.record WHERE tenant_id = (SELECT id FROM qehs.tenant WHERE slug = '${tenant.slug}') LIMIT 1) AS r, generate_series(1, 11000) AS n;
		ANALYZE qehs.record; SELECT 1; SELECT qehs.record_list('things', page_size => 1, count => 'estimated');`)).split('\n')
	const page = JSON.parse(estimated)
	assert.equal(page.totalCountEstimated, true)
	assert.ok(page.totalCount > 10000 && page.totalCount < 1000000, String(page.totalCount))
})
