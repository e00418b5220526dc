// The bench's lines of results as Markdown tables: node report.mjs FILE. A line is KIND SIDE FIGURE…; figures of a kind and
// side are its rounds, of which the median counts.
import { readFileSync } from 'node:fs'

const rounds = new Map()
for (const line of readFileSync(process.argv[2], 'utf8').trim().split('\n')) {
	const [kind, side, ...figures] = line.split(' ')
	const name = `${kind} ${side}`
	rounds.set(name, [...(rounds.get(name) ?? []), figures.map(Number)])
}
const figure = (name, column = 0) => {
	const list = rounds.get(name)?.map(row => row[column]).sort((a, b) => a - b)
	return list?.[list.length >> 1]
}
const count = value => value?.toLocaleString('en') ?? '–'
const ratio = (a, b) => a && b ? (a / b).toFixed(2) : '–'
const has = kind => [...rounds.keys()].some(name => name.startsWith(`${kind} `))
const table = (head, rows) => console.log([head, head.map(() => '---'), ...rows].map(row => `| ${row.join(' | ')} |`).join('\n') + '\n')

const kinds = [['get', 'GET a record'], ['page', 'page of 50'], ['create', 'create']].filter(([kind]) => has(kind))
if (kinds.length) {
	table(['requests a second', 'shim', 'pgbench pipeline', 'ratio', 'Fastify, pool', 'ratio', 'Fastify, pipelined', 'ratio'],
		kinds.map(([kind, name]) => {
			const [shim, bench, pool, pipeline] = ['shim', 'pgbench', 'fastify-pool', 'fastify-pipeline'].map(side => figure(`${kind} ${side}`))
			return [name, count(shim), count(bench), `**${ratio(shim, bench)}**`, count(pool), `**${ratio(shim, pool)}**`,
				count(pipeline), ratio(shim, pipeline)]
		}))
	table(['per request', 'shim p50 / p99, ms', 'shim CPU, µs', 'PostgreSQL CPU, µs', 'Fastify p50 / p99, ms', 'Fastify CPU, µs', 'PostgreSQL CPU, µs'],
		kinds.map(([kind, name]) => {
			const latency = side => `${figure(`${kind} ${side}`, 1)} / ${figure(`${kind} ${side}`, 2)}`
			return [name, latency('shim'), figure(`${kind} shim`, 3), figure(`${kind} shim`, 4), latency('fastify-pool'),
				figure(`${kind} fastify-pool`, 3), figure(`${kind} fastify-pool`, 4)]
		}))
	console.log(`Resident after the load: shim ${figure('memory shim')} MiB, Fastify ${figure('memory pool')} MiB.\n`)
}
const creates = [['record_create', 'durable commits'], ['record_create-async', 'synchronous_commit off']].filter(([kind]) => has(kind))
if (creates.length)
	table(['creates a second in SQL', 'record_create', 'plain prepared INSERTs', 'ratio'], creates.map(([kind, name]) =>
		[name, count(figure(`${kind} call`)), count(figure(`${kind} insert`)), `**${ratio(figure(`${kind} call`), figure(`${kind} insert`))}**`]))
if (has('fill')) console.log(`Filling the table by record_create in two sessions: ${count(figure('fill record_create'))} records/s.\n`)
if (has('idle'))
	console.log(`${figure('idle 1000', 2)} idle keep-alive connections: shim ${figure('idle 1000', 1)} MiB resident (${figure('idle 1000', 0)} MiB before).`)
