// What tests/bench/reports.mjs measures with: incidents, establishments with hours, injury cases and actions of a tenant "bench", and the login "bi".
import { execFileSync } from 'node:child_process'
import { reports } from '../data/incidents.mjs'

export const sql = (cluster, user, input) => execFileSync('psql', ['-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-d', `${cluster.conninfo} user=${user}`], { encoding: 'utf8', input, maxBuffer: 1 << 28 }).trim()

// Every incident and its events so many times: copies differ in id and number alone. Indexes are made anew behind them, and no trigger runs.
function multiply(cluster, times) {
	if (times > 1)
		sql(cluster, 'postgres', `SET session_replication_role = replica;
			SET maintenance_work_mem = '2GB';
			CREATE TEMP TABLE dropped AS SELECT i.indexrelid::regclass::text AS name, pg_get_indexdef(i.indexrelid) AS made FROM pg_index AS i
				WHERE i.indrelid = ANY ('{qehs.record,qehs.audit_event}'::regclass[]) AND NOT EXISTS (SELECT FROM pg_constraint AS c WHERE c.conindid = i.indexrelid);
			SELECT format('DROP INDEX %s', name) FROM dropped \\gexec
			CREATE FUNCTION pg_temp.copy_of(id uuid, n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$SELECT overlay(id::text PLACING left(md5(id::text || n), 12) FROM 25)::uuid$$;
			SELECT format('INSERT INTO qehs.record (%1$s) SELECT %2$s FROM qehs.record AS r, generate_series(1, ${times - 1}) AS n WHERE r.module_id = (SELECT id FROM qehs.module WHERE key = ''incidents'')',
				string_agg(quote_ident(attname), ', '), string_agg(CASE attname WHEN 'id' THEN 'pg_temp.copy_of(r.id, n)' WHEN 'display_no' THEN 'r.display_no + 10000000 * n' ELSE 'r.' || quote_ident(attname) END, ', '))
				FROM pg_attribute WHERE attrelid = 'qehs.record'::regclass AND attnum > 0 AND NOT attisdropped \\gexec
			SELECT format('INSERT INTO qehs.audit_event (%1$s) SELECT %2$s FROM qehs.audit_event AS e, generate_series(1, ${times - 1}) AS n WHERE e.module_id = (SELECT id FROM qehs.module WHERE key = ''incidents'')',
				string_agg(quote_ident(attname), ', '), string_agg(CASE WHEN attname IN ('id', 'record_id') THEN format('pg_temp.copy_of(e.%s, n)', attname) ELSE 'e.' || quote_ident(attname) END, ', '))
				FROM pg_attribute WHERE attrelid = 'qehs.audit_event'::regclass AND attnum > 0 AND NOT attisdropped \\gexec
			SELECT made FROM dropped \\gexec`)
}

// So many incidents over the three years before the newest, the first million of them by bulk load, so many injury cases, and five times as many actions, one in fifty open.
export function fill(cluster, incidents, cases, loaded = Math.min(incidents, 1_000_000)) {
	const psql = (user, input) => sql(cluster, user, input)
	const load = (module, source) => psql('postgres', `SELECT qehs.use_tenant('bench');
		CREATE TEMP TABLE staged (document jsonb);
		INSERT INTO staged ${source};
		SELECT line FROM qehs.bulk_load_table('${module}', 'staged', 'document') AS line WHERE line NOT LIKE '%"created"%' LIMIT 2;`)
	cluster.tenant('bench', ['injury_cases', 'exposure_hours', 'observations', 'inspections', 'actions', 'complaints', 'training'])
	cluster.sql("CREATE TABLE base (n serial, document jsonb)")
	psql('postgres', `COPY base (document) FROM STDIN (FORMAT csv, QUOTE e'\\x01', DELIMITER e'\\x02');\n${[...reports()].map(payload => JSON.stringify(payload)).join('\n')}\n\\.\n`)
	load('incidents', `SELECT jsonb_build_object('workflowState', CASE WHEN s.n % 500 = 0 THEN 'triage' WHEN s.n % 50 = 0 THEN 'investigation' ELSE 'closed' END, 'payload', b.document || jsonb_build_object('occurred_at', at, 'notified_at', at + interval '3 hours'))
		FROM (SELECT n, to_char(timestamp '2024-01-01' + n * (interval '1096 days' / ${loaded}), 'YYYY-MM-DD"T"HH24:MI:SS"Z"')::timestamptz AS at FROM generate_series(0, ${loaded - 1}) AS n) AS s
		JOIN base AS b ON b.n = 1 + s.n % (SELECT max(n) FROM base)`)
	multiply(cluster, Math.round(incidents / loaded))
	load('establishments', `SELECT jsonb_build_object('name', 'Plant ' || n, 'company_name', 'Acme', 'ein', '123456789', 'street_address', '1 Main St', 'city', 'Austin', 'region', 'TX', 'postal_code', '78701', 'naics_code', '332710',
		'industry_description', 'Machine shops', 'peak_employees', 400, 'establishment_type', 'private') FROM generate_series(1, 50) AS n`)
	cluster.sql("CREATE ROLE bi LOGIN; SELECT qehs.reporter_grant('bi', 'bench', '{specialist,tenant-user}'); ALTER ROLE bi RESET default_transaction_read_only")
	load('exposure_hours', "SELECT jsonb_build_object('establishment', e.id, 'month', m::date, 'hours', 60000, 'average_employees', 370) FROM report_bench.establishments AS e, generate_series(timestamp '2024-01-01', '2026-12-01', '1 month') AS m")
	cluster.sql("SELECT qehs.use_tenant('bench'); SELECT qehs.user_create('pat', 'Pat')")
	load('injury_cases', `SELECT jsonb_build_object('incident', i.id, 'establishment', e.ids[1 + i.n % 50], 'person', (SELECT id FROM qehs.user_account), 'employment', 'employee', 'job_title', 'Welder', 'recordable', true,
			'outcome', CASE WHEN i.n % 997 = 0 THEN 'death' WHEN i.n % 3 = 0 THEN 'days_away' WHEN i.n % 3 = 1 THEN 'job_transfer_restriction' ELSE 'other_recordable' END, 'kind', 'injury', 'privacy_case', false,
			'nar_before', 'x', 'nar_what', 'x', 'nar_injury', 'x', 'nar_object', 'x', 'days', CASE i.n % 3 WHEN 0 THEN jsonb_build_array(jsonb_build_object('kind', 'away', 'from_date', i.occurred_at::date, 'to_date', i.occurred_at::date + (i.n % 40)::int)) ELSE '[]' END)
			|| CASE WHEN i.n % 997 = 0 THEN jsonb_build_object('death_date', i.occurred_at::date) ELSE '{}' END
		FROM (SELECT id, occurred_at, row_number() OVER () AS n FROM report_bench.incidents WHERE occurred_at < '2026-11-01' LIMIT ${cases}) AS i, (SELECT array_agg(id) AS ids FROM report_bench.establishments) AS e`)
	load('actions', `SELECT jsonb_build_object('workflowState', CASE WHEN n % 50 = 0 THEN 'open' ELSE 'verified' END, 'payload', jsonb_build_object('title', 'Action ' || n, 'parent', i.id, 'action_type', 'corrective', 'priority',
			(ARRAY['low', 'medium', 'high', 'critical'])[1 + n % 4], 'owner', (SELECT id FROM qehs.user_account), 'due_date', date '2024-01-01' + n % 1200))
		FROM generate_series(1, ${cases * 5}) AS n, (SELECT id FROM report_bench.incidents LIMIT 1) AS i`)
	cluster.sql('VACUUM ANALYZE')
}
