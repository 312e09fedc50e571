/* The store's functions call through the implementation's table. */
#include "store/store.h"

bool store_apply(struct store *s, struct store_apply *a)
{
    return s->ops->apply(s, a);
}

bool store_get(struct store *s, struct store_get *g)
{
    return s->ops->get(s, g);
}

bool store_query(struct store *s, struct store_query *q)
{
    return s->ops->query(s, q);
}

bool store_census(struct store *s, struct store_census *c)
{
    return s->ops->census(s, c);
}

bool store_evolve(struct store *s, struct store_evolve *v)
{
    return s->ops->evolve(s, v);
}

bool store_record(struct store *s, struct store_record *r)
{
    return s->ops->record(s, r);
}

void store_cancel(struct store *s, struct store_call *call)
{
    s->ops->cancel(s, call);
}

bool store_put(struct store *s, struct store_put *p)
{
    return s->ops->put(s, p);
}

bool store_list(struct store *s, struct store_list *l)
{
    return s->ops->list(s, l);
}

void store_listen(struct store *s, struct store_listener *l)
{
    s->ops->listen(s, l);
}

uint64_t store_seq(struct store *s)
{
    return s->ops->seq(s);
}

uint32_t store_tenants(struct store *s, struct arena *a, struct str **names)
{
    return s->ops->tenants(s, a, names);
}

bool store_tenant_exists(struct store *s, struct str name)
{
    return s->ops->tenant_exists(s, name);
}

bool store_tenant_delete(struct store *s, struct store_tenant_delete *d)
{
    return s->ops->tenant_delete(s, d);
}

enum status store_backup(struct store *s, const char *dir, struct why *why)
{
    return s->ops->backup(s, dir, why);
}

void store_retain(struct store *s, const struct store_retention *r)
{
    s->ops->retain(s, r);
}

void store_stats(struct store *s, struct store_stats *out)
{
    s->ops->stats(s, out);
}

const char *store_ready(struct store *s)
{
    return s->ops->ready(s);
}

void store_thread_enter(struct store *s)
{
    s->ops->thread_enter(s);
}

void store_thread_leave(struct store *s)
{
    s->ops->thread_leave(s);
}

void store_thread_offline(struct store *s)
{
    s->ops->thread_offline(s);
}

void store_thread_online(struct store *s)
{
    s->ops->thread_online(s);
}

void store_thread_quiescent(struct store *s)
{
    s->ops->thread_quiescent(s);
}

void store_close(struct store *s)
{
    s->ops->close(s);
}
