// Circles of files, by symbols: node tests/tools/circles.mjs, after make. Prints those that are not allowed, and fails then.
//
// A file uses another when its object file needs a function or variable that the other's defines (nm). Files that reach each other over
// such uses are a circle: none can be understood, tested or moved without the rest.
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'

process.chdir(new URL('../..', import.meta.url).pathname)

// Recursion within one algorithm: the files walk one tree together.
const recursion = [
	{ reason: 'a value is checked member by member, and members are values',
		files: ['extension/schema/containers.c', 'extension/schema/validate.c'] },
	{ reason: 'recursive descent: type definitions hold values, types and directives',
		files: ['extension/graphql/parser.c', 'extension/graphql/parser_types.c'] },
]
// Circles still to be opened, with who does it; each goes when its seam is rebuilt.
const notYet = [
]

const paths = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', 'extension', 'shim'], { encoding: 'utf8' })
	.split('\n').filter(path => path.endsWith('.c') && existsSync(path))
const objectOf = path => (path.startsWith('shim/') ? `build/qehs-shim.o/${path}` : path).replace(/c$/, 'o')

// Per program: who defines a symbol, and what each file needs.
function symbols(path) {
	const defined = []
	const needed = []
	for (const line of execFileSync('nm', ['--format=posix', objectOf(path)], { encoding: 'utf8' }).split('\n')) {
		const [name, type] = line.split(' ')
		if (type === 'U')
			needed.push(name)
		else if (/^[TDBRVWC]$/.test(type ?? ''))
			defined.push(name)
	}
	return { path, defined, needed }
}
const files = paths.map(symbols)
const program = path => path.split('/')[0]
const owner = new Map(files.flatMap(file => file.defined.map(name => [`${program(file.path)} ${name}`, file.path])))
// path -> path -> the symbols that it uses of it
const uses = new Map(files.map(({ path, needed }) => {
	const of = new Map()
	for (const name of needed) {
		const other = owner.get(`${program(path)} ${name}`)
		if (other && other !== path)
			of.set(other, [...of.get(other) ?? [], name])
	}
	return [path, of]
}))

// Strongly connected components (Tarjan 1972).
const circles = []
const index = new Map()
const low = new Map()
const stack = []
function visit(path) {
	index.set(path, index.size)
	low.set(path, index.get(path))
	stack.push(path)
	for (const next of uses.get(path).keys()) {
		if (!index.has(next)) {
			visit(next)
			low.set(path, Math.min(low.get(path), low.get(next)))
		} else if (stack.includes(next))
			low.set(path, Math.min(low.get(path), index.get(next)))
	}
	if (low.get(path) === index.get(path)) {
		const circle = stack.splice(stack.indexOf(path))
		if (circle.length > 1)
			circles.push(circle.sort())
	}
}
for (const path of uses.keys())
	if (!index.has(path))
		visit(path)

let faults = 0
for (const circle of circles) {
	const allowed = [...recursion, ...notYet].find(({ files: named }) => circle.every(path => named.includes(path)))
	if (allowed && !process.argv.includes('--all'))
		continue
	faults++
	console.log(`a circle of ${circle.length} files:`)
	for (const path of circle)
		for (const [other, names] of uses.get(path))
			if (circle.includes(other))
				console.log(`  ${path} -> ${other}: ${names.join(' ')}`)
}
// what is listed and no circle any more is to be taken out of the list
for (const { files: named } of [...recursion, ...notYet])
	if (!circles.some(circle => circle.every(path => named.includes(path)))) {
		faults++
		console.log(`no circle any more, to be taken out of tests/tools/circles.mjs: ${named.join(' ')}`)
	}
console.log(`${files.length} files, ${circles.length} circles, ${faults} faults`)
process.exitCode = faults > 0 ? 1 : 0
