/* See drive.h. */
#include "drive.h"

#include "loop.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CALLS_MAX = 16 };

static struct {
    const struct drive *now;
    unsigned wide;
    struct drive_job jobs[CALLS_MAX];
    bool busy[DRIVE_ENTITIES_MAX];
} drive;

static struct {
    struct drive_told *all;
    uint32_t count, room;
} told[DRIVE_ENTITIES_MAX];

/* ---- doing ---- */

static void end_job(struct drive_job *j)
{
    char line[DRIVE_LINE_MAX];
    enum status st = j->record.call.status != OK ? j->record.call.status : j->result.status;
    if (st != OK && (st != E_NOT_FOUND || j->edit.kind == RECORD_EDIT_UPSERT))
        loop_die("record", j->record.call.status != OK ? j->record.call.why.text : j->result.why->text);
    snprintf(line, sizeof line, "a %u %d\n", j->entity, st == OK);
    loop_say(line);
    if (st == OK)
        drive.now->happened(j);
    drive.busy[j->entity] = j->busy = false;
}

static void recorded(struct store_call *call)
{
    end_job(container_of(call, struct drive_job, record.call));
}

static void start_job(struct drive_job *j, unsigned entity)
{
    if (!j->arena)
        j->arena = arena_new(0);
    arena_reset(j->arena);
    j->entity = entity;
    j->busy = drive.busy[entity] = true;
    j->edit = (struct record_edit){0};
    j->result = (struct record_result){0};
    j->record = (struct store_record){.call = {.home = loop_runner(), .done = recorded},
                                      .caller = drive.now->caller,
                                      .edits = &j->edit,
                                      .count = 1,
                                      .results = &j->result,
                                      .arena = j->arena,
                                      .create_tenant = true};
    drive.now->start(j);
    j->record.blind = j->edit.kind == RECORD_EDIT_UPSERT && loop_below(2);
    if (store_record(drive.now->store, &j->record))
        end_job(j);
}

/* NULL: as many as may be are under way. */
static struct drive_job *idle_job(void)
{
    struct drive_job *idle = NULL;
    for (unsigned k = 0; k < drive.wide && k < CALLS_MAX; k++)
        if (!drive.jobs[k].busy)
            idle = &drive.jobs[k];
    return idle;
}

void drive_run(const struct drive *d, int argc, char **argv)
{
    unsigned ops = loop_figure(argc, argv, "--ops", "200");
    assert(d->entities <= DRIVE_ENTITIES_MAX);
    drive.now = d;
    drive.wide = loop_figure(argc, argv, "--wide", "6");
    for (unsigned n = 0; n < ops;) {
        unsigned entity = loop_below(d->entities);
        struct drive_job *idle = idle_job();
        if (drive.busy[entity] || !idle) {
            loop_run();
        } else if (loop_below(d->look_each) == 0) {
            d->look(entity);
        } else {
            start_job(idle, entity);
            n++;
        }
    }
    for (unsigned k = 0; k < CALLS_MAX; k++) {
        while (drive.jobs[k].busy)
            loop_run();
        arena_free(drive.jobs[k].arena);
        drive.jobs[k].arena = NULL;
    }
}

/* ---- what was told ---- */

static struct drive_told *keep(unsigned entity)
{
    uint32_t *count = &told[entity].count, *room = &told[entity].room;
    if (*count == *room) {
        *room = *room ? 2 * *room : 64;
        told[entity].all = mem_realloc(told[entity].all, *room * sizeof told[entity].all[0]);
    }
    told[entity].all[*count] = (struct drive_told){0};
    return &told[entity].all[(*count)++];
}

void drive_hear(void (*each)(const char *op))
{
    char line[DRIVE_LINE_MAX];
    while (fgets(line, sizeof line, stdin)) {
        unsigned entity;
        int happened;
        if (sscanf(line, "s %*c %u", &entity) == 1 && entity < DRIVE_ENTITIES_MAX) {
            struct drive_told *t = keep(entity);
            memcpy(t->op, line + 2, strlen(line + 2) + 1);
            if (each)
                each(t->op);
        } else if (sscanf(line, "a %u %d", &entity, &happened) == 2 && entity < DRIVE_ENTITIES_MAX && told[entity].count) {
            struct drive_told *t = &told[entity].all[told[entity].count - 1];
            t->known = true;
            t->happened = happened;
        }
    }
}

const struct drive_told *drive_told(unsigned entity, uint32_t n)
{
    return n < told[entity].count ? &told[entity].all[n] : NULL;
}
