/* A dry run: every entity is read as a city would read it, nothing is stored and
 * nobody is asked. Remote @contexts are not fetched: their names are taken as they
 * are, so what only such a context could tell (a type coercion) is not checked. */
#ifndef SENSE_SINK_CHECK_H
#define SENSE_SINK_CHECK_H

#include "base/task.h"
#include "model/reader.h"
#include "sense/sink.h"

struct sink_check_options {
    struct runner *runner; /* where done is called */
    struct reader_limits limits;
};

/* Caller owns; sink_free(). context_setup() has been called. */
struct sink *sink_check_new(const struct sink_check_options *o);

#endif
