/* Link headers from anywhere: a target is part of the header, a refusal has a reason. */
#include "fuzz.h"

#include "model/context_links.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *a = arena_new(0);
    struct str value = {(const char *)data, size}, target;
    struct why why = {0};
    enum status st = context_links_find(value, a, &target, &why);
    fuzz_require(st == OK || st == E_INVALID_REQUEST || st == E_BAD_DATA);
    fuzz_require(st == why.status);
    if (st == OK && !str_absent(target))
        fuzz_require(target.p > value.p && target.p + target.n < value.p + value.n);
    fuzz_require(arena_bytes(a) <= 64 + 18 * size);
    arena_free(a);
    return 0;
}
