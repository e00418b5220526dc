// A schema of graphql-js as C initialisers of GraphqlSchema (extension/graphql/schema.h), for check.c.
import { GraphQLNonNull, isEnumType, isInputObjectType, isInterfaceType, isListType, isNonNullType, isObjectType,
	isScalarType, isUnionType } from 'graphql'

const text = value => `{${JSON.stringify(value)}, ${Buffer.byteLength(value)}}`
const builtIn = { Int: 'INT', Float: 'FLOAT', String: 'STRING', Boolean: 'BOOLEAN', ID: 'ID' }
const locations = ['QUERY', 'MUTATION', 'SUBSCRIPTION', 'FIELD', 'FRAGMENT_DEFINITION', 'FRAGMENT_SPREAD', 'INLINE_FRAGMENT', 'VARIABLE_DEFINITION']

export function schemaSource(schema) {
	const types = Object.values(schema.getTypeMap()).sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)))
	const wrapped = new Map()
	const lines = []
	const reference = type => {
		if (!isListType(type) && !isNonNullType(type))
			return `&type_${type.name}`
		const key = String(type)
		if (!wrapped.has(key)) {
			const of = reference(type.ofType)
			wrapped.set(key, `wrapped_${wrapped.size}`)
			lines.push(`static const GraphqlType ${wrapped.get(key)} = {.kind = GRAPHQL_TYPE_${isListType(type) ? 'LIST' : 'NON_NULL'}, .of = ${of}};`)
		}
		return `&${wrapped.get(key)}`
	}
	const list = (name, type, items) => {
		if (items.length === 0)
			return 'NULL'
		lines.push(`static const ${type} ${name}[] = {\n\t${items.join(',\n\t')}\n};`)
		return name
	}
	const hasDefault = input => input.default !== undefined || input.defaultValue !== undefined
	const inputs = (name, args) => list(name, 'GraphqlInput', args.map(input =>
		`{${text(input.name)}, NULL, ${reference(input.type)}, ${hasDefault(input) ? '"given"' : 'NULL'}, NULL}`))
	const field = (name, { name: key, type, args }) =>
		`{${text(key)}, NULL, ${reference(type)}, ${args.length}, ${inputs(`${name}_${key}`, args)}, NULL, NULL}`
	for (const type of types)
		lines.push(`static const GraphqlType type_${type.name};`)
	for (const type of types) {
		const name = type.name
		const kind = isScalarType(type) ? 'SCALAR' : isObjectType(type) ? 'OBJECT' : isInterfaceType(type) ? 'INTERFACE' : isUnionType(type) ? 'UNION'
			: isEnumType(type) ? 'ENUM' : 'INPUT_OBJECT'
		const members = [`.kind = GRAPHQL_TYPE_${kind}`, `.name = ${text(name)}`]
		const fields = isObjectType(type) || isInterfaceType(type) ? Object.values(type.getFields()) : []
		const set = (member, itemType, items) => members.push(`.${member}_count = ${items.length}`,
			`.${{ possible: 'possible' }[member] ?? member + 's'} = ${list(`${member}s_${name}`, itemType, items)}`)
		set('field', 'GraphqlField', fields.map(item => field(`arguments_${name}`, item)))
		if (isScalarType(type))
			members.push(`.scalar = GRAPHQL_SCALAR_${builtIn[name] ?? 'CUSTOM'}`)
		if (isInputObjectType(type)) {
			const items = Object.values(type.getFields())
			members.push(`.input_count = ${items.length}`, `.inputs = ${inputs(`inputs_${name}`, items)}`, `.is_one_of = ${Boolean(type.isOneOf)}`)
		}
		if (isEnumType(type))
			set('value', 'GraphqlEnumValue', type.getValues().map(value => `{${text(value.name)}, NULL, NULL, NULL}`))
		if (isObjectType(type) || isInterfaceType(type))
			set('interface', 'GraphqlType *const', type.getInterfaces().map(reference))
		if (isUnionType(type) || isInterfaceType(type))
			set('possible', 'GraphqlType *const', schema.getPossibleTypes(type).map(reference))
		lines.push(`static const GraphqlType type_${name} = {${members.join(', ')}};`)
	}
	list('all_types', 'GraphqlType *const', types.map(reference))
	const directives = schema.getDirectives()
	list('all_directives', 'GraphqlDirective', directives.map(directive => {
		const bits = directive.locations.filter(location => locations.includes(location)).map(location => `GRAPHQL_ON_${location}`)
		return `{${text(directive.name)}, NULL, ${bits.join(' | ') || 0}, ${directive.args.length}, ${inputs(`directive_${directive.name}`, directive.args)}, ${directive.isRepeatable}}`
	}))
	const meta = { schema_field: ['__schema', '__Schema', []], type_field: ['__type', '__Type', ['name']], typename_field: ['__typename', 'String', []] }
	for (const [name, [key, type, args]] of Object.entries(meta)) {
		const result = name === 'type_field' ? schema.getType(type) : new GraphQLNonNull(schema.getType(type))
		const items = inputs(`${name}_arguments`, args.map(argument => ({ name: argument, type: new GraphQLNonNull(schema.getType('String')) })))
		lines.push(`static const GraphqlField ${name} = {${text(key)}, NULL, ${reference(result)}, ${args.length}, ${items}, NULL, NULL};`)
	}
	lines.push(`static const GraphqlSchema schema = {${types.length}, all_types, &type_${schema.getQueryType().name}, &type_${schema.getMutationType().name}, NULL,`,
		`\t${directives.length}, all_directives, &schema_field, &type_field, &typename_field};`)
	return `#include "graphql/schema.h"\n${lines.join('\n')}\n`
}
