-- A search for a userName goes to the index by itself where the table of users is all here; where it is not, a statement sees who there is.
\set ECHO none
\o /dev/null
SELECT qehs.tenant_create('scim_not_plain', 'A tenant');
SELECT qehs.use_tenant('scim_not_plain');
SELECT qehs.user_create('ann', 'Ann');
CREATE VIEW public.scim_planned AS SELECT count(*) > 0 AS planned FROM pg_locks WHERE pid = pg_backend_pid() AND relation IN ('qehs.user_account_pkey'::regclass, 'qehs.user_account_external_id'::regclass);
CREATE FUNCTION public.scim_found(name text) RETURNS text LANGUAGE sql AS $$
	SELECT r ->> 'displayName' FROM json_array_elements(qehs.scim_user_list(format('userName eq "%s"', name), attributes => 'displayName') -> 'Resources') AS r $$;
\c -
SELECT qehs.use_tenant('scim_not_plain');
\o
\set ECHO all
BEGIN;
SELECT public.scim_found('ANN'), public.scim_found('ben');
TABLE public.scim_planned;
COMMIT;
CREATE TABLE public.scim_users () INHERITS (qehs.user_account);
INSERT INTO public.scim_users SELECT tenant_id, qehs.id_create(), 'ben', 'Ben', NULL, active, version, created_at, updated_at, attributes, deleted_at FROM ONLY qehs.user_account WHERE display_name = 'Ann';
BEGIN;
SELECT public.scim_found('ANN'), public.scim_found('Ben');
TABLE public.scim_planned;
COMMIT;
DROP TABLE public.scim_users;
ANALYZE qehs.user_account;
SELECT public.scim_found('ANN'), public.scim_found('Ben');
DROP VIEW public.scim_planned;
DROP FUNCTION public.scim_found;
