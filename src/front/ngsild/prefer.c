/* preference = token [ "=" word ] *( ";" parameter ), in a list by commas; a word may be quoted, and commas in
 * quotes do not separate. */
#include "front/ngsild/prefer.h"

#include "model/conform.h"

static const char *const VERSIONS[] = {"1.0", "1.1", "1.2", "1.3", "1.4", "1.5", "1.6", "1.7", "1.8", "1.9"};

/* Cuts the part before the first sep outside quotes off *rest; false at the end. */
static bool split(struct str *rest, char sep, struct str *part)
{
    bool quoted = false;
    size_t n = 0;
    if (!rest->n)
        return false;
    for (; n < rest->n && (quoted || rest->p[n] != sep); n++)
        quoted ^= rest->p[n] == '"';
    *part = str_head(*rest, n);
    *rest = str_from(*rest, n + 1);
    return true;
}

static struct str unquoted(struct str s)
{
    if (s.n >= 2 && s.p[0] == '"' && s.p[s.n - 1] == '"')
        return str_head(str_from(s, 1), s.n - 2);
    return s;
}

static void take(struct str name, struct str value, struct prefer *out, bool *body)
{
    unsigned minor;
    if (str_eq_fold(name, STR("ngsi-ld")) && !out->versioned && conform_version(value, &minor)) {
        out->versioned = true;
        out->minor = minor;
        out->version = str_of(VERSIONS[minor]);
    } else if (str_eq_fold(name, STR("body")) && !*body) {
        *body = true;
        out->json_body = str_eq_fold(value, STR("json"));
    }
}

static void read_value(struct str value, struct prefer *out, bool *body)
{
    struct str preference, first;
    while (split(&value, ',', &preference)) {
        if (!split(&preference, ';', &first))
            continue;
        size_t eq = str_find_char(first, '=');
        if (eq != STR_NPOS)
            take(str_trim(str_head(first, eq)), unquoted(str_trim(str_from(first, eq + 1))), out, body);
    }
}

void prefer_read_value(struct str value, struct prefer *out)
{
    bool body = false;
    *out = (struct prefer){0};
    read_value(value, out, &body);
}

void prefer_read(const struct http_request *r, struct prefer *out)
{
    bool body = false;
    *out = (struct prefer){0};
    if (str_absent(http_request_header(r, "Prefer")))
        return;
    for (size_t i = 0, n = http_request_header_count(r, "Prefer"); i < n; i++)
        read_value(http_request_header_at(r, "Prefer", i), out, &body);
}
