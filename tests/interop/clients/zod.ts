// openapi-zod-client: Zodios, which checks with zod what it sends and what comes. It takes ":transition" in a path for a parameter, given as it stands.
// Of the bodies that a change may have it takes the first that fits and would drop what that one lacks: transform is off.
import { createApiClient } from './generated/zod.js'
import { authorization, headers, lines, live, operators, url } from './life.js'

const api = createApiClient(url, { transform: false, axiosConfig: { headers: { Authorization: authorization } } })
await live({
	create: async (title, cost) => await api.record_create({ moduleKey: 'near_misses', payload: { title, severity: 'low', cost } }),
	list: async () => await api.record_list({ queries: { moduleKey: 'near_misses', filter: operators } }),
	patch: async id => await api.record_update({ payload: { description: 'Water from the roof', cost: null } }, { params: { id }, headers: { ...headers, 'If-Match': '"1"' } }),
	transition: async id => await api.record_transition({ transition: 'submit' }, { params: { id, transition: ':transition' } }),
	bulk: async () => await api.bulk_load(lines, { params: { moduleKey: 'near_misses' }, headers: { ...headers, 'Content-Type': 'application/x-ndjson' } }) as unknown as string,
})
