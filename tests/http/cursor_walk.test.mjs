// Walks by cursor over 100,000 records while clients insert and delete: each record that stood throughout is seen exactly once.
//
// A record that comes or goes during the walk may be seen or not, but never twice.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { assertOk } from './lib/client.mjs'
import { makeTenant, payload } from './lib/tenant.mjs'

const RECORDS = 100000
const WRITERS = 4
const severities = ['low', 'medium', 'high', 'critical']
const tenant = await makeTenant('walk')
const { api } = tenant
let writing = true
let inserted = 0
let deleted = 0
let writers

// Record i: costs repeat, so that every order but that by creation has ties; one in 50 has none.
const fill = (from, to) => tenant.sql(`
	SELECT count(qehs.record_create('incidents', jsonb_strip_nulls(jsonb_build_object('title', 'Standing ' || i,
		'severity', ('{low,medium,high,critical}'::text[])[1 + i % 4], 'cost', CASE WHEN i % 50 <> 7 THEN i * 7 % 1000 END))))
	FROM generate_series(${from}, ${to - 1}) AS i`)

// Insert all over the order, and delete one's own again, the oldest first.
async function write(number) {
	const own = []
	for (let i = 0; writing; i++) {
		const members = { title: `Passing ${number}/${i}`, severity: severities[i % 4], cost: (i * 37 + number * 251) % 1000 }
		own.push(assertOk(await api.post('/api/v1/records', { moduleKey: 'incidents', payload: payload(members) }), 201).id)
		inserted++
		if (own.length > 10) {
			assert.equal((await api.delete(`/api/v1/records/${own.shift()}`)).status, 204)
			deleted++
		}
	}
}

before(async () => {
	await Promise.all([0, 1, 2, 3].map(i => fill(i * RECORDS / 4, (i + 1) * RECORDS / 4)))
	writers = Promise.all(Array.from({ length: WRITERS }, (_, number) => write(number)))
}, { timeout: 120000 })

after(async () => {
	writing = false
	await writers
})

// Walk to the end; each page goes to onPage. Gives the numbers of pages and of records.
async function walk(parameters, onPage) {
	const target = `/api/v1/records?moduleKey=incidents&limit=200${parameters}`
	const ids = new Set()
	let pages = 0
	let records = 0
	for (let cursor = ''; cursor !== null;) {
		const page = assertOk(await api.get(cursor ? `${target}&cursor=${cursor}` : target))
		onPage(page.items)
		for (const { id } of page.items) ids.add(id)
		records += page.items.length
		pages++
		assert.equal(page.items.length, page.nextCursor === null ? page.items.length : 200, 'a page is full unless it is the last')
		cursor = page.nextCursor
	}
	assert.equal(ids.size, records, 'no record is seen twice')
	return { pages, records }
}

// Walk, and tell which of the standing records were seen; before(a, b) says that a may stand before b.
async function assertWalk(parameters, expected, mayPrecede) {
	const seen = new Uint8Array(RECORDS)
	const [insertedBefore, deletedBefore] = [inserted, deleted]
	let last
	const { records } = await walk(parameters, items => {
		for (const item of items) {
			const match = /^Standing (\d+)$/.exec(item.payload.title)
			if (match) seen[Number(match[1])]++
			assert.ok(last === undefined || mayPrecede(last, item), `${JSON.stringify(last)} before ${JSON.stringify(item)}`)
			last = item
		}
	})
	for (let i = 0; i < RECORDS; i++)
		assert.equal(seen[i], expected(i) ? 1 : 0, `standing record ${i}`)
	assert.ok(inserted > insertedBefore && deleted > deletedBefore, 'the writers were at work')
	return records
}

// Missing values are the last in ascending order.
const cost = item => item.payload.cost ?? Infinity
const timeout = 120000

// the order is by microseconds, of which the wire shows the milliseconds: within one, ids may stand either way
test('the default order, 100,000 records', { timeout }, () => assertWalk('', () => true, (a, b) => a.createdAt >= b.createdAt))

test('a filter and a sort on indexed fields', { timeout }, () =>
	assertWalk('&filter[severity]=critical&sort=cost', i => i % 4 === 3,
		(a, b) => cost(a) < cost(b) || (cost(a) === cost(b) && a.id < b.id)))

test('a sort on an indexed field, descending, and a range of it', { timeout }, () =>
	assertWalk('&filter[cost][gte]=250&filter[cost][lt]=500&sort=-cost&fields=payload.title,payload.cost',
		i => i % 50 !== 7 && i * 7 % 1000 >= 250 && i * 7 % 1000 < 500, (a, b) => cost(a) > cost(b) || (cost(a) === cost(b) && a.id > b.id)))
