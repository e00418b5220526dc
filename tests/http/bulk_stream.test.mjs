// The answer of a bulk load comes while its body still goes: who gets it so, who does not, and what happens when the client
// does not read, or leaves.
import assert from 'node:assert/strict'
import http from 'node:http'
import net from 'node:net'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { base, request } from './lib/client.mjs'
import { freePort, start, until } from './lib/process.mjs'
import { makeTenant, payload, psql } from './lib/tenant.mjs'

const tenant = await makeTenant('bulk_stream')
const path = '/api/v1/modules/incidents/bulk'
const agent = new http.Agent({ keepAlive: true })
const line = members => JSON.stringify(payload(members)) + '\n'
const many = (count, members) => line(members).repeat(count)
const parse = text => text.trimEnd().split('\n').map(item => JSON.parse(item))

// A load whose body stays open: {outgoing, answer, response, seen()}; seen gives the lines that have come so far.
function open({ query = '', headers = {}, key = tenant.key, url = base } = {}) {
	let text = ''
	const outgoing = http.request({ host: url.hostname, port: url.port, method: 'POST', path: path + query, agent,
		headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/x-ndjson', ...headers } })
	const response = new Promise((resolve, reject) => {
		outgoing.on('error', reject)
		outgoing.on('response', resolve)
	})
	const answer = response.then(async incoming => {
		for await (const part of incoming) text += part
		return { status: incoming.statusCode, headers: incoming.headers, lines: parse(text) }
	})
	answer.catch(() => {})
	return { outgoing, response, answer, seen: () => text.split('\n').length - 1 }
}

const count = async where => Number(await psql(`SELECT count(*) FROM qehs.record AS r JOIN qehs.tenant AS t ON t.id = r.tenant_id WHERE t.slug = '${tenant.slug}' AND ${where}`))
const places = async () => Number(await psql(`SELECT count(*) FROM pg_locks AS l JOIN pg_database AS d ON d.oid = l.database AND d.datname = current_database()
	WHERE locktype = 'advisory' AND objsubid = 5 AND classid = (SELECT id FROM qehs.tenant WHERE slug = '${tenant.slug}')`))

test('the answers of 1,000 lines come before the body ends, and so on', async () => {
	const { outgoing, answer, response, seen } = open()
	outgoing.write(many(1000))
	await until('1,000 lines answered', () => seen() === 1000)
	assert.equal((await response).headers['content-type'], 'application/x-ndjson')
	assert.equal((await response).headers['transfer-encoding'], 'chunked')
	outgoing.write(line())
	await until('one more line answered', () => seen() === 1001)
	outgoing.write(many(2000))
	await until('2,000 more lines answered', () => seen() === 3001)
	outgoing.end('{"title":"the last"}')
	const { lines, headers } = await answer
	assert.deepEqual(lines.slice(0, 3001).map(item => [item.line, item.status]), Array.from({ length: 3001 }, (_, i) => [i + 1, 'created']))
	assert.equal(lines[3001].status, 'failed')
	assert.deepEqual({ ...lines[3002].summary, durationMs: 0 }, { lines: 3002, created: 3001, replayed: 0, failed: 1, durationMs: 0 })
	assert.equal(headers.connection, 'close')
	assert.match(headers['x-trace-id'], /^[0-9a-f]{32}$/)
})

test('a line that is answered has been committed', async () => {
	const { outgoing, answer, seen } = open()
	outgoing.write(many(700, { site: 'Seen' }))
	await until('some lines answered', () => seen() > 0)
	const before = seen()
	assert.ok(await count(`payload ->> 'site' = 'Seen'`) >= before)
	outgoing.end()
	await answer
})

test('a client that reads nothing until it has sent 50 MB', async () => {
	const bad = JSON.stringify({ title: 'x', severity: 'none', count: 'x', cost: 'x', email: 'x', due: 'x', description: 'd'.repeat(500) }) + '\n'
	const lines = Math.ceil(50e6 / bad.length)
	const socket = net.connect({ host: base.hostname, port: Number(base.port) })
	const parts = []
	socket.pause()
	socket.write(`POST ${path}?dryRun=true HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${tenant.key}\r\n` +
		`Content-Type: application/x-ndjson\r\nContent-Length: ${bad.length * lines}\r\n\r\n`)
	for (let sent = 0; sent < lines; sent += 1000)
		await new Promise((resolve, reject) => socket.write(bad.repeat(Math.min(1000, lines - sent)), error => error ? reject(error) : resolve()))
	for await (const part of socket) parts.push(part)
	const [head, body] = [Buffer.concat(parts).toString()].flatMap(text => [text.slice(0, text.indexOf('\r\n\r\n')), text.slice(text.indexOf('\r\n\r\n') + 4)])
	assert.match(head, /^HTTP\/1\.1 200 OK\r\n/)
	assert.ok(body.endsWith('\r\n0\r\n\r\n'))
	const answers = parse(dechunk(body))
	assert.equal(answers.length, lines + 1)
	answers.slice(0, -1).forEach((item, i) => { assert.equal(item.line, i + 1); assert.equal(item.errors.length, 5) })
	assert.equal(answers.at(-1).summary.failed, lines)
})

function dechunk(text) {
	const parts = []
	for (let at = 0; ;) {
		const end = text.indexOf('\r\n', at)
		const size = Number.parseInt(text.slice(at, end), 16)
		if (size === 0) return parts.join('')
		parts.push(text.slice(end + 2, end + 2 + size))
		at = end + 2 + size + 2
	}
}

test('a load that is over soon leaves its connection open', async () => {
	const one = new http.Agent({ keepAlive: true, maxSockets: 1 })
	for (let i = 0; i < 3; i++) {
		const answer = await request('POST', path, { key: tenant.key, body: many(20), headers: { 'Content-Type': 'application/x-ndjson' }, agent: one })
		assert.equal(parse(answer.text).at(-1).summary.created, 20)
		assert.notEqual(answer.headers.connection, 'close')
	}
	assert.equal(Object.values(one.freeSockets).flat().length, 1)
	one.destroy()
})

test('whoever may stand behind a proxy, and who wants the connection closed, gets the answer after the body', async () => {
	for (const headers of [{ Via: '1.1 proxy' }, { Forwarded: 'for=192.0.2.1' }, { 'X-Forwarded-For': '192.0.2.1' }, { 'X-Real-IP': '192.0.2.1' }, { Connection: 'close' }]) {
		const site = `By ${Object.keys(headers)}`
		const { outgoing, answer, seen } = open({ headers })
		outgoing.write(many(1200, { site }))
		await until('the lines committed', async () => await count(`payload ->> 'site' = '${site}'`) === 1200)
		await sleep(600)
		assert.equal(seen(), 0)
		outgoing.end()
		assert.equal((await answer).lines.at(-1).summary.created, 1200)
	}
})

// A shim of the test's own on the same database.
async function withShim(flags, work) {
	const url = new URL(`http://127.0.0.1:${await freePort()}`)
	const shim = start(process.env.QEHS_SHIM_BIN, ['--listen', url.host, '--log', 'off', ...flags,
		'--db', `host=${process.env.PGHOST} port=${process.env.PGPORT} user=qehs_shim dbname=${process.env.PGDATABASE}`])
	try {
		await until('the shim ready', () => request('GET', '/readyz', { url }).then(answer => answer.status === 200, () => false))
		await work(url)
	} finally {
		shim.kill()
	}
}

test('--early-answers is the word of who knows the proxy', async () => {
	for (const [word, early] of [['always', true], ['never', false]])
		await withShim(['--early-answers', word], async url => {
			const site = `Word ${word}`
			const { outgoing, answer, seen } = open({ url, headers: early ? { Via: '1.1 proxy' } : {} })
			outgoing.write(many(1200, { site }))
			await until('the lines committed', async () => await count(`payload ->> 'site' = '${site}'`) === 1200)
			if (early) await until('the lines answered', () => seen() === 1200)
			else await sleep(600)
			assert.equal(seen(), early ? 1200 : 0)
			outgoing.end()
			assert.equal((await answer).lines.at(-1).summary.created, 1200)
		})
})

test('a line may be as long as --max-body', async () => {
	const long = bytes => JSON.stringify({ title: 'long', severity: 'low', extra: { text: '' } }).replace('""', `"${'x'.repeat(bytes - 53)}"`) + '\n'
	assert.equal(long(1000).length, 1001)
	await withShim(['--max-body', '3000000'], async url => {
		const answer = await request('POST', path, { key: tenant.key, url, headers: { 'Content-Type': 'application/x-ndjson' },
			body: long(3000000) + long(3000001) + line() })
		const lines = parse(answer.text)
		assert.deepEqual(lines.slice(0, 3).map(item => item.status), ['created', 'failed', 'created'])
		assert.deepEqual(lines[1].errors, [{ path: '', code: 'payload_too_large', message: 'must be at most 3000000 bytes long' }])
	})
})

test('HTTP/1.0 gets the answer after the body, without chunks', async () => {
	const body = many(3000)
	const socket = net.connect({ host: base.hostname, port: Number(base.port) })
	let text = ''
	socket.on('data', part => { text += part })
	socket.write(`POST ${path}?dryRun=true HTTP/1.0\r\nAuthorization: Bearer ${tenant.key}\r\nContent-Length: ${body.length}\r\n\r\n`)
	socket.write(body.slice(0, -100))
	await sleep(800)
	assert.equal(text, '')
	socket.write(body.slice(-100))
	await new Promise(resolve => socket.on('close', resolve))
	assert.doesNotMatch(text, /transfer-encoding/i)
	assert.equal(parse(text.slice(text.indexOf('\r\n\r\n') + 4)).at(-1).summary.valid, 3000)
})

test('mode=atomic answers when it is known which it is', async () => {
	const { outgoing, answer, seen } = open({ query: '?mode=atomic' })
	outgoing.write(many(1500))
	await sleep(800)
	assert.equal(seen(), 0)
	outgoing.end()
	assert.equal((await answer).lines.at(-1).summary.created, 1500)
})

test('a key that is revoked after the answer has begun ends it with an error', async () => {
	const { key, keyId } = await tenant.makeKey()
	const { outgoing, answer, seen } = open({ key })
	outgoing.write(line())
	await until('the first line answered', () => seen() === 1)
	assert.equal((await tenant.api.delete(`/api/v1/api-keys/${keyId}`)).status, 204)
	outgoing.write(line())
	await until('the error told', () => seen() === 2)
	outgoing.end(many(5000))
	const { status, lines } = await answer
	assert.equal(status, 200)
	assert.deepEqual(lines.map(item => item.status ?? item.error.code), ['created', 'unauthenticated'])
})

test('what breaks a body ends the answer of all lines before it', async () => {
	const body = Buffer.concat([gzipSync(many(20000)), Buffer.from('x')])
	const answer = await request('POST', path + '?dryRun=true', { key: tenant.key, body, headers: { 'Content-Type': 'application/x-ndjson', 'Content-Encoding': 'gzip' } })
	const lines = parse(answer.text)
	assert.equal(lines.pop().error.code, 'malformed_request')
	assert.ok(lines.length > 0)
	lines.forEach((item, i) => assert.deepEqual([item.line, item.status], [i + 1, 'valid']))
})

test('a client that leaves gives its place back, whether it has read or not', async () => {
	await until('no other load', async () => await places() === 0)
	for (const reads of [true, false]) {
		const socket = net.connect({ host: base.hostname, port: Number(base.port) })
		let come = ''
		socket.on('error', () => {})
		if (reads) socket.on('data', part => { come += part })
		else socket.pause()
		socket.write(`POST ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${tenant.key}\r\nTransfer-Encoding: chunked\r\n\r\n`)
		for (let i = 0; i < 10; i++) {
			const body = many(1000, { site: `Leaves ${reads}` })
			socket.write(`${body.length.toString(16)}\r\n${body}\r\n`)
		}
		await until('some lines', async () => reads ? come.includes('created') : await count(`payload ->> 'site' = 'Leaves ${reads}'`) > 5000)
		socket.resetAndDestroy()
		await until('the place given back', async () => await places() === 0)
	}
	assert.equal((await request('GET', '/healthz')).status, 200)
})
