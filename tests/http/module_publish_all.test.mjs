// POST /api/v1/modules: definitions that refer to each other are published in one call, in any order, all or none.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeTenant } from './lib/tenant.mjs'

const tenant = await makeTenant('publish_all')
const module = (key, fields) => ({ key, name: key, displayCode: { prefix: key.slice(0, 3).toUpperCase() }, fields, workflow: { states: ['open'], initial: 'open', transitions: {} } })
const reference = (key, references) => ({ key, type: 'record-reference', references })
const rounds = () => module('rounds', [reference('worst', 'spills'), { key: 'route', type: 'text' }])
const spills = () => module('spills', [reference('round', 'rounds'), { key: 'litres', type: 'number' }])
const publish = (definitions, headers) => tenant.api.post('/api/v1/modules', { definitions }, headers)

test('two modules that name each other are there with one call, and take records that do', async () => {
	const answer = await publish([spills(), rounds()])
	assert.equal(answer.status, 200, answer.text)
	assert.deepEqual(answer.json, { items: [{ key: 'spills', definitionVersion: 1 }, { key: 'rounds', definitionVersion: 1 }] })
	const spill = await tenant.api.post('/api/v1/records', { moduleKey: 'spills', payload: { litres: 3.5 } })
	const round = await tenant.api.post('/api/v1/records', { moduleKey: 'rounds', payload: { worst: spill.json.id } })
	const back = await tenant.api.patch(`/api/v1/records/${spill.json.id}`, { payload: { round: round.json.id } })
	assert.deepEqual([round.status, back.status, back.json.payload.round], [201, 200, round.json.id])
})

test('what is the same stays, what has changed is the next version', async () => {
	const changed = rounds()
	changed.fields.push({ key: 'weather', type: 'tags' })
	assert.deepEqual((await publish([changed, spills()])).json.items, [{ key: 'rounds', definitionVersion: 2 }, { key: 'spills', definitionVersion: 1 }])
})

test('a fault of one is told below its number, and none is published', async () => {
	const faulty = async definitions => {
		const answer = await publish(definitions)
		assert.equal(answer.status, 400, answer.text)
		assert.equal(answer.headers['content-type'], 'application/problem+json')
		return answer.json.errors.map(({ path, code }) => `${path} ${code}`)
	}
	assert.deepEqual(await faulty([module('fresh', [reference('to', 'later')]), module('later', [{ key: 'a', type: 'nothing' }])]), ['/definitions/1/fields/0/type enum'])
	assert.deepEqual(await faulty([module('fresh', [reference('to', 'later')]), module('later', [reference('to', 'nowhere')])]), ['/definitions/1/fields/0/references undefined'])
	assert.deepEqual(await faulty([module('fresh', [reference('to', 'fresh')]), module('fresh', [])]), ['/definitions/1/key unique'])
	assert.deepEqual(await faulty([]), ['/definitions minItems'])
	assert.deepEqual(await faulty({}), ['/definitions type'])
	assert.deepEqual(await faulty(undefined), ['/definitions required'])
	for (const key of ['fresh', 'later']) assert.equal((await tenant.api.get(`/api/v1/modules/${key}`)).status, 404)
})

test('a retry with its key gives the first answer again', async () => {
	const fresh = [module('retried', [{ key: 'title', type: 'text' }])]
	const first = await publish(fresh, { 'Idempotency-Key': 'all-1' })
	const second = await publish(fresh, { 'Idempotency-Key': 'all-1' })
	assert.deepEqual([first.status, second.status, second.text, second.headers['idempotency-replayed']], [200, 200, first.text, 'true'])
})

test('a key without the scope, or for another module, is refused and publishes nothing', async () => {
	const reader = await tenant.makeKey({ scopes: ['modules.read'] })
	const narrow = await tenant.makeKey({ modules: ['rounds'] })
	const both = { definitions: [rounds(), module('secret', [{ key: 'title', type: 'text' }])] }
	assert.deepEqual([(await reader.api.post('/api/v1/modules', both)).status, (await narrow.api.post('/api/v1/modules', both)).status], [403, 403])
	assert.equal((await tenant.api.get('/api/v1/modules/secret')).status, 404)
})
