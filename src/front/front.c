/* Dispatch by path prefix. */
#include "front/front.h"

#include "base/log.h"
#include "base/time.h"

static void refuse_closing(struct http_request *r)
{
    struct why why;
    why_clear(&why);
    why_set(&why, E_BUSY, NULL, "the city is stopping");
    ngsild_refuse(r, &why);
}

void front_handle(void *arg, struct http_request *r)
{
    struct front *f = arg;
    if (atomic_load_explicit(&f->ngsild.broker->closing, memory_order_relaxed))
        refuse_closing(r);
    else if (ngsild_owns(r->path) || (!live_handle(f->live, r) && !statement_handle(&f->statements, r) &&
                                    !grafana_handle(&f->statements, r) && !admin_handle(&f->admin, r)))
        ngsild_handle(&f->ngsild, r);
}

void front_refuse(void *arg, struct http_request *r, const struct why *why)
{
    (void)arg;
    ngsild_refuse(r, why);
}

void front_answered(void *arg, const struct http_request *r, int status, size_t body_bytes)
{
    struct front *f = arg;
    admin_count(&f->admin, r, status);
    if (!atomic_load_explicit(&f->access_log, memory_order_relaxed))
        return;
    log_info("request", log_s("method", r->method_name), log_s("path", r->path), log_i("status", status),
             log_i("bytes", (int64_t)body_bytes), log_f("ms", (double)(time_monotonic() - r->start_us) / 1000),
             log_s("peer", r->peer));
}
