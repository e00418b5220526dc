/*
 * compat.h
 *	  The one place that knows differences between PostgreSQL 15 to 18.
 *
 * Every source file of the extension includes this first, in place of
 * postgres.h.  Where a server API changed, the newest form is the one used in
 * the code and older servers are mapped onto it here.
 */
#ifndef QEHS_COMPAT_H
#define QEHS_COMPAT_H

#include "postgres.h"

#if PG_VERSION_NUM < 150000
#error "qehs needs PostgreSQL 15 or later"
#endif

#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

#if PG_VERSION_NUM >= 180000
#define QEHS_MODULE_MAGIC PG_MODULE_MAGIC_EXT(.name = "qehs", .version = QEHS_VERSION)
#else
#define QEHS_MODULE_MAGIC PG_MODULE_MAGIC
#endif

/* Stands in front of a declaration, as C11's _Noreturn does. */
#if PG_VERSION_NUM < 180000
#define pg_noreturn pg_attribute_noreturn()
#endif

/*
 * Callbacks of pg_parse_json: JsonActionResult is what they return, and
 * JSON_ACTION_DONE their last statement.  json_lexer() reads UTF-8 with escapes.
 */
#if PG_VERSION_NUM >= 160000
#define JsonActionResult JsonParseErrorType
#define JSON_ACTION_DONE return JSON_SUCCESS
#else
#define JsonActionResult void
#define JSON_ACTION_DONE return
#endif
#if PG_VERSION_NUM >= 170000
#define json_lexer(text, length) makeJsonLexContextCstringLen(NULL, unconstify(char *, text), length, PG_UTF8, true)
#else
#define json_lexer(text, length) makeJsonLexContextCstringLen(unconstify(char *, text), length, PG_UTF8, true)
#endif

/* What Base64 encodes, as pg_b64_encode and pg_b64_decode declare it. */
#if PG_VERSION_NUM >= 180000
typedef uint8 Base64Byte;
#else
typedef char Base64Byte;
#endif

/* Scans of an index for a bitmap count nothing for EXPLAIN. */
#if PG_VERSION_NUM >= 180000
#define index_scan_bitmap(index, snapshot, keys) index_beginscan_bitmap(index, snapshot, NULL, keys)
#else
#define index_scan_bitmap(index, snapshot, keys) index_beginscan_bitmap(index, snapshot, keys)
#endif

/* Whether this session or transaction holds a lock in just this mode. */
#if PG_VERSION_NUM >= 170000
#define session_holds_lock(tag, mode) LockHeldByMe(tag, mode, false)
#else
#define session_holds_lock(tag, mode) LockHeldByMe(tag, mode)
#endif

#endif							/* QEHS_COMPAT_H */
