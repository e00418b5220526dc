// Clients of GraphQL as they are, unmodified: graphql-codegen with graphql-request under tsc --strict, urql and Apollo Client with persisted queries,
// relay-compiler with relay-runtime.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cp, mkdir, rm, symlink, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { ApolloClient, gql, HttpLink, InMemoryCache } from '@apollo/client'
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries'
import { relayStylePagination } from '@apollo/client/utilities'
import { buildClientSchema, getIntrospectionQuery, printSchema } from 'graphql'
import { cacheExchange, Client, fetchExchange, gql as urql } from '@urql/core'
import { persistedExchange } from '@urql/exchange-persisted'
import { makeTenant } from '../http/lib/tenant.mjs'

const run = promisify(execFile)
const here = import.meta.dirname
const work = path.join(here, '..', 'tmp', `graphql-${process.pid}`)
const bin = name => path.join(here, 'node_modules', '.bin', name)
const endpoint = new URL('/api/graphql', process.env.QEHS_URL).href
const sha256 = query => createHash('sha256').update(query).digest('hex')
const headersOf = ({ key }) => ({ authorization: `Bearer ${key}` })

// fetch that notes method and status of each request
function noted() {
	const sent = []
	return { sent, fetch: async (input, init) => {
		const response = await fetch(input, init)
		sent.push([init.method ?? 'GET', response.status])
		return response
	} }
}

async function tenantWith(titles) {
	const tenant = await makeTenant('gqlc')
	for (const title of titles)
		assert.equal((await tenant.api.post('/api/v1/records', { moduleKey: 'incidents', payload: { title, severity: 'high' } })).status, 201)
	return tenant
}

before(async () => {
	await mkdir(path.join(work, 'relay/src'), { recursive: true })
	await cp(path.join(here, 'graphql'), work, { recursive: true })
	await cp(path.join(here, 'graphql/relay/Incidents.js'), path.join(work, 'relay/src/Incidents.js'))
	await symlink(path.join(here, 'node_modules'), path.join(work, 'node_modules'))
	await writeFile(path.join(work, 'package.json'), '{"type":"module"}')
	await writeFile(path.join(work, 'relay/package.json'), '{"type":"commonjs"}')
})
after(() => rm(work, { recursive: true, force: true }))

test('graphql-codegen types documents, tsc --strict takes the program, and graphql-request runs it', async () => {
	const tenant = await tenantWith([])
	const env = { ...process.env, QEHS_GRAPHQL: endpoint, QEHS_KEY: tenant.key, QEHS_DOCUMENTS: path.join(work, 'app.ts'), QEHS_GENERATED: path.join(work, 'generated/') }
	await run(bin('graphql-codegen'), ['--config', path.join(work, 'codegen.mjs')], { cwd: work, env })
	const strict = ['--strict', '--noUncheckedIndexedAccess', '--exactOptionalPropertyTypes', '--target', 'es2022', '--module', 'nodenext', '--skipLibCheck']
	await run(bin('tsc'), [...strict, '--outDir', 'out', 'app.ts'], { cwd: work })
	const { stdout } = await run('node', ['out/app.js', endpoint, tenant.key], { cwd: work })
	const { codes, seen, refused } = JSON.parse(stdout)
	assert.deepEqual(codes.map(code => code.slice(-4)), ['0001', '0002', '0003'])
	assert.deepEqual(seen, [['a', 'high'], ['b', 'high'], ['c', 'high']])
	assert.equal(refused, 'validation_failed')
})

test('urql caches by type name, sends persisted queries by GET, changes a record and tells errors', async () => {
	const tenant = await tenantWith(['a', 'b', 'c'])
	const { sent, fetch } = noted()
	const persisted = persistedExchange({ preferGetForPersistedQueries: true, generateHash: async query => sha256(query) })
	const client = new Client({ url: endpoint, exchanges: [cacheExchange, persisted, fetchExchange], fetchOptions: { headers: headersOf(tenant) }, fetch })
	const list = urql`query List($n: Int!) { incidentsList(limit: $n, orderBy: "title") { __typename id title } }`
	const first = await client.query(list, { n: 2 })
	assert.deepEqual(first.data?.incidentsList.map(({ title }) => title), ['a', 'b'], String(first.error))
	assert.ok(sent.every(([method, status]) => method === 'GET' && [200, 400].includes(status)), JSON.stringify(sent))
	const before = sent.length
	await client.query(list, { n: 2 })
	assert.equal(sent.length, before, 'the second comes from the cache')
	const changed = await client.mutation(urql`mutation ($id: ID!) { incidentsUpdate(id: $id, payload: { title: "a2" }) { id title } }`, { id: first.data.incidentsList[0].id })
	assert.equal(changed.data.incidentsUpdate.title, 'a2')
	assert.equal((await client.query(list, { n: 2 })).data.incidentsList[0].title, 'a2')
	const wrong = await client.query(urql`{ nope }`, {})
	assert.deepEqual(wrong.error.graphQLErrors.map(({ extensions }) => extensions.code), ['GRAPHQL_VALIDATION_FAILED'])
})

test('Apollo Client pages through a connection with persisted queries, normalizes records and tells errors', async () => {
	const tenant = await tenantWith(['a', 'b', 'c'])
	const { sent, fetch } = noted()
	const cache = new InMemoryCache({ possibleTypes: { Record: ['Incident'], Node: ['Incident'] }, typePolicies: { Query: { fields: { incidents: relayStylePagination(['orderBy']) } } } })
	const link = new PersistedQueryLink({ sha256, useGETForHashedQueries: true }).concat(new HttpLink({ uri: endpoint, headers: headersOf(tenant), fetch }))
	const client = new ApolloClient({ cache, link })
	const query = gql`query Page($after: String) { incidents(first: 2, after: $after, orderBy: "title") { edges { cursor node { id title } } pageInfo { hasNextPage endCursor } } }`
	const { data } = await client.query({ query })
	assert.deepEqual(sent, [['GET', 400], ['POST', 200]])
	const watched = client.watchQuery({ query })
	const subscription = watched.subscribe(() => {})
	await watched.fetchMore({ variables: { after: data.incidents.pageInfo.endCursor } })
	assert.deepEqual(sent[2], ['GET', 200])
	const titles = () => client.readQuery({ query }).incidents.edges.map(({ node }) => node.title)
	assert.deepEqual(titles(), ['a', 'b', 'c'])
	await client.mutate({ mutation: gql`mutation ($id: ID!) { incidentsUpdate(id: $id, payload: { title: "a2" }) { id title } }`, variables: { id: data.incidents.edges[0].node.id } })
	assert.deepEqual(titles(), ['a2', 'b', 'c'])
	const refused = await client.mutate({ mutation: gql`mutation { incidentsCreate(payload: { title: "z" }) { id } }`, errorPolicy: 'all' })
	assert.equal(refused.data.incidentsCreate, null)
	assert.equal(refused.error.errors[0].extensions.problem.errors[0].path, '/payload/severity')
	subscription.unsubscribe()
	client.stop()
})

test('relay-compiler takes the schema and a connection, node and mutations; relay-runtime runs what it made', async () => {
	const tenant = await tenantWith(['a', 'b', 'c'])
	const { json } = await tenant.api.post('/api/graphql', { query: getIntrospectionQuery() })
	await writeFile(path.join(work, 'relay/schema.graphql'), printSchema(buildClientSchema(json.data)))
	await writeFile(path.join(work, 'relay/relay.config.json'), '{ "src": "./src", "schema": "./schema.graphql", "language": "javascript", "eagerEsModules": false }')
	await run(bin('relay-compiler'), ['relay.config.json'], { cwd: path.join(work, 'relay') })
	const { stdout } = await run('node', ['run.cjs', endpoint, tenant.key], { cwd: path.join(work, 'relay') })
	assert.deepEqual(JSON.parse(stdout), { titles: ['a', 'b'], more: true, node: 'a', made: 'r', next: ['c', 'r'] })
})
