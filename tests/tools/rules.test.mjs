// The rules of the sources see what is planted in a copy of them: an include upward, a circle of headers, a circle of files.
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, test } from 'node:test'

const root = new URL('../..', import.meta.url).pathname
let copy

const run = script => {
	const { status, stdout, stderr } = spawnSync('node', [`tests/tools/${script}`], { cwd: copy, encoding: 'utf8' })
	return { status, said: stdout + stderr }
}
const plant = (path, text) => writeFileSync(join(copy, path), text)
const include = (path, header) => plant(path, readFileSync(join(copy, path), 'utf8').replace(/^#include /m, `#include "${header}"\n#include `))

before(() => {
	copy = mkdtempSync(join(tmpdir(), 'qehs-rules-'))
	execFileSync('git', ['init', '-q', copy])
})
after(() => rmSync(copy, { recursive: true, force: true }))
beforeEach(() => {
	for (const folder of ['extension', 'shim', 'sql', 'tests/tools', 'tests/fuzz', 'build/qehs-shim.o']) {
		rmSync(join(copy, folder), { recursive: true, force: true })
		cpSync(join(root, folder), join(copy, folder), { recursive: true, filter: path => !/node_modules|\.bc$/.test(path) })
	}
	cpSync(join(root, '.gitignore'), join(copy, '.gitignore'))
})

test('the copy as it is breaks no rule', () => {
	assert.deepEqual({ ...run('source_rules.mjs'), said: '' }, { status: 0, said: '' })
	assert.equal(run('circles.mjs').status, 0, run('circles.mjs').said)
})

for (const [path, header] of [['extension/base/text.c', 'caller/context.h'], ['extension/schema/uri.h', 'record/record.h'], ['shim/base/arena.c', 'http/server.h'],
	['shim/db/pool.h', 'exchange/router.h'], ['extension/common/language.h', 'base/id.h']])
	test(`an include upward is seen: ${path} of ${header}`, () => {
		include(path, header)
		const { status, said } = run('source_rules.mjs')
		assert.equal(status, 1)
		assert.match(said, new RegExp(`^${path}: includes \\S+${header}, which stands above it$`, 'm'))
	})

test('a folder without a place among the layers is seen', () => {
	cpSync(join(copy, 'extension/base/text.h'), join(copy, 'extension/elsewhere/text.h'), { recursive: true })
	const { status, said } = run('source_rules.mjs')
	assert.equal(status, 1)
	assert.match(said, /the folder elsewhere has no place/)
})

test('a file or folder that does not belong at the root is seen', () => {
	plant('notes.txt', '')
	const { status, said } = run('source_rules.mjs')
	rmSync(join(copy, 'notes.txt'))
	assert.equal(status, 1)
	assert.match(said, /^notes\.txt: does not belong at the root$/m)
})

test('a member of a definition on which nothing acts is seen', () => {
	const path = 'extension/module/members.c'
	plant(path, readFileSync(join(copy, path), 'utf8').replace('{"key", "module_load"},', '{"key", "module_load"},\n\t{"colour", "module_load"},\n\t{"name", "nobody"},'))
	const { status, said } = run('source_rules.mjs')
	assert.equal(status, 1)
	assert.match(said, /no file has a function module_load and reads colour\n/)
	assert.match(said, /no file has a function nobody and reads name\n/)
	assert.match(said, /name is listed twice/)
})

for (const [what, path, from, to] of [
	['arguments', 'extension/operation/storage_sign.c', 'argument_text(fcinfo, ARGUMENT_CONTENT_TYPE)', 'argument_text(fcinfo, 4)'],
	['arguments', 'extension/operation/record_delete.c', 'argument_text(fcinfo, ARGUMENT_ID), &id', 'argument_text(fcinfo, 0), &id'],
	['columns', 'extension/calendar/tenant.c', 'plan_value(0, COLUMN_OPENS,', 'plan_value(0, 3,'],
	['columns', 'extension/audit/seal.c', 'hash_column(row, COLUMN_ROOT)', 'hash_column(row, 5)'],
])
	test(`a bare number is seen: ${to} in ${path}`, () => {
		const text = readFileSync(join(copy, path), 'utf8')
		assert.ok(text.includes(from))
		plant(path, text.replace(from, to))
		const { status, said } = run('source_rules.mjs')
		assert.equal(status, 1)
		assert.match(said, new RegExp(`^${path}:\\d+: ${what} of which there are more than one have names$`, 'm'))
	})

for (const [path, text, what] of [
	['sql/30_functions.sql', "INSERT INTO qehs.audit_event (tenant_id) VALUES (1);", 'rows of qehs.audit_event are inserted in extension/audit/audit.h only'],
	['extension/operation/comment.c', 'static const char *planted = "UPDATE qehs.record SET version = 1";', 'rows of qehs.record are updated in extension/change/row.c only'],
	['extension/change/row.c', 'static const char *planted = "INSERT INTO qehs.record";', 'rows of qehs.record are inserted here, once'],
	['extension/operation/me.c', 'static int planted(RequestContext *context) { return strcmp(context->roles[0], "viewer"); }', 'roles of a caller are compared in extension/permission/roles.c only'],
])
	test(`a second place is seen: ${what}`, () => {
		plant(path, `${readFileSync(join(copy, path), 'utf8')}${text}\n`)
		const { status, said } = run('source_rules.mjs')
		assert.equal(status, 1)
		assert.ok(said.includes(what), said)
	})

test('a circle of headers is seen', () => {
	include('extension/base/text.h', 'base/id.h')
	include('extension/base/id.h', 'base/text.h')
	const { status, said } = run('source_rules.mjs')
	assert.equal(status, 1)
	assert.match(said, /a circle of includes/)
})

test('files that call each other are seen, though no header includes another', () => {
	const file = (name, other) => {
		const path = join(copy, `extension/base/${name}.c`)
		writeFileSync(path, `extern int ${other}_call(int n);\nextern int ${name}_call(int n);\nint ${name}_call(int n) { return n ? ${other}_call(n - 1) : 0; }\n`)
		execFileSync('cc', ['-c', path, '-o', path.replace(/c$/, 'o')])
	}
	file('planted', 'seedling')
	file('seedling', 'planted')
	const { status, said } = run('circles.mjs')
	assert.equal(status, 1)
	assert.match(said, /a circle of 2 files:\n {2}extension\/base\/planted\.c -> extension\/base\/seedling\.c: seedling_call\n/)
})

test('a listed circle that is gone is to be taken out of the list', () => {
	const list = readFileSync(join(copy, 'tests/tools/circles.mjs'), 'utf8')
	plant('tests/tools/circles.mjs', list.replace('const recursion = [', "const recursion = [\n\t{ reason: 'none', files: ['extension/base/text.c', 'extension/base/id.c'] },"))
	const { status, said } = run('circles.mjs')
	assert.equal(status, 1)
	assert.match(said, /no circle any more, .*: extension\/base\/text\.c extension\/base\/id\.c/)
})
