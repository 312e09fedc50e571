/* Each column of dots shows the span of values between its points and the one before, so that steep lines do not break. */
#include "main/plot.h"

#include "base/time.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { SCALE = 11, COLUMNS_MIN = 8, DOTS_X = 2, DOTS_Y = 4, LABEL_MAX = 32 };

struct canvas {
    size_t width, height; /* in dots */
    unsigned char *cells; /* width / 2 times height / 4 */
};

static void dot(struct canvas *c, size_t x, size_t y)
{
    static const unsigned char BITS[DOTS_Y][DOTS_X] = {{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}};
    c->cells[y / DOTS_Y * (c->width / DOTS_X) + x / DOTS_X] |= BITS[y % DOTS_Y][x % DOTS_X];
}

static size_t scaled(double part, size_t most)
{
    double at = part * (double)most + 0.5;
    return at < 0 ? 0 : at > (double)most ? most : (size_t)at;
}

static void line(struct canvas *c, size_t x0, size_t y0, size_t x1, size_t y1)
{
    size_t steps = x1 > x0 ? x1 - x0 : 1;
    size_t tall = y1 > y0 ? y1 - y0 : y0 - y1;
    steps = tall > steps ? tall : steps;
    for (size_t i = 0; i <= steps; i++) {
        double part = (double)i / (double)steps;
        double y = (double)y0 + ((double)y1 - (double)y0) * part;
        dot(c, x0 + scaled(part, x1 - x0), (size_t)(y + 0.5));
    }
}

/* U+2800 and the bits of its dots, in UTF-8. */
static void braille(struct buf *b, unsigned char bits)
{
    char text[3] = {(char)0xE2, (char)(0xA0 | bits >> 6), (char)(0x80 | (bits & 0x3F))};
    buf_put(b, text, sizeof text);
}

static void scale_write(struct buf *b, double value)
{
    char text[LABEL_MAX];
    snprintf(text, sizeof text, "%.6g", value);
    buf_printf(b, "%*s ", SCALE - 1, text);
}

static void times_write(struct buf *b, int64_t first, int64_t last, size_t columns)
{
    char from[TIME_TEXT_MAX], to[TIME_TEXT_MAX];
    size_t n = time_format(first, from), m = time_format(last, to);
    size_t gap = columns > n + m + 1 ? columns - n - m : 1;
    buf_printf(b, "%*s%.*s%*s%.*s\n", SCALE, "", (int)n, from, (int)gap, "", (int)m, to);
}

void plot_draw(struct buf *b, const struct plot_point *points, size_t count, size_t columns, size_t lines)
{
    if (!count)
        return;
    columns = columns > SCALE + COLUMNS_MIN ? columns - SCALE : COLUMNS_MIN;
    struct canvas c = {.width = columns * DOTS_X, .height = lines * DOTS_Y};
    c.cells = mem_zalloc(columns * lines);
    double low = points[0].value, high = low;
    for (size_t i = 1; i < count; i++) {
        low = fmin(low, points[i].value);
        high = fmax(high, points[i].value);
    }
    int64_t first = points[0].us, last = points[count - 1].us;
    size_t x0 = 0, y0 = 0;
    for (size_t i = 0; i < count; i++) {
        double across = last > first ? (double)(points[i].us - first) / (double)(last - first) : 0;
        double up = high > low ? (points[i].value - low) / (high - low) : 0.5;
        size_t x = scaled(across, c.width - 1), y = c.height - 1 - scaled(up, c.height - 1);
        line(&c, i ? x0 : x, i ? y0 : y, x, y);
        x0 = x;
        y0 = y;
    }
    for (size_t l = 0; l < lines; l++) {
        if (l == 0 || l + 1 == lines)
            scale_write(b, l ? low : high);
        else
            buf_printf(b, "%*s", SCALE, "");
        for (size_t i = 0; i < columns; i++)
            braille(b, c.cells[l * columns + i]);
        buf_char(b, '\n');
    }
    times_write(b, first, last, columns);
    free(c.cells);
}
