/* Why: one import from the command line to the exit code. The order of things: read the mapping,
 * list the inputs, find the place to go on from, open the city's address, carry. Everything runs on
 * one loop on the calling thread; inputs are read when the carrier has room for more.
 *
 * Start at import_run(). */
#include "sense/import.h"

#include "base/hash.h"
#include "base/time.h"
#include "sense/carrier.h"
#include "sense/import_inputs.h"
#include "sense/import_report.h"
#include "sense/import_state.h"
#include "sense/sink_check.h"
#include "sense/sink_http.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define TICK_US INT64_C(250000)
#define SAVE_EVERY_US INT64_C(1000000)
#define MAPPING_BYTES_MAX (16u << 20)
#define PART_INPUT_UNREAD UINT32_MAX /* mark: the input could not be read, go on behind it */

struct import {
    const struct import_options *options;
    struct arena *arena;
    struct mapping mapping;
    bool have_mapping;
    struct source_options source_options;
    struct import_inputs inputs;
    uint32_t next_input;
    struct source *source; /* of input next_input - 1; NULL between inputs */
    uint64_t *digests;     /* of the inputs opened so far */
    uint64_t bytes_before; /* of the inputs before the one at hand */
    struct why unreadable; /* why an input could not be opened; for its item */
    struct import_state state;
    const char *state_path; /* NULL: none */
    bool state_dirty;
    bool could_resume;
    int64_t saved_us, started_us;
    uint64_t here; /* rows of this run */
    struct import_report report;
    struct loop *loop;
    struct http_client *client;
    struct sink *sink;
    struct terms *terms; /* for a dry run */
    bool stopping;
    struct carrier *carrier;
    struct loop_timer tick;
    struct loop_fd signals;
    enum status status;
    struct why why;
};

/* ---- reading ---- */

/* Opens the next input; a failure is about that input alone. */
static enum status import_open_next(struct import *m, struct why *why)
{
    uint32_t i = m->next_input++;
    struct import_input *input = &m->inputs.list[i];
    struct blob blob;
    why_clear(why);
    enum status st = import_input_open(input, &blob, why);
    if (st != OK)
        return st;
    m->digests[i] = blob_digest(&blob);
    if (i == m->state.input && m->state.digest && m->state.digest != m->digests[i]) {
        blob_close(&blob);
        return why_set(why, E_CONFLICT, NULL, "changed since the import was interrupted");
    }
    st = source_open(&m->source, input->format, &blob, &m->source_options, why);
    if (st == OK && i == m->state.input && m->state.digest)
        source_seek(m->source, &m->state.mark);
    return st;
}

/* carrier: the next item of all inputs. */
static bool import_pull(void *arg, struct source_item *item, uint32_t *input)
{
    struct import *m = arg;
    for (;;) {
        if (m->source) {
            *input = m->next_input - 1;
            if (source_next(m->source, item))
                return true;
            source_free(m->source);
            m->source = NULL;
            m->bytes_before += m->inputs.list[*input].bytes;
        }
        if (m->next_input == m->inputs.count)
            return false;
        if (import_open_next(m, &m->unreadable) != OK) {
            *input = m->next_input - 1;
            *item =
                (struct source_item){.why = &m->unreadable, .after = {.part = PART_INPUT_UNREAD}};
            return true;
        }
    }
}

/* ---- accounting ---- */

static void import_figures(const struct import *m, struct import_figures *f)
{
    uint64_t done = 0, total = 0, at = m->bytes_before;
    *f = (struct import_figures){
        .stored = m->state.stored,
        .created = m->state.created,
        .updated = m->state.updated,
        .rejected = m->state.rejected,
        .here = m->here,
        .elapsed_us = time_monotonic() - m->started_us,
        .inputs = m->inputs.count,
        .dry_run = m->options->dry_run,
        .complete = m->status == OK,
    };
    for (uint32_t i = 0; i < m->inputs.count; i++)
        f->bytes_total += m->inputs.list[i].bytes;
    if (m->source) {
        source_progress(m->source, &done, &total);
        if (total > 0)
            at += (uint64_t)((double)m->inputs.list[m->next_input - 1].bytes * (double)done /
                             (double)total);
    }
    f->bytes_done = at < f->bytes_total ? at : f->bytes_total;
}

/* carrier: what became of a row. */
static void import_row(void *arg, const struct carrier_row *row)
{
    struct import *m = arg;
    struct import_state *s = &m->state;
    bool unread = row->after.part == PART_INPUT_UNREAD;
    m->here++;
    if (row->status != OK) {
        s->rejected++;
        import_report_reject(&m->report, m->inputs.list[row->input].name, row->part, row->line,
                             row->id, row->reason);
    } else {
        s->stored++;
        s->created += row->fate == SINK_CREATED;
        s->updated += row->fate == SINK_UPDATED;
    }
    s->input = unread ? row->input + 1 : row->input;
    s->digest = unread ? 0 : m->digests[row->input];
    s->mark = unread ? (struct source_mark){.line = 1} : row->after;
    s->report = m->report.bytes;
    m->state_dirty = true;
}

static void import_save(struct import *m)
{
    struct why why;
    why_clear(&why);
    m->saved_us = time_monotonic();
    if (!m->state_path || !m->state_dirty || m->options->dry_run)
        return;
    m->state_dirty = false;
    if (!import_report_flush(&m->report) ||
        import_state_save(&m->state, m->state_path, &why) != OK) {
        import_report_say(&m->report, "%s; this import cannot be resumed",
                          why.text[0] ? why.text : "the report cannot be written");
        m->state_path = NULL;
    }
}

static void import_tick(struct loop_timer *timer)
{
    struct import *m = container_of(timer, struct import, tick);
    struct import_figures f;
    import_figures(m, &f);
    import_report_progress(&m->report, &f);
    int64_t now = time_monotonic();
    if (now - m->saved_us >= SAVE_EVERY_US)
        import_save(m);
    loop_timer_set(m->loop, &m->tick, now + TICK_US);
}

/* carrier: the end, one way or the other. */
static void import_finished(void *arg, enum status status, const struct why *why)
{
    struct import *m = arg;
    if (m->status == OK) {
        m->status = status;
        m->why = *why;
    }
    loop_stop(m->loop);
}

/* ---- preparing ---- */

static enum status import_read_mapping(struct import *m, struct why *why)
{
    const char *name = m->options->mapping;
    struct blob blob = {.bytes = STR("")};
    if (!name)
        return OK;
    struct str text = mapping_builtin(str_of(name));
    enum status st = OK;
    if (str_absent(text)) {
        st = blob_open(&blob, name, why);
        if (st == E_NOT_FOUND) {
            why_clear(why);
            return why_set(why, st, NULL, "there is no mapping file %s; built in are %.*s", name,
                           STR_ARG(mapping_builtin_names(m->arena)));
        }
        if (st != OK)
            return st;
        text = blob.bytes;
    }
    st = mapping_read(&m->mapping, text, m->arena, why);
    blob_close(&blob);
    m->have_mapping = st == OK;
    return st;
}

/* An @context on the command line is an address or JSON. */
static enum status import_read_context(struct import *m, struct why *why)
{
    static const struct json_limits limits = {.depth_max = 64, .bytes_max = MAPPING_BYTES_MAX};
    const char *given = m->options->context;
    struct json tree;
    if (!given)
        return OK;
    if (given[0] != '[' && given[0] != '{') {
        tree = (struct json){.kind = JSON_STRING, .string = str_of(given)};
    } else if (json_read(m->arena, str_of(given), &limits, &tree, why) != OK) {
        struct why inner = *why;
        why_clear(why);
        return why_set(why, E_BAD_DATA, NULL, "--context: %s", inner.text);
    }
    m->source_options.context = json_text(m->arena, &tree);
    return OK;
}

static uint64_t digest_add(uint64_t digest, const char *text)
{
    struct str s = text ? str_of(text) : STR("");
    uint32_t low = crc32c((uint32_t)digest, s.p, s.n + (text ? 1 : 0));
    uint32_t high = crc32c((uint32_t)(digest >> 32) ^ (uint32_t)s.n, &low, sizeof low);
    return (uint64_t)high << 32 | low;
}

/* What makes two imports the same one. */
static uint64_t import_run_digest(const struct import *m)
{
    const struct import_options *o = m->options;
    uint64_t d = 1;
    for (uint32_t i = 0; i < m->inputs.count; i++) {
        char *absolute = m->inputs.list[i].path ? realpath(m->inputs.list[i].path, NULL) : NULL;
        d = digest_add(d, absolute ? absolute : m->inputs.list[i].name);
        free(absolute);
    }
    d = digest_add(d, o->to);
    d = digest_add(d, o->tenant);
    d = digest_add(d, o->mapping);
    d = digest_add(d, o->context);
    d = digest_add(d, o->type);
    return digest_add(d, o->update ? "update" : "replace");
}

/* Finds the state file and, with resume, what it says. */
static enum status import_find_state(struct import *m, struct why *why)
{
    const struct import_options *o = m->options;
    uint64_t run = import_run_digest(m);
    struct import_state s;
    m->state = (struct import_state){.run = run, .mark = {.line = 1}};
    m->state_path = o->state ? o->state : import_state_place(run, m->arena);
    if (o->dry_run || !m->state_path)
        return OK;
    enum status st = import_state_load(&s, m->state_path, why);
    if (st == E_NOT_FOUND || !o->resume) {
        m->could_resume = st == OK && s.run == run;
        why_clear(why);
        return OK;
    }
    if (st != OK)
        return st;
    if (s.run != run || s.input > m->inputs.count)
        return why_set(why, E_CONFLICT, NULL, "%s belongs to an import of other inputs or options",
                       m->state_path);
    m->state = s;
    m->next_input = s.input;
    for (uint32_t i = 0; i < s.input; i++)
        m->bytes_before += m->inputs.list[i].bytes;
    return OK;
}

/* The input in which the import goes on must be the one it stopped in. */
static enum status import_go_on(struct import *m, struct why *why)
{
    if (!m->state.digest || m->next_input == m->inputs.count)
        return OK;
    enum status st = import_open_next(m, why);
    if (st == OK)
        return OK;
    struct why inner = *why;
    why_clear(why);
    return why_set(why, st, NULL, "%s: %s", m->inputs.list[m->next_input - 1].name, inner.text);
}

static enum status import_prepare(struct import *m, struct why *why)
{
    const struct import_options *o = m->options;
    m->source_options.limits = source_limits_preset;
    m->source_options.type = str_of(o->type);
    enum status st = import_read_mapping(m, why);
    if (st == OK)
        st = import_read_context(m, why);
    if (st == OK)
        st = import_inputs_collect(&m->inputs, o, why);
    if (st != OK)
        return st;
    m->source_options.mapping = m->have_mapping ? &m->mapping : NULL;
    m->digests = arena_zarray(m->arena, uint64_t, m->inputs.count + 1);
    st = import_find_state(m, why);
    if (st == OK)
        st = import_go_on(m, why);
    if (st == OK)
        st = import_report_open(&m->report, o->report, m->state.report, !o->quiet, why);
    if (st == OK && m->could_resume)
        import_report_say(&m->report, "beginning anew; --resume would have gone on where the last "
                                      "import was interrupted");
    return st;
}

/* ---- running ---- */

static enum status import_open_sink(struct import *m, struct why *why)
{
    const struct import_options *o = m->options;
    if (o->dry_run) {
        m->terms = terms_new(1u << 20);
        context_setup(m->terms);
        m->sink = sink_check_new(&(struct sink_check_options){
            .runner = loop_runner(m->loop),
            .limits = {.attrs_max = 2000,
                       .depth_max = 16,
                       .types_max = 64,
                       .scopes_max = 64,
                       .name_bytes_max = 2048,
                       .coordinates_max = 100000},
        });
        return OK;
    }
    enum status st = http_client_new(&m->client, m->loop, &o->egress, why);
    if (st == OK)
        m->sink = sink_http_new(&(struct sink_http_options){
            .client = m->client,
            .base = str_of(o->to),
            .tenant = str_of(o->tenant),
            .update = o->update,
            .timeout_ms = o->timeout_s * 1000,
            .answer_bytes_max = (o->batch_bytes + (1u << 20)) * 4,
        });
    return st;
}

/* The first signal waits for what is under way, the second does not. */
static void import_signalled(struct loop_fd *f, uint32_t events)
{
    struct import *m = container_of(f, struct import, signals);
    struct signalfd_siginfo info;
    (void)events;
    if (read(f->fd, &info, sizeof info) != (ssize_t)sizeof info)
        return;
    if (m->stopping) {
        m->status = why_set(&m->why, E_CANCELLED, NULL, "stopped at once");
        loop_stop(m->loop);
        return;
    }
    m->stopping = true;
    carrier_stop(m->carrier);
}

/* Runs the loop with SIGINT and SIGTERM turned into an orderly stop. */
static void import_loop(struct import *m)
{
    sigset_t set, before;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &set, &before);
    m->signals = (struct loop_fd){.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK),
                                  .ready = import_signalled};
    bool watched = m->signals.fd >= 0 && loop_fd_add(m->loop, &m->signals, EPOLLIN) == OK;
    m->tick.fire = import_tick;
    loop_timer_set(m->loop, &m->tick, time_monotonic() + TICK_US);
    loop_run(m->loop);
    loop_timer_clear(m->loop, &m->tick);
    if (watched)
        loop_fd_remove(m->loop, &m->signals);
    if (m->signals.fd >= 0)
        close(m->signals.fd);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static enum status import_carry(struct import *m, struct why *why)
{
    const struct import_options *o = m->options;
    enum status st = loop_new(&m->loop, NULL);
    if (st != OK)
        return why_set(why, st, NULL, "no event loop");
    st = import_open_sink(m, why);
    if (st != OK)
        return st;
    m->started_us = time_monotonic();
    m->carrier = carrier_start(&(struct carrier_options){
        .loop = m->loop,
        .sink = m->sink,
        .batches_max = o->requests,
        .entities_max = o->batch_entities,
        .batch_bytes_max = o->batch_bytes,
        .patience_us = o->patience_s * INT64_C(1000000),
        .arg = m,
        .pull = import_pull,
        .row = import_row,
        .done = import_finished,
    });
    import_loop(m);
    return OK;
}

static int import_conclude(struct import *m)
{
    struct import_figures f;
    import_save(m);
    if (m->status == OK && m->state_path && !m->options->dry_run)
        (void)unlink(m->state_path);
    if (m->status != OK)
        import_report_say(&m->report, "stopped: %s", m->why.text);
    if (!import_report_flush(&m->report))
        import_report_say(&m->report, "the report is not complete: %s", m->report.reason);
    import_figures(m, &f);
    import_report_summary(&m->report, &f, m->options->json);
    if (m->status != OK)
        return IMPORT_INTERRUPTED;
    return m->state.rejected > 0 || m->report.failed ? IMPORT_REJECTED : IMPORT_DONE;
}

static void import_close(struct import *m)
{
    /* The client first: what is under way is cancelled, and answered to a carrier that still is. */
    if (m->client)
        http_client_free(m->client);
    carrier_free(m->carrier);
    sink_free(m->sink);
    source_free(m->source);
    if (m->loop)
        loop_free(m->loop);
    import_inputs_free(&m->inputs);
    import_report_close(&m->report);
    if (m->terms)
        terms_free(m->terms);
    arena_free(m->arena);
}

int import_run(const struct import_options *o)
{
    struct import m = {.options = o, .arena = arena_new(0), .report = {.fd = -1}};
    struct why why;
    why_clear(&why);
    m.report.err = stderr;
    enum status st = import_prepare(&m, &why);
    if (st == OK)
        st = import_carry(&m, &why);
    int code = IMPORT_UNUSABLE;
    if (st == OK)
        code = import_conclude(&m);
    else
        fprintf(stderr, "wellspring: %s%s%s%s\n", why.text, why.pointer[0] ? " (at " : "",
                why.pointer, why.pointer[0] ? ")" : "");
    import_close(&m);
    return code;
}
