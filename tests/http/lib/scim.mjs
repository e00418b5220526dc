// Tenants for the tests of SCIM: empty, with a key of kind scim.
import { request } from './client.mjs'
import { literal, psql } from './tenant.mjs'

export const USER = 'urn:ietf:params:scim:schemas:core:2.0:User'
export const GROUP = 'urn:ietf:params:scim:schemas:core:2.0:Group'
export const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'
export const PATCH = 'urn:ietf:params:scim:api:messages:2.0:PatchOp'
export const BULK = 'urn:ietf:params:scim:api:messages:2.0:BulkRequest'
export const SEARCH = 'urn:ietf:params:scim:api:messages:2.0:SearchRequest'
let made = 0

// Gives {slug, key, sql(text), makeKey(options), scim}: scim.get(path), post(path, json), put, patch(path, operations), delete.
export async function scimTenant(name) {
	const slug = `${name}_${process.pid.toString(36)}_${(made++).toString(36)}${Math.floor(Math.random() * 1e6).toString(36)}`
	const tenant = { slug, sql: text => psql(`SELECT qehs.use_tenant('${slug}') \\g /dev/null\n${text}`) }
	await psql(`SELECT qehs.tenant_create('${slug}', 'Tenant ${slug}') \\g /dev/null`)
	tenant.makeKey = async options => JSON.parse(await tenant.sql(`SELECT qehs.api_key_create('key', rate_limit => 0, ${Object.entries(options).map(([argument, value]) =>
		`${argument} => ${Array.isArray(value) ? `${literal(`{${value.join(',')}}`)}::text[]` : literal(value)}`).join(', ')})`)).key
	tenant.key = await tenant.makeKey({ scopes: ['admin.users'], kind: 'scim' })
	const call = method => (path, json, headers = {}) => request(method, `/api/scim/v2${path}`, { key: tenant.key, json, headers: json ? { 'Content-Type': 'application/scim+json', ...headers } : headers })
	tenant.scim = { get: (path, headers) => call('GET')(path, undefined, headers), post: call('POST'), put: call('PUT'), delete: (path, headers) => call('DELETE')(path, undefined, headers),
		patch: (path, operations, headers) => call('PATCH')(path, { schemas: [PATCH], Operations: operations }, headers),
		list: async (type, filter) => (await call('GET')(`/${type}?count=200&filter=${encodeURIComponent(filter)}`)).json }
	tenant.user = async (userName, more = {}) => (await tenant.scim.post('/Users', { schemas: [USER], userName, ...more })).json
	tenant.group = async (displayName, members = []) => (await tenant.scim.post('/Groups', { schemas: [GROUP], displayName, members: members.map(value => ({ value })) })).json
	return tenant
}
