// The files of tests/data/csv load by the commands of the README there, with curl and with psql, to the same records.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { base } from './lib/client.mjs'
import { makeTenant } from './lib/tenant.mjs'

const run = promisify(execFile)
const folder = new URL('../data/csv/', import.meta.url).pathname
const commands = [...readFileSync(`${folder}README.md`, 'utf8').matchAll(/^```sh\n([^]*?)^```$/gm)].map(match => match[1])
const modules = ['near_misses', 'injury_register', 'chemical_releases'].map(name => JSON.parse(readFileSync(`${folder}${name}.json`, 'utf8')))

// A tenant with the modules.
async function prepare(name) {
	const tenant = await makeTenant(name, modules[0])
	for (const module of modules.slice(1)) await tenant.sql(`SELECT qehs.module_publish('${module.key}', $m$${JSON.stringify(module)}$m$) \\g /dev/null`)
	return tenant
}

// Run a command as the README has it, for the tenant; gives the answer lines.
async function execute(command, tenant) {
	const { stdout } = await run('bash', ['-c', command.replace("use_tenant('acme')", `use_tenant('${tenant.slug}')`)], { cwd: folder,
		env: { ...process.env, PATH: `${process.env.PG_BIN ?? ''}:${process.env.PATH}`, QEHS_URL: base.origin, QEHS_API_KEY: tenant.key } })
	return stdout.trimEnd().split('\n').map(line => JSON.parse(line)).filter(line => !line.summary)
}

async function payloads(tenant, module) {
	const { json } = await tenant.api.get(`/api/v1/records?moduleKey=${module.key}&sort=createdAt`)
	return json.items.map(item => item.payload)
}

test('each file loads with one command of curl and one of psql', async () => {
	const [byCurl, byPsql] = [await prepare('csv_curl'), await prepare('csv_psql')]
	assert.equal(commands.length, 6)
	for (let i = 0; i < 3; i++) {
		for (const [tenant, command] of [[byCurl, commands[i]], [byPsql, commands[i + 3]]]) {
			const lines = await execute(command, tenant)
			assert.ok(lines.length >= 3)
			assert.deepEqual(lines.filter(line => line.status !== 'created'), [])
		}
		const loaded = await payloads(byCurl, modules[i])
		const key = payload => JSON.stringify(payload)
		assert.deepEqual(loaded.sort((a, b) => key(a) < key(b) ? -1 : 1), (await payloads(byPsql, modules[i])).sort((a, b) => key(a) < key(b) ? -1 : 1))
	}
	const find = async (module, filter) => (await byCurl.api.get(`/api/v1/records?moduleKey=${module}&${filter}`)).json.items.map(item => item.payload)
	assert.deepEqual(await find('near_miss_reports', 'filter[report_no]=NM-0001'), [{ report_no: 'NM-0001', on: '2026-01-07', observed_at: '2026-01-07T06:45:00+01:00',
		what: 'Forklift reversed out of aisle 4.\nPedestrian stepped back in time; horn had not been used.', site: 'Dayton works', potential: 'high', line: 'Logistics',
		factors: ['Traffic', 'Visibility'], stop_work: true, action: 'Aisle closed, mirror ordered' }])
	assert.deepEqual(await find('injury_register', 'filter[personnel_no]=00032'), [{ on: '2026-02-11', person: 'Zoë Müller-Lüdenscheidt', personnel_no: '00032', injury: 'bruise',
		body_part: 'Knie rechts', course: 'Auf nassem Boden ausgerutscht', first_aid: 'yes', days_lost: 3, place: { street: 'Hauptstr. 5', town: 'Köln' } }])
	assert.deepEqual(await find('chemical_releases', 'filter[substance]=Chlorine'), [{ facility_id: '0010044', facility: 'Étang Nord', substance: 'Chlorine', cas: '7782-50-5', medium: 'air',
		released: { value: 0.75, unit: 'kg' }, spot: { lat: 48.8566, lon: 2.3522 }, period: { from: '2026-04-02', to: '2026-04-02' }, cleanup_cost: { amount: 310.5, currency: 'EUR' },
		causes: ['seal'] }])
})
