/* Every option of the configuration, declared once (base/config.h). */
#ifndef MAIN_OPTIONS_H
#define MAIN_OPTIONS_H

#include "base/config.h"

extern const struct config_option OPTIONS[];
extern const size_t OPTION_COUNT;

#endif
