/* The part of TOML 1.0 that a configuration of tables and values needs: [tables],
 * bare keys, strings on one line (basic and literal), decimal integers, booleans,
 * arrays of strings, comments. Everything else is refused, with line and reason. */
#ifndef BASE_CONFIG_TOML_H
#define BASE_CONFIG_TOML_H

#include "base/arena.h"
#include "base/status.h"

#include <stdint.h>

enum toml_kind { TOML_BOOL, TOML_INT, TOML_STRING, TOML_STRINGS };

struct toml_value {
    enum toml_kind kind;
    union {
        bool boolean;
        int64_t integer;
        struct str string;
        struct {
            const struct str *strings;
            size_t strings_n;
        };
    };
};

/* One "key = value"; all strings live in the arena or in the text. */
struct toml_entry {
    struct str section, key;
    size_t line;
    struct toml_value value;
};

struct toml {
    struct toml_entry *entries;
    size_t n;
};

/* Messages begin with "name:line: ". Keys and tables given twice are refused. */
MUST_USE enum status toml_read(struct arena *a, const char *name, struct str text, struct toml *out,
                               struct why *why);

#endif
