/* What a statement may do, and how much of everything it may take. */
#ifndef SQL_GUARD_H
#define SQL_GUARD_H

#include "sql/session.h"

/* The engine's memory, all statements together; before the first connection. */
void guard_memory(size_t bytes);
/* Sets limits, authorizer and progress handler of s->db. */
void guard_set(struct session *s);

#endif
