/*
 * apply.c
 *	  Changes of one resource.
 *
 * The row is locked before its version is compared, and the write names the version:
 * of several that send the same If-Match one wins.
 */
#include "base/compat.h"

#include "scim/apply.h"

#include "base/error.h"
#include "scim/input.h"
#include "scim/members.h"
#include "scim/patch.h"

void
apply_not_found(const ScimResourceType *type, const char *id)
{
	problem_raise(PROBLEM_NOT_FOUND, NULL, "there is no %s with this id", type->name);
}

/* Takes the members out of a group's content, since they are stored in a table of their own; returns NULL if there are none. */
static ScimValue *
take_members(const ScimCall *call, ScimValue *content)
{
	ScimValue  *members;

	if (call->type->storage != SCIM_IN_ROLES)
		return NULL;
	members = tree_get(content, "members");
	tree_set(content, "members", NULL);
	return members;
}

ScimResource *
apply_create(const ScimCall *call, const ScimValue *raw, const pg_uuid_t *id)
{
	ScimResource *resource = palloc0(sizeof(ScimResource));
	ScimValue  *members;

	resource->id = *id;
	resource->content = input_resource(call->type, raw);
	input_require(call->type, resource->content);
	members = take_members(call, resource->content);
	store_insert(call->type, call->context, resource);
	if (members)
		members_add(call->context, &resource->id, members);
	return resource;
}

/* The resource, locked, of the version that If-Match wants. */
static ScimResource *
find_locked(const ScimCall *call, const char *id)
{
	ScimResource *resource = store_find(call->type, call->context, id, true, false);

	if (resource == NULL)
		apply_not_found(call->type, id);
	context_check_if_match_weak(call->if_match, resource->version);
	return resource;
}

/* Immutable attributes that have a value keep it, and those of a complex one for as long as it is there. */
static void
keep_immutable(const ScimAttribute *attributes, int count, const ScimValue *old, const ScimValue *new)
{
	for (int i = 0; i < count; i++)
	{
		const ScimAttribute *attribute = &attributes[i];
		const ScimValue *was = tree_get(old, attribute->name);
		const ScimValue *is = tree_get(new, attribute->name);

		if (attribute->mutability == SCIM_IMMUTABLE && was && !tree_equal(was, is))
			problem_raise(PROBLEM_MUTABILITY, NULL, "the attribute \"%s\" cannot be changed once it has a value", attribute->name);
		if (was && is && was->kind == SCIM_VALUE_OBJECT)
			keep_immutable(attribute->subs, attribute->count, was, is);
	}
}

/* What a change must leave as it was. */
static void
check_kept(const ScimResourceType *type, const ScimValue *old, ScimValue *new)
{
	keep_immutable(type->schema->attributes, type->schema->count, old, new);
	for (int i = 0; i < type->extension_count; i++)
	{
		const ScimSchema *extension = type->extensions[i];

		keep_immutable(extension->attributes, extension->count, tree_get(old, extension->urn), tree_get(new, extension->urn));
	}
	/* nobody is let in again by what is not said */
	if (type->storage == SCIM_IN_USERS && tree_get(new, "active") == NULL)
		tree_set(new, "active", tree_get(old, "active"));
}

ScimResource *
apply_replace(const ScimCall *call, const char *id, const ScimValue *raw)
{
	ScimResource *resource = find_locked(call, id);
	ScimValue  *content = input_resource(call->type, raw);
	ScimValue  *members;
	int32		version = resource->version;
	bool		changed = false;

	input_require(call->type, content);
	check_kept(call->type, resource->content, content);
	members = take_members(call, content);
	resource->content = content;
	if (call->type->storage == SCIM_IN_ROLES)
	{
		changed = members_keep(call->context, &resource->id, members);
		if (members)
			changed = members_add(call->context, &resource->id, members) || changed;
	}
	store_update(call->type, call->context, resource);
	if (changed && resource->version == version)
		store_touch(call->type, call->context, resource);
	return resource;
}

ScimResource *
apply_patch(const ScimCall *call, const char *id, const ScimValue *message)
{
	ScimResource *resource = find_locked(call, id);
	ScimValue  *before = tree_copy(resource->content);
	ScimPatch	patch = {.type = call->type,.context = call->context,.base_url = call->base_url,.resource = resource};
	int32		version = resource->version;

	patch_apply(&patch, message);
	check_kept(call->type, before, resource->content);
	if (!tree_equal(before, resource->content))
	{
		input_require(call->type, resource->content);
		store_update(call->type, call->context, resource);
	}
	if (patch.members_changed && resource->version == version)
		store_touch(call->type, call->context, resource);
	return resource;
}

void
apply_delete(const ScimCall *call, const char *id)
{
	store_delete(call->type, call->context, find_locked(call, id));
}
