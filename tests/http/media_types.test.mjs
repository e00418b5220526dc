// Content negotiation: the most specific range of Accept, the greatest weight; the charset of a body (RFC 9110 sections 8.3 and 12.5.1).
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertProblem, raw, request } from './lib/client.mjs'
import { makeRecord, makeTenant, payload } from './lib/tenant.mjs'

const tenant = await makeTenant('media')
const { key } = tenant
const record = await makeRecord(tenant)
const body = JSON.stringify({ moduleKey: 'incidents', payload: payload() })

test('the most specific range counts, wherever it stands', async () => {
	const get = accept => request('GET', `/api/v1/records/${record.id}`, { key, headers: { Accept: accept } })
	for (const accept of ['application/*;q=0, application/json', 'application/json;q=0.001, */*;q=0', 'text/html, application/json ; charset=utf-8 ; q=0.5', '*/*;q=0.1,text/html'])
		assert.equal((await get(accept)).status, 200, accept)
	for (const accept of ['application/json;q=0, */*', 'application/json;q=0, application/*', 'application/*;q=0.0, text/*', 'text/*'])
		assertProblem(await get(accept), 406, 'not_acceptable')
})

test('a body that names a charset is UTF-8', async () => {
	const post = type => request('POST', '/api/v1/records', { key, headers: { 'Content-Type': type }, body })
	for (const type of ['application/json; charset=utf-8', 'application/json;charset="UTF-8"', 'application/merge-patch+json', 'application/json; version=1; charset=utf-8'])
		assert.equal((await post(type)).status, 201, type)
	for (const type of ['application/json; charset=utf-80', 'application/json; version=1; charset=latin1', 'application/jsonx', 'text/json'])
		assertProblem(await post(type), 415, 'unsupported_media_type')
})

test('a list field on two lines is one field', async () => {
	const head = `Host: x\r\nAuthorization: Bearer ${key}\r\n`
	const patch = lines => raw(`PATCH /api/v1/records/${record.id} HTTP/1.1\r\n${head}Content-Type: application/json\r\nContent-Length: 14\r\n${lines}\r\n{"payload":{}}`, { count: 1 })
	assert.equal((await patch('If-Match: "77"\r\nIf-Match: "1"\r\n')).answers[0].status, 200)
	assert.equal((await patch('If-Match: "1"\r\nIf-Match: "77"\r\n')).answers[0].status, 200)
	assert.equal((await patch('If-Match: "76"\r\nIf-Match: "77"\r\n')).answers[0].status, 412)
	const { answers } = await raw(`GET /api/v1/records/${record.id} HTTP/1.1\r\n${head}Accept: text/html\r\nAccept: application/json\r\n\r\n`, { count: 1 })
	assert.equal(answers[0].status, 200)
})
