// The bench's lines of results as Markdown tables: node report.mjs FILE. A line is KIND SIDE FIGURE…; the lines of a kind and
// side are its rounds, of which the median counts. A ratio is the median of the ratios of the same round, since neighbours in
// time share what else the machine does.
import { readFileSync } from 'node:fs'

const rounds = new Map()
for (const line of readFileSync(process.argv[2], 'utf8').trim().split('\n')) {
	const [kind, side, ...figures] = line.split(' ')
	const name = `${kind} ${side}`
	rounds.set(name, [...(rounds.get(name) ?? []), figures.map(Number)])
}
const median = list => list?.sort((a, b) => a - b) && (list[list.length >> 1] + list[(list.length - 1) >> 1]) / 2
const figure = (name, column = 0) => median(rounds.get(name)?.map(row => row[column]))
const count = value => value?.toLocaleString('en', { maximumFractionDigits: 0 }) ?? '–'
const ratio = (kind, a, b, column = 0) => {
	const [above, below] = [rounds.get(`${kind} ${a}`), rounds.get(`${kind} ${b}`)]
	return above && below ? median(above.map((row, i) => row[column] / below[i][column])).toFixed(2) : '–'
}
const has = kind => [...rounds.keys()].some(name => name.startsWith(`${kind} `))
const table = (head, rows) => console.log([head, head.map(() => '---'), ...rows].map(row => `| ${row.join(' | ')} |`).join('\n') + '\n')

const kinds = [['get', 'GET a record'], ['page', 'page of 50'], ['create', 'create']].filter(([kind]) => rounds.has(`${kind} shim`))
const latency = (kind, side) => [1, 2].map(column => figure(`${kind} ${side}`, column)?.toFixed(2) ?? '–').join(' / ')
const cpu = (kind, side) => [3, 4, 5].map(column => figure(`${kind} ${side}`, column)).filter(part => !Number.isNaN(part ?? NaN)).map(count).join(' + ')
if (kinds.length) {
	// the yardsticks of pgbench: three statements in a pipeline, one statement of the three calls, the payload alone
	table(['requests a second', 'shim', 'pgbench, 3 statements', 'ratio', '1 statement', 'ratio', 'payload alone', 'ratio'],
		kinds.map(([kind, name]) => [name, count(figure(`${kind} shim`)), ...['pgbench', 'pgbench-one', 'pgbench-plain'].flatMap(side =>
			[count(figure(`${kind} ${side}`)), `**${ratio(kind, 'shim', side)}**`])]))
	table(['CPU a request, µs', 'shim + PostgreSQL + wrk', 'PostgreSQL + pgbench, 3 statements', '1 statement', 'payload alone', 'shim p50 / p99, ms'],
		kinds.map(([kind, name]) => [name, ...['shim', 'pgbench', 'pgbench-one', 'pgbench-plain'].map(side => cpu(kind, side)), latency(kind, 'shim')]))
	console.log(`Resident after the load: shim ${figure('memory shim')} MiB.\n`)
}
if (rounds.has('get fastify-pool') || rounds.has('page fastify-pool') || rounds.has('create fastify-pool')) {
	table(['requests a second', 'shim', 'Fastify, pool', 'ratio', 'Fastify, pipelined', 'ratio', 'Fastify p50 / p99, ms', 'CPU, µs: Fastify + PostgreSQL + wrk'],
		kinds.map(([kind, name]) => [name, count(figure(`${kind} shim`)), ...['fastify-pool', 'fastify-pipeline'].flatMap(side =>
			[count(figure(`${kind} ${side}`)), `**${ratio(kind, 'shim', side)}**`]), latency(kind, 'fastify-pool'), cpu(kind, 'fastify-pool')]))
	console.log(`Resident after the load: Fastify ${figure('memory pool')} MiB.\n`)
}
if (rounds.has('graphql-get shim')) {
	// rounds of one kind stand side by side, whatever the kind of the peer is called
	for (const kind of ['get', 'page']) if (rounds.has(`postgraphile-${kind} server`)) rounds.set(`graphql-${kind} postgraphile`, rounds.get(`postgraphile-${kind} server`))
	table(['GraphQL, seven fields', 'requests a second', 'SQL by hand', 'ratio', 'PostGraphile 5', 'ratio', 'CPU a request, µs: shim + PostgreSQL + wrk'],
		[['graphql-get', 'a record'], ['graphql-page', 'page of 50']].map(([kind, name]) => [name, count(figure(`${kind} shim`)), count(figure(`${kind} hand`)),
			`**${ratio(kind, 'shim', 'hand')}**`, count(figure(`${kind} postgraphile`)), `**${ratio(kind, 'shim', 'postgraphile')}**`, cpu(kind, 'shim')]))
}
if (rounds.has('get with'))
	table(['requests a second', 'with all conventions', 'without', 'ratio', 'CPU, µs: shim + PostgreSQL', 'without'],
		[['get', 'GET a record'], ['create', 'create, durable commits'], ['create-async', 'create, synchronous_commit off']].map(([kind, name]) =>
			[name, count(figure(`${kind} with`)), count(figure(`${kind} without`)), `**${ratio(kind, 'with', 'without')}**`,
				...['with', 'without'].map(side => [3, 4].map(column => count(figure(`${kind} ${side}`, column))).join(' + '))]))
const creates = [['record_create', 'durable commits'], ['record_create-async', 'synchronous_commit off']].filter(([kind]) => has(kind))
if (creates.length)
	table(['creates a second in SQL', 'record_create', 'plain prepared INSERTs', 'ratio'], creates.map(([kind, name]) =>
		[name, count(figure(`${kind} call`)), count(figure(`${kind} insert`)), `**${ratio(kind, 'call', 'insert')}**`]))
if (rounds.has('bulk plain')) {
	const sides = [['plain', 'load', 'copy-audit'], ['keyed', 'load with an Idempotency-Key', 'copy-keys'], ['atomic', 'load, mode=atomic', 'copy-audit'],
		['gzip', 'load, gzip', 'copy-audit'], ['copy', '`\\copy` of the records'], ['copy-audit', '`\\copy` of records and audit events'],
		['copy-keys', '`\\copy` of records, audit events and keys']]
	table(['bulk load over HTTP', 'rows a second', 'ratio to `\\copy` of the records', 'ratio to `\\copy` of all that it writes',
		'CPU, µs a row: PostgreSQL + shim + client', 'peak MiB: shim, backend'],
		sides.map(([side, name, whole]) => {
			const [rate, server, shim, client, ...peak] = [0, 1, 2, 3, 4, 5].map(column => figure(`bulk ${side}`, column))
			const each = [server, shim, client].map(ms => (ms * 1000 / figure('bulk rows')).toFixed(1)).join(' + ')
			return [name, count(rate), whole ? `**${ratio('bulk', side, 'copy')}**` : '', whole ? ratio('bulk', side, whole) : '', each, whole ? peak.join(', ') : '']
		}))
}
if (rounds.has('paced quiet')) {
	const kinds = [['paced', '16 connections, pauses of 10 ms'], ['busy', 'as many as go']]
	const sides = [['load', 'beside a load'], ['guests', 'beside clients that stall']]
	table(['GET a record', 'alone: requests a second, p99 in ms', ...sides.flatMap(([, name]) => [name, 'rate, ×', 'p99, ×'])],
		kinds.map(([kind, name]) => [name, ...['quiet', ...sides.map(([side]) => side)].flatMap(side => {
			const figures = `${count(figure(`${kind} ${side}`))}, ${figure(`${kind} ${side}`, 2).toFixed(2)}`
			return side === 'quiet' ? [figures] : [figures, ratio(kind, side, 'quiet'), `**${ratio(kind, side, 'quiet', 2)}**`]
		})]))
	console.log(`The load beside them: ${count(figure('beside load'))} rows a second.\n`)
}
if (has('transition')) {
	const used = name => figure(name, 4)
	// neighbours in time: the difference of the medians would be that of what else the machine does
	const event = median(rounds.get('create-audit event').map((row, i) => row[4] - rounds.get('create-audit row')[i][4]))
	table(['workflow and audit, synchronous_commit off', 'a second', 'CPU of PostgreSQL, µs', 'goal', 'reached'], [
		['record_transition (roles, requires, when, audit)', count(figure('transition call')), count(used('transition call')), '≥ 0.4 × plain', `**${ratio('transition', 'plain', 'call', 4)}** (by the clock ${ratio('transition', 'call', 'plain')})`],
		['prepared UPDATE and two INSERTs', count(figure('transition plain')), count(used('transition plain')), '', ''],
		['record_create', count(figure('create-audit call')), count(used('create-audit call')), 'event ≤ 25% more', `**${(100 * event / (used('create-audit call') - event)).toFixed(0)}%**`],
		['prepared INSERT of the record and its event, of the record alone', '', ['event', 'row'].map(side => count(used(`create-audit ${side}`))).join(', '), '', '']])
	console.log(`audit_verify of ${count(figure('verify events'))} events: ${(figure('verify events', 1) / 1000).toFixed(1)} s of processor time (goal: 10 s).\n`)
}
// What the request path aims at, beside what this run reached; bounds are of one quiet run.
const goals = [['GET, × pgbench with 3 statements', '≥', 1.0, ratio('get', 'shim', 'pgbench')], ['page of 50, × the same', '≥', 0.95, ratio('page', 'shim', 'pgbench')],
	['create, × the same', '≥', 0.95, ratio('create', 'shim', 'pgbench')], ['GET, × the payload alone', '≥', 0.55, ratio('get', 'shim', 'pgbench-plain')],
	['GET, CPU of PostgreSQL, µs', '≤', 33, count(figure('get shim', 4))], ['GET, CPU of the shim, µs', '≤', 20, count(figure('get shim', 3))],
	['p99 of GET beside a load, × alone (16 connections that pause)', '≤', 1.5, ratio('paced', 'load', 'quiet', 2)]].filter(([,,, reached]) => reached !== '–')
if (goals.length)
	table(['goal', 'bound', 'reached', ''], goals.map(([name, sign, bound, reached]) =>
		[name, `${sign} ${bound}`, reached, (sign === '≥' ? reached >= bound : reached <= bound) ? 'held' : '**missed**']))
if (has('documents')) console.log(`OpenAPI document of 20 modules, kept: ${figure('documents openapi')} ms.\n`)
if (has('fill')) console.log(`Filling the table by record_create in two sessions: ${count(figure('fill record_create'))} records/s.\n`)
if (has('idle'))
	console.log(`${figure('idle 1000', 2)} idle keep-alive connections: shim ${figure('idle 1000', 1)} MiB resident (${figure('idle 1000', 0)} MiB before).`)
