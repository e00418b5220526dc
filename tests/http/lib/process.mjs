// Processes that tests start, their ports, and waiting for what they do.
//
// What a test file has started ends with its process, however that ends: after a failure, a time limit, or Ctrl-C. node --test tells a file that takes
// too long to end by SIGTERM, and no hook of the file runs then.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import net from 'node:net'

const children = new Set()
const works = new Set()

process.once('SIGTERM', () => process.exit(143))
process.on('exit', () => {
	for (const child of children)
		child.kill('SIGKILL')
	for (const work of works)
		work()
})

// spawn() of a process that is killed when this one ends.
export function start(command, args, options) {
	const child = spawn(command, args, options)
	children.add(child)
	child.once('exit', () => children.delete(child))
	return child
}

// Call work (which may not be asynchronous) when this process ends. Gives a function that takes that back.
export function atExit(work) {
	works.add(work)
	return () => works.delete(work)
}

// A TCP port that nobody listens on. It is below those that the kernel gives to clients (ip_local_port_range), so that no connection takes it before
// its server starts, or while that is away; and by chance, so that files that run side by side hardly ever meet.
export async function freePort() {
	for (;;) {
		const port = 10000 + Math.floor(Math.random() * 20000)
		const free = await new Promise((resolve) => {
			const server = net.createServer().once('error', () => resolve(false)).listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
		})
		if (free)
			return port
	}
}

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

// Until holds gives true; what says what did not come true. The limit is for what never does: a busy machine takes its time.
export async function until(what, holds, pause = 25) {
	for (const limit = Date.now() + 120000; Date.now() < limit; await sleep(pause))
		if (await holds())
			return
	assert.fail(`it did not come true in two minutes: ${what}`)
}
