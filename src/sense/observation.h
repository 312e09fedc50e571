/* Writing one entity as normalized NGSI-LD, attribute by attribute, for sources that
 * know what they say: no validation, no allocation. */
#ifndef SENSE_OBSERVATION_H
#define SENSE_OBSERVATION_H

#include "base/buf.h"
#include "base/time.h"

#include <stdbool.h>

struct observation {
    struct buf *out;
    char time[TIME_TEXT_MAX]; /* observedAt of what is measured */
    size_t time_bytes;
};

/* Opens the entity; observed_at goes to numbers, states and truths, not to texts. */
void observation_open(struct observation *o, struct buf *out, struct str id, const char *type,
                      int64_t observed_at);
void observation_close(struct observation *o);

/* Measured, with observedAt. Decimals: digits kept behind the point. unit: UN/CEFACT code, or NULL.
 */
void observation_number(struct observation *o, const char *name, double value, int decimals,
                        const char *unit);
void observation_integer(struct observation *o, const char *name, int64_t value, const char *unit);
void observation_truth(struct observation *o, const char *name, bool value);
void observation_state(struct observation *o, const char *name, const char *value);
/* A DateTime value. */
void observation_time(struct observation *o, const char *name, int64_t value);

/* Of the thing itself, without observedAt. */
void observation_text(struct observation *o, const char *name, struct str value);
void observation_fixed(struct observation *o, const char *name, double value, int decimals,
                       const char *unit);
void observation_json(struct observation *o, const char *name, const char *json);
void observation_point(struct observation *o, const char *name, double lon, double lat);
void observation_relationship(struct observation *o, const char *name, struct str object);

/* Several instances of one attribute; the first has no dataset. */
void observation_instances_open(struct observation *o, const char *name);
void observation_instance(struct observation *o, struct str dataset, double value, int decimals,
                          const char *unit);
void observation_instances_close(struct observation *o);

#endif
