/* Queries. */
#include "store/embedded/embedded_int.h"

bool query_run(struct store *s, struct store_query *q)
{
    struct embedded *e = embedded_of(s);
    q->docs = NULL;
    q->doc_count = 0;
    q->total = 0;
    q->more = false;
    q->explain = (struct store_explain){.index = "scan"};
    struct tenant *t = read_tenant(e, q->caller->tenant, &q->call);
    if (!t)
        return true;
    struct read_env env;
    read_env_init(&env, t, q->arena);
    const struct state *st = tenant_state(t);
    q->docs = arena_array(q->arena, const struct doc *, q->limit);
    uint64_t matched = 0;
    for (uint32_t slot = 0; slot < state_slots(st); slot++) {
        const struct doc *d = state_at(st, slot);
        if (!d || doc_created_seq(d) <= q->after_seq)
            continue;
        if (!filter_match_doc(q->caller->filter, d, &env.env) || !filter_match_doc(q->filter, d, &env.env))
            continue;
        matched++;
        if (matched > q->offset && q->doc_count < q->limit)
            q->docs[q->doc_count++] = d;
    }
    q->total = matched;
    q->more = matched > q->offset + q->doc_count;
    return true;
}
