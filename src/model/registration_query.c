/* What a query or a registration subscription asks of registrations (clauses 5.10.2.4,
 * 5.11.2.4, 5.12). */
#include "base/time.h"
#include "model/draft.h"
#include "model/filter_text.h"
#include "model/registration.h"

void registration_query_name(struct registration_query *q, struct str iri, struct arena *a)
{
    q->names = arena_grow(a, q->names, q->name_count * sizeof *q->names,
                          (q->name_count + 1) * sizeof *q->names);
    q->names[q->name_count++] = iri;
}

void registration_query_names(struct registration_query *q, const struct filter *f, struct arena *a)
{
    if (!f)
        return;
    bool logic = f->kind == FILTER_AND || f->kind == FILTER_OR || f->kind == FILTER_NOT;
    for (uint32_t i = 0; logic && i < f->count; i++)
        registration_query_names(q, f->parts[i], a);
    if (f->kind == FILTER_GEO)
        registration_query_name(q, f->geo->property.iri, a);
    if (f->kind != FILTER_COMPARE)
        return;
    if (f->compare->link_count)
        registration_query_name(q, f->compare->links[0].relationship.iri, a);
    else if (f->compare->path_count)
        registration_query_name(q, f->compare->path[0].iri, a);
}

/* ---- subscriptions ---- */

static void add_names(struct registration_query *q, const struct json *list, struct arena *a)
{
    for (uint32_t i = 0; list && i < list->n; i++)
        registration_query_name(q, list->items[i].string, a);
}

enum status registration_query_of(struct registration_query *q, struct subscription *s,
                                  struct str stored, const struct terms *terms,
                                  const struct filter_limits *limits, struct arena *a,
                                  struct filter **csf, struct why *why)
{
    struct json v;
    bool unknown = false;
    struct filter_reader r = {.limits = limits, .arena = a, .stored = terms, .unknown = &unknown};
    enum status st = draft_parse(a, stored, &v, why);
    const struct json *t = st == OK ? json_get(&v, STR("temporalQ")) : NULL;
    *q = (struct registration_query){.selectors = s->selectors,
                                     .selector_count = s->selector_count,
                                     .geo = s->geo,
                                     .scope = s->scope,
                                     .datasets = s->datasets,
                                     .dataset_count = s->dataset_count};
    *csf = NULL;
    if (st == OK && t)
        st = draft_read_temporal_query(t, &q->temporal, why);
    if (st == OK && json_get(&v, STR("csf")))
        st = filter_read_q(&r, draft_text_of(&v, STR("csf")), csf, why);
    if (st != OK)
        return st;
    q->csf = *csf;
    filter_resolve(s->geo, terms);
    /* clause 5.12: those of both lists, if the notification's is there */
    const struct json *told = json_get(json_get(&v, STR("notification")), STR("attributes"));
    if (told) {
        add_names(q, told, a);
        add_names(q, json_get(&v, STR("watchedAttributes")), a);
    }
    return OK;
}
