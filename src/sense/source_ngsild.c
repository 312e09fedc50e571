/* Why: files that are NGSI-LD already pass as they are, byte for byte; key-values are turned into
 * normalized form, because no operation of the API takes them for whole entities. Start at
 * ngsild_record(). */
#include "sense/json_split.h"
#include "sense/simplified.h"
#include "sense/source_impl.h"

#include <stdlib.h>

#define NGSILD_DEPTH_MAX 256

struct ngsild_source {
    struct source source;
    struct blob blob;
    struct json_split split;
};

static void ngsild_take(struct source *s, struct str text)
{
    struct json tree;
    struct why why;
    const struct json_limits limits = {.depth_max = NGSILD_DEPTH_MAX,
                                       .bytes_max = s->options.limits.record_bytes_max};
    why_clear(&why);
    if (json_read(s->out.arena, text, &limits, &tree, &why) != OK) {
        source_add_reject(s, STR_NONE, &why);
        return;
    }
    const struct json *id = json_get(&tree, STR("id"));
    if (!id)
        id = json_get(&tree, STR("@id"));
    if (!json_is(id, JSON_STRING) || id->string.n == 0) {
        (void)why_set(&why, E_BAD_DATA, NULL, "no entity: a member \"id\" with a string is needed");
        source_add_reject(s, STR_NONE, &why);
        return;
    }
    size_t from = s->out.json.n;
    if (simplified_is(&tree))
        simplified_write(&tree, &s->out.json);
    else
        buf_str(&s->out.json, text);
    source_add_entity(s, from, id->string, json_get(&tree, STR("@context")) != NULL);
    if (!json_get(&tree, STR("@context")) && !str_absent(s->options.context))
        source_put_context(s, s->options.context);
}

static bool ngsild_record(struct source *s)
{
    struct ngsild_source *n = (struct ngsild_source *)s;
    struct json_element element;
    struct why why;
    why_clear(&why);
    enum json_split_step step = json_split_next(&n->split, &element, &why);
    if (step == JSON_SPLIT_END)
        return false;
    s->line = element.line;
    s->mark = (struct source_mark){
        .offset = n->split.at, .line = n->split.line, .record = s->mark.record + 1};
    s->mark.part = step == JSON_SPLIT_BAD; /* nothing can be read behind it */
    if (step == JSON_SPLIT_BAD) {
        source_add_reject(s, STR_NONE, &why);
    } else if (element.text.n > s->options.limits.record_bytes_max) {
        (void)why_limit(&why, E_TOO_LARGE, NULL, "import.record_bytes", "longer than %zu bytes",
                        s->options.limits.record_bytes_max);
        source_add_reject(s, STR_NONE, &why);
    } else {
        ngsild_take(s, element.text);
    }
    return true;
}

static void ngsild_seek(struct source *s)
{
    struct ngsild_source *n = (struct ngsild_source *)s;
    if (s->mark.record > 0)
        json_split_seek(&n->split, s->mark.offset, s->mark.line);
    n->split.ended = s->mark.part > 0;
}

static void ngsild_progress(const struct source *s, uint64_t *done, uint64_t *total)
{
    *done = s->mark.offset;
    *total = ((const struct ngsild_source *)s)->blob.bytes.n;
}

static void ngsild_free(struct source *s)
{
    struct ngsild_source *n = (struct ngsild_source *)s;
    blob_close(&n->blob);
    source_fini(s);
    free(n);
}

static const struct source_ops ngsild_ops = {
    .record = ngsild_record,
    .seek = ngsild_seek,
    .progress = ngsild_progress,
    .free = ngsild_free,
};

enum status source_open_ngsild(struct source **out, struct blob *blob,
                               const struct source_options *o, struct why *why)
{
    struct ngsild_source *n = mem_zalloc(sizeof *n);
    source_init(&n->source, &ngsild_ops, o);
    n->blob = *blob;
    enum status st = json_split_init(&n->split, n->blob.bytes, why);
    if (st != OK)
        ngsild_free(&n->source);
    else
        *out = &n->source;
    return st;
}
