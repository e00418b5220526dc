// Files of exports, each opened by a program that is not ours.
import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { createHash } from "node:crypto"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { after, test } from "node:test"
import ExcelJS from "exceljs"
import { stage, until as come } from "./cluster.mjs"
import { ask, call, fetched, file, load, makeTenant, storeFolder, until } from "./exports.mjs"

const folder = storeFolder()
const directory = mkdtempSync("/tmp/qehs-files.")
let key

const scripts = {
	Arabic: "انزلق العامل على الدرج", Hebrew: "העובד החליק על מדרגות", Chinese: "工人在潮湿的楼梯上滑倒", Japanese: "作業員が濡れた階段で滑った", Korean: "작업자가 계단에서 미끄러졌다",
	Devanagari: "कर्मचारी सीढ़ियों पर फिसल गया", Greek: "Ο εργαζόμενος γλίστρησε", Cyrillic: "рабочий поскользнулся",
}
const dangerous = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"]
const quoted = 'a "quoted", text\nof two lines'
const full = { title: "Full", due: "2026-02-03", seen: "2026-07-03T10:00:00+02:00", cost: { amount: 12.5, currency: "EUR" }, tags: ["a", "b"], done: true, n: -4.25, parts: [{ name: "bolt", count: 2 }, { name: "nut" }] }

const made = stage("files", { flags: ["--storage", folder], prepare({ cluster }) {
	key = makeTenant(cluster, "visitors")
	load(cluster, "visitors", [full, ...Object.values(scripts).map((title) => ({ title })), ...dangerous.map((title) => ({ title, phone: "+43 1 234" })), { title: quoted }]
		.map((payload, i) => ({ n: i, ...payload })))
} })
after(() => [folder, directory].forEach((name) => rmSync(name, { recursive: true })))

// An export's file, as a client fetches it.
async function exported(request, caller = key) {
	const job = await until(made.shim, caller, await ask(made.shim, caller, request))
	assert.equal(job.status, "succeeded", JSON.stringify(job))
	const bytes = await fetched(made.shim, job)
	assert.equal(job.result.sizeBytes, bytes.length)
	assert.equal(job.result.sha256, createHash("sha256").update(bytes).digest("hex"))
	const path = `${directory}/${job.result.filename}`
	writeFileSync(path, bytes)
	assert.match(job.result.filename, new RegExp(`^(visits|visitors|signed|chains|[VS]-\\d{4}-\\d+)-\\d{8}T\\d{4}Z\\.${request.includeAttachments ? "zip" : request.format}$`))
	return { path, bytes, text: bytes.toString(), job }
}

const python = (program, ...args) => JSON.parse(execFileSync("python3", ["-c", program, ...args], { encoding: "utf8" }))
const readCsv = (path) => python("import csv,json,sys; print(json.dumps(list(csv.reader(open(sys.argv[1], newline='', encoding='utf-8'), strict=True))))", path)

test("CSV: Python's csv reads what was written, and no text begins a formula", async () => {
	const { path, text } = await exported({ sort: "n", format: "csv", columns: ["title", "due", "seen", "cost", "tags", "done", "n", "phone", "parts"] })
	const [head, ...rows] = readCsv(path)
	assert.deepEqual(head, ["Title", "Due", "Seen", "Cost", "Tags", "Done", "Number", "Phone", "Parts"])
	assert.deepEqual(rows[0], ["Full", "2026-02-03", "2026-07-03T08:00:00.000Z", "12.5 EUR", "a; b", "true", "-4.25", "", '[["bolt",2],["nut",null]]'])
	assert.deepEqual(rows.slice(1, 9).map(([title]) => title), Object.values(scripts))
	assert.deepEqual(rows.slice(9, 15).map(([title]) => title), dangerous.map((title) => `'${title}`))
	assert.equal(rows[9][7], "'+43 1 234")
	assert.equal(rows[15][0], quoted)
	assert.ok(text.startsWith("Title,") && text.endsWith("\r\n"))
})

test("CSV: a unit is no way to a formula, and a negative amount stays as it is", async () => {
	const gauges = { key: "gauges", name: "Gauges", displayCode: { prefix: "G" }, fields: [{ key: "level", label: "Level", type: "quantity" }], workflow: { states: ["open"], initial: "open", transitions: {} } }
	const reader = makeTenant(made.cluster, "gaugers")
	made.cluster.sql(`SELECT qehs.use_tenant('gaugers'); SELECT qehs.module_publish('gauges', $q$${JSON.stringify(gauges)}$q$)`)
	for (const level of [{ value: -1.5, unit: "+x|'/C'!A" }, { value: -2, unit: "kg/m³" }, { value: 3, unit: "=1" }])
		assert.equal((await call(made.shim, reader, "POST", "/api/v1/records", { moduleKey: "gauges", payload: { level } })).status, 201)
	const job = await until(made.shim, reader, await ask(made.shim, reader, { moduleKey: "gauges", format: "csv", columns: ["level"], sort: "createdAt" }))
	writeFileSync(`${directory}/gauges.csv`, await fetched(made.shim, job))
	assert.deepEqual(readCsv(`${directory}/gauges.csv`).slice(1).flat().sort(), ["'-1.5 +x|'/C'!A", "-2 kg/m³", "3 =1"])
})

test("CSV: wide and small signs, and signs behind what is not seen, begin no formula", async () => {
	const notes = { key: "notes", name: "Notes", displayCode: { prefix: "N" }, fields: [{ key: "text", label: "=Text", type: "text" }], workflow: { states: ["open"], initial: "open", transitions: {} } }
	const writer = makeTenant(made.cluster, "noters")
	const signs = ["\uff1d1", "\uff0b1", "\uff0d1", "\uff20SUM(A1)", "\ufe661", "\ufe621", "\ufe631", "\ufe6bSUM(A1)"]
	const unseen = ["\ufeff", "\u200b", " ", "\u00a0", "\u2060", "\u3000", "\u00ad", "\u202e", "\u2066", "\u0085", "\u007f", "\u0001", "\u000b", " \ufeff\u200b "].map((text) => `${text}=1+1`)
	const harmless = ["1=1", "\u00e9=1", "\u2010 dash", "\u2013=1", "\u3042=1", "'=1", "\ufeffplain", "\u{1f600}=1", "(=1)"]
	made.cluster.sql(`SELECT qehs.use_tenant('noters'); SELECT qehs.module_publish('notes', $q$${JSON.stringify(notes)}$q$)`)
	for (const text of [...signs, ...unseen, "\n=1", "\nx", ...harmless])
		assert.equal((await call(made.shim, writer, "POST", "/api/v1/records", { moduleKey: "notes", payload: { text } })).status, 201, JSON.stringify(text))
	const job = await until(made.shim, writer, await ask(made.shim, writer, { moduleKey: "notes", format: "csv", columns: ["text"], sort: "displayCode" }))
	writeFileSync(`${directory}/notes.csv`, await fetched(made.shim, job))
	assert.deepEqual(readCsv(`${directory}/notes.csv`).flat(), ["=Text", ...signs, ...unseen, "\n=1", "\nx"].map((text) => `'${text}`).concat(harmless))
})

test("CSV: \\copy takes it", async () => {
	const { path } = await exported({ sort: "n", format: "csv", columns: ["displayCode", "title", "n"], header: "keys" })
	made.cluster.sql("CREATE TABLE copied (code text, title text, n numeric)")
	execFileSync("psql", ["-X", "-q", "-d", `${made.cluster.conninfo} user=postgres`, "-c", `\\copy copied FROM '${path}' (FORMAT csv, HEADER)`])
	assert.equal(made.cluster.sql("SELECT count(*), sum(n) FROM copied"), `16|${-4.25 + 120}`)
})

test("CSV: a byte order mark, keys in the head, dates as people of a place write them, labels in a language", async () => {
	const { text } = await exported({ sort: "n", format: "csv", columns: ["title", "due", "seen"], header: "keys", bom: true, dates: "locale", locale: "de-AT", timeZone: "Europe/Vienna" })
	assert.ok(text.startsWith("\ufefftitle,due,seen\r\nFull,"))
	assert.match(text.split("\r\n")[1], /^Full,03\.02\.2026,"03\.07\.2026, 10:00"$/)
})

test("NDJSON: whole records, or the columns that were asked for", async () => {
	const whole = (await exported({ sort: "n", format: "ndjson" })).text.trimEnd().split("\n").map(JSON.parse)
	assert.equal(whole.length, 16)
	assert.deepEqual(whole[0].payload, { ...full, seen: "2026-07-03T10:00:00+02:00" })
	const some = (await exported({ sort: "n", format: "ndjson", columns: ["n", "title"] })).text.trimEnd().split("\n").map(JSON.parse)
	assert.deepEqual(some[0], { n: -4.25, title: "Full" })
})

test("XLSX: exceljs finds typed cells, a frozen head with a filter, a sheet for the table, what was exported", async () => {
	const { path, job } = await exported({ sort: "n", format: "xlsx", columns: ["displayCode", "title", "due", "seen", "cost", "done", "n", "phone", "parts"], timeZone: "Europe/Vienna", filter: { n: { lt: 100 } } })
	const book = new ExcelJS.Workbook()
	await book.xlsx.readFile(path)
	assert.deepEqual(book.worksheets.map(({ name }) => name), ["About", "Visits", "Parts"])
	const sheet = book.getWorksheet("Visits")
	assert.deepEqual(sheet.getRow(1).values.slice(1), ["Code", "Title", "Due", "Seen", "Cost", "Done", "Number", "Phone", "Parts"])
	const cells = sheet.getRow(2).values.slice(1)
	assert.equal(cells[1], "Full")
	assert.equal(cells[2].toISOString(), "2026-02-03T00:00:00.000Z")
	assert.equal(cells[3].toISOString(), "2026-07-03T10:00:00.000Z")
	assert.deepEqual([cells[4], cells[5], cells[6], cells[8]], [12.5, true, -4.25, 2])
	assert.equal(sheet.getCell("E2").numFmt, '0.0 "EUR"')
	assert.equal(sheet.getCell("B11").value, "=1+1")
	assert.equal(sheet.getCell("B11").type, ExcelJS.ValueType.String)
	assert.deepEqual(sheet.views.map(({ state, ySplit }) => [state, ySplit]), [["frozen", 1]])
	assert.equal(typeof sheet.autoFilter === "string" ? sheet.autoFilter : JSON.stringify(sheet.autoFilter), "A1:I17")
	assert.ok(sheet.getColumn(2).width > sheet.getColumn(6).width)
	assert.deepEqual(book.getWorksheet("Parts").getRow(1).values.slice(1), ["Record", "Name", "Count"])
	assert.deepEqual(book.getWorksheet("Parts").getRow(2).values.slice(1), [cells[0], "bolt", 2])
	const about = Object.fromEntries(book.getWorksheet("About").getSheetValues().slice(1).map((row) => row.slice(1)))
	assert.equal(about.Module, "Visits")
	assert.equal(about["Exported by"], "auditor")
	assert.equal(about.Filter, '{"n":{"lt":100}}')
	assert.equal(about.Records, 16)
	assert.match(about["Trace id"], /^[0-9a-f]{32}$/)
	assert.equal(job.rowCount, 16)
})

test("XLSX: rows beyond the 1,048,576th of a sheet go on on a further one, with its head", async () => {
	const RECORDS = 1049
	const wide = JSON.stringify({ key: "visits", name: "Visits", displayCode: { prefix: "V" }, fields: [{ key: "title", type: "text" },
		{ key: "parts", label: "Parts", type: "table", fields: [{ key: "count", label: "Count", type: "integer" }] }], workflow: { states: ["open"], initial: "open", transitions: {} } })
	made.cluster.sql(`SELECT qehs.tenant_create('sheets', 'Sheets'); SELECT qehs.use_tenant('sheets'); SELECT qehs.module_publish('visits', '${wide}');
		SELECT count(qehs.bulk_load('visits', convert_to((SELECT string_agg(format('{"title":"%s","parts":%s}', n, (SELECT jsonb_agg(jsonb_build_object('count', (n - 1) * 1000 + i)) FROM generate_series(1, 1000) AS i)), E'\\n')
			FROM generate_series(s, least(s + 49, ${RECORDS})) AS n), 'UTF8'))) FROM generate_series(1, ${RECORDS}, 50) AS s`)
	const auditor = made.cluster.sql("SELECT qehs.use_tenant('sheets'); SELECT qehs.api_key_create('auditor', rate_limit => 0) ->> 'key'")
	const { path } = await exported({ format: "xlsx", columns: ["parts"], sort: "createdAt" }, auditor)
	// Python's zipfile and expat: of each sheet its name, how many rows it has, and the values of the first, the second and the last
	const sheets = python(`import json,sys,zipfile,xml.etree.ElementTree as E,xml.parsers.expat
z = zipfile.ZipFile(sys.argv[1])
names = [s.get('name') for s in E.parse(z.open('xl/workbook.xml')).iter('{http://schemas.openxmlformats.org/spreadsheetml/2006/main}sheet')]
result = []
for number, name in enumerate(names, 1):
	rows = [0]; cells = []; ends = {}
	def start(tag, attributes):
		if tag == 'row': rows[0] += 1; cells.clear(); rows.append(int(attributes['r'])); del rows[1:-1]
		elif tag == 'c': cells.append('')
	def data(text):
		if cells: cells[-1] += text
	def end(tag):
		if tag == 'row':
			ends['last'] = list(cells)
			if rows[0] < 3: ends[str(rows[0])] = list(cells)
	parser = xml.parsers.expat.ParserCreate(); parser.buffer_text = True
	parser.StartElementHandler = start; parser.CharacterDataHandler = data; parser.EndElementHandler = end
	parser.ParseFile(z.open('xl/worksheets/sheet%d.xml' % number))
	result.append([name, rows[0], rows[-1], ends.get('1'), ends.get('2'), ends.get('last')])
print(json.dumps(result))`, path)
	assert.deepEqual(sheets.map(([name, count, last]) => [name, count, last]).slice(1), [["Visits", RECORDS + 1, RECORDS + 1], ["Parts", 1048576, 1048576], ["Parts (2)", RECORDS * 1000 - 1048575 + 1, RECORDS * 1000 - 1048575 + 1]])
	const [, first, second] = sheets.slice(1)
	assert.deepEqual(second[3], first[3])
	const sum = [first, second].map(([, , , , second, last]) => [Number(second.at(-1)), Number(last.at(-1))])
	assert.deepEqual(sum, [[1, 1048575], [1048576, RECORDS * 1000]])
})

test("PDF: pdftotext finds text of eight scripts, who exported it and the number of pages; pdftoppm draws it", async () => {
	const { path } = await exported({ sort: "n", format: "pdf", columns: ["displayCode", "title", "n"], paper: "Letter" })
	const text = execFileSync("pdftotext", [path, "-"], { encoding: "utf8" }).normalize("NFKC")
	const bare = text.replace(/[\s\u202a-\u202e\u200e\u200f]/g, "")
	for (const [name, words] of Object.entries(scripts))
		assert.ok(bare.includes(words.normalize("NFKC").replace(/\s/g, "")), `${name}: ${text}`)
	assert.match(text, /Exported by auditor, 20\d\d-.*, trace [0-9a-f]{32}/)
	assert.match(text, /page 1 of 1/)
	assert.match(execFileSync("pdfinfo", [path], { encoding: "utf8" }), /Page size: +612 x 792 pts \(letter\)/)
	assert.ok(execFileSync("pdftoppm", ["-r", "30", "-png", path]).length > 1000)
})

// Pango shapes the rest of a paragraph anew for each line: given whole, such texts took longer than anybody waits.
test("PDF: long texts, of words or of none, go over the pages, each word once and in order, of each direction", async () => {
	const essays = { key: "essays", name: "Essays", displayCode: { prefix: "E" }, fields: [{ key: "title", label: "Title", type: "text" }, { key: "body", label: "Body", type: "rich-text" }],
		workflow: { states: ["open"], initial: "open", transitions: {} } }
	const writer = makeTenant(made.cluster, "essayists")
	made.cluster.sql(`SELECT qehs.use_tenant('essayists'); SELECT qehs.module_publish('essays', $q$${JSON.stringify(essays)}$q$)`)
	const words = Array.from({ length: 6000 }, (_, i) => `w${String(i).padStart(4, "0")}`)
	const hebrew = Array.from({ length: 400 }, (_, i) => `${scripts.Hebrew} x${String(i).padStart(3, "0")}`)
	for (const body of [words.join(" "), "z".repeat(40000), `first\r\n\n${hebrew.join(" ")}\nlast`]) {
		const answer = await call(made.shim, writer, "POST", "/api/v1/records", { moduleKey: "essays", payload: { title: "Essay", body } })
		assert.equal(answer.status, 201, JSON.stringify(answer.json))
	}
	const job = await until(made.shim, writer, await ask(made.shim, writer, { moduleKey: "essays", format: "pdf", columns: ["title", "body"], sort: "createdAt" }), undefined, 300)
	assert.equal(job.status, "succeeded", JSON.stringify(job))
	const path = `${directory}/essays.pdf`
	writeFileSync(path, await fetched(made.shim, job))
	const text = execFileSync("pdftotext", ["-raw", path, "-"], { encoding: "utf8", maxBuffer: 1 << 26 })
	assert.deepEqual(text.match(/w\d{4}/g), words)
	assert.equal(text.match(/z/g).length, 40000)
	assert.equal(new Set(text.match(/x\d{3}/g)).size, 400)
	assert.equal(text.match(/x\d{3}/g).length, 400)
	assert.ok(text.indexOf("first") < text.indexOf("x000") && text.indexOf("x399") < text.indexOf("last"))
})

test("PDF: a text that is no wider however long is laid out in pieces, as a cancel waits for none of them", async () => {
	const marks = { key: "marks", name: "Marks", displayCode: { prefix: "M" }, fields: [{ key: "body", label: "Body", type: "rich-text" }], workflow: { states: ["open"], initial: "open", transitions: {} } }
	const writer = makeTenant(made.cluster, "markers")
	made.cluster.sql(`SELECT qehs.use_tenant('markers'); SELECT qehs.module_publish('marks', $q$${JSON.stringify(marks)}$q$)`)
	for (const body of [`first${"\u200b".repeat(20000)}last`, `begun${"\u0301".repeat(20000)}ended\r\nafter`])
		assert.equal((await call(made.shim, writer, "POST", "/api/v1/records", { moduleKey: "marks", payload: { body } })).status, 201)
	const job = await until(made.shim, writer, await ask(made.shim, writer, { moduleKey: "marks", format: "pdf", columns: ["body"], sort: "createdAt" }), undefined, 300)
	assert.equal(job.status, "succeeded", JSON.stringify(job))
	const path = `${directory}/marks.pdf`
	writeFileSync(path, await fetched(made.shim, job))
	const words = execFileSync("pdftotext", ["-bbox", path, "-"], { encoding: "utf8", maxBuffer: 1 << 26 })
	const place = (word) => Number(new RegExp(`yMin="([\\d.]+)"[^\n]*>[^<\n]*${word}`).exec(words)?.[1])
	for (const [from, to] of [["first", "last"], ["begun", "ended"], ["ended", "after"]])
		assert.ok(place(from) < place(to), `${from} at ${place(from)}, ${to} at ${place(to)}`)
})

test("PDF: a report of one record has its fields, tables and activity", async () => {
	const id = made.cluster.sql("SELECT id FROM qehs.record ORDER BY n1 LIMIT 1")
	const { path } = await exported({ format: "pdf", recordId: id })
	const text = execFileSync("pdftotext", ["-layout", path, "-"], { encoding: "utf8" })
	for (const found of [/Visits V-20\d\d-0001/, /Title +Full/, /Cost +12\.5 EUR/, /Parts[^]*Name +Count[^]*bolt +2/, /Activity[^]*created/])
		assert.match(text, found)
})

test("signatures are in a column of their own, and in a report", async () => {
	made.cluster.sql(`SELECT qehs.tenant_create('signatures', 'Signatures'); SELECT qehs.use_tenant('signatures'); SELECT qehs.user_create('jo', 'Jo Weber', roles => '{tenant-owner}');
		SELECT qehs.module_publish('signed', '{"key":"signed","name":"Signed","displayCode":{"prefix":"S"},"fields":[{"key":"title","type":"text"}],
			"workflow":{"states":["open","closed"],"initial":"open","transitions":{"close":{"from":"open","to":"closed","signature":true}}}}');
		SELECT qehs.use_tenant('signatures', 'jo'); SELECT qehs.signature_credential_set('the secret of jo');
		SELECT qehs.record_create('signed', '{"title":"left open"}');
		SELECT qehs.record_transition(qehs.record_create('signed', '{"title":"closed"}') ->> 'id', 'close', signature => '{"meaning":"approval","credential":"the secret of jo"}')`)
	const reader = made.cluster.sql("SELECT qehs.use_tenant('signatures'); SELECT qehs.api_key_create('reader', rate_limit => 0) ->> 'key'")
	const [head, ...rows] = readCsv((await exported({ moduleKey: "signed", format: "csv", sort: "createdAt" }, reader)).path)
	assert.equal(head.at(-1), "Signatures")
	assert.equal(rows[0].at(-1), "")
	assert.match(rows[1].at(-1), /^approval: Jo Weber, 20\d\d-[-0-9T:.]+Z$/)
	const id = made.cluster.sql("SELECT r.id FROM qehs.record AS r JOIN qehs.module AS m ON m.tenant_id = r.tenant_id AND m.id = r.module_id WHERE m.key = 'signed' AND workflow_state = 'closed'")
	const { path } = await exported({ moduleKey: "signed", format: "pdf", recordId: id }, reader)
	assert.match(execFileSync("pdftotext", [path, "-"], { encoding: "utf8" }).replace(/\s+/g, " "), /Jo Weber: approval/)
})

test("PDF: a report has the photos of its record, a JPEG as it was sent, and who approved and signed", async () => {
	made.cluster.sql(`SELECT qehs.tenant_create('signed', 'Signed'); SELECT qehs.use_tenant('signed'); SELECT qehs.rate_limit_set('signed-urls', 0);
		SELECT qehs.module_publish('permits', '{"key":"permits","name":"Permits","displayCode":{"prefix":"P"},"fields":[{"key":"title","label":"Title","type":"text"},{"key":"photo","type":"image"}],
			"workflow":{"states":["open","closed"],"initial":"open","transitions":{"close":{"from":"open","to":"closed","approvers":{"count":1,"role":"tenant-admin"},"signature":{"meaning":"reviewed"}}}}}');
		SELECT qehs.user_create('ann', 'Ann Archer', roles => '{tenant-admin}'); SELECT qehs.record_create('permits', '{"title":"Hot work"}')`)
	const signer = made.cluster.sql("SELECT qehs.use_tenant('signed'); SELECT qehs.api_key_create('signer', rate_limit => 0) ->> 'key'")
	const [record] = (await call(made.shim, signer, "GET", "/api/v1/records?moduleKey=permits")).json.items
	made.cluster.sql(`SELECT qehs.use_tenant('signed', 'ann'); SELECT qehs.signature_credential_set('the secret of ann');
		SELECT qehs.record_approve('${record.id}', 'close', comment => 'all is safe', signature => '{"meaning":"reviewed","credential":"the secret of ann"}')`)
	const { path: page } = await exported({ format: "pdf", columns: ["title"] })
	const photos = { "stairs.jpg": ["image/jpeg", "-jpeg"], "floor.png": ["image/png", "-png"] }
	for (const [filename, [contentType, option]] of Object.entries(photos)) {
		photos[filename] = execFileSync("pdftoppm", ["-r", "40", option, page])
		const { json } = await call(made.shim, signer, "POST", "/api/v1/attachments", { recordId: record.id, filename, contentType })
		assert.equal((await fetch(new URL(json.uploadUrl, `http://127.0.0.1:${made.shim.port}`), { method: "PUT", headers: json.headers, body: photos[filename] })).status, 204)
	}
	const report = async (caller) => {
		const answer = await call(made.shim, caller, "POST", "/api/v1/exports", { moduleKey: "permits", format: "pdf", recordId: record.id })
		const job = await until(made.shim, caller, answer.json.jobId)
		assert.equal(job.status, "succeeded", JSON.stringify(job))
		const path = `${directory}/${answer.json.jobId}.pdf`
		writeFileSync(path, await fetched(made.shim, job))
		return path
	}
	const path = await report(signer)
	const text = execFileSync("pdftotext", ["-layout", path, "-"], { encoding: "utf8" })
	for (const found of [/Title +Hot work/, /Approvals and signatures/, /Ann Archer: reviewed/, /all is safe/, /Photos[^]*stairs\.jpg[^]*floor\.png/])
		assert.match(text, found)
	const images = execFileSync("pdfimages", ["-list", path], { encoding: "utf8" }).split("\n").slice(2).filter(Boolean).map((line) => line.trim().split(/\s+/))
	assert.deepEqual(images.filter(([, , type]) => type === "image").map((image) => image[8]), ["jpeg", "image"])
	assert.ok(execFileSync("cat", [path]).includes(photos["stairs.jpg"]), "the JPEG is not as it was sent")
	// who may not read files gets no photos
	const reader = made.cluster.sql("SELECT qehs.use_tenant('signed'); SELECT qehs.api_key_create('reader', scopes => '{records.read,exports.create}', rate_limit => 0) ->> 'key'")
	assert.doesNotMatch(execFileSync("pdftotext", [await report(reader), "-"], { encoding: "utf8" }), /Photos|stairs/)
})

// A JPEG of four colours, twice as wide as high, whose Exif data says how the camera was held.
const COLOURS = [[[1, 0, 0], [0, 1, 0]], [[0, 0, 1], [1, 0, 1]]]
function photo(orientation) {
	const draw = COLOURS.map((row, y) => row.map((colour, x) => `${colour.join(" ")} rg ${x * 60} ${60 - y * 60} 60 60 re f`)).flat().join("\n")
	const page = `${directory}/photo.pdf`
	writeFileSync(page, `%PDF-1.4\n1 0 obj <</Type/Catalog/Pages 2 0 R>> endobj\n2 0 obj <</Type/Pages/Kids[3 0 R]/Count 1>> endobj
3 0 obj <</Type/Page/Parent 2 0 R/MediaBox[0 0 120 120]/Contents 4 0 R>> endobj\n4 0 obj <</Length ${draw.length}>> stream\n${draw}\nendstream endobj\ntrailer <</Root 1 0 R>>\n`)
	const jpeg = execFileSync("pdftoppm", ["-scale-to-x", "120", "-scale-to-y", "60", "-jpeg", "-singlefile", page], { stdio: ["ignore", "pipe", "ignore"] })
	// a TIFF header, one entry (Orientation, SHORT, 1), in either byte order
	const big = orientation % 2
	const entry = big ? [0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0] : [42, 0, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0]
	const exif = Buffer.from([...Buffer.from("Exif\0\0"), ...Buffer.from(big ? "MM" : "II"), ...entry, 0, 0, 0, 0])
	return Buffer.concat([jpeg.subarray(0, 2), Buffer.from([0xFF, 0xE1, 0, exif.length + 2]), exif, jpeg.subarray(2)])
}

// The coloured rectangles of a page, from top to bottom: {width, height, corners}, corners as COLOURS has them.
function rectangles(path) {
	const image = execFileSync("pdftoppm", ["-r", "150", "-singlefile", path], { maxBuffer: 1 << 28 })
	const [, width, height, rest] = /^P6\n(\d+) (\d+)\n255\n/.exec(image.toString("latin1", 0, 40)).map(Number).concat(0)
	const at = image.length - width * height * 3 + rest
	const colour = (x, y) => [0, 1, 2].map((i) => Number(image[at + (y * width + x) * 3 + i] > 128))
	const isColoured = (x, y) => [0, 1, 2].some((i) => image[at + (y * width + x) * 3 + i] > 200) && [0, 1, 2].some((i) => image[at + (y * width + x) * 3 + i] < 50)
	const found = []
	for (let y = 0; y < height; y++) {
		const columns = Array.from({ length: width }, (_, x) => x).filter((x) => isColoured(x, y))
		if (columns.length < 20)
			continue
		const last = found.at(-1)
		// where two colours meet a JPEG blurs them
		if (last?.bottom > y - 8)
			last.bottom = y
		else
			found.push({ left: columns[0], right: columns.at(-1), top: y, bottom: y })
	}
	return found.map(({ left, right, top, bottom }) => ({ width: right - left + 1, height: bottom - top + 1,
		corners: [top + 10, bottom - 10].map((y) => [left + 10, right - 10].map((x) => colour(x, y))) }))
}

test("PDF: photos of a report stand upright, whichever way the camera was held", async () => {
	const photographer = makeTenant(made.cluster, "held")
	made.cluster.sql("SELECT qehs.use_tenant('held'); SELECT qehs.rate_limit_set('signed-urls', 0)")
	load(made.cluster, "held", [{ title: "Stairs" }])
	const [record] = (await call(made.shim, photographer, "GET", "/api/v1/records?moduleKey=visits")).json.items
	for (let orientation = 1; orientation <= 8; orientation++) {
		const { json } = await call(made.shim, photographer, "POST", "/api/v1/attachments", { recordId: record.id, filename: `held ${orientation}.jpg`, contentType: "image/jpeg" })
		assert.equal((await fetch(new URL(json.uploadUrl, `http://127.0.0.1:${made.shim.port}`), { method: "PUT", headers: json.headers, body: photo(orientation) })).status, 204)
	}
	const { path } = await exported({ format: "pdf", recordId: record.id }, photographer)
	const pages = Number(/Pages: +(\d+)/.exec(execFileSync("pdfinfo", [path], { encoding: "utf8" }))[1])
	const shown = []
	for (let page = 1; page <= pages; page++) {
		execFileSync("pdfseparate", ["-f", String(page), "-l", String(page), path, `${directory}/page.pdf`])
		shown.push(...rectangles(`${directory}/page.pdf`))
	}
	// where the first row and the first column are seen (Exif 2.3, table 6)
	const sides = [["top", "left"], ["top", "right"], ["bottom", "right"], ["bottom", "left"], ["left", "top"], ["right", "top"], ["right", "bottom"], ["left", "bottom"]]
	const place = (side, i) => ["top", "left"].includes(side) ? i : 1 - i
	assert.equal(shown.length, 8)
	for (const [i, [row, column]] of sides.entries()) {
		const turned = i >= 4
		const corners = [[], []]
		for (const y of [0, 1])
			for (const x of [0, 1]) {
				const [down, right] = turned ? [place(column, x), place(row, y)] : [place(row, y), place(column, x)]
				corners[down][right] = COLOURS[y][x]
			}
		assert.deepEqual(shown[i].corners, corners, `orientation ${i + 1}`)
		assert.ok(Math.abs(shown[i].width - (turned ? 60 : 120)) <= 3 && Math.abs(shown[i].height - (turned ? 120 : 60)) <= 3, `orientation ${i + 1}: ${shown[i].width} x ${shown[i].height}`)
	}
})

test("what the caller may read is in the file, and nothing else", async () => {
	const clerk = made.cluster.sql("SELECT qehs.use_tenant('visitors'); SELECT qehs.api_key_create('nobody', roles => '{}', rate_limit => 0) ->> 'key'")
	const response = await fetch(`http://127.0.0.1:${made.shim.port}/api/v1/exports`, { method: "POST", headers: { authorization: `Bearer ${clerk}`, "content-type": "application/json" }, body: '{"moduleKey":"visits","format":"csv"}' })
	assert.equal(response.status, 403)
})

test("JSON: all modules that the caller may export, with their definitions and whole records", async () => {
	const { text, job } = await exported({ format: "json", moduleKey: undefined })
	const whole = JSON.parse(text)
	assert.deepEqual([whole.tenant, whole.exportedBy, whole.modules.map(({ key, records }) => [key, records.length])], ["visitors", "auditor", [["visits", 16]]])
	assert.match(whole.traceId, /^[0-9a-f]{32}$/)
	assert.equal(whole.modules[0].definition.fields.length, 10)
	assert.deepEqual(whole.modules[0].records.find(({ payload }) => payload.title === "Full").payload, { ...full, seen: "2026-07-03T10:00:00+02:00" })
	assert.equal(job.rowCount, 16)
	const one = JSON.parse((await exported({ format: "json", columns: ["title"], filter: { n: { lt: 0 } } })).text)
	assert.deepEqual(one.modules.map(({ key, records }) => [key, records]), [["visits", [{ title: "Full" }]]])
})

test("ZIP: Python's zipfile finds the file of the rows, each attachment as it was sent, and what they are", async () => {
	const [record] = (await call(made.shim, key, "GET", "/api/v1/records?moduleKey=visits&filter[n]=-4.25")).json.items
	const files = { "stairs ü 楼梯.txt": "Found at the foot of the stairs.\n", "b:\"c\"?.txt": "x".repeat(200000) }
	const ids = {}
	for (const [filename, body] of Object.entries(files)) {
		const { json } = await call(made.shim, key, "POST", "/api/v1/attachments", { recordId: record.id, filename, contentType: "text/plain" })
		ids[filename] = json.id
		assert.equal((await fetch(new URL(json.uploadUrl, `http://127.0.0.1:${made.shim.port}`), { method: "PUT", headers: json.headers, body })).status, 204)
	}
	await call(made.shim, key, "POST", "/api/v1/attachments", { recordId: record.id, filename: "never sent", contentType: "text/plain" })
	const { path, job } = await exported({ format: "csv", columns: ["displayCode", "title"], includeAttachments: true })
	assert.equal(job.result.contentType, "application/zip")
	const entries = python("import json,sys,zipfile; z = zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None; print(json.dumps({i.filename: z.read(i).decode() for i in z.infolist()}))", path)
	const [table, ...rest] = Object.keys(entries)
	assert.match(table, /^visits-\d{8}T\d{4}Z\.csv$/)
	assert.equal(entries[table].split("\r\n").length, 18)
	const names = Object.keys(files).map((name) => `attachments/${record.displayCode}/${ids[name]}-${name.replace(/[:"?]/g, "_")}`)
	assert.deepEqual(rest, [...names, "attachments.ndjson"])
	assert.deepEqual(names.map((name) => entries[name]), Object.values(files))
	const told = entries["attachments.ndjson"].trimEnd().split("\n").map(JSON.parse)
	assert.deepEqual(told.map((one) => [one.id, one.filename, one.recordId, one.displayCode, one.file]),
		Object.keys(files).map((name, i) => [ids[name], name, record.id, record.displayCode, names[i]]))
	assert.deepEqual(told.map(({ sha256 }) => sha256), Object.values(files).map((body) => createHash("sha256").update(body).digest("hex")))
	const reader = made.cluster.sql("SELECT qehs.use_tenant('visitors'); SELECT qehs.api_key_create('reader', scopes => '{records.read,exports.create}', rate_limit => 0) ->> 'key'")
	const refused = await call(made.shim, reader, "POST", "/api/v1/exports", { moduleKey: "visits", format: "csv", includeAttachments: true })
	assert.deepEqual([refused.status, refused.json.errors[0].path], [403, "/includeAttachments"])
})

test("a list of records in XLSX, PDF and CSV: the ids with semicolons between, those of rows on the sheet of the table", async () => {
	const chains = JSON.stringify({ key: "chains", name: "Chains", displayCode: { prefix: "C" }, fields: [{ key: "title", type: "text" }, { key: "about", label: "About", type: "record-references", references: "visits" },
		{ key: "steps", label: "Steps", type: "table", fields: [{ key: "of", label: "Of", type: "record-references", references: "visits" }] }], workflow: { states: ["open"], initial: "open", transitions: {} } })
	const [first, second] = (await call(made.shim, key, "GET", "/api/v1/records?moduleKey=visits&sort=n&limit=2")).json.items
	made.cluster.sql(`SELECT qehs.use_tenant('visitors'); SELECT qehs.module_publish('chains', '${chains}')`)
	const named = [first.displayCode, second.displayCode]
	for (const payload of [{ title: "both", about: named, steps: [{ of: [named[1]] }, { of: [] }] }, { title: "none" }])
		assert.equal((await call(made.shim, key, "POST", "/api/v1/records", { moduleKey: "chains", payload })).status, 201)
	const request = { moduleKey: "chains", columns: ["title", "about", "steps"], sort: "createdAt" }
	const book = new ExcelJS.Workbook()
	await book.xlsx.readFile((await exported({ ...request, format: "xlsx" })).path)
	assert.deepEqual([2, 3].map((row) => book.getWorksheet("Chains").getRow(row).getCell(2).value), [`${first.id}; ${second.id}`, null])
	assert.deepEqual([2, 3].map((row) => book.getWorksheet("Steps").getRow(row).getCell(2).value), [second.id, null])
	const { path } = await exported({ ...request, format: "pdf" })
	const text = execFileSync("pdftotext", [path, "-"], { encoding: "utf8" }).replace(/\s+/g, "")
	assert.ok(text.includes(`${first.id};${second.id}`), text)
	const rows = readCsv((await exported({ ...request, format: "csv" })).path)
	assert.deepEqual(rows.slice(1), [["both", `${first.id}; ${second.id}`, JSON.stringify([[[second.id]], [[]]])], ["none", "", ""]])
})

test("webhookUrl is refused by its name", async () => {
	const { status, json } = await call(made.shim, key, "POST", "/api/v1/exports", { moduleKey: "visits", format: "csv", webhookUrl: "https://example.com/done" })
	assert.deepEqual([status, json.errors.map(({ path }) => path)], [400, ["/webhookUrl"]])
})

test("the file of a job that is forgotten leaves the store", async () => {
	const { job } = await exported({ format: "csv", columns: ["n"] })
	assert.ok(file(folder, "visitors", job.jobId))
	made.cluster.sql("UPDATE qehs.job SET finished_at = now() - interval '8 days'; SELECT qehs.tick()")
	await come("the file is gone", () => file(folder, "visitors", job.jobId) === null, 250)
	assert.equal((await call(made.shim, key, "GET", `/api/v1/exports/${job.jobId}`)).status, 404)
})
