// The README is true: its blocks run as they stand, in a demo of their own, and print what stands below them.
//
// A fence sh or sql is run; one without a word or json right behind it is what it prints, up to ids, times, numbers of display
// codes and cursors, with … for what is left out. All of sh is one session of bash, all of sql one of psql.
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { after, before, test } from 'node:test'

const root = new URL('../..', import.meta.url).pathname
const mark = '@@block'
let directory
let environment

function readBlocks() {
	const text = readFileSync(`${root}README.md`, 'utf8')
	const fences = [...text.matchAll(/^( *)```(\w*)\n([^]*?)^ *```$/gm)].map(match => ({
		language: match[2], text: match[3].replaceAll(new RegExp(`^${match[1]}`, 'gm'), ''), from: match.index, to: match.index + match[0].length,
		line: text.slice(0, match.index).split('\n').length, install: match[1] !== '',
	}))
	return fences.flatMap((fence, i) => {
		const next = fences[i + 1]
		const prints = next && ['', 'json'].includes(next.language) && text.slice(fence.to, next.from).trim() === '' ? next.text : null
		return ['sh', 'sql'].includes(fence.language) ? [{ ...fence, prints }] : []
	})
}
const blocks = readBlocks()

const plain = text => text.replace(/\b(rec|key|evt|usr)_[0-9A-Z]{26}/g, '$1_ID').replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, 'TIME')
	.replace(/\b([A-Z]{3})-\d{4}-\d{4}/g, '$1-CODE').replace(/("nextCursor":\s*)"[^"]+"/g, '$1"CURSOR"')

// What psql prints of a statement that gives nothing to see is not in the README.
const told = text => plain(text).split('\n').map(line => line.trimEnd()).filter(line => line !== '' && !/^\(\d+ rows?\)$/.test(line))

function assertPrints(block, output) {
	if (block.prints.includes('…')) {
		const joined = text => plain(text).replace(/\n\s*/g, '')
		let at = 0
		for (const part of joined(block.prints).split(/,?\s*…/)) {
			const found = joined(output).indexOf(part, at)
			assert.ok(found >= 0, `${part} is not in ${output}`)
			at = found + part.length
		}
		return
	}
	if (block.language === 'sh') {
		assert.equal(plain(output), plain(block.prints))
		return
	}
	const lines = told(output)
	let at = 0
	for (const line of told(block.prints)) {
		at = lines.indexOf(line, at) + 1
		assert.ok(at > 0, `${line}\nis not in\n${output}`)
	}
}

// Run a program with all blocks of a kind as one input; gives what each printed.
function run(program, args, chosen, separator) {
	const input = chosen.map(block => `${block.text}\n${separator}\n`).join('')
	const { stdout, stderr, error } = spawnSync(program, args, { cwd: directory, env: environment, encoding: 'utf8', input })
	assert.equal(error, undefined)
	return { outputs: stdout.split(`${mark}\n`).slice(0, -1), stderr }
}

function demo(action) {
	return execFileSync(`${root}tests/tools/demo.sh`, [action], { cwd: directory, env: environment, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
}

before(async () => {
	directory = mkdtempSync('/tmp/qehs-readme.')
	chmodSync(directory, 0o755)
	const port = await new Promise(resolve => {
		const server = createServer().listen(0, '127.0.0.1', () => {
			const { port: free } = server.address()
			server.close(() => resolve(free))
		})
	})
	const own = Object.entries(process.env).filter(([name]) => !/^(PG(HOST|PORT|USER|DATABASE)|QEHS_)/.test(name))
	environment = { ...Object.fromEntries(own), PORT: String(port), RUN_DIR: `${directory}/.run` }
	demo('start')
})

after(() => {
	if (environment)
		demo('stop')
	rmSync(directory, { recursive: true, force: true })
})

function check(chosen, outputs, t) {
	assert.equal(outputs.length, chosen.length)
	return Promise.all(chosen.map((block, i) => t.test(`line ${block.line}`, () => {
		if (block.prints !== null)
			assertPrints(block, outputs[i])
	})))
}

test('what the shell runs', async t => {
	const chosen = blocks.filter(block => block.language === 'sh')
	const { outputs, stderr } = run('bash', ['-s'], chosen, `echo ${mark}`)
	assert.equal(stderr, '')
	await check(chosen, outputs, t)
})

test('what psql runs', async t => {
	const chosen = blocks.filter(block => block.language === 'sql' && !block.install)
	const { outputs } = run('bash', ['-c', '. .run/demo.env && exec psql -X 2>&1'], chosen, `\\echo ${mark}`)
	await check(chosen, outputs, t)
	// nothing fails but what the README says
	const expected = chosen.map(block => block.prints ?? '').join('').match(/^ERROR:.*/gm) ?? []
	assert.deepEqual(outputs.join('').match(/^(ERROR|FATAL|invalid command).*/gm) ?? [], expected)
})

test('what a DBA runs', async t => {
	const chosen = blocks.filter(block => block.language === 'sql' && block.install)
	const { outputs, stderr } = run('bash', ['-c', '. .run/demo.env && createdb second && psql -X -q -d second -c "CREATE EXTENSION qehs" && exec psql -X -d second'],
		chosen, `\\echo ${mark}`)
	assert.equal(stderr, '')
	await check(chosen, outputs, t)
	assert.match(outputs.join(''), /qehs_live_sk_/)
})

test('each reporting view shows something of the demo', () => {
	const input = `SELECT name || ' is not there' FROM qehs.report_view WHERE to_regclass('report_acme.' || name) IS NULL;
		SELECT format('SELECT %L WHERE NOT EXISTS (SELECT FROM report_acme.%I)', name || ' is empty', name) FROM qehs.report_view WHERE to_regclass('report_acme.' || name) IS NOT NULL \\gexec\n`
	const { stdout, stderr } = spawnSync('bash', ['-c', '. .run/demo.env && exec psql -X -q -A -t'], { cwd: directory, env: environment, encoding: 'utf8', input })
	assert.deepEqual([stdout, stderr], ['', ''])
})
