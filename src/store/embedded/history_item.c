/* Bytes of items and groups. */
#include "store/embedded/history_item.h"

#include "base/varint.h"

#include <string.h>

static bool read_i64(struct str *bytes, int64_t *v)
{
    uint64_t little;
    if (bytes->n < sizeof little)
        return false;
    memcpy(&little, bytes->p, sizeof little);
    *v = (int64_t)little;
    *bytes = str_from(*bytes, sizeof little);
    return true;
}

/* ---- items ---- */

static void write_types(struct buf *b, const struct item *i)
{
    varint_write(b, i->type_count);
    for (uint32_t k = 0; k < i->type_count; k++)
        varint_write(b, i->types[k]);
}

void item_write(struct buf *b, const struct item *i)
{
    buf_char(b, (char)i->kind);
    switch ((enum item_kind)i->kind) {
    case ITEM_POINT:
    case ITEM_REPLACED:
        point_write(b, &i->point);
        break;
    case ITEM_MODIFY:
        buf_char(b, (char)i->current);
        point_write(b, &i->point);
        break;
    case ITEM_SETTLED:
        varint_write(b, i->term);
        varint_write_text(b, i->dataset);
        varint_write(b, i->seq);
        break;
    case ITEM_DROP_POINT:
        varint_write(b, i->term);
        varint_write_text(b, i->dataset);
        varint_write(b, i->seq);
        varint_write(b, i->index);
        buf_char(b, (char)i->current);
        break;
    case ITEM_DROP_SERIES:
        varint_write(b, i->term);
        varint_write_text(b, i->dataset);
        break;
    case ITEM_GROWN:
        buf_le64(b, (uint64_t)i->modified_at);
        write_types(b, i);
        break;
    case ITEM_TYPES:
        write_types(b, i);
        break;
    case ITEM_LIFE:
        buf_le64(b, (uint64_t)i->created_at);
        buf_le64(b, (uint64_t)i->modified_at);
        buf_le64(b, (uint64_t)i->deleted_at);
        break;
    case ITEM_EXPIRES:
        buf_le64(b, (uint64_t)i->expires_at);
        break;
    case ITEM_DROP_ALL:
    case ITEM_KIND_COUNT:
        break;
    }
}

static bool read_types(struct str *bytes, uint32_t term_max, struct arena *a, struct item *out)
{
    if (!varint_take_u32(bytes, UINT32_MAX, &out->type_count) || out->type_count > bytes->n)
        return false;
    out->types = arena_array(a, uint32_t, out->type_count);
    for (uint32_t i = 0; i < out->type_count; i++)
        if (!varint_take_u32(bytes, UINT32_MAX, &out->types[i]) || out->types[i] == TERM_NONE || out->types[i] > term_max)
            return false;
    return true;
}

static bool read_flag(struct str *bytes, bool *flag)
{
    if (!bytes->n || (unsigned char)bytes->p[0] > 1)
        return false;
    *flag = bytes->p[0];
    *bytes = str_from(*bytes, 1);
    return true;
}

static bool read_drop(struct str *bytes, uint32_t term_max, struct item *out)
{
    if (!varint_take_u32(bytes, UINT32_MAX, &out->term) || out->term > term_max || !varint_take_text(bytes, &out->dataset))
        return false;
    if (out->kind == ITEM_SETTLED)
        return varint_take(bytes, &out->seq);
    return out->kind == ITEM_DROP_SERIES ||
           (varint_take(bytes, &out->seq) && varint_take_u32(bytes, UINT32_MAX, &out->index) && read_flag(bytes, &out->current));
}

enum status item_read(struct str *bytes, uint32_t term_max, struct arena *a, struct item *out, struct why *why)
{
    bool ok = false;
    *out = (struct item){.kind = bytes->n ? (uint8_t)bytes->p[0] : 0};
    *bytes = str_from(*bytes, 1);
    switch ((enum item_kind)out->kind) {
    case ITEM_MODIFY:
        if (!read_flag(bytes, &out->current))
            break;
        return point_read(bytes, term_max, a, &out->point, why);
    case ITEM_POINT:
    case ITEM_REPLACED:
        return point_read(bytes, term_max, a, &out->point, why);
    case ITEM_SETTLED:
    case ITEM_DROP_POINT:
    case ITEM_DROP_SERIES:
        ok = read_drop(bytes, term_max, out);
        break;
    case ITEM_GROWN:
        ok = read_i64(bytes, &out->modified_at) && read_types(bytes, term_max, a, out);
        break;
    case ITEM_TYPES:
        ok = read_types(bytes, term_max, a, out);
        break;
    case ITEM_LIFE:
        ok = read_i64(bytes, &out->created_at) && read_i64(bytes, &out->modified_at) &&
             read_i64(bytes, &out->deleted_at);
        break;
    case ITEM_EXPIRES:
        ok = read_i64(bytes, &out->expires_at);
        break;
    case ITEM_DROP_ALL:
        ok = true;
        break;
    case ITEM_KIND_COUNT:
    default:
        break;
    }
    return ok ? OK : why_set(why, E_DAMAGED, NULL, "an item of the history is not what was written");
}

enum status items_check(struct str bytes, uint32_t term_max, struct why *why)
{
    struct arena *a = arena_new(0);
    enum status st = OK;
    while (bytes.n && st == OK) {
        struct item i;
        st = item_read(&bytes, term_max, a, &i, why);
        arena_reset(a);
    }
    arena_free(a);
    return st;
}

/* ---- groups ---- */

enum status group_read(struct str *bytes, uint64_t *seq, struct str *items, struct why *why)
{
    if (varint_take(bytes, seq) && varint_take_text(bytes, items))
        return OK;
    return why_set(why, E_DAMAGED, NULL, "a group of the history is cut off");
}
