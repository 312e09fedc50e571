/* Why: whoever imports wants to know exactly which rows are missing. With a file for the report the
 * terminal shows the first rejections only; without one it shows them all. */
#include "sense/import_report.h"

#include "sense/utf8.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SHOWN_WITH_FILE 10
#define PENDING_BYTES 65536
#define ROW_BYTES_MAX (1u << 20)
#define BAR_WIDTH 30
#define FIELD_SHOWN_MAX 4096 /* bytes of an id or a reason */

static const char report_header[] = "file,line,id,reason\r\n";

enum status import_report_open(struct import_report *r, const char *path, uint64_t keep,
                               bool progress, struct why *why)
{
    *r = (struct import_report){.err = stderr, .fd = -1};
    r->progress = progress && isatty(STDERR_FILENO);
    buf_init(&r->pending, PENDING_BYTES + ROW_BYTES_MAX);
    if (!path)
        return OK;
    r->fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    off_t there = r->fd < 0 ? -1 : lseek(r->fd, 0, SEEK_END);
    if (there >= 0 && (uint64_t)there < keep)
        return why_set(why, E_CONFLICT, NULL,
                       "%s is not the report that the interrupted import wrote", path);
    if (there < 0 || ftruncate(r->fd, (off_t)keep) != 0 || lseek(r->fd, 0, SEEK_END) < 0)
        return why_set(why, E_IO, NULL, "cannot write %s: %s", path, strerror(errno));
    r->bytes = keep;
    if (keep == 0) {
        buf_lit(&r->pending, report_header);
        r->bytes = sizeof report_header - 1;
    }
    return OK;
}

/* A field of RFC 4180, always quoted. */
static void report_field(struct buf *b, struct str s)
{
    buf_char(b, '"');
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '"')
            buf_char(b, '"');
        buf_char(b, s.p[i]);
    }
    buf_char(b, '"');
}

static void report_clear_bar(struct import_report *r)
{
    if (r->bar_shown)
        fputs("\r\033[K", r->err);
    r->bar_shown = false;
}

static void report_show(struct import_report *r, const char *file, const char *part, uint64_t line,
                        struct str id, struct str reason)
{
    if (r->fd >= 0 && r->shown > SHOWN_WITH_FILE)
        return;
    report_clear_bar(r);
    if (r->fd >= 0 && r->shown++ == SHOWN_WITH_FILE) {
        fputs("wellspring: further rejected rows are in the report\n", r->err);
        return;
    }
    fprintf(r->err, "%s%s%s:", file, part ? "/" : "", part ? part : "");
    if (line > 0)
        fprintf(r->err, "%" PRIu64 ":", line);
    fprintf(r->err, " %.*s", STR_ARG(reason));
    if (id.n > 0)
        fprintf(r->err, " [%.*s]", STR_ARG(id));
    fputc('\n', r->err);
}

void import_report_reject(struct import_report *r, const char *file, const char *part,
                          uint64_t line, struct str id, struct str reason)
{
    id = utf8_head(id, FIELD_SHOWN_MAX);
    reason = utf8_head(reason, FIELD_SHOWN_MAX);
    report_show(r, file, part, line, id, reason);
    if (r->fd < 0)
        return;
    struct buf *b = &r->pending;
    size_t from = b->n;
    buf_char(b, '"');
    for (const char *c = file; *c; c++) {
        if (*c == '"')
            buf_char(b, '"');
        buf_char(b, *c);
    }
    if (part)
        buf_printf(b, "/%s", part);
    buf_printf(b, "\",%" PRIu64 ",", line);
    report_field(b, id);
    buf_char(b, ',');
    report_field(b, reason);
    buf_lit(b, "\r\n");
    r->bytes += b->n - from;
    if (b->n > PENDING_BYTES)
        (void)import_report_flush(r);
}

bool import_report_flush(struct import_report *r)
{
    size_t at = 0;
    while (r->fd >= 0 && !r->failed && at < r->pending.n) {
        ssize_t n = write(r->fd, r->pending.p + at, r->pending.n - at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            r->failed = true;
            snprintf(r->reason, sizeof r->reason, "%s", strerror(errno));
        } else {
            at += (size_t)n;
        }
    }
    buf_clear(&r->pending);
    return !r->failed;
}

static double seconds_of(const struct import_figures *f)
{
    return (double)(f->elapsed_us > 0 ? f->elapsed_us : 1) / 1e6;
}

void import_report_progress(struct import_report *r, const struct import_figures *f)
{
    if (!r->progress)
        return;
    double part = f->bytes_total ? (double)f->bytes_done / (double)f->bytes_total : 1;
    int filled = (int)(part * BAR_WIDTH);
    char bar[BAR_WIDTH + 1];
    for (int i = 0; i < BAR_WIDTH; i++)
        bar[i] = i < filled ? '#' : '.';
    bar[BAR_WIDTH] = 0;
    double left = part > 0.001 ? seconds_of(f) * (1 - part) / part : 0;
    fprintf(r->err, "\r[%s] %3.0f%%  %" PRIu64 " entities  %.0f/s  %.0f s left%s", bar, part * 100,
            f->stored, (double)f->here / seconds_of(f), left, f->rejected ? "" : "\033[K");
    if (f->rejected)
        fprintf(r->err, "  %" PRIu64 " rejected\033[K", f->rejected);
    fflush(r->err);
    r->bar_shown = true;
}

void import_report_say(struct import_report *r, const char *fmt, ...)
{
    va_list ap;
    report_clear_bar(r);
    fputs("wellspring: ", r->err);
    va_start(ap, fmt);
    vfprintf(r->err, fmt, ap);
    va_end(ap);
    fputc('\n', r->err);
}

void import_report_summary(struct import_report *r, const struct import_figures *f, bool json)
{
    const char *files = f->inputs == 1 ? "file" : "files";
    char told[96] = "";
    if (f->created + f->updated == f->stored)
        snprintf(told, sizeof told, "%" PRIu64 " created, %" PRIu64 " updated, ", f->created,
                 f->updated);
    if (f->dry_run)
        import_report_say(r,
                          "%" PRIu64 " entities from %" PRIu32 " %s would be sent, %" PRIu64
                          " rejected (%.1f s)",
                          f->stored, f->inputs, files, f->rejected, seconds_of(f));
    else
        import_report_say(
            r,
            "%" PRIu64 " entities from %" PRIu32 " %s: %s%" PRIu64 " rejected (%.1f s, %.0f/s)%s",
            f->stored, f->inputs, files, told, f->rejected, seconds_of(f),
            (double)f->here / seconds_of(f), f->complete ? "" : "; not complete, --resume goes on");
    if (json)
        printf("{\"files\":%" PRIu32 ",\"entities\":%" PRIu64 ",\"created\":%" PRIu64
               ",\"updated\":%" PRIu64 ",\"rejected\":%" PRIu64
               ",\"seconds\":%.3f,\"dryRun\":%s,\"complete\":%s}\n",
               f->inputs, f->stored, f->created, f->updated, f->rejected, seconds_of(f),
               f->dry_run ? "true" : "false", f->complete ? "true" : "false");
}

void import_report_close(struct import_report *r)
{
    report_clear_bar(r);
    if (r->fd >= 0)
        close(r->fd);
    buf_free(&r->pending);
}
