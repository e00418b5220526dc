// The costs that SCIM must not have, as ratios of one run: node tests/bench/scim.mjs on a server and a shim that the environment names (make bench-scim).
//
// 100,000 users (SCIM_USERS), a group of half of them and one of 50, made by SQL. Prints lines "figure value (goal)".
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { psql } from '../http/lib/tenant.mjs'
import { scimTenant } from '../http/lib/scim.mjs'

const USERS = Number(process.env.SCIM_USERS ?? 100000)
const tenant = await scimTenant('scim_bench')
const { scim } = tenant
const number = (await psql(`SELECT id FROM qehs.tenant WHERE slug = '${tenant.slug}'`)).trim()
await psql(`INSERT INTO qehs.user_account (tenant_id, user_name, display_name, external_id, attributes)
	SELECT ${number}, 'user' || i || '@example.com', 'User ' || i, 'ext' || i, jsonb_build_object('emails', jsonb_build_array(jsonb_build_object('value', 'user' || i || '@example.com', 'type', 'work')))
	FROM generate_series(1, ${USERS}) AS i`)
const large = (await tenant.group('Large')).id
const small = (await tenant.group('Small')).id
await psql(`INSERT INTO qehs.role_member SELECT ${number}, '${large}', id FROM qehs.user_account WHERE tenant_id = ${number} ORDER BY id LIMIT ${USERS / 2};
	INSERT INTO qehs.role_member SELECT ${number}, '${small}', id FROM qehs.user_account WHERE tenant_id = ${number} ORDER BY id LIMIT 50; ANALYZE qehs.user_account, qehs.role_member`)
const rest = (await psql(`SELECT id FROM qehs.user_account WHERE tenant_id = ${number} ORDER BY id DESC LIMIT 400`)).split('\n')

const median = times => times.sort((a, b) => a - b)[times.length >> 1]
const timed = async call => {
	const begun = process.hrtime.bigint()
	const answer = await call()
	if (answer.status >= 300) throw new Error(answer.text)
	return Number(process.hrtime.bigint() - begun) / 1e6
}
const tell = (name, value, goal) => console.log(`${name} ${value} (${goal})`)

// one member added and removed, in turns in both groups
const patch = (group, op, id) => scim.patch(`/Groups/${group}`, [op === 'add' ? { op, path: 'members', value: [{ value: id }] } : { op, path: `members[value eq "${id}"]` }])
const times = { [large]: [], [small]: [] }
for (const id of rest.slice(0, 200))
	for (const group of [large, small])
		for (const op of ['add', 'remove']) times[group].push(await timed(() => patch(group, op, id)))
tell('patch of one member, large group / small', (median(times[large]) / median(times[small])).toFixed(2), '<= 1.5')

// userName eq against pgbench with the same SELECT, four clients each
const seconds = Number(process.env.SCIM_SECONDS ?? 5)
const folder = mkdtempSync(join(tmpdir(), 'scim-'))
writeFileSync(join(folder, 'filter.lua'), `request = function() return wrk.format('GET', '/api/scim/v2/Users?attributes=userName&filter=userName%20eq%20%22user' .. math.random(1, ${USERS}) .. '@example.com%22') end`)
const wrk = execFileSync('wrk', ['-t', '1', '-c', '32', '-d', `${seconds}s`, '-H', `Authorization: Bearer ${tenant.key}`, '-s', join(folder, 'filter.lua'), process.env.QEHS_URL], { encoding: 'utf8' })
if (/Non-2xx/.test(wrk)) throw new Error(wrk)
const reached = Number(/Requests\/sec:\s+([\d.]+)/.exec(wrk)[1])
const script = `\\set i random(1, ${USERS})
SELECT x.id, x.version, x.created_at, x.updated_at, x.attributes || jsonb_build_object('userName', x.user_name, 'displayName', x.display_name, 'active', x.active), x.external_id
FROM qehs.user_account AS x WHERE x.tenant_id = ${number} AND x.deleted_at IS NULL AND lower(x.user_name) = lower('user' || :i || '@example.com') ORDER BY x.id LIMIT 101;
`
writeFileSync(join(folder, 'select.sql'), script)
const out = execFileSync(`${process.env.PG_BIN}/pgbench`, ['-n', '-M', 'prepared', '-c', '4', '-j', '1', '-T', String(seconds), '-f', join(folder, 'select.sql'), process.env.PGDATABASE ?? 'postgres'], { encoding: 'utf8' })
rmSync(folder, { recursive: true })
const pgbench = Number(/tps = ([\d.]+)/.exec(out)[1])
tell('userName eq a second, SCIM / pgbench', `${(reached / pgbench).toFixed(2)} of ${Math.round(pgbench)}`, '>= 0.5')

// the first page by cursor, and the one at the end
const page = cursor => scim.get(`/Users?count=100&attributes=userName&cursor=${encodeURIComponent(cursor)}`)
let cursor = ''
let last = ''
for (let i = 0; i < USERS / 100 - 1; i++) [last, cursor] = [cursor, (await page(cursor)).json.nextCursor]
const second = (await page('')).json.nextCursor
const pages = { near: [], far: [] }
for (let i = 0; i < 100; i++) {
	pages.near.push(await timed(() => page(second)))
	pages.far.push(await timed(() => page(last)))
}
tell(`page by cursor at row ${USERS - 200} / at row 100`, (median(pages.far) / median(pages.near)).toFixed(2), '<= 2')

// the group without and with its members, and what the shim holds
const without = { [large]: [], [small]: [] }
for (let i = 0; i < 200; i++)
	for (const group of [large, small]) without[group].push(await timed(() => scim.get(`/Groups/${group}?excludedAttributes=members`)))
tell('GET of a group without members, large / small', (median(without[large]) / median(without[small])).toFixed(2), 'about 1')
const memory = () => process.env.QEHS_SHIM_PID ? Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${process.env.QEHS_SHIM_PID}/status`, 'utf8'))[1]) / 1024 : NaN
const before = memory()
const whole = await scim.get(`/Groups/${large}`)
tell(`GET of the group with ${whole.json.members.length} members, MiB of body / shim peak`, `${(whole.body.length / 1048576).toFixed(1)} / ${before.toFixed(0)} -> ${memory().toFixed(0)}`, 'bounded')
process.exit(0)
