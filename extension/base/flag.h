/*
 * flag.h
 *	  Flags that are up while a function runs: with an error they go down with its transaction, or with the part of it
 *	  that is undone.
 */
#ifndef QEHS_FLAG_H
#define QEHS_FLAG_H

/* A static variable, at first {0}. */
typedef struct Flag
{
	bool		up;
	bool		is_watched;
	struct Flag *next;
} Flag;

/* Put the flag up; put it down. */
extern void flag_raise(Flag *flag);
extern void flag_lower(Flag *flag);

#endif							/* QEHS_FLAG_H */
