// What attackers send: request smuggling, bytes that two parsers may read differently, and much of everything. Each is refused
// and what stands behind it on the connection never becomes a request.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { assertOk, assertProblem, raw } from './lib/client.mjs'
import { assertProblemSchema } from './lib/schema.mjs'
import { makeTenant, payload } from './lib/tenant.mjs'

const tenant = await makeTenant('hardening')
const { key, api } = tenant
const records = '/api/v1/records'
const head = `Host: x\r\nAuthorization: Bearer ${key}\r\n`
const body = JSON.stringify({ moduleKey: 'incidents', payload: payload({ title: 'outer' }) })
const chunked = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`
// what would be executed if the server read the framing as the attacker hopes
const inner = JSON.stringify({ moduleKey: 'incidents', payload: payload({ title: 'smuggled' }) })
const smuggled = `POST ${records} HTTP/1.1\r\n${head}Content-Type: application/json\r\nContent-Length: ${inner.length}\r\n\r\n${inner}`
const post = (headers, text, end = '\r\n') => `POST ${records} HTTP/1.1\r\n${head}Content-Type: application/json\r\n${headers}${end}${text}`
const titles = async () => (await api.get(`${records}?moduleKey=incidents&limit=200`)).json.items.map(item => item.payload.title)

const refused = {
	'Content-Length and Transfer-Encoding': post(`Content-Length: ${chunked.length}\r\nTransfer-Encoding: chunked\r\n`, chunked),
	'Transfer-Encoding and Content-Length': post(`Transfer-Encoding: chunked\r\nContent-Length: 4\r\n`, `0\r\n\r\n`),
	'two different Content-Lengths': post(`Content-Length: ${body.length}\r\nContent-Length: 0\r\n`, body),
	'two equal Content-Lengths': post(`Content-Length: ${body.length}\r\nContent-Length: ${body.length}\r\n`, body),
	'a list of Content-Lengths': post(`Content-Length: ${body.length}, ${body.length}\r\n`, body),
	'a Content-Length with a space in it': post(`Content-Length: 1 0\r\n`, body),
	'two Transfer-Encodings': post('Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n', chunked),
	'a Transfer-Encoding that ends in chunked': post('Transfer-Encoding: gzip, chunked\r\n', chunked),
	'a Transfer-Encoding with chunked first': post('Transfer-Encoding: chunked, identity\r\n', chunked),
	'a Transfer-Encoding in quotes': post('Transfer-Encoding: "chunked"\r\n', chunked),
	'a Transfer-Encoding with a control character': post('Transfer-Encoding: \x0bchunked\r\n', chunked),
	'a space before the colon of Content-Length': post(`Content-Length : ${body.length}\r\n`, body),
	'a folded header': post(`X-Folded: a\r\n b\r\nContent-Length: ${body.length}\r\n`, body),
	'a folded Transfer-Encoding': post('Transfer-Encoding:\r\n chunked\r\n', chunked),
	'a folded Content-Length': post(`Content-Length:\r\n\t${body.length}\r\n`, body),
	'a folded first header': `GET /healthz HTTP/1.1\r\n X: folded\r\n${head}\r\n`,
	'a bare LF after the request line': `POST ${records} HTTP/1.1\n${head}Content-Length: 0\r\n\r\n`,
	'a bare LF after a header': `POST ${records} HTTP/1.1\r\nHost: x\nAuthorization: Bearer ${key}\r\nContent-Length: 0\r\n\r\n`,
	'a bare LF in place of the empty line': post(`Content-Length: ${body.length}\r\n`, body, '\n'),
	'only bare LFs': post(`Content-Length: ${body.length}\r\n`, body).replaceAll('\r\n', '\n'),
	'a bare CR in a header': post(`X-Bare: a\rTransfer-Encoding: chunked\r\nContent-Length: ${body.length}\r\n`, body),
	'a NUL in a header': post(`X-Nul: a\0b\r\nContent-Length: ${body.length}\r\n`, body),
	'a NUL in the request line': `POST ${records}\0 HTTP/1.1\r\n${head}Content-Length: 0\r\n\r\n`,
	'a chunk size with a sign': post('Transfer-Encoding: chunked\r\n', `+${chunked}`),
	'a chunk size in 0x': post('Transfer-Encoding: chunked\r\n', `0x${chunked}`),
	'a chunk that is longer than its size': post('Transfer-Encoding: chunked\r\n', `2\r\n${body}\r\n0\r\n\r\n`),
	'a chunk with a bare LF': post('Transfer-Encoding: chunked\r\n', chunked.replaceAll('\r\n', '\n')),
	'a chunk size with a space before it': post('Transfer-Encoding: chunked\r\n', ` ${chunked}`),
	'a chunk size of no digits': post('Transfer-Encoding: chunked\r\n', `\r\n${body}\r\n0\r\n\r\n`),
	'a chunk size with an underscore': post('Transfer-Encoding: chunked\r\n', `${body.length.toString(16).replace(/^./, '$&_')}\r\n${body}\r\n0\r\n\r\n`),
	'a chunk size that wraps around 64 bits': post('Transfer-Encoding: chunked\r\n', `1${'0'.repeat(15)}${body.length.toString(16).padStart(2, '0')}\r\n${body}\r\n0\r\n\r\n`),
	'a chunk extension with a bare LF': post('Transfer-Encoding: chunked\r\n', chunked.replace('\r\n', ';a=b\nX\r\n')),
	'a folded trailer': post('Transfer-Encoding: chunked\r\n', chunked.replace(/\r\n$/, 'X: a\r\n b\r\n\r\n')),
	'a chunk with bytes behind its data': post('Transfer-Encoding: chunked\r\n', chunked.replace(`${body}\r\n`, `${body}xx\r\n`)),
	'a Transfer-Encoding in HTTP/1.0': post('Transfer-Encoding: chunked\r\n', chunked).replace('HTTP/1.1', 'HTTP/1.0'),
	'a Transfer-Encoding of nothing': post('Transfer-Encoding:\r\n', chunked),
	'two Hosts': post(`Host: y\r\nContent-Length: ${body.length}\r\n`, body),
	'a Host with a space': post(`Content-Length: ${body.length}\r\n`, body).replace('Host: x', 'Host: x y'),
	'a Host with a path': post(`Content-Length: ${body.length}\r\n`, body).replace('Host: x', 'Host: x/y'),
	'a Host with user information': post(`Content-Length: ${body.length}\r\n`, body).replace('Host: x', 'Host: u@x'),
	'no Host': post(`Content-Length: ${body.length}\r\n`, body).replace('Host: x\r\n', ''),
	'two Authorizations': post(`Authorization: Bearer ${key}\r\nContent-Length: ${body.length}\r\n`, body),
	'two Content-Types': post(`Content-Type: text/plain\r\nContent-Length: ${body.length}\r\n`, body),
	'two Idempotency-Keys': post(`Idempotency-Key: a\r\nIdempotency-Key: b\r\nContent-Length: ${body.length}\r\n`, body),
	'a header name that is not ASCII': Buffer.from(post(`X\xff: 1\r\nContent-Length: ${body.length}\r\n`, body), 'latin1'),
	'a method that is no token': post(`Content-Length: ${body.length}\r\n`, body).replace('POST', 'PO(ST'),
	'a method that is not ASCII': Buffer.from(post(`Content-Length: ${body.length}\r\n`, body).replace('POST', 'P\xd6ST'), 'latin1'),
	'two spaces before the target': post(`Content-Length: ${body.length}\r\n`, body).replace('POST ', 'POST  '),
	'two spaces behind the target': post(`Content-Length: ${body.length}\r\n`, body).replace(' HTTP', '  HTTP'),
	'a tab before the target': post(`Content-Length: ${body.length}\r\n`, body).replace('POST ', 'POST\t'),
	'a version in small letters': post(`Content-Length: ${body.length}\r\n`, body).replace('HTTP/1.1', 'http/1.1'),
	'a target without a slash': post(`Content-Length: ${body.length}\r\n`, body).replace('/api', 'api'),
	'a target of another scheme': post(`Content-Length: ${body.length}\r\n`, body).replace('/api', 'ftp://x/api'),
	'an absolute target without a host': post(`Content-Length: ${body.length}\r\n`, body).replace('/api', 'http:///api'),
	'an absolute target with user information': post(`Content-Length: ${body.length}\r\n`, body).replace('/api', 'http://u:p@x/api'),
	'an asterisk': `GET * HTTP/1.1\r\n${head}\r\n`,
	'an authority': `CONNECT x:443 HTTP/1.1\r\n${head}\r\n`,
	'HTTP/2': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
}
for (const [name, bytes] of Object.entries(refused))
	test(`${name}: refused, and what follows is no request`, async () => {
		const { answers, closed } = await raw(Buffer.concat([Buffer.from(bytes), Buffer.from(smuggled)]), { wait: 1500 })
		assert.equal(answers.length, 1, `one answer: ${answers.map(({ text }) => text)}`)
		for (const answer of answers) {
			assert.ok([400, 413, 501, 505].includes(answer.status), `${answer.status} ${answer.text}`)
			assertProblemSchema(assertProblem(answer, answer.status, answer.json.code))
		}
		assert.equal(closed, true, 'the connection ends')
		const found = await titles()
		assert.ok(!found.includes('smuggled') && !found.includes('outer'), found.join(', '))
	})

test('cut in two anywhere, they are refused all the same', async () => {
	for (const name of ['a folded header', 'a bare LF after a header', 'a bare CR in a header', 'a chunk with a bare LF'])
		for (let cut = 1; cut < refused[name].length; cut += 11) {
			const { answers, closed } = await raw([refused[name].slice(0, cut), 3, refused[name].slice(cut) + smuggled], { wait: 1500 })
			assert.deepEqual(answers.map(answer => answer.status), [400], `${name}, cut at ${cut}`)
			assert.equal(closed, true)
		}
	assert.deepEqual(await titles(), [])
})

test('a good request cut in two at every byte', async () => {
	const whole = JSON.stringify({ moduleKey: 'incidents', payload: payload({ title: 'in two' }) })
	const good = Buffer.from(post(`Content-Length: ${whole.length}\r\n`, whole))
	for (let from = 1; from < good.length; from += 16)
		await Promise.all(Array.from({ length: Math.min(16, good.length - from) }, async (_, i) => {
			const { answers } = await raw([good.subarray(0, from + i), 4, good.subarray(from + i)], { count: 1 })
			assert.deepEqual(answers.map(({ status }) => status), [201], `cut at ${from + i}`)
		}))
})

// What a path means, and what it does not: nothing of it is resolved, collapsed or decoded twice.
const modules = '/api/v1/modules'
const paths = {
	200: [`/%61pi/v1/modules`, `${modules}?`, `${modules}?&&`, `${modules}?limit=%31`, `${modules}?%6cimit=1`, `http://y${modules}`, `HTTP://Y:80${modules}`, `https://y${modules}?limit=1`],
	404: [`/${modules}`, '/api//v1/modules', `${modules}/`, `${modules};a=b`, `${modules}%2F`, `%2Fapi/v1/modules`, '/api%2fv1/modules', '/api/v1/../v1/modules', '/api/./v1/modules', '/api/v1/%2e%2e/v1/modules',
		'/api/v1/records/..%2f..', '/%2561pi/v1/modules', '/api\\v1\\modules', `${modules}%20`, `${modules}%3flimit=1`, `${modules}%23`, 'http://y', `http://y?x=${modules}`, '/'],
	400: [`${modules}%`, `${modules}%2`, `${modules}%zz`, `${modules}%00`, `${modules}%c0%af`, `${modules}%e0%80%af`, `${modules}%f0%80%80%af`, `${modules}%ed%a0%80`, `${modules}%f4%90%80%80`, `${modules}%ff`,
		`${modules}\xff`, `${modules}\xc0\xaf`, `${modules}?limit=%00`, `${modules}?limit=%ff`, `${modules}?limit=\xff`, `${modules}?%zz=1`, `${modules}?limit=1&limit=1`, `${modules}?=1`, `${modules}?limit`, `${modules}?LIMIT=1`, `${modules}?limit=%2531`],
}
for (const [status, targets] of Object.entries(paths))
	for (const target of targets)
		test(`${JSON.stringify(target)} is ${status}`, async () => {
			const { answers } = await raw(Buffer.from(target.startsWith('%') ? `GET /${target} HTTP/1.1\r\n${head}\r\n` : `GET ${target} HTTP/1.1\r\n${head}\r\n`, 'latin1'), { count: 1 })
			assert.equal(answers[0].status, Number(status), answers[0].text)
			if (answers[0].status >= 400) {
				assertProblemSchema(assertProblem(answers[0], answers[0].status, answers[0].json.code))
				assert.match(answers[0].json.instance, /^[-\w.~!$&'()*+,;=:@/%]*$/, 'a URI reference')
			}
		})

test('a body of 100 MB in chunks is refused without being kept', async () => {
	const before = rss()
	const chunk = `100000\r\n${' '.repeat(1 << 20)}\r\n`
	const { answers, closed } = await raw([post('Transfer-Encoding: chunked\r\n', ''), ...Array(100).fill(chunk), '0\r\n\r\n'], { wait: 10000 })
	// whoever goes on sending may lose the answer to the reset of the connection
	for (const answer of answers)
		assertProblem(answer, 413, 'payload_too_large')
	assert.equal(closed, true)
	assert.ok(rss() - before < 16 * 1024)
})

const rss = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${process.env.QEHS_SHIM_PID}/status`, 'utf8'))[1])

test('memory stays bounded under bodies and headers that are refused', async () => {
	const storm = async rounds => {
		for (let i = 0; i < rounds; i++)
			await Promise.all(Array.from({ length: 8 }, (_, n) => raw(n % 2
				? [post('Transfer-Encoding: chunked\r\n', ''), ...Array(24).fill(`10000\r\n${' '.repeat(65536)}\r\n`), '0\r\n\r\n']
				: `GET /healthz HTTP/1.1\r\n${head}${Array.from({ length: 10000 }, (_, k) => `X-${k}: ${k}\r\n`).join('')}\r\n`, { count: 1 })))
	}
	await storm(5)
	const before = rss()
	await storm(25)
	assert.ok(rss() - before < 16 * 1024, `${before} kB grew to ${rss()} kB`)
})

test('1,000 pipelined requests on one connection are all answered, in order', async () => {
	const traces = Array.from({ length: 1000 }, () => randomBytes(16).toString('hex'))
	const { answers } = await raw(traces.map(trace => `GET /api/v1/modules HTTP/1.1\r\n${head}traceparent: 00-${trace}-00f067aa0ba902b7-01\r\n\r\n`).join(''),
		{ count: 1000, wait: 20000 })
	assert.deepEqual(answers.map(answer => [answer.status, answer.headers['x-trace-id']]), traces.map(trace => [200, trace]))
})

test('random bytes are never a crash, and never a success', async () => {
	const good = post(`Content-Length: ${body.length}\r\n`, body)
	for (let i = 0; i < 300; i++) {
		const bytes = Buffer.from(good.replace(key, 'qehs_live_sk_none'))
		for (let n = 0; n < 3; n++)
			bytes[Math.floor(Math.random() * bytes.length)] = Math.floor(Math.random() * 256)
		const { answers } = await raw(bytes, { count: 1, half: true, wait: 500 })
		for (const answer of answers)
			assert.ok(answer.status >= 400 || answer.status === 100, `${answer.status} for ${JSON.stringify(bytes.toString('latin1'))}`)
	}
	assertOk(await api.get('/api/v1/modules'))
})
