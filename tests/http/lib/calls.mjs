// A call of each operation of the endpoint table that succeeds for a tenant with the module of tenant.mjs and all rights. A test
// that goes over all endpoints takes its requests from here, so that a new endpoint fails it until it is entered.
import { definition, makeJob, makeRecord, payload } from './tenant.mjs'

export const calls = {
	record_list: () => ({ target: '/api/v1/records?moduleKey=incidents' }),
	record_create: () => ({ json: { moduleKey: 'incidents', payload: payload() } }),
	record_get: record => ({ id: record }),
	record_activity: record => ({ id: record }),
	record_update: record => ({ id: record, json: { payload: { cost: 1 } } }),
	record_transition: record => ({ id: record, json: { transition: 'reset' } }),
	record_delete: record => ({ id: record }),
	record_restore: async (record, _, { api }) => {
		await api.delete(`/api/v1/records/${record}`)
		return { id: record }
	},
	record_migrate: record => ({ id: record, json: {} }),
	bulk_load: () => ({ target: '/api/v1/modules/incidents/bulk', body: JSON.stringify(payload()), headers: { 'Content-Type': 'application/x-ndjson' } }),
	audit_list: record => ({ target: `/api/v1/audit?recordId=${record}` }),
	module_list: () => ({}),
	module_get: () => ({ target: '/api/v1/modules/incidents' }),
	module_publish: () => ({ target: '/api/v1/modules/incidents', json: definition }),
	module_migrate: () => ({ target: '/api/v1/modules/incidents:migrate', json: {} }),
	job_list: () => ({}),
	job_get: async (_, key, tenant) => ({ target: `/api/v1/jobs/${await makeJob(tenant)}` }),
	job_cancel: async (_, key, tenant) => ({ target: `/api/v1/jobs/${await makeJob(tenant)}` }),
	export_create: () => ({ json: { moduleKey: 'incidents', format: 'csv' } }),
	export_get: async (_, key, tenant) => ({ target: `/api/v1/exports/${await makeJob(tenant)}` }),
	export_cancel: async (_, key, tenant) => ({ target: `/api/v1/exports/${await makeJob(tenant)}` }),
	api_key_list: () => ({}),
	api_key_create: () => ({ json: { name: 'k', scopes: [], roles: [] } }),
	api_key_get: (_, key) => ({ id: key }),
	api_key_rotate: (_, key) => ({ id: key, json: {} }),
	api_key_revoke: (_, key) => ({ id: key }),
}

// {target, json or body, headers} of a call, on a record and a key of its own.
export async function prepare(tenant, { operation, path }) {
	const { id, target = path, ...rest } = await calls[operation]((await makeRecord(tenant)).id, (await tenant.makeKey({ scopes: [] })).keyId, tenant)
	return { target: target.replace('{id}', id), ...rest }
}
