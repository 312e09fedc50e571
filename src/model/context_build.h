/* Building a context: the local context processing of JSON-LD 1.1 (API, section
 * 4.1) into a scope, which context_freeze() then turns into a struct context.
 *
 *   context_build.c  arrays, remote documents, @import, the keywords of a context
 *   context_term.c   term definitions, one at a time, in the order they need one another
 *   context_scope.c  the table of definitions under construction, and refusals
 *
 * Everything here lives in the request's arena. */
#ifndef MODEL_CONTEXT_BUILD_H
#define MODEL_CONTEXT_BUILD_H

#include "model/context_internal.h"

/* Definitions under construction. */
struct scope {
    const struct scope *up; /* the scope around a scoped context; NULL: only the core is behind */
    struct definition **slots;
    uint32_t mask, count;
    struct str vocab; /* absent: none */
};

struct builder {
    struct arena *arena;
    const struct context *core; /* NULL while the core itself is built */
    struct context_loader *loader;
    const struct context_limits *limits;
    struct str *missing;
    struct why *why;
    uint32_t terms, remotes; /* read so far, whatever became of them */
};

/* The documents that are being read, innermost first. */
struct remote {
    const struct remote *up;
    struct str url;
    const struct at *link; /* where the user's own context led there */
};

/* Where a context stands. */
struct place {
    const struct at *at;
    struct str base;             /* relative references are resolved against it */
    const struct remote *remote; /* NULL in the user's own document */
    uint32_t depth;
    bool builtin; /* part of a document that is built in */
    bool scoped;  /* within the definition of a term */
};

/* The members of one context object. */
struct local_entry {
    struct str key;
    const struct json *value;
    enum { LOCAL_NEW, LOCAL_BUSY, LOCAL_DONE } state;
};

struct local {
    struct local_entry *entries;
    uint32_t count, mask;
    uint32_t *slots; /* place plus one */
    bool guarded;    /* @protected of the whole context */
};

void context_scope_init(struct scope *s, const struct scope *up, const struct builder *b);
/* Forgets everything, back to the core alone. */
void context_scope_clear(struct scope *s, const struct builder *b);
/* d is copied; its strings are borrowed. Replaces an earlier definition. */
void context_scope_put(struct scope *s, const struct definition *d, struct arena *a);
/* The user's definition, innermost first; NULL when there is none. */
const struct definition *context_scope_user(const struct scope *s, struct str term);
/* The same, or the core's. */
const struct definition *context_scope_find(const struct builder *b, const struct scope *s,
                                            struct str term);
bool context_scope_guarded(const struct scope *s);

/* Applies spec, a value of "@context", to the scope. */
MUST_USE enum status context_process(struct builder *b, struct scope *s, const struct json *spec,
                                     const struct place *p);
/* Defines every term of a context object. */
MUST_USE enum status context_define(struct builder *b, struct scope *s, struct local *l,
                                    const struct place *p);
/* IRI expansion (section 5.2, vocab true) while l is being defined; l may be NULL.
 * Absent when value stands for nothing. */
MUST_USE enum status context_expand_early(struct builder *b, struct scope *s, struct local *l,
                                          const struct place *p, struct str value,
                                          const struct at *at, struct str *out);

/* Refusals: at is in the document of p; in a remote one the user is shown where his
 * own context led there, and the text says the rest. */
enum status context_refuse(const struct builder *b, const struct place *p, const struct at *at,
                           const char *fmt, ...) __attribute__((format(printf, 4, 5)));
enum status context_exceed(const struct builder *b, const struct place *p, const struct at *at,
                           const char *limit, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

#endif
