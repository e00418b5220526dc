/*
 * load.h
 *	  What the files that build a ModuleDef share.  All of them allocate in the
 *	  current memory context, that of the definition, and read a definition without
 *	  faults.
 */
#ifndef QEHS_LOAD_H
#define QEHS_LOAD_H

#include "module/module.h"

/* ---- load_member.c ---- */

/* A string or an array of strings as names; NULL, and count 0, when the member is absent. */
extern const char **load_names(const JsonbContainer *object, const char *key, int *count);

/* The compiled expression of a member, or NULL. */
extern JsonPath *load_expression(const JsonbContainer *object, const char *key);

/* ---- load_workflow.c ---- */

/* States and transitions. */
extern void load_workflow(ModuleDef *module);

/* Which states lock. */
extern void load_locks(ModuleDef *module);

/* ---- times.c: fields are loaded before ---- */

/* When the transition is fired by itself; sets module->has_timers, as load_deadlines does. */
extern void load_timed(ModuleDef *module, ModuleTransition *transition, const JsonbContainer *source);

/* How long records are kept. */
extern void load_retention(ModuleDef *module);

/* When states are due to be left. */
extern void load_deadlines(ModuleDef *module, const JsonbContainer *workflow);

#endif							/* QEHS_LOAD_H */
