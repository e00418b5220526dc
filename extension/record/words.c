/*
 * words.c
 *	  The words of a text as people see them (words.h).
 *
 * What is neither letter nor digit ends a word.  Letters are compared without case and
 * accents: a text that is not ASCII is brought to Unicode's NFKD first, its marks are left
 * out, and the letters that have no decomposition are mapped by tables here, so that no
 * locale of the server decides.  Scripts that put no blanks between words (Han, kana, Thai …)
 * are taken by two characters in a row.
 */
#include "base/compat.h"

#include "common/unicode_norm.h"
#include "mb/pg_wchar.h"
#include "record/words.h"

typedef struct Range
{
	uint32		first;
	uint32		last;
} Range;

/* Behind ASCII: what ends a word.  Punctuation and symbols of Unicode's blocks; private use. */
static const Range marks[] = {
	{0x80, 0xbf}, {0xd7, 0xd7}, {0xf7, 0xf7}, {0x37e, 0x37e}, {0x387, 0x387}, {0x55a, 0x55f}, {0x589, 0x58a}, {0x5be, 0x5be},
	{0x5c0, 0x5c0}, {0x5c3, 0x5c3}, {0x5f3, 0x5f4}, {0x600, 0x60f}, {0x61b, 0x61f}, {0x66a, 0x66d}, {0x6d4, 0x6d4}, {0x700, 0x70d},
	{0x964, 0x965}, {0x970, 0x970}, {0xe3f, 0xe3f}, {0xe4f, 0xe4f}, {0xe5a, 0xe5b}, {0x1360, 0x1368}, {0x1680, 0x1680}, {0x17d4, 0x17db},
	{0x1800, 0x180a}, {0x2000, 0x206f}, {0x20a0, 0x20cf}, {0x2190, 0x245f}, {0x2500, 0x2bff}, {0x2e00, 0x2e7f}, {0x3000, 0x3004},
	{0x3008, 0x3020}, {0x3030, 0x3030}, {0x303d, 0x303d}, {0x30a0, 0x30a0}, {0x30fb, 0x30fb}, {0xe000, 0xf8ff}, {0xfd3e, 0xfd3f},
	{0xfe10, 0xfe1f}, {0xfe30, 0xfe6f}, {0xff00, 0xff0f}, {0xff5f, 0xff65}, {0xfff0, 0xffff}, {0x1f000, 0x1faff}, {0xe0000, 0x10ffff}
};

/* What is not seen, or stands above and below letters: left out. */
static const Range unseen[] = {
	{0xad, 0xad}, {0x300, 0x36f}, {0x483, 0x489}, {0x591, 0x5bd}, {0x5bf, 0x5bf}, {0x5c1, 0x5c2}, {0x5c4, 0x5c5}, {0x5c7, 0x5c7},
	{0x610, 0x61a}, {0x640, 0x640}, {0x64b, 0x65f}, {0x670, 0x670}, {0x180b, 0x180f}, {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff}, {0x200b, 0x200f},
	{0x2060, 0x2064}, {0x20d0, 0x20ff}, {0x3099, 0x309a}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}, {0xfeff, 0xfeff}
};

/* Blanks: between words that they part nothing is joined. */
static const Range blanks[] = {
	{0x09, 0x0d}, {0x20, 0x20}, {0x85, 0x85}, {0xa0, 0xa0}, {0x1680, 0x1680}, {0x2000, 0x200a}, {0x2028, 0x2029}, {0x202f, 0x202f},
	{0x205f, 0x205f}, {0x3000, 0x3000}
};

/* What joins two words to one that people write without it, too. */
static const Range hyphens[] = {
	{0x27, 0x27}, {0x2d, 0x2d}, {0x2010, 0x2011}, {0x2019, 0x2019}
};

/* Scripts without blanks between words. */
static const Range unspaced[] = {
	{0xe01, 0xedf}, {0x1000, 0x109f}, {0x1780, 0x17d3}, {0x2e80, 0x2fdf}, {0x3005, 0x3007}, {0x3021, 0x3029}, {0x3041, 0x309f}, {0x30a1, 0x30fa},
	{0x30fc, 0x312f}, {0x31a0, 0x31ff}, {0x3400, 0x4dbf}, {0x4e00, 0x9fff}, {0xf900, 0xfaff}, {0x20000, 0x3ffff}
};

/* Capitals to small letters: by a distance, or (distance 1) each to the next of a pair. */
static const struct
{
	Range		range;
	int			distance;
}			capitals[] = {
	{{0x391, 0x3a9}, 0x20}, {{0x400, 0x40f}, 0x50}, {{0x410, 0x42f}, 0x20}, {{0x531, 0x556}, 0x30}, {{0x460, 0x481}, 1}, {{0x48a, 0x4bf}, 1},
	{{0x4d0, 0x52f}, 1}
};

/* Letters that do not decompose. */
static const struct
{
	uint32		letter;
	const char *folded;
}			letters[] = {
	{0xc6, "ae"}, {0xe6, "ae"}, {0xd0, "d"}, {0xf0, "d"}, {0xd8, "o"}, {0xf8, "o"}, {0xde, "th"}, {0xfe, "th"}, {0xdf, "ss"}, {0x1e9e, "ss"},
	{0x110, "d"}, {0x111, "d"}, {0x126, "h"}, {0x127, "h"}, {0x131, "i"}, {0x141, "l"}, {0x142, "l"}, {0x14a, "n"}, {0x14b, "n"},
	{0x152, "oe"}, {0x153, "oe"}, {0x166, "t"}, {0x167, "t"}, {0x18f, "e"}, {0x259, "e"}, {0x3c2, "\xcf\x83"}
};

static bool
in_ranges(const Range *ranges, int count, uint32 code)
{
	int			low = 0;
	int			high = count;

	while (low < high)
	{
		int			middle = (low + high) / 2;

		if (code > ranges[middle].last)
			low = middle + 1;
		else
			high = middle;
	}
	return low < count && code >= ranges[low].first;
}

#define IN(ranges, code) in_ranges(ranges, lengthof(ranges), code)

static bool
is_digit(uint32 code)
{
	return code >= '0' && code <= '9';
}

static bool
is_letter(uint32 code)
{
	return code < 0x80 ? (code >= 'a' && code <= 'z') || (code >= 'A' && code <= 'Z') || is_digit(code) : !IN(marks, code);
}

/* A word as it grows, and what has been before it. */
typedef struct Splitter
{
	WordVisit	visit;
	void	   *owner;
	bool		stopped;
	char		text[QEHS_WORD_BYTES + MAX_MULTIBYTE_CHAR_LEN * 2 + 1];
	int			length;
	int			characters;
	bool		has_digit;
	bool		last_is_digit;
	int			turns;			/* from digits to letters and back */
	int			tail;
	bool		joined;
	bool		hyphened;
	bool		after_plain;	/* a plain word ended, and no blank has come since */
	int			marks;			/* that have come since */
	bool		hyphen;			/* the last of them is one */
	char		before[MAX_MULTIBYTE_CHAR_LEN * 2 + 1];	/* the last character of a row of an unspaced script; empty: none */
	int			before_length;
	bool		row_began;
} Splitter;

static void
emit(Splitter *splitter, const Word *word)
{
	if (!splitter->stopped)
		splitter->stopped = !splitter->visit(splitter->owner, word);
}

static void
end_plain(Splitter *splitter)
{
	Word		word = {.kind = WORD_PLAIN,.text = splitter->text,.length = splitter->length,.characters = splitter->characters,
		.has_digit = splitter->has_digit,.tail = splitter->turns == 1 ? splitter->tail : 0,.joined = splitter->joined,.hyphened = splitter->hyphened};

	if (splitter->length == 0)
		return;
	splitter->text[splitter->length] = '\0';
	emit(splitter, &word);
	splitter->length = splitter->characters = splitter->turns = splitter->tail = 0;
	splitter->has_digit = false;
	splitter->after_plain = true;
	splitter->marks = 0;
}

static void
end_row(Splitter *splitter)
{
	Word		word = {.kind = WORD_END,.text = splitter->before,.length = splitter->before_length,.characters = 1,.alone = splitter->row_began};

	if (splitter->before_length == 0)
		return;
	emit(splitter, &word);
	splitter->before_length = 0;
	splitter->after_plain = false;
}

/* Add a letter or digit of a plain word. */
static void
add_plain(Splitter *splitter, const char *bytes, int length, bool digit)
{
	end_row(splitter);
	if (splitter->length + length > QEHS_WORD_BYTES)
		return;
	if (splitter->length == 0)
	{
		splitter->joined = splitter->after_plain;
		splitter->hyphened = splitter->joined && splitter->marks == 1 && splitter->hyphen;
	}
	else if (digit != splitter->last_is_digit)
	{
		splitter->turns++;
		splitter->tail = splitter->length;
	}
	splitter->last_is_digit = digit;
	splitter->has_digit |= digit;
	memcpy(splitter->text + splitter->length, bytes, length);
	splitter->length += length;
	splitter->characters++;
}

/* Add a character of a row: with the one before it a pair. */
static void
add_row(Splitter *splitter, const char *bytes, int length)
{
	char		pair[sizeof(splitter->before) + MAX_MULTIBYTE_CHAR_LEN];
	Word		word = {.kind = WORD_PAIR,.text = pair,.characters = 2};

	end_plain(splitter);
	if (splitter->before_length > 0)
	{
		memcpy(pair, splitter->before, splitter->before_length);
		memcpy(pair + splitter->before_length, bytes, length);
		word.length = splitter->before_length + length;
		pair[word.length] = '\0';
		emit(splitter, &word);
	}
	splitter->row_began = splitter->before_length == 0;
	memcpy(splitter->before, bytes, length);
	splitter->before[length] = '\0';
	splitter->before_length = length;
}

static void
end_words(Splitter *splitter, uint32 mark)
{
	end_plain(splitter);
	end_row(splitter);
	splitter->marks++;
	splitter->hyphen = IN(hyphens, mark);
	if (IN(blanks, mark))
		splitter->after_plain = false;
}

/* The small letter of a letter that does not decompose; returns the bytes that it takes. */
static int
fold(uint32 code, char *bytes)
{
	for (int i = 0; i < (int) lengthof(letters); i++)
		if (letters[i].letter == code)
		{
			int			length = strlen(letters[i].folded);

			memcpy(bytes, letters[i].folded, length);
			return length;
		}
	for (int i = 0; i < (int) lengthof(capitals); i++)
		if (code >= capitals[i].range.first && code <= capitals[i].range.last)
			code += capitals[i].distance > 1 ? capitals[i].distance : 1 - (int) (code & 1);
	unicode_to_utf8(code, (unsigned char *) bytes);
	return pg_utf_mblen((unsigned char *) bytes);
}

static void
add_code(Splitter *splitter, uint32 code)
{
	char		bytes[MAX_MULTIBYTE_CHAR_LEN + 1];

	if (code < 0x80)
	{
		*bytes = pg_ascii_tolower((unsigned char) code);
		if (is_letter(code))
			add_plain(splitter, bytes, 1, is_digit(code));
		else
			end_words(splitter, code);
	}
	else if (IN(unseen, code))
		return;
	else if (!is_letter(code))
		end_words(splitter, code);
	else if (IN(unspaced, code))
		add_row(splitter, bytes, fold(code, bytes));
	else
		add_plain(splitter, bytes, fold(code, bytes), false);
}

/* The code points of a text in NFKD, ended by 0. */
static pg_wchar *
decompose(const char *text, int length)
{
	pg_wchar   *codes = palloc(sizeof(pg_wchar) * (length + 1));
	int			count = pg_mb2wchar_with_len(text, codes, length);

	codes[count] = 0;
	return unicode_normalize(UNICODE_NFKD, codes);
}

void
words_split(const char *text, int length, WordVisit visit, void *owner)
{
	Splitter	splitter = {.visit = visit,.owner = owner};
	bool		ascii = true;

	for (int i = 0; i < length && ascii; i++)
		ascii = (unsigned char) text[i] < 0x80;
	if (ascii || GetDatabaseEncoding() != PG_UTF8)
		for (int i = 0; i < length && !splitter.stopped; i++)
			add_code(&splitter, (unsigned char) text[i]);
	else
		for (pg_wchar *codes = decompose(text, length); *codes && !splitter.stopped; codes++)
			add_code(&splitter, *codes);
	end_words(&splitter, ' ');
}

/* ---- what a text is found by ---- */

typedef struct Lexemes
{
	LexemeVisit visit;
	void	   *owner;
	int			place;
	char		before[QEHS_WORD_BYTES + 1];	/* the plain word before */
	int			before_tail;
	bool		before_has_digit;
} Lexemes;

/* The word before, from a byte of it on, and a word, with what stands between them; at a place. */
static bool
visit_both(const Lexemes *lexemes, int from, const char *between, const Word *word, int place)
{
	char		both[QEHS_WORD_BYTES * 2 + 3];
	int			length = snprintf(both, sizeof(both), "%s%s%s", lexemes->before + from, between, word->text);

	return lexemes->visit(lexemes->owner, both, length, place);
}

static bool
visit_word(void *owner, const Word *word)
{
	Lexemes    *lexemes = owner;
	int			place = ++lexemes->place;
	bool		goes_on = lexemes->visit(lexemes->owner, word->text, word->length, place);

	if (word->kind != WORD_PLAIN)
		return goes_on;
	if (goes_on && word->tail > 0)
		goes_on = lexemes->visit(lexemes->owner, word->text + word->tail, word->length - word->tail, place);
	if (goes_on && word_makes_joint(lexemes->before_has_digit, word))
		goes_on = visit_both(lexemes, 0, "/", word, place) &&
			(lexemes->before_tail == 0 || visit_both(lexemes, lexemes->before_tail, "/", word, place));
	if (goes_on && word_makes_compound(lexemes->before_has_digit, word))
		goes_on = visit_both(lexemes, 0, "", word, place - 1) && visit_both(lexemes, 0, "", word, place);
	memcpy(lexemes->before, word->text, word->length + 1);
	lexemes->before_tail = word->tail;
	lexemes->before_has_digit = word->has_digit;
	return goes_on;
}

void
words_lexemes(const char *text, int length, LexemeVisit visit, void *owner)
{
	Lexemes		lexemes = {.visit = visit,.owner = owner};

	words_split(text, length, visit_word, &lexemes);
}
