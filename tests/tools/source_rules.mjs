// What holds for every C file, read from the sources: node tests/tools/source_rules.mjs. Prints what breaks a rule, and fails then.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

process.chdir(new URL('../..', import.meta.url).pathname)
const paths = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', 'extension', 'shim', 'tests/fuzz'], { encoding: 'utf8' })
	.split('\n').filter(path => /\.[ch]$/.test(path))
const sources = new Map(paths.map(path => [path, readFileSync(path, 'utf8')]))
const faults = []
const fault = (path, text, at, message) => faults.push(`${path}:${text.slice(0, at).split('\n').length}: ${message}`)

// Text of the same length with comments blank, and a second one with strings blank as well.
function strip(text) {
	const blank = match => match.replace(/[^\n]/g, ' ')
	const code = text.replace(/"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])+'|\/\*[^]*?\*\//g, match => match[0] === '/' ? blank(match) : match)
	return { code, bare: code.replace(/"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])+'/g, match => match[0] + blank(match.slice(1, -1)) + match[0]) }
}

// The calls of a function: where each is, and the text of its arguments.
function* calls({ code, bare }, name) {
	for (const match of bare.matchAll(new RegExp(`(?<![\\w>.])${name}\\(`, 'g'))) {
		const found = []
		let depth = 0
		let from = match.index + match[0].length
		for (let i = from; ; i++) {
			if (depth === 0 && (bare[i] === ',' || bare[i] === ')')) {
				found.push(code.slice(from, i).trim())
				from = i + 1
			}
			if (bare[i] === ')' && depth-- === 0)
				break
			if (bare[i] === '(')
				depth++
		}
		yield { at: match.index, found }
	}
}

// The string literals of an argument that is nothing else, or a choice between two, as the texts it may be.
const literals = argument => argument
	.replace(/"\s*"/g, '').replace(/"\s*(INT64_FORMAT|UINT64_FORMAT|\w+_\w+)\s*"/g, 'N')
	.match(/^(?:[^"?]*\?)?\s*"(?:\\.|[^"\\])*"(?:\s*:\s*"(?:\\.|[^"\\])*")?$/)?.[0].match(/"(?:\\.|[^"\\])*"/g)?.map(text => text.slice(1, -1)) ?? []

// PostgreSQL's message style: https://www.postgresql.org/docs/current/error-style-guide.html
const primary = text => /^[A-Z][a-z]/.test(text) ? 'a primary message starts lower-case' : /[.!\n]$|\\n/.test(text) ? 'a primary message has no full stop and no line end' : null
const sentence = text => text !== '%s' && (!/^([A-Z]|qehs)/.test(text) || !/\.$/.test(text)) ? 'a detail or hint is a sentence' : null
const messages = [
	['errmsg', 0, primary], ['errmsg_internal', 0, primary], ['errdetail', 0, sentence], ['errhint', 0, sentence],
	['problem_raise', 1, sentence], ['problem_raise', 2, primary], ['problem_raise_at', 3, primary], ['problem_raise_detail', 3, primary],
	['violation_add', 3, primary], ['problem_violation', 3, primary], ['problem_reply', 3, primary], ['request_refuse', 2, primary],
]
// Who alone knows a library or the server.
const owners = [
	[/<microhttpd\.h>/, /^shim\/http\//], [/<libpq-fe\.h>/, /^shim\/db\//], [/<jansson\.h>/, /^shim\/(exchange\/(router|token)|export\/info)\.c$/], [/<cjose\//, /^shim\/exchange\/token\.c$/], [/<curl\//, /^shim\/storage\/s3\.c$/],
	[/<magic\.h>/, /^shim\/storage\/sniff\.c$/], [/<xlsxwriter\.h>/, /^shim\/export\/xlsx\.c$/], [/<archive/, /^shim\/export\/bundle\.c$/], [/<(pango|cairo)/, /^shim\/export\/(pdf|paper)/], [/<libexif\//, /^shim\/export\/pdf_pictures\.c$/], [/<unicode\//, /^shim\/export\/dates\.c$/],
	[/"postgres\.h"/, /^extension\/base\/compat\.h$/], [/"(executor\/spi|base\/plan)\.h"/, /^(?!extension\/schema\/(?!jsonschema\.)|extension\/common\/|extension\/base\/(json|json_time|text|id)\.)extension\//],
]

for (const [path, text] of sources) {
	const { code, bare } = strip(text)
	const isParser = /^extension\/(schema\/(?!jsonschema\.)|record\/(filter_parse|value)\.c$)/.test(path)
	if (!text.startsWith(`/*\n * ${basename(path)}\n *\t  `))
		fault(path, text, 0, 'the file starts with its name and what it is for')
	for (const { at, found } of calls({ code, bare }, 'ereport')) {
		if (/^(ERROR|FATAL|PANIC)$/.test(found[0]) && !/errcode\w*\(/.test(found.join()))
			fault(path, text, at, 'an error has a code')
		if (isParser && !/ERRCODE_OUT_OF_MEMORY/.test(found.join()))
			fault(path, text, at, 'a parser gives its faults and raises nothing')
	}
	for (const [name, number, judge] of messages)
		for (const { at, found } of calls({ code, bare }, name))
			for (const message of literals(found[number] ?? '').map(judge).filter(Boolean))
				fault(path, text, at, message)
	for (const line of text.matchAll(/[ \t]+$|^ +(?! ?\*)\S|.{161,}/gm))
		fault(path, text, line.index, 'indentation is tabs, no line ends in blanks or has more than 160 characters')
	if (!text.endsWith('}\n') && !/[;/]\n$/.test(text))
		fault(path, text, text.length, 'the file ends with a line end')
	if (path !== 'extension/base/compat.h' && /PG_VERSION_NUM/.test(bare))
		fault(path, text, bare.indexOf('PG_VERSION_NUM'), 'versions of PostgreSQL are for compat.h')
	// gone from PostgreSQL 18
	for (const [name, instead] of [['pg_attribute_noreturn', 'pg_noreturn, in front'], ['INT64_MODIFIER', '%ll and a cast']])
		if (path !== 'extension/base/compat.h' && bare.includes(name))
			fault(path, text, bare.indexOf(name), `${name} is ${instead}`)
	for (const include of code.matchAll(/^#include (.*)$/gm))
		for (const [what, owner] of owners)
			if (what.test(include[1]) && !owner.test(path))
				fault(path, text, include.index, `${include[1]} is not for this file`)
	// one more argument or column in the middle moves all behind it: only the one argument of a function, and the one column of a row, goes by its number
	for (const [what, alone, pattern] of [
		['arguments', 0, /\b(?:PG_GETARG_\w+\(|PG_ARGISNULL\(|(?!LOCAL_)\w+\(fcinfo, )(\d+|[A-Z]\w*)\b/g],
		['columns', 1, /\b(?:plan_(?:value|text)\([^,;]+, |SPI_get(?:binval|value)\([^,;]+, [^,;]+, |PQget(?:value|isnull|length)\([^,;]+, [^,;]+, |(?:read|write|hash|text|number|jsonb)_\w+\((?:[^,;()]+, )*?row, )(\d+|[A-Z]\w*)\b/g],
	])
		for (const body of bare.matchAll(/^\{\n[^]*?^\}/gm)) {
			const found = [...body[0].matchAll(pattern)]
			const named = what === 'arguments' && found.some(match => /^[A-Z]/.test(match[1]))
			for (const match of found.filter(match => /^\d/.test(match[1]) && (named || Number(match[1]) > (path.startsWith('shim/') ? 0 : alone))))
				fault(path, text, body.index + match.index, `${what} of which there are more than one have names`)
		}
	// a paragraph of declarations is under a comment
	if (path.endsWith('.h'))
		for (const paragraph of text.matchAll(/(?:^|\n\n)((?:[^\n]+\n?)+)/g))
			if (/^extern /m.test(paragraph[1]) && !/^\/\*/.test(paragraph[1]))
				fault(path, text, paragraph.index + 2, 'a declaration has a comment')
}

// What acts on a member of a definition is a function that is there, in a file that reads the member; a member is listed once.
const membersFile = 'extension/module/members.c'
for (const list of sources.get(membersFile).matchAll(/^const DefinitionMember (\w+)\[\] = \{\n([^]*?)^\};/gm)) {
	const names = new Set()
	for (const [entry, member, actor] of list[2].matchAll(/^\t\{"(\w+)", "?(\w+)"?\},$/gm)) {
		const at = list.index + list[0].indexOf(entry)
		const defined = new RegExp(`^${actor}\\(`, 'm')
		if (names.has(member))
			fault(membersFile, sources.get(membersFile), at, `${member} is listed twice`)
		names.add(member)
		if (actor !== 'NULL' && ![...sources].some(([path, text]) => path.startsWith('extension/') && path !== membersFile && defined.test(text) && text.includes(`"${member}"`)))
			fault(membersFile, sources.get(membersFile), at, `no file has a function ${actor} and reads ${member}`)
	}
	if (names.size !== list[2].split('\n').length - 2)
		fault(membersFile, sources.get(membersFile), list.index, `${list[1]} has an entry that is not read`)
}

// What is written, and how roles are compared, stands in one place each.
const scripts = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', 'sql/*.sql'], { encoding: 'utf8' }).split('\n').filter(Boolean)
const texts = new Map([...sources, ...scripts.map(path => [path, readFileSync(path, 'utf8')])].map(([path, text]) => [path, path.endsWith('.sql') ? text : strip(text).code]))
for (const [what, place, pattern] of [
	['rows of qehs.audit_event are inserted', 'extension/audit/audit.h', /INSERT\s+INTO\s+qehs\.audit_event\b/gi],
	['rows of qehs.record are inserted', 'extension/change/row.c', /INSERT\s+INTO\s+qehs\.record\b/gi],
	['rows of qehs.record are updated', 'extension/change/row.c', /UPDATE\s+(ONLY\s+)?qehs\.record\b/gi],
	['roles of a caller are compared', 'extension/permission/roles.c', /\b\w*cmp\([^;]*?->roles\[|roles_has\([^;]*?"[\w-]+"/g],
]) {
	const found = [...texts].flatMap(([path, text]) => [...text.matchAll(pattern)].map(match => [path, text, match.index]))
	for (const [path, text, at] of found.filter(([path]) => path !== place))
		fault(path, text, at, `${what} in ${place} only`)
	if (!found.some(([path]) => path === place) || (/^rows/.test(what) && found.length > 1))
		faults.push(`${place}: ${what} here, once`)
}

// A folder includes itself and the folders that stand before it here; files at the root of a program may include all.
const layers = {
	extension: ['common', 'base', 'caller', 'schema', 'calendar', 'module', 'permission', 'record', 'audit', 'workflow', 'change', 'effect', 'timer', 'job', 'retention', 'attachment', 'export', 'bulk', 'graphql', 'report', 'scim', 'operation', 'openapi'],
	shim: ['base', 'storage', 'db', 'exchange', 'portal', 'stream', 'export', 'worker', 'http'],
}
// Arrows that still point up; each goes when its seam is rebuilt.
const notYet = new Set([
])

// What a file includes of this repository; the shim finds extension/common, which needs neither program's other folders.
const includes = path => [...sources.get(path).matchAll(/^#include "(.*)"$/gm)]
	.map(match => [join(path.split('/')[0], match[1]), join('extension', match[1])].find(name => sources.has(name))).filter(Boolean)
for (const path of sources.keys()) {
	const [program, folder, file] = path.split('/')
	if (!layers[program])
		continue
	const level = name => layers[program].indexOf(name)
	if (file && level(folder) < 0)
		faults.push(`${path}: the folder ${folder} has no place among the layers of tests/tools/source_rules.mjs`)
	for (const include of file ? includes(path) : []) {
		const [other, above] = include.split('/')
		if ((other === program ? level(above) > level(folder) : above !== 'common') && !notYet.has(`${path} ${include}`))
			faults.push(`${path}: includes ${include}, which stands above it`)
	}
}

// At the root is what the product has and what packagers look for there; files that begin with a dot apart.
const atRoot = ['CHANGELOG.md', 'LICENSE', 'META.json', 'Makefile', 'README.md', 'extension', 'qehs.control', 'shim', 'sql', 'tests']
for (const name of new Set(execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { encoding: 'utf8' }).split('\n').map(path => path.split('/')[0])))
	if (name && !name.startsWith('.') && !atRoot.includes(name))
		faults.push(`${name}: does not belong at the root`)

// Headers point down: no circle of includes.
const state = new Map()
function visit(path, trail) {
	if (state.get(path) === 'done')
		return
	if (state.get(path) === 'open') {
		faults.push(`${[...trail.slice(trail.indexOf(path)), path].join(' -> ')}: a circle of includes`)
		return
	}
	state.set(path, 'open')
	for (const next of includes(path))
		visit(next, [...trail, path])
	state.set(path, 'done')
}
for (const path of sources.keys())
	visit(path, [])

for (const line of faults)
	console.log(line)
console.log(`${sources.size} files, ${faults.length} faults`)
process.exitCode = faults.length > 0 ? 1 : 0
