-- Leading and lagging indicators as leading_lagging shows them: what each record adds to them in a narrow table, and sums of it by month.

CREATE TABLE qehs.report_fact (
	tenant_id int4 NOT NULL,
	record_id uuid NOT NULL,
	what text NOT NULL,
	month date NOT NULL,
	is_good bool NOT NULL,
	PRIMARY KEY (tenant_id, record_id)
);
COMMENT ON TABLE qehs.report_fact IS 'Live records of tenants that report which add to an indicator, as the view indicator_facts has them. Made by qehs.report_trail_count, not dumped.';

CREATE TABLE qehs.report_indicator (
	tenant_id int4 NOT NULL,
	what text NOT NULL,
	month date NOT NULL,
	records int8 NOT NULL,
	good int8 NOT NULL,
	PRIMARY KEY (tenant_id, what, month)
);
COMMENT ON TABLE qehs.report_indicator IS 'Sums of qehs.report_fact by month, which leading_lagging reads. Made by qehs.report_trail_count, not dumped.';

CREATE FUNCTION qehs.report_indicator_add(tenant_id int4, records uuid[], sign int4) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $add$
	INSERT INTO qehs.report_indicator AS i (tenant_id, what, month, records, good)
	SELECT report_indicator_add.tenant_id, f.what, f.month, sign * count(*), sign * count(*) FILTER (WHERE f.is_good) FROM qehs.report_fact AS f
	WHERE f.tenant_id = report_indicator_add.tenant_id AND f.record_id = ANY (report_indicator_add.records) GROUP BY 2, 3
	ON CONFLICT ON CONSTRAINT report_indicator_pkey DO UPDATE SET records = i.records + EXCLUDED.records, good = i.good + EXCLUDED.good
$add$;
COMMENT ON FUNCTION qehs.report_indicator_add(int4, uuid[], int4) IS 'Adds records of a tenant as qehs.report_fact has them to the sums of qehs.report_indicator, or takes them out (sign -1). For qehs.report_facts_take.';

CREATE FUNCTION qehs.report_facts_take(tenant_id int4, schema_name text, records uuid[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $take$
BEGIN
	PERFORM qehs.report_indicator_add(tenant_id, records, -1);
	DELETE FROM qehs.report_fact AS f WHERE f.tenant_id = report_facts_take.tenant_id AND f.record_id = ANY (records);
	-- LIMIT has each record looked up by its id; a join would read the whole view each time
	EXECUTE format('INSERT INTO qehs.report_fact (tenant_id, record_id, what, month, is_good) SELECT $1, f.record_id, f.what, date_trunc(''month'', f.day::timestamp)::date, f.is_good
		FROM unnest($2) AS u (id) CROSS JOIN LATERAL (SELECT x.* FROM %1$I.indicator_facts AS x WHERE x.record_id = u.id LIMIT 1) AS f', schema_name) USING tenant_id, records;
	PERFORM qehs.report_indicator_add(tenant_id, records, 1);
END
$take$;
COMMENT ON FUNCTION qehs.report_facts_take(int4, text, uuid[]) IS 'Takes records of a tenant anew from its view indicator_facts, each id given once. For qehs.report_trail_count.';
