// The console of GraphQL: GraphiQL with the page's own key, which lives in a variable of this script only.
'use strict'
{
	const find = id => document.getElementById(id)
	const start = '# What you may read, and one page of a module. Ctrl-Space completes, Ctrl-Enter runs.\n{\n  me { displayName roles }\n  modules { key name actions }\n}\n'
	const kept = new Map()
	// nothing of what is typed outlives the page
	const storage = { get length() { return kept.size }, getItem: name => kept.get(name) ?? null, setItem: (name, value) => { kept.set(name, value) }, removeItem: name => { kept.delete(name) }, clear: () => kept.clear() }
	let root
	let turn = 0

	const ask = async (key, { query, variables, operationName }) => {
		const response = await fetch('/api/graphql', {
			method: 'POST', body: JSON.stringify({ query, variables, operationName }),
			headers: { 'Content-Type': 'application/json', Accept: 'application/graphql-response+json', Authorization: `Bearer ${key}` },
		})
		return response.json()
	}

	find('key-form').addEventListener('submit', async event => {
		event.preventDefault()
		const key = find('key').value.trim()
		const answer = await ask(key, { query: '{ me { displayName } activeTenant { slug } }' }).catch(error => ({ errors: [error] }))
		if (!answer.data) {
			find('key-status').textContent = `${answer.errors?.[0]?.message ?? 'The key cannot be used'}.`
			return
		}
		find('key-status').textContent = `The key is in use: ${answer.data.activeTenant.slug}.`
		if (!window.GraphiQL) {
			find('graphiql').textContent = 'This server was built without the console.'
			return
		}
		root ??= window.ReactDOM.createRoot(find('graphiql'))
		root.render(window.React.createElement(window.GraphiQL, {
			key: ++turn, fetcher: parameters => ask(key, parameters), storage, defaultQuery: start, isHeadersEditorEnabled: false,
			inputValueDeprecation: true, schemaDescription: true,
		}))
	})
}
