// Runs a script of this folder: gives {status, said} with all that it printed.
import { spawn } from 'node:child_process'

export const runScript = (name, args = [], env = {}) => new Promise((resolve, reject) => {
	// the folder has servers of its own: none of this run's addresses goes along, nor the runner's word to its children
	const own = Object.entries(process.env).filter(([key]) => !/^(PG|QEHS_(?!DEBIAN)|NODE_TEST)/.test(key))
	const child = spawn(new URL(name, import.meta.url).pathname, args, { env: { ...Object.fromEntries(own), ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
	let said = ''
	for (const stream of [child.stdout, child.stderr])
		stream.setEncoding('utf8').on('data', text => said += text)
	child.on('error', reject).on('close', status => resolve({ status, said }))
})
