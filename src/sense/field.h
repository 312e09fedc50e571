/* What a mapping sees of one row or feature: named fields, a geometry, and a few
 * facts about where it stands. */
#ifndef SENSE_FIELD_H
#define SENSE_FIELD_H

#include "base/arena.h"
#include "base/json.h"
#include "base/str.h"

#include <stdint.h>

#define FIELD_NONE UINT32_MAX
#define FIELD_COUNT_MAX 4096

/* The names a mapping asks for; a reader finds them in its header once. */
struct field_names {
    uint32_t count;
    uint32_t cap;
    struct str *names;
};

/* Index of the name, added when it is not there; FIELD_NONE when there are FIELD_COUNT_MAX. */
uint32_t field_intern(struct field_names *f, struct arena *a, struct str name);

/* Facts that a template may name with '@'. */
enum field_fact {
    FACT_FILE,    /* {@file}: name of the file without folder and extension */
    FACT_LINE,    /* {@line} */
    FACT_RECORD,  /* {@record}: number of the row or feature, from 1 */
    FACT_PART,    /* {@part}: number of the line within a split feature, from 1 */
    FACT_DIGEST,  /* {@digest}: 16 hexadecimal digits that depend on the geometry alone */
    FACT_FEATURE, /* {@id}: the feature's "id" */
    FACT_COUNT
};
/* FACT_COUNT when there is no such fact. */
enum field_fact field_fact_find(struct str name);

struct record {
    const struct json *fields;    /* one per name of the mapping; JSON_NULL when absent */
    const struct json *geometry;  /* NULL when there is none */
    struct str facts[FACT_COUNT]; /* absent when not known */
};

#endif
