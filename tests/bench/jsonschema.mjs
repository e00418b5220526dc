// Validation of 100,000 incident documents: the extension in SQL against no validation and against ajv, in one run.
//
//   node jsonschema.mjs      the database is that of PG*, made by prepare.mjs
//
// Prints nanoseconds per document, the median of five rounds in turns.
import { execFileSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { writeFileSync, chmodSync } from 'node:fs'

const require = createRequire(import.meta.url)
const Ajv = require('ajv/dist/2020').default
const formats = require('ajv-formats')
const ROWS = 100000
const ROUNDS = 5

const text = length => ({ type: 'string', maxLength: length })
const schema = {
	type: 'object', additionalProperties: false, required: ['title', 'severity', 'occurred_at', 'site'],
	properties: {
		title: { ...text(500), minLength: 1 }, severity: { enum: ['low', 'medium', 'high', 'critical'] }, description: text(10000),
		occurred_at: { type: 'string', format: 'date-time' }, site: { type: 'string', pattern: '^[A-Z]{2}-[0-9]+$' },
		reporter: { type: 'string', format: 'email' }, injured: { type: 'integer', minimum: 0, maximum: 1000 },
		cost: { type: 'number', minimum: 0 }, anonymous: { type: 'boolean' },
		tags: { type: 'array', items: { enum: ['fall', 'cut', 'burn', 'chemical'] }, uniqueItems: true, maxItems: 10 },
		spot: {
			type: 'object', additionalProperties: false, required: ['lat', 'lon'],
			properties: { lat: { type: 'number', minimum: -90, maximum: 90 }, lon: { type: 'number', minimum: -180, maximum: 180 } },
		},
		due: { type: 'string', format: 'date' }, rca_text: text(10000),
	},
}
const documents = Array.from({ length: ROWS }, (_, i) => ({
	title: `Employee slipped on wet floor near line ${i}`, severity: ['low', 'medium', 'high', 'critical'][i % 4],
	description: 'An employee walked from the packing area to the loading dock and slipped where water from the washing station had '
		+ `run across the floor. The floor was not marked. Case ${i}, third such event this year in this area; first aid was given.`,
	occurred_at: `2026-0${1 + i % 9}-1${i % 10}T08:30:00Z`, site: `TX-${i % 300}`, reporter: `worker${i}@example.com`, injured: i % 3,
	cost: i * 1.25, anonymous: i % 2 === 0, tags: ['fall', 'cut'], spot: { lat: 29.76 + i / 1e6, lon: -95.36 },
	due: `2026-1${i % 3}-2${i % 9}`, rca_text: 'Drain blocked; cleaning plan did not name it. Drain cleared, plan changed, floor marked.',
}))

const psql = sql => execFileSync('psql', ['-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1'], { input: sql, encoding: 'utf8', maxBuffer: 1 << 28 })
const file = `/var/tmp/qehs-bench-documents.${process.pid}`
writeFileSync(file, documents.map(document => JSON.stringify(document).replaceAll('\\', '\\\\') + '\n').join(''))
chmodSync(file, 0o644)
const literal = `'${JSON.stringify(schema)}'::jsonb`
// held whole in memory and not compressed: detoasting is no part of this
psql(`SET client_min_messages = error; DROP TABLE IF EXISTS bench_document; CREATE UNLOGGED TABLE bench_document (j jsonb);
	ALTER TABLE bench_document ALTER j SET STORAGE PLAIN;
	\\copy bench_document FROM '${file}'
	VACUUM ANALYZE bench_document;`)
execFileSync('rm', [file])
const explain = (before, query, rows) => {
	const plan = psql(`SET max_parallel_workers_per_gather = 0; SET jit = off; ${before}
		EXPLAIN (ANALYZE, TIMING OFF, FORMAT json) ${query};`)
	return JSON.parse(plan.slice(plan.indexOf('[')))[0]['Execution Time'] * 1e6 / rows
}
const timed = expression => explain('', `SELECT count(*) FILTER (WHERE ${expression}) FROM bench_document`, ROWS)

// The share of validation in record_create, with the module's own schema and the bench's payloads (prepare.mjs), without the commit.
const samples = Number(psql('SELECT count(*) FROM sample'))
const moduleSchema = psql(`SELECT quote_literal(v.json_schema::text) || '::jsonb' FROM qehs.module_version AS v JOIN qehs.module AS m
	ON (m.tenant_id, m.id, m.version) = (v.tenant_id, v.module_id, v.version) JOIN qehs.tenant AS t ON t.id = m.tenant_id
	WHERE t.slug = 'bench' AND m.key = 'incidents'`).trim()
const sampled = condition => explain('', `SELECT count(*) FILTER (WHERE ${condition}) FROM sample`, samples)
const created = () => explain("SELECT qehs.use_tenant('bench'); BEGIN;", "SELECT count(qehs.record_create('incidents', payload)) FROM sample", samples)
const validate = formats(new Ajv({ strict: false })).compile(schema)
const bodies = documents.map(document => JSON.stringify(document))
const node = run => {
	const start = process.hrtime.bigint()
	let valid = 0
	for (let i = 0; i < ROWS; i++) valid += run(i) ? 1 : 0
	if (valid !== ROWS) throw new Error('all documents are valid')
	return Number(process.hrtime.bigint() - start) / ROWS
}
const cases = {
	'no validation (j IS NOT NULL)': () => timed('j IS NOT NULL'),
	'qehs.jsonschema_is_valid': () => timed(`qehs.jsonschema_is_valid(${literal}, j)`),
	'qehs.jsonschema_is_valid, formats asserted': () => timed(`qehs.jsonschema_is_valid(${literal}, j, true)`),
	'ajv on parsed objects, formats asserted': () => node(i => validate(documents[i])),
	'JSON.parse and ajv': () => node(i => validate(JSON.parse(bodies[i]))),
	'record_create of an OSHA report, without commit': created,
	'of it the module schema': () => sampled(`qehs.jsonschema_is_valid(${moduleSchema}, payload, true)`) - sampled('payload IS NOT NULL'),
}
const taken = Object.fromEntries(Object.keys(cases).map(name => [name, []]))
for (let round = 0; round < ROUNDS; round++)
	for (const [name, run] of Object.entries(cases)) taken[name].push(run())
psql('DROP TABLE bench_document')
const median = list => list.sort((a, b) => a - b)[Math.floor(list.length / 2)]
console.log(`# ${ROWS} documents of ${Math.round(bodies.reduce((sum, body) => sum + body.length, 0) / ROWS)} bytes, ns per document`)
for (const [name, list] of Object.entries(taken)) console.log(`${name}\t${Math.round(median(list))}`)
const [whole, part] = Object.values(taken).slice(-2).map(median)
console.log(`share of validation in record_create\t${(100 * part / whole).toFixed(1)} %`)
