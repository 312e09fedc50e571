/* Sweeping an evolution that has ended (4.22): all that is in it goes, whatever policies say, so many keys a batch. Its head goes
 * last: until then nobody is shown what is left. */
#include "base/hash.h"
#include "store/embedded/base_view.h"
#include "store/embedded/history_chunk.h"
#include "store/embedded/history_key.h"
#include "store/embedded/history_kept.h"
#include "store/embedded/history_recent.h"
#include "store/embedded/history_sweep_int.h"

enum { KEYS_AT_ONCE = 64 };
#define SETTLED_US INT64_C(60000000) /* a change of before the end, which may have moved that, is not on its way any more */

bool sweep_has_ended(struct sweeping *s)
{
    struct tenant *t = s->tenant;
    if (s->past.expires_at == TIME_NONE || s->past.expires_at > s->now_us - SETTLED_US)
        return false;
    pthread_rwlock_rdlock(&t->lock);
    bool quiet = !recent_find(t->recent, s->id, hash_str(s->id));
    pthread_rwlock_unlock(&t->lock);
    return quiet; /* else a fold takes it away */
}

struct ending {
    struct sweeping *s;
    size_t head_n; /* bytes of the head's key */
    uint32_t left; /* keys that may still go */
    bool again;
};

static bool drop(void *arg, struct str key, struct str bytes)
{
    struct ending *n = arg;
    struct sweeping *s = n->s;
    struct chunk_summary c;
    struct why why = {0};
    bool kept = key.p[0] == '8';
    if (!kept && key.n == n->head_n)
        return true;
    n->again = !n->left;
    if (n->again)
        return false;
    n->left--;
    base_drop_past(s->base, key);
    s->bytes_dropped += key.n + bytes.n;
    s->done.chunks_dropped += !kept;
    if (kept)
        s->done.kept_dropped += kept_count(bytes);
    else if (chunk_read_summary(bytes, &c, &why) == OK)
        s->done.dropped += c.count;
    return true;
}

/* What nobody can read goes unread. */
static enum status drop_all(struct ending *n, struct str from)
{
    struct sweeping *s = n->s;
    struct str to = history_key_end(from, s->arena);
    enum status st = n->again ? OK : base_view_range(s->view, from, to, false, drop, n, s->why);
    if (st != E_DAMAGED)
        return st;
    base_drop_past_range(s->base, from, to);
    return OK;
}

static void end_head(struct sweeping *s, struct str key, const struct doc *doc, size_t had)
{
    struct past *p = &s->past;
    for (uint32_t i = 0; i < p->count; i++)
        s->done.dropped += p->series[i].open_count + p->series[i].count;
    (void)past_end(p, s->now_us);
    p->count = 0; /* nothing is left of any series */
    s->bytes_dropped += key.n + had;
    if (!doc) {
        base_drop_past(s->base, key);
        base_drop_past(s->base, history_key_gone(s->tenant->id, s->id, s->arena));
        return;
    }
    buf_clear(&s->bytes); /* what today's version has is of the evolution that is over */
    past_write(&s->bytes, p);
    base_put_past_head(s->base, key, buf_view(&s->bytes));
}

enum status sweep_ended(struct sweeping *s, const struct doc *doc, size_t had, bool *again)
{
    struct str key = history_key_head(s->tenant->id, s->id, s->arena);
    struct ending n = {.s = s, .head_n = key.n, .left = KEYS_AT_ONCE};
    base_together_begin(s->base);
    enum status st = drop_all(&n, key);
    if (st == OK)
        st = drop_all(&n, kept_key_entity(key, s->arena));
    if (st == OK && !n.again)
        end_head(s, key, doc, had);
    *again = st == OK && n.again;
    if (st == OK) {
        base_together_end(s->base);
        return base_show(s->base, s->why);
    }
    base_together_forget(s->base);
    return st;
}
