/* A scope may be stored with a leading '/' or without; both are looked for. */
#include "store/embedded/index_scope.h"

#include "base/arena.h"
#include "model/filter.h"

#include <stdlib.h>

enum { TRY_MAX = 1000 };

/* Levels before the first that has a wildcard, without the '/' behind them. */
static struct str fixed_part(struct str pattern)
{
    size_t wild = 0;
    while (wild < pattern.n && pattern.p[wild] != '+' && pattern.p[wild] != '#')
        wild++;
    if (wild == pattern.n)
        return pattern;
    while (wild > 0 && pattern.p[wild - 1] != '/')
        wild--;
    return str_head(pattern, wild ? wild - 1 : 0);
}

struct search {
    const struct index *ix;
    struct str pattern;
    struct bitmap *out; /* NULL: only count */
    uint64_t count;
    uint32_t tries_left; /* when counting; UINT32_MAX: they ran out */
};

static bool out_of_tries(struct search *s)
{
    if (s->tries_left && s->tries_left != UINT32_MAX)
        s->tries_left--;
    else
        s->tries_left = UINT32_MAX;
    return s->tries_left == UINT32_MAX;
}

/* Tries every scope that starts with prefix; of those with a '/' in front, when both forms are
 * tried at once, only the other form. */
static void try_from(struct search *s, struct str prefix, bool but_slashed)
{
    for (struct name_cursor c = name_map_from(s->ix->scopes, prefix, false); name_next(&c);) {
        if (!str_starts(c.key, prefix) || (!s->out && out_of_tries(s)))
            return;
        const struct index_scope *scope = c.value;
        if ((but_slashed && str_starts(c.key, STR("/"))) || !scope_pattern_match(s->pattern, c.key))
            continue;
        if (s->out)
            bitmap_add_all(s->out, scope->slots);
        else
            s->count += bitmap_count(scope->slots);
    }
}

static void search(struct search *s)
{
    struct str pattern = s->pattern;
    if (str_starts(pattern, STR("/")))
        pattern = str_from(pattern, 1);
    struct str fixed = fixed_part(pattern);
    char *slashed = mem_alloc(fixed.n + 1);
    slashed[0] = '/';
    if (fixed.n)
        memcpy(slashed + 1, fixed.p, fixed.n);
    try_from(s, (struct str){slashed, fixed.n + 1}, false);
    try_from(s, fixed, true);
    free(slashed);
}

uint64_t index_scope_estimate(const struct index *ix, struct str pattern)
{
    struct search s = {.ix = ix, .pattern = pattern, .tries_left = TRY_MAX};
    search(&s);
    return s.tries_left == UINT32_MAX ? bitmap_count(ix->live) / 2 : s.count;
}

void index_scope_collect(const struct index *ix, struct str pattern, struct bitmap *out)
{
    struct search s = {.ix = ix, .pattern = pattern, .out = out};
    search(&s);
}
