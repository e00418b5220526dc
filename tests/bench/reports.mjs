// Reporting views over a million incidents: queries as reporting tools write them, with the conditions that reach an index, and the time
// of each against the same query on a table of real typed columns with the same indexes; and the key figures.
// node tests/bench/reports.mjs, after make all install. BENCH_REPORT_ROWS=10000000 takes more incidents, BENCH_REPORT_CASES=20000 so many injury cases
// and five times as many actions. Times are those of the processor (/proc/<pid>/schedstat), so that the load of a machine matters little.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { reports } from '../data/incidents.mjs'
import { Cluster } from '../fault/cluster.mjs'

const ROWS = Number(process.env.BENCH_REPORT_ROWS ?? 1_000_000)
const CASES = Number(process.env.BENCH_REPORT_CASES ?? 20_000)
const ACTIONS = CASES * 5
const RUNS = 20
const cluster = await Cluster.create(["work_mem = '64MB'", "shared_buffers = '1GB'", "max_wal_size = '8GB'", 'synchronous_commit = off'])
const psql = (user, input) => execFileSync('psql', ['-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-d', `${cluster.conninfo} user=${user}`], { encoding: 'utf8', input, maxBuffer: 1 << 28 }).trim()
const seconds = since => ((Date.now() - since) / 1000).toFixed(0)
// spread over the three years before the newest
const load = (module, source) => psql('postgres', `SELECT qehs.use_tenant('bench');
	CREATE TEMP TABLE staged (document jsonb);
	INSERT INTO staged ${source};
	SELECT line FROM qehs.bulk_load_table('${module}', 'staged', 'document') AS line WHERE line NOT LIKE '%"created"%' LIMIT 2;`)

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
const figures = ['kpi_rates', 'osha_300a', 'leading_lagging', 'riddor', 'state_dwell', 'actions_overdue', 'ageing']
const summarised = ['kpi_rates', 'state_dwell', 'leading_lagging']

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
	cluster.tenant('bench', ['injury_cases', 'exposure_hours', 'observations', 'inspections', 'actions', 'complaints', 'training'])
	cluster.sql("CREATE TABLE base (n serial, document jsonb)")
	psql('postgres', `COPY base (document) FROM STDIN (FORMAT csv, QUOTE e'\\x01', DELIMITER e'\\x02');\n${[...reports()].map(payload => JSON.stringify(payload)).join('\n')}\n\\.\n`)
	load('incidents', `SELECT jsonb_build_object('workflowState', CASE WHEN s.n % 500 = 0 THEN 'triage' WHEN s.n % 50 = 0 THEN 'investigation' ELSE 'closed' END, 'payload', b.document || jsonb_build_object('occurred_at', at, 'notified_at', at + interval '3 hours'))
		FROM (SELECT n, to_char(timestamp '2024-01-01' + n * (interval '1096 days' / ${ROWS}), 'YYYY-MM-DD"T"HH24:MI:SS"Z"')::timestamptz AS at FROM generate_series(0, ${ROWS - 1}) AS n) AS s
		JOIN base AS b ON b.n = 1 + s.n % (SELECT max(n) FROM base)`)
	console.log(`${ROWS} incidents loaded in ${seconds(since)} s`)
	since = Date.now()
	load('establishments', `SELECT jsonb_build_object('name', 'Plant ' || n, 'company_name', 'Acme', 'ein', '123456789', 'street_address', '1 Main St', 'city', 'Austin', 'region', 'TX', 'postal_code', '78701', 'naics_code', '332710',
		'industry_description', 'Machine shops', 'peak_employees', 400, 'establishment_type', 'private') FROM generate_series(1, 50) AS n`)
	cluster.sql("CREATE ROLE bi LOGIN; SELECT qehs.reporter_grant('bi', 'bench', '{specialist}'); ALTER ROLE bi RESET default_transaction_read_only")
	load('exposure_hours', "SELECT jsonb_build_object('establishment', e.id, 'month', m::date, 'hours', 60000, 'average_employees', 370) FROM report_bench.establishments AS e, generate_series(timestamp '2024-01-01', '2026-12-01', '1 month') AS m")
	cluster.sql("SELECT qehs.use_tenant('bench'); SELECT qehs.user_create('pat', 'Pat')")
	load('injury_cases', `SELECT jsonb_build_object('incident', i.id, 'establishment', e.ids[1 + i.n % 50], 'person', (SELECT id FROM qehs.user_account), 'employment', 'employee', 'job_title', 'Welder', 'recordable', true,
			'outcome', CASE WHEN i.n % 997 = 0 THEN 'death' WHEN i.n % 3 = 0 THEN 'days_away' WHEN i.n % 3 = 1 THEN 'job_transfer_restriction' ELSE 'other_recordable' END, 'kind', 'injury', 'privacy_case', false,
			'nar_before', 'x', 'nar_what', 'x', 'nar_injury', 'x', 'nar_object', 'x', 'days', CASE i.n % 3 WHEN 0 THEN jsonb_build_array(jsonb_build_object('kind', 'away', 'from_date', i.occurred_at::date, 'to_date', i.occurred_at::date + (i.n % 40)::int)) ELSE '[]' END)
			|| CASE WHEN i.n % 997 = 0 THEN jsonb_build_object('death_date', i.occurred_at::date) ELSE '{}' END
		FROM (SELECT id, occurred_at, row_number() OVER () AS n FROM report_bench.incidents WHERE occurred_at < '2026-11-01' LIMIT ${CASES}) AS i, (SELECT array_agg(id) AS ids FROM report_bench.establishments) AS e`)
	// one in fifty is open
	load('actions', `SELECT jsonb_build_object('workflowState', CASE WHEN n % 50 = 0 THEN 'open' ELSE 'verified' END, 'payload', jsonb_build_object('title', 'Action ' || n, 'parent', i.id, 'action_type', 'corrective', 'priority',
			(ARRAY['low', 'medium', 'high', 'critical'])[1 + n % 4], 'owner', (SELECT id FROM qehs.user_account), 'due_date', date '2024-01-01' + n % 1200))
		FROM generate_series(1, ${ACTIONS}) AS n, (SELECT id FROM report_bench.incidents LIMIT 1) AS i`)
	cluster.sql('VACUUM ANALYZE')
	// a table as an analyst would make it, with the indexes that the view's columns have
	cluster.sql(`CREATE SCHEMA typed; CREATE TABLE typed.incidents AS SELECT * FROM report_bench.incidents; CREATE TABLE typed.injury_cases AS SELECT * FROM report_bench.injury_cases;
		CREATE UNIQUE INDEX ON typed.incidents (id); CREATE INDEX ON typed.incidents (workflow_state, id); CREATE INDEX ON typed.incidents (created_at, id); CREATE INDEX ON typed.injury_cases (outcome, id);
		${['occurred_at', 'notified_at', 'event_type', 'severity', 'naics', 'actual_severity'].map(column => `CREATE INDEX ON typed.incidents (${column}, id);`).join(' ')}
		GRANT USAGE ON SCHEMA typed TO bi; GRANT SELECT ON ALL TABLES IN SCHEMA typed TO bi`)
	cluster.sql('VACUUM ANALYZE')
	console.log(`${CASES} injury cases, hours and the table of typed columns made in ${seconds(since)} s\n\n| query | first, ms | then, ms | typed table, ms | ratio | planned once, ms | typed table, ms | ratio | index condition of the view |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- |`)
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
