// SCIM as Entra ID and Okta use it, and the rules of RFC 7643 and RFC 7644 that their connectors lean on.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { request } from './lib/client.mjs'
import { BULK, ENTERPRISE, GROUP, PATCH, SEARCH, USER, scimTenant } from './lib/scim.mjs'

const tenant = await scimTenant('scim')
const { scim } = tenant
const unknown = '00000000-0000-7000-8000-000000000000'
const refused = (answer, status, scimType) => {
	assert.equal(answer.status, status, answer.text)
	assert.deepEqual([answer.headers['content-type'], answer.json.schemas, answer.json.status, answer.json.scimType],
		['application/scim+json', ['urn:ietf:params:scim:api:messages:2.0:Error'], String(status), scimType], answer.text)
}
const body = async id => (await scim.get(`/Users/${id}`)).json
let made = 0
const someone = (more = {}) => tenant.user(`someone${++made}@example.com`, more)

test('a resource is answered in application/scim+json, or in application/json where that is asked for', async () => {
	const { id } = await someone()
	const plain = await scim.get(`/Users/${id}`)
	assert.equal(plain.headers['content-type'], 'application/scim+json')
	assert.match((await scim.get(`/Users/${id}`, { Accept: 'application/json' })).headers['content-type'], /^application\/json/)
	assert.equal(plain.headers.etag, plain.json.meta.version)
	assert.equal((await scim.get(`/Users/${id}`, { 'If-None-Match': plain.headers.etag })).status, 304)
	assert.equal((await scim.get(`/Users/${id}`, { 'If-None-Match': plain.headers.etag.slice(2) })).status, 304)
})

test('userName is unique without regard to case, is given as it was sent, and is free after DELETE', async () => {
	const user = await tenant.user('Case@Example.com')
	assert.equal(user.userName, 'Case@Example.com')
	refused(await scim.post('/Users', { schemas: [USER], userName: 'cASE@example.com' }), 409, 'uniqueness')
	assert.equal((await tenant.scim.list('Users', 'userName eq "CASE@EXAMPLE.COM"')).totalResults, 1)
	assert.equal((await scim.delete(`/Users/${user.id}`)).status, 204)
	refused(await scim.get(`/Users/${user.id}`), 404)
	assert.notEqual((await tenant.user('case@example.com')).id, user.id)
})

test('a malformed id is not found, a missing userName an invalid value, a missing schema invalid syntax', async () => {
	for (const id of ['x', unknown, '%20', '0'.repeat(300)]) refused(await scim.get(`/Users/${id}`), 404)
	refused(await scim.post('/Users', { schemas: [USER] }), 400, 'invalidValue')
	refused(await scim.post('/Users', { userName: 'x' }), 400, 'invalidSyntax')
	refused(await request('POST', '/api/scim/v2/Users', { key: tenant.key, body: '{' }), 400, 'invalidSyntax')
})

test('Entra: texts of booleans, a manager that is a bare text, an element that its filter makes', async () => {
	const { id } = await someone({ active: 'False' })
	const answer = await scim.patch(`/Users/${id}`, [{ op: 'Add', path: 'emails[type eq "work"].value', value: 'w@example.com' },
		{ op: 'Replace', path: 'phoneNumbers[type eq "mobile"].value', value: '1' }, { op: 'Add', path: `${ENTERPRISE}:manager`, value: unknown },
		{ op: 'Replace', path: 'active', value: 'True' }, { op: 'Add', path: `${ENTERPRISE}:department`, value: 'Works' }])
	assert.equal(answer.status, 204, answer.text)
	const user = await body(id)
	assert.deepEqual([user.active, user.emails, user.phoneNumbers, user[ENTERPRISE]], [true, [{ value: 'w@example.com', type: 'work' }], [{ value: '1', type: 'mobile' }],
		{ department: 'Works', manager: { value: unknown } }])
	assert.ok(user.schemas.includes(ENTERPRISE))
	await scim.patch(`/Users/${id}`, [{ op: 'Replace', value: { 'name.familyName': 'N', [`${ENTERPRISE}:department`]: 'Other', 'emails[type eq "work"].value': 'v@example.com' } }])
	const changed = await body(id)
	assert.deepEqual([changed.name.familyName, changed[ENTERPRISE].department, changed.emails[0].value], ['N', 'Other', 'v@example.com'])
})

test('members: Entra removes those that it lists, Okta replaces by none and leaves them alone with id and displayName', async () => {
	const users = await Promise.all([1, 2, 3].map(() => someone()))
	const group = await tenant.group('Members', users.map(user => user.id))
	const members = async () => ((await scim.get(`/Groups/${group.id}`)).json.members ?? []).map(member => member.value).sort()
	const patch = async (...operations) => assert.equal((await scim.patch(`/Groups/${group.id}`, operations)).status, 204)
	await patch({ op: 'Remove', path: 'members', value: [{ value: users[0].id, $ref: null }] })
	assert.deepEqual(await members(), [users[1].id, users[2].id].sort())
	await patch({ op: 'replace', value: { id: group.id, displayName: 'Members renamed' } })
	assert.equal((await members()).length, 2)
	await patch({ op: 'remove', path: `members[value eq "${users[1].id}"]` })
	assert.deepEqual(await members(), [users[2].id])
	await patch({ op: 'add', path: 'members', value: [{ value: users[0].id }, { value: users[2].id }] })
	assert.equal((await members()).length, 2)
	await patch({ op: 'replace', path: 'members', value: [] })
	assert.deepEqual(await members(), [])
	refused(await scim.patch(`/Groups/${group.id}`, [{ op: 'add', path: 'members', value: 'no user' }]), 400, 'invalidValue')
})

test('a patch that changes nothing makes no version, one that fails changes nothing', async () => {
	const user = await someone({ nickName: 'n', emails: [{ value: 'a', type: 'work' }] })
	await scim.patch(`/Users/${user.id}`, [{ op: 'add', path: 'emails', value: [{ value: 'a', type: 'work' }] }, { op: 'replace', path: 'nickName', value: 'n' }])
	assert.deepEqual(await body(user.id), user)
	refused(await scim.patch(`/Users/${user.id}`, [{ op: 'replace', path: 'nickName', value: 'other' }, { op: 'remove', path: 'userName' }]), 400, 'mutability')
	assert.deepEqual(await body(user.id), user)
	const group = await tenant.group('Atomic')
	refused(await scim.patch(`/Groups/${group.id}`, [{ op: 'add', path: 'members', value: [{ value: user.id }] }, { op: 'remove', path: 'displayName' }]), 400, 'mutability')
	assert.equal((await scim.get(`/Groups/${group.id}`)).json.members, undefined)
})

test('paths: one primary, no target, no such attribute, read-only', async () => {
	const { id } = await someone({ emails: [{ value: 'a', type: 'work', primary: true }, { value: 'b', type: 'home' }] })
	await scim.patch(`/Users/${id}`, [{ op: 'replace', path: 'emails[type eq "home"].primary', value: true }])
	assert.deepEqual((await body(id)).emails.map(email => email.primary), [false, true])
	refused(await scim.patch(`/Users/${id}`, [{ op: 'replace', path: 'emails[value co "zzz"].value', value: 'x' }]), 400, 'noTarget')
	refused(await scim.patch(`/Users/${id}`, [{ op: 'remove' }]), 400, 'noTarget')
	refused(await scim.patch(`/Users/${id}`, [{ op: 'replace', path: 'nothing', value: 'x' }]), 400, 'invalidPath')
	refused(await scim.patch(`/Users/${id}`, [{ op: 'replace', path: 'emails[type eq', value: 'x' }]), 400, 'invalidPath')
	refused(await scim.patch(`/Users/${id}`, [{ op: 'replace', path: 'meta.created', value: 'x' }]), 400, 'mutability')
	refused(await scim.patch(`/Users/${id}`, [{ op: 'move', path: 'title', value: 'x' }]), 400, 'invalidSyntax')
	assert.equal((await scim.patch(`/Users/${id}?attributes=title`, [{ op: 'add', path: 'title', value: 't' }])).json.title, 't')
})

test('PUT clears what is left out, save active, and compares If-Match weakly', async () => {
	const user = await someone({ title: 't', active: false, name: { givenName: 'G' } })
	refused(await scim.put(`/Users/${user.id}`, { schemas: [USER], userName: user.userName }, { 'If-Match': 'W/"7"' }), 412)
	const put = await scim.put(`/Users/${user.id}`, { schemas: [USER], id: 'ignored', userName: user.userName, meta: {} }, { 'If-Match': user.meta.version })
	assert.deepEqual([put.status, put.json.id, put.json.title, put.json.name, put.json.active], [200, user.id, undefined, undefined, false])
	refused(await scim.put(`/Users/${unknown}`, { schemas: [USER], userName: 'x' }), 404)
})

test('filters that cannot be, and those that RFC 7644 names', async () => {
	for (const filter of ['active gt true', 'userName xx "a"', 'userName eq bob', 'nothing eq "a"', 'emails[type eq "a"', '(userName pr', 'meta.created gt "x"', 'password eq "a"', 'userName eq 1'])
		refused(await scim.get(`/Users?filter=${encodeURIComponent(filter)}`), 400, 'invalidFilter')
	const user = await someone({ emails: [{ value: 'A@Filter.example', type: 'work' }, { value: 'b@other.example', type: 'home' }], externalId: 'Ext', [ENTERPRISE]: { employeeNumber: '42' } })
	const finds = async filter => (await tenant.scim.list('Users', filter)).Resources.some(found => found.id === user.id)
	for (const filter of ['emails[type eq "work" and value co "@filter"]', 'EMAILS.TYPE EQ "work" AND NOT (title pr)', `id eq "${user.id}"`, 'externalId eq "Ext"',
		`${ENTERPRISE}:employeeNumber eq "42"`, `${USER}:userName sw "someone"`, 'meta.lastModified ge "2020-01-01T00:00:00+01:00"', 'active eq true', `schemas eq "${ENTERPRISE}"`,
		'userName eq "none" and title pr or externalId eq "Ext"'])
		assert.ok(await finds(filter), filter)
	for (const filter of ['emails[type eq "home" and value co "@filter"]', 'externalId eq "ext"', 'not (active eq true)', 'userName eq "none" and (title pr or externalId eq "Ext")'])
		assert.ok(!await finds(filter), filter)
})

test('pages by index and by cursor show each resource once, and Resources is always there', async () => {
	const paged = await scimTenant('scim_pages')
	for (let i = 0; i < 7; i++) await paged.user(`user${i}`, i % 2 ? { title: `t${i}` } : {})
	const page = async query => (await paged.scim.get(`/Users?${query}`)).json
	assert.deepEqual([(await page('count=0')).totalResults, (await page('count=0')).Resources], [7, []])
	assert.deepEqual([(await page('startIndex=-5&count=2')).startIndex, (await page('count=-1')).itemsPerPage, (await page('startIndex=100')).Resources], [1, 0, []])
	for (const sort of ['', '&sortBy=userName&sortOrder=descending', '&sortBy=title', '&sortBy=title&sortOrder=descending', '&sortBy=meta.created']) {
		const whole = (await page(`count=200${sort}`)).Resources.map(user => user.id)
		const walked = []
		for (let cursor = ''; cursor !== undefined;) {
			const { Resources, nextCursor, totalResults } = await page(`count=2&cursor=${encodeURIComponent(cursor)}${sort}`)
			assert.equal(totalResults, 7)
			walked.push(...Resources.map(user => user.id))
			cursor = nextCursor
		}
		assert.deepEqual(walked, whole, sort)
		assert.equal(new Set(walked).size, 7)
	}
	refused(await paged.scim.get('/Users?cursor=x'), 400, 'invalidCursor')
})

test('attributes and excludedAttributes; id and schemas always, a password never', async () => {
	const { id } = await someone({ password: 'secret', title: 't', name: { givenName: 'G', familyName: 'F' } })
	const names = async query => Object.keys((await scim.get(`/Users/${id}?${query}`)).json)
	assert.deepEqual(await names('attributes=title,password'), ['schemas', 'id', 'title'])
	assert.deepEqual((await scim.get(`/Users/${id}?attributes=name.givenName`)).json.name, { givenName: 'G' })
	assert.deepEqual((await scim.get(`/Users/${id}?excludedAttributes=name.givenName`)).json.name, { familyName: 'F' })
	assert.ok(!(await names('excludedAttributes=title,id')).includes('title'))
	assert.ok(!JSON.stringify(await body(id)).includes('secret'))
})

test('.search, Me and what the server tells of itself', async () => {
	const found = await scim.post('/.search', { schemas: [SEARCH], filter: 'displayName pr', count: 1, attributes: ['userName'] })
	assert.deepEqual([found.status, found.json.itemsPerPage], [200, 1])
	assert.equal((await scim.post('/Users/.search', { schemas: [SEARCH], filter: 'userName eq "nobody"' })).json.totalResults, 0)
	refused(await scim.get('/Me'), 404)
	const user = await someone()
	const acting = await tenant.makeKey({ scopes: ['admin.users'], acting_user: user.userName })
	assert.equal((await request('GET', '/api/scim/v2/Me', { key: acting })).json.id, user.id)
	const config = (await scim.get('/ServiceProviderConfig')).json
	assert.deepEqual([config.patch.supported, config.bulk.supported, config.filter.supported, config.sort.supported, config.etag.supported, config.pagination.cursor], Array(6).fill(true))
	assert.deepEqual((await scim.get('/ResourceTypes')).json.Resources.map(type => type.endpoint), ['/Users', '/Groups'])
	assert.equal((await scim.get(`/Schemas/${USER}`)).json.attributes.find(attribute => attribute.name === 'userName').uniqueness, 'server')
	for (const path of ['/Schemas', '/ResourceTypes', '/ServiceProviderConfig']) refused(await scim.get(`${path}?filter=id%20pr`), 403)
})

test('bulk: forward and circular bulkIds, failures of their own, failOnErrors, too many', async () => {
	const user = (name, manager) => ({ method: 'POST', path: '/Users', bulkId: name, data: { schemas: [USER], userName: `bulk-${name}`, [ENTERPRISE]: { manager: { value: `bulkId:${manager}` } } } })
	const run = (Operations, more = {}) => scim.post('/Bulk', { schemas: [BULK], Operations, ...more })
	const answer = await run([{ method: 'POST', path: '/Groups', bulkId: 'g', data: { schemas: [GROUP], displayName: 'Bulk', members: [{ value: 'bulkId:a' }] } },
		user('a', 'b'), user('b', 'a'), { method: 'POST', path: '/Users', bulkId: 'c', data: { schemas: [USER], userName: 'BULK-a' } },
		{ method: 'PATCH', path: '/Groups/bulkId:g', data: { schemas: [PATCH], Operations: [{ op: 'add', path: 'members', value: [{ value: 'bulkId:b' }] }] } }])
	assert.deepEqual(answer.json.Operations.map(operation => operation.status), ['201', '201', '201', '409', '200'], answer.text)
	assert.equal(answer.json.Operations[3].response.scimType, 'uniqueness')
	const id = index => answer.json.Operations[index].location.split('/').pop()
	assert.equal((await body(id(1)))[ENTERPRISE].manager.value, id(2))
	assert.equal((await body(id(2)))[ENTERPRISE].manager.value, id(1))
	assert.deepEqual((await scim.get(`/Groups/${id(0)}`)).json.members.map(member => member.value).sort(), [id(1), id(2)].sort())
	const stopped = await run(['x', 'y', 'z'].map(name => ({ method: 'DELETE', path: `/Users/${name}` })), { failOnErrors: 2 })
	assert.deepEqual(stopped.json.Operations.map(operation => operation.status), ['404', '404'])
	refused(await run(Array(1001).fill({ method: 'DELETE', path: '/Users/x' })), 413)
})

test('a deactivated user\'s keys stop at once and come back, save those that were revoked; the name stays in records', async () => {
	const user = await someone({ displayName: 'Who Did It' })
	const key = await tenant.makeKey({ scopes: ['admin.users'], acting_user: user.userName })
	const revoked = await tenant.makeKey({ scopes: ['admin.users'], acting_user: user.userName })
	await tenant.sql(`UPDATE qehs.api_key SET revoked_at = now() WHERE prefix = left('${revoked}', length(prefix))`)
	const works = async key => (await request('GET', '/api/scim/v2/Me', { key })).status
	assert.equal(await works(key), 200)
	await scim.patch(`/Users/${user.id}`, [{ op: 'replace', path: 'active', value: 'False' }])
	assert.equal(await works(key), 401)
	await scim.patch(`/Users/${user.id}`, [{ op: 'replace', path: 'active', value: true }])
	assert.deepEqual([await works(key), await works(revoked)], [200, 401])
	await scim.delete(`/Users/${user.id}`)
	assert.equal(await works(key), 401)
	assert.equal(await tenant.sql(`SELECT display_name FROM qehs.user_account WHERE id = '${user.id}'`), 'Who Did It')
})

test('a group gives the role of its name and those it is mapped to, from the next request on', async () => {
	const user = await someone()
	const roles = () => tenant.sql(`SELECT item ->> 'roles' FROM json_array_elements(qehs.user_list(200) -> 'items') AS item WHERE item ->> 'userName' = '${user.userName}'`)
	const named = await tenant.group('viewer', [user.id])
	await tenant.group('Safety People', [user.id])
	assert.equal(await roles(), '["safety-people","viewer"]')
	await tenant.sql('SELECT qehs.scim_group_map(\'safety people\', \'incident-reviewer\') \\g /dev/null')
	assert.equal(await roles(), '["incident-reviewer","safety-people","viewer"]')
	await scim.delete(`/Groups/${named.id}`)
	await tenant.sql('SELECT qehs.scim_group_unmap(\'Safety People\', \'incident-reviewer\') \\g /dev/null')
	assert.equal(await roles(), '["safety-people"]')
	refused(await scim.post('/Groups', { schemas: [GROUP], displayName: 'tenant-owner' }), 409, 'uniqueness')
	refused(await scim.post('/Groups', { schemas: [GROUP], displayName: 'SAFETY PEOPLE' }), 409, 'uniqueness')
})

test('64 concurrent patches each add a member, and none is lost; of as many If-Match one wins', async () => {
	const users = await Promise.all(Array.from({ length: 64 }, () => someone()))
	const group = await tenant.group('Concurrent')
	const answers = await Promise.all(users.map(user => scim.patch(`/Groups/${group.id}`, [{ op: 'add', path: 'members', value: [{ value: user.id }] }])))
	assert.deepEqual([...new Set(answers.map(answer => answer.status))], [204])
	const now = (await scim.get(`/Groups/${group.id}`)).json
	assert.equal(now.members.length, 64)
	const races = await Promise.all(users.map((_, i) => scim.patch(`/Groups/${group.id}`, [{ op: 'replace', path: 'displayName', value: `Winner ${i}` }], { 'If-Match': now.meta.version })))
	assert.deepEqual(races.map(answer => answer.status).sort(), [204, ...Array(63).fill(412)])
})

test('another tenant sees and changes nothing', async () => {
	const other = await scimTenant('scim_other')
	const user = await someone()
	const group = await tenant.group('Private', [user.id])
	for (const [path, message] of [[`/Users/${user.id}`, { schemas: [USER], userName: 'taken over' }], [`/Groups/${group.id}`, { schemas: [GROUP], displayName: 'taken over' }]]) {
		const none = await other.scim.get(path.replace(/[^/]+$/, unknown))
		for (const answer of [await other.scim.get(path), await other.scim.put(path, message), await other.scim.delete(path), await other.scim.patch(path, [{ op: 'add', value: { displayName: 'x' } }])])
			assert.deepEqual([answer.status, answer.text], [404, none.text])
	}
	assert.deepEqual((await other.scim.get('/Users')).json.Resources, [])
	refused(await other.scim.post('/Groups', { schemas: [GROUP], displayName: 'Thief', members: [{ value: user.id }] }), 400, 'invalidValue')
	// a key of kind scim reaches nothing else
	assert.equal((await request('GET', '/api/v1/records?moduleKey=incidents', { key: tenant.key })).status, 403)
})

test('a resource type that a DBA registers is served', async () => {
	const device = 'urn:example:params:scim:schemas:Device'
	const { psql } = await import('./lib/tenant.mjs')
	await psql(`INSERT INTO qehs.scim_schema (urn, name, description) VALUES ('${device}', 'Device', 'A device') ON CONFLICT DO NOTHING;
		INSERT INTO qehs.scim_attribute (schema_urn, path, type, required, mutability, multi_valued) VALUES ('${device}', 'serial', 'string', true, 'immutable', false),
		('${device}', 'weight', 'decimal', false, 'readWrite', false), ('${device}', 'tags', 'string', false, 'readWrite', true) ON CONFLICT DO NOTHING;
		INSERT INTO qehs.scim_resource_type (name, endpoint, description, schema_urn) VALUES ('Device', '/Devices', 'Devices', '${device}') ON CONFLICT DO NOTHING`)
	try {
		const made = await scim.post('/Devices', { schemas: [device], serial: 's1', weight: 1.50, tags: ['a', 'b'] })
		assert.equal(made.status, 201, made.text)
		assert.deepEqual([made.json.weight, made.json.tags, made.json.meta.resourceType], [1.5, ['a', 'b'], 'Device'])
		assert.equal((await scim.list('Devices', 'weight gt 1.4 and tags eq "B"')).totalResults, 1)
		for (const weight of [10, 9, undefined]) assert.equal((await scim.post('/Devices', { schemas: [device], serial: `s-${weight}`, weight })).status, 201)
		const heavy = async (more, query = { schemas: [SEARCH], sortBy: 'weight', ...more }) => (await scim.post('/Devices/.search', query)).json
		assert.deepEqual((await heavy()).Resources.map(found => found.serial), ['s1', 's-9', 's-10', 's-undefined'], 'by number, those without one last')
		for (const sortOrder of ['ascending', 'descending']) {
			const walked = []
			for (let cursor = ''; cursor !== undefined;) {
				const page = await heavy({ sortOrder, count: 1, cursor })
				walked.push(page.Resources[0].serial)
				cursor = page.nextCursor
			}
			assert.deepEqual(walked, sortOrder === 'ascending' ? ['s1', 's-9', 's-10', 's-undefined'] : ['s-undefined', 's-10', 's-9', 's1'])
		}
		assert.equal((await scim.post('/.search', { schemas: [SEARCH], filter: 'meta.resourceType eq "Device"' })).json.totalResults, 4)
		await scim.patch(`/Devices/${made.json.id}`, [{ op: 'remove', path: 'tags[value eq "a"]' }])
		assert.deepEqual((await scim.get(`/Devices/${made.json.id}`)).json.tags, ['b'])
		refused(await scim.put(`/Devices/${made.json.id}`, { schemas: [device], serial: 's2' }), 400, 'mutability')
		assert.equal((await scim.delete(`/Devices/${made.json.id}`)).status, 204)
	} finally {
		await psql(`DELETE FROM qehs.scim_resource_type WHERE name = 'Device'; DELETE FROM qehs.scim_attribute WHERE schema_urn = '${device}'; DELETE FROM qehs.scim_schema WHERE urn = '${device}'`)
	}
	refused(await scim.get('/Devices'), 404)
})

test('a request that is sent again with its Idempotency-Key has the first answer, and makes nobody twice', async () => {
	const send = () => request('POST', '/api/scim/v2/Users', { key: tenant.key, headers: { 'Idempotency-Key': 'again' }, json: { schemas: [USER], userName: 'again@example.com' } })
	const first = await send()
	assert.equal(first.status, 201, first.text)
	const second = await send()
	assert.deepEqual([second.status, second.json.id, second.headers['idempotency-replayed']], [201, first.json.id, 'true'], second.text)
})
