// Filters and bounds as they stand in a query string: JSON, quoted items, dates, an offset whose + was not escaped; a weak If-Match.
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { makeRecord, makeTenant } from './lib/tenant.mjs'

let tenant
before(async () => {
	const options = ['Slips, trips and falls', 'Cuts', 'say "ow"']
	tenant = await makeTenant('params', {
		key: 'incidents', name: 'Incidents', displayCode: { prefix: 'I' },
		fields: [{ key: 'title', type: 'text', required: true }, { key: 'severity', type: 'text' }, { key: 'event', type: 'select', options, indexed: true },
			{ key: 'address', type: 'object', fields: [{ key: 'city', type: 'text' }, { key: 'floor', type: 'integer' }] }],
		workflow: { states: ['open'], initial: 'open', transitions: {} },
	})
	await makeRecord(tenant, { title: 'a', event: options[0], address: { city: 'Ulm', floor: 2 } })
	await makeRecord(tenant, { title: 'b', event: options[1], address: { city: 'Bonn', floor: 10 } })
	await makeRecord(tenant, { title: 'c', event: options[2] })
})
const list = query => tenant.api.get(`/api/v1/records?moduleKey=incidents&sort=title&${query}`)
const titles = async query => {
	const answer = await list(query)
	assert.equal(answer.status, 200, answer.text)
	return answer.json.items.map(item => item.payload.title).join('')
}
const faults = async query => {
	const answer = await list(query)
	assert.equal(answer.status, 400, answer.text)
	return answer.json.errors.map(fault => `${fault.path} ${fault.code}`)
}
const json = value => `filter=${encodeURIComponent(JSON.stringify(value))}`

test('an item that holds a comma is quoted, blanks around items do not count', async () => {
	assert.equal(await titles(`filter[event][in]=${encodeURIComponent('"Slips, trips and falls", Cuts')}`), 'ab')
	assert.equal(await titles(`filter[event][nin]=${encodeURIComponent(' Cuts ,"say ""ow"""')}`), 'a')
	assert.deepEqual(await faults(`filter[event][in]=${encodeURIComponent('Slips, trips and falls')}`), ['?filter[event][in] enum'])
})

test('filter=<JSON> is the filter of SQL, alone and beside the brackets', async () => {
	assert.equal(await titles(json({ or: [{ title: 'a' }, { not: { title: { in: ['a', 'b'] } } }] })), 'ac')
	assert.equal(await titles(`${json({ event: { in: ['Cuts', 'Slips, trips and falls'] } })}&filter[title][gt]=a`), 'b')
	assert.deepEqual(await faults(json({ or: [{ bogus: 1 }, { 'address.floor': 'x' }] })), ['?filter[or][0][bogus] unknown_field', '?filter[or][1][address.floor] type'])
	assert.deepEqual(await faults('filter=%7B'), ['?filter syntax'])
	assert.deepEqual(await faults('filter=[]'), ['?filter type'])
	assert.deepEqual(await faults('filter=1'), ['?filter type'])
	assert.deepEqual(await faults(`${json({})}&${json({})}`), ['?filter duplicate_parameter'])
})

test('in and nin take a thousand values', async () => {
	const thousand = [...Array.from({ length: 999 }, (_, i) => i), 'b']
	assert.equal(await titles(`filter[title][in]=${thousand.join()}`), 'b')
	assert.equal(await titles(`filter[title][nin]=${thousand.join()}`), 'ac')
	assert.deepEqual(await faults(`filter[title][in]=${thousand.join()},a`), ['?filter[title][in] maxItems'])
})

test('members of objects filter and sort by their types', async () => {
	assert.equal(await titles('filter[address.city]=Ulm'), 'a')
	assert.equal(await titles('filter[address.floor][gte]=10'), 'b')
	assert.equal((await tenant.api.get('/api/v1/records?moduleKey=incidents&sort=-address.floor')).json.items.map(item => item.payload.title).join(''), 'bac')
	assert.deepEqual(await faults('filter[address.street]=x'), ['?filter[address.street] unknown_field'])
})

test('from and to take dates, here and in the audit trail; a + that was not escaped is told', async () => {
	const days = (await tenant.api.get('/api/v1/records?moduleKey=incidents')).json.items.map(item => item.createdAt.slice(0, 10)).sort()
	const range = `from=${days[0]}&to=${days.at(-1)}`
	assert.equal(await titles(range), 'abc')
	assert.equal(await titles('to=2020-01-01'), '')
	const audit = await tenant.api.get(`/api/v1/audit?${range}&action=created`)
	assert.equal(audit.json.items.length, 3)
	for (const query of ['from=2026-01-01T00:00:00+01:00', 'filter[createdAt][gt]=2026-01-01T00:00:00+01:00']) {
		const answer = await list(query)
		assert.match(answer.json.errors[0].message, /%2B/)
	}
})

test('a weak tag in If-Match is told as one', async () => {
	const record = await makeRecord(tenant, { title: 'd' })
	const change = tag => tenant.api.patch(`/api/v1/records/${record.id}`, { payload: { title: 'e' } }, { 'If-Match': tag })
	const weak = await change('W/"1"')
	assert.equal(weak.status, 412)
	assert.match(weak.json.errors[0].message, /weak entity tag.*send "1"/)
	assert.match((await change('W/"7"')).json.errors[0].message, /does not match/)
	assert.equal((await change('"1"')).status, 200)
})
