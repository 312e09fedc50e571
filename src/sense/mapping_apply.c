/* Why: from one record to one entity as JSON text, with every refusal naming the column. Text goes
 * straight to the output; what turns out to have no value is taken back by resetting its length.
 * Start at mapping_apply(). */
#include "sense/mapping.h"

#include "base/time.h"
#include "sense/mapping_value.h"
#include "sense/shape.h"
#include "sense/utf8.h"

struct applying {
    const struct mapping *m;
    const struct mapping_attr *a; /* the one at hand */
    const struct record *r;
    struct mapping_scratch *scratch;
    struct buf *out;
    struct why *why;
    struct str observed_at; /* the entity's, ISO 8601; absent when none */
};

static struct str column_name(const struct applying *s, uint32_t column)
{
    return s->m->fields.names[column];
}

/* The text of a template that gives a time, as UTC. */
static enum status apply_time(struct applying *s, const struct template *t, struct str *out)
{
    struct str missing;
    int64_t us;
    char text[TIME_TEXT_MAX];
    buf_clear(&s->scratch->text);
    if (!template_fill(t, s->r, false, &s->scratch->text, &missing))
        return why_set(s->why, E_BAD_DATA, NULL, "observedAt: \"%.*s\" has no value",
                       STR_ARG(missing));
    struct str given = buf_view(&s->scratch->text);
    if (!time_parse_lenient(given, s->m->zone_minutes, &us))
        return why_set(s->why, E_BAD_DATA, NULL, "observedAt: \"%.*s\" is no date and time",
                       STR_ARG(utf8_head(given, 60)));
    *out = arena_dup(s->scratch->arena, (struct str){text, time_format(us, text)});
    return OK;
}

/* ---- values; E_NOT_FOUND: there is none ---- */

static enum status apply_one(struct applying *s, const struct json *v)
{
    const struct mapping_attr *a = s->a;
    enum status st = mapping_put_value(a, v, s->m->zone_minutes, s->out, s->why);
    if (st == OK || st == E_NOT_FOUND || s->why->pointer[0])
        return st;
    struct why inner = *s->why;
    why_clear(s->why);
    if (a->from == FROM_COLUMN)
        return why_set(s->why, st, NULL, "%.*s: column \"%.*s\" %s", STR_ARG(a->name),
                       STR_ARG(column_name(s, a->column)), inner.text);
    return why_set(s->why, st, NULL, "%.*s %s", STR_ARG(a->name), inner.text);
}

static enum status apply_list(struct applying *s, struct str text)
{
    struct str part;
    bool first = true;
    buf_char(s->out, '[');
    while (str_split(&text, s->a->separator, &part)) {
        struct json v = {.kind = JSON_STRING, .string = str_trim(part)};
        if (v.string.n == 0)
            continue;
        size_t from = s->out->n;
        if (!first)
            buf_char(s->out, ',');
        enum status st = apply_one(s, &v);
        if (st == E_NOT_FOUND)
            s->out->n = from;
        else if (st != OK)
            return st;
        else
            first = false;
    }
    buf_char(s->out, ']');
    return first ? E_NOT_FOUND : OK;
}

static enum status apply_column(struct applying *s)
{
    const struct json *v = &s->r->fields[s->a->column];
    if (mapping_is_missing(s->m, v))
        return E_NOT_FOUND;
    if (s->a->separator && v->kind == JSON_STRING)
        return apply_list(s, v->string);
    return apply_one(s, v);
}

static enum status apply_template(struct applying *s)
{
    struct str missing;
    buf_clear(&s->scratch->text);
    bool as_id = s->a->from == FROM_RELATIONSHIP;
    if (!template_fill(&s->a->template, s->r, as_id, &s->scratch->text, &missing))
        return E_NOT_FOUND;
    struct json v = {.kind = JSON_STRING, .string = buf_view(&s->scratch->text)};
    return apply_one(s, &v);
}

static enum status apply_coordinate(struct applying *s, uint32_t column, double limit)
{
    const struct json *v = &s->r->fields[column];
    double degrees;
    size_t from = s->out->n;
    if (mapping_is_missing(s->m, v))
        return E_NOT_FOUND;
    if (!mapping_put_number(v, s->out, &degrees) || degrees < -limit || degrees > limit) {
        s->out->n = from;
        return why_set(s->why, E_BAD_DATA, NULL,
                       "%.*s: column \"%.*s\" is no number of degrees within ±%g",
                       STR_ARG(s->a->name), STR_ARG(column_name(s, column)), limit);
    }
    return OK;
}

static enum status apply_point(struct applying *s)
{
    buf_lit(s->out, "{\"type\":\"Point\",\"coordinates\":[");
    enum status st = apply_coordinate(s, s->a->column, 180);
    buf_char(s->out, ',');
    if (st == OK)
        st = apply_coordinate(s, s->a->latitude, 90);
    buf_lit(s->out, "]}");
    return st;
}

static enum status apply_position(struct applying *s, const struct json *position)
{
    if (!position)
        return E_NOT_FOUND;
    buf_lit(s->out, "{\"type\":\"Point\",\"coordinates\":");
    json_write(s->out, position);
    buf_char(s->out, '}');
    return OK;
}

static enum status apply_geometry(struct applying *s)
{
    const struct json *g = s->r->geometry;
    double metres;
    switch ((enum mapping_shape)(g ? s->a->shape : SHAPE_COUNT)) {
    case SHAPE_WHOLE:
        json_write(s->out, g);
        return OK;
    case SHAPE_START:
        return apply_position(s, shape_start(g));
    case SHAPE_END:
        return apply_position(s, shape_end(g));
    case SHAPE_LENGTH:
        if (!shape_length_m(g, &metres))
            return E_NOT_FOUND;
        buf_printf(s->out, "%.4f", metres / 1000); /* to 0.1 m */
        return OK;
    case SHAPE_COUNT:
        break;
    }
    return E_NOT_FOUND;
}

static enum status apply_value(struct applying *s)
{
    switch ((enum mapping_from)s->a->from) {
    case FROM_COLUMN:
        return apply_column(s);
    case FROM_TEMPLATE:
    case FROM_RELATIONSHIP:
        return apply_template(s);
    case FROM_CONSTANT:
        buf_str(s->out, s->a->constant);
        return OK;
    case FROM_POINT:
        return apply_point(s);
    case FROM_GEOMETRY:
        return apply_geometry(s);
    case FROM_COUNT:
        break;
    }
    return E_INTERNAL;
}

/* ---- attributes ---- */

static void apply_open(struct applying *s)
{
    const struct mapping_attr *a = s->a;
    bool geo =
        a->geo || a->from == FROM_POINT || (a->from == FROM_GEOMETRY && a->shape != SHAPE_LENGTH);
    buf_char(s->out, ',');
    json_write_str(s->out, a->name);
    if (a->from == FROM_RELATIONSHIP) {
        buf_lit(s->out, ":{\"type\":\"Relationship\",\"object\":");
    } else if (!str_absent(a->lang)) {
        buf_lit(s->out, ":{\"type\":\"LanguageProperty\",\"languageMap\":{");
        json_write_str(s->out, a->lang);
        buf_char(s->out, ':');
    } else if (geo) {
        buf_lit(s->out, ":{\"type\":\"GeoProperty\",\"value\":");
    } else {
        buf_lit(s->out, ":{\"type\":\"Property\",\"value\":");
    }
}

static enum status apply_close(struct applying *s)
{
    const struct mapping_attr *a = s->a;
    struct str observed_at = a->from == FROM_COLUMN ? s->observed_at : STR_NONE;
    if (!str_absent(a->lang))
        buf_char(s->out, '}');
    if (!str_absent(a->unit_code)) {
        buf_lit(s->out, ",\"unitCode\":");
        json_write_str(s->out, a->unit_code);
    }
    if (a->observed_at && a->observed_at->count == 0) {
        observed_at = STR_NONE;
    } else if (a->observed_at) {
        enum status st = apply_time(s, a->observed_at, &observed_at);
        if (st != OK)
            return st;
    }
    if (!str_absent(observed_at)) {
        buf_lit(s->out, ",\"observedAt\":");
        json_write_str(s->out, observed_at);
    }
    buf_char(s->out, '}');
    return OK;
}

static enum status apply_attr(struct applying *s)
{
    size_t from = s->out->n;
    apply_open(s);
    enum status st = apply_value(s);
    if (st == OK)
        return apply_close(s);
    s->out->n = from;
    if (st != E_NOT_FOUND)
        return st;
    if (!s->a->required)
        return OK;
    return why_set(s->why, E_BAD_DATA, NULL, "%.*s: no value, and the mapping requires one",
                   STR_ARG(s->a->name));
}

static bool apply_wanted(const struct applying *s, const struct mapping_entity *e)
{
    for (uint32_t i = 0; i < e->only_if_count; i++)
        if (!mapping_is_missing(s->m, &s->r->fields[e->only_if[i]]))
            return true;
    return e->only_if_count == 0;
}

/* id, type, scope, @context; and the entity's observedAt for the attributes to come. */
static enum status apply_head(struct applying *s, const struct mapping_entity *e, struct str *id)
{
    struct str missing;
    struct buf *text = &s->scratch->text;
    buf_clear(text);
    if (!template_fill(&e->id, s->r, true, text, &missing))
        return why_set(s->why, E_BAD_DATA, NULL, "id: \"%.*s\" has no value", STR_ARG(missing));
    *id = arena_dup(s->scratch->arena, buf_view(text));
    buf_lit(s->out, "{\"id\":");
    json_write_str(s->out, *id);
    buf_lit(s->out, ",\"type\":");
    buf_str(s->out, e->type);
    buf_clear(text);
    if (e->scope && template_fill(e->scope, s->r, false, text, &missing)) {
        buf_lit(s->out, ",\"scope\":");
        json_write_str(s->out, buf_view(text));
    }
    return e->observed_at ? apply_time(s, e->observed_at, &s->observed_at) : OK;
}

enum status mapping_apply(const struct mapping *m, const struct mapping_entity *e,
                          const struct record *r, struct mapping_scratch *scratch, struct buf *out,
                          struct str *id, struct why *why)
{
    struct applying s = {.m = m, .r = r, .scratch = scratch, .out = out, .why = why};
    size_t from = out->n;
    if (!apply_wanted(&s, e))
        return E_NOT_FOUND;
    enum status st = apply_head(&s, e, id);
    for (uint32_t i = 0; st == OK && i < e->attr_count; i++) {
        s.a = &e->attrs[i];
        st = apply_attr(&s);
    }
    if (st == OK && !str_absent(m->context)) {
        buf_lit(out, ",\"@context\":");
        buf_str(out, m->context);
    }
    buf_char(out, '}');
    if (st == OK && (out->full || scratch->text.full))
        st = why_limit(why, E_TOO_LARGE, NULL, "import.entity_bytes",
                       "the entity is longer than %zu bytes", out->max);
    if (st != OK)
        out->n = from;
    return st;
}
