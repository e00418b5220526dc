/*
 * extension_scim.c
 *	  Fuzz target of SCIM: filters, PATCH paths, and values in memory.  The first byte
 *	  chooses.
 */
#include "extension_driver.h"

#include "lib/stringinfo.h"
#include "scim/parse.h"
#include "scim/tree.h"

/* Every node is reached once from the root, and what it points to is inside. */
static int
count_nodes(const ScimFilter *filter, int at)
{
	const ScimNode *node;

	if (at < 0 || at >= filter->count)
		elog(ERROR, "a node that is none");
	node = &filter->nodes[at];
	switch (node->kind)
	{
		case SCIM_NODE_AND:
		case SCIM_NODE_OR:
			return 1 + count_nodes(filter, node->left) + count_nodes(filter, node->right);
		case SCIM_NODE_NOT:
		case SCIM_NODE_ELEMENT:
			return 1 + count_nodes(filter, node->left);
		default:
			if (node->op != SCIM_PR && node->value == NULL)
				elog(ERROR, "a comparison without a value");
			return 1;
	}
}

static void
try_filter(const char *text, int length)
{
	ScimFilter *filter = palloc(sizeof(ScimFilter));
	bool		good = scim_parse_filter(text, length, palloc(length + 1), filter);

	if (good != (filter->fault == NULL))
		elog(ERROR, "a filter is refused without a fault, or taken with one");
	if (!good && (filter->fault_at < 0 || filter->fault_at > length + 1))
		elog(ERROR, "a fault outside of the text");
	if (good && count_nodes(filter, filter->root) != filter->count)
		elog(ERROR, "nodes that nothing refers to");
}

static void
try_path(const char *text, int length)
{
	ScimPath   *path = palloc(sizeof(ScimPath));
	bool		good = scim_parse_path(text, length, palloc(length + 1), path);

	if (good != (path->filter.fault == NULL))
		elog(ERROR, "a path is refused without a fault, or taken with one");
	if (good && (path->name.length <= 0 || path->name.text < text || path->name.text + path->name.length > text + length))
		elog(ERROR, "a name outside of the text");
	if (good && path->has_filter)
		count_nodes(&path->filter, path->filter.root);
}

/* A value is the same when it is written and read again. */
static void
try_tree(const char *text)
{
	Jsonb	   *jsonb = fuzz_jsonb(text);
	ScimValue  *value;

	if (jsonb == NULL)
		return;
	value = tree_of_jsonb(jsonb);
	if (!tree_equal(value, tree_copy(value)) || !tree_equal(value, tree_of_jsonb(tree_to_jsonb(value))))
		elog(ERROR, "a value that is not itself");
}

static void
try_scim(const char *text, int length)
{
	if (*text == 'p')
		try_path(text + 1, length - 1);
	else if (*text == 'v')
		try_tree(text + 1);
	else
		try_filter(text + 1, length - 1);
}

const FuzzTarget fuzz_scim = {"scim", try_scim};
