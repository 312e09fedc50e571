/* Control groups are found by /proc/self/cgroup: lines "number:controllers:path", of which version 2 has
 * number 0 and no controllers. A limit of any group above counts too. In a container the path may lie
 * outside of what is mounted; then the mounted root is the container's own group. */
#include "base/machine.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The number that a file holds; SIZE_MAX when there is no such file, or no limit ("max") in it. */
static size_t read_limit(const char *path)
{
    char text[32] = "";
    FILE *f = fopen(path, "re");
    if (!f)
        return SIZE_MAX;
    size_t n = fread(text, 1, sizeof text - 1, f);
    (void)fclose(f);
    text[n] = 0;
    char *end;
    unsigned long long limit = strtoull(text, &end, 10);
    return end == text || limit > SIZE_MAX ? SIZE_MAX : (size_t)limit;
}

/* The least limit of group (a path from the mount on; cut while going up) and those above it. */
static size_t least_limit(const char *mount, char *group, const char *file)
{
    size_t least = SIZE_MAX;
    for (;;) {
        char path[PATH_MAX];
        size_t limit = SIZE_MAX;
        if (snprintf(path, sizeof path, "%s%s/%s", mount, group, file) < (int)sizeof path)
            limit = read_limit(path);
        least = limit < least ? limit : least;
        char *slash = strrchr(group, '/');
        if (!slash)
            return least;
        *slash = 0;
    }
}

static bool has_memory(const char *controllers)
{
    const char *at = strstr(controllers, "memory");
    return at && (at == controllers || at[-1] == ',') && (at[6] == ',' || !at[6]);
}

/* line: "number:controllers:path", cut up here. */
static size_t limit_of_line(const char *root, char *line)
{
    char mount[PATH_MAX], *controllers = strchr(line, ':');
    char *group = controllers ? strchr(controllers + 1, ':') : NULL;
    if (!group)
        return SIZE_MAX;
    *controllers++ = *group++ = 0;
    group[strcspn(group, "\n")] = 0;
    bool unified = !*controllers;
    if ((!unified && !has_memory(controllers)) ||
        snprintf(mount, sizeof mount, "%s/sys/fs/cgroup%s", root, unified ? "" : "/memory") >= (int)sizeof mount)
        return SIZE_MAX;
    return least_limit(mount, group, unified ? "memory.max" : "memory.limit_in_bytes");
}

size_t machine_memory_under(const char *root, size_t built_in)
{
    char path[PATH_MAX], line[PATH_MAX];
    snprintf(path, sizeof path, "%s/proc/self/cgroup", root);
    FILE *f = fopen(path, "re");
    while (f && fgets(line, sizeof line, f)) {
        size_t limit = limit_of_line(root, line);
        built_in = limit && limit < built_in ? limit : built_in;
    }
    if (f)
        (void)fclose(f);
    return built_in;
}

size_t machine_memory(void)
{
    return machine_memory_under("", (size_t)sysconf(_SC_PHYS_PAGES) * (size_t)sysconf(_SC_PAGESIZE));
}
