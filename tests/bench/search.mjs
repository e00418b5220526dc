// What q costs: node tests/bench/search.mjs (the database with the extension from PGHOST and so on; BENCH_RECORDS, default 1,000,000).
//
// Loads sentences of words that are as common as words are (Zipf's law), with words of known frequency among them, into a module whose
// text is searched and one whose text is not, and takes the medians of each question's first page, and the processor time of the server
// process, which other work on the machine hardly changes. Prints Markdown tables.
import { readFileSync } from 'node:fs'
import { performance } from 'node:perf_hooks'
import pg from 'pg'

const RECORDS = Number(process.env.BENCH_RECORDS ?? 1_000_000)
const CHUNK = 5000
const ROUNDS = 15
const client = new pg.Client({ host: process.env.PGHOST, port: process.env.PGPORT, user: process.env.PGUSER ?? 'postgres', database: process.env.PGDATABASE })
await client.connect()
const tenant = `search${Date.now()}`
await client.query("SELECT qehs.tenant_create($1, 'Search')", [tenant])
await client.query('SELECT qehs.use_tenant($1)', [tenant])

const { rows: [{ pid }] } = await client.query('SELECT pg_backend_pid() AS pid')
// milliseconds of processor time that the server process has had
const processor = () => Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[0]) / 1e6

let seed = 1
const random = () => ((seed = Math.imul(seed, 1664525) + 1013904223 >>> 0) / 2 ** 32)
const syllables = ['ba', 'co', 'di', 'fe', 'gu', 'ha', 'ji', 'ko', 'lu', 'me', 'no', 'pi', 'qua', 'ro', 'su', 'te', 'vi', 'wo', 'xe', 'zu']
const word = rank => {
	let text = ''
	for (let left = rank + 20; left > 0; left = Math.floor(left / 20)) text += syllables[left % 20]
	return text
}
const zipf = () => word(Math.floor(30_000 ** random()))
const sentence = n => [...Array.from({ length: 18 }, zipf), 'everywhere', n % 2 ? 'red' : 'blue', n < RECORDS / 2 && 'formerly', n % 10 === 3 && 'often',
	n % 1000 === 7 && 'seldom', n === Math.floor(RECORDS / 3) && 'once', `AB-${n}/7`].filter(Boolean).join(' ')

async function load(key, searchable, count) {
	await client.query('SELECT qehs.module_publish($1, $2)', [key, JSON.stringify({ key, name: key, displayCode: { prefix: 'S' },
		fields: [{ key: 'title', type: 'text', searchable }, { key: 'size', type: 'integer', indexed: true }], workflow: { states: ['open'], initial: 'open' } })])
	let spent = 0
	for (let begin = 0; begin < count; begin += CHUNK) {
		const lines = Buffer.from(Array.from({ length: CHUNK }, (_, i) => JSON.stringify({ title: sentence(begin + i), size: (begin + i) % 100 })).join('\n') + '\n')
		const started = processor()
		await client.query('SELECT count(*) FROM qehs.bulk_load($1, $2)', [key, lines])
		spent += processor() - started
	}
	return spent / count * 1000
}
const median = list => list.sort((a, b) => a - b)[list.length >> 1]

const sample = Math.min(RECORDS, 100_000)
const plain = await load('plain', false, sample)
const searched = await load('searched', true, RECORDS)
await client.query('VACUUM ANALYZE qehs.record')
const { rows: [{ size }] } = await client.query("SELECT pg_size_pretty(pg_relation_size('qehs.record_search')) AS size")
console.log(`${RECORDS.toLocaleString('en')} records of some 21 words; processor time of a row loaded ${searched.toFixed(0)} µs, without search ${plain.toFixed(0)} µs; index of words ${size}.\n`)
console.log('| q | sort | found on the page | processor, ms | wall, median, ms |\n|---|---|---|---|---|')
const questions = [
	['everywhere'], ['formerly'], ['often'], ['seldom'], ['once'], ['never'], ['e'], ['ev'], ['ba'], ['zuzuz'], ['red blue'], ['everywhere once'], ['everywhere never'],
	['ab-77/7'], ['ab-77'], ['AB'], ['"everywhere red"'], ['everywhere -often'], ['seldom or once'],
	['everywhere bacodi fegu haji kolu meno piqua rosu tevi woxe zu'],
	['"red everywhere"'], ['"often red"'], ['ba co di fe gu ha ji ko lu me no pi ro su te red blue everywhere'],
	['everywhere', '-createdAt'], ['often', '-createdAt'], ['seldom', '-createdAt'], ['seldom', 'size'], ['never', '-size'], ['often', 'size'],
]
for (const [q, sort = null] of questions) {
	const times = []
	let found
	let more
	let started = 0
	for (let i = 0; i <= ROUNDS; i++) {
		// the first round reads from disk and plans
		if (i === 1) started = processor()
		const begun = performance.now()
		const { rows } = await client.query({ name: 'page', rowMode: 'array', values: [q, sort],
			text: "SELECT json_array_length(page -> 'items'), page ->> 'nextCursor' IS NOT NULL FROM qehs.record_list('searched', q => $1, sort => $2) AS page" })
		times.push(performance.now() - begun)
		;[found, more] = rows[0]
	}
	const spent = (processor() - started) / ROUNDS
	console.log(`| \`${q}\` | ${sort ?? ''} | ${found}${more ? ', more' : ''} | ${spent.toFixed(1)} | ${median(times).toFixed(1)} |`)
}
await client.end()
