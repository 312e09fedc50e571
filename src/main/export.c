/* wellspring export: the entities of types, or their history, into a file of CSV or JSON lines.
 *
 * Rows are written page by page (export_pages.c); after each, the state says what the file has, so that the same command
 * goes on where another was interrupted. */
#include "base/time.h"
#include "main/command.h"
#include "main/export_int.h"
#include "main/request.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BAR = 30 };
#define SAVE_EVERY_US INT64_C(500000)

/* ---- arguments ---- */

static bool value_take(struct export *x, const char *name, const char *value)
{
    const struct {
        const char *name;
        const char **to;
    } OPTIONS_OF[] = {{"--type", &x->type}, {"--from", &x->from}, {"--to", &x->to}, {"--context", &x->context}, {"-o", &x->path}};
    if (strcmp(name, "--format") == 0) {
        x->csv = strcmp(value, "csv") == 0;
        return x->csv || strcmp(value, "jsonl") == 0;
    }
    for (size_t i = 0; i < sizeof OPTIONS_OF / sizeof *OPTIONS_OF; i++)
        if (strcmp(name, OPTIONS_OF[i].name) == 0) {
            *OPTIONS_OF[i].to = value;
            return true;
        }
    return false;
}

/* NULL when all is understood, else what is not. */
static const char *export_arguments(struct export *x, int argc, char **argv)
{
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--history") == 0)
            x->history = true;
        else if (i + 1 >= argc || !value_take(x, argv[i], argv[i + 1]))
            return argv[i];
        else
            i++;
    }
    if (!x->path)
        return "without -o FILE, it";
    if (x->csv && !x->history && !x->type)
        return "CSV of several types, whose columns differ,";
    return (x->from || x->to) && !x->history ? "a time without --history" : NULL;
}

/* ---- progress ---- */

static void progress_show(struct export *x, bool last)
{
    if (!x->shown)
        return;
    double seconds = (double)(time_monotonic() - x->started_us) / 1e6;
    double part = x->total ? (double)x->state.entities / (double)x->total : 0;
    part = part > 1 || last ? 1 : part;
    char bar[BAR + 1];
    for (int i = 0; i < BAR; i++)
        bar[i] = i < part * BAR ? '#' : '.';
    bar[BAR] = 0;
    fprintf(stderr, "\r[%s] %3.0f%%  %" PRIu64 " rows  %.0f/s%s", bar, part * 100, x->state.rows,
            seconds > 0 ? (double)(x->state.rows - x->rows_before) / seconds : 0, last ? "\n" : "");
    fflush(stderr);
}

enum status export_pause(struct export *x, bool at_once, struct why *why)
{
    int64_t now = time_monotonic();
    if (!at_once && now - x->saved_us < SAVE_EVERY_US)
        return OK;
    x->saved_us = now;
    progress_show(x, false);
    if (fdatasync(x->fd) != 0 && errno != EINVAL)
        return why_set(why, E_IO, NULL, "%s: %s", x->path, strerror(errno));
    return export_state_save(&x->state, x->state_path, why);
}

/* ---- the file ---- */

static struct str run_of(const struct export *x)
{
    const char *parts[] = {x->type, x->from, x->to, x->context, x->history ? "history" : NULL, x->csv ? "csv" : "jsonl"};
    struct str run = arena_printf(x->kept, "%.*s %.*s", STR_ARG(request_base(x->request)), STR_ARG(request_tenant(x->request)));
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        run = arena_printf(x->kept, "%.*s|%s", STR_ARG(run), parts[i] ? parts[i] : "");
    return run;
}

/* Goes on with what is there, or begins. */
static enum status file_open(struct export *x, struct why *why)
{
    struct str run = run_of(x);
    struct stat at;
    x->state_path = arena_printf(x->kept, "%s.state", x->path).p;
    enum status st = export_state_load(&x->state, x->state_path, x->kept, why);
    bool resumes = st == OK;
    if (st != OK && st != E_NOT_FOUND)
        return st;
    why_clear(why);
    if (resumes && !str_eq(x->state.run, run))
        return why_set(why, E_CONFLICT, NULL, "%s is of another export: remove it to begin anew", x->state_path);
    x->state.run = run;
    x->fd = open(x->path, O_WRONLY | O_CREAT | O_CLOEXEC | (resumes ? 0 : O_EXCL), 0666);
    if (x->fd < 0)
        return why_set(why, E_IO, NULL, "%s: %s", x->path, strerror(errno));
    if (resumes && (fstat(x->fd, &at) != 0 || (uint64_t)at.st_size < x->state.bytes))
        return why_set(why, E_CONFLICT, NULL, "%s is shorter than it was: remove it and %s to begin anew", x->path, x->state_path);
    if (resumes && (ftruncate(x->fd, (off_t)x->state.bytes) != 0 || lseek(x->fd, 0, SEEK_END) < 0))
        return why_set(why, E_IO, NULL, "%s: %s", x->path, strerror(errno));
    x->header = x->state.bytes > 0;
    x->rows_before = x->state.rows;
    return resumes ? OK : export_state_save(&x->state, x->state_path, why);
}

enum status export_write(struct export *x, struct str s, struct why *why)
{
    x->state.bytes += s.n;
    while (s.n) {
        ssize_t n = write(x->fd, s.p, s.n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return why_set(why, E_IO, NULL, "%s: %s", x->path, strerror(errno));
        s = str_from(s, (size_t)n);
    }
    return OK;
}

static enum status time_check(const char *text, struct why *why)
{
    int64_t us;
    if (!text || time_parse_date(str_of(text), &us) || time_parse_lenient(str_of(text), 0, &us))
        return OK;
    return why_set(why, E_INVALID_REQUEST, NULL, "%s is no time: 2024-01-31 or 2024-01-31T23:59:59Z", text);
}

static enum status export_run(struct export *x, struct why *why)
{
    enum status st = time_check(x->from, why);
    if (st == OK)
        st = time_check(x->to, why);
    if (st == OK)
        st = file_open(x, why);
    if (st != OK)
        return st;
    x->shown = isatty(STDERR_FILENO);
    x->started_us = x->saved_us = time_monotonic();
    if (x->shown)
        export_pages_total(x);
    st = x->history ? export_pages_history(x, why) : x->type ? export_pages_type(x, str_of(x->type), why) : export_pages_types(x, why);
    if (st != OK) { /* as far as it got */
        struct why second;
        why_clear(&second);
        if (export_pause(x, true, &second) != OK)
            fprintf(stderr, "wellspring: %s\n", second.text);
        return st;
    }
    if (fdatasync(x->fd) != 0 && errno != EINVAL)
        return why_set(why, E_IO, NULL, "%s: %s", x->path, strerror(errno));
    progress_show(x, true);
    unlink(x->state_path);
    fprintf(stderr, "%" PRIu64 " rows of %" PRIu64 " entities in %s\n", x->state.rows, x->state.entities, x->path);
    return OK;
}

int command_export(struct config *config, int argc, char **argv)
{
    struct export x = {.fd = -1};
    struct why why;
    why_clear(&why);
    buf_init(&x.last, STATEMENT_MAX);
    buf_init(&x.entity, STATEMENT_MAX);
    buf_init(&x.time, STATEMENT_MAX);
    x.request = request_new(config, &argc, argv, &why);
    if (!x.request)
        return command_fail(&why);
    x.kept = arena_new(0);
    x.page = arena_new(0);
    const char *wrong = export_arguments(&x, argc, argv);
    enum status st = wrong ? why_set(&why, E_INVALID_REQUEST, NULL, "%s is not understood", wrong) : export_run(&x, &why);
    if (x.fd >= 0)
        close(x.fd);
    request_free(x.request);
    buf_free(&x.last);
    buf_free(&x.entity);
    buf_free(&x.time);
    arena_free(x.kept);
    arena_free(x.page);
    return st == OK ? 0 : wrong ? command_usage(why.text) : command_fail(&why);
}
