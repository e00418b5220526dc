-- CSV: the header's columns, cells by the type of their field, rows that do not fit, chunks, upserts, what a header may not be.
\set VERBOSITY terse
\set tenant bulk_csv
\set ECHO none
\o /dev/null
SET qehs.clock = '2026-11-20T08:30:00Z';
SELECT qehs.tenant_create(:'tenant', 'A tenant');
SELECT qehs.use_tenant(:'tenant');
SELECT qehs.module_publish('near_misses', $${"key":"near_misses","name":"Near misses","displayCode":{"prefix":"NM"},
 "fields":[{"key":"title","label":{"en":"What happened","fr":"Événement"},"type":"text","required":true},
  {"key":"code","label":"Local code","type":"identifier"},
  {"key":"severity","label":"Severity","type":"select","options":["low",{"value":"high","label":{"en":"High potential","de":"Hohes Potenzial"}},"a-b"]},
  {"key":"tags","type":"multi-select","options":["dust","noise",{"value":"heat","label":"Heat stress"}]},
  {"key":"people","label":"People involved","type":"integer","min":0},
  {"key":"reported","type":"boolean"},
  {"key":"on","label":"Date of event","type":"date"},
  {"key":"span","type":"date-range"},
  {"key":"cost","type":"currency"},
  {"key":"dust_level","type":"quantity","unit":"mg/m3"},
  {"key":"weight","type":"quantity"},
  {"key":"place","type":"geolocation"},
  {"key":"risk","type":"matrix-score"},
  {"key":"address","type":"object","fields":[{"key":"street","type":"text"},{"key":"city","label":"Town","type":"text"},{"key":"floor","type":"integer"}]},
  {"key":"witnesses","type":"table","fields":[{"key":"name","type":"text"}]},
  {"key":"twice","type":"computed","computed":"$.people * 2"}],
 "workflow":{"states":["open","closed"],"initial":"open","transitions":{"close":{"from":"open","to":"closed"}}},
 "permissions":{"roles":{"tenant-user":["read","create"]}}}$$);
\o
\set ECHO all
-- An answer line without what differs from run to run.
CREATE FUNCTION pg_temp.loaded(csv text, columns jsonb DEFAULT NULL, delimiter text DEFAULT NULL, unknown_columns text DEFAULT NULL, batch_key text DEFAULT NULL,
	dry_run boolean DEFAULT false, on_conflict text DEFAULT NULL, external_id text DEFAULT NULL, on_error text DEFAULT NULL) RETURNS SETOF jsonb
BEGIN ATOMIC
	SELECT a.line::jsonb - 'id' FROM qehs.bulk_load_csv('near_misses', csv, columns, delimiter, unknown_columns, batch_key, dry_run, on_conflict, external_id, on_error) AS a (line);
END;
CREATE FUNCTION pg_temp.payloads() RETURNS SETOF jsonb LANGUAGE sql AS $$
	SELECT item -> 'payload' FROM jsonb_array_elements(qehs.record_list('near_misses', sort => 'createdAt')::jsonb -> 'items') AS item $$;
-- byte order mark, CRLF, quotes, line breaks in them, empty lines, keys, labels in any language, other spellings of them
SELECT * FROM pg_temp.loaded(E'\ufeffÉvénement ,"Severity",people-involved,Date Of Event,"address.Town"\r\n"Fell, ""almost""\r\nfrom a ladder",low,3,2026-02-01,"Köln "\r\n\r\n5" pipe burst,,,,\r\n');
SELECT * FROM pg_temp.loaded(E'What happened,"Severity",people-involved,Date Of Event,"address.Town"\r\n"Fell, ""almost""\r\nfrom a ladder",low,3,2026-02-01,"Köln "\r\n\r\n5" pipe burst,,,,\r\nlast line has no end,high,0,,');
SELECT * FROM pg_temp.payloads();
-- each type, as exports write it, as members, as JSON
SELECT * FROM pg_temp.loaded($csv$title,severity,tags,people,reported,span,cost,dust_level,weight,place,witnesses
one,high potential,dust; Heat stress,007,yes,2026-01-01/2026-01-31,12.50 EUR,.25,3 kg,"48.1, 11.6","[{""name"":""A""},{""name"":""B""}]"
two,HOHES POTENZIAL,"[""noise""]", +4 ,FALSE,"{""from"":""2026-01-01""}",USD 3,1e1 mg/m3,"{""value"":1,""unit"":""t""}","{""lat"":1,""lon"":2}",[]
three,A B,;,1.0,0,,,,,,
$csv$);
SELECT * FROM pg_temp.loaded(E'title,cost.amount,cost.currency,weight.value,weight.unit,risk.likelihood,risk.severity,span.from,span.to,place.lat,place.lon,address.floor,twice\nfour,3.5,EUR,2,kg,3,4,2026-01-01,2026-02-01,1,2,5,\nfive,,,,,,,,,,,,');
SELECT p - 'title' FROM pg_temp.payloads() AS p WHERE p ->> 'title' IN ('one', 'two', 'three', 'four', 'five') ORDER BY p ->> 'title';
-- what does not hold is told with what stands there
SELECT * FROM pg_temp.loaded($csv$title,severity,people,reported,on,dust_level,cost,code
,huge,"1,234",maybe,3/14/2024,much,12,A1
ok,low,-1,true,2026-13-01,<0.5,1 mg/m3,A1
x,low
x,low,1,,,,,,
"x" y,low,1,,,,,
good,low,1,,,,,A1
good too,low,1,,,,,A1
"open,low,1,,,,,
$csv$);
-- a key or a label of a row's envelope; a column without a name; those that are left out
SELECT * FROM pg_temp.loaded(E'title;idempotencyKey;createdAt;workflowState;;Row no.;Remark\na;k1;2020-01-02T03:04:05Z;closed;;1;x\nb;k2;;;;2;\nc;;;;oops;3;', delimiter => ';',
	columns => '{"Row no.":null}', unknown_columns => 'ignore');
SELECT * FROM pg_temp.loaded(E'title;idempotencyKey;createdAt;workflowState;;Row no.;Remark\na;k1;2020-01-02T03:04:05Z;closed;;1;x', delimiter => ';',
	columns => '{"Row no.":null}', unknown_columns => 'ignore');
SELECT workflow_state, created_at = '2020-01-02T03:04:05Z' AS told FROM qehs.record WHERE payload ->> 'title' = 'a' AND tenant_id = (SELECT id FROM qehs.tenant WHERE slug = 'bulk_csv');
SELECT * FROM pg_temp.loaded(E'Headline\tTown\nmapped\tUlm', delimiter => E'\t', columns => '{"Headline":"title","Town":"address.city"}');
-- a batch key, and a dry run
SELECT * FROM pg_temp.loaded(E'title,code\nr1,R1\nr2,R2', batch_key => 'b') UNION ALL SELECT * FROM pg_temp.loaded(E'title,code\nr1,R1\nr2,R2\nr3,R2', batch_key => 'b');
SELECT * FROM pg_temp.loaded(E'title,code\nd1,D1\nd2,D1', dry_run => true);
-- an upsert: an empty cell removes the value, a column that is not there leaves it
SELECT * FROM pg_temp.loaded(E'title,code,people,address.city,address.floor,cost\nu1,U1,3,Bonn,2,5 EUR');
SELECT * FROM pg_temp.loaded(E'code,title,people,address.floor,cost.amount,cost.currency\nU1,u1 again,,,,\nU2,u2 new,,,,\nU1,u1 at last,7,,6,\nU1,u1 at last,7,,6,USD', on_conflict => 'update', external_id => 'code');
SELECT p FROM pg_temp.payloads() AS p WHERE p ->> 'code' LIKE 'U%' ORDER BY p ->> 'code';
-- onError; more than a chunk of 1,000 rows
SELECT * FROM pg_temp.loaded(E'title\ns1\n""\ns3', on_error => 'stop');
SELECT count(*), min((line ->> 'line')::int), max((line ->> 'line')::int), count(DISTINCT line ->> 'line') FROM pg_temp.loaded((SELECT E'title,code\n' || string_agg(format(E'"row\n%s",C%s\n', i, i), '') FROM generate_series(1, 2500) AS i)) AS line
WHERE line ->> 'status' = 'created';
SELECT count(*) FROM pg_temp.loaded((SELECT E'title\n' || string_agg(CASE i WHEN 1200 THEN '""' ELSE 't' END, E'\n') FROM generate_series(1, 2500) AS i), on_error => 'stop', dry_run => true);
-- a chunk of its own, as the HTTP endpoint hands it over
SELECT line::jsonb - 'id' FROM string_to_table(qehs.bulk_load('near_misses', convert_to(E'h1\nh2\n', 'UTF8'), first_line => 7, content_type => 'text/csv', header => convert_to(E'\ufefftitle\r\n', 'UTF8')), E'\n') AS line WHERE line <> '';
SELECT qehs.bulk_load('near_misses', convert_to(E'h1\nh2\n', 'UTF8'), first_line => 7, content_type => 'text/csv');
-- headers
\set VERBOSITY default
\set SHOW_CONTEXT never
SELECT pg_temp.loaded('title;severity;people');
SELECT pg_temp.loaded(E'title\tpeople');
SELECT pg_temp.loaded('title,Nobody knows,title,On,on,address,address.city,address.none,cost,cost.none');
SELECT pg_temp.loaded('');
SELECT pg_temp.loaded(E'\n\n');
SELECT pg_temp.loaded(',,');
SELECT pg_temp.loaded('"title');
SELECT pg_temp.loaded(repeat('a,', 2001));
SELECT pg_temp.loaded('title,x', columns => '{"x":"nothing","y":null,"z":"title"}');
SELECT pg_temp.loaded('title,x', columns => '{"x":"title"}');
SELECT pg_temp.loaded('title', columns => '{"x":1,"y":""}');
SELECT pg_temp.loaded('title', columns => '[]');
SELECT pg_temp.loaded('title', delimiter => ':');
SELECT pg_temp.loaded('title', unknown_columns => 'drop');
SELECT pg_temp.loaded('title');
SELECT qehs.bulk_load_csv('nowhere', 'title');
SELECT qehs.bulk_load('near_misses', '', delimiter => ';');
SELECT qehs.bulk_load('near_misses', '', columns => '{}');
SELECT qehs.bulk_begin('near_misses', content_type => 'text/csv', delimiter => E'\t');
SELECT qehs.bulk_begin('near_misses', unknown_columns => 'ignore');
-- what spreadsheets leave: no-break spaces, units without a blank, a percent sign, hours of one digit, empty rows and cells at the end, line breaks in lists, their hint of the delimiter
\o /dev/null
SELECT qehs.module_publish('sheets', $${"key":"sheets","name":"Sheets","displayCode":{"prefix":"SH"},"fields":[{"key":"name","label":"Full name","type":"text","required":true},{"key":"n","type":"integer"},
 {"key":"temp","type":"number","unit":"°C"},{"key":"share","type":"percentage"},{"key":"weight","type":"quantity","unit":"kg"},{"key":"cost","type":"currency"},{"key":"at","type":"time"},{"key":"mail","type":"email"},
 {"key":"phone","type":"phone"},{"key":"yes","type":"boolean"},{"key":"kinds","type":"multi-select","options":["Slip","Trip",{"value":"ppe","label":"PPE missing"}]},{"key":"words","type":"tags"}],
 "workflow":{"states":["open"],"initial":"open"}}$$);
CREATE FUNCTION pg_temp.sheet(csv text) RETURNS TABLE (line int, told text) LANGUAGE plpgsql AS $$
DECLARE answer jsonb[];
BEGIN
	answer := ARRAY(SELECT l::jsonb FROM qehs.bulk_load_csv('sheets', csv) AS l);
	FOR line, told IN SELECT a ->> 'line', coalesce((SELECT string_agg((e ->> 'path') || ' ' || (e ->> 'message'), '; ') FROM jsonb_array_elements(a -> 'errors') AS e),
		((qehs.record_get(a ->> 'id')::jsonb -> 'payload') - 'name')::text) FROM unnest(answer) AS a WHERE a ? 'line' LOOP
		RETURN NEXT;
	END LOOP;
EXCEPTION WHEN SQLSTATE 'QH400' THEN
	line := 1;
	GET STACKED DIAGNOSTICS told = PG_EXCEPTION_DETAIL;
	RETURN NEXT;
END $$;
\o
\pset format unaligned
SELECT * FROM pg_temp.sheet(E'\u00a0Full\u00a0name\u00a0,n,kinds\na,\u00a04\u00a0,PPE\u00a0missing\nb,"1\u202f234",\u00a0slip ; \u200btrip\n');
SELECT * FROM pg_temp.sheet(E'name,temp,share,weight,cost\na,36.6 °C,50%,12kg,12.5EUR\nb,36.6°C,12.5\u00a0%,12\u00a0kg,EUR\u00a03\nc,36.6 °F,50 pct,12lbs,€12\nd,"36,6",0.5%,12e3kg,"1,200 EUR"\ne,36.6,50,"12,5 kg",12/5\nf,-3 °C,,-2kg,-5 EUR\n');
SELECT * FROM pg_temp.sheet(E'name,at,mail,phone,yes\na,9:05,\u00a0ann@example.com ,+4917012345\u00a0,yes\nb,9:05 AM,ann @example.com,+49 170,ja\nc,09:05:30,,,\u00a0No\n');
SELECT * FROM pg_temp.sheet(E'name,kinds,words\na,"Slip\nTrip","x, y\r\nz"\nb,"Slip, Trip",\nc,Slip/PPE missing,\nd,Slip;Fall,\n');
SELECT * FROM pg_temp.sheet(E'name,n\na,1,,\n,,\n ,\t\n\nb,2,x\nc\n');
SELECT * FROM pg_temp.sheet(E'sep=,\nname,n\na,1\n');
\pset format aligned
