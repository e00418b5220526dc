// Makes reports.br from the two CSV files of the source: node pack.mjs REPORTS.csv NARRATIVES.csv
//
// The form (README.md) is text under Brotli: a line of JSON that counts, then two lines for each column, its distinct
// values and a code for each row, then one narrative a line. Columns compress several times better than rows do.
import { readFileSync, writeFileSync } from 'node:fs'
import { brotliCompressSync, constants } from 'node:zlib'

const COLUMNS = ['state', 'naics', 'nature', 'event', 'source', 'hospitalized', 'amputation', 'inspection']

function parseCsv(text) {
	const rows = []
	let row = []
	let field = ''
	let quoted = false
	for (let i = 0; i < text.length; i++) {
		const c = text[i]
		if (quoted) {
			if (c !== '"') field += c
			else if (text[i + 1] === '"') field += text[i++]
			else quoted = false
		} else if (c === '"') quoted = true
		else if (c === ',' || c === '\n') {
			row.push(field.trim())
			field = ''
			if (c === '\n') {
				rows.push(row)
				row = []
			}
		} else if (c !== '\r') field += c
	}
	return rows
}

const reports = parseCsv(readFileSync(process.argv[2], 'utf8')).slice(1)
const narratives = parseCsv(readFileSync(process.argv[3], 'utf8')).slice(1).map(row => row[0].replace(/\s+/g, ' '))
const lines = [JSON.stringify({ reports: reports.length, narratives: narratives.length, columns: COLUMNS })]
for (const column of COLUMNS.keys()) {
	const counts = new Map()
	for (const row of reports) counts.set(row[column], (counts.get(row[column]) ?? 0) + 1)
	const values = [...counts.keys()].sort((a, b) => counts.get(b) - counts.get(a))
	const codes = new Map(values.map((value, code) => [value, code.toString(36)]))
	lines.push(JSON.stringify(values), reports.map(row => codes.get(row[column])).join(' '))
}
const text = [...lines, ...narratives, ''].join('\n')
writeFileSync(new URL('reports.br', import.meta.url), brotliCompressSync(text, {
	params: {
		[constants.BROTLI_PARAM_QUALITY]: 11,
		[constants.BROTLI_PARAM_LGWIN]: 24,
		[constants.BROTLI_PARAM_SIZE_HINT]: text.length,
	},
}))
