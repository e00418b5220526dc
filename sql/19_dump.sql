-- What pg_dump takes of the tables of the product.

DO $dump$
DECLARE
	table_name text;
BEGIN
	FOREACH table_name IN ARRAY ARRAY['qehs.tenant', 'qehs.tenant_id_seq', 'qehs.secret', 'qehs.user_account', 'qehs.role',
		'qehs.role_member', 'qehs.location', 'qehs.api_key', 'qehs.rate_limit', 'qehs.module', 'qehs.module_version', 'qehs.record', 'qehs.record_unique', 'qehs.record_link', 'qehs.record_comment', 'qehs.record_timer', 'qehs.calendar',
		'qehs.outbox', 'qehs.approval', 'qehs.delegation', 'qehs.signature_credential',
		'qehs.audit_event', 'qehs.audit_seal', 'qehs.audit_tombstone', 'qehs.record_tombstone', 'qehs.legal_hold', 'qehs.legal_hold_record', 'qehs.attachment', 'qehs.object_removal', 'qehs.idempotency', 'qehs.job', 'qehs.json_schema']
	LOOP
		PERFORM pg_catalog.pg_extension_config_dump(table_name::pg_catalog.regclass, '');
	END LOOP;
END
$dump$;
