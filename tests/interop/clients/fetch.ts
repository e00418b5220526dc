// openapi-typescript with openapi-fetch: one typed function a verb. It refuses an object in an object, so the filter is text.
import createClient from 'openapi-fetch'
import type { paths } from './generated/fetch.js'
import { headers, lines, live, operatorsText, take, url } from './life.js'

const client = createClient<paths>({ baseUrl: url, headers })
await live({
	create: async (title, cost) => take(await client.POST('/api/v1/records', { body: { moduleKey: 'near_misses', payload: { title, severity: 'low', cost } } })),
	list: async () => take(await client.GET('/api/v1/records', { params: { query: { moduleKey: 'near_misses', filter: operatorsText } } })),
	patch: async id => take(await client.PATCH('/api/v1/records/{id}', { params: { path: { id }, header: { 'If-Match': '"1"' } },
		body: { payload: { description: 'Water from the roof', cost: null } } })),
	transition: async id => take(await client.POST('/api/v1/records/{id}:transition', { params: { path: { id } }, body: { transition: 'submit' } })),
	bulk: async () => take(await client.POST('/api/modules/{moduleKey}/bulk', { params: { path: { moduleKey: 'near_misses' } }, body: lines,
		headers: { 'Content-Type': 'application/x-ndjson' }, bodySerializer: body => body, parseAs: 'text' })) as string | object,
})
