/* What the files of the base share: its keys, and how values begin. base.c writes, base_read.c
 * hands over what is there, base_view.c looks at it as it was at one moment. */
#ifndef STORE_EMBEDDED_BASE_INT_H
#define STORE_EMBEDDED_BASE_INT_H

#include "store/embedded/base.h"
#include "store/embedded/base_db.h"

/* First byte of a key. */
enum { KEY_POSITION = 'p', KEY_TERM = '1', KEY_TENANT = '2', KEY_DOCUMENT = '3', KEY_ENTITY = '4',
       KEY_SAVED = '5', KEY_PAST = '6', KEY_GONE = '7', KEY_KEPT = '8', KEY_TOLD = 't' };

struct base {
    struct base_db *db;
    char *fault; /* first one since the last flush */
    uint64_t last_seq;
    bool together;  /* one batch must hold it all */
    bool has_saved; /* something is saved, or may be */
};

/* What RocksDB says, as a status. Frees error. */
MUST_USE enum status base_failed(char *error, const char *what, struct why *why);
/* What is there is not as it was written: E_DAMAGED. */
MUST_USE enum status base_damaged(const char *what, struct why *why);
/* Checks and cuts off what all values but entities' blocks begin with. E_DAMAGED, E_NOT_SUPPORTED. */
MUST_USE enum status base_open_value(char kind, struct str *v, struct why *why);
/* Of an opened value. E_DAMAGED. */
MUST_USE enum status base_take_position(struct str v, struct base_position *p, struct why *why);

#endif
