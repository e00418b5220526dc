-- Key figures of a worked example, computed by hand: actions, ageing, stays in states, findings, training, risks, indicators, cost. All in one transaction, so that "today" is one day.
\set ECHO none
SET datestyle = 'ISO, YMD';
SET timezone = 'UTC';
\o /dev/null
SELECT qehs.tenant_create('figures', 'A tenant');
SELECT qehs.module_install('figures', key) FROM qehs.module_catalogue WHERE key NOT IN ('permits', 'changes', 'chemicals', 'suppliers', 'env_monitoring');
SELECT qehs.use_tenant('figures');
SELECT qehs.module_publish('tasks', '{"key":"tasks","name":"Tasks","displayCode":{"prefix":"TSK"},"fields":[{"key":"title","type":"text"}],"workflow":{"states":["open","done"],"initial":"open",
	"transitions":{"finish":{"from":"open","to":"done"},"reopen":{"from":"done","to":"open"}}},"permissions":{"roles":{"tenant-user":["read","create","delete","transition"]}}}');
BEGIN;
CREATE TEMP TABLE made (name text PRIMARY KEY, id text);
CREATE FUNCTION pg_temp.make(name text, module text, payload jsonb, state text DEFAULT NULL) RETURNS void LANGUAGE sql AS $$
	INSERT INTO made SELECT name, qehs.record_create(module, payload, state) ->> 'id';
$$;
CREATE FUNCTION pg_temp.of(name text) RETURNS text LANGUAGE sql AS $$SELECT id FROM made AS m WHERE m.name = $1$$;
CREATE FUNCTION pg_temp.today() RETURNS date LANGUAGE sql AS $$SELECT (now() AT TIME ZONE 'UTC')::date$$;
-- when a record was made, and when its events happened, as if time had passed
CREATE FUNCTION pg_temp.made_at(name text, day date) RETURNS void LANGUAGE sql AS $$UPDATE qehs.record SET created_at = day::timestamp AT TIME ZONE 'UTC' WHERE id = qehs.id_uuid(pg_temp.of(name))$$;
CREATE FUNCTION pg_temp.event_at(name text, version int, told timestamptz) RETURNS void LANGUAGE sql AS $$UPDATE qehs.audit_event SET at = told WHERE record_id = qehs.id_uuid(pg_temp.of(name)) AND record_version = version$$;
INSERT INTO made SELECT n, qehs.user_create(n, initcap(n), NULL, roles) ->> 'id' FROM (VALUES ('pat', '{welder,foreman}'::text[]), ('kim', '{welder}'), ('sam', '{welder}'), ('lee', '{welder}'), ('max', '{tenant-user}')) AS u (n, roles);
SELECT pg_temp.make('incident', 'incidents', '{"title":"An incident","severity":"low"}');
-- actions: due so many days ago, of this age
CREATE FUNCTION pg_temp.action(name text, ago int, state text, priority text, more jsonb DEFAULT '{}') RETURNS void LANGUAGE sql AS $$
	SELECT pg_temp.make(name, 'actions', jsonb_build_object('title', name, 'parent', pg_temp.of('incident'), 'action_type', 'corrective', 'priority', priority, 'owner', pg_temp.of('pat'), 'due_date', pg_temp.today() - ago) || more, state)
$$;
SELECT pg_temp.action('late ' || lpad(ago::text, 2, '0'), ago, 'open', 'high') FROM unnest('{1,7,8,30,31,60,61,90,91}'::int[]) AS ago;
SELECT pg_temp.made_at('late ' || lpad(ago::text, 2, '0'), pg_temp.today() - (ago - CASE WHEN ago = 1 THEN 1 ELSE 0 END)) FROM unnest('{1,7,8,30,31,60,61,90,91}'::int[]) AS ago;
SELECT pg_temp.action('due today', 0, 'open', 'low'), pg_temp.action('due tomorrow', -1, 'open', 'low'), pg_temp.action('waits to be verified', 5, 'done', 'low'), pg_temp.action('verified', 5, 'verified', 'low'), pg_temp.action('cancelled', 5, 'cancelled', 'low'),
	pg_temp.action('was extended', -10, 'in_progress', 'low', jsonb_build_object('original_due_date', pg_temp.today() - 20)), pg_temp.action('late after all', 2, 'in_progress', 'low', jsonb_build_object('original_due_date', pg_temp.today() - 40));
-- stays: r1 open 1 h, done 2 h, open 4 h, done; r2 open 2 h, done 10 h, open; r3 open 3 h, done, deleted and restored; r4 deleted
SELECT pg_temp.make(n, 'tasks', '{}') FROM unnest('{r1,r2,r3,r4}'::text[]) AS n;
SELECT qehs.record_transition(pg_temp.of(n), t) FROM (VALUES (1, 'r1', 'finish'), (2, 'r1', 'reopen'), (3, 'r1', 'finish'), (4, 'r2', 'finish'), (5, 'r2', 'reopen'), (6, 'r3', 'finish')) AS v (i, n, t) ORDER BY i;
SELECT qehs.record_delete(pg_temp.of('r3')), qehs.record_delete(pg_temp.of('r4'));
SELECT qehs.record_restore(pg_temp.of('r3'));
SET session_replication_role = replica;
SELECT pg_temp.event_at(n, v, '2026-01-01T00:00Z'::timestamptz + make_interval(hours => h)) FROM (VALUES ('r1', 1, 0), ('r1', 2, 1), ('r1', 3, 3), ('r1', 4, 7), ('r2', 1, 0), ('r2', 2, 2), ('r2', 3, 12), ('r3', 1, 0), ('r3', 2, 3), ('r3', 3, 5), ('r3', 4, 6)) AS e (n, v, h);
SET session_replication_role = origin;
-- findings: clause 8.1 at the plant three of the same grade, one of them closed and one a repeat; one at the depot
SELECT pg_temp.make('capa', 'capa', jsonb_build_object('title', 'Plan', 'capa_type', 'corrective', 'source', pg_temp.of('incident'), 'problem_statement', 'x', 'risk', '{"likelihood":1,"severity":1}'::jsonb, 'owner', pg_temp.of('pat'), 'due_date', pg_temp.today()));
SELECT pg_temp.make(site, 'audits', jsonb_build_object('title', site, 'audit_type', 'internal', 'standards', 'ISO 45001', 'clauses', '8.1', 'site', site, 'scope', 'all', 'planned_start', '2026-01-01', 'planned_end', '2026-01-02',
	'lead_auditor', pg_temp.of('pat'), 'auditee', pg_temp.of('kim'))) FROM unnest('{plant,depot}'::text[]) AS site;
SELECT pg_temp.make(name, 'findings', jsonb_build_object('audit', pg_temp.of(site), 'standard', standard, 'clause', clause, 'grade', grade, 'requirement', 'x', 'evidence', 'x', 'owner', pg_temp.of('pat'), 'due_date', pg_temp.today(), 'capa', pg_temp.of('capa'))
	|| CASE WHEN earlier THEN jsonb_build_object('repeat_of', pg_temp.of('f1')) ELSE '{}' END, state)
FROM (VALUES (1, 'f1', 'plant', 'iso45001', '8.1', 'minor', false, 'open'), (2, 'f2', 'plant', 'iso45001', '8.1', 'minor', false, 'closed'), (3, 'f3', 'plant', 'iso45001', '8.1', 'minor', true, 'open'), (4, 'f4', 'depot', 'iso9001', '7.2', 'major', false, 'open'))
	AS v (i, name, site, standard, clause, grade, earlier, state) ORDER BY i;
-- training: welders must have hot work (for 12 months) and first aid, which foremen must have too; Sam has nothing, Lee has left, Max has what nobody demands
SELECT pg_temp.make(role || course, 'required_courses', jsonb_build_object('role', role, 'course', course) || COALESCE(more, '{}'), state)
FROM (VALUES ('welder', 'Hot work', '{"valid_months":12}'::jsonb, 'active'), ('welder', 'First aid', NULL, 'active'), ('foreman', 'First aid', NULL, 'active'), ('welder', 'Gas lamps', NULL, 'retired')) AS v (role, course, more, state);
SELECT pg_temp.make(format('%s %s %s', person, course, state), 'training', jsonb_build_object('person', pg_temp.of(person), 'course', course, 'requirement', 'role', 'due_date', pg_temp.today())
	|| CASE WHEN done IS NULL THEN '{}' ELSE jsonb_build_object('completed_on', pg_temp.today() + done) END || CASE WHEN expires IS NULL THEN '{}' ELSE jsonb_build_object('expires_on', pg_temp.today() + expires) END, state)
FROM (VALUES ('pat', 'Hot work', 'completed', -400, NULL), ('pat', 'First aid', 'completed', -10, 20), ('pat', 'First aid', 'expired', -900, -200), ('kim', 'Hot work', 'completed', -1, NULL), ('kim', 'First aid', 'assigned', NULL, NULL), ('lee', 'First aid', 'completed', -1, NULL),
	('max', 'Forklift', 'waived', NULL, NULL), ('max', 'Rigging', 'completed', -9, 31), ('max', 'Crane', 'completed', -9, 0), ('max', 'Hoist', 'completed', -9, -1), ('max', 'Scaffold', 'in_progress', NULL, NULL)) AS v (person, course, state, done, expires);
UPDATE qehs.user_account SET active = false WHERE user_name = 'lee' AND tenant_id = (SELECT id FROM qehs.tenant WHERE slug = 'figures');
-- risks: two of 2 x 3, one of 5 x 5, and one that is only a draft
SELECT pg_temp.make('site ' || n, 'establishments', jsonb_build_object('name', 'Site ' || n, 'company_name', 'Acme', 'ein', '123456789', 'street_address', '1 Main St', 'city', 'Austin', 'region', 'TX', 'postal_code', '78701', 'naics_code', '332710',
	'industry_description', 'Machine Shops', 'peak_employees', 60, 'establishment_type', 'private')) FROM unnest('{A,B}'::text[]) AS n;
SELECT pg_temp.make(format('risk %s', i), 'risk_assessments', jsonb_build_object('title', 'Risk', 'method', 'jsa', 'site', pg_temp.of('site A'), 'activity', 'x', 'hazards', '[{"hazard":"x","who_may_be_harmed":"x","controls":"x"}]'::jsonb, 'controls', '[{"control":"x","level":"ppe"}]'::jsonb, 'initial_risk', '{"likelihood":5,"severity":5}'::jsonb,
	'residual_risk', jsonb_build_object('likelihood', l, 'severity', s), 'assessor', pg_temp.of('pat'), 'next_review', pg_temp.today()), state) FROM (VALUES (1, 2, 3, 'active'), (2, 2, 3, 'review'), (3, 5, 5, 'active'), (4, 1, 1, 'draft')) AS v (i, l, s, state);
-- indicators of March 2024: 40,000 hours, three near misses, two of four inspections, one of three actions (a fourth was loaded later) and two of three trainings on time, a recordable case, a release, two complaints; a complaint in April, which has no hours
SELECT pg_temp.make(format('hours %s %s', n, month), 'exposure_hours', jsonb_build_object('establishment', pg_temp.of('site ' || n), 'month', month, 'hours', hours, 'average_employees', 60))
FROM (VALUES ('A', '2024-03-01', 10000), ('B', '2024-03-01', 30000), ('A', '2023-11-01', 5000), ('A', '2023-12-01', 1)) AS v (n, month, hours);
SELECT pg_temp.make(format('observation %s', i), 'observations', jsonb_build_object('kind', kind, 'occurred_at', '2024-03-31T23:59:00Z', 'site', 'A', 'description', 'x', 'category', 'lifting', 'potential_risk', '{"likelihood":1,"severity":1}'::jsonb), state)
FROM (VALUES (1, 'near_miss', 'open'), (2, 'near_miss', 'closed'), (3, 'near_miss', 'open'), (4, 'near_miss', 'void'), (5, 'unsafe_act', 'open')) AS v (i, kind, state);
SELECT pg_temp.make(format('inspection %s', i), 'inspections', jsonb_build_object('template', 'x', 'template_version', 1, 'site', 'A', 'scheduled_for', '2024-03-10', 'inspector', pg_temp.of('pat'), 'items', '{"a":1}'::jsonb)
	|| CASE WHEN at IS NULL THEN '{}' ELSE jsonb_build_object('conducted_at', at) END) FROM (VALUES (1, '2024-03-10T23:00:00Z'), (2, '2024-03-01T00:00:00Z'), (3, '2024-03-11T00:00:00Z'), (4, NULL)) AS v (i, at);
SELECT pg_temp.action('march ' || i, 0, state, 'medium', '{"due_date":"2024-03-20"}') FROM (VALUES (1, 'done'), (2, 'open'), (3, 'open'), (4, 'cancelled'), (5, 'done')) AS v (i, state);
SET session_replication_role = replica;
SELECT pg_temp.event_at('march 1', 1, '2024-03-20T22:00Z'), pg_temp.event_at('march 2', 1, '2024-03-20T01:00Z'), pg_temp.event_at('march 3', 1, '2024-03-01T00:00Z'), pg_temp.event_at('march 4', 1, '2024-03-01T00:00Z');
SET session_replication_role = origin;
SELECT pg_temp.make(format('training %s', i), 'training', jsonb_build_object('person', pg_temp.of('max'), 'course', format('March %s', i), 'requirement', 'legal', 'due_date', '2024-03-15') || more, state)
FROM (VALUES (1, '{"completed_on":"2024-03-15"}'::jsonb, 'completed'), (2, '{"completed_on":"2024-02-01"}', 'completed'), (3, '{"completed_on":"2024-03-16"}', 'completed'), (4, '{}', 'waived')) AS v (i, more, state);
SELECT pg_temp.make(format('release %s', i), 'incidents', '{"title":"Spill","severity":"low","event_type":"environmental_release","occurred_at":"2024-03-01T00:00:00Z"}', state) FROM (VALUES (1, 'reported'), (2, 'rejected')) AS v (i, state);
SELECT pg_temp.make('injury', 'incidents', '{"title":"Cut","severity":"low","occurred_at":"2024-03-05T10:00:00Z"}');
SELECT pg_temp.make('case', 'injury_cases', jsonb_build_object('incident', pg_temp.of('injury'), 'establishment', pg_temp.of('site A'), 'person', pg_temp.of('max'), 'employment', 'employee', 'job_title', 'Welder', 'recordable', true, 'outcome', 'other_recordable',
	'kind', 'injury', 'privacy_case', false, 'nar_before', 'x', 'nar_what', 'x', 'nar_injury', 'x', 'nar_object', 'x'));
SELECT pg_temp.make(format('complaint %s', i), 'complaints', jsonb_build_object('received_at', at, 'channel', 'email', 'customer', 'x', 'product', 'x', 'category', 'safety', 'severity', 'minor', 'description', 'x', 'adverse_event', false, 'reportable', 'none') || more, state)
FROM (VALUES (1, '2024-03-02T00:00:00Z', '{"cost_external":{"amount":"40.50","currency":"EUR"}}'::jsonb, 'closed'), (2, '2024-03-31T23:30:00Z', '{}', 'received'), (3, '2024-03-02T00:00:00Z', '{"cost_external":{"amount":"500","currency":"EUR"}}', 'cancelled'),
	(4, '2024-04-01T00:00:00Z', '{}', 'received')) AS v (i, at, more, state);
-- cost of March 2024: EUR 20 to prevent, 100 of rework and 50 of scrap, 40.50 of a complaint; USD 7 of rework
SELECT pg_temp.make(format('nonconformance %s', i), 'nonconformances', jsonb_build_object('title', 'x', 'detected_at', '2024-03-02T00:00:00Z', 'source', 'in_process', 'defect_code', 'x', 'severity', 'minor', 'description', 'x') || more, state)
FROM (VALUES (1, '{"cost_internal":{"amount":"100","currency":"EUR"},"cost_scrap":{"amount":"50","currency":"EUR"}}'::jsonb, 'open'), (2, '{"cost_internal":{"amount":"7","currency":"USD"}}', 'closed'), (3, '{"cost_internal":{"amount":"999","currency":"EUR"}}', 'void'))
	AS v (i, more, state);
SELECT pg_temp.action(kind, -900, 'open', 'medium', jsonb_build_object('action_type', kind, 'cost', jsonb_build_object('amount', amount, 'currency', 'EUR'))) FROM (VALUES ('preventive', '20'), ('correction', '77')) AS v (kind, amount);
SELECT pg_temp.made_at(n, '2024-03-05') FROM unnest('{preventive,correction}'::text[]) AS n;
SELECT qehs.report_publish('figures');
SET search_path = report_figures, public;
\pset null '(null)'
\o
\set ECHO all
SELECT title, days_overdue, days_overdue_original, bucket FROM actions_overdue WHERE title NOT LIKE 'march%' ORDER BY title;
SELECT priority, bucket, actions FROM ageing WHERE priority <> 'medium' ORDER BY priority, place;
-- open: 1, 2, 3, 4 h have ended: median 2.5 h, p90 3 h + 0.7 x 1 h; done: 2 and 10 h: median 6 h, p90 2 h + 0.9 x 8 h
SELECT state, visits, median, p90, there_now, re_entries FROM state_dwell WHERE module_key = 'tasks' ORDER BY state;
SELECT * FROM findings_by_clause ORDER BY 1, 3, 4, 6, 7;
SELECT person_name, course, required_by, status, expires_on - pg_temp.today() BETWEEN 0 AND 30 AS within_30_days FROM training_matrix WHERE course NOT LIKE 'March%' ORDER BY 1, 2;
SELECT band, count(*) AS cells, min(score), max(score), sum(assessments) AS assessments FROM risk_heatmap GROUP BY 1 ORDER BY 3;
SELECT likelihood, severity, band, assessments FROM risk_heatmap WHERE assessments > 0 ORDER BY 1;
-- A began in November: January and February are missing, 5,001 hours of 60 people are 83.4 each; B began in March
SELECT establishment, year, months, hours_per_employee, is_implausible, missing_months FROM hours_quality ORDER BY 1, 2;
-- near misses 200,000 x 3 / 40,000 = 15; TRIR 200,000 x 1 / 40,000 = 5
SELECT * FROM leading_lagging WHERE month BETWEEN '2024-03-01' AND '2024-04-01' ORDER BY 1;
SELECT * FROM cost_of_poor_quality WHERE month = '2024-03-01' ORDER BY currency;
-- days are those of UTC wherever the reader is
SET timezone = 'Pacific/Kiritimati';
SELECT count(*) FROM actions_overdue WHERE title LIKE 'late 01' OR title = 'due today';
SET timezone = 'Etc/GMT+12';
SELECT count(*) FROM actions_overdue WHERE title LIKE 'late 01' OR title = 'due today';
RESET timezone;
RESET search_path;
COMMIT;
-- a matrix of the tenant's own has its own size and bands: 10 of 16 cells have a score of at most 6
SELECT qehs.module_publish('risk_assessments', jsonb_set(definition, '{fields}', (SELECT jsonb_agg(CASE WHEN f ->> 'key' = 'residual_risk' THEN f || '{"size":4,"bands":[{"name":"green","max":6},{"name":"red","max":16}]}' ELSE f END) FROM jsonb_array_elements(definition -> 'fields') AS f))
	|| '{"migrate":{"rename":{"residual_risk":"residual_risk"}}}') IS NOT NULL AS published FROM qehs.module_catalogue WHERE key = 'risk_assessments';
SELECT band, count(*) AS cells, sum(assessments) AS assessments FROM report_figures.risk_heatmap GROUP BY 1 ORDER BY 1;
-- who may not read whose training it is, sees nobody
CREATE ROLE figures_reader LOGIN;
SELECT qehs.reporter_grant('figures_reader', 'figures', '{viewer}');
SET ROLE figures_reader;
SELECT count(*) FROM report_figures.training_matrix;
RESET ROLE;
DROP OWNED BY figures_reader;
DROP ROLE figures_reader;
