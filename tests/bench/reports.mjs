// Reporting views over a million incidents: queries as reporting tools write them, with the conditions that reach an index, and the time
// of each against the same query on a table of real typed columns with the same indexes; and the key figures.
// node tests/bench/reports.mjs, after make all install. BENCH_REPORT_ROWS=10000000 takes more incidents, BENCH_REPORT_CASES=20000 so many injury cases
// and five times as many actions. Times are those of the processor (/proc/<pid>/schedstat), so that the load of a machine matters little.
import { readFileSync } from 'node:fs'
import { Cluster } from '../fault/cluster.mjs'
import { fill, sql } from './reports_data.mjs'

const ROWS = Number(process.env.BENCH_REPORT_ROWS ?? 1_000_000)
const CASES = Number(process.env.BENCH_REPORT_CASES ?? 20_000)
const RUNS = 20
const cluster = await Cluster.create(["work_mem = '64MB'", "shared_buffers = '1GB'", "max_wal_size = '8GB'", 'synchronous_commit = off'])
const psql = (user, input) => sql(cluster, user, input)
const seconds = since => ((Date.now() - since) / 1000).toFixed(0)

// The queries; the table of typed columns is called as the view.
const queries = [
	['one record by its id', id => `SELECT * FROM incidents WHERE id = '${id}'`],
	['open records of a state', () => "SELECT id, display_code, title, occurred_at FROM incidents WHERE workflow_state = 'triage' ORDER BY occurred_at"],
	['a week, by type', () => "SELECT event_type, count(*) FROM incidents WHERE occurred_at >= '2026-03-02' AND occurred_at < '2026-03-09' GROUP BY 1"],
	['a quarter of one type, by month', () => "SELECT date_trunc('month', occurred_at) AS month, count(*) FROM incidents WHERE event_type = 'fire_explosion' AND occurred_at >= '2026-01-01' AND occurred_at < '2026-04-01' GROUP BY 1"],
	['a severity, by industry', () => "SELECT naics, count(*) FROM incidents WHERE severity = 'critical' GROUP BY 1 ORDER BY 2 DESC LIMIT 20"],
	['one industry', () => "SELECT workflow_state, count(*), min(occurred_at), max(occurred_at) FROM incidents WHERE naics = '332710' GROUP BY 1"],
	['some of a choice', () => "SELECT actual_severity, count(*) FROM incidents WHERE actual_severity IN ('fatality', 'medical_treatment') AND occurred_at >= '2026-06-01' GROUP BY 1"],
	['those that were notified on a day', () => "SELECT display_code, notified_at FROM incidents WHERE notified_at >= '2026-05-05' AND notified_at < '2026-05-06'"],
	['made since', () => "SELECT count(*) FROM incidents WHERE created_at >= now() + interval '1 hour'"],
	['ten thousand whole records', () => 'SELECT * FROM incidents LIMIT 10000'],
	['injury cases with their incidents', () => "SELECT i.event_type, c.outcome, count(*) FROM injury_cases AS c JOIN incidents AS i ON i.id = c.incident_id WHERE c.outcome = 'death' GROUP BY 1, 2"],
]
const figures = ['kpi_rates', 'osha_300a', 'leading_lagging', 'riddor_totals', 'state_dwell', 'actions_overdue', 'ageing', 'riddor', 'osha_300']
const summarised = ['kpi_rates', 'osha_300a', 'riddor_totals', 'state_dwell', 'leading_lagging']

// Milliseconds of processor time of a query of a login in one session: the first time, which loads definitions and rights; the mean of those after,
// planned each time; the same planned once, as prepared statements are; and the conditions on indexes of its plan.
async function measure(user, schema, query) {
	const conditions = new Set()
	const walk = node => {
		if (node['Index Cond']) conditions.add(node['Index Cond'].replace(/::[a-z ]+/g, '').replace(/\(?\(?tenant_id = \d+\)?( AND \(?module_id = \d+\)?)?( AND )?/, ''))
		for (const child of node.Plans ?? []) walk(child)
	}
	walk(JSON.parse(psql(user, `SET search_path = ${schema};\nEXPLAIN (FORMAT JSON) ${query}`))[0].Plan)
	const session = cluster.session(user)
	await session.run("SET application_name = 'measured'")
	const pid = cluster.sql("SELECT pid FROM pg_stat_activity WHERE application_name = 'measured'")
	const spent = async (statements, runs) => {
		const before = Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[0])
		await session.run(`${statements};\n`.repeat(runs))
		return (Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[0]) - before) / 1e6 / runs
	}
	await session.run(`SET search_path = ${schema}; SET max_parallel_workers_per_gather = 0; SET plan_cache_mode = force_generic_plan;\n\\o /dev/null\n`)
	const first = await spent(query, 1)
	const ms = await spent(query, RUNS)
	await session.run(`PREPARE once AS ${query}`)
	await spent('EXECUTE once', 1)
	const once = await spent('EXECUTE once', RUNS)
	await session.end()
	return { first, ms, once, conditions: [...conditions].join('; ') }
}

try {
	let since = Date.now()
	fill(cluster, ROWS, CASES)
	console.log(`${ROWS} incidents, ${CASES} injury cases, hours and actions made in ${seconds(since)} s`)
	// a table as an analyst would make it, with the indexes that the view's columns have
	cluster.sql(`CREATE SCHEMA typed; CREATE TABLE typed.incidents AS SELECT * FROM report_bench.incidents; CREATE TABLE typed.injury_cases AS SELECT * FROM report_bench.injury_cases;
		CREATE UNIQUE INDEX ON typed.incidents (id); CREATE INDEX ON typed.incidents (workflow_state, id); CREATE INDEX ON typed.incidents (created_at, id); CREATE INDEX ON typed.injury_cases (outcome, id);
		${['occurred_at', 'notified_at', 'event_type', 'severity', 'naics', 'actual_severity'].map(column => `CREATE INDEX ON typed.incidents (${column}, id);`).join(' ')}
		GRANT USAGE ON SCHEMA typed TO bi; GRANT SELECT ON ALL TABLES IN SCHEMA typed TO bi`)
	cluster.sql('VACUUM ANALYZE')
	console.log(`The table of typed columns made in ${seconds(since)} s\n\n| query | first, ms | then, ms | typed table, ms | ratio | planned once, ms | typed table, ms | ratio | index condition of the view |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- |`)
	const id = psql('bi', 'SELECT id FROM report_bench.incidents OFFSET 1000 LIMIT 1')
	for (const [name, write] of queries) {
		const view = await measure('bi', 'report_bench', write(id))
		const table = await measure('bi', 'typed', write(id))
		console.log(`| ${name} | ${view.first.toFixed(1)} | ${view.ms.toFixed(2)} | ${table.ms.toFixed(2)} | **${(view.ms / table.ms).toFixed(2)}** | ${view.once.toFixed(3)} | ${table.once.toFixed(3)} | **${(view.once / table.once).toFixed(2)}** | \`${view.conditions || 'none'}\` |`)
	}
	const alone = []
	for (const name of summarised)
		alone.push((await measure('bi', 'report_bench', `SELECT * FROM ${name}`)).ms)
	since = Date.now()
	while (cluster.sql("SELECT qehs.tick(5000, '10 seconds') ->> 'more'") === 'true' || cluster.sql('SELECT bool_and(is_whole) FROM qehs.report_trail') !== 't');
	console.log(`\nThe summaries of ${CASES} cases and all events are made in ${seconds(since)} s; rows: report_rate ${cluster.sql('SELECT count(*) FROM qehs.report_rate')}, report_stay ${cluster.sql('SELECT count(*) FROM qehs.report_stay')}.`)
	console.log('\n| key figures | ms |\n| --- | --- |')
	summarised.forEach((name, place) => console.log(`| ${name} without the summary | ${alone[place].toFixed(0)} |`))
	for (const name of figures)
		console.log(`| ${name} | ${(await measure('bi', 'report_bench', `SELECT * FROM ${name}`)).ms.toFixed(0)} |`)
} finally {
	cluster.remove()
}
