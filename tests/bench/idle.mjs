// Memory of a server with idle connections: node idle.mjs URL PID COUNT. Each connection has had one answer and stays open.
import { readFileSync } from 'node:fs'
import { Agent, request } from 'node:http'

const [url, pid, count] = [new URL(process.argv[2]), process.argv[3], Number(process.argv[4])]
const agent = new Agent({ keepAlive: true, maxSockets: count, maxFreeSockets: count })
const resident = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024
const headers = { Authorization: `Bearer ${process.env.QEHS_BENCH_KEY}` }
const before = resident()
let closed = 0

await Promise.all(Array.from({ length: count }, () => new Promise((resolve, reject) => {
	const sent = request(url, { agent, headers }, response => response.resume().on('end', resolve))
	sent.on('socket', socket => socket.once('close', () => closed++))
	sent.on('error', reject)
	sent.end()
})))
await new Promise(resolve => setTimeout(resolve, 1000))
console.log(`${before.toFixed(1)} ${resident().toFixed(1)} ${count - closed}`)
process.exit()
