-- Comments on records.

CREATE FUNCTION qehs.record_comment(id text, body text, parent_id text DEFAULT NULL)
RETURNS json AS 'MODULE_PATHNAME', 'qehs_record_comment'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.record_comment(text, text, text) IS 'Says something of a record (rec_… or UUID), at most 10000 characters, as an answer to the comment parent_id (cmt_… or UUID) or as a new thread, and gives the comment: {"id","recordId","parentId","body","mentions","createdAt","createdBy","deletedAt"}. @name in body mentions the active user of the name, which is an event comment.mentioned of qehs.outbox. The record and its version stay as they are; the audit trail has an event commented. Needs scope records.write and actions read and comment of the record. Raises QH400 validation_failed, QH403 forbidden, QH404 not_found.';

CREATE FUNCTION qehs.record_comments(id text, page_size int4 DEFAULT NULL, cursor text DEFAULT NULL)
RETURNS json AS 'MODULE_PATHNAME', 'qehs_record_comments'
LANGUAGE C STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.record_comments(text, int4, text) IS 'The comments of a record, oldest first, as record_comment gives them; a deleted one has body null. page_size 1 to 200, NULL is 50. Needs scope records.read and action read of the record. Raises QH400 invalid_parameter or invalid_cursor, QH403 forbidden, QH404 not_found.';

CREATE FUNCTION qehs.comment_delete(id text) RETURNS json AS 'MODULE_PATHNAME', 'qehs_comment_delete'
LANGUAGE C VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.comment_delete(text) IS 'Takes back a comment (cmt_… or UUID) of the caller, an administrator any: its text goes, its place in the thread stays, and the audit trail has an event comment_deleted with the text. Gives NULL. Needs scope records.write and actions read and comment of the record. Raises QH403 forbidden, QH404 not_found.';

CREATE FUNCTION qehs.record_links(id text, page_size int4 DEFAULT NULL, cursor text DEFAULT NULL)
RETURNS json AS 'MODULE_PATHNAME', 'qehs_record_links'
LANGUAGE C STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp;
COMMENT ON FUNCTION qehs.record_links(text, int4, text) IS 'The live records that a record names in fields of type record-reference or record-references (direction out) and those that name it (in), with these fields: {"direction","fields","record":{"id","moduleKey","displayCode","workflowState"}}, of both those that the caller may read. page_size 1 to 200, NULL is 50. Needs scope records.read and action read of the record. Raises QH400 invalid_parameter or invalid_cursor, QH403 forbidden, QH404 not_found.';
