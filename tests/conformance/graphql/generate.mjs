// GraphQL documents from a schema: valid ones, those with a fault of meaning, and those with broken text.
import { readFileSync } from 'node:fs'
import { getNamedType, getNullableType, isEnumType, isInputObjectType, isInterfaceType, isLeafType, isListType, isNonNullType, isObjectType } from 'graphql'
import { seeded } from '../../tools/random.mjs'

export function* generator(schema, seed, count) {
	const next = seeded(seed)
	const below = n => Math.floor(next() * n)
	const chance = share => next() < share
	const pick = items => items[below(items.length)]
	const composites = Object.values(schema.getTypeMap()).filter(type => (isObjectType(type) || isInterfaceType(type) || type.getTypes) && !type.name.startsWith('__'))
	const inputs = Object.values(schema.getTypeMap()).filter(type => isLeafType(type) || isInputObjectType(type))
	let faults			// how likely each thing is not what it should be
	let fragments
	let variables
	const wrong = () => chance(faults)
	const name = names => wrong() ? pick(['nope', 'id', 'name', 'x', '__typename']) : pick(names)

	function scalar(type) {
		if (wrong())
			return pick(['1', '-0', '1.5e3', '"text"', 'true', 'null', 'NOPE', '{}', '[]', '{ a: 1, a: 2 }', '12345678901', '"""b"""', '[1, "a"]'])
		return { Int: '7', Float: pick(['1', '2.5']), String: pick(['"s"', '"""\n  block\n  text"""', '"\\u00e9\\n"']), Boolean: 'true', ID: pick(['"id"', '5']) }[type.name]
			?? pick(['{ a: [1, "x"], b: $free }', '"2026-01-01"', '1'].filter(text => !text.includes('$') || chance(faults)))
	}

	function value(type, depth, constant) {
		if (!constant && chance(0.15)) {
			const variable = chance(0.2) && variables.length > 0 ? pick(variables) : { name: `v${variables.length}`, type: String(wrong() ? pick(inputs) : type) }
			if (!variables.includes(variable) && !wrong())
				variables.push(variable)
			return `$${variable.name}`
		}
		if (isNonNullType(type))
			return wrong() ? 'null' : value(type.ofType, depth, constant)
		if (chance(0.05))
			return 'null'
		if (isListType(type))
			return chance(0.2) ? value(type.ofType, depth + 1, constant) : `[${Array.from({ length: below(3) }, () => value(type.ofType, depth + 1, constant)).join(', ')}]`
		if (isEnumType(type))
			return wrong() ? scalar(type) : pick(type.getValues()).name
		if (!isInputObjectType(type))
			return scalar(type)
		const fields = Object.values(type.getFields())
		const chosen = type.isOneOf && !wrong() ? [pick(fields)] : fields.filter(field => (isNonNullType(field.type) && !wrong()) || (depth < 3 && chance(0.3)))
		if (wrong())
			chosen.push(pick(fields))
		return `{ ${chosen.map(field => `${wrong() ? 'nope' : field.name}: ${value(type.isOneOf && !wrong() ? getNullable(field.type) : field.type, depth + 1, constant)}`).join(', ')} }`
	}
	const getNullable = type => getNullableType(type)

	function directives(place) {
		let text = ''
		while (chance(0.08))
			text += pick([' @include(if: true)', ' @skip(if: false)', place === 'FIELD' || wrong() ? ' @tag(name: "a")' : '', wrong() ? ' @nope' : '',
				wrong() ? ' @include' : '', wrong() ? ' @skip(if: 1, nope: 2)' : '', wrong() ? ' @deprecated' : ''])
		return text
	}

	function args(field) {
		const chosen = field.args.filter(arg => (isNonNullType(arg.type) && !wrong()) || chance(0.4))
		if (wrong() && field.args.length > 0)
			chosen.push(pick(field.args))
		return chosen.length === 0 ? '' : `(${chosen.map(arg => `${wrong() ? 'nope' : arg.name}: ${value(arg.type, 0, false)}`).join(', ')})`
	}

	function selection(type, depth) {
		const fields = type.getFields ? Object.values(type.getFields()) : []
		if (chance(0.12) && depth > 0) {
			const fragment = chance(0.6) && fragments.length > 0 ? pick(fragments) : { name: `F${fragments.length}`, type: wrong() ? pick(composites) : pick([type, type, pick(possible(type))]) }
			if (!fragments.includes(fragment) && !wrong())
				fragments.push(fragment)
			if (fragments.includes(fragment) || wrong())
				return `...${fragment.name}${directives('SPREAD')}`
		}
		if (chance(0.12)) {
			const on = wrong() ? pick([...composites, ...inputs, { name: 'Nope' }]) : pick(possible(type))
			return `...${chance(0.8) ? ` on ${on.name}` : ''}${directives('INLINE')} ${set(composites.includes(on) ? on : type, depth + 1)}`
		}
		if (fields.length === 0 || chance(0.1))
			return `${chance(0.2) ? `${pick('abc')}: ` : ''}__typename`
		let field = pick(fields)
		if (depth > 3)
			field = fields.find(item => isLeafType(getNamedType(item.type))) ?? field
		const named = getNamedType(field.type)
		const alias = chance(0.2) ? `${pick('abcd')}: ` : ''
		const below_ = isLeafType(named) ? wrong() && chance(0.3) ? ' { id }' : '' : depth > 5 || (wrong() && chance(0.3)) ? ' { __typename }' : ` ${set(named, depth + 1)}`
		return `${alias}${wrong() ? name(fields.map(item => item.name)) : field.name}${args(field)}${directives('FIELD')}${below_}`
	}
	const possible = type => isObjectType(type) ? [type, ...type.getInterfaces()] : [type, ...schema.getPossibleTypes(type)]
	const set = (type, depth) => `{ ${Array.from({ length: 1 + below(4) }, () => selection(type, depth)).join(chance(0.5) ? ' ' : '\n')} }`

	function operation(number) {
		variables = []
		const kind = wrong() && chance(0.2) ? 'subscription' : chance(0.2) ? 'mutation' : 'query'
		const body = set(kind === 'mutation' ? schema.getMutationType() : schema.getQueryType(), 0)
		const definitions = [...variables, ...wrong() ? [{ name: 'unused', type: 'Int' }, variables[0] ?? { name: 'other', type: 'Query' }] : []]
		const head = definitions.map(variable => `$${variable.name}: ${variable.type}${chance(0.1) ? ' = null' : wrong() ? ' = 1' : ''}${wrong() ? ' @tag(name: "v")' : ''}`)
		return number === 0 && head.length === 0 && kind === 'query' && chance(0.3) ? body
			: `${kind} ${wrong() && chance(0.5) ? '' : `Q${wrong() ? 0 : number}`}${head.length > 0 ? `(${head.join(', ')})` : ''}${directives('QUERY')} ${body}`
	}

	function document() {
		fragments = []
		faults = pick([0, 0, 0.02, 0.05, 0.15])
		const parts = Array.from({ length: chance(0.2) ? 2 : 1 }, (_, number) => operation(number))
		for (let i = 0; i < fragments.length && i < 12; i++)
			parts.push(`fragment ${wrong() && chance(0.3) ? 'F0' : fragments[i].name} on ${wrong() ? pick([...inputs, ...composites, { name: 'Nope' }]).name : fragments[i].type.name}${directives('FRAGMENT')} ${set(fragments[i].type, 2)}`)
		if (wrong() && chance(0.3))
			parts.push(pick(['type T { a: Int }', 'extend type Query @tag(name: "x")', 'fragment Unused on User { id }', 'scalar S', '{ me { id } }']))
		return parts.join('\n')
	}

	// Cut, doubled, swapped or strange pieces of a text.
	function broken(text) {
		for (let i = 1 + below(3); i > 0; i--) {
			const at = below(text.length + 1)
			const cut = at + below(6)
			text = pick([() => text.slice(0, at) + text.slice(cut), () => text.slice(0, at) + text.slice(at, cut) + text.slice(at),
				() => text.slice(0, at) + pick(tokens) + text.slice(at), () => text.slice(0, at)])()
		}
		return text
	}

	yield * kitchen
	for (let i = 0; i < count; i++) {
		const text = document()
		yield chance(0.3) ? broken(text) : text
	}
}

const tokens = ['{', '}', '(', ')', '[', ']', ':', '!', '=', '@', '$', '|', '&', '...', '..', '.', '#', ',', '\ufeff', '"', '"""', '\\', '"\\u{1F600}"', '"\\uD83D\\uDE00"', '"\\uD83D"',
	'"\\q"', '-', '01', '1.', '.5', '1e', '0x1', '1a', 'é', '😀', '\n', '\r\n', '\r', '\t', '\u0007', "'", 'on', 'fragment', 'true', 'null', '"""a\\"""b"""', 'extend', 'repeatable', '?']
const kitchen = readFileSync(new URL('kitchen_sink.graphql', import.meta.url), 'utf8').split('\n=====\n')
