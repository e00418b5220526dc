-- A cursor works for its own list and tenant only.
\set VERBOSITY terse
SELECT qehs.tenant_create('cur_a', 'A')::jsonb ->> 'slug' AS a, qehs.tenant_create('cur_b', 'B')::jsonb ->> 'slug' AS b;
SELECT qehs.use_tenant('cur_a');
SELECT count(qehs.api_key_create('k' || i)) FROM generate_series(1, 5) AS i;
SELECT qehs.api_key_list(2)::jsonb ->> 'nextCursor' AS cursor \gset
SELECT jsonb_path_query_array(qehs.api_key_list(2, :'cursor')::jsonb, '$.items[*].name') AS second_page;
SELECT jsonb_path_query_array(qehs.api_key_list(3, :'cursor')::jsonb, '$.items[*].name') AS rest,
	qehs.api_key_list(3, :'cursor')::jsonb -> 'nextCursor' AS next;
SELECT qehs.api_key_list(2, left(:'cursor', -1));
SELECT qehs.api_key_list(2, overlay(:'cursor' PLACING CASE substr(:'cursor', 9, 1) WHEN 'x' THEN 'y' ELSE 'x' END FROM 9));
SELECT qehs.api_key_list(2, '');
SELECT qehs.api_key_list(0);
SELECT qehs.use_tenant('cur_b');
SELECT qehs.api_key_list(2, :'cursor');
