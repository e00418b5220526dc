// JSONTestSuite: what RFC 8259 says must be refused is refused, what must be accepted is, and the rest is no 500.
//
// Each case goes as the whole body and as the payload of a body.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { assertProblem, request } from './lib/client.mjs'
import { makeTenant } from './lib/tenant.mjs'

const { key } = await makeTenant('suite')
const cases = JSON.parse(readFileSync(new URL('../data/jsontestsuite.json', import.meta.url)))
// valid JSON that this API wants otherwise: each key once, no NUL
const stricter = {
	y_object_duplicated_key: 'duplicate_key', y_object_duplicated_key_and_value: 'duplicate_key',
	y_object_escaped_null_in_key: 'nul', y_string_null_escape: 'nul',
}

const bytesOf = one => Buffer.concat([Buffer.from((one.repeat ?? '').repeat(one.times ?? 0)), Buffer.from(one.base64, 'base64')])
const post = body => request('POST', '/api/v1/records', { key, body })
const wrapped = bytes => Buffer.concat([Buffer.from('{"moduleKey":"incidents","payload":'), bytes, Buffer.from('}')])

async function check(one) {
	const bytes = bytesOf(one)
	for (const answer of [await post(bytes), await post(wrapped(bytes))]) {
		assert.equal(answer.status, 400, `${one.name}: ${answer.text}`)
		const problem = assertProblem(answer, 400, answer.json.code)
		if (one.name.startsWith('n_')) assert.equal(problem.code, 'malformed_json', `${one.name}: ${answer.text}`)
		else if (stricter[one.name]) {
			assert.equal(problem.code, 'malformed_json', one.name)
			assert.equal(problem.errors[0].code, stricter[one.name], one.name)
		} else if (one.name.startsWith('y_')) assert.equal(problem.code, 'validation_failed', `${one.name}: ${answer.text}`)
		else assert.ok(['malformed_json', 'validation_failed'].includes(problem.code), `${one.name}: ${answer.text}`)
	}
}

for (const [prefix, name] of [['n_', 'what must be refused'], ['y_', 'what must be accepted'], ['i_', 'what may be either']])
	test(name, async () => {
		const chosen = cases.filter(one => one.name.startsWith(prefix))
		assert.ok(chosen.length > 20)
		await Promise.all(chosen.map(check))
	})
