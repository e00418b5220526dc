// orval: functions over fetch. It writes parameters as they are, so the filter is text, and every body as JSON, so a load is one line.
import * as api from './generated/orval.js'
import { headers, live, operatorsText, url } from './life.js'

// the generated calls have the path alone
const plain = globalThis.fetch
globalThis.fetch = (target, options) => plain(`${url}${String(target)}`, options)
async function ok<T>(answer: Promise<{ status: number, data: unknown }>): Promise<T> {
	const { status, data } = await answer
	if (status > 299) throw new Error(`${status} ${JSON.stringify(data)}`)
	return data as T
}
await live({
	create: (title, cost) => ok(api.recordCreate({ moduleKey: 'near_misses', payload: { title, severity: 'low', cost } }, { headers })),
	list: () => ok(api.recordList({ moduleKey: 'near_misses', filter: operatorsText }, { headers })),
	patch: id => ok(api.recordUpdate(id, { payload: { description: 'Water from the roof', cost: null } }, { headers: { ...headers, 'If-Match': '"1"' } })),
	transition: id => ok(api.recordTransition(id, { transition: 'submit' }, { headers })),
	bulk: async () => {
		const answer = await api.bulkLoad('near_misses', { title: 'One line', severity: 'high' } as never, undefined, { headers })
		return (answer as unknown as { stream: Response }).stream.text()
	},
}, 1)
