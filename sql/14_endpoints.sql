-- What a release makes anew: problems, endpoints, components of the document, the catalogue of modules; and JSON Schemas.

CREATE TABLE qehs.problem (
	code text PRIMARY KEY,
	status int4 NOT NULL,
	title text NOT NULL,
	description text NOT NULL,
	titles jsonb NOT NULL DEFAULT '{}',
	scim_type text
);
COMMENT ON TABLE qehs.problem IS 'The problems that errors are (RFC 9457): code, HTTP status, title and meaning. Made anew by each release, not dumped.';
COMMENT ON COLUMN qehs.problem.titles IS 'title in other languages, by language tag';
COMMENT ON COLUMN qehs.problem.scim_type IS 'scimType where the error form is that of SCIM (RFC 7644 section 3.12); NULL is none';

CREATE TABLE qehs.endpoint (
	operation text PRIMARY KEY,
	method text NOT NULL,
	path text NOT NULL,
	alias text,
	function text NOT NULL,
	status int4 NOT NULL DEFAULT 200,
	body text NOT NULL DEFAULT 'none' CHECK (body IN ('none', 'json', 'stream', 'file')),
	answer text NOT NULL DEFAULT 'json' CHECK (answer IN ('none', 'json', 'stream', 'file')),
	takes text[] NOT NULL DEFAULT '{application/json,application/merge-patch+json}',
	gives text[] NOT NULL DEFAULT '{application/json}',
	error_form text NOT NULL DEFAULT 'problem' CHECK (error_form IN ('problem', 'scim', 'graphql')),
	stream_begin text,
	stream_end text,
	async_begin text,
	async_function text,
	class text NOT NULL DEFAULT 'default',
	time_limit int4 NOT NULL DEFAULT 10000 CHECK (time_limit > 0),
	authenticated boolean NOT NULL DEFAULT true,
	tag text NOT NULL,
	summary text NOT NULL,
	description text,
	scope text,
	action text,
	response text,
	etag boolean NOT NULL DEFAULT false,
	problems text[] NOT NULL DEFAULT '{}',
	parameters jsonb NOT NULL DEFAULT '[]',
	deprecated_at timestamptz,
	sunset_at timestamptz,
	deprecation_link text,
	UNIQUE (method, path),
	CHECK (body <> 'stream' OR (stream_begin IS NOT NULL AND stream_end IS NOT NULL)),
	CHECK (answer <> 'stream' OR body = 'stream'),
	CHECK (body <> 'file' OR stream_begin IS NOT NULL),
	CHECK ((async_begin IS NULL) = (async_function IS NULL) AND (async_begin IS NULL OR body = 'stream'))
);
COMMENT ON TABLE qehs.endpoint IS 'The endpoints of the API, from which the shim routes and the documents are written. Made anew by each release, not dumped.';
COMMENT ON COLUMN qehs.endpoint.alias IS 'second path with the same meaning, which the documents do not list; NULL is none';
COMMENT ON COLUMN qehs.endpoint.function IS 'gives the answer; of a body that streams it takes a chunk of lines and gives their answer lines';
COMMENT ON COLUMN qehs.endpoint.status IS 'of success, in the documents; what is answered is what request_end says';
COMMENT ON COLUMN qehs.endpoint.body IS 'none, json, stream: lines that go to the function in chunks while they arrive, or file: becomes an object of the object store, of which the function is told afterwards';
COMMENT ON COLUMN qehs.endpoint.answer IS 'none, json (one value, sent as it is), stream: of a body that streams, sent as its lines are answered, or file: an object of the object store, {"tenant","id"}, which is sent';
COMMENT ON COLUMN qehs.endpoint.takes IS 'media types of the body, the one of the documents first';
COMMENT ON COLUMN qehs.endpoint.gives IS 'media types of the answer, the one that is given without an Accept header first';
COMMENT ON COLUMN qehs.endpoint.error_form IS 'form of its errors: problem (RFC 9457), scim (RFC 7644 section 3.12) or graphql';
COMMENT ON COLUMN qehs.endpoint.stream_begin IS 'of a body that streams: called before the first chunk, on the same connection; gives {"transaction":all chunks are one transaction,"inTurns":a chunk must not run before the one ahead has ended,"stopOnFailure":nothing behind a line that failed,"statuses":{status of an answer line:what a rollback makes of it: undone (neither told nor counted), counted or told}}, by which the shim runs the load and writes the summary; of a file {"size":bytes that must come,"most":bytes that may come,"sha256":what it must be}, each where it matters';
COMMENT ON COLUMN qehs.endpoint.stream_end IS 'of a body that streams: called when all chunks have ended';
COMMENT ON COLUMN qehs.endpoint.async_begin IS 'of a body that streams, with Prefer: respond-async (RFC 7240): called before the body comes; gives {"tenant","id"}: what the body is to be called in the object store, and "quota":bytes that may come, where it matters';
COMMENT ON COLUMN qehs.endpoint.async_function IS 'of the same: called when the body is in the object store; gives the answer';
COMMENT ON COLUMN qehs.endpoint.class IS 'class of the rate limit; signed: none, as the URL is the right to call';
COMMENT ON COLUMN qehs.endpoint.time_limit IS 'milliseconds that a request, or a chunk of a stream, may take in the database; beyond it the answer is 504 timeout';
COMMENT ON COLUMN qehs.endpoint.scope IS 'scope that the caller needs; NULL is none';
COMMENT ON COLUMN qehs.endpoint.action IS 'action that the caller needs in a module (read, create, update, delete, transition), or administrator, or person: a key that acts as a user; NULL is none';
COMMENT ON COLUMN qehs.endpoint.response IS 'component of the OpenAPI document that a successful answer is; NULL is no body';
COMMENT ON COLUMN qehs.endpoint.etag IS 'successful answers carry an ETag';
COMMENT ON COLUMN qehs.endpoint.problems IS 'problem codes beyond those that follow from method, parameters and body';

CREATE TABLE qehs.openapi_component (
	name text PRIMARY KEY,
	schema json NOT NULL
);
COMMENT ON TABLE qehs.openapi_component IS 'Components of the OpenAPI document that are the same for every tenant. Made anew by each release, not dumped.';

CREATE TABLE qehs.module_catalogue (
	key text PRIMARY KEY,
	definition jsonb NOT NULL
);
COMMENT ON TABLE qehs.module_catalogue IS 'Definitions that ship with the extension, for qehs.module_install. Made anew by each release, not dumped.';

CREATE TABLE qehs.json_schema (
	uri text PRIMARY KEY,
	document jsonb NOT NULL
);
COMMENT ON TABLE qehs.json_schema IS 'JSON Schemas that a $ref of any other may name by URI, of the database and not of a tenant; qehs.jsonschema_register fills it, anyone may read it.';
GRANT SELECT ON qehs.json_schema TO PUBLIC;
