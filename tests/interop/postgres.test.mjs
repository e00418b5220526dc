// The SQL and isolation tests on the releases of PostgreSQL beside the one that all else runs on.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runScript } from './run.mjs'

for (const release of ['17', '18'])
	test(`SQL and isolation tests on PostgreSQL ${release}`, async context => {
		const { status, said } = await runScript('postgres.sh', [release])
		if (status === 77) {
			console.error(`PostgreSQL ${release} WAS NOT TESTED:\n${said}`)
			return context.skip(`PostgreSQL ${release} could not be had`)
		}
		assert.equal(status, 0, said.slice(-8000))
		assert.match(said, new RegExp(`^PostgreSQL ${release}[.\\d]* `, 'm'))
	})
