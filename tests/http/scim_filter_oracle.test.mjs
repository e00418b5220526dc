// Random filters over random users find what two independent implementations find: scim2-parse-filter for all of them, scimmy for those without
// absent attributes, lists and not, where the two mean the same. SCIM_FILTERS is how many (10000 for a long run), SCIM_SEED the first seed.
//
// Values are in lower case, since both compare with regard to case, and without backslashes, which scim2-parse-filter leaves escaped.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import { parse, filter as matcher } from 'scim2-parse-filter'
import { request } from './lib/client.mjs'
import { BULK, ENTERPRISE, USER, scimTenant } from './lib/scim.mjs'

const FILTERS = Number(process.env.SCIM_FILTERS ?? 300)
const SEED = Number(process.env.SCIM_SEED ?? 1)
const USERS = Number(process.env.SCIM_USERS ?? 500)
const scimmy = createRequire(import.meta.url)('scimmy').default

function random(seed) {
	let state = seed * 2654435761 >>> 0
	return below => {
		state = (state + 0x6D2B79F5) >>> 0
		let t = Math.imul(state ^ state >>> 15, state | 1)
		t ^= t + Math.imul(t ^ t >>> 7, t | 61)
		return ((t ^ t >>> 14) >>> 0) % below
	}
}

const words = ['ada', 'alan', 'grace', 'linus', 'barbara', 'edsger', 'a', 'al', 'gr%ace', 'quo"te', 'under_score', 'z']
const some = (next, list) => list[next(list.length)]

function user(next, number) {
	const maybe = value => next(2) ? value : undefined
	return {
		schemas: [USER], userName: `${some(next, words)}${number}`, active: next(3) > 0, displayName: some(next, words), title: maybe(some(next, words)), nickName: maybe(some(next, words)),
		externalId: maybe(`${some(next, words)}${next(50)}`), name: maybe({ familyName: some(next, words), givenName: maybe(some(next, words)) }),
		emails: maybe(Array.from({ length: 1 + next(3) }, (_, i) => ({ value: `${some(next, words)}@${some(next, words)}.example`, type: some(next, ['work', 'home', 'other']), primary: i === 0 }))),
		[ENTERPRISE]: maybe({ department: some(next, words), manager: maybe({ value: some(next, words) }) }),
	}
}

const plain = ['userName', 'displayName']
const texts = [...plain, 'title', 'nickName', 'externalId', 'name.familyName', 'name.givenName', 'emails.value', 'emails.type', `${ENTERPRISE}:department`, `${ENTERPRISE}:manager.value`]
const operators = ['eq', 'ne', 'co', 'sw', 'ew', 'gt', 'ge', 'lt', 'le']

function comparison(next, names) {
	const kind = next(10)
	if (kind === 0) return `${some(next, names === plain ? plain : [...texts, 'emails', 'active'])} pr`
	if (kind === 1) return `active ${some(next, ['eq', 'ne'])} ${some(next, ['true', 'false'])}`
	return `${some(next, names)} ${some(next, operators)} ${JSON.stringify(some(next, words))}`
}

// What stands in brackets.
function element(next, depth = 0) {
	const kind = depth > 1 ? 9 : next(8)
	if (kind < 3) return `${element(next, depth + 1)} ${kind ? 'and' : 'or'} ${element(next, depth + 1)}`
	if (kind === 3) return `not (${element(next, depth + 1)})`
	if (kind === 4) return `primary ${some(next, ['eq', 'ne'])} ${some(next, ['true', 'false'])}`
	return `${some(next, ['value', 'type'])} ${some(next, operators)} ${JSON.stringify(some(next, [...words, 'work', '@']))}`
}

function filter(next, names, depth = 0) {
	const kind = depth > 3 ? 9 : next(10)
	if (kind < 2) return `${filter(next, names, depth + 1)} and ${filter(next, names, depth + 1)}`
	if (kind < 4) return `${filter(next, names, depth + 1)} or ${filter(next, names, depth + 1)}`
	if (names === plain) return comparison(next, names)
	if (kind === 4) return `not (${filter(next, names, depth + 1)})`
	if (kind === 5) return `(${filter(next, names, depth + 1)})`
	if (kind === 6) return `emails[${element(next)}]`
	return comparison(next, names)
}

// scim2-parse-filter asks the comparisons in brackets of all elements together; RFC 7644 section 3.4.2.2 wants one element for which all hold.
const holds = tree => value => tree.op === 'and' ? tree.filters.every(part => holds(part)(value)) : tree.op === 'or' ? tree.filters.some(part => holds(part)(value))
	: tree.op === 'not' ? !holds(tree.filter)(value) : tree.op === '[]' ? (value[tree.attrPath] ?? []).some(holds(tree.valFilter)) : matcher(tree)(value)

test(`${FILTERS} random filters over ${USERS} users find what the oracles find`, async () => {
	const tenant = await scimTenant('scim_oracle')
	const next = random(SEED)
	const made = Array.from({ length: USERS }, (_, i) => user(next, i))
	for (let i = 0; i < USERS; i += 250) {
		const { json } = await tenant.scim.post('/Bulk', { schemas: [BULK], Operations: made.slice(i, i + 250).map((data, j) => ({ method: 'POST', path: '/Users', bulkId: `u${j}`, data })) })
		assert.deepEqual([...new Set(json.Operations.map(operation => operation.status))], ['201'])
	}
	const all = async filter => {
		const found = []
		for (let cursor = ''; cursor !== undefined;) {
			const answer = await tenant.scim.get(`/Users?count=200&cursor=${encodeURIComponent(cursor)}${filter ? `&attributes=id&filter=${encodeURIComponent(filter)}` : ''}`)
			assert.equal(answer.status, 200, `${filter}\n${answer.text}`)
			found.push(...answer.json.Resources)
			cursor = answer.json.nextCursor
		}
		return found
	}
	const users = await all()
	assert.equal(users.length, USERS)
	let started = 0
	let both = 0
	const client = async () => {
		while (started < FILTERS) {
			const number = started++
			const next = random(SEED * 1000003 + number)
			const names = next(4) === 0 ? plain : texts
			const text = filter(next, names)
			const found = (await all(text)).map(user => user.id).sort()
			assert.deepEqual(found, users.filter(holds(parse(text))).map(user => user.id).sort(), `filter ${number}: ${text}`)
			if (names === plain && !text.includes('\\')) {
				both++
				assert.deepEqual(found, new scimmy.Types.Filter(text).match(users).map(user => user.id).sort(), `scimmy, filter ${number}: ${text}`)
			}
		}
	}
	await Promise.all(Array.from({ length: 8 }, client))
	assert.ok(both > FILTERS / 10, `${both} of ${FILTERS} with both`)
})

test('mutated bodies and filters are never a 500', async () => {
	const tenant = await scimTenant('scim_mutants')
	const target = await tenant.user('target', { emails: [{ value: 'a', type: 'work' }] })
	const group = await tenant.group('Target', [target.id])
	const junk = [null, true, 0, -1e300, '', 'x'.repeat(3000), '\u{10ffff}', [], [[]], {}, { value: null }, [{ value: {} }], 'members[value eq', '"', ']', 'emails[type eq "work"].value', USER, ENTERPRISE, 'bulkId:x', target.id]
	const messages = [
		['POST', '/Users', user(random(7), 1)], ['PUT', `/Users/${target.id}`, user(random(8), 2)], ['POST', '/Groups', { schemas: ['urn:ietf:params:scim:schemas:core:2.0:Group'], displayName: 'g', members: [{ value: target.id }] }],
		['PATCH', `/Users/${target.id}`, { schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'], Operations: [{ op: 'add', path: 'emails[type eq "work"].value', value: 'v' }, { op: 'replace', value: { 'name.familyName': 'x' } }] }],
		['PATCH', `/Groups/${group.id}`, { schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'], Operations: [{ op: 'remove', path: 'members', value: [{ value: target.id }] }, { op: 'add', path: 'members', value: [{ value: target.id }] }] }],
		['POST', '/.search', { schemas: ['urn:ietf:params:scim:api:messages:2.0:SearchRequest'], filter: 'userName pr', sortBy: 'userName', count: 1 }],
		['POST', '/Bulk', { schemas: [BULK], failOnErrors: 1, Operations: [{ method: 'POST', path: '/Users', bulkId: 'b', data: { schemas: [USER], userName: 'b' } }] }],
	]
	const mutate = (value, next) => {
		if (value === null || typeof value !== 'object' || next(6) === 0) return structuredClone(some(next, junk))
		const copy = structuredClone(value)
		const key = some(next, Object.keys(copy).length > 0 ? Object.keys(copy) : ['x'])
		if (next(8) === 0) delete copy[key]
		else if (next(8) === 0) copy[some(next, ['userName', 'emails', 'EMAILS', 'members', 'op', 'path', 'x y', '$ref'])] = structuredClone(some(next, junk))
		else copy[key] = mutate(copy[key] ?? null, next)
		return copy
	}
	await Promise.all(Array.from({ length: 8 }, async (_, client) => {
		for (let i = client; i < FILTERS * 2; i += 8) {
			const next = random(SEED * 7919 + i)
			const [method, path, message] = some(next, messages)
			const sent = mutate(message, next)
			const answer = await request(method, `/api/scim/v2${path}`, { key: tenant.key, json: sent })
			assert.ok(answer.status < 500, `${i} ${method} ${path} ${JSON.stringify(sent)}\n${answer.text}`)
			const text = [...filter(next, texts)]
			for (let j = next(4); j >= 0; j--) text.splice(next(text.length + 1), next(3), some(next, ['(', ')', '[', ']', '"', '\\', ' ', 'not ', '\u0001', 'é', '.', ':', '$', '9'.repeat(400)]))
			const filtered = await tenant.scim.get(`/Users?filter=${encodeURIComponent(text.join(''))}`)
			assert.ok([200, 400].includes(filtered.status), `${i} ${text.join('')}\n${filtered.text}`)
		}
	}))
})
