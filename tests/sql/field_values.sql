-- Good, bad and boundary values of each field type: what is stored, or the place, code and message of what is refused.
\set tenant field_values
\set ECHO none
\o /dev/null
SET qehs.clock = '2026-11-20T08:30:00Z';
SELECT qehs.tenant_create('field_values', 'A tenant');
SELECT qehs.use_tenant('field_values');
SELECT qehs.module_publish('all', jsonb_build_object('key', 'all', 'name', 'All', 'displayCode', '{"prefix":"ALL"}'::jsonb,
	'workflow', '{"states":["open"],"initial":"open","transitions":{}}'::jsonb, 'fields',
	(SELECT jsonb_agg(jsonb_build_object('key', replace(type, '-', '_'), 'type', type)
		|| CASE WHEN type IN ('select', 'multi-select') THEN '{"options":["a","b",{"value":"c"}]}'::jsonb WHEN type = 'table' THEN '{"fields":[{"key":"x","type":"text","required":true}]}'
			WHEN type = 'computed' THEN '{"computed":"1"}' ELSE '{}' END)
	FROM unnest('{text,rich-text,email,phone,url,identifier,number,integer,quantity,currency,percentage,date,datetime,time,duration,date-range,boolean,select,multi-select,tags,lookup,record-reference,user,location,geolocation,file,image,signature,matrix-score,table,object,computed}'::text[]) AS type)));
-- files that nobody has taken yet
INSERT INTO qehs.attachment (tenant_id, id, filename, content_type, created_at, created_by)
SELECT t.id, a.id, 'x', 'image/png', now(), '00000000-0000-0000-0000-000000000000' FROM qehs.tenant AS t, unnest('{01a210be-3eed-ebb1-7c12-9bc226f0ca0f,01900000-0000-7000-8000-000000000001,01900000-0000-7000-8000-000000000002}'::uuid[]) AS a (id)
WHERE t.slug = 'field_values';
CREATE FUNCTION pg_temp.try(field text, value jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	detail text;
BEGIN
	UPDATE qehs.attachment SET record_id = NULL, field = NULL, field_version = NULL;
	RETURN left((qehs.record_create('all', jsonb_build_object(field, value))::jsonb -> 'payload' -> field)::text, 80);
EXCEPTION WHEN SQLSTATE 'QH400' OR SQLSTATE 'QH409' THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN 'refused: ' || (SELECT string_agg(format('%s (%s) %s', substr(e ->> 'path', 10), e ->> 'code', e ->> 'message'), '; ') FROM jsonb_array_elements(detail::jsonb -> 'errors') AS e);
END;
$$;
\o
\pset format unaligned
\pset tuples_only on
\pset fieldsep ' | '
SELECT field, left(value::text, 60), pg_temp.try(field, value)
FROM (VALUES
	('text','""'::jsonb),('text','null'),('text','"a\nb"'),('text',to_jsonb(repeat('x',10000))),('text',to_jsonb(repeat('x',10001))),('text','"\u202e"'),
	('rich_text','"<p>a</p>"'),('rich_text','"<P>a</P>"'),('rich_text','"<a href=\"HTTPS://x.y\">z</a>"'),('rich_text','"&#60;script>"'),
	('email','"a@b"'),('email','"a@b.c"'),('email','"a b@c.d"'),('email','"ü@x.de"'),('email','"\"q\"@x.de"'),('email','""'),('email','"a@[127.0.0.1]"'),('email','"A@B.C "'),
	('phone','"+4917012345678"'),('phone','"+123456789012345"'),('phone','"+1234567890123456"'),('phone','"+1"'),('phone','"+12"'),('phone','"+0123"'),('phone','"0049170"'),('phone','"+49 170 123"'),('phone','"+49170123\n"'),
	('url','"https://x.y/z?a=b#c"'),('url','"javascript:alert(1)"'),('url','"x.y"'),('url','"http://"'),('url','"mailto:a@b.c"'),('url','"https://ü.de/"'),('url','"https://x.y/ä"'),('url','"https://a b"'),('url','"//x.y"'),
	('identifier','"I1"'),('identifier','"I1"'),('identifier','""'),('identifier','" I1"'),('identifier','5'),
	('number','1e400'),('number','-0'),('number','"1"'),('number','1.5'),('number','12345678901234567890.123456789'),('number','true'),
	('integer','1.0'),('integer','1.5'),('integer','1e20'),('integer','9223372036854775808'),
	('quantity','{"value":1,"unit":"kg"}'),('quantity','{"value":1}'),('quantity','1'),
	('currency','{"amount":1,"currency":"EUR"}'),('currency','{"amount":"1.00","currency":"eur"}'),('currency','{"amount":"1.00005","currency":"EUR"}'),('currency','{"amount":1.00005,"currency":"EUR"}'),('currency','{"amount":1.5,"currency":"JPY"}'),('currency','{"amount":"1e3","currency":"EUR"}'),('currency','{"amount":1e30,"currency":"EUR"}'),('currency','{"amount":null,"currency":"EUR"}'),('currency','{"amount":1,"currency":"XXX"}'),('currency','{"amount":1}'),('currency','{"amount":"-","currency":"EUR"}'),
	('percentage','0'),('percentage','100'),('percentage','100.1'),('percentage','-1'),('percentage','"5"'),
	('date','"2024-02-29"'),('date','"2023-02-29"'),('date','"0000-01-01"'),('date','"9999-12-31"'),('date','"2024-1-1"'),('date','"2024-01-01T00:00:00Z"'),('date','"20240101"'),('date','"-2024-01-01"'),
	('datetime','"2024-01-01T00:00:00Z"'),('datetime','"2024-01-01T00:00:00"'),('datetime','"2024-01-01 00:00:00Z"'),('datetime','"2024-01-01T24:00:00Z"'),('datetime','"2016-12-31T23:59:60Z"'),('datetime','"2024-01-01T00:00:00+14:00"'),('datetime','"2024-01-01T00:00:00+24:00"'),('datetime','"2024-01-01T00:00:00.123456789Z"'),('datetime','"2024-01-01t00:00:00z"'),('datetime','"0000-01-01T00:00:00Z"'),('datetime','"9999-12-31T23:59:59-12:00"'),
	('time','"00:00"'),('time','"23:59:59.999999"'),('time','"24:00"'),('time','"9:05"'),('time','"09:05:60"'),('time','"09:05Z"'),('time','"09:05:00.1234567"'),('time','905'),
	('duration','"PT1H"'),('duration','"P1Y2M3DT4H5M6S"'),('duration','"P1W"'),('duration','"P"'),('duration','"PT"'),('duration','"1h"'),('duration','"PT1.5H"'),('duration','"-PT1H"'),('duration','"P1Y1W"'),
	('date_range','{"from":"2024-01-01","to":"2024-01-01"}'),('date_range','{"from":"2024-01-02","to":"2024-01-01"}'),('date_range','{"from":"2024-01-02"}'),('date_range','{"from":"2024-01-01","to":"2024-01-01","x":1}'),('date_range','["2024-01-01","2024-01-02"]'),('date_range','{"from":"2024-13-01","to":"2024-01-01"}'),
	('boolean','true'),('boolean','"true"'),('boolean','0'),
	('select','"a"'),('select','"c"'),('select','"z"'),('select','["a"]'),('select','""'),
	('multi_select','["a","c"]'),('multi_select','["a","a"]'),('multi_select','[]'),('multi_select','"a"'),('multi_select','["z"]'),('multi_select','[null]'),
	('tags','["a","b c"]'),('tags','["a","a"]'),('tags','[]'),('tags','"a"'),('tags','[""]'),('tags','[" "]'),('tags','[1]'),('tags',(SELECT jsonb_agg(n::text) FROM generate_series(1,101) AS n)),('tags',jsonb_build_array(repeat('x',201))),
	('lookup','"x"'),('lookup','""'),('lookup','{"id":1}'),
	('record_reference','"rec_01M88BWFQDXERQR4MVR8KF1JGF"'),('record_reference','"rec_01"'),('record_reference','"01900000-0000-7000-8000-000000000001"'),('record_reference','""'),('record_reference','"usr_01M88BWFQDXERQR4MVR8KF1JGF"'),('record_reference','"rec_zzzzzzzzzzzzzzzzzzzzzzzzzz"'),('record_reference','["rec_01M88BWFQDXERQR4MVR8KF1JGF"]'),
	('user','"usr_01M88BWFQDXERQR4MVR8KF1JGF"'),('user','"ann"'),
	('location','"Hall 3"'),('location','{"lat":1}'),
	('geolocation','{"lat":90,"lon":180}'),('geolocation','{"lat":90.0001,"lon":-180.1}'),('geolocation','{"lat":"1","lon":2}'),('geolocation','{"lat":1}'),('geolocation','{"lat":1,"lon":1,"accuracy":-1}'),('geolocation','{"lat":1,"lon":1,"altitude":1}'),
	('file','"att_01M88BWFQDXERQR4MVR8KF1JGF"'),('file','["att_01M88BWFQDXERQR4MVR8KF1JGF"]'),('file','"rec_01M88BWFQDXERQR4MVR8KF1JGF"'),('file','[]'),('file','"x.pdf"'),('file',(SELECT jsonb_agg('att_01M88BWFQDXERQR4MVR8KF1JGF'::text) FROM generate_series(1,21))),
	('image','"att_01M88BWFQDXERQR4MVR8KF1JGF"'),('image','5'),
	('signature','{"name":"Ann"}'),('signature','{"name":""}'),('signature','{"name":"Ann","signedAt":"2024-01-01"}'),('signature','"Ann"'),('signature','{}'),
	('matrix_score','{"likelihood":5,"severity":5}'),('matrix_score','{"likelihood":6,"severity":0}'),('matrix_score','{"likelihood":1.5,"severity":1}'),('matrix_score','{"likelihood":1}'),('matrix_score','{"likelihood":1,"severity":1,"score":2}'),('matrix_score','3'),('matrix_score','{"likelihood":1,"severity":1,"colour":"red"}'),('matrix_score','{"likelihood":2.0,"severity":1}'),
	('table','[{"x":"a"}]'),('table','[{}]'),('table','[1]'),('table','{}'),('table','[{"x":"a","y":1}]'),('table','[]'),('table',(SELECT jsonb_agg('{"x":"a"}'::jsonb) FROM generate_series(1,1001))),('table','[null]'),
	('object','{"any":1}'),('object','[]'),('object','{}')
) AS v (field, value);
-- ids are kept in one form, and found by either
SELECT pg_temp.try('file', '["01900000-0000-7000-8000-000000000001","att_01j0000000e008000000000002"]'), pg_temp.try('image', '"01900000-0000-7000-8000-000000000001"');
SELECT jsonb_array_length(qehs.record_list('all', filter)::jsonb -> 'items') FROM (VALUES ('{"image":{"contains":"01900000-0000-7000-8000-000000000001"}}'::jsonb),
	('{"file":{"contains":"att_01J0000000E008000000000001"}}'), ('{"file":"01900000-0000-7000-8000-000000000002"}'), ('{"file":"01900000-0000-7000-8000-000000000003"}')) AS v (filter);
SELECT record_id AS uuid FROM qehs.audit_event WHERE tenant_id = (SELECT id FROM qehs.tenant WHERE slug = 'field_values') AND module_id <> 0 ORDER BY id LIMIT 1 \gset
SELECT pg_temp.try('record_reference', to_jsonb(:'uuid'::text)) = to_jsonb(qehs.record_get(:'uuid')::jsonb ->> 'id')::text AS kept,
	pg_temp.try('record_reference', to_jsonb(lower(qehs.record_get(:'uuid')::jsonb ->> 'id'))) = to_jsonb(qehs.record_get(:'uuid')::jsonb ->> 'id')::text AS kept_too;
SELECT jsonb_array_length(qehs.record_list('all', jsonb_build_object('record_reference', :'uuid'::text))::jsonb -> 'items') AS found;
