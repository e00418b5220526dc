-- What is no answer is none everywhere: where a field is required, where a transition requires it, where requiredWhen does.
\set VERBOSITY terse
\set ECHO none
\o /dev/null
SET qehs.clock = '2026-11-20T08:30:00Z';
SELECT qehs.tenant_create('empties', 'A tenant');
SELECT qehs.use_tenant('empties');
SELECT qehs.module_publish('notes', '{"key":"notes","name":"Notes","displayCode":{"prefix":"N"},
 "fields":[{"key":"title","type":"text","required":true},{"key":"body","type":"rich-text","required":true},{"key":"when","type":"boolean"},
  {"key":"text","type":"text","requiredWhen":"$.when == true"},{"key":"list","type":"multi-select","options":["a"],"requiredWhen":"$.when == true"},
  {"key":"object","type":"object","requiredWhen":"$.when == true"},{"key":"rows","type":"table","fields":[{"key":"a","type":"text"}],"requiredWhen":"$.when == true"},
  {"key":"number","type":"number","visibleWhen":"$.when == true"},{"key":"choice","type":"select","options":["x"],"visibleWhen":"$.when == true"},
  {"key":"risk","type":"matrix-score"},{"key":"kind","type":"text","default":"usual"},
  {"key":"place","type":"object","fields":[{"key":"city","type":"text","default":"Here"},{"key":"zip","type":"text"}]},
  {"key":"code","type":"text","unique":true},{"key":"mail","type":"email","unique":true},{"key":"seen","type":"datetime","unique":true}],
 "workflow":{"states":["open","done"],"initial":"open","transitions":{"finish":{"from":"open","to":"done","requires":["text","list","object","rows"]}}}}');
CREATE FUNCTION faults(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE detail text;
BEGIN
	EXECUTE call;
	RETURN 'fine';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN coalesce((SELECT string_agg((fault ->> 'path') || ' ' || (fault ->> 'code') || ': ' || (fault ->> 'message'), E'\n') FROM json_array_elements(detail::json -> 'errors') AS fault), SQLERRM);
END
$$;
CREATE FUNCTION created(payload jsonb) RETURNS text LANGUAGE sql RETURN faults(format('SELECT qehs.record_create(''notes'', %L)', '{"title":"a","body":"<p>a</p>"}'::jsonb || payload));
\o
\set ECHO all
\pset format unaligned
\pset tuples_only on
-- a required text in which nothing is to be seen
SELECT created(jsonb_build_object('title', title)) FROM unnest(ARRAY['', '   ', U&'\200B', E'\t\n', U&' \00A0\FEFF', 'x ']) AS title;
SELECT created(jsonb_build_object('body', body)) FROM unnest(ARRAY['<p></p>', '<p> <br></p>', '<hr>', '<b>x</b>']) AS body;
-- requiredWhen and requires agree
SELECT created('{"when":true,"text":" ","list":[],"object":{},"rows":[]}');
SELECT qehs.record_create('notes', '{"title":"a","body":"<p>a</p>","text":" ","list":[],"object":{},"rows":[]}')::json ->> 'id' AS id \gset
SELECT faults(format('SELECT qehs.record_transition(%L, ''finish'')', :'id'));
-- members that a matrix does not have are refused as everywhere
SELECT created('{"risk":{"likelihood":1,"severity":2,"colour":"red"}}');
-- null removes, a default too, and what is not there cannot be removed; a patch brings no default
SELECT qehs.record_create('notes', '{"title":"a","body":"<p>a</p>","place":{"zip":"1"}}')::json ->> 'id' AS id \gset
SELECT qehs.record_update(:'id', '{"kind":null,"place":{"city":null}}')::jsonb -> 'payload';
SELECT qehs.record_update(:'id', '{"title":"b"}')::jsonb -> 'payload';
SELECT faults(format('SELECT qehs.record_update(%L, ''{"nope":null,"place":{"nope":null}}'')', :'id'));
-- a hidden value is of its type
SELECT created('{"number":"five","choice":7}');
SELECT created('{"number":-1,"choice":"y"}');
-- values that people take for one are one: blanks at the end, composed or not, case of an address, an instant in two offsets; an empty one is none
SELECT created(value) FROM unnest(ARRAY['{"code":"Ä"}', '{"code":"A\u0308 "}', '{"code":"ä"}', '{"mail":"A@Example.com"}', '{"mail":"a@example.com"}',
	'{"seen":"2026-01-01T00:00:00Z"}', '{"seen":"2026-01-01T01:00:00+01:00"}', '{"code":""}', '{"code":""}', '{"code":"  "}']::jsonb[]) AS value;
SELECT created(jsonb_build_object('code', (SELECT string_agg(md5(i::text), '') FROM generate_series(1, 300) AS i) || last)) FROM unnest(ARRAY['a', 'b', 'a']) AS last;
-- numbers as long as an index takes
SELECT created('{"when":true,"text":"x","list":["a"],"object":{"a":1},"rows":[{}]}'::jsonb || jsonb_build_object('number', repeat('7', digits)::numeric)) FROM unnest(ARRAY[900, 1100]) AS digits;
-- a field cannot have a name that filters could not tell from a word of theirs
SELECT faults($$SELECT qehs.module_publish('words', '{"key":"words","name":"Words","displayCode":{"prefix":"W"},"fields":[{"key":"and","type":"text"},{"key":"or","type":"text"},{"key":"not","type":"text"},
	{"key":"nor","type":"object","fields":[{"key":"not","type":"text"}]}],"workflow":{"states":["a"],"initial":"a","transitions":{}}}')$$);
