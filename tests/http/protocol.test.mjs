// HTTP/1.1 as such: methods, connections, bodies, encodings, conditions, traces. The same on every path of the endpoint table.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { assertOk, assertProblem, assertTrace, raw, request } from './lib/client.mjs'
import { makeRecord, makeTenant, payload, psql } from './lib/tenant.mjs'

const tenant = await makeTenant('protocol')
const { key, api } = tenant
const record = await makeRecord(tenant, { description: 'text '.repeat(400) })
const records = '/api/v1/records'
const one = `${records}/${record.id}`
const list = `${records}?moduleKey=incidents`
const head = `Host: x\r\nAuthorization: Bearer ${key}\r\n`
const endpoints = JSON.parse(await psql('SELECT qehs.endpoint_list()'))
const paths = [...new Set(endpoints.map(endpoint => endpoint.path))]

// A path of the endpoint table with the values of what this tenant has.
const filled = path => path.replace('{moduleKey}', 'incidents').replace('{id}', path.includes('api-keys') ? tenant.keyId : record.id)
	+ (path === records ? '?moduleKey=incidents' : '')
const body = JSON.stringify({ moduleKey: 'incidents', payload: payload() })
const post = (headers, text) => `POST ${records} HTTP/1.1\r\n${head}Content-Type: application/json\r\n${headers}\r\n${text}`
const chunk = text => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`
const sleepy = (parts, pause) => parts.flatMap(part => [part, pause])

// Methods.
for (const path of paths) {
	const methods = endpoints.filter(endpoint => endpoint.path === path).map(endpoint => endpoint.method)
	const allowed = new Set([...methods, ...(methods.includes('GET') ? ['HEAD'] : []), 'OPTIONS'])
	const allow = answer => new Set(answer.headers.allow.split(/\s*,\s*/))
	test(`OPTIONS ${path}`, async () => {
		const answer = await request('OPTIONS', filled(path), { key })
		assert.equal(answer.status, 204, answer.text)
		assert.deepEqual(allow(answer), allowed)
		assertTrace(answer)
	})
	for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'TRACE', 'QUERY'].filter(method => !allowed.has(method)))
		test(`${method} ${path} is not allowed`, async () => {
			const answer = await request(method, filled(path), { key })
			if (method === 'HEAD') assert.equal(answer.status, 405)
			else assertProblem(answer, 405, 'method_not_allowed', { form: endpoints.find(endpoint => endpoint.path === path).errorForm })
			assert.deepEqual(allow(answer), allowed)
		})
}
const varying = new Set(['date', 'x-trace-id', 'traceparent', 'x-ratelimit-remaining', 'x-ratelimit-reset', 'ratelimit', 'connection', 'keep-alive'])
const lasting = headers => Object.fromEntries(Object.entries(headers).filter(([name]) => !varying.has(name)))
for (const target of [...endpoints.filter(endpoint => endpoint.method === 'GET').map(endpoint => filled(endpoint.path)), '/healthz', '/readyz', '/metrics', '/nowhere', `${one}x`])
	test(`HEAD ${target.replace(record.id, '{id}')} has the headers of GET and no body`, async () => {
		const get = await request('GET', target, { key, headers: { Connection: 'keep-alive' } })
		const { answers, bytes } = await raw(`HEAD ${target} HTTP/1.1\r\n${head}Connection: close\r\n\r\n`, { methods: ['HEAD'], wait: 2000 })
		assert.equal(answers.length, 1)
		assert.equal(bytes.subarray(-4).toString(), '\r\n\r\n', 'nothing follows the headers')
		assert.equal(answers[0].status, get.status)
		assertTrace(answers[0])
		const [ours, theirs] = [lasting(answers[0].headers), lasting(get.headers)]
		if (target === '/metrics') delete ours['content-length'], delete theirs['content-length']
		assert.deepEqual(ours, theirs)
	})
test('OPTIONS * answers', async () => assert.equal((await request('OPTIONS', '*', { key })).status, 204))

// Connections.
test('a connection is kept for many requests', async () => {
	const { answers, closed } = await raw(sleepy(Array(20).fill(`GET ${one} HTTP/1.1\r\n${head}\r\n`), 5), { count: 20 })
	assert.equal(answers.length, 20)
	assert.equal(closed, false)
	for (const answer of answers) assertOk(answer)
})
test('Connection: close is honoured', async () => {
	const { answers, closed } = await raw(`GET ${one} HTTP/1.1\r\n${head}Connection: close\r\n\r\n`)
	assert.equal(closed, true)
	assert.equal(answers[0].headers.connection, 'close')
})
test('a client that closes its side behind its request is answered, and the connection ends then', async () => {
	const text = `GET ${one} HTTP/1.1\r\n${head}\r\n`
	const ended = await Promise.all(Array.from({ length: 40 }, (_, i) => i % 4).map(pause => raw([text, 200, text, pause], { half: true, wait: 60000 })))
	for (const { answers, closed } of ended) assert.deepEqual([answers.map(answer => answer.status), closed], [[200, 200], true])
})
test('HTTP/1.0 closes, and keeps the connection when asked to', async () => {
	assert.equal((await raw(`GET ${one} HTTP/1.0\r\n${head}\r\n`)).closed, true)
	const kept = await raw(Array(2).fill(`GET ${one} HTTP/1.0\r\n${head}Connection: Keep-Alive\r\n\r\n`), { count: 2 })
	assert.deepEqual(kept.answers.map(answer => answer.status), [200, 200])
})
test('pipelined requests are answered in their order', async () => {
	const made = []
	for (let i = 0; i < 40; i++) {
		const trace = randomBytes(16).toString('hex')
		const line = [`GET ${one}`, `GET ${list}&limit=${i + 1}`, 'GET /healthz', `HEAD ${one}`, 'GET /nowhere', 'POST'][i % 6]
		const headers = `${head}traceparent: 00-${trace}-00f067aa0ba902b7-01\r\n`
		made.push({ trace, status: [200, 200, 200, 200, 404, 201][i % 6], method: line.split(' ')[0], bytes: line === 'POST'
			? `POST ${records} HTTP/1.1\r\n${headers}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`
			: `${line} HTTP/1.1\r\n${headers}\r\n` })
	}
	const { answers } = await raw(made.map(({ bytes }) => bytes).join(''), { count: made.length, methods: made.map(({ method }) => method) })
	assert.deepEqual(answers.map(({ status, headers }) => [status, headers['x-trace-id']]), made.map(({ status, trace }) => [status, trace]))
})
test('pipelined requests in two pieces, wherever they are cut', async () => {
	const bytes = `GET ${one} HTTP/1.1\r\n${head}\r\nPOST ${records} HTTP/1.1\r\n${head}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`
		+ `GET /healthz HTTP/1.1\r\n${head}\r\n`
	for (let cut = 1; cut < bytes.length; cut += 13) {
		const { answers } = await raw([bytes.slice(0, cut), 3, bytes.slice(cut)], { count: 3 })
		assert.deepEqual(answers.map(({ status }) => status), [200, 201, 200], `cut at ${cut}`)
	}
})
test('empty lines before a request line are skipped', async () => {
	assert.equal((await raw(`\r\nGET ${one} HTTP/1.1\r\n${head}\r\n`, { count: 1 })).answers[0].status, 200)
})
test('the absolute form of a target', async () => {
	assert.equal((await raw(`GET http://x${one} HTTP/1.1\r\n${head}\r\n`, { count: 1 })).answers[0].status, 200)
})

// Bodies.
test('Expect: 100-continue', async () => {
	const { answers } = await raw([post(`Expect: 100-continue\r\nContent-Length: ${body.length}\r\n`, ''), 300, body], { count: 2 })
	assert.deepEqual(answers.map(({ status }) => status), [100, 201])
})
test('Expect: 100-continue with chunks', async () => {
	const { answers } = await raw([post('Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n', ''), 300, `${chunk(body)}0\r\n\r\n`], { count: 2 })
	assert.deepEqual(answers.map(({ status }) => status), [100, 201])
})
test('Expect: 100-continue with a body that is too large: refused before it is sent', async () => {
	const { answers } = await raw(post('Expect: 100-continue\r\nContent-Length: 5000000\r\n', ''), { wait: 1000 })
	assert.equal(answers.length, 1)
	assertProblem(answers[0], 413, 'payload_too_large')
})
const chunked = {
	'one chunk': [chunk(body) + '0\r\n\r\n'],
	'a chunk for each byte': [[...body].map(chunk).join('') + '0\r\n\r\n'],
	'chunks that end within a name': [chunk(body.slice(0, 8)) + chunk(body.slice(8, 25)) + chunk(body.slice(25)) + '0\r\n\r\n'],
	'each byte in a packet of its own': sleepy([...(chunk(body.slice(0, 20)) + chunk(body.slice(20)) + '0\r\n\r\n')], 1),
	'sizes with zeros before and capital letters': [`000${body.length.toString(16).toUpperCase()}\r\n${body}\r\n000\r\n\r\n`],
	'chunk extensions': [`${body.length.toString(16)};name=value;other="x"\r\n${body}\r\n0;last\r\n\r\n`],
	'a trailer': [`${chunk(body)}0\r\nX-Trailer: value\r\n\r\n`],
	'the size apart from its line end': [`${body.length.toString(16)}\r`, 20, '\n', 20, body, 20, '\r', 20, '\n0', 20, '\r\n\r', 20, '\n'],
}
for (const [name, parts] of Object.entries(chunked))
	test(`chunked: ${name}`, async () => {
		const { answers } = await raw([post('Transfer-Encoding: chunked\r\n', ''), ...parts, `GET /healthz HTTP/1.1\r\n${head}\r\n`], { count: 2 })
		assert.deepEqual(answers.map(({ status }) => status), [201, 200], answers.map(({ text }) => text).join('\n'))
	})
test('chunked: UTF-8 split within a character', async () => {
	const bytes = Buffer.from(JSON.stringify({ moduleKey: 'incidents', payload: payload({ title: 'Öl \u{1F600} auf der Straße' }) }))
	const parts = [...bytes].map(byte => Buffer.concat([Buffer.from('1\r\n'), Buffer.from([byte]), Buffer.from('\r\n')]))
	const { answers } = await raw(Buffer.concat([Buffer.from(post('Transfer-Encoding: chunked\r\n', '')), ...parts, Buffer.from('0\r\n\r\n')]), { count: 1 })
	assert.equal(assertOk(answers[0], 201).payload.title, 'Öl \u{1F600} auf der Straße')
})
test('chunked beyond the limit: 413', async () => {
	const part = chunk(' '.repeat(65536))
	const { answers } = await raw([post('Transfer-Encoding: chunked\r\n', ''), ...Array(20).fill(part), '0\r\n\r\n'], { count: 1 })
	assertProblem(answers[0], 413, 'payload_too_large')
})
test('chunked that ends early takes no effect', async () => {
	const count = async () => (await psql(`SELECT count(*) FROM qehs.record r JOIN qehs.tenant t ON t.id = r.tenant_id WHERE t.slug = '${tenant.slug}'`))
	const before = await count()
	await raw([post('Transfer-Encoding: chunked\r\n', chunk(body))], { half: true, wait: 500 })
	await raw([post(`Content-Length: ${body.length + 5}\r\n`, body)], { half: true, wait: 500 })
	assert.equal(await count(), before)
})
test('a body in many packets', async () => {
	const { answers } = await raw([post(`Content-Length: ${body.length}\r\n`, ''), ...sleepy([...body], 1)], { count: 1 })
	assertOk(answers[0], 201)
})
test('a body on GET is read and passed over', async () => {
	const { answers } = await raw(`GET ${one} HTTP/1.1\r\n${head}Content-Length: 5\r\n\r\nhelloGET /healthz HTTP/1.1\r\n${head}\r\n`, { count: 2 })
	assert.equal(answers[1]?.status, 200)
})
test('POST without a length has no body', async () => {
	const { answers } = await raw(post('', ''), { count: 1 })
	assertProblem(answers[0], 400, 'malformed_json')
})

// Paths.
test('percent-encoded paths', async () => {
	const hex = [...record.id].map(c => `%${c.charCodeAt(0).toString(16)}`).join('')
	for (const path of [`${records}/${hex}`, `/api/v1/%72ecords/${record.id}`, `/%61%70%69/v1/records/${record.id}`])
		assert.equal(assertOk(await api.get(path)).id, record.id)
	for (const colon of [':', '%3A', '%3a'])
		assertOk(await api.post(`${one}${colon}transition`, { transition: 'reset' }))
	assertOk(await api.post(`${one}%3A%74ransition`, { transition: 'reset' }))
})
test('an encoded slash is no separator', async () => {
	assertProblem(await api.get(`${records}%2F${record.id}`), 404, 'not_found')
	assertProblem(await api.get(`${one}%2Factivity`), 404, 'not_found')
})
test('plus is a space in a query and a plus in a path', async () => {
	const made = await makeRecord(tenant, { title: 'one two+three' })
	for (const q of ['one+two%2Bthree', 'one%20two%2bthree'])
		assert.deepEqual(assertOk(await api.get(`${list}&filter[title]=${q}`)).items.map(item => item.id), [made.id])
	assert.deepEqual(assertOk(await api.get(`${list}&filter%5Btitle%5D=one+two%2Bthree`)).items.map(item => item.id), [made.id])
	assertProblem(await api.get(`${one}+`), 404, 'not_found')
})

// gzip.
test('gzip when it is asked for, and the same bytes', async () => {
	const plain = await api.get(one)
	assert.equal(plain.headers['content-encoding'], undefined)
	for (const accepted of ['gzip', 'deflate, gzip;q=0.5', 'GZIP', 'br, gzip']) {
		const packed = await api.get(one, { 'Accept-Encoding': accepted })
		assert.equal(packed.headers['content-encoding'], 'gzip', accepted)
		assert.match(packed.headers.vary, /Accept-Encoding/)
		assert.ok(packed.body.length < plain.body.length)
		assert.equal(gunzipSync(packed.body).toString(), plain.text)
	}
	for (const accepted of ['identity', 'gzip;q=0', 'br', ''])
		assert.equal((await api.get(one, { 'Accept-Encoding': accepted })).headers['content-encoding'], undefined, accepted)
})

// Conditions.
test('ETag and 304', async () => {
	const first = await api.get(one)
	const tag = first.headers.etag
	assert.match(tag, /^"\d+"$/)
	for (const value of [tag, '*', `W/${tag}`, `"0", ${tag}`, `"0",${tag},"9"`]) {
		const answer = await api.get(one, { 'If-None-Match': value })
		assert.equal(answer.status, 304, value)
		assert.equal(answer.body.length, 0)
		assert.equal(answer.headers.etag, tag)
		assertTrace(answer)
	}
	assert.equal((await api.head(one, { 'If-None-Match': tag })).status, 304)
	for (const value of [tag.replaceAll('"', ''), ''])
		assert.equal((await api.get(one, { 'If-None-Match': value })).status, 400, value)
	for (const value of ['"0"', `"${tag.slice(1, -1)}0"`])
		assert.equal((await api.get(one, { 'If-None-Match': value })).status, 200, value)
	const changed = await api.patch(one, { payload: { cost: Math.floor(Math.random() * 1e6) } }, { 'If-Match': tag })
	assert.notEqual(changed.headers.etag, tag)
	assert.equal((await api.get(one, { 'If-None-Match': tag })).status, 200)
})
test('304 for a module', async () => {
	const { headers } = await api.get('/api/v1/modules/incidents')
	assert.ok(headers.etag, 'a module has an ETag')
	assert.equal((await api.get('/api/v1/modules/incidents', { 'If-None-Match': headers.etag })).status, 304)
})

// Traces.
const parent = trace => `00-${trace}-00f067aa0ba902b7-01`
test('a valid traceparent is taken on', async () => {
	const trace = randomBytes(16).toString('hex')
	for (const [method, target] of [['GET', one], ['GET', '/nowhere'], ['GET', '/healthz'], ['GET', '/readyz'], ['GET', '/metrics'], ['OPTIONS', one], ['POST', records]]) {
		const answer = await request(method, target, { key, headers: { traceparent: parent(trace) } })
		assert.equal(answer.headers['x-trace-id'], trace, `${method} ${target}`)
		assertTrace(answer)
		assert.match(answer.headers.traceparent, /-01$/, 'the sampled flag goes on')
		assert.notEqual(answer.headers.traceparent.split('-')[2], '00f067aa0ba902b7', 'the span is the server\'s own')
	}
	const unkeyed = await request('GET', one, { headers: { traceparent: parent(trace) } })
	assert.equal(assertProblem(unkeyed, 401, 'unauthenticated').traceId, trace)
	assert.equal((await api.get(one, { traceparent: `01-${trace}-00f067aa0ba902b7-01-later-versions-may-go-on` })).headers['x-trace-id'], trace)
})
test('the trace is in the audit event', async () => {
	const trace = randomBytes(16).toString('hex')
	const made = await api.post(records, { moduleKey: 'incidents', payload: payload() }, { traceparent: parent(trace) })
	assert.equal(await tenant.sql(`SELECT count(*) FROM qehs.audit_event WHERE trace_id = '${trace}'`), '1')
	assertOk(made, 201)
})
test('what is no traceparent is passed over', async () => {
	const trace = randomBytes(16).toString('hex')
	for (const value of ['', 'x', trace, parent(trace).toUpperCase().replace('00F', '00f').replace(/^00-[0-9A-F]/, '00-G'), `ff-${trace}-00f067aa0ba902b7-01`, `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`,
		`00-${trace}-${'0'.repeat(16)}-01`, `00-${trace}-00f067aa0ba902b7`, `00-${trace}-00f067aa0ba902b7-01-more`, `00-${trace.slice(1)}-00f067aa0ba902b7-01`]) {
		const answer = await api.get(one, { traceparent: value })
		assertOk(answer)
		assert.notEqual(answer.headers['x-trace-id'], trace, value)
	}
	for (const place of [2, 10, 40, 54]) {
		// one capital digit anywhere, or one that is none
		for (const digit of ['A', 'g', ' '])
			assert.notEqual((await api.get(one, { traceparent: parent(trace).slice(0, place) + digit + parent(trace).slice(place + 1) })).headers['x-trace-id'], trace, `${digit} at ${place}`)
	}
})
test('two traceparents are none', async () => {
	const traces = [randomBytes(16).toString('hex'), randomBytes(16).toString('hex')]
	const { answers } = await raw(`GET ${one} HTTP/1.1\r\n${head}${traces.map(trace => `traceparent: ${parent(trace)}\r\n`).join('')}\r\n`, { count: 1 })
	assertOk(answers[0])
	assert.ok(!traces.includes(answers[0].headers['x-trace-id']))
})

test('a body of 100 MB is refused before it is sent', async () => {
	const { answers, closed } = await raw(post('Content-Length: 100000000\r\n', '{'), { wait: 10000 })
	assertProblem(answers[0], 413, 'payload_too_large')
	assert.equal(closed, true)
})
