// graphql-codegen's client preset over the live schema; the places come by environment.
export default {
	schema: [{ [process.env.QEHS_GRAPHQL]: { headers: { authorization: `Bearer ${process.env.QEHS_KEY}` } } }],
	documents: [process.env.QEHS_DOCUMENTS],
	importExtension: '.js',
	emitLegacyCommonJSImports: false,
	generates: {
		[process.env.QEHS_GENERATED]: {
			preset: 'client', presetConfig: { fragmentMasking: false },
			config: { useTypeImports: true, scalars: { DateTime: 'string', Date: 'string', Decimal: 'string', BigInt: 'number | string' } },
		},
	},
}
