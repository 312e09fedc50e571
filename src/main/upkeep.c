/* wellspring backup, restore, check, config, version. */
#include "main/command.h"
#include "main/control.h"
#include "store/embedded/embedded.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char *data_dir(const struct config *config)
{
    return config_str(config, "store", "dir").p;
}

/* The absolute path of something that need not exist yet. */
static void absolute(const char *path, char out[PATH_MAX])
{
    char here[PATH_MAX];
    if (path[0] == '/' || !getcwd(here, sizeof here) || snprintf(out, PATH_MAX, "%s/%s", here, path) >= PATH_MAX)
        snprintf(out, PATH_MAX, "%s", path);
}

/* Nobody serves the directory: open it for the time of the copy. */
static enum status backup_resting(const struct config *config, const char *to, struct why *why)
{
    struct store *store;
    struct terms *terms = terms_new((uint32_t)config_int(config, "limits", "terms"));
    struct embedded_options o = {
        .dir = data_dir(config),
        .segment_bytes = (size_t)config_int(config, "store", "segment_bytes"),
        .log_bytes_max = (size_t)config_int(config, "store", "log_bytes"),
        .group_bytes_max = (size_t)config_int(config, "store", "group_bytes"),
        .tenants_max = (uint32_t)config_int(config, "limits", "tenants"),
        .clock = &clock_system,
    };
    enum status st = embedded_open(&store, terms, &o, why);
    if (st == OK) {
        st = store_backup(store, to, why);
        store_close(store);
    }
    terms_free(terms);
    return st;
}

int command_backup(struct config *config, int argc, char **argv)
{
    struct why why;
    char to[PATH_MAX], line[PATH_MAX + 16];
    why_clear(&why);
    if (argc != 1)
        return command_usage("backup takes the directory to make");
    if (access(data_dir(config), F_OK) != 0) {
        why_set(&why, E_NOT_FOUND, NULL, "there is no data directory %s", data_dir(config));
        return command_fail(&why);
    }
    absolute(argv[0], to);
    snprintf(line, sizeof line, "backup %s", to);
    enum status st = control_order(data_dir(config), line, &why);
    if (st == E_NOT_FOUND) {
        why_clear(&why);
        st = backup_resting(config, to, &why);
    }
    if (st != OK)
        return command_fail(&why);
    fprintf(stderr, "backed up to %s\n", to);
    return 0;
}

int command_restore(struct config *config, int argc, char **argv)
{
    struct why why;
    why_clear(&why);
    if (argc != 1)
        return command_usage("restore takes the directory of a backup");
    if (embedded_restore(argv[0], data_dir(config), &why) != OK)
        return command_fail(&why);
    fprintf(stderr, "restored %s from %s\n", data_dir(config), argv[0]);
    return 0;
}

static void check_error(void *arg, const char *text)
{
    (void)arg;
    fprintf(stderr, "%s\n", text);
}

int command_check(struct config *config, int argc, char **argv)
{
    struct embedded_report r = {0};
    struct why why;
    why_clear(&why);
    (void)argv;
    if (argc != 0)
        return command_usage("check takes no arguments; --data DIR names the directory");
    enum status st = embedded_check(data_dir(config), &r, check_error, NULL, &why);
    printf("entities %" PRIu64 "\ndocuments %" PRIu64 "\nterms %" PRIu64 "\nlog segments %" PRIu64
           "\nlog groups %" PRIu64 "\nlog records %" PRIu64 "\nerrors %" PRIu64 "\n",
           r.entities, r.documents, r.terms, r.segments, r.groups, r.records, r.errors);
    if (st != OK)
        return command_fail(&why);
    return r.errors ? 1 : 0;
}

int command_config(struct config *config, int argc, char **argv)
{
    struct buf b;
    (void)argc;
    (void)argv;
    buf_init(&b, 1 << 20);
    config_write_reference(config, &b);
    fwrite(b.p, 1, b.n, stdout);
    buf_free(&b);
    return 0;
}

int command_version(struct config *config, int argc, char **argv)
{
    (void)config;
    (void)argc;
    (void)argv;
    printf("wellspring %s\n", WELLSPRING_VERSION);
    return 0;
}
