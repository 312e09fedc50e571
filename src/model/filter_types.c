/* Entity Type Selection Language (CIM 009 clause 4.17):
 *     (Home;Vehicle)|Motorhome,House
 * A conjunction stands in parentheses. */
#include "model/filter_text.h"
#include "model/iri_text.h"

struct types_reader {
    struct filter_text t;
    uint32_t names;
};

/* Up to a delimiter; URIs that contain one cannot be asked for (the clause's NOTE). */
static enum status read_type(struct types_reader *r, struct type_all *all)
{
    struct filter_text *t = &r->t;
    filter_text_skip_spaces(t);
    struct str rest = filter_text_rest(t);
    size_t n = iri_text_length(rest), stored = n;
    while (!stored && n < rest.n && (unsigned char)rest.p[n] > ' ' &&
           !strchr("|,;()\"", rest.p[n]))
        n++;
    struct str raw = str_head(rest, n);
    if (n == 0 || (!stored && filter_name_length(raw) != n && str_find_char(raw, ':') == STR_NPOS))
        return filter_text_fault(t, "expected the name of an entity type, or a URI");
    if (r->names++ >= t->reader->limits->nodes_max)
        return why_limit(t->why, E_TOO_COMPLEX, NULL, "limits.query_terms", "%s: at most %u types",
                         t->what, t->reader->limits->nodes_max);
    size_t bytes = all->count * sizeof(struct name);
    all->types = arena_grow(t->reader->arena, all->types, bytes, bytes + sizeof(struct name));
    enum status st = filter_text_name(t, raw, &all->types[all->count]);
    all->count++;
    t->at += n;
    filter_text_skip_spaces(t);
    return st;
}

static enum status read_conjunction(struct types_reader *r, struct type_all *all)
{
    filter_text_skip_spaces(&r->t);
    bool parenthesis = filter_text_take(&r->t, '(');
    enum status st;
    do {
        st = read_type(r, all);
    } while (st == OK && parenthesis && filter_text_take(&r->t, ';'));
    if (st == OK && parenthesis && !filter_text_take(&r->t, ')'))
        st = filter_text_fault(&r->t, "expected ';' or ')'");
    else if (st == OK && str_starts(filter_text_rest(&r->t), STR(";")))
        st = filter_text_fault(&r->t, "types joined by ';' stand in parentheses");
    filter_text_skip_spaces(&r->t);
    return st;
}

enum status filter_read_types(const struct filter_reader *fr, struct str text,
                              struct type_expr **out, struct why *why)
{
    struct types_reader r = {.t = {"type", text, 0, fr, why}};
    struct type_expr *x = arena_zalloc(fr->arena, sizeof *x);
    enum status st = filter_text_check(&r.t);
    *out = NULL;
    if (st != OK || str_eq(str_trim(text), STR("*")))
        return st;
    do {
        size_t bytes = x->count * sizeof(struct type_all);
        x->any = arena_grow(fr->arena, x->any, bytes, bytes + sizeof(struct type_all));
        x->any[x->count] = (struct type_all){0, NULL};
        st = read_conjunction(&r, &x->any[x->count++]);
    } while (st == OK && (filter_text_take(&r.t, '|') || filter_text_take(&r.t, ',')));
    if (st == OK && !filter_text_end(&r.t))
        st = filter_text_fault(&r.t, "expected '|', ',' or the end");
    if (st == OK)
        *out = x;
    return st;
}

bool type_expr_match(const struct type_expr *x, const struct entity *e)
{
    if (!x)
        return true;
    for (uint32_t i = 0; i < x->count; i++) {
        const struct type_all *all = &x->any[i];
        uint32_t k = 0;
        while (k < all->count && all->types[k].term != TERM_NONE &&
               entity_has_type(e, all->types[k].term))
            k++;
        if (k == all->count)
            return true;
    }
    return false;
}
