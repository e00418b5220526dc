// The part of JSON Schema that problem.schema.json uses; a keyword that is not known here is an error, not passed over.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'

const typeOf = value => value === null ? 'null' : Array.isArray(value) ? 'array' : Number.isInteger(value) ? 'integer' : typeof value

const keywords = {
	$schema: () => true,
	title: () => true,
	type: (value, type) => typeOf(value) === type,
	required: (value, names) => names.every(name => name in value),
	additionalProperties: (value, allowed, schema) => allowed || Object.keys(value).every(name => name in schema.properties),
	properties: (value, properties, schema, path) =>
		Object.entries(properties).every(([name, part]) => !(name in value) || check(part, value[name], `${path}/${name}`)),
	items: (value, part, schema, path) => value.every((item, i) => check(part, item, `${path}/${i}`)),
	pattern: (value, pattern) => new RegExp(pattern, 'u').test(value),
	minLength: (value, least) => [...value].length >= least,
	maxLength: (value, most) => [...value].length <= most,
	minItems: (value, least) => value.length >= least,
	maxItems: (value, most) => value.length <= most,
	minimum: (value, least) => value >= least,
	maximum: (value, most) => value <= most,
}

function check(schema, value, path) {
	for (const [keyword, rule] of Object.entries(schema)) {
		assert.ok(keyword in keywords, `keyword ${keyword}`)
		assert.ok(keywords[keyword](value, rule, schema, path), `${path || 'the body'} breaks ${keyword} ${JSON.stringify(rule)}: ${JSON.stringify(value)}`)
	}
	return true
}

const problem = JSON.parse(readFileSync(new URL('problem.schema.json', import.meta.url)))

export const assertProblemSchema = value => check(problem, value, '')
