/*
 * location.c
 *	  The location tree of a tenant, and which of it a caller reaches.
 *
 * The tree of each tenant is cached (base/cache.h) until its locations change: nodes
 * sorted by key, numbered depth first, so that what lies in one is a range of
 * numbers.  Who has a location is looked up at each use by the caller's id and
 * roles, of which the tree knows nothing.
 *
 * A location whose parents lead to no root, as only a DBA's statement can leave one, gives
 * nobody anything and cannot be named.
 */
#include "base/compat.h"

#include "base/cache.h"
#include "base/plan.h"
#include "caller/auth.h"
#include "catalog/pg_type.h"
#include "permission/location.h"
#include "permission/roles.h"
#include "utils/array.h"
#include "utils/builtins.h"

typedef struct LocationNode
{
	const char *key;
	int			parent;			/* its number among the nodes, NO_NODE: it is a root */
	int			first;			/* its place in the order, NO_NODE where it has none; behind it those that lie in it */
	int			end;			/* the place behind them */
	int			user_count;
	const pg_uuid_t *users;		/* sorted */
	int			role_count;
	const char **roles;
} LocationNode;

typedef struct LocationTree
{
	int			count;
	LocationNode *nodes;		/* sorted by key */
	int		   *order;			/* numbers of nodes, depth first */
} LocationTree;

/* The columns of select_locations. */
enum
{
	COLUMN_KEY = 1, COLUMN_PARENT, COLUMN_USERS, COLUMN_ROLES
};

#define NO_NODE (-1)

static Cache trees = {"location tree", sizeof(int32), WATCH_LOCATION, NULL};

static KeptPlan select_locations = {
	"SELECT key, parent, users, roles FROM qehs.location WHERE tenant_id = $1 ORDER BY key", 1, {INT4OID}, NULL
};

/* ---- loading ---- */

static int
compare_ids(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(pg_uuid_t));
}

/* The ids of a uuid[], sorted. */
static const pg_uuid_t *
read_users(Datum array, int *count)
{
	Datum	   *items;
	pg_uuid_t  *users;

	deconstruct_array(DatumGetArrayTypeP(array), UUIDOID, sizeof(pg_uuid_t), false, TYPALIGN_CHAR, &items, NULL, count);
	users = palloc(sizeof(pg_uuid_t) * Max(*count, 1));
	for (int i = 0; i < *count; i++)
		users[i] = *DatumGetUUIDP(items[i]);
	qsort(users, *count, sizeof(pg_uuid_t), compare_ids);
	return users;
}

static int
find_node(const LocationTree *tree, const char *key, int length)
{
	int			low = 0;
	int			high = tree->count;

	while (low < high)
	{
		int			middle = (low + high) / 2;
		const char *other = tree->nodes[middle].key;
		int			order = strncmp(key, other, length);

		if (order == 0 && other[length] == '\0')
			return tree->nodes[middle].first == NO_NODE ? NO_NODE : middle;
		if (order > 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NO_NODE;
}

/*
 * Number the nodes that hang on a root: down to the first child, else on to the next sibling of the node, or of the
 * nearest above it that has one.
 */
static void
number_nodes(LocationTree *tree)
{
	int		   *child = palloc(sizeof(int) * Max(tree->count, 1));
	int		   *sibling = palloc(sizeof(int) * Max(tree->count, 1));
	int			root = NO_NODE;
	int			place = 0;

	for (int i = 0; i < tree->count; i++)
		child[i] = NO_NODE;
	for (int i = tree->count - 1; i >= 0; i--)
	{
		int		   *head = tree->nodes[i].parent == NO_NODE ? &root : &child[tree->nodes[i].parent];

		sibling[i] = *head;
		*head = i;
		tree->nodes[i].first = NO_NODE;
	}
	for (int i = root; i != NO_NODE;)
	{
		tree->nodes[i].first = place;
		tree->order[place++] = i;
		if (child[i] != NO_NODE)
		{
			i = child[i];
			continue;
		}
		for (; i != NO_NODE && sibling[i] == NO_NODE; i = tree->nodes[i].parent)
			tree->nodes[i].end = place;
		if (i != NO_NODE)
		{
			tree->nodes[i].end = place;
			i = sibling[i];
		}
	}
	pfree(child);
	pfree(sibling);
}

/* Read the rows just found, in the current memory context. */
static LocationTree *
read_tree(uint64 rows)
{
	LocationTree *tree = palloc0(sizeof(LocationTree));
	bool		isnull;

	tree->count = (int) rows;
	tree->nodes = palloc0(sizeof(LocationNode) * Max(rows, 1));
	tree->order = palloc(sizeof(int) * Max(rows, 1));
	for (int i = 0; i < tree->count; i++)
	{
		LocationNode *node = &tree->nodes[i];

		node->key = plan_text(i, COLUMN_KEY);
		node->users = read_users(plan_value(i, COLUMN_USERS, &isnull), &node->user_count);
		node->roles = auth_names(plan_value(i, COLUMN_ROLES, &isnull), &node->role_count);
	}
	for (int i = 0; i < tree->count; i++)
	{
		char	   *parent = plan_text(i, COLUMN_PARENT);

		tree->nodes[i].parent = parent ? find_node(tree, parent, strlen(parent)) : NO_NODE;
		/* without the parent that it names it hangs on itself, and so on no root */
		if (parent && tree->nodes[i].parent == NO_NODE)
			tree->nodes[i].parent = i;
	}
	number_nodes(tree);
	return tree;
}

/* The tree of a tenant. */
static const LocationTree *
tree_of(int32 tenant_id)
{
	Datum		value = Int32GetDatum(tenant_id);
	LocationTree *tree = cache_find(&trees, &tenant_id);
	MemoryContext previous;
	CacheFill	fill;
	uint64		rows;

	if (tree)
		return tree;
	SPI_connect();
	fill = cache_begin();
	rows = plan_execute_latest(&select_locations, &value, NULL, 0);
	previous = MemoryContextSwitchTo(fill.memory);
	tree = read_tree(rows);
	MemoryContextSwitchTo(previous);
	cache_keep(&trees, &fill, &tenant_id, tenant_id, tree, 0);
	SPI_finish();
	return tree;
}

/* ---- questions ---- */

bool
location_is_used(int32 tenant_id)
{
	return tree_of(tenant_id)->count > 0;
}

bool
location_exists(int32 tenant_id, const char *key, int length)
{
	return find_node(tree_of(tenant_id), key, length) != NO_NODE;
}

/* Whether the location names the caller, or a role that he has. */
static bool
is_given(const RequestContext *context, const LocationNode *node)
{
	if (node->user_count > 0 && context->actor_type == ACTOR_USER &&
		bsearch(&context->actor_id, node->users, node->user_count, sizeof(pg_uuid_t), compare_ids))
		return true;
	for (int i = 0; i < node->role_count; i++)
		if (roles_has(context, node->roles[i]))
			return true;
	return false;
}

bool
location_is_reached(const RequestContext *context, const char *key, int length)
{
	const LocationTree *tree = tree_of(context->tenant_id);

	for (int i = find_node(tree, key, length); i != NO_NODE; i = tree->nodes[i].parent)
		if (is_given(context, &tree->nodes[i]))
			return true;
	return false;
}

Datum
location_reached(const RequestContext *context)
{
	const LocationTree *tree = tree_of(context->tenant_id);
	Datum	   *keys = palloc(sizeof(Datum) * Max(tree->count, 1));
	int			placed = 0;
	int			count = 0;

	for (int i = 0; i < tree->count; i++)
		placed += tree->nodes[i].first != NO_NODE;
	for (int place = 0; place < placed;)
	{
		const LocationNode *node = &tree->nodes[tree->order[place]];

		if (!is_given(context, node))
		{
			place++;
			continue;
		}
		for (; place < node->end; place++)
			keys[count++] = CStringGetTextDatum(tree->nodes[tree->order[place]].key);
	}
	return PointerGetDatum(construct_array(keys, count, TEXTOID, -1, false, TYPALIGN_INT));
}

List *
location_add_below(List *keys, int32 tenant_id, const char *key)
{
	const LocationTree *tree = tree_of(tenant_id);
	int			found = find_node(tree, key, strlen(key));

	if (found == NO_NODE)
		return lappend(keys, pstrdup(key));
	for (int place = tree->nodes[found].first; place < tree->nodes[found].end; place++)
		keys = lappend(keys, pstrdup(tree->nodes[tree->order[place]].key));
	return keys;
}

int
location_given(const RequestContext *context, const char ***keys)
{
	const LocationTree *tree = tree_of(context->tenant_id);
	int			count = 0;

	*keys = palloc(sizeof(char *) * Max(tree->count, 1));
	for (int i = 0; i < tree->count; i++)
		if (tree->nodes[i].first != NO_NODE && is_given(context, &tree->nodes[i]))
			(*keys)[count++] = tree->nodes[i].key;
	return count;
}
