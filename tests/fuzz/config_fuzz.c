/* Configuration files from anywhere: values keep to their bounds, a refused file
 * changes nothing, a refusal says where. */
#include "fuzz.h"

#include "base/config.h"
#include "base/utf8.h"

#include <string.h>

static const struct config_option OPTIONS[] = {
    {"server", "listen", OPTION_STRING, "\"preset\"", 0, 0, NULL, NULL, false, "h"},
    {"server", "threads", OPTION_INT, "2", 1, 256, NULL, NULL, false, "h"},
    {"server", "timeout", OPTION_DURATION, "\"30 s\"", 1000000, 3600000000, NULL, NULL, false, "h"},
    {"limits", "bytes", OPTION_BYTES, "\"1 MiB\"", 1024, 1 << 30, NULL, NULL, false, "h"},
    {"limits", "any", OPTION_INT, "0", 0, 0, NULL, NULL, false, "h"},
    {"store", "mode", OPTION_CHOICE, "\"a\"", 0, 0, "a|bc|d", NULL, false, "h"},
    {"store", "check", OPTION_BOOL, "true", 0, 0, NULL, NULL, false, "h"},
    {"store", "list", OPTION_STRINGS, "[\"x\"]", 0, 0, NULL, NULL, false, "h"},
};

static void check_presets(const struct config *c)
{
    const struct str *list;
    fuzz_require(str_eq(config_str(c, "server", "listen"), STR("preset")));
    fuzz_require(config_int(c, "server", "threads") == 2);
    fuzz_require(config_int(c, "server", "timeout") == 30000000);
    fuzz_require(config_int(c, "limits", "bytes") == 1 << 20);
    fuzz_require(config_int(c, "limits", "any") == 0);
    fuzz_require(config_int(c, "store", "mode") == 0);
    fuzz_require(config_bool(c, "store", "check"));
    fuzz_require(config_strs(c, "store", "list", &list) == 1 && str_eq(list[0], STR("x")));
}

static void check_values(const struct config *c)
{
    const struct str *list;
    int64_t threads = config_int(c, "server", "threads");
    int64_t timeout = config_int(c, "server", "timeout");
    int64_t bytes = config_int(c, "limits", "bytes");
    int64_t mode = config_int(c, "store", "mode");
    fuzz_require(utf8_valid(config_str(c, "server", "listen")));
    fuzz_require(threads >= 1 && threads <= 256);
    fuzz_require(timeout >= 1000000 && timeout <= 3600000000);
    fuzz_require(bytes >= 1024 && bytes <= 1 << 30);
    fuzz_require(mode >= 0 && mode < 3);
    for (size_t n = config_strs(c, "store", "list", &list); n-- > 0;)
        fuzz_require(utf8_valid(list[n]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config *c = config_new(OPTIONS, sizeof OPTIONS / sizeof *OPTIONS);
    struct why why;
    why_clear(&why);
    struct str text = {(const char *)data, size};
    if (config_read_text(c, "file", text, &why) == OK) {
        check_values(c);
    } else {
        fuzz_require(strncmp(why.text, "file:", 5) == 0);
        check_presets(c);
    }
    config_free(c);
    return 0;
}
