// What a component of an app on Relay asks for; relay-compiler reads it and makes the artifacts that run.cjs runs.
const { graphql } = require('relay-runtime')

exports.list = graphql`
	fragment Incidents_query on Query @argumentDefinitions(count: { type: "Int", defaultValue: 2 }, cursor: { type: "String" }) @refetchable(queryName: "IncidentsPage") {
		incidents(first: $count, after: $cursor, orderBy: "title") @connection(key: "Incidents_incidents") {
			edges { node { id title severity } }
		}
	}`
exports.query = graphql`query IncidentsQuery { ...Incidents_query }`
exports.detail = graphql`query IncidentsNodeQuery($id: ID!) { node(id: $id) { __typename id ... on Incident { title version } } }`
exports.create = graphql`mutation IncidentsCreateMutation($payload: JSON!) { incidentsCreate(payload: $payload) { id title } }`
