// The reference: Swagger UI with the page's own key, and examples in three languages at each operation.
'use strict'
{
	// What the page has in places of its own is left out here.
	const nothing = () => () => null

	const samples = system => {
		const h = system.React.createElement
		const Samples = ({ list }) => {
			const [chosen, choose] = system.React.useState(0)
			const keys = event => {
				const step = { ArrowRight: 1, ArrowLeft: list.length - 1 }[event.key]
				if (!step) return
				choose((chosen + step) % list.length)
				event.currentTarget.parentNode.children[(chosen + step) % list.length].focus()
			}
			return h('div', { className: 'samples' },
				h('h4', null, 'Examples'),
				h('div', { role: 'tablist', 'aria-label': 'Language of the example' }, list.map((sample, i) =>
					h('button', { key: sample.label, type: 'button', role: 'tab', 'aria-selected': i === chosen, tabIndex: i === chosen ? 0 : -1, onClick: () => choose(i), onKeyDown: keys }, sample.label))),
				h('pre', { tabIndex: 0, role: 'tabpanel', 'aria-label': list[chosen].label }, h('code', null, list[chosen].source)))
		}
		return {
			wrapComponents: {
				InfoContainer: nothing, ServersContainer: nothing, authorizeBtn: nothing, authorizeOperationBtn: nothing, SchemesContainer: nothing,
				responses: Original => props => {
					const list = props.specSelectors.specJson().getIn(['paths', props.path, props.method, 'x-codeSamples'])?.toJS() ?? []
					return h(system.React.Fragment, null, list.length > 0 && h(Samples, { list }), h(Original, props))
				},
			},
		}
	}

	// Swagger UI names some of its controls by looks only.
	const name = root => {
		for (const select of root.querySelectorAll('select:not([aria-label]):not([id])')) select.setAttribute('aria-label', 'Choose')
		for (const area of root.querySelectorAll('textarea:not([aria-label]), input:not([aria-label]):not([id])'))
			area.setAttribute('aria-label', area.placeholder || (area.tagName === 'TEXTAREA' ? 'Request body' : 'Value'))
		for (const scroller of root.querySelectorAll('.highlight-code > pre, pre.microlight, .body-param__example, .model-example pre, .renderedMarkdown pre')) scroller.tabIndex = 0
	}

	window.showReference = (spec, key) => {
		const container = document.getElementById('swagger')
		if (!window.SwaggerUIBundle) {
			container.textContent = 'This server was built without the renderer of the reference; the document above says the same.'
			return
		}
		container.replaceChildren()
		const target = container.appendChild(document.createElement('div'))
		window.SwaggerUIBundle({
			spec, domNode: target, presets: [window.SwaggerUIBundle.presets.apis], plugins: [samples], layout: 'BaseLayout',
			docExpansion: 'list', defaultModelsExpandDepth: 0, defaultModelExpandDepth: 2, validatorUrl: null, syntaxHighlight: { activated: false }, tryItOutEnabled: true, persistAuthorization: false, deepLinking: false,
			requestInterceptor: request => {
				if (key()) request.headers.Authorization = `Bearer ${key()}`
				return request
			},
		})
		new MutationObserver(() => name(target)).observe(target, { childList: true, subtree: true })
	}
}
