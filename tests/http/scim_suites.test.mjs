// Two public suites against the shim: Microsoft's Postman collection for SCIM providers, run by newman, and Okta's SPEC test file, run by
// the interpreter below. Each starts from an empty tenant. A step that contradicts the RFC stands in `contradicts` with the RFC's line, and
// must fail as it does there: a suite that is mended, or a server that gives in, is seen.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { base, request } from './lib/client.mjs'
import { scimTenant, USER } from './lib/scim.mjs'

const tests = new URL('..', import.meta.url).pathname
const suite = async name => JSON.parse(await readFile(join(tests, 'conformance/scim', name), 'utf8'))

// What a step of Microsoft's collection expects against the RFC: the assertion that fails, and why it must.
const contradicts = {
	'Group tests/Get group by id: Body contians user': 'RFC 7643 section 8.7.1: members have value, $ref and type; "displayName", which the step sent, is no sub-attribute and section 3.3 of RFC 7644 lets the server leave it out',
	'User tests with garbage/filter eq and (val or val): Total results': 'RFC 7644 section 3.4.2.2, figure 1: compValue is a JSON string, in quotes; the step sends name.FamilyName eq Employee',
	'User tests with garbage/filter starts with: Total results': 'RFC 7644 section 3.4.2.2, figure 1: compValue is a JSON string, in quotes; the step sends userName sw O',
	'User tests with garbage/filter greater than: Total results': 'RFC 7644 section 3.4.2.2: a DateTime is a JSON string, in quotes; the step sends it without',
}

test('Microsoft\'s collection passes, save the steps that contradict the RFC', async () => {
	const tenant = await scimTenant('scim_ms')
	// the steps "Group patch add member" send members that are no user
	await tenant.sql('SELECT qehs.scim_configure(keep_unresolved_members => true) \\g /dev/null')
	const collection = await suite('microsoft-scim-reference.postman_collection.json')
	collection.item = collection.item.filter(item => item.name !== 'Get Token')
	// RFC 7644 section 4 names the endpoint ServiceProviderConfig
	const text = JSON.stringify(collection).replaceAll('serviceConfiguration', 'ServiceProviderConfig')
	const folder = await mkdtemp(join(tmpdir(), 'scim-'))
	try {
		await writeFile(join(folder, 'collection.json'), text)
		const variables = { Protocol: 'http', Server: base.hostname, Port: `:${base.port}`, Api: 'api/scim/v2', token: tenant.key }
		await promisify(execFile)(join(tests, 'node_modules/.bin/newman'), ['run', join(folder, 'collection.json'), '-r', 'json', '--reporter-json-export',
			join(folder, 'report.json'), ...Object.entries(variables).flatMap(([name, value]) => ['--env-var', `${name}=${value}`])], { maxBuffer: 1 << 26 }).catch(error => error)
		const { run, collection: ran } = JSON.parse(await readFile(join(folder, 'report.json'), 'utf8'))
		const folders = new Map()
		const walk = (items, path) => items.forEach(item => item.item ? walk(item.item, item.name) : folders.set(item.id, path))
		walk(ran.item, '')
		const failed = run.failures.map(({ source, error }) => `${folders.get(source.id)}/${source.name}: ${error.test ?? error.message}`)
		assert.deepEqual([...new Set(failed)].sort(), Object.keys(contradicts).sort(), JSON.stringify(run.failures.map(({ source, error }) => [source.name, error.message]), null, 1))
		assert.ok(run.stats.requests.total >= 70, `${run.stats.requests.total} requests`)
	} finally {
		await rm(folder, { recursive: true })
	}
})

// ---- Okta ----

const at = (value, path) => path.split(/[.[\]]+/).filter(Boolean).reduce((found, name) => found?.[name], value)

const compare = {
	equal: (found, wanted) => String(found) === wanted,
	equal_number: (found, wanted) => Number(found) === Number(wanted),
	not_empty: found => found !== undefined && found !== null && found !== '' && !(Array.isArray(found) && found.length === 0),
	is_a_number: found => typeof found === 'number',
	has_value: (found, wanted) => Array.isArray(found) && found.includes(wanted),
	contains: (found, wanted) => JSON.stringify(found).includes(wanted),
	is_less_than: (found, wanted) => found < Number(wanted),
}

// What the step's script says, as far as the file has scripts: `assert` fails by its first argument alone being falsy.
function script(text, response) {
	const check = Object.assign((value, message) => assert.ok(value, message), { ok: assert.ok })
	new Function('response', 'assert', 'log', text)(response, check, () => {})
}

test('Okta\'s SPEC file passes', async () => {
	const tenant = await scimTenant('scim_okta')
	const { steps } = await suite('okta-scim20-spec-test.json')
	await tenant.scim.post('/Users', { schemas: [USER], userName: 'first@example.com', name: { givenName: 'First', familyName: 'User' }, emails: [{ value: 'first@example.com', primary: true }], active: true })
	const variables = { SCIMBaseURL: '/api/scim/v2', auth: `Bearer ${tenant.key}`, InvalidUserEmail: 'abcdefgh@atko.com', UserIdThatDoesNotExist: '010101001010101011001010101011',
		randomEmail: 'random@atko.com', randomUsername: 'randomUser@atko.com', randomUsernameCaps: 'RANDOMUSER@ATKO.COM', randomGivenName: 'Random', randomFamilyName: 'Person' }
	const fill = text => text.replace(/\{\{(\w+)\}\}/g, (_, name) => variables[name] ?? assert.fail(`${name} is not known`))
	let ran = 0
	for (const step of steps.filter(step => step.step_type === 'request')) {
		assert.equal(step.skipped, false)
		const begun = Date.now()
		const headers = Object.fromEntries(Object.entries(step.headers).map(([name, [value]]) => [name, fill(value)]))
		const answer = await request(step.method, encodeURI(fill(step.url)), { headers, body: step.body && fill(step.body) })
		const sources = { response_status: answer.status, response_time: Date.now() - begun }
		for (const { comparison, source, property, value } of step.assertions) {
			const found = source === 'response_json' ? at(answer.json, property) : sources[source]
			// time is measured by the bench
			if (source !== 'response_time') assert.ok(compare[comparison](found, value === null ? null : fill(value)), `${step.note}: ${property ?? source} ${comparison} ${value}, found ${JSON.stringify(found)}`)
		}
		step.scripts.filter(Boolean).forEach(text => script(text, { body: answer.text }))
		for (const { name, property } of step.variables) variables[name] = at(answer.json, property)
		ran++
	}
	assert.equal(ran, steps.filter(step => step.step_type === 'request').length)
})
