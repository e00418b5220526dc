-- Every problem code: one place for the status and the title (RFC 9457).
INSERT INTO qehs.problem (code, status, title, description) VALUES
	('malformed_request', 400, 'Malformed request', 'What was sent is not HTTP/1.1 (RFC 9112).'),
	('malformed_json', 400, 'Malformed JSON', 'The body is not JSON as RFC 8259 and this API want it: UTF-8, no duplicate keys, at most 64 levels deep.'),
	('validation_failed', 400, 'Validation failed', 'The body does not fit the endpoint or the module; errors lists each violation with its JSON Pointer.'),
	('invalid_parameter', 400, 'Invalid parameter', 'A query parameter or header is unknown, repeated or has a value that it cannot have.'),
	('invalid_cursor', 400, 'Invalid cursor', 'The cursor was changed, cut, or made for another filter, sort, endpoint or tenant.'),
	('unauthenticated', 401, 'Unauthenticated', 'The API key is missing, malformed, revoked or expired.'),
	('forbidden', 403, 'Forbidden', 'The API key lacks a scope, a module or a role that the request needs.'),
	('not_found', 404, 'Not found', 'There is no such thing in this tenant, or no such path.'),
	('method_not_allowed', 405, 'Method not allowed', 'The path exists, but not with this method; Allow lists those that do.'),
	('not_acceptable', 406, 'Not acceptable', 'The Accept header allows none of the media types that the endpoint can answer.'),
	('conflict', 409, 'Conflict', 'The request meets something that another request has made or changed.'),
	('transition_not_allowed', 409, 'Transition not allowed', 'The record''s state or the caller''s roles do not allow the transition.'),
	('guard_failed', 409, 'Guard failed', 'Guards of the transition do not hold; errors lists each: code is roles, when, notSameActorAs or children at /transition, or required at the field or comment that it needs.'),
	('idempotency_key_in_progress', 409, 'Idempotency key in progress', 'A request with the same Idempotency-Key is running.'),
	('gone', 410, 'Gone', 'The download has expired.'),
	('version_mismatch', 412, 'Version mismatch', 'The record has changed since the version that If-Match names.'),
	('payload_too_large', 413, 'Payload too large', 'The body is larger than the server takes.'),
	('uri_too_long', 414, 'URI too long', 'The request target is longer than the server takes.'),
	('unsupported_media_type', 415, 'Unsupported media type', 'The Content-Type is not one that the endpoint takes.'),
	('idempotency_key_conflict', 422, 'Idempotency key conflict', 'The Idempotency-Key was used with another request.'),
	('precondition_required', 428, 'Precondition required', 'The module demands If-Match.'),
	('rate_limited', 429, 'Too many requests', 'The rate limit is used up; Retry-After says when to try again.'),
	('header_too_large', 431, 'Request header fields too large', 'The request line and headers are larger than the server takes.'),
	('internal', 500, 'Internal error', 'The server failed; the traceId finds the cause in its log.'),
	('not_implemented', 501, 'Not implemented', 'The request uses a part of HTTP that the server does not have.'),
	('unavailable', 503, 'Service unavailable', 'The database cannot be reached or is busy; try again after Retry-After.'),
	('timeout', 504, 'Timeout', 'The request took longer than it may.'),
	('http_version_not_supported', 505, 'HTTP version not supported', 'The server speaks HTTP/1.1 and HTTP/1.0.');

-- Titles for Accept-Language (RFC 9110 section 12.5.4); detail stays in English.
UPDATE qehs.problem AS p SET titles = pg_catalog.jsonb_build_object('de', t.de, 'fr', t.fr, 'es', t.es)
FROM (VALUES
	('malformed_request', 'Fehlerhafte Anfrage', 'Requête mal formée', 'Solicitud mal formada'),
	('malformed_json', 'Fehlerhaftes JSON', 'JSON mal formé', 'JSON mal formado'),
	('validation_failed', 'Prüfung fehlgeschlagen', 'Validation échouée', 'Validación fallida'),
	('invalid_parameter', 'Ungültiger Parameter', 'Paramètre non valide', 'Parámetro no válido'),
	('invalid_cursor', 'Ungültiger Cursor', 'Curseur non valide', 'Cursor no válido'),
	('unauthenticated', 'Nicht angemeldet', 'Non authentifié', 'No autenticado'),
	('forbidden', 'Nicht erlaubt', 'Interdit', 'Prohibido'),
	('not_found', 'Nicht gefunden', 'Introuvable', 'No encontrado'),
	('method_not_allowed', 'Methode nicht erlaubt', 'Méthode non autorisée', 'Método no permitido'),
	('not_acceptable', 'Nicht annehmbar', 'Non acceptable', 'No aceptable'),
	('conflict', 'Konflikt', 'Conflit', 'Conflicto'),
	('transition_not_allowed', 'Übergang nicht erlaubt', 'Transition non autorisée', 'Transición no permitida'),
	('guard_failed', 'Bedingung nicht erfüllt', 'Condition non remplie', 'Condición no cumplida'),
	('idempotency_key_in_progress', 'Idempotency-Key in Bearbeitung', 'Idempotency-Key en cours', 'Idempotency-Key en curso'),
	('gone', 'Nicht mehr vorhanden', 'N''existe plus', 'Ya no existe'),
	('version_mismatch', 'Version stimmt nicht überein', 'Version différente', 'La versión no coincide'),
	('payload_too_large', 'Inhalt zu groß', 'Contenu trop volumineux', 'Contenido demasiado grande'),
	('uri_too_long', 'Adresse zu lang', 'URI trop longue', 'URI demasiado larga'),
	('unsupported_media_type', 'Medientyp nicht unterstützt', 'Type de média non pris en charge', 'Tipo de medio no admitido'),
	('idempotency_key_conflict', 'Idempotency-Key schon verwendet', 'Idempotency-Key déjà utilisée', 'Idempotency-Key ya utilizada'),
	('precondition_required', 'Vorbedingung erforderlich', 'Précondition requise', 'Se requiere una condición previa'),
	('rate_limited', 'Zu viele Anfragen', 'Trop de requêtes', 'Demasiadas solicitudes'),
	('header_too_large', 'Kopfzeilen zu groß', 'En-têtes trop volumineux', 'Cabeceras demasiado grandes'),
	('internal', 'Interner Fehler', 'Erreur interne', 'Error interno'),
	('not_implemented', 'Nicht vorhanden', 'Non implémenté', 'No implementado'),
	('unavailable', 'Dienst nicht verfügbar', 'Service indisponible', 'Servicio no disponible'),
	('timeout', 'Zeitüberschreitung', 'Délai dépassé', 'Tiempo agotado'),
	('http_version_not_supported', 'HTTP-Version nicht unterstützt', 'Version HTTP non prise en charge', 'Versión de HTTP no admitida')
) AS t (code, de, fr, es) WHERE t.code = p.code;

-- scimType of RFC 7644 section 3.12, where it has a word for the code.
UPDATE qehs.problem AS p SET scim_type = t.scim_type
FROM (VALUES ('malformed_request', 'invalidSyntax'), ('malformed_json', 'invalidSyntax'), ('validation_failed', 'invalidValue'),
	('invalid_parameter', 'invalidValue'), ('conflict', 'uniqueness')) AS t (code, scim_type)
WHERE p.code = t.code;
