/* Borrowed byte ranges: the only string type that crosses a module boundary.
 *
 * A struct str never owns its bytes and need not end in NUL. Whoever hands one
 * out says in its header how long the bytes live. An empty string has n == 0;
 * an absent one has p == NULL as well (str_absent()). The inline functions here
 * and in buf.h are plain enough for the C++ shims to include. */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct str {
    const char *p;
    size_t n;
};

#define STR(literal) ((struct str){(literal), sizeof(literal) - 1})
#define STR_NONE ((struct str){NULL, 0})
/* For "%.*s". */
#define STR_ARG(s) (int)(s).n, (s).p

static inline struct str str_of(const char *z)
{
    struct str s = {z, z ? strlen(z) : 0};
    return s;
}

static inline bool str_absent(struct str s)
{
    return s.p == NULL;
}

static inline bool str_eq(struct str a, struct str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* Byte order; a prefix sorts first. */
static inline int str_cmp(struct str a, struct str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int c = n ? memcmp(a.p, b.p, n) : 0;
    return c ? c : (a.n > b.n) - (a.n < b.n);
}

static inline bool str_starts(struct str s, struct str prefix)
{
    return s.n >= prefix.n && (prefix.n == 0 || memcmp(s.p, prefix.p, prefix.n) == 0);
}

static inline bool str_ends(struct str s, struct str suffix)
{
    return s.n >= suffix.n &&
           (suffix.n == 0 || memcmp(s.p + s.n - suffix.n, suffix.p, suffix.n) == 0);
}

/* From offset `from` to the end; empty when `from` lies behind the end. */
static inline struct str str_from(struct str s, size_t from)
{
    size_t skip = from < s.n ? from : s.n;
    struct str rest = {skip ? s.p + skip : s.p, s.n - skip}; /* an absent one has no address to add to */
    return rest;
}

static inline struct str str_head(struct str s, size_t n)
{
    struct str head = {s.p, n < s.n ? n : s.n};
    return head;
}

#define STR_NPOS ((size_t)-1)

/* Offset of the first byte c, or STR_NPOS. */
static inline size_t str_find_char(struct str s, char c)
{
    const char *hit = s.n ? (const char *)memchr(s.p, c, s.n) : NULL;
    return hit ? (size_t)(hit - s.p) : STR_NPOS;
}

/* Offset of the first occurrence of part, or STR_NPOS. */
size_t str_find(struct str s, struct str part);
/* ASCII case is folded. */
bool str_eq_fold(struct str a, struct str b);
/* Without ASCII white space at both ends. */
struct str str_trim(struct str s);
/* Cuts the part before the first sep off *rest and returns it; false at the end. */
bool str_split(struct str *rest, char sep, struct str *part);
/* Decimal, no sign, no spaces; false when anything else or above max. */
bool str_to_u64(struct str s, unsigned long long max, unsigned long long *out);

#endif
