/* Configuration by declaration: one table of options says section, key, type,
 * default, bounds and meaning; the reader of wellspring.toml, the environment
 * (WELLSPRING_SECTION_KEY), the command line (--section-key, with declared short
 * names such as --listen) and the printed reference are all made from it.
 *
 * Order: defaults, file, environment, flags. An unknown key is an error that
 * names file, line and the nearest known key. Values are checked against their
 * bounds as they are read; nothing is applied when anything is wrong. */
#ifndef BASE_CONFIG_H
#define BASE_CONFIG_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/status.h"

#include <stdint.h>

enum option_type {
    OPTION_BOOL,     /* true, false */
    OPTION_INT,      /* 10, 10_000 */
    OPTION_BYTES,    /* int or "64 MiB", "1 GB" */
    OPTION_DURATION, /* "30 s", "5 min", "250 ms": int64_t µs */
    OPTION_STRING,
    OPTION_CHOICE,   /* one of `choices`, stored as its index (int64_t) */
    OPTION_STRINGS,  /* array of strings; on the command line, comma separated */
};

struct config_option {
    const char *section; /* "server" */
    const char *key;     /* "listen" */
    enum option_type type;
    const char *preset;  /* the default, as it would stand in TOML */
    int64_t min, max;    /* for numbers; both 0: unbounded */
    const char *choices; /* "sync|interval" */
    const char *flag;    /* short spelling on the command line, or NULL: "listen" */
    bool reload;         /* taken over on SIGHUP */
    const char *help;    /* one line */
};

struct config;

/* Caller owns; the table must outlive it. Starts with all presets. */
struct config *config_new(const struct config_option *options, size_t n);
void config_free(struct config *c);
MUST_USE enum status config_read_file(struct config *c, const char *path, struct why *why);
MUST_USE enum status config_read_text(struct config *c, const char *name, struct str text,
                                      struct why *why);
MUST_USE enum status config_read_env(struct config *c, char *const *environ_, struct why *why);
/* Takes "--name value" and "--name=value" out of argv (argc shrinks); the rest stays in order.
 * Stops at "--". Unknown flags are left for the caller. */
MUST_USE enum status config_read_args(struct config *c, int *argc, char **argv, struct why *why);

/* Asking for an undeclared option is our bug (assert). Strings live as long as c. */
bool config_bool(const struct config *c, const char *section, const char *key);
int64_t config_int(const struct config *c, const char *section, const char *key);
struct str config_str(const struct config *c, const char *section, const char *key);
size_t config_strs(const struct config *c, const char *section, const char *key,
                   const struct str **out);
/* A commented wellspring.toml with every option, its default, unit and meaning. */
void config_write_reference(const struct config *c, struct buf *out);

#endif
