// The peer of the bench: Fastify with pg, answering the same three requests by the same three statements in a transaction.
//
//   node peer.mjs PORT CONNECTIONS pool|pipeline      (the database from PGHOST and so on)
//
// pool is how such a service is mostly written: take a client, begin, three prepared statements, commit. pipeline sends the
// five at once over clients in pipeline mode, the most that pg can do.
import Fastify from 'fastify'
import pg from 'pg'

const [port, connections, mode] = [Number(process.argv[2]), Number(process.argv[3]), process.argv[4]]
const prepared = (name, text) => values => ({ name, text, values, rowMode: 'array' })
const begin = prepared('begin', 'SELECT qehs.request_begin($1, $2, $3, $4, $5, $6, $7)')
const end = prepared('end', 'SELECT qehs.request_end()')
const calls = {
	record_get: prepared('get', 'SELECT qehs.record_get(id => $1::text)::text'),
	record_list: prepared('list', `SELECT qehs.record_list(module_key => $1::text, filter => $2::jsonb, sort => $3::text,
		page_size => $4::int4, cursor => $5::text)::text`),
	record_create: prepared('create', `SELECT qehs.record_create(module_key => $1::text, payload => $2::jsonb,
		workflow_state => $3::text)::text`),
}

const config = { host: process.env.PGHOST, port: process.env.PGPORT, user: 'qehs_shim', database: process.env.PGDATABASE }
const pool = new pg.Pool({ ...config, max: connections, idleTimeoutMillis: 0 })
const clients = []
if (mode === 'pipeline') {
	for (let i = 0; i < connections; i++) {
		clients.push(new pg.Client({ ...config, pipeline: true }))
		await clients[i].connect()
	}
}
let turn = 0

async function inTransaction(statements) {
	if (mode === 'pipeline') {
		const client = clients[turn++ % connections]
		const all = await Promise.all([client.query('BEGIN'), ...statements.map(statement => client.query(statement)),
			client.query('COMMIT')])
		return all.slice(1, -1)
	}
	const client = await pool.connect()
	try {
		const answers = []
		await client.query('BEGIN')
		for (const statement of statements) answers.push(await client.query(statement))
		await client.query('COMMIT')
		return answers
	} finally {
		client.release()
	}
}

async function answer(request, reply, operation, values) {
	const key = request.headers.authorization?.slice(7) ?? null
	const trace = crypto.randomUUID().replaceAll('-', '')
	const [limits, body, last] = await inTransaction([
		begin([key, trace, request.ip, null, null, operation, request.raw.url]), calls[operation](values), end([])])
	const [status, ...lines] = last.rows[0][0].split('\n')
	// names that begin with @ are notes to the server, not headers
	for (const line of [...limits.rows[0][0].split('\n'), ...lines]) {
		const colon = line.indexOf(': ')
		if (colon > 0 && line[0] !== '@') reply.header(line.slice(0, colon), line.slice(colon + 2))
	}
	return reply.code(Number(status)).header('X-Trace-Id', trace).type('application/json; charset=utf-8').send(body.rows[0][0])
}

const app = Fastify({ logger: false })
app.get('/readyz', () => 'ok')
app.get('/api/v1/records/:id', (request, reply) => answer(request, reply, 'record_get', [request.params.id]))
app.get('/api/v1/records', (request, reply) => answer(request, reply, 'record_list',
	[request.query.moduleKey, null, request.query.sort ?? null, request.query.limit ?? null, request.query.cursor ?? null]))
app.post('/api/v1/records', (request, reply) => answer(request, reply, 'record_create',
	[request.body.moduleKey, JSON.stringify(request.body.payload), request.body.workflowState ?? null]))
await app.listen({ port, host: '127.0.0.1' })
