/* Temporal evolutions of one series, "value": recorded, read, compared. */
#ifndef TESTS_STORE_RECORDER_H
#define TESTS_STORE_RECORDER_H

#include "fixture.h"

/* n instances of "value" from `from` on, observed at times that are their values. In f->arena. */
struct evolution *recorder_evolution(struct fixture *f, const char *id, int64_t from, uint32_t n);
/* Its status is the call's when that failed. */
struct record_result recorder_edit(struct fixture *f, const struct record_edit *edit);
struct record_result recorder_put(struct fixture *f, const char *id, int64_t from, uint32_t n);
/* The first series, whole; NULL: there is none. */
const struct series *recorder_series(struct fixture *f, const char *id);
/* Values from `from` on, n of them, one by one. */
void recorder_assert_range(struct fixture *f, const char *id, int64_t from, uint32_t n);
struct record_edit recorder_of_instance(struct fixture *f, uint8_t kind, const char *id, const struct point *p);

#endif
