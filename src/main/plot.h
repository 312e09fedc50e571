/* A series drawn with braille patterns, two by four dots a character. */
#ifndef MAIN_PLOT_H
#define MAIN_PLOT_H

#include "base/buf.h"

struct plot_point {
    int64_t us;
    double value; /* finite */
};
/* Into b: `lines` lines with the scale in front, `columns` wide in all, and one with the first and the last time. Points in
 * order of time; where several share a column of dots, all of them are drawn. */
void plot_draw(struct buf *b, const struct plot_point *points, size_t count, size_t columns, size_t lines);

#endif
