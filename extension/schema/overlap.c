/*
 * overlap.c
 *	  Whether some text can match several patterns at once.
 *
 * PostgreSQL's regular expressions give their automata away (regex/regexport.h, as
 * pg_trgm uses them).  Those of all patterns run side by side over every text, the
 * shortest first, until one text is in all of them or no new states come up.
 * The automata may take more than the patterns do, so a "no" is sure.
 *
 * Patterns are ECMA-262's (regex.h).  Only what means the same to PostgreSQL is looked at:
 * literals, classes, groups, anchors, repetition.  Another construct counts as matching everything.
 *
 * The characters are those of ASCII and one that stands for all others.  The search ends,
 * in doubt, after MAX_STATES.  Before 16 a compiled pattern is malloc'ed: it is copied and freed at once.
 */
#include "base/compat.h"

#include "catalog/pg_collation.h"
#include "common/hashfn.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "nodes/bitmapset.h"
#include "regex/regex.h"
#include "regex/regexport.h"
#include "schema/overlap.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

#define MAX_STATES 4000
#define MAX_NODES 2000			/* of one automaton */
#define OTHER 128				/* the character that stands for those beyond ASCII */
#define SYMBOLS 129
#define MAX_COUNTED 300			/* a least length beyond is not looked at */

typedef struct Arc
{
	int			from;
	int			color;
	int			to;
} Arc;

typedef struct Automaton
{
	int			node_count;
	int			arc_count;
	Arc		   *arcs;			/* by their from */
	int		   *first;			/* of each node, and one behind */
	int			initial;
	int			final;
	int			color_count;
	bool	   *begins;			/* colors that stand for the beginning and the end */
	bool	   *ends;
	bool	   *unknown;		/* colors whose characters are not told */
	int			color_of[SYMBOLS];	/* -1: any of the unknown ones */
} Automaton;

/* ---- patterns ---- */

/* Whether the construct at *at means the same to both; moves behind it. */
static bool
skip_construct(const char **at, bool in_class)
{
	const char *text = *at;

	*at += 1;
	if ((unsigned char) *text >= 0x80)
		return false;
	if (*text == '\\')
	{
		*at += 1;
		return text[1] != '\0' && strchr("dwsDWS.^$|?*+()[]{}/\\-", text[1]) != NULL && !(in_class && strchr("DWS", text[1]));
	}
	if (in_class)
		return *text != '[';
	if (*text == '(' && text[1] == '?')
		return text[2] == ':';
	/* a second sign behind a repetition chooses among matches: whether there is one stays the same */
	return true;
}

/* Whether PostgreSQL reads a pattern as ECMA-262 does. */
static bool
is_common(const char *pattern)
{
	bool		in_class = false;

	/* directors and embedded options of PostgreSQL's stand at the beginning */
	if (strncmp(pattern, "***", 3) == 0)
		return false;
	for (const char *at = pattern; *at;)
	{
		char		sign = *at;

		if (!skip_construct(&at, in_class))
			return false;
		if (!in_class && sign == '[')
		{
			in_class = true;
			at += *at == '^';
			/* empty in ECMA-262, a member in POSIX */
			if (*at == ']')
				return false;
		}
		else if (in_class && sign == ']')
			in_class = false;
	}
	return !in_class;
}

/* The characters of each color. */
static void
copy_colors(Automaton *automaton, const regex_t *regex)
{
	for (int i = 0; i < SYMBOLS; i++)
		automaton->color_of[i] = -1;
	for (int color = 0; color < automaton->color_count; color++)
	{
		int			count = pg_reg_getnumcharacters(regex, color);
		pg_wchar   *characters;

		automaton->begins[color] = pg_reg_colorisbegin(regex, color);
		automaton->ends[color] = pg_reg_colorisend(regex, color);
		automaton->unknown[color] = count < 0 && !automaton->begins[color] && !automaton->ends[color];
		if (count <= 0)
			continue;
		characters = palloc(sizeof(pg_wchar) * count);
		pg_reg_getcharacters(regex, color, characters, count);
		for (int i = 0; i < count; i++)
			if (characters[i] < OTHER)
				automaton->color_of[characters[i]] = color;
			else
				automaton->unknown[color] = true;
	}
}

static void
copy_arcs(Automaton *automaton, const regex_t *regex)
{
	int			room = 0;

	for (int node = 0; node < automaton->node_count; node++)
		room += pg_reg_getnumoutarcs(regex, node);
	automaton->arcs = palloc(sizeof(Arc) * Max(room, 1));
	for (int node = 0; node < automaton->node_count; node++)
	{
		int			count = pg_reg_getnumoutarcs(regex, node);
		regex_arc_t *arcs = palloc(sizeof(regex_arc_t) * Max(count, 1));

		pg_reg_getoutarcs(regex, node, arcs, count);
		automaton->first[node] = automaton->arc_count;
		for (int i = 0; i < count; i++)
			automaton->arcs[automaton->arc_count++] = (Arc) {node, arcs[i].co, arcs[i].to};
		pfree(arcs);
	}
	automaton->first[automaton->node_count] = automaton->arc_count;
}

/* Returns false when the pattern is not to be looked at. */
static bool
make_automaton(const char *pattern, Automaton *automaton)
{
	int			length = strlen(pattern);
	pg_wchar   *wide = palloc(sizeof(pg_wchar) * (length + 1));
	regex_t		regex;

	if (!is_common(pattern))
		return false;
	for (int i = 0; i < length; i++)
		wide[i] = (unsigned char) pattern[i];
	if (pg_regcomp(&regex, wide, length, REG_ADVANCED | REG_NOSUB, C_COLLATION_OID) != REG_OKAY)
		return false;
	*automaton = (Automaton) {.node_count = pg_reg_getnumstates(&regex),.initial = pg_reg_getinitialstate(&regex),
	.final = pg_reg_getfinalstate(&regex),.color_count = pg_reg_getnumcolors(&regex)};
	if (automaton->node_count <= MAX_NODES)
	{
		automaton->begins = palloc(automaton->color_count * sizeof(bool));
		automaton->ends = palloc(automaton->color_count * sizeof(bool));
		automaton->unknown = palloc(automaton->color_count * sizeof(bool));
		automaton->first = palloc(sizeof(int) * (automaton->node_count + 1));
		copy_colors(automaton, &regex);
		copy_arcs(automaton, &regex);
	}
	pg_regfree(&regex);
	return automaton->node_count <= MAX_NODES;
}

/* ---- the walk ---- */

typedef enum Step
{
	STEP_BEGIN, STEP_CHARACTER, STEP_END
} Step;

static bool
takes(const Automaton *automaton, int color, Step step, int symbol)
{
	if (color == COLOR_RAINBOW)
		return step == STEP_CHARACTER;
	if (step == STEP_BEGIN)
		return automaton->begins[color];
	if (step == STEP_END)
		return automaton->ends[color];
	return automaton->color_of[symbol] == color || (automaton->color_of[symbol] < 0 && automaton->unknown[color]);
}

/* The nodes after a step; a match that was found stays one. */
static Bitmapset *
advance(const Automaton *automaton, const Bitmapset *nodes, Step step, int symbol)
{
	Bitmapset  *next = NULL;
	int			node = -1;

	if (bms_is_member(automaton->final, nodes))
		return bms_make_singleton(automaton->final);
	while ((node = bms_next_member(nodes, node)) >= 0)
		for (int i = automaton->first[node]; i < automaton->first[node + 1]; i++)
			if (takes(automaton, automaton->arcs[i].color, step, symbol))
				next = bms_add_member(next, automaton->arcs[i].to);
	return bms_is_member(automaton->final, next) ? bms_make_singleton(automaton->final) : next;
}

/* Where all automata are after a text; counted is its length, no more than is asked for. */
typedef struct Place
{
	int			length;
	Bitmapset  *nodes[QEHS_OVERLAP_PATTERNS];
} Place;

typedef struct Walk
{
	const Overlap *overlap;
	int			count;
	Automaton	automata[QEHS_OVERLAP_PATTERNS];
	int			symbol_count;
	int			symbols[SYMBOLS];	/* one of each that all automata take alike */
	int			counted;
	HTAB	   *seen;
	int			place_count;
	Place	   *places;
} Walk;

static void
choose_symbols(Walk *walk)
{
	for (int symbol = 0; symbol < SYMBOLS; symbol++)
	{
		bool		twin = false;

		for (int i = 0; i < walk->symbol_count && !twin; i++)
		{
			twin = true;
			for (int j = 0; j < walk->count; j++)
				twin = twin && walk->automata[j].color_of[symbol] == walk->automata[j].color_of[walk->symbols[i]];
		}
		if (!twin)
			walk->symbols[walk->symbol_count++] = symbol;
	}
}

/* Add a place that is new; false when there is no room. */
static bool
add_place(Walk *walk, const Place *place)
{
	StringInfoData key;
	uint64		digest[2];
	bool		found;

	initStringInfo(&key);
	appendStringInfo(&key, "%d", Min(place->length, walk->counted));
	for (int i = 0; i < walk->count; i++)
	{
		int			node = -1;

		/* this pattern matches nothing that begins so */
		if (place->nodes[i] == NULL)
			return true;
		appendStringInfoChar(&key, ';');
		while ((node = bms_next_member(place->nodes[i], node)) >= 0)
			appendStringInfo(&key, " %d", node);
	}
	digest[0] = hash_bytes_extended((unsigned char *) key.data, key.len, 1);
	digest[1] = hash_bytes_extended((unsigned char *) key.data, key.len, 2);
	pfree(key.data);
	hash_search(walk->seen, digest, HASH_ENTER, &found);
	if (found)
		return true;
	if (walk->place_count == MAX_STATES)
		return false;
	walk->places[walk->place_count++] = *place;
	return true;
}

static bool
is_accepted(const Walk *walk, const Place *place)
{
	if (place->length < walk->overlap->min_length && place->length < walk->counted)
		return false;
	for (int i = 0; i < walk->count; i++)
		if (!bms_is_member(walk->automata[i].final, advance(&walk->automata[i], place->nodes[i], STEP_END, 0)))
			return false;
	return true;
}

/* Whether a text is found, or may be beyond the bounds of the search. */
static bool
search(Walk *walk)
{
	Place		begin = {0};

	for (int i = 0; i < walk->count; i++)
		begin.nodes[i] = advance(&walk->automata[i], bms_make_singleton(walk->automata[i].initial), STEP_BEGIN, 0);
	if (!add_place(walk, &begin))
		return true;
	for (int at = 0; at < walk->place_count; at++)
	{
		CHECK_FOR_INTERRUPTS();
		if (is_accepted(walk, &walk->places[at]))
			return true;
		if (walk->overlap->max_length >= 0 && walk->places[at].length >= walk->overlap->max_length)
			continue;
		for (int s = 0; s < walk->symbol_count; s++)
		{
			Place		next = {.length = walk->places[at].length + 1};

			for (int i = 0; i < walk->count; i++)
				next.nodes[i] = advance(&walk->automata[i], walk->places[at].nodes[i], STEP_CHARACTER, walk->symbols[s]);
			if (!add_place(walk, &next))
				return true;
		}
	}
	return false;
}

bool
overlap_has_text(const Overlap *overlap)
{
	HASHCTL		control = {.keysize = 16,.entrysize = 16};
	MemoryContext memory = AllocSetContextCreate(CurrentMemoryContext, "qehs overlap", ALLOCSET_DEFAULT_SIZES);
	MemoryContext previous = MemoryContextSwitchTo(memory);
	Walk	   *walk = palloc0(sizeof(Walk));
	bool		has;

	walk->overlap = overlap;
	for (int i = 0; i < overlap->count; i++)
		if (make_automaton(overlap->patterns[i], &walk->automata[walk->count]))
			walk->count++;
	walk->counted = overlap->min_length <= MAX_COUNTED ? Max((int) overlap->min_length, 0) : 0;
	choose_symbols(walk);
	control.hcxt = memory;
	walk->seen = hash_create("qehs overlap", 1024, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	walk->places = palloc(sizeof(Place) * MAX_STATES);
	has = walk->count == 0 || search(walk);
	MemoryContextSwitchTo(previous);
	MemoryContextDelete(memory);
	return has;
}

const char *
overlap_of_format(const char *format)
{
#define DATE "[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
#define TIME "([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)([.][0-9]+)?([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"
	static const struct
	{
		const char *format;
		const char *pattern;
	}			shapes[] = {
		{"date", "^" DATE "$"},
		{"time", "^" TIME "$"},
		{"date-time", "^" DATE "[Tt ]" TIME "$"},
		{"duration", "^P[0-9YMWDTHS]+$"},
		{"email", "^.+@.+$"},
		{"idn-email", "^.+@.+$"},
		{"ipv4", "^[0-9]{1,3}([.][0-9]{1,3}){3}$"},
		{"ipv6", "^[0-9A-Fa-f:.]+$"},
		{"uri", "^[A-Za-z][A-Za-z0-9+.-]*:"},
		{"iri", "^[A-Za-z][A-Za-z0-9+.-]*:"},
		{"uuid", "^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$"},
	};

	for (int i = 0; i < (int) lengthof(shapes); i++)
		if (strcmp(shapes[i].format, format) == 0)
			return shapes[i].pattern;
	return NULL;
}
