// ajv as it is, and ajv with its known faults mended one by one. Where ajv and the extension differ, a difference is
// explained only when a mended ajv gives the extension's answer for that very pair; the mend then names the fault. The
// mends hold to the specification: with them ajv holds seven more tests of the official suite, and none less.
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)
const Ajv = require('ajv/dist/2020').default
const { _, and, or, Name } = require('ajv/dist/compile/codegen')
const { evaluatedPropsToName } = require('ajv/dist/compile/util')
const code = require('ajv/dist/vocabularies/code')

const options = { strict: false, meta: false, unicodeRegExp: true, logger: false, validateSchema: false, addUsedSchema: false }

// the keyword of ajv's own, with something done to the context of its code beforehand
const mend = (instance, keyword, before) => {
	const rule = instance.RULES.all[keyword]
	const own = rule.definition.code
	rule.definition = { ...rule.definition, code: (cxt, type) => {
		before(cxt)
		own(cxt, type)
	} }
}
const nameEvaluated = ({ gen, it }) => {
	if (it.props !== true && !(it.props instanceof Name)) it.props = evaluatedPropsToName(gen, it.props)
	if (it.items !== true && !(it.items instanceof Name)) it.items = gen.var('items', it.items ?? 0)
}
// "missing = name" is the condition, which the empty name does not meet
const missingProp = ({ gen, data, it: { opts } }, names, missing) => or(...names.map(name =>
	and(code.noPropertyInData(gen, data, name, opts.ownProperties), _`((${missing} = ${name}), true)`)))
const exactMultiple = (value, divisor) => {
	const parts = number => {
		const [, sign, whole, fraction = '', exponent = '0'] = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(String(number))
		return { digits: BigInt(sign + whole + fraction), scale: Number(exponent) - fraction.length }
	}
	const a = parts(value)
	const b = parts(divisor)
	const least = Math.min(a.scale, b.scale)
	return a.digits * 10n ** BigInt(a.scale - least) % (b.digits * 10n ** BigInt(b.scale - least)) === 0n
}
const faults = {
	'it takes the empty name for given': {
		mend: instance => {
			for (const keyword of ['required', 'dependentRequired']) {
				const rule = instance.RULES.all[keyword]
				const own = rule.definition.code
				rule.definition = { ...rule.definition, code: cxt => {
					const before = code.checkMissingProp
					code.checkMissingProp = missingProp
					try {
						own(cxt)
					} finally {
						code.checkMissingProp = before
					}
				} }
			}
		},
	},
	'it counts multiples with floats': {
		mend: instance => {
			const rule = instance.RULES.all.multipleOf
			rule.definition = { ...rule.definition, code: cxt => {
				const multiple = cxt.gen.scopeValue('func', { ref: exactMultiple, code: _`undefined` })
				cxt.fail$data(_`!${multiple}(${cxt.data}, ${cxt.schemaCode})`)
			} }
		},
	},
	// validateTuple tests a "valid" that is undefined, or left by another array, when the array has no such item
	'it skips the keywords after a prefixItems that is longer than the array': {
		mend: instance => mend(instance, 'prefixItems', cxt => {
			const subschema = cxt.subschema.bind(cxt)
			const ok = cxt.ok.bind(cxt)
			let index
			cxt.subschema = (applied, name) => {
				index = applied.schemaProp
				return subschema(applied, name)
			}
			cxt.ok = valid => ok(_`${cxt.data}.length <= ${index} || ${valid}`)
		}),
	},
	// so does contains where one item is enough: in a loop, an empty array takes over what the array before it came to
	'it lets an empty array pass "contains" when the array before it did': {
		mend: instance => mend(instance, 'contains', cxt => {
			const { minContains = 1, maxContains } = cxt.parentSchema
			const result = cxt.result.bind(cxt)
			if (minContains === 1 && maxContains === undefined) cxt.result = (valid, ...then) => result(_`${cxt.data}.length > 0 && ${valid}`, ...then)
		}),
	},
	// unevaluatedItems counts from undefined (no item is looked at) or from true (as from 1)
	'it takes an unknown number of evaluated items for all, and "all" for one': {
		mend: instance => mend(instance, 'unevaluatedItems', ({ gen, it }) => {
			if (it.items instanceof Name) gen.assign(it.items, _`${it.items} === true ? Infinity : ${it.items} || 0`)
		}),
	},
	// core 10.2.2.1: its annotations count without "then" and "else" too, which here get one that always holds
	'it passes over an "if" without "then" and "else"': {
		mend: () => {},
		rewrite: function rewrite (schema) {
			if (schema === null || typeof schema !== 'object') return schema
			if (Array.isArray(schema)) return schema.map(rewrite)
			const made = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, rewrite(value)]))
			return made.if === undefined || made.then !== undefined || made.else !== undefined ? made : { ...made, then: { allOf: [true] } }
		},
	},
	// merging in a branch makes the variable there: without that branch it is undefined, and what went before is lost
	'it forgets what was evaluated before a branch that fails': {
		mend: instance => {
			for (const keyword of ['anyOf', 'oneOf', 'dependentSchemas', 'if']) mend(instance, keyword, nameEvaluated)
		},
	},
	// validateIf merges whatever "if" evaluated; core 7.7.1.2: a schema that fails has no annotations
	'it counts what a failed "if" evaluated': {
		mend: instance => mend(instance, 'if', cxt => {
			nameEvaluated(cxt)
			const subschema = cxt.subschema.bind(cxt)
			const merge = cxt.mergeEvaluated.bind(cxt)
			let valid
			cxt.subschema = (applied, name) => {
				valid = name
				return subschema(applied, name)
			}
			cxt.mergeEvaluated = (inner, toName) => toName ? merge(inner, toName) : cxt.mergeValidEvaluated(inner, valid)
		}),
	},
}

export const metaschema = new Ajv({ strict: false, logger: false })
export const compile = schema => new Ajv(options).compile(schema)

const mended = (which, schema) => {
	const instance = new Ajv(options)
	for (const fault of which) {
		fault.mend(instance)
		if (fault.rewrite) schema = fault.rewrite(schema)
	}
	return instance.compile(schema)
}
// the fault of ajv's for which it does not say "expected" of the pair; undefined if no known one explains it
export const explained = (schema, value, expected) => {
	const says = which => {
		try {
			return mended(which, schema)(value)
		} catch {
			return undefined
		}
	}
	for (const [name, fault] of Object.entries(faults)) if (says([fault]) === expected) return name
	return says(Object.values(faults)) === expected ? 'several of these at once' : undefined
}
