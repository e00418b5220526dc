// Page 1 against page 2,000 of a big module, by cursor: node depth.mjs (the database from PGHOST and so on).
//
// Walks there first, then times both pages in turn on one connection and takes the medians. Prints a Markdown table and the
// plans of the page queries, as auto_explain shows them.
import { performance } from 'node:perf_hooks'
import pg from 'pg'

const PAGES = Number(process.env.BENCH_PAGES ?? 2000)
const ROUNDS = 300
const WALKS = [
	['default order', null, null],
	['sort `occurred_at`', null, 'occurred_at'],
	['filter `severity=high`, sort `-occurred_at`', '{"severity":"high"}', '-occurred_at'],
	['filter `state=Texas`, sort `occurred_at`', '{"state":"Texas"}', 'occurred_at'],
]
const client = new pg.Client({ host: process.env.PGHOST, port: process.env.PGPORT, user: 'postgres', database: process.env.PGDATABASE })
await client.connect()
await client.query("SELECT qehs.use_tenant('depth')")

async function page(filter, sort, cursor) {
	const { rows } = await client.query({ name: 'page', rowMode: 'array', values: [filter, sort, cursor],
		text: "SELECT qehs.record_list('incidents', $1::jsonb, sort => $2, cursor => $3, page_size => 50)::text" })
	return rows[0][0]
}
const cursorOf = text => /"nextCursor":"([^"]*)"/.exec(text.slice(-400))?.[1] ?? null
const median = list => list.sort((a, b) => a - b)[list.length >> 1]

async function explain(filter, sort, cursor) {
	const plans = []
	const listen = notice => plans.push(notice.message)
	client.on('notice', listen)
	await client.query(`LOAD 'auto_explain'; SET auto_explain.log_min_duration = 0; SET auto_explain.log_nested_statements = on;
		SET auto_explain.log_analyze = on; SET auto_explain.log_buffers = on; SET auto_explain.log_timing = off;
		SET client_min_messages = log`)
	await page(filter, sort, cursor)
	await client.query('SET auto_explain.log_min_duration = -1; SET client_min_messages = notice')
	client.off('notice', listen)
	const plan = plans.find(text => /qehs[.]record\b/.test(text) && /Limit/.test(text)) ?? plans[0] ?? 'no plan was shown'
	return plan.slice(Math.max(0, plan.indexOf('\nLimit')) + 1).replace(/^/gm, '    ')
}

console.log('| walk | page 1, ms | page %s, ms | ratio |'.replace('%s', PAGES.toLocaleString('en')))
console.log('|---|---|---|---|')
const notes = []
for (const [name, filter, sort] of WALKS) {
	let cursor = null
	let walked = 1
	for (; walked < PAGES; walked++) {
		const next = cursorOf(await page(filter, sort, cursor))
		if (next === null) break
		cursor = next
	}
	const times = [[], []]
	for (let i = 0; i < ROUNDS; i++) {
		for (const side of [0, 1]) {
			const started = performance.now()
			await page(filter, sort, side ? cursor : null)
			times[side].push(performance.now() - started)
		}
	}
	const [first, deep] = times.map(median)
	console.log(`| ${name}${walked < PAGES ? ` (${walked} pages)` : ''} | ${first.toFixed(2)} | ${deep.toFixed(2)} | ${(deep / first).toFixed(2)} |`)
	for (const [number, at] of [[1, null], [walked, cursor]])
		notes.push(`Page ${number} of: ${name}\n\n${await explain(filter, sort, at)}`)
}
console.log(`\n${notes.join('\n\n')}`)
await client.end()
