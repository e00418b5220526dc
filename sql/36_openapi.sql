-- The API described: OpenAPI document and Postman collection.

CREATE FUNCTION qehs.openapi(base_url text DEFAULT NULL) RETURNS json AS 'MODULE_PATHNAME', 'qehs_openapi'
LANGUAGE C STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.openapi(text) IS 'The OpenAPI 3.1 document. Without a tenant it is generic; in one it has the modules that the caller may see as typed schemas, and only the operations that the caller may call. base_url is where clients reach the server; NULL makes addresses relative.';

CREATE FUNCTION qehs.openapi_yaml(base_url text DEFAULT NULL) RETURNS text AS 'MODULE_PATHNAME', 'qehs_openapi_yaml'
LANGUAGE C STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.openapi_yaml(text) IS 'The document of qehs.openapi as YAML 1.2.';

CREATE FUNCTION qehs.postman(base_url text DEFAULT NULL) RETURNS json AS 'MODULE_PATHNAME', 'qehs_postman'
LANGUAGE C STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.postman(text) IS 'The operations of qehs.openapi as a Postman collection (format 2.1): a folder a tag, bodies with valid examples, tests of the status. base_url is the value of its variable baseUrl, NULL is http://127.0.0.1:8080; the variable apiKey is for the user to fill in.';
