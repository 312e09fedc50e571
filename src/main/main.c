/* The program: finds the command, reads the configuration, runs it. */
#include "base/arena.h"
#include "base/log.h"
#include "main/command.h"
#include "main/options.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const struct command COMMANDS[] = {
    {"serve", "[--data DIR] [--listen HOST:PORT] …", "serve a city", command_serve},
    {"demo", "[--devices N] [--seed N] [--speed N] …", "serve a city with live input of its own", command_demo},
    {"import", "FILE|DIRECTORY|ADDRESS… [--to URL] …", "bring files into a running city", command_import},
    {"get", "[ID] [--type T] [--q Q] [--json] …", "show entities", command_get},
    {"watch", "[ID] [--type T] [--q Q] [--attrs A] …", "show entities and then what changes, as it happens", command_watch},
    {"top", "[--every S]", "show how a running city is doing", command_top},
    {"sql", "STATEMENT [--csv|--jsonl] …", "ask a running city in SQL", command_sql},
    {"history", "ENTITY ATTRIBUTE [--every 1h] [--agg avg,…] [--plot] …", "show what an attribute was", command_history},
    {"export", "-o FILE [--type T] [--history] [--format csv|jsonl] …", "write entities or their history to a file", command_export},
    {"backup", "DIR [--data DIR]", "copy a running or resting city to a new directory", command_backup},
    {"restore", "DIR [--data DIR]", "make a data directory from a backup", command_restore},
    {"check", "[--data DIR]", "verify every record and index of a resting city", command_check},
    {"config", "", "print wellspring.toml with every option", command_config},
    {"version", "", "print the version", command_version},
};

enum { COMMAND_COUNT = sizeof COMMANDS / sizeof *COMMANDS };

#define CONFIG_FILE "wellspring.toml"

/* The command line as given, kept for SIGHUP. */
static int args_count;
static char **args;

int command_fail(const struct why *why)
{
    fprintf(stderr, "wellspring: %s%s%s%s%s%s%s\n", why->text, why->pointer[0] ? " (at " : "", why->pointer,
            why->pointer[0] ? ")" : "", why->limit[0] ? " [limit " : "", why->limit, why->limit[0] ? "]" : "");
    return 1;
}

int command_usage(const char *text)
{
    fprintf(stderr, "wellspring: %s\n", text);
    return 2;
}

static void help(FILE *out)
{
    fprintf(out, "Wellspring, the digital base of a city in one binary.\n\nusage: wellspring COMMAND …\n\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        fprintf(out, "  %-9s %-42s %s\n", COMMANDS[i].name, COMMANDS[i].usage, COMMANDS[i].summary);
    fprintf(out,
            "\nOptions come from wellspring.toml (--config FILE), from WELLSPRING_SECTION_KEY and from flags\n"
            "--section-key, in this order; \"wellspring config\" lists them all.\n");
}

static const struct command *command_find(const char *name)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(COMMANDS[i].name, name) == 0)
            return &COMMANDS[i];
    return NULL;
}

/* Takes "--config FILE" out; NULL when not given. */
static const char *config_file(int *argc, char **argv)
{
    const char *file = NULL;
    int n = 0;
    for (int i = 0; i < *argc; i++) {
        if (strcmp(argv[i], "--config") == 0 && i + 1 < *argc)
            file = argv[++i];
        else if (strncmp(argv[i], "--config=", 9) == 0)
            file = argv[i] + 9;
        else
            argv[n++] = argv[i];
    }
    *argc = n;
    argv[n] = NULL;
    return file;
}

static enum status config_read(struct config *c, int *argc, char **argv, struct why *why)
{
    const char *file = config_file(argc, argv);
    enum status st = OK;
    if (file || access(CONFIG_FILE, F_OK) == 0)
        st = config_read_file(c, file ? file : CONFIG_FILE, why);
    if (st == OK)
        st = config_read_env(c, environ, why);
    return st == OK ? config_read_args(c, argc, argv, why) : st;
}

struct config *command_config_again(void)
{
    struct why why;
    why_clear(&why);
    int argc = args_count;
    char **argv = mem_alloc(sizeof *argv * (size_t)(argc + 1));
    memcpy(argv, args, sizeof *argv * (size_t)(argc + 1));
    struct config *c = config_new(OPTIONS, OPTION_COUNT);
    enum status st = config_read(c, &argc, argv, &why);
    free(argv);
    if (st == OK)
        return c;
    log_error("configuration not taken over", log_z("reason", why.text));
    config_free(c);
    return NULL;
}

/* What was printed must have arrived; the reader of a pipe may leave early without a word from us. */
static int output_check(int code)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return code;
    if (errno != EPIPE)
        fprintf(stderr, "wellspring: writing to standard output: %s\n", strerror(errno));
    return code ? code : 1;
}

int main(int argc, char **argv)
{
    struct why why;
    signal(SIGPIPE, SIG_IGN); /* a connection that ends is an error like any other */
    why_clear(&why);
    if (argc < 2 || strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0) {
        help(argc < 2 ? stderr : stdout);
        return argc < 2 ? 2 : 0;
    }
    const struct command *command = command_find(strcmp(argv[1], "--version") == 0 ? "version" : argv[1]);
    if (!command)
        return command_usage("unknown command; \"wellspring help\" lists them");
    argc -= 2;
    argv += 2;
    args_count = argc;
    args = mem_alloc(sizeof *args * (size_t)(argc + 1));
    memcpy(args, argv, sizeof *args * (size_t)(argc + 1));
    struct config *config = config_new(OPTIONS, OPTION_COUNT);
    int code = config_read(config, &argc, argv, &why) == OK ? command->run(config, argc, argv) : command_fail(&why);
    config_free(config);
    free(args);
    return output_check(code);
}
