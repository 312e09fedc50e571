/* A stored registration as its reader sees it (clause 5.10.1). */
#include "model/draft.h"
#include "model/registration.h"

struct shower {
    const struct context *context;
    struct arena *arena;
};

/* An IRI, or a list of them. */
static void show_names(const struct shower *w, struct json *o, const char *member)
{
    const struct json *v = json_get(o, str_of(member));
    if (!v)
        return;
    struct json out = *v;
    if (v->kind == JSON_ARRAY) {
        out.items = arena_zarray(w->arena, struct json, v->n);
        for (uint32_t i = 0; i < v->n; i++)
            out.items[i] = draft_text(context_compact(w->context, v->items[i].string, w->arena));
    } else {
        out = draft_text(context_compact(w->context, v->string, w->arena));
    }
    draft_set(w->arena, o, str_of(member), out);
}

static struct json information(const struct shower *w, const struct json *list, const bool *infos)
{
    struct json out = {.kind = JSON_ARRAY};
    out.items = arena_zarray(w->arena, struct json, list->n);
    for (uint32_t i = 0; i < list->n; i++) {
        if (infos && !infos[i])
            continue;
        struct json *one = &out.items[out.n++];
        *one = list->items[i];
        show_names(w, one, "propertyNames");
        show_names(w, one, "relationshipNames");
        const struct json *entities = json_get(one, STR("entities"));
        for (uint32_t k = 0; entities && k < entities->n; k++)
            show_names(w, &entities->items[k], "type");
    }
    return out;
}

enum status registration_represent(struct buf *b, struct str stored, const struct context *context,
                                   const bool *infos, struct str at_context, bool sys_attrs,
                                   struct arena *a, struct why *why)
{
    struct shower w = {context, a};
    struct json r;
    enum status st = draft_parse(a, stored, &r, why);
    const struct json *list = st == OK ? json_get(&r, STR("information")) : NULL;
    if (st != OK)
        return st;
    if (!list)
        return why_set(why, E_DAMAGED, NULL, "a stored registration has no information");
    const struct json *own = json_get(&r, STR("properties"));
    struct json properties = own ? *own : (struct json){.kind = JSON_OBJECT};
    draft_set(a, &r, STR("information"), information(&w, list, infos));
    draft_remove(&r, STR("properties"));
    draft_remove(&r, STR("version"));
    for (uint32_t i = 0; i < properties.n; i++)
        draft_set(a, &r, context_compact(context, properties.members[i].key, a),
                  properties.members[i].value);
    if (!sys_attrs) {
        draft_remove(&r, STR("createdAt"));
        draft_remove(&r, STR("modifiedAt"));
    }
    draft_write(b, &r, at_context);
    return OK;
}
