/* Why: importers work on whole inputs that may be larger than memory, so files are mapped; what
 * was downloaded or unpacked is owned. Start at blob_open(). */
#include "sense/blob.h"

#include "base/arena.h"
#include "base/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <iconv.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static enum status blob_map(struct blob *b, const char *path, int fd, struct why *why)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return why_set(why, E_IO, NULL, "cannot look at %s: %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return why_set(why, E_IO, NULL, "%s is not a regular file", path);
    if (st.st_size == 0) {
        b->bytes = STR("");
        return OK;
    }
    void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (p == MAP_FAILED)
        return why_set(why, E_IO, NULL, "cannot map %s: %s", path, strerror(errno));
    (void)madvise(p, (size_t)st.st_size, MADV_SEQUENTIAL);
    b->bytes = (struct str){p, (size_t)st.st_size};
    b->mapped = true;
    return OK;
}

enum status blob_open(struct blob *b, const char *path, struct why *why)
{
    *b = (struct blob){.bytes = STR("")};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return why_set(why, errno == ENOENT ? E_NOT_FOUND : E_IO, NULL, "cannot open %s: %s", path,
                       strerror(errno));
    enum status st = blob_map(b, path, fd, why);
    close(fd);
    return st;
}

void blob_take(struct blob *b, void *block, size_t bytes)
{
    *b = (struct blob){.bytes = {block, bytes}, .owned = block};
}

/* Converts all of `in`; *out is a malloc'd block that grows as needed. */
static enum status blob_convert(iconv_t cd, struct str in, size_t bytes_max, char **out,
                                size_t *out_bytes, struct why *why)
{
    size_t cap = in.n + in.n / 2 + 64, used = 0;
    char *block = mem_alloc(cap);
    char *from = (char *)(uintptr_t)in.p; /* iconv() takes char ** but does not write */
    size_t left = in.n;
    while (left > 0) {
        char *to = block + used;
        size_t room = cap - used;
        size_t done = iconv(cd, &from, &left, &to, &room);
        used = (size_t)(to - block);
        if (done != (size_t)-1)
            break;
        if (errno != E2BIG) {
            free(block);
            return why_set(why, E_BAD_DATA, NULL, "byte %zu does not belong to this encoding",
                           in.n - left);
        }
        if (cap >= bytes_max) {
            free(block);
            return why_limit(why, E_TOO_LARGE, NULL, "import.file_bytes",
                             "the text in UTF-8 is longer than %zu bytes", bytes_max);
        }
        cap = cap * 2 < bytes_max ? cap * 2 : bytes_max;
        block = mem_realloc(block, cap);
    }
    *out = block;
    *out_bytes = used;
    return OK;
}

enum status blob_decode(struct blob *b, const char *encoding, size_t bytes_max, struct why *why)
{
    iconv_t cd = iconv_open("UTF-8", encoding);
    if (cd == (iconv_t)-1)
        return why_set(why, E_NOT_SUPPORTED, NULL, "the encoding %s is not known on this system",
                       encoding);
    char *out = NULL;
    size_t n = 0;
    enum status st = blob_convert(cd, b->bytes, bytes_max, &out, &n, why);
    iconv_close(cd);
    if (st != OK)
        return st;
    blob_close(b);
    blob_take(b, out, n);
    return OK;
}

void blob_close(struct blob *b)
{
    if (b->mapped)
        munmap((void *)(uintptr_t)b->bytes.p, b->bytes.n);
    free(b->owned);
    *b = (struct blob){.bytes = STR("")};
}

uint64_t blob_digest(const struct blob *b)
{
    return (uint64_t)crc32c(0, b->bytes.p, b->bytes.n) | (uint64_t)(uint32_t)b->bytes.n << 32;
}
