/* Subscriptions by intervals of numbers: whoever wants more than 20 has [20, ∞). One tree a key;
 * what is found meets what is asked for, so that the rest costs a few steps, however many there are. */
#ifndef BROKER_WATCH_ORDER_H
#define BROKER_WATCH_ORDER_H

#include <stdint.h>

struct watch_order;
struct watch_node; /* one interval */
struct watcher;

/* Both ends belong to it; ends may be infinite. */
struct watch_range {
    double low, high;
};

/* Caller owns. */
struct watch_order *watch_order_new(void);
void watch_order_free(struct watch_order *o); /* NULL is fine */
/* The node is the order's until it is removed. */
struct watch_node *watch_order_add(struct watch_order *o, uint64_t key, struct watch_range r,
                                   struct watcher *watcher);
void watch_order_remove(struct watch_order *o, struct watch_node *n);

/* Calls found for each interval under the key that has a number in common with r. It may not change the
 * order. Returns how many nodes were looked at. */
struct watch_order_found {
    void (*found)(struct watch_order_found *f, struct watcher *watcher);
};
uint64_t watch_order_find(const struct watch_order *o, uint64_t key, struct watch_range r,
                          struct watch_order_found *f);

#endif
