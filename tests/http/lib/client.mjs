// A client for the tests: requests over node:http, raw bytes over node:net, and the shape of every problem.
//
// Requests without a valid key are limited per address, so each of them comes from another address of 127.0.0.0/8:
// test files run side by side and would use up each other's limit.
import assert from 'node:assert/strict'
import http from 'node:http'
import net from 'node:net'
import { checkAnswer } from './contract.mjs'

export const base = new URL(process.env.QEHS_URL ?? 'http://127.0.0.1:8080')
export const agent = new http.Agent({ keepAlive: true, maxSockets: 64 })

// Failed keys count against the address: each test file has one of its own.
export const someAddress = () => '127.' + [250, 255, 254].map(top => 1 + Math.floor(Math.random() * (top - 1))).join('.')
const ours = someAddress()

// method, target as it goes on the line; options: key, headers, json (an object to send), body (bytes or text), url, agent,
// from (the address to send from), timeout (ms without a byte), contract (that the answer is held against).
// Gives {status, headers, body, text, json}; json is undefined when the body is none.
export function request(method, target, { key, headers = {}, json, body, url = base, agent: use = agent, from, timeout, contract } = {}) {
	return new Promise((resolve, reject) => {
		const sent = { ...headers }
		const bytes = json === undefined ? body : JSON.stringify(json)
		if (key) sent.Authorization ??= `Bearer ${key}`
		if (bytes !== undefined) {
			const named = Object.keys(sent).find(name => name.toLowerCase() === 'content-type')
			if (named === undefined) sent['Content-Type'] = 'application/json'
			else if (sent[named] === null) delete sent[named]
			sent['Content-Length'] = Buffer.byteLength(bytes)
		}
		const outgoing = http.request({
			host: url.hostname, port: url.port, method, path: target, headers: sent, agent: use,
			localAddress: from ?? (key ? ours : someAddress()), timeout,
		}, answer => {
			const parts = []
			answer.on('data', part => parts.push(part))
			answer.on('error', reject)
			answer.on('end', () => {
				try {
					resolve(checkAnswer(method, target, complete(answer.statusCode, answer.headers, Buffer.concat(parts)), contract))
				} catch (error) {
					reject(error)
				}
			})
		})
		outgoing.on('timeout', () => outgoing.destroy(new Error('timeout')))
		outgoing.on('error', reject)
		outgoing.end(bytes)
	})
}

function complete(status, headers, body) {
	const answer = { status, headers, body, text: body.toString() }
	if (/json\b/.test((headers['content-type'] ?? '').replace('x-ndjson', 'lines')) && body.length > 0 && !headers['content-encoding'])
		answer.json = JSON.parse(answer.text)
	return answer
}

// Requests of one key: caller(key).get('/api/v1/…'), .post(target, json, headers) and so on.
export function caller(key, url = base) {
	const call = (method, target, json, headers) => request(method, target, { key, json, headers, url })
	return {
		key,
		get: (target, headers) => call('GET', target, undefined, headers),
		head: (target, headers) => call('HEAD', target, undefined, headers),
		post: (target, json, headers) => call('POST', target, json, headers),
		patch: (target, json, headers) => call('PATCH', target, json, headers),
		put: (target, json, headers) => call('PUT', target, json, headers),
		delete: (target, headers) => call('DELETE', target, undefined, headers),
	}
}

// Bytes as they are on a connection of their own. Resolves with all that came until the server closed, or `count`
// answers were complete, or `wait` ms went by in silence: {answers, bytes, closed}.
// parts may be text, Buffers and numbers (a pause in ms); half: close the sending side after the last part.
export function raw(parts, { count = Infinity, wait = 3000, half = false, methods = [], url = base } = {}) {
	return new Promise((resolve, reject) => {
		const socket = net.connect({ host: url.hostname, port: Number(url.port), localAddress: someAddress(), allowHalfOpen: true })
		let bytes = Buffer.alloc(0)
		let timer
		const done = closed => {
			clearTimeout(timer)
			socket.destroy()
			try {
				resolve({ answers: parseAnswers(bytes, methods).answers, bytes, closed })
			} catch (error) {
				reject(error)
			}
		}
		const wind = () => {
			clearTimeout(timer)
			timer = setTimeout(() => done(false), wait)
		}
		socket.on('data', part => {
			bytes = Buffer.concat([bytes, part])
			wind()
			if (count !== Infinity && parseAnswers(bytes, methods).answers.length >= count) done(false)
		})
		socket.on('end', () => done(true))
		socket.on('close', () => done(true))
		// what the server refuses early it may close while more is on its way
		socket.on('error', () => done(true))
		socket.on('connect', async () => {
			wind()
			for (const part of [parts].flat()) {
				if (socket.destroyed) return
				if (typeof part === 'number') await new Promise(resume => setTimeout(resume, part))
				else if (!socket.write(part)) await new Promise(resume => { socket.once('drain', resume); socket.once('close', resume) })
				wind()
			}
			if (half) socket.end()
		})
	})
}

// All complete answers in bytes, and how many bytes they take; methods[i] === 'HEAD' has no body.
export function parseAnswers(bytes, methods = []) {
	const answers = []
	let at = 0
	for (;;) {
		const end = bytes.indexOf('\r\n\r\n', at)
		if (end < 0) break
		const lines = bytes.toString('latin1', at, end).split('\r\n')
		const match = /^HTTP\/1\.[01] (\d{3})( .*)?$/.exec(lines[0])
		assert.ok(match, `a status line, not ${JSON.stringify(lines[0])}`)
		const status = Number(match[1])
		const headers = {}
		for (const line of lines.slice(1)) {
			const colon = line.indexOf(':')
			assert.ok(colon > 0, `a header line, not ${JSON.stringify(line)}`)
			// lines of one name are one list (RFC 9110 section 5.3), as node's client gives them
			const [name, value] = [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
			headers[name] = name in headers ? `${headers[name]}, ${value}` : value
		}
		let start = end + 4
		let body = Buffer.alloc(0)
		const interim = status < 200
		const none = interim || status === 204 || status === 304 || methods[answers.filter(a => a.status >= 200).length] === 'HEAD'
		if (!none && headers['transfer-encoding'] === 'chunked') {
			const parts = []
			for (;;) {
				const line = bytes.indexOf('\r\n', start)
				if (line < 0) return { answers, used: at }
				const size = parseInt(bytes.toString('latin1', start, line), 16)
				if (bytes.length < line + 2 + size + 2) return { answers, used: at }
				parts.push(bytes.subarray(line + 2, line + 2 + size))
				start = line + 2 + size + 2
				if (size === 0) break
			}
			body = Buffer.concat(parts)
		} else if (!none) {
			const length = Number(headers['content-length'] ?? bytes.length - start)
			if (bytes.length < start + length) break
			body = bytes.subarray(start, start + length)
			start += length
		}
		answers.push(complete(status, headers, body))
		at = start
	}
	return { answers, used: at }
}

const TITLES = new Map()
const sorted = errors => errors.map(({ path, code }) => `${path} ${code}`).sort()

// The whole shape of a problem answer. expect: errors (array of {path, code}), instance, headers (names that must be there),
// limited (the key has a rate limit, so its headers must be there), form (of the endpoint's errors: GraphQL's have the problem inside).
export function assertProblem(answer, status, code, { errors, instance, limited, form = 'problem' } = {}) {
	const where = `${answer.status} ${answer.text}`
	const inside = form === 'graphql'
	assert.equal(answer.status, status, where)
	if (form === 'scim') {
		// RFC 7644 section 3.12
		assert.equal(answer.headers['content-type'], 'application/scim+json', where)
		assert.deepEqual([answer.json.schemas, answer.json.status], [['urn:ietf:params:scim:api:messages:2.0:Error'], String(status)], where)
		return answer.json
	}
	assert.equal(answer.headers['content-type'], inside ? 'application/graphql-response+json' : 'application/problem+json', where)
	const whole = answer.json ?? JSON.parse(answer.text)
	if (inside) assert.equal(whole.errors[0].extensions.code, code, where)
	const problem = inside ? whole.errors[0].extensions.problem : whole
	const members = ['type', 'title', 'status', 'detail', 'instance', 'code', 'traceId', ...(problem.errors ? ['errors'] : [])]
	assert.deepEqual(Object.keys(problem).sort(), members.sort(), where)
	assert.equal(problem.code, code, where)
	assert.equal(problem.status, status, where)
	assert.match(problem.type, new RegExp(`^https?://[^#]+/developers/errors#${code}$`))
	assert.ok(typeof problem.title === 'string' && problem.title.length > 0, where)
	assert.equal(problem.title, TITLES.get(code) ?? problem.title, 'one title for each code')
	TITLES.set(code, problem.title)
	assert.ok(typeof problem.detail === 'string' && problem.detail.length > 0, where)
	assert.equal(typeof problem.instance, 'string', where)
	if (instance !== undefined) assert.equal(problem.instance, instance)
	assertTrace(answer)
	assert.equal(problem.traceId, answer.headers['x-trace-id'], where)
	if (problem.errors) {
		assert.ok(problem.errors.length > 0 && problem.errors.length <= 100, where)
		for (const error of problem.errors) {
			assert.deepEqual(Object.keys(error).sort(), ['code', 'message', 'path'], where)
			assert.match(error.path, /^(\/|\?|@|$)/, where)
			assert.match(error.code, /^[a-zA-Z][a-zA-Z0-9_]*$/, where)
			assert.ok(error.message.length > 0, where)
		}
	}
	if (errors) assert.deepEqual(sorted(problem.errors ?? []), sorted(errors), where)
	if (status === 401) assert.match(answer.headers['www-authenticate'] ?? '', /^Bearer\b/, where)
	if (status === 405) assert.match(answer.headers.allow ?? '', /\bOPTIONS\b/, where)
	if (status === 429 || status === 503) assert.match(answer.headers['retry-after'] ?? '', /^[1-9]\d*$/, where)
	if (limited) assertLimited(answer)
	assert.doesNotMatch(problem.detail, /SELECT|INSERT|UPDATE|pg_|relation|\.c:\d/, 'no SQL to clients')
	return problem
}

export function assertTrace(answer) {
	assert.match(answer.headers['x-trace-id'] ?? '', /^[0-9a-f]{32}$/, answer.text)
	assert.match(answer.headers.traceparent ?? '', new RegExp(`^00-${answer.headers['x-trace-id']}-[0-9a-f]{16}-0[01]$`))
}

export function assertLimited(answer) {
	for (const name of ['x-ratelimit-limit', 'x-ratelimit-remaining', 'x-ratelimit-reset', 'ratelimit-policy', 'ratelimit'])
		assert.ok(answer.headers[name], `${name} is missing on ${answer.status}`)
	assert.match(answer.headers['x-ratelimit-remaining'], /^\d+$/)
}

// A success: its status, its content type, no problem in it.
export function assertOk(answer, status = 200) {
	assert.equal(answer.status, status, answer.text)
	assertTrace(answer)
	if (answer.body.length > 0) assert.equal(answer.headers['content-type'], 'application/json; charset=utf-8')
	return answer.json
}
