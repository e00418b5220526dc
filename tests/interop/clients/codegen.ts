// openapi-typescript-codegen: classes with static methods.
import { OpenAPI, RecordsService as api } from './generated/codegen/index.js'
import { headers, lines, live, operators, url } from './life.js'

OpenAPI.BASE = url
// its own Accept is application/json, which the loader does not give
OpenAPI.HEADERS = { ...headers, Accept: '*/*' }
await live({
	create: (title, cost) => api.recordCreate({ moduleKey: 'near_misses', payload: { title, severity: 'low', cost } }),
	list: () => api.recordList('near_misses', undefined, operators),
	patch: id => api.recordUpdate(id, { payload: { description: 'Water from the roof', cost: null } }, undefined, '"1"'),
	transition: id => api.recordTransition(id, { transition: 'submit' }),
	bulk: () => api.bulkLoad('near_misses', lines),
})
