/* Telling of damaged history. It is met whenever somebody reads there, so the log is spared what it has heard before. */
#include "base/hash.h"
#include "base/log.h"
#include "store/embedded/embedded_int.h"

#include <stdio.h>
#include <stdlib.h>

enum { TOLD_MAX = 1024, WHAT_MAX = 512 };

struct history_told {
    uint32_t count;
    uint64_t hashes[TOLD_MAX];
};

/* In a full table nothing is new. */
static bool is_new(struct history *h, uint64_t hash)
{
    pthread_mutex_lock(&h->told_lock);
    if (!h->told)
        h->told = mem_zalloc(sizeof *h->told);
    struct history_told *t = h->told;
    uint32_t i = 0;
    while (i < t->count && t->hashes[i] != hash)
        i++;
    bool is = i == t->count && i < TOLD_MAX;
    if (is)
        t->hashes[t->count++] = hash;
    pthread_mutex_unlock(&h->told_lock);
    if (is && i == TOLD_MAX - 1)
        log_error("more damaged history is not told of, until a restart", log_i("told", TOLD_MAX));
    return is;
}

static void tell(struct embedded *e, uint32_t tenant, struct str id, const char *what)
{
    uint64_t hash = hash_str(id) ^ (hash_str(str_of(what)) + tenant);
    if (is_new(&e->history, hash))
        log_error("damaged history", log_i("tenant", tenant), log_s("entity", id), log_z("what", what));
}

void history_tell_head(struct embedded *e, uint32_t tenant, struct str id)
{
    e->history.heads_damaged++;
    tell(e, tenant, id, "its head; what sealed chunks tell is made again, the rest is lost");
}

void history_tell_open(struct embedded *e, uint32_t tenant, struct str id, uint32_t chunks)
{
    e->history.damaged += chunks;
    tell(e, tenant, id, "open chunks, left out; a fold or a sweep sets them aside");
}

void history_tell_sealed(struct embedded *e, uint32_t tenant, struct str id, uint32_t term, const struct why *why)
{
    char what[WHAT_MAX];
    e->history.damaged++;
    struct str of = term == TERM_SCOPE ? STR("the scope") : terms_iri(e->terms, term);
    snprintf(what, sizeof what, "a sealed chunk of %.*s, left out: %.200s", STR_ARG(of), why->text);
    tell(e, tenant, id, what);
}
