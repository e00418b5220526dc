// oazapfts: functions over fetch.
import * as api from './generated/oazapfts.js'
import { headers, lines, live, operators, url } from './life.js'

api.defaults.baseUrl = url
api.defaults.headers = headers
async function ok<T>(answer: Promise<{ status: number, data: unknown }>): Promise<T> {
	const { status, data } = await answer
	if (status > 299) throw new Error(`${status} ${JSON.stringify(data)}`)
	return data as T
}
await live({
	create: (title, cost) => ok(api.recordCreate({ moduleKey: 'near_misses', payload: { title, severity: 'low', cost } })),
	list: () => ok(api.recordList('near_misses', { filter: operators })),
	patch: id => ok(api.recordUpdate(id, { payload: { description: 'Water from the roof', cost: null } }, { ifMatch: '"1"' })),
	transition: id => ok(api.recordTransition(id, { transition: 'submit' })),
	// it takes an answer of lines for JSON
	bulk: () => ok(api.bulkLoad('near_misses', lines, {}, { headers: { 'Content-Type': 'application/x-ndjson', Accept: 'application/x-ndjson' },
		fetch: async (target, options) => new Response(await (await fetch(target, options)).text()) })),
})
