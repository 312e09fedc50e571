/* Reading the base: how far it goes, and all that it holds. One thread at a time, the same as writes. */
#ifndef STORE_EMBEDDED_BASE_READ_H
#define STORE_EMBEDDED_BASE_READ_H

#include "store/embedded/base.h"

/* E_NOT_FOUND: nothing was ever folded. */
MUST_USE enum status base_read_position(struct base *b, struct base_position *p, struct why *why);
/* The seq of the last base_save_begin() that reached the disk; 0: none did. */
MUST_USE enum status base_read_told(struct base *b, uint64_t *seq, struct why *why);
/* Hands over all that is there, in order of keys: terms, tenants, documents by tenant, kind and
 * key, entities by tenant and creation, what was saved, history. Borrowed for the call; blocks are neither aligned nor
 * checked. Another status than OK stops. Members may be NULL: these are skipped. */
struct base_reader {
    enum status (*term)(struct base_reader *r, uint32_t id, struct str iri, struct why *why);
    enum status (*tenant)(struct base_reader *r, uint32_t id, struct str name, struct why *why);
    enum status (*document)(struct base_reader *r, uint32_t tenant, uint8_t kind, struct str key,
                            uint64_t seq, struct str bytes, struct why *why);
    enum status (*entity)(struct base_reader *r, uint32_t tenant, uint64_t created_seq,
                          struct str block, struct why *why);
    enum status (*saved)(struct base_reader *r, struct str listener, struct str key,
                         struct str bytes, struct why *why);
    enum status (*past)(struct base_reader *r, uint32_t tenant, struct str key, struct str bytes, struct why *why);
};
MUST_USE enum status base_read(struct base *b, struct base_reader *r, struct why *why);
/* The same in two parts: what stands before the entities, and these with all behind them. */
MUST_USE enum status base_read_names(struct base *b, struct base_reader *r, struct why *why);
MUST_USE enum status base_read_rest(struct base *b, struct base_reader *r, struct why *why);
/* What was saved alone. */
MUST_USE enum status base_read_saved(struct base *b, struct base_reader *r, struct why *why);

#endif
