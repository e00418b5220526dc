// kubb: functions over a client of one's own. The filter is text; a body that is text already goes as it is.
import { fetch as client, type Client, type ResponseConfig } from './generated/kubb/.kubb/fetch.ts'
import { bulkLoad, recordCreate, recordList, recordTransition, recordUpdate } from './generated/kubb/index.ts'
import { headers, lines, live, operatorsText, url } from './life.js'

client.setConfig({ baseURL: url, headers: Object.entries(headers) })
const text: Client = async <TData>({ url: target, data, headers: own }: Parameters<Client>[0]) => {
	const answer = await fetch(`${url}${target}`, { method: 'POST', body: data as string, headers: { ...own as object, ...headers } })
	return { data: await answer.text(), status: answer.status, statusText: answer.statusText, headers: answer.headers } as ResponseConfig<TData>
}
const config = { headers: { ...headers, 'Content-Type': 'application/json' } }
await live({
	create: async (title, cost) => await recordCreate({ moduleKey: 'near_misses', payload: { title, severity: 'low', cost } }, undefined, config) as { id: string, version: number },
	list: () => recordList({ moduleKey: 'near_misses', filter: operatorsText }, undefined, config),
	patch: async id => await recordUpdate(id, { payload: { description: 'Water from the roof', cost: null } }, { 'If-Match': '"1"' }, config) as never,
	transition: async id => await recordTransition(id, { transition: 'submit' }, undefined, config) as never,
	bulk: async () => await bulkLoad('near_misses', lines, undefined, undefined, { client: text }) as string | object,
})
