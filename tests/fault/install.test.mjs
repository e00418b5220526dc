// CREATE EXTENSION takes over nothing that somebody else has put in its way, and its schema and objects belong to a role that nobody is.
import assert from "node:assert/strict"
import { after, before, test } from "node:test"
import { Cluster } from "./cluster.mjs"

const ROLES = ["qehs_owner", "qehs_shim", "qehs_admin", "qehs_reporter"]
let cluster

before(async () => {
	cluster = await Cluster.create()
	cluster.sql("DROP EXTENSION qehs")
	for (const role of ROLES)
		cluster.sql(`DROP OWNED BY ${role}; DROP ROLE ${role}`)
	cluster.sql("CREATE ROLE mallory LOGIN CREATEROLE; GRANT CREATE ON DATABASE postgres TO mallory")
})

after(() => cluster.remove())

// What somebody did before the extension is made; as mallory unless it says otherwise.
const refused = (name, prepare, message) => test(name, () => {
	cluster.sql(`SET ROLE mallory; ${prepare}`)
	try {
		assert.throws(() => cluster.sql("CREATE EXTENSION qehs"), message)
	} finally {
		cluster.sql(`DROP SCHEMA IF EXISTS qehs CASCADE; ${ROLES.map((role) => `DROP ROLE IF EXISTS ${role}`).join("; ")}; DROP ROLE IF EXISTS another`)
	}
})

refused("an owner that can log in is refused", "CREATE ROLE qehs_owner LOGIN", /role "qehs_owner" exists already.*\n.*it can log in/s)
refused("an owner that somebody is a member of is refused", "CREATE ROLE qehs_owner; GRANT qehs_owner TO mallory", /role "qehs_owner" exists already.*members/s)
refused("a shim with CREATEROLE is refused", "CREATE ROLE qehs_shim LOGIN CREATEROLE", /role "qehs_shim" exists already.*CREATEROLE/s)
refused("a superuser is refused", "RESET ROLE; CREATE ROLE qehs_admin SUPERUSER", /role "qehs_admin" exists already.*SUPERUSER/s)
refused("an admin with members that no superuser gave it is refused", "CREATE ROLE qehs_admin; GRANT qehs_admin TO mallory",
	/role "qehs_admin" exists already.*members that no superuser/s)
refused("a shim that is a member of another role is refused", "CREATE ROLE qehs_shim; CREATE ROLE another; GRANT another TO qehs_shim",
	/role "qehs_shim" exists already.*member of another role/s)
refused("a schema of somebody else is refused", "CREATE SCHEMA qehs", /schema "qehs" exists already/)

test("roles that another database's extension made are taken, with members that a superuser gave them", () => {
	for (const role of ROLES)
		cluster.sql(`CREATE ROLE ${role}`)
	cluster.sql("ALTER ROLE qehs_shim LOGIN; CREATE ROLE dba; GRANT qehs_admin TO dba; CREATE EXTENSION qehs")
	assert.equal(cluster.sql("SELECT nspowner::regrole FROM pg_namespace WHERE nspname = 'qehs'"), "qehs_owner")
	assert.equal(cluster.sql(`SELECT count(*) FROM pg_class AS c WHERE relnamespace = 'qehs'::regnamespace AND relkind <> 'i' AND relowner <> 'qehs_owner'::regrole`), "0")
	cluster.sql("CREATE DATABASE second")
	const second = { name: "second", get conninfo() { return cluster.conninfo.replace("dbname=postgres", "dbname=second") }, sql: Cluster.prototype.sql }
	second.sql("CREATE EXTENSION qehs")
	assert.equal(second.sql("SET ROLE dba; SELECT qehs.tenant_create('t', 'T') ->> 'slug'"), "t")
	assert.throws(() => second.sql("SET ROLE dba; SELECT * FROM qehs.api_key"), /permission denied/)
	assert.throws(() => second.sql("SET ROLE mallory; DROP SCHEMA qehs CASCADE"), /must be owner/)
})
