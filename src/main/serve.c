/* wellspring serve: the city until a signal ends it. */
#include "base/log.h"
#include "base/time.h"
#include "main/city.h"
#include "main/command.h"

#include <unistd.h>

static void log_configure(const struct config *config)
{
    log_setup((enum log_format)config_int(config, "log", "format"), (enum log_level)config_int(config, "log", "level"),
              STDERR_FILENO);
}

static void reload(void *arg)
{
    struct config *config = command_config_again();
    if (!config)
        return;
    log_configure(config);
    city_reload(arg, config);
    config_free(config);
    log_info("configuration taken over", log_z("by", "SIGHUP"));
}

int command_serve(struct config *config, int argc, char **argv)
{
    struct city *city;
    struct why why;
    why_clear(&why);
    if (argc > 0) {
        log_error("not understood", log_z("argument", argv[0]));
        return command_usage("serve takes options only; \"wellspring config\" lists them");
    }
    city_block_signals();
    log_configure(config);
    int64_t start = time_monotonic();
    if (city_start(&city, config, &why) != OK)
        return command_fail(&why);
    log_info("listening", log_s("address", city_address(city)), log_s("data", config_str(config, "store", "dir")),
             log_f("start_ms", (double)(time_monotonic() - start) / 1000));
    city_wait(city, reload, city);
    log_info("stopping", log_z("reason", "signal"));
    city_stop(city);
    log_info("stopped", log_i("pid", getpid()));
    return 0;
}
