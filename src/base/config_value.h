/* One option's value: from TOML, from plain text (environment, command line),
 * checked against the option's declaration, and back to text. */
#ifndef BASE_CONFIG_VALUE_H
#define BASE_CONFIG_VALUE_H

#include "base/config.h"
#include "base/config_toml.h"

struct config_value {
    int64_t number; /* bool, int, bytes, duration, choice */
    struct str string;
    const struct str *strings;
    size_t strings_n;
};

/* where: "wellspring.toml:12", "--listen", "WELLSPRING_SERVER_LISTEN". */
MUST_USE enum status config_value_from_toml(const struct config_option *o,
                                            const struct toml_value *from, const char *where,
                                            struct config_value *out, struct why *why);
/* Copies what it keeps of text into the arena. */
MUST_USE enum status config_value_from_text(struct arena *a, const struct config_option *o,
                                            struct str text, const char *where,
                                            struct config_value *out, struct why *why);
/* "bytes, 1 KiB to 1 GiB": kind, bounds or choices, for the reference. */
void config_value_describe(const struct config_option *o, struct buf *b);

#endif
