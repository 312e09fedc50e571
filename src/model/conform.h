/* Backwards compatibility (CIM 009 clause 4.3.6.8): an entity amended so that it keeps to
 * an earlier version of the specification, by the fallbacks of tables 4.3.6.8-1 … -3. */
#ifndef MODEL_CONFORM_H
#define MODEL_CONFORM_H

#include "base/arena.h"
#include "model/context.h"
#include "model/entity.h"
#include "model/evolution.h"

/* Minor versions of 1.x. */
enum { CONFORM_FIRST = 0, CONFORM_LAST = 9 };

/* Reads "1.5"; what is beyond the last version becomes the last. False: no version, or one from before the first. */
MUST_USE bool conform_version(struct str text, unsigned *minor);

/* Amends e in place, sub-attributes too; arrays that change are made anew in the arena, what e borrows is left
 * alone. context is what names that become plain values are compacted by. True: something was changed. */
bool conform_entity(struct entity *e, unsigned minor, const struct context *context, struct arena *a);
/* The same of each instance, and of points in place. bare: values are shown with their times alone, which stay. */
bool conform_evolution(struct evolution *e, unsigned minor, bool bare, const struct context *context, struct arena *a);

#endif
