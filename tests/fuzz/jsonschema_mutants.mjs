// Mutants of the official suite's schemas and instances, for a backend that must never crash: parts are swapped, dropped,
// renamed to other keywords or replaced by hostile ones. What must hold of each: is_valid and errors agree; what
// jsonschema_check lets pass can be used; nothing but the promised SQLSTATEs is raised; the session is the same at the end.
//
//   node jsonschema_mutants.mjs [mutants [seed]]      50,000 by default; the database is that of PG*, with the extension
//
// FUZZ_PRINT=1 prints the SQL instead, for a server under valgrind.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { seeded } from '../tools/random.mjs'

const mutants = Number(process.argv[2] ?? 50000)
const seed = Number(process.argv[3] ?? Date.now() % 1e9)
const BATCH = 5000
const read = name => JSON.parse(readFileSync(new URL(`../conformance/${name}`, import.meta.url)))

const random = seeded(seed)
const below = n => Math.floor(random() * n)
const pick = list => list[below(list.length)]
const tests = [...read('draft2020-12-required.json'), ...read('draft2020-12-optional.json')]
const parts = []
const keywords = new Set()
const collect = value => {
	parts.push(value)
	if (value !== null && typeof value === 'object')
		for (const [key, child] of Object.entries(value)) {
			if (!Array.isArray(value)) keywords.add(key)
			collect(child)
		}
}
for (const test of tests) {
	collect(test.schema)
	collect(test.data)
}
const names = [...keywords]
const hostile = [null, true, false, 0, -1, 1.5, 1e308, 1e-300, '', '#', '#/', '#/$defs', '(', '\\', '^(a+)+$', '[^]', '{', '\u{10FFFF}', 'a'.repeat(3000), [], {}, [[]], [{}],
	{ $ref: '#' }, { $dynamicRef: '#' }, { $id: '' }, { $id: 'x', $ref: 'x' }, { $anchor: '' }, { $dynamicAnchor: 'meta' }, { $schema: 'https://json-schema.org/draft/2020-12/schema' },
	Array(70).fill(0), Object.fromEntries(Array.from({ length: 70 }, (_, i) => [`k${i}`, i]))]
const part = () => random() < 0.3 ? pick(hostile) : pick(parts)
// one change somewhere in the value
const mutate = value => {
	if (value === null || typeof value !== 'object' || random() < 0.1) return part()
	if (Array.isArray(value)) {
		if (value.length === 0 || random() < 0.2) return [...value, part()]
		const i = below(value.length)
		return random() < 0.2 ? value.toSpliced(i, 1) : value.with(i, mutate(value[i]))
	}
	const keys = Object.keys(value)
	if (keys.length === 0 || random() < 0.25) return { ...value, [pick(names)]: part() }
	const key = pick(keys)
	const { [key]: child, ...rest } = value
	const choice = random()
	return choice < 0.15 ? rest : choice < 0.35 ? { ...rest, [pick(names)]: child } : { ...value, [key]: mutate(child) }
}
const mutant = value => {
	for (let i = 1 + below(3); i > 0; i--) value = mutate(value)
	return value
}
// jsonb has no U+0000, and a lone surrogate is no text
const text = value => JSON.stringify(value).replaceAll('\\u0000', 'x').replaceAll(/\\ud[89a-f][0-9a-f]{2}/gi, 'x').replaceAll('\\', '\\\\')

const setup = `CREATE TEMP TABLE mutant (n serial, schema text, instance text);
CREATE FUNCTION pg_temp.judge(schema jsonb, instance jsonb, formats boolean) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	valid text;
	violations text;
	faults bigint;
BEGIN
	SELECT count(*) INTO faults FROM qehs.jsonschema_check(schema);
	BEGIN
		valid := qehs.jsonschema_is_valid(schema, instance, formats);
	EXCEPTION WHEN invalid_parameter_value OR program_limit_exceeded THEN
		valid := SQLSTATE;
	END;
	BEGIN
		SELECT count(*) = 0 INTO violations FROM qehs.jsonschema_errors(schema, instance, formats);
	EXCEPTION WHEN invalid_parameter_value OR program_limit_exceeded THEN
		violations := SQLSTATE;
	END;
	RETURN CASE WHEN faults = 0 AND valid = '22023' THEN 'check lets it pass' WHEN violations <> valid AND valid IN ('true', 'false', '22023') THEN valid || ' but errors ' || violations
		ELSE valid END;
EXCEPTION WHEN OTHERS OR query_canceled THEN
	RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
SET statement_timeout = '60s';
`
const expected = new Set(['true', 'false', '22023', '54000'])
const counts = {}
let failed = 0
for (let done = 0; done < mutants; done += BATCH) {
	const rows = Array.from({ length: Math.min(BATCH, mutants - done) }, () => {
		const test = pick(tests)
		return [text(random() < 0.85 ? mutant(test.schema) : test.schema), text(random() < 0.5 ? mutant(test.data) : test.data)]
	})
	const script = `${setup}COPY mutant (schema, instance) FROM STDIN;\n${rows.map(row => row.map(part => part.replaceAll('\t', ' ')).join('\t')).join('\n')}\n\\.
SELECT pg_temp.judge(schema::jsonb, instance::jsonb, n % 2 = 0) FROM mutant ORDER BY n;\n`
	if (process.env.FUZZ_PRINT) {
		process.stdout.write(script)
		continue
	}
	const run = spawnSync(process.env.PG_BIN ? `${process.env.PG_BIN}/psql` : 'psql', ['-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1'],
		{ input: script, encoding: 'utf8', maxBuffer: 1 << 28 })
	if (run.status !== 0) {
		console.error(`seed ${seed}, mutants ${done} to ${done + BATCH}: ${run.stderr.slice(0, 2000)}`)
		process.exit(1)
	}
	for (const [i, outcome] of run.stdout.trimEnd().split('\n').entries()) {
		counts[outcome] = (counts[outcome] ?? 0) + 1
		if (!expected.has(outcome) && failed++ < 20) console.log(`${outcome}: ${rows[i].join(' on ')}`)
	}
}
if (process.env.FUZZ_PRINT) process.exit()
for (const [outcome, count] of Object.entries(counts)) if (expected.has(outcome)) console.log(`# ${outcome}: ${count}`)
console.log(`# ${mutants} mutants with seed ${seed}: ${failed} failures`)
process.exit(failed ? 1 : 0)
