/* The contexts that are built in: the table of api/core_context.tsv as C. */
#ifndef MODEL_CONTEXT_CORE_H
#define MODEL_CONTEXT_CORE_H

#include <stdint.h>

struct context_row {
    const char *term; /* as in the table: "term>name", "term>@remote" for scoped contexts */
    const char *id;
    const char *type;      /* NULL when none */
    const char *container; /* NULL when none */
    uint8_t documents;     /* bit n: versions 1.3, 1.4 … 1.9, the security vocabulary */
};

/* Generated. */
extern const struct context_row CONTEXT_ROWS[];
extern const unsigned CONTEXT_ROW_COUNT;

#endif
