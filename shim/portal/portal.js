// The page around the reference: key, downloads, endpoints, modules. The key lives in a variable of this script only.
'use strict'
{
	let key = ''
	let turn = 0
	const find = id => document.getElementById(id)
	const element = (tag, attributes = {}, ...children) => {
		const made = document.createElement(tag)
		for (const [name, value] of Object.entries(attributes)) if (value !== undefined) made.setAttribute(name, value)
		made.append(...children.flat().filter(child => child !== undefined && child !== null))
		return made
	}
	const get = async target => {
		const response = await fetch(target, { headers: key ? { Authorization: `Bearer ${key}` } : {} })
		if (response.ok) return response
		const problem = await response.json().catch(() => ({ title: `HTTP ${response.status}` }))
		throw new Error(problem.detail ? `${problem.title}: ${problem.detail}` : problem.title)
	}
	const table = (caption, columns, rows) => element('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': caption },
		element('table', {}, element('caption', {}, caption),
			element('thead', {}, element('tr', {}, columns.map(column => element('th', { scope: 'col' }, column)))),
			element('tbody', {}, rows.map(row => element('tr', {}, row.map((cell, i) => i === 0 ? element('th', { scope: 'row' }, cell) : element('td', {}, cell)))))))
	const code = text => element('code', {}, text)

	const showEndpoints = spec => {
		const order = spec.tags.map(tag => tag.name)
		const all = Object.entries(spec.paths).flatMap(([path, item]) => Object.entries(item).map(([method, operation]) => ({ path, method, operation })))
		all.sort((a, b) => order.indexOf(a.operation.tags[0]) - order.indexOf(b.operation.tags[0]))
		find('endpoint-table').tBodies[0].replaceChildren(...all.map(({ path, method, operation }) => element('tr', {},
			element('td', {}, element('span', { class: `method ${method}` }, method.toUpperCase())), element('td', {}, code(path)),
			element('td', {}, operation.summary, operation.deprecated ? ' (deprecated)' : ''))))
	}

	const fieldRules = field => [
		field.options && `one of ${field.options.map(option => option.value ?? option).join(', ')}`,
		field.references && `a record of ${field.references}`, field.min !== undefined && `from ${field.min}`, field.max !== undefined && `to ${field.max}`,
		field.maxLength && `at most ${field.maxLength} characters`, field.pattern && `matches ${field.pattern}`, field.unique && 'unique', field.indexed && 'indexed',
		field.requiredWhen && `required when ${field.requiredWhen}`, field.deprecated && 'deprecated',
	].filter(Boolean).join('; ')

	// A label in several languages, when the browser asked for none of them.
	const textOf = label => label?.en ?? (label && typeof label === 'object' ? Object.values(label)[0] : label ?? '')

	const moduleSection = (definition, spec) => {
		const { key: name, workflow, permissions = {} } = definition
		const transitions = Object.entries(workflow?.transitions ?? {})
		return element('details', { class: 'module', id: `module-${name}` },
			element('summary', {}, element('h3', {}, definition.name, ' ', code(name)), element('span', {}, `version ${definition.definitionVersion}`)),
			definition.description ? element('p', {}, definition.description) : null,
			table(`Fields of ${name}`, ['Key', 'Label', 'Type', 'Required', 'Rules'], definition.fields.map(field =>
				[code(field.key), textOf(field.label), field.type, field.required ? 'yes' : 'no', fieldRules(field)])),
			element('h4', {}, 'Workflow'),
			element('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': `State diagram of ${name}` }, window.drawWorkflow(workflow, name)),
			table(`Transitions of ${name}`, ['Name', 'From', 'To', 'Requires', 'Roles', 'Holds when'], transitions.map(([transition, rule]) =>
				[code(transition), rule.from === '*' ? 'any state' : [rule.from].flat().join(', '), rule.to, [...rule.requires ?? [], ...(rule.commentRequired ? ['a comment'] : [])].join(', '),
					(rule.roles ?? []).join(', '), rule.when ? code(rule.when) : ''])),
			table(`Permissions of ${name}`, ['Role', 'May'], Object.entries(permissions.roles ?? {}).map(([role, actions]) => [code(role), actions.join(', ')])),
			element('details', {}, element('summary', {}, 'Example of a record'),
				element('pre', { tabindex: 0 }, element('code', {}, JSON.stringify(
					spec.paths['/api/v1/records']?.post?.requestBody.content['application/json'].examples?.[name]?.value ?? {}, null, 2)))))
	}

	const showModules = async (spec, mine) => {
		const list = find('module-list')
		if (!key) {
			list.replaceChildren(element('p', {}, 'Enter your API key above to see your tenant\'s modules: fields, workflow and permissions.'))
			return
		}
		const sections = []
		try {
			for (let target = '/api/v1/modules?limit=200'; target;) {
				const page = await (await get(target)).json()
				for (const item of page.items) sections.push(moduleSection(await (await get(`/api/v1/modules/${item.key}`)).json(), spec))
				target = page.nextCursor && `/api/v1/modules?limit=200&cursor=${page.nextCursor}`
			}
		} catch (error) {
			sections.push(element('p', {}, `The modules cannot be shown. ${error.message}.`))
		}
		if (mine === turn) list.replaceChildren(...(sections.length > 0 ? sections : [element('p', {}, 'The tenant has no modules that this key may see.')]))
	}

	const refresh = async () => {
		const mine = ++turn
		const status = find('key-status')
		try {
			const spec = await (await get('/api/docs/spec.json')).json()
			if (mine !== turn) return
			// requests go where this page came from, whatever name the server has for itself
			spec.servers = [{ url: location.origin }]
			showEndpoints(spec)
			window.showReference(spec, () => key)
			status.textContent = key ? 'The key is in use.' : ''
			find('key-forget').hidden = !key
			await showModules(spec, mine)
		} catch (error) {
			if (mine !== turn) return
			status.textContent = `${error.message}.`
			key = ''
		}
	}

	find('key-form').addEventListener('submit', event => {
		event.preventDefault()
		key = find('key').value.trim()
		refresh()
	})
	find('key-forget').addEventListener('click', () => {
		key = find('key').value = ''
		refresh()
	})
	// a plain link would not carry the key
	for (const link of document.querySelectorAll('[data-download]'))
		link.addEventListener('click', async event => {
			event.preventDefault()
			try {
				const url = URL.createObjectURL(await (await get(link.getAttribute('href'))).blob())
				element('a', { href: url, download: link.dataset.download }).click()
				setTimeout(() => URL.revokeObjectURL(url), 10000)
			} catch (error) {
				find('key-status').textContent = `${error.message}.`
			}
		})
	for (const place of document.querySelectorAll('.origin')) place.textContent = location.origin
	refresh()
}
