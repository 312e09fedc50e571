/* Geometries that are more than a point: lines, polygons and what is made of these. The text of one is arrays in arrays of
 * positions, with something before and behind. What is around goes as texts, how many there are in each array as integers, all
 * longitudes as a column of numbers, so are latitudes and heights. That is little, as a position is near the one before.
 *
 * A geometry is taken apart only if it comes back from its parts to the last byte, its box too; any other is among the
 * texts as it is. */
#include "store/embedded/history_column_geometry.h"

#include "base/number.h"
#include "base/varint.h"

#include <stdlib.h>
#include <string.h>

enum {
    DEPTH_MAX = 4, /* of arrays: those of a MultiPolygon */
    POSITIONS_MAX = 1 << 20,
    AXES = 3,
};

/* A list that grows. */
struct numbers {
    int64_t *v;
    uint32_t n, room;
};

/* All geometries of a column, taken apart. */
struct shapes {
    struct arena *arena;
    struct numbers counts[DEPTH_MAX + 1]; /* [k]: how many arrays of depth k - 1 are in each one of depth k, from 2 on */
    struct numbers axes[AXES];            /* those without a height have a 0 there */
    bool high;                            /* some have one */
};

static void add(struct shapes *s, struct numbers *to, int64_t v)
{
    if (to->n == to->room) {
        uint32_t room = to->room ? 2 * to->room : 64;
        to->v = arena_grow(s->arena, to->v, to->room * sizeof v, room * sizeof v);
        to->room = room;
    }
    to->v[to->n++] = v;
}

/* ---- taking apart ---- */

struct cut {
    struct str around[2]; /* before the first bracket, and behind its counterpart */
    uint8_t depth, axes;
    struct box box;
};

static bool take_char(struct str *rest, char c)
{
    bool is = rest->n && rest->p[0] == c;
    *rest = str_from(*rest, is);
    return is;
}

static bool take_position(struct shapes *s, struct cut *c, struct str *rest)
{
    double at[AXES] = {0};
    uint8_t n = 0;
    do {
        if (n == AXES || !column_coordinate_take(rest, &at[n++]))
            return false;
    } while (take_char(rest, ','));
    c->axes = c->axes ? c->axes : n;
    if (n < 2 || n != c->axes || s->axes[0].n == POSITIONS_MAX)
        return false;
    for (uint32_t k = 0; k < AXES; k++)
        add(s, &s->axes[k], column_to_bits(at[k]));
    return true;
}

/* An array of this depth: 1 is a position. */
static bool take_array(struct shapes *s, struct cut *c, unsigned depth, struct str *rest)
{
    int64_t n = 0;
    if (!take_char(rest, '['))
        return false;
    if (depth == 1)
        return take_position(s, c, rest) && take_char(rest, ']');
    do {
        if (!take_array(s, c, depth - 1, rest))
            return false;
        n++;
    } while (take_char(rest, ','));
    add(s, &s->counts[depth], n);
    return take_char(rest, ']');
}

/* Of positions from `from` on, at least one. */
static struct box box_of(const struct shapes *s, uint32_t from, uint32_t to)
{
    double x = column_to_double(s->axes[0].v[from]), y = column_to_double(s->axes[1].v[from]);
    struct box b = {x, y, x, y};
    for (uint32_t i = from + 1; i < to; i++) {
        x = column_to_double(s->axes[0].v[i]);
        y = column_to_double(s->axes[1].v[i]);
        b.west = x < b.west ? x : b.west;
        b.east = x > b.east ? x : b.east;
        b.south = y < b.south ? y : b.south;
        b.north = y > b.north ? y : b.north;
    }
    return b;
}

static bool same_box(const struct box *a, const struct box *b)
{
    return column_to_bits(a->west) == column_to_bits(b->west) && column_to_bits(a->south) == column_to_bits(b->south) &&
           column_to_bits(a->east) == column_to_bits(b->east) && column_to_bits(a->north) == column_to_bits(b->north);
}

/* False, and nothing is added: its text is to be kept. */
static bool take_apart(struct shapes *s, const struct value *v, struct cut *c)
{
    struct shapes before = *s;
    size_t open = str_find_char(v->text, '[');
    struct str rest = str_from(v->text, open == STR_NPOS ? v->text.n : open);
    *c = (struct cut){.around[0] = str_head(v->text, open == STR_NPOS ? 0 : open)};
    while (c->depth < rest.n && c->depth <= DEPTH_MAX && rest.p[c->depth] == '[')
        c->depth++;
    bool ok = c->depth >= 1 && c->depth <= DEPTH_MAX && v->point == (c->depth == 1) && take_array(s, c, c->depth, &rest);
    struct box box = ok ? box_of(s, before.axes[0].n, s->axes[0].n) : (struct box){0};
    c->around[1] = rest;
    if (ok && same_box(&box, &v->box)) {
        s->high = s->high || c->axes == AXES;
        return true;
    }
    for (uint32_t k = 0; k <= DEPTH_MAX; k++)
        s->counts[k].n = before.counts[k].n;
    for (uint32_t k = 0; k < AXES; k++)
        s->axes[k].n = before.axes[k].n;
    return false;
}

/* ---- writing ---- */

static void write_counts(struct buf *b, const struct numbers *v)
{
    for (uint32_t i = 0; i < v->n; i += COLUMN_VALUES_MAX)
        column_ints_write(b, v->v + i, v->n - i < COLUMN_VALUES_MAX ? v->n - i : COLUMN_VALUES_MAX);
}

static void write_axis(struct buf *b, const struct numbers *v, struct arena *scratch)
{
    for (uint32_t i = 0; i < v->n; i += COLUMN_VALUES_MAX)
        column_numbers_write(b, v->v + i, NULL, v->n - i < COLUMN_VALUES_MAX ? v->n - i : COLUMN_VALUES_MAX, scratch);
}

/* Depth and number of axes in one; 0: kept as text. */
static int64_t manner_of(const struct cut *c)
{
    return 2 * c->depth + c->axes - 2;
}

/* The different ones: v[first[i]]. False: there is none to be taken apart. */
static bool write_different(struct buf *b, const struct value *v, const uint32_t *first, uint32_t n, int64_t *manners,
                            struct arena *scratch)
{
    struct shapes s = {.arena = scratch};
    struct str *texts = arena_array(scratch, struct str, n);
    uint8_t *flags = arena_zarray(scratch, uint8_t, n);
    int64_t *heads = arena_zarray(scratch, int64_t, n);
    uint32_t apart = 0;
    for (uint32_t i = 0; i < n; i++) {
        const struct value *w = &v[first[i]];
        struct cut c;
        bool is = take_apart(&s, w, &c);
        apart += is;
        manners[i] = is ? manner_of(&c) : 0;
        heads[i] = is ? (int64_t)c.around[0].n : 0;
        texts[i] = is ? arena_join(scratch, c.around, 2) : w->text;
        flags[i] = w->point;
    }
    column_ints_write(b, manners, n);
    column_texts_write(b, texts, flags, n, scratch);
    column_ints_write(b, heads, n);
    for (uint32_t k = DEPTH_MAX; k >= 2; k--)
        write_counts(b, &s.counts[k]);
    buf_char(b, (char)s.high);
    for (uint32_t k = 0; k < (s.high ? AXES : AXES - 1); k++)
        write_axis(b, &s.axes[k], scratch);
    return apart > 0;
}

bool column_shapes_write(struct buf *b, const struct value *v, uint32_t n, struct arena *scratch)
{
    struct str *texts = arena_array(scratch, struct str, n);
    uint8_t *flags = arena_array(scratch, uint8_t, n);
    int64_t *at = arena_array(scratch, int64_t, n), *manners = arena_array(scratch, int64_t, n);
    uint32_t *first = arena_array(scratch, uint32_t, n);
    struct value *whole = arena_array(scratch, struct value, n);
    size_t bytes = 0;
    for (uint32_t i = 0; i < n; i++) {
        texts[i] = v[i].text;
        flags[i] = v[i].point;
        bytes += v[i].text.n;
    }
    uint32_t distinct = column_texts_distinct(texts, flags, n, scratch, at, first), kept = 0;
    for (uint32_t i = 0; i < n; i++) /* a box that is not that of the same text elsewhere */
        if (!same_box(&v[i].box, &v[first[at[i]]].box))
            return false;
    varint_write(b, distinct);
    if (distinct > 1)
        column_ints_write(b, at, n);
    if (bytes > COLUMN_INFLATED_MAX || !write_different(b, v, first, distinct, manners, scratch))
        return false;
    for (uint32_t i = 0; i < distinct; i++)
        if (!manners[i])
            whole[kept++] = v[first[i]];
    column_boxes_write(b, whole, kept, 4, scratch);
    return true;
}

/* ---- reading ---- */

static bool read_counts(struct column_source *s, struct shapes *all, unsigned depth, uint64_t n, uint64_t *sum)
{
    struct numbers *to = &all->counts[depth];
    s->bad = s->bad || n > POSITIONS_MAX;
    if (s->bad)
        return false;
    to->v = arena_array(all->arena, int64_t, n + 1);
    for (to->n = 0; to->n < n;) {
        uint32_t some = n - to->n < COLUMN_VALUES_MAX ? (uint32_t)n - to->n : COLUMN_VALUES_MAX;
        if (!column_ints_read(s, some, to->v + to->n))
            return false;
        to->n += some;
    }
    for (uint32_t i = 0; i < to->n; i++) {
        s->bad = s->bad || to->v[i] < 1 || to->v[i] > POSITIONS_MAX;
        *sum += s->bad ? 0 : (uint64_t)to->v[i];
    }
    return !s->bad;
}

static bool read_axis(struct column_source *s, struct shapes *all, uint32_t k, uint32_t n)
{
    all->axes[k].v = arena_array(all->arena, int64_t, n + 1);
    for (uint32_t at = 0, some; at < n; at += some) {
        some = n - at < COLUMN_VALUES_MAX ? n - at : COLUMN_VALUES_MAX;
        if (!column_side_read(s, some, all->axes[k].v + at))
            return false;
    }
    return true;
}

/* How many are in each array, and all positions; manners have been looked at. */
static bool read_parts(struct column_source *s, struct shapes *all, const int64_t *manners, uint32_t n)
{
    uint64_t of[DEPTH_MAX + 1] = {0};
    for (uint32_t i = 0; i < n; i++)
        of[manners[i] / 2] += manners[i] > 0;
    for (unsigned k = DEPTH_MAX; k >= 2; k--)
        if (!read_counts(s, all, k, of[k], &of[k - 1]))
            return false;
    uint8_t high = column_byte_read(s);
    s->bad = s->bad || high > 1 || of[1] > POSITIONS_MAX;
    all->high = high;
    all->axes[0].n = s->bad ? 0 : (uint32_t)of[1];
    for (uint32_t k = 0; k < (high ? AXES : AXES - 1) && !s->bad; k++)
        (void)read_axis(s, all, k, (uint32_t)of[1]);
    return !s->bad;
}

/* Where the next geometry begins in each list. */
struct cursor {
    uint32_t counts[DEPTH_MAX + 1], position;
};

static void write_array(struct buf *b, const struct shapes *s, struct cursor *c, unsigned depth, uint32_t axes)
{
    char text[NUMBER_TEXT_MAX];
    buf_char(b, '[');
    if (depth == 1) {
        for (uint32_t k = 0; k < axes; k++) {
            if (k)
                buf_char(b, ',');
            buf_put(b, text, number_format(column_to_double(s->axes[k].v[c->position]), text));
        }
        c->position++;
    } else {
        int64_t n = s->counts[depth].v[c->counts[depth]++];
        for (int64_t i = 0; i < n; i++) {
            if (i)
                buf_char(b, ',');
            write_array(b, s, c, depth - 1, axes);
        }
    }
    buf_char(b, ']');
}

/* All but its text, which goes into b: what is around, of which the first head bytes come before. */
static struct value put_together(struct buf *b, const struct shapes *s, struct cursor *c, int64_t manner, struct str around,
                                 size_t head)
{
    uint32_t from = c->position;
    buf_str(b, str_head(around, head));
    write_array(b, s, c, (unsigned)manner / 2, 2 + (uint32_t)manner % 2);
    buf_str(b, str_from(around, head));
    return (struct value){.kind = VALUE_GEO, .point = manner / 2 == 1, .box = box_of(s, from, c->position)};
}

static bool read_manners(struct column_source *s, uint32_t n, int64_t *manners, uint32_t *kept)
{
    *kept = 0;
    if (!column_ints_read(s, n, manners))
        return false;
    for (uint32_t i = 0; i < n; i++) {
        s->bad = s->bad || manners[i] < 0 || manners[i] == 1 || manners[i] > 2 * DEPTH_MAX + 1;
        *kept += manners[i] == 0;
    }
    return !s->bad;
}

/* The different ones. */
static bool read_different(struct column_source *s, uint32_t n, struct arena *a, struct arena *scratch, struct value *out)
{
    struct shapes all = {.arena = scratch};
    struct cursor c = {.position = 0};
    uint32_t kept;
    int64_t *manners = arena_array(scratch, int64_t, n), *heads = arena_array(scratch, int64_t, n);
    struct str *texts = arena_array(scratch, struct str, n);
    uint8_t *flags = arena_array(scratch, uint8_t, n);
    struct value *whole = arena_zarray(scratch, struct value, n);
    struct buf b;
    if (!read_manners(s, n, manners, &kept) || !column_texts_read(s, n, a, texts, flags, NULL) ||
        !column_ints_read(s, n, heads) || !read_parts(s, &all, manners, n) || !column_boxes_read(s, whole, kept, 4))
        return false;
    buf_init(&b, COLUMN_INFLATED_MAX);
    kept = 0;
    for (uint32_t i = 0; i < n && !s->bad; i++) {
        size_t bytes = b.n;
        s->bad = manners[i] && (heads[i] < 0 || (uint64_t)heads[i] > texts[i].n || flags[i] != (manners[i] / 2 == 1) ||
                                manners[i] % 2 > all.high);
        if (s->bad)
            break;
        if (manners[i]) {
            out[i] = put_together(&b, &all, &c, manners[i], texts[i], (size_t)heads[i]);
            s->bad = b.full;
            out[i].text = s->bad ? STR("") : arena_dup(a, str_from(buf_view(&b), bytes));
        } else {
            out[i] = (struct value){.kind = VALUE_GEO, .point = flags[i], .box = whole[kept++].box, .text = texts[i]};
        }
    }
    buf_free(&b);
    return !s->bad;
}

bool column_shapes_read(struct column_source *s, uint32_t n, struct arena *a, struct value *out)
{
    int64_t which[COLUMN_VALUES_MAX] = {0};
    uint64_t distinct = column_uint_read(s);
    s->bad = s->bad || !distinct || distinct > n;
    if (s->bad || (distinct > 1 && !column_ints_read(s, n, which)))
        return false;
    struct arena *scratch = arena_new(0);
    struct value *different = arena_array(scratch, struct value, distinct);
    if (read_different(s, (uint32_t)distinct, a, scratch, different))
        for (uint32_t i = 0; i < n && !s->bad; i++) {
            s->bad = (uint64_t)which[i] >= distinct;
            if (!s->bad)
                out[i] = different[which[i]];
        }
    arena_free(scratch);
    return !s->bad;
}
