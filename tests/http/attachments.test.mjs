// Attachments with the embedded store: a file is announced, sent to a signed URL, shown by its record and fetched again, by whom it may be.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { assertOk, assertProblem, request } from './lib/client.mjs'
import { definition, makeRecord, makeTenant, payload, uuidOf } from './lib/tenant.mjs'

const module = {
	...definition, fields: [...definition.fields,
		{ key: 'photo', type: 'image', mediaTypes: ['image/png', 'image/jpeg'], maxSizeBytes: 5000 },
		{ key: 'scan', type: 'file' },
		{ key: 'rows', type: 'table', fields: [{ key: 'evidence', type: 'file', mediaTypes: ['text/*'] }] },
		{ key: 'signed', type: 'signature' },
	],
	permissions: { ...definition.permissions, fields: { scan: { read: ['reviewer'] } } },
}
const tenant = await makeTenant('attachments', module)
const { api } = tenant
await tenant.sql("SELECT qehs.rate_limit_set('signed-urls', 0)")
const reader = (await tenant.makeKey({ roles: ['viewer'] })).api
const user = (await tenant.makeKey({ roles: ['tenant-user'] })).api
const record = await makeRecord(tenant)
const text = 'Found at the foot of the stairs.\n'
const png = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64')
const sha256 = bytes => createHash('sha256').update(bytes).digest('hex')
const targetOf = url => url.replace(/^https?:\/\/[^/]+/, '')
const announce = (members = {}, by = api) => by.post('/api/v1/attachments', { recordId: record.id, filename: 'note.txt', contentType: 'text/plain', ...members })
const send = (announced, body, headers = announced.headers) => request('PUT', targetOf(announced.uploadUrl), { body, headers })
const read = (id, by = api) => by.get(`/api/v1/attachments/${id}`)
async function upload(members = {}, body = text, by = api) {
	const announced = assertOk(await announce(members, by), 201)
	assert.equal((await send(announced, body)).status, 204)
	return announced.id
}

test('a file is announced, sent, shown by its record and fetched as it was', async () => {
	const answer = await announce({ sizeBytes: text.length, sha256: sha256(text).toUpperCase() })
	const announced = assertOk(answer, 201)
	assert.deepEqual(Object.keys(announced).sort(), ['expiresAt', 'headers', 'id', 'method', 'uploadUrl'])
	assert.equal(answer.headers.location, `/api/v1/attachments/${announced.id}`)
	assert.equal(announced.method, 'PUT')
	assert.ok(Math.abs(new Date(announced.expiresAt) - Date.now() - 15 * 60000) < 10000)
	assert.equal((await read(announced.id)).json.status, 'pending')
	assert.equal((await read(announced.id)).json.downloadUrl, null)
	assert.equal((await send(announced, text)).status, 204)
	const found = assertOk(await read(announced.id))
	assert.equal(found.status, 'uploaded')
	assert.equal(found.sizeBytes, text.length)
	assert.equal(found.sha256, sha256(text))
	assert.equal(found.recordId, record.id)
	assert.ok(Math.abs(new Date(found.expiresAt) - Date.now() - 5 * 60000) < 10000)
	const shown = (await api.get(`/api/v1/records/${record.id}`)).json
	assert.deepEqual(shown.attachments.find(item => item.id === announced.id), Object.fromEntries(Object.entries(found).slice(0, 7)))
	assert.deepEqual([shown.activity[0].type, shown.activity[0].changes[0].path], ['attached', '/attachments'])
	const fetched = await request('GET', targetOf(found.downloadUrl))
	assert.equal(fetched.text, text)
	assert.equal(fetched.headers['content-type'], 'text/plain')
	assert.equal(fetched.headers['x-content-type-options'], 'nosniff')
	assert.equal(fetched.headers['content-disposition'], 'attachment; filename="note.txt"')
	const redirected = await api.get(`/api/v1/attachments/${uuidOf(announced.id)}?redirect=true`)
	assert.equal(redirected.status, 302)
	assert.equal((await request('GET', targetOf(redirected.headers.location))).text, text)
})

test('ranges of the file are served, and its ETag spares fetching it again', async () => {
	const url = targetOf((await read(await upload())).json.downloadUrl)
	const part = (range, headers = {}) => request('GET', url, { headers: { Range: range, ...headers } })
	for (const [range, expected] of [['bytes=0-4', text.slice(0, 5)], ['bytes=28-', text.slice(28)], ['bytes=-5', text.slice(-5)], ['bytes=6-9999', text.slice(6)]]) {
		const answer = await part(range)
		assert.equal(answer.status, 206)
		assert.equal(answer.text, expected)
		assert.match(answer.headers['content-range'], new RegExp(`^bytes \\d+-\\d+/${text.length}$`))
	}
	for (const range of ['bytes=1-0', 'bytes=0-1,3-4', 'lines=1-2', 'bytes=x'])
		assert.equal((await part(range)).status, 200)
	const beyond = await part('bytes=99999-')
	assertProblem(beyond, 416, 'range_not_satisfiable')
	assert.equal(beyond.headers['content-range'], `bytes */${text.length}`)
	const { etag } = (await request('GET', url)).headers
	assert.equal((await request('GET', url, { headers: { 'If-None-Match': etag } })).status, 304)
	assert.equal((await part('bytes=0-4', { 'If-Range': '"another"' })).status, 200)
	const head = await request('HEAD', url)
	assert.equal(head.headers['content-length'], String(text.length))
})

test('the same file sent twice is fine, another one is a conflict', async () => {
	const announced = (await announce()).json
	assert.equal((await send(announced, text)).status, 204)
	assert.equal((await send(announced, text)).status, 204)
	assertProblem(await send(announced, 'other bytes'), 409, 'conflict')
	assert.equal((await request('GET', targetOf((await read(announced.id)).json.downloadUrl))).text, text)
})

test('a URL serves what it was signed for, and nothing else', async () => {
	const announced = (await announce({ sizeBytes: text.length, sha256: sha256(text) })).json
	const target = targetOf(announced.uploadUrl)
	const other = (await announce()).json
	const put = (to, headers = announced.headers, body = text) => request('PUT', to, { body, headers })
	const changed = (name, value) => target.replace(new RegExp(`([?&]${name}=)[^&]*`), `$1${value}`)
	const wrong = {
		'another signature': changed('signature', 'a'.repeat(64)), 'a short signature': changed('signature', 'ab'), 'a later end': changed('expires', '99999999999'),
		'another size': changed('size', '99'), 'another digest': changed('sha256', 'b'.repeat(64)), 'another type': changed('contentType', 'text%2Fhtml'),
		'another object': target.replace(announced.id, other.id), 'another tenant': target.replace(`/storage/${tenant.slug}/`, '/storage/acme/'),
		'no signature': target.replace(/&signature=.*/, ''), 'one parameter less': target.replace(/&size=\d+/, ''), 'one more': `${target}&filename=x`,
	}
	for (const [name, to] of Object.entries(wrong)) {
		const answer = await put(to, { 'Content-Type': 'text/plain' })
		assert.ok(name === 'one more' ? answer.status === 400 : answer.status === 403, `${name}: ${answer.status} ${answer.text}`)
	}
	assertProblem(await put(target, { 'Content-Type': 'text/html' }), 403, 'forbidden', { errors: [{ path: '@Content-Type', code: 'signature' }] })
	assertProblem(await put(target, announced.headers, `${text}more`), 403, 'forbidden', { errors: [{ path: '@Content-Length', code: 'signature' }] })
	assertProblem(await request('GET', target), 400, 'invalid_parameter')
	assertProblem(await put(target, announced.headers, text.replace('F', 'f')), 400, 'validation_failed')
	assertProblem(await put(target, { ...announced.headers, 'Content-Encoding': 'gzip' }), 415, 'unsupported_media_type')
	assert.equal((await read(announced.id)).json.status, 'pending')
	assert.equal((await put(target)).status, 204)
	const download = targetOf((await read(announced.id)).json.downloadUrl)
	assertProblem(await request('GET', download.replace(announced.id, other.id)), 403, 'forbidden')
	assertProblem(await request('GET', download.replace('note.txt', 'note.html')), 403, 'forbidden')
	assertProblem(await request('PUT', download, { body: text, headers: announced.headers }), 400, 'invalid_parameter')
})

test('a URL ends when it says', async () => {
	const announced = (await announce()).json
	const [, expires] = /expires=(\d+)/.exec(announced.uploadUrl)
	const sign = await tenant.sql(`SET qehs.clock = '${new Date((Number(expires) - 901 - 3600) * 1000).toISOString()}'; SELECT qehs.attachment_create('${record.id}', 'old.txt', 'text/plain')`)
	const old = JSON.parse(sign)
	assertProblem(await request('PUT', old.uploadUrl, { body: text, headers: old.headers }), 403, 'forbidden')
})

test('hostile names of objects reach no file', async () => {
	const tail = targetOf((await announce()).json.uploadUrl).split('?')[1]
	for (const path of ['/storage/../../etc/passwd', `/storage/${tenant.slug}/..%2f..%2fetc%2fpasswd`, `/storage/%2e%2e/%2e%2e`, `/storage/${tenant.slug}/${'a'.repeat(4096)}`,
		`/storage/${tenant.slug}/att_%00`, `/storage/${tenant.slug}/%EF%BC%8E%EF%BC%8E`, `/storage/${tenant.slug}/.`, `/storage/${tenant.slug}/..`])
		for (const method of ['GET', 'PUT']) {
			const answer = await request(method, `${path}?${tail}`, method === 'PUT' ? { body: text, headers: { 'Content-Type': 'text/plain' } } : {})
			assert.ok([400, 403, 404].includes(answer.status), `${method} ${path}: ${answer.status}`)
		}
})

test('hostile file names are refused or come back safe', async () => {
	for (const filename of ['', ' ', '../x', 'a/b', 'a\\b', '..', 'a\nb', 'a\u0007', 'x'.repeat(256)])
		assertProblem(await announce({ filename }), 400, 'validation_failed')
	for (const filename of ['a";filename="evil.exe', 'naïve résumé.txt', '日本語.txt', 'a%0d%0aSet-Cookie: x.txt', '\u202Etxt.exe', "it's.txt"]) {
		const answer = await request('GET', targetOf((await read(await upload({ filename }))).json.downloadUrl))
		const match = /^attachment; filename="([^"\\]*)"(?:; filename\*=UTF-8''([A-Za-z0-9._~%-]*))?$/.exec(answer.headers['content-disposition'])
		assert.ok(match, answer.headers['content-disposition'])
		assert.equal(match[2] ? decodeURIComponent(match[2]) : match[1], filename)
		assert.equal(answer.headers['set-cookie'], undefined)
	}
})

test('all that is wrong with an announcement is told at once', async () => {
	assertProblem(await announce({ filename: 'a/b', contentType: 'png', sizeBytes: -1, sha256: 'xyz' }), 400, 'validation_failed', {
		errors: [{ path: '/filename', code: 'pattern' }, { path: '/contentType', code: 'format' }, { path: '/sizeBytes', code: 'minimum' }, { path: '/sha256', code: 'format' }],
	})
	assertProblem(await announce({ field: 'photo', contentType: 'image/gif', sizeBytes: 6000 }), 400, 'validation_failed', {
		errors: [{ path: '/contentType', code: 'media_type' }, { path: '/sizeBytes', code: 'maximum' }],
	})
	assertProblem(await announce({ field: 'title' }), 400, 'validation_failed', { errors: [{ path: '/field', code: 'not_found' }] })
})

test('a file that is not what it claims has failed, and is not given out', async () => {
	const id = await upload({ filename: 'x.png', contentType: 'image/png' }, '<html><script>alert(1)</script></html>')
	const found = (await read(id)).json
	assert.equal(found.status, 'failed')
	assert.equal(found.downloadUrl, null)
	assertProblem(await api.get(`/api/v1/attachments/${id}?redirect=true`), 409, 'conflict')
	assertProblem(await api.patch(`/api/v1/records/${record.id}`, { payload: { photo: id } }), 400, 'validation_failed', { errors: [{ path: '/payload/photo', code: 'status' }] })
})

// A zip file with stored parts of these names, as the order of the names is (APPNOTE 4.3).
function zipOf(...parts) {
	const le = (value, bytes) => { const buffer = Buffer.alloc(bytes); buffer.writeUIntLE(value, 0, bytes); return buffer }
	const heads = []
	const listed = []
	let offset = 0
	for (const [name, body] of parts) {
		const common = Buffer.concat([le(20, 2), le(0, 2), le(0, 2), le(0, 4), le(crc32(body), 4), le(body.length, 4), le(body.length, 4), le(name.length, 2), le(0, 2)])
		const head = Buffer.concat([Buffer.from('PK\x03\x04'), common, Buffer.from(name), body])
		listed.push(Buffer.concat([Buffer.from('PK\x01\x02'), le(20, 2), common, le(0, 2), le(0, 2), le(0, 2), le(0, 4), le(offset, 4), Buffer.from(name)]))
		heads.push(head)
		offset += head.length
	}
	const list = Buffer.concat(listed)
	return Buffer.concat([...heads, list, Buffer.from('PK\x05\x06'), le(0, 4), le(parts.length, 2), le(parts.length, 2), le(list.length, 4), le(offset, 4), le(0, 2)])
}

function crc32(bytes) {
	let crc = ~0
	for (const byte of bytes) {
		crc ^= byte
		for (let bit = 0; bit < 8; bit++)
			crc = crc & 1 ? (crc >>> 1) ^ 0xEDB88320 : crc >>> 1
	}
	return ~crc >>> 0
}

test('what a file looks like is held against what it claims: pictures by their format, Office documents by their parts', async () => {
	const office = kind => `application/vnd.openxmlformats-officedocument.${kind}`
	const types = ['[Content_Types].xml', Buffer.from('<Types/>')]
	// not in Word's order, and the parts that tell are behind the first 64 KiB
	const docx = zipOf(['big.bin', Buffer.alloc(100000)], ['word/document.xml', Buffer.from('<w/>')], types)
	const xlsx = zipOf(types, ['xl/workbook.xml', Buffer.from('<x/>')])
	const zip = zipOf(['a.txt', Buffer.from('a')])
	const gif = Buffer.from('GIF89a\x01\0\x01\0\0\0\0;', 'latin1')
	const html = Buffer.from('<!DOCTYPE html><html><body><script>alert(1)</script></body></html>')
	for (const [contentType, body, status] of [
		['image/png', png, 'uploaded'], ['image/png', gif, 'failed'], ['IMAGE/GIF', gif, 'uploaded'], ['image/jpeg', png, 'failed'], ['image/heic', png, 'failed'],
		[office('wordprocessingml.document'), docx, 'uploaded'], [office('wordprocessingml.template'), docx, 'uploaded'], [office('spreadsheetml.sheet'), xlsx, 'uploaded'],
		[office('wordprocessingml.document'), xlsx, 'failed'], [office('wordprocessingml.document'), zip, 'failed'], [office('wordprocessingml.document'), html, 'failed'],
		['application/zip', docx, 'uploaded'], ['text/plain', docx, 'failed'], ['application/json', html, 'uploaded'],
	]) {
		const id = await upload({ contentType }, body)
		assert.equal((await read(id)).json.status, status, `${contentType} ${body.subarray(0, 8).toString('latin1')}`)
	}
})

test('a file that is not what its header says is not kept, whichever field says it', async () => {
	const digest = (algorithm, form = 'base64', bytes = text) => createHash(algorithm).update(bytes).digest(form)
	const announced = assertOk(await announce(), 201)
	const put = (headers, body = text) => send(announced, body, { ...announced.headers, ...headers })
	const wrong = {
		'Content-MD5': digest('md5', 'base64', 'x'), 'Content-Digest': `sha-256=:${digest('sha256', 'base64', 'x')}:`, 'Repr-Digest': `sha-512=:${digest('sha512', 'base64', 'x')}:`,
		'x-amz-checksum-sha256': digest('sha256', 'base64', 'x'), 'x-amz-checksum-sha1': digest('sha1'), 'x-amz-content-sha256': digest('sha256', 'hex', 'x'),
	}
	wrong['x-amz-checksum-sha1'] = wrong['x-amz-checksum-sha1'].toLowerCase()
	for (const [name, value] of Object.entries(wrong))
		assertProblem(await put({ [name]: value }), 400, 'invalid_parameter', { errors: [{ path: `@${name}`, code: 'digest' }] })
	assertProblem(await put({ 'Content-Digest': `sha-256=:${digest('sha256')}:, md5=:AAAA:` }), 400, 'invalid_parameter', { errors: [{ path: '@Content-Digest', code: 'digest' }] })
	for (const value of ['', 'x', `sha-256=${digest('sha256')}`, `sha-256=:${digest('sha256')}`, 'sha-256=:AA AA:', `sha-256=:${digest('sha256')}:,`, `sha-256=:${digest('sha256')}: x`])
		assertProblem(await put({ 'Content-Digest': value }), 400, 'invalid_parameter', { errors: [{ path: '@Content-Digest', code: 'format' }] })
	for (const [name, value] of [['Repr-Digest', 'adler=:AAAA:'], ['x-amz-checksum-crc32', 'AAAAAA=='], ['Digest', 'SHA-256=AAAA']])
		assertProblem(await put({ [name]: value }), 400, 'invalid_parameter', { errors: [{ path: `@${name}`, code: 'unsupported' }] })
	assert.equal((await read(announced.id)).json.status, 'pending')
	const right = {
		'Content-MD5': digest('md5'), 'Content-Digest': `adler=:AAAA:,\tsha-256=:${digest('sha256')}:;a=1 , sha-512=:${digest('sha512')}:`, 'Repr-Digest': `sha=:${digest('sha1')}:`,
		'x-amz-checksum-sha256': digest('sha256'), 'x-amz-checksum-sha1': digest('sha1'), 'x-amz-content-sha256': digest('sha256', 'hex').toUpperCase(),
	}
	assert.equal((await put(right)).status, 204)
	assert.equal((await put({ 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' })).status, 204)
	assert.equal((await read(announced.id)).json.sha256, sha256(text))
})

test('a part of a file is not taken for the whole', async () => {
	const announced = assertOk(await announce(), 201)
	assertProblem(await send(announced, text, { ...announced.headers, 'Content-Range': `bytes 0-4/${text.length}` }), 400, 'invalid_parameter', { errors: [{ path: '@Content-Range', code: 'unsupported' }] })
	assert.equal((await read(announced.id)).json.status, 'pending')
	assertProblem(await request('PATCH', `/api/v1/records/${record.id}`, { key: tenant.key, json: { payload: {} }, headers: { 'Content-Range': 'bytes 0-1/2' } }), 400, 'invalid_parameter')
})

test('fields name attachments, which are looked up', async () => {
	const photo = await upload({ filename: 'x.png', contentType: 'image/png' }, png)
	const note = await upload()
	const change = fields => api.patch(`/api/v1/records/${record.id}`, { payload: fields })
	assertProblem(await change({ photo: 'att_01KA5X8ZK5Q3V7N2M4T6W8Y0AB' }), 400, 'validation_failed', { errors: [{ path: '/payload/photo', code: 'not_found' }] })
	assertProblem(await change({ photo: note }), 400, 'validation_failed', { errors: [{ path: '/payload/photo', code: 'media_type' }] })
	assert.equal(assertOk(await change({ photo, rows: [{ evidence: [note] }] })).payload.photo, photo)
	assert.equal((await read(photo)).json.field, 'photo')
	assert.equal((await read(note)).json.field, 'rows.evidence')
	assertProblem(await change({ scan: note }), 400, 'validation_failed', { errors: [{ path: '/payload/scan', code: 'references' }] })
	const other = await makeRecord(tenant)
	assertProblem(await api.patch(`/api/v1/records/${other.id}`, { payload: { photo } }), 400, 'validation_failed', { errors: [{ path: '/payload/photo', code: 'not_found' }] })
	assertProblem(await api.delete(`/api/v1/attachments/${photo}`), 409, 'conflict')
	assertOk(await change({ photo: null }))
	assert.equal((await api.delete(`/api/v1/attachments/${photo}`)).status, 204)
	assertProblem(await read(photo), 404, 'not_found')
	assert.equal((await api.get(`/api/v1/records/${record.id}`)).json.activity[0].type, 'detached')
})

test('a file can be announced before its record, by who creates that', async () => {
	const create = (by, photo) => by.post('/api/v1/records', { moduleKey: 'incidents', payload: payload({ photo, signed: { name: 'Mei Lin', image: photo2 } }) })
	const photo = await upload({ recordId: undefined, filename: 'x.png', contentType: 'image/png' }, png)
	const photo2 = await upload({ recordId: undefined, filename: 'y.png', contentType: 'image/png' }, png)
	assertProblem(await read(photo, user), 404, 'not_found')
	assertProblem(await create(user, photo), 400, 'validation_failed', { errors: [{ path: '/payload/photo', code: 'not_found' }, { path: '/payload/signed/image', code: 'not_found' }] })
	const made = assertOk(await create(api, photo), 201)
	assert.equal((await read(photo)).json.recordId, made.id)
	assert.equal((await read(photo2)).json.field, 'signed')
	assert.deepEqual((await api.get(`/api/v1/records/${made.id}`)).json.attachments.map(item => item.id), [photo, photo2])
	assertProblem(await create(api, photo), 400, 'validation_failed')
	const graph = await api.post('/api/graphql', { query: `{incidentsGet(id:"${made.id}"){attachments{id filename status}}}` })
	assert.deepEqual(graph.json.data.incidentsGet.attachments.map(({ id, status }) => [id, status]), [[photo, 'uploaded'], [photo2, 'uploaded']])
})

test('who may read the record and the field gets the file, and nobody else', async () => {
	const note = await upload()
	const secret = await upload({ field: 'scan' })
	assertOk(await read(note, reader))
	assertProblem(await read(secret, reader), 404, 'not_found')
	const shown = (await reader.get(`/api/v1/records/${record.id}`)).json
	assert.ok(shown.attachments.some(item => item.id === note) && !shown.attachments.some(item => item.id === secret))
	assert.ok(!JSON.stringify(shown).includes(secret))
	assertProblem(await announce({}, reader), 403, 'forbidden')
	assertProblem(await announce({ field: 'scan' }, user), 403, 'forbidden')
	assertProblem(await reader.delete(`/api/v1/attachments/${note}`), 403, 'forbidden')
	const narrow = (await tenant.makeKey({ scopes: ['records.read', 'records.write'] })).api
	assertProblem(await announce({}, narrow), 403, 'forbidden')
	assertProblem(await read(note, narrow), 403, 'forbidden')
	const stranger = await makeTenant('strangers', module)
	assert.equal((await read(note, stranger.api)).text.replace(/"(instance|traceId)":"[^"]*"/g, ''),
		(await read('att_01KA5X8ZK5Q3V7N2M4T6W8Y0AB', stranger.api)).text.replace(/"(instance|traceId)":"[^"]*"/g, ''))
	assertProblem(await announce({}, stranger.api), 404, 'not_found')
})

test('a deleted record takes its attachments away, and brings them back', async () => {
	const short = await makeRecord(tenant)
	const id = await upload({ recordId: short.id })
	assert.equal((await api.delete(`/api/v1/records/${short.id}`)).status, 204)
	assertProblem(await read(id), 404, 'not_found')
	assertOk(await api.post(`/api/v1/records/${short.id}:restore`))
	assertOk(await read(id))
})

test('a quota is kept', async () => {
	const small = await makeTenant('quota', module)
	const mine = await makeRecord(small)
	await small.sql('SELECT qehs.storage_quota_set(100)')
	const announced = assertOk(await announce({ recordId: mine.id, sizeBytes: 60 }, small.api), 201)
	assertProblem(await announce({ recordId: mine.id, sizeBytes: 41 }, small.api), 507, 'insufficient_storage')
	const open = assertOk(await announce({ recordId: mine.id }, small.api), 201)
	assertProblem(await send(open, 'x'.repeat(41)), 413, 'payload_too_large')
	assert.equal((await send(open, 'x'.repeat(40))).status, 204)
	assert.equal((await send(announced, 'y'.repeat(60))).status, 204)
	assertProblem(await announce({ recordId: mine.id }, small.api), 507, 'insufficient_storage')
})

test('an Idempotency-Key gives the same URL again', async () => {
	const call = () => api.post('/api/v1/attachments', { recordId: record.id, filename: 'a.txt', contentType: 'text/plain' }, { 'Idempotency-Key': 'one-file' })
	const first = await call()
	const again = await call()
	assert.equal(again.headers['idempotency-replayed'], 'true')
	assert.equal(again.text, first.text)
})

test('50 signed URLs a minute are asked for by a key', async () => {
	await tenant.sql("SELECT qehs.rate_limit_set('signed-urls', 3)")
	const statuses = []
	for (let i = 0; i < 4; i++)
		statuses.push((await announce({}, user)).status)
	await tenant.sql("SELECT qehs.rate_limit_set('signed-urls', 0)")
	assert.ok(statuses.includes(429), statuses.join())
})
