/* Parameters are matched against the sorted table made from api/parameters.tsv. */
#include "front/ngsild/params.h"

#include <inttypes.h>

enum { PAGE_BYTES_MAX = 1 << 20 };

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool params_decode(struct arena *a, struct str s, bool plus, struct str *out)
{
    if (str_find_char(s, '%') == STR_NPOS && (!plus || str_find_char(s, '+') == STR_NPOS)) {
        *out = s;
        return true;
    }
    char *p = arena_alloc(a, s.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c == '%') {
            int high = s.n - i > 2 ? hex(s.p[i + 1]) : -1;
            int low = s.n - i > 2 ? hex(s.p[i + 2]) : -1;
            if (high < 0 || low < 0 || (high | low) == 0)
                return false;
            c = (char)(high << 4 | low);
            i += 2;
        } else if (plus && c == '+') {
            c = ' ';
        }
        p[n++] = c;
    }
    *out = (struct str){p, n};
    return true;
}

static bool unreserved(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("-._~:@!$'()*,;", c) != NULL);
}

struct str params_encode(struct arena *a, struct str s)
{
    static const char DIGITS[] = "0123456789ABCDEF";
    char *p = arena_alloc(a, s.n * 3 + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (unreserved((char)c)) {
            p[n++] = (char)c;
        } else {
            p[n++] = '%';
            p[n++] = DIGITS[c >> 4];
            p[n++] = DIGITS[c & 15];
        }
    }
    return (struct str){p, n};
}

/* Index in a sorted table of names, or count. */
static uint32_t name_find(const char *const *names, uint32_t count, struct str name)
{
    uint32_t low = 0, high = count;
    while (low < high) {
        uint32_t mid = (low + high) / 2;
        int c = str_cmp(str_of(names[mid]), name);
        if (c == 0)
            return mid;
        if (c < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return count;
}

static enum status options_read(struct exchange *x)
{
    struct str rest = x->params[PARAM_OPTIONS], part;
    while (str_split(&rest, ',', &part)) {
        part = str_trim(part);
        uint32_t k = name_find(KEYWORD_NAMES, KEYWORDS, part);
        if (k == KEYWORDS || !(x->endpoint->keywords & KEYWORD_BIT(k)))
            return why_set(&x->why, E_INVALID_REQUEST, NULL, "options=%.*s is not supported by this operation",
                           STR_ARG(part));
        x->keywords |= KEYWORD_BIT(k);
    }
    return OK;
}

static enum status param_read(struct exchange *x, struct str raw)
{
    size_t eq = str_find_char(raw, '=');
    struct str name, value = STR(""), encoded = eq == STR_NPOS ? STR("") : str_from(raw, eq + 1);
    if (!params_decode(x->arena, str_head(raw, eq == STR_NPOS ? raw.n : eq), true, &name) ||
        !params_decode(x->arena, encoded, true, &value))
        return why_set(&x->why, E_INVALID_REQUEST, NULL, "broken percent-encoding in parameter \"%.*s\"",
                       STR_ARG(raw));
    uint32_t p = name_find(PARAM_NAMES, PARAMS, name);
    if (p == PARAMS || !(x->endpoint->params & PARAM_BIT(p)))
        return why_set(&x->why, E_INVALID_REQUEST, NULL, "parameter \"%.*s\" is not supported by this operation",
                       STR_ARG(name));
    if (exchange_has(x, p))
        return why_set(&x->why, E_INVALID_REQUEST, NULL, "parameter \"%.*s\" is given twice", STR_ARG(name));
    if (value.n)
        x->params[p] = value;
    return OK;
}

/* Also where the operation does not look at it: local is always true here. */
static enum status booleans_check(struct exchange *x)
{
    static const uint32_t BOOLEANS[] = {PARAM_COUNT, PARAM_DELETE_ALL, PARAM_DETAILS, PARAM_ENTITY_MAP, PARAM_LOCAL, PARAM_RELOAD, PARAM_SPLIT_ENTITIES};
    bool ignored;
    enum status st = OK;
    for (size_t i = 0; st == OK && i < sizeof BOOLEANS / sizeof *BOOLEANS; i++)
        st = params_bool(x, BOOLEANS[i], &ignored);
    return st;
}

enum status params_read(struct exchange *x)
{
    struct str rest = x->http->query, part;
    while (rest.n && str_split(&rest, '&', &part)) {
        enum status st = part.n ? param_read(x, part) : OK;
        if (st != OK)
            return st;
    }
    enum status st = exchange_has(x, PARAM_OPTIONS) ? options_read(x) : OK;
    return st == OK ? booleans_check(x) : st;
}

enum status params_bool(struct exchange *x, uint32_t param, bool *out)
{
    *out = false;
    if (!exchange_has(x, param))
        return OK;
    *out = str_eq(x->params[param], STR("true"));
    if (*out || str_eq(x->params[param], STR("false")))
        return OK;
    return why_set(&x->why, E_BAD_DATA, NULL, "%s must be true or false", PARAM_NAMES[param]);
}

enum status params_u64(struct exchange *x, uint32_t param, uint64_t max, const char *limit, uint64_t *out)
{
    unsigned long long v;
    if (!exchange_has(x, param))
        return OK;
    if (!str_to_u64(x->params[param], UINT64_MAX, &v))
        return why_set(&x->why, E_BAD_DATA, NULL, "%s must be a whole number from 0 on", PARAM_NAMES[param]);
    if (v > max)
        return why_limit(&x->why, E_LIMIT, NULL, limit, "%s must be at most %" PRIu64, PARAM_NAMES[param], max);
    *out = v;
    return OK;
}

enum status params_list(struct exchange *x, uint32_t param, uint32_t max, struct str **out, uint32_t *count)
{
    *count = 0;
    *out = NULL;
    if (!exchange_has(x, param))
        return OK;
    struct str rest = x->params[param], part;
    uint32_t n = 1;
    for (size_t i = 0; i < rest.n; i++)
        n += rest.p[i] == ',';
    if (n > max)
        return why_limit(&x->why, E_LIMIT, NULL, "limits.ids", "%s has more than %u parts", PARAM_NAMES[param], max);
    *out = arena_array(x->arena, struct str, n);
    while (str_split(&rest, ',', &part)) {
        part = str_trim(part);
        if (!part.n)
            return why_set(&x->why, E_BAD_DATA, NULL, "%s has an empty part", PARAM_NAMES[param]);
        (*out)[(*count)++] = part;
    }
    return OK;
}

/* "?name=" or "&name=". */
static void page_name(struct buf *b, uint32_t param)
{
    buf_char(b, b->n ? '&' : '?');
    buf_str(b, str_of(PARAM_NAMES[param]));
    buf_char(b, '=');
}

struct str params_page(struct exchange *x, uint64_t limit, uint64_t offset)
{
    struct buf b;
    buf_init(&b, PAGE_BYTES_MAX);
    for (uint32_t p = 0; p < PARAMS; p++) {
        if (p == PARAM_LIMIT || p == PARAM_OFFSET) {
            page_name(&b, p);
            buf_u64(&b, p == PARAM_LIMIT ? limit : offset);
        } else if (exchange_has(x, p)) {
            page_name(&b, p);
            buf_str(&b, params_encode(x->arena, x->params[p]));
        }
    }
    struct str text = arena_dup(x->arena, buf_view(&b));
    buf_free(&b);
    return text;
}
