// What relay-compiler made, run by relay-runtime: node run.cjs ENDPOINT KEY. Says what it saw as JSON.
const { commitMutation, createOperationDescriptor, Environment, fetchQuery, getSingularSelector, Network, RecordSource, Store } = require('relay-runtime')

const [endpoint, key] = process.argv.slice(2)
const artifact = name => require(`./src/__generated__/${name}.graphql`)
const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json', accept: 'application/graphql-response+json' }
const network = Network.create(async ({ text: query }, variables) => (await fetch(endpoint, { method: 'POST', headers, body: JSON.stringify({ query, variables }) })).json())
const environment = new Environment({ network, store: new Store(new RecordSource()) })

async function main() {
	const query = artifact('IncidentsQuery')
	const owner = createOperationDescriptor(query, {})
	environment.retain(owner)
	await fetchQuery(environment, query, {}).toPromise()
	const selector = getSingularSelector(artifact('Incidents_query'), environment.lookup(owner.fragment).data)
	const { edges, pageInfo } = environment.lookup(selector).data.incidents
	const { node } = await fetchQuery(environment, artifact('IncidentsNodeQuery'), { id: edges[0].node.id }).toPromise()
	const made = await new Promise((onCompleted, onError) => commitMutation(environment, {
		mutation: artifact('IncidentsCreateMutation'), variables: { payload: { title: 'r', severity: 'low' } }, onCompleted, onError,
	}))
	// the next page, as usePaginationFragment asks for it
	const text = artifact('IncidentsPage').params.text
	const next = await network.execute({ text }, { count: 2, cursor: pageInfo.endCursor }, {}).toPromise()
	console.log(JSON.stringify({ titles: edges.map(edge => edge.node.title), more: pageInfo.hasNextPage, node: node.title, made: made.incidentsCreate.title,
		next: next.data.incidents.edges.map(edge => edge.node.title) }))
}
main()
