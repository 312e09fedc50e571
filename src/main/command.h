/* The commands of the program. Each gets what is left of the command line behind
 * its name once the declared options are taken out, and returns the exit code:
 * 0 done, 1 refused or failed, 2 wrong usage. */
#ifndef MAIN_COMMAND_H
#define MAIN_COMMAND_H

#include "base/config.h"

struct command {
    const char *name;
    const char *usage;   /* behind the name */
    const char *summary; /* one line */
    int (*run)(struct config *config, int argc, char **argv);
};

int command_demo(struct config *config, int argc, char **argv);
int command_serve(struct config *config, int argc, char **argv);
int command_backup(struct config *config, int argc, char **argv);
int command_restore(struct config *config, int argc, char **argv);
int command_check(struct config *config, int argc, char **argv);
int command_config(struct config *config, int argc, char **argv);
int command_get(struct config *config, int argc, char **argv);
int command_watch(struct config *config, int argc, char **argv);
int command_top(struct config *config, int argc, char **argv);
int command_sql(struct config *config, int argc, char **argv);
int command_history(struct config *config, int argc, char **argv);
int command_export(struct config *config, int argc, char **argv);
int command_import(struct config *config, int argc, char **argv);
int command_version(struct config *config, int argc, char **argv);

/* Reads wellspring.toml (or --config FILE), environment and flags again; for SIGHUP. Caller frees. */
struct config *command_config_again(void);
/* "wellspring: text (at pointer)" on stderr; returns 1. */
int command_fail(const struct why *why);
int command_usage(const char *text);

#endif
