// The OpenAPI document and the Postman collection: valid, complete, current, and good enough for a generated client.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { before, test } from 'node:test'
import { promisify } from 'node:util'
import { gunzipSync } from 'node:zlib'
import { base, caller, request } from './lib/client.mjs'
import { newAjv } from './lib/contract.mjs'
import { freePort, start, until } from './lib/process.mjs'
import { definition, makeTenant, psql } from './lib/tenant.mjs'

const run = promisify(execFile)
const tests = path.resolve(import.meta.dirname, '..')
const work = path.join(tests, 'tmp', `openapi-${process.pid}`)
const bin = name => path.join(tests, 'node_modules', '.bin', name)
const SPEC = '/api/docs/spec.json'

// A module with a field of every type, and those of the catalogue.
const every = {
	key: 'every_type', name: 'Every type', displayCode: { prefix: 'EVT' },
	fields: [
		...['text', 'rich-text', 'email', 'phone', 'url', 'identifier', 'number', 'integer', 'quantity', 'currency', 'percentage', 'date', 'datetime', 'time', 'duration', 'tags',
			'date-range', 'boolean', 'lookup', 'record-reference', 'record-references', 'user', 'location', 'geolocation', 'file', 'image', 'signature', 'matrix-score']
			.map(type => ({ key: `a_${type.replaceAll('-', '_')}`, label: `A ${type}`, type })),
		{ key: 'choice', type: 'select', options: ['yes', 'no', 'n/a'], required: true, default: 'no' },
		{ key: 'choices', type: 'multi-select', options: ['a', 'b'] },
		{ key: 'code', type: 'text', required: true, pattern: '^[A-Z]{2}-[0-9]{3,5}(x|y)?$', maxLength: 9 },
		{ key: 'amount', type: 'number', min: 10, max: 20, step: 0.5, required: true },
		{ key: 'level', type: 'quantity', unit: 'ppm', comparators: ['<', '>'] },
		{ key: 'reported_on', type: 'date', default: '$today', readOnly: true, required: true },
		{ key: 'seen_at', type: 'datetime', timeZone: 'America/New_York', writeOnce: true },
		{ key: 'rows', type: 'table', fields: [{ key: 'item', type: 'text', required: true }, { key: 'count', type: 'integer', min: 3 }] },
		{ key: 'thing', type: 'object', fields: [{ key: 'name', type: 'text', required: true }] },
	],
	workflow: { states: ['open', 'done'], initial: 'open', transitions: { finish: { from: 'open', to: 'done', requires: ['a_text'], commentRequired: true } } },
	permissions: { roles: { viewer: ['read'], 'tenant-user': ['read', 'create', 'update'] } },
}

let tenant
let generic
let typed
let narrow

before(async () => {
	await mkdir(work, { recursive: true })
	tenant = await makeTenant('openapi')
	await tenant.sql(`SELECT qehs.module_install('${tenant.slug}', key) FROM qehs.module_catalogue WHERE key <> 'incidents' \\g /dev/null`)
	await tenant.api.put('/api/v1/modules/every_type', every)
	generic = (await request('GET', SPEC)).json
	typed = (await tenant.api.get(SPEC)).json
	const reader = await tenant.makeKey({ scopes: ['records.read', 'records.write'], roles: ['tenant-user'], modules: ['every_type'] })
	narrow = (await reader.api.get(SPEC)).json
	await writeFile(path.join(work, 'narrow.json'), JSON.stringify(narrow))
	await writeFile(path.join(work, 'generic.json'), JSON.stringify(generic))
	await writeFile(path.join(work, 'typed.json'), JSON.stringify(typed))
})

const all = () => [['generic', generic], ['typed', typed], ['narrow', narrow]]
const operations = document => Object.entries(document.paths).flatMap(([target, item]) =>
	Object.entries(item).map(([method, operation]) => ({ target, method, operation })))

test('documents pass the JSON Schema of OpenAPI 3.1', async () => {
	const { Validator } = await import('@seriousme/openapi-schema-validator')
	for (const [name, document] of all()) {
		const result = await new Validator().validate(structuredClone(document))
		assert.ok(result.valid, `${name}: ${JSON.stringify(result.errors)}`)
	}
})

test('Redocly finds nothing to say', async () => {
	for (const name of ['generic', 'typed', 'narrow']) {
		const { stdout } = await run(bin('redocly'), ['lint', '--extends', 'recommended', '--format', 'json', path.join(work, `${name}.json`)],
			{ env: { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' } })
		assert.deepEqual(JSON.parse(stdout.slice(stdout.indexOf('{'))).problems, [], name)
	}
})

test('Spectral finds nothing to say', async () => {
	const ruleset = path.join(work, 'spectral.json')
	await writeFile(ruleset, JSON.stringify({ extends: ['spectral:oas'] }))
	for (const name of ['generic', 'typed', 'narrow']) {
		const { stdout } = await run(bin('spectral'), ['lint', '-r', ruleset, '-f', 'json', '-q', '--fail-severity', 'hint', path.join(work, `${name}.json`)])
			.catch(error => error)
		assert.deepEqual(JSON.parse(stdout || '[]'), [], name)
	}
})

test('every example validates against its schema', () => {
	for (const [name, document] of all()) {
		const ajv = newAjv()
		ajv.addSchema(document, 'spec')
		let count = 0
		const check = (pointer, value) => {
			const validate = ajv.compile({ $ref: `spec#${pointer}` })
			assert.ok(validate(value), `${name} ${pointer}: ${ajv.errorsText(validate.errors)} in ${JSON.stringify(value)}`)
			count++
		}
		const walk = (value, pointer) => {
			if (value === null || typeof value !== 'object') return
			// an example's own members are no places of the document
			if (value.schema) {
				if ('example' in value) check(`${pointer}/schema`, value.example)
				for (const item of Object.values(value.examples ?? {})) check(`${pointer}/schema`, item.value)
			}
			if (Array.isArray(value.examples)) for (const item of value.examples) check(pointer, item)
			for (const [key, member] of Object.entries(value))
				if (key !== 'example' && key !== 'examples')
					walk(member, `${pointer}/${encodeURIComponent(key.replaceAll('~', '~0').replaceAll('/', '~1'))}`)
		}
		walk(document, '')
		assert.ok(count > 20, `${count} examples`)
	}
})

test('no enum lists null, of which generators of clients make code that does not compile', () => {
	for (const [name, document] of all()) {
		const walk = (value, pointer) => {
			if (value === null || typeof value !== 'object') return
			if (Array.isArray(value.enum)) assert.ok(!value.enum.includes(null), `${name} ${pointer}`)
			for (const [key, member] of Object.entries(value)) walk(member, `${pointer}/${key}`)
		}
		walk(document, '')
	}
})

test('each operation names its SQL function, its tag, its problems and its headers', async () => {
	const functions = new Set((await psql(`SELECT proname FROM pg_proc WHERE pronamespace = 'qehs'::regnamespace`)).split('\n'))
	for (const { target, method, operation } of operations(generic)) {
		assert.ok(functions.has(operation.operationId), operation.operationId)
		assert.equal(operation['x-qehs-function'], `qehs.${operation.operationId}`)
		assert.equal(operation.tags.length, 1)
		assert.ok(operation.summary && operation.description, target)
		for (const status of ['400', '401', '406', '429', '500', '503', '504']) assert.ok(operation.responses[status], `${target} ${status}`)
		const names = operation.parameters.map(item => item.name ?? item.$ref.split('/').at(-1))
		assert.equal(names.includes('Idempotency-Key'), method !== 'get', target)
		assert.ok(names.includes('traceparent'), target)
		assert.deepEqual(operation['x-codeSamples'].map(sample => sample.label), ['curl', 'JavaScript', 'SQL'])
	}
	const rows = JSON.parse(await psql('SELECT qehs.endpoint_list()'))
	assert.deepEqual(operations(generic).map(({ operation }) => operation.operationId).sort(),
		// what signed URLs point to is no client's to write
		rows.filter(row => row.class !== 'signed').map(row => row.operation).sort())
	const codes = JSON.parse(await psql('SELECT qehs.problem_list()')).map(row => row.code).sort()
	assert.deepEqual([...generic.components.schemas.ProblemCode.enum].sort(), codes)
})

test('with a key, modules are typed, told apart by moduleKey', () => {
	const { schemas } = typed.components
	for (const form of ['Payload', 'Patch', 'Record', 'RecordDetail', 'Filter', 'Create', 'Update', 'Transition'])
		assert.ok(schemas[`Incidents${form}`], form)
	assert.deepEqual(schemas.IncidentsPayload.required, ['title', 'severity'])
	assert.deepEqual(schemas.IncidentsPayload.properties.severity.enum, ['low', 'medium', 'high', 'critical'])
	assert.equal(schemas.RecordCreate.discriminator.mapping.incidents, '#/components/schemas/IncidentsCreate')
	assert.equal(schemas.AnyRecord.discriminator.propertyName, 'moduleKey')
	assert.deepEqual(schemas.IncidentsRecord.properties.workflowState.enum, definition.workflow.states)
	const transitions = schemas.IncidentsTransition.oneOf
	assert.deepEqual(transitions.map(item => item.properties.transition.enum[0]).sort(), Object.keys(definition.workflow.transitions).sort())
	assert.deepEqual(transitions.find(item => item.title === 'IncidentsTransitionClose').required, ['transition', 'comment'])
	assert.match(transitions.find(item => item.title === 'IncidentsTransitionSubmit').description, /description/)
	assert.deepEqual(schemas.IncidentsPatch.properties.cost.type, ['number', 'null'])
	assert.equal(schemas.IncidentsPatch.properties.title.type, 'string', 'what is required cannot be removed')
	assert.ok(!schemas.EveryTypeNew.required.includes('choice'), 'what has a default need not be sent')
	assert.equal(schemas.EveryTypePatch.properties.thing.required, undefined)
	assert.ok(typed.paths['/api/v1/records'].post.requestBody.content['application/json'].examples.every_type.value.payload.code)
})

test('the example of a module whose required fields name nothing that must exist makes a record', async () => {
	const { value } = typed.paths['/api/v1/records'].post.requestBody.content['application/json'].examples.every_type
	assert.equal(value.payload.a_currency.currency, 'EUR')
	const answer = await tenant.api.post('/api/v1/records', value)
	assert.equal(answer.status, 201, answer.text)
})

test('a key sees what it may do, and nothing of the rest', async () => {
	const reader = await tenant.makeKey({ scopes: ['records.read'], roles: ['viewer'], modules: ['incidents'] })
	const document = (await reader.api.get(SPEC)).json
	const ids = operations(document).map(({ operation }) => operation.operationId)
	assert.deepEqual(ids.sort(), ['deprecation_list', 'export_cancel', 'export_get', 'graphql', 'graphql_query', 'job_cancel', 'job_get', 'job_list', 'me', 'openapi', 'openapi_yaml', 'postman', 'problem_list', 'record_activity', 'record_approvals', 'record_at', 'record_comments', 'record_get', 'record_links', 'record_list',
		'scim_resource_type_get', 'scim_resource_type_list', 'scim_schema_get', 'scim_schema_list', 'scim_service_provider_config'])
	const text = JSON.stringify(document)
	assert.ok(text.includes('IncidentsPayload'))
	assert.doesNotMatch(text, /EveryType|IncidentsPatch|ApiKeyCreate/)
	const other = await makeTenant('openapi_other', { ...every, key: 'private_matters', name: 'Private matters' })
	assert.doesNotMatch(JSON.stringify(typed), /private_matters|PrivateMatters/)
	assert.ok((await other.api.get(SPEC)).text.includes('PrivateMattersPayload'))
	assert.doesNotMatch((await request('GET', SPEC)).text, /private_matters|IncidentsPayload/)
	assert.equal((await request('GET', SPEC, { headers: { Authorization: 'Bearer qehs_live_sk_wrong' } })).status, 401)
})

test('ETag, 304, gzip and HEAD', async () => {
	const first = await tenant.api.get(SPEC)
	assert.match(first.headers.etag, /^"[0-9a-f]{32}"$/)
	assert.equal((await tenant.api.get(SPEC)).headers.etag, first.headers.etag)
	const same = await tenant.api.get(SPEC, { 'If-None-Match': first.headers.etag })
	assert.equal(same.status, 304)
	assert.equal(same.body.length, 0)
	const packed = await tenant.api.get(SPEC, { 'Accept-Encoding': 'gzip' })
	assert.equal(packed.headers['content-encoding'], 'gzip')
	assert.equal(gunzipSync(packed.body).toString(), first.text)
	assert.ok(packed.body.length < first.body.length / 5)
	assert.equal((await tenant.api.head(SPEC)).headers.etag, first.headers.etag)
	assert.match(first.headers.vary, /Authorization/)
})

test('the YAML says the same', async () => {
	const { load } = await import('js-yaml')
	for (const [key, document] of [[undefined, generic], [tenant.key, typed]]) {
		const answer = await request('GET', '/api/docs/spec.yaml', { key })
		assert.equal(answer.headers['content-type'], 'application/yaml')
		assert.deepEqual(load(answer.text), document)
	}
	assert.equal((await request('GET', '/api/docs/spec.yaml', { headers: { Accept: 'application/json' } })).status, 406)
})

test('20 modules are in the document, the first time and kept', async () => {
	const many = await makeTenant('openapi_many')
	for (let i = 0; i < 19; i++) await many.api.put(`/api/v1/modules/module_${i}`, { ...definition, key: `module_${i}`, displayCode: { prefix: `M${i}` } })
	const [first, kept] = [await request('GET', SPEC, { key: many.key }), await request('GET', SPEC, { key: many.key })]
	assert.equal(Object.keys(first.json.components.schemas).filter(name => /^Module\d+Payload$/.test(name)).length, 19)
	assert.equal(kept.text, first.text)
})

test('a published field is in the next answer of another shim', async () => {
	const url = new URL(`http://127.0.0.1:${await freePort()}`)
	const shim = start(process.env.QEHS_SHIM_BIN, ['--listen', url.host, '--db', `host=${process.env.PGHOST} port=${process.env.PGPORT} user=qehs_shim dbname=${process.env.PGDATABASE}`, '--log', 'off'])
	try {
		await until('the shim is ready', () => request('GET', '/readyz', { url }).then(answer => answer.status === 200, () => false))
		const far = caller(tenant.key, url)
		for (let round = 0; round < 20; round++) {
			await far.get(SPEC)
			const field = `new_field_${round}`
			const next = { ...every, fields: [...every.fields, ...Array.from({ length: round + 1 }, (_, i) => ({ key: `new_field_${i}`, type: 'text' }))] }
			assert.equal((await tenant.api.put('/api/v1/modules/every_type', next)).status, 200)
			for (const api of [far, tenant.api])
				assert.ok((await api.get(SPEC)).json.components.schemas.EveryTypePayload.properties[field], field)
		}
	} finally {
		shim.kill()
	}
})

test('the collection runs as it is', async () => {
	const fresh = await makeTenant('openapi_postman')
	await fresh.sql(`SELECT qehs.module_install('${fresh.slug}', key) FROM qehs.module_catalogue WHERE key <> 'incidents' \\g /dev/null`)
	await fresh.api.post('/api/v1/records', { moduleKey: 'incidents', payload: { title: 'Sealed', severity: 'low' } })
	await fresh.sql(`SELECT qehs.audit_seal('${fresh.slug}')`)
	const collection = (await fresh.api.get('/api/docs/postman.json')).json
	assert.equal(collection.variable.find(item => item.key === 'baseUrl').value, base.origin)
	const file = path.join(work, 'postman.json')
	await writeFile(file, JSON.stringify(collection))
	const report = path.join(work, 'newman.json')
	const { stdout } = await run(bin('newman'), ['run', file, '--env-var', `apiKey=${fresh.key}`, '-r', 'cli,json', '--reporter-json-export', report, '--color', 'off'])
		.catch(error => error)
	const { run: result } = JSON.parse(await (await import('node:fs/promises')).readFile(report))
	assert.deepEqual(result.failures.map(item => `${item.source?.name}: ${item.error.message}`), [], stdout)
	assert.ok(result.stats.requests.total >= 20, `${result.stats.requests.total} requests`)
	assert.equal(result.stats.assertions.total, result.stats.requests.total)
})

test('a client generated from the document compiles and lives a record\'s life', async () => {
	const fresh = await makeTenant('openapi_client')
	const folder = path.join(work, 'client')
	await mkdir(folder, { recursive: true })
	await writeFile(path.join(folder, 'spec.json'), (await fresh.api.get(SPEC)).text)
	await run(bin('openapi-typescript'), [path.join(folder, 'spec.json'), '-o', path.join(folder, 'schema.d.ts')])
	await run('cp', [path.join(tests, 'http/client/record_life.ts'), folder])
	await writeFile(path.join(folder, 'package.json'), '{"type":"module"}')
	const checked = await run(bin('tsc'), ['--strict', '--target', 'es2022', '--module', 'nodenext', '--skipLibCheck', 'false', '--types', 'node',
		'--outDir', folder, path.join(folder, 'record_life.ts')], { cwd: folder }).catch(error => error)
	assert.equal(checked.stdout, '', checked.stdout)
	const { stdout } = await run(process.execPath, [path.join(folder, 'record_life.js')], { env: { ...process.env, QEHS_URL: base.origin, QEHS_API_KEY: fresh.key } })
	assert.equal(stdout, 'lived\n')
	await rm(work, { recursive: true })
})
