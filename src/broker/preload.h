/* @contexts from a folder, for sites without internet: which URL each file stands for. */
#ifndef BROKER_PRELOAD_H
#define BROKER_PRELOAD_H

#include "base/status.h"
#include "base/str.h"

#include <stdint.h>

struct preload {
    size_t bytes_max; /* of one file */
    void *arg;
    /* One document and all URLs that it stands for; borrowed for the call. */
    enum status (*document)(void *arg, const struct str *urls, size_t count, struct str text, struct why *why);
    uint32_t count; /* out: documents handed over */
};

/* With dir/index.json, an object of URL to file name relative to dir; without, every *.json and *.jsonld below dir:
 * dir/HOST/PATH stands for https://HOST/PATH and http://HOST/PATH. E_IO or E_BAD_DATA names the file. */
MUST_USE enum status preload_run(struct preload *p, const char *dir, struct why *why);

#endif
