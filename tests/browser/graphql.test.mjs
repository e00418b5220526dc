// The console of GraphQL in headless Chromium: GraphiQL with the page's key runs a query over the tenant's schema, completes from it and shows its documentation.
import assert from 'node:assert/strict'
import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { chromium } from 'playwright-core'
import { base, request } from '../http/lib/client.mjs'
import { makeRecord, makeTenant } from '../http/lib/tenant.mjs'

const shots = path.resolve(process.env.QEHS_TEST_OUT ?? path.join(import.meta.dirname, '../results'), 'portal')
let browser
let tenant

before(async () => {
	await mkdir(shots, { recursive: true })
	browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] })
	tenant = await makeTenant('graphiql')
	await makeRecord(tenant, { title: 'Seen in GraphiQL' })
})
after(() => browser?.close())

// A page that notes what its console says and where it goes.
async function open(target) {
	const page = await (await browser.newContext()).newPage()
	page.setDefaultTimeout(20000)
	const faults = []
	page.on('console', message => { if (['error', 'warning'].includes(message.type())) faults.push(message.text()) })
	page.on('pageerror', error => faults.push(String(error)))
	page.on('request', sent => { if (!sent.url().startsWith(base.origin) && !/^(data|blob):/.test(sent.url())) faults.push(`went to ${sent.url()}`) })
	await page.goto(base.origin + target, { waitUntil: 'networkidle' })
	return { page, faults }
}

test('a browser that opens /api/graphql comes to the console, which runs a query with the key', async () => {
	const { page, faults } = await open('/api/graphql')
	assert.equal(new URL(page.url()).pathname, '/developers/graphql')
	await page.fill('#key', tenant.key)
	await page.press('#key', 'Enter')
	await page.getByText(`The key is in use: ${tenant.slug}.`).waitFor()
	await page.locator('.graphiql-query-editor .CodeMirror').waitFor()
	await page.evaluate(() => document.querySelector('.graphiql-query-editor .CodeMirror').CodeMirror.setValue('{ incidentsList(limit: 1) { title severity } }'))
	const [answer] = await Promise.all([
		page.waitForResponse(response => response.request().method() === 'POST' && response.request().postData().includes('incidentsList')),
		page.getByRole('button', { name: /Execute query/ }).click(),
	])
	assert.equal(answer.status(), 200)
	await page.locator('.result-window').getByText('Seen in GraphiQL').waitFor()
	await page.screenshot({ path: path.join(shots, 'graphiql.png') })
	assert.deepEqual(faults, [])
})

test('the console marks a field that the schema lacks and shows the types of the tenant', async () => {
	const { page, faults } = await open('/developers/graphql')
	await page.fill('#key', tenant.key)
	await page.press('#key', 'Enter')
	await page.locator('.graphiql-query-editor .CodeMirror').waitFor()
	await page.evaluate(() => document.querySelector('.graphiql-query-editor .CodeMirror').CodeMirror.setValue('{ incidentsList { nope } }'))
	await page.locator('.CodeMirror-lint-mark-error, .CodeMirror-lint-mark-warning').first().waitFor()
	await page.getByRole('button', { name: /Show Documentation Explorer/ }).click()
	await page.locator('.graphiql-doc-explorer').getByText('Query', { exact: true }).first().click()
	await page.locator('.graphiql-doc-explorer').getByText('incidentsAggregate').waitFor()
	assert.deepEqual(faults, [])
})

test('a wrong key is told, and nothing is kept', async () => {
	const { page } = await open('/developers/graphql')
	await page.fill('#key', 'nonsense')
	await page.press('#key', 'Enter')
	await page.locator('#key-status').getByText(/\S/).waitFor()
	assert.equal(await page.locator('.graphiql-container').count(), 0)
	assert.deepEqual(await page.evaluate(() => Object.keys(localStorage)), [])
})

test('clients that ask for JSON or send a query get no page', async () => {
	assert.equal((await request('GET', '/api/graphql', { key: tenant.key, headers: { Accept: 'application/json' } })).status, 400)
	assert.equal((await request('GET', '/api/graphql?query=%7B__typename%7D', { key: tenant.key, headers: { Accept: 'application/json, text/html' } })).json.data.__typename, 'Query')
})
