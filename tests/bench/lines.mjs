// Lines for the loader: node lines.mjs COUNT. The OSHA reports over and over, each turn some seconds later than the one before.
import { once } from 'node:events'
import { reports } from '../data/incidents.mjs'

const count = Number(process.argv[2])
const payloads = [...reports()]
let chunk = ''
for (let i = 0; i < count; i++) {
	const payload = payloads[i % payloads.length]
	const turn = Math.floor(i / payloads.length)
	chunk += JSON.stringify({ ...payload, occurred_at: new Date(Date.parse(payload.occurred_at) + turn * 1000).toISOString() }) + '\n'
	if (chunk.length > 1 << 20) {
		if (!process.stdout.write(chunk)) await once(process.stdout, 'drain')
		chunk = ''
	}
}
process.stdout.write(chunk)
