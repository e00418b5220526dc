// Filters and sorts against an oracle: every operator, every field type, indexed or not, over the same payloads, some of them
// written under an older version and name of the field. What a value means is worked out here from the table in the README alone.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { literal, makeTenant, psql } from './lib/tenant.mjs'

const ops = ['eq', 'ne', 'lt', 'lte', 'gt', 'gte', 'in', 'nin', 'contains', 'startsWith', 'exists']
const long = (length, end = '') => 'x'.repeat(length) + end
const quote = text => JSON.stringify(text)

// ---- what values mean ----

const bytes = text => Buffer.from(text).subarray(0, 255)
const byBytes = (a, b) => Buffer.compare(bytes(a), bytes(b))
const sign = (a, b) => a < b ? -1 : a > b ? 1 : 0

// A decimal number as an integer and a power of ten, exact.
function decimal(text) {
	const [, minus, whole, fraction = '', power = '0'] = /^([-+]?)(\d*)(?:\.(\d*))?(?:e([-+]?\d+))?$/i.exec(text)
	return { digits: BigInt((minus === '-' ? '-' : '') + (whole + fraction || '0')), power: Number(power) - fraction.length }
}
function byNumber(a, b) {
	const [left, right] = [decimal(a), decimal(b)]
	const power = Math.min(left.power, right.power)
	return sign(left.digits * 10n ** BigInt(left.power - power), right.digits * 10n ** BigInt(right.power - power))
}
// Microseconds of an instant; a date is midnight UTC.
function instant(text) {
	const [, head, fraction = '', zone = 'Z'] = /^(\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d:\d\d)?)(?:\.(\d+))?(Z|[-+]\d\d:\d\d)?$/.exec(text)
	const seconds = Date.parse(head.length === 10 ? `${head}T00:00:00Z` : `${head}${zone}`.replace(' ', 'T')) / 1000
	return BigInt(seconds) * 1000000n + BigInt(fraction.padEnd(6, '0').slice(0, 6))
}
// Seconds: a month is 30 days, a year 12 months.
function span(text) {
	const units = { Y: 31104000n, M: 2592000n, W: 604800n, D: 86400n }
	const [days, time = ''] = text.slice(1).split('T')
	let sum = 0n
	for (const [, number, unit] of days.matchAll(/(\d+)([YMWD])/g)) sum += BigInt(number) * units[unit]
	for (const [, number, unit] of time.matchAll(/(\d+)([HMS])/g)) sum += BigInt(number) * { H: 3600n, M: 60n, S: 1n }[unit]
	return sum
}

// Microseconds since midnight.
function clock(text) {
	const [, hours, minutes, seconds = '0', fraction = ''] = /^(\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?$/.exec(text)
	return (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1e6 + Number(fraction.padEnd(6, '0'))
}

const equality = ['eq', 'ne', 'in', 'nin', 'exists']
const order = ['lt', 'lte', 'gt', 'gte']
const kinds = {
	text: { ops: [...equality, ...order, 'contains', 'startsWith'], equal: (a, b) => a === b, compare: byBytes },
	id: { ops: [...equality, ...order], equal: (a, b) => a === b, compare: byBytes },
	boolean: { ops: [...equality, ...order], equal: (a, b) => String(a) === b, compare: (a, b) => byBytes(String(a), String(b)) },
	number: { ops: [...equality, ...order], equal: (a, b) => byNumber(a, b) === 0, compare: byNumber },
	time: { ops: [...equality, ...order], equal: (a, b) => instant(a) === instant(b), compare: (a, b) => sign(instant(a), instant(b)) },
	duration: { ops: [...equality, ...order], equal: (a, b) => span(a) === span(b), compare: (a, b) => sign(span(a), span(b)) },
	clock: { ops: [...equality, ...order], equal: (a, b) => clock(a) === clock(b), compare: (a, b) => sign(clock(a), clock(b)) },
	list: { ops: [...equality, 'contains'] },
	presence: { ops: ['exists'] },
}
const choice = options => ({ ...kinds.text, compare: (a, b) => sign(options.indexOf(a), options.indexOf(b)) })

function matches(kind, stored, op, query) {
	const absent = stored === undefined
	if (op === 'exists') return absent !== (query === 'true')
	if (kind === kinds.list) {
		const has = value => !absent && [stored].flat().includes(value)
		const queries = [query].flat()
		return op === 'ne' || op === 'nin' ? !queries.some(has) : queries.some(has)
	}
	if (op === 'ne' || op === 'nin') return absent || ![query].flat().some(value => kind.equal(stored, value))
	if (absent) return false
	const compared = order.includes(op) ? kind.compare(stored, query) : 0
	return {
		eq: () => kind.equal(stored, query), in: () => query.some(value => kind.equal(stored, value)),
		lt: () => compared < 0, lte: () => compared <= 0, gt: () => compared > 0, gte: () => compared >= 0,
		contains: () => stored.toLowerCase().includes(query.toLowerCase()), startsWith: () => stored.startsWith(query),
	}[op]()
}

// ---- the payloads ----

const texts = ['', 'a', 'A', 'ab', 'b', 'Äpfel', 'äpfel', 'a,b', 'say "x"', ' a ', '100%', 'a_b', "it's", '\u{10FFFF}', '\u{10FFFF}a', '\u{10FFFF}\u{10FFFF}',
	long(254), long(255), long(256), long(254, 'a'), long(254, 'b'), long(255, 'a'), long(255, 'b'), long(400, 'a'), long(400, 'b'),
	long(254, 'é'), long(254, 'è'), long(253, '€'), long(253, '₭'), long(252, '😀'), long(252, '😁'), long(253, '\u{10FFFF}'), 'é'.repeat(300), 'é'.repeat(127) + 'z', long(63), long(64), long(65)]
const numbers = ['0', '-1', '1', '1.0', '1.10', '1.1', '0.1', '-0.5', '9007199254740992', '9007199254740993', '-9007199254740993', '123456789012345678901234567890',
	'123456789012345678901234567891', '1e400', '1e401', '-1e400', '1e-300', '0.30000000000000004']
const whole = numbers.filter(text => !text.includes('.') && !text.includes('-300'))
const times = ['2026-01-01T00:00:00Z', '2026-01-01T01:00:00+01:00', '2025-12-31T23:59:59.999999Z', '2026-01-01T00:00:00.000001Z', '2026-06-01T12:00:00-05:00', '0001-01-01T00:00:00Z', '9999-12-31T23:59:59Z']
const dates = ['2026-01-01', '2025-12-31', '2026-01-02', '0001-01-01', '9999-12-31', '2024-02-29']
const durations = ['PT9M', 'PT10M', 'PT60M', 'PT1H', 'PT3600S', 'P1D', 'PT24H', 'P30D', 'P1M', 'P1Y', 'P12M', 'P1W', 'P7D', 'PT0S', 'P400Y', 'P1DT1S']
const clocks = ['00:00', '00:00:00', '09:05', '09:05:00', '09:05:00.5', '09:05:00.500000', '09:05:00.000001', '23:59:59.999999', '12:00', '23:59']
const options = ['low', 'medium', 'high', 'critical', 'Slips, trips and falls']
const quoted = list => list.map(quote)
const user = n => `usr_0000000000000000000000000${n}`
const plain = (kind, values) => ({ kind, values: kind === kinds.number ? values : quoted(values), read: kind === kinds.number ? raw => raw : JSON.parse, queries: values })
const line = prefix => ['a', 'A', 'b', 'ab', long(60, 'c'), long(120, 'a'), long(120, 'b')].map(text => prefix + text)
const present = values => ({ kind: kinds.presence, values, queries: ['a', '1'] })
const computed = (expression, of, kind) => ({ computed: expression, base: of, kind })

const types = {
	text: plain(kinds.text, texts),
	'rich-text': plain(kinds.text, ['<p>a</p>', '<p>A</p>', '<b>b</b>', `<p>${long(300)}</p>`, `<p>${long(300, 'y')}</p>`]),
	email: plain(kinds.text, ['a@example.com', 'b@example.com', 'A@example.com', `${long(60)}@example.com`]),
	phone: plain(kinds.text, ['+491234567', '+491234568', '+1555']),
	url: plain(kinds.text, [...line('https://example.com/'), `https://example.com/${long(400, 'a')}`, `https://example.com/${long(400, 'b')}`]),
	identifier: { ...plain(kinds.text, texts.filter(text => text !== '' && text !== ' a ')), options: { maxLength: 1000 } },
	lookup: plain(kinds.text, line('L')),
	location: plain(kinds.text, [...line('Site/'), `Site/${long(300, 'a')}`, `Site/${long(300, 'b')}`]),
	number: plain(kinds.number, numbers),
	integer: plain(kinds.number, whole),
	percentage: { ...plain(kinds.number, ['0', '0.1', '50', '99.999999999999999999', '100']) },
	quantity: { kind: kinds.number, values: numbers.map((value, i) => `{"value":${value},"unit":"${['kg', 'g'][i % 2]}"}`), read: raw => /"value":([^,]*)/.exec(raw)[1], queries: numbers },
	currency: { kind: kinds.number, values: ['10', '10.5', '10.50', '-3', '123456789012345.6789'].flatMap(value => [`{"amount":${value},"currency":"EUR"}`, `{"amount":"${value}","currency":"USD"}`]),
		read: raw => /"amount":"?([^,"]*)/.exec(raw)[1], queries: ['10', '10.5', '10.50', '11', '123456789012345.6789'] },
	date: plain(kinds.time, dates),
	datetime: plain(kinds.time, times),
	time: plain(kinds.clock, clocks),
	duration: plain(kinds.duration, durations),
	boolean: { kind: kinds.boolean, values: ['true', 'false'], read: JSON.parse, queries: ['true', 'false'] },
	select: { ...plain(choice(options), options), options: { options } },
	'multi-select': { kind: kinds.list, values: ['["low"]', '["low","high"]', '["critical"]', '[]', '["Slips, trips and falls","low"]'], read: JSON.parse, queries: options, options: { options } },
	tags: { kind: kinds.list, values: ['["low"]', '["low","Ärger, groß"]', '["critical"]', '[]', '["a,b","low"]'], read: JSON.parse, queries: ['low', 'Ärger, groß', 'a,b', 'none'] },
	user: { ...plain(kinds.id, [user(1), user(2), user(3)]), queries: [user(1), user(2), user(3), user(4)] },
	'record-reference': { kind: kinds.id, values: [], read: JSON.parse, queries: [] },
	'record-references': { kind: kinds.list, values: [], read: JSON.parse, queries: [] },
	file: { kind: kinds.list, values: [], read: JSON.parse, queries: [] },
	image: { kind: kinds.list, values: [], read: JSON.parse, queries: [] },
	'matrix-score': { kind: kinds.number, values: [[1, 1], [2, 3], [3, 2], [5, 5]].map(([l, s]) => `{"likelihood":${l},"severity":${s}}`),
		read: raw => { const { likelihood, severity } = JSON.parse(raw); return String(likelihood * severity) }, queries: ['1', '6', '24', '25'] },
	'date-range': present(['{"from":"2026-01-01","to":"2026-01-02"}']),
	geolocation: present(['{"lat":1,"lon":2}']),
	signature: present(['{"name":"a"}']),
	table: { ...present(['[{"a":"a"}]', '[]']), options: { fields: [{ key: 'a', type: 'text' }] } },
	object: { ...present(['{"a":"a"}', '{}']), options: { fields: [{ key: 'a', type: 'text' }] } },
	'computed number': computed('$.base * 2', 'number', kinds.number),
	'computed text': computed('$.base', 'text', kinds.text),
	'computed time': computed('$.base', 'datetime', kinds.time),
	'computed clock': computed('$.base', 'time', kinds.clock),
	'computed duration': computed('$.base', 'duration', kinds.duration),
	'computed boolean': computed('$.base > 0', 'number', kinds.boolean),
	'computed list': computed('$.base', 'multi-select', kinds.list),
}

const double = text => {
	const { digits, power } = decimal(text)
	return `${digits * 2n}e${power}`
}
const derive = {
	'computed number': double, 'computed boolean': text => byNumber(text, '0') > 0,
}

// The fields of a module of the type, and its records: payload texts with what the field then means.
function plan(name) {
	const type = types[name]
	const base = type.base ? types[type.base] : type
	const key = type.base ? 'base' : 'value'
	const field = { key, type: type.base ?? name, ...base.options }
	const records = [undefined, ...base.values, undefined].map((raw, i) => ({
		json: raw === undefined ? `{"n":${i}}` : `{"n":${i},"${key}":${raw}}`,
		// of an absent number it is not true that it is above 0
		value: raw === undefined ? name === 'computed boolean' ? false : undefined : (derive[name] ?? (value => value))(base.read ? base.read(raw) : raw),
	}))
	const queries = name === 'computed boolean' ? ['true', 'false'] : base.queries
	return { type, field, key, records, queries }
}

function definition(name, { field, type }, indexed, version) {
	const old = version === 1 && !type.base
	const fields = [{ key: 'n', type: 'integer', required: true }, { ...field, key: old ? 'former' : field.key, ...(indexed && !type.base ? { indexed } : {}) }]
	if (type.base) fields.push({ key: 'value', type: 'computed', computed: type.computed, ...(indexed ? { indexed } : {}) })
	return {
		key: `m_${name.replaceAll(/[^a-z]/g, '_')}_${indexed ? 'i' : 'p'}`, name, displayCode: { prefix: 'X' }, fields,
		workflow: { states: ['open'], initial: 'open', transitions: {} },
		...(version === 2 && !type.base ? { migrate: { rename: { former: field.key } } } : {}),
	}
}

const helpers = `
CREATE OR REPLACE FUNCTION pg_temp.ask(module text, filter jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE detail text;
BEGIN
	RETURN 'n ' || coalesce((SELECT string_agg(item -> 'payload' ->> 'n', ' ' ORDER BY (item -> 'payload' ->> 'n')::int)
		FROM jsonb_array_elements(qehs.record_list(module, filter, page_size => 200)::jsonb -> 'items') AS item), '');
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN SQLSTATE || ' ' || SQLERRM || ' ' || detail;
END $$;
CREATE OR REPLACE FUNCTION pg_temp.walk(module text, sort text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE page jsonb; place text; seen text := ''; pages int := 0;
BEGIN
	LOOP
		page := qehs.record_list(module, sort => sort, page_size => 3, cursor => place);
		seen := seen || coalesce((SELECT string_agg(' ' || (item -> 'payload' ->> 'n'), '' ORDER BY i) FROM jsonb_array_elements(page -> 'items') WITH ORDINALITY AS e(item, i)), '');
		place := page ->> 'nextCursor';
		pages := pages + 1;
		IF place IS NULL OR pages > 60 THEN RETURN 'n' || seen; END IF;
	END LOOP;
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ' ' || SQLERRM;
END $$;`

// All questions about one type: {sql, expected(answer) that throws}.
function* questions(name, { type, records, queries }, module) {
	const { kind } = type
	const numbersOf = list => ['n', ...list.map(record => record.n)].join(' ').trim()
	const ask = (op, query) => ({
		what: `${module} ${op} ${JSON.stringify(query)}`.slice(0, 200), sql: `SELECT pg_temp.ask('${module}', ${literal(JSON.stringify({ value: { [op]: query } }))})`,
		wanted: kind.ops.includes(op) ? numbersOf(records.filter(record => matches(kind, record.value, op, query))) : null,
	})
	for (const op of ops) {
		const values = op === 'exists' ? ['true', 'false'] : op === 'in' || op === 'nin' ? [queries.slice(0, 2), queries.slice(-1), queries.slice(1)].filter(list => list.length > 0) : queries
		for (const query of values)
			yield ask(op, query)
		if (kind === kinds.text || name === 'select') {
			for (const query of op === 'contains' || op === 'startsWith' ? ['', 'äp', 'XX', 'x', '%', '_', 'h', long(253), 'é'.repeat(200)] : [])
				yield ask(op, query)
		}
	}
	for (const direction of ['', '-']) {
		if (!kind.compare) {
			yield { what: `${module} sort`, sql: `SELECT pg_temp.walk('${module}', 'value')`, wanted: null }
			continue
		}
		const turn = direction ? -1 : 1
		const valued = records.filter(record => record.value !== undefined).sort((a, b) => turn * (kind.compare(a.value, b.value) || a.n - b.n))
		const rest = records.filter(record => record.value === undefined).sort((a, b) => turn * (a.n - b.n))
		yield { what: `${module} sort ${direction}`, sql: `SELECT pg_temp.walk('${module}', '${direction}value')`, wanted: numbersOf([...valued, ...rest]) }
	}
}

const noIndex = new Set(['list', 'presence'])

test('every operator and type answers as a plain evaluation of the values does, indexed or not', async () => {
	const tenant = await makeTenant('oracle')
	for (let n = 1; n <= 4; n++)
		await psql(`INSERT INTO qehs.user_account (tenant_id, id, user_name, display_name) SELECT id, '00000000-0000-0000-0000-00000000000${n}', 'user${n}', 'User' FROM qehs.tenant WHERE slug = '${tenant.slug}'`)
	const referred = []
	for (let n = 0; n < 3; n++)
		referred.push(JSON.parse(await tenant.sql(`SELECT qehs.record_create('incidents', '{"title":"a","severity":"low"}')`)).id)
	Object.assign(types['record-reference'], { values: quoted(referred), queries: [...referred, 'rec_00000000000000000000000001'] })
	Object.assign(types['record-references'], { values: ['[]', ...[[0], [0, 1], [2, 1]].map(places => JSON.stringify(places.map(place => referred[place])))], queries: types['record-reference'].queries })
	// an attachment is of one record, so no two records name the same
	const files = []
	for (let n = 0; n < 7; n++)
		files.push(JSON.parse(await tenant.sql(`SELECT qehs.attachment_create(filename => 'a.png', content_type => 'image/png', storage => '{"url":"http://127.0.0.1/storage"}')`)).id)
	Object.assign(types.file, { values: [quote(files[0]), quote(files[1]), JSON.stringify([files[2], files[3]])], queries: files })
	Object.assign(types.image, { values: [quote(files[4]), JSON.stringify([files[5]])], queries: files })
	const wrong = []
	let asked = 0
	for (const name of Object.keys(types)) {
		const planned = plan(name)
		const kindName = Object.keys(kinds).find(key => kinds[key] === planned.type.kind)
		for (const indexed of noIndex.has(kindName) ? [false] : [false, true]) {
			const script = [helpers]
			const half = Math.ceil(planned.records.length / 2)
			planned.records.forEach((record, n) => { record.n = n })
			const module = definition(name, planned, indexed, 1).key
			const publish = version => script.push(`SELECT 'v' || (qehs.module_publish('${module}', ${literal(JSON.stringify(definition(name, planned, indexed, version)))})::jsonb ->> 'definitionVersion');`)
			const create = (list, key) => list.forEach(({ json }) =>
				script.push(`SELECT (qehs.record_create('${module}', ${literal(json.replace(`"${planned.key}":`, `"${key}":`))}::jsonb)::jsonb ->> 'id') \\g /dev/null`))
			publish(1)
			create(planned.records.slice(0, half), planned.type.base ? planned.key : 'former')
			if (!planned.type.base) publish(2)
			create(planned.records.slice(half), planned.key)
			const list = [...questions(name, planned, module)]
			script.push(...list.map(question => `${question.sql};`))
			const answers = (await tenant.sql(script.join('\n'))).split('\n').slice(planned.type.base ? 1 : 2)
			assert.equal(answers.length, list.length, name)
			list.forEach((question, i) => {
				asked++
				if (question.wanted === null ? !/^QH400 .*(use|can be sorted)/.test(answers[i]) : answers[i].trim() !== question.wanted)
					wrong.push(`${question.what}\n  is ${answers[i].slice(0, 300)}\n  not ${question.wanted}`)
			})
		}
	}
	assert.equal(wrong.length, 0, `${wrong.length} of ${asked} answers differ:\n${wrong.slice(0, 40).join('\n')}`)
})
