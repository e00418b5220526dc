/*
 * locale.c
 *	  Choosing the language of a definition's labels.
 *
 * One walk serves both: it copies the definition with labels as plain texts
 * (language set), or only gathers the languages (language NULL).
 */
#include "base/compat.h"

#include "base/json.h"
#include "common/language.h"
#include "miscadmin.h"
#include "module/locale.h"
#include "nodes/pg_list.h"

/* What a value of the definition is; labels stand in few places only. */
typedef enum Part
{
	PART_OTHER, PART_DEFINITION, PART_FIELDS, PART_FIELD, PART_OPTIONS, PART_OPTION, PART_WORKFLOW, PART_TRANSITIONS,
	PART_TRANSITION, PART_STATE_LABELS, PART_LABEL
} Part;

static const struct
{
	Part		in;
	const char *key;			/* NULL: any member or element */
	Part		part;
}			parts[] = {
	{PART_DEFINITION, "label", PART_LABEL},
	{PART_DEFINITION, "fields", PART_FIELDS},
	{PART_DEFINITION, "workflow", PART_WORKFLOW},
	{PART_FIELDS, NULL, PART_FIELD},
	{PART_FIELD, "label", PART_LABEL},
	{PART_FIELD, "fields", PART_FIELDS},
	{PART_FIELD, "options", PART_OPTIONS},
	{PART_FIELD, "units", PART_OPTIONS},
	{PART_OPTIONS, NULL, PART_OPTION},
	{PART_OPTION, "label", PART_LABEL},
	{PART_WORKFLOW, "stateLabels", PART_STATE_LABELS},
	{PART_STATE_LABELS, NULL, PART_LABEL},
	{PART_WORKFLOW, "transitions", PART_TRANSITIONS},
	{PART_TRANSITIONS, NULL, PART_TRANSITION},
	{PART_TRANSITION, "label", PART_LABEL},
};

typedef struct Walk
{
	const char *language;
	List	   *tags;			/* char *: the languages seen, each once */
	JsonbParseState *state;
} Walk;

static Part
part_of(Part in, const JsonbValue *key)
{
	for (int i = 0; i < (int) lengthof(parts); i++)
		if (parts[i].in == in && (parts[i].key == NULL ||
								  (key && (int) strlen(parts[i].key) == key->val.string.len &&
								   memcmp(parts[i].key, key->val.string.val, key->val.string.len) == 0)))
			return parts[i].part;
	return PART_OTHER;
}

/*
 * The text of a label object in a language (NULL: none) or a wider one (de for
 * de-AT, RFC 4647 section 3.4), else in English, else the first.
 */
static bool
choose_text(const JsonbContainer *label, const char *language, JsonbValue *text)
{
	JsonbIterator *iterator;
	JsonbIteratorToken token;

	for (int length = language ? strlen(language) : 0; length > 0; length--)
		if ((language[length] == '\0' || language[length] == '-') && json_member(label, language, length, text))
			return true;
	if (json_member(label, "en", 2, text))
		return true;
	iterator = JsonbIteratorInit(unconstify(JsonbContainer *, label));
	while ((token = JsonbIteratorNext(&iterator, text, true)) != WJB_DONE)
		if (token == WJB_VALUE)
			return true;
	return false;
}

static void
add_tags(Walk *walk, const JsonbContainer *label)
{
	JsonbIterator *iterator = JsonbIteratorInit(unconstify(JsonbContainer *, label));
	JsonbValue	key;
	JsonbIteratorToken token;

	while ((token = JsonbIteratorNext(&iterator, &key, true)) != WJB_DONE)
	{
		ListCell   *cell;
		char	   *tag;

		if (token != WJB_KEY)
			continue;
		tag = json_text_copy(&key);
		foreach(cell, walk->tags)
			if (strcmp(lfirst(cell), tag) == 0)
				break;
		if (cell == NULL)
			walk->tags = lappend(walk->tags, tag);
	}
}

static JsonbValue *walk_container(Walk *walk, const JsonbContainer *container, Part part);

static void
walk_value(Walk *walk, JsonbIteratorToken token, JsonbValue *value, Part part)
{
	JsonbValue	text;

	if (value->type != jbvBinary || part == PART_OTHER)
		pushJsonbValue(&walk->state, token, value);
	else if (part == PART_LABEL && JsonContainerIsObject(value->val.binary.data))
	{
		add_tags(walk, value->val.binary.data);
		pushJsonbValue(&walk->state, token, choose_text(value->val.binary.data, walk->language, &text) ? &text : value);
	}
	else
		walk_container(walk, value->val.binary.data, part);
}

/* Push a copy of an object or array. */
static JsonbValue *
walk_container(Walk *walk, const JsonbContainer *container, Part part)
{
	bool		is_object = JsonContainerIsObject(container);
	JsonbIterator *iterator = JsonbIteratorInit(unconstify(JsonbContainer *, container));
	JsonbIteratorToken token;
	JsonbValue	value;
	Part		inner = PART_OTHER;

	check_stack_depth();
	pushJsonbValue(&walk->state, is_object ? WJB_BEGIN_OBJECT : WJB_BEGIN_ARRAY, NULL);
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
		{
			inner = part_of(part, &value);
			pushJsonbValue(&walk->state, token, &value);
		}
		else if (token == WJB_VALUE)
			walk_value(walk, token, &value, inner);
		else if (token == WJB_ELEM)
			walk_value(walk, token, &value, part_of(part, NULL));
	}
	return pushJsonbValue(&walk->state, is_object ? WJB_END_OBJECT : WJB_END_ARRAY, NULL);
}

const char *
locale_choose(Jsonb *definition, const char *accept)
{
	Walk		walk = {NULL, NIL, NULL};
	const char **tags;
	ListCell   *cell;
	int			count = 0;
	int			chosen;

	if (accept == NULL || *accept == '\0')
		return NULL;
	walk_container(&walk, &definition->root, PART_DEFINITION);
	tags = palloc(sizeof(char *) * Max(list_length(walk.tags), 1));
	foreach(cell, walk.tags)
		tags[count++] = lfirst(cell);
	chosen = language_choose(accept, tags, count);
	return chosen < 0 ? NULL : tags[chosen];
}

Jsonb *
locale_definition(Jsonb *definition, const char *language)
{
	Walk		walk = {language, NIL, NULL};

	return JsonbValueToJsonb(walk_container(&walk, &definition->root, PART_DEFINITION));
}

static const JsonbContainer *
find_field(const JsonbContainer *fields, const JsonbValue *key)
{
	for (uint32 i = 0; i < JsonContainerSize(fields); i++)
	{
		const JsonbContainer *field = getIthJsonbValueFromContainer(unconstify(JsonbContainer *, fields), i)->val.binary.data;
		JsonbValue	own;

		if (json_member(field, "key", 3, &own) && json_values_equal(&own, key))
			return field;
	}
	return NULL;
}

static bool
is_key(const JsonbValue *key, const char *name)
{
	return key->val.string.len == (int) strlen(name) && memcmp(key->val.string.val, name, key->val.string.len) == 0;
}

/* The array "fields" of a definition or field; NULL when it has none. */
static const JsonbContainer *
nested_fields(const JsonbContainer *field)
{
	JsonbValue	fields;

	return json_member(field, "fields", 6, &fields) && fields.type == jbvBinary ? fields.val.binary.data : NULL;
}

static JsonbValue *push_schema(JsonbParseState **state, const JsonbContainer *schema, const JsonbValue *title,
							   const JsonbContainer *fields);

/* Push "properties", each with its field's label. */
static void
push_properties(JsonbParseState **state, const JsonbContainer *properties, const JsonbContainer *fields)
{
	JsonbIterator *iterator = JsonbIteratorInit(unconstify(JsonbContainer *, properties));
	JsonbIteratorToken token;
	JsonbValue	key;
	JsonbValue	value;

	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	while ((token = JsonbIteratorNext(&iterator, &key, true)) != WJB_DONE)
	{
		const JsonbContainer *field;
		JsonbValue	label;
		bool		has_label;

		if (token != WJB_KEY)
			continue;
		JsonbIteratorNext(&iterator, &value, true);
		pushJsonbValue(state, WJB_KEY, &key);
		field = find_field(fields, &key);
		has_label = field && json_member(field, "label", 5, &label) && label.type == jbvString;
		if (field && value.type == jbvBinary)
			push_schema(state, value.val.binary.data, has_label ? &label : NULL, nested_fields(field));
		else
			pushJsonbValue(state, WJB_VALUE, &value);
	}
	pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

/* Push a copy of a schema object with a title (NULL: its own); fields are those of its properties or items, or NULL. */
static JsonbValue *
push_schema(JsonbParseState **state, const JsonbContainer *schema, const JsonbValue *title, const JsonbContainer *fields)
{
	JsonbIterator *iterator = JsonbIteratorInit(unconstify(JsonbContainer *, schema));
	JsonbIteratorToken token;
	JsonbValue	key;
	JsonbValue	value;

	check_stack_depth();
	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	while ((token = JsonbIteratorNext(&iterator, &key, true)) != WJB_DONE)
	{
		bool		is_object;

		if (token != WJB_KEY)
			continue;
		JsonbIteratorNext(&iterator, &value, true);
		pushJsonbValue(state, WJB_KEY, &key);
		is_object = value.type == jbvBinary && JsonContainerIsObject(value.val.binary.data);
		if (title && is_key(&key, "title"))
		{
			JsonbValue	copy = *title;

			pushJsonbValue(state, WJB_VALUE, &copy);
		}
		else if (fields && is_object && is_key(&key, "properties"))
			push_properties(state, value.val.binary.data, fields);
		else if (fields && is_object && is_key(&key, "items"))
			push_schema(state, value.val.binary.data, NULL, fields);
		else
			pushJsonbValue(state, WJB_VALUE, &value);
	}
	return pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

Jsonb *
locale_schema(Jsonb *schema, Jsonb *localised)
{
	JsonbParseState *state = NULL;

	return JsonbValueToJsonb(push_schema(&state, &schema->root, NULL, nested_fields(&localised->root)));
}

/* The label of the innermost field on the way of a pointer into the payload; NULL when it has none. */
static char *
label_at(const JsonbContainer *fields, const char *pointer)
{
	char	   *label = NULL;

	while (fields && *pointer == '/')
	{
		int			length = strcspn(pointer + 1, "/");
		JsonbValue	key = {.type = jbvString, .val.string = {length, unconstify(char *, pointer + 1)}};
		const JsonbContainer *field = find_field(fields, &key);

		/* a number is a row: keys start with a letter */
		if (field == NULL && strspn(pointer + 1, "0123456789") < (size_t) length)
			break;
		pointer += 1 + length;
		if (field == NULL)
			continue;
		label = json_member_text(field, "label");
		fields = nested_fields(field);
	}
	return label;
}

Jsonb *
locale_labels(Jsonb *definition, const char *accept)
{
	const char *language = locale_choose(definition, accept);

	return language ? locale_definition(definition, language) : NULL;
}

void
locale_name_with(Jsonb *labels, ViolationList *violations)
{
	const JsonbContainer *fields = nested_fields(&labels->root);

	for (int i = 0; i < violations->count; i++)
	{
		Violation  *violation = &violations->items[i];
		char	   *label = strncmp(violation->path, "/payload/", 9) == 0 ? label_at(fields, violation->path + 8) : NULL;

		if (label)
			violation->message = psprintf("%s %s", label, violation->message);
	}
}

void
locale_name_fields(Jsonb *definition, const char *accept, ViolationList *violations)
{
	Jsonb	   *labels = violations->count > 0 ? locale_labels(definition, accept) : NULL;

	if (labels)
		locale_name_with(labels, violations);
}

/* A member that is a label, without a preference; NULL when it is not there. */
static char *
default_text(const JsonbContainer *object, const char *key)
{
	JsonbValue	label;
	JsonbValue	text;

	if (!json_member(object, key, strlen(key), &label))
		return NULL;
	if (label.type == jbvBinary && JsonContainerIsObject(label.val.binary.data) &&
		choose_text(label.val.binary.data, NULL, &text))
		label = text;
	return label.type == jbvString ? json_text_copy(&label) : NULL;
}

char *
label_default(const JsonbContainer *object)
{
	return default_text(object, "label");
}

char *
label_state(const JsonbContainer *definition, const char *state)
{
	JsonbValue	workflow;
	JsonbValue	labels;

	if (!json_member(definition, "workflow", 8, &workflow) || workflow.type != jbvBinary ||
		!json_member(workflow.val.binary.data, "stateLabels", 11, &labels) || labels.type != jbvBinary)
		return NULL;
	return default_text(labels.val.binary.data, state);
}

void
label_each(const JsonbContainer *object, void (*visit) (void *owner, const char *text, int length), void *owner)
{
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	label;
	JsonbValue	text;

	if (!json_member(object, "label", 5, &label))
		return;
	if (label.type == jbvString)
		visit(owner, label.val.string.val, label.val.string.len);
	if (label.type != jbvBinary)
		return;
	iterator = JsonbIteratorInit(label.val.binary.data);
	while ((token = JsonbIteratorNext(&iterator, &text, true)) != WJB_DONE)
		if (token == WJB_VALUE && text.type == jbvString)
			visit(owner, text.val.string.val, text.val.string.len);
}

/* The form of a BCP 47 tag: subtags of 1 to 8 letters or digits, the first of 2 to 8 letters. */
static bool
is_tag(const char *tag)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	size_t		length = strspn(tag, letters);

	if (strspn(tag, "0123456789") > 0 || length < 2 || strlen(tag) > 35)
		return false;
	while (length >= 1 && length <= 8 && tag[length] == '-')
	{
		tag += length + 1;
		length = strspn(tag, letters);
	}
	return length >= 1 && length <= 8 && tag[length] == '\0';
}

#define LABEL_BYTES 500
#define LABEL_MESSAGE "must be a text of at most 500 bytes without control characters"

static bool
is_label(const JsonbValue *value)
{
	if (value->type != jbvString || value->val.string.len > LABEL_BYTES)
		return false;
	for (int i = 0; i < value->val.string.len; i++)
		if ((unsigned char) value->val.string.val[i] < ' ' || value->val.string.val[i] == 0x7f)
			return false;
	return true;
}

/* Add a fault unless a label is a text or an object of texts by tag. */
static void
check_label(const JsonbValue *label, const char *at, ViolationList *faults)
{
	JsonbValue	value;
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	char	   *tag = NULL;

	if (is_label(label))
		return;
	if (label->type == jbvString)
	{
		violation_add(faults, at, "type", LABEL_MESSAGE);
		return;
	}
	if (label->type != jbvBinary || !JsonContainerIsObject(label->val.binary.data) ||
		JsonContainerSize(label->val.binary.data) == 0)
	{
		violation_add(faults, at, "type", "must be a text, or an object of texts by language tag");
		return;
	}
	iterator = JsonbIteratorInit(label->val.binary.data);
	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY && !is_tag(tag = json_text_copy(&value)))
			violation_add(faults, json_pointer_to(at, tag), "language", "is no language tag (BCP 47)");
		else if (token == WJB_VALUE && !is_label(&value))
			violation_add(faults, json_pointer_to(at, tag), "type", LABEL_MESSAGE);
	}
}

void
label_check(const JsonbContainer *object, const char *path, ViolationList *faults)
{
	JsonbValue	label;

	if (json_member(object, "label", 5, &label))
		check_label(&label, psprintf("%s/label", path), faults);
}

void
label_check_each(const JsonbContainer *labels, const char *path, ViolationList *faults)
{
	JsonbIterator *iterator = JsonbIteratorInit(unconstify(JsonbContainer *, labels));
	JsonbIteratorToken token;
	JsonbValue	value;
	char	   *at = NULL;

	while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			at = json_pointer_to(path, json_text_copy(&value));
		else if (token == WJB_VALUE)
			check_label(&value, at, faults);
	}
}
