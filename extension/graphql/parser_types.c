/*
 * parser_types.c
 *	  Definitions and extensions of the type system: read to the last token, since
 *	  a document with one has to be refused as that and not as a syntax error.
 */
#include "graphql/parse.h"

#include <string.h>

typedef bool (*ParseFunction) (Parser *parser);

static bool
is_string(const Parser *parser)
{
	return parser->token.kind == GRAPHQL_TOKEN_STRING || parser->token.kind == GRAPHQL_TOKEN_BLOCK_STRING;
}

static bool
skip_description(Parser *parser)
{
	return !is_string(parser) || parse_advance(parser);
}

/* open item … close, at least one */
static bool
parse_many(Parser *parser, GraphqlTokenKind open, ParseFunction parse_item, GraphqlTokenKind close)
{
	if (!parse_expect(parser, open))
		return false;
	do
	{
		if (!parse_item(parser))
			return false;
	} while (parser->token.kind != close);
	return parse_advance(parser);
}

/* The same, or nothing; *some says which. */
static bool
parse_optional_many(Parser *parser, GraphqlTokenKind open, ParseFunction parse_item, GraphqlTokenKind close, bool *some)
{
	*some = parser->token.kind == open;
	return !*some || parse_many(parser, open, parse_item, close);
}

/* item, item | item …, with one more in front where wanted */
static bool
parse_delimited(Parser *parser, GraphqlTokenKind delimiter, ParseFunction parse_item)
{
	bool		more;

	if (!parse_skip(parser, delimiter, &more))
		return false;
	do
	{
		if (!parse_item(parser) || !parse_skip(parser, delimiter, &more))
			return false;
	} while (more);
	return true;
}

static bool
parse_any_name(Parser *parser)
{
	GraphqlText name;

	return parse_name(parser, &name, NULL);
}

/* Directives whose values are constants; *some says whether there are any. */
static bool
parse_constant_directives(Parser *parser, bool *some)
{
	GraphqlNodes directives = {0};

	if (!parse_directives(parser, true, &directives))
		return false;
	*some = directives.count > 0;
	return true;
}

/* description name : Type = value directives */
static bool
parse_input_value(Parser *parser)
{
	GraphqlNode *node;
	bool		has_default;
	bool		some;

	return skip_description(parser) && parse_any_name(parser) && parse_expect(parser, GRAPHQL_TOKEN_COLON) &&
		parse_type(parser, &node) && parse_skip(parser, GRAPHQL_TOKEN_EQUALS, &has_default) &&
		(!has_default || parse_value(parser, true, &node)) && parse_constant_directives(parser, &some);
}

/* description name (arguments) : Type directives */
static bool
parse_field_definition(Parser *parser)
{
	GraphqlNode *type;
	bool		some;

	return skip_description(parser) && parse_any_name(parser) &&
		parse_optional_many(parser, GRAPHQL_TOKEN_PAREN_L, parse_input_value, GRAPHQL_TOKEN_PAREN_R, &some) &&
		parse_expect(parser, GRAPHQL_TOKEN_COLON) && parse_type(parser, &type) && parse_constant_directives(parser, &some);
}

/* description NAME directives */
static bool
parse_enum_value(Parser *parser)
{
	bool		some;

	if (!skip_description(parser))
		return false;
	if (parse_at_keyword(parser, "true") || parse_at_keyword(parser, "false") || parse_at_keyword(parser, "null"))
		return parse_unexpected(parser);
	return parse_any_name(parser) && parse_constant_directives(parser, &some);
}

/* query : Type */
static bool
parse_operation_type(Parser *parser)
{
	if (!parse_at_keyword(parser, "query") && !parse_at_keyword(parser, "mutation") && !parse_at_keyword(parser, "subscription"))
		return parse_unexpected(parser);
	return parse_advance(parser) && parse_expect(parser, GRAPHQL_TOKEN_COLON) && parse_any_name(parser);
}

/* A word of section 3.13, DirectiveLocation. */
static bool
parse_location(Parser *parser)
{
	static const char *const locations[] = {
		"QUERY", "MUTATION", "SUBSCRIPTION", "FIELD", "FRAGMENT_DEFINITION", "FRAGMENT_SPREAD", "INLINE_FRAGMENT",
		"VARIABLE_DEFINITION", "SCHEMA", "SCALAR", "OBJECT", "FIELD_DEFINITION", "ARGUMENT_DEFINITION", "INTERFACE", "UNION", "ENUM",
		"ENUM_VALUE", "INPUT_OBJECT", "INPUT_FIELD_DEFINITION"
	};

	for (size_t i = 0; i < sizeof(locations) / sizeof(locations[0]); i++)
		if (parse_at_keyword(parser, locations[i]))
			return parse_advance(parser);
	return parse_unexpected(parser);
}

/* What follows "schema". */
static bool
parse_schema(Parser *parser, bool extension)
{
	bool		directives;
	bool		types = true;

	if (!parse_constant_directives(parser, &directives))
		return false;
	if (!extension)
		return parse_many(parser, GRAPHQL_TOKEN_BRACE_L, parse_operation_type, GRAPHQL_TOKEN_BRACE_R);
	if (!parse_optional_many(parser, GRAPHQL_TOKEN_BRACE_L, parse_operation_type, GRAPHQL_TOKEN_BRACE_R, &types))
		return false;
	return directives || types || parse_unexpected(parser);
}

/* @name (arguments) repeatable on LOCATION | … */
static bool
parse_directive_definition(Parser *parser, GraphqlNode *definition)
{
	bool		some;

	if (!parse_expect(parser, GRAPHQL_TOKEN_AT) || !parse_name(parser, &definition->name, &definition->name_start) ||
		!parse_optional_many(parser, GRAPHQL_TOKEN_PAREN_L, parse_input_value, GRAPHQL_TOKEN_PAREN_R, &some))
		return false;
	if (parse_at_keyword(parser, "repeatable") && !parse_advance(parser))
		return false;
	if (!parse_at_keyword(parser, "on"))
		return parse_unexpected(parser);
	return parse_advance(parser) && parse_delimited(parser, GRAPHQL_TOKEN_PIPE, parse_location);
}

/* What a kind of type has behind its name and directives. */
static bool
parse_body(Parser *parser, const char *keyword, bool *some)
{
	*some = false;
	if (strcmp(keyword, "type") == 0 || strcmp(keyword, "interface") == 0)
		return parse_optional_many(parser, GRAPHQL_TOKEN_BRACE_L, parse_field_definition, GRAPHQL_TOKEN_BRACE_R, some);
	if (strcmp(keyword, "enum") == 0)
		return parse_optional_many(parser, GRAPHQL_TOKEN_BRACE_L, parse_enum_value, GRAPHQL_TOKEN_BRACE_R, some);
	if (strcmp(keyword, "input") == 0)
		return parse_optional_many(parser, GRAPHQL_TOKEN_BRACE_L, parse_input_value, GRAPHQL_TOKEN_BRACE_R, some);
	if (strcmp(keyword, "union") != 0)
		return true;
	return parse_skip(parser, GRAPHQL_TOKEN_EQUALS, some) && (!*some || parse_delimited(parser, GRAPHQL_TOKEN_PIPE, parse_any_name));
}

/* What follows "scalar", "type", "interface", "union", "enum" or "input". */
static bool
parse_named(Parser *parser, const char *keyword, bool extension, GraphqlNode *definition)
{
	bool		implements = strcmp(keyword, "type") == 0 || strcmp(keyword, "interface") == 0;
	bool		directives;
	bool		body;

	if (!parse_name(parser, &definition->name, &definition->name_start))
		return false;
	implements = implements && parse_at_keyword(parser, "implements");
	if (implements && !(parse_advance(parser) && parse_delimited(parser, GRAPHQL_TOKEN_AMP, parse_any_name)))
		return false;
	if (!parse_constant_directives(parser, &directives) || !parse_body(parser, keyword, &body))
		return false;
	return !extension || implements || directives || body || parse_unexpected(parser);
}

bool
parse_type_system(Parser *parser, bool described, GraphqlNode *definition, bool *is_one)
{
	static const char *const types[] = {"scalar", "type", "interface", "union", "enum", "input"};
	bool		extension = parse_at_keyword(parser, "extend");

	*is_one = true;
	if (described && parser->token.kind == GRAPHQL_TOKEN_NAME && extension)
		return graphql_fault(parser->lexer.fault, definition->start, "syntax error: an extension has no description");
	if (extension && !parse_advance(parser))
		return false;
	if (parse_at_keyword(parser, "schema"))
		return parse_advance(parser) && parse_schema(parser, extension);
	if (parse_at_keyword(parser, "directive") && !extension)
		return parse_advance(parser) && parse_directive_definition(parser, definition);
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (parse_at_keyword(parser, types[i]))
			return parse_advance(parser) && parse_named(parser, types[i], extension, definition);
	if (described && parser->token.kind == GRAPHQL_TOKEN_NAME)
		return graphql_fault(parser->lexer.fault, definition->start, "syntax error: only a definition has a description");
	*is_one = false;
	return true;
}
