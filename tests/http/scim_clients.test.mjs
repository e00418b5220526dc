// What Entra ID and Okta send that RFC 7644 does not spell out, and the rules of RFC 7643 that registered resource types show.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { request } from './lib/client.mjs'
import { BULK, ENTERPRISE, GROUP, PATCH, USER, scimTenant } from './lib/scim.mjs'
import { psql } from './lib/tenant.mjs'

const tenant = await scimTenant('scim_clients')
const { scim } = tenant
const refused = (answer, status, scimType) => assert.deepEqual([answer.status, answer.json?.scimType], [status, scimType], answer.text)
let made = 0
const someone = (more = {}) => tenant.user(`client${++made}@example.com`, more)
// A new user after operations: its body, or the answer of the refusal.
const patched = async (start, operations) => {
	const { id } = await someone(start)
	const answer = await scim.patch(`/Users/${id}`, operations)
	return answer.status === 204 ? (await scim.get(`/Users/${id}`)).json : answer
}
const found = async (filter, type = 'Users') => {
	const list = await scim.list(type, filter)
	assert.ok(list.Resources, JSON.stringify(list))
	return list.Resources.map(resource => resource.userName ?? resource.displayName)
}

test('filters of Entra ID: a manager, the value of an element, a text of a boolean; and presence of complex attributes', async () => {
	const user = await someone({ emails: [{ value: 'Find@example.com', type: 'work', primary: true }, { value: 'home@example.com', type: 'home' }],
		addresses: [{ type: 'work', locality: 'Paris' }], phoneNumbers: [{ type: 'fax' }], [ENTERPRISE]: { manager: { value: 'boss-1' } } })
	for (const filter of [`id eq "${user.id}" and manager eq "boss-1"`, `${ENTERPRISE}:manager sw "boss-1"`, 'emails[type eq "work"].value eq "find@example.com"',
		'emails[type eq "work" or type eq "x"].value ew "@EXAMPLE.com" and emails[type eq "home"].value sw "home"', `emails[primary eq "True"].value eq "find@example.com" and id eq "${user.id}"`,
		'active eq "TRUE" and addresses pr', 'phoneNumbers pr', 'not (addresses eq null)', 'addresses ne null'])
		assert.deepEqual(await found(filter), [user.userName], filter)
	for (const filter of ['emails[type eq "home"].value eq "find@example.com"', 'emails[primary eq "False"].value pr', 'manager eq "boss-2"', 'active eq "False"', 'ims pr', `id eq "${user.id}" and addresses eq null`])
		assert.deepEqual(await found(filter), [], filter)
	for (const filter of ['userName[value eq "a"]', 'active eq "yes"', 'emails[type eq "work"].', 'emails[type eq "work"].value', 'emails[type eq "work"].nothing eq "a"', 'name eq "x"'])
		refused(await scim.get(`/Users?filter=${encodeURIComponent(filter)}`), 400, 'invalidFilter')
})

test('a search by userName alone, which takes no statement, answers as one by statement', async () => {
	const other = await scimTenant('scim_clients_other')
	const names = ['Grüße "An" \\ alle@Example.com', 'gone@example.com', 'off@example.com', 'there@example.com', 'nobody@example.com']
	const [full, gone] = [await tenant.user(names[0], { externalId: 'x', title: 't', [ENTERPRISE]: { department: 'D' } }), await tenant.user(names[1])]
	await scim.delete(`/Users/${gone.id}`)
	await tenant.user(names[2], { active: false })
	await other.user(names[3])
	const answer = async (filter, query) => (await scim.get(`/Users?filter=${encodeURIComponent(filter)}&${query}`)).json
	for (const name of [...names, names[0].toUpperCase()])
		for (const query of ['excludedAttributes=groups', 'attributes=userName,active', 'excludedAttributes=groups&count=0', 'excludedAttributes=groups&startIndex=2', 'attributes=id&cursor=', 'attributes=id&sortBy=title'])
			assert.deepEqual(await answer(`userName eq ${JSON.stringify(name)}`, query), await answer(`userName eq ${JSON.stringify(name)} and id pr`, query), `${name} ${query}`)
	const { meta, externalId, title, ...rest } = (await answer(`userName eq ${JSON.stringify(names[0])}`, 'excludedAttributes=groups')).Resources[0]
	assert.deepEqual([meta, externalId, title, rest[ENTERPRISE]], [full.meta, 'x', 't', { department: 'D' }])
	refused(await scim.get('/Users?filter=userName%20eq%20%22a%22&attributes=id&sortOrder=up'), 400, 'invalidValue')
})

test('paths of Entra ID: roles[primary eq "True"], one value in a list, a manager in one', async () => {
	const roles = await patched({ roles: [{ value: 'old', primary: true }] }, [{ op: 'Replace', path: 'roles[primary eq "True"].value', value: 'Admin' }])
	assert.deepEqual(roles.roles, [{ value: 'Admin', primary: true }])
	const user = await patched({ displayName: 'x', emails: [{ value: 'w', type: 'work' }] }, [{ op: 'Replace', path: 'displayName', value: [{ $ref: null, value: 'Pvlo' }] },
		{ op: 'Replace', path: 'name.givenName', value: [{ $ref: null, value: 'G' }] }, { op: 'Replace', path: 'emails[type eq "work"].value', value: [{ $ref: null, value: 'v' }] },
		{ op: 'Add', path: 'manager', value: [{ $ref: 'http://x/Users/1', value: '1' }] }, { op: 'Replace', path: 'active', value: [{ $ref: null, value: 'False' }] }])
	assert.deepEqual([user.displayName, user.name.givenName, user.emails[0].value, user[ENTERPRISE].manager.value, user.active], ['Pvlo', 'G', 'v', '1', false])
	refused(await patched({}, [{ op: 'replace', path: 'title', value: ['a', 'b'] }]), 400, 'invalidValue')
})

test('a patch of the enterprise extension leaves what it does not name', async () => {
	for (const operation of [{ op: 'replace', value: { [ENTERPRISE]: { department: 'X' } } }, { op: 'replace', path: ENTERPRISE, value: { department: 'X' } }])
		assert.deepEqual((await patched({ [ENTERPRISE]: { employeeNumber: '1', department: 'D' } }, [operation]))[ENTERPRISE], { employeeNumber: '1', department: 'X' })
})

test('a deactivated user is not let in again by a patch that takes active away', async () => {
	for (const operation of [{ op: 'remove', path: 'active' }, { op: 'replace', path: 'active', value: null }, { op: 'replace', value: { active: [] } }])
		assert.equal((await patched({ active: false }, [operation])).active, false)
})

test('one element at most is primary, also where all are made so; a list is no element; remove with an empty list removes nothing', async () => {
	const emails = [{ value: 'a', type: 'work' }, { value: 'b', type: 'home' }]
	assert.deepEqual((await patched({ emails }, [{ op: 'replace', path: 'emails.primary', value: true }])).emails.map(email => email.primary), [true, false])
	refused(await patched({ emails }, [{ op: 'replace', path: 'emails[type eq "work"]', value: [{ value: 'c' }, { value: 'd' }] }]), 400, 'invalidValue')
	refused(await patched({ emails }, [{ op: 'replace', path: 'emails[type eq "work"].nothing', value: 'c' }]), 400, 'invalidPath')
	assert.equal((await patched({ emails }, [{ op: 'Remove', path: 'emails', value: [] }])).emails.length, 2)
	const group = await tenant.group('Stays', [(await someone()).id])
	await scim.patch(`/Groups/${group.id}`, [{ op: 'Remove', path: 'members', value: [] }])
	assert.equal((await scim.get(`/Groups/${group.id}`)).json.members.length, 1)
	await scim.patch(`/Groups/${group.id}`, [{ op: 'Remove', path: 'members' }])
	assert.equal((await scim.get(`/Groups/${group.id}`)).json.members, undefined)
})

test('a filtered path removes members that are no user as well', async () => {
	const kept = await scimTenant('scim_clients_kept')
	await kept.sql('SELECT qehs.scim_configure(keep_unresolved_members => true) \\g /dev/null')
	const user = await kept.user('member@example.com')
	const group = await kept.group('Mixed', [user.id, 'stranger', 'guest', 'other'])
	const left = async path => {
		assert.equal((await kept.scim.patch(`/Groups/${group.id}`, [{ op: 'remove', path }])).status, 204)
		return (await kept.scim.get(`/Groups/${group.id}`)).json.members?.map(member => member.value)
	}
	assert.deepEqual(await left('members[value eq "stranger" or value sw "gu"]'), [user.id, 'other'])
	assert.deepEqual(await left('members[type pr]'), ['other'])
	assert.equal(await left('members[not (value eq "none")]'), undefined)
})

test('a token that is rotated ends at once, or after the overlap that is asked for', async () => {
	const admin = await tenant.makeKey({ scopes: ['admin.keys', 'admin.users'] })
	const keys = (path, json) => request('POST', `/api/v1/api-keys${path}`, { key: admin, json })
	const works = async made => (await request('GET', '/api/scim/v2/Users?count=0', { key: made.json.key })).status === 200
	const first = await keys('', { name: 'Okta', kind: 'scim', scopes: ['admin.users'], roles: [], modules: null })
	const second = await keys(`/${first.json.id}:rotate`)
	assert.deepEqual([await works(first), await works(second)], [false, true])
	const third = await keys(`/${second.json.id}:rotate`, { overlapSeconds: 600 })
	assert.deepEqual([await works(second), await works(third)], [true, true])
})

test('attributes=members[…] gives those members only', async () => {
	const users = await Promise.all([1, 2].map(() => someone()))
	const group = await tenant.group('Filtered', users.map(user => user.id))
	const members = async filter => (await scim.get(`/Groups/${group.id}?attributes=${encodeURIComponent(`members[${filter}]`)}`)).json.members?.map(member => member.value)
	assert.deepEqual(await members(`value eq "${users[1].id}"`), [users[1].id])
	assert.equal(await members('display eq "nobody"'), undefined)
})

test('bulk: a path may name what a later operation makes, and what fails tells its location', async () => {
	const answer = await scim.post('/Bulk', { schemas: [BULK], Operations: [
		{ method: 'PATCH', path: '/Users/bulkId:later', data: { schemas: [PATCH], Operations: [{ op: 'add', path: 'title', value: 'Chief' }] } },
		{ method: 'POST', path: '/Users', bulkId: 'later', data: { schemas: [USER], userName: 'bulk-later' } },
		{ method: 'DELETE', path: '/Groups/nobody' }, { method: 'POST', path: '/Users', bulkId: 'bad', data: { schemas: [USER] } }] })
	const [patch, post, remove, bad] = answer.json.Operations
	assert.deepEqual([patch.status, post.status, remove.status, bad.status], ['200', '201', '404', '400'], answer.text)
	assert.equal(patch.location, post.location)
	assert.equal((await scim.get(new URL(post.location).pathname.replace('/api/scim/v2', ''))).json.title, 'Chief')
	assert.match(remove.location, /\/Groups\/nobody$/)
	assert.equal(bad.location, undefined)
})

test('a certificate that is no Base64 is refused', async () => {
	const answer = value => scim.post('/Users', { schemas: [USER], userName: `cert${++made}`, x509Certificates: [{ value }] })
	for (const value of ['TUlJRA==', 'TUlJRA', 'TUlJ-_8=']) assert.equal((await answer(value)).status, 201, value)
	for (const value of ['***', 'TUlJR', 'TUlJRA===', 'TU=JRA']) refused(await answer(value), 400, 'invalidValue')
})

test('a registered type: immutable attributes are kept in any way, required sub-attributes are asked for', async () => {
	const urn = 'urn:example:params:scim:schemas:Gadget'
	const more = 'urn:example:params:scim:schemas:extension:Gadget'
	await psql(`INSERT INTO qehs.scim_schema (urn, name, description) VALUES ('${urn}', 'Gadget', 'A gadget'), ('${more}', 'More', 'More of it');
		INSERT INTO qehs.scim_attribute (schema_urn, path, type, required, mutability, multi_valued) VALUES ('${urn}', 'tags', 'string', false, 'immutable', true),
		('${urn}', 'words', 'string', false, 'readWrite', true), ('${urn}', 'owner', 'complex', false, 'readWrite', false), ('${urn}', 'owner.key', 'string', true, 'immutable', false),
		('${urn}', 'owner.note', 'string', false, 'readWrite', false), ('${urn}', 'parts', 'complex', false, 'readWrite', true), ('${urn}', 'parts.value', 'string', true, 'immutable', false),
		('${urn}', 'parts.number', 'integer', false, 'readWrite', false), ('${more}', 'colour', 'string', false, 'immutable', false);
		INSERT INTO qehs.scim_resource_type (name, endpoint, description, schema_urn, extensions) VALUES ('Gadget', '/Gadgets', 'Gadgets', '${urn}', '{${more}}')`)
	try {
		const whole = { schemas: [urn, more], tags: ['a'], words: ['x', 'y'], owner: { key: 'k', note: 'n' }, parts: [{ value: 'p', number: 1 }], [more]: { colour: 'red' } }
		const { id } = (await scim.post('/Gadgets', whole)).json
		const patch = (...operations) => scim.patch(`/Gadgets/${id}`, operations)
		for (const operation of [{ op: 'replace', path: 'tags', value: ['b'] }, { op: 'add', path: 'tags', value: ['b'] }, { op: 'remove', path: 'tags' }, { op: 'remove', path: 'tags[value eq "a"]' },
			{ op: 'replace', path: 'owner.key', value: 'l' }, { op: 'replace', path: 'parts[value eq "p"].value', value: 'q' }, { op: 'replace', value: { [more]: { colour: 'blue' } } }])
			refused(await patch(operation), 400, 'mutability')
		refused(await patch({ op: 'remove', path: 'owner' }, { op: 'add', path: 'owner', value: { key: 'l' } }), 400, 'mutability')
		refused(await patch({ op: 'remove', path: more }, { op: 'add', path: `${more}:colour`, value: 'blue' }), 400, 'mutability')
		refused(await scim.put(`/Gadgets/${id}`, { ...whole, owner: { key: 'l' } }), 400, 'mutability')
		refused(await patch({ op: 'add', path: 'parts', value: [{ number: 5 }] }), 400, 'invalidValue')
		refused(await patch({ op: 'replace', path: 'words[value eq "x"].value', value: 'z' }), 400, 'invalidPath')
		for (const wrong of [{ owner: { note: 'n' } }, { parts: [{ number: 1 }] }]) refused(await scim.post('/Gadgets', { schemas: [urn], ...wrong }), 400, 'invalidValue')
		assert.equal((await patch({ op: 'replace', path: 'owner.note', value: 'm' }, { op: 'remove', path: 'words[value eq "x"]' }, { op: 'add', path: 'tags', value: ['a'] })).status, 204)
		const now = (await scim.get(`/Gadgets/${id}`)).json
		assert.deepEqual([now.tags, now.words, now.owner, now[more]], [['a'], ['y'], { key: 'k', note: 'm' }, { colour: 'red' }])
	} finally {
		await psql(`DELETE FROM qehs.scim_resource WHERE resource_type = 'Gadget'; DELETE FROM qehs.scim_resource_type WHERE name = 'Gadget';
			DELETE FROM qehs.scim_attribute WHERE schema_urn IN ('${urn}', '${more}'); DELETE FROM qehs.scim_schema WHERE urn IN ('${urn}', '${more}')`)
	}
})
