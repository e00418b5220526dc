// PostGraphile as its documents set it up for production, with as many connections as the other sides.
import { makePgService } from 'postgraphile/adaptors/pg'
import { PostGraphileAmberPreset } from 'postgraphile/presets/amber'

const { PGHOST, PGPORT, PGDATABASE, PORT, CONNECTIONS } = process.env
export default {
	extends: [PostGraphileAmberPreset],
	pgServices: [makePgService({ connectionString: `postgres://postgres@/${PGDATABASE}?host=${encodeURIComponent(PGHOST)}&port=${PGPORT}`, schemas: ['peer'], poolConfig: { max: Number(CONNECTIONS) } })],
	grafserv: { port: Number(PORT), watch: false },
	grafast: { explain: false },
}
