// Files of exports open in LibreOffice, which finds in them the values that the records have, and their types.
import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { after, test } from "node:test"
import { stage } from "../fault/cluster.mjs"
import { ask, fetched, load, makeTenant, storeFolder, until } from "../fault/exports.mjs"

const folder = storeFolder()
const directory = mkdtempSync("/tmp/qehs-office.")
after(() => [folder, directory].forEach((name) => rmSync(name, { recursive: true })))

const titles = ["Full", "=1+1", 'a "quoted", text\nof two lines', "انزلق العامل على الدرج", "工人在潮湿的楼梯上滑倒", "कर्मचारी सीढ़ियों पर फिसल गया", "рабочий поскользнулся", "Ο εργαζόμενος γλίστρησε"]
const full = { due: "2026-02-03", seen: "2026-07-03T10:00:00+02:00", cost: { amount: 12.5, currency: "EUR" }, tags: ["a", "b"], done: true, parts: [{ name: "bolt", count: 2 }, { name: "nut" }] }
const numbers = titles.map((_, i) => i - 4.25)
let key
const made = stage("office", { flags: ["--storage", folder], prepare({ cluster }) {
	key = makeTenant(cluster, "visitors")
	load(cluster, "visitors", titles.map((title, i) => ({ title, n: numbers[i], ...i === 0 && full })))
} })

// An export's file, as a client fetches it.
async function exported(request) {
	const job = await until(made.shim, key, await ask(made.shim, key, { sort: "n", ...request }))
	assert.equal(job.status, "succeeded", JSON.stringify(job))
	const path = `${directory}/${job.result.filename}`
	writeFileSync(path, await fetched(made.shim, job))
	return path
}

// Open a file with a filter of LibreOffice and save it as flat OpenDocument; gives the path.
function opened(path, filter, format) {
	const output = execFileSync("soffice", [`-env:UserInstallation=file://${directory}/profile`, "--headless", `--infilter=${filter}`, "--convert-to", format, "--outdir", `${directory}/opened`, path],
		{ encoding: "utf8", stdio: ["ignore", "pipe", "pipe"], timeout: 180000 })
	assert.match(output, / using filter /, output)
	return `${directory}/opened/${path.split("/").pop().replace(/[^.]+$/, format)}`
}

const python = (program, path) => JSON.parse(execFileSync("python3", ["-c", program, path], { encoding: "utf8", maxBuffer: 1 << 28 }))

// The sheets of a flat OpenDocument as {name: [[{type, value, formula}, …], …]}, without what is empty at the ends.
const sheets = (path) => python(`
import json, sys, xml.etree.ElementTree as tree
space = {'office': 'urn:oasis:names:tc:opendocument:xmlns:office:1.0', 'table': 'urn:oasis:names:tc:opendocument:xmlns:table:1.0', 'text': 'urn:oasis:names:tc:opendocument:xmlns:text:1.0'}
def name(text):
    prefix, local = text.split(':')
    return '{%s}%s' % (space[prefix], local)
def cell(node):
    type = node.get(name('office:value-type'))
    value = '\\n'.join(''.join(line.itertext()) for line in node.findall('text:p', space))
    if type != 'string':
        value = node.get(name('office:value')) or node.get(name('office:date-value')) or node.get(name('office:boolean-value'))
    return type and {'type': type, 'value': value, 'formula': node.get(name('table:formula'))}
sheets = {}
for sheet in tree.parse(sys.argv[1]).iter(name('table:table')):
    rows = sheets[sheet.get(name('table:name'))] = []
    for row in sheet.iter(name('table:table-row')):
        cells = []
        for node in row:
            cells += [cell(node)] * min(int(node.get(name('table:number-columns-repeated'), 1)), 50)
        while cells and cells[-1] is None:
            cells.pop()
        rows += [cells] * min(int(row.get(name('table:number-rows-repeated'), 1)), 50)
    while rows and not rows[-1]:
        rows.pop()
print(json.dumps(sheets))`, path)
const values = (cells) => cells.map((cell) => cell && [cell.type, cell.value])

test("LibreOffice opens CSV: text stays text, numbers are numbers, no cell is a formula", async () => {
	const path = await exported({ format: "csv", columns: ["title", "due", "n", "tags"] })
	const [[head, ...rows]] = Object.values(sheets(opened(path, "CSV:44,34,76,1,,1033,false,true", "fods")))
	assert.deepEqual(values(head), ["Title", "Due", "Number", "Tags"].map((text) => ["string", text]))
	assert.deepEqual(values(rows[0]), [["string", "Full"], ["date", "2026-02-03"], ["float", "-4.25"], ["string", "a; b"]])
	assert.deepEqual(rows.map(([title]) => title.value), titles.map((title) => (title.startsWith("=") ? `'${title}` : title)))
	assert.deepEqual(rows.map((cells) => Number(cells[2].value)), numbers)
	assert.ok(rows.flat().every((cell) => !cell?.formula))
})

test("LibreOffice opens XLSX: each cell has the type and the value of its field, and no text is a formula", async () => {
	const path = await exported({ format: "xlsx", columns: ["title", "due", "seen", "cost", "done", "n", "parts"], timeZone: "Europe/Vienna" })
	const book = sheets(opened(path, "Calc MS Excel 2007 XML", "fods"))
	assert.deepEqual(Object.keys(book), ["About", "Visits", "Parts"])
	const [head, ...rows] = book.Visits
	assert.deepEqual(values(head), ["Title", "Due", "Seen", "Cost", "Done", "Number", "Parts"].map((text) => ["string", text]))
	// what is true in XLSX is TRUE() in LibreOffice, whose value is 1
	assert.deepEqual(values(rows[0]), [["string", "Full"], ["date", "2026-02-03"], ["date", "2026-07-03T10:00:00"], ["float", "12.5"], ["float", "1"], ["float", "-4.25"], ["float", "2"]])
	assert.deepEqual(rows.map(([title]) => [title.type, title.value]), titles.map((title) => ["string", title]))
	assert.deepEqual(rows.map((cells) => Number(cells[5].value)), numbers)
	assert.deepEqual(rows.flat().map((cell) => cell?.formula).filter(Boolean), ["of:=TRUE()"])
	assert.deepEqual(values(book.Parts[1]).slice(1), [["string", "bolt"], ["float", "2"]])
	assert.deepEqual(values(book.About.find(([name]) => name?.value === "Records")), [["string", "Records"], ["float", String(titles.length)]])
})

test("LibreOffice opens PDF: its pages have the text of the records", async () => {
	const path = await exported({ format: "pdf", columns: ["title", "n"], paper: "A4" })
	const { pages, text } = python(`
import json, sys, xml.etree.ElementTree as tree
space = {'draw': 'urn:oasis:names:tc:opendocument:xmlns:drawing:1.0'}
pages = tree.parse(sys.argv[1]).findall('.//draw:page', space)
print(json.dumps({'pages': len(pages), 'text': ' '.join(''.join(page.itertext()) for page in pages)}))`, opened(path, "draw_pdf_import", "fodg"))
	assert.equal(pages, 1)
	const bare = text.normalize("NFKC").replace(/\s/g, "")
	// scripts that are written from the left, whose order the filter keeps
	for (const words of ["Full", "工人在潮湿的楼梯上滑倒", "рабочий поскользнулся", "Ο εργαζόμενος γλίστρησε", ...numbers.map(String)])
		assert.ok(bare.includes(words.normalize("NFKC").replace(/\s/g, "")), `${words}: ${text}`)
	assert.match(bare, /Exportedbyauditor,.*page1of1/)
})
