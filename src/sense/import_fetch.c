/* Why: a download is complete before anything of it is imported, so that its digest is known and no
 * request waits for a slow origin. It has a loop of its own, for as long as it takes. */
#include "sense/import_fetch.h"

#include "sense/source.h"

#include <stdlib.h>

struct fetch {
    struct http_call call;
    struct loop *loop;
    struct blob *blob;
    struct arena *arena;
    struct str content_type;
    enum status status;
    struct why *why;
};

static void fetch_done(struct http_call *call)
{
    struct fetch *f = container_of(call, struct fetch, call);
    f->status = call->status;
    *f->why = call->why;
    if (call->status == OK && call->http_status != 200)
        f->status = why_set(f->why, E_IO, NULL, "the origin answered %d", call->http_status);
    if (f->status == OK) {
        char *block = mem_alloc(call->answer.n + 1);
        if (call->answer.n > 0)
            memcpy(block, call->answer.p, call->answer.n);
        blob_take(f->blob, block, call->answer.n);
        f->content_type = arena_dup(f->arena, call->content_type);
    }
    loop_stop(f->loop);
}

/* ".csv" … for a media type. */
static const char *fetch_extension(struct str content_type)
{
    static const struct {
        const char *media, *extension;
    } known[] = {
        {"text/csv", ".csv"},
        {"application/zip", ".zip"},
        {"application/x-zip-compressed", ".zip"},
        {"application/geo+json", ".geojson"},
        {"application/x-ndjson", ".ndjson"},
        {"application/ld+json", ".jsonld"},
        {"application/json", ".json"},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (str_starts(content_type, str_of(known[i].media)))
            return known[i].extension;
    return "";
}

static const char *fetch_format(const struct fetch *f, const char *url)
{
    struct str path = str_of(url);
    size_t end = str_find_char(path, '?');
    path = arena_dup(f->arena, end == STR_NPOS ? path : str_head(path, end));
    if (source_knows_name(path.p))
        return path.p;
    return arena_printf(f->arena, "%s%s", path.p, fetch_extension(f->content_type)).p;
}

enum status import_fetch(const char *url, const struct import_options *o, struct arena *a,
                         struct blob *out, const char **format, struct why *why)
{
    struct fetch f = {.blob = out, .arena = a, .why = why};
    struct http_client *client = NULL;
    enum status st = loop_new(&f.loop, NULL);
    if (st != OK)
        return why_set(why, st, NULL, "no event loop");
    st = http_client_new(&client, f.loop, &o->egress, why);
    if (st == OK) {
        f.call = (struct http_call){
            .method = "GET",
            .url = str_of(url),
            .answer_bytes_max = o->download_bytes,
            .timeout_ms = o->timeout_s * 1000,
            .done = fetch_done,
        };
        http_call_start(client, &f.call);
        loop_run(f.loop);
        http_client_free(client);
        st = f.status;
    }
    loop_free(f.loop);
    if (st == OK)
        *format = fetch_format(&f, url);
    return st;
}
