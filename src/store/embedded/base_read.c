/* Handing over what the base holds, in order of its keys: all of it, or a part. */
#include "store/embedded/base_read.h"

#include "store/embedded/base_int.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

/* The one value of that kind, opened; E_NOT_FOUND: there is none. The caller frees *owned, whatever comes. */
static enum status read_one(struct base *b, char kind, const char *doing, struct str *v, char **owned, struct why *why)
{
    char *error;
    size_t n = 0;
    *owned = base_db_get(b->db, (struct str){&kind, 1}, &n, &error);
    if (error)
        return base_failed(error, doing, why);
    *v = (struct str){*owned, n};
    return *owned ? base_open_value(kind, v, why) : E_NOT_FOUND;
}

enum status base_read_position(struct base *b, struct base_position *p, struct why *why)
{
    struct str v;
    char *owned;
    enum status st = read_one(b, KEY_POSITION, "reading the position", &v, &owned, why);
    if (!owned)
        return st;
    if (st == OK)
        st = base_take_position(v, p, why);
    free(owned);
    b->last_seq = st == OK ? p->last_seq : 0;
    return st;
}

enum status base_read_told(struct base *b, uint64_t *seq, struct why *why)
{
    struct str v;
    char *owned;
    *seq = 0;
    enum status st = read_one(b, KEY_TOLD, "reading what was told", &v, &owned, why);
    if (st == OK && v.n != sizeof *seq)
        st = base_damaged("what was told has a wrong length", why);
    if (st == OK)
        memcpy(seq, v.p, sizeof *seq);
    *seq = le64toh(*seq);
    free(owned);
    return st == E_NOT_FOUND ? OK : st;
}

static uint32_t number_at(struct str key)
{
    uint32_t big;
    memcpy(&big, key.p + 1, sizeof big);
    return be32toh(big);
}

static enum status read_document(struct base_reader *r, struct str key, struct str v,
                                 struct why *why)
{
    uint64_t seq;
    if (key.n < 6 || v.n < sizeof seq)
        return base_damaged("a document is cut off", why);
    memcpy(&seq, v.p, sizeof seq);
    return r->document(r, number_at(key), (uint8_t)key.p[5], str_from(key, 6), le64toh(seq),
                       str_from(v, sizeof seq), why);
}

static enum status read_entity(struct base_reader *r, struct str key, struct str v, struct why *why)
{
    uint64_t big;
    if (key.n != 13)
        return base_damaged("an entity's key has a wrong length", why);
    memcpy(&big, key.p + 5, sizeof big);
    return r->entity(r, number_at(key), be64toh(big), v, why);
}

static enum status read_saved(struct base_reader *r, struct str key, struct str v, struct why *why)
{
    size_t n = key.n < 2 ? 0 : (uint8_t)key.p[1];
    if (key.n < 2 + n)
        return base_damaged("the key of something saved is cut off", why);
    struct str rest = str_from(key, 2);
    return r->saved(r, str_head(rest, n), str_from(rest, n), v, why);
}

static enum status read_pair(struct base_reader *r, struct str key, struct str v, struct why *why)
{
    char kind = key.p[0];
    if (kind == KEY_POSITION || kind == KEY_TOLD)
        return OK;
    enum status st = kind == KEY_ENTITY ? OK : base_open_value(kind, &v, why);
    if (kind == KEY_PAST && st != OK) { /* as base_view_range() does */
        st = OK;
        v = STR("");
    }
    if (st != OK)
        return st;
    if (kind == KEY_SAVED)
        return r->saved ? read_saved(r, key, v, why) : OK;
    if (key.n < 5)
        return base_damaged("a key is cut off", why);
    switch (kind) {
    case KEY_PAST:
    case KEY_GONE:
    case KEY_KEPT:
        return r->past ? r->past(r, number_at(key), key, v, why) : OK;
    case KEY_TERM:
        return r->term ? r->term(r, number_at(key), v, why) : OK;
    case KEY_TENANT:
        return r->tenant ? r->tenant(r, number_at(key), v, why) : OK;
    case KEY_DOCUMENT:
        return r->document ? read_document(r, key, v, why) : OK;
    case KEY_ENTITY:
        return r->entity ? read_entity(r, key, v, why) : OK;
    default:
        return base_damaged("a key of an unknown kind", why);
    }
}

struct walk {
    struct base_reader *reader;
    struct why *why;
    enum status status;
};

static bool walk_pair(void *arg, struct str key, struct str v)
{
    struct walk *w = arg;
    if (!w->reader->past && key.p[0] >= KEY_PAST && key.p[0] <= KEY_KEPT)
        return false; /* the last, and the greatest part of all */
    w->status = read_pair(w->reader, key, v, w->why);
    return w->status == OK;
}

static bool walk_saved(void *arg, struct str key, struct str v)
{
    return key.p[0] == KEY_SAVED && walk_pair(arg, key, v);
}

static bool walk_name(void *arg, struct str key, struct str v)
{
    return key.p[0] < KEY_ENTITY && walk_pair(arg, key, v);
}

static enum status read_from(struct base *b, struct str from,
                             bool (*pair)(void *arg, struct str key, struct str value),
                             struct base_reader *r, struct why *why)
{
    struct walk w = {r, why, OK};
    char *error = base_db_each(b->db, from, pair, &w);
    return error ? base_failed(error, "reading", why) : w.status;
}

enum status base_read(struct base *b, struct base_reader *r, struct why *why)
{
    return read_from(b, STR(""), walk_pair, r, why);
}

enum status base_read_names(struct base *b, struct base_reader *r, struct why *why)
{
    return read_from(b, STR(""), walk_name, r, why);
}

enum status base_read_rest(struct base *b, struct base_reader *r, struct why *why)
{
    return read_from(b, STR("4"), walk_pair, r, why);
}

enum status base_read_saved(struct base *b, struct base_reader *r, struct why *why)
{
    return read_from(b, STR("5"), walk_saved, r, why);
}
