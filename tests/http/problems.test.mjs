// Each endpoint of the endpoint table with each error that it can give: one JSON Schema for all of them, the status and the
// title of the problem table, the right headers.
//
// An endpoint's errors follow from its row (what it takes) and from the table below (what it means). A new endpoint
// without an entry there fails the last test.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { assertLimited, assertProblem, assertTrace, raw, request } from './lib/client.mjs'
import { until } from './lib/process.mjs'
import { assertProblemSchema } from './lib/schema.mjs'
import { definition, makeJob, makeRecord, makeTenant, payload, psql } from './lib/tenant.mjs'

// SCIM and GraphQL have forms of their own: error_forms.test.mjs; what a signed URL refuses: attachments.test.mjs
const endpoints = JSON.parse(await psql('SELECT qehs.endpoint_list()')).filter(endpoint => endpoint.errorForm === 'problem' && !endpoint.path.startsWith('/storage'))
const problems = new Map(JSON.parse(await psql('SELECT qehs.problem_list()')).map(problem => [problem.code, problem]))
const tenant = await makeTenant('problems')
// The codes that the document gives each operation.
const document = (await request('GET', '/api/docs/spec.json')).json
const codesOf = answer => (answer.$ref ? answer.$ref.slice(2).split('/').reduce((at, part) => at[part], document) : answer)
	.content?.['application/problem+json']?.schema.allOf[1].properties.code.enum ?? []
const documented = new Map(Object.values(document.paths).flatMap(item => Object.values(item))
	.map(({ operationId, responses }) => [operationId, Object.values(responses).flatMap(codesOf)]))
const keys = {
	metered: await tenant.makeKey({ rateLimit: 1000000 }), // a key without a limit has no headers of it
	powerless: await tenant.makeKey({ scopes: ['records.read', 'records.write', 'modules.read', 'modules.write', 'audit.read', 'admin.keys', 'holds.write', 'records.purge'], roles: [], rateLimit: 1000000 }),
	narrow: await tenant.makeKey({ modules: ['strict'], rateLimit: 1000000 }),
	elsewhere: (await tenant.api.post('/api/v1/api-keys', { name: 'elsewhere', scopes: ['records.read'], roles: ['viewer'], rateLimit: 1000000, allowedAddresses: ['192.0.2.0/24'] })).json,
	scopeless: await tenant.makeKey({ scopes: ['exports.create'], roles: ['tenant-owner'], rateLimit: 1000000 }),
}
const record = await makeRecord(tenant, { badge: 'taken' })
const other = await makeRecord(tenant)
const strict = await tenant.api.put('/api/v1/modules/strict', { ...definition, key: 'strict', displayCode: { prefix: 'STR' }, requireIfMatch: true })
if (strict.status !== 201) throw new Error(strict.text)
const careful = (await tenant.api.post('/api/v1/records', { moduleKey: 'strict', payload: payload() })).json.id
// a module that is migrated just now, a job that anyone may cancel, and one that nobody can
await tenant.api.put('/api/v1/modules/busy', { ...definition, key: 'busy', displayCode: { prefix: 'BSY' } })
await tenant.sql(`INSERT INTO qehs.job (tenant_id, id, kind, subject, created_at, not_before, created_by)
	SELECT tenant_id, gen_random_uuid(), kind, 'module ' || id, now(), 'infinity', '00000000-0000-0000-0000-000000000000'
	FROM qehs.module, (VALUES ('module_migrate'), ('module_refill')) AS k (kind) WHERE key = 'busy' AND tenant_id = (SELECT id FROM qehs.tenant WHERE slug = '${tenant.slug}')`)
const fixed = (await tenant.api.get('/api/v1/jobs?kind=module_refill')).json.items[0].jobId
const job = await makeJob(tenant)
await tenant.sql(`SELECT qehs.audit_seal('${tenant.slug}')`)
const newest = async () => (await tenant.api.get(`/api/v1/audit?recordId=${(await makeRecord(tenant)).id}`)).json.items[0].id
const sealed = (await tenant.api.get('/api/v1/audit/seals')).json.items[0].upto
const unsealed = await newest()
const nobody = 'rec_00000000000000000000000000'
const file = { recordId: other.id, filename: 'note.txt', contentType: 'text/plain' }
const attachment = (await tenant.api.post('/api/v1/attachments', file)).json.id
// two approve, and a rejection needs a comment and makes a record that lacks what it must have
const approvable = { key: 'approvable', name: 'Approvable', displayCode: { prefix: 'APP' }, fields: [{ key: 'title', type: 'text' }], workflow: {
	states: ['open', 'closed'], initial: 'open', transitions: { close: { from: 'open', to: 'closed', approvers: { count: 2, role: 'tenant-owner', reject: 'refuse' } },
		refuse: { from: 'open', to: 'closed', commentRequired: true, effects: [{ createRecord: { moduleKey: 'incidents', payload: { title: '$.title', severity: 'low' } } }] } } } }
await tenant.sql("SELECT qehs.user_create('approver', 'Approver', roles => '{tenant-owner}') \\g /dev/null")
await tenant.api.put('/api/v1/modules/approvable', approvable)
const person = await tenant.makeKey({ actingUser: 'approver', rateLimit: 1000000 })
const toApprove = async () => (await tenant.api.post('/api/v1/records', { moduleKey: 'approvable', payload: {} })).json.id
const approved = await toApprove()
await person.api.post(`/api/v1/records/${approved}:approve`, { transition: 'close' })
const comment = (await tenant.api.post(`/api/v1/records/${other.id}/comments`, { body: 'Seen' })).json.id
const heldRecord = (await makeRecord(tenant)).id
const hold = (await tenant.api.post('/api/v1/legal-holds', { reason: 'Claim', recordIds: [heldRecord] })).json.id
const released = (await tenant.api.post('/api/v1/legal-holds', { reason: 'Claim', recordIds: [other.id] })).json.id
await tenant.api.post(`/api/v1/legal-holds/${released}:release`, { reason: 'Settled' })
await tenant.api.put('/api/v1/locations/world', { name: 'World' })
await tenant.api.put('/api/v1/locations/berlin', { name: 'Berlin', parent: 'world' })
const reached = new Set()
const answered = []

async function investigated() {
	const { id } = await makeRecord(tenant, { description: 'd' })
	for (const transition of ['submit', 'investigate'])
		await tenant.api.post(`/api/v1/records/${id}:transition`, { transition })
	return id
}

async function deleted() {
	const { id } = await makeRecord(tenant)
	await tenant.api.delete(`/api/v1/records/${id}`)
	return id
}

// What each operation is called with so that it would succeed, and its own errors: [code, changes to that call].
const bad = 'rec_nonsense'
const calls = {
	record_list: { query: { moduleKey: 'incidents' }, own: [
		['not_found', { query: { moduleKey: 'nowhere' } }], ['invalid_cursor', { query: { moduleKey: 'incidents', cursor: 'x' } }],
		['invalid_parameter', { query: { moduleKey: 'incidents', 'filter[none]': '1' } }], ['invalid_parameter', { query: {} }]] },
	record_create: { json: { moduleKey: 'incidents', payload: payload() }, own: [
		['validation_failed', { json: { moduleKey: 'incidents', payload: {} } }], ['validation_failed', { json: {} }],
		['conflict', { json: { moduleKey: 'incidents', payload: payload({ badge: 'taken' }) } }]] },
	record_get: { own: [['not_found', { id: nobody }], ['not_found', { id: bad }]] },
	record_update: { json: { payload: {} }, own: [['not_found', { id: nobody }], ['validation_failed', { json: { payload: { cost: 'x' } } }],
		['conflict', { id: other.id, json: { payload: { badge: 'taken' } } }], ['precondition_required', { id: careful }],
		['version_mismatch', { headers: { 'If-Match': '"99"' } }]] },
	record_transition: { json: { transition: 'reset' }, own: [['not_found', { id: nobody }], ['validation_failed', { json: { transition: 'fly' } }],
		['conflict', { id: other.id, json: { transition: 'reset', payload: { badge: 'taken' } } }], ['precondition_required', { id: careful }],
		['guard_failed', { id: await investigated(), json: { transition: 'close', comment: 'c' } }],
		['transition_not_allowed', { json: { transition: 'reopen' } }], ['guard_failed', { json: { transition: 'submit' } }],
		['version_mismatch', { headers: { 'If-Match': '"99"' } }]] },
	record_approve: { json: { transition: 'close' }, own: [['not_found', { id: nobody }], ['validation_failed', { json: { transition: 'fly' } }], ['validation_failed', { json: { transition: 'reset' } }],
		['precondition_required', { id: careful }], ['transition_not_allowed', { json: { transition: 'reopen' } }], ['version_mismatch', { headers: { 'If-Match': '"99"' } }],
		['guard_failed', { id: approved }], ['conflict', { id: approved, key: person.key }]] },
	record_reject: { json: { transition: 'close' }, own: [['guard_failed', { id: approved, key: person.key }],
		['conflict', { id: await toApprove(), key: person.key, json: { transition: 'close', comment: 'c' } }], ['not_found', { id: nobody }], ['validation_failed', { json: { transition: 'reset' } }],
		['precondition_required', { id: careful }], ['transition_not_allowed', { json: { transition: 'reopen' } }], ['version_mismatch', { headers: { 'If-Match': '"99"' } }]] },
	record_approvals: { own: [['not_found', { id: nobody }]] },
	record_comments: { own: [['not_found', { id: nobody }], ['invalid_cursor', { query: { cursor: 'x' } }], ['invalid_parameter', { query: { limit: '0' } }]] },
	record_comment: { json: { body: 'Seen' }, own: [['not_found', { id: nobody }], ['validation_failed', { json: { body: ' ' } }], ['validation_failed', { json: {} }]] },
	comment_delete: { id: comment, own: [['not_found', { id: 'cmt_00000000000000000000000000' }]] },
	record_links: { own: [['not_found', { id: nobody }], ['invalid_cursor', { query: { cursor: 'x' } }], ['invalid_parameter', { query: { limit: '0' } }]] },
	delegation_list: { forbidden: false, own: [['invalid_cursor', { query: { cursor: 'x' } }], ['invalid_parameter', { query: { limit: '0' } }]] },
	delegation_create: { forbidden: false, json: { to: 'nobody', startsAt: '2026-01-01T00:00:00Z', endsAt: '2099-01-01T00:00:00Z' }, own: [['validation_failed', {}]] },
	delegation_revoke: { forbidden: false, own: [['not_found', { id: 'dlg_00000000000000000000000000' }]] },
	signature_credential_set: { forbidden: false, json: { credential: 'a long secret' }, own: [['validation_failed', { json: {} }], ['forbidden', {}]] },
	record_delete: { own: [['not_found', { id: nobody }], ['precondition_required', { id: careful }], ['version_mismatch', { headers: { 'If-Match': '"99"' } }]] },
	record_restore: { own: [['not_found', { id: nobody }], ['conflict', {}], ['version_mismatch', { id: await deleted(), headers: { 'If-Match': '"99"' } }]] },
	record_purge: { json: { reason: 'old' }, own: [['not_found', { id: nobody }], ['conflict', {}], ['validation_failed', { id: await deleted(), json: {} }]] },
	record_erase: { json: { reason: 'old', fields: ['cost'] }, own: [['not_found', { id: nobody }], ['conflict', { id: heldRecord }], ['validation_failed', { json: { reason: 'old' } }]] },
	user_erase: { id: await tenant.sql("SELECT qehs.user_create('erasable', 'Erasable') ->> 'id'"), json: { reason: 'left' }, own: [['not_found', { id: 'usr_00000000000000000000000000' }], ['validation_failed', { json: {} }]] },
	tombstone_list: { forbidden: false, own: [['invalid_cursor', { query: { cursor: 'x' } }], ['invalid_parameter', { query: { recordId: 'x' } }]] },
	legal_hold_list: { forbidden: false, own: [['invalid_cursor', { query: { cursor: 'x' } }], ['invalid_parameter', { query: { limit: '0' } }]] },
	legal_hold_create: { json: { reason: 'Claim' }, own: [['validation_failed', { json: { reason: 'Claim', recordIds: [nobody] } }]] },
	legal_hold_get: { id: hold, own: [['not_found', { id: 'hld_00000000000000000000000000' }]] },
	legal_hold_release: { id: hold, json: { reason: 'Settled' }, own: [['not_found', { id: 'hld_00000000000000000000000000' }], ['conflict', { id: released }], ['validation_failed', { json: {} }]] },
	record_migrate: { json: {}, own: [['not_found', { id: nobody }], ['validation_failed', { json: { definitionVersion: 99 } }], ['precondition_required', { id: careful }],
		['version_mismatch', { headers: { 'If-Match': '"99"' } }]] },
	record_at: { query: { time: '2099-12-31' }, own: [['not_found', { id: nobody, query: { time: '2099-12-31' } }], ['invalid_parameter', { query: { time: 'x' } }]] },
	record_activity: { own: [['not_found', { id: nobody }], ['invalid_cursor', { query: { cursor: 'x' } }], ['invalid_parameter', { query: { limit: '0' } }]] },
	audit_list: { forbidden: false, own: [['invalid_cursor', { query: { cursor: 'x' } }], ['invalid_parameter', { query: { recordId: 'x' } }]] },
	audit_seals: { own: [['invalid_cursor', { query: { cursor: 'x' } }], ['invalid_parameter', { query: { limit: '0' } }]] },
	audit_proof: { id: sealed, own: [['not_found', { id: 'evt_00000000000000000000000000' }], ['conflict', { id: unsealed }]] },
	me: { open: true, own: [] },
	calendar_get: { own: [] },
	calendar_set: { json: { workingDays: [1, 2] }, own: [['validation_failed', { json: { workingDays: [8] } }], ['validation_failed', { json: { workingDays: ['1'] } }], ['validation_failed', { json: { opens: '8' } }]] },
	location_list: { forbidden: false, own: [['invalid_cursor', { query: { cursor: 'x' } }], ['invalid_parameter', { query: { limit: '0' } }]] },
	location_get: { forbidden: false, id: 'berlin', own: [['not_found', { id: 'nowhere' }]] },
	location_put: { id: 'berlin', json: { name: 'Berlin', parent: 'world' }, own: [['validation_failed', { json: { name: 'Berlin', parent: 'nowhere' } }], ['validation_failed', { json: {} }],
		['version_mismatch', { headers: { 'If-Match': '"99"' } }]] },
	location_delete: { id: 'berlin', own: [['not_found', { id: 'nowhere' }], ['conflict', { id: 'world' }], ['version_mismatch', { headers: { 'If-Match': '"99"' } }]] },
	module_list: { forbidden: false, own: [['invalid_cursor', { query: { cursor: 'x' } }], ['invalid_parameter', { query: { limit: '201' } }]] },
	module_get: { forbidden: false, own: [['not_found', { moduleKey: 'nowhere' }], ['invalid_parameter', { query: { version: 'x' } }]] },
	module_publish: { forbidden: false, json: definition, own: [['validation_failed', { json: {} }], ['version_mismatch', { headers: { 'If-Match': '"99"' } }]] },
	module_publish_all: { forbidden: false, json: { definitions: [definition] }, own: [['validation_failed', { json: { definitions: [{}] } }], ['validation_failed', { json: {} }]] },
	module_migrate: { json: {}, own: [['not_found', { moduleKey: 'nowhere' }], ['validation_failed', { json: { toVersion: 99 } }], ['conflict', { moduleKey: 'busy' }]] },
	job_list: { open: true, own: [['invalid_cursor', { query: { cursor: 'x' } }], ['invalid_parameter', { query: { status: 'done' } }]] },
	job_get: { open: true, id: job, own: [['not_found', { id: 'job_00000000000000000000000000' }]] },
	job_cancel: { open: true, id: job, own: [['not_found', { id: 'job_00000000000000000000000000' }], ['conflict', { id: fixed }]] },
	export_create: { json: { moduleKey: 'incidents', format: 'csv' }, own: [['not_found', { json: { moduleKey: 'nowhere', format: 'csv' } }],
		['validation_failed', { json: { moduleKey: 'incidents', format: 'csv', webhookUrl: 'https://example.com' } }]] },
	export_get: { open: true, id: job, own: [['not_found', { id: 'job_00000000000000000000000000' }]] },
	export_cancel: { open: true, id: job, own: [['not_found', { id: 'job_00000000000000000000000000' }]] },
	attachment_create: { json: file, own: [['validation_failed', { json: {} }], ['not_found', { json: { ...file, recordId: nobody } }]] },
	attachment_get: { id: attachment, own: [['conflict', { query: { redirect: 'true' } }], ['not_found', { id: 'att_00000000000000000000000000' }]] },
	attachment_delete: { id: attachment, own: [['not_found', { id: 'att_00000000000000000000000000' }]] },
	api_key_list: { forbidden: false, own: [['invalid_cursor', { query: { cursor: 'x' } }], ['invalid_parameter', { query: { limit: '-1' } }]] },
	api_key_create: { forbidden: false, json: { name: 'k', scopes: ['records.read'], roles: ['viewer'] }, own: [['validation_failed', { json: {} }]] },
	api_key_get: { forbidden: false, id: tenant.keyId, own: [['not_found', { id: 'key_00000000000000000000000000' }]] },
	api_key_rotate: { forbidden: false, id: tenant.keyId, json: {}, own: [['not_found', { id: 'key_00000000000000000000000000' }], ['validation_failed', { json: { overlapSeconds: 'x' } }]] },
	api_key_revoke: { forbidden: false, id: tenant.keyId, own: [['not_found', { id: 'key_00000000000000000000000000' }]] },
	bulk_load: { body: '{"title":"t","severity":"low"}\n', headers: { 'Content-Type': 'application/x-ndjson' }, own: [['not_found', { moduleKey: 'nowhere' }],
		['invalid_parameter', { query: { mode: 'x' } }], ['invalid_parameter', { query: { onConflict: 'update' } }], ['invalid_parameter', { query: { onError: 'x' } }],
		['unsupported_media_type', { headers: { 'Content-Type': 'application/json' } }],
		['unsupported_media_type', { headers: { 'Content-Type': 'application/x-ndjson', 'Content-Encoding': 'br' } }]] },
	graphql: { open: true, json: { query: '{ me { displayName } }' }, own: [] },
	graphql_query: { open: true, query: { query: '{ me { displayName } }' }, own: [] },
	deprecation_list: { own: [] },
	problem_list: { own: [] },
	openapi: { own: [] },
	openapi_yaml: { own: [] },
	postman: { own: [] },
}

function send(endpoint, call, { key = call.key ?? keys.metered.key, method = endpoint.method, headers = {}, body, suffix = '' } = {}) {
	const path = endpoint.path.replace(/\{(id|jobId|eventId|key)\}/, call.id ?? record.id).replace('{moduleKey}', call.moduleKey ?? 'incidents')
	const query = new URLSearchParams(call.query).toString()
	return request(method, `${path}${query || suffix ? '?' : ''}${query}${suffix && query ? '&' : ''}${suffix}`,
		{ key, headers: { ...call.headers, ...headers }, ...(body ?? call.body) !== undefined ? { body: body ?? call.body } : { json: call.json } })
}

// The whole answer: schema, table, headers.
function assertWhole(answer, code, limited = true, operation = undefined) {
	const { status, title } = problems.get(code)
	const form = endpoints.find(endpoint => endpoint.operation === operation)?.errorForm
	const problem = assertProblem(answer, status, code, { limited, form })
	assertProblemSchema(problem)
	assert.equal(problem.title, title)
	assert.equal(answer.headers['content-length'], String(answer.body.length))
	reached.add(code)
	if (operation) reached.add(`${operation} ${code}`)
	answered.push({ traceId: problem.traceId, status })
}

// HEAD is refused as GET is, without the body.
function assertSameHead(answer, get) {
	assert.equal(answer.status, get.status)
	assert.equal(answer.body.length, 0)
	assertTrace(answer)
	for (const name of ['content-type', 'content-length', 'x-ratelimit-limit', 'www-authenticate', 'allow'])
		assert.equal(answer.headers[name], get.headers[name], name)
	answered.push({ traceId: answer.headers['x-trace-id'], status: answer.status })
}

await keys.metered.api.post('/api/v1/records', { moduleKey: 'incidents', payload: payload({ cost: 3 }) }, { 'Idempotency-Key': 'used' })

for (const endpoint of endpoints) {
	const call = calls[endpoint.operation]
	if (call === undefined) continue
	const refuse = (code, name, options, change = {}, limited = true) =>
		test(`${endpoint.operation}: ${code}, ${name}`, async () => {
			const answer = await send(endpoint, { ...call, ...change }, options)
			assertWhole(answer, code, limited, endpoint.operation)
			if (endpoint.method === 'GET' && !options.method) assertSameHead(await send(endpoint, { ...call, ...change }, { ...options, method: 'HEAD' }), answer)
		})
	const writes = endpoint.method !== 'GET'

	call.own.forEach(([code, change], i) => refuse(code, `its own case ${i + 1}`, {}, change))
	refuse('invalid_parameter', 'unknown parameter', { suffix: 'bogus=1' })
	refuse('invalid_parameter', 'bytes that are not UTF-8', { suffix: '%ff=%ff' })
	refuse('not_acceptable', 'Accept: text/html', { headers: { Accept: 'text/html' } })
	refuse('method_not_allowed', 'a method that none has', { method: 'PROPFIND' })
	refuse('unauthenticated', 'a key that is none', { key: null, headers: { Authorization: 'Bearer qehs_live_sk_0' } })
	test(`${endpoint.operation}: rate_limited`, async () => {
		const key = (await tenant.makeKey({ rateLimit: 1 })).key
		await request('GET', '/api/v1/modules', { key })
		assertWhole(await send(endpoint, call, { key }), 'rate_limited', true, endpoint.operation)
	})
	if (endpoint.auth) {
		refuse('unauthenticated', 'no key', { key: null })
		if (call.open) refuse('forbidden', 'an address that the key is not for', { key: keys.elsewhere.key })
		else refuse('forbidden', 'no scope', { key: keys.scopeless.key })
		if (!call.open && call.forbidden !== false) refuse('forbidden', 'no role', { key: keys.powerless.key })
		if (endpoint.path.includes('{moduleKey}')) refuse('forbidden', 'a key for another module', { key: keys.narrow.key })
	}
	if (endpoint.body === 'stream')
		test(`${endpoint.operation}: payload_too_large, a chunk beyond all numbers`, async () => {
			const { answers } = await raw(`POST ${endpoint.path.replace('{moduleKey}', 'incidents')} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${keys.metered.key}\r\n`
				+ 'Transfer-Encoding: chunked\r\n\r\nfffffffffffffffffff\r\n', { count: 1 })
			assertWhole(answers[0], 'payload_too_large', false, endpoint.operation)
		})
	else refuse('payload_too_large', 'a body that is too large', { body: Buffer.alloc(1 << 21, 0x20) })
	if (endpoint.body === 'json') {
		refuse('malformed_json', 'a body that is not JSON', { body: '{' })
		refuse('unsupported_media_type', 'a body that is text', { headers: { 'Content-Type': 'text/plain' } })
		refuse('unsupported_media_type', 'a body in gzip', { headers: { 'Content-Encoding': 'gzip' } })
		refuse('validation_failed', 'a body that is a list', { body: '[]' })
	}
	if (!writes && documented.get(endpoint.operation).includes('version_mismatch'))
		refuse('version_mismatch', 'If-Match of another version', { headers: { 'If-Match': '"99"' } })
	if (writes) {
		refuse('invalid_parameter', 'an Idempotency-Key that cannot be one', { headers: { 'Idempotency-Key': 'a\tb' } })
		refuse('invalid_parameter', 'an Idempotency-Key that is too long', { headers: { 'Idempotency-Key': 'x'.repeat(256) } })
		if (endpoint.body !== 'stream')
			refuse('idempotency_key_conflict', 'a key of another request', { headers: { 'Idempotency-Key': 'used' } })
	}
}

test('idempotency_key_conflict', async () => {
	const headers = { 'Idempotency-Key': 'one' }
	for (const replayed of [undefined, 'true']) {
		const answer = await keys.metered.api.post('/api/v1/records', { moduleKey: 'incidents', payload: payload() }, headers)
		assert.equal(answer.status, 201)
		assert.equal(answer.headers['idempotency-replayed'], replayed)
		assertLimited(answer)
	}
	assertWhole(await keys.metered.api.post('/api/v1/records', { moduleKey: 'incidents', payload: payload({ cost: 2 }) }, headers), 'idempotency_key_conflict')
})

test('what a header or a parameter is refused for is named, up to 100 of them', async () => {
	const paths = async (method, target, headers, body) => (await request(method, target, { key: keys.metered.key, headers, body })).json.errors?.map(({ path, code }) => `${path} ${code}`)
	assert.deepEqual(await paths('GET', '/api/v1/modules', { Accept: 'text/html' }), ['@Accept media_type'])
	assert.deepEqual(await paths('POST', '/api/v1/records', { 'Content-Type': 'text/plain', 'Content-Encoding': 'br' }, '{}'), ['@Content-Type media_type', '@Content-Encoding encoding'])
	assert.deepEqual(await paths('POST', '/api/v1/modules/incidents/bulk', { 'Content-Type': 'text/plain', 'Content-Encoding': 'br' }, '{}'), ['@Content-Type media_type', '@Content-Encoding encoding'])
	assert.deepEqual(await paths('DELETE', `/api/v1/records/${record.id}`, { 'Idempotency-Key': 'x'.repeat(256) }), ['@Idempotency-Key format'])
	assert.deepEqual(await paths('DELETE', `/api/v1/records/${record.id}`, { 'If-Match': '"99"' }), ['@If-Match version'])
	assert.deepEqual(await paths('GET', '/api/v1/records?limit=x&limit=y&bogus=1', {}), ['?moduleKey required', '?limit duplicate_parameter', '?limit type', '?bogus unknown_parameter'])
	const many = Array.from({ length: 150 }, (_, i) => `p${i}`)
	assert.deepEqual(await paths('GET', `/api/v1/modules?${many.map(name => `${name}=1`).join('&')}`, {}), many.slice(0, 100).map(name => `?${name} unknown_parameter`))
})

test('paths that there are not', async () => {
	for (const path of ['/', '/api/v1', '/api/v1/nowhere', '/x?y=z', `/api/v1/records/${record.id}/nowhere`])
		for (const method of ['GET', 'POST', 'DELETE', 'PROPFIND'])
			assertWhole(await request(method, path, { key: keys.metered.key }), 'not_found')
})

test('what the HTTP library refuses', async () => {
	const head = `Host: x\r\nAuthorization: Bearer ${keys.metered.key}\r\n`
	for (const [code, bytes, limited = false] of [['malformed_request', 'GET /\r\n\r\n'], ['header_too_large', `GET / HTTP/1.1\r\n${head}X: ${'x'.repeat(60000)}\r\n\r\n`],
		['uri_too_long', `GET /${'x'.repeat(60000)} HTTP/1.1\r\n${head}\r\n`], ['http_version_not_supported', `GET / HTTP/3.0\r\n${head}\r\n`],
		['not_implemented', `POST / HTTP/1.1\r\n${head}Transfer-Encoding: gzip\r\n\r\n`, true], ['malformed_request', `POST / HTTP/1.1\r\n${head}Content-Length: x\r\n\r\n`, true],
		['payload_too_large', `POST / HTTP/1.1\r\n${head}Content-Length: 100000000\r\n\r\n`, true]])
		assertWhole((await raw(bytes, { count: 1 })).answers[0], code, limited)
})

test('a title in the language of the client', async () => {
	for (const [language, tag] of [['de', 'de-CH, en;q=0.5'], ['fr', 'fr'], ['es', 'pt, es-MX;q=0.8'], [undefined, 'xx'], [undefined, '*']]) {
		const answer = await keys.metered.api.get('/api/v1/nowhere', { 'Accept-Language': tag })
		const problem = problems.get('not_found')
		assertProblemSchema(answer.json)
		assert.equal(answer.json.title, problem.titles[language] ?? problem.title, tag)
	}
})

test('successes carry the limits and the trace too', async () => {
	for (const target of ['/api/v1/modules', `/api/v1/records/${record.id}`]) {
		const answer = await request('GET', target, { key: keys.metered.key })
		assertTrace(answer)
		assertLimited(answer)
	}
})

// What only a broken server, a race, a quota, a file or a module of its own brings about, and what is no request of an endpoint yet.
const elsewhere = ['idempotency_key_in_progress', 'gone', 'internal', 'unavailable', 'timeout', 'insufficient_storage', 'range_not_satisfiable']
const unread = ['malformed_request', 'uri_too_long', 'header_too_large', 'not_implemented', 'http_version_not_supported']

test('every endpoint is in the table, and every code was reached that a client can cause at will', () => {
	assert.deepEqual(endpoints.map(endpoint => endpoint.operation).filter(operation => !(operation in calls)), [])
	// those of SCIM in its own form: scim.test.mjs
	const ofScim = ['invalid_syntax', 'invalid_filter', 'invalid_path', 'no_target', 'mutability']
	assert.deepEqual([...problems.keys()].filter(code => !reached.has(code)).sort(), [...elsewhere, ...ofScim].sort())
})

test('every code that the document gives an endpoint was reached there', async () => {
	const missing = [...documented].flatMap(([operation, codes]) =>
		codes.filter(code => ![...elsewhere, ...unread].includes(code) && !reached.has(`${operation} ${code}`)).map(code => `${operation} ${code}`))
	// a conflict of two requests that change the same is every change's: tests/fault
	assert.deepEqual(missing, ['bulk_load', 'api_key_create', 'api_key_revoke', 'api_key_rotate', 'attachment_create', 'attachment_delete', 'calendar_set', 'comment_delete', 'delegation_create', 'delegation_revoke', 'export_create', 'export_cancel', 'legal_hold_create', 'location_put', 'signature_credential_set', 'module_publish_all', 'module_publish', 'record_delete', 'record_comment', 'record_migrate', 'user_erase'].map(operation => `${operation} conflict`))
})

test('each of these answers has one line in the log of the shim, with its status', { skip: !process.env.QEHS_SHIM_LOG }, async () => {
	const lines = new Map()
	await until('each answer is in the log', () => {
		lines.clear()
		for (const line of readFileSync(process.env.QEHS_SHIM_LOG, 'utf8').split('\n').slice(0, -1)) {
			const entry = JSON.parse(line)
			const traceId = entry.traceId ?? /traceId ([0-9a-f]{32})$/.exec(entry.message)?.[1]
			if (traceId) lines.set(traceId, [...lines.get(traceId) ?? [], entry])
		}
		return answered.every(({ traceId }) => lines.has(traceId))
	}, 100)
	for (const { traceId, status } of answered) {
		assert.equal(lines.get(traceId)?.length, 1, `${traceId} ${status}`)
		const [entry] = lines.get(traceId)
		assert.equal(entry.status ?? Number(/answered (\d+)/.exec(entry.message)[1]), status)
	}
	assert.ok(answered.length > 300, `${answered.length} answers`)
})
