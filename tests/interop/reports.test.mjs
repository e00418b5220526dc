// Reporting tools of Debian read the views of a tenant by a plain login: psql, another cluster through postgres_fdw, Python with psycopg2
// and pandas, ODBC. Metabase is not among them: it is neither in Debian nor in a package registry.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { after, before, test } from 'node:test'
import { Cluster } from '../fault/cluster.mjs'

let cluster
const run = (command, args, input) => execFileSync(command, args, { encoding: 'utf8', input, stdio: ['pipe', 'pipe', 'pipe'] })
const psql = sql => run('psql', ['-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-d', `${cluster.conninfo} user=bi`, '-c', sql]).trim()

before(async () => {
	cluster = await Cluster.create()
	cluster.tenant('bi', ['injury_cases', 'exposure_hours'])
	cluster.sql(`SELECT qehs.use_tenant('bi');
		SELECT qehs.record_create('incidents', jsonb_build_object('title', t, 'severity', s, 'occurred_at', at, 'potential_risk', '{"likelihood":3,"severity":4}'::jsonb))
			FROM (VALUES ('Slip', 'high', '2026-01-02T03:04:05Z'), ('Fall', 'high', '2026-02-03T00:00:00Z'), ('Cut', 'low', '2026-02-04T00:00:00Z')) AS v (t, s, at);
		SELECT qehs.record_create('exposure_hours', jsonb_build_object('month', '2026-01-01', 'hours', 20000, 'average_employees', 100, 'establishment',
			qehs.record_create('establishments', '{"name":"Plant","company_name":"Acme","ein":"123456789","street_address":"1 Main St","city":"Austin","region":"TX","postal_code":"78701","naics_code":"332710","industry_description":"Machine Shops",
				"peak_employees":60,"establishment_type":"private"}') ->> 'id'))`)
	cluster.sql("CREATE ROLE bi LOGIN; ALTER ROLE bi SET timezone = 'UTC'; SELECT qehs.reporter_grant('bi', 'bi', '{specialist}')")
})
after(() => cluster?.remove())

test('psql describes a view with the comment of each column', () => {
	const described = psql('\\d+ report_bi.incidents')
	for (const line of [/^occurred_at\|timestamp with time zone\|.*\|Occurred at$/m, /^severity_label\|text\|.*\|Severity: as people read it$/m, /^potential_risk\|numeric\|.*\|Potential risk$/m])
		assert.match(described, line)
	assert.match(psql('\\dv+ report_bi.*'), /^report_bi\|kpi_rates\|view\|.*TRIR = 200,000/m)
})

test('postgres_fdw of another cluster imports the schema, and sends its conditions along', async () => {
	const other = await Cluster.create()
	try {
		other.sql(`CREATE EXTENSION postgres_fdw; CREATE SCHEMA plant;
			CREATE SERVER plant FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '127.0.0.1', port '${cluster.port}', dbname 'postgres');
			CREATE USER MAPPING FOR CURRENT_USER SERVER plant OPTIONS (user 'bi', password_required 'false');
			IMPORT FOREIGN SCHEMA report_bi FROM SERVER plant INTO plant`)
		assert.equal(other.sql("SELECT string_agg(title, ' ' ORDER BY occurred_at) FROM plant.incidents WHERE severity = 'high'"), 'Slip Fall')
		assert.equal(other.sql('SELECT h.hours, k.trir FROM plant.exposure_hours AS h JOIN plant.kpi_rates AS k USING (establishment_id, month)'), '20000|0.00')
		assert.match(other.sql("EXPLAIN (VERBOSE, COSTS OFF) SELECT title FROM plant.incidents WHERE severity = 'high'"), /Remote SQL: .*WHERE.*severity = 'high'/)
		assert.throws(() => other.sql("UPDATE plant.incidents SET title = 'x'"))
	} finally {
		other.remove()
	}
})

test('pandas has typed columns, and groups by month', () => {
	const found = JSON.parse(run('/usr/bin/python3', [new URL('reports.py', import.meta.url).pathname, `${cluster.conninfo} user=bi`, 'report_bi']))
	assert.equal(found.views.incidents, 'Incident')
	assert.match(found.views.kpi_rates, /TRIR = 200,000 \(G\+H\+I\+J\) \/ hours/)
	assert.deepEqual(found.titles, ['Fall', 'Slip'])
	assert.match(found.types.occurred_at, /^datetime64\[.*UTC\]$/)
	assert.equal(found.types.potential_risk, 'float64')
	assert.deepEqual(found.byMonth, { '2026-01': 1, '2026-02': 1 })
	assert.deepEqual(found.rates, [{ month: '2026-01', hours: 20000, trir: 0 }])
})

test('ODBC lists the views and their columns, and reads them', () => {
	// psqlODBC lists columns of the schema in the path
	cluster.sql('ALTER ROLE bi SET search_path = report_bi')
	const isql = command => run('isql', ['-b', '-d|', '-k', `Driver=PostgreSQL Unicode;Servername=127.0.0.1;Port=${cluster.port};Database=postgres;Uid=bi`], `${command}\n`)
	assert.match(isql('help'), /^postgres\|report_bi\|incidents\|VIEW\|/m)
	assert.match(isql('help incidents'), /^postgres\|report_bi\|incidents\|occurred_at\|11\|timestamptz\|/m)
	assert.match(isql("SELECT title, severity_label, occurred_at FROM incidents WHERE severity = 'low'"), /^Cut\|Low\|2026-02-04 00:00:00$/m)
	// the driver leaves REMARKS empty; comments are read where they stand
	assert.match(isql("SELECT col_description('incidents'::regclass, attnum) FROM pg_attribute WHERE attrelid = 'incidents'::regclass AND attname = 'workflow_state'"), /^Workflow state$/m)
})
