// One HTTP request on a connection of an agent, and the client that retries every unclear answer with its key.
import http from "node:http"
import { sleep } from "./cluster.mjs"

export const agent = new http.Agent({ keepAlive: true, maxSockets: 64 })

export const send = (port, key, method, path, body, headers = {}) => new Promise((resolve, reject) => {
	const text = body === undefined ? undefined : JSON.stringify(body)
	const request = http.request({
		host: "127.0.0.1", port, method, path, agent, timeout: 20000,
		headers: { Authorization: `Bearer ${key}`, ...(text && { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(text) }), ...headers },
	}, (response) => {
		const chunks = []
		response.on("data", (chunk) => chunks.push(chunk))
		response.on("error", reject)
		response.on("aborted", () => reject(new Error("aborted")))
		response.on("end", () => {
			const answer = Buffer.concat(chunks).toString()
			resolve({ status: response.statusCode, headers: response.headers, text: answer, json: answer ? JSON.parse(answer) : null })
		})
	})
	request.on("timeout", () => request.destroy(new Error("timeout")))
	request.on("error", reject)
	request.end(text)
})

const unclear = (answer) => answer.status >= 500 || answer.status === 429 ||
	(answer.status === 409 && (answer.json.code === "idempotency_key_in_progress" || answer.json.code === "conflict"))

export async function persist(port, key, idempotencyKey, method, path, body, statistics) {
	for (let attempt = 0; ; attempt++) {
		try {
			const answer = await send(port, key, method, path, body, { "Idempotency-Key": idempotencyKey })
			if (!unclear(answer)) {
				statistics.replayed += answer.headers["idempotency-replayed"] === "true"
				return answer
			}
			if (answer.status === 500)
				throw Object.assign(new Error(`500: ${answer.text}`), { fatal: true })
		} catch (error) {
			if (error.fatal)
				throw error
		}
		statistics.retries++
		if (attempt > 400)
			throw new Error(`no clear answer for ${method} ${path}`)
		await sleep(20 + Math.min(attempt, 20) * 10)
	}
}
