/* Scope Query Language (CIM 009 clause 4.19):
 *     (/Madrid/Districts;/CompanyA)|/CompanyB/#,/Madrid/+/ParqueNorte
 * A scope's leading '/' may be left out, in queries (example 5) as in entities (clause
 * 4.18), and changes nothing. A conjunction may stand without its parentheses, and the
 * whole in quotes (C.5.15). */
#include "model/filter_text.h"

struct scope_reader {
    struct filter_text t;
    uint32_t patterns;
};

/* "/level/+/#", kept as written but for the leading '/'. */
static enum status read_pattern(struct scope_reader *r, struct str *out)
{
    struct filter_text *t = &r->t;
    filter_text_skip_spaces(t);
    filter_text_take(t, '/');
    size_t from = t->at;
    do {
        struct str rest = filter_text_rest(t);
        size_t n = filter_name_length(rest);
        if (n == 0 && filter_text_is(t, '+'))
            n = 1;
        bool last = n == 0 && filter_text_is(t, '#') && (t->at > 0 && t->all.p[t->at - 1] == '/');
        if (n == 0 && !last)
            return filter_text_fault(t,
                                     "expected a level of a scope: a name, '+', or '#' at the end");
        t->at += last ? 1 : n;
        if (last)
            break;
    } while (filter_text_take(t, '/'));
    if (r->patterns++ >= t->reader->limits->nodes_max)
        return why_limit(t->why, E_TOO_COMPLEX, NULL, "limits.query_terms", "%s: at most %u scopes",
                         t->what, t->reader->limits->nodes_max);
    *out = arena_dup(t->reader->arena, (struct str){t->all.p + from, t->at - from});
    filter_text_skip_spaces(t);
    return OK;
}

static enum status read_conjunction(struct scope_reader *r, struct scope_all *all)
{
    filter_text_skip_spaces(&r->t);
    bool parenthesis = filter_text_take(&r->t, '(');
    enum status st;
    do {
        size_t bytes = all->count * sizeof(struct str);
        all->patterns =
            arena_grow(r->t.reader->arena, all->patterns, bytes, bytes + sizeof(struct str));
        st = read_pattern(r, &all->patterns[all->count++]);
    } while (st == OK && filter_text_take(&r->t, ';'));
    if (st == OK && parenthesis && !filter_text_take(&r->t, ')'))
        st = filter_text_fault(&r->t, "expected ';' or ')'");
    filter_text_skip_spaces(&r->t);
    return st;
}

enum status filter_read_scopes(const struct filter_reader *fr, struct str text,
                               struct scope_expr **out, struct why *why)
{
    if (text.n > 1 && text.p[0] == '"' && text.p[text.n - 1] == '"')
        text = (struct str){text.p + 1, text.n - 2};
    struct scope_reader r = {.t = {"scopeQ", text, 0, fr, why}};
    struct scope_expr *x = arena_zalloc(fr->arena, sizeof *x);
    enum status st = filter_text_check(&r.t);
    *out = NULL;
    if (st != OK)
        return st;
    do {
        size_t bytes = x->count * sizeof(struct scope_all);
        x->any = arena_grow(fr->arena, x->any, bytes, bytes + sizeof(struct scope_all));
        x->any[x->count] = (struct scope_all){0, NULL};
        st = read_conjunction(&r, &x->any[x->count++]);
    } while (st == OK && (filter_text_take(&r.t, '|') || filter_text_take(&r.t, ',')));
    if (st == OK && !filter_text_end(&r.t))
        st = filter_text_fault(&r.t, "expected '/', '|', ',' or the end");
    *out = st == OK ? x : NULL;
    return st;
}

static struct str without_slash(struct str s)
{
    return s.n && s.p[0] == '/' ? str_from(s, 1) : s;
}

bool scope_pattern_match(struct str pattern, struct str scope)
{
    struct str p = without_slash(pattern), s = without_slash(scope), want, level;
    while (str_split(&p, '/', &want)) {
        if (str_eq(want, STR("#")))
            return true; /* the scope itself and what is below */
        if (!str_split(&s, '/', &level) || (!str_eq(want, STR("+")) && !str_eq(want, level)))
            return false;
    }
    return !str_split(&s, '/', &level);
}

bool scope_expr_match(const struct scope_expr *x, const struct str *scopes, uint32_t count)
{
    for (uint32_t i = 0; i < x->count; i++) {
        const struct scope_all *all = &x->any[i];
        uint32_t k = 0, j = 0;
        for (; k < all->count; k++) {
            for (j = 0; j < count && !scope_pattern_match(all->patterns[k], scopes[j]);)
                j++;
            if (j == count)
                break;
        }
        if (k == all->count)
            return true;
    }
    return false;
}
