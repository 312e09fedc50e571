/* Lifetime of an answer in a shared cache: s-maxage before max-age before Expires minus Date; what
 * caches on the way used up (Age) is taken off. A second field of a kind does not count. */
#include "net/http_freshness.h"

#include <curl/curl.h>
#include <stdio.h>

enum { SECONDS_MAX = INT32_MAX }; /* RFC 9111 section 1.2.2 */

void http_freshness_init(struct http_freshness *f)
{
    *f = (struct http_freshness){
        .shared_s = -1, .max_age_s = -1, .expires = -1, .date = -1, .age_s = -1};
}

/* Too large is the largest; what is no number is stale at once (RFC 9111 section 4.2.1). */
static int64_t seconds(struct str s)
{
    unsigned long long n;
    s = str_trim(s);
    if (s.n >= 2 && s.p[0] == '"' && s.p[s.n - 1] == '"')
        s = (struct str){s.p + 1, s.n - 2};
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9')
            return 0;
    return str_to_u64(s, SECONDS_MAX, &n) ? (int64_t)n : s.n ? SECONDS_MAX : 0;
}

static int64_t moment(struct str s)
{
    char z[64];
    if (s.n >= sizeof z)
        return 0;
    snprintf(z, sizeof z, "%.*s", STR_ARG(s));
    int64_t t = (int64_t)curl_getdate(z, NULL);
    return t < 0 ? 0 : t; /* "Expires: 0" and other nonsense: long past */
}

static void once(int64_t *kept, int64_t value)
{
    if (*kept < 0)
        *kept = value;
}

static void directive(struct http_freshness *f, struct str d)
{
    size_t equals = str_find_char(d, '=');
    struct str name = str_trim(str_head(d, equals));
    struct str value = equals == STR_NPOS ? STR("") : str_from(d, equals + 1);
    if (str_eq_fold(name, STR("max-age")))
        once(&f->max_age_s, seconds(value));
    else if (str_eq_fold(name, STR("s-maxage")))
        once(&f->shared_s, seconds(value));
    else if (str_eq_fold(name, STR("no-store")) ||
             (str_eq_fold(name, STR("no-cache")) && value.n == 0))
        f->forbidden = true;
}

void http_freshness_header(struct http_freshness *f, struct str line)
{
    size_t colon = str_find_char(line, ':');
    if (colon == STR_NPOS)
        return;
    struct str name = str_head(line, colon), value = str_trim(str_from(line, colon + 1)), part;
    if (str_eq_fold(name, STR("Cache-Control"))) {
        while (str_split(&value, ',', &part))
            directive(f, str_trim(part));
    } else if (str_eq_fold(name, STR("Expires"))) {
        once(&f->expires, moment(value));
    } else if (str_eq_fold(name, STR("Date"))) {
        once(&f->date, moment(value));
    } else if (str_eq_fold(name, STR("Age"))) {
        once(&f->age_s, seconds(value));
    }
}

int64_t http_freshness_seconds(const struct http_freshness *f, int64_t received)
{
    int64_t life = f->shared_s >= 0 ? f->shared_s : f->max_age_s;
    if (f->forbidden)
        return 0;
    if (life < 0 && f->expires < 0)
        return -1;
    if (life < 0)
        life = f->expires - (f->date < 0 ? received : f->date);
    if (f->age_s > 0)
        life -= f->age_s;
    return life < 0 ? 0 : life;
}
