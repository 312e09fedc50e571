/* Orders to a running city over a socket in its data directory: who may write
 * there may give them, nobody else. One line in, one line out. */
#ifndef MAIN_CONTROL_H
#define MAIN_CONTROL_H

#include "base/status.h"
#include "store/store.h"

struct control;

/* Listens on DIR/control.sock (mode 0600), on a thread of its own. */
MUST_USE enum status control_start(struct control **out, struct store *store, const char *dir, struct why *why);
void control_stop(struct control *c);

/* Client: sends a line ("backup /path") to the city that serves dir and waits for its answer. E_NOT_FOUND when none
 * runs there. why is not NULL and clear. */
MUST_USE enum status control_order(const char *dir, const char *line, struct why *why);

#endif
