-- GraphQL over the same records, rules and rights.

CREATE FUNCTION qehs.graphql(query text, variables jsonb DEFAULT NULL, operation_name text DEFAULT NULL, queries_only boolean DEFAULT false)
RETURNS json AS 'MODULE_PATHNAME', 'qehs_graphql'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.graphql(text, jsonb, text, boolean) IS 'Runs a GraphQL document (specification of September 2025) with the rights of the caller and gives {"data","errors"}. The schema is made from the tenant''s definitions, as the caller may see them; __schema tells it. variables is an object; operation_name says which operation of several; queries_only refuses mutations. Mutations run in order in one transaction, each in a subtransaction: one that fails is null, with the problem in its error''s extensions. Limits: 10000 tokens, 1 MiB, 8 fields inside each other, 100000 values by the limits of lists, 50 mutations. Raises QH400 validation_failed where query is NULL or variables no object, and a problem as it is where an operation has one field and that is refused.';
