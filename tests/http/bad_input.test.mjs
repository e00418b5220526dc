// Bad input of every kind: each case has its exact status, code and places. Nothing here may end in a 500.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { assertOk, assertProblem, raw, request } from './lib/client.mjs'
import { makeRecord, makeTenant, payload } from './lib/tenant.mjs'

const tenant = await makeTenant('bad')
const { key, api } = tenant
const record = await makeRecord(tenant)
const records = '/api/v1/records'
const one = `${records}/${record.id}`
const list = `${records}?moduleKey=incidents`
let cases = 0

// One case: what is sent, what is answered. errors are [path, code] pairs.
function refuse(name, sent, status, code, errors) {
	cases++
	test(name, async () => {
		const { method = 'POST', target = records, ...rest } = sent
		const answer = await request(method, target, { key: 'noKey' in sent ? undefined : key, ...rest })
		assertProblem(answer, status, code, { errors: errors?.map(([path, code]) => ({ path, code })) })
	})
}
function accept(name, sent, status) {
	cases++
	test(name, async () => {
		const { method = 'POST', target = records, ...rest } = sent
		assertOk(await request(method, target, { key, ...rest }), status)
	})
}
const create = members => ({ json: { moduleKey: 'incidents', payload: payload(members) } })
const text = body => ({ body })
const withPayload = json => text(`{"moduleKey":"incidents","payload":{"title":"T","severity":"low",${json}}}`)
const get = target => ({ method: 'GET', target })
const short = value => JSON.stringify(value.toString('latin1').slice(0, 60))

// What is not JSON.
const syntax = ['', ' ', '\n', '{', '}', '[', '{"a"}', '{"a":}', '{"a" 1}', '{"a",1}', '{,}', '{"a":1,}', '{"a":1,,"b":2}', '{a:1}', "{'a':1}",
	'{"a":1}}', '{"a":1} x', '{"a":1}{"b":2}', '{"a":[1,]}', '{"a":[,1]}', '{"a":[1 2]}', '{"a":"b" "c":1}', '{"a":tru}', '{"a":True}',
	'{"a":nul}', '{"a":NaN}', '{"a":Infinity}', '{"a":-Infinity}', '{"a":undefined}', '{"a":+1}', '{"a":01}', '{"a":-01}', '{"a":1.}',
	'{"a":.5}', '{"a":-}', '{"a":--1}', '{"a":1e}', '{"a":1e+}', '{"a":1.e1}', '{"a":0x1F}', '{"a":1_000}', '{"a":"', '{"a":"b}',
	'{"a":"\\x41"}', '{"a":"\\u12g4"}', '{"a":"\\u12"}', '{"a":"\\"}', '{"a":"\x01"}', '{"a":"\t"}', '{"a":"line\nbreak"}', '{"a":"\x1f"}',
	'/* no */ {"a":1}', '{"a":1} // no', '#!json', '{"a":1}\x00', '\ufeff{"a":1}', '{"a":\u00a01}', '{"a":\f1}', '<a/>', 'a=1&b=2', '{"a":1]', '{1:2}',
	'{null:1}', '{"a":(1)}', '"unclosed', '\\u007b}', '{"a":1}\ufeff']
for (const body of syntax)
	refuse(`not JSON: ${short(Buffer.from(body))}`, text(body), 400, 'malformed_json', [['', 'syntax']])
refuse('not JSON: UTF-16 with a byte order mark', text(Buffer.from('\ufeff{"a":1}', 'utf16le')), 400, 'malformed_json', [['', 'utf8']])
refuse('not JSON: UTF-16 without one', text(Buffer.from('{"a":1}', 'utf16le')), 400, 'malformed_json', [['', 'utf8']])
refuse('not JSON: UTF-8 with a byte order mark', text('\ufeff{"a":1}'), 400, 'malformed_json', [['', 'syntax']])
refuse('not JSON: 1,000 random-looking bytes', text(Buffer.from(Array.from({ length: 1000 }, (_, i) => i * 37 % 256))), 400, 'malformed_json')

refuse('65 levels deep', withPayload(`"extra":{"x":${'['.repeat(62)}1${']'.repeat(62)}}`), 400, 'malformed_json', [['', 'depth']])
accept('64 levels deep', withPayload(`"extra":{"x":${'['.repeat(61)}1${']'.repeat(61)}}`), 201)
refuse('100,000 levels deep', text('['.repeat(100000)), 400, 'malformed_json', [['', 'depth']])
refuse('100,000 objects deep', text('{"a":'.repeat(100000)), 400, 'malformed_json', [['', 'depth']])

const bytes = (before, middle, after) => text(Buffer.concat([Buffer.from(before), Buffer.from(middle), Buffer.from(after)]))
const titled = ['{"moduleKey":"incidents","payload":{"severity":"low","title":"', '"}}']
for (const [name, middle] of Object.entries({
	'a lone continuation byte': [0x80], 'Latin-1': [0xE9], 'overlong NUL': [0xC0, 0x80], 'overlong slash': [0xE0, 0x80, 0xAF], 'a surrogate': [0xED, 0xA0, 0x80],
	'beyond U+10FFFF': [0xF4, 0x90, 0x80, 0x80], 'a cut sequence': [0xE2, 0x82], 'five bytes': [0xF8, 0x88, 0x80, 0x80, 0x80], '0xFF': [0xFF],
})) refuse(`not UTF-8: ${name}`, bytes(titled[0], middle, titled[1]), 400, 'malformed_json', [['/payload/title', 'utf8']])
refuse('not UTF-8 in a member name', bytes('{"moduleKey":"incidents","payload":{"a', [0xFF], '":1}}'), 400, 'malformed_json')
for (const escape of ['\\ud800', '\\udc00', '\\ud800\\u0041', '\\udc00\\ud800', '\\ud800\\ud800', '\\uD83D', 'a\\udfff'])
	refuse(`lone surrogate ${escape}`, withPayload(`"description":"${escape}"`), 400, 'malformed_json', [['/payload/description', 'surrogate']])
accept('a surrogate pair', withPayload('"description":"\\ud83d\\ude00"'), 201)
refuse('NUL, escaped', withPayload('"description":"a\\u0000b"'), 400, 'malformed_json', [['/payload/description', 'nul']])
refuse('NUL, raw', withPayload('"description":"a\x00b"'), 400, 'malformed_json', [['/payload/description', 'nul']])
refuse('NUL deep inside', withPayload('"extra":{"a":[0,{"b":"\\u0000"}]}'), 400, 'malformed_json', [['/payload/extra/a/1/b', 'nul']])
refuse('NUL in a member name', withPayload('"extra":{"\\u0000":1}'), 400, 'malformed_json')

refuse('duplicate key', text('{"moduleKey":"a","moduleKey":"b","payload":{}}'), 400, 'malformed_json', [['/moduleKey', 'duplicate_key']])
refuse('duplicate key in the payload', withPayload('"title":"again"'), 400, 'malformed_json', [['/payload/title', 'duplicate_key']])
refuse('duplicate key, once escaped', withPayload('"\\u0074itle":"again"'), 400, 'malformed_json', [['/payload/title', 'duplicate_key']])
refuse('duplicate key in an array', withPayload('"extra":{"a":[{},{"x/y":1,"x/y":2}]}'), 400, 'malformed_json', [['/payload/extra/a/1/x~1y', 'duplicate_key']])
refuse('duplicate empty key', withPayload('"extra":{"":1,"":2}'), 400, 'malformed_json', [['/payload/extra/', 'duplicate_key']])
const many = Array.from({ length: 20000 }, (_, i) => `"k${i}":${i}`).join(',')
refuse('duplicate key among 20,000', withPayload(`"extra":{${many},"k7":0}`), 400, 'malformed_json', [['/payload/extra/k7', 'duplicate_key']])

for (const body of ['[]', '[{}]', '"text"', '1', 'true', 'false', 'null'])
	refuse(`the body is ${body}`, text(body), 400, 'validation_failed', [['', 'type']])
for (const number of ['1e1001', '-1e1001', '1e-1001', '1E+99999999999999999999', '9'.repeat(1001), `0.${'1'.repeat(1000)}`])
	refuse(`the number ${number.slice(0, 20)} (${number.length} characters)`, withPayload(`"cost":${number}`), 400, 'validation_failed', [['/payload/cost', 'number_range']])
refuse('a number beyond the maximum', withPayload('"cost":1e1000'), 400, 'validation_failed', [['/payload/cost', 'maximum']])
refuse('a huge integer', withPayload(`"count":${'9'.repeat(999)}`), 400, 'validation_failed', [['/payload/count', 'maximum']])

// Members of the body.
refuse('no members', { json: {} }, 400, 'validation_failed', [['/moduleKey', 'required'], ['/payload', 'required']])
refuse('no payload', { json: { moduleKey: 'incidents' } }, 400, 'validation_failed', [['/payload', 'required']])
refuse('unknown member', { json: { moduleKey: 'incidents', payload: payload(), bogus: 1 } }, 400, 'validation_failed', [['/bogus', 'unknown_member']])
refuse('unknown member whose name needs escapes', { json: { moduleKey: 'incidents', payload: payload(), 'a/b~c': 1 } }, 400, 'validation_failed', [['/a~1b~0c', 'unknown_member']])
refuse('unknown member by case', { json: { ModuleKey: 'incidents', payload: payload() } }, 400, 'validation_failed', [['/moduleKey', 'required'], ['/ModuleKey', 'unknown_member']])
for (const value of [1, true, [], {}, null])
	refuse(`moduleKey ${JSON.stringify(value)}`, { json: { moduleKey: value, payload: payload() } }, 400, 'validation_failed', [['/moduleKey', 'type']])
for (const value of [1, 'x', true, [], null])
	refuse(`payload ${JSON.stringify(value)}`, { json: { moduleKey: 'incidents', payload: value } }, 400, 'validation_failed', [['/payload', 'type']])
for (const value of [1, {}, false])
	refuse(`workflowState ${JSON.stringify(value)}`, { json: { moduleKey: 'incidents', payload: payload(), workflowState: value } }, 400, 'validation_failed', [['/workflowState', 'type']])
accept('an optional member that is null is absent', { json: { moduleKey: 'incidents', payload: payload(), workflowState: null } }, 201)
refuse('all violations at once', { json: { moduleKey: 1, payload: [], workflowState: {}, x: 1, y: 2 } }, 400, 'validation_failed',
	[['/moduleKey', 'type'], ['/payload', 'type'], ['/workflowState', 'type'], ['/x', 'unknown_member'], ['/y', 'unknown_member']])
refuse('more members than any request has', { json: Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`m${i}`, i])) }, 400, 'validation_failed')
refuse('a module that does not exist', { json: { moduleKey: 'nowhere', payload: {} } }, 400, 'validation_failed', [['/moduleKey', 'not_found']])
refuse('an empty module key', { json: { moduleKey: '', payload: {} } }, 400, 'validation_failed', [['/moduleKey', 'not_found']])
refuse('a module key of 100,000 characters', { json: { moduleKey: 'x'.repeat(100000), payload: {} } }, 400, 'validation_failed', [['/moduleKey', 'not_found']])
refuse('a state that does not exist', { json: { moduleKey: 'incidents', payload: payload(), workflowState: 'gone' } }, 400, 'validation_failed', [['/workflowState', 'enum']])

// Payloads: [members, violations].
for (const [members, ...errors] of [
	[{ title: undefined }, ['/payload/title', 'required']],
	[{ title: undefined, severity: undefined }, ['/payload/title', 'required'], ['/payload/severity', 'required']],
	[{ title: '' }, ['/payload/title', 'minLength']],
	[{ title: 7 }, ['/payload/title', 'type']],
	[{ title: ['x'] }, ['/payload/title', 'type']],
	[{ title: 'x'.repeat(501) }, ['/payload/title', 'maxLength']],
	[{ title: '\u{1F600}'.repeat(501) }, ['/payload/title', 'maxLength']],
	[{ title: 'x'.repeat(900000) }, ['/payload/title', 'maxLength']],
	[{ severity: 'LOW' }, ['/payload/severity', 'enum']],
	[{ severity: 1 }, ['/payload/severity', 'enum']],
	[{ severity: {} }, ['/payload/severity', 'enum']],
	[{ cost: '12' }, ['/payload/cost', 'type']],
	[{ cost: -0.01 }, ['/payload/cost', 'minimum']],
	[{ cost: 1e10 }, ['/payload/cost', 'maximum']],
	[{ count: 1.5 }, ['/payload/count', 'type']],
	[{ count: -6 }, ['/payload/count', 'minimum']],
	[{ count: true }, ['/payload/count', 'type']],
	[{ occurred_at: '2026-04-16' }, ['/payload/occurred_at', 'format']],
	[{ occurred_at: '2026-04-16T08:30:00' }, ['/payload/occurred_at', 'format']],
	[{ occurred_at: '2026-02-30T08:30:00Z' }, ['/payload/occurred_at', 'format']],
	[{ occurred_at: '2026-04-16T25:00:00Z' }, ['/payload/occurred_at', 'format']],
	[{ occurred_at: '99999-04-16T08:30:00Z' }, ['/payload/occurred_at', 'format']],
	[{ occurred_at: 1745000000 }, ['/payload/occurred_at', 'type']],
	[{ due: '16.04.2026' }, ['/payload/due', 'format']],
	[{ due: '2026-13-01' }, ['/payload/due', 'format']],
	[{ due: '2025-02-29' }, ['/payload/due', 'format']],
	[{ email: 'nobody' }, ['/payload/email', 'format']],
	[{ link: 'not a url' }, ['/payload/link', 'format']],
	[{ anonymous: 'yes' }, ['/payload/anonymous', 'type']],
	[{ anonymous: 1 }, ['/payload/anonymous', 'type']],
	[{ tags: 'a' }, ['/payload/tags', 'type']],
	[{ tags: ['a', 'z'] }, ['/payload/tags/1', 'enum']],
	[{ tags: ['a', 'a'] }, ['/payload/tags/1', 'uniqueItems']],
	[{ site: 'X' }, ['/payload/site', 'minLength']],
	[{ site: 'lower' }, ['/payload/site', 'pattern']],
	[{ period: { from: '2026-02-01', to: '2026-01-01' } }, ['/payload/period/to', 'range_order']],
	[{ period: { from: 'x' } }, ['/payload/period/to', 'required'], ['/payload/period/from', 'format']],
	[{ spot: { lat: 91, lon: -181 } }, ['/payload/spot/lat', 'maximum'], ['/payload/spot/lon', 'minimum']],
	[{ spot: { lat: 1 } }, ['/payload/spot/lon', 'required']],
	[{ spot: { lat: 1, lon: 1, alt: 3 } }, ['/payload/spot/alt', 'unknown_member']],
	[{ extra: [] }, ['/payload/extra', 'type']],
	[{ nothing: 1 }, ['/payload/nothing', 'unknown_member']],
	[{ 'a/b~c': 1 }, ['/payload/a~1b~0c', 'unknown_member']],
	[{ severity: 'x', cost: 'x', count: 'x', nothing: 1 }, ['/payload/severity', 'enum'], ['/payload/cost', 'type'], ['/payload/count', 'type'], ['/payload/nothing', 'unknown_member']],
]) refuse(`payload ${JSON.stringify(members).slice(0, 70)}`, create(members), 400, 'validation_failed', errors)
cases++
test('150 violations: the first 100 are told', async () => {
	const unknown = Object.fromEntries(Array.from({ length: 150 }, (_, i) => [`field_${i}`, i]))
	const problem = assertProblem(await api.post(records, create(unknown).json), 400, 'validation_failed')
	assert.equal(problem.errors.length, 100)
})

// Updates and transitions.
const patch = json => ({ method: 'PATCH', target: one, json })
const move = json => ({ target: `${one}:transition`, json })
refuse('PATCH without a payload', patch({}), 400, 'validation_failed', [['/payload', 'required']])
refuse('PATCH with a payload that is a list', patch({ payload: [] }), 400, 'validation_failed', [['/payload', 'type']])
refuse('PATCH with a comment that is a number', patch({ payload: {}, comment: 5 }), 400, 'validation_failed', [['/comment', 'type']])
refuse('PATCH of what cannot be patched', patch({ payload: {}, version: 5, workflowState: 'closed' }), 400, 'validation_failed', [['/version', 'unknown_member'], ['/workflowState', 'unknown_member']])
refuse('PATCH that breaks the schema', patch({ payload: { cost: -1, none: 2 } }), 400, 'validation_failed', [['/payload/cost', 'minimum'], ['/payload/none', 'unknown_member']])
refuse('PATCH that removes what is required', patch({ payload: { title: null, severity: null } }), 400, 'validation_failed', [['/payload/title', 'required'], ['/payload/severity', 'required']])
refuse('PATCH without a body', { method: 'PATCH', target: one, body: '' }, 400, 'malformed_json', [['', 'syntax']])
refuse('transition without a name', move({}), 400, 'validation_failed', [['/transition', 'required']])
refuse('transition that is no name', move({ transition: 5 }), 400, 'validation_failed', [['/transition', 'type']])
refuse('transition that there is not', move({ transition: 'fly' }), 400, 'validation_failed', [['/transition', 'enum']])
refuse('transition with an empty name', move({ transition: '' }), 400, 'validation_failed', [['/transition', 'enum']])
refuse('transition from another state', move({ transition: 'reopen' }), 409, 'transition_not_allowed')
refuse('transition with a bad payload', move({ transition: 'submit', payload: { cost: 'x' } }), 400, 'validation_failed', [['/payload/cost', 'type'], ['/payload/description', 'required']])
refuse('transition with a signature without its credential', move({ transition: 'reset', signature: { meaning: 'reviewed' } }), 400, 'validation_failed', [['/signature/credential', 'required']])
refuse('transition with an unknown member', move({ transition: 'reset', force: true }), 400, 'validation_failed', [['/force', 'unknown_member']])
refuse('restore of what is not deleted', { target: `${one}:restore` }, 409, 'conflict')

// Ids.
for (const id of ['x', 'rec_', 'rec_short', 'rec_00000000000000000000000000', 'rec_7ZZZZZZZZZZZZZZZZZZZZZZZZZ', 'rec_8ZZZZZZZZZZZZZZZZZZZZZZZZZ',
	'rec_ILOU0000000000000000000000', 'rec_000000000000000000000000000', record.id.replace('rec_', 'job_'), record.id.slice(4), `${record.id}%20`, `${record.id}x`,
	'00000000-0000-0000-0000-000000000000', '00000000-0000-0000-0000-00000000000', 'not-a-uuid-at-all-but-of-that-length', '%F0%9F%98%80', "'%20OR%201=1--", '..%2f..', '%25', 'a'.repeat(5000)]) {
	refuse(`GET of the id ${id.slice(0, 50)}`, get(`${records}/${id}`), 404, 'not_found')
	refuse(`DELETE of the id ${id.slice(0, 50)}`, { method: 'DELETE', target: `${records}/${id}` }, 404, 'not_found')
}
refuse('PATCH of an id that there is not', { ...patch({ payload: {} }), target: `${records}/rec_00000000000000000000000000` }, 404, 'not_found')
refuse('activity of an id that there is not', get(`${records}/nope/activity`), 404, 'not_found')
refuse('revoke a key that there is not', { method: 'DELETE', target: '/api/v1/api-keys/key_00000000000000000000000000' }, 404, 'not_found')
refuse('a module that there is not', get('/api/v1/modules/nowhere'), 404, 'not_found')
refuse('a version that there is not', get('/api/v1/modules/incidents?version=99'), 404, 'not_found')
for (const version of [0, -1]) refuse(`a version that is ${version}`, get(`/api/v1/modules/incidents?version=${version}`), 400, 'invalid_parameter', [['?version', 'range']])

// Query parameters.
const query = (name, more, ...errors) => refuse(`?${name}`.slice(0, 80), get(list + more), 400, 'invalid_parameter', errors)
refuse('list without a module', get(records), 400, 'invalid_parameter', [['?moduleKey', 'required']])
refuse('list of a module that there is not', get(`${records}?moduleKey=nowhere`), 404, 'not_found')
refuse('list of an empty module', get(`${records}?moduleKey=`), 404, 'not_found')
query('unknown', '&bogus=1', ['?bogus', 'unknown_parameter'])
query('unknown by case', '&Limit=1', ['?Limit', 'unknown_parameter'])
query('two unknown ones', '&a=1&b', ['?a', 'unknown_parameter'], ['?b', 'unknown_parameter'])
query('moduleKey twice', '&moduleKey=incidents', ['?moduleKey', 'duplicate_parameter'])
query('limit twice', '&limit=1&limit=1', ['?limit', 'duplicate_parameter'])
query('limit three times and unknown', '&limit=1&limit=1&limit=2&z=1', ['?limit', 'duplicate_parameter'], ['?limit', 'duplicate_parameter'], ['?z', 'unknown_parameter'])
for (const value of ['0', '-1', '201', '2147483647', '-2147483648']) query(`limit=${value}`, `&limit=${value}`, ['?limit', 'range'])
for (const value of ['', 'x', '1.5', '1e2', '%201', '1%20', '+1', '0x10', '2147483648', '99999999999999999999', '1,000', 'null', '%E2%91%A0'])
	query(`limit=${value}`, `&limit=${value}`, ['?limit', 'type'])
query('limit=+5', '&limit=+5', ['?limit', 'type'])
for (const value of ['nofield', '', '-', '--createdAt', 'cost,tags', 'cost,', 'tags', 'createdAt;drop', 'payload.title', "title'", 'extra', '%00'.slice(1), 'x'.repeat(3000)])
	query(`sort=${value.slice(0, 40)}`, `&sort=${value}`, ['?sort', 'unknown_field'])
for (const value of ['nope', 'payload.nope', 'payload', 'id,nope', '', 'id,,version', 'activity']
	.filter(value => value !== 'payload')) query(`fields=${value}`, `&fields=${value}`, ['?fields', 'unknown_field'])
query('q empty', '&q=', ['?q', 'length'])
query('q too long', `&q=${'x'.repeat(501)}`, ['?q', 'length'])
for (const value of ['yesterday', '2026-1-1', '2026-01-01T00:00:00', '2026-01-01T00:00:00+01:00', '2026-02-30T00:00:00Z', '', '1745000000']) {
	query(`from=${value}`, `&from=${value}`, ['?from', 'format'])
	query(`to=${value}`, `&to=${value}`, ['?to', 'format'])
}
query('percent at the end', '&q=%', ['?q', 'encoding'])
query('percent and one digit', '&q=%4', ['?q', 'encoding'])
query('percent and no digits', '&q=%zz', ['?q', 'encoding'])
query('NUL', '&q=a%00b', ['?q', 'encoding'])
query('not UTF-8', '&q=%ff', ['?q', 'encoding'])
query('a surrogate', '&q=%ED%A0%80', ['?q', 'encoding'])
refuse('moduleKey not UTF-8', get(`${records}?moduleKey=%C3`), 400, 'invalid_parameter')
refuse('unknown parameter of GET of one', get(`${one}?fields=id`), 400, 'invalid_parameter', [['?fields', 'unknown_parameter']])
refuse('unknown parameter of POST', { ...create(), target: `${records}?dry=1` }, 400, 'invalid_parameter', [['?dry', 'unknown_parameter']])
refuse('version=abc', get('/api/v1/modules/incidents?version=abc'), 400, 'invalid_parameter', [['?version', 'type']])
refuse('modules limit=0', get('/api/v1/modules?limit=0'), 400, 'invalid_parameter', [['?limit', 'range']])
refuse('audit limit=201', get('/api/v1/audit?limit=201'), 400, 'invalid_parameter', [['?limit', 'range']])
refuse('audit from=now', get('/api/v1/audit?from=now'), 400, 'invalid_parameter', [['?from', 'format']])
refuse('audit recordId', get('/api/v1/audit?recordId=zzz'), 400, 'invalid_parameter', [['?recordId', 'format']])
refuse('api-keys limit', get('/api/v1/api-keys?limit=-5'), 400, 'invalid_parameter', [['?limit', 'range']])

// Filters.
query('filter of no field', '&filter[none]=1', ['?filter[none]', 'unknown_field'])
query('filter of no operator', '&filter[cost][like]=1', ['?filter[cost][like]', 'operator'])
query('filter of an operator of another type', '&filter[cost][contains]=1', ['?filter[cost][contains]', 'operator'])
query('filter that is no number', '&filter[cost]=abc', ['?filter[cost][eq]', 'type'])
query('filter that is infinite', '&filter[cost][gt]=Infinity', ['?filter[cost][gt]', 'type'])
query('filter beyond what numeric holds', '&filter[cost][gt]=1e999999', ['?filter[cost][gt]', 'type'])
query('filter by no option', '&filter[severity]=huge', ['?filter[severity][eq]', 'enum'])
query('filter by no option of a list', '&filter[tags][in]=a,x', ['?filter[tags][in]', 'enum'])
query('filter by no state', '&filter[workflowState][in]=draft,gone', ['?filter[workflowState][in]', 'enum'])
query('status that is no state', '&status=gone', ['?status', 'enum'])
query('filter by the code of another module', '&filter[displayCode]=XYZ-2026-0001', ['?filter[displayCode][eq]', 'type'])
query('filter as JSON that is no object', '&filter=1', ['?filter', 'type'])
query('filter with a quote that does not end', '&filter[title][in]="a', ['?filter[title][in]', 'format'])
query('filter that is no date', '&filter[due][gte]=soon', ['?filter[due][gte]', 'type'])
query('filter that is no time', '&filter[createdAt][lt]=12', ['?filter[createdAt][lt]', 'type'])
query('filter that is no boolean', '&filter[anonymous]=1', ['?filter[anonymous][eq]', 'type'])
query('filter that is no id', '&filter[id]=7', ['?filter[id][eq]', 'type'])
query('filter that is no existence', '&filter[cost][exists]=maybe', ['?filter[cost][exists]', 'type'])
query('filter with one bad item', '&filter[cost][in]=1,x', ['?filter[cost][in]', 'type'])
query('filter twice', '&filter[cost]=1&filter[cost]=2', ['?filter[cost]', 'duplicate_parameter'])
query('filter twice, once with its operator', '&filter[cost]=1&filter[cost][eq]=2', ['?filter[cost][eq]', 'duplicate_parameter'])
for (const name of ['filter[]', 'filter[cost', 'filter[cost]x', 'filter[cost][eq][x]', 'filter[cost][]', 'filters[cost]', 'filter.cost'])
	query(`${name}=1`, `&${name}=1`, [`?${name}`, 'unknown_parameter'])
query('filter of 2,000 values', `&filter[cost][in]=${Array.from({ length: 2000 }, (_, i) => i).join(',')}`, ['?filter[cost][in]', 'maxItems'])
query('filter by SQL', "&filter[cost')%20or%20(1%3D1]=1", ["?filter[cost') or (1=1]", 'unknown_field'])

// Cursors.
const cursorOf = async target => (await api.get(target)).json.nextCursor
await makeRecord(tenant)
await makeRecord(tenant, { cost: 3 })
const good = await cursorOf(`${list}&limit=1`)
assert.ok(good)
const cursor = (name, value, more = '') => refuse(`cursor ${name}`, get(`${list}&limit=1${more}&cursor=${value}`), 400, 'invalid_cursor', [['?cursor', 'invalid']])
accept('cursor as it was given', get(`${list}&limit=1&cursor=${good}`), 200)
cursor('empty', '')
cursor('of one letter', 'A')
cursor('of other letters', 'not%20a%20cursor!')
cursor('cut by one', good.slice(0, -1))
cursor('cut to half', good.slice(0, good.length / 2))
cursor('longer by one', `${good}A`)
cursor('padded', `${good}=`)
cursor('in upper case', good.toUpperCase())
cursor('reversed', [...good].reverse().join(''))
cursor('twice over', good + good)
cursor('of 10,000 letters', 'A'.repeat(10000))
cursor('of zeros', 'A'.repeat(good.length))
cursor('with another filter', good, '&filter[severity]=low')
cursor('with another sort', good, '&sort=cost')
cursor('with a search', good, '&q=slip')
cursor('with a status', good, '&status=draft')
cursor('of another endpoint', await cursorOf('/api/v1/audit?limit=1'))
refuse('cursor of the list on audit', get(`/api/v1/audit?limit=1&cursor=${good}`), 400, 'invalid_cursor', [['?cursor', 'invalid']])
refuse('cursor of the list on modules', get(`/api/v1/modules?limit=1&cursor=${good}`), 400, 'invalid_cursor', [['?cursor', 'invalid']])
refuse('cursor of the list on activity', get(`${one}/activity?limit=1&cursor=${good}`), 400, 'invalid_cursor', [['?cursor', 'invalid']])
cases++
test('every flipped bit of a cursor is refused', async () => {
	const packed = Buffer.from(good, 'base64url')
	await Promise.all(Array.from({ length: packed.length * 8 }, async (_, bit) => {
		const flipped = Buffer.from(packed)
		flipped[bit >> 3] ^= 1 << (bit & 7)
		assertProblem(await api.get(`${list}&limit=1&cursor=${flipped.toString('base64url')}`), 400, 'invalid_cursor')
	}))
})

// Headers.
const read = (name, headers, ...rest) => refuse(name, { ...get(one), headers }, ...rest)
for (const accepted of ['text/html', 'application/xml', 'image/*', 'application/json;q=0', 'text/*, application/xml;q=0.9', 'application/jsonx', '*'])
	read(`Accept: ${accepted}`, { Accept: accepted }, 406, 'not_acceptable')
for (const accepted of ['application/json', '*/*', 'application/*;q=0.1', 'text/html, */*;q=0.1', 'application/problem+json', 'APPLICATION/JSON'])
	accept(`Accept: ${accepted}`, { ...get(one), headers: { Accept: accepted } }, 200)
for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'application/xml', 'application/jsonp', 'json',
	'application/json; charset=latin1', 'application/json; charset=utf-16', 'application/x-ndjson', 'application', ''])
	refuse(`Content-Type: ${type}`, { ...create(), headers: { 'Content-Type': type } }, 415, 'unsupported_media_type')
refuse('no Content-Type', { ...create(), headers: { 'Content-Type': null } }, 415, 'unsupported_media_type')
for (const type of ['application/json; charset=utf-8', 'application/json;charset="UTF-8"', 'Application/JSON', 'application/json ; a=b'])
	accept(`Content-Type: ${type}`, { ...create(), headers: { 'Content-Type': type } }, 201)
refuse('a body in gzip', { ...create(), headers: { 'Content-Encoding': 'gzip' } }, 415, 'unsupported_media_type')
for (const [name, value] of Object.entries({ empty: '', 'of 256 characters': 'x'.repeat(256), 'with a letter beyond ASCII': 'schl\u00fcssel', 'with a tab': 'a\tb' }))
	refuse(`Idempotency-Key ${name}`, { ...create(), headers: { 'Idempotency-Key': value } }, 400, 'invalid_parameter', [['@Idempotency-Key', 'format']])
accept('Idempotency-Key of 255 characters', { ...create(), headers: { 'Idempotency-Key': 'x'.repeat(255) } }, 201)
for (const value of ['W/"1"', '"x"', '"-1"', '"01"', '"99999999999999999999"', '""', '"a,1"', '"7", W/"1" ,"0"'])
	refuse(`If-Match: ${value}`, { ...patch({ payload: { cost: 1 } }), headers: { 'If-Match': value } }, 412, 'version_mismatch')
for (const value of ['', '1', '"1', '"1""2"', 'w/"1"', 'garbage', '"1" and more', ',', '*, "1"', '"a b"', '"x"1"'])
	for (const [name, call] of [['If-Match', { ...patch({ payload: { cost: 1 } }) }], ['If-None-Match', get(one)]])
		refuse(`${name}: ${value}`, { ...call, headers: { [name]: value } }, 400, 'invalid_parameter', [[`@${name}`, 'format']])
for (const [name, value] of [['If-None-Match', '"1"'], ['If-None-Match', '*']])
	refuse(`PATCH with ${name}: ${value}`, { ...patch({ payload: { cost: 1 } }), headers: { [name]: value } }, 400, 'invalid_parameter', [[`@${name}`, 'unsupported']])
refuse('POST with If-Match', { ...create(), headers: { 'If-Match': '"1"' } }, 400, 'invalid_parameter', [['@If-Match', 'unsupported']])
refuse('GET with an If-Match of another version', { ...get(one), headers: { 'If-Match': '"99", W/"1"' } }, 412, 'version_mismatch', [['@If-Match', 'version']])
const spoilt = key.slice(0, -1) + (key.endsWith('0') ? '1' : '0')
for (const value of ['', 'Bearer', 'Bearer ', 'bearer', `Basic ${Buffer.from('a:b').toString('base64')}`, key, `Token ${key}`, `Bearer ${key}x`, `Bearer ${spoilt}`, `Bearer ${key.slice(0, 40)}`,
	`Bearer ${key.toUpperCase()}`, `Bearer ${key} ${key}`, 'Bearer qehs_live_sk_', `Bearer ${'x'.repeat(4000)}`, `Bearer sa_${key.slice(13)}`, "Bearer ' OR 1=1 --", 'Bearer \u00e9\u00ff', 'Digest a="b"'])
	refuse(`Authorization: ${value.slice(0, 40)}`, { ...get(one), noKey: true, headers: { Authorization: value } }, 401, 'unauthenticated')
refuse('no Authorization', { ...get(one), noKey: true }, 401, 'unauthenticated')
refuse('no Authorization and a bad body', { noKey: true, body: '{' }, 401, 'unauthenticated')
accept('Authorization: bearer in lower case', { ...get(one), headers: { Authorization: `bearer ${key}` } }, 200)

// Paths, methods, sizes.
for (const target of ['/', '/api', '/api/v1', '/api/v2/records', '/api/v1/record', '/api/v1/records/', `${one}/`, `${one}/nothing`, '//api/v1/records', '/api/v1//records', '/API/v1/records',
	'/api/v1/records/../records', '/favicon.ico', '/.env', '/api/v1/records%2F', '/healthz/x'])
	refuse(`path ${target.slice(0, 60)}`, get(target), 404, 'not_found')
for (const target of [`${one}:`, `${one}:fly`, `${one}:TRANSITION`])
	refuse(`POST ${target.slice(-30)}`, { target, json: { transition: 'reset' } }, 405, 'method_not_allowed')
for (const [method, target] of [['PUT', records], ['DELETE', records], ['PATCH', records], ['POST', one], ['PUT', one], ['TRACE', one], ['PROPFIND', one], ['GET', `${one}:restore`], ['GET', `${one}:transition`],
	['PUT', `${one}:transition`], ['POST', `${one}/activity`], ['POST', '/api/v1/audit'], ['DELETE', '/api/v1/modules'], ['POST', '/api/v1/modules/incidents'], ['PUT', '/api/v1/api-keys'],
	['POST', '/healthz'], ['DELETE', '/metrics']])
	refuse(`${method} ${target.replace(record.id, '{id}')}`, { method, target }, 405, 'method_not_allowed')
refuse('a transition of a transition', { target: `${one}:transition:transition`, json: { transition: 'reset' } }, 404, 'not_found')
refuse('a path that is not UTF-8', get(`${records}/%ff`), 400, 'invalid_parameter')
refuse('a path with NUL', get(`${records}/a%00b`), 400, 'invalid_parameter')
refuse('a path with a broken escape', get(`${records}/%zz`), 400, 'invalid_parameter')
refuse('a body over the limit', { body: Buffer.alloc(1048577, 0x20) }, 413, 'payload_too_large')
refuse('a body at the limit that is only spaces', { body: Buffer.alloc(1048576, 0x20) }, 400, 'malformed_json', [['', 'syntax']])
refuse('a target of 40,000 bytes', get(`${list}&q=${'x'.repeat(40000)}`), 414, 'uri_too_long')
refuse('a header of 40,000 bytes', { ...get(one), headers: { 'X-Long': 'x'.repeat(40000) } }, 431, 'header_too_large')

// Definitions that cannot be published.
const publish = (name, document, ...errors) => refuse(`definition ${name}`, { method: 'PUT', target: '/api/v1/modules/fresh', json: document }, 400, 'validation_failed', errors)
const missing = [['/key', 'pattern'], ['/name', 'required'], ['/fields', 'required'], ['/workflow', 'required'], ['/displayCode/prefix', 'pattern']]
publish('empty', {}, ...missing)
publish('with an unknown member', { bogus: 1 }, ...missing, ['/bogus', 'unknown_member'])
refuse('definition that is a list', { method: 'PUT', target: '/api/v1/modules/fresh', json: [] }, 400, 'validation_failed', [['', 'type']])
refuse('definition for a strange name', { method: 'PUT', target: '/api/v1/modules/Not%20A%20Key', json: { key: 'Not A Key' } }, 400, 'validation_failed')

// API keys.
const makeKey = (name, json, ...errors) => refuse(`API key ${name}`, { target: '/api/v1/api-keys', json }, 400, 'validation_failed', errors)
makeKey('with nothing', {}, ['/name', 'required'], ['/scopes', 'required'], ['/roles', 'required'])
makeKey('with wrong types', { name: 1, scopes: 'x', roles: {}, rateLimit: '5' }, ['/name', 'type'], ['/scopes', 'type'], ['/roles', 'type'], ['/rateLimit', 'type'])
makeKey('with a scope that is a number', { name: 'x', scopes: ['records.read', 5], roles: [] }, ['/scopes/1', 'type'])
makeKey('with an unknown scope', { name: 'x', scopes: ['records.fly'], roles: ['viewer'] }, ['/scopes/0', 'enum'])
makeKey('with a time without offset', { name: 'x', scopes: [], roles: [], expiresAt: '2030-01-01T00:00:00' }, ['/expiresAt', 'type'])
makeKey('with half a request a minute', { name: 'x', scopes: [], roles: [], rateLimit: 0.5 }, ['/rateLimit', 'type'])
makeKey('with a negative limit', { name: 'x', scopes: ['records.read'], roles: ['viewer'], rateLimit: -1 }, ['/rateLimit', 'minimum'])
makeKey('with a name that is too long', { name: 'x'.repeat(201), scopes: ['records.read'], roles: ['viewer'] }, ['/name', 'maxLength'])
refuse('API key that ends on 30 February', { target: '/api/v1/api-keys', json: { name: 'x', scopes: ['records.read'], roles: ['viewer'], expiresAt: '2030-02-30T00:00:00Z' } }, 400, 'validation_failed', [['/expiresAt', 'type']])

// Bytes that no client library would send.
const head = `Host: x\r\nAuthorization: Bearer ${key}\r\n`
const line = (name, bytes, status, code) => {
	cases++
	test(`bytes: ${name}`, async () => {
		const { answers } = await raw(bytes, { count: 1 })
		assert.ok(answers.length > 0, 'there must be an answer')
		assertProblem(answers[0], status, code)
	})
}
line('no HTTP at all', 'hello\r\n\r\n', 400, 'malformed_request')
line('a request line with a space in its target', `GET /api/v1/records?moduleKey=a b HTTP/1.1\r\n${head}\r\n`, 400, 'malformed_request')
line('no version', `GET /healthz\r\n${head}\r\n`, 400, 'malformed_request')
line('HTTP/2.0', `GET /healthz HTTP/2.0\r\n${head}\r\n`, 505, 'http_version_not_supported')
line('HTTP/0.9', `GET /healthz HTTP/0.9\r\n${head}\r\n`, 505, 'http_version_not_supported')
line('HTTP/1.x', `GET /healthz HTTP/1.x\r\n${head}\r\n`, 400, 'malformed_request')
line('no Host', 'GET /healthz HTTP/1.1\r\n\r\n', 400, 'malformed_request')
line('two Hosts', 'GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n', 400, 'malformed_request')
line('a header without a colon', `GET /healthz HTTP/1.1\r\n${head}Nonsense\r\n\r\n`, 400, 'malformed_request')
line('a header name with a space', `GET /healthz HTTP/1.1\r\n${head}A B: c\r\n\r\n`, 400, 'malformed_request')
line('a space before the colon', `GET /healthz HTTP/1.1\r\n${head}Accept : c\r\n\r\n`, 400, 'malformed_request')
// the library would take it for the end of the header: what stands behind it must not become a request
line('an empty header name', `DELETE /healthz HTTP/1.1\r\n${head}: c\r\nContent-Length: 3\r\n\r\nabc`, 400, 'malformed_request')
test('bytes: what follows an empty header name is no request', async () => {
	const { answers, closed } = await raw(`GET /healthz HTTP/1.1\r\n${head}: c\r\nX: /healthz HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc`)
	assert.ok(closed && answers.length > 0 && answers.every(answer => answer.status === 400))
})
line('a TLS hello', Buffer.from('16030100c8010000c40303' + '00'.repeat(180) + '0d0a0d0a', 'hex'), 400, 'malformed_request')
line('10,000 header lines', `GET /healthz HTTP/1.1\r\n${head}${Array.from({ length: 10000 }, (_, i) => `X-${i}: ${i}\r\n`).join('')}\r\n`, 431, 'header_too_large')
line('a request line of 100,000 bytes', `GET /${'x'.repeat(100000)} HTTP/1.1\r\n${head}\r\n`, 414, 'uri_too_long')
line('a method of 100,000 bytes', `${'M'.repeat(100000)} / HTTP/1.1\r\n${head}\r\n`, 414, 'uri_too_long')
line('a chunk that is no number', `POST ${records} HTTP/1.1\r\n${head}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n{}\r\n0\r\n\r\n`, 400, 'malformed_request')
line('a chunk beyond all numbers', `POST ${records} HTTP/1.1\r\n${head}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffffff\r\n`, 413, 'payload_too_large')
line('a negative Content-Length', `POST ${records} HTTP/1.1\r\n${head}Content-Length: -1\r\n\r\n`, 400, 'malformed_request')
line('a Content-Length with a sign', `POST ${records} HTTP/1.1\r\n${head}Content-Length: +2\r\n\r\n{}`, 400, 'malformed_request')
line('a Content-Length in hexadecimal', `POST ${records} HTTP/1.1\r\n${head}Content-Length: 0x2\r\n\r\n{}`, 400, 'malformed_request')
line('a Content-Length beyond all numbers', `POST ${records} HTTP/1.1\r\n${head}Content-Length: 99999999999999999999999\r\n\r\n`, 413, 'payload_too_large')
line('a Transfer-Encoding that is unknown', `POST ${records} HTTP/1.1\r\n${head}Transfer-Encoding: gzip\r\n\r\n`, 501, 'not_implemented')

test('the table has its cases', () => assert.ok(cases >= 150, `${cases} cases`))
after(async () => {
	// the module still works after all this
	assertOk(await api.get(list))
})
