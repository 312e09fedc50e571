/* wellspring watch: follows /live. A line for each attribute that an entity has at first, or has got another value; what was
 * printed is remembered as hashes. When the connection breaks it goes on where it was (Last-Event-ID). */
#include "main/look.h"

#include "base/hash.h"
#include "base/log.h"
#include "base/task.h"
#include "base/time.h"
#include "broker/named.h"
#include "main/screen.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* An attribute as it was printed. */
struct shown {
    uint64_t name, value;
};

struct watched {
    struct named named;
    struct str id;
    struct shown *attrs;
    uint32_t count;
};

struct watching {
    struct look *look;
    struct named_table entities;
    struct arena *arena; /* of one event */
    struct str event;    /* of the one that is being read: in its arena */
    struct buf last_id;
    uint64_t first;      /* entities printed before "ready" */
    bool quiet;          /* more of these than --limit: remembered, not printed */
};

/* ---- what was printed ---- */

static struct watched *watched_find(struct watching *w, struct str id)
{
    struct named *n = named_find(&w->entities, id);
    if (n)
        return container_of(n, struct watched, named);
    struct watched *e = mem_zalloc(sizeof *e);
    e->id = mem_dup(id);
    named_add(&w->entities, &e->named, e->id);
    return e;
}

static void watched_forget(struct watching *w, struct watched *e)
{
    named_remove(&w->entities, &e->named);
    free((void *)(uintptr_t)e->id.p);
    free(e->attrs);
    free(e);
}

static bool is_shown(const struct watched *e, const struct shown *s)
{
    for (uint32_t i = 0; i < e->count; i++)
        if (e->attrs[i].name == s->name)
            return e->attrs[i].value == s->value;
    return false;
}

/* ---- lines ---- */

static void line_begin(struct arena *a, struct str id)
{
    char time[TIME_TEXT_MAX];
    size_t n = time_format(time_now() / 1000000 * 1000000, time);
    printf("%.*s  %.*s  ", (int)n, time, STR_ARG(screen_harmless(a, id)));
}

static void entity_print(struct watching *w, struct str id, const struct json *v)
{
    struct watched *e = watched_find(w, id);
    struct shown *now = mem_alloc((v->n + 1) * sizeof *now);
    for (uint32_t i = 0; i < v->n; i++) {
        const struct json_member *m = &v->members[i];
        now[i] = (struct shown){hash_str(m->key), hash_str(json_text(w->arena, &m->value))};
        if (w->quiet || is_shown(e, &now[i]))
            continue;
        line_begin(w->arena, id);
        printf("%.*s  ", STR_ARG(screen_harmless(w->arena, m->key)));
        look_print(w->arena, &m->value);
        printf("\n");
    }
    free(e->attrs);
    e->attrs = now;
    e->count = v->n;
}

static void end_print(struct watching *w, struct str id, const char *what)
{
    struct named *n = named_find(&w->entities, id);
    line_begin(w->arena, id);
    printf("%s\n", what);
    if (n)
        watched_forget(w, container_of(n, struct watched, named));
}

/* ---- events ---- */

static void data_take(struct watching *w, struct str text)
{
    struct json v;
    struct why why;
    struct look look = {.arena = w->arena};
    bool first = str_eq(w->event, STR("entity"));
    if (str_eq(w->event, STR("ready")) || str_eq(w->event, STR("reset")))
        w->first = 0;
    if (look_parse(&look, text, &v, &why) != OK || v.kind != JSON_OBJECT)
        return;
    const struct json *id = json_get(&v, STR("id"));
    if (!json_is(id, JSON_STRING))
        return;
    w->quiet = first && ++w->first > w->look->limit;
    if (first || str_eq(w->event, STR("appear")) || str_eq(w->event, STR("change")))
        entity_print(w, id->string, &v);
    else if (str_eq(w->event, STR("delete")))
        end_print(w, id->string, "deleted");
    else if (str_eq(w->event, STR("leave")))
        end_print(w, id->string, "no longer matches");
}

/* Fields of an event come one a line, data last; an empty line ends it. */
static bool line_take(void *arg, struct str line)
{
    struct watching *w = arg;
    size_t colon = str_find_char(line, ':');
    struct str name = str_head(line, colon), value = colon == STR_NPOS ? STR("") : str_trim(str_from(line, colon + 1));
    if (str_eq(name, STR("event"))) {
        w->event = arena_dup(w->arena, value);
    } else if (str_eq(name, STR("id"))) {
        buf_clear(&w->last_id);
        buf_str(&w->last_id, value);
    } else if (str_eq(name, STR("data"))) {
        data_take(w, value);
    } else if (!line.n) {
        arena_reset(w->arena);
        w->event = STR("");
    }
    return look_printed();
}

static void path_write(const struct look *l, struct buf *b)
{
    buf_str(b, l->json ? STR("/live?options=normalized") : STR("/live?options=keyValues"));
    look_parameter(b, "id", l->id);
    look_parameter(b, "type", l->type);
    look_parameter(b, "q", l->q);
    look_parameter(b, "attrs", l->attrs);
}

static enum status follow(struct watching *w, bool *began, struct why *why)
{
    struct look *l = w->look;
    struct buf path;
    struct str resume = arena_printf(l->arena, "Last-Event-ID: %.*s", (int)w->last_id.n, w->last_id.n ? w->last_id.p : "");
    buf_init(&path, LOOK_URL_BYTES_MAX);
    path_write(l, &path);
    w->first = 0;
    w->event = STR("");
    enum status st = request_follow(l->request, buf_view(&path), &resume, w->last_id.n ? 1 : 0, l->arena, line_take, w, began, why);
    buf_free(&path);
    return st;
}

enum status watch_run(struct look *l, struct why *why)
{
    struct watching w = {.look = l, .arena = arena_new(0)};
    bool began = false, before = false;
    enum status st;
    buf_init(&w.last_id, 256);
    while (true) {
        st = follow(&w, &began, why);
        before |= began;
        if (!look_printed() || (st != OK && (st != E_IO || !before)))
            break;
        if (st != OK)
            log_warn("the city does not answer: watching again soon", log_z("why", why->text));
        why_clear(why);
        arena_reset(l->arena);
        arena_reset(w.arena);
        usleep((useconds_t)(l->every_s * 1e6));
    }
    for (struct named *n; (n = named_first(&w.entities));)
        watched_forget(&w, container_of(n, struct watched, named));
    named_free(&w.entities);
    buf_free(&w.last_id);
    arena_free(w.arena);
    return look_printed() ? st : OK;
}
