// Clients of a bulk load as one would not wish them: node guests.mjs URL KEY FILE, until it is killed.
//
// Two send a thousand lines and read nothing, two send a byte a second, and twice a second one sends two hundred lines and leaves.
import { readFileSync } from 'node:fs'
import net from 'node:net'

const url = new URL(process.argv[2])
const lines = readFileSync(process.argv[4], 'utf8').split('\n', 1000)
const head = `POST ${url.pathname} HTTP/1.1\r\nHost: ${url.host}\r\nAuthorization: Bearer ${process.argv[3]}\r\n`
	+ 'Content-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n'
const chunk = text => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`
const linesOf = count => chunk(lines.slice(0, count).join('\n') + '\n')

function connect() {
	const socket = net.connect(url.port, url.hostname)
	socket.on('error', () => {})
	socket.pause()
	socket.write(head)
	return socket
}
for (let i = 0; i < 2; i++) {
	connect().write(linesOf(1000))
	const slow = connect()
	const text = lines[0] + '\n'
	let at = 0
	setInterval(() => slow.write(chunk(text[at++ % text.length])), 1000)
}
setInterval(() => {
	const socket = connect()
	socket.write(linesOf(200))
	setTimeout(() => socket.destroy(), 100)
}, 500)
