// The SQL and isolation tests on the releases of PostgreSQL beside the one that all else runs on.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { test } from 'node:test'

const script = new URL('postgres.sh', import.meta.url).pathname
const run = release => new Promise((resolve, reject) => {
	const child = spawn(script, [release], { stdio: ['ignore', 'pipe', 'pipe'] })
	let said = ''
	for (const stream of [child.stdout, child.stderr])
		stream.setEncoding('utf8').on('data', text => said += text)
	child.on('error', reject).on('close', status => resolve({ status, said }))
})

for (const release of ['17', '18'])
	test(`SQL and isolation tests on PostgreSQL ${release}`, async context => {
		const { status, said } = await run(release)
		if (status === 77) {
			console.error(`PostgreSQL ${release} WAS NOT TESTED:\n${said}`)
			return context.skip(`PostgreSQL ${release} could not be had`)
		}
		assert.equal(status, 0, said.slice(-8000))
		assert.match(said, new RegExp(`^PostgreSQL ${release}[.\\d]* `, 'm'))
	})
