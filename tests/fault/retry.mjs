// One HTTP request to a shim of the test's own, and the client that retries every unclear answer with its key.
import assert from "node:assert/strict"
import { agent, assertProblem, request } from "../http/lib/client.mjs"
import { contractOf, sleep } from "./cluster.mjs"

export { agent }

// Every answer is held against the document of the shim at this port; json is null when there is none.
export const send = async (port, key, method, path, body, headers = {}) => {
	const answer = await request(method, path, {
		key, json: body, headers, url: new URL(`http://127.0.0.1:${port}`), from: "127.0.0.1", timeout: 20000, contract: contractOf(port),
	})
	return { ...answer, json: answer.json ?? null }
}

// A problem that is whole, tells nothing of what is inside, and says when to come back where that helps.
export function assertFault(answer, status, code) {
	assertProblem(answer, status, code)
	assert.doesNotMatch(answer.text, /secret|qehs\.\w|plpgsql|\.c:|\/data|base\/\d|process \d/i)
}

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
