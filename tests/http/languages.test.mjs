// Accept-Language chooses the language of labels and of problem titles, by weight (RFC 9110 section 12.5.4).
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertOk, assertProblem, request } from './lib/client.mjs'
import { definition, makeTenant } from './lib/tenant.mjs'

const label = { en: 'Title', de: 'Titel', fr: 'Titre' }
const { api } = await makeTenant('languages', {
	...definition,
	fields: definition.fields.map(field => field.key === 'title' ? { ...field, label } : field),
})
const module = '/api/v1/modules/incidents'

test('labels and titles of the schema are in the language with the greatest weight', async () => {
	for (const [accept, language] of [['de', 'de'], ['en;q=0.2, fr-CH;q=0.9, de;q=0.5', 'fr'], ['it, EN-gb', 'en'], ['de;q=0, fr;q=0.001', 'fr']]) {
		const answer = await api.get(module, { 'Accept-Language': accept })
		const { fields, jsonSchema } = assertOk(answer)
		assert.equal(fields[0].label, label[language], accept)
		assert.equal(jsonSchema.properties.title.title, label[language], accept)
		assert.equal(answer.headers['content-language'], language)
		assert.match(String(answer.headers.vary), /\bAccept-Language\b/)
		assert.equal(answer.headers.etag, `"1-${language}"`)
	}
})

test('without a language that there is the definition is as published', async () => {
	for (const accept of ['*', 'it', undefined]) {
		const answer = await api.get(module, accept ? { 'Accept-Language': accept } : {})
		assert.deepEqual(assertOk(answer).fields[0].label, label)
		assert.equal(answer.headers['content-language'], undefined)
		assert.equal(answer.headers.etag, '"1"')
		assert.match(String(answer.headers.vary), /\bAccept-Language\b/)
	}
})

test('another language is another representation', async () => {
	const headers = { 'If-None-Match': '"1-de"' }
	assert.equal((await api.get(module, { ...headers, 'Accept-Language': 'de' })).status, 304)
	assert.equal((await api.get(module, { ...headers, 'Accept-Language': 'fr' })).status, 200)
})

test('problem titles go by weight too', async () => {
	const titles = {}
	for (const accept of ['de', 'fr', 'en', 'fr;q=0.1, de;q=0.9', 'de;q=0.5, en', 'fr;q=0']) {
		const answer = await api.get('/api/v1/modules/nowhere', { 'Accept-Language': accept })
		assert.equal(answer.status, 404)
		titles[accept] = answer.json.title
	}
	assert.equal(new Set([titles.de, titles.fr, titles.en]).size, 3)
	assert.equal(titles['fr;q=0.1, de;q=0.9'], titles.de)
	assert.equal(titles['de;q=0.5, en'], titles.en)
	assert.equal(titles['fr;q=0'], titles.en)
})

test('messages name the field in the language of the client', async () => {
	const create = headers => api.post('/api/v1/records', { moduleKey: 'incidents', payload: { title: 1, severity: 'low' } }, headers)
	for (const [accept, name] of [['de', 'Titel '], ['fr-CA', 'Titre '], ['it', '']]) {
		const answer = await create({ 'Accept-Language': accept })
		assert.equal(answer.status, 400)
		assert.deepEqual(answer.json.errors, [{ path: '/payload/title', code: 'type', message: `${name}must be a string, not a number` }])
	}
})

test('a value that the server computes is refused otherwise', async () => {
	const tenant = await makeTenant('computed', {
		...definition,
		fields: [...definition.fields, { key: 'twice', type: 'computed', computed: '$.cost * 2' }, { key: 'risk', type: 'matrix-score' }],
	})
	const create = more => tenant.api.post('/api/v1/records', { moduleKey: 'incidents', payload: { title: 'x', severity: 'low', cost: 2, ...more } })
	const record = assertOk(await create({ twice: 4, risk: { likelihood: 2, severity: 3, score: 6, band: 'medium' } }), 201)
	assert.equal(record.payload.twice, 4)
	const refused = await create({ twice: 5, risk: { likelihood: 2, severity: 3, score: 7 } })
	assertProblem(refused, 400, 'validation_failed')
	assert.deepEqual(refused.json.errors.map(({ path, code }) => [path, code]).sort(), [['/payload/risk/score', 'computed'], ['/payload/twice', 'computed']])
	const patched = assertOk(await tenant.api.patch(`/api/v1/records/${record.id}`, { payload: { cost: 5 } }))
	assert.equal(patched.payload.twice, 10)
	assertOk(await tenant.api.patch(`/api/v1/records/${record.id}`, { payload: { cost: 6, twice: 10 } }))
	assertProblem(await tenant.api.patch(`/api/v1/records/${record.id}`, { payload: { cost: 7, twice: 11 } }), 400, 'validation_failed')
})

test('and those of a bulk load, on each line', async () => {
	const load = language => request('POST', `${module}/bulk`, { key: api.key, headers: { 'Content-Type': 'application/x-ndjson', ...(language && { 'Accept-Language': language }) },
		body: ['{"title":1,"severity":"low"}', '{"severity":"low"}', '{"title":"x","severity":"dire"}', '['].join('\n') })
	for (const [accept, name] of [['de', 'Titel '], ['fr-CA', 'Titre '], ['it', ''], [undefined, '']]) {
		const lines = (await load(accept)).text.trimEnd().split('\n').map(text => JSON.parse(text))
		assert.deepEqual(lines.slice(0, 2).map(line => line.errors), [[{ path: '/payload/title', code: 'type', message: `${name}must be a string, not a number` }],
			[{ path: '/payload/title', code: 'required', message: `${name}is required` }]])
		assert.deepEqual(lines.slice(2, 4).map(line => line.errors[0].code), ['enum', 'malformed_json'])
	}
})
