// Random schemas and instances, judged by the extension and by ajv: every difference that no known fault of ajv's (ajv.mjs)
// explains is shrunk to a smallest pair, printed, and fails the run. Where contains stands with unevaluatedItems, for which
// ajv takes all items for evaluated, Hyperjump judges, which is slower.
//
//   node jsonschema.mjs [pairs [seed]]      200,000 pairs by default; the database is that of PG*, with the extension
//
// The generator draws from small pools, so that instances often hold.
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { registerSchema, unregisterSchema, validate } from '@hyperjump/json-schema/draft-2020-12'
import { seeded } from '../tools/random.mjs'
import { compile, explained, metaschema } from './ajv.mjs'

const pairs = Number(process.argv[2] ?? 200000)
const seed = Number(process.argv[3] ?? Date.now() % 1e9)
const INSTANCES = 10
const BATCH = 500

const random = seeded(seed)
const below = n => Math.floor(random() * n)
const pick = list => list[below(list.length)]
const chance = p => random() < p
const some = (list, least = 0) => {
	const taken = list.filter(() => chance(0.5))
	return taken.length >= least ? taken : list.slice(0, least)
}
const names = ['a', 'b', 'bb', 'c', 'long name', 'ä', 'a/b~', '']
const strings = ['', 'a', 'b', 'ab', 'abc', 'aaaa', '1', 'ä', '\u{1F600}', 'A-1', ' ', 'a\nb']
const numbers = [0, 0.3, 1.1, 9, 1, 1.0, -1, 2, 3, 0.5, 1.5, 10, 100, 1e3, 12345678901, -0.25, 1e20, 1e-7, 123456789.125]
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
	multipleOf: () => pick([1, 2, 3, 0.5, 0.25, 0.1, 0.01, 1e-7, 10, 1.1]),
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
	if (typeof made === 'boolean') return made
	const whole = { ...made, $defs: { x: schema(0), y: { ...leafObject(), $anchor: 'anchor' } } }
	// Hyperjump takes 1e-7 for a multiple of 1; ajv judges that elsewhere
	return beyondAjv(whole) ? JSON.parse(JSON.stringify(whole), (key, value) => key === 'multipleOf' ? undefined : value) : whole
}
const leafObject = () => {
	const made = schema(0)
	return typeof made === 'boolean' ? {} : made
}

// one psql for the whole run: a list of [schema, instance] gives a list of what is_valid and errors say of each
const psql = spawn('psql', ['-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1'], { stdio: ['pipe', 'pipe', 'inherit'] })
const answers = createInterface({ input: psql.stdout })[Symbol.asyncIterator]()
psql.stdin.write('CREATE TEMP TABLE pair (n serial, j text);\n')
const judge = async list => {
	psql.stdin.write(`TRUNCATE pair RESTART IDENTITY;
COPY pair (j) FROM STDIN;
${list.map(pair => JSON.stringify(pair).replaceAll('\\', '\\\\')).join('\n')}
\\.
SELECT qehs.jsonschema_is_valid(j::jsonb -> 0, j::jsonb -> 1),
	(SELECT count(*) FROM qehs.jsonschema_errors(j::jsonb -> 0, j::jsonb -> 1)) = 0 FROM pair ORDER BY n;
`)
	const result = []
	while (result.length < list.length) {
		const { value, done } = await answers.next()
		if (done) throw new Error('psql ended')
		const [is, errors] = value.split('|')
		result.push({ is: is === 't', errors: errors === 't' })
	}
	return result
}

// code that ajv generates can fail: "Cannot set properties of undefined", a difference to be explained as well
const verdict = (check, value) => {
	try {
		return check(value)
	} catch (error) {
		return error.message
	}
}
const beyondAjv = made => {
	const text = JSON.stringify(made)
	return text.includes('"contains"') && text.includes('"unevaluatedItems"')
}
let registered = 0
const hyperjump = async made => {
	const uri = `https://example.com/${registered++}`
	registerSchema(made, uri, 'https://json-schema.org/draft/2020-12/schema')
	try {
		const check = await validate(uri)
		return value => check(value).valid
	} finally {
		unregisterSchema(uri)
	}
}
const checker = made => beyondAjv(made) ? hyperjump(made) : compile(made)
const excuse = (made, value, expected) => beyondAjv(made) ? undefined : explained(made, value, expected)
const differs = (theirs, ours) => ours.is !== theirs || ours.errors !== theirs

// every value that lacks one member or element, or has a part in the place of the whole
function * smaller(value) {
	if (Array.isArray(value)) {
		for (let i = 0; i < value.length; i++) {
			yield value.toSpliced(i, 1)
			for (const less of smaller(value[i])) yield value.with(i, less)
		}
	} else if (value !== null && typeof value === 'object') {
		for (const key of Object.keys(value)) {
			const { [key]: _, ...rest } = value
			yield rest
		}
		for (const key of Object.keys(value)) for (const less of smaller(value[key])) yield { ...value, [key]: less }
	}
	if (value !== null && typeof value === 'object') yield true
}
function * smallerPairs([made, value]) {
	for (const less of smaller(value)) yield [made, less]
	for (const less of smaller(made)) if (metaschema.validateSchema(less)) yield [less, value]
}
// the smallest pair on which the two still differ, unexplained
const shrink = async pair => {
	let tries = smallerPairs(pair)
	for (;;) {
		const some = []
		while (some.length < 100) {
			const { value, done } = tries.next()
			if (done) break
			try {
				some.push([...value, verdict(await checker(value[0]), value[1])])
			} catch {
				// a reference without its target
			}
		}
		if (some.length === 0) return pair
		const ours = await judge(some.map(([made, value]) => [made, value]))
		const found = some.find(([made, value, theirs], i) => differs(theirs, ours[i]) && !excuse(made, value, ours[i].is))
		if (!found) continue
		pair = found.slice(0, 2)
		tries = smallerPairs(pair)
	}
}

let differences = 0
let done = 0
let valid = 0
let beyond = 0
const excused = {}
while (done < pairs) {
	const rows = []
	for (let i = 0; i < BATCH && done < pairs; i++) {
		const made = root()
		const check = await checker(made)
		beyond += beyondAjv(made)
		for (let j = 0; j < INSTANCES; j++, done++) {
			const value = instance(3)
			rows.push({ schema: made, instance: value, valid: verdict(check, value) })
		}
	}
	const ours = await judge(rows.map(row => [row.schema, row.instance]))
	for (const [i, row] of rows.entries()) {
		valid += ours[i].is
		if (!differs(row.valid, ours[i])) continue
		const why = ours[i].is === ours[i].errors && excuse(row.schema, row.instance, ours[i].is)
		if (why) {
			excused[why] = (excused[why] ?? 0) + 1
		} else if (differences++ < 60) {
			const least = await shrink([row.schema, row.instance])
			const [now] = await judge([least])
			console.log(`${beyondAjv(least[0]) ? 'hyperjump' : 'ajv'} ${verdict(await checker(least[0]), least[1])}, is_valid ${now.is}, no errors ${now.errors}: ${least.map(part => JSON.stringify(part)).join(' on ')}`)
		}
	}
}
psql.stdin.end()
for (const [why, count] of Object.entries(excused)) console.log(`# ajv errs in ${count} pairs: ${why}`)
console.log(`# ${done} pairs with seed ${seed}, ${valid} valid, ${beyond} schemas judged by Hyperjump: ${differences} differences`)
process.exit(differences ? 1 : 0)
