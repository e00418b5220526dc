// extension/graphql's parser and validator against graphql-js: the same documents, the same verdict, rule and places.
// node graphql.mjs [SEED [DOCUMENTS]]
import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildSchema, specifiedDirectives } from 'graphql'
import { generator } from './graphql/generate.mjs'
import { schemaSource } from './graphql/schema_source.mjs'
import { expected, isLong, normal } from './graphql/verdict.mjs'

const root = new URL('../..', import.meta.url).pathname
const [seed = 1, count = 8000] = process.argv.slice(2).map(Number)
const schema = buildSchema(readFileSync(new URL('graphql/schema.graphql', import.meta.url), 'utf8'))
const directory = mkdtempSync(join(tmpdir(), 'qehs-graphql.'))
const binary = join(directory, 'check')
writeFileSync(join(directory, 'schema.inc'), schemaSource(schema, specifiedDirectives))
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', 'extension/graphql'], { cwd: root, encoding: 'utf8' })
	.split('\n').filter(path => /\/(arena|lexer|parser\w*|schema|valid\w*)\.c$/.test(path))
execFileSync('gcc', ['-std=c11', '-D_GNU_SOURCE', '-Wall', '-Wextra', '-Werror', '-g', '-O1', '-fsanitize=address,undefined', '-fno-sanitize-recover=all',
	'-Iextension', `-I${directory}`, '-o', binary, 'tests/conformance/graphql/check.c', ...files], { cwd: root, stdio: 'inherit' })

// Where the type system is defined, the rest of the document says nothing more.
const stopped = (want, got) => Array.isArray(want) && Array.isArray(got) && want.some(([rule]) => rule === 'ExecutableDefinitions') &&
	got.some(([rule]) => rule === 'ExecutableDefinitions') || isLong(want, got)

const documents = [...generator(schema, seed, count)]
const child = spawn(binary, { stdio: ['pipe', 'pipe', 'inherit'] })
let output = ''
child.stdout.setEncoding('utf8').on('data', data => { output += data })
for (const text of documents) {
	const bytes = Buffer.from(text)
	const head = Buffer.alloc(4)
	head.writeUInt32LE(bytes.length)
	child.stdin.write(Buffer.concat([head, bytes]))
}
child.stdin.end()
const status = await new Promise(resolve => child.on('close', resolve))
rmSync(directory, { recursive: true })

const answers = output.trimEnd().split('\n').map(line => JSON.parse(line))
const seen = { documents: documents.length, valid: 0, invalid: 0, syntax: 0, different: 0 }
documents.forEach((text, i) => {
	const want = expected(schema, text)
	seen[want === null ? 'valid' : Array.isArray(want) ? 'invalid' : 'syntax']++
	if (normal(want) === normal(i < answers.length ? answers[i] : 'no answer') || stopped(want, answers[i]) || seen.different++ >= 10)
		return
	console.log(`different:\n${text}\n  graphql-js ${JSON.stringify(want)}\n  qehs       ${JSON.stringify(answers[i])}`)
})
console.log(`graphql (seed ${seed}): ${Object.entries(seen).map(([what, number]) => `${number} ${what}`).join(', ')}`)
process.exitCode = status !== 0 || seen.different > 0 ? 1 : 0
