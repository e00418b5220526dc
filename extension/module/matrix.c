/*
 * matrix.c
 *	  The matrix of a matrix-score field: how large it is and how scores band.
 *
 * It stands in the definition, so that a record's band means what its version said.
 */
#include "base/compat.h"

#include "base/json.h"
#include "module/definition.h"
#include "module/members.h"

static const ModuleBand default_bands[] = {{"low", 4}, {"medium", 9}, {"high", 16}, {"extreme", 25}};

const ModuleBand *
definition_bands(const JsonbContainer *field, int32 *size, int *count)
{
	JsonbValue	value;
	ModuleBand *bands;

	if (!json_member_int(field, "size", size))
		*size = 5;
	if (!json_member(field, "bands", 5, &value))
	{
		*count = lengthof(default_bands);
		return default_bands;
	}
	*count = JsonContainerSize(value.val.binary.data);
	bands = palloc(sizeof(ModuleBand) * *count);
	for (int i = 0; i < *count; i++)
	{
		const JsonbContainer *band = getIthJsonbValueFromContainer(value.val.binary.data, i)->val.binary.data;

		bands[i].name = json_member_text(band, "name");
		json_member_int(band, "max", &bands[i].max);
	}
	return bands;
}

static void
check_bands(const JsonbContainer *bands, int32 size, const char *path, ViolationList *faults)
{
	int			count = JsonContainerSize(bands);
	int32		before = 0;
	int			faults_before = faults->count;

	for (int i = 0; i < count; i++)
	{
		JsonbValue *band = getIthJsonbValueFromContainer(unconstify(JsonbContainer *, bands), i);
		bool		is_object = band->type == jbvBinary && JsonContainerIsObject(band->val.binary.data);
		int32		max;
		char	   *name = is_object ? json_member_text(band->val.binary.data, "name") : NULL;

		if (is_object)
			members_check(band->val.binary.data, band_members, psprintf("%s/%d", path, i), faults);
		if (name == NULL || *name == '\0')
			violation_add(faults, psprintf("%s/%d/name", path, i), "required", "must be a text");
		if (!is_object || !json_member_int(band->val.binary.data, "max", &max) || max <= before)
			violation_add(faults, psprintf("%s/%d/max", path, i), "range", "must be an integer above %d", before);
		else
			before = max;
	}
	if (count == 0 || (faults->count == faults_before && before != size * size))
		violation_add(faults, path, "range", "must end with the greatest score, %d", size * size);
}

void
definition_check_matrix(const JsonbContainer *field, const char *path, ViolationList *faults)
{
	JsonbValue	value;
	int32		size = 5;

	if (json_member(field, "size", 4, &value) &&
		(!json_member_int(field, "size", &size) || size < 2 || size > QEHS_MATRIX_SIZE))
	{
		violation_add(faults, psprintf("%s/size", path), "range", "must be an integer from 2 to %d", QEHS_MATRIX_SIZE);
		return;
	}
	if (!json_member(field, "bands", 5, &value))
	{
		if (size != 5)
			violation_add(faults, psprintf("%s/bands", path), "required", "is required for a matrix of another size than 5");
	}
	else if (value.type != jbvBinary || !JsonContainerIsArray(value.val.binary.data))
		violation_add(faults, psprintf("%s/bands", path), "type", "must be an array");
	else
		check_bands(value.val.binary.data, size, psprintf("%s/bands", path), faults);
}
