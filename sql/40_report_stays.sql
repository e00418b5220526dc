-- How long records stayed in each state, as state_dwell shows it: counts by state and length, made of the audit trail.
--
-- What a span of events changes is what the stays of its records are with it, less what they were without. A length is kept as a bucket of 0.5%, with its
-- sum: where a bucket has one length the median is exact, elsewhere within that.

CREATE TABLE qehs.report_stay (
	tenant_id int4 NOT NULL,
	module_id int4 NOT NULL,
	state text NOT NULL,
	bucket int4 NOT NULL,
	stays int8 NOT NULL,
	re_entries int8 NOT NULL,
	microseconds numeric NOT NULL,
	PRIMARY KEY (tenant_id, module_id, state, bucket)
);
COMMENT ON TABLE qehs.report_stay IS 'Stays of live records in states, by how long they were, of tenants that report. Made by qehs.report_trail_count, not dumped.';
COMMENT ON COLUMN qehs.report_stay.bucket IS '200 times the natural logarithm of the milliseconds and 1, rounded down; -1: those that have not ended';
COMMENT ON COLUMN qehs.report_stay.re_entries IS 'how many of them were not their record''s first in the state';
COMMENT ON COLUMN qehs.report_stay.microseconds IS 'of all of them together';

CREATE FUNCTION qehs.report_stays_recount(tenant_id int4, records uuid[], before uuid, upto uuid) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $recount$
	WITH side (sign, until) AS (SELECT v.* FROM (VALUES (-1, before), (1, upto)) AS v (sign, until) WHERE v.until IS NOT NULL),
	stay AS (
		SELECT s.sign, e.module_id, e.to_state AS state, EXTRACT(epoch FROM lead(e.at) OVER (PARTITION BY s.sign, e.record_id ORDER BY e.at, e.id) - e.at) * 1000000 AS length,
			row_number() OVER (PARTITION BY s.sign, e.record_id, e.to_state ORDER BY e.at, e.id) > 1 AS again
		FROM unnest(records) AS t (record_id) CROSS JOIN side AS s
		CROSS JOIN LATERAL (SELECT v.* FROM qehs.audit_event AS v WHERE v.tenant_id = report_stays_recount.tenant_id AND v.record_id = t.record_id AND v.id <= s.until) AS e
		WHERE e.to_state IS NOT NULL AND e.from_state IS DISTINCT FROM e.to_state
			AND NOT COALESCE((SELECT d.action = 'deleted' FROM qehs.audit_event AS d WHERE d.tenant_id = report_stays_recount.tenant_id AND d.record_id = t.record_id
				AND d.id <= s.until AND d.action IN ('deleted', 'restored') ORDER BY d.id DESC LIMIT 1), false))
	INSERT INTO qehs.report_stay AS r (tenant_id, module_id, state, bucket, stays, re_entries, microseconds)
	SELECT report_stays_recount.tenant_id, s.module_id, s.state, CASE WHEN s.length IS NULL THEN -1 ELSE floor(200 * ln(GREATEST(s.length, 0)::float8 / 1000 + 1))::int4 END, sum(s.sign),
		COALESCE(sum(s.sign) FILTER (WHERE s.again), 0), COALESCE(sum(s.sign * s.length), 0)
	FROM stay AS s GROUP BY 2, 3, 4
	ON CONFLICT ON CONSTRAINT report_stay_pkey DO UPDATE SET stays = r.stays + EXCLUDED.stays, re_entries = r.re_entries + EXCLUDED.re_entries, microseconds = r.microseconds + EXCLUDED.microseconds
$recount$;
COMMENT ON FUNCTION qehs.report_stays_recount(int4, uuid[], uuid, uuid) IS 'Takes the stays that records had by their events up to the id before out of qehs.report_stay, and puts those in that they have up to upto; NULL: none.';

CREATE FUNCTION qehs.report_stays_add(tenant_id int4, after uuid, upto uuid) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $add$
	SELECT qehs.report_stays_recount(tenant_id, ARRAY(SELECT DISTINCT e.record_id FROM qehs.audit_event AS e WHERE e.tenant_id = report_stays_add.tenant_id AND e.id > after AND e.id <= upto
		AND (e.to_state IS NOT NULL AND e.from_state IS DISTINCT FROM e.to_state OR e.action IN ('deleted', 'restored'))), after, upto)
$add$;
COMMENT ON FUNCTION qehs.report_stays_add(int4, uuid, uuid) IS 'Counts the events of a tenant behind one id up to another into qehs.report_stay, which has those up to the first. For qehs.report_trail_count.';

CREATE FUNCTION qehs.report_stays_forget(tenant_id int4, record_id uuid) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $forget$
DECLARE
	counted uuid;
BEGIN
	-- mostly its deletion was counted long ago
	SELECT s.counted_to INTO counted FROM qehs.report_trail AS s WHERE s.tenant_id = report_stays_forget.tenant_id;
	IF counted >= (SELECT e.id FROM qehs.audit_event AS e WHERE e.tenant_id = report_stays_forget.tenant_id AND e.record_id = report_stays_forget.record_id
		AND e.action = 'deleted' ORDER BY e.id DESC LIMIT 1) THEN
		RETURN;
	END IF;
	SELECT s.counted_to INTO counted FROM qehs.report_trail AS s WHERE s.tenant_id = report_stays_forget.tenant_id FOR UPDATE;
	IF FOUND THEN
		PERFORM qehs.report_stays_recount(tenant_id, ARRAY[record_id], counted, NULL);
	END IF;
END
$forget$;
COMMENT ON FUNCTION qehs.report_stays_forget(int4, uuid) IS 'Takes the stays of a record that is purged out of qehs.report_stay, before its events go: those that were counted while it lived, where its deletion was not. The counting of the tenant waits until the transaction ends.';
