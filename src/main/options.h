/* Every option of the configuration, declared once (base/config.h). */
#ifndef MAIN_OPTIONS_H
#define MAIN_OPTIONS_H

#include "base/config.h"

extern const struct config_option OPTIONS[];
extern const size_t OPTION_COUNT;

/* Bytes that "limits.request_memory" stands for where the process has so much memory (base/machine.h): 0 is
 * 2 GiB, or a quarter of it where that is less; the state has the other three. */
size_t options_request_memory(size_t configured, size_t machine_bytes);

#endif
