#!/usr/bin/env node
// The official JSON-Schema-Test-Suite, draft 2020-12, in the database that PG* names. Prints what fails and is not
// listed in not_held.json, and what is listed and holds all the same; either fails the run.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

const read = name => JSON.parse(readFileSync(new URL(name, import.meta.url)))
const literal = value => `'${JSON.stringify(value).replaceAll("'", "''")}'`
const name = test => `${test.file}: ${test.group}: ${test.test}`
const required = read('draft2020-12-required.json')
const optional = read('draft2020-12-optional.json')
const notHeld = new Set(read('not_held.json').map(item => item.test))

// a remote for another draft cannot be used, but neither does it harm
const remotes = Object.entries(read('draft2020-12-remotes.json'))
	.map(([uri, schema]) => `SELECT qehs.jsonschema_register('${uri}', ${literal(schema)});`)
const asserted = test => test.file.startsWith('optional/format/')
const tests = [...required, ...optional].map((test, index) =>
	`SELECT ${index}, pg_temp.outcome(${literal(test.schema)}, ${literal(test.data)}, ${asserted(test)});`)
const script = `\\set QUIET on
\\pset format unaligned
\\pset tuples_only on
\\o /dev/null
${remotes.join('\n')}
\\o
CREATE FUNCTION pg_temp.outcome(schema text, instance text, formats boolean) RETURNS text LANGUAGE plpgsql AS $$
DECLARE valid boolean; rows bigint;
BEGIN
	valid := qehs.jsonschema_is_valid(schema::jsonb, instance::jsonb, formats);
	SELECT count(*) INTO rows FROM qehs.jsonschema_errors(schema::jsonb, instance::jsonb, formats);
	RETURN CASE WHEN valid <> (rows = 0) THEN 'is_valid and errors differ' ELSE valid::text END;
EXCEPTION WHEN others THEN RETURN SQLERRM;
END $$;
${tests.join('\n')}
`
const psql = spawnSync(process.env.PG_BIN ? `${process.env.PG_BIN}/psql` : 'psql', ['-X', '-q', '-v', 'ON_ERROR_STOP=1'],
	{ input: script, encoding: 'utf8', maxBuffer: 1 << 28 })
if (psql.status !== 0) {
	console.error(psql.stderr)
	process.exit(1)
}
const outcomes = new Map(psql.stdout.trim().split('\n').map(line => [Number(line.split('|')[0]), line.slice(line.indexOf('|') + 1)]))
let failed = 0
const held = { required: 0, optional: 0 }
const unexpected = [...required, ...optional].filter((test, index) => {
	const holds = outcomes.get(index) === String(test.valid)
	if (holds) held[index < required.length ? 'required' : 'optional']++
	else failed++
	test.outcome = outcomes.get(index)
	return holds === notHeld.has(name(test))
})
for (const test of unexpected) console.log(`${name(test)}: expected ${test.valid}, got ${test.outcome}`)
console.log(`# JSON Schema 2020-12: required ${held.required} of ${required.length}, optional ${held.optional} of ${optional.length}`)
process.exit(unexpected.length ? 1 : 0)
