-- GraphQL over the same records, rules and rights.

CREATE FUNCTION qehs.graphql(query text DEFAULT NULL, variables jsonb DEFAULT NULL, operation_name text DEFAULT NULL,
	extensions jsonb DEFAULT NULL, media_type text DEFAULT NULL)
RETURNS json AS 'MODULE_PATHNAME', 'qehs_graphql'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.graphql(text, jsonb, text, jsonb, text) IS 'Runs a GraphQL document (specification of September 2025) with the rights of the caller and gives {"data","errors"}. The schema is made from the tenant''s definitions, as the caller may see them; __schema tells it. variables is an object; operation_name says which operation of several. extensions is {"persistedQuery":{"version":1,"sha256Hash"}} or NULL: with query the document is kept under its SHA-256 for 30 days from then, without it the kept one runs. With media_type application/graphql-response+json a request that cannot run has the status 400 over HTTP. Mutations run in order in one transaction, each in a subtransaction: one that fails is null, with the problem in its error''s extensions. Limits: 10000 tokens, 256 KiB, 8 fields inside each other, 100000 values by the limits of lists, 50 mutations. Raises QH400 validation_failed where there is no query or a member has another type, and a problem as it is where an operation has one field and that is refused.';

CREATE FUNCTION qehs.graphql_query(query text DEFAULT NULL, variables jsonb DEFAULT NULL, operation_name text DEFAULT NULL,
	extensions jsonb DEFAULT NULL, media_type text DEFAULT NULL)
RETURNS json AS 'MODULE_PATHNAME', 'qehs_graphql_query'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.graphql_query(text, jsonb, text, jsonb, text) IS 'Runs a document as qehs.graphql does, but queries only: a mutation is refused, over HTTP with the status 405.';

CREATE FUNCTION qehs.graphql_introspection_set(enabled boolean) RETURNS void AS 'MODULE_PATHNAME', 'qehs_graphql_introspection_set'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.graphql_introspection_set(boolean) IS 'Says whether GraphQL tells its schema to callers of the current tenant, from the next request on; it does unless told otherwise. Without introspection __schema and __type are fields that the query type does not have; __typename works always. Raises QH400 validation_failed for NULL.';
