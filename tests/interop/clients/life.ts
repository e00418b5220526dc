// What each client does with its own calls: create, list with operators, patch, transition, bulk. The module is that of tests/http/lib/tenant.mjs
// under the key near_misses.
export const url = process.env.QEHS_URL!
export const authorization = `Bearer ${process.env.QEHS_API_KEY}`
export const headers = { Authorization: authorization }
export const lines = ['{"title":"From a line","severity":"high"}', '{"title":"From another","severity":"critical"}'].join('\n') + '\n'
export const operators = { severity: { in: 'low,medium' }, cost: { gte: 10 } }
// the same as JSON text, for clients that write an object as [object Object]
export const operatorsText = '{"severity":{"in":["low","medium"]},"cost":{"gte":10}}'

export interface Calls {
	create(title: string, cost: number): Promise<{ id: string, version: number }>
	list(): Promise<{ items: unknown[] }>
	patch(id: string): Promise<{ version: number, payload: { [key: string]: unknown } }>
	transition(id: string): Promise<{ workflowState: string }>
	bulk(): Promise<string | object>
}

function expect(what: string, seen: unknown, wanted: unknown) {
	if (seen !== wanted) throw new Error(`${what}: ${JSON.stringify(seen)} instead of ${JSON.stringify(wanted)}`)
}

export async function live(calls: Calls, loaded = 2) {
	const one = await calls.create('Slip on wet stairs', 5)
	const two = await calls.create('Trip over a hose', 12.5)
	expect('version', two.version, 1)
	const page = await calls.list()
	expect('records found by two operators', page.items.length, 1)
	expect('id', (page.items[0] as { id: string }).id, two.id)
	const changed = await calls.patch(one.id)
	expect('patched', changed.payload.description, 'Water from the roof')
	expect('taken out', changed.payload.cost, undefined)
	expect('state', (await calls.transition(one.id)).workflowState, 'submitted')
	const answer = await calls.bulk()
	const summary = typeof answer === 'string' ? answer : JSON.stringify(answer)
	if (!new RegExp(`"created":${loaded},`).test(summary)) throw new Error(`bulk: ${summary}`)
	console.log('lived')
}

// Clients whose types say that an answer may be an error.
export function take<T>(answer: { data?: T, error?: unknown }): T {
	if (answer.data === undefined) throw new Error(JSON.stringify(answer.error))
	return answer.data
}
