// SQL statements of a GraphQL operation, counted by pg_stat_statements: one for each root field and for each list or object below,
// whatever the number of rows.
import assert from "node:assert/strict"
import { test } from "node:test"
import { stage } from "./cluster.mjs"
import { send } from "./retry.mjs"

const ROWS = 50
// one connection, so that what has been read once is at hand
const made = stage("graphql", {
	flags: ["--connections", "1"],
	settings: ["shared_preload_libraries = 'qehs,pg_stat_statements'", "pg_stat_statements.track = all"],
	prepare: ({ cluster }) => cluster.sql(`CREATE EXTENSION pg_stat_statements; SELECT qehs.use_tenant('graphql');
		SELECT qehs.module_publish('tasks', '{"key":"tasks","name":"Tasks","displayCode":{"prefix":"TSK"},"fields":[{"key":"title","type":"text"},
			{"key":"incident","type":"record-reference","references":"incidents","indexed":true},{"key":"owner","type":"user"}],
			"workflow":{"states":["open"],"initial":"open","transitions":{}}}');
		SELECT qehs.user_create('user' || i, 'User ' || i) FROM generate_series(1, 20) AS i;
		SELECT qehs.record_create('incidents', jsonb_build_object('title', 't' || i, 'severity', 'low')) FROM generate_series(1, ${ROWS}) AS i;
		SELECT qehs.record_create('tasks', jsonb_build_object('title', 'task ' || n, 'incident', item ->> 'id', 'owner',
			(SELECT id FROM qehs.user_account ORDER BY user_name OFFSET n LIMIT 1)))
		FROM json_array_elements(qehs.record_list('incidents', page_size => ${ROWS}) -> 'items') AS item, generate_series(1, 3) AS n;
		SELECT qehs.attachment_create(item ->> 'id', n || '.txt', 'text/plain')
		FROM json_array_elements(qehs.record_list('incidents', page_size => ${ROWS}) -> 'items') AS item, generate_series(1, 2) AS n`),
})

// What the operation reads: statements on tables of records, events, users and so on, by their calls. That of request_begin and
// the like are the same for every operation; the first run fills caches and plans.
async function count(query) {
	const ask = async () => {
		const answer = await send(made.shim.port, made.key, "POST", "/api/graphql", { query })
		assert.equal(answer.status, 200, answer.text)
		assert.equal(answer.json.errors, undefined, answer.text)
		return answer.json.data
	}
	await ask()
	return fewest(async () => {
		const data = await ask()
		const statements = JSON.parse(made.cluster.sql(`SELECT coalesce(json_agg(json_build_object('calls', calls, 'query', left(query, 300))), '[]')
			FROM pg_stat_statements WHERE userid = 'qehs_owner'::regrole AND NOT toplevel`))
		return { data, statements, calls: statements.reduce((sum, { calls }) => sum + calls, 0) }
	})
}

// The result with the fewest calls of three: what the shim does every few seconds of its own may fall into one.
async function fewest(counted) {
	const results = []
	for (let i = 0; i < 3; i++) {
		made.cluster.sql("SELECT pg_stat_statements_reset()")
		results.push(await counted())
	}
	return results.sort((a, b) => a.calls - b.calls)[0]
}

let none
test("an operation that reads nothing shows what a request costs by itself", async () => {
	none = await count("{ __typename }")
	assert.ok(none.calls <= 2, JSON.stringify(none.statements))
})

for (const limit of [1, ROWS])
	test(`a page of ${limit} with four lists below is five statements`, async () => {
		const { data, statements, calls } = await count(`{ incidentsList(limit: ${limit}) { id title tasksByIncident { id title } attachments { id }
			activity { type at actor { displayName } changes { path } } open: tasksByIncident(filter: {title: "task 1"}) { displayCode } } }`)
		assert.equal(data.incidentsList.length, limit)
		assert.deepEqual(data.incidentsList.map(({ attachments }) => attachments.length), Array(limit).fill(2))
		assert.equal(data.incidentsList[0].tasksByIncident.length, 3)
		assert.equal(data.incidentsList[0].activity[0].actor.displayName, "System")
		assert.equal(calls - none.calls, 5, JSON.stringify(statements, null, 1))
	})

for (const limit of [1, ROWS])
	test(`a page of ${limit} with references, creators and owners two levels down is one statement for each`, async () => {
		const { data, statements, calls } = await count(`{ tasksList(limit: ${limit}) { title owner { displayName } createdBy { displayName }
			incident { title createdBy { displayName } attachments { filename } tasksByIncident { title owner { userName } } } attachments { id }
			availableTransitions { name } } }`)
		assert.equal(data.tasksList[0].incident.tasksByIncident.length, 3)
		assert.ok(data.tasksList[0].owner.displayName)
		// the one record that one task names is read by the index on ids, without a statement
		assert.equal(calls - none.calls, limit === 1 ? 8 : 9, JSON.stringify(statements, null, 1))
	})

test("actors of events who are not at hand are one statement, however many they are", async () => {
	const calls = []
	for (const limit of [1, ROWS]) {
		// twenty users comment on records in turn; a change of a user makes all of them be read anew
		made.cluster.sql(`SELECT qehs.use_tenant('graphql', 'user' || i), qehs.record_update(item ->> 'id', '{"title":"by ${limit}"}') FROM (SELECT row_number() OVER () % 20 + 1 AS i, item
			FROM (SELECT qehs.use_tenant('graphql')) AS t, json_array_elements(qehs.record_list('incidents', page_size => ${ROWS}) -> 'items') AS item) AS r`)
		const query = `{ incidentsList(limit: ${limit}) { activity(limit: 2) { actor { displayName } } } }`
		await count(query)
		calls.push((await fewest(async () => {
			made.cluster.sql("UPDATE qehs.user_account SET display_name = display_name")
			made.cluster.sql("SELECT pg_stat_statements_reset()")
			const { json } = await send(made.shim.port, made.key, "POST", "/api/graphql", { query })
			const names = new Set(json.data.incidentsList.map(({ activity }) => activity[0].actor.displayName))
			assert.equal(names.size, Math.min(limit, 20), [...names].join())
			return { calls: Number(made.cluster.sql("SELECT sum(calls) FROM pg_stat_statements WHERE userid = 'qehs_owner'::regrole AND NOT toplevel")) }
		})).calls)
	}
	assert.equal(calls[0], calls[1])
})

for (const limit of [1, ROWS])
	test(`comments and links of a page of ${limit}, with the records at their other ends, are three statements`, async () => {
		if (limit === 1)
			made.cluster.sql(`SELECT qehs.use_tenant('graphql'); SELECT qehs.record_comment(item ->> 'id', 'comment ' || n)
				FROM json_array_elements(qehs.record_list('incidents', page_size => ${ROWS}) -> 'items') AS item, generate_series(1, 2) AS n`)
		const { data, statements, calls } = await count(`{ incidentsList(limit: ${limit}) { comments { body createdBy { displayName } mentions { displayName } }
			links { direction fields record { displayCode ... on Task { title } } } } }`)
		assert.equal(data.incidentsList.length, limit)
		assert.ok(data.incidentsList.every(({ comments, links }) => comments.length === 2 && links.length === 3 && links[0].record.title))
		assert.equal(calls - none.calls, 3, JSON.stringify(statements, null, 1))
	})

test("totalCount is counted only when it is asked for", async () => {
	assert.equal((await count("{ incidents(first: 5) { nodes { id } } }")).calls - none.calls, 1)
	const { data, calls } = await count("{ incidents(first: 5) { nodes { id } totalCount } }")
	assert.deepEqual([data.incidents.totalCount, calls - none.calls], [ROWS, 2])
	assert.equal((await count("{ incidents { totalCount } }")).calls - none.calls, 1)
})
