/* Runs the edits that edit_oracle.py sends, one JSON object a line, on one entity
 * kept as a block, and answers each with its result and the entity in the notation
 * of tree_json.h. Every edit runs twice, because the same input must give the same
 * output, and must leave the old version as it was. */
#include "model/doc.h"
#include "model/edit.h"
#include "tree_json.h"

#include <stdio.h>
#include <stdlib.h>

#define ID STR("urn:ngsi-ld:T:1")

static const char *const KINDS[] = {
    "create", "replace",    "upsertReplace", "upsertUpdate", "append", "update", "merge",
    "delete", "attrUpdate", "attrReplace",   "attrDelete",   "prune",  "expire"};

struct driver {
    struct terms *terms;
    struct doc *doc; /* NULL: no entity */
    uint64_t seq;
};

static void require(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "edit_driver: %s\n", what);
    exit(1);
}

static struct doc *block_of(const struct entity *e)
{
    struct doc *d = mem_alloc(doc_size(e));
    doc_encode(e, d);
    return d;
}

static uint8_t kind_of(const struct json *command)
{
    const struct json *kind = json_get(command, STR("kind"));
    uint8_t k = 0;
    while (!json_is_string(kind, str_of(KINDS[k])))
        k++;
    return k;
}

static struct edit edit_of(struct driver *d, struct arena *a, const struct json *command)
{
    const struct json *fragment = json_get(command, STR("fragment"));
    const struct json *attr = json_get(command, STR("attr"));
    const struct json *names = json_get(command, STR("terms"));
    struct edit e = {
        .kind = kind_of(command),
        .id = ID,
        .flags = (uint32_t)json_get(command, STR("flags"))->integer,
        .dataset = json_get(command, STR("dataset"))->string,
        .names = d->terms,
    };
    struct entity *tree = arena_alloc(a, sizeof *tree);
    struct attr *attrs;
    if (attr)
        e.term = terms_intern(d->terms, attr->string, NULL);
    if (fragment && attr) {
        e.attr_count = tree_read_attr(a, d->terms, attr->string, fragment, &attrs);
        e.attrs = attrs;
    } else if (fragment) {
        tree_read(a, d->terms, ID, fragment, tree);
        e.fragment = tree;
    }
    uint32_t *terms = arena_array(a, uint32_t, names ? names->n : 0);
    for (uint32_t i = 0; names && i < names->n; i++)
        terms[e.term_count++] = terms_intern(d->terms, names->items[i].string, NULL);
    e.terms = terms;
    return e;
}

static void print_result(struct driver *d, const struct edit_result *r, struct arena *a)
{
    struct buf b;
    buf_init(&b, 1 << 24);
    buf_printf(&b, "{\"status\":\"%s\",\"expired\":%d,\"created\":%d,\"deleted\":%d,\"changed\":%d,\"notes\":[",
               status_name(r->status), r->expired, r->created, r->deleted, r->changed);
    for (uint32_t i = 0; i < r->note_count; i++) {
        const struct edit_note *n = &r->notes[i];
        struct str name = n->term == TERM_NONE ? STR("") : terms_iri(d->terms, n->term);
        buf_printf(&b, "%s[\"%.*s\",\"%.*s\",%d]", i ? "," : "", STR_ARG(name), STR_ARG(n->dataset),
                   n->done);
    }
    buf_lit(&b, "],\"entity\":");
    if (d->doc) {
        struct entity now;
        doc_decode(d->doc, a, &now);
        tree_write(&b, d->terms, &now);
    } else {
        buf_lit(&b, "null");
    }
    buf_lit(&b, "}\n");
    fwrite(b.p, 1, b.n, stdout);
    fflush(stdout);
    buf_free(&b);
}

static void keep(struct driver *d, const struct edit_result *r, struct doc *next)
{
    struct why why = {0};
    free(d->doc);
    d->doc = next;
    d->seq++;
    if (!next)
        return;
    require(!r->deleted, "deleted, but there is a version");
    doc_set_seq(next, d->seq);
    if (doc_check(next, doc_bytes(next), terms_count(d->terms), &why) != OK)
        require(false, why.text);
}

static void run(struct driver *d, struct arena *a, const struct json *command)
{
    struct edit e = edit_of(d, a, command);
    int64_t now = json_get(command, STR("now"))->integer;
    struct entity old, out[2];
    struct edit_result result[2];
    struct doc *next[2] = {NULL, NULL};
    if (d->doc)
        doc_decode(d->doc, a, &old);
    for (int i = 0; i < 2; i++) {
        edit_apply(&e, d->doc ? &old : NULL, now, a, &out[i], &result[i]);
        if (result[i].changed && !result[i].deleted)
            next[i] = block_of(&out[i]);
    }
    require(!next[0] == !next[1] && (!next[0] || (doc_bytes(next[0]) == doc_bytes(next[1]) &&
                                                  !memcmp(next[0], next[1], doc_bytes(next[0])))),
            "the same edit gave something else");
    free(next[1]);
    if (d->doc) {
        struct doc *again = block_of(&old);
        require(!memcmp(again, d->doc, doc_bytes(d->doc)), "the old version has changed");
        free(again);
    }
    if (result[0].changed)
        keep(d, &result[0], next[0]);
    print_result(d, &result[0], a);
}

int main(void)
{
    struct driver d = {.terms = terms_new(1000)};
    struct arena *a = arena_new(0);
    char *line = NULL;
    size_t cap = 0;
    ssize_t n;
    while ((n = getline(&line, &cap, stdin)) > 0) {
        run(&d, a, tree_parse(a, (struct str){line, (size_t)n}));
        arena_reset(a);
    }
    free(line);
    free(d.doc);
    arena_free(a);
    terms_free(d.terms);
    return 0;
}
