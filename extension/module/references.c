/*
 * references.c
 *	  The modules that a definition's fields refer to must be there.
 *
 * A module may refer to itself, to modules of the tenant and to those of the
 * catalogue, which can be installed in any order.
 */
#include "base/compat.h"

#include "base/json.h"
#include "base/plan.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "module/definition.h"
#include "utils/builtins.h"

static KeptPlan select_key = {
	"SELECT 1 FROM qehs.module WHERE tenant_id = $1 AND key = $2"
	" UNION ALL SELECT 1 FROM qehs.module_catalogue WHERE key = $2",
	2, {INT4OID, TEXTOID}, NULL
};

static void
check_fields(int32 tenant_id, const char *own, const JsonbContainer *fields, const char *path, ViolationList *faults)
{
	check_stack_depth();
	for (uint32 i = 0; i < JsonContainerSize(fields); i++)
	{
		const JsonbContainer *field = getIthJsonbValueFromContainer(unconstify(JsonbContainer *, fields), i)->val.binary.data;
		char	   *key = json_member_text(field, "references");
		JsonbValue	nested;

		if (key && strcmp(key, own) != 0)
		{
			Datum		values[2] = {Int32GetDatum(tenant_id), CStringGetTextDatum(key)};

			/* not read-only: a publisher may have been waited for, whose module this snapshot sees */
			if (plan_execute(&select_key, values, NULL, false, 1) == 0)
				violation_add(faults, psprintf("%s/%u/references", path, i), "undefined", "is not a module: \"%s\"", key);
		}
		if (json_member(field, "fields", 6, &nested))
			check_fields(tenant_id, own, nested.val.binary.data, psprintf("%s/%u/fields", path, i), faults);
	}
}

void
definition_check_references(int32 tenant_id, Jsonb *definition, ViolationList *faults)
{
	JsonbValue	fields;

	json_member(&definition->root, "fields", 6, &fields);
	check_fields(tenant_id, json_member_text(&definition->root, "key"), fields.val.binary.data, "/fields", faults);
}
