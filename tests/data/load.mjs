// Loads the demo's sample through the REST API: incidents from the reports and narratives, some of them walked through their
// workflow, and records of the other modules that refer to them. Takes QEHS_URL, QEHS_BENCH_KEY, QEHS_DEMO_USERS, a JSON
// object of user names and ids, and of a manager who closes incidents QEHS_SIGNER_KEY, a key that acts as him, and
// QEHS_SIGNER_CREDENTIAL, his secret for signatures.
//
// Every request carries an Idempotency-Key that names the row, so a load that broke off can be run again.
import { Agent, request } from 'node:http'
import { narratives, reports } from './incidents.mjs'

const REPORTS = 3000
const NARRATIVES = 500
const CONCURRENCY = 16
const base = new URL(process.env.QEHS_URL)
const users = JSON.parse(process.env.QEHS_DEMO_USERS)
const agent = new Agent({ keepAlive: true, maxSockets: CONCURRENCY })

function call(method, path, body, idempotencyKey, key = process.env.QEHS_BENCH_KEY) {
	const text = body === undefined ? '' : JSON.stringify(body)
	const headers = { Authorization: `Bearer ${key}` }
	if (text) {
		headers['Content-Type'] = 'application/json'
		headers['Content-Length'] = Buffer.byteLength(text)
	}
	if (idempotencyKey) headers['Idempotency-Key'] = idempotencyKey
	return new Promise((resolve, reject) => {
		const sent = request({ agent, host: base.hostname, port: base.port, method, path, headers }, response => {
			const chunks = []
			response.on('data', chunk => chunks.push(chunk))
			response.on('end', () => {
				const answer = Buffer.concat(chunks).toString('utf8')
				if (response.statusCode < 300) resolve(answer ? JSON.parse(answer) : null)
				// the server still has it under way, after a time-out on the way
				else if (answer.includes('"idempotency_key_in_progress"')) setTimeout(() => call(method, path, body, idempotencyKey).then(resolve, reject), 1000)
				else reject(new Error(`${method} ${path} answered ${response.statusCode}: ${answer}`))
			})
		})
		sent.on('error', reject)
		sent.end(text)
	})
}

// Run work over the items, CONCURRENCY at a time; results in the order of the items.
async function each(items, work) {
	const results = new Array(items.length)
	let next = 0
	await Promise.all(Array.from({ length: CONCURRENCY }, async () => {
		while (next < items.length) {
			const i = next++
			results[i] = await work(items[i], i)
		}
	}))
	return results
}

// stateOf: the state of the record of a place, where it is not the first one.
const create = (moduleKey, payloads, stateOf = () => undefined) =>
	each(payloads, (payload, i) => call('POST', '/api/v1/records', { moduleKey, payload, workflowState: stateOf(i) }, `demo-${moduleKey}-${i}`))

const day = offset => new Date(Date.UTC(2026, 0, 5) + offset * 86_400_000).toISOString().slice(0, 10)
const pick = (list, i) => list[i % list.length]

function walk(i, incident) {
	const investigator = pick([users['mei.lin'], users['sam.okafor']], i)
	const steps = [
		['accept'],
		['start_investigation', { lead_investigator: investigator }],
		['agree_actions', { root_cause_method: pick(['five_why', 'fishbone', 'icam'], i), root_causes: { immediate: 'Guard missing',
			underlying: 'Lock-out not done', root: 'No check of the procedure in use' } }],
		['submit_review'],
		['approve_close', { rca_text: 'Guarding and lock-out were checked on all lines; the procedure was renewed.', notified_at: incident.payload.occurred_at }, 'Reviewed'],
	]
	if (i % 11 === 10) return [['reject', undefined, 'Reported twice']]
	return steps.slice(0, i % 6)
}

// The server lets one person sign one thing after the other, so no connection is to wait for that.
let signing = Promise.resolve()
function sign(fire) {
	signing = signing.then(() => fire({ signature: { meaning: 'approval', credential: process.env.QEHS_SIGNER_CREDENTIAL } }, process.env.QEHS_SIGNER_KEY))
	return signing
}

async function transitions(incidents) {
	let count = 0
	await each(incidents, async (incident, i) => {
		for (const [transition, payload, comment] of walk(i, incident)) {
			const fire = (more, key) => call('POST', `/api/v1/records/${incident.id}:transition`, { transition, payload, comment, ...more }, `demo-${transition}-${i}`, key)
			await (transition === 'approve_close' ? sign(fire) : fire())
			count++
		}
	})
	return count
}

async function others(incidents) {
	const owners = Object.values(users)
	const sites = ['Houston plant', 'Dayton works', 'Tampa depot', 'Reading mill']
	const capa = await create('capa', incidents.slice(0, 60).map((incident, i) => ({ title: `Prevent: ${incident.payload.nature}`,
		capa_type: pick(['corrective', 'preventive'], i), source: incident.id, problem_statement: incident.payload.description,
		risk: { likelihood: 1 + i % 5, severity: 1 + i % 4 }, owner: pick(owners, i), due_date: day(30 + i) })))
	const actions = await create('actions', [...incidents.slice(60, 180), ...capa].map((parent, i) => ({
		title: pick(['Fit an interlocked guard', 'Train the shift on lock-out', 'Mark the walkway', 'Replace the ladder'], i),
		parent: parent.id, action_type: pick(['correction', 'corrective', 'preventive'], i),
		control_level: pick(['engineering', 'administrative', 'elimination', 'ppe'], i),
		priority: pick(['low', 'medium', 'high', 'critical'], i), owner: pick(owners, i), due_date: day(10 + i % 90) })), i => i % 15 ? 'verified' : undefined)
	const audits = await create('audits', Array.from({ length: 12 }, (_, i) => ({ title: `Internal audit ${i + 1}`,
		audit_type: pick(['internal', 'supplier', 'lpa'], i), standards: 'ISO 45001', clauses: pick(['8.1', '9.1', '10.2'], i),
		site: pick(sites, i), scope: 'Machine guarding and lock-out', planned_start: day(i * 20), planned_end: day(i * 20 + 2),
		lead_auditor: users['ana.silva'], auditee: pick(owners, i) })))
	const inspections = await create('inspections', Array.from({ length: 80 }, (_, i) => ({ template: 'Forklift, daily',
		template_version: 3, site: pick(sites, i), scheduled_for: day(i), conducted_at: `${day(i + (i % 8 ? 0 : 2))}T09:00:00Z`, inspector: pick(owners, i),
		items: { brakes: i % 9 ? 'pass' : 'fail', horn: 'pass', mast: 'pass' } })))
	const observations = await create('observations', [...narratives(NARRATIVES, 120)].map((payload, i) => ({
		kind: pick(['near_miss', 'unsafe_condition', 'unsafe_act'], i), occurred_at: payload.occurred_at, site: pick(sites, i),
		description: payload.description, category: pick(['slips_trips', 'work_at_height', 'lifting', 'energy_isolation'], i),
		potential_risk: { likelihood: 1 + i % 5, severity: 2 + i % 4 } })))
	return capa.length + actions.length + audits.length + inspections.length + observations.length
}

const started = Date.now()
const incidents = await create('incidents', [...reports(0, REPORTS), ...narratives(0, NARRATIVES)])
const moved = await transitions(incidents.slice(0, 600))
const more = await others(incidents)
agent.destroy()
console.log(`Loaded ${incidents.length} incidents and ${more} other records, and made ${moved} transitions through the REST API in ` +
	`${((Date.now() - started) / 1000).toFixed(1)} s`)
