/* The naive store under the contract suite. */
#include "contract.h"
#include "naive.h"

void contract_open(struct fixture *f)
{
    f->store = naive_new(3, &f->clock.clock, f->terms);
}

void contract_reopen(struct fixture *f)
{
    (void)f;
}

void contract_close(struct fixture *f)
{
    store_close(f->store);
}
