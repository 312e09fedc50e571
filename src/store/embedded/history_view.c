/* Bringing together what there is of an entity. */
#include "base/hash.h"
#include "store/embedded/base_view.h"
#include "store/embedded/embedded_int.h"
#include "store/embedded/history_head.h"
#include "store/embedded/history_job.h"
#include "store/embedded/history_recent.h"

#include <stdlib.h>

/* What is in memory, as of one moment. */
struct moment {
    const char *doc;
    struct str folding, recent; /* groups, copied */
    uint64_t seq;               /* no change behind it is among these */
};

static struct str copied(const struct recent *r, struct str id, uint64_t hash, struct arena *a)
{
    const struct recent_entry *e = r ? recent_find(r, id, hash) : NULL;
    return e ? arena_dup(a, recent_groups(e, a)) : STR("");
}

static void look(struct embedded *e, struct tenant *t, struct str id, struct arena *a, struct moment *m)
{
    uint64_t hash = hash_str(id);
    pthread_rwlock_rdlock(&t->lock);
    const struct doc *d = state_find(tenant_state(t), id, hash, NULL);
    m->folding = copied(t->folding_recent, id, hash, a);
    m->recent = copied(t->recent, id, hash, a);
    m->seq = atomic_load_explicit(&e->committed_seq, memory_order_acquire); /* all of these, in this tenant, are published */
    pthread_rwlock_unlock(&t->lock);
    m->doc = d ? arena_dup(a, (struct str){(const char *)d, doc_bytes(d)}).p : NULL; /* answers borrow from it, and outlive it */
}

static void close_base(struct embedded *e, struct history_view *v)
{
    if (!v->base)
        return;
    base_view_close(v->base);
    v->base = NULL;
    pthread_rwlock_unlock(&e->history.base_lock);
}

/* OK without one: nothing was ever folded. */
static enum status open_base(struct embedded *e, struct history_view *v, struct why *why)
{
    pthread_rwlock_rdlock(&e->history.base_lock);
    bool lost = e->fold.lost;
    if (e->fold.base)
        v->base = base_view_open(e->fold.base);
    else
        pthread_rwlock_unlock(&e->history.base_lock);
    return lost ? why_set(why, E_BUSY, NULL, "the base store could not be opened again after a fault") : OK;
}

enum status history_view_open(struct embedded *e, struct tenant *t, struct str id, struct arena *a,
                              struct history_view *v, struct why *why)
{
    struct moment m;
    enum status st = OK;
    *v = (struct history_view){.tenant = t, .touched = STR_NONE};
    do { /* memory first, so that nothing is missed; a fold of more than that may have gone by: look again */
        close_base(e, v);
        past_init(&v->past, terms_count(e->terms), a);
        look(e, t, id, a, &m);
        st = open_base(e, v, why);
        if (st == OK && v->base)
            st = history_head_read(v->base, t->id, id, &v->past, why);
    } while (st == OK && e->folding_seq > m.seq);
    if (st == OK)
        st = past_apply(&v->past, m.folding, why);
    if (st == OK)
        st = past_apply(&v->past, m.recent, why);
    bool damaged = v->past.lost || v->past.series_lost;
    bool over = st == OK && past_end(&v->past, read_now(e));
    if (st == OK && (over || damaged) && !m.folding.n && !m.recent.n)
        v->touched = id; /* else a fold comes by without that */
    if (damaged)
        history_tell_head(e, t->id, id);
    v->doc = (const struct doc *)(const void *)m.doc; /* what of it has ended is there until that is a change (4.22) */
    if (st != OK)
        close_base(e, v);
    return st;
}

void history_view_close(struct embedded *e, struct history_view *v)
{
    close_base(e, v);
    if (!str_absent(v->touched))
        history_touch(e, v->tenant, v->touched);
    v->touched = STR_NONE;
}

bool history_view_current(const struct history_view *v, const struct attr *a)
{
    return a->seq > past_taken(&v->past, past_find(&v->past, a->term, a->dataset));
}

bool history_view_exists(const struct history_view *v)
{
    if (!past_is_empty(&v->past))
        return true;
    if (!v->doc)
        return false;
    if (v->past.taken < doc_created_seq(v->doc))
        return true;
    for (uint32_t i = 0; i < doc_attr_count(v->doc); i++) {
        struct attr a;
        doc_attr_alone(v->doc, i, &a);
        if (history_view_current(v, &a))
            return true;
    }
    return false;
}
