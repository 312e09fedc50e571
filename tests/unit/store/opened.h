/* An embedded store that a test has open, on a disk that can fail and a clock that stands still until told. */
#ifndef TESTS_STORE_OPENED_H
#define TESTS_STORE_OPENED_H

#include "fault_io.h"
#include "fixture.h"

struct opened {
    struct fixture fixture;
    struct fault_io io;
    struct manual_clock wall; /* the store's own threads see it too */
    struct embedded_options options; /* for the next opened_start() */
    char dir[256];
};

/* A fresh directory, the usual options, nothing open yet. */
void opened_init(struct opened *o);
void opened_start(struct opened *o);
void opened_shut(struct opened *o);
/* Shut and started: terms are new. */
void opened_again(struct opened *o);
/* Whether it could. */
bool opened_fold(struct opened *o);
/* While it is shut: what is in its base; its check finds nothing wrong. */
struct base_db *opened_db(const struct opened *o);
void opened_assert_sound(const struct opened *o);
/* Takes the directory away. */
void opened_end(struct opened *o);
/* Waits offline, so that the store's threads get on, a little. */
void opened_wait(struct opened *o);

/* Around each test of a program, whose state (cmocka_unit_test_prestate_setup_teardown) is a struct opened: opened
 * and started; shut, and its directory taken away. */
int opened_setup(void **state);
int opened_teardown(void **state);
#define OPENED_TEST(name, state) cmocka_unit_test_prestate_setup_teardown(name, opened_setup, opened_teardown, state)

#endif
