/* Prefer headers from anywhere: whatever is understood names a version that there is. */
#include "fuzz.h"

#include "front/ngsild/prefer.h"
#include "model/conform.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct prefer p;
    unsigned minor;
    prefer_read_value((struct str){(const char *)data, size}, &p);
    fuzz_require(p.versioned == !str_absent(p.version));
    if (p.versioned)
        fuzz_require(conform_version(p.version, &minor) && minor == p.minor && minor <= CONFORM_LAST);
    return 0;
}
