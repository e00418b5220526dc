// Is an answer what the OpenAPI document says?  Status, headers, content type and body of each response that the tests receive.
//
// With QEHS_CONTRACT (a file with the generic document, which tests/tools/check.sh downloads) client.mjs checks every answer;
// what is wrong makes the test that received it fail.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)

// Headers of HTTP itself, which the document does not list.
const ORDINARY = new Set(['content-type', 'content-length', 'content-encoding', 'transfer-encoding', 'date', 'connection', 'keep-alive', 'vary', 'cache-control', 'allow',
	'access-control-allow-origin', 'access-control-expose-headers', 'access-control-allow-credentials', 'access-control-max-age',
	'access-control-allow-methods', 'access-control-allow-headers', 'content-security-policy', 'x-content-type-options', 'referrer-policy'])

export const newAjv = () => {
	const Ajv = require('ajv/dist/2020').default
	const ajv = new Ajv({ strict: false, allErrors: true })
	require('ajv-formats').default(ajv)
	return ajv
}

const pointer = parts => parts.map(part => '/' + encodeURIComponent(String(part).replaceAll('~', '~0').replaceAll('/', '~1'))).join('')

export class Contract {
	constructor(document) {
		this.document = document
		this.ajv = newAjv()
		this.ajv.addSchema(document, 'spec')
		this.compiled = new Map()
		this.seen = new Map()
		this.paths = Object.keys(document.paths)
			.map(path => ({
				path, literals: path.replace(/\{[^}]*\}/g, '').length,
				pattern: new RegExp('^' + path.split(/(\{[^}]*\})/).map(part => part[0] === '{' ? '[^/]+' : part.replace(/[.*+?^$()|[\]\\]/g, '\\$&')).join('') + '$'),
			}))
			.sort((a, b) => b.literals - a.literals)
	}

	// The validator of the schema at a place of the document.
	validator(...parts) {
		const at = pointer(parts)
		if (!this.compiled.has(at)) this.compiled.set(at, this.ajv.compile({ $ref: `spec#${at}` }))
		return this.compiled.get(at)
	}

	resolve(parts) {
		const value = parts.reduce((object, part) => object?.[part], this.document)
		return value?.$ref ? this.resolve(value.$ref.slice(2).split('/').map(part => decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~'))) : { value, parts }
	}

	match(target) {
		let path
		try {
			path = decodeURIComponent(target.replace(/^https?:\/\/[^/]+/, '').split('?')[0])
		} catch {
			return undefined
		}
		const find = path => this.paths.find(({ pattern }) => pattern.test(path))?.path
		// an alias, which the document does not list: it would be ambiguous beside Users/{id}
		const ofType = /^\/api\/scim\/v2\/(?!Users|Groups)[^/]+\/\.search$/
		return find(path.replace(ofType, '/api/scim/v2/.search'))
	}

	// What is wrong with an answer: a list of sentences.
	faults(method, target, { status, headers, body, json }) {
		const path = this.match(target)
		const verb = (method === 'HEAD' ? 'GET' : method).toLowerCase()
		if (method === 'OPTIONS' || (path === undefined && (status < 300 || target.startsWith('/storage/') && status === 304))) return [] // the shim's own: health, portal, CORS; files
		const operation = path && this.document.paths[path][verb]
		if (!operation) {
			if (status < 400) return [`${status} from what the document does not have`]
			return this.problemFaults(target, headers, body.length > 0 ? json : undefined, method)
		}
		const response = this.resolve(['paths', path, verb, 'responses', status])
		if (!response.value) return [`status ${status} is not documented for ${operation.operationId}`]
		this.seen.set(`${operation.operationId} ${status}`, (this.seen.get(`${operation.operationId} ${status}`) ?? 0) + 1)
		return [...this.headerFaults(response, headers), ...this.bodyFaults(response, method, headers, body, json)]
	}

	problemFaults(target, headers, json, method) {
		// their own forms, of which tests/http/error_forms.test.mjs looks at the bodies
		const form = /^\/api\/scim\/v2(\/|\?|$)/.test(target) ? 'application/scim+json' : /^\/api\/graphql(\/|\?|$)/.test(target) ? 'application/graphql-response+json' : null
		if (form) return headers['content-type'] === form ? [] : [`content type ${headers['content-type']} where ${form} is due`]
		if (headers['content-type'] !== 'application/problem+json') return [`content type ${headers['content-type']} of a problem`]
		const validate = this.validator('components', 'schemas', 'Problem')
		return method === 'HEAD' || validate(json) ? [] : [`body: ${this.ajv.errorsText(validate.errors)}`]
	}

	headerFaults(response, headers) {
		const faults = []
		const documented = new Map(Object.keys(response.value.headers ?? {}).map(name => [name.toLowerCase(), name]))
		for (const [name, text] of Object.entries(headers)) {
			if (ORDINARY.has(name)) continue
			if (!documented.has(name)) {
				faults.push(`header ${name} is not documented`)
				continue
			}
			const header = this.resolve([...response.parts, 'headers', documented.get(name)])
			const validate = this.validator(...header.parts, 'schema')
			const value = header.value.schema.type === 'integer' ? Number(text) : text
			if (!validate(value)) faults.push(`header ${name}: ${this.ajv.errorsText(validate.errors)}`)
		}
		for (const name of ['x-trace-id', 'traceparent']) if (!headers[name]) faults.push(`header ${name} is missing`)
		return faults
	}

	bodyFaults(response, method, headers, body, json) {
		const content = response.value.content && { ...response.value.content, ...response.value['x-content'] }
		const type = (headers['content-type'] ?? '').split(';')[0]
		if (!content) return body.length > 0 ? ['a body where none is documented'] : []
		if (!content[type]) return [`content type ${type} is not documented`]
		if (method === 'HEAD' || headers['content-encoding'] || !/json/.test(type) || type === 'application/x-ndjson') return []
		const validate = this.validator(...response.parts, 'content', type, 'schema')
		return validate(json) ? [] : [`body: ${this.ajv.errorsText(validate.errors)}`]
	}
}

let shared

// The contract of QEHS_CONTRACT, or null.
export function contract() {
	if (shared === undefined)
		shared = process.env.QEHS_CONTRACT ? new Contract(JSON.parse(readFileSync(process.env.QEHS_CONTRACT))) : null
	return shared
}

export function checkAnswer(method, target, answer, against = contract()) {
	const faults = against?.faults(method, target, answer) ?? []
	if (faults.length > 0)
		throw new Error(`${method} ${target} answered ${answer.status} against the document: ${faults.join('; ')}\n${answer.text.slice(0, 500)}`)
	return answer
}
