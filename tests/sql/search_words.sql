-- What people see as words is found: behind slashes, hyphens, dots and underscores, without case and accents, by its beginning, codes whole and by part,
-- in scripts without blanks, in any field of text unless the definition names others; and what a word is does not depend on who asks.
-- codes have the year in them
SET qehs.clock = '2026-06-01T12:00:00Z';
\set VERBOSITY terse
\set ECHO none
\o /dev/null
SELECT qehs.tenant_create('wordy', 'A tenant');
SELECT qehs.use_tenant('wordy');
SELECT qehs.module_publish('cases', '{"key":"cases","name":"Cases","displayCode":{"prefix":"CAS"},
 "fields":[{"key":"no","type":"integer"},{"key":"text","type":"text"},{"key":"more","type":"rich-text"},{"key":"mail","type":"email"},{"key":"code","type":"identifier"}],
 "workflow":{"states":["open"],"initial":"open"}}');
SELECT qehs.record_create('cases', jsonb_build_object('no', no, 'text', text)) FROM unnest(ARRAY[
 'Cut/Laceration of the left index finger',
 'Open Pit/Quarry: rock fall on haul-road 7',
 'Slips, trips and falls (same level)',
 'Fork-lift truck hit a pallet_rack in bay B-12',
 'Employee''s hand was caught in-between rollers',
 'Leak of H2SO4 98% at pump P-101A, 12.5 m3 spilled',
 'Noise of 87 dB(A) measured; limit 85dB',
 'Exposure to 0.05 mg/m³ respirable silica',
 'Déversement d''huile près de l''entrée, à côté du quai',
 'Mitarbeiter stürzte über die Schwelle, Fußverletzung, Größe Ł',
 'Smørebrød ble sluppet på gulvet i Ålesund',
 'ΑΤΥΧΗΜΑ στο εργοτάξιο, Ελλάδα',
 'Работник упал с лестницы. Ёлка',
 '作業員が足場から転落した。東京都の現場',
 '工人从脚手架上坠落，右腿骨折',
 'ฝุ่นในโรงงาน',
 'Ref. AB-12/3 and INC-2025-0042, see https://example.com/report_7.pdf',
 'Mail to ann.lee@example.org about lot L00451',
 'Temperature rose to −40 °C; valve DN50 PN16 failed',
 'The "red ladder" fell; the ladder that was red stood',
 'naïve café résumé ﬁre co­operation',
 'Verpackung 10,000 Stück, 3.14.15 V1.2.0',
 'ABC123 and abc-124; x2x4 lumber'
]) WITH ORDINALITY AS t (text, no);
SELECT qehs.record_create('cases', jsonb_build_object('no', 24 + no, 'text', text)) FROM unnest(ARRAY[
 'Near forklift: lockout/tagout not done',
 'O''Brien''s x-ray unit, a self‑contained apparatus; the worker’s e-mail',
 'Tank T12A and P101B, state-of-the-art',
 'lock out, then tag out'
]) WITH ORDINALITY AS t (text, no);
SELECT qehs.record_create('cases', '{"no":24,"more":"<p>Chemical <b>burn</b> &amp; inhalation</p>","mail":"Bob.Ross@Paint.example","code":"ZX/81-Q"}');
CREATE FUNCTION pg_temp.found(question text) RETURNS text LANGUAGE sql AS $$
SELECT string_agg(item -> 'payload' ->> 'no', ' ' ORDER BY (item -> 'payload' ->> 'no')::int) FROM json_array_elements(qehs.record_list('cases', q => question) -> 'items') AS item
$$;
\o
\pset format unaligned
\pset tuples_only on
\set ECHO all
SELECT question, pg_temp.found(question) FROM unnest(ARRAY[
 'laceration', 'cut/laceration', 'LACERATION', 'lac', 'quarry', 'open pit', 'pit/quarry', 'haul', 'road', 'haul-road', 'trips', 'slips trips', 'falls',
 'forklift', 'fork-lift', 'fork lift', 'lift', 'pallet', 'rack', 'pallet_rack', 'b-12', 'B-1', 'employee', 'employee''s', 'between', 'in-between',
 'h2so4', 'H2SO', 'p-101a', 'P-101', '101a', '12.5', '12.5 m3', '98%', 'dB', '85db', '85', 'mg/m3', 'mg/m³', '0.05', 'deversement', 'Déversement', 'huile', 'entree', 'pres',
 'sturzte', 'STÜRZTE', 'fussverletzung', 'Fußverletzung', 'grosse', 'smorebrod', 'alesund', 'Ålesund', 'ατυχημα', 'Ελλαδα', 'εργοταξιο', 'упал', 'ЛЕСТНИЦЫ', 'елка',
 '足場', '転落', '東京', '東京都', '京', '坠落', '骨折', '脚手架', 'โรงงาน', 'ab-12/3', 'AB-12', '12/3', 'ab 12', 'inc-2025-0042', 'INC-2025', '2025-0042', '0042', 'example.com', 'report_7', 'pdf',
 'ann.lee@example.org', 'ann', 'lee', 'example', 'l00451', '00451', '40', '°C', 'dn50', '50', 'pn16', '"red ladder"', '"ladder red"', 'red ladder', 'naive', 'cafe', 'resume', 'fire', 'cooperation',
 '10,000', '3.14', '1.2.0', 'v1.2', 'abc123', 'abc-124', 'abc', '123', 'x2x4',
 'burn', 'chemical burn', 'b', 'inhalation', 'bob.ross@paint.example', 'ross', 'zx/81-q', 'ZX/81', '81-q', 'CAS-2026-0003', '2026-0003', 'cas',
 'forkl', 'fork-lift truck', 'forklift truck', '"forklift truck"', '"a fork lift"', '"near forklift"', 'lockout', 'lock-out', 'lock out', 'tag-out', 'tagout lockout', 'obrien', 'o''brien', 'O’Brien',
 'brien', 'xray', 'x-ray', 'x ray', 'selfcontained', 'self-contained', 'self contained', 'email', 'e-mail', 'workers', 'worker', 'stateof', 'art', 'inbetween', 'haulroad', 'haul road', 'palletrack',
 'b12', 'P101A', 'p101', 'T-12A', 't12', 'T-12', 'P-101B', 'ab12', 'ab12/3', 'forklift -fork', 'lift -forklift',
 'ladder -scaffold', 'ladder -"red ladder"', 'quarry or burn', 'or', 'noise -limit', '-ladder -laceration', '-', '!!!', 'zzz'
]) AS question;
-- the same whatever the order that is asked for; a page goes on where it ended, both ways
SELECT sort, (SELECT string_agg(item -> 'payload' ->> 'no', ' ') FROM json_array_elements(qehs.record_list('cases', q => 'ex', sort => sort) -> 'items') AS item)
FROM unnest(ARRAY[NULL, '-createdAt', 'createdAt', 'displayCode', '-displayCode', 'no', '-text', 'id']) AS sort;
SELECT qehs.record_list('cases', q => 'of', page_size => 2)::jsonb ->> 'nextCursor' AS cursor \gset
SELECT string_agg(item -> 'payload' ->> 'no', ' ') FROM json_array_elements(qehs.record_list('cases', q => 'of', page_size => 2, cursor => :'cursor') -> 'items') AS item;
SELECT qehs.record_list('cases', q => 'zx/81', page_size => 1)::jsonb ->> 'nextCursor' IS NULL;
-- a change is found by its new words, not by its old; a deleted record by none
SELECT qehs.record_list('cases', q => 'laceration') -> 'items' -> 0 ->> 'id' AS id \gset
SELECT qehs.record_update(:'id', '{"text":"A bruise"}') IS NOT NULL, pg_temp.found('laceration') IS NULL, pg_temp.found('bruise');
SELECT qehs.record_delete(:'id') IS NULL, pg_temp.found('bruise') IS NULL, qehs.record_restore(:'id') IS NOT NULL, pg_temp.found('bruise');
-- fields that are named are searched alone; none is told
CREATE FUNCTION pg_temp.published(key text, fields jsonb) RETURNS boolean LANGUAGE sql AS $$
SELECT qehs.module_publish(key, jsonb_build_object('key', key, 'name', key, 'displayCode', '{"prefix":"N"}'::jsonb, 'fields', fields, 'workflow', '{"states":["open"],"initial":"open"}'::jsonb)) IS NOT NULL
$$;
SELECT pg_temp.published('named', '[{"key":"a","type":"text","searchable":true},{"key":"b","type":"text"}]'), pg_temp.published('without', '[{"key":"a","type":"text","searchable":false},{"key":"n","type":"number"}]'),
	pg_temp.published('numbers', '[{"key":"n","type":"number"}]');
SELECT qehs.record_create('named', '{"a":"first","b":"second"}') IS NOT NULL;
SELECT json_array_length(qehs.record_list('named', q => 'first') -> 'items'), json_array_length(qehs.record_list('named', q => 'second') -> 'items');
SELECT qehs.record_list('without', q => 'first');
SELECT qehs.record_list('numbers', q => 'first');
-- what a module of before names later is found after its job
SELECT pg_temp.published('named', '[{"key":"a","type":"text","searchable":true},{"key":"b","type":"text","searchable":true}]');
SELECT json_array_length(qehs.record_list('named', q => 'second') -> 'items'), json_array_length(qehs.record_list('named', q => 'N-2026-0001') -> 'items');
-- a word that is cut where letters turn to digits has no empty part
SELECT length(qehs.search_vector(repeat('f', 200) || '1')) AS words;
