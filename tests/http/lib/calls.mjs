// A call of each operation of the endpoint table that succeeds for a tenant with the module of tenant.mjs and all rights. A test
// that goes over all endpoints takes its requests from here, so that a new endpoint fails it until it is entered.
import { definition, makeJob, makeRecord, payload, psql } from './tenant.mjs'

const makeAttachment = async ({ api }, recordId) =>
	(await api.post('/api/v1/attachments', { recordId, filename: 'note.txt', contentType: 'text/plain' })).json.id

// A record with a transition that two people must approve.
const makeApprovable = async ({ api }) => {
	const workflow = { states: ['open', 'closed'], initial: 'open', transitions: { close: { from: 'open', to: 'closed', approvers: { count: 2, role: 'tenant-owner' } } } }
	await api.put('/api/v1/modules/approvable', { key: 'approvable', name: 'Approvable', displayCode: { prefix: 'APP' }, fields: [{ key: 'title', type: 'text' }], workflow })
	return (await api.post('/api/v1/records', { moduleKey: 'approvable', payload: {} })).json.id
}

const makeHold = async ({ api }, recordId) => (await api.post('/api/v1/legal-holds', { reason: 'Claim', recordIds: [recordId] })).json.id

let people = 0
const makeUser = async tenant => {
	const name = `person ${++people}`
	await tenant.sql(`SELECT qehs.user_create('${name}', '${name}', roles => '{tenant-owner}') \\g /dev/null`)
	return name
}

const delegate = async tenant => ({ to: await makeUser(tenant), from: await makeUser(tenant), startsAt: '2026-01-01T00:00:00Z', endsAt: '2099-01-01T00:00:00Z' })

export const calls = {
	record_list: () => ({ target: '/api/v1/records?moduleKey=incidents' }),
	record_create: () => ({ json: { moduleKey: 'incidents', payload: payload() } }),
	record_get: record => ({ id: record }),
	record_activity: record => ({ id: record }),
	record_at: record => ({ target: `/api/v1/records/${record}/at?time=2099-12-31` }),
	record_update: record => ({ id: record, json: { payload: { cost: 1 } } }),
	record_transition: record => ({ id: record, json: { transition: 'reset' } }),
	record_approve: async (record, _, tenant) => ({ id: await makeApprovable(tenant), json: { transition: 'close' } }),
	record_reject: async (record, _, tenant) => ({ id: await makeApprovable(tenant), json: { transition: 'close' } }),
	record_approvals: record => ({ id: record }),
	record_comments: record => ({ id: record }),
	record_comment: record => ({ id: record, json: { body: 'Seen' } }),
	// of the caller's own, so that every key may take it back
	comment_delete: async (record, _, tenant) => ({ id: (await tenant.api.post(`/api/v1/records/${record}/comments`, { body: 'Seen' })).json.id }),
	record_links: record => ({ id: record }),
	delegation_list: () => ({}),
	delegation_create: async (record, _, tenant) => ({ json: await delegate(tenant) }),
	delegation_revoke: async (record, _, tenant) => ({ id: (await tenant.api.post('/api/v1/delegations', await delegate(tenant))).json.id }),
	signature_credential_set: () => ({ json: { credential: 'a long secret' } }),
	record_delete: record => ({ id: record }),
	record_restore: async (record, _, { api }) => {
		await api.delete(`/api/v1/records/${record}`)
		return { id: record }
	},
	record_purge: async (record, _, { api }) => {
		await api.delete(`/api/v1/records/${record}`)
		return { id: record, json: { reason: 'Entered by mistake' } }
	},
	record_erase: record => ({ id: record, json: { reason: 'Asked for', fields: ['title'] } }),
	user_erase: async (record, _, tenant) => ({ target: `/api/v1/users/${encodeURIComponent(await makeUser(tenant))}:erase`, json: { reason: 'Asked for' } }),
	tombstone_list: () => ({}),
	legal_hold_list: () => ({}),
	legal_hold_create: record => ({ json: { reason: 'Claim', recordIds: [record] } }),
	legal_hold_get: async (record, _, tenant) => ({ id: await makeHold(tenant, record) }),
	legal_hold_release: async (record, _, tenant) => ({ id: await makeHold(tenant, record), json: { reason: 'Settled' } }),
	record_migrate: record => ({ id: record, json: {} }),
	bulk_load: () => ({ target: '/api/v1/modules/incidents/bulk', body: JSON.stringify(payload()), headers: { 'Content-Type': 'application/x-ndjson' } }),
	audit_list: record => ({ target: `/api/v1/audit?recordId=${record}` }),
	audit_seals: () => ({}),
	audit_proof: async (record, _, tenant) => {
		await tenant.sql(`SELECT qehs.audit_seal('${tenant.slug}')`)
		return { target: `/api/v1/audit/${(await tenant.api.get(`/api/v1/audit?recordId=${record}`)).json.items[0].id}/proof` }
	},
	me: () => ({}),
	calendar_get: () => ({}),
	calendar_set: () => ({ json: { workingDays: [1, 2, 3, 4, 5] } }),
	location_list: () => ({}),
	location_get: async (_, key, { api }) => {
		await api.put('/api/v1/locations/berlin', { name: 'Berlin' })
		return { target: '/api/v1/locations/berlin' }
	},
	location_put: () => ({ target: '/api/v1/locations/berlin', json: { name: 'Berlin' } }),
	location_delete: async (_, key, { api }) => {
		await api.put('/api/v1/locations/berlin', { name: 'Berlin' })
		return { target: '/api/v1/locations/berlin' }
	},
	module_list: () => ({}),
	module_get: () => ({ target: '/api/v1/modules/incidents' }),
	module_publish: () => ({ target: '/api/v1/modules/incidents', json: definition }),
	module_publish_all: () => ({ json: { definitions: [definition] } }),
	module_migrate: () => ({ target: '/api/v1/modules/incidents:migrate', json: {} }),
	graphql: () => ({ json: { query: '{ me { displayName } }' } }),
	graphql_query: () => ({ target: `/api/graphql?query=${encodeURIComponent('{ me { displayName } }')}` }),
	job_list: () => ({}),
	job_get: async (_, key, tenant) => ({ target: `/api/v1/jobs/${await makeJob(tenant)}` }),
	job_cancel: async (_, key, tenant) => ({ target: `/api/v1/jobs/${await makeJob(tenant)}` }),
	export_create: () => ({ json: { moduleKey: 'incidents', format: 'csv' } }),
	export_get: async (_, key, tenant) => ({ target: `/api/v1/exports/${await makeJob(tenant)}` }),
	export_cancel: async (_, key, tenant) => ({ target: `/api/v1/exports/${await makeJob(tenant)}` }),
	attachment_create: record => ({ json: { recordId: record, filename: 'note.txt', contentType: 'text/plain' } }),
	attachment_get: async (record, _, tenant) => ({ id: await makeAttachment(tenant, record) }),
	attachment_delete: async (record, _, tenant) => ({ id: await makeAttachment(tenant, record) }),
	api_key_list: () => ({}),
	api_key_create: () => ({ json: { name: 'k', scopes: [], roles: [] } }),
	api_key_get: (_, key) => ({ id: key }),
	api_key_rotate: (_, key) => ({ id: key, json: {} }),
	api_key_revoke: (_, key) => ({ id: key }),
}

const ofPerson = new Set(JSON.parse(await psql("SELECT json_agg(operation) FROM qehs.endpoint WHERE action = 'person'")))

// A key for a call: one that acts as a person where the operation needs one.
export const makeCaller = async (tenant, { operation }, options = {}) =>
	tenant.makeKey(ofPerson.has(operation) ? { ...options, actingUser: await makeUser(tenant) } : options)

// {target, json or body, headers} of a call, on a record and a key of its own.
export async function prepare(tenant, { operation, path }) {
	const { id, target = path, ...rest } = await calls[operation]((await makeRecord(tenant)).id, (await tenant.makeKey({ scopes: [] })).keyId, tenant)
	return { target: target.replace('{id}', id), ...rest }
}
