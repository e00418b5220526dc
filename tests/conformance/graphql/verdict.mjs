// What graphql-js says of a document, and whether two verdicts are one: null for a valid one, {syntax: [line, column]}, or [[rule, place…]…].
import { GraphQLError, parse, specifiedRules, validate } from 'graphql'

// Rules run one by one, since an error does not tell its rule.
const rules = specifiedRules.filter(rule => !/^(Defer|Stream|SingleField)/.test(rule.name))
const places = error => (error.locations ?? []).map(({ line, column }) => [line, column])
export function expected(schema, text) {
	let document
	try {
		document = parse(text, { allowEmptySelectionSets: false })
	} catch (error) {
		if (!(error instanceof GraphQLError))
			throw error
		return { syntax: places(error)[0] }
	}
	const found = rules.flatMap(rule => validate(schema, document, [rule], { maxErrors: 1000, hideSuggestions: true })
		.map(error => [rule.name.replace(/Rule$/, '').replace(/OnDirectives$/, ''), ...places(error)]))
	return found.length > 0 ? found : null
}

// Errors in an order of their own.  Pairs of fragments are compared once, so of several conflicts it depends on the order in which they are met under
// which fields each is told: of those only that there are some, of a single one the first place.
export const MERGE = 'OverlappingFieldsCanBeMerged'
export function normal(verdict) {
	if (!Array.isArray(verdict))
		return JSON.stringify(verdict)
	const merge = verdict.filter(([rule]) => rule === MERGE)
	return [...verdict.filter(error => !merge.includes(error)), merge.length === 1 ? merge[0].slice(0, 2) : merge.length > 1 ? 'several conflicts' : 'none']
		.map(error => JSON.stringify(error)).sort().join('\n')
}

// A hundred errors are enough, and what costs too much is refused.
export const isLong = (want, got) => Array.isArray(want) && Array.isArray(got) && want.length > 100 && got.length > 100
