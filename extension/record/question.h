/*
 * question.h
 *	  What q asks for, as conditions on the words of records.
 *
 * The words of a question all must be there, "or" between two parts makes either do,
 * - in front of a word or phrase excludes it, and a phrase in quotes is those words in
 * a row.  A word is found by its beginning, from two characters on; of what is joined
 * by marks and has a digit (AB-12/3) each joint must be there, the last by its beginning.
 * AB12 finds AB-12, too, and forklift, fork-lift and fork lift find the one word and the
 * hyphened one.  A word of an option's value, or of its label in any language, finds the
 * records that have the option.
 */
#ifndef QEHS_QUESTION_H
#define QEHS_QUESTION_H

#include "base/compat.h"

#include "module/module.h"
#include "nodes/pg_list.h"

/* Display numbers that share the entries of the index; those of a year are in a row. */
#define QEHS_SEARCH_BUCKET 4096

typedef struct Question
{
	List	   *parts;			/* question.c */
	bool		has_words;		/* without any it asks for nothing, and nothing is found */
	bool		narrows;		/* what may be found has one of its words at least: the index can tell */
} Question;

/* Room for "tenant.module.bucket.", which is written with its NUL; returns its length. */
#define QEHS_SEARCH_PREFIX 44
extern int	search_prefix(char *prefix, int32 tenant_id, int32 module_id, int64 bucket);

/* Read a question to the records of a module; any text is one. */
extern Question *question_read(const char *q, const ModuleDef *module);

/* As a tsquery on the words as records have them (the column search). */
extern Datum question_on_record(const Question *question);

/* Each of what is needed, as a tsquery on the words as records have them; returns how many there are. */
extern int	question_needs(const Question *question, Datum **needs);

/*
 * Ask the index for all that is needed; and, by the shares of records that meet each need (in the order of question_needs), for
 * those only that are worth it.
 */
extern void question_ask_all(Question *question);
extern void question_ask(Question *question, const double *shares);

/* What is needed and asked for, as a tsquery on the words of the index in one bucket of a module. */
extern Datum question_on_index(const Question *question, int32 tenant_id, int32 module_id, int64 bucket);

#endif							/* QEHS_QUESTION_H */
