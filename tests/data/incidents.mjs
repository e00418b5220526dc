#!/usr/bin/env node
// The sample data as payloads of the module incidents, one JSON object a line.
//
//   tests/data/incidents.mjs [--from N] [--limit N] [--narratives] [--envelope]
//
// --from skips N rows, --narratives gives the narratives instead of the coded reports, --envelope writes
// {"payload":{…}} instead of the payload alone. As a module: reports() and narratives() give the payloads.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { brotliDecompressSync } from 'node:zlib'

const DAY = 86_400_000
const FIRST_DAY = Date.UTC(2015, 0, 1)
const DAYS = 1096 // 2015 to 2017

function read() {
	const lines = brotliDecompressSync(readFileSync(new URL('reports.br', import.meta.url))).toString('utf8').split('\n')
	const head = JSON.parse(lines[0])
	const columns = {}
	head.columns.forEach((name, i) => {
		const values = JSON.parse(lines[1 + 2 * i])
		columns[name] = lines[2 + 2 * i].split(' ').map(code => values[parseInt(code, 36)])
	})
	const start = 1 + 2 * head.columns.length
	return { columns, count: head.reports, narratives: lines.slice(start, start + head.narratives) }
}

// The source names no day: rows are spread evenly over the three years in the order of the file.
function occurredAt(index, count) {
	const minute = (index * 389) % 1440
	return new Date(FIRST_DAY + Math.floor(index * DAYS / count) * DAY + minute * 60_000).toISOString()
}

function eventType(event) {
	if (/fire|explosion|ignition/i.test(event)) return 'fire_explosion'
	if (/\b(vehicles?|roadway|pedestrians?|aircraft|rail|truck|forklift)\b/i.test(event)) return 'vehicle'
	if (/intentional|shooting|stabbing|hitting, kicking|restraining|robbery/i.test(event)) return 'security'
	return 'injury_illness'
}

function severity(hospitalized, amputation, nature) {
	if (hospitalized + amputation > 1) return 'critical'
	if (amputation > 0 || /fracture|intracranial|third degree|electrocution|asphyxia|crush/i.test(nature)) return 'high'
	return hospitalized > 0 ? 'medium' : 'low'
}

const titleCase = text => text.toLowerCase().replace(/(^|[\s(-])[a-z]/g, match => match.toUpperCase())

export function* reports(from = 0, limit = Infinity) {
	const { columns, count } = read()
	for (let i = from; i < Math.min(count, from + limit); i++) {
		const row = Object.fromEntries(Object.entries(columns).map(([name, values]) => [name, values[i]]))
		const hospitalized = Number(row.hospitalized || 0)
		const amputation = Number(row.amputation || 0)
		const payload = {
			title: `${row.nature}: ${row.event}`,
			occurred_at: occurredAt(i, count),
			event_type: eventType(row.event),
			description: `${row.event}. Source: ${row.source.replace(/[.]$/, '')}.`,
			severity: severity(hospitalized, amputation, row.nature),
			actual_severity: hospitalized + amputation > 0 ? 'lost_time' : 'medical_treatment',
			regulator_notifiable: 'osha_24h',
			state: titleCase(row.state),
			naics: row.naics,
			nature: row.nature,
			event: row.event,
			source: row.source,
			hospitalized,
		}
		if (row.amputation !== '') payload.amputation = amputation
		if (row.inspection !== '') payload.inspection = row.inspection
		yield payload
	}
}

export function* narratives(from = 0, limit = Infinity) {
	const texts = read().narratives
	for (let i = from; i < Math.min(texts.length, from + limit); i++) {
		const sentence = texts[i].match(/^.+?[.!?](?=\s|$)/)?.[0] ?? texts[i]
		yield {
			title: sentence.length > 160 ? `${sentence.slice(0, 159).trimEnd()}…` : sentence,
			occurred_at: occurredAt(i, texts.length),
			event_type: eventType(texts[i]),
			description: texts[i],
			severity: severity(1, /amputat/i.test(texts[i]) ? 1 : 0, texts[i]),
			actual_severity: 'lost_time',
			regulator_notifiable: 'osha_24h',
		}
	}
}

function main(args) {
	const number = (flag, otherwise) => {
		const at = args.indexOf(flag)
		if (at < 0) return otherwise
		if (!/^\d+$/.test(args[at + 1] ?? '')) {
			console.error(`incidents.mjs: ${flag} takes a number`)
			process.exit(2)
		}
		return Number(args[at + 1])
	}
	const source = args.includes('--narratives') ? narratives : reports
	let chunk = ''
	for (const payload of source(number('--from', 0), number('--limit', Infinity))) {
		chunk += JSON.stringify(args.includes('--envelope') ? { payload } : payload) + '\n'
		if (chunk.length > 1 << 16) {
			process.stdout.write(chunk)
			chunk = ''
		}
	}
	process.stdout.write(chunk)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
	// a reader such as head that has had enough is no error
	process.stdout.on('error', error => process.exit(error.code === 'EPIPE' ? 0 : 1))
	main(process.argv.slice(2))
}
