/* Sorted by digits before a bitmap is made of them: adding in order is several times as fast. */
#include "store/embedded/slots.h"

#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

enum { ROOM_FIRST = 256, DIGIT_BITS = 11, DIGITS = 3, SORT_MIN = 64 };

void slots_add_slow(struct slots *s, uint32_t slot)
{
    s->room = s->room ? 2 * s->room : ROOM_FIRST;
    s->p = mem_realloc(s->p, s->room * sizeof *s->p);
    s->p[s->n++] = slot;
}

/* One digit, least significant first; *in and *out change places. */
static void sort_digit(uint32_t **in, uint32_t **out, size_t n, unsigned shift)
{
    size_t starts[1 << DIGIT_BITS] = {0}, sum = 0;
    uint32_t mask = (1u << DIGIT_BITS) - 1;
    for (size_t i = 0; i < n; i++)
        starts[(*in)[i] >> shift & mask]++;
    for (size_t d = 0; d <= mask; d++) {
        size_t count = starts[d];
        starts[d] = sum;
        sum += count;
    }
    for (size_t i = 0; i < n; i++)
        (*out)[starts[(*in)[i] >> shift & mask]++] = (*in)[i];
    uint32_t *kept = *in;
    *in = *out;
    *out = kept;
}

struct bitmap *slots_take(struct slots *s)
{
    uint32_t *spare = s->n < SORT_MIN ? NULL : mem_alloc(s->n * sizeof *spare);
    uint32_t most = 0;
    for (size_t i = 0; i < s->n; i++)
        most |= s->p[i];
    for (unsigned digit = 0; spare && digit < DIGITS && most >> (digit * DIGIT_BITS); digit++)
        sort_digit(&s->p, &spare, s->n, digit * DIGIT_BITS);
    struct bitmap *b = bitmap_of(s->p, s->n);
    free(s->p);
    free(spare);
    *s = (struct slots){0};
    return b;
}
