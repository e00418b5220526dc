// Makes the tenant, the records and the input files of the bench: node prepare.mjs DIR (the database from PGHOST and so on).
//
// DIR gets, for wrk: get.paths, page.paths, create.bodies; for pgbench: one script a variant and vars, a line NAME=VALUE for
// each -D (NAME.N.sql: get, page and create are pipelines of three statements, NAME-one the same calls in one statement, get-plain
// the payload alone); and env with the keys: one without a rate
// limit, one with a limit that is never reached. pgbench passes its variables as parameters, as the shim does.
import { writeFileSync } from 'node:fs'
import pg from 'pg'
import { reports } from '../data/incidents.mjs'

const VARIANTS = 25
const RECORDS = 20_000
const dir = process.argv[2]
const client = new pg.Client({ host: process.env.PGHOST, port: process.env.PGPORT, user: 'postgres', database: process.env.PGDATABASE })
await client.connect()
const value = async (text, values) => Object.values((await client.query(text, values)).rows[0] ?? {})[0]

for (const statement of ['CREATE EXTENSION qehs', 'ALTER ROLE qehs_shim LOGIN', "SELECT qehs.tenant_create('bench', 'Bench')",
	"SELECT qehs.module_install('bench', 'incidents')", "SELECT qehs.use_tenant('bench')",
	'CREATE TABLE public.sample (payload jsonb NOT NULL)', 'CREATE SEQUENCE public.bench_id', 'CREATE SEQUENCE public.bench_no'])
	await client.query(statement)
const key = (await value("SELECT qehs.api_key_create('bench', rate_limit => 0)")).key
const metered = (await value("SELECT qehs.api_key_create('metered', rate_limit => 1000000000)")).key
const payloads = [...reports(0, RECORDS)].map(payload => JSON.stringify(payload))
await client.query('INSERT INTO public.sample SELECT jsonb_array_elements($1::jsonb)', [`[${payloads.join(',')}]`])
await client.query("SELECT count(qehs.record_create('incidents', payload)) FROM public.sample")
await client.query('VACUUM ANALYZE')

// ids from the middle of what was made, as the wire writes them
const list = await value("SELECT qehs.record_list('incidents', page_size => $1)", [VARIANTS])
const ids = list.items.map(item => item.id)
const bodies = payloads.slice(0, VARIANTS)

const vars = [`key=${key}`, 'module=incidents', `trace=${'0123456789abcdef'.repeat(2)}`, 'address=127.0.0.1', 'begun=0']
ids.forEach((id, i) => vars.push(`id${i}=${id}`))
const rows = (await client.query('SELECT tenant_id, id FROM qehs.record LIMIT $1', [VARIANTS])).rows
vars.push(`tenant=${rows[0].tenant_id}`, ...rows.map((row, i) => `uuid${i}=${row.id}`))
bodies.forEach((body, i) => vars.push(`payload${i}=${body}`))

// One request in both forms: file NAME.NUMBER.sql in three statements, NAME-one.NUMBER.sql in one.
function writeRequest(name, number, operation, target, call) {
	const calls = [`qehs.request_begin(:key, :trace, :address, NULL, NULL, '${operation}', '${target}')`, call, 'qehs.request_end()']
	writeFileSync(`${dir}/${name}.${number}.sql`, ['\\startpipeline', ...calls.map(one => `SELECT ${one};`), '\\endpipeline\n'].join('\n'))
	writeFileSync(`${dir}/${name}-one.${number}.sql`, `SELECT ${calls.join(', ')};\n`)
}

// The rows that record_create writes, by plain INSERTs: all values parameters, but for ids, numbers and times.
async function plainInserts(i) {
	const row = (await client.query(`SELECT * FROM qehs.record WHERE payload = $1::jsonb ORDER BY id LIMIT 1`, [bodies[i]])).rows[0]
	const event = (await client.query('SELECT * FROM qehs.audit_event WHERE record_id = $1', [row.id])).rows[0]
	const made = {
		id: "lpad(to_hex(nextval('public.bench_id')), 32, '0')::uuid", display_no: "9000000000000 + nextval('public.bench_no')",
		created_at: 'now()', updated_at: 'now()', at: 'now()', payload: `:payload${i}`,
		record_id: "lpad(to_hex(currval('public.bench_id')), 32, '0')::uuid",
	}
	const insert = (table, columns, prefix) => {
		const values = Object.entries(columns).map(([name, content]) => {
			if (prefix === 'e' && name === 'id') return made.id.replace('bench_id', 'bench_no')
			if (made[name]) return made[name]
			if (content === null) return 'NULL'
			const text = content?.constructor === Object || Array.isArray(content) ? JSON.stringify(content) : content instanceof Date ? content.toISOString() : content === Infinity ? 'infinity' : Buffer.isBuffer(content) ? `\\x${content.toString('hex')}` : `${content}`
			vars.push(`${prefix}${i}_${name}=${text}`)
			return `:${prefix}${i}_${name}`
		})
		return `INSERT INTO qehs.${table} (${Object.keys(columns).join(', ')}) VALUES (${values.join(', ')});\n`
	}
	return `\\startpipeline\n${insert('record', row, 'r')}${insert('audit_event', event, 'e')}\\endpipeline\n`
}

const pageCall = `qehs.record_list(module_key => :module, filter => NULL, status => NULL, created_from => NULL,
	created_to => NULL, q => NULL, sort => NULL, fields => NULL, page_size => 50, cursor => NULL)`
const pagePath = '/api/v1/records?moduleKey=incidents&limit=50'
for (let i = 0; i < VARIANTS; i++) {
	writeRequest('get', i, 'record_get', '/api/v1/records/id', `qehs.record_get(id => :id${i})`)
	writeRequest('create', i, 'record_create', '/api/v1/records', `qehs.record_create(module_key => :module, payload => :payload${i}, workflow_state => NULL)`)
	writeFileSync(`${dir}/get-plain.${i}.sql`, `SELECT payload FROM qehs.record WHERE tenant_id = :tenant AND id = :uuid${i};\n`)
	writeFileSync(`${dir}/call.${i}.sql`, `\\if :begun\n\\else\nSELECT qehs.use_tenant('bench');\n\\set begun 1\n\\endif
SELECT qehs.record_create(:module, :payload${i});\n`)
	writeFileSync(`${dir}/insert.${i}.sql`, await plainInserts(i))
}
writeRequest('page', 0, 'record_list', pagePath, pageCall)
writeFileSync(`${dir}/get.paths`, ids.map(id => `/api/v1/records/${id}\n`).join(''))
writeFileSync(`${dir}/page.paths`, `${pagePath}\n`)
// GraphQL: a record and a page with seven fields, and the same by hand in SQL; for PostGraphile over a table of just these fields
const graphqlFields = 'id displayCode title severity workflowState occurredAt version'
const postgraphileFields = graphqlFields.replace('id', 'rowId')
const bodiesOf = (name, items) => writeFileSync(`${dir}/${name}.bodies`, items.map(item => JSON.stringify(item) + '\n').join(''))
bodiesOf('graphql-get', ids.map(id => ({ query: `query Get($id: ID!) { incidentsGet(id: $id) { ${graphqlFields} } }`, variables: { id } })))
bodiesOf('graphql-page', [{ query: `{ incidentsList(limit: 50) { ${graphqlFields} } }` }])
bodiesOf('postgraphile-get', rows.map(({ id }) => ({ query: `query Get($id: UUID!) { incidentByRowId(rowId: $id) { ${postgraphileFields} } }`, variables: { id } })))
bodiesOf('postgraphile-page', [{ query: `{ allIncidents(first: 50, orderBy: PRIMARY_KEY_DESC) { nodes { ${postgraphileFields} } } }` }])
const byHand = `json_build_object('id', id, 'displayCode', 'INC-' || display_no / 1000000000 || '-' || lpad((display_no % 1000000000)::text, 4, '0'), 'title', payload ->> 'title',
	'severity', payload ->> 'severity', 'workflowState', workflow_state, 'occurredAt', payload ->> 'occurred_at', 'version', version)`
writeFileSync(`${dir}/graphql-get.0.sql`, `SELECT ${byHand} FROM qehs.record WHERE tenant_id = :tenant AND id = :uuid0 AND deleted_at IS NULL;\n`)
writeFileSync(`${dir}/graphql-page.0.sql`, `SELECT json_agg(${byHand}) FROM (SELECT * FROM qehs.record WHERE tenant_id = :tenant AND module_id = (SELECT id FROM qehs.module WHERE
	tenant_id = :tenant AND key = :module) AND deleted_at IS NULL ORDER BY created_at DESC, id DESC LIMIT 50) AS r;\n`)
writeFileSync(`${dir}/create.bodies`, bodies.map(body => `{"moduleKey":"incidents","payload":${body}}\n`).join(''))
writeFileSync(`${dir}/vars`, vars.join('\n') + '\n')
writeFileSync(`${dir}/env`, `QEHS_BENCH_KEY=${key}\nQEHS_METERED_KEY=${metered}\n`)
await client.end()
