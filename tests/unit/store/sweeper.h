/* Retention and sweeps of a store that is open, from a test's thread. */
#ifndef TESTS_STORE_SWEEPER_H
#define TESTS_STORE_SWEEPER_H

#include "fixture.h"

/* One line of rules; no sweep comes of itself. */
void sweeper_retain(struct fixture *f, const char *line);
void sweeper_fold(struct fixture *f);
/* A whole sweep, without a fold before it. */
enum status sweeper_try(struct fixture *f);
/* A fold, and a sweep that must not fail. */
void sweeper_run(struct fixture *f);
struct sweep *sweeper_figures(struct fixture *f);
/* As statistics tell it. */
struct store_swept sweeper_swept(struct fixture *f);

#endif
