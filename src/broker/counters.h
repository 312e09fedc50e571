/* What a subscription counts, as the bytes of a document (docs/formats/outbox.md). */
#ifndef BROKER_COUNTERS_H
#define BROKER_COUNTERS_H

#include "base/buf.h"
#include "model/subscription.h"

/* Nothing happened yet. */
struct subscription_counters counters_none(void);
void counters_write(struct buf *b, const struct subscription_counters *c);
/* False: damaged, or of another version. */
bool counters_read(struct subscription_counters *c, struct str bytes);

#endif
