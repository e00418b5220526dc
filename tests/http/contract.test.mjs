// The document as a contract, both ways: requests that it allows are never refused as malformed and never break the server,
// requests that it does not allow are always refused with a problem, and no answer is other than it says.
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { request } from './lib/client.mjs'
import { Contract, newAjv } from './lib/contract.mjs'
import { Generator, Random } from './lib/generate.mjs'
import { definition, makeJob, makeRecord, makeTenant } from './lib/tenant.mjs'

const RUNS = Number(process.env.QEHS_CONTRACT_RUNS ?? 5000)
const SEED = Number(process.env.QEHS_CONTRACT_SEED ?? 20260416)
const CLIENTS = 8

let tenant
let contract
let ajv
let operations
const alive = []
const deleted = []
const keys = []
const jobs = []
const files = []
const doomed = []
const comments = []
const users = []
const events = []
const holds = []
let held
const refresh = async () => {
	for (let i = 0; i < 20; i++) alive.push((await makeRecord(tenant)).id)
	for (let i = 0; i < 5; i++) {
		const { id } = await makeRecord(tenant)
		await tenant.api.delete(`/api/v1/records/${id}`)
		deleted.push(id)
	}
	jobs.push(await makeJob(tenant))
	users.push(await tenant.sql(`SELECT qehs.user_create('user-${users.length}', 'A user') ->> 'id'`))
	await tenant.sql(`SELECT qehs.audit_seal('${tenant.slug}')`)
	events.push(...(await tenant.api.get('/api/v1/audit?limit=20')).json.items.map(event => event.id))
	for (let i = 0; i < 5; i++)
		for (const pool of [files, doomed]) pool.push((await tenant.api.post('/api/v1/attachments', { recordId: alive.at(-1), filename: 'a.txt', contentType: 'text/plain' })).json.id)
	for (let i = 0; i < 5; i++) comments.push((await tenant.api.post(`/api/v1/records/${alive.at(-1)}/comments`, { body: 'Seen' })).json.id)
	held ??= (await makeRecord(tenant)).id
	holds.push((await tenant.api.post('/api/v1/legal-holds', { reason: 'Claim', recordIds: [held] })).json.id)
	for (let i = 0; i < 5; i++) keys.push((await tenant.api.post('/api/v1/api-keys', { name: 'k', scopes: ['records.read'], roles: ['viewer'] })).json.id)
}

before(async () => {
	tenant = await makeTenant('contract')
	const document = (await tenant.api.get('/api/docs/spec.json')).json
	contract = new Contract(document)
	ajv = newAjv()
	ajv.addSchema(document, 'spec')
	// a body of lines has no schema: bulk.test.mjs; what SCIM takes is in its own Schemas: scim.test.mjs
	operations = Object.entries(document.paths).flatMap(([path, item]) => Object.entries(item).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })))
		.filter(({ path, operation }) => !operation.requestBody?.content['application/x-ndjson'] && !path.startsWith('/api/scim/'))
	await refresh()
})

const validators = new Map()
const bodyValidator = ({ path, method }) => {
	const at = `spec#/paths/${encodeURIComponent(path.replaceAll('~', '~0').replaceAll('/', '~1'))}/${method.toLowerCase()}/requestBody/content/application~1json/schema`
	if (!validators.has(at)) validators.set(at, ajv.compile({ $ref: at }))
	return validators.get(at)
}
const resolve = value => value.$ref ? value.$ref.slice(2).split('/').reduce((object, part) => object[part], contract.document) : value

// Values that must fit others, which no schema says: an opaque cursor, names and networks that exist, order in a range.
function fit(body, operation) {
	if (operation.operationId.startsWith('module_publish')) return definition.key && structuredClone(operation.requestBody.content['application/json'].example)
	// what one format has and another lacks; names of columns, states, zones
	if (operation.operationId === 'export_create') return { moduleKey: 'incidents', format: body.format, filter: body.filter && {}, columns: body.columns && ['title'] }
	// a record that exists, its field, a name without control characters, a media type
	if (operation.operationId === 'attachment_create') return { recordId: alive[0], filename: 'a.txt', contentType: 'text/plain', ...('sizeBytes' in body && { sizeBytes: 7 }) }
	// what goes together; a field that no other request needs
	if (operation.operationId === 'record_erase') return { reason: body.reason, fields: ['cost'], ...('comments' in body && { comments: false }) }
	if (operation.operationId === 'legal_hold_create') return { reason: body.reason, recordIds: [held] }
	const { payload } = body
	if (payload?.period) {
		if (operation.operationId === 'record_create') payload.period = { from: [payload.period.from, payload.period.to].sort()[0], to: [payload.period.from, payload.period.to].sort()[1] }
		else delete payload.period
	}
	// a patch of a nested object may lack what the record does not have either
	if (operation.operationId !== 'record_create' && payload?.spot) payload.spot = { lat: 1, lon: 2 }
	if (payload && 'badge' in payload && payload.badge !== null) payload.badge = `b${Math.random()}`
	if (body.transition === 'submit') body.payload = { ...payload, description: 'as the transition requires' }
	if (body.transition === 'close') body.payload = { ...payload, rca_text: 'as the guard wants' }
	if ('allowedAddresses' in body) body.allowedAddresses = null
	if ('actingUser' in body) body.actingUser = null
	// opens goes with closes, which is later; a zone that is; what a location is part of and who has it are there
	if (operation.operationId === 'calendar_set') {
		const { workingDays, holidays } = body
		return { ...('opens' in body && { opens: '08:00', closes: '17:00' }), ...workingDays && { workingDays }, ...holidays && { holidays } }
	}
	if (operation.operationId === 'location_put') return { name: body.name, ...('users' in body && { users: [] }), ...('roles' in body && { roles: ['viewer'] }) }
	// a comment of the record
	delete body.parentId
	// a person signs
	delete body.signature
	if (body.expiresAt) body.expiresAt = body.expiresAt.replace(/^\d{4}/, '2999')
	if (body.kind === 'scim') body.scopes = ['admin.users']
	for (const version of ['definitionVersion', 'fromVersion', 'toVersion'])
		if (body[version]) body[version] = 1
	return body
}

const encode = encodeURIComponent

function write(name, value, query) {
	if (name !== 'filter') query.push(`${encode(name)}=${encode(value)}`)
	else
		for (const [field, condition] of Object.entries(value))
			if (condition === null || typeof condition !== 'object') query.push(`filter[${encode(field)}]=${encode(condition)}`)
			else for (const [op, operand] of Object.entries(condition)) query.push(`filter[${encode(field)}][${op}]=${encode(operand)}`)
}

// A request that the document allows: {method, target, headers, body, at}.
function valid(random, at = random.pick(operations)) {
	const generator = new Generator(contract.document, random)
	const { path, method, operation } = at
	const query = []
	const headers = {}
	let target = path
	for (const parameter of operation.parameters.map(resolve)) {
		if (parameter.in === 'path') {
			const pool = ['record_restore', 'record_purge'].includes(operation.operationId) ? deleted : operation.operationId.startsWith('legal_hold') ? holds : operation.operationId.startsWith('api_key') ? keys : operation.operationId === 'attachment_delete' ? doomed : operation.operationId.startsWith('attachment') ? files : operation.operationId === 'comment_delete' ? comments : operation.operationId === 'user_erase' ? users : alive
			const value = parameter.name === 'jobId' ? random.pick(jobs) : parameter.name === 'eventId' ? random.pick(events) : parameter.name !== 'id' ? operation.operationId === 'module_publish' ? parameter.example : random.pick(['incidents', 'near_misses', 'none'])
				: random.chance(0.85) && pool.length > 0 ? random.pick(pool) : generator.value(parameter.schema)
			target = target.replace(`{${parameter.name}}`, encode(value))
		} else if (parameter.name !== 'cursor' && (parameter.required || random.chance(0.25))) {
			// of a filter its brackets; as JSON text it is no random string
			let value = generator.value(parameter.name === 'filter' ? parameter.schema.anyOf[0] : parameter.schema)
			if (parameter.name === 'filter')
				for (const condition of Object.values(value))
					for (const op of ['in', 'nin'])
						// the values of a list have the form of its field's other operators
						if (condition && typeof condition === 'object' && op in condition) {
							delete condition[op]
							condition.exists = true
						}
			// of a record there was nothing before it was made
			if (parameter.name === 'time' && random.chance(0.8)) value = '2099-12-31T00:00:00Z'
			if (parameter.in === 'query') write(parameter.name, value, query)
			else headers[parameter.name] = parameter.name === 'Idempotency-Key' ? `k${random.next()}` : parameter.name === 'Prefer' ? 'wait=1' : String(parameter.example ?? 'x')
		}
	}
	let body
	if (operation.requestBody && (operation.requestBody.required || random.chance(0.5)))
		body = fit(generator.value(operation.requestBody.content['application/json'].schema), operation)
	return { at, method, target, query, headers, body }
}

const send = ({ method, target, query, headers, body, text, ...sent }) =>
	request(method, target + (query.length > 0 ? `?${query.join('&')}` : ''), { key: 'key' in sent ? sent.key : tenant.key, headers, body: text ?? (body === undefined ? undefined : JSON.stringify(body)) })

const describe = (sent, answer) => `${sent.method} ${sent.target}?${sent.query.join('&')} ${JSON.stringify(sent.headers)} ${sent.text ?? JSON.stringify(sent.body)}\n${answer.status} ${answer.text.slice(0, 1500)}`

async function run(count, make, judge) {
	let started = 0
	const client = async () => {
		while (started < count) {
			const number = started++
			if (number % 400 === 399) await refresh()
			const sent = make(new Random(SEED + number))
			const answer = await send(sent)
			const faults = contract.faults(sent.method, sent.target, answer)
			assert.deepEqual(faults, [], `run ${number}: ${describe(sent, answer)}`)
			judge(sent, answer, number)
		}
	}
	await Promise.all(Array.from({ length: CLIENTS }, client))
}

test(`${RUNS} valid requests are never refused as malformed`, async () => {
	const statuses = new Map()
	await run(RUNS, random => {
		const sent = valid(random)
		if (sent.body !== undefined && !sent.at.operation.operationId.startsWith('module_publish')) {
			const validate = bodyValidator(sent.at)
			assert.ok(validate(sent.body), `the generator made what the document does not allow: ${JSON.stringify(sent.body)} ${ajv.errorsText(validate.errors)}`)
		}
		return sent
	}, (sent, answer, number) => {
		assert.ok(answer.status !== 400 && answer.status < 500 && ![401, 403, 405, 406, 413, 415].includes(answer.status), `run ${number}: ${describe(sent, answer)}`)
		const id = `${sent.at.operation.operationId} ${answer.status}`
		statuses.set(id, (statuses.get(id) ?? 0) + 1)
	})
	for (const { operation } of operations)
		assert.ok([...statuses.keys()].some(id => new RegExp(`^${operation.operationId} 2`).test(id)), `${operation.operationId} succeeded at least once: ${[...statuses]}`)
})

// Ways to break a request; each gives it changed, or null where it cannot.
const breaks = {
	unknownParameter: sent => ({ ...sent, query: [...sent.query, 'unheard_of=1'] }),
	twice: sent => sent.query.length > 0 ? { ...sent, query: [...sent.query, sent.query[0]] } : null,
	badLimit: (sent, random) => sent.at.operation.parameters.some(item => item.name === 'limit')
		? { ...sent, query: [...sent.query.filter(item => !item.startsWith('limit=')), `limit=${random.pick(['0', '201', '-1', 'x', '1.5', '', '99999999999'])}`] } : null,
	badCursor: (sent, random) => sent.at.operation.parameters.some(item => item.name === 'cursor')
		&& !/^(record_activity)$/.test(sent.at.operation.operationId) ? { ...sent, query: [...sent.query, `cursor=${random.pick(['', 'x', 'AAAA', '%ff', 'e30'])}`] } : null,
	badFilter: (sent, random) => sent.at.operation.operationId === 'record_list'
		? { ...sent, query: [...sent.query, random.pick(['filter[unheard_of]=1', 'filter[cost]=much', 'filter[cost][like]=1', 'filter[occurred_at][gt]=yesterday', 'filter=1', 'filter[]=1', 'filter[cost', 'filter[spot][gt]=1'])] } : null,
	badSort: (sent, random) => sent.at.operation.operationId === 'record_list'
		? { ...sent, query: [...sent.query.filter(item => !/^sort=/.test(item)), `sort=${random.pick(['unheard_of', '--cost', 'spot', '', 'cost,spot', 'cost,'])}`] } : null,
	noRequired: sent => sent.at.operation.operationId === 'record_list' ? { ...sent, query: sent.query.filter(item => !item.startsWith('moduleKey=')) } : null,
	malformed: (sent, random) => sent.body === undefined ? null : { ...sent, text: random.pick([JSON.stringify(sent.body).slice(0, -1), '{', '[]', '"x"', 'null', ...(sent.at.operation.requestBody.required ? [''] : []), '{"a":1,"a":1}', '{"payload":{"title":"\u0001"}}', JSON.stringify(sent.body) + 'x', '\ufeff{}']) },
	wrongType: sent => sent.body === undefined ? null : { ...sent, headers: { ...sent.headers, 'Content-Type': 'text/plain' } },
	notAcceptable: sent => ({ ...sent, headers: { ...sent.headers, Accept: 'image/png' } }),
	noKey: (sent, random) => sent.at.operation.security ? null : { ...sent, key: undefined, headers: { ...sent.headers, ...(random.chance(0.5) ? {} : { Authorization: 'Basic eDp5' }) } },
	wrongKey: (sent, random) => ({ ...sent, key: random.pick(['qehs_live_sk_x', tenant.key.slice(0, -1), `${tenant.key}x`, 'x']) }),
	badIdempotencyKey: (sent, random) => sent.method === 'GET' ? null : { ...sent, headers: { ...sent.headers, 'Idempotency-Key': random.pick(['x'.repeat(256), 'a\tb', '']) } },
	wrongMethod: (sent, random) => {
		const others = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'].filter(method => !contract.document.paths[sent.at.path][method.toLowerCase()])
		return { ...sent, method: random.pick(others), body: undefined }
	},
	wrongPath: (sent, random) => ({ ...sent, target: sent.target + random.pick(['/', '/x', ':explode', '/..']) }),
	// one place of the body changed so that its schema does not hold
	body: (sent, random) => {
		if (sent.body === undefined || sent.at.operation.operationId.startsWith('module_publish')) return null
		const validate = bodyValidator(sent.at)
		for (let round = 0; round < 20; round++) {
			const body = structuredClone(sent.body)
			const places = []
			const walk = value => {
				if (value === null || typeof value !== 'object') return
				for (const key of Object.keys(value)) {
					places.push([value, key])
					walk(value[key])
				}
				if (!Array.isArray(value)) places.push([value, 'unheard_of'])
			}
			walk(body)
			const [holder, key] = random.pick(places)
			if (random.chance(0.2) && key in holder && !Array.isArray(holder)) delete holder[key]
			// in a merge patch null removes what is not there, whatever it is
			else holder[key] = random.pick([...(key in holder || sent.at.operation.operationId === 'record_create' ? [null] : []), true, 0, -1e9, 1.5, '', 'unheard of', 'x'.repeat(12000), [], [1], {}, { a: 1 }, '2026-13-01', '2026-01-01T00:00:00'])
			if (!validate(body)) return { ...sent, body }
		}
		return null
	},
}

// GraphQL over HTTP: for clients that take application/json the status of a request that cannot run is 200, and the answer has no data.
const refusedByGraphql = (sent, { status, json }) => sent.at.path === '/api/graphql' && status === 200 && json.errors.length > 0 && !('data' in json)

test(`${RUNS} invalid requests are always refused with a problem`, async () => {
	const names = Object.keys(breaks)
	const ofList = new Set(['badFilter', 'badSort', 'noRequired'])
	const done = new Map()
	await run(RUNS, random => {
		for (;;) {
			const way = random.chance(0.3) ? 'body' : random.pick(names)
			const sent = breaks[way](valid(random, ofList.has(way) ? operations.find(({ operation }) => operation.operationId === 'record_list') : undefined), random)
			if (sent === null) continue
			done.set(way, (done.get(way) ?? 0) + 1)
			return { ...sent, way }
		}
	}, (sent, answer, number) => {
		if (refusedByGraphql(sent, answer)) return
		assert.ok(answer.status >= 400 && answer.status < 500, `run ${number}, ${sent.way}: ${describe(sent, answer)}`)
		assert.match(answer.headers['content-type'], /^application\/(problem|graphql-response)\+json$/)
	})
	for (const name of names) assert.ok(done.get(name) > RUNS / 500, `${name}: ${done.get(name)}`)
})
