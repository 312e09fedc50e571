/* Rules of retention as lines of words; see retention.h. */
#include "model/retention.h"

#include "base/arena.h"
#include "base/units.h"

#include <stdlib.h>
#include <string.h>

#define DEFAULT_CONTEXT "https://uri.etsi.org/ngsi-ld/default-context/"
#define SECOND_US INT64_C(1000000)
#define DAY_US (86400 * SECOND_US)

static const struct {
    const char *name;
    int64_t us;
} LEVELS[RETENTION_LEVEL_COUNT] = {{"minutes", 60 * SECOND_US}, {"hours", 3600 * SECOND_US}, {"days", DAY_US}};

static const struct retention_spans EVERYTHING = {.keep_us = RETENTION_FOREVER};

struct rule {
    char *tenant, *type; /* NULL: any */
    size_t tenant_n, type_n;
    struct retention_spans spans;
};

struct retention {
    size_t count;
    struct rule rules[];
};

int64_t retention_level_us(enum retention_level level)
{
    return LEVELS[level].us;
}

const char *retention_level_name(enum retention_level level)
{
    return LEVELS[level].name;
}

/* ---- reading ---- */

/* A rule as it is read. */
struct line {
    size_t number;
    struct str tenant, type; /* absent: any */
    struct retention_spans spans;
    struct why *why;
};

#define REFUSE(line, format, ...)                                                                                      \
    why_set((line)->why, E_BAD_DATA, NULL, "history.policies, line %zu: " format, (line)->number, __VA_ARGS__)

static bool read_span(struct str text, int64_t *us)
{
    unsigned long long n;
    int64_t unit = text.n == 0 ? 0 : text.p[text.n - 1] == 'y' ? 365 * DAY_US : text.p[text.n - 1] == 'w' ? 7 * DAY_US : 0;
    if (str_eq(text, STR("forever"))) {
        *us = RETENTION_FOREVER;
        return true;
    }
    if (!unit)
        return units_parse_duration(text, us) && *us >= SECOND_US;
    return str_to_u64(str_head(text, text.n - 1), INT64_MAX, &n) && n > 0 &&
           !__builtin_mul_overflow((int64_t)n, unit, us);
}

static enum status read_named_span(struct line *l, struct str name, struct str text, int64_t *out)
{
    if (*out)
        return REFUSE(l, "%.*s is given twice", STR_ARG(name));
    if (!read_span(text, out))
        return REFUSE(l, "%.*s=%.*s is not a span such as 90d, 1y (also s, min, h, w; at least 1s) or forever",
                      STR_ARG(name), STR_ARG(text));
    return OK;
}

static enum status read_name(struct line *l, struct str name, struct str text, bool may_be_empty, struct str *out)
{
    if (!str_absent(*out))
        return REFUSE(l, "%.*s is given twice", STR_ARG(name));
    if (!text.n && !may_be_empty)
        return REFUSE(l, "%.*s= needs a name, or * for every one", STR_ARG(name));
    *out = text;
    return OK;
}

static enum status read_word(struct line *l, struct str word)
{
    size_t at = str_find_char(word, '=');
    if (at == STR_NPOS)
        return REFUSE(l, "\"%.*s\" is not name=value", STR_ARG(word));
    struct str name = str_head(word, at), text = str_from(word, at + 1);
    if (str_eq(name, STR("tenant")))
        return read_name(l, name, text, true, &l->tenant);
    if (str_eq(name, STR("type")))
        return read_name(l, name, text, false, &l->type);
    if (str_eq(name, STR("keep")))
        return read_named_span(l, name, text, &l->spans.keep_us);
    for (int k = 0; k < RETENTION_LEVEL_COUNT; k++)
        if (str_eq(name, str_of(LEVELS[k].name)))
            return read_named_span(l, name, text, &l->spans.level_us[k]);
    return REFUSE(l, "\"%.*s\" is none of tenant, type, keep, minutes, hours, days", STR_ARG(name));
}

/* Does each span reach farther than the one before? */
static enum status check_spans(struct line *l)
{
    const char *before = "keep";
    int64_t reach = l->spans.keep_us;
    if (!reach)
        return REFUSE(l, "%s is missing: how long instances are kept", "keep");
    for (int k = 0; k < RETENTION_LEVEL_COUNT; k++) {
        int64_t us = l->spans.level_us[k];
        if (us && us <= reach)
            return REFUSE(l, "%s must reach farther back than %s", LEVELS[k].name, before);
        if (us) {
            before = LEVELS[k].name;
            reach = us;
        }
    }
    return OK;
}

static enum status read_line(struct line *l, struct str text)
{
    enum status st = OK;
    while (st == OK && (text = str_trim(text)).n) {
        size_t n = 0;
        while (n < text.n && text.p[n] != ' ' && text.p[n] != '\t')
            n++;
        st = read_word(l, str_head(text, n));
        text = str_from(text, n);
    }
    if (st == OK)
        st = check_spans(l);
    if (str_eq(l->tenant, STR("*")))
        l->tenant = STR_NONE;
    if (str_eq(l->type, STR("*")))
        l->type = STR_NONE;
    return st;
}

static void keep_rule(struct rule *r, const struct line *l)
{
    bool iri = str_find_char(l->type, ':') != STR_NPOS;
    struct str prefix = iri ? STR("") : STR(DEFAULT_CONTEXT);
    r->spans = l->spans;
    if (!str_absent(l->tenant)) {
        r->tenant = mem_alloc(l->tenant.n + 1);
        memcpy(r->tenant, l->tenant.n ? l->tenant.p : "", l->tenant.n);
        r->tenant_n = l->tenant.n;
    }
    if (!str_absent(l->type)) {
        r->type_n = prefix.n + l->type.n;
        r->type = mem_alloc(r->type_n);
        memcpy(r->type, prefix.p, prefix.n);
        memcpy(r->type + prefix.n, l->type.p, l->type.n);
    }
}

static struct str tenant_of(const struct rule *r)
{
    return r->tenant ? (struct str){r->tenant, r->tenant_n} : STR_NONE;
}

static struct str type_of(const struct rule *r)
{
    return r->type ? (struct str){r->type, r->type_n} : STR_NONE;
}

static bool same(struct str a, struct str b)
{
    return str_absent(a) ? str_absent(b) : !str_absent(b) && str_eq(a, b);
}

static enum status check_alone(const struct retention *r, const struct line *l)
{
    const struct rule *last = &r->rules[r->count - 1];
    for (size_t i = 0; i + 1 < r->count; i++)
        if (same(tenant_of(&r->rules[i]), tenant_of(last)) && same(type_of(&r->rules[i]), type_of(last)))
            return REFUSE(l, "tenant and type are those of line %zu", i + 1);
    return OK;
}

struct retention *retention_new(const struct str *lines, size_t n, struct why *why)
{
    if (n > RETENTION_RULES_MAX) {
        (void)why_set(why, E_BAD_DATA, NULL, "history.policies has %zu lines; there may be %d", n, RETENTION_RULES_MAX);
        return NULL;
    }
    struct retention *r = mem_zalloc(sizeof *r + n * sizeof r->rules[0]);
    enum status st = OK;
    for (size_t i = 0; i < n && st == OK; i++) {
        struct line l = {.number = i + 1, .tenant = STR_NONE, .type = STR_NONE, .why = why};
        st = read_line(&l, lines[i]);
        if (st != OK)
            break;
        keep_rule(&r->rules[r->count++], &l);
        st = check_alone(r, &l);
    }
    if (st == OK)
        return r;
    retention_free(r);
    return NULL;
}

void retention_free(struct retention *r)
{
    for (size_t i = 0; r && i < r->count; i++) {
        free(r->rules[i].tenant);
        free(r->rules[i].type);
    }
    free(r);
}

/* ---- asking ---- */

bool retention_ends(const struct retention *r)
{
    for (size_t i = 0; r && i < r->count; i++)
        if (r->rules[i].spans.keep_us != RETENTION_FOREVER)
            return true;
    return false;
}

const struct retention_spans *retention_find(const struct retention *r, struct str tenant, struct str type)
{
    const struct retention_spans *found = &EVERYTHING;
    int best = -1;
    for (size_t i = 0; r && i < r->count; i++) {
        const struct rule *rule = &r->rules[i];
        int rank = (rule->tenant ? 2 : 0) + (rule->type ? 1 : 0);
        if (rank > best && (!rule->tenant || str_eq(tenant_of(rule), tenant)) &&
            (!rule->type || (!str_absent(type) && str_eq(type_of(rule), type)))) {
            best = rank;
            found = &rule->spans;
        }
    }
    return found;
}

void retention_widen(struct retention_spans *spans, const struct retention_spans *more)
{
    if (more->keep_us > spans->keep_us)
        spans->keep_us = more->keep_us;
    for (int k = 0; k < RETENTION_LEVEL_COUNT; k++)
        if (more->level_us[k] > spans->level_us[k])
            spans->level_us[k] = more->level_us[k];
}
