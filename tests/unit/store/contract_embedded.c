/* The embedded store under the contract suite. */
#include "contract.h"

static char dir[256];

static void start(struct fixture *f)
{
    struct embedded_options o = fixture_options(dir, &f->clock.clock);
    struct why why = {0};
    o.tenants_max = 3;
    if (embedded_open(&f->store, f->terms, &o, &why) != OK)
        fail_msg("%s", why.text);
    store_thread_enter(f->store);
}

void contract_open(struct fixture *f)
{
    fixture_directory(dir, sizeof dir);
    start(f);
}

void contract_reopen(struct fixture *f)
{
    store_thread_leave(f->store);
    store_close(f->store);
    terms_free(f->terms);
    f->terms = terms_new(10000);
    start(f);
}

void contract_close(struct fixture *f)
{
    store_thread_leave(f->store);
    store_close(f->store);
    fixture_remove(dir);
}
