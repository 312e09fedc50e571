/* The layers over the table of options. A layer is read into a copy of the
 * values, which replaces them only when all of it was right. How one value is
 * read is in config_value.c, TOML itself in config_toml.c. */
#include "base/config.h"

#include "base/config_value.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { NAME_BYTES = 96, FILE_BYTES_MAX = 1 << 20, WHERE_MAX = 300 };

struct config {
    const struct config_option *options;
    size_t n;
    struct config_value *values;
    struct arena *arena; /* strings of all layers */
};

/* ---- names ---- */

/* "server.listen" */
static struct str dotted(const struct config_option *o, char out[NAME_BYTES])
{
    int n = snprintf(out, NAME_BYTES, "%s.%s", o->section, o->key);
    assert(n > 0 && n < NAME_BYTES);
    return (struct str){out, (size_t)n};
}

/* prefix + section + separator + key, every letter through map. */
static struct str spelled(const char *prefix, const struct config_option *o, char separator,
                          char (*map)(char), char out[NAME_BYTES])
{
    int n = snprintf(out, NAME_BYTES, "%s%s%c%s", prefix, o->section, separator, o->key);
    assert(n > 0 && n < NAME_BYTES);
    for (char *p = out + strlen(prefix); *p; p++)
        *p = map(*p);
    return (struct str){out, (size_t)n};
}

static char to_env(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

static char to_flag(char c)
{
    return c == '_' ? '-' : c;
}

/* Edits (insert, delete, replace, swap of neighbours) from a to b. */
static size_t distance(struct str a, struct str b)
{
    size_t row[3][NAME_BYTES + 1];
    if (a.n > NAME_BYTES || b.n > NAME_BYTES)
        return SIZE_MAX;
    for (size_t j = 0; j <= b.n; j++)
        row[0][j] = j;
    for (size_t i = 1; i <= a.n; i++) {
        size_t *now = row[i % 3], *up = row[(i + 2) % 3], *up2 = row[(i + 1) % 3];
        now[0] = i;
        for (size_t j = 1; j <= b.n; j++) {
            bool same = a.p[i - 1] == b.p[j - 1];
            size_t best = up[j - 1] + !same;
            if (up[j] + 1 < best)
                best = up[j] + 1;
            if (now[j - 1] + 1 < best)
                best = now[j - 1] + 1;
            if (i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] && a.p[i - 2] == b.p[j - 1] &&
                up2[j - 2] + 1 < best)
                best = up2[j - 2] + 1;
            now[j] = best;
        }
    }
    return row[a.n % 3][b.n];
}

/* The option whose name is nearest to "section.key" and near enough to be meant.
 * The right key in the wrong table is nearest of all. */
static const struct config_option *nearest(const struct config *c, struct str name)
{
    const struct config_option *best = NULL;
    size_t least = name.n / 3 > 2 ? name.n / 3 + 1 : 3;
    size_t dot = str_find_char(name, '.');
    struct str key = dot == STR_NPOS ? name : str_from(name, dot + 1);
    for (size_t i = 0; i < c->n; i++) {
        char text[NAME_BYTES];
        size_t d = distance(name, dotted(&c->options[i], text));
        if (d > 1 && str_eq(key, str_of(c->options[i].key)))
            d = 1;
        if (d < least) {
            least = d;
            best = &c->options[i];
        }
    }
    return best;
}

static size_t find(const struct config *c, struct str section, struct str key)
{
    for (size_t i = 0; i < c->n; i++)
        if (str_eq(str_of(c->options[i].section), section) &&
            str_eq(str_of(c->options[i].key), key))
            return i;
    return c->n;
}

/* ---- layers ---- */

static struct config_value *layer_begin(struct config *c)
{
    struct config_value *layer = arena_array(c->arena, struct config_value, c->n);
    memcpy(layer, c->values, c->n * sizeof *layer);
    return layer;
}

/* A preset that does not read is our bug, and worth finding in release builds too. */
static void apply_preset(struct config *c, size_t i)
{
    const struct config_option *o = &c->options[i];
    struct toml toml;
    struct why why;
    why_clear(&why);
    struct str line = arena_printf(c->arena, "preset = %s\n", o->preset);
    if (toml_read(c->arena, "preset", line, &toml, &why) != OK ||
        config_value_from_toml(o, &toml.entries[0].value, "preset", &c->values[i], &why) != OK) {
        fprintf(stderr, "option %s.%s: %s\n", o->section, o->key, why.text);
        abort();
    }
}

struct config *config_new(const struct config_option *options, size_t n)
{
    struct config *c = mem_zalloc(sizeof *c);
    c->options = options;
    c->n = n;
    c->arena = arena_new(0);
    c->values = arena_zarray(c->arena, struct config_value, n);
    for (size_t i = 0; i < n; i++)
        apply_preset(c, i);
    return c;
}

void config_free(struct config *c)
{
    if (!c)
        return;
    arena_free(c->arena);
    free(c);
}

static enum status refuse_unknown(const struct config *c, const char *where, struct str name,
                                  struct why *why)
{
    const struct config_option *o = nearest(c, name);
    if (!o)
        return why_set(why, E_BAD_DATA, NULL, "%s: unknown key %.*s", where, STR_ARG(name));
    return why_set(why, E_BAD_DATA, NULL, "%s: unknown key %.*s (did you mean %s.%s?)", where,
                   STR_ARG(name), o->section, o->key);
}

enum status config_read_text(struct config *c, const char *name, struct str text, struct why *why)
{
    struct toml toml;
    /* The text may be gone tomorrow; what is read of it points into this copy. */
    enum status st = toml_read(c->arena, name, arena_dup(c->arena, text), &toml, why);
    if (st != OK)
        return st;
    struct config_value *layer = layer_begin(c);
    for (size_t i = 0; i < toml.n; i++) {
        const struct toml_entry *e = &toml.entries[i];
        char where[WHERE_MAX];
        snprintf(where, sizeof where, "%s:%zu", name, e->line);
        size_t at = find(c, e->section, e->key);
        if (at == c->n) {
            struct str full = e->section.n ? arena_printf(c->arena, "%.*s.%.*s",
                                                          STR_ARG(e->section), STR_ARG(e->key))
                                           : e->key;
            return refuse_unknown(c, where, full, why);
        }
        st = config_value_from_toml(&c->options[at], &e->value, where, &layer[at], why);
        if (st != OK)
            return st;
    }
    c->values = layer;
    return OK;
}

enum status config_read_file(struct config *c, const char *path, struct why *why)
{
    FILE *f = fopen(path, "re");
    if (!f)
        return why_set(why, errno == ENOENT ? E_NOT_FOUND : E_IO, NULL, "%s: %s", path,
                       strerror(errno));
    char *text = mem_alloc(FILE_BYTES_MAX + 1);
    size_t n = fread(text, 1, FILE_BYTES_MAX + 1, f);
    enum status st;
    if (ferror(f))
        st = why_set(why, E_IO, NULL, "%s: %s", path, strerror(errno));
    else if (n > FILE_BYTES_MAX)
        st = why_set(why, E_BAD_DATA, NULL, "%s: larger than %d bytes", path, FILE_BYTES_MAX);
    else
        st = config_read_text(c, path, (struct str){text, n}, why);
    free(text);
    fclose(f);
    return st;
}

/* WELLSPRING_… names that are none of ours may belong to somebody else; one that
 * is nearly ours is a mistake. */
static enum status check_stranger(const struct config *c, struct str name, struct why *why)
{
    for (size_t i = 0; i < c->n; i++) {
        char text[NAME_BYTES];
        struct str known = spelled("WELLSPRING_", &c->options[i], '_', to_env, text);
        if (distance(name, known) <= 2)
            return why_set(why, E_BAD_DATA, NULL,
                           "unknown environment variable %.*s (did you mean %s?)", STR_ARG(name),
                           text);
    }
    return OK;
}

static enum status read_variable(struct config *c, struct config_value *layer, struct str name,
                                 struct str value, struct why *why)
{
    for (size_t i = 0; i < c->n; i++) {
        char text[NAME_BYTES];
        if (str_eq(name, spelled("WELLSPRING_", &c->options[i], '_', to_env, text)))
            return config_value_from_text(c->arena, &c->options[i], value, text, &layer[i], why);
    }
    return check_stranger(c, name, why);
}

enum status config_read_env(struct config *c, char *const *environ_, struct why *why)
{
    struct config_value *layer = layer_begin(c);
    for (; *environ_; environ_++) {
        struct str value = str_of(*environ_), name;
        if (!str_starts(value, STR("WELLSPRING_")) || !str_split(&value, '=', &name))
            continue;
        if (str_absent(value)) /* no '=' at all */
            continue;
        enum status st = read_variable(c, layer, name, value, why);
        if (st != OK)
            return st;
    }
    c->values = layer;
    return OK;
}

/* Index of the option that flag ("--server-listen" or "--listen") names, or n. */
static size_t find_flag(const struct config *c, struct str flag)
{
    for (size_t i = 0; i < c->n; i++) {
        char text[NAME_BYTES];
        const char *shorter = c->options[i].flag;
        if (str_eq(flag, spelled("--", &c->options[i], '-', to_flag, text)) ||
            (shorter && str_eq(str_from(flag, 2), str_of(shorter))))
            return i;
    }
    return c->n;
}

/* The value of argv[at]: behind its '=', or the next argument. A boolean alone is
 * true. *used: arguments taken. */
static bool flag_value(const struct config_option *o, struct str after, bool given, int at,
                       int argc, char **argv, struct str *value, int *used)
{
    *used = 1;
    *value = after;
    if (given)
        return true;
    struct str next = at + 1 < argc ? str_of(argv[at + 1]) : STR_NONE;
    if (o->type == OPTION_BOOL && !str_eq(next, STR("true")) && !str_eq(next, STR("false"))) {
        *value = STR("true");
        return true;
    }
    *used = 2;
    *value = next;
    return !str_absent(next);
}

enum status config_read_args(struct config *c, int *argc, char **argv, struct why *why)
{
    struct config_value *layer = layer_begin(c);
    int kept = 0, at = 0;
    while (at < *argc) {
        struct str after = str_of(argv[at]), flag;
        if (str_eq(after, STR("--")))
            break;
        size_t i = c->n;
        if (str_starts(after, STR("--"))) {
            str_split(&after, '=', &flag);
            i = find_flag(c, flag);
        }
        if (i == c->n) {
            argv[kept++] = argv[at++];
            continue;
        }
        char where[WHERE_MAX];
        int used;
        struct str value;
        snprintf(where, sizeof where, "%.*s", STR_ARG(flag));
        if (!flag_value(&c->options[i], after, !str_absent(after), at, *argc, argv, &value, &used))
            return why_set(why, E_BAD_DATA, NULL, "%s needs a value", where);
        enum status st =
            config_value_from_text(c->arena, &c->options[i], value, where, &layer[i], why);
        if (st != OK)
            return st;
        at += used;
    }
    while (at < *argc)
        argv[kept++] = argv[at++];
    argv[kept] = NULL;
    *argc = kept;
    c->values = layer;
    return OK;
}

/* ---- reading the values ---- */

static const struct config_value *value_of(const struct config *c, const char *section,
                                           const char *key, unsigned kinds)
{
    size_t i = find(c, str_of(section), str_of(key));
    assert(i < c->n && (kinds >> c->options[i].type & 1));
    (void)kinds;
    return &c->values[i];
}

bool config_bool(const struct config *c, const char *section, const char *key)
{
    return value_of(c, section, key, 1u << OPTION_BOOL)->number != 0;
}

int64_t config_int(const struct config *c, const char *section, const char *key)
{
    const unsigned numbers =
        1u << OPTION_INT | 1u << OPTION_BYTES | 1u << OPTION_DURATION | 1u << OPTION_CHOICE;
    return value_of(c, section, key, numbers)->number;
}

struct str config_str(const struct config *c, const char *section, const char *key)
{
    return value_of(c, section, key, 1u << OPTION_STRING)->string;
}

size_t config_strs(const struct config *c, const char *section, const char *key,
                   const struct str **out)
{
    const struct config_value *v = value_of(c, section, key, 1u << OPTION_STRINGS);
    *out = v->strings;
    return v->strings_n;
}

void config_write_reference(const struct config *c, struct buf *out)
{
    const char *section = NULL;
    buf_lit(out, "# Every option, with its default. Also read: WELLSPRING_SECTION_KEY from the\n"
                 "# environment and --section-key on the command line, which wins.\n");
    for (size_t i = 0; i < c->n; i++) {
        const struct config_option *o = &c->options[i];
        if (!section || strcmp(section, o->section) != 0)
            buf_printf(out, "\n[%s]\n", o->section);
        section = o->section;
        buf_printf(out, "\n# %s\n# (", o->help);
        config_value_describe(o, out);
        if (o->flag)
            buf_printf(out, "; --%s", o->flag);
        if (o->reload)
            buf_lit(out, "; taken over on SIGHUP");
        buf_printf(out, ")\n#%s = %s\n", o->key, o->preset);
    }
}
