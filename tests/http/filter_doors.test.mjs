// Filters of any depth with sorts by several keys, drawn at random (by a seed): pages, lines, GraphQL's lists and connections and exports show the records that a plain
// evaluation of the values finds, in its order.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { request } from './lib/client.mjs'
import { makeTenant } from './lib/tenant.mjs'

let seed = 20261128
const random = bound => (seed = (seed * 1103515245 + 12345) % 2147483648) % bound
const pick = list => list[random(list.length)]
const choices = ['low', 'medium', 'high', 'a,b']
const texts = ['', 'a', 'A', 'Ä', 'ab', 'b,c', '"q"', 'z'.repeat(300), `${'z'.repeat(300)}x`, 'z'.repeat(255), "it's", '100%', 'a_b', '\\', '  x ']
const numbers = [0, 1, -1, 1.5, 1e10, 1e-5, 100]
const days = ['2026-01-01', '2026-01-02', '2025-12-31']
const kinds = {
	choice: { values: choices, order: value => choices.indexOf(value) },
	text: { values: texts, order: value => Buffer.from(value).subarray(0, 255) },
	state: { values: ['open', 'done', 'mid'], order: value => Buffer.from(value) },
	number: { values: numbers, same: Number, order: Number },
	day: { values: days, same: Date.parse, order: Date.parse },
	time: { values: ['2026-01-01T00:00:00Z', '2026-01-01T01:00:00+01:00', '2026-01-02T00:00:00.5Z'], same: Date.parse, order: Date.parse },
	boolean: { values: [true, false], order: String },
	list: { values: [[], ['x'], ['x', 'y,z'], ['y,z', 'q']] },
}
const fields = {
	level: ['choice', { type: 'select', options: choices, indexed: true }], level2: ['choice', { type: 'select', options: choices }], name: ['text', { type: 'text', indexed: true }], name2: ['text', { type: 'text' }],
	size: ['number', { type: 'number', indexed: true }], size2: ['number', { type: 'number' }], on: ['day', { type: 'date', indexed: true }], at: ['time', { type: 'datetime' }],
	yes: ['boolean', { type: 'boolean', indexed: true }], yes2: ['boolean', { type: 'boolean' }], tags: ['list', { type: 'tags' }],
}
const kindOf = { ...Object.fromEntries(Object.entries(fields).map(([key, [kind]]) => [key, kind])), 'place.town': 'text', 'place.gate.on': 'day', workflowState: 'state' }
const compared = ['eq', 'ne', 'lt', 'lte', 'gt', 'gte', 'in', 'nin', 'exists']
const operators = { choice: [...compared, 'contains', 'startsWith'], text: [...compared, 'contains', 'startsWith'], state: ['eq', 'ne', 'in', 'nin', 'lt', 'gte'], list: ['eq', 'ne', 'in', 'nin', 'contains', 'exists'] }
const compare = (a, b) => Buffer.isBuffer(a) ? Buffer.compare(a, b) : a < b ? -1 : a > b ? 1 : 0
const valueOf = (record, key) => key === 'workflowState' ? record.state : key === 'id' ? record.id : key.split('.').reduce((object, name) => object?.[name], record.payload)

function condition() {
	const key = pick(Object.keys(kindOf))
	const kind = kindOf[key]
	const operator = pick(operators[kind] ?? compared)
	const one = () => kind === 'list' ? pick(['x', 'y,z', 'q', 'none']) : pick(kinds[kind].values)
	if (operator === 'exists') return { key, kind, operator, value: random(2) === 1 }
	if (operator === 'in' || operator === 'nin') return { key, kind, operator, value: Array.from({ length: 1 + random(4) }, one) }
	if (kind !== 'list' && (operator === 'contains' || operator === 'startsWith')) return { key, kind, operator, value: one().slice(random(2), 1 + random(4)) }
	return { key, kind, operator, value: one() }
}
function tree(depth) {
	if (depth === 0 || random(2)) return condition()
	const operator = pick(['and', 'or', 'not'])
	return { operator, items: Array.from({ length: operator === 'not' ? 1 : 1 + random(3) }, () => tree(depth - 1)) }
}
const document = node => !node.items ? { [node.key]: { [node.operator]: node.value } } : { [node.operator]: node.operator === 'not' ? document(node.items[0]) : node.items.map(document) }
function holds(node, record) {
	if (node.operator === 'and') return node.items.every(item => holds(item, record))
	if (node.operator === 'or') return node.items.some(item => holds(item, record))
	if (node.operator === 'not') return !holds(node.items[0], record)
	const value = valueOf(record, node.key)
	const { same = item => item, order } = kinds[node.kind]
	const asked = [node.value].flat()
	const any = value !== undefined && asked.some(item => [value].flat().some(own => same(own) === same(item)))
	if (node.operator === 'exists') return (value !== undefined) === node.value
	if (node.operator === 'ne' || node.operator === 'nin') return !any
	if (node.operator === 'eq' || node.operator === 'in' || node.kind === 'list' || value === undefined) return any
	if (node.operator === 'contains') return value.toLowerCase().includes(node.value.toLowerCase())
	if (node.operator === 'startsWith') return value.startsWith(node.value)
	const by = compare(order(value), order(node.value))
	return { lt: by < 0, lte: by <= 0, gt: by > 0, gte: by >= 0 }[node.operator]
}
const sorted = (records, sort) => records.sort((a, b) => {
	for (const { key, sign } of sort) {
		const [left, right] = [valueOf(a, key), valueOf(b, key)]
		if (left === undefined && right === undefined) continue
		if (left === undefined || right === undefined) return left === undefined ? 1 : -1
		const order = key === 'id' ? String : kinds[kindOf[key]].order
		const by = compare(order(left), order(right))
		if (by !== 0) return sign * by
	}
	return sort[0].sign * compare(a.id, b.id)
})

const tenant = await makeTenant('doors', {
	key: 'things', name: 'Things', displayCode: { prefix: 'T' },
	fields: [...Object.entries(fields).map(([key, [, field]]) => ({ key, ...field })), { key: 'place', type: 'object', fields: [{ key: 'town', type: 'text' }, { key: 'gate', type: 'object', fields: [{ key: 'on', type: 'date' }] }] }],
	workflow: { states: ['open', 'done', 'mid'], initial: 'open' }, permissions: { roles: { 'tenant-user': ['read', 'create', 'export', 'bulk.state'] } },
})
const made = Array.from({ length: 200 }, () => ({
	workflowState: pick(kinds.state.values),
	payload: Object.fromEntries([...Object.entries(fields).filter(() => random(3)).map(([key, [kind]]) => [key, pick(kinds[kind].values)]),
		...random(3) ? [['place', { ...random(2) ? { town: pick(texts) } : {}, ...random(2) ? { gate: random(2) ? { on: pick(days) } : {} } : {} }]] : []]),
}))
const loaded = await request('POST', '/api/v1/modules/things/bulk', { key: tenant.key, body: made.map(line => JSON.stringify(line)).join('\n'), headers: { 'Content-Type': 'application/x-ndjson' } })
const records = loaded.text.trimEnd().split('\n').slice(0, -1).map((line, i) => ({ id: JSON.parse(line).id, state: made[i].workflowState, payload: made[i].payload }))
const asked = Array.from({ length: 60 }, () => {
	const node = random(8) ? tree(3) : null
	const sort = Array.from({ length: 1 + random(3) }, () => ({ key: pick([...Object.keys(kindOf).filter(key => kindOf[key] !== 'list'), 'id']), sign: random(2) ? 1 : -1 }))
	return { filter: node ? document(node) : null, sort: sort.map(({ key, sign }) => `${sign < 0 ? '-' : ''}${key}`).join(), wanted: sorted(records.filter(record => !node || holds(node, record)), sort).map(record => record.id) }
})
const query = ({ filter, sort }) => `moduleKey=things&sort=${encodeURIComponent(sort)}${filter ? `&filter=${encodeURIComponent(JSON.stringify(filter))}` : ''}`
const ids = text => text.split('\n').filter(Boolean).map(line => JSON.parse(line).id)

test('pages, and their total', async () => {
	for (const [i, question] of asked.entries()) {
		const seen = []
		for (let cursor = ''; cursor !== null;) {
			const page = await tenant.api.get(`/api/v1/records?${query(question)}&fields=id&count=exact&limit=${7 + i}${cursor && `&cursor=${cursor}`}`)
			assert.equal(page.status, 200, page.text)
			assert.equal(page.json.totalCount, question.wanted.length, query(question))
			seen.push(...page.json.items.map(item => item.id))
			cursor = page.json.nextCursor
		}
		assert.deepEqual(seen, question.wanted, query(question))
	}
})

test('lines', async () => {
	for (const question of asked.slice(0, 20)) {
		const lines = await request('GET', `/api/v1/records?${query(question)}`, { key: tenant.key, headers: { Accept: 'application/x-ndjson' } })
		assert.deepEqual(ids(lines.text), question.wanted, query(question))
	}
})

test('lists and connections of GraphQL', async () => {
	for (const { filter, sort, wanted } of asked) {
		const answer = await tenant.api.post('/api/graphql', { variables: { filter, sort },
			query: 'query ($filter: JSON, $sort: String) { thingsList(filter: $filter, orderBy: $sort, limit: 200) { id } things(filter: $filter, orderBy: $sort, last: 100) { totalCount nodes { id } } }' })
		assert.equal(answer.json.errors, undefined, answer.text)
		assert.deepEqual(answer.json.data.thingsList.map(item => item.id), wanted, sort)
		assert.deepEqual(answer.json.data.things.nodes.map(item => item.id), wanted.slice(-100), sort)
		assert.equal(answer.json.data.things.totalCount, wanted.length)
	}
})

test('exports', async () => {
	for (const { filter, sort, wanted } of asked.slice(0, 8)) {
		const { status, json: { jobId }, text } = await tenant.api.post('/api/v1/exports', { moduleKey: 'things', format: 'ndjson', columns: ['id'], sort, ...filter ? { filter } : {} })
		assert.equal(status, 202, text)
		let job
		while ((job = await tenant.api.get(`/api/v1/jobs/${jobId}`)).json.status === 'queued' || job.json.status === 'running') await wait(50)
		assert.equal(job.json.status, 'succeeded', job.text)
		assert.deepEqual(ids(await (await fetch(job.json.result.downloadUrl)).text()), wanted, sort)
	}
})
