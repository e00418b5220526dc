// What an error of PostgreSQL means to a client: each SQLSTATE that can reach one has its answer, nothing of its text leaves the
// shim, and what failed only because two met is tried again where that is safe.
import assert from "node:assert/strict"
import { test } from "node:test"
import { Shim, freePort, stage } from "./cluster.mjs"
import { assertFault as assertProblem, send } from "./retry.mjs"

const at = stage("errors", {
	// an insert into qehs.record fails as the row of fault says, for its first turns; a sequence counts on over rollbacks
	prepare: ({ cluster }) => cluster.sql(`CREATE TABLE public.fault (state text, turns int); INSERT INTO public.fault VALUES (NULL, 0); CREATE SEQUENCE public.turn;
		CREATE FUNCTION public.fail() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
		DECLARE fault public.fault;
		BEGIN
			SELECT * INTO fault FROM public.fault;
			IF fault.state IS NOT NULL AND pg_catalog.nextval('public.turn') <= fault.turns THEN
				RAISE EXCEPTION 'secret cause in qehs.record' USING ERRCODE = fault.state, DETAIL = 'secret detail', HINT = 'secret hint';
			END IF;
			RETURN NEW;
		END $$;
		CREATE TRIGGER fail BEFORE INSERT ON qehs.record FOR EACH ROW EXECUTE FUNCTION public.fail()`),
})

const failWith = (state, turns = 1000) => at.cluster.sql(`UPDATE public.fault SET state = ${state ? `'${state}'` : "NULL"}, turns = ${turns}; ALTER SEQUENCE public.turn RESTART`)
const create = (headers = {}, title = "t") => send(at.shim.port, at.key, "POST", "/api/v1/records", { moduleKey: "incidents", payload: { title, severity: "low" } }, headers)
const turns = () => Number(at.cluster.sql("SELECT last_value FROM public.turn"))

for (const [state, status, code] of [["40001", 409, "conflict"], ["40P01", 409, "conflict"], ["55P03", 409, "conflict"], ["57014", 504, "timeout"],
	["53000", 503, "unavailable"], ["53100", 503, "unavailable"], ["53200", 503, "unavailable"], ["53300", 503, "unavailable"], ["25006", 503, "unavailable"],
	["57P01", 503, "unavailable"], ["57P03", 503, "unavailable"], ["08006", 503, "unavailable"], ["54000", 413, "payload_too_large"], ["22P02", 400, "invalid_parameter"],
	["22021", 400, "invalid_parameter"], ["XX000", 500, "internal"], ["P0001", 500, "internal"], ["42501", 500, "internal"], ["58030", 500, "internal"]])
	test(`${state} is ${status} ${code}`, async () => {
		failWith(state)
		assertProblem(await create(), status, code)
		failWith(null)
		assert.equal((await create()).status, 201, "the connection is good for the next request")
	})

for (const state of ["40001", "40P01"]) {
	test(`${state} is tried up to three times more for a request with a key, and takes effect once`, async () => {
		failWith(state, 3)
		assert.equal((await create({ "Idempotency-Key": `three ${state}` }, `three ${state}`)).status, 201)
		assert.equal(turns(), 4)
		failWith(state, 4)
		assertProblem(await create({ "Idempotency-Key": `four ${state}` }), 409, "conflict")
		assert.equal(turns(), 4)
		failWith(null)
		assert.equal(at.cluster.sql(`SELECT count(*) FROM qehs.record WHERE payload ->> 'title' = 'three ${state}'`), "1")
	})
	test(`${state} of a change without a key is for its sender to repeat`, async () => {
		failWith(state, 1)
		assertProblem(await create(), 409, "conflict")
		assert.equal(turns(), 1)
		failWith(null)
	})
}

test("a statement that takes too long is 504", async () => {
	at.cluster.sql("ALTER ROLE qehs_shim SET statement_timeout = '3s'")
	const hasty = new Shim(at.cluster, await freePort())
	const holder = at.cluster.session()
	try {
		await hasty.ready()
		await holder.run("BEGIN; LOCK TABLE qehs.record")
		assertProblem(await send(hasty.port, at.key, "GET", "/api/v1/records?moduleKey=incidents"), 504, "timeout")
	} finally {
		await holder.end()
		at.cluster.sql("ALTER ROLE qehs_shim RESET statement_timeout")
		await hasty.stop()
	}
})

test("a database that takes no writes is 503 for changes, and can be read", async () => {
	at.cluster.sql("ALTER ROLE qehs_shim SET default_transaction_read_only = on")
	const reader = new Shim(at.cluster, await freePort())
	try {
		await reader.ready()
		assert.equal((await send(reader.port, at.key, "GET", "/api/v1/records?moduleKey=incidents")).status, 200)
		assertProblem(await send(reader.port, at.key, "POST", "/api/v1/records", { moduleKey: "incidents", payload: { title: "t", severity: "low" } }), 503, "unavailable")
	} finally {
		at.cluster.sql("ALTER ROLE qehs_shim RESET default_transaction_read_only")
		await reader.stop()
	}
})

test("while the server is away answers are 503, afterwards they are good again", async () => {
	at.cluster.stopImmediately()
	assertProblem(await create(), 503, "unavailable")
	assertProblem(await send(at.shim.port, at.key, "GET", "/readyz"), 503, "unavailable")
	assert.equal((await send(at.shim.port, at.key, "GET", "/healthz")).status, 200)
	at.cluster.start()
	await at.shim.ready()
	assert.equal((await create()).status, 201)
})
