/* wellspring serve, wellspring demo: the city until a signal ends it. */
#include "base/log.h"
#include "base/time.h"
#include "main/city.h"
#include "main/command.h"
#include "sense/demo.h"

#include <stdio.h>
#include <stdlib.h>
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

/* Starts the live input where it is wanted; NULL otherwise. */
static enum status live_start(struct demo **out, struct city *city, const struct config *config, struct why *why)
{
    struct demo_options o;
    struct str start = config_str(config, "demo", "start");
    demo_options_preset(&o);
    o.broker = city_broker(city);
    o.hooks = city_hooks(city);
    o.limits = *city_reader_limits(city);
    o.tenant = config_str(config, "demo", "tenant");
    o.disk = config_str(config, "store", "dir").p;
    o.machine = config_bool(config, "demo", "machine");
    o.devices = (uint32_t)config_int(config, "demo", "devices");
    o.seed = (uint64_t)config_int(config, "demo", "seed");
    o.speed = (double)config_int(config, "demo", "speed");
    if (start.n && !time_parse_lenient(start, 0, &o.start_us))
        return why_set(why, E_BAD_DATA, NULL, "demo.start is a date and time, as 2024-06-21T00:00:00Z");
    enum status st = demo_start(out, &o, why);
    if (st == OK)
        log_info("demo", log_i("simulated_devices", o.devices), log_i("seed", (int64_t)o.seed),
                 log_f("speed", o.speed), log_z("machine", o.machine ? "observed" : "not observed"));
    return st;
}

/* For a person: the address, and what to try next. */
static void greet(struct str address, bool live)
{
    fprintf(stderr,
            "\n  Wellspring is running on http://%.*s\n\n"
            "  try next, in another terminal:\n"
            "    curl 'http://%.*s/ngsi-ld/v1/entities?%s&limit=2&options=keyValues'\n"
            "    build/release/wellspring get --to http://%.*s --limit 3\n"
            "    build/release/wellspring top --to http://%.*s\n"
            "  README.md shows how to put entities of your own in; Ctrl-C stops the city.\n\n",
            STR_ARG(address), STR_ARG(address), live ? "type=TrafficFlowObserved" : "local=true", STR_ARG(address),
            STR_ARG(address));
}

/* What is stuck cannot be freed; what was acknowledged is in the log. */
static void end(struct city *city, struct demo *demo, const struct config *config)
{
    bool ended = !demo || demo_stop(demo, config_int(config, "server", "close_timeout"));
    if (!ended)
        log_error("ending without answers", log_z("part", "demo"));
    if (!ended || !city_stop(city))
        _exit(EXIT_FAILURE);
}

static int serve(struct config *config, int argc, char **argv, bool live)
{
    struct city *city;
    struct demo *demo = NULL;
    struct why why;
    why_clear(&why);
    if (argc > 0) {
        log_error("not understood", log_z("argument", argv[0]));
        return command_usage("this command takes options only; \"wellspring config\" lists them");
    }
    city_block_signals();
    log_configure(config);
    int64_t start = time_monotonic();
    if (city_start(&city, config, &why) != OK)
        return command_fail(&why);
    if (live && live_start(&demo, city, config, &why) != OK) {
        end(city, NULL, config);
        return command_fail(&why);
    }
    log_info("listening", log_s("address", city_address(city)), log_s("data", config_str(config, "store", "dir")),
             log_f("start_ms", (double)(time_monotonic() - start) / 1000));
    if (live || isatty(STDERR_FILENO))
        greet(city_address(city), live);
    city_wait(city, reload, city);
    log_info("stopping", log_z("reason", "signal"));
    end(city, demo, config);
    log_info("stopped", log_i("pid", getpid()));
    return 0;
}

int command_serve(struct config *config, int argc, char **argv)
{
    return serve(config, argc, argv, false);
}

int command_demo(struct config *config, int argc, char **argv)
{
    return serve(config, argc, argv, true);
}
