// The developer portal in headless Chromium: no request to another host, no console error, usable with a key, the keyboard
// and a screen reader. Screenshots go to portal in $QEHS_TEST_OUT, or in tests/results.
import assert from 'node:assert/strict'
import { mkdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { createRequire } from 'node:module'
import { chromium } from 'playwright-core'
import { base, request } from '../http/lib/client.mjs'
import { makeTenant, psql } from '../http/lib/tenant.mjs'

const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js')
const shots = path.resolve(process.env.QEHS_TEST_OUT ?? path.join(import.meta.dirname, '../results'), 'portal')
let browser
let tenant

before(async () => {
	await mkdir(shots, { recursive: true })
	browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] })
	tenant = await makeTenant('portal')
	await tenant.sql(`SELECT qehs.module_install('${tenant.slug}', key) FROM qehs.module_catalogue WHERE key <> 'incidents' \\g /dev/null`)
})
after(() => browser?.close())

// A page that fails the test for what its console says and for where it goes.
async function open(target, options = {}) {
	const context = await browser.newContext({ acceptDownloads: true, bypassCSP: options.bypassCSP, ...options })
	const page = await context.newPage()
	page.setDefaultTimeout(10000)
	const faults = []
	page.on('console', message => { if (['error', 'warning'].includes(message.type())) faults.push(message.text()) })
	page.on('pageerror', error => faults.push(String(error)))
	page.on('request', sent => { if (!sent.url().startsWith(base.origin) && !sent.url().startsWith('data:') && !sent.url().startsWith('blob:')) faults.push(`went to ${sent.url()}`) })
	await page.goto(base.origin + target, { waitUntil: 'networkidle' })
	return { page, faults, close: () => context.close() }
}

async function useKey(page, key) {
	await page.fill('#key', key)
	await page.press('#key', 'Enter')
	await page.getByText('The key is in use.').waitFor()
	await page.locator('details.module').first().waitFor()
}

test('the portal shows every endpoint and its downloads', async () => {
	const { page, faults, close } = await open('/developers')
	await page.locator('.swagger-ui .opblock').first().waitFor()
	const spec = (await request('GET', '/api/docs/spec.json')).json
	const count = Object.values(spec.paths).reduce((sum, item) => sum + Object.keys(item).length, 0)
	assert.equal(await page.locator('#endpoint-table tbody tr').count(), count)
	assert.equal(await page.locator('.swagger-ui .opblock').count(), count)
	for (const [button, name] of [['Download spec', 'openapi.json'], ['Postman collection', 'postman.json'], ['As YAML', 'openapi.yaml']]) {
		const [download] = await Promise.all([page.waitForEvent('download'), page.getByText(button, { exact: true }).click()])
		assert.ok(download.suggestedFilename().endsWith(name))
		const text = await readFile(await download.path(), 'utf8')
		if (name === 'openapi.json') assert.deepEqual(JSON.parse(text), spec)
		assert.ok(text.length > 5000)
	}
	assert.deepEqual(faults, [])
	await close()
})

test('try-it creates a record with the key, which is kept in memory only', async () => {
	const { page, faults, close } = await open('/developers')
	await useKey(page, tenant.key)
	const operation = page.locator('#operations-Records-record_create')
	await operation.locator('button.opblock-summary-control').click()
	await operation.locator('.samples').waitFor()
	assert.match(await operation.locator('.samples pre').innerText(), /^curl .*\/api\/v1\/records/)
	await operation.getByRole('tab', { name: 'SQL' }).click()
	assert.match(await operation.locator('.samples pre').innerText(), /SELECT qehs\.record_create\(module_key =>/)
	await page.screenshot({ path: path.join(shots, 'operation.png') })
	const body = operation.locator('textarea.body-param__text')
	await body.fill(JSON.stringify({ moduleKey: 'incidents', payload: { title: 'Tried in the portal', severity: 'high' } }))
	const [answer] = await Promise.all([
		page.waitForResponse(response => response.request().method() === 'POST' && response.url().endsWith('/api/v1/records')),
		operation.locator('button.execute').click(),
	])
	assert.equal(answer.status(), 201)
	await operation.getByText('"displayCode"').first().waitFor()
	const list = (await tenant.api.get('/api/v1/records?moduleKey=incidents')).json
	assert.equal(list.items.filter(item => item.payload.title === 'Tried in the portal').length, 1)
	await operation.locator('.live-responses-table').first().screenshot({ path: path.join(shots, 'tried.png') })
	const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]))
	assert.ok(!kept.includes('qehs_live_sk'), kept)
	await page.reload({ waitUntil: 'networkidle' })
	assert.equal(await page.inputValue('#key'), '')
	assert.deepEqual(faults, [])
	await close()
})

test('the tenant\'s modules have fields, a state diagram and permissions', async () => {
	const { page, faults, close } = await open('/developers')
	await useKey(page, tenant.key)
	const modules = (await tenant.api.get('/api/v1/modules')).json.items
	assert.equal(await page.locator('details.module').count(), modules.length)
	const module = page.locator('#module-incidents')
	await module.locator('summary').first().click()
	assert.equal(await module.locator('.workflow .states > g').count(), 5)
	for (const word of ['severity', 'investigating', 'exists($.rca_text)', 'reviewer']) assert.ok((await module.innerText()).includes(word), word)
	await module.screenshot({ path: path.join(shots, 'module.png') })
	await page.locator('#module-capa summary').first().click()
	await page.locator('#module-capa').screenshot({ path: path.join(shots, 'module-capa.png') })
	assert.deepEqual(faults, [])
	await close()
})

test('a wrong key is said, and not kept', async () => {
	const { page, close } = await open('/developers')
	await page.fill('#key', 'qehs_live_sk_wrong')
	await page.press('#key', 'Enter')
	await page.getByText(/Unauthenticated/).waitFor()
	await close()
})

test('the errors page has each code and scrolls to the one that a problem names', async () => {
	const { page, faults, close } = await open('/developers/errors#validation_failed')
	const codes = JSON.parse(await psql('SELECT qehs.problem_list()')).map(row => row.code)
	assert.deepEqual((await page.locator('article').evaluateAll(all => all.map(one => one.id))).sort(), [...codes].sort())
	const box = await page.locator('#validation_failed').boundingBox()
	assert.ok(box.y >= 0 && box.y < page.viewportSize().height, JSON.stringify(box))
	assert.ok(await page.evaluate(() => scrollY) > 0)
	await page.screenshot({ path: path.join(shots, 'errors.png') })
	assert.deepEqual(faults, [])
	const problem = await tenant.api.post('/api/v1/records', { moduleKey: 'incidents', payload: {} })
	assert.equal(new URL(problem.json.type).pathname + new URL(problem.json.type).hash, '/developers/errors#validation_failed')
	await close()
})

const looks = [['light', { colorScheme: 'light' }], ['dark', { colorScheme: 'dark' }], ['phone', { colorScheme: 'light', viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true }]]
for (const [name, options] of looks)
	test(`${name}: fits the screen, and axe finds no serious fault`, async () => {
		const { page, close } = await open('/developers', { ...options, bypassCSP: true })
		await useKey(page, tenant.key)
		await page.locator('#module-incidents summary').first().click()
		await page.locator('#operations-Records-record_create button.opblock-summary-control').click()
		await page.locator('.samples').waitFor()
		assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth + 1), 'no sideways scrolling')
		await page.evaluate(() => scrollTo(0, 0))
		await page.screenshot({ path: path.join(shots, `${name}.png`) })
		await page.screenshot({ path: path.join(shots, `${name}-whole.png`), fullPage: true })
		await page.addScriptTag({ path: axe })
		const found = await page.evaluate(() => window.axe.run())
		const serious = found.violations.filter(item => ['serious', 'critical'].includes(item.impact))
		assert.deepEqual(serious.map(item => `${item.id}: ${item.nodes.slice(0, 8).map(node => `${node.html.slice(0, 160)} | ${node.any[0]?.message ?? node.all[0]?.message ?? ''}`).join(' || ')}`), [])
		await page.goto(`${base.origin}/developers/errors`)
		await page.addScriptTag({ path: axe })
		const errors = await page.evaluate(() => window.axe.run())
		assert.deepEqual(errors.violations.filter(item => ['serious', 'critical'].includes(item.impact)).map(item => item.id), [])
		await close()
	})

test('the keyboard reaches the content, the key and an operation', async () => {
	const { page, close } = await open('/developers')
	await page.keyboard.press('Tab')
	assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Skip to the content')
	await page.keyboard.press('Enter')
	await page.locator('#main:focus').waitFor()
	await page.keyboard.press('Tab')
	assert.equal(await page.evaluate(() => document.activeElement.id), 'key')
	const control = page.locator('#operations-Records-record_list button.opblock-summary-control')
	await control.focus()
	await page.keyboard.press('Enter')
	await page.locator('#operations-Records-record_list .samples').waitFor()
	await page.locator('#operations-Records-record_list .samples [role=tab]').first().focus()
	await page.keyboard.press('ArrowRight')
	assert.equal(await page.evaluate(() => document.activeElement.textContent), 'JavaScript')
	await close()
})
