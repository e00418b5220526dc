/*
 * parser.c
 *	  Recursive descent over the tokens, one token of look-ahead.
 *
 * Each function takes the tokens of one production and returns false once a fault
 * is set.  The depth is counted, so the stack that a document can take is bounded
 * by the limits; so are the nodes, by the tokens.
 */
#include "graphql/parser.h"

#include <string.h>

#include "graphql/parse.h"

static bool parse_selection_set(Parser *parser, GraphqlNode *owner);

bool
graphql_text_is(GraphqlText text, const char *characters)
{
	return text.length == strlen(characters) && memcmp(text.data, characters, text.length) == 0;
}

bool
graphql_texts_equal(GraphqlText a, GraphqlText b)
{
	return a.length == b.length && (a.length == 0 || memcmp(a.data, b.data, a.length) == 0);
}

/* ---- tokens ---- */

bool
parse_advance(Parser *parser)
{
	if (!graphql_lexer_next(&parser->lexer, &parser->token))
		return false;
	if (parser->token.kind != GRAPHQL_TOKEN_END && parser->tokens_left-- == 0)
		return graphql_fault(parser->lexer.fault, parser->token.start, "the document has too many tokens");
	return true;
}

bool
parse_unexpected(Parser *parser)
{
	const GraphqlToken *token = &parser->token;
	int			shown = token->text.length > 60 ? 60 : (int) token->text.length;

	if (token->kind == GRAPHQL_TOKEN_END)
		return graphql_fault(parser->lexer.fault, token->start, "syntax error: unexpected end of the document");
	if (token->kind == GRAPHQL_TOKEN_STRING || token->kind == GRAPHQL_TOKEN_BLOCK_STRING)
		return graphql_fault(parser->lexer.fault, token->start, "syntax error: unexpected string");
	return graphql_fault(parser->lexer.fault, token->start, "syntax error: unexpected \"%.*s\"", shown, token->text.data);
}

bool
parse_expect(Parser *parser, GraphqlTokenKind kind)
{
	return parser->token.kind == kind ? parse_advance(parser) : parse_unexpected(parser);
}

bool
parse_skip(Parser *parser, GraphqlTokenKind kind, bool *taken)
{
	*taken = parser->token.kind == kind;
	return !*taken || parse_advance(parser);
}

bool
parse_at_keyword(const Parser *parser, const char *keyword)
{
	return parser->token.kind == GRAPHQL_TOKEN_NAME && graphql_text_is(parser->token.text, keyword);
}

bool
parse_name(Parser *parser, GraphqlText *name, uint32_t *start)
{
	*name = parser->token.text;
	if (start)
		*start = parser->token.start;
	return parse_expect(parser, GRAPHQL_TOKEN_NAME);
}

/* ---- nodes ---- */

GraphqlNode *
parse_node(Parser *parser, GraphqlKind kind)
{
	GraphqlNode *node = graphql_arena_take(parser->lexer.arena, sizeof(GraphqlNode));

	if (node == NULL)
	{
		graphql_fault(parser->lexer.fault, parser->token.start, "out of memory");
		return NULL;
	}
	node->kind = kind;
	node->start = parser->token.start;
	return node;
}

void
parse_append(GraphqlNodes *nodes, GraphqlNode *node)
{
	if (nodes->last)
		nodes->last->next = node;
	else
		nodes->first = node;
	nodes->last = node;
	nodes->count++;
}

/* Enter something that may be inside itself. */
static bool
enter(Parser *parser)
{
	if (parser->depth_left-- > 0)
		return true;
	return graphql_fault(parser->lexer.fault, parser->token.start, "the document is nested too deeply");
}

static bool
leave(Parser *parser)
{
	parser->depth_left++;
	return true;
}

/* ---- types and values ---- */

bool
parse_type(Parser *parser, GraphqlNode **type)
{
	GraphqlNode *node = parse_node(parser, GRAPHQL_NAMED_TYPE);
	bool		bang;
	uint32_t	start = parser->token.start;

	if (node == NULL || !enter(parser))
		return false;
	if (parser->token.kind == GRAPHQL_TOKEN_BRACKET_L)
	{
		node->kind = GRAPHQL_LIST_TYPE;
		if (!parse_advance(parser) || !parse_type(parser, &node->type) || !parse_expect(parser, GRAPHQL_TOKEN_BRACKET_R))
			return false;
	}
	else if (!parse_name(parser, &node->name, &node->name_start))
		return false;
	*type = node;
	if (!parse_skip(parser, GRAPHQL_TOKEN_BANG, &bang))
		return false;
	if (bang)
	{
		if ((*type = parse_node(parser, GRAPHQL_NON_NULL_TYPE)) == NULL)
			return false;
		(*type)->start = start;
		(*type)->type = node;
	}
	return leave(parser);
}

/* [ value … ] */
static bool
parse_list(Parser *parser, bool constant, GraphqlNode *node)
{
	node->kind = GRAPHQL_LIST;
	if (!parse_advance(parser))
		return false;
	while (parser->token.kind != GRAPHQL_TOKEN_BRACKET_R)
	{
		GraphqlNode *item;

		if (!parse_value(parser, constant, &item))
			return false;
		parse_append(&node->children, item);
	}
	return parse_advance(parser);
}

/* name : value */
static bool
parse_named_value(Parser *parser, bool constant, GraphqlKind kind, GraphqlNodes *nodes)
{
	GraphqlNode *node = parse_node(parser, kind);

	if (node == NULL || !parse_name(parser, &node->name, &node->name_start) || !parse_expect(parser, GRAPHQL_TOKEN_COLON) ||
		!parse_value(parser, constant, &node->value))
		return false;
	parse_append(nodes, node);
	return true;
}

/* { name : value … } */
static bool
parse_object(Parser *parser, bool constant, GraphqlNode *node)
{
	node->kind = GRAPHQL_OBJECT;
	if (!parse_advance(parser))
		return false;
	while (parser->token.kind != GRAPHQL_TOKEN_BRACE_R)
		if (!parse_named_value(parser, constant, GRAPHQL_OBJECT_FIELD, &node->children))
			return false;
	return parse_advance(parser);
}

/* true, false, null, or a value of an enum. */
static bool
parse_word(Parser *parser, GraphqlNode *node)
{
	if (parse_at_keyword(parser, "true") || parse_at_keyword(parser, "false"))
	{
		node->kind = GRAPHQL_BOOLEAN;
		node->truth = parse_at_keyword(parser, "true");
	}
	else
		node->kind = parse_at_keyword(parser, "null") ? GRAPHQL_NULL : GRAPHQL_ENUM;
	return parse_advance(parser);
}

/* $name; where a constant is wanted, the fault is at the dollar sign and names the variable. */
static bool
parse_variable(Parser *parser, bool constant, GraphqlNode *node)
{
	uint32_t	start = parser->token.start;

	node->kind = GRAPHQL_VARIABLE;
	if (!constant)
		return parse_advance(parser) && parse_name(parser, &node->name, &node->name_start);
	if (!parse_advance(parser))
		return false;
	if (parser->token.kind != GRAPHQL_TOKEN_NAME)
		return graphql_fault(parser->lexer.fault, start, "syntax error: unexpected \"$\"");
	return graphql_fault(parser->lexer.fault, start, "syntax error: unexpected variable \"$%.*s\" in a constant value",
						 parser->token.text.length > 60 ? 60 : (int) parser->token.text.length, parser->token.text.data);
}

bool
parse_value(Parser *parser, bool constant, GraphqlNode **value)
{
	GraphqlNode *node = parse_node(parser, GRAPHQL_NULL);
	bool		done;

	if (node == NULL || !enter(parser))
		return false;
	*value = node;
	node->text = parser->token.text;
	switch ((int) parser->token.kind)
	{
		case GRAPHQL_TOKEN_BRACKET_L:
			done = parse_list(parser, constant, node);
			break;
		case GRAPHQL_TOKEN_BRACE_L:
			done = parse_object(parser, constant, node);
			break;
		case GRAPHQL_TOKEN_DOLLAR:
			done = parse_variable(parser, constant, node);
			break;
		case GRAPHQL_TOKEN_NAME:
			done = parse_word(parser, node);
			break;
		case GRAPHQL_TOKEN_INT:
		case GRAPHQL_TOKEN_FLOAT:
			node->kind = parser->token.kind == GRAPHQL_TOKEN_INT ? GRAPHQL_INT : GRAPHQL_FLOAT;
			done = parse_advance(parser);
			break;
		case GRAPHQL_TOKEN_STRING:
		case GRAPHQL_TOKEN_BLOCK_STRING:
			node->kind = GRAPHQL_STRING;
			node->is_block = parser->token.kind == GRAPHQL_TOKEN_BLOCK_STRING;
			done = parse_advance(parser);
			break;
		default:
			done = parse_unexpected(parser);
	}
	return done && leave(parser);
}

/* ( name : value … ), at least one, or nothing */
static bool
parse_arguments(Parser *parser, bool constant, GraphqlNodes *arguments)
{
	bool		some;

	if (!parse_skip(parser, GRAPHQL_TOKEN_PAREN_L, &some) || !some)
		return !some && parser->lexer.fault->message[0] == '\0';
	do
	{
		if (!parse_named_value(parser, constant, GRAPHQL_ARGUMENT, arguments))
			return false;
	} while (parser->token.kind != GRAPHQL_TOKEN_PAREN_R);
	return parse_advance(parser);
}

bool
parse_directives(Parser *parser, bool constant, GraphqlNodes *directives)
{
	while (parser->token.kind == GRAPHQL_TOKEN_AT)
	{
		GraphqlNode *node = parse_node(parser, GRAPHQL_DIRECTIVE);

		if (node == NULL || !parse_advance(parser) || !parse_name(parser, &node->name, &node->name_start) ||
			!parse_arguments(parser, constant, &node->arguments))
			return false;
		parse_append(directives, node);
	}
	return true;
}

/* ---- selections ---- */

/* alias : name (arguments) directives { … } */
static bool
parse_field(Parser *parser, GraphqlNode *node)
{
	bool		aliased;

	if (!parse_name(parser, &node->name, &node->name_start) || !parse_skip(parser, GRAPHQL_TOKEN_COLON, &aliased))
		return false;
	if (aliased)
	{
		node->alias = node->name;
		if (!parse_name(parser, &node->name, &node->name_start))
			return false;
	}
	if (!parse_arguments(parser, false, &node->arguments) || !parse_directives(parser, false, &node->directives))
		return false;
	node->has_selection = parser->token.kind == GRAPHQL_TOKEN_BRACE_L;
	return !node->has_selection || parse_selection_set(parser, node);
}

/* on Name */
static bool
parse_condition(Parser *parser, GraphqlNode **type)
{
	if (!parse_at_keyword(parser, "on"))
		return parse_unexpected(parser);
	if (!parse_advance(parser) || (*type = parse_node(parser, GRAPHQL_NAMED_TYPE)) == NULL)
		return false;
	return parse_name(parser, &(*type)->name, &(*type)->name_start);
}

/* ...name, or ... on Type { … } */
static bool
parse_spread(Parser *parser, GraphqlNode *node)
{
	if (!parse_advance(parser))
		return false;
	if (parser->token.kind == GRAPHQL_TOKEN_NAME && !parse_at_keyword(parser, "on"))
	{
		node->kind = GRAPHQL_FRAGMENT_SPREAD;
		return parse_name(parser, &node->name, &node->name_start) && parse_directives(parser, false, &node->directives);
	}
	node->kind = GRAPHQL_INLINE_FRAGMENT;
	if (parse_at_keyword(parser, "on") && !parse_condition(parser, &node->type))
		return false;
	return parse_directives(parser, false, &node->directives) && parse_selection_set(parser, node);
}

static bool
parse_selection_set(Parser *parser, GraphqlNode *owner)
{
	owner->selection_start = parser->token.start;
	if (!parse_expect(parser, GRAPHQL_TOKEN_BRACE_L) || !enter(parser))
		return false;
	do
	{
		GraphqlNode *node = parse_node(parser, GRAPHQL_FIELD);

		if (node == NULL || !(parser->token.kind == GRAPHQL_TOKEN_SPREAD ? parse_spread(parser, node) : parse_field(parser, node)))
			return false;
		parse_append(&owner->children, node);
	} while (parser->token.kind != GRAPHQL_TOKEN_BRACE_R);
	return parse_advance(parser) && leave(parser);
}

/* ---- definitions ---- */

/* ( $name : Type = default directives … ), or nothing; each may have a description */
static bool
parse_variable_definitions(Parser *parser, GraphqlNodes *variables)
{
	bool		some;

	if (!parse_skip(parser, GRAPHQL_TOKEN_PAREN_L, &some) || !some)
		return !some && parser->lexer.fault->message[0] == '\0';
	do
	{
		GraphqlNode *node = parse_node(parser, GRAPHQL_VARIABLE_DEFINITION);
		bool		has_default;

		if (node == NULL)
			return false;
		if ((parser->token.kind == GRAPHQL_TOKEN_STRING || parser->token.kind == GRAPHQL_TOKEN_BLOCK_STRING) && !parse_advance(parser))
			return false;
		if (!parse_expect(parser, GRAPHQL_TOKEN_DOLLAR) || !parse_name(parser, &node->name, &node->name_start) ||
			!parse_expect(parser, GRAPHQL_TOKEN_COLON) || !parse_type(parser, &node->type) ||
			!parse_skip(parser, GRAPHQL_TOKEN_EQUALS, &has_default) ||
			(has_default && !parse_value(parser, true, &node->value)) || !parse_directives(parser, true, &node->directives))
			return false;
		parse_append(variables, node);
	} while (parser->token.kind != GRAPHQL_TOKEN_PAREN_R);
	return parse_advance(parser);
}

static bool
parse_operation(Parser *parser, GraphqlNode *node)
{
	node->kind = GRAPHQL_OPERATION;
	if (parser->token.kind == GRAPHQL_TOKEN_BRACE_L)
		return parse_selection_set(parser, node);
	node->operation = parse_at_keyword(parser, "query") ? GRAPHQL_QUERY :
		parse_at_keyword(parser, "mutation") ? GRAPHQL_MUTATION : GRAPHQL_SUBSCRIPTION;
	if (!parse_advance(parser))
		return false;
	if (parser->token.kind == GRAPHQL_TOKEN_NAME && !parse_name(parser, &node->name, &node->name_start))
		return false;
	return parse_variable_definitions(parser, &node->variables) && parse_directives(parser, false, &node->directives) &&
		parse_selection_set(parser, node);
}

/* fragment Name on Type directives { … } */
static bool
parse_fragment(Parser *parser, GraphqlNode *node)
{
	node->kind = GRAPHQL_FRAGMENT;
	if (!parse_advance(parser))
		return false;
	if (parse_at_keyword(parser, "on"))
		return parse_unexpected(parser);
	return parse_name(parser, &node->name, &node->name_start) && parse_condition(parser, &node->type) &&
		parse_directives(parser, false, &node->directives) && parse_selection_set(parser, node);
}

static bool
parse_definition(Parser *parser, GraphqlNode *document)
{
	GraphqlNode *node = parse_node(parser, GRAPHQL_TYPE_SYSTEM);
	bool		described = parser->token.kind == GRAPHQL_TOKEN_STRING || parser->token.kind == GRAPHQL_TOKEN_BLOCK_STRING;
	uint32_t	description = parser->token.start;
	bool		is_type_system;

	if (node == NULL || (described && !parse_advance(parser)))
		return false;
	parse_append(&document->children, node);
	if (parser->token.kind == GRAPHQL_TOKEN_BRACE_L)
		return described ? graphql_fault(parser->lexer.fault, description, "syntax error: a query in short form has no description") :
			parse_operation(parser, node);
	if (parse_at_keyword(parser, "query") || parse_at_keyword(parser, "mutation") || parse_at_keyword(parser, "subscription"))
		return parse_operation(parser, node);
	if (parse_at_keyword(parser, "fragment"))
		return parse_fragment(parser, node);
	if (!parse_type_system(parser, described, node, &is_type_system))
		return false;
	return is_type_system || parse_unexpected(parser);
}

/* A parser at the first token of a source. */
static bool
parse_begin(Parser *parser, GraphqlText source, const GraphqlLimits *limits, GraphqlArena *arena, GraphqlFault *fault)
{
	memset(parser, 0, sizeof(*parser));
	fault->message[0] = '\0';
	parser->lexer = (GraphqlLexer) {source, 0, arena, fault};
	parser->tokens_left = limits->tokens;
	parser->depth_left = limits->depth;
	if (source.length >= UINT32_MAX)
		return graphql_fault(fault, 0, "the document is too long");
	return parse_advance(parser);
}

GraphqlNode *
graphql_parse(GraphqlText source, const GraphqlLimits *limits, GraphqlArena *arena, GraphqlFault *fault)
{
	Parser		parser;
	GraphqlNode *document;

	if (!parse_begin(&parser, source, limits, arena, fault) || (document = parse_node(&parser, GRAPHQL_DOCUMENT)) == NULL)
		return NULL;
	do
	{
		if (!parse_definition(&parser, document))
			return NULL;
	} while (parser.token.kind != GRAPHQL_TOKEN_END);
	return document;
}

GraphqlNode *
graphql_parse_value(GraphqlText source, const GraphqlLimits *limits, GraphqlArena *arena, GraphqlFault *fault)
{
	Parser		parser;
	GraphqlNode *value;

	if (!parse_begin(&parser, source, limits, arena, fault) || !parse_value(&parser, true, &value) ||
		!parse_expect(&parser, GRAPHQL_TOKEN_END))
		return NULL;
	return value;
}
