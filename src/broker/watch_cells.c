/* See watch_cells.h. */
#include "broker/watch_cells.h"

#include <math.h>

static uint32_t cell_of(double degrees, double from, double width, uint32_t level)
{
    double n = floor((degrees - from) / width * (double)(1u << level));
    double last = (double)(1u << level) - 1;
    return (uint32_t)(n < 0 ? 0 : n > last ? last : n);
}

struct watch_cells watch_cells_of(struct box b, uint32_t level)
{
    return (struct watch_cells){cell_of(b.west, -180, 360, level), cell_of(b.east, -180, 360, level),
                                cell_of(b.south, -90, 180, level), cell_of(b.north, -90, 180, level)};
}

uint64_t watch_cells_count(struct watch_cells c)
{
    return (uint64_t)(c.east - c.west + 1) * (c.north - c.south + 1);
}

bool watch_cells_tell(struct box b)
{
    return b.west >= -180 && b.west <= b.east && b.east <= 180 && b.south >= -90 &&
           b.south <= b.north && b.north <= 90 && b.east - b.west < 90 && b.north - b.south < 45;
}

uint32_t watch_cells_level(struct box b)
{
    uint32_t level = WATCH_CELL_LEVELS - 1;
    while (level && (b.east - b.west > 360 / (double)(1u << level) ||
                     b.north - b.south > 180 / (double)(1u << level)))
        level--;
    return level;
}
