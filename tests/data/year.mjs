// Loads a year of safety work into the demo, up to yesterday, so that each key figure has something to show: five establishments with their
// hours, injuries told by the narratives, and the actions, audits, inspections, training and costs about them. Goes through bulk loads, which
// take states and times of creation. Takes what load.mjs takes, and QEHS_DEMO_EMPLOYEES, a JSON array of ids of users.
//
// The same figures come each time, on days that end yesterday; every load has an Idempotency-Key, so one that broke off can be run again.
import { seeded } from '../tools/random.mjs'
import { narratives } from './incidents.mjs'

const DAY = 86_400_000
const today = Math.floor(Date.now() / DAY) * DAY
const users = JSON.parse(process.env.QEHS_DEMO_USERS)
const employees = JSON.parse(process.env.QEHS_DEMO_EMPLOYEES)
const random = seeded(17)
const below = n => Math.floor(random() * n)
const pick = list => list[below(list.length)]
const chance = p => random() < p
const day = ago => new Date(today - ago * DAY).toISOString().slice(0, 10)
const time = ago => new Date(today - ago * DAY + (6 + below(12)) * 3_600_000 + below(60) * 60_000).toISOString()
const score = (likelihood = 4, severity = 4) => ({ likelihood: 1 + below(likelihood), severity: 1 + below(severity) })
const repeat = (n, make) => Array.from({ length: n }, (_, i) => make(i))
const money = (amount, currency = 'USD') => ({ amount: amount.toFixed(2), currency })
const owners = Object.values(users)

// Load lines into a module; gives the ids in their order.
async function load(moduleKey, lines) {
	const answer = await fetch(`${process.env.QEHS_URL}/api/modules/${moduleKey}/bulk`, {
		method: 'POST', body: lines.map(line => JSON.stringify(line) + '\n').join(''),
		headers: { Authorization: `Bearer ${process.env.QEHS_BENCH_KEY}`, 'Content-Type': 'application/x-ndjson', 'Idempotency-Key': `year-${moduleKey}-${lines.length}` },
	})
	const told = (await answer.text()).trim().split('\n').map(line => JSON.parse(line))
	const failed = told.find(line => line.status === 'failed')
	if (!answer.ok || failed) throw new Error(`${moduleKey}: ${answer.status} ${JSON.stringify(failed ?? told[0])}`)
	loaded += lines.length
	return told.slice(0, -1).map(line => line.id)
}
let loaded = 0

const sites = [
	{ name: 'Houston plant', city: 'Houston', region: 'TX', postal_code: '77002', naics_code: '332710', industry: 'Machine shops', people: 210 },
	{ name: 'Dayton works', city: 'Dayton', region: 'OH', postal_code: '45402', naics_code: '332710', industry: 'Machine shops', people: 120 },
	{ name: 'Tampa depot', city: 'Tampa', region: 'FL', postal_code: '33602', naics_code: '493110', industry: 'General warehousing', people: 45 },
	{ name: 'Reading mill', city: 'Reading', region: 'PA', postal_code: '19601', naics_code: '331110', industry: 'Iron and steel mills', people: 90 },
	{ name: 'Austin office', city: 'Austin', region: 'TX', postal_code: '78701', naics_code: '551114', industry: 'Corporate offices', people: 8 },
]
const plants = sites.slice(0, 4)
const establishments = await load('establishments', sites.map((site, i) => ({ payload: { name: site.name, company_name: 'Acme Corporation', ein: `74100${2000 + i}`, street_address: `${10 + i} Mill Street`,
	city: site.city, region: site.region, postal_code: site.postal_code, naics_code: site.naics_code, industry_description: site.industry, peak_employees: Math.round(site.people * 1.1), establishment_type: 'private' } })))

// Thirteen months; one of Tampa's is missing, and the office sends days for hours, which hours_quality finds.
const month = back => { const now = new Date(today); return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - back, 1)).toISOString().slice(0, 10) }
await load('exposure_hours', sites.flatMap((site, s) => repeat(13, m => ({ site, s, m })).filter(({ m }) => s !== 2 || m !== 3).map(({ m }) => ({ workflowState: m > 1 ? 'confirmed' : 'reported',
	payload: { establishment: establishments[s], month: month(m), hours: site.people * (site.people === 8 ? 1 : 150 + below(25)), average_employees: site.people } }))))

// Injuries: the narratives, most of them light, as a year of a company of 465 people has them.
const told = [...narratives(3000, 150)]
const incidentLines = told.map((payload, i) => {
	const ago = 1 + Math.floor(i * 364 / told.length)
	const light = i % 5 !== 0
	return { createdAt: time(Math.max(ago - 1, 1)), workflowState: ago > 120 ? 'closed' : ago > 60 ? pick(['closed', 'review', 'actions']) : ago > 14 ? pick(['investigation', 'actions', 'triage']) : 'reported',
		payload: { ...payload, occurred_at: time(ago), site: pick(plants).name, event_type: i % 21 === 3 ? 'environmental_release' : payload.event_type, severity: light ? 'low' : 'medium',
			actual_severity: light ? 'first_aid' : 'lost_time', regulator_notifiable: light ? 'none' : 'osha_24h', potential_risk: score(), lead_investigator: pick([users['mei.lin'], users['sam.okafor']]) } }
})
const incidents = await load('incidents', incidentLines)
const injured = incidentLines.map((line, i) => ({ ...line.payload, id: incidents[i], ago: 1 + Math.floor(i * 364 / told.length) })).filter((_, i) => i % 5 === 0)
await load('injury_cases', injured.map((incident, i) => {
	const outcome = ['days_away', 'other_recordable', 'job_transfer_restriction', 'other_recordable', 'days_away'][i % 5]
	const away = outcome === 'days_away' ? Math.min(4 + below(25), incident.ago) : 0
	const days = [...away > 0 ? [{ kind: 'away', from_date: day(incident.ago - 1), to_date: day(incident.ago - away) }] : [],
		...outcome === 'job_transfer_restriction' ? [{ kind: 'restricted', from_date: day(incident.ago - 1), ...incident.ago > 20 && { to_date: day(incident.ago - 15) } }] : []]
	return { workflowState: incident.ago > 30 ? 'closed' : 'classified', payload: { incident: incident.id, establishment: establishments[sites.findIndex(site => site.name === incident.site)], person: pick(employees),
		employment: i % 9 === 8 ? 'contractor' : i % 7 === 6 ? 'temp_supervised' : 'employee', job_title: pick(['Machinist', 'Welder', 'Forklift driver', 'Warehouse worker', 'Maintenance fitter']), recordable: true, outcome,
		kind: i % 8 === 7 ? pick(['skin_disorder', 'hearing_loss', 'respiratory']) : 'injury', privacy_case: i % 15 === 14, days, time_began_work: '06:00', time_of_event: incident.occurred_at.slice(11, 16), er_treated: chance(0.5),
		inpatient: chance(0.2), nar_before: 'Was at the usual work of the shift.', nar_what: incident.description, nar_injury: incident.title, nar_object: 'See what happened.' } }
}))

await load('observations', repeat(320, i => ({ createdAt: time(1 + Math.floor(i * 364 / 320)), workflowState: i < 290 ? pick(['closed', 'closed', 'resolved', 'assigned']) : 'open', payload: { kind: pick(['near_miss', 'near_miss', 'near_miss', 'unsafe_condition', 'unsafe_act', 'positive']),
	occurred_at: time(1 + Math.floor(i * 364 / 320)), site: pick(plants).name, description: pick(['Pallet stacked over the line', 'Guard left open after cleaning', 'Forklift too fast at the crossing', 'Oil on the walkway', 'Ladder without feet', 'Lock-out tag missing']),
	category: pick(['slips_trips', 'vehicles', 'lifting', 'housekeeping', 'energy_isolation', 'work_at_height']), potential_risk: score() } })))

await load('inspections', repeat(208, i => {
	const ago = 364 - Math.floor(i * 364 / 208) - 1
	const late = chance(0.12)
	return { workflowState: ago === 0 ? 'scheduled' : 'closed', payload: { template: pick(['Forklift, daily', 'Fire doors, monthly', 'Racking, weekly']), template_version: 3, site: sites[i % 4].name, scheduled_for: day(ago), inspector: pick(owners),
		...ago > 3 && { conducted_at: time(late ? ago - 3 : ago + below(2)) }, items: { brakes: chance(0.9) ? 'pass' : 'fail', horn: 'pass' } } }
}))

const capa = await load('capa', repeat(24, i => ({ createdAt: time(350 - i * 14), workflowState: i < 16 ? 'closed' : pick(['implementation', 'investigation', 'plan_approval']), payload: { title: pick(['Interlock the guards', 'Renew the lock-out procedure', 'Separate walkways', 'Change the lifting aid']),
	capa_type: pick(['corrective', 'preventive']), source: pick(incidents), problem_statement: 'Found more than once in the year.', risk: score(), owner: pick(owners), due_date: day(300 - i * 14) } })))
await load('actions', repeat(150, i => {
	const made = 360 - Math.floor(i * 360 / 150)
	const due = made - 30 - below(30)
	const state = made > 90 ? pick(['verified', 'verified', 'verified', 'verified', 'done', 'in_progress']) : pick(['open', 'in_progress', 'in_progress', 'done', 'cancelled'])
	const kind = pick(['correction', 'corrective', 'corrective', 'preventive'])
	return { createdAt: time(made), workflowState: state, payload: { title: pick(['Fit an interlocked guard', 'Train the shift on lock-out', 'Mark the walkway', 'Replace the ladder', 'Move the eyewash']), parent: pick([...incidents, ...capa]),
		action_type: kind, control_level: pick(['engineering', 'administrative', 'elimination', 'ppe']), priority: pick(['low', 'medium', 'medium', 'high', 'critical']), owner: pick(owners), due_date: day(due),
		...chance(0.2) && { original_due_date: day(due + 21) }, ...chance(0.5) && { cost: money(200 + below(4000)) } } }
}))

const audits = await load('audits', repeat(12, i => ({ createdAt: time(360 - i * 30), workflowState: i < 10 ? 'closed' : 'reporting', payload: { title: `Internal audit, month ${i + 1}`, audit_type: pick(['internal', 'internal', 'lpa', 'supplier']), standards: 'ISO 45001, ISO 9001',
	clauses: '6.1, 8.1, 9.1, 10.2', site: sites[i % 4].name, scope: 'Machine guarding, lock-out, records', planned_start: day(355 - i * 30), planned_end: day(353 - i * 30), lead_auditor: users['ana.silva'], auditee: pick(owners) } })))
await load('findings', repeat(48, i => ({ workflowState: i < 36 ? 'closed' : pick(['open', 'responded', 'accepted']), payload: { audit: audits[i >> 2], standard: pick(['iso45001', 'iso45001', 'iso9001']), clause: pick(['6.1.2', '7.2', '8.1.2', '8.1.2', '9.1', '10.2']),
	grade: pick(['minor', 'minor', 'observation', 'ofi', 'major']), requirement: 'As the clause says.', evidence: 'Seen on the floor.', owner: pick(owners), due_date: day(320 - i * 7), capa: pick(capa) } })))

await load('nonconformances', repeat(60, i => ({ workflowState: i < 50 ? 'closed' : 'open', payload: { title: pick(['Bore out of tolerance', 'Surface scratched', 'Wrong label', 'Weld porous']), detected_at: time(1 + Math.floor(i * 364 / 60)), source: pick(['in_process', 'final_inspection', 'customer', 'supplier']),
	defect_code: `D-${10 + below(12)}`, severity: pick(['minor', 'minor', 'major', 'critical']), description: 'Found at the check.', cost_internal: money(100 + below(2500)), ...chance(0.5) && { cost_scrap: money(50 + below(1500)) } } })))
await load('complaints', repeat(30, i => ({ workflowState: i < 24 ? 'closed' : 'investigation', payload: { received_at: time(1 + Math.floor(i * 364 / 30)), channel: pick(['email', 'phone', 'portal']), customer: pick(['Brazos Pumps', 'Miami Valley Tools', 'Gulf Rail']), product: pick(['Housing 12', 'Shaft 7']),
	category: pick(['function', 'delivery', 'appearance', 'documentation']), severity: pick(['minor', 'minor', 'major']), description: 'As the customer wrote.', adverse_event: false, reportable: 'none', ...chance(0.6) && { cost_external: money(150 + below(5000)) } } })))

await load('risk_assessments', repeat(60, i => ({ workflowState: i < 50 ? 'active' : pick(['review', 'draft']), payload: { title: pick(['Turning', 'Welding', 'Order picking', 'Slitting', 'Crane work', 'Cleaning of tanks']), method: pick(['jsa', 'hira', 'coshh']), site: pick(establishments), activity: 'As done on the floor',
	hazards: [{ hazard: 'Moving parts', who_may_be_harmed: 'Operators', controls: 'Guards' }], initial_risk: { likelihood: 3 + below(3), severity: 3 + below(3) }, controls: [{ control: 'Guards', level: 'engineering' }], residual_risk: score(4, 5),
	assessor: pick(owners), next_review: day(-30 - below(300)) } })))

const courses = [['machinist', 'Lock-out', 12], ['machinist', 'Machine guarding', 24], ['driver', 'Forklift licence', 36], ['driver', 'Traffic in the yard', 12], ['supervisor', 'Incident investigation', 36]]
await load('required_courses', courses.map(([role, course, valid_months]) => ({ payload: { role, course, reason: 'legal', valid_months } })))
await load('training', employees.flatMap(person => courses.filter(() => chance(0.6)).map(([, course]) => {
	const done = chance(0.85)
	const ago = chance(0.15) ? 340 : 5 + below(400)
	return { workflowState: done ? 'completed' : 'assigned', payload: { person, course, requirement: 'role', due_date: day(done ? ago - 10 + below(14) : below(120) - 60), ...done && { completed_on: day(ago) } } }
})))
console.log(`Loaded ${loaded} records of a year of safety work`)
