// @hey-api/openapi-ts: functions over a configured client. It does not write an object in an object, so the filter is text.
import { client } from './generated/hey/client.gen.js'
import * as api from './generated/hey/index.js'
import { headers, lines, live, operatorsText, take, url } from './life.js'

client.setConfig({ baseUrl: url, headers })
await live({
	create: async (title, cost) => take(await api.recordCreate({ body: { moduleKey: 'near_misses', payload: { title, severity: 'low', cost } } })),
	list: async () => take(await api.recordList({ query: { moduleKey: 'near_misses', filter: operatorsText } })),
	patch: async id => take(await api.recordUpdate({ path: { id }, headers: { 'If-Match': '"1"' }, body: { payload: { description: 'Water from the roof', cost: null } } })),
	transition: async id => take(await api.recordTransition({ path: { id }, body: { transition: 'submit' } })),
	bulk: async () => take(await api.bulkLoad({ path: { moduleKey: 'near_misses' }, body: lines, bodySerializer: null, parseAs: 'text' })) as string | object,
})
