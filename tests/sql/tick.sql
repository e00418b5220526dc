-- Expired idempotency keys go in batches, of all tenants, within the time that a call is given; what is not expired stays.
SELECT qehs.tenant_create('tick_one', 'One')::jsonb ->> 'slug' AS one, qehs.tenant_create('tick_two', 'Two')::jsonb ->> 'slug' AS two;
CREATE FUNCTION pg_temp.keys(slug text, kind text, amount int, age interval) RETURNS void LANGUAGE sql AS $$
	INSERT INTO qehs.idempotency (tenant_id, key_id, idempotency_key, fingerprint, status, created_at, headers)
	SELECT t.id, '00000000-0000-7000-8000-000000000000', kind || n, '\x00', 201, now() - age, ''
	FROM qehs.tenant AS t, generate_series(1, amount) AS n WHERE t.slug = $1;
$$;
CREATE VIEW pg_temp.kept AS SELECT t.slug, regexp_replace(i.idempotency_key, '[0-9]+$', '') AS kind, count(*)
	FROM qehs.idempotency AS i JOIN qehs.tenant AS t ON t.id = i.tenant_id WHERE t.slug LIKE 'tick%' GROUP BY 1, 2;
-- nothing else in the way
DELETE FROM qehs.idempotency WHERE created_at < now() - interval '24 hours';
SELECT pg_temp.keys('tick_one', 'old', 2500, '25 hours'), pg_temp.keys('tick_one', 'new', 5, '23 hours');
-- no time left: one batch, and more to come
SELECT qehs.tick(1000, '0');
SELECT * FROM pg_temp.kept ORDER BY 1, 2;
SELECT pg_temp.keys('tick_two', 'older', 1200, '3 days');
-- as many batches as it takes, also when the last one is full
SELECT qehs.tick(300, '1 hour');
SELECT * FROM pg_temp.kept ORDER BY 1, 2;
SELECT qehs.tick();
-- a batch is never empty
SELECT pg_temp.keys('tick_two', 'again', 3, '2 days');
SELECT qehs.tick(0, '0');
SELECT qehs.tick(-1, '1 hour');
DELETE FROM qehs.idempotency AS i USING qehs.tenant AS t WHERE t.id = i.tenant_id AND t.slug LIKE 'tick%';
