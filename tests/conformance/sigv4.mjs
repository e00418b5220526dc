// URLs of S3 that the extension signs against those of AWS's own presigner: byte for byte the same, in CASES (1,000) cases made by a seed.
import { execFileSync } from 'node:child_process'
import { createHash, createHmac } from 'node:crypto'
import assert from 'node:assert/strict'
import { S3RequestPresigner } from '@aws-sdk/s3-request-presigner'
import { HttpRequest } from '@smithy/core/protocols'

// what the presigner hashes and authenticates with
class Sha256 {
	constructor(secret) { this.hash = secret ? createHmac('sha256', secret) : createHash('sha256') }
	update(data) { this.hash.update(data) }
	async digest() { return this.hash.digest() }
}
const cases = Number(process.env.CASES ?? 1000)
let state = Number(process.env.SEED ?? 13)
const random = limit => { state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff; return (state >> 8) % limit }
const pick = list => list[random(list.length)]
const alphabet = [...'abcXYZ019-._~ +/!*\'()&=?#%@:;,[]"<>\\^`{|}$äöß日本語اختبار😀é']
const text = most => Array.from({ length: random(most) }, () => pick(alphabet)).join('')
const hmac = (key, data) => createHmac('sha256', key).update(data).digest()
const signingKey = (secret, date, region) => ['s3', 'aws4_request'].reduce(hmac, hmac(hmac('AWS4' + secret, date), region)).toString('hex')
const disposition = name => {
	const plain = /^[\x20-\x7e]*$/.test(name) && !/["\\%/:*?<>|;]/.test(name)
	const ascii = [...name].map(c => /^[\x20-\x7e]$/.test(c) && !/["\\%/:*?<>|;]/.test(c) ? c : '_').join('')
	const encode = value => [...Buffer.from(value)].map(b => /[A-Za-z0-9\-._~]/.test(String.fromCharCode(b)) ? String.fromCharCode(b) : '%' + b.toString(16).toUpperCase().padStart(2, '0')).join('')
	return `attachment; filename="${ascii}"` + (plain ? '' : `; filename*=UTF-8''${encode(name)}`)
}
const encodePath = path => path.split('/').map(part => encodeURIComponent(part).replace(/[!'()*]/g, c => '%' + c.charCodeAt(0).toString(16).toUpperCase())).join('/')

// the presigner gives AWS's published example, https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
const published = await new S3RequestPresigner({
	region: 'us-east-1', sha256: Sha256, credentials: { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' },
}).presign(new HttpRequest({ protocol: 'https:', hostname: 'examplebucket.s3.amazonaws.com', method: 'GET', path: '/test.txt', headers: { host: 'examplebucket.s3.amazonaws.com' } }), {
	expiresIn: 86400, signingDate: new Date('2013-05-24T00:00:00Z'), unhoistableHeaders: new Set(['x-amz-content-sha256']), unsignableHeaders: new Set(['x-amz-content-sha256']),
})
assert.equal(published.query['X-Amz-Signature'], 'aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404')

const made = []
for (let i = 0; i < cases; i++) {
	const time = new Date(Date.UTC(2015 + random(30), random(12), 1 + random(28), random(24), random(60), random(60)))
	const stamp = time.toISOString().replace(/[-:]|\.\d+/g, '')
	const region = pick(['us-east-1', 'eu-central-1', 'ap-southeast-2'])
	const secret = `s3cr3t/${text(30)}`
	const storage = {
		kind: 's3', endpoint: pick(['https://s3.amazonaws.com', 'http://127.0.0.1:9000', 'https://minio.example.com:8443']), bucket: pick(['examplebucket', 'qehs.files', 'a-b-c']),
		prefix: text(12), region, style: pick(['path', 'virtual']), accessKey: pick(['AKIAIOSFODNN7EXAMPLE', 'test:tester', 'a+b/c']), sessionToken: random(2) ? `tok+/=${text(40)}` : '',
		time: stamp, signingKey: signingKey(secret, stamp.slice(0, 8), region),
	}
	const what = { method: pick(['PUT', 'GET', 'HEAD', 'DELETE']), tenant: pick(['acme', 'north_sea2']), id: 'att_01KA5X8ZK5Q3V7N2M4T6W8Y0AB', seconds: 1 + random(604800) }
	const headers = {}
	const query = {}
	if (random(2))
		what.contentType = pick(['image/png', 'text/plain; charset=utf-8', 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'])
	if (what.method === 'PUT') {
		if (random(2))
			headers['content-length'] = String(what.size = random(1 << 30))
		if (what.contentType)
			headers['content-type'] = what.contentType
		if (random(2)) {
			what.sha256 = hmac('any', String(i)).toString('hex')
			headers['x-amz-checksum-sha256'] = Buffer.from(what.sha256, 'hex').toString('base64')
		}
	}
	if (what.method === 'GET') {
		if (random(2))
			query['response-content-disposition'] = disposition(what.filename = text(40) + '.pdf')
		if (what.contentType)
			query['response-content-type'] = what.contentType
	}
	const { protocol, host } = new URL(storage.endpoint)
	const hostname = storage.style === 'path' ? host : `${storage.bucket}.${host}`
	const presigner = new S3RequestPresigner({
		region, sha256: Sha256,
		credentials: { accessKeyId: storage.accessKey, secretAccessKey: secret, ...storage.sessionToken && { sessionToken: storage.sessionToken } },
	})
	const request = new HttpRequest({
		protocol, hostname: hostname.split(':')[0], ...hostname.includes(':') && { port: Number(hostname.split(':')[1]) }, method: what.method, query,
		path: encodePath(`${storage.style === 'path' ? `/${storage.bucket}` : ''}/${storage.prefix}${what.tenant}/${what.id}`), headers: { host: hostname, ...headers },
	})
	const signed = await presigner.presign(request, {
		expiresIn: what.seconds, signingDate: time, unhoistableHeaders: new Set(['x-amz-checksum-sha256']), signableHeaders: new Set(['host', ...Object.keys(headers)]),
	})
	const port = signed.port ? `:${signed.port}` : ''
	const search = Object.keys(signed.query).sort().map(name => `${encodePath(name)}=${encodePath(signed.query[name]).replaceAll('/', '%2F')}`).join('&')
	made.push({ storage, what, url: `${signed.protocol}//${signed.hostname}${port}${signed.path}?${search}` })
}

const sql = `SELECT json_agg(qehs.storage_sign(c -> 'storage', c -> 'what' ->> 'method', c -> 'what' ->> 'tenant', c -> 'what' ->> 'id', c -> 'what' ->> 'contentType',
	c -> 'what' ->> 'filename', (c -> 'what' ->> 'size')::int8, c -> 'what' ->> 'sha256', (c -> 'what' ->> 'seconds')::int4) ORDER BY n)
	FROM jsonb_array_elements($cases$${JSON.stringify(made)}$cases$) WITH ORDINALITY AS t (c, n);`
const database = 'sigv4_conformance'
const psql = (base, input) => execFileSync(`${process.env.PG_BIN}/psql`, ['-XqAt', '-v', 'ON_ERROR_STOP=1', base], { input, encoding: 'utf8', maxBuffer: 1 << 26 })
psql('postgres', `DROP DATABASE IF EXISTS ${database}; `)
psql('postgres', `CREATE DATABASE ${database} ENCODING 'UTF8' TEMPLATE template0;`)
const ours = JSON.parse(psql(database, `SET client_min_messages = warning; CREATE EXTENSION qehs; ${sql}`))
psql('postgres', `DROP DATABASE ${database};`)
let wrong = 0
for (const [i, { url, what }] of made.entries())
	if (ours[i] !== url && wrong++ < 3)
		console.error(`# case ${i} ${JSON.stringify(what)}\n#  ours ${ours[i]}\n# theirs ${url}`)
assert.equal(wrong, 0, `${wrong} of ${made.length} URLs differ`)
console.log(`sigv4: ${made.length} URLs are those of @aws-sdk/s3-request-presigner`)
