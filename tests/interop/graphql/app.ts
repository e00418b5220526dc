// A program as an app's developer writes it: documents that graphql-codegen types, sent by graphql-request. tsc --strict refuses it where a type is not what it says.
import { ClientError, GraphQLClient } from 'graphql-request'
import { graphql } from './generated/index.js'
import type { IncidentSeverity } from './generated/graphql.js'

const [endpoint, key] = process.argv.slice(2)
const client = new GraphQLClient(endpoint!, { headers: { authorization: `Bearer ${key}` } })

const create = graphql(`mutation Create($payload: JSON!) { incidentsCreate(payload: $payload) { id displayCode severity version } }`)
const page = graphql(`query Page($first: Int!, $after: String) {
	incidents(first: $first, after: $after, orderBy: "title") {
		totalCount pageInfo { hasNextPage endCursor } edges { cursor node { id title severity occurredAt ...Who } }
	}
}
fragment Who on Incident { createdBy { displayName } activity(limit: 1) { type } }`)
const wrong = graphql(`mutation Wrong($id: ID!) { incidentsUpdate(id: $id, payload: { cost: -1 }) { id } }`)

const codes: string[] = []
for (const title of ['b', 'a', 'c']) {
	const made = await client.request(create, { payload: { title, severity: 'high', occurred_at: '2026-01-02T03:04:05+01:00' } })
	codes.push(made.incidentsCreate?.displayCode ?? 'none')
}
const seen: Array<[string, IncidentSeverity | null | undefined]> = []
let id = ''
for (let after: string | null | undefined = null; ;) {
	const { incidents }: { incidents: { pageInfo: { hasNextPage: boolean, endCursor?: string | null }, edges: Array<{ node: { id: string, title?: string | null, severity?: IncidentSeverity | null } }> } } = await client.request(page, { first: 2, after })
	for (const { node } of incidents.edges) {
		id = node.id
		seen.push([node.title ?? '', node.severity])
	}
	if (!incidents.pageInfo.hasNextPage)
		break
	after = incidents.pageInfo.endCursor
}
const refused = await client.request(wrong, { id }).then(() => 'nothing', (error: unknown) => error instanceof ClientError ? error.response.errors?.[0]?.extensions?.code : String(error))
console.log(JSON.stringify({ codes, seen, refused }))
