// Requests from an OpenAPI document: valid ones, and ones that break it in one place.
//
// A generator of random values for the JSON Schema that our documents use, with a seed, so that a failure comes again.

import { seeded } from '../../tools/random.mjs'

export class Random {
	constructor(seed) { this.next = seeded(seed) }
	int(low, high) { return low + Math.floor(this.next() * (high - low + 1)) }
	chance(probability) { return this.next() < probability }
	pick(list) { return list[this.int(0, list.length - 1)] }
}

const LETTERS = [...'abcdefghijklmnopqrstuvwxyz ABCXYZ0123456789-_.,:;!?/\\"\'<>&%#äßéñ漢字🙂\n\t']

// Text that a pattern of our documents takes: literals, classes, groups, alternatives, counts.
export function fromPattern(pattern, random) {
	let at = 0
	const count = () => {
		const found = /^(?:\{(\d+)(?:,(\d*))?\}|([*+?]))/.exec(pattern.slice(at))
		if (!found) return 1
		at += found[0].length
		if (found[3]) return random.int(found[3] === '+' ? 1 : 0, found[3] === '?' ? 1 : 3)
		const low = Number(found[1])
		return random.int(low, found[2] === undefined ? low : found[2] === '' ? low + 3 : Number(found[2]))
	}
	// a character of a class, also \uXXXX; at stands behind it then
	const character = () => {
		if (pattern[at] !== '\\') return pattern[at++]
		const code = /^\\u([0-9a-f]{4})/i.exec(pattern.slice(at))
		at += code ? code[0].length : 2
		return code ? String.fromCharCode(parseInt(code[1], 16)) : pattern[at - 1]
	}
	const set = () => {
		const members = []
		const negated = pattern[++at] === '^'
		if (negated) at++
		while (pattern[at] !== ']') {
			const low = character()
			if (pattern[at] === '-' && pattern[at + 1] !== ']') {
				at++
				const high = character()
				for (let c = low.charCodeAt(0); c <= high.charCodeAt(0); c++) members.push(String.fromCharCode(c))
			} else members.push(low)
		}
		at++
		return negated ? LETTERS.filter(letter => !members.includes(letter)) : members
	}
	const alternatives = () => {
		const all = [[]]
		while (at < pattern.length && pattern[at] !== ')') {
			let atom
			if (pattern[at] === '|') {
				at++
				all.push([])
				continue
			} else if (pattern[at] === '^' || pattern[at] === '$') {
				at++
				continue
			} else if (pattern[at] === '(') {
				at++
				atom = alternatives()
				at++
			} else if (pattern[at] === '[') {
				const members = set()
				atom = () => random.pick(members)
			} else {
				const c = pattern[at] === '\\' ? pattern[++at] : pattern[at]
				at++
				atom = () => c === '.' ? 'a' : c
			}
			const times = count()
			all.at(-1).push(() => Array.from({ length: times }, atom).join(''))
		}
		return () => random.pick(all).map(part => part()).join('')
	}
	return alternatives()()
}

export class Generator {
	constructor(document, random) {
		this.document = document
		this.random = random
	}

	resolve(schema) {
		while (schema?.$ref) schema = schema.$ref.slice(2).split('/').reduce((value, part) => value[decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~')], this.document)
		return schema
	}

	text(schema) {
		const random = this.random
		if (schema.contentMediaType === 'application/json') return '{}'
		if (schema.pattern && !schema.format) {
			for (let round = 0; round < 50; round++) {
				const text = fromPattern(schema.pattern, random) + (schema.pattern.endsWith('$') ? '' : this.letters(schema.minLength ?? 0, 20))
				if ([...text].length >= (schema.minLength ?? 0) && [...text].length <= (schema.maxLength ?? Infinity)) return text
			}
		}
		const day = () => `20${random.int(10, 39)}-${String(random.int(1, 12)).padStart(2, '0')}-${String(random.int(1, 28)).padStart(2, '0')}`
		switch (schema.format) {
			case 'date': return day()
			case 'date-time': return `${day()}T${String(random.int(0, 23)).padStart(2, '0')}:${random.int(10, 59)}:${random.int(10, 59)}${random.pick(['Z', '.5Z', '.123+02:00', '-11:30'])}`
			case 'email': return `a${random.int(0, 999)}@example.com`
			case 'uri': return `https://example.com/${random.int(0, 999)}?x=%20`
			case 'duration': return `PT${random.int(1, 9)}H`
		}
		return this.letters(schema.minLength ?? 0, Math.min(schema.maxLength ?? 30, (schema.minLength ?? 0) + 30))
	}

	letters(low, high) {
		return Array.from({ length: this.random.int(low, high) }, () => this.random.pick(LETTERS)).join('')
	}

	number(schema, whole) {
		const low = schema.minimum ?? -1e6, high = schema.maximum ?? 1e6
		if (whole) return this.random.chance(0.1) ? this.random.pick([low, high]) : this.random.int(low, Math.min(high, low + 1e6))
		return this.random.chance(0.2) ? this.random.pick([low, high]) : Math.round((low + this.random.next() * (high - low)) * 100) / 100
	}

	// A value of a schema.
	value(schema, name) {
		const random = this.random
		schema = this.resolve(schema)
		if (schema === true || schema === undefined) return random.pick([null, 1, 'x', [], {}])
		if ('const' in schema) return schema.const
		if (schema.enum) return random.pick(schema.enum)
		if (schema.oneOf || schema.anyOf) return this.value(random.pick(schema.oneOf ?? schema.anyOf), name)
		if (schema.allOf && !schema.type) return this.value(schema.allOf[0], name)
		switch (Array.isArray(schema.type) ? random.pick(schema.type) : schema.type) {
			case 'null': return null
			case 'string': return this.text(schema)
			case 'integer': return this.number(schema, true)
			case 'number': return this.number(schema, false)
			case 'boolean': return random.chance(0.5)
			case 'array': {
				const items = Array.from({ length: random.int(schema.minItems ?? 0, Math.min(schema.maxItems ?? 3, 3)) }, () => this.value(schema.items))
				return schema.uniqueItems ? [...new Map(items.map(item => [JSON.stringify(item), item])).values()] : items
			}
			default: return this.object(schema)
		}
	}

	object(schema) {
		const made = {}
		const required = new Set(schema.required ?? [])
		const names = Object.keys(schema.properties ?? {})
		for (const name of names) if (required.has(name) || this.random.chance(0.4)) made[name] = this.value(schema.properties[name], name)
		for (let i = 0; Object.keys(made).length < (schema.minProperties ?? 0) && i < names.length; i++) made[names[i]] = this.value(schema.properties[names[i]], names[i])
		return made
	}
}
