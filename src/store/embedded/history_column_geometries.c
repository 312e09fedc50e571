/* Geometries. What moves is a point: its text is the same but for two numbers (three with a height), which are columns of
 * their own, and its box is made of them. Whether all this gives the same bytes again is tried before it is trusted. */
#include "store/embedded/history_column_geometry.h"

#include "base/number.h"
#include "base/varint.h"

#include <assert.h>
#include <string.h>

enum {
    AS_TEXTS,  /* texts, west, south, east, north */
    AS_PLACES, /* texts, west, south: each box is a place */
    AS_POINTS, /* the text around 2 or 3 coordinates, a column of each */
    AS_SHAPES, /* taken apart into positions: history_column_shapes.c */
};
enum { COORDINATES_MAX = 3, AROUND_MAX = 128 };

/* The text of a point, cut at its coordinates. */
struct cut {
    uint32_t n; /* coordinates */
    struct str around[COORDINATES_MAX + 1];
    double coordinates[COORDINATES_MAX];
};

/* ---- writing ---- */

bool column_coordinate_take(struct str *rest, double *out)
{
    char again[NUMBER_TEXT_MAX];
    struct str text = str_head(*rest, number_length(*rest));
    if (!text.n || text.n > NUMBER_TEXT_MAX || !number_parse(text, out) ||
        !str_eq(text, (struct str){again, number_format(*out, again)}))
        return false;
    *rest = str_from(*rest, text.n);
    return true;
}

static bool cut_point(const struct value *v, struct cut *c)
{
    size_t open = str_find_char(v->text, '[');
    if (!v->point || open == STR_NPOS)
        return false;
    c->around[0] = str_head(v->text, open + 1);
    struct str rest = str_from(v->text, open + 1);
    for (c->n = 0; c->n < COORDINATES_MAX;) {
        if (!column_coordinate_take(&rest, &c->coordinates[c->n]))
            return false;
        c->n++;
        if (!str_starts(rest, STR(",")))
            break;
        if (c->n < COORDINATES_MAX)
            rest = str_from(rest, 1);
    }
    c->around[c->n] = rest;
    return c->n >= 2 && c->around[0].n + rest.n <= AROUND_MAX && column_to_bits(v->box.west) == column_to_bits(c->coordinates[0]) &&
           column_to_bits(v->box.south) == column_to_bits(c->coordinates[1]);
}

static bool box_is_place(const struct box *b)
{
    return column_to_bits(b->west) == column_to_bits(b->east) && column_to_bits(b->south) == column_to_bits(b->north);
}

static bool write_points(struct buf *b, const struct value *v, uint32_t n, struct arena *scratch)
{
    struct cut first, c;
    if (!cut_point(&v[0], &first))
        return false;
    int64_t *columns[COORDINATES_MAX];
    for (uint32_t k = 0; k < first.n; k++)
        columns[k] = arena_array(scratch, int64_t, n);
    for (uint32_t i = 0; i < n; i++) {
        if (!cut_point(&v[i], &c) || c.n != first.n || !str_eq(c.around[0], first.around[0]) ||
            !str_eq(c.around[c.n], first.around[c.n]) || !box_is_place(&v[i].box))
            return false;
        for (uint32_t k = 0; k < c.n; k++)
            columns[k][i] = column_to_bits(c.coordinates[k]);
    }
    buf_char(b, AS_POINTS);
    buf_char(b, (char)first.n);
    varint_write(b, first.around[0].n);
    buf_str(b, first.around[0]);
    varint_write(b, first.around[first.n].n);
    buf_str(b, first.around[first.n]);
    for (uint32_t k = 0; k < first.n; k++)
        column_numbers_write(b, columns[k], NULL, n, scratch);
    return true;
}

void column_boxes_write(struct buf *b, const struct value *v, uint32_t n, uint32_t sides, struct arena *scratch)
{
    int64_t *all = arena_array(scratch, int64_t, 4 * (size_t)n + 1);
    for (uint32_t i = 0; i < n; i++) {
        all[i] = column_to_bits(v[i].box.west);
        all[n + i] = column_to_bits(v[i].box.south);
        all[2 * (size_t)n + i] = column_to_bits(v[i].box.east);
        all[3 * (size_t)n + i] = column_to_bits(v[i].box.north);
    }
    for (uint32_t k = 0; k < sides && n; k++)
        column_numbers_write(b, all + k * (size_t)n, NULL, n, scratch);
}

static void write_texts(struct buf *b, const struct value *v, uint32_t n, struct arena *scratch)
{
    struct str *texts = arena_array(scratch, struct str, n);
    uint8_t *flags = arena_array(scratch, uint8_t, n);
    bool places = true;
    for (uint32_t i = 0; i < n; i++) {
        texts[i] = v[i].text;
        flags[i] = v[i].point;
        places = places && box_is_place(&v[i].box);
    }
    buf_char(b, places ? AS_PLACES : AS_TEXTS);
    column_texts_write(b, texts, flags, n, scratch);
    column_boxes_write(b, v, n, places ? 2 : 4, scratch);
}

void column_geometries_write(struct buf *b, const struct value *v, uint32_t n, struct arena *scratch)
{
    if (!n || write_points(b, v, n, scratch))
        return;
    struct buf apart, texts;
    buf_init(&apart, SIZE_MAX / 2);
    buf_init(&texts, SIZE_MAX / 2);
    buf_char(&apart, AS_SHAPES);
    bool can = column_shapes_write(&apart, v, n, scratch);
    write_texts(&texts, v, n, scratch);
    buf_str(b, can && apart.n < texts.n ? buf_view(&apart) : buf_view(&texts));
    buf_free(&apart);
    buf_free(&texts);
}

/* ---- reading ---- */

static struct str write_point(const struct cut *c, struct arena *a)
{
    char text[AROUND_MAX + COORDINATES_MAX * (NUMBER_TEXT_MAX + 1)];
    size_t n = c->around[0].n;
    memcpy(text, c->around[0].p, n);
    for (uint32_t k = 0; k < c->n; k++) {
        if (k)
            text[n++] = ',';
        n += number_format(c->coordinates[k], text + n);
    }
    memcpy(text + n, c->around[c->n].p, c->around[c->n].n);
    return arena_dup(a, (struct str){text, n + c->around[c->n].n});
}

bool column_side_read(struct column_source *s, uint32_t n, int64_t *out)
{
    uint8_t whole[COLUMN_VALUES_MAX];
    if (!column_numbers_read(s, n, out, whole))
        return false;
    s->bad = memchr(whole, 1, n) != NULL;
    return !s->bad;
}

static bool read_points(struct column_source *s, uint32_t n, struct arena *a, struct value *out)
{
    int64_t columns[COORDINATES_MAX][COLUMN_VALUES_MAX];
    struct cut c = {.n = column_byte_read(s)};
    s->bad = s->bad || c.n < 2 || c.n > COORDINATES_MAX;
    if (s->bad)
        return false;
    c.around[0] = column_bytes_read(s, column_uint_read(s));
    c.around[c.n] = column_bytes_read(s, column_uint_read(s));
    s->bad = s->bad || !c.around[0].n || !c.around[c.n].n || c.around[0].n + c.around[c.n].n > AROUND_MAX;
    for (uint32_t k = 0; k < c.n && !s->bad; k++)
        column_side_read(s, n, columns[k]);
    for (uint32_t i = 0; i < n && !s->bad; i++) {
        for (uint32_t k = 0; k < c.n; k++)
            c.coordinates[k] = column_to_double(columns[k][i]);
        double x = c.coordinates[0], y = c.coordinates[1];
        out[i] = (struct value){.kind = VALUE_GEO, .point = true, .box = {x, y, x, y}, .text = write_point(&c, a)};
    }
    return !s->bad;
}

bool column_boxes_read(struct column_source *s, struct value *v, uint32_t n, uint32_t sides)
{
    int64_t side[4][COLUMN_VALUES_MAX];
    for (uint32_t k = 0; k < sides && n && !s->bad; k++)
        (void)column_side_read(s, n, side[k]);
    for (uint32_t i = 0; i < n && !s->bad; i++) {
        double x = column_to_double(side[0][i]), y = column_to_double(side[1][i]);
        v[i].box = (struct box){x, y, x, y};
        if (sides == 4) {
            v[i].box.east = column_to_double(side[2][i]);
            v[i].box.north = column_to_double(side[3][i]);
        }
    }
    return !s->bad;
}

bool column_geometries_read(struct column_source *s, uint32_t n, struct arena *a, struct value *out)
{
    struct str texts[COLUMN_VALUES_MAX];
    uint8_t flags[COLUMN_VALUES_MAX];
    assert(n <= COLUMN_VALUES_MAX);
    if (!n || s->bad)
        return !s->bad;
    uint8_t how = column_byte_read(s);
    if (how == AS_POINTS && !s->bad)
        return read_points(s, n, a, out);
    if (how == AS_SHAPES && !s->bad)
        return column_shapes_read(s, n, a, out);
    s->bad = s->bad || how > AS_SHAPES || !column_texts_read(s, n, a, texts, flags, NULL);
    for (uint32_t i = 0; i < n && !s->bad; i++)
        out[i] = (struct value){.kind = VALUE_GEO, .point = flags[i], .text = texts[i]};
    return !s->bad && column_boxes_read(s, out, n, how == AS_TEXTS ? 4 : 2);
}
