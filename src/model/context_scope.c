/* The table of definitions under construction, and how a refusal is put. */
#include "model/context_build.h"

#include "base/hash.h"

enum { SLOTS_MIN = 16 };

void context_scope_init(struct scope *s, const struct scope *up, const struct builder *b)
{
    *s = (struct scope){.up = up};
    if (up)
        s->vocab = up->vocab;
    else if (b->core)
        s->vocab = b->core->vocab;
}

void context_scope_clear(struct scope *s, const struct builder *b)
{
    context_scope_init(s, NULL, b);
}

/* The slot of term: where it stands, or where it would. */
static struct definition **slot_of(const struct scope *s, struct str term)
{
    uint32_t i = (uint32_t)hash_str(term) & s->mask;
    while (s->slots[i] && !str_eq(s->slots[i]->term, term))
        i = (i + 1) & s->mask;
    return &s->slots[i];
}

static void grow(struct scope *s, struct arena *a)
{
    struct scope old = *s;
    uint32_t slots = old.slots ? (old.mask + 1) * 2 : SLOTS_MIN;
    s->slots = arena_zarray(a, struct definition *, slots);
    s->mask = slots - 1;
    for (uint32_t i = 0; old.slots && i <= old.mask; i++)
        if (old.slots[i])
            *slot_of(s, old.slots[i]->term) = old.slots[i];
}

void context_scope_put(struct scope *s, const struct definition *d, struct arena *a)
{
    if (!s->slots || s->count > s->mask / 2)
        grow(s, a);
    struct definition **slot = slot_of(s, d->term);
    if (!*slot) {
        *slot = arena_alloc(a, sizeof **slot);
        s->count++;
    }
    **slot = *d;
}

const struct definition *context_scope_user(const struct scope *s, struct str term)
{
    for (; s; s = s->up) {
        const struct definition *d = s->slots ? *slot_of(s, term) : NULL;
        if (d)
            return d->dropped ? NULL : d;
    }
    return NULL;
}

const struct definition *context_scope_find(const struct builder *b, const struct scope *s,
                                            struct str term)
{
    const struct definition *d = context_scope_user(s, term);
    return d || !b->core ? d : context_own(b->core, term, hash_str(term));
}

bool context_scope_guarded(const struct scope *s)
{
    for (; s; s = s->up)
        for (uint32_t i = 0; s->slots && i <= s->mask; i++)
            if (s->slots[i] && s->slots[i]->guarded)
                return true;
    return false;
}

static enum status refuse(const struct builder *b, const struct place *p, const struct at *at,
                          const char *limit, struct str text)
{
    if (p->remote) {
        struct why there = {0};
        why_set(&there, E_BAD_DATA, at, "%s", "");
        text = arena_printf(b->arena, "in %.*s, at %s: %.*s", STR_ARG(p->remote->url),
                            there.pointer, STR_ARG(text));
        at = p->remote->link;
    }
    return limit ? why_limit(b->why, E_LIMIT, at, limit, "%.*s", STR_ARG(text))
                 : why_set(b->why, E_BAD_DATA, at, "%.*s", STR_ARG(text));
}

enum status context_refuse(const struct builder *b, const struct place *p, const struct at *at,
                           const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    struct str text = arena_vprintf(b->arena, fmt, ap);
    va_end(ap);
    return refuse(b, p, at, NULL, text);
}

enum status context_exceed(const struct builder *b, const struct place *p, const struct at *at,
                           const char *limit, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    struct str text = arena_vprintf(b->arena, fmt, ap);
    va_end(ap);
    return refuse(b, p, at, limit, text);
}
