// Tenants for the tests, made by SQL as an administrator would.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { caller } from './client.mjs'

const run = promisify(execFile)
let made = 0

// Run SQL as the administrator; gives what psql prints, without trimmings.
export async function psql(sql, { db = process.env.QEHS_ADMIN_DB } = {}) {
	const promise = run(process.env.PG_BIN ? `${process.env.PG_BIN}/psql` : 'psql',
		['-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-d', db, '-f', '-'], { maxBuffer: 1 << 28 })
	promise.child.stdin.end(sql)
	return (await promise).stdout.trimEnd()
}

export const literal = value => value === null ? 'NULL' : `'${String(value).replaceAll("'", "''")}'`

// A small module with a field of most kinds and a workflow that everybody may walk.
export const definition = {
	key: 'incidents', name: 'Incidents', description: 'For tests', displayCode: { prefix: 'INC' },
	fields: [
		{ key: 'title', label: 'Title', type: 'text', required: true, maxLength: 500 },
		{ key: 'severity', type: 'select', options: ['low', 'medium', 'high', 'critical'], required: true, indexed: true },
		{ key: 'description', type: 'text', maxLength: 10000 },
		{ key: 'cost', type: 'number', min: 0, max: 1e9, indexed: true },
		{ key: 'count', type: 'integer', min: -5, max: 1000 },
		{ key: 'occurred_at', type: 'datetime', indexed: true },
		{ key: 'due', type: 'date', indexed: true },
		{ key: 'email', type: 'email' },
		{ key: 'link', type: 'url' },
		{ key: 'badge', type: 'identifier' },
		{ key: 'anonymous', type: 'boolean', indexed: true },
		{ key: 'tags', type: 'multi-select', options: ['a', 'b', 'c'] },
		{ key: 'site', type: 'text', minLength: 2, maxLength: 200, pattern: '^[A-Z]', indexed: true },
		{ key: 'period', type: 'date-range' },
		{ key: 'spot', type: 'geolocation' },
		{ key: 'extra', type: 'object' },
		{ key: 'rca_text', type: 'text' },
	],
	workflow: {
		states: ['draft', 'submitted', 'investigating', 'closed', 'reopened'], initial: 'draft',
		transitions: {
			submit: { from: 'draft', to: 'submitted', requires: ['description'] },
			investigate: { from: ['submitted', 'reopened'], to: 'investigating' },
			close: { from: 'investigating', to: 'closed', when: 'exists($.rca_text)', commentRequired: true },
			review: { from: 'investigating', to: 'closed', roles: ['reviewer'] },
			reopen: { from: 'closed', to: 'reopened' },
			reset: { from: '*', to: 'draft' },
		},
	},
	permissions: {
		roles: {
			'tenant-user': ['read', 'create', 'update', 'transition'], viewer: ['read'], reviewer: ['read', 'transition'],
		},
	},
}

// A new tenant with the module above (or `module`), and a key without a rate limit.
// Gives {slug, key, keyId, api, makeKey(options), sql(text)}.
export async function makeTenant(name, module = definition) {
	const slug = `${name}_${process.pid.toString(36)}_${(made++).toString(36)}${Math.floor(Math.random() * 1e6).toString(36)}`
	const tenant = { slug, sql: text => psql(`SELECT qehs.use_tenant('${slug}') \\g /dev/null\n${text}`) }
	await psql(`SELECT qehs.tenant_create('${slug}', 'Tenant ${slug}') \\g /dev/null`)
	await tenant.sql(`SELECT qehs.module_publish(${literal(module.key)}, ${literal(JSON.stringify(module))}) \\g /dev/null`)
	tenant.makeKey = async ({ name: label = 'key', scopes, roles, modules, rateLimit = 0, actingUser } = {}) => {
		const list = items => `${literal(`{${items.join(',')}}`)}::text[]`
		const answer = JSON.parse(await tenant.sql(`SELECT qehs.api_key_create(${literal(label)}`
			+ (scopes ? `, scopes => ${list(scopes)}` : '') + (roles ? `, roles => ${list(roles)}` : '')
			+ (modules ? `, modules => ${list(modules)}` : '') + (actingUser ? `, acting_user => ${literal(actingUser)}` : '')
			+ (rateLimit === null ? '' : `, rate_limit => ${rateLimit}`) + ');'))
		return { key: answer.key, keyId: answer.id, api: caller(answer.key) }
	}
	return Object.assign(tenant, await tenant.makeKey())
}

// A job of the tenant that waits for a worker outside, of which there is none; gives its id.
export async function makeJob(tenant) {
	return (await tenant.sql(`INSERT INTO qehs.job (tenant_id, id, kind, created_at, not_before, created_by)
		SELECT id, gen_random_uuid(), 'export', now(), now(), '00000000-0000-0000-0000-000000000000' FROM qehs.tenant WHERE slug = '${tenant.slug}' RETURNING id`)).trim()
}

// The least payload that the module takes, with what is given.
export const payload = (members = {}) => ({ title: 'Slip on a wet floor', severity: 'low', ...members })

export async function makeRecord(tenant, members) {
	const answer = await tenant.api.post('/api/v1/records', { moduleKey: 'incidents', payload: payload(members) })
	if (answer.status !== 201) throw new Error(answer.text)
	return answer.json
}

// The other form of a record's id: the 128 bits of its Crockford base32 as a UUID.
export function uuidOf(id) {
	const digits = [...id.slice(id.indexOf('_') + 1)].map(c => '0123456789ABCDEFGHJKMNPQRSTVWXYZ'.indexOf(c))
	const hex = digits.reduce((sum, digit) => sum * 32n + BigInt(digit), 0n).toString(16).padStart(32, '0')
	return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
