/* Members that subscriptions and registrations share: strings of all kinds, names,
 * queries, and key-value pairs. */
#include "model/draft.h"

#include "base/time.h"
#include "model/iri_text.h"
#include "model/pattern.h"
#include "model/reader.h"
#include "model/registration.h"

#include <math.h>

/* ---- plain values ---- */

enum status draft_string(struct draft *d, const struct json *v, const struct at *at,
                         struct json *out)
{
    *out = *v;
    return draft_kind(d, v, JSON_STRING, at);
}

enum status draft_uri(struct draft *d, const struct json *v, const struct at *at, struct json *out)
{
    enum status st = draft_string(d, v, at, out);
    if (st == OK && !reader_is_uri(v->string))
        return why_set(d->why, E_BAD_DATA, at, "\"%.*s\" is not a URI", STR_ARG(v->string));
    return st;
}

enum status draft_url(struct draft *d, const struct json *v, const struct at *at, struct json *out)
{
    enum status st = draft_uri(d, v, at, out);
    if (st != OK)
        return st;
    size_t colon = str_find_char(v->string, ':');
    struct str scheme = str_head(v->string, colon), rest = str_from(v->string, colon);
    bool http = str_eq_fold(scheme, STR("http")) || str_eq_fold(scheme, STR("https"));
    if (!http || !str_starts(rest, STR("://")) || rest.n < 4 || rest.p[3] == '/')
        return why_set(d->why, E_BAD_DATA, at,
                       "\"%.*s\" cannot be fetched: an http or https URL is expected",
                       STR_ARG(v->string));
    return OK;
}

enum status draft_bool(struct draft *d, const struct json *v, const struct at *at, struct json *out)
{
    *out = *v;
    return draft_kind(d, v, JSON_BOOL, at);
}

enum status draft_positive(struct draft *d, const struct json *v, const struct at *at,
                           struct json *out)
{
    double number;
    *out = *v;
    if (!json_number(v, &number) || !(number > 0))
        return why_set(d->why, E_BAD_DATA, at, "expected a number above 0");
    return OK;
}

enum status draft_count(struct draft *d, const struct json *v, const struct at *at,
                        struct json *out)
{
    *out = *v;
    if (v->kind != JSON_INT || v->integer <= 0)
        return why_set(d->why, E_BAD_DATA, at, "expected an integer above 0");
    return OK;
}

enum status draft_datetime(struct draft *d, const struct json *v, const struct at *at,
                           struct json *out)
{
    int64_t us;
    enum status st = draft_string(d, v, at, out);
    if (st == OK && !time_parse(v->string, &us))
        return why_set(d->why, E_BAD_DATA, at,
                       "expected a DateTime such as \"2020-01-31T23:59:59Z\" (clause 4.6.3)");
    return st;
}

enum status draft_languages(struct draft *d, const struct json *v, const struct at *at,
                            struct json *out)
{
    enum status st = draft_string(d, v, at, out);
    if (st == OK && !reader_is_language_ranges(v->string))
        return why_set(d->why, E_BAD_DATA, at, "\"%.*s\" is no list of language ranges (RFC 3282)",
                       STR_ARG(v->string));
    return st;
}

/* ---- names ---- */

static enum status expand(struct draft *d, struct str name, const struct at *at, struct str *iri)
{
    *iri = reader_is_name(name) ? context_expand(d->context, name, d->arena) : STR_NONE;
    if (str_absent(*iri))
        return why_set(d->why, E_BAD_DATA, at, "\"%.*s\" is not a valid name (clause 4.6.2)",
                       STR_ARG(name));
    return OK;
}

enum status draft_name(struct draft *d, const struct json *v, const struct at *at, struct json *out)
{
    enum status st = draft_string(d, v, at, out);
    return st == OK ? expand(d, v->string, at, &out->string) : st;
}

enum status draft_names(struct draft *d, const struct json *v, const struct at *at,
                        struct json *out)
{
    return draft_array(d, draft_name, v, at, out);
}

enum status draft_name_list(struct draft *d, const struct json *v, const struct at *at,
                            struct json *out)
{
    struct iri_edits edits = {0};
    enum status st = draft_string(d, v, at, out);
    struct str part, rest = st == OK ? v->string : STR_NONE;
    while (st == OK && str_split(&rest, ',', &part)) {
        struct iri_edit edit = {0};
        part = str_trim(part);
        st = expand(d, part, at, &edit.iri);
        edit.at = (size_t)(part.p - v->string.p);
        edit.length = part.n;
        iri_edits_add(&edits, edit, d->arena);
    }
    if (st == OK)
        out->string = iri_edits_apply(&edits, v->string, d->arena);
    return st;
}

static enum status dataset(struct draft *d, const struct json *v, const struct at *at,
                           struct json *out)
{
    return json_is_string(v, STR("@none")) ? draft_string(d, v, at, out) : draft_uri(d, v, at, out);
}

enum status draft_datasets(struct draft *d, const struct json *v, const struct at *at,
                           struct json *out)
{
    return draft_array(d, dataset, v, at, out);
}

/* ---- query languages ---- */

static struct filter_reader filter_reader(const struct draft *d, struct iri_edits *edits)
{
    return (struct filter_reader){
        .context = d->context, .limits = d->filter, .arena = d->arena, .edits = edits};
}

enum status draft_pattern(struct draft *d, const struct json *v, const struct at *at,
                          struct json *out)
{
    struct why w = {0};
    struct pattern *p = NULL;
    struct filter_reader r = filter_reader(d, NULL);
    enum status st = draft_string(d, v, at, out);
    if (st != OK)
        return st;
    st = filter_read_pattern(&r, v->string, &p, &w);
    pattern_free(p);
    return st == OK ? OK : draft_relay(d, at, st, &w);
}

enum status draft_types(struct draft *d, const struct json *v, const struct at *at,
                        struct json *out)
{
    struct why w = {0};
    struct iri_edits edits = {0};
    struct type_expr *types;
    struct filter_reader r = filter_reader(d, &edits);
    enum status st = draft_string(d, v, at, out);
    if (st != OK)
        return st;
    st = filter_read_types(&r, v->string, &types, &w);
    if (st != OK)
        return draft_relay(d, at, st, &w);
    out->string = iri_edits_apply(&edits, v->string, d->arena);
    return OK;
}

enum status draft_scopes(struct draft *d, const struct json *v, const struct at *at,
                         struct json *out)
{
    struct why w = {0};
    struct scope_expr *scopes;
    struct filter_reader r = filter_reader(d, NULL);
    enum status st = draft_string(d, v, at, out);
    if (st != OK)
        return st;
    st = filter_read_scopes(&r, v->string, &scopes, &w);
    return st == OK ? OK : draft_relay(d, at, st, &w);
}

/* "a,b" in parts; NULL: none. */
static const struct str *split(struct draft *d, struct str list, uint32_t *count)
{
    struct str part, *parts = NULL;
    uint32_t n = 0;
    while (!str_absent(list) && str_split(&list, ',', &part)) {
        parts = arena_grow(d->arena, parts, n * sizeof *parts, (n + 1) * sizeof *parts);
        parts[n++] = str_trim(part);
    }
    *count = n;
    return parts;
}

enum status draft_query(struct draft *d, struct str q, struct str expand_values,
                        struct str json_keys, const struct at *at, struct json *out)
{
    struct why w = {0};
    struct iri_edits edits = {0};
    struct filter *f = NULL;
    struct filter_reader r = filter_reader(d, &edits);
    r.expand_values = split(d, expand_values, &r.expand_value_count);
    r.json_keys = split(d, json_keys, &r.json_key_count);
    enum status st = filter_read_q(&r, q, &f, &w);
    filter_free(f);
    if (st != OK)
        return draft_relay(d, at, st, &w);
    *out = draft_text(iri_edits_apply(&edits, q, d->arena));
    return OK;
}

enum status draft_q(struct draft *d, const struct json *v, const struct at *at, struct json *out)
{
    enum status st = draft_string(d, v, at, out);
    return st == OK ? draft_query(d, v->string, STR_NONE, STR_NONE, at, out) : st;
}

/* ---- geometry and time ---- */

enum status draft_coordinates(const struct json *v, struct arena *a, struct json *out,
                              struct why *why)
{
    struct json_limits limits = {8, 1 << 20}; /* a polygon's coordinates nest four deep */
    *out = *v;
    if (v->kind == JSON_STRING && json_read(a, v->string, &limits, out, NULL) != OK)
        return why_set(why, E_BAD_DATA, NULL, "the string is no JSON array of coordinates");
    if (out->kind != JSON_ARRAY)
        return why_set(why, E_BAD_DATA, NULL, "expected an array of coordinates");
    return OK;
}

static enum status coordinates(struct draft *d, const struct json *v, const struct at *at,
                               struct json *out)
{
    struct why w = {0};
    struct json parsed;
    enum status st = draft_coordinates(v, d->arena, &parsed, &w);
    *out = *v;
    return st == OK ? OK : draft_relay(d, at, st, &w);
}

enum status draft_geo_query(struct draft *d, const struct json *v, const struct at *at,
                            struct json *out)
{
    static const struct draft_member MEMBERS[] = {{"coordinates", coordinates},
                                                  {"geometry", draft_string},
                                                  {"georel", draft_string},
                                                  {"geoproperty", draft_name}};
    enum status st = draft_object(d, MEMBERS, sizeof MEMBERS / sizeof *MEMBERS, false, v, at, out);
    if (st != OK)
        return st;
    for (size_t i = 0; i < 3; i++)
        if (!json_get(out, str_of(MEMBERS[i].name)))
            return why_set(d->why, E_BAD_DATA, at, "a GeoQuery needs %s", MEMBERS[i].name);
    struct why w = {0};
    struct json parsed;
    struct filter *f = NULL;
    struct filter_reader r = filter_reader(d, NULL);
    st = draft_coordinates(json_get(out, STR("coordinates")), d->arena, &parsed, &w);
    if (st == OK)
        st = filter_read_geo(&r, json_get(out, STR("georel"))->string,
                             json_get(out, STR("geometry"))->string, &parsed, STR_NONE, &f, &w);
    filter_free(f);
    return st == OK ? OK : draft_relay(d, at, st, &w);
}

enum status draft_read_temporal_query(const struct json *v, struct temporal_query *out, struct why *why)
{
    struct temporal_words w = {
        .timerel = draft_text_of(v, STR("timerel")),
        .time_at = draft_text_of(v, STR("timeAt")),
        .end_time_at = draft_text_of(v, STR("endTimeAt")),
        .timeproperty = draft_text_of(v, STR("timeproperty")),
    };
    return temporal_read(&w, NULL, out, why);
}

enum status draft_temporal_query(struct draft *d, const struct json *v, const struct at *at,
                                 struct json *out)
{
    static const struct draft_member MEMBERS[] = {{"timerel", draft_string},
                                                  {"timeAt", draft_datetime},
                                                  {"endTimeAt", draft_datetime},
                                                  {"timeproperty", draft_string},
                                                  {"lastN", draft_count},
                                                  {"aggrMethods", draft_string},
                                                  {"aggrPeriodDuration", draft_string}};
    enum status st = draft_object(d, MEMBERS, sizeof MEMBERS / sizeof *MEMBERS, false, v, at, out);
    if (st != OK)
        return st;
    struct why w = {0};
    struct temporal_query parsed;
    if (!json_get(out, STR("timerel")) || !json_get(out, STR("timeAt")))
        return why_set(d->why, E_BAD_DATA, at, "a TemporalQuery needs timerel and timeAt");
    st = draft_read_temporal_query(out, &parsed, &w);
    return st == OK ? OK : draft_relay(d, at, st, &w);
}

/* ---- key-value pairs ---- */

static bool is_token(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!letter && (c == 0 || !strchr("!#$%&'*+-.^_`|~", c)))
            return false;
    }
    return s.n > 0;
}

static enum status pair_key(struct draft *d, const struct json *v, const struct at *at,
                            struct json *out)
{
    enum status st = draft_string(d, v, at, out);
    if (st == OK && !is_token(v->string))
        return why_set(d->why, E_BAD_DATA, at, "\"%.*s\" cannot be the name of a header",
                       STR_ARG(v->string));
    return st;
}

static enum status pair_value(struct draft *d, const struct json *v, const struct at *at,
                              struct json *out)
{
    enum status st = draft_string(d, v, at, out);
    for (size_t i = 0; st == OK && i < v->string.n; i++)
        if (((unsigned char)v->string.p[i] < 0x20 && v->string.p[i] != '\t') ||
            v->string.p[i] == 0x7f)
            return why_set(d->why, E_BAD_DATA, at, "a control character cannot be in a header");
    return st;
}

static enum status pair(struct draft *d, const struct json *v, const struct at *at,
                        struct json *out)
{
    static const struct draft_member MEMBERS[] = {{"key", pair_key}, {"value", pair_value}};
    enum status st = draft_object(d, MEMBERS, 2, false, v, at, out);
    if (st == OK && out->n != 2)
        return why_set(d->why, E_BAD_DATA, at, "a KeyValuePair needs key and value");
    return st;
}

enum status draft_pairs(struct draft *d, const struct json *v, const struct at *at,
                        struct json *out)
{
    return draft_array(d, pair, v, at, out);
}
