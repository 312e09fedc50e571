/* What may be a URI (RFC 3986 with the wider characters of RFC 3987), a name
 * (clause 4.6.2), a scope (4.18) and a language tag (RFC 5646). Text comes from
 * JSON or was checked before, so it is well-formed UTF-8; ASCII goes by a table. */
#include "model/reader.h"

#include <stdint.h>
#include <unicode/uchar.h>

enum {
    C_ALPHA = 1,
    C_DIGIT = 2,
    C_URI = 4, /* unreserved or sub-delims or one of ":@/?" */
    C_HEX = 8,
};

#define A (C_ALPHA | C_URI)
#define X (C_ALPHA | C_URI | C_HEX)
#define D (C_DIGIT | C_URI | C_HEX)
#define U C_URI
static const uint8_t CLASS[256] = {
    ['!'] = U, ['$'] = U, ['&'] = U, ['\''] = U, ['('] = U, [')'] = U, ['*'] = U, ['+'] = U,
    [','] = U, ['-'] = U, ['.'] = U, ['/'] = U,  ['0'] = D, ['1'] = D, ['2'] = D, ['3'] = D,
    ['4'] = D, ['5'] = D, ['6'] = D, ['7'] = D,  ['8'] = D, ['9'] = D, [':'] = U, [';'] = U,
    ['='] = U, ['?'] = U, ['@'] = U, ['A'] = X,  ['B'] = X, ['C'] = X, ['D'] = X, ['E'] = X,
    ['F'] = X, ['G'] = A, ['H'] = A, ['I'] = A,  ['J'] = A, ['K'] = A, ['L'] = A, ['M'] = A,
    ['N'] = A, ['O'] = A, ['P'] = A, ['Q'] = A,  ['R'] = A, ['S'] = A, ['T'] = A, ['U'] = A,
    ['V'] = A, ['W'] = A, ['X'] = A, ['Y'] = A,  ['Z'] = A, ['_'] = U, ['a'] = X, ['b'] = X,
    ['c'] = X, ['d'] = X, ['e'] = X, ['f'] = X,  ['g'] = A, ['h'] = A, ['i'] = A, ['j'] = A,
    ['k'] = A, ['l'] = A, ['m'] = A, ['n'] = A,  ['o'] = A, ['p'] = A, ['q'] = A, ['r'] = A,
    ['s'] = A, ['t'] = A, ['u'] = A, ['v'] = A,  ['w'] = A, ['x'] = A, ['y'] = A, ['z'] = A,
    ['~'] = U,
};
#undef A
#undef X
#undef D
#undef U

static unsigned class_of(char c)
{
    return CLASS[(unsigned char)c];
}

/* Code point at offset *i of well-formed UTF-8, which moves behind it; U+FFFD when cut short. */
static uint32_t code_point(struct str s, size_t *i)
{
    unsigned char first = (unsigned char)s.p[(*i)++];
    if (first < 0x80)
        return first;
    unsigned more = first >= 0xF0 ? 3 : first >= 0xE0 ? 2 : 1;
    uint32_t c = first & (0x3Fu >> more);
    for (; more; more--) {
        if (*i >= s.n)
            return 0xFFFD;
        c = c << 6 | ((unsigned char)s.p[(*i)++] & 0x3F);
    }
    return c;
}

/* ---- URI ---- */

/* ucschar of RFC 3987 section 2.2; the private ones too, which only a query may have. */
static bool is_ucs(uint32_t c, bool in_query)
{
    if (c >= 0xE000 && c <= 0xF8FF)
        return in_query;
    if (c >= 0xF0000)
        return in_query && (c & 0xFFFE) != 0xFFFE;
    if (c < 0x10000)
        return (c >= 0xA0 && c <= 0xD7FF) || (c >= 0xF900 && c <= 0xFDCF) ||
               (c >= 0xFDF0 && c <= 0xFFEF);
    return (c & 0xFFFE) != 0xFFFE && !(c >= 0xE0000 && c < 0xE1000);
}

/* Spaces, controls of direction, joiners, fillers: a URI with one looks like another without it, so
 * nobody could tell them apart (RFC 3987 sections 4.1 and 8; U+2800 is a blank by its looks alone).
 */
static bool is_invisible(uint32_t c)
{
    return c == 0x2800 || u_hasBinaryProperty((UChar32)c, UCHAR_DEFAULT_IGNORABLE_CODE_POINT) ||
           u_hasBinaryProperty((UChar32)c, UCHAR_WHITE_SPACE) ||
           u_charType((UChar32)c) == U_FORMAT_CHAR;
}

static bool is_percent_encoded(struct str s, size_t i)
{
    return s.n - i >= 3 && (class_of(s.p[i + 1]) & C_HEX) && (class_of(s.p[i + 2]) & C_HEX);
}

/* Offset behind the authority's "//…" at i; brackets stand there alone (an IPv6 address). */
static size_t authority_end(struct str s, size_t i)
{
    if (s.n - i < 2 || s.p[i] != '/' || s.p[i + 1] != '/')
        return i;
    i += 2;
    while (i < s.n && s.p[i] != '/' && s.p[i] != '?' && s.p[i] != '#')
        i++;
    return i;
}

bool reader_is_uri(struct str s)
{
    size_t i = 0;
    if (s.n == 0 || !(class_of(s.p[0]) & C_ALPHA))
        return false;
    while (i < s.n && ((class_of(s.p[i]) & (C_ALPHA | C_DIGIT)) || s.p[i] == '+' || s.p[i] == '-' ||
                       s.p[i] == '.'))
        i++;
    if (i == s.n || s.p[i] != ':')
        return false;
    size_t brackets_end = authority_end(s, ++i);
    bool in_query = false, in_fragment = false;
    for (;;) {
        size_t from = i;
        while (i < s.n && (class_of(s.p[i]) & C_URI))
            i++;
        if (i == s.n)
            return true;
        char c = s.p[i];
        in_query |= !in_fragment && memchr(s.p + from, '?', i - from);
        if (c == '%' && is_percent_encoded(s, i)) {
            i += 3;
        } else if (c == '#' && !in_fragment) {
            in_fragment = true;
            in_query = false;
            i++;
        } else if ((c == '[' || c == ']') && i < brackets_end) {
            i++;
        } else {
            uint32_t wide = (unsigned char)c < 0x80 ? 0 : code_point(s, &i);
            if (!is_ucs(wide, in_query) || is_invisible(wide))
                return false;
        }
    }
}

/* ---- names ---- */

static bool is_letter(uint32_t c)
{
    return u_isalpha((UChar32)c); /* general category L */
}

static bool is_name_char(uint32_t c)
{
    return c == '_' || (U_GET_GC_MASK((UChar32)c) & (U_GC_L_MASK | U_GC_N_MASK)) != 0;
}

/* Length of the unicodeLetter *nameChar at offset `from`; 0 when there is none. */
static size_t name_length(struct str s, size_t from)
{
    size_t i = from;
    while (i < s.n) {
        unsigned cls = class_of(s.p[i]);
        if ((cls & C_ALPHA) || (i > from && ((cls & C_DIGIT) || s.p[i] == '_'))) {
            i++;
            continue;
        }
        if ((unsigned char)s.p[i] < 0x80)
            break;
        size_t next = i;
        uint32_t c = code_point(s, &next);
        if (i == from ? !is_letter(c) : !is_name_char(c))
            break;
        i = next;
    }
    return i - from;
}

bool reader_is_name(struct str s)
{
    size_t n = name_length(s, 0);
    if (n == s.n)
        return n > 0;
    if (n && s.p[n] == ':' && s.n > n + 1 && name_length(s, n + 1) == s.n - n - 1)
        return true;
    return reader_is_uri(s);
}

bool reader_is_scope(struct str s)
{
    size_t i = s.n && s.p[0] == '/' ? 1 : 0;
    for (;;) {
        size_t n = name_length(s, i);
        if (n == 0)
            return false;
        i += n;
        if (i == s.n)
            return true;
        if (s.p[i++] != '/')
            return false;
    }
}

/* ---- language tags ---- */

enum { ALPHAS = 1, DIGITS = 2 };

/* Which characters a subtag is made of; 0 when it is empty, too long or has others. */
static unsigned subtag_class(struct str t)
{
    unsigned cls = 0;
    if (t.n == 0 || t.n > 8)
        return 0;
    for (size_t i = 0; i < t.n; i++) {
        unsigned c = class_of(t.p[i]);
        if (!(c & (C_ALPHA | C_DIGIT)))
            return 0;
        cls |= c & C_ALPHA ? ALPHAS : DIGITS;
    }
    return cls;
}

/* Those of section 2.2.8 that the grammar below does not cover; deprecated, but well-formed. */
static bool is_irregular(struct str s)
{
    static const char *const TAGS[] = {
        "en-GB-oed", "i-ami", "i-bnn",     "i-default", "i-enochian", "i-hak",
        "i-klingon", "i-lux", "i-mingo",   "i-navajo",  "i-pwn",      "i-tao",
        "i-tay",     "i-tsu", "sgn-BE-FR", "sgn-BE-NL", "sgn-CH-DE",
    };
    for (size_t i = 0; i < sizeof TAGS / sizeof *TAGS; i++)
        if (str_eq_fold(s, str_of(TAGS[i])))
            return true;
    return false;
}

/* The parts of a langtag, in the order in which they may come. */
enum tag_part {
    PART_LANGUAGE,
    PART_EXTLANG,
    PART_SCRIPT,
    PART_REGION,
    PART_VARIANT,
    PART_EXTENSION,
    PART_PRIVATE
};

/* The part that subtag t opens or continues behind `part`; -1: none. *open: a singleton that
 * wants a subtag behind it. */
static int next_part(int part, struct str t, unsigned cls, bool *open)
{
    if (part == PART_PRIVATE) {
        *open = false;
        return part;
    }
    if (t.n == 1) {
        if (*open)
            return -1;
        *open = true;
        return t.p[0] == 'x' || t.p[0] == 'X' ? PART_PRIVATE : PART_EXTENSION;
    }
    if (part == PART_EXTENSION) {
        *open = false;
        return part;
    }
    if (t.n == 3 && cls == ALPHAS && part <= PART_EXTLANG)
        return PART_EXTLANG;
    if (t.n == 4 && cls == ALPHAS && part < PART_SCRIPT)
        return PART_SCRIPT;
    if (((t.n == 2 && cls == ALPHAS) || (t.n == 3 && cls == DIGITS)) && part < PART_REGION)
        return PART_REGION;
    if (t.n >= 5 || (t.n == 4 && (class_of(t.p[0]) & C_DIGIT)))
        return PART_VARIANT;
    return -1;
}

bool reader_is_language(struct str s)
{
    if (str_eq(s, STR("@none")) || is_irregular(s))
        return true;
    struct str rest = s, t;
    if (s.n == 0 || !str_split(&rest, '-', &t))
        return false;
    bool open = false;
    int part = PART_LANGUAGE;
    unsigned cls = subtag_class(t);
    if (t.n == 1 && (t.p[0] == 'x' || t.p[0] == 'X')) {
        part = PART_PRIVATE;
        open = true;
    } else if (t.n < 2 || cls != ALPHAS) {
        return false;
    }
    while (str_split(&rest, '-', &t)) {
        cls = subtag_class(t);
        part = cls ? next_part(part, t, cls, &open) : -1;
        if (part < 0)
            return false;
    }
    return !open;
}

bool reader_is_language_ranges(struct str s)
{
    struct str part, rest = s;
    while (str_split(&rest, ',', &part)) {
        size_t semicolon = str_find_char(part, ';');
        struct str range = str_trim(str_head(part, semicolon));
        struct str weight = semicolon == STR_NPOS ? STR("q=1") : str_trim(str_from(part, semicolon + 1));
        if ((!str_eq(range, STR("*")) && !reader_is_language(range)) || !str_starts(weight, STR("q=")))
            return false;
    }
    return true;
}
