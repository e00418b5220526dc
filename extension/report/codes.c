/*
 * codes.c
 *	  SQL functions that views show codes and ids with.
 *
 * They take whatever a row holds and raise no errors.
 */
#include "base/compat.h"

#include "base/id.h"
#include "fmgr.h"
#include "record/record.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(qehs_display_code);
PG_FUNCTION_INFO_V1(qehs_id_uuid);

/* The arguments of qehs.display_code. */
enum
{
	ARGUMENT_PREFIX, ARGUMENT_DISPLAY_NO
};

/* display_code(prefix, display_no) */
Datum
qehs_display_code(PG_FUNCTION_ARGS)
{
	int64		number = PG_GETARG_INT64(ARGUMENT_DISPLAY_NO);

	PG_RETURN_TEXT_P(cstring_to_text(psprintf(QEHS_DISPLAY_FORMAT, text_to_cstring(PG_GETARG_TEXT_PP(ARGUMENT_PREFIX)), (int) (number / QEHS_DISPLAY_YEAR),
											  (int) (number % QEHS_DISPLAY_YEAR))));
}

/* id_uuid(id) */
Datum
qehs_id_uuid(PG_FUNCTION_ARGS)
{
	static const char *const prefixes[] = {QEHS_ID_RECORD, QEHS_ID_USER};
	text	   *id = PG_GETARG_TEXT_PP(0);
	pg_uuid_t  *result = palloc(sizeof(pg_uuid_t));

	for (int i = 0; i < (int) lengthof(prefixes); i++)
		if (id_parse(VARDATA_ANY(id), VARSIZE_ANY_EXHDR(id), prefixes[i], result))
			PG_RETURN_UUID_P(result);
	PG_RETURN_NULL();
}
