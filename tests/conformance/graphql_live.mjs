// GraphQL of a tenant against graphql-js: the schema that introspection tells has no fault, and documents generated over it have the same verdict at the same
// places. Operations are not run: each is asked for by a name that none has. node graphql_live.mjs [SEED [DOCUMENTS]]
import assert from 'node:assert/strict'
import { buildClientSchema, getIntrospectionQuery, validateSchema } from 'graphql'
import { makeTenant, literal } from '../http/lib/tenant.mjs'
import { generator } from './graphql/generate.mjs'
import { expected, isLong, MERGE, normal } from './graphql/verdict.mjs'

const [seed = 1, count = 2000] = process.argv.slice(2).map(Number)
const tenant = await makeTenant('gql_live')
await tenant.sql(`SELECT qehs.module_install('${tenant.slug}', key) FROM qehs.module_catalogue WHERE key <> 'incidents' \\g /dev/null`)
const ask = documents => tenant.sql(`SET client_min_messages = error;
	SELECT qehs.graphql(document, NULL, 'none of them') FROM jsonb_array_elements_text(${literal(JSON.stringify(documents))}) WITH ORDINALITY AS d (document, place) ORDER BY place`)
	.then(text => text.split('\n').map(line => JSON.parse(line)))

const introspection = getIntrospectionQuery({ specifiedByUrl: true, directiveIsRepeatable: true, inputValueDeprecation: true, oneOf: true, schemaDescription: true })
const schema = buildClientSchema(JSON.parse(await tenant.sql(`SELECT qehs.graphql(${literal(introspection)})`)).data)
assert.deepEqual(validateSchema(schema), [])

// An answer as a verdict without rules, but for that of conflicts, whose errors are compared in their own way.
function verdict({ errors: [first, ...others] }) {
	const place = ({ line, column }) => [line, column]
	if (first.extensions.code === 'OPERATION_RESOLUTION_FAILURE')
		return null
	if (first.extensions.code === 'GRAPHQL_PARSE_FAILED')
		return { syntax: place(first.locations[0]) }
	assert.equal(first.extensions.code, 'GRAPHQL_VALIDATION_FAILED', JSON.stringify(first))
	return [first, ...others].map(error => [/ conflict, since /.test(error.message) ? MERGE : '', ...(error.locations ?? []).map(place)])
}
const withoutRules = want => Array.isArray(want) ? want.map(([rule, ...places]) => [rule === MERGE ? rule : '', ...places]) : want

const documents = [...generator(schema, seed, count)]
const answers = await ask(documents)
const seen = { documents: documents.length, valid: 0, invalid: 0, syntax: 0, different: 0 }
documents.forEach((text, i) => {
	const want = expected(schema, text)
	const got = verdict(answers[i])
	seen[want === null ? 'valid' : Array.isArray(want) ? 'invalid' : 'syntax']++
	const stopped = Array.isArray(want) && want.some(([rule]) => rule === 'ExecutableDefinitions') && Array.isArray(got)
	if (stopped || isLong(want, got) || normal(withoutRules(want)) === normal(got) || seen.different++ >= 10)
		return
	console.log(`different:\n${text}\n  graphql-js ${JSON.stringify(want)}\n  qehs       ${JSON.stringify(answers[i])}`)
})
console.log(`graphql over a tenant's schema (seed ${seed}): ${Object.entries(seen).map(([what, number]) => `${number} ${what}`).join(', ')}`)
process.exitCode = seen.different > 0 ? 1 : 0
