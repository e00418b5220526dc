# shellcheck shell=bash
# What workflow and audit cost (BENCH_ONLY=workflow), sourced by run.sh: a transition with roles, requires, when and audit against a plain
# prepared UPDATE and two INSERTs, the audit event of a create, and the verification of BENCH_EVENTS (1000000) events.
#
# Without durable commits, behind which the work would hide. One pgbench transaction is one transition; 4 connections walk records of their own
# choice there and back; the plain tables have the indexes of the real ones, and no chain. The event's share of a create is what a plain INSERT of it, with its chain, adds to that of the record.

# shellcheck disable=SC2154
prepare_workflow() {
	local i
	"$PG_BIN/psql" -X -q -v ON_ERROR_STOP=1 -o /dev/null -f - <<-'SQL'
		SELECT qehs.tenant_create('flow', 'Flow');
		SELECT qehs.use_tenant('flow');
		SELECT qehs.user_create('mover', 'Mover', roles => '{mover}');
		SELECT qehs.module_publish('moves', definition || '{"key":"moves","displayCode":{"prefix":"MOV"},
			"workflow":{"states":["open","done"],"initial":"open","transitions":{
				"forth":{"from":"*","to":"done","roles":["mover"],"requires":["title","occurred_at"],"when":"exists($.title)"},
				"back":{"from":"*","to":"open","roles":["mover"],"requires":["title","occurred_at"],"when":"exists($.title)"}}},
			"permissions":{"roles":{"mover":["read","create","transition"]}}}'::jsonb) FROM qehs.module_catalogue WHERE key = 'incidents';
		SELECT count(qehs.record_create('moves', payload)) FROM (SELECT payload FROM public.sample LIMIT 2000) AS s;
		CREATE TABLE public.plain (LIKE qehs.record INCLUDING INDEXES INCLUDING STORAGE) WITH (fillfactor = 90);
		INSERT INTO public.plain SELECT * FROM qehs.record WHERE tenant_id = (SELECT id FROM qehs.tenant WHERE slug = 'flow');
		CREATE TABLE public.plain_event (LIKE qehs.audit_event INCLUDING INDEXES);
		ALTER TABLE public.plain_event ALTER digest DROP NOT NULL, ALTER id SET DEFAULT qehs.id_create();
		CREATE TABLE public.plain_outbox (tenant_id int4, id uuid DEFAULT qehs.id_create() PRIMARY KEY, event text, body jsonb);
		VACUUM ANALYZE;
	SQL
	for i in 0 1 2 3 4 5 6 7; do
		workflow_scripts "$i"
	done
	sed '/INSERT INTO qehs.audit_event/d' "$dir/insert.0.sql" > "$dir/row.0.sql"
	cp "$dir/insert.0.sql" "$dir/event.0.sql"
}

# The scripts of one record: DIR/transition.N.sql and DIR/plain.N.sql.
workflow_scripts() {
	local tenant id name state
	read -r tenant id < <("$PG_BIN/psql" -X -At -F ' ' -c "SELECT tenant_id, id FROM public.plain ORDER BY id OFFSET $1 * 100 LIMIT 1")
	for name in forth back; do
		state=$([ $name = forth ] && echo done || echo open)
		printf '%s\n' '\if :begun' '\else' "SELECT qehs.use_tenant('flow', 'mover');" '\set begun 1' '\endif' "SELECT qehs.record_transition('$id', '$name');" \
			> "$dir/transition.$1$name.sql"
		printf '%s\n' '\startpipeline' \
			"UPDATE public.plain SET workflow_state = '$state', version = version + 1, updated_at = now() WHERE tenant_id = $tenant AND id = '$id';" \
			"INSERT INTO public.plain_event (tenant_id, module_id, record_id, actor_id, at, action, from_state, to_state, transition, record_version)
				VALUES ($tenant, 1, '$id', '$id', now(), 'transitioned', 'open', '$state', '$name', 2);" \
			"INSERT INTO public.plain_outbox (tenant_id, event, body) VALUES ($tenant, 'moves.$name', '{\"id\":\"$id\",\"state\":\"$state\"}');" '\endpipeline' \
			> "$dir/plain.$1$name.sql"
	done
}

# BENCH_EVENTS events of a tenant, four of each record, sealed; the processor time of the backend that verifies them.
verify_events() {
	"$PG_BIN/psql" -X -q -v ON_ERROR_STOP=1 -v count=$((${BENCH_EVENTS:-1000000} / 4)) -o /dev/null -f - <<-'SQL'
		SET synchronous_commit = off;
		SELECT qehs.tenant_create('events', 'Events');
		SELECT format($$INSERT INTO qehs.audit_event (tenant_id, module_id, id, record_id, actor_id, at, action, from_state, to_state, record_version, changes)
			SELECT t.id, 1, qehs.id_create(), md5('record ' || n)::uuid, '00000000-0000-0000-0000-000000000000', now(), 'updated', 'open', 'open', %s,
				'[{"path":"/payload/title","from":"Wet floor","to":"Wet floor in hall 3"},{"path":"/payload/cost","from":1,"to":2}]'
			FROM generate_series(1, %s) AS n, qehs.tenant AS t WHERE t.slug = 'events'$$, version, :count) FROM generate_series(1, 4) AS version \gexec
		SELECT qehs.audit_seal('events');
	SQL
	# of the backend alone: housekeeping goes on beside it
	"$PG_BIN/psql" -X -At -f - > "$dir/verified" <<-'SQL'
		SELECT pg_backend_pid() AS pid \gset
		\setenv BACKEND :pid
		\! awk '{ print ($14 + $15) * 10 }' /proc/$BACKEND/stat
		SELECT qehs.audit_verify('events');
		\! awk '{ print ($14 + $15) * 10 }' /proc/$BACKEND/stat
	SQL
	say "$(sed -n 2p "$dir/verified")"
	result verify events "${BENCH_EVENTS:-1000000}" "$(($(sed -n 3p "$dir/verified") - $(sed -n 1p "$dir/verified")))"
}

bench_workflow() {
	prepare_workflow
	export PGOPTIONS='-c synchronous_commit=off'
	seconds=1 sql_run warm call postgres transition
	for _ in $(seq "$rounds"); do
		sql_run transition call postgres transition
		sql_run transition plain postgres plain
		sql_run create-audit call postgres call
		sql_run create-audit event postgres event
		sql_run create-audit row postgres row
	done
	unset PGOPTIONS
	verify_events
}
