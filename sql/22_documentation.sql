-- What the OpenAPI document, the Postman collection and the portal say about each endpoint and parameter.

UPDATE qehs.endpoint AS e
SET scope = d.scope, action = d.action, response = d.response, etag = d.etag, problems = d.problems, description = d.description
FROM (VALUES
	('record_list', 'records.read', 'read', 'RecordPage', false, '{not_found}'::text[],
	 'A page of one module''s live records. Filter with filter[field]=value or filter[field][op]=value; op is eq, ne, lt, lte, gt, gte, in, nin (values separated by commas), contains, startsWith or exists. Ties of the sort are broken by id.'),
	('record_create', 'records.write', 'create', 'Record', true, '{conflict}',
	 'Creates a record. The payload is checked against the module''s current definition; all violations are reported at once.'),
	('record_get', 'records.read', 'read', 'RecordDetail', true, '{}',
	 'The record with its 50 newest activities, its attachments and the transitions that this caller may fire now.'),
	('record_update', 'records.write', 'update', 'Record', true, '{conflict,precondition_required}',
	 'Merges payload into the record (RFC 7396): members that are supplied change, null removes. A patch that changes nothing makes no new version.'),
	('record_transition', 'records.write', 'transition', 'Record', true, '{conflict,transition_not_allowed,guard_failed,precondition_required}',
	 'Moves the record along a transition of its workflow, after merging payload. Fields that the transition requires must be in the record or in payload.'),
	('record_delete', 'records.write', 'delete', NULL, false, '{precondition_required}',
	 'Soft-deletes the record: from then on only the audit trail shows it. Deleting it twice answers 404.'),
	('record_restore', 'records.write', 'delete', 'Record', true, '{conflict}',
	 'Restores a deleted record.'),
	('record_migrate', 'records.write', 'update', 'Record', true, '{conflict,precondition_required}',
	 'Moves the record to a newer version of its module''s definition, the current one unless definitionVersion says another, by the migrate rules of each version in between. A record that is there already stays as it is.'),
	('record_activity', 'records.read', 'read', 'ActivityPage', false, '{}',
	 'What happened to the record, newest first; with scope audit.read also of a deleted one.'),
	('audit_list', 'audit.read', NULL, 'AuditPage', false, '{}',
	 'The tenant''s audit events, newest first, those of deleted records included. A delete event carries the last payload.'),
	('module_list', 'modules.read', NULL, 'ModulePage', false, '{}', 'The tenant''s modules in order of their keys.'),
	('module_get', 'modules.read', NULL, 'Module', true, '{}',
	 'A definition as published, with its version and the JSON Schema 2020-12 that payloads are checked against.'),
	('module_publish', 'modules.write', 'administrator', 'Module', true, '{conflict}',
	 'Publishes the definition as the module''s next version; an identical one changes nothing. 201 for a new module. Needs the role tenant-owner or tenant-admin. Every fault of the definition is reported with its JSON Pointer.'),
	('api_key_list', 'admin.keys', NULL, 'ApiKeyPage', false, '{}', 'The tenant''s API keys in order of creation, without secrets.'),
	('api_key_create', 'admin.keys', NULL, 'ApiKeySecret', false, '{}',
	 'Creates an API key. Its secret is in this answer and never again. A caller cannot give scopes or roles that it lacks.'),
	('api_key_get', 'admin.keys', NULL, 'ApiKey', false, '{}', 'One API key, without its secret.'),
	('api_key_rotate', 'admin.keys', NULL, 'ApiKeySecret', false, '{}',
	 'Creates a key with the rights of this one and lets this one go on for overlapSeconds.'),
	('api_key_revoke', 'admin.keys', NULL, NULL, false, '{}', 'Revokes the key, effective from the next request.'),
	('deprecation_list', NULL, NULL, 'DeprecationList', false, '{}', 'Endpoints that are deprecated, and when they end.'),
	('problem_list', NULL, NULL, 'ProblemCodeList', false, '{}', 'All codes that a problem (RFC 9457) can have.'),
	('openapi', NULL, NULL, 'OpenApi', true, '{}',
	 'This document. Without a key it is generic; with one it has the tenant''s modules as typed schemas and only what the key may do.'),
	('openapi_yaml', NULL, NULL, 'Yaml', true, '{}', 'This document as YAML.'),
	('postman', NULL, NULL, 'PostmanCollection', true, '{}',
	 'The same as a Postman collection: a folder a tag, with bodies that work and tests of the status.')
) AS d (operation, scope, action, response, etag, problems, description)
WHERE d.operation = e.operation;

-- Parameters by name; a row that names the operation goes before one for all.
WITH documented (operation, name, documentation) AS (VALUES
	(NULL, 'id', '{"description":"The record.","schema":{"$ref":"#/components/schemas/RecordId"},"example":"rec_01KA5X8ZK5Q3V7N2M4T6W8Y0AB"}'::pg_catalog.jsonb),
	('api_key_get', 'id', '{"description":"The API key.","schema":{"$ref":"#/components/schemas/ApiKeyId"},"example":"key_01KA5X8ZK5Q3V7N2M4T6W8Y0AB"}'),
	('api_key_rotate', 'id', '{"description":"The API key.","schema":{"$ref":"#/components/schemas/ApiKeyId"},"example":"key_01KA5X8ZK5Q3V7N2M4T6W8Y0AB"}'),
	('api_key_revoke', 'id', '{"description":"The API key.","schema":{"$ref":"#/components/schemas/ApiKeyId"},"example":"key_01KA5X8ZK5Q3V7N2M4T6W8Y0AB"}'),
	(NULL, 'limit', '{"description":"Items of a page.","schema":{"type":"integer","minimum":1,"maximum":200,"default":50}}'),
	(NULL, 'cursor', '{"description":"nextCursor of the page before; good only with the same filter and sort.","schema":{"type":"string"}}'),
	(NULL, 'If-Match', '{"description":"Go on only when the record still has this version: its ETag. Required where the module has requireIfMatch.","schema":{"type":"string"},"example":"\"1\""}'),
	(NULL, 'moduleKey', '{"description":"The module.","schema":{"type":"string"},"example":"incidents"}'),
	('record_list', 'filter', '{"description":"Conditions on fields, all of which must hold: filter[severity]=high or filter[severity][in]=high,critical."}'),
	('record_list', 'status', '{"description":"The workflow state.","schema":{"type":"string"}}'),
	(NULL, 'from', '{"description":"Not before this time.","schema":{"type":"string","format":"date-time"},"example":"2026-01-01T00:00:00Z"}'),
	(NULL, 'to', '{"description":"Not after this time.","schema":{"type":"string","format":"date-time"},"example":"2026-12-31T23:59:59Z"}'),
	('record_list', 'q', '{"description":"Words that the text fields must contain.","schema":{"type":"string","minLength":1,"maxLength":125},"example":"stairs"}'),
	('record_list', 'sort', '{"description":"A field to sort by; with - in front descending.","schema":{"type":"string","default":"-createdAt"},"example":"-createdAt"}'),
	('record_list', 'fields', '{"description":"Members that the answer is trimmed to, separated by commas, such as displayCode,payload.title; id is always there.","schema":{"type":"string"},"example":"displayCode,workflowState"}'),
	('record_create', 'payload', '{"description":"The fields of the module.","schema":{"type":"object"},"example":{"title":"Slip on wet stairs","severity":"low"}}'),
	('record_create', 'workflowState', '{"description":"The state to start in; other than the initial one for tenant-owner and tenant-admin only.","schema":{"type":"string"}}'),
	(NULL, 'payload', '{"description":"The fields to change; null removes one.","schema":{"type":"object"},"example":{"severity":"high"}}'),
	(NULL, 'comment', '{"description":"Kept with the event.","schema":{"type":["string","null"]},"example":"Seen on site"}'),
	(NULL, 'transition', '{"description":"One of availableTransitions.","schema":{"type":"string"},"example":"submit"}'),
	(NULL, 'signature', '{"description":"An electronic signature, where the transition asks for one.","schema":{"type":["object","null"]}}'),
	('record_migrate', 'definitionVersion', '{"description":"The version to move to; without it the current one.","schema":{"type":["integer","null"],"minimum":1,"maximum":2147483647}}'),
	('audit_list', 'recordId', '{"description":"Events of this record.","schema":{"$ref":"#/components/schemas/RecordId"}}'),
	('audit_list', 'actor', '{"description":"Events of this user or API key.","schema":{"$ref":"#/components/schemas/ActorId"}}'),
	('audit_list', 'action', '{"description":"Events of this kind.","schema":{"type":"string"},"example":"deleted"}'),
	(NULL, 'Accept-Language', '{"description":"The language of problem titles and, where the definition has labels in it, of field names in messages (RFC 9110 section 12.5.4).","schema":{"type":"string"},"example":"de, en;q=0.8"}'),
	('module_get', 'Accept-Language', '{"description":"The language of labels (RFC 9110 section 12.5.4), where the definition has labels in it; Content-Language says which it is.","schema":{"type":"string"},"example":"de, en;q=0.8"}'),
	('module_get', 'version', '{"description":"A definition version; without it the current one.","schema":{"type":"integer","minimum":1,"maximum":2147483647}}'),
	('module_publish', 'If-Match', '{"description":"Go on only when the module still has this version: its ETag.","schema":{"type":"string"},"example":"\"1\""}'),
	('module_publish', 'moduleKey', '{"description":"The module; as in the definition.","schema":{"type":"string","pattern":"^[a-z][a-z0-9_]{0,62}$"},"example":"near_misses"}'),
	('module_publish', 'definition', '{"schema":{"$ref":"#/components/schemas/ModuleDefinition"},"example":{"key":"near_misses","name":"Near misses","displayCode":{"prefix":"NM"},"fields":[{"key":"title","label":"Title","type":"text","required":true,"maxLength":500},{"key":"severity","label":"Severity","type":"select","options":["low","medium","high"],"indexed":true}],"workflow":{"states":["open","closed"],"initial":"open","transitions":{"close":{"from":"open","to":"closed"}}},"permissions":{"roles":{"tenant-user":["read","create","update","transition"]}}}}'),
	('api_key_create', 'name', '{"description":"What the key is for.","schema":{"type":"string","minLength":1,"maxLength":50},"example":"Power BI"}'),
	('api_key_create', 'scopes', '{"schema":{"type":"array","items":{"$ref":"#/components/schemas/Scope"}},"example":["records.read"]}'),
	('api_key_create', 'roles', '{"schema":{"type":"array","items":{"type":"string"}},"example":["viewer"]}'),
	('api_key_create', 'modules', '{"description":"Modules that the key may touch; null is all.","schema":{"type":["array","null"],"items":{"type":"string"}}}'),
	('api_key_create', 'expiresAt', '{"schema":{"type":["string","null"],"format":"date-time"}}'),
	('api_key_create', 'actingUser', '{"description":"User name that the key acts as.","schema":{"type":["string","null"]}}'),
	('api_key_create', 'rateLimit', '{"description":"Requests a minute; null is the default of 300, 0 is without limit.","schema":{"type":["integer","null"],"minimum":0,"maximum":2147483647}}'),
	('api_key_create', 'allowedAddresses', '{"description":"Networks in CIDR notation; null is all.","schema":{"type":["array","null"],"items":{"type":"string"}}}'),
	('api_key_rotate', 'overlapSeconds', '{"schema":{"type":["integer","null"],"minimum":0,"maximum":7776000,"default":86400},"example":3600}')
)
UPDATE qehs.endpoint AS e SET parameters = (
	SELECT pg_catalog.jsonb_agg(COALESCE(d.documentation, '{}') || p.item ORDER BY p.number)
	FROM pg_catalog.jsonb_array_elements(e.parameters) WITH ORDINALITY AS p (item, number)
	LEFT JOIN LATERAL (
		SELECT documentation FROM documented WHERE name = p.item ->> 'name' AND (operation = e.operation OR operation IS NULL)
		ORDER BY operation NULLS LAST LIMIT 1) AS d ON true)
WHERE e.parameters <> '[]';
