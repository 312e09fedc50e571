/* Reading orderBy, collation and orderFrom (CIM 009 clause 4.23.3), and comparing trees. */
#include "model/order.h"

#include "model/filter_text.h"
#include "model/order_key.h"

#include <stdlib.h>
#include <unicode/ucol.h>
#include <unicode/uloc.h>

enum { COLLATION_BYTES_MAX = 200, SORT_KEY_BYTES_MAX = 1 << 16 };

/* ---- orderBy ---- */

/* Members of the entity itself, by their names alone: "id" is a keyword of JSON-LD. */
static bool read_system(struct filter_text *t, struct order_key *k)
{
    static const struct {
        struct str name;
        enum order_system system;
    } names[] = {
        {{"id", 2}, ORDER_ID},
        {{"type", 4}, ORDER_TYPE},
        {{"scope", 5}, ORDER_SCOPE},
    };
    struct str raw = str_head(filter_text_rest(t), filter_iri_length(filter_text_rest(t)));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (!str_eq(raw, names[i].name))
            continue;
        k->system = (uint8_t)names[i].system;
        t->at += raw.n;
        return true;
    }
    return false;
}

static enum status read_subject(struct filter_text *t, struct order_key *k)
{
    struct filter_path path;
    if (read_system(t, k))
        return OK;
    size_t from = t->at;
    enum status st = filter_text_path(t, &path);
    if (st != OK)
        return st;
    k->path = path.names;
    k->path_count = path.count;
    k->member = path.member;
    k->value_path = path.value;
    k->value_path_count = path.value_count;
    if (path.count)
        return OK;
    k->member = MEMBER_NONE;
    k->system = path.member == MEMBER_CREATED_AT    ? ORDER_CREATED
                : path.member == MEMBER_MODIFIED_AT ? ORDER_MODIFIED
                : path.member == MEMBER_EXPIRES_AT  ? ORDER_EXPIRES
                                                    : ORDER_ATTR;
    if (k->system != ORDER_ATTR)
        return OK;
    t->at = from;
    return filter_text_fault(t, "entities have no such member; of an attribute: name.observedAt");
}

static enum status read_direction(struct filter_text *t, struct order_key *k)
{
    filter_text_skip_spaces(t);
    if (!filter_text_take(t, ';'))
        return OK;
    filter_text_skip_spaces(t);
    k->by_distance = filter_text_take_word(t, STR("dist-"));
    k->descending = filter_text_take_word(t, STR("desc"));
    if (!k->descending && !filter_text_take_word(t, STR("asc")))
        return filter_text_fault(t, "expected asc, desc, dist-asc or dist-desc");
    filter_text_skip_spaces(t);
    return OK;
}

static enum status read_keys(const struct filter_reader *r, struct str text, struct order *o,
                             struct why *why)
{
    struct filter_text t = {"orderBy", text, 0, r, why};
    enum status st = filter_text_check(&t);
    while (st == OK) {
        if (o->count >= r->limits->nodes_max)
            return why_limit(why, E_TOO_COMPLEX, NULL, "limits.query_terms",
                             "orderBy: at most %u terms", r->limits->nodes_max);
        size_t bytes = o->count * sizeof(struct order_key);
        o->keys = arena_grow(r->arena, o->keys, bytes, bytes + sizeof(struct order_key));
        struct order_key *k = &o->keys[o->count++];
        *k = (struct order_key){0};
        filter_text_skip_spaces(&t);
        st = read_subject(&t, k);
        if (st == OK)
            st = read_direction(&t, k);
        if (st != OK || !filter_text_take(&t, ','))
            break;
    }
    if (st == OK && !filter_text_end(&t))
        st = filter_text_fault(&t, "expected ',', ';' or the end");
    return st;
}

/* ---- collation ---- */

/* A BCP 47 tag whose -u- extension ICU knows; what it would silently leave out is refused. */
static enum status open_collator(struct str tag, struct order *o, struct why *why)
{
    char text[COLLATION_BYTES_MAX + 1] = "", locale[COLLATION_BYTES_MAX * 2] = "", type[64];
    UErrorCode error = U_ZERO_ERROR, ignored = U_ZERO_ERROR;
    int32_t taken = 0;
    bool fits = tag.n <= COLLATION_BYTES_MAX && (tag.n == 0 || !memchr(tag.p, 0, tag.n));
    if (fits && tag.n) {
        memcpy(text, tag.p, tag.n);
        uloc_forLanguageTag(text, locale, sizeof locale - 1, &taken, &error);
    }
    if (!fits || (size_t)taken != tag.n || U_FAILURE(error))
        return why_set(
            why, E_BAD_DATA, NULL,
            "collation: expected a language tag such as und or de-u-co-phonebk (RFC 6067)");
    o->collator = ucol_open(locale, &error);
    int32_t asked = uloc_getKeywordValue(locale, "collation", type, sizeof type, &ignored);
    const char *actual = o->collator && U_SUCCESS(error)
                             ? ucol_getLocaleByType(o->collator, ULOC_ACTUAL_LOCALE, &ignored)
                             : NULL;
    if (!actual || (asked > 0 && strcmp(type, "standard") != 0 && !strstr(actual, "collation=")))
        return why_set(why, E_BAD_DATA, NULL, "collation: no such collation: %s", text);
    return OK;
}

/* ---- orderFrom ---- */

static enum status read_from(const struct filter_reader *r, struct str from, struct str type,
                             struct order *o, struct why *why)
{
    struct json_limits limits = {8, from.n + 1};
    struct json coordinates;
    struct box box;
    bool needed = false;
    for (uint32_t i = 0; i < o->count; i++)
        needed |= o->keys[i].by_distance;
    if (str_absent(from) && !needed)
        return OK;
    if (str_absent(from))
        return why_set(why, E_BAD_DATA, NULL, "orderFrom: missing, and orderBy asks for distances");
    if (json_read(r->arena, from, &limits, &coordinates, NULL) != OK)
        return why_set(why, E_BAD_DATA, NULL, "orderFrom: expected coordinates as JSON");
    return geometry_new(str_absent(type) ? STR("Point") : type, &coordinates,
                        r->limits->coordinates_max, &o->from, &box, why);
}

enum status order_read(const struct filter_reader *r, struct str order_by, struct str collation,
                       struct str order_from, struct str order_geometry, struct order **out,
                       struct why *why)
{
    struct order *o = arena_zalloc(r->arena, sizeof *o);
    o->context = context_ref((struct context *)r->context);
    enum status st = read_keys(r, order_by, o, why);
    if (st == OK)
        st = open_collator(collation, o, why);
    if (st == OK)
        st = read_from(r, order_from, order_geometry, o, why);
    if (st != OK) {
        order_free(o);
        return st;
    }
    *out = o;
    return OK;
}

void order_free(struct order *o)
{
    if (!o)
        return;
    if (o->collator)
        ucol_close(o->collator);
    geometry_free(o->from);
    context_unref(o->context);
    o->collator = NULL;
    o->from = NULL;
    o->context = NULL;
}

int order_compare(const struct order *o, const struct entity *a, const struct entity *b,
                  struct arena *scratch)
{
    struct buf bytes[2];
    buf_init(&bytes[0], SORT_KEY_BYTES_MAX);
    buf_init(&bytes[1], SORT_KEY_BYTES_MAX);
    int c = 0;
    for (uint32_t i = 0; i < o->count && c == 0; i++) {
        struct order_weight x, y;
        order_weigh(o, &o->keys[i], &(struct filter_subject){.tree = a}, &bytes[0], scratch, &x);
        order_weigh(o, &o->keys[i], &(struct filter_subject){.tree = b}, &bytes[1], scratch, &y);
        c = order_weight_compare(&o->keys[i], &x, &y);
    }
    buf_free(&bytes[0]);
    buf_free(&bytes[1]);
    return c;
}
