/*
 * codes.c
 *	  SQL functions that views show codes, labels, ids and days with.
 *
 * They take whatever a row holds and raise no errors.
 */
#include "base/compat.h"

#include "base/id.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "record/record.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(qehs_display_code);
PG_FUNCTION_INFO_V1(qehs_report_label);
PG_FUNCTION_INFO_V1(qehs_id_uuid);
PG_FUNCTION_INFO_V1(qehs_utc_day);

/* The arguments of qehs.display_code. */
enum
{
	ARGUMENT_PREFIX, ARGUMENT_DISPLAY_NO
};

/* display_code(prefix, display_no) */
Datum
qehs_display_code(PG_FUNCTION_ARGS)
{
	text	   *prefix = PG_GETARG_TEXT_PP(ARGUMENT_PREFIX);
	int			length = VARSIZE_ANY_EXHDR(prefix);
	text	   *code = palloc(VARHDRSZ + length + QEHS_DISPLAY_BYTES);

	SET_VARSIZE(code, VARHDRSZ + record_display_code(VARDATA(code), VARDATA_ANY(prefix), length, PG_GETARG_INT64(ARGUMENT_DISPLAY_NO)));
	PG_RETURN_TEXT_P(code);
}

/* What values are called, as an array of value, label, value, label … has it. */
typedef struct Labels
{
	int			count;
	Datum	   *texts;
	bool	   *nulls;
} Labels;

/* The labels of a call; of one whose array is a constant, as a view's is, they are taken apart once. */
static Labels *
labels_of(FunctionCallInfo fcinfo, int argument)
{
	bool		is_constant = get_fn_expr_arg_stable(fcinfo->flinfo, argument);
	Labels	   *labels = fcinfo->flinfo->fn_extra;
	MemoryContext previous;

	if (labels && is_constant)
		return labels;
	previous = MemoryContextSwitchTo(is_constant ? fcinfo->flinfo->fn_mcxt : CurrentMemoryContext);
	labels = palloc(sizeof(Labels));
	deconstruct_array(is_constant ? PG_GETARG_ARRAYTYPE_P_COPY(argument) : PG_GETARG_ARRAYTYPE_P(argument), TEXTOID, -1, false, TYPALIGN_INT,
					  &labels->texts, &labels->nulls, &labels->count);
	MemoryContextSwitchTo(previous);
	if (is_constant)
		fcinfo->flinfo->fn_extra = labels;
	return labels;
}

/* The arguments of qehs.report_label. */
enum
{
	ARGUMENT_VALUE, ARGUMENT_LABELS
};

/* report_label(value, labels) */
Datum
qehs_report_label(PG_FUNCTION_ARGS)
{
	text	   *value = PG_GETARG_TEXT_PP(ARGUMENT_VALUE);
	Size		length = VARSIZE_ANY_EXHDR(value);
	const Labels *labels = labels_of(fcinfo, ARGUMENT_LABELS);

	for (int i = 0; i + 1 < labels->count; i += 2)
	{
		const char *known = DatumGetPointer(labels->texts[i]);

		if (!labels->nulls[i] && !labels->nulls[i + 1] && VARSIZE_ANY_EXHDR(known) == length && memcmp(VARDATA_ANY(known), VARDATA_ANY(value), length) == 0)
			PG_RETURN_DATUM(labels->texts[i + 1]);
	}
	PG_RETURN_TEXT_P(value);
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

/* utc_day(instant) */
Datum
qehs_utc_day(PG_FUNCTION_ARGS)
{
	TimestampTz instant = PG_GETARG_TIMESTAMPTZ(0);

	if (TIMESTAMP_IS_NOBEGIN(instant))
		PG_RETURN_DATEADT(DATEVAL_NOBEGIN);
	if (TIMESTAMP_IS_NOEND(instant))
		PG_RETURN_DATEADT(DATEVAL_NOEND);
	/* division that rounds down, since days before 2000 are negative */
	PG_RETURN_DATEADT((DateADT) (instant >= 0 ? instant / USECS_PER_DAY : -((USECS_PER_DAY - 1 - instant) / USECS_PER_DAY)));
}
