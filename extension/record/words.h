/*
 * words.h
 *	  The words of a text as people see them, for search.
 *
 * Records and questions are split by this one function.  Pure: no SPI, no errors.
 */
#ifndef QEHS_WORDS_H
#define QEHS_WORDS_H

#include "base/compat.h"

/* Bytes of a word at most; what is longer is cut. */
#define QEHS_WORD_BYTES 200

typedef enum WordKind
{
	WORD_PLAIN,					/* letters and digits between what is neither */
	WORD_PAIR,					/* two characters in a row of a script without blanks between words */
	WORD_END					/* the last character of such a row */
} WordKind;

typedef struct Word
{
	WordKind	kind;
	const char *text;			/* folded: lower case, without accents, as Unicode's NFKD has it; NUL behind it */
	int			length;
	int			characters;
	bool		has_digit;
	int			tail;			/* of digits and then letters, or letters and then digits, where the second begins; else 0 */
	bool		joined;			/* nothing but marks, and no blank, stands between it and the plain word before */
	bool		hyphened;		/* a hyphen or apostrophe alone does: Fork-lift, O'Brien */
	bool		alone;			/* WORD_END of a row of one character */
} Word;

/* Whether a word and the one before it are kept as one, too: they are joined, and digits are in one of them ("AB-12/3" has two). */
static inline bool
word_makes_joint(bool before_has_digit, const Word *word)
{
	return word->kind == WORD_PLAIN && word->joined && (word->has_digit || before_has_digit);
}

/* Whether a word and the one before it are kept without the mark between, too: "forklift" of Fork-lift. */
static inline bool
word_makes_compound(bool before_has_digit, const Word *word)
{
	return word->kind == WORD_PLAIN && word->hyphened && !word->has_digit && !before_has_digit;
}

/* Take a word, whose text holds until return; false: no more are wanted. */
typedef bool (*WordVisit) (void *owner, const Word *word);

/* Visit the words of a text in the encoding of the database, in order.  Allocates in the current memory context. */
extern void words_split(const char *text, int length, WordVisit visit, void *owner);

/* Take what a text is found by, and the place of the word, from 1; false: no more are wanted. */
typedef bool (*LexemeVisit) (void *owner, const char *lexeme, int length, int place);

/*
 * Visit what a text is found by: its words, the second part of "50kg" and "AB12", the joints of words with digits
 * ("v1/2" and "1/2" of V1.2) and compounds, at the places of both their words.
 */
extern void words_lexemes(const char *text, int length, LexemeVisit visit, void *owner);

#endif							/* QEHS_WORDS_H */
