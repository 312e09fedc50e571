/* Plays live input into a sink: the machine once a second, and each device of the
 * model city whenever its time has come, at a chosen speed of time.
 *
 * When the sink is slower than the play, observations are skipped, counted, and the
 * next ones are the latest: there is no queue that grows. */
#ifndef SENSE_PLAYER_H
#define SENSE_PLAYER_H

#include "base/time.h"
#include "net/loop.h"
#include "sense/city.h"
#include "sense/machine.h"
#include "sense/sink.h"

#include <stdbool.h>
#include <stdint.h>

struct player;

struct player_options {
    struct loop *loop;
    struct sink *sink; /* one that keeps attributes not mentioned */
    struct clock *clock;
    struct machine *machine; /* NULL: none */
    struct city city;        /* devices 0: none */
    double speed;            /* simulated seconds a second, > 0 */
    int64_t start_us;        /* simulated time at the beginning; TIME_NONE: now */
};

struct player_stats {
    uint64_t sent, refused, skipped; /* observations */
    int64_t simulated_us;
};

/* Begins when the loop runs. Caller owns. */
struct player *player_start(const struct player_options *o);
/* Sends nothing more; idle is called on the loop once nothing is under way, never inside. */
void player_stop(struct player *p, void (*idle)(void *arg), void *arg);
/* After idle. */
void player_free(struct player *p);
/* On the loop's thread. */
void player_stats(const struct player *p, struct player_stats *out);

#endif
