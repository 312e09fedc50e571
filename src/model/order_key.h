/* Sort keys: what one entity weighs for one order_key. Internal to model/order*.c. */
#ifndef MODEL_ORDER_KEY_H
#define MODEL_ORDER_KEY_H

#include "base/buf.h"
#include "model/filter_subject.h"
#include "model/order.h"

/* In the order of clause 4.23.2, geometries first where distances are asked for. */
enum order_rank {
    RANK_DISTANCE,
    RANK_NUMBER,
    RANK_STRING,
    RANK_OBJECT,
    RANK_ARRAY,
    RANK_BOOL,
    RANK_TIME,
    RANK_DATE,
    RANK_DATETIME,
    RANK_NULL,
    RANK_ABSENT,
};

struct order_weight {
    uint8_t rank; /* enum order_rank */
    union {
        double number;    /* RANK_NUMBER; RANK_DISTANCE in metres */
        int64_t integer;  /* times, booleans */
        struct str bytes; /* others, in byte order; a collation key for strings */
    };
};

/* bytes: scratch that backs w->bytes until it is used again. a: scratch. */
void order_weigh(const struct order *o, const struct order_key *k, const struct filter_subject *s,
                 struct buf *bytes, struct arena *a, struct order_weight *w);
int order_weight_compare(const struct order_key *k, const struct order_weight *x,
                         const struct order_weight *y);

#endif
