// The HTTP tests on libmicrohttpd 1.0, on which the shim relies for other things than on 0.9, in a Debian 13 in a folder.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runScript } from './run.mjs'

test('HTTP tests on libmicrohttpd 1.0', async context => {
	const { status, said } = await runScript('microhttpd.sh', [], { HTTP_TESTS: 'tests/http/*.test.mjs' })
	if (status === 77) {
		console.error(`libmicrohttpd 1.0 WAS NOT TESTED:\n${said}`)
		return context.skip('libmicrohttpd 1.0 could not be had')
	}
	const failed = said.split('\n').filter(line => /^ *not ok/.test(line)).join('\n')
	assert.equal(status, 0, `${failed}\n${said.slice(-6000)}`)
	assert.match(said, /^libmicrohttpd 1\./m)
})
