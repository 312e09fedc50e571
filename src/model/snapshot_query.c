/* A snapshot as an entity whose attributes are its members, so that q is read and
 * evaluated as everywhere else. */
#include "model/snapshot.h"

#define NGSI_LD_NS "https://uri.etsi.org/ngsi-ld/"
enum { MEMBERS_MAX = 10 };

static const struct str NAMES[] = {
    {NGSI_LD_NS "snapshotQueries", sizeof NGSI_LD_NS "snapshotQueries" - 1},
    {NGSI_LD_NS "snapshotTemporalQueries", sizeof NGSI_LD_NS "snapshotTemporalQueries" - 1},
    {NGSI_LD_NS "snapshotLifetime", sizeof NGSI_LD_NS "snapshotLifetime" - 1},
    {NGSI_LD_NS "snapshotPriority", sizeof NGSI_LD_NS "snapshotPriority" - 1},
    {NGSI_LD_NS "endpoint", sizeof NGSI_LD_NS "endpoint" - 1},
    {NGSI_LD_NS "receiverInfo", sizeof NGSI_LD_NS "receiverInfo" - 1},
    {NGSI_LD_NS "snapshotStatus", sizeof NGSI_LD_NS "snapshotStatus" - 1},
    {NGSI_LD_NS "snapshotQueriesDetails", sizeof NGSI_LD_NS "snapshotQueriesDetails" - 1},
    {NGSI_LD_NS "snapshotTemporalQueriesDetails", sizeof NGSI_LD_NS "snapshotTemporalQueriesDetails" - 1},
    {NGSI_LD_NS "lastUsedAt", sizeof NGSI_LD_NS "lastUsedAt" - 1},
};
_Static_assert(sizeof NAMES / sizeof *NAMES == MEMBERS_MAX, "members");

/* ---- reading ---- */

static bool is_member(struct str iri)
{
    for (size_t i = 0; i < MEMBERS_MAX; i++)
        if (str_eq(iri, NAMES[i]))
            return true;
    return false;
}

/* The first name that is none of a snapshot's, absent when there is none. */
static struct str stranger(const struct filter *f)
{
    struct str found = STR_NONE;
    if (f->kind == FILTER_COMPARE) {
        const struct compare *c = f->compare;
        if (c->link_count)
            return c->links[0].relationship.iri;
        if (c->path_count)
            return c->path_count == 1 && !c->member && is_member(c->path[0].iri) ? STR_NONE : c->path[0].iri;
        bool time = c->member == MEMBER_CREATED_AT || c->member == MEMBER_MODIFIED_AT || c->member == MEMBER_EXPIRES_AT;
        return time ? STR_NONE : STR("a member of an attribute");
    }
    for (uint32_t i = 0; i < f->count && str_absent(found); i++)
        found = stranger(f->parts[i]);
    return found;
}

enum status snapshot_query_read(const struct filter_reader *r, struct terms *terms, struct str q, struct filter **out,
                                struct why *why)
{
    for (size_t i = 0; i < MEMBERS_MAX; i++)
        if (terms_intern(terms, NAMES[i], why) == TERM_NONE)
            return why->status;
    enum status st = filter_read_q(r, q, out, why);
    if (st != OK)
        return st;
    struct str name = stranger(*out);
    if (str_absent(name))
        return OK;
    filter_free(*out);
    *out = NULL;
    return why_set(why, E_BAD_DATA, NULL, "q: a Snapshot has no member %.*s", STR_ARG(str_head(name, 200)));
}

/* ---- matching ---- */

static void add(struct entity *e, struct terms *terms, size_t name, struct value value)
{
    struct attr *a = &e->attrs[e->attr_count++];
    *a = (struct attr){
        .term = terms_find(terms, NAMES[name]),
        .kind = ATTR_PROPERTY,
        .dataset = STR(""),
        .value = value,
        .observed_at = TIME_NONE,
        .expires_at = TIME_NONE,
    };
}

static void add_text(struct entity *e, struct terms *terms, size_t name, uint8_t kind, struct str text)
{
    if (!str_absent(text))
        add(e, terms, name, (struct value){.kind = kind, .text = text});
}

bool snapshot_query_match(const struct filter *q, struct terms *terms, const struct snapshot *s, struct arena *scratch)
{
    char time[TIME_TEXT_MAX];
    const struct attr *twice;
    struct filter_env env = {.arena = scratch};
    struct entity e = {
        .id = s->id,
        .created_at = s->created_at,
        .modified_at = s->modified_at,
        .expires_at = s->expires_at,
        .attrs = arena_array(scratch, struct attr, MEMBERS_MAX),
    };
    add_text(&e, terms, 0, VALUE_JSON, s->queries);
    add_text(&e, terms, 1, VALUE_JSON, s->temporal_queries);
    add_text(&e, terms, 2, VALUE_STRING, s->lifetime);
    add(&e, terms, 3, (struct value){.kind = VALUE_INT, .integer = s->priority});
    add_text(&e, terms, 4, VALUE_STRING, s->endpoint);
    add_text(&e, terms, 5, VALUE_JSON, s->receiver_info);
    add_text(&e, terms, 6, VALUE_STRING, str_of(snapshot_status_name((enum snapshot_status)s->status)));
    add_text(&e, terms, 7, VALUE_JSON, s->details);
    add_text(&e, terms, 8, VALUE_JSON, s->temporal_details);
    time_format(s->last_used_at, time);
    add_text(&e, terms, 9, VALUE_STRING, str_of(time));
    (void)attrs_sort(e.attrs, e.attr_count, &twice);
    return filter_match(q, &e, &env);
}
