/* See source_text.h. */
#include "source_text.h"

#include <stdio.h>

struct blob blob_of(const char *text)
{
    struct blob b;
    size_t n = strlen(text);
    char *block = mem_alloc(n + 1);
    memcpy(block, text, n + 1);
    blob_take(&b, block, n);
    return b;
}

const char *source_text(const char *name, struct blob *blob, const struct source_options *o)
{
    static char out[65536];
    struct source *s = NULL;
    struct source_item item;
    struct why why = {0};
    size_t used = 0;
    out[0] = 0;
    if (source_open(&s, name, blob, o, &why) != OK) {
        snprintf(out, sizeof out, "refused:%s", why.text);
        return out;
    }
    while (source_next(s, &item) && used + 1 < sizeof out) {
        if (item.why)
            used += (size_t)snprintf(out + used, sizeof out - used, "%d:%s\n", (int)item.line,
                                     item.why->text);
        else
            used += (size_t)snprintf(out + used, sizeof out - used, "%.*s\n", STR_ARG(item.json));
    }
    source_free(s);
    return out;
}
