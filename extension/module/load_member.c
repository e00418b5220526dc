/*
 * load_member.c
 *	  Members of a stored definition as a ModuleDef holds them.
 */
#include "base/compat.h"

#include "base/json.h"
#include "module/load.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonpath.h"

JsonPath *
load_expression(const JsonbContainer *object, const char *key)
{
	char	   *text = json_member_text(object, key);

	return text ? DatumGetJsonPathP(DirectFunctionCall1(jsonpath_in, CStringGetDatum(text))) : NULL;
}

const char **
load_names(const JsonbContainer *object, const char *key, int *count)
{
	JsonbValue	value;
	const char **names;

	*count = 0;
	if (!json_member(object, key, strlen(key), &value))
		return NULL;
	if (value.type == jbvString)
	{
		names = palloc(sizeof(char *));
		names[(*count)++] = json_text_copy(&value);
		return names;
	}
	if (value.type != jbvBinary)
		return NULL;
	names = palloc(sizeof(char *) * Max(JsonContainerSize(value.val.binary.data), 1));
	for (uint32 i = 0; i < JsonContainerSize(value.val.binary.data); i++)
		names[(*count)++] = json_text_copy(getIthJsonbValueFromContainer(value.val.binary.data, i));
	return names;
}
