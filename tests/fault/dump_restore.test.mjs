// pg_dump and restore in each form, and pg_upgrade: no row is lost, and everything that was given out before stays good.
import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { after, before, test } from "node:test"
import { Cluster, Shim, freePort, shell } from "./cluster.mjs"
import { agent, send } from "./retry.mjs"

// Filled by CREATE EXTENSION itself, with the contents of the release that restores.
const FIXED = ["endpoint", "job_kind", "module_catalogue", "openapi_component", "osha_column", "problem", "report_view"]
// what clients send again, and what tick counts again
const FORGOTTEN = ["graphql_document", "report_case", "report_fact", "report_indicator", "report_rate", "report_stay", "report_summary", "report_trail"]
const records = "/api/v1/records?moduleKey=incidents&limit=4"
const twin = { moduleKey: "incidents", payload: { title: "Twin", severity: "low" } }

let cluster
let source
const given = {}

// The cluster as a Shim needs it, with another database.
const database = (name) => ({
	name,
	get conninfo() {
		return `host=${cluster.directory}/pg port=${cluster.port} dbname=${name}`
	},
	sql: Cluster.prototype.sql,
})

const tool = (name, ...args) =>
	execFileSync("bash", ["-c", '. tests/tools/cluster.sh; "$PG_BIN/$0" "$@"', name, ...args],
		{ cwd: new URL("../..", import.meta.url).pathname, stdio: ["ignore", "pipe", "pipe"], maxBuffer: 1 << 28 })

// Number and checksum of the rows of each table, and the state of each sequence.
const contents = (db) => Object.fromEntries(db.sql(`
	SELECT relname, relkind, query_to_xml(format(CASE relkind WHEN 'S' THEN 'SELECT last_value, is_called FROM %s'
		ELSE 'SELECT count(*), md5(string_agg(md5(t::text), '''' ORDER BY t::text COLLATE "C")) FROM %s AS t' END, oid::regclass), true, true, '')
	FROM pg_class WHERE relnamespace = 'qehs'::regnamespace AND relkind IN ('r', 'p', 'S') ORDER BY relname`)
	.split(/\n(?=\w+\|)/).map((line) => [line.split("|")[0], line]))

async function served(db, work) {
	const shim = new Shim(db, await freePort())
	try {
		await shim.ready()
		return await work(shim.port)
	} finally {
		await shim.stop()
	}
}

async function fillTenant(port, slug, key) {
	source.sql(`SELECT qehs.use_tenant('${slug}');
		SELECT qehs.user_create('${slug}.user', 'A user', 'user@${slug}.example', '{tenant-user,manager}');
		SELECT qehs.rate_limit_set('bulk', 3);
		SELECT qehs.location_put('world', 'World');
		SELECT qehs.calendar_set('Europe/Berlin', opens => '08:00', closes => '17:00', holidays => '{2026-12-25}');
		SELECT qehs.module_publish('badges', '{"key":"badges","name":"Badges","displayCode":{"prefix":"BDG"},"fields":[{"key":"badge","type":"identifier"}],
			"workflow":{"states":["open"],"initial":"open"},"permissions":{"roles":{"tenant-user":["read"]}}}');
		SELECT qehs.record_create('badges', '{"badge":"B1"}');
		SELECT qehs.record_create('incidents', jsonb_build_object('title', 't' || i, 'severity', 'low')) FROM generate_series(1, 9) AS i;
		SELECT qehs.module_publish('notes', '{"key":"notes","name":"Notes","displayCode":{"prefix":"NOT"},"fields":[{"key":"about","type":"record-reference"}],
			"workflow":{"states":["open","told","closed"],"initial":"open","deadlines":{"told":{"due":"P1D","calendar":"business","escalate":[{"after":"P1D","event":"note.late","to":["manager"]}]}},"transitions":{"tell":{"from":"open","to":"told","effects":[{"event":"note.told"}]},
			"close":{"from":"told","to":"closed","approvers":{"count":2,"role":"tenant-user"}}}},"permissions":{"roles":{"tenant-user":["read","transition"]}}}');
		SELECT qehs.user_create('${slug}.other', 'Another');
		SELECT qehs.delegation_create('${slug}.user', '2026-01-01', '2099-01-01', '${slug}.other');
		SELECT qehs.record_transition(qehs.record_create('notes', jsonb_build_object('about', qehs.record_list('badges') -> 'items' -> 0 ->> 'id')) ->> 'id', 'tell');
		SELECT qehs.record_comment(qehs.record_list('notes') -> 'items' -> 0 ->> 'id', 'Seen, @${slug}.user');
		SELECT qehs.use_tenant('${slug}', '${slug}.user');
		SELECT qehs.signature_credential_set('the secret of a user');
		SELECT qehs.record_approve(qehs.record_list('notes') -> 'items' -> 0 ->> 'id', 'close');
		SELECT qehs.use_tenant('${slug}');
		SELECT qehs.record_create('badges', '{"badge":"purged"}');
		SELECT qehs.record_delete(qehs.record_list('badges', '{"badge":"purged"}') -> 'items' -> 0 ->> 'id');
		SELECT qehs.record_purge(r.id::text, 'old') FROM qehs.record AS r JOIN qehs.tenant AS t ON t.id = r.tenant_id WHERE t.slug = '${slug}' AND r.payload ->> 'badge' = 'purged';
		SELECT qehs.legal_hold_create('claim', ARRAY[qehs.record_list('badges') -> 'items' -> 0 ->> 'id']);
		CREATE ROLE reports_of_${slug} LOGIN;
		SELECT qehs.reporter_grant('reports_of_${slug}', '${slug}')`)
	const first = await send(port, key, "GET", records)
	assert.equal(first.status, 200, first.text)
	const rest = await send(port, key, "GET", `${records}&cursor=${first.json.nextCursor}`)
	const id = first.json.items[0].id
	assert.equal((await send(port, key, "PATCH", `/api/v1/records/${id}`, { payload: { title: "changed" } })).status, 200)
	assert.equal((await send(port, key, "DELETE", `/api/v1/records/${first.json.items[1].id}`)).status, 204)
	const made = await send(port, key, "POST", "/api/v1/records", twin, { "Idempotency-Key": `${slug}-twin` })
	assert.equal(made.status, 201, made.text)
	const spare = await send(port, key, "POST", "/api/v1/api-keys", { name: "spare", scopes: ["records.read"], roles: ["tenant-user"] })
	assert.equal(spare.status, 201, spare.text)
	return { key, spare: spare.json.key, cursor: first.json.nextCursor, rest: rest.json.items, id, made: made.json }
}

before(async () => {
	cluster = await Cluster.create()
	source = database("postgres")
	source.sql(`SELECT qehs.jsonschema_register('https://example.com/size', '{"type":"integer","minimum":1}')`)
	// a table of the user's, with a schema of its own and with a registered one: only as NOT VALID, which pg_dump makes after the data
	source.sql(`CREATE TABLE measured (size jsonb CONSTRAINT own CHECK (qehs.jsonschema_is_valid('{"type":"integer"}', size)));
		ALTER TABLE measured ADD CONSTRAINT registered CHECK (qehs.jsonschema_is_valid('{"$ref":"https://example.com/size"}', size)) NOT VALID;
		INSERT INTO measured VALUES ('1'), ('2')`)
	const keys = ["one", "two"].map((slug) => [slug, cluster.tenant(slug, ["incidents", "capa"])])
	await served(source, async (port) => {
		for (const [slug, key] of keys)
			given[slug] = await fillTenant(port, slug, key)
	})
	// no function queues what runs outside before exports are there
	source.sql(`INSERT INTO qehs.job (tenant_id, id, kind, created_at, not_before, created_by)
		SELECT id, gen_random_uuid(), 'export', now(), now(), '00000000-0000-0000-0000-000000000000' FROM qehs.tenant`)
	source.sql(`SELECT qehs.audit_seal(slug) FROM qehs.tenant`)
	// files and what identity providers keep, as rows: their own tests tell how they come about
	source.sql(`INSERT INTO qehs.attachment (tenant_id, id, filename, content_type, created_at, created_by)
			SELECT id, 'ffffffff-ffff-7fff-bfff-ffffffffffff', 'note.txt', 'text/plain', now(), '00000000-0000-0000-0000-000000000000' FROM qehs.tenant;
		INSERT INTO qehs.object_removal (tenant, object) SELECT slug, 'att_01KQ0000000000000000000000' FROM qehs.tenant;
		INSERT INTO qehs.scim_setting SELECT id, true FROM qehs.tenant;
		INSERT INTO qehs.scim_schema (urn, name, description) VALUES ('urn:example:Device', 'Device', 'A device');
		INSERT INTO qehs.scim_attribute (schema_urn, path) VALUES ('urn:example:Device', 'serial');
		INSERT INTO qehs.scim_resource_type (name, endpoint, description, schema_urn) VALUES ('Device', '/Devices', 'Devices', 'urn:example:Device');
		INSERT INTO qehs.scim_resource (tenant_id, resource_type) SELECT id, 'Device' FROM qehs.tenant;
		INSERT INTO qehs.scim_group_role SELECT tenant_id, min(id::text)::uuid, max(id::text)::uuid FROM qehs.role GROUP BY tenant_id;
		INSERT INTO qehs.scim_unresolved_member SELECT tenant_id, min(id::text)::uuid, 'someone' FROM qehs.role GROUP BY tenant_id`)
	// cursors of before a rotation are to live on as well
	source.sql("SELECT qehs.secret_rotate()")
})

after(() => {
	agent.destroy()
	cluster.remove()
})

const superuser = (db) => `${db.conninfo} user=postgres`
const load = (target, file) => tool("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", superuser(target), "-f", file)
const unpack = (target, file, ...flags) => tool("pg_restore", "--exit-on-error", ...flags, "-d", superuser(target), file)
let dumps = 0
const dump = (format, ...flags) => {
	const file = `${cluster.directory}/${++dumps}.dump`
	tool("pg_dump", `--format=${format}`, ...flags, "-f", file, "-d", superuser(source))
	return file
}
// A constraint with a registered schema needs rows of another table, and what pg_dump makes before the rows has it: README says so.
const withoutRegistered = (target) => target.sql("ALTER TABLE measured DROP CONSTRAINT registered")

const FORMS = {
	plain: (target) => load(target, dump("plain")),
	custom: (target) => unpack(target, dump("custom")),
	tar: (target) => unpack(target, dump("tar")),
	directory_parallel: (target) => unpack(target, dump("directory", "-j4"), "-j4"),
	custom_parallel: (target) => unpack(target, dump("custom"), "-j4"),
	inserts: (target) => load(target, dump("plain", "--inserts")),
	sections: (target) => {
		const file = dump("custom")
		for (const section of ["pre-data", "data", "post-data"])
			unpack(target, file, `--section=${section}`)
	},
	sections_parallel: (target) => {
		const file = dump("directory", "-j4")
		for (const section of ["pre-data", "data", "post-data"])
			unpack(target, file, "-j4", `--section=${section}`)
	},
	data_after_schema: (target) => {
		load(target, dump("plain", "--schema-only"))
		withoutRegistered(target)
		load(target, dump("plain", "--data-only"))
	},
	data_after_schema_parallel: (target) => {
		const file = dump("directory", "-j4")
		unpack(target, file, "--schema-only")
		withoutRegistered(target)
		unpack(target, file, "--data-only", "-j4")
	},
}

function restore(form) {
	const target = database(`restored_${form}`)
	tool("createdb", "-T", "template0", "--maintenance-db", superuser(source), target.name)
	FORMS[form](target)
	return target
}

// What one tenant was given before the dump is good in the restored database.
async function stillGood(port, { key, spare, cursor, rest, id, made }, slug) {
	const page = await send(port, spare, "GET", `${records}&cursor=${cursor}`)
	assert.equal(page.status, 200, page.text)
	assert.deepEqual(page.json.items, rest)
	const replay = await send(port, key, "POST", "/api/v1/records", twin, { "Idempotency-Key": `${slug}-twin` })
	assert.equal(replay.headers["idempotency-replayed"], "true")
	assert.deepEqual(replay.json, made)
	const activity = await send(port, key, "GET", `/api/v1/records/${id}/activity`)
	assert.deepEqual(activity.json.items.map((event) => event.type), ["updated", "created"])
	const next = await send(port, key, "POST", "/api/v1/records", twin)
	assert.equal(next.status, 201, next.text)
	assert.equal(Number(next.json.displayCode.split("-").at(-1)), Number(made.displayCode.split("-").at(-1)) + 1)
}

for (const form of Object.keys(FORMS))
	test(`a dump restored as ${form} has every row and what was given out`, async () => {
		const target = restore(form)
		const before = contents(source)
		const empty = Object.entries(before).filter(([, line]) => /<count>0</.test(line)).map(([name]) => name).filter((name) => !FORGOTTEN.includes(name))
		assert.deepEqual(empty, [], "the test has data in each table")
		assert.deepEqual(contents(target), before)
		for (const slug of ["one", "two"])
			assert.equal(target.sql(`SELECT coalesce(qehs.audit_verify('${slug}') ->> 'fault', 'fits')`), "fits")
		await served(target, async (port) => {
			for (const slug of ["one", "two"])
				await stillGood(port, given[slug], slug)
		})
		for (const slug of ["one", "two"]) {
			const reports = `SET ROLE reports_of_${slug}; SELECT count(*), string_agg(title, ' ' ORDER BY id) FROM report_${slug}.incidents WHERE title LIKE 't%'`
			assert.equal(target.sql(reports), source.sql(reports))
		}
		// the identity of tenants goes on
		assert.equal(target.sql(`SELECT qehs.tenant_create('three', 'Three');
			SELECT id = (SELECT max(id) FROM qehs.tenant WHERE slug <> 'three') + 1 FROM qehs.tenant WHERE slug = 'three'`).split("\n").at(-1), "t")
	})

for (const format of ["plain", "custom"])
	test(`constraints with schemas hold in what a ${format} dump restores`, () => {
		const target = database(`restored_${format}`)
		assert.equal(target.sql("SELECT count(*) FROM measured"), "2")
		assert.throws(() => target.sql("INSERT INTO measured VALUES ('1.5')"), /violates check constraint "own"/)
		assert.throws(() => target.sql("INSERT INTO measured VALUES ('0')"), /violates check constraint "registered"/)
		target.sql("INSERT INTO measured VALUES ('3')")
	})

test("what a release fills itself is not in the dump", () => {
	const text = tool("pg_dump", "--data-only", "-d", `${source.conninfo} user=postgres`).toString()
	const dumped = [...text.matchAll(/^COPY qehs\.(\w+) /gm)].map((match) => match[1])
	const tables = Object.entries(contents(source)).filter(([, line]) => !line.includes("|S|")).map(([name]) => name)
	assert.deepEqual(tables.filter((name) => !dumped.includes(name)), [...FIXED, ...FORGOTTEN].sort())
})

test("the extension goes and comes back", () => {
	const target = database("restored_custom")
	target.sql("DROP TABLE measured; DROP SCHEMA report_one, report_two CASCADE; DROP EXTENSION qehs")
	for (const [catalog, column] of [["pg_class", "relnamespace"], ["pg_proc", "pronamespace"], ["pg_type", "typnamespace"]])
		assert.equal(target.sql(`SELECT count(*) FROM ${catalog} WHERE ${column} = (SELECT oid FROM pg_namespace WHERE nspname = 'qehs')`), "0")
	target.sql("CREATE EXTENSION qehs")
	target.sql(`SELECT qehs.tenant_create('one', 'One'); SELECT qehs.module_install('one', 'incidents')`)
	assert.equal(target.sql(`SELECT qehs.use_tenant('one'); SELECT qehs.record_create('incidents', '{"title":"t","severity":"low"}') ->> 'displayCode' LIKE '%-0001'`)
		.split("\n").at(-1), "t")
})

test("pg_upgrade keeps every row and what was given out", async () => {
	const before = contents(source)
	const upgraded = { directory: `${cluster.directory}/new`, port: await freePort() }
	cluster.stop()
	shell(`cluster_create "$1/pg" "$2"
		chmod 777 "$1"
		cd "$1" && as_postgres "$PG_BIN/pg_upgrade" -b "$PG_BIN" -B "$PG_BIN" -d "$3/data" -D "$1/pg/data" -p "$4" -P "$2" -s "$1" > "$1/log" 2>&1 || { cat "$1/log"; exit 1; }`,
	upgraded.directory, String(upgraded.port), `${cluster.directory}/pg`, String(cluster.port))
	shell('cluster_start "$1/pg"', upgraded.directory)
	try {
		const target = { name: "postgres", conninfo: `host=${upgraded.directory}/pg port=${upgraded.port} dbname=postgres`, sql: Cluster.prototype.sql }
		assert.deepEqual(contents(target), before)
		await served(target, async (port) => {
			for (const slug of ["one", "two"])
				await stillGood(port, given[slug], slug)
		})
	} finally {
		shell('cluster_stop "$1/pg"', upgraded.directory)
		cluster.start()
	}
})
