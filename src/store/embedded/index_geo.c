/* Z-order arithmetic and the cutting of rectangles into ranges. */
#include "store/embedded/index_geo.h"

#include <math.h>
#include <string.h>

enum { LEVELS = 29, KEY_BITS = 2 * LEVELS, RANGES_MAX = 48 };

/* Spreads the low 29 bits so that a zero stands between each two. */
static uint64_t spread(uint32_t v)
{
    uint64_t x = v;
    x = (x | x << 16) & 0x0000FFFF0000FFFFu;
    x = (x | x << 8) & 0x00FF00FF00FF00FFu;
    x = (x | x << 4) & 0x0F0F0F0F0F0F0F0Fu;
    x = (x | x << 2) & 0x3333333333333333u;
    return (x | x << 1) & 0x5555555555555555u;
}

static uint32_t gather(uint64_t x)
{
    x &= 0x5555555555555555u;
    x = (x | x >> 1) & 0x3333333333333333u;
    x = (x | x >> 2) & 0x0F0F0F0F0F0F0F0Fu;
    x = (x | x >> 4) & 0x00FF00FF00FF00FFu;
    x = (x | x >> 8) & 0x0000FFFF0000FFFFu;
    return (uint32_t)(x | x >> 16);
}

/* Column or row at the finest level; monotonic in the degrees, clamped to the square. */
static uint32_t cell_of(double degrees, double origin)
{
    double v = floor((degrees - origin) / 360.0 * (1 << LEVELS));
    if (!(v > 0))
        return 0;
    return v >= (1 << LEVELS) ? (1u << LEVELS) - 1 : (uint32_t)v;
}

struct rect {
    uint32_t west, south, east, north; /* cells, inclusive */
};

static struct rect rect_of(struct box b)
{
    return (struct rect){cell_of(b.west, -180), cell_of(b.south, -90), cell_of(b.east, -180),
                         cell_of(b.north, -90)};
}

uint64_t index_geo_key(struct box b)
{
    struct rect r = rect_of(b);
    uint32_t up = 0; /* levels above the finest */
    while ((r.east >> up) - (r.west >> up) > (up ? 1 : 0) ||
           (r.north >> up) - (r.south >> up) > (up ? 1 : 0))
        up++;
    uint64_t level = LEVELS - up;
    return level << KEY_BITS | spread(r.west >> up) | spread(r.south >> up) << 1;
}

struct search {
    const struct ordered *cells;
    struct rect rect; /* of the level at hand */
    uint64_t level;
    uint64_t estimate;
    struct slots *out; /* NULL: only estimate */
};

static void visit_range(struct search *s, uint64_t low, uint64_t high)
{
    uint64_t base = s->level << KEY_BITS;
    if (!s->out) {
        s->estimate += ordered_estimate(s->cells, base | low, base | high);
        return;
    }
    struct ordered_cursor c = ordered_from(s->cells, base | low, base | high);
    while (ordered_next(&c)) {
        uint64_t z = c.key - base;
        uint32_t x = gather(z), y = gather(z >> 1);
        if (x >= s->rect.west && x <= s->rect.east && y >= s->rect.south && y <= s->rect.north)
            slots_add(s->out, c.slot);
    }
}

/* A quadrant of 2^bits cells a side. */
struct quadrant {
    uint32_t x, y, bits;
};

static bool apart(const struct rect *r, const struct quadrant *q)
{
    uint32_t last = (1u << q->bits) - 1;
    return q->x > r->east || q->y > r->north || q->x + last < r->west || q->y + last < r->south;
}

static bool inside(const struct rect *r, const struct quadrant *q)
{
    uint32_t last = (1u << q->bits) - 1;
    return q->x >= r->west && q->x + last <= r->east && q->y >= r->south && q->y + last <= r->north;
}

/* Cuts the n quadrants that are not inside into four, and leaves out those apart, in Z-order.
 * Returns how many there are then; more than RANGES_MAX: too many, *out is not whole. */
static uint32_t cut(const struct rect *r, const struct quadrant *in, uint32_t n,
                    struct quadrant *out)
{
    uint32_t m = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (in[i].bits == 0 || inside(r, &in[i])) {
            if (m == RANGES_MAX)
                return m + 1;
            out[m++] = in[i];
            continue;
        }
        uint32_t bits = in[i].bits - 1;
        for (uint32_t k = 0; k < 4; k++) {
            struct quadrant q = {in[i].x + ((k & 1) << bits), in[i].y + ((k >> 1) << bits), bits};
            if (apart(r, &q))
                continue;
            if (m == RANGES_MAX)
                return m + 1;
            out[m++] = q;
        }
    }
    return m;
}

static void visit_quadrants(struct search *s, const struct quadrant *q, uint32_t n)
{
    uint64_t low = 0, end = 0; /* neighbours on the curve are one range */
    for (uint32_t i = 0; i < n; i++) {
        uint64_t z = spread(q[i].x) | spread(q[i].y) << 1;
        if (z != end || i == 0) {
            if (i)
                visit_range(s, low, end - 1);
            low = z;
        }
        end = z + ((uint64_t)1 << 2 * q[i].bits);
    }
    visit_range(s, low, end - 1);
}

static void visit_level(struct search *s, struct box reach, uint64_t level)
{
    struct rect r = rect_of(reach);
    uint32_t up = (uint32_t)(LEVELS - level), one = up ? 1 : 0;
    r = (struct rect){r.west >> up, r.south >> up, r.east >> up, r.north >> up};
    r.west -= r.west >= one ? one : 0;
    r.south -= r.south >= one ? one : 0;
    s->rect = r;
    s->level = level;
    /* Start from the smallest quadrant that holds the rectangle. */
    uint32_t bits = 0;
    while (r.west >> bits != r.east >> bits || r.south >> bits != r.north >> bits)
        bits++;
    struct quadrant a[RANGES_MAX] = {{r.west >> bits << bits, r.south >> bits << bits, bits}};
    struct quadrant b[RANGES_MAX];
    uint32_t n = 1;
    for (uint32_t round = 0; round < bits; round++) {
        uint32_t m = cut(&r, a, n, b);
        if (m > RANGES_MAX)
            break;
        n = m;
        memcpy(a, b, n * sizeof a[0]);
    }
    visit_quadrants(s, a, n);
}

static void search(struct search *s, struct box reach)
{
    /* Levels in use, found by leaping from key to key. */
    for (uint64_t level = 0; level <= LEVELS; level++) {
        struct ordered_cursor c = ordered_from(s->cells, level << KEY_BITS, UINT64_MAX);
        if (!ordered_next(&c))
            return;
        level = c.key >> KEY_BITS;
        visit_level(s, reach, level);
    }
}

uint64_t index_geo_estimate(const struct ordered *cells, struct box reach)
{
    struct search s = {.cells = cells};
    search(&s, reach);
    return s.estimate;
}

void index_geo_collect(const struct ordered *cells, struct box reach, struct slots *out)
{
    struct search s = {.cells = cells, .out = out};
    search(&s, reach);
}
