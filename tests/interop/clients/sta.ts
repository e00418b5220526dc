// swagger-typescript-api: a class of groups of methods. It takes ":transition" in a path for a parameter, which is given as it stands.
import { Api, ContentType } from './generated/sta/api.js'
import { headers, lines, live, operatorsText, url } from './life.js'

// it knows no media type of lines
const customFetch: typeof fetch = (target, options) =>
	fetch(target, { ...options, headers: { ...options?.headers as object, ...String(target).endsWith('/bulk') && { 'Content-Type': 'application/x-ndjson' } } })
const { api } = new Api({ baseUrl: url, baseApiParams: { headers }, customFetch })
await live({
	create: async (title, cost) => (await api.recordCreate({ moduleKey: 'near_misses', payload: { title, severity: 'low', cost } }, { format: 'json' })).data,
	list: async () => (await api.recordList({ moduleKey: 'near_misses', filter: operatorsText }, { format: 'json' })).data,
	patch: async id => (await api.recordUpdate(id, { payload: { description: 'Water from the roof', cost: null } }, { headers: { ...headers, 'If-Match': '"1"' } })).data as never,
	transition: async id => (await api.recordTransition(id, ':transition', { transition: 'submit' })).data,
	bulk: async () => (await api.bulkLoad('near_misses', lines, undefined, { type: ContentType.Text, format: 'text', headers })).data as string | object,
})
