/* See history_model.h. */
#include "history_model.h"

#include <stdlib.h>
#include <string.h>

void model_add(struct model_series *s, const struct model_point *p)
{
    if (s->count == s->room) {
        s->room = s->room ? 2 * s->room : 64;
        s->points = realloc(s->points, s->room * sizeof *s->points);
        if (!s->points)
            abort();
    }
    s->points[s->count++] = *p;
}

static struct model_point *find(struct model_series *s, uint64_t seq, uint32_t index)
{
    for (uint32_t i = 0; i < s->count; i++)
        if (s->points[i].seq == seq && s->points[i].index == index)
            return &s->points[i];
    abort(); /* it was chosen among them */
}

static void set(struct model_series *s, const struct model_op *op, uint64_t seq)
{
    s->current = true;
    s->value = op->value;
    model_add(s, &(struct model_point){seq, 0, op->at == MODEL_NO_TIME ? op->now : op->at, op->value, false});
}

static void end(struct model_series *s, const struct model_op *op, uint64_t seq)
{
    if (s->current)
        model_add(s, &(struct model_point){seq, 0, op->now, 0, true});
    s->current = false;
}

static int by_place(const void *x, const void *y)
{
    const struct model_point *a = x, *b = y;
    if (a->place != b->place)
        return a->place < b->place ? -1 : 1;
    if (a->seq != b->seq)
        return a->seq < b->seq ? -1 : 1;
    return (a->index > b->index) - (a->index < b->index);
}

/* Has the series instances, and is the last one no deletion? */
static bool is_open(const struct model_series *s)
{
    const struct model_point *last = s->points;
    for (uint32_t i = 1; i < s->count; i++)
        if (by_place(last, &s->points[i]) < 0)
            last = &s->points[i];
    return s->count && !last->deletion;
}

bool model_can_end(const struct model_entity *e)
{
    bool open = false;
    for (unsigned k = 0; k < MODEL_SERIES; k++)
        open = open || is_open(&e->series[k]);
    return open && !e->there && !e->ended;
}

static void mark_ended(struct model_entity *e, const struct model_op *op, uint64_t seq)
{
    for (unsigned k = 0; k < MODEL_SERIES; k++)
        if (is_open(&e->series[k]))
            model_add(&e->series[k], &(struct model_point){seq, 0, op->now, 0, true});
    e->ended = true;
}

static void update(struct model_entity *e, const struct model_op *op, uint64_t seq)
{
    e->there = true;
    for (unsigned k = 0; k < MODEL_SERIES; k++) {
        if (op->mask >> k & 1)
            set(&e->series[k], op, seq);
        else if (op->kind == 'P')
            end(&e->series[k], op, seq);
    }
}

static void delete(struct model_entity *e, const struct model_op *op, uint64_t seq)
{
    for (unsigned k = 0; k < MODEL_SERIES; k++)
        end(&e->series[k], op, seq);
    e->there = false;
    e->ended = true;
}

void model_apply(struct model_entity *e, const struct model_op *op, uint64_t seq)
{
    struct model_series *s = &e->series[op->k];
    struct model_point *p;
    switch (op->kind) {
    case 'U':
    case 'P':
        update(e, op, seq);
        break;
    case 'D':
        delete(e, op, seq);
        break;
    case 'X':
        end(s, op, seq);
        break;
    case 'R':
        for (unsigned i = 0; i < op->n; i++)
            model_add(s, &(struct model_point){seq, i, op->at + (int64_t)i * MODEL_STEP_US, op->value + i, false});
        break;
    case 'M':
        p = find(s, op->seq, op->index);
        *p = (struct model_point){p->seq, p->index, op->at, op->value, false};
        break;
    case 'I':
        p = find(s, op->seq, op->index);
        *p = s->points[--s->count];
        break;
    case 'A':
        s->count = 0;
        break;
    case 'Z':
        for (unsigned k = 0; k < MODEL_SERIES; k++)
            e->series[k].count = 0;
        e->ended = false;
        break;
    case 'K':
        mark_ended(e, op, seq);
        break;
    default:
        abort();
    }
}

/* ---- comparing ---- */

static int by_change(const void *x, const void *y)
{
    const struct model_point *a = x, *b = y;
    if (a->seq != b->seq)
        return a->seq < b->seq ? -1 : 1;
    return (a->index > b->index) - (a->index < b->index);
}

static const char *compare_series(struct model_series *s, struct model_series *found, bool fill)
{
    if (found->count > s->count)
        return "it has more instances than were recorded";
    if (found->count < s->count)
        return "instances are missing";
    if (s->current != found->current || (s->current && s->value != found->value))
        return "today's entity is another";
    if (!s->count)
        return NULL;
    qsort(s->points, s->count, sizeof *s->points, by_change);
    qsort(found->points, found->count, sizeof *found->points, by_change);
    for (uint32_t i = 0; i < s->count; i++) {
        struct model_point *a = &s->points[i];
        const struct model_point *b = &found->points[i];
        if (i && b[-1].seq == b->seq && b[-1].index == b->index)
            return "two instances have one change and index";
        if ((a->seq != b->seq && a->seq != MODEL_UNKNOWN) || a->index != b->index)
            return "an instance is missing and another too much";
        if (a->place != b->place || a->deletion != b->deletion || (!a->deletion && a->value != b->value))
            return "an instance has another time or value";
        if (fill)
            a->seq = b->seq;
    }
    return NULL;
}

const char *model_compare(struct model_entity *e, struct model_entity *found)
{
    const char *wrong = e->there == found->there ? NULL : "the entity is there, and should not be, or the other way round";
    for (unsigned k = 0; k < 2 * MODEL_SERIES && !wrong; k++) /* all are alike before one is filled in */
        wrong = compare_series(&e->series[k % MODEL_SERIES], &found->series[k % MODEL_SERIES], k >= MODEL_SERIES);
    return wrong;
}

void model_free(struct model_entity *e)
{
    for (unsigned k = 0; k < MODEL_SERIES; k++)
        free(e->series[k].points);
    memset(e, 0, sizeof *e);
}

/* ---- text ---- */

void model_op_write(const struct model_op *op, char line[MODEL_LINE_MAX])
{
    snprintf(line, MODEL_LINE_MAX, "s %u %c %u %u %u %lld %lld %lld %llu %u\n", op->entity, op->kind, op->k, op->mask, op->n,
             (long long)op->now, (long long)op->value, (long long)op->at, (unsigned long long)op->seq, op->index);
}

bool model_op_read(struct model_op *op, const char *line)
{
    long long now, value, at;
    unsigned long long seq;
    *op = (struct model_op){0};
    bool ok = sscanf(line, "s %u %c %u %u %u %lld %lld %lld %llu %u", &op->entity, &op->kind, &op->k, &op->mask, &op->n, &now,
                     &value, &at, &seq, &op->index) == 10 &&
              op->entity < MODEL_ENTITIES_MAX && op->k < MODEL_SERIES;
    if (ok) {
        op->now = now;
        op->value = value;
        op->at = at;
        op->seq = seq;
    }
    return ok;
}

void model_write(const struct model_entity *all, FILE *f)
{
    for (unsigned i = 0; i < MODEL_ENTITIES_MAX; i++)
        for (unsigned k = 0; k < MODEL_SERIES; k++) {
            const struct model_series *s = &all[i].series[k];
            fprintf(f, "%u %u %d %d %d %lld %u\n", i, k, all[i].there, all[i].ended, s->current, (long long)s->value, s->count);
            for (uint32_t j = 0; j < s->count; j++)
                fprintf(f, "%llu %u %lld %lld %d\n", (unsigned long long)s->points[j].seq, s->points[j].index,
                        (long long)s->points[j].place, (long long)s->points[j].value, s->points[j].deletion);
        }
}

void model_read(struct model_entity *all, FILE *f)
{
    unsigned i, k, count;
    int there, ended, current, deletion;
    long long value, place;
    unsigned long long seq;
    while (fscanf(f, "%u %u %d %d %d %lld %u", &i, &k, &there, &ended, &current, &value, &count) == 7) {
        struct model_series *s = &all[i % MODEL_ENTITIES_MAX].series[k % MODEL_SERIES];
        all[i % MODEL_ENTITIES_MAX].there = there;
        all[i % MODEL_ENTITIES_MAX].ended = ended;
        s->current = current;
        s->value = value;
        for (unsigned index; count; count--) {
            if (fscanf(f, "%llu %u %lld %lld %d", &seq, &index, &place, &value, &deletion) != 5)
                abort();
            model_add(s, &(struct model_point){seq, index, place, value, deletion});
        }
    }
}
