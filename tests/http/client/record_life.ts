// A client generated from a tenant's document: it compiles under tsc --strict and lives a record's whole life.
// The module is the one of tests/http/lib/tenant.mjs. Run by tests/http/openapi.test.mjs.
import createClient from 'openapi-fetch'
import type { components, paths } from './schema.js'

const client = createClient<paths>({
	baseUrl: process.env.QEHS_URL!,
	headers: { Authorization: `Bearer ${process.env.QEHS_API_KEY}` },
})

function take<T>(answer: { data?: T, error?: unknown, response: Response }): T {
	if (answer.data === undefined) throw new Error(`${answer.response.status} ${JSON.stringify(answer.error)}`)
	return answer.data
}

const payload: components['schemas']['IncidentsPayload'] = { title: 'Slip on wet stairs', severity: 'low', cost: 12.5, tags: ['a'] }

const made = take(await client.POST('/api/v1/records', { body: { moduleKey: 'incidents', payload } }))
const state: 'draft' | 'submitted' | 'investigating' | 'closed' | 'reopened' = made.workflowState
const path = { id: made.id }

// @ts-expect-error: the module has no such severity
const wrong: components['schemas']['IncidentsPayload'] = { title: 'x', severity: 'unheard of' }
void wrong

const page = take(await client.GET('/api/v1/records', { params: { query: { moduleKey: 'incidents', filter: { severity: 'low' }, limit: 5 } } }))
if (page.items.length !== 1 || page.items[0].id !== made.id || page.nextCursor !== null) throw new Error('the list has not the one record')

const changed = take(await client.PATCH('/api/v1/records/{id}', {
	params: { path, header: { 'If-Match': '"1"' } },
	body: { payload: { severity: 'high', cost: null, description: 'Water from the roof' }, comment: 'Seen on site' },
}))
if (changed.payload.severity !== 'high' || changed.payload.cost !== undefined || changed.version !== 2) throw new Error('not changed')

const lost = await client.PATCH('/api/v1/records/{id}', { params: { path, header: { 'If-Match': '"1"' } }, body: { payload: { title: 'Late' } } })
if (lost.error?.code !== 'version_mismatch') throw new Error(`a lost race was answered ${lost.response.status}`)

const moved = take(await client.POST('/api/v1/records/{id}:transition', { params: { path }, body: { transition: 'submit' } }))
if (moved.workflowState !== 'submitted') throw new Error(`in ${moved.workflowState} after submit, from ${state}`)

const read = take(await client.GET('/api/v1/records/{id}', { params: { path } }))
if (read.activity.length !== 3 || !read.availableTransitions.some(item => item.name === 'investigate')) throw new Error('activity or transitions')

const removed = await client.DELETE('/api/v1/records/{id}', { params: { path } })
if (removed.response.status !== 204) throw new Error(`${removed.response.status}`)
const gone = await client.GET('/api/v1/records/{id}', { params: { path } })
if (gone.error?.code !== 'not_found') throw new Error('a deleted record is read')
take(await client.POST('/api/v1/records/{id}:restore', { params: { path } }))
const activity = take(await client.GET('/api/v1/records/{id}/activity', { params: { path, query: { limit: 1 } } }))
if (activity.items[0].type !== 'restored' || activity.nextCursor === null) throw new Error('activity after restore')
console.log('lived')
