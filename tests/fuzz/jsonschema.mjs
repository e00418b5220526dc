// Random schemas and instances, judged by the extension and by ajv: every difference is printed and fails the run.
//
//   node jsonschema.mjs [pairs [seed]]      200,000 pairs by default; the database is that of PG*, with the extension
//
// The generator draws from small pools, so that instances often hold. Left out because ajv errs there: the empty name (it
// passes "required" by), multiples that floats cannot count (1e20 is no multiple of 3), and contains beside
// unevaluatedItems (it takes all items for evaluated); the official suite covers those.
import { execFileSync } from 'node:child_process'
import { createRequire } from 'node:module'

const Ajv = createRequire(import.meta.url)('ajv/dist/2020').default
const pairs = Number(process.argv[2] ?? 200000)
const seed = Number(process.argv[3] ?? Date.now() % 1e9)
const INSTANCES = 10
const BATCH = 500

let state = seed
const random = () => {
	state = (state + 0x6d2b79f5) | 0
	let t = Math.imul(state ^ (state >>> 15), 1 | state)
	t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
	return ((t ^ (t >>> 14)) >>> 0) / 4294967296
}
const below = n => Math.floor(random() * n)
const pick = list => list[below(list.length)]
const chance = p => random() < p
const some = (list, least = 0) => {
	const taken = list.filter(() => chance(0.5))
	return taken.length >= least ? taken : list.slice(0, least)
}
const names = ['a', 'b', 'bb', 'c', 'long name', 'ä', 'a/b~']
const strings = ['', 'a', 'b', 'ab', 'abc', 'aaaa', '1', 'ä', '\u{1F600}', 'A-1', ' ', 'a\nb']
const numbers = [0, 1, 1.0, -1, 2, 3, 0.5, 1.5, 10, 100, 1e3, 12345678901, -0.25, 1e20, 1e-7, 123456789.125]
const patterns = ['^a', 'b$', '^[a-z]+$', '.', '^\\d$', '\\w', '^.$', '[^a]', '(a|b){2}', '^\\s$', '\\S', '^$', 'a\\nb', '^\\p{L}$', '\\u00e4']
const types = ['null', 'boolean', 'string', 'number', 'integer', 'array', 'object']

const instance = depth => {
	switch (below(depth > 0 ? 9 : 5)) {
		case 0: return null
		case 1: return chance(0.5)
		case 2: return pick(strings)
		case 3: return pick(numbers)
		case 4: return pick(numbers)
		case 5: case 6: return Array.from({ length: below(4) }, () => instance(depth - 1))
		default: return Object.fromEntries(some(names).slice(0, 4).map(name => [name, instance(depth - 1)]))
	}
}
const map = (keys, make) => Object.fromEntries(keys.map(key => [key, make()]))
const subs = depth => Array.from({ length: 1 + below(3) }, () => schema(depth - 1))
const leaf = {
	type: () => chance(0.7) ? pick(types) : some(types, 1),
	enum: () => Array.from({ length: 1 + below(4) }, () => instance(1)).filter((v, i, all) => all.findIndex(w => JSON.stringify(w) === JSON.stringify(v)) === i),
	const: () => instance(1),
	minimum: () => pick(numbers), maximum: () => pick(numbers), exclusiveMinimum: () => pick(numbers), exclusiveMaximum: () => pick(numbers),
	multipleOf: () => pick([1, 2, 0.5, 0.25, 10]),
	minLength: () => below(3), maxLength: () => below(4), pattern: () => pick(patterns),
	minItems: () => below(3), maxItems: () => below(4), uniqueItems: () => chance(0.8),
	minProperties: () => below(3), maxProperties: () => below(4), required: () => some(names),
	dependentRequired: () => map(some(names), () => some(names)),
}
const nested = {
	properties: depth => map(some(names), () => schema(depth - 1)),
	patternProperties: depth => map(some(patterns).slice(0, 2), () => schema(depth - 1)),
	additionalProperties: depth => schema(depth - 1), propertyNames: depth => schema(depth - 1),
	dependentSchemas: depth => map(some(names), () => schema(depth - 1)),
	prefixItems: subs, items: depth => schema(depth - 1), contains: depth => schema(depth - 1),
	allOf: subs, anyOf: subs, oneOf: subs, not: depth => schema(depth - 1),
	unevaluatedProperties: depth => schema(depth - 1), unevaluatedItems: depth => schema(depth - 1),
	$ref: () => pick(['#/$defs/x', '#/$defs/y', '#anchor']),
}
function schema(depth) {
	if (chance(0.08)) return chance(0.7)
	const result = {}
	for (let i = below(3); i >= 0; i--) {
		const key = pick(Object.keys(leaf))
		result[key] = leaf[key]()
	}
	for (let i = depth > 0 ? below(3) : 0; i > 0; i--) {
		const key = pick(Object.keys(nested))
		result[key] = nested[key](depth)
	}
	if (depth > 0 && chance(0.15)) {
		result.if = schema(depth - 1)
		if (chance(0.8)) result.then = schema(depth - 1)
		if (chance(0.8)) result.else = schema(depth - 1)
	}
	if (result.contains !== undefined && chance(0.5)) result.minContains = below(3)
	if (result.contains !== undefined && chance(0.5)) result.maxContains = below(3)
	return result
}
// references lead to leaves, or circles would be common
const root = () => {
	const made = schema(3)
	const text = JSON.stringify(made)
	if (text.includes('"contains"') && text.includes('"unevaluatedItems"')) return root()
	return typeof made === 'boolean' ? made : { ...made, $defs: { x: schema(0), y: { ...leafObject(), $anchor: 'anchor' } } }
}
const leafObject = () => {
	const made = schema(0)
	return typeof made === 'boolean' ? {} : made
}

const ajv = () => new Ajv({ strict: false, unicodeRegExp: true, logger: false, validateSchema: false, addUsedSchema: false })
let differences = 0
let done = 0
let failed = 0
let valid = 0
while (done < pairs) {
	const rows = []
	for (let i = 0; i < BATCH && done < pairs; i++) {
		const made = root()
		const check = ajv().compile(made)
		for (let j = 0; j < INSTANCES; j++, done++) {
			const value = instance(3)
			try {
				rows.push({ schema: made, instance: value, valid: check(value) })
			} catch {
				// code that ajv generates can fail: "Cannot set properties of undefined" with unevaluatedProperties
				failed++
			}
		}
	}
	const input = `CREATE TEMP TABLE pair (n serial, j text);
COPY pair (j) FROM STDIN;
${rows.map(row => JSON.stringify(row).replaceAll('\\', '\\\\')).join('\n')}
\\.
SELECT n, qehs.jsonschema_is_valid(j::jsonb -> 'schema', j::jsonb -> 'instance'),
	(SELECT count(*) FROM qehs.jsonschema_errors(j::jsonb -> 'schema', j::jsonb -> 'instance')) = 0 FROM pair ORDER BY n;
`
	const lines = execFileSync('psql', ['-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1'], { input, encoding: 'utf8', maxBuffer: 1 << 28 }).trim().split('\n')
	for (const line of lines) {
		const [n, is, errors] = line.split('|')
		const row = rows[n - 1]
		valid += row.valid
		if ((is === 't') === row.valid && is === errors) continue
		if (differences++ < 20) console.log(`ajv ${row.valid}, is_valid ${is}, no errors ${errors}: ${JSON.stringify(row.schema)} ${JSON.stringify(row.instance)}`)
	}
}
console.log(`# ${done} pairs with seed ${seed}, ${valid} valid: ${failed} failed in ajv: ${differences} differences`)
process.exit(differences ? 1 : 0)
