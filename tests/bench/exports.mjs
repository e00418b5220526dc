// Exports of 100,000 records of 12 columns (PDF: 5,000), against COPY of the same columns, exceljs and pdfkit with the same rows.
// Processor seconds, of the shim and the server together: node tests/bench/exports.mjs, after make all install.
import { execFileSync } from 'node:child_process'
import { createWriteStream, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { once } from 'node:events'
import ExcelJS from 'exceljs'
import PDFDocument from 'pdfkit'
import { Cluster, freePort, Shim, sleep } from '../fault/cluster.mjs'
import { ask, file, literal, until } from '../fault/exports.mjs'

const ROWS = Number(process.env.ROWS ?? 100000)
const module = {
	key: 'visits', name: 'Visits', displayCode: { prefix: 'V' },
	fields: [...['title', 'site', 'notes', 'person'].map(key => ({ key, type: 'text' })), { key: 'due', type: 'date' }, { key: 'seen', type: 'datetime' },
		{ key: 'n', type: 'number', indexed: true }, { key: 'cost', type: 'number' }, { key: 'done', type: 'boolean' }, { key: 'tags', type: 'multi-select', options: ['a', 'b'] }],
	workflow: { states: ['open'], initial: 'open', transitions: {} },
}
const columns = ['displayCode', 'workflowState', 'title', 'site', 'notes', 'person', 'due', 'seen', 'n', 'cost', 'done', 'tags']
const record = i => ({ title: `Slip on wet stairs, number ${i}`, site: `Plant ${i % 20}`, notes: 'worker slipped on wet stairs while carrying boxes to the loading dock and hurt the left ankle',
	person: `Person ${i % 500}`, due: '2026-02-03', seen: '2026-02-03T08:00:00.000Z', n: i, cost: i / 8, done: i % 2 === 0, tags: ['a', 'b'] })
const ticks = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))
// user, system, and those of children that have ended
const spent = (pid, children) => {
	const stat = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1].split(' ').map(Number)
	return (children ? stat[13] + stat[14] : stat[11] + stat[12]) / ticks
}
const peak = pid => Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024
const line = (name, seconds, wall, memory, note = '') => console.log(`${name.padEnd(28)} ${seconds.toFixed(2).padStart(6)} s processor ${wall.toFixed(2).padStart(6)} s wall ${memory.toFixed(0).padStart(4)} MiB ${note}`)

const folder = mkdtempSync('/tmp/qehs-store.')
const cluster = await Cluster.create()
const postmaster = Number(readFileSync(`${cluster.directory}/pg/data/postmaster.pid`, 'utf8').split('\n')[0])
try {
	cluster.sql(`SELECT qehs.tenant_create('bench', 'Bench'); SELECT qehs.use_tenant('bench'); SELECT qehs.module_publish('visits', ${literal(JSON.stringify(module))})`)
	const key = cluster.sql("SELECT qehs.use_tenant('bench'); SELECT qehs.api_key_create('k', rate_limit => 0) ->> 'key'")
	// too long for an argument: the server makes what record() does
	cluster.sql(`SELECT qehs.use_tenant('bench'); SELECT count(qehs.bulk_load('visits', convert_to((SELECT string_agg(json_build_object('title', 'Slip on wet stairs, number ' || n,
		'site', 'Plant ' || n % 20, 'notes', '${record(0).notes}', 'person', 'Person ' || n % 500, 'due', '2026-02-03', 'seen', '2026-02-03T08:00:00.000Z',
		'n', n, 'cost', n / 8.0, 'done', n % 2 = 0, 'tags', ARRAY['a', 'b'])::text, E'\\n') || E'\\n' FROM generate_series(s, s + 999) AS n), 'UTF8')))
		FROM generate_series(0, ${ROWS - 1}, 1000) AS s`)
	cluster.sql('VACUUM ANALYZE qehs.record')
	const run = async (format, filter) => {
		const shim = new Shim(cluster, await freePort(), ['--storage', folder])
		await shim.ready()
		const before = [spent(shim.process.pid), spent(postmaster, true), performance.now()]
		const id = await ask(shim, key, { format, columns, sort: 'n', filter })
		const job = await until(shim, key, id)
		if (job.status !== 'succeeded') throw new Error(JSON.stringify(job))
		await sleep(300)
		const seconds = spent(shim.process.pid) - before[0] + spent(postmaster, true) - before[1]
		const wall = (Date.parse(job.finishedAt) - Date.parse(job.startedAt)) / 1000
		line(`export ${format}, ${job.rowCount} rows`, seconds, wall, peak(shim.process.pid), `${(file(folder, 'bench', id).bytes.length / 1e6).toFixed(1)} MB`)
		await shim.stop()
		return seconds
	}
	const csv = await run('csv')
	const xlsx = await run('xlsx')
	const ndjson = await run('ndjson')
	const pdf = await run('pdf', { n: { lt: 5000 } })
	let before = [spent(postmaster, true), performance.now()]
	cluster.sql(`COPY (SELECT display_no, workflow_state, ${module.fields.map(({ key: name }) => `payload ->> '${name}'`).join(', ')} FROM qehs.record ORDER BY n1) TO '${cluster.directory}/pg/copied' (FORMAT csv)`)
	await sleep(300)
	const copy = spent(postmaster, true) - before[0]
	line('COPY … TO', copy, (performance.now() - before[1]) / 1000, 0)
	const cpu = () => process.cpuUsage().user / 1e6 + process.cpuUsage().system / 1e6
	before = [cpu(), performance.now()]
	const writer = new ExcelJS.stream.xlsx.WorkbookWriter({ filename: `${folder}/peer.xlsx` })
	const sheet = writer.addWorksheet('Visits')
	for (let i = 0; i < ROWS; i++) {
		const r = record(i)
		sheet.addRow([`V-2026-${i}`, 'open', r.title, r.site, r.notes, r.person, new Date(r.due), new Date(r.seen), r.n, r.cost, r.done, 'a; b']).commit()
	}
	await writer.commit()
	const excel = cpu() - before[0]
	line(`exceljs, ${ROWS} rows`, excel, (performance.now() - before[1]) / 1000, process.memoryUsage().rss / 1048576)
	before = [cpu(), performance.now()]
	const pdfFile = new PDFDocument({ size: 'A4', layout: 'landscape', margin: 28 })
	const out = pdfFile.pipe(createWriteStream(`${folder}/peer.pdf`))
	pdfFile.fontSize(6)
	for (let i = 0, y = 28; i < 5000; i++) {
		const r = record(i)
		const cells = [`V-2026-${i}`, 'open', r.title, r.site, r.notes, r.person, r.due, r.seen.slice(0, 16), String(r.n), String(r.cost), String(r.done), 'a; b']
		const height = Math.max(...cells.map(text => pdfFile.heightOfString(text, { width: 62 }))) + 4
		if (y + height > 560) {
			pdfFile.addPage()
			y = 28
		}
		cells.forEach((text, j) => pdfFile.text(text, 28 + j * 65, y, { width: 62 }))
		y += height
	}
	pdfFile.end()
	await once(out, 'finish')
	const kit = cpu() - before[0]
	line('pdfkit, 5000 rows', kit, (performance.now() - before[1]) / 1000, process.memoryUsage().rss / 1048576)
	console.log(`csv / COPY ${(csv / copy).toFixed(2)}, ndjson / COPY ${(ndjson / copy).toFixed(2)}, xlsx / exceljs ${(xlsx / excel).toFixed(2)}, pdf / pdfkit ${(pdf / kit).toFixed(2)}`)
} finally {
	cluster.remove()
	rmSync(folder, { recursive: true, force: true })
}
