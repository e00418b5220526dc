/*
 * csv_header.c
 *	  The header of a CSV: which column is what of a record.
 */
#include "base/compat.h"

#include "base/json.h"
#include "base/text.h"
#include "bulk/bulk.h"
#include "bulk/csv.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "module/locale.h"

static const char *const envelope_members[] = {"idempotencyKey", "workflowState", "createdAt"};

/* A header that is being read. */
typedef struct HeaderReader
{
	const ModuleDef *module;
	const CsvOptions *options;
	CsvHeader  *header;
	CsvNode    *payload;
	ViolationList *faults;
} HeaderReader;

char *
csv_fold(const char *text, int length)
{
	char	   *folded = palloc(length + 1);
	char	   *out = folded;

	for (int i = 0; i < length;)
	{
		int			blank = text[i] == '-' || text[i] == '_' ? 1 : text_blank_length(text + i, length - i);

		if (blank == 0)
			*out++ = (char) pg_ascii_tolower((unsigned char) text[i]);
		else if (out > folded && out[-1] != '_')
			*out++ = '_';
		i += Max(blank, 1);
	}
	while (out > folded && out[-1] == '_')
		out--;
	*out = '\0';
	return folded;
}

/* ---- names ---- */

typedef struct LabelMatch
{
	const char *folded;
	bool		found;
} LabelMatch;

static void
match_label(void *owner, const char *text, int length)
{
	LabelMatch *match = owner;

	match->found = match->found || strcmp(csv_fold(text, length), match->folded) == 0;
}

/* The field that is called so, by key or else by label in any language; NULL for none, and with *several for more than one. */
static const ModuleField *
find_field(const ModuleFields *fields, const char *name, int length, bool *several)
{
	const ModuleField *found = module_fields_find(fields, name, length);
	LabelMatch	match = {.folded = csv_fold(name, length)};

	*several = false;
	if (found || *match.folded == '\0')
		return found;
	for (int i = 0; i < fields->count; i++)
	{
		const ModuleField *field = &fields->items[i];

		match.found = strcmp(csv_fold(field->key, field->key_length), match.folded) == 0;
		label_each(field->definition, match_label, &match);
		if (match.found && found)
			*several = true;
		if (match.found)
			found = field;
	}
	return *several ? NULL : found;
}

/* ---- options by their labels ---- */

typedef struct ChoiceReader
{
	CsvNode    *node;
	int			room;
	const char *option;
} ChoiceReader;

static void
add_choice(void *owner, const char *text, int length)
{
	ChoiceReader *reader = owner;
	CsvNode    *node = reader->node;

	if (node->choice_count == reader->room)
	{
		reader->room = Max(reader->room * 2, 16);
		node->choices = node->choices ? repalloc(node->choices, sizeof(CsvChoice) * reader->room) : palloc(sizeof(CsvChoice) * reader->room);
	}
	node->choices[node->choice_count++] = (CsvChoice) {csv_fold(text, length), reader->option};
}

static int
compare_choices(const void *left, const void *right)
{
	return strcmp(((const CsvChoice *) left)->text, ((const CsvChoice *) right)->text);
}

/* A text that stands for two options stands for none. */
static void
read_choices(CsvNode *node)
{
	ChoiceReader reader = {.node = node};
	JsonbValue	options;
	int			kept = 0;

	if (!json_member(node->field->definition, "options", 7, &options))
		return;
	for (int i = 0; i < node->field->option_count; i++)
	{
		JsonbValue *option = getIthJsonbValueFromContainer(options.val.binary.data, (uint32) i);

		CHECK_FOR_INTERRUPTS();
		reader.option = node->field->options[i];
		add_choice(&reader, reader.option, strlen(reader.option));
		if (option->type == jbvBinary)
			label_each(option->val.binary.data, add_choice, &reader);
	}
	if (node->choice_count == 0)
		return;
	qsort(node->choices, node->choice_count, sizeof(CsvChoice), compare_choices);
	for (int i = 1; i < node->choice_count; i++)
	{
		CsvChoice  *last = &node->choices[kept];

		if (strcmp(node->choices[i].text, last->text) != 0)
			node->choices[++kept] = node->choices[i];
		else if (last->option && strcmp(node->choices[i].option, last->option) != 0)
			last->option = NULL;
	}
	node->choice_count = kept + 1;
}

/* ---- the tree ---- */

static CsvNode *
find_member(const CsvNode *node, const char *key, int length)
{
	for (int i = 0; i < node->member_count; i++)
		if (node->members[i]->key_length == length && memcmp(node->members[i]->key, key, length) == 0)
			return node->members[i];
	return NULL;
}

static CsvNode *
add_member(CsvNode *node, const char *key, int length, const ModuleField *field, FieldType type)
{
	CsvNode    *member = find_member(node, key, length);

	if (member)
		return member;
	member = palloc0(sizeof(CsvNode));
	member->key = pnstrdup(key, length);
	member->key_length = length;
	member->field = field;
	member->type = type;
	member->column = -1;
	if (field && type == FIELD_QUANTITY)
		member->unit = json_member_text(field->definition, "unit");
	if (field && (type == FIELD_SELECT || type == FIELD_MULTI_SELECT))
		read_choices(member);
	node->members = node->members ? repalloc(node->members, sizeof(CsvNode *) * (node->member_count + 1)) : palloc(sizeof(CsvNode *));
	node->members[node->member_count++] = member;
	return member;
}

/* The node of a name among fields, with those on the way to it; NULL when there is none. */
static CsvNode *
find_path(CsvNode *node, const ModuleFields *fields, const char *name, int length, bool *several)
{
	const ModuleField *field = find_field(fields, name, length, several);

	check_stack_depth();
	if (field)
		return add_member(node, field->key, field->key_length, field, field->value_type);
	for (const char *dot = memchr(name, '.', length); dot && !*several; dot = memchr(dot + 1, '.', length - (dot + 1 - name)))
	{
		int			rest_length = length - (int) (dot + 1 - name);
		FieldType	type;

		field = find_field(fields, name, dot - name, several);
		if (field == NULL)
			continue;
		if (field->type == FIELD_OBJECT)
			return find_path(add_member(node, field->key, field->key_length, field, FIELD_OBJECT), &field->nested, dot + 1, rest_length, several);
		type = module_member_type(field->type, dot + 1, rest_length);
		if (type != FIELD_TYPE_COUNT)
			return add_member(add_member(node, field->key, field->key_length, field, field->type), dot + 1, rest_length, NULL, type);
	}
	return NULL;
}

/* ---- columns ---- */

/* What the mapping says of a column: false when it says nothing; *path is NULL for a column that is left out. */
static bool
find_mapping(const CsvOptions *options, const char *name, char **path)
{
	JsonbValue	value;

	if (options->columns == NULL || !json_member(&options->columns->root, name, strlen(name), &value))
		return false;
	*path = value.type == jbvString ? json_text_copy(&value) : NULL;
	return true;
}

/* Returns the text without the blanks around it, which do not belong to the name. */
static char *
trimmed(const CsvCell *cell)
{
	const char *text = cell->text;
	int			length = strlen(text);

	csv_trim(&text, &length);
	return pnstrdup(text, length);
}

/* What can be done about a column that is none; a header that is one cell may have another delimiter than the load's. */
static const char *
unknown_hint(const HeaderReader *reader, const char *name)
{
	static const char delimiters[] = ",;\t|";

	if (pg_strncasecmp(name, "sep=", 4) == 0)
		return ": it is a hint for spreadsheets; leave that line out, line 1 must be the header";
	for (const char *c = delimiters; *c && reader->header->column_count == 1; c++)
		if (*c != reader->options->delimiter && strchr(name, *c))
			return *c == '\t' ? "; the delimiter may be a tab (%09)" : psprintf("; the delimiter may be \"%c\"", *c);
	return ": name one in columns, or null to leave the column out";
}

static CsvNode *
find_node(HeaderReader *reader, const char *name, const char *path, const char *at)
{
	bool		several = false;
	CsvNode    *node = find_path(reader->payload, &reader->module->all, path, strlen(path), &several);

	for (int i = 0; i < (int) lengthof(envelope_members) && node == NULL; i++)
		if (strcmp(path, envelope_members[i]) == 0)
			node = add_member(reader->header->root, path, strlen(path), NULL, FIELD_TEXT);
	if (several)
		violation_add(reader->faults, at, "ambiguous", "\"%s\" is the label of several fields of module \"%s\": name one in columns", name,
					  reader->module->key);
	else if (node == NULL && (path != name || !reader->options->ignore_unknown))
		violation_add(reader->faults, at, "unknown_column", "\"%s\" is no field of module \"%s\", by key or label%s", path, reader->module->key,
					  path == name ? unknown_hint(reader, name) : "");
	return node;
}

static void
read_column(HeaderReader *reader, int column, const CsvCell *cell)
{
	char	   *name = trimmed(cell);
	char	   *path = name;
	char	   *at = psprintf("#col=%d", column + 1);
	CsvNode    *node;

	/* a column that is left out may have values: its name only says that it has one */
	reader->header->names[column] = name;
	for (int i = 0; i < column && *name; i++)
		if (strcmp(reader->header->names[i], name) == 0)
		{
			violation_add(reader->faults, at, "duplicate", "\"%s\" is the name of column %d already", name, i + 1);
			return;
		}
	if ((find_mapping(reader->options, name, &path) && path == NULL) || *path == '\0')
		return;
	node = find_node(reader, name, path, at);
	if (node == NULL)
		return;
	if (node->column >= 0 || node->member_count > 0)
		violation_add(reader->faults, at, "duplicate", "\"%s\" is in another column already", path);
	else
		node->column = column;
}

/* A member must not be given in whole and in parts. */
static void
check_parts(const HeaderReader *reader, const CsvNode *node)
{
	check_stack_depth();
	for (int i = 0; i < node->member_count; i++)
	{
		const CsvNode *member = node->members[i];

		if (member->column >= 0 && member->member_count > 0)
			violation_add(reader->faults, psprintf("#col=%d", member->column + 1), "duplicate", "\"%s\" is in the columns of its members already",
						  member->key);
		check_parts(reader, member);
	}
}

/* What the mapping names must be there. */
static void
check_mapping(const HeaderReader *reader)
{
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	key;

	if (reader->options->columns == NULL)
		return;
	iterator = JsonbIteratorInit(unconstify(JsonbContainer *, &reader->options->columns->root));
	while ((token = JsonbIteratorNext(&iterator, &key, true)) != WJB_DONE)
	{
		bool		found = false;
		char	   *name;

		if (token != WJB_KEY)
			continue;
		name = json_text_copy(&key);
		for (int i = 0; i < reader->header->column_count && !found; i++)
			found = strcmp(reader->header->names[i], name) == 0;
		if (!found)
			violation_add(reader->faults, json_pointer_to("?columns", name), "unknown_column", "is not in the header");
	}
}

CsvHeader *
csv_read_header(const ModuleDef *module, const CsvOptions *options, const char *text, int length, ViolationList *faults)
{
	CsvHeader  *header = palloc0(sizeof(CsvHeader));
	HeaderReader reader = {module, options, header, NULL, faults};
	CsvCell    *cells = bulk_check_text(text, length, faults) ?
		csv_cells(text, length, options->delimiter, QEHS_CSV_COLUMNS, &header->column_count, faults) : NULL;

	if (cells && header->column_count > QEHS_CSV_COLUMNS)
		violation_add(faults, "", "maxItems", "must have at most %d columns", QEHS_CSV_COLUMNS);
	if (cells == NULL || faults->count > 0)
		return NULL;
	header->delimiter = options->delimiter;
	header->names = palloc0(sizeof(char *) * header->column_count);
	header->root = palloc0(sizeof(CsvNode));
	header->root->column = -1;
	reader.payload = add_member(header->root, "payload", 7, NULL, FIELD_OBJECT);
	for (int i = 0; i < header->column_count; i++)
		read_column(&reader, i, &cells[i]);
	check_parts(&reader, header->root);
	check_mapping(&reader);
	if (reader.payload->member_count == 0 && faults->count == 0)
		violation_add(faults, "#row=1", "required", "must be a header that names fields of module \"%s\"", module->key);
	header->has_key = find_member(header->root, "idempotencyKey", 14) != NULL;
	header->fingerprint = hash_bytes_extended((const unsigned char *) text, length, (uint64) options->delimiter);
	if (options->columns)
		header->fingerprint = hash_bytes_extended((const unsigned char *) VARDATA_ANY(options->columns), VARSIZE_ANY_EXHDR(options->columns),
												  header->fingerprint);
	return faults->count > 0 ? NULL : header;
}
