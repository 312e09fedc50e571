/* A loop for the programs that are made to be killed: calls complete on the main thread, in loop_run(). And what all of them
 * do alike: how they begin and close, what they draw by lot, what they say. */
#ifndef TESTS_FAULT_LOOP_H
#define TESTS_FAULT_LOOP_H

#include "store/embedded/embedded.h"

/* How these programs begin: PROGRAM VERB DIR …. The log goes to the standard error; "rebuild SHADOW DIR" is done, and ends the
 * program; with --shadow, power is cut at the sync that --crash-at says. */
void loop_begin(int argc, char **argv);
/* 0 … n - 1 by lot: the same with the same --seed. */
uint32_t loop_below(uint32_t n);
/* Small, so that segments, folds and chunks come often. */
struct embedded_options loop_store(const char *dir, bool interval);

struct runner *loop_runner(void);
/* Opens the store, with the main thread entered; that is where calls complete. An error ends the program. */
struct store *loop_open(const struct embedded_options *o, struct terms *terms);
/* Leaves and closes that store, then frees what it was used with; NULL: no arena. */
void loop_close(struct terms *terms, struct arena *a);
/* embedded_check() of a store that is closed; false: something is wrong, and told on the standard error. */
bool loop_check(const char *dir);
/* Waits, offline, and runs what was posted. */
void loop_run(void);
/* One write(2): what is printed before a kill has been said. */
void loop_say(const char *line);
/* Says why on the standard error, and ends the program with 2. */
void loop_die(const char *what, const char *why) __attribute__((noreturn));
/* An evolution as store_evolve() has it: all its instances, or with methods all of them as one aggregate a series; of what is
 * not there nothing. Other errors end the program. In arena. */
struct store_evolve loop_evolve(const struct caller *caller, struct str id, uint32_t methods, struct arena *arena);
/* A number, without times. */
struct attr loop_number(uint32_t term, int64_t v);

/* The command line behind the third word. */
const char *loop_option(int argc, char **argv, const char *name, const char *fallback);
unsigned loop_figure(int argc, char **argv, const char *name, const char *fallback);
bool loop_flag(int argc, char **argv, const char *name);

#endif
