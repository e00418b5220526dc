// A cluster with shims of the test's own, and the means to break them.
import { execFileSync } from "node:child_process"
import { mkdtempSync, chmodSync, readFileSync, rmSync } from "node:fs"
import net from "node:net"
import { after, before } from "node:test"
import { agent } from "../http/lib/client.mjs"
import { Contract } from "../http/lib/contract.mjs"
import { atExit, freePort, sleep, start, until } from "../http/lib/process.mjs"

export { freePort, sleep, until }

const root = new URL("../..", import.meta.url).pathname

// A script with the functions of tests/tools/cluster.sh.
export const shell = (script, ...args) =>
	execFileSync("bash", ["-c", `. tests/tools/cluster.sh; ${script}`, "cluster", ...args], { cwd: root, stdio: ["ignore", "pipe", "ignore"] })

// Does a process run still? One that nobody has waited for yet has ended, too.
const isAlive = (pid) => {
	try {
		return !/\) [ZX]/.test(readFileSync(`/proc/${pid}/stat`, "latin1"))
	} catch {
		return false
	}
}

export class Cluster {
	static async create(settings = []) {
		const cluster = await Cluster.place()
		shell('cluster_create "$1" "$2"', `${cluster.directory}/pg`, String(cluster.port))
		for (const line of settings)
			cluster.configure(line)
		shell('cluster_start "$1"', `${cluster.directory}/pg`)
		cluster.sql("CREATE EXTENSION qehs; ALTER ROLE qehs_shim LOGIN")
		return cluster
	}

	// A folder and a port, which go when this process ends.
	static async place() {
		const cluster = new Cluster()
		cluster.directory = mkdtempSync(`${process.env.QEHS_TEST_DIR ?? "/tmp"}/qehs-fault.`)
		chmodSync(cluster.directory, 0o755)
		cluster.port = await freePort()
		cluster.stays = atExit(() => cluster.remove("immediate"))
		return cluster
	}

	get conninfo() {
		return `host=${this.directory}/pg port=${this.port} dbname=postgres`
	}

	sql(text) {
		return execFileSync("psql", ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", `${this.conninfo} user=postgres`, "-c", text],
			{ encoding: "utf8", stdio: ["ignore", "pipe", "pipe"], maxBuffer: 1 << 28 }).trim()
	}

	// A line more of postgresql.conf; the last one of a setting counts, from the next start.
	configure(line) {
		shell('echo "$2" | as_postgres tee -a "$1/data/postgresql.conf"', `${this.directory}/pg`, line)
	}

	// Change a setting, or give it back its value (undefined), while the server runs: sessions have it with their next statement.
	async set(name, value) {
		const shown = () => this.sql(`SELECT setting = ${value === undefined ? "reset_val" : `'${value}'`}, sourcefile LIKE '%auto.conf' IS TRUE FROM pg_settings WHERE name = '${name}'`)
		this.sql(`ALTER SYSTEM ${value === undefined ? `RESET ${name}` : `SET ${name} = '${value}'`}`)
		this.sql("SELECT pg_reload_conf()")
		// a new session has it once the server has told the others
		await until(`${name} is ${value}`, () => shown() === `t|${value === undefined ? "f" : "t"}`)
	}

	session(user = "postgres") {
		return new Session(this, user)
	}

	// A standby that replays what this cluster writes, as pg_basebackup makes it; hot: it can be read.
	async standby(hot = true) {
		const standby = await Cluster.place()
		shell('as_postgres mkdir "$1" 2> /dev/null || { mkdir "$1"; chown postgres "$1"; }; as_postgres "$PG_BIN/pg_basebackup" -D "$1/data" -d "$2" -R -c fast', `${standby.directory}/pg`, `${this.conninfo} user=postgres`)
		for (const line of [`port = ${standby.port}`, `unix_socket_directories = '${standby.directory}/pg'`, `hot_standby = ${hot ? "on" : "off"}`])
			standby.configure(line)
		shell('cluster_start "$1"', `${standby.directory}/pg`)
		return standby
	}

	// A tenant with modules; gives a key without rate limit.
	tenant(slug, modules, rateLimit = 0) {
		this.sql(`SELECT qehs.tenant_create('${slug}', '${slug}')`)
		for (const module of modules)
			this.sql(`SELECT qehs.module_install('${slug}', '${module}')`)
		return this.key(slug, rateLimit)
	}

	key(slug, rateLimit = 0) {
		return this.sql(`SELECT qehs.use_tenant('${slug}'); SELECT qehs.api_key_create('test', rate_limit => ${rateLimit}) ->> 'key'`)
	}

	stopImmediately() {
		shell('as_postgres "$PG_BIN/pg_ctl" -D "$1/data" -m immediate -w -s stop', `${this.directory}/pg`)
	}

	// Stop as a crash would, at once: the server is told to quit, or killed between two forks; its children notice and end.
	async crash(signal = "SIGKILL") {
		const pid = Number(readFileSync(`${this.directory}/pg/data/postmaster.pid`, "utf8").split("\n")[0])
		process.kill(pid, "SIGSTOP")
		const children = execFileSync("pgrep", ["-P", String(pid)], { encoding: "utf8" }).split("\n").filter(Boolean).map(Number)
		process.kill(pid, signal)
		process.kill(pid, "SIGCONT")
		while ([pid, ...children].some(isAlive))
			await sleep(20)
		// a killed one leaves its locks, which count as held until somebody has waited for it
		for (const lock of ["data/postmaster.pid", `.s.PGSQL.${this.port}.lock`])
			rmSync(`${this.directory}/pg/${lock}`, { force: true })
	}

	// Sessions are ended, and what is committed is on disk.
	stop() {
		shell('as_postgres "$PG_BIN/pg_ctl" -D "$1/data" -m fast -w -s stop', `${this.directory}/pg`)
	}

	start() {
		shell('cluster_start "$1"', `${this.directory}/pg`)
	}

	// The server process of one of the shim's connections; gives whether there was one.
	killBackend(random) {
		let pids = []
		try {
			pids = this.sql("SELECT pid FROM pg_stat_activity WHERE usename = 'qehs_shim'").split("\n").filter(Boolean)
			if (pids.length === 0)
				return false
			process.kill(Number(pids[Math.floor(random() * pids.length)]), "SIGKILL")
			return true
		} catch {
			// still recovering from the last time, or the process has ended meanwhile
			return false
		}
	}

	remove(mode = "fast") {
		this.stays()
		try {
			shell('cluster_stop "$1" "$2"', `${this.directory}/pg`, mode)
		} finally {
			rmSync(this.directory, { recursive: true, force: true })
		}
	}
}

// A psql whose statements keep their locks, as they are in one transaction when the first of them is BEGIN.
export class Session {
	constructor(cluster, user) {
		this.process = start("psql", ["-X", "-q", "-A", "-t", "-d", `${cluster.conninfo} user=${user}`], { stdio: ["pipe", "pipe", "ignore"] })
		this.process.stdout.setEncoding("utf8")
		this.output = ""
		this.waiting = []
		this.process.stdout.on("data", (text) => {
			this.output += text
			for (let end; (end = this.output.indexOf("done\n")) >= 0; this.output = this.output.slice(end + 5))
				this.waiting.shift()()
		})
		this.gone = new Promise((resolve) => this.process.once("exit", resolve))
	}

	// Resolves once the statements have run, which may be after those that they wait for.
	run(statements) {
		this.process.stdin.write(`${statements};\n\\echo done\n`)
		return new Promise((resolve) => this.waiting.push(resolve))
	}

	// What is open is rolled back.
	async end() {
		this.process.stdin.end()
		await this.gone
	}
}

const contracts = new Map()

// The OpenAPI document of the shim at a port, as it was when the shim got ready first; of a proxy that of any.
export const contractOf = (port) => contracts.get(port) ?? contracts.values().next().value

// What most files of tests stand on: a cluster, a tenant of its modules with a key, and a shim. Its members are there once the
// first test runs. prepare changes the cluster before the shim starts; flags may be a function of the stage.
export function stage(slug, { modules = ["incidents"], rateLimit = 0, settings = [], flags = [], prepare } = {}) {
	const made = {}
	before(async () => {
		made.cluster = await Cluster.create(settings)
		made.key = made.cluster.tenant(slug, modules, rateLimit)
		prepare?.(made)
		made.shim = new Shim(made.cluster, await freePort(), typeof flags === "function" ? flags(made) : flags)
		await made.shim.ready()
	})
	after(async () => {
		agent.destroy()
		await made.shim?.stop()
		made.cluster?.remove()
	})
	return made
}

export class Shim {
	constructor(cluster, port, flags = []) {
		Object.assign(this, { cluster, port, flags, stopped: false })
		this.launch()
	}

	launch() {
		this.process = start(process.env.QEHS_SHIM_BIN ?? `${root}/qehs-shim`,
			["--listen", `127.0.0.1:${this.port}`, "--db", `${this.cluster.conninfo} user=qehs_shim`, "--log", "off", ...this.flags],
			{ stdio: ["ignore", "ignore", "inherit"] })
	}

	// Resolves when the process has ended by the signal, or before.
	async end(signal) {
		if (this.process.exitCode !== null || this.process.signalCode !== null)
			return
		const gone = new Promise((resolve) => this.process.once("exit", resolve))
		this.process.kill(signal)
		await gone
	}

	// kill -9, and another process at the same address
	async crash() {
		await this.end("SIGKILL")
		if (!this.stopped)
			this.launch()
	}

	async stop() {
		this.stopped = true
		await this.end("SIGTERM")
	}

	async ready() {
		const get = (path) => fetch(`http://127.0.0.1:${this.port}${path}`).catch(() => undefined)
		await until("the shim is ready", async () => {
			const answer = await get("/readyz")
			await answer?.arrayBuffer()
			return answer?.status === 200
		}, 50)
		await until("the shim gives its document", async () => {
			if (contracts.has(this.port))
				return true
			const answer = await get("/api/docs/spec.json")
			if (answer?.status !== 200)
				return false
			contracts.set(this.port, new Contract(await answer.json()))
			return true
		})
	}
}

// A TCP proxy that now and then cuts a connection after the request and before its answer, and all of them when it is told to.
export class CuttingProxy {
	static async create(targets, random, rate) {
		const proxy = new CuttingProxy()
		proxy.cuts = 0
		proxy.clients = new Set()
		proxy.server = net.createServer((client) => {
			const target = net.connect(targets[Math.floor(random() * targets.length)], "127.0.0.1")
			client.on("data", (data) => {
				target.write(data)
				if (random() < rate) {
					proxy.cuts++
					setTimeout(() => client.destroy(), random() * 5)
				}
			})
			target.on("data", (data) => client.destroyed || client.write(data))
			proxy.clients.add(client)
			client.on("close", () => {
				proxy.clients.delete(client)
				target.end()
			})
			target.on("close", () => client.destroy())
			client.on("error", () => target.destroy())
			target.on("error", () => client.destroy())
		})
		proxy.port = await freePort()
		await new Promise((resolve) => proxy.server.listen(proxy.port, "127.0.0.1", resolve))
		return proxy
	}

	cut() {
		this.cuts += this.clients.size
		for (const client of this.clients)
			client.resetAndDestroy()
	}

	close() {
		this.server.close()
	}
}
