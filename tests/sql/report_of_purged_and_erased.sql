-- No view of reports shows anything of a record that is purged, a value that is erased, or a user who is.
\set VERBOSITY terse
\set ECHO none
SET client_min_messages = warning;
SET qehs.clock = '2027-01-01T00:00:00Z';
\o /dev/null
SELECT qehs.tenant_create('forgotten', 'A tenant');
SELECT qehs.use_tenant('forgotten');
SELECT qehs.user_create('ann', 'Ann Quetzal', roles => '{tenant-admin}'), qehs.user_create('bob', 'Bob Heron', roles => '{tenant-admin}');
SELECT qehs.module_publish('cases', '{"key":"cases","name":"Cases","displayCode":{"prefix":"CAS"},"fields":[{"key":"title","type":"text","indexed":true,"maxLength":50},{"key":"who","type":"user"},
 {"key":"name","type":"text","indexed":true,"maxLength":50,"personalData":true},{"key":"born","type":"date","indexed":true,"personalData":true},{"key":"parent","type":"record-reference","references":"cases"},
 {"key":"witnesses","type":"table","personalData":true,"fields":[{"key":"witness","type":"text"}]},{"key":"more","type":"object","personalData":true}],
 "workflow":{"states":["open","done"],"initial":"open","transitions":{"finish":{"from":"open","to":"done"}}}}');
SELECT qehs.use_tenant('forgotten', 'ann');
SELECT qehs.record_create('cases', '{"title":"purged magpie","name":"Magpie","witnesses":[{"witness":"Magpie junior"}]}') ->> 'id' AS purged \gset
SELECT qehs.record_create('cases', '{"title":"erased","name":"Kestrel","born":"1980-02-03","witnesses":[{"witness":"Kestrel junior"}],"more":{"of":"Kestrel"}}') ->> 'id' AS erased \gset
SELECT qehs.record_create('cases', '{"title":"deleted and erased","name":"Kestrel"}') ->> 'id' AS both \gset
SELECT qehs.record_transition(:'purged', 'finish', comment => 'Magpie is well'), qehs.record_update(:'erased', '{"name":"Kestrel the second"}'), qehs.record_comment(:'erased', 'Kestrel was told');
SELECT qehs.record_delete(:'purged'), qehs.record_delete(:'both');
SELECT qehs.use_tenant('forgotten', 'bob');
SELECT qehs.record_update(:'erased', jsonb_build_object('who', (SELECT id FROM qehs.user_account WHERE display_name = 'Ann Quetzal')));
SELECT qehs.report_publish('forgotten');
-- the rows of each view in which a word stands
CREATE FUNCTION pg_temp.found(word text) RETURNS TABLE (view text, rows int8) LANGUAGE plpgsql AS $$
DECLARE
	name text;
BEGIN
	FOR name IN SELECT relname FROM pg_class WHERE relnamespace = 'report_forgotten'::regnamespace AND relkind = 'v' ORDER BY relname COLLATE "C" LOOP
		RETURN QUERY EXECUTE format('SELECT %L, count(*) FROM report_forgotten.%I AS v WHERE to_jsonb(v)::text ~* %L HAVING count(*) > 0', name, name, word);
	END LOOP;
END $$;
\o
\set ECHO all
SELECT word, f.* FROM unnest('{magpie,kestrel,1980-02-03,quetzal}'::text[]) WITH ORDINALITY AS w (word, n), pg_temp.found(word) AS f ORDER BY n, view;
SELECT qehs.record_purge(:'purged', 'kept long enough') IS NULL AS purged, qehs.record_erase(:'erased', 'asked for', comments => true) IS NULL AS erased, qehs.record_erase(:'both', 'asked for') IS NULL AS and_erased;
SELECT qehs.user_erase('ann', 'left') IS NULL AS user_erased;
SELECT word, f.* FROM unnest('{magpie,kestrel,1980-02-03,quetzal}'::text[]) WITH ORDINALITY AS w (word, n), pg_temp.found(word) AS f ORDER BY n, view;
-- what stays of them
SELECT title, name, born, more, created_by_name, who_name FROM report_forgotten.cases;
SELECT count(*) AS rows FROM report_forgotten.cases__witnesses;
SELECT title, name, created_by_name FROM report_forgotten.cases_deleted;
SELECT right(display_code, 4) AS record, action, actor_name, comment, reason FROM report_forgotten.audit ORDER BY id;
SELECT right(display_code, 4) AS record, state, actor_name FROM report_forgotten.record_transitions ORDER BY 1, visit;
