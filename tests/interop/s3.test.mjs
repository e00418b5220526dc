// Attachments in S3: a real server, which verifies signatures, takes what our URLs allow and refuses everything else.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { createHash, createHmac } from 'node:crypto'
import { sleep, stage } from '../fault/cluster.mjs'
import { fetched, until } from '../fault/exports.mjs'
import { start } from '../http/lib/process.mjs'

const directory = mkdtempSync('/tmp/qehs-swift.')
let swift
let missing
let port

before(async () => {
	// five in a row, below those of clients (http/lib/process.mjs)
	port = 10000 + Math.floor(Math.random() * 4000) * 5
	swift = start(new URL('swift.sh', import.meta.url).pathname, [directory, String(port)], { stdio: ['pipe', 'pipe', 'inherit'] })
	await new Promise(resolve => {
		swift.stdout.on('data', text => /ready/.test(text) && resolve())
		swift.on('exit', status => { missing = status; resolve() })
	})
})
after(async () => {
	swift.stdin.end()
	if (missing === undefined) await new Promise(resolve => swift.on('exit', resolve))
	rmSync(directory, { recursive: true, force: true })
})
const at = stage('bucket', {
	flags: () => ['--s3-endpoint', `http://127.0.0.1:${port}`, '--s3-bucket', 'qehs-files', '--s3-prefix', 'ours/', '--s3-style', 'path', '--s3-access-key', 'test:tester', '--s3-secret-key', 'testing'],
	prepare: ({ cluster }) => cluster.sql("SELECT qehs.use_tenant('bucket'); SELECT qehs.rate_limit_set('signed-urls', 0)"),
})
const api = async (method, path, json) => {
	const answer = await fetch(`http://127.0.0.1:${at.shim.port}${path}`, { method, headers: { Authorization: `Bearer ${at.key}`, ...json && { 'Content-Type': 'application/json' } }, body: json && JSON.stringify(json) })
	const text = await answer.text()
	return text === '' ? undefined : JSON.parse(text)
}
const send = (announced, body, headers = announced.headers, method = 'PUT') => fetch(announced.uploadUrl, { method, body, headers })
const settled = async id => {
	for (let i = 0; i < 60; i++) {
		const found = await api('GET', `/api/v1/attachments/${id}`)
		if (found.status !== 'pending') return found
		await sleep(250)
	}
	throw new Error('it stays pending')
}
const text = 'Found at the foot of the stairs.\n'
const sha256 = createHash('sha256').update(text).digest('hex')

test('a file is announced, sent to S3, shown by its record and fetched as it was', async context => {
	if (missing) return context.skip('Swift could not be had')
	const record = await api('POST', '/api/v1/records', { moduleKey: 'incidents', payload: { title: 'x', severity: 'low' } })
	const announced = await api('POST', '/api/v1/attachments', { recordId: record.id, filename: 'Foto "1" +ü.txt', contentType: 'text/plain', sizeBytes: text.length, sha256 })
	assert.match(announced.uploadUrl, new RegExp(`^http://127.0.0.1:${port}/qehs-files/ours/bucket/${announced.id}\\?`))
	assert.equal((await api('GET', `/api/v1/attachments/${announced.id}`)).status, 'pending')
	assert.equal((await send(announced, text)).status, 200)
	const found = await settled(announced.id)
	assert.deepEqual([found.status, found.sizeBytes, found.sha256], ['uploaded', text.length, sha256])
	assert.equal((await api('GET', `/api/v1/records/${record.id}`)).attachments[0].id, announced.id)
	const fetched = await fetch(found.downloadUrl)
	assert.equal(await fetched.text(), text)
	assert.match(fetched.headers.get('content-disposition'), /^attachment; filename="Foto _1_ \+_\.txt"; filename\*=UTF-8''Foto%20%221%22%20%2B%C3%BC\.txt$/)
	assert.equal((await fetch(found.downloadUrl, { headers: { Range: 'bytes=0-4' } })).status, 206)
	const redirected = await fetch(`http://127.0.0.1:${at.shim.port}/api/v1/attachments/${announced.id}?redirect=true`, { headers: { Authorization: `Bearer ${at.key}` } })
	assert.equal(await redirected.text(), text)
})

test('the server refuses another method, key, header and time', async context => {
	if (missing) return context.skip('Swift could not be had')
	const one = await api('POST', '/api/v1/attachments', { filename: 'a.txt', contentType: 'text/plain', sizeBytes: text.length, sha256 })
	const other = await api('POST', '/api/v1/attachments', { filename: 'b.txt', contentType: 'text/plain' })
	const wrong = {
		method: fetch(one.uploadUrl), key: send({ ...one, uploadUrl: one.uploadUrl.replace(one.id, other.id) }, text),
		type: send(one, text, { ...one.headers, 'Content-Type': 'text/html' }), size: send(one, `${text}more`), digest: send(one, text, { ...one.headers, 'x-amz-checksum-sha256': 'AAAA' }),
		signature: send({ ...one, uploadUrl: one.uploadUrl.replace(/(X-Amz-Signature=)..../, '$10000') }, text),
		expires: send({ ...one, uploadUrl: one.uploadUrl.replace('X-Amz-Expires=900', 'X-Amz-Expires=9000') }, text),
	}
	for (const [name, answer] of Object.entries(wrong))
		assert.equal((await answer).status, 403, name)
	assert.equal((await send(one, text)).status, 200)
})

// The store as the shim describes it, at a time.
function storage(date = new Date()) {
	const stamp = date.toISOString().replace(/[-:]|\.\d+/g, '')
	const signingKey = [stamp.slice(0, 8), 'us-east-1', 's3', 'aws4_request'].reduce((k, part) => createHmac('sha256', k).update(part).digest(), 'AWS4testing').toString('hex')
	return JSON.stringify({ kind: 's3', endpoint: `http://127.0.0.1:${port}`, bucket: 'qehs-files', prefix: 'ours/', region: 'us-east-1', style: 'path', accessKey: 'test:tester', sessionToken: '', time: stamp, signingKey })
}

test('an expired URL is refused', async context => {
	if (missing) return context.skip('Swift could not be had')
	const url = at.cluster.sql(`SELECT qehs.storage_sign('${storage(new Date(Date.now() - 3600000))}', 'GET', 'bucket', 'att_01KA5X8ZK5Q3V7N2M4T6W8Y0AB')`)
	assert.equal((await fetch(url)).status, 403)
})

test('a file that is not what was announced has failed, and leaves the bucket, as deleted ones do', async context => {
	if (missing) return context.skip('Swift could not be had')
	const wrong = await api('POST', '/api/v1/attachments', { filename: 'a.png', contentType: 'image/png' })
	assert.equal((await send(wrong, '<script>alert(1)</script>')).status, 200)
	assert.equal((await settled(wrong.id)).status, 'failed')
	for (let i = 0; i < 60 && at.cluster.sql('SELECT count(*) FROM qehs.object_removal') !== '0'; i++)
		await sleep(250)
	assert.equal(at.cluster.sql('SELECT count(*) FROM qehs.object_removal'), '0')
})

test('an export is written into the bucket, is fetched by its URL, and leaves the bucket when its job is forgotten', async context => {
	if (missing) return context.skip('Swift could not be had')
	const asked = await api('POST', '/api/v1/exports', { moduleKey: 'incidents', format: 'csv', columns: ['title', 'severity'] })
	const job = await until(at.shim, at.key, asked.jobId)
	assert.equal(job.status, 'succeeded', JSON.stringify(job))
	assert.match(job.result.downloadUrl, new RegExp(`^http://127.0.0.1:${port}/qehs-files/ours/bucket/${asked.jobId}\\?`))
	const bytes = await fetched(at.shim, job)
	assert.equal(bytes.toString(), 'Title,Severity\r\nx,low\r\n')
	assert.deepEqual([job.result.sizeBytes, job.result.sha256], [bytes.length, createHash('sha256').update(bytes).digest('hex')])
	at.cluster.sql("UPDATE qehs.job SET finished_at = now() - interval '8 days'; SELECT qehs.tick()")
	for (let i = 0; i < 60 && (await fetch(job.result.downloadUrl)).status !== 404; i++)
		await sleep(250)
	assert.equal((await fetch(job.result.downloadUrl)).status, 404)
})

test('a ZIP has the files that are in the bucket, and a report the photo that is there', async context => {
	if (missing) return context.skip('Swift could not be had')
	const record = await api('POST', '/api/v1/records', { moduleKey: 'incidents', payload: { title: 'with files', severity: 'low' } })
	// a PNG of one pixel
	const pixel = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII=', 'base64')
	for (const [filename, contentType, body] of [['a.txt', 'text/plain', text], ['b.png', 'image/png', pixel]]) {
		const announced = await api('POST', '/api/v1/attachments', { recordId: record.id, filename, contentType })
		assert.equal((await send(announced, body)).status, 200)
		await settled(announced.id)
	}
	const made = async request => {
		const job = await until(at.shim, at.key, (await api('POST', '/api/v1/exports', { moduleKey: 'incidents', ...request })).jobId)
		assert.equal(job.status, 'succeeded', JSON.stringify(job))
		const path = `${directory}/${job.result.filename}`
		writeFileSync(path, await fetched(at.shim, job))
		return path
	}
	const zip = await made({ format: 'ndjson', filter: { title: 'with files' }, includeAttachments: true })
	const program = 'import json,sys,zipfile; z = zipfile.ZipFile(sys.argv[1]); print(json.dumps([[i.filename, z.read(i).decode("latin1")] for i in z.infolist()]))'
	const entries = JSON.parse(execFileSync('python3', ['-c', program, zip], { encoding: 'utf8' }))
	assert.deepEqual(entries.slice(1, 3).map(([name, body]) => [name.split('-').pop(), body]), [['a.txt', text], ['b.png', pixel.toString('latin1')]])
	const report = await made({ format: 'pdf', recordId: record.id })
	assert.match(execFileSync('pdfimages', ['-list', report], { encoding: 'utf8' }), / image +1 +1 /)
})

test('the secret key is in no statement, log or answer', async context => {
	if (missing) return context.skip('Swift could not be had')
	const answers = JSON.stringify(await api('POST', '/api/v1/attachments', { filename: 'a.txt', contentType: 'text/plain' }))
	assert.ok(!answers.includes('testing') && !answers.includes('signingKey'))
})

test('a body of Prefer: respond-async waits in the bucket, is loaded from there, and leaves it; one of a call that was answered before leaves at once', async context => {
	if (missing) return context.skip('Swift could not be had')
	const body = Array.from({ length: 3000 }, (_, i) => JSON.stringify({ title: `waits ${i}`, severity: 'low' })).join('\n')
	const queue = async () => {
		const answer = await fetch(`http://127.0.0.1:${at.shim.port}/api/v1/modules/incidents/bulk`, { method: 'POST', body,
			headers: { Authorization: `Bearer ${at.key}`, 'Content-Type': 'application/x-ndjson', Prefer: 'respond-async', 'Idempotency-Key': 'once' } })
		assert.equal(answer.status, 202, await answer.clone().text())
		return (await answer.json()).jobId
	}
	const id = await queue()
	assert.equal(await queue(), id)
	let job
	for (let i = 0; i < 240 && !job?.finishedAt; i++, await sleep(250))
		job = await api('GET', `/api/v1/jobs/${id}`)
	assert.deepEqual([job.status, job.rowCount, job.result?.summary.created], ['succeeded', 3000, 3000], JSON.stringify(job))
	for (let i = 0; i < 60 && at.cluster.sql("SELECT count(*) FROM qehs.job WHERE input_bytes IS NOT NULL") !== '0'; i++)
		await sleep(250)
	for (let i = 0; i < 60 && at.cluster.sql("SELECT count(*) FROM qehs.object_removal WHERE not_before < now()") !== '0'; i++)
		await sleep(250)
	const there = at.cluster.sql("SELECT string_agg(object, ' ') FROM qehs.object_removal")
	for (const name of [id, ...there.split(' ').filter(Boolean)]) {
		const url = at.cluster.sql(`SELECT qehs.storage_sign('${storage()}', 'GET', 'bucket', '${name}')`)
		assert.equal((await fetch(url)).status, 404, name)
	}
})
