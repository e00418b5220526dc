// The whole life of an incident: reported, triaged, investigated with actions, reviewed, approved by two with signatures, closed, reopened.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertOk, assertProblem } from './lib/client.mjs'
import { makeTenant } from './lib/tenant.mjs'

const actions = {
	key: 'actions', name: 'Actions', displayCode: { prefix: 'ACT' },
	fields: [{ key: 'title', type: 'text', required: true }, { key: 'parent', type: 'record-reference', required: true }, { key: 'owner', type: 'user' }],
	workflow: {
		states: ['open', 'done', 'verified'], initial: 'open',
		transitions: {
			complete: { from: 'open', to: 'done', roles: ['@owner'] },
			verify: { from: 'done', to: 'verified', roles: ['manager', 'worker'], notSameActorAs: '@owner', effects: [{ updateParent: { via: 'parent', payload: { last_verified: '$.title' } } }] },
		},
	},
	permissions: { roles: { specialist: ['read', 'create'], worker: ['read'], manager: ['read'] }, states: { verified: { edit: [] } } },
}
const incidents = {
	key: 'incidents', name: 'Incidents', displayCode: { prefix: 'INC' },
	fields: [
		{ key: 'title', type: 'text', required: true }, { key: 'severity', type: 'select', options: ['low', 'high'], required: true },
		{ key: 'investigator', type: 'user' }, { key: 'rca_text', type: 'text' }, { key: 'last_verified', type: 'text' }, { key: 'closed_at', type: 'datetime' },
	],
	workflow: {
		states: ['reported', 'investigation', 'review', 'closed'], initial: 'reported',
		transitions: {
			accept: { from: 'reported', to: 'investigation', roles: ['specialist'], effects: [{ assign: { field: 'investigator', to: '$user' } },
				{ createRecord: { moduleKey: 'actions', payload: { title: 'Secure the scene', parent: '$id' } } }] },
			submit: { from: 'investigation', to: 'review', roles: ['@investigator'], requires: ['rca_text'], children: { moduleKey: 'actions', via: 'parent', state: 'verified', min: 1 } },
			close: { from: 'review', to: 'closed', approvers: { count: 2, role: 'manager', reject: 'return' }, signature: { meaning: ['reviewed', 'approved'] }, notSameActorAs: '@investigator',
				effects: [{ setField: { closed_at: '$now' } }, { event: { name: 'incident.closed', payload: { title: '$.title' } } }] },
			return: { from: 'review', to: 'investigation', roles: ['manager'], commentRequired: true },
			reopen: { from: 'closed', to: 'investigation', roles: ['manager'], commentRequired: true },
		},
	},
	permissions: {
		roles: { reporter: ['read', 'create'], specialist: ['read', 'update'], worker: ['read'], manager: ['read'] },
		states: { review: { edit: [] }, closed: { edit: [] } },
	},
}

const tenant = await makeTenant('incident', actions)
const people = { rita: 'reporter', sam: 'specialist', will: 'worker', mia: 'manager', max: 'manager', eve: 'reporter' }
await tenant.sql(Object.entries(people).map(([name, role]) => `SELECT qehs.user_create('${name}', '${name}', roles => '{${role}}') \\g /dev/null`).join(';\n'))
assertOk(await tenant.api.put('/api/v1/modules/incidents', incidents), 201)
const as = {}
for (const name of Object.keys(people)) as[name] = (await tenant.makeKey({ name, actingUser: name, roles: [] })).api
const secret = name => `the secret of ${name}`
const sign = (name, meaning = 'reviewed') => ({ meaning, credential: secret(name) })
const codes = answer => answer.json.errors.map(error => error.code)
const userId = async name => (await tenant.sql(`SELECT id FROM qehs.user_account WHERE user_name = '${name}' AND tenant_id = (SELECT id FROM qehs.tenant WHERE slug = '${tenant.slug}')`)).trim()
let incident
const path = (verb = '') => `/api/v1/records/${incident.id}${verb}`
const fire = (who, transition, more = {}) => as[who].post(path(':transition'), { transition, ...more })

test('it is reported, accepted and assigned; the first action is made by that', async () => {
	incident = assertOk(await as.rita.post('/api/v1/records', { moduleKey: 'incidents', payload: { title: 'Slip on wet stairs', severity: 'high' } }), 201)
	assert.deepEqual(codes(await fire('rita', 'accept')), ['roles'])
	const accepted = assertOk(await fire('sam', 'accept'))
	assert.equal(accepted.workflowState, 'investigation')
	assert.match(accepted.payload.investigator, /^usr_/)
	const { items } = assertOk(await as.sam.get('/api/v1/records?moduleKey=actions'))
	assert.deepEqual(items.map(item => [item.payload.title, item.payload.parent]), [['Secure the scene', incident.id]])
	assert.equal(items[0].createdBy.displayName, 'sam')
})

test('it is not submitted before its root cause is known and its actions are verified, by others than their owners', async () => {
	assert.deepEqual(codes(await fire('sam', 'submit')).sort(), ['children', 'required'])
	const [action] = assertOk(await tenant.api.get('/api/v1/records?moduleKey=actions')).items
	const owner = await userId('will')
	assertOk(await tenant.api.patch(`/api/v1/records/${action.id}`, { payload: { owner } }))
	assertOk(await as.will.post(`/api/v1/records/${action.id}:transition`, { transition: 'complete' }))
	assert.deepEqual(codes(await as.will.post(`/api/v1/records/${action.id}:transition`, { transition: 'verify' })), ['notSameActorAs'])
	assertOk(await as.mia.post(`/api/v1/records/${action.id}:transition`, { transition: 'verify' }))
	assertProblem(await tenant.api.patch(`/api/v1/records/${action.id}`, { payload: { title: 'x' } }), 400, 'validation_failed', { errors: [{ path: '/payload/title', code: 'locked' }] })
	const submitted = assertOk(await fire('sam', 'submit', { payload: { rca_text: 'No mat at the door' } }))
	assert.deepEqual([submitted.workflowState, submitted.payload.last_verified], ['review', 'Secure the scene'])
})

test('two managers approve with signatures, one for himself and one by a delegate, and the last approval closes it', async () => {
	for (const name of ['mia', 'eve']) assertOk(await as[name].put('/api/v1/me/signature-credential', { credential: secret(name) }), 204)
	assert.deepEqual(codes(await as.mia.post(path(':approve'), { transition: 'close' })), ['required'])
	assertProblem(await as.mia.post(path(':approve'), { transition: 'close', signature: { meaning: 'reviewed', credential: 'wrong' } }), 403, 'forbidden', { errors: [{ path: '/signature/credential', code: 'credential' }] })
	const first = assertOk(await as.mia.post(path(':approve'), { transition: 'close', signature: sign('mia') }))
	assert.equal(first.workflowState, 'review')
	assert.deepEqual(first.approvals.steps, [{ count: 2, approved: 1, missing: 1, role: ['manager'] }])
	assert.deepEqual(codes(await as.eve.post(path(':approve'), { transition: 'close', signature: sign('eve', 'approved') })), ['approvers'])
	assertOk(await as.max.post('/api/v1/delegations', { to: 'eve', startsAt: '2026-01-01T00:00:00Z', endsAt: '2099-01-01T00:00:00Z', reason: 'On leave' }), 201)
	const closed = assertOk(await as.eve.post(path(':approve'), { transition: 'close', signature: sign('eve', 'approved'), comment: 'For Max' }))
	assert.equal(closed.workflowState, 'closed')
	assert.match(closed.payload.closed_at, /Z$/)
	const { items } = assertOk(await as.mia.get(path('/approvals')))
	assert.deepEqual(items.map(item => [item.by.displayName, item.onBehalfOf?.displayName, item.signature.meaning]), [['eve', 'max', 'approved'], ['mia', undefined, 'reviewed']])
	const { activity } = assertOk(await as.mia.get(path()))
	assert.deepEqual(activity.slice(0, 4).map(event => event.type), ['transitioned', 'approved', 'approved', 'transitioned'])
	assert.equal(activity[1].onBehalfOf.displayName, 'max')
	assert.deepEqual(activity[1].signature.signedBy.displayName, 'eve')
	const failed = assertOk(await tenant.api.get('/api/v1/audit?action=user.signature_failed')).items
	assert.deepEqual(failed.map(event => [event.actor.displayName, event.changes]), [['mia', [{ path: '/recordId', to: incident.id }]]])
	assert.ok(!JSON.stringify([activity, failed]).includes('the secret of'))
})

test('closed it is locked for all, and a manager reopens it with a reason', async () => {
	assertProblem(await tenant.api.patch(path(), { payload: { title: 'Fall' } }), 400, 'validation_failed', { errors: [{ path: '/payload/title', code: 'locked' }] })
	assert.deepEqual(codes(await fire('mia', 'reopen')), ['required'])
	assert.equal(assertOk(await fire('mia', 'reopen', { comment: 'It happened again' })).workflowState, 'investigation')
	assertOk(await as.sam.patch(path(), { payload: { title: 'Fall on wet stairs' } }))
})

test('a rejection returns it to the investigation', async () => {
	assertOk(await fire('sam', 'submit'))
	assert.deepEqual(codes(await as.max.post(path(':reject'), { transition: 'close' })), ['required'])
	assert.equal(assertOk(await as.max.post(path(':reject'), { transition: 'close', comment: 'The cause is another' })).workflowState, 'investigation')
})
