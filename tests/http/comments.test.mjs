// Comments and links of a record over HTTP: a thread with a mention, who may take part, and what stays of what is taken back.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertOk, assertProblem } from './lib/client.mjs'
import { definition, makeTenant, payload } from './lib/tenant.mjs'

const commented = structuredClone(definition)
commented.fields.push({ key: 'cause', type: 'record-reference' })
commented.permissions.roles['tenant-user'].push('comment')
const tenant = await makeTenant('comments', commented)
await tenant.sql("SELECT qehs.user_create('ann', 'ann'), qehs.user_create('bob', 'bob'), qehs.user_create('vic', 'vic', roles => '{viewer}') \\g /dev/null")
const as = {}
for (const name of ['ann', 'bob', 'vic']) as[name] = (await tenant.makeKey({ name, actingUser: name, roles: [] })).api
const record = assertOk(await as.ann.post('/api/v1/records', { moduleKey: 'incidents', payload: payload() }), 201)
const comments = `/api/v1/records/${record.id}/comments`

test('a thread: a comment with a mention, an answer, and one taken back', async () => {
	const first = assertOk(await as.ann.post(comments, { body: 'Look at this, @bob' }), 201)
	assert.match(first.id, /^cmt_/)
	assert.deepEqual(first.mentions.map(user => user.displayName), ['bob'])
	const answer = assertOk(await as.bob.post(comments, { body: 'I have', parentId: first.id }), 201)
	assert.equal(answer.parentId, first.id)
	assertOk(await as.ann.delete(`/api/v1/comments/${first.id}`), 204)
	const { items, nextCursor } = assertOk(await as.vic.get(comments))
	assert.deepEqual(items.map(item => [item.body, item.createdBy.displayName, item.deletedAt === null]), [[null, 'ann', false], ['I have', 'bob', true]])
	assert.equal(nextCursor, null)
	const { version, activity } = assertOk(await as.ann.get(`/api/v1/records/${record.id}`))
	assert.equal(version, 1)
	assert.deepEqual(activity.map(event => event.type), ['comment_deleted', 'commented', 'commented', 'created'])
	assert.equal(activity[0].comment, 'Look at this, @bob')
})

test('who may only read says nothing, and takes nothing of others back', async () => {
	assertProblem(await as.vic.post(comments, { body: 'x' }), 403, 'forbidden')
	const { id } = assertOk(await as.ann.post(comments, { body: 'x' }), 201)
	assertProblem(await as.bob.delete(`/api/v1/comments/${id}`), 403, 'forbidden')
	assertOk(await tenant.api.delete(`/api/v1/comments/${id}`), 204)
	assertProblem(await as.ann.post(comments, { body: 'x', parentId: id }), 400, 'validation_failed', { errors: [{ path: '/parentId', code: 'references' }] })
})

test('links both ways', async () => {
	const child = assertOk(await as.ann.post('/api/v1/records', { moduleKey: 'incidents', payload: payload({ cause: record.id }) }), 201)
	const links = async id => assertOk(await as.ann.get(`/api/v1/records/${id}/links`)).items.map(item => [item.direction, item.fields, item.record.id])
	assert.deepEqual(await links(record.id), [['in', ['cause'], child.id]])
	assert.deepEqual(await links(child.id), [['out', ['cause'], record.id]])
})
