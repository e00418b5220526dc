-- A login that is made again under the name of a dropped one reads nothing of the tenants that the dropped one read, even by calling what the views ask.
\set ECHO none
\o /dev/null
SELECT qehs.tenant_create('again_a', 'A'), qehs.tenant_create('again_b', 'B');
SELECT qehs.use_tenant('again_a');
SELECT qehs.user_create('ada', 'Ada of A') ->> 'id' AS ada \gset
SELECT qehs.module_publish('cases', '{"key":"cases","name":"Cases","displayCode":{"prefix":"CAS"},"fields":[{"key":"title","type":"text"}],
 "workflow":{"states":["open"],"initial":"open","transitions":{}},"permissions":{"roles":{"viewer":["read"]}}}');
SELECT id AS tenant_a FROM qehs.tenant WHERE slug = 'again_a' \gset
CREATE ROLE again_reader LOGIN;
SELECT qehs.reporter_grant('again_reader', 'again_a', audit => true);
\o
\set ECHO all
\set VERBOSITY terse
SET client_min_messages = warning;
SET SESSION AUTHORIZATION again_reader;
SELECT count(*) AS records, qehs.report_name(:tenant_a, qehs.id_uuid(:'ada')) AS name, cardinality(qehs.report_modules(:tenant_a)) AS modules FROM report_again_a.cases;
RESET SESSION AUTHORIZATION;
DROP OWNED BY again_reader;
DROP ROLE again_reader;
CREATE ROLE again_reader LOGIN;
-- somebody else, who is to read reports of another tenant
SELECT qehs.reporter_grant('again_reader', 'again_b');
SET SESSION AUTHORIZATION again_reader;
SELECT qehs.report_name(:tenant_a, qehs.id_uuid(:'ada')) AS name, cardinality(qehs.report_modules(:tenant_a)) AS modules, cardinality(qehs.report_modules(:tenant_a, 'audit')) AS audit;
SELECT has_schema_privilege('report_again_a', 'USAGE') AS may_use;
SELECT count(*) AS of_his_own FROM report_again_b.record_activity;
RESET SESSION AUTHORIZATION;
-- until it is granted again, with its own roles
SELECT qehs.reporter_grant('again_reader', 'again_a');
SET SESSION AUTHORIZATION again_reader;
SELECT qehs.report_name(:tenant_a, qehs.id_uuid(:'ada')) AS name, cardinality(qehs.report_modules(:tenant_a)) AS modules, cardinality(qehs.report_modules(:tenant_a, 'audit')) AS audit;
RESET SESSION AUTHORIZATION;
DROP OWNED BY again_reader;
DROP ROLE again_reader;
