// What a caller may not read cannot be inferred. Two worlds that are alike but for what is hidden are asked the same at each door,
// and answer the same, byte for byte but for ids, times and traces. An administrator, asked the same, is told the difference: the question had power.
//
// Hidden are the value of a field, records elsewhere than in the caller's location, and records that another has created.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertOk, request } from './lib/client.mjs'
import { literal, makeTenant, psql } from './lib/tenant.mjs'

const missing = 'rec_01KQ0000000000000000000000'
const scopes = ['records.read', 'records.write', 'modules.read', 'attachments.read', 'attachments.write', 'exports.create', 'audit.read', 'holds.write']
const all = ['read', 'create', 'update', 'delete', 'transition', 'export', 'comment', 'hold']

const ids = /\b(rec|usr|key|evt|att|job|cmt|hld)_[0-9A-HJKMNP-TV-Z]{26}\b/g
const bare = (answer, world) => ({
	status: answer.status, etag: answer.headers.etag?.replace(ids, '$1'),
	text: answer.text.replaceAll(world.slug, 'SLUG').replace(ids, '$1').replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME').replace(/"traceId":"[0-9a-f]{32}"/g, '"traceId":""')
		.replace(/"nextCursor":"[^"]+"/g, '"nextCursor":"C"').replace(/"durationMs":\d+/g, '"durationMs":0').replace(/(signature|expires|X-Amz-[A-Za-z]+)=[^&"]+/g, '$1='),
})

const list = (query = '') => ({ api }) => api.get(`/api/v1/records?moduleKey=tasks${query}`)
const graphql = query => ({ api }, { seen, other }) => api.post('/api/graphql', { query: query.replaceAll('$SEEN', seen).replaceAll('$OTHER', other) })
const load = (line, query = '') => ({ key }, world) => request('POST', `/api/v1/modules/tasks/bulk?dryRun=true${query}`,
	{ key, body: JSON.stringify(line(world)), headers: { 'Content-Type': 'application/x-ndjson' } })

// An export to its end, and its file.
const exported = more => async ({ api, key }) => {
	const asked = await api.post('/api/v1/exports', { moduleKey: 'tasks', format: 'csv', ...more })
	if (asked.status !== 202) return asked
	for (;;) {
		const { json } = await api.get(asked.json.statusUrl)
		if (json.status === 'failed') throw new Error(JSON.stringify(json))
		if (json.status === 'succeeded') return request('GET', json.result.downloadUrl.replace(/^https?:\/\/[^/]+/, ''), { key: null })
		await new Promise(resume => setTimeout(resume, 200))
	}
}

// Each door is asked of both worlds as the caller, and as the administrator, who must be told them apart unless blunt says so.
function compare(title, worlds, doors) {
	for (const [name, door] of Object.entries(doors)) {
		const { call, blunt = false } = typeof door === 'function' ? { call: door } : door
		test(`${title}: ${name}`, async () => {
			const ask = async who => {
				const answers = []
				for (const world of worlds) answers.push(bare(await call(world[who], world), world))
				return answers
			}
			const [one, two] = await ask('caller')
			assert.deepEqual(two, one)
			assert.ok(one.status < 500, one.text)
			if (blunt) return
			const [first, second] = await ask('admin')
			assert.notDeepEqual(second, first, 'an administrator is told the difference')
		})
	}
}
const blunt = call => ({ call, blunt: true })

// ---- the value of a field ----

const fields = {
	key: 'tasks', name: 'Tasks', displayCode: { prefix: 'TSK' },
	fields: [
		{ key: 'title', type: 'text', required: true, searchable: true }, { key: 'secret', type: 'text', indexed: true, searchable: true }, { key: 'wage', type: 'integer', indexed: true },
		{ key: 'code', type: 'text', unique: true }, { key: 'yearly', type: 'computed', expression: '$.wage * 12' }, { key: 'parent', type: 'record-reference', references: 'tasks' }, { key: 'paper', type: 'file' },
	],
	workflow: { states: ['open', 'done'], initial: 'open', transitions: { finish: { from: 'open', to: 'done', requires: ['title'] } } },
	permissions: { roles: { clerk: all }, fields: { secret: { read: ['medic'] }, wage: { read: ['medic'] }, code: { read: ['medic'] }, paper: { read: ['medic'] }, parent: { read: ['medic'] } } },
}

async function valueWorld(secret, wage) {
	const tenant = await makeTenant('hidden_value', fields)
	await tenant.sql("SELECT qehs.user_create('cleo', 'Cleo', roles => '{clerk}') \\g /dev/null")
	const caller = await tenant.makeKey({ actingUser: 'cleo', roles: [], scopes })
	const create = payload => tenant.api.post('/api/v1/records', { moduleKey: 'tasks', payload })
	const other = assertOk(await create({ title: 'other', secret: 'middle', wage: 500 }), 201).id
	const seen = assertOk(await create({ title: 'seen', secret, wage, code: secret, ...wage > 500 && { parent: other } }), 201).id
	assertOk(await tenant.api.patch(`/api/v1/records/${seen}`, { payload: { secret: `${secret} again`, wage: wage + 1 } }))
	assertOk(await tenant.api.post('/api/v1/attachments', { recordId: seen, field: 'paper', filename: `${secret}.txt`, contentType: 'text/plain' }), 201)
	return { slug: tenant.slug, admin: tenant, caller, seen, other, secret, tenant }
}
const values = [await valueWorld('alpha', 100), await valueWorld('omega', 900)]

compare('a hidden field', values, {
	'read': ({ api }, { seen }) => api.get(`/api/v1/records/${seen}`),
	'ETag and 304': blunt(({ api }, { seen }) => api.get(`/api/v1/records/${seen}`, { 'If-None-Match': '"2"' })),
	'list': list(), 'fields': list('&fields=payload.secret,payload.wage,payload.yearly'),
	'filter eq': list('&filter[secret]=alpha again'.replace(' ', '%20')), 'filter exists': blunt(list('&filter[secret][exists]=true')), 'filter by a range': list('&filter[wage][lt]=500'),
	'filter contains': list('&filter[secret][contains]=alph'), 'filter as JSON, in or and not': list(`&filter=${encodeURIComponent('{"or":[{"title":"none"},{"not":{"wage":{"gt":500}}}]}')}`),
	'filter by what is computed of it': list('&filter[yearly][lt]=6000'), 'filter by a reference': list('&filter[parent][exists]=true'),
	'sort': list('&sort=wage'), 'sort down, second': blunt(list('&sort=title,-secret')), 'sort by what is computed of it': list('&sort=-yearly'),
	'q': list('&q=alpha'), 'q by a part': list('&q=alph'), 'q with count': list('&q=omega&count=exact'), 'count': list('&filter[wage][lt]=500&count=exact'),
	'a cursor of an administrator who sorts by it': async ({ api }, { admin }) => {
		const { nextCursor } = assertOk(await admin.api.get('/api/v1/records?moduleKey=tasks&sort=wage&limit=1'))
		return api.get(`/api/v1/records?moduleKey=tasks&sort=wage&limit=1&cursor=${encodeURIComponent(nextCursor)}`)
	},
	'a cursor of his own': blunt(async ({ api }, { secret }) => {
		const answer = await api.get('/api/v1/records?moduleKey=tasks&sort=title&limit=1')
		assert.ok(!Buffer.from(answer.json.nextCursor, 'base64url').includes(secret))
		return api.get(`/api/v1/records?moduleKey=tasks&sort=title&limit=1&cursor=${encodeURIComponent(answer.json.nextCursor)}`)
	}),
	'activity': ({ api }, { seen }) => api.get(`/api/v1/records/${seen}/activity`), 'audit': ({ api }, { seen }) => api.get(`/api/v1/audit?recordId=${seen}`),
	'as of a time': ({ api }, { seen }) => api.get(`/api/v1/records/${seen}/at?time=2099-12-31`), 'links': ({ api }, { seen }) => api.get(`/api/v1/records/${seen}/links`),
	'links of what it names': ({ api }, { other }) => api.get(`/api/v1/records/${other}/links`),
	'error text of a value': blunt(({ api }, { seen }) => api.patch(`/api/v1/records/${seen}`, { payload: { wage: 'x' } })),
	'sent as it is, and as it is not': blunt(({ api }, { seen }) => api.patch(`/api/v1/records/${seen}`, { payload: { secret: 'alpha again', wage: 101 } })),
	'a lost race': blunt(({ api }, { seen }) => api.patch(`/api/v1/records/${seen}`, { payload: { title: 'x' } }, { 'If-Match': '"1"' })),
	'a line of a load': blunt(load(({ secret }) => ({ title: 'new', secret, wage: 1 }))),
	'a load by it as externalId': blunt(load(() => ({ title: 'new', code: 'alpha' }), '&onConflict=update&externalId=code')),
	'a transition': blunt(({ api }, { seen }) => api.post(`/api/v1/records/${seen}:transition`, { transition: 'finish', payload: { secret: 'x' } })),
	'GraphQL: a field': graphql('{ tasksList { title secret wage } }'), 'GraphQL: payload': graphql('{ tasksGet(id: "$SEEN") { payload activity { changes { path from to } } } }'),
	'GraphQL: filter': graphql('{ tasksList(filter: {wage: {lt: 500}}) { title } }'), 'GraphQL: order': graphql('{ tasksList(orderBy: "wage") { title } }'),
	'GraphQL: aggregate': graphql('{ tasksAggregate { count sum { wage } } }'), 'GraphQL: groups': graphql('{ tasksAggregate(groupBy: ["secret"]) { key count } }'),
	'GraphQL: who names it': graphql('{ tasksGet(id: "$OTHER") { tasksByParent { title } } }'),
	'GraphQL: attachments': graphql('{ tasksGet(id: "$SEEN") { attachments { filename } } }'),
	'GraphQL: the schema': blunt(graphql('{ __type(name: "Task") { fields { name } } }')),
	'export': exported({}), 'export of the column': exported({ columns: ['title', 'secret'] }), 'export by a filter': exported({ filter: { wage: { lt: 500 } } }), 'export in its order': exported({ sort: 'wage', columns: ['title'] }),
	'view of a report': {
		blunt: true, call: async (_, world) => {
			const { slug } = world
			const login = `reader_${slug}`
			const text = await psql(`CREATE ROLE ${login} LOGIN; SELECT qehs.report_publish('${slug}') \\g /dev/null\nSELECT qehs.reporter_grant('${login}', '${slug}', '{clerk}', audit => true) \\g /dev/null\n
				SET SESSION AUTHORIZATION ${login}; SELECT to_jsonb(t) - ARRAY['id','created_at','updated_at','created_by_id','updated_by_id'] FROM report_${slug}.tasks AS t ORDER BY title;
				SELECT count(*) FROM report_${slug}.tasks WHERE secret LIKE 'alpha%' OR wage < 500 OR yearly < 6000 OR parent_id IS NOT NULL; RESET SESSION AUTHORIZATION;
				SELECT qehs.reporter_revoke('${login}', '${slug}') \\g /dev/null\nDROP ROLE ${login};`)
			assert.match(text, /seen/)
			return { status: 200, headers: {}, text }
		},
	},
})

// ---- whole records ----

const scoped = scope => ({
	key: 'tasks', name: 'Tasks', displayCode: { prefix: 'TSK' },
	fields: [{ key: 'title', type: 'text', required: true, searchable: true }, { key: 'site', type: 'location', indexed: true }, { key: 'cost', type: 'number', indexed: true }, { key: 'parent', type: 'record-reference', references: 'tasks' }],
	workflow: { states: ['open', 'done'], initial: 'open', transitions: { finish: { from: 'open', to: 'done' } } },
	permissions: { location: 'site', roles: { clerk: scope === 'own' ? ['create', { actions: all.filter(action => action !== 'create'), scope }] : [{ actions: all, scope }] } },
})

async function recordWorld(scope, there) {
	const tenant = await makeTenant(`hidden_${scope}`, scoped(scope))
	await tenant.sql("SELECT qehs.user_create('cleo', 'Cleo', roles => '{clerk}') \\g /dev/null")
	for (const [key, users] of [['berlin', ['cleo']], ['munich', []]]) assertOk(await tenant.api.put(`/api/v1/locations/${key}`, { name: key, users }), 201)
	const caller = await tenant.makeKey({ actingUser: 'cleo', roles: [], scopes })
	const create = ({ api }, payload) => api.post('/api/v1/records', { moduleKey: 'tasks', payload })
	const seen = assertOk(await create(caller, { title: 'seen', site: 'berlin', cost: 1 }), 201).id
	if (!there) return { slug: tenant.slug, admin: tenant, caller, seen, other: missing, attachment: 'att_01KQ0000000000000000000000', comment: 'cmt_01KQ0000000000000000000000', event: 'evt_01KQ0000000000000000000000', hold: 'hld_01KQ0000000000000000000000' }
	const other = assertOk(await create(tenant, { title: 'ghost', site: 'munich', cost: 77, parent: seen }), 201).id
	const attachment = assertOk(await tenant.api.post('/api/v1/attachments', { recordId: other, filename: 'ghost.txt', contentType: 'text/plain' }), 201).id
	const comment = assertOk(await tenant.api.post(`/api/v1/records/${other}/comments`, { body: 'Ghost' }), 201).id
	const hold = assertOk(await tenant.api.post('/api/v1/legal-holds', { reason: 'Ghost', recordIds: [other] }), 201).id
	const event = assertOk(await tenant.api.get(`/api/v1/audit?recordId=${other}`)).items[0].id
	return { slug: tenant.slug, admin: tenant, caller, seen, other, attachment, comment, event, hold }
}

// What is changed is changed in both worlds, by the administrator last; where that cannot tell anything, or would change it, the door is blunt.
for (const scope of ['own', 'location'])
	compare(`a record that is hidden by scope ${scope}`, [await recordWorld(scope, true), await recordWorld(scope, false)], {
		'list': list(), 'count': list('&count=exact'), 'estimate': list('&count=estimated'), 'q': list('&q=ghost'), 'filter': list('&filter[cost][gt]=50'), 'filter by location': list('&filter[site]=munich'),
		'filter by id': ({ api }, { other }) => api.get(`/api/v1/records?moduleKey=tasks&filter[id]=${other}`), 'filter by display code': list(`&filter[displayCode]=TSK-${new Date().getUTCFullYear()}-0002`),
		'a page and what follows': list('&sort=-cost&limit=1'), 'counts of modules': ({ api }) => api.get('/api/v1/modules'),
		'read': ({ api }, { other }) => api.get(`/api/v1/records/${other}`), 'If-None-Match': ({ api }, { other }) => api.get(`/api/v1/records/${other}`, { 'If-None-Match': '"1"' }),
		'activity': ({ api }, { other }) => api.get(`/api/v1/records/${other}/activity`), 'audit': ({ api }) => api.get('/api/v1/audit'), 'audit of it': ({ api }, { other }) => api.get(`/api/v1/audit?recordId=${other}`),
		'as of a time': ({ api }, { other }) => api.get(`/api/v1/records/${other}/at?time=2099-12-31`), 'links of it': ({ api }, { other }) => api.get(`/api/v1/records/${other}/links`),
		'links to it': ({ api }, { seen }) => api.get(`/api/v1/records/${seen}/links`), 'comments': ({ api }, { other }) => api.get(`/api/v1/records/${other}/comments`), 'approvals': ({ api }, { other }) => api.get(`/api/v1/records/${other}/approvals`),
		'proof of its event': ({ api }, { event }) => api.get(`/api/v1/audit/${event}/proof`), 'a hold over it': ({ api }, { hold }) => api.get(`/api/v1/legal-holds/${hold}`), 'holds': ({ api }) => api.get('/api/v1/legal-holds'),
		'holding it': blunt(({ api }, { other }) => api.post('/api/v1/legal-holds', { reason: 'Mine', recordIds: [other] })), 'releasing a hold over it': blunt(({ api }, { hold }) => api.post(`/api/v1/legal-holds/${hold}:release`, { reason: 'Mine' })),
		'attachment': ({ api }, { attachment }) => api.get(`/api/v1/attachments/${attachment}`),
		'GraphQL: get': graphql('{ tasksGet(id: "$OTHER") { title } node(id: "$OTHER") { id } }'), 'GraphQL: list': graphql('{ tasksList { title } tasks(first: 1) { totalCount pageInfo { hasNextPage } } }'),
		'GraphQL: aggregate': graphql('{ tasksAggregate(groupBy: ["site"]) { key count sum { cost } max { cost } } }'), 'GraphQL: who names it': graphql('{ tasksGet(id: "$SEEN") { tasksByParent { title } } }'),
		'export': exported({}), 'export by a filter': exported({ filter: { title: 'ghost' } }),
		'a reference to it': blunt(({ api }, { seen, other }) => api.patch(`/api/v1/records/${seen}`, { payload: { parent: other } })),
		'a load that names it': blunt(load(({ other }) => ({ title: 'new', site: 'berlin', parent: other }))),
		'change': blunt(({ api }, { other }) => api.patch(`/api/v1/records/${other}`, { payload: { title: 'x' } })), 'change of another version': blunt(({ api }, { other }) => api.patch(`/api/v1/records/${other}`, { payload: {} }, { 'If-Match': '"9"' })),
		'transition': blunt(({ api }, { other }) => api.post(`/api/v1/records/${other}:transition`, { transition: 'finish' })), 'a transition that there is not': blunt(({ api }, { other }) => api.post(`/api/v1/records/${other}:transition`, { transition: 'fly' })),
		'migrate': blunt(({ api }, { other }) => api.post(`/api/v1/records/${other}:migrate`, {})), 'comment': blunt(({ api }, { other }) => api.post(`/api/v1/records/${other}/comments`, { body: 'x' })),
		'taking back a comment': blunt(({ api }, { comment }) => api.delete(`/api/v1/comments/${comment}`)),
		'a file for it': blunt(({ api }, { other }) => api.post('/api/v1/attachments', { recordId: other, filename: 'a.txt', contentType: 'text/plain' })), 'deleting a file': blunt(({ api }, { attachment }) => api.delete(`/api/v1/attachments/${attachment}`)),
		'delete': blunt(({ api }, { other }) => api.delete(`/api/v1/records/${other}`)), 'restore': blunt(({ api }, { other }) => api.post(`/api/v1/records/${other}:restore`)),
		'GraphQL: change': blunt(graphql('mutation { tasksUpdate(id: "$OTHER", payload: {title: "x"}) { id } tasksDelete(id: "$OTHER") }')),
		'view of a report': {
			blunt: true, call: async (_, { slug }) => {
				const login = `reader_${slug}`
				const text = await psql(`CREATE ROLE ${login} LOGIN; SELECT qehs.report_publish('${slug}') \\g /dev/null\nSELECT qehs.reporter_grant('${login}', '${slug}', ${literal('{clerk}')}, audit => true) \\g /dev/null\n
					SET SESSION AUTHORIZATION ${login}; SELECT count(*) FROM report_${slug}.tasks; RESET SESSION AUTHORIZATION; SELECT qehs.reporter_revoke('${login}', '${slug}') \\g /dev/null\nDROP ROLE ${login};`)
				return { status: 200, headers: {}, text }
			},
		},
	})
