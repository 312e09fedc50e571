/* Why: apart from reading the files, so that every form of them can be tested. */
#include "sense/machine_read.h"

#include <ctype.h>
#include <stdlib.h>

#define SECTOR_BYTES 512 /* of /proc/diskstats, whatever the disk's own size */

/* The next word of the line; empty at its end. */
static struct str next_word(struct str *line)
{
    size_t i = 0;
    while (i < line->n && (line->p[i] == ' ' || line->p[i] == '\t'))
        i++;
    size_t from = i;
    while (i < line->n && line->p[i] != ' ' && line->p[i] != '\t')
        i++;
    struct str word = {line->p + from, i - from};
    *line = str_from(*line, i);
    return word;
}

static bool next_number(struct str *line, uint64_t *out)
{
    unsigned long long v;
    if (!str_to_u64(next_word(line), UINT64_MAX, &v))
        return false;
    *out = v;
    return true;
}

static bool next_decimal(struct str *line, double *out)
{
    struct str word = next_word(line);
    char text[40], *end;
    if (word.n == 0 || word.n >= sizeof text)
        return false;
    memcpy(text, word.p, word.n);
    text[word.n] = 0;
    *out = strtod(text, &end);
    return *end == 0 && *out >= 0 && *out < 1e15;
}

bool machine_read_load(struct str text, struct machine_load *out)
{
    return next_decimal(&text, &out->minute_1) && next_decimal(&text, &out->minutes_5) &&
           next_decimal(&text, &out->minutes_15);
}

/* "cpu  user nice system idle iowait irq softirq steal …"; guest time is part of user time. */
bool machine_read_cpu(struct str text, struct machine_cpu *out)
{
    uint64_t ticks[8] = {0};
    struct str line = str_head(text, str_find_char(text, '\n'));
    if (!str_eq(next_word(&line), STR("cpu")))
        return false;
    for (int i = 0; i < 8; i++)
        if (!next_number(&line, &ticks[i]) && i < 4)
            return false;
    *out = (struct machine_cpu){0};
    for (int i = 0; i < 8; i++)
        out->total += ticks[i];
    out->busy = out->total - ticks[3] - ticks[4];
    return true;
}

/* "MemTotal:  123 kB" */
bool machine_read_memory(struct str text, struct machine_memory *out)
{
    struct {
        struct str name;
        uint64_t *to;
        bool found;
    } wanted[] = {
        {STR("MemTotal:"), &out->total, false},
        {STR("MemAvailable:"), &out->available, false},
        {STR("SwapTotal:"), &out->swap_total, false},
        {STR("SwapFree:"), &out->swap_free, false},
    };
    struct str line;
    *out = (struct machine_memory){0};
    while (str_split(&text, '\n', &line)) {
        struct str name = next_word(&line);
        uint64_t kib;
        for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
            if (str_eq(name, wanted[i].name) && next_number(&line, &kib)) {
                *wanted[i].to = kib * 1024;
                wanted[i].found = true;
            }
        }
    }
    return wanted[0].found && wanted[1].found;
}

bool machine_read_uptime(struct str text, double *seconds)
{
    return next_decimal(&text, seconds);
}

static bool has_any_prefix(struct str name, const char *const *prefixes)
{
    for (; *prefixes; prefixes++)
        if (str_starts(name, str_of(*prefixes)))
            return true;
    return false;
}

/* A partition is called like its disk and a number ("sda1"), with a "p" between where the disk's
 * own name ends in one ("nvme0n1p2", "mmcblk0p1"). */
static bool is_partition(struct str name)
{
    size_t i = name.n;
    while (i > 0 && isdigit((unsigned char)name.p[i - 1]))
        i--;
    if (i == name.n || i == 0)
        return false;
    if (str_starts(name, STR("nvme")) || str_starts(name, STR("mmcblk")))
        return name.p[i - 1] == 'p';
    return true;
}

/* "major minor name reads merged sectors ms writes merged sectors …" */
bool machine_read_disks(struct str text, struct machine_traffic *out)
{
    static const char *const made[] = {"loop", "ram", "zram", "dm-", "md", "sr", "fd", NULL};
    struct str line;
    bool found = false;
    *out = (struct machine_traffic){0};
    while (str_split(&text, '\n', &line)) {
        uint64_t v[9];
        bool good = next_number(&line, &v[0]) && next_number(&line, &v[1]);
        struct str name = next_word(&line);
        for (int i = 0; good && i < 7; i++)
            good = next_number(&line, &v[2 + i]);
        if (!good || has_any_prefix(name, made) || is_partition(name))
            continue;
        out->in += v[4] * SECTOR_BYTES;
        out->out += v[8] * SECTOR_BYTES;
        found = true;
    }
    return found;
}

/* "  eth0: bytes packets errs drop fifo frame compressed multicast bytes …" */
bool machine_read_network(struct str text, struct machine_traffic *out)
{
    static const char *const made[] = {"veth", "docker", "br-", "virbr", "tun", "tap", NULL};
    struct str line;
    bool found = false;
    *out = (struct machine_traffic){0};
    while (str_split(&text, '\n', &line)) {
        size_t colon = str_find_char(line, ':');
        if (colon == STR_NPOS)
            continue;
        struct str name = str_trim(str_head(line, colon));
        struct str rest = str_from(line, colon + 1);
        uint64_t v[9];
        bool good = true;
        for (int i = 0; good && i < 9; i++)
            good = next_number(&rest, &v[i]);
        if (!good || str_eq(name, STR("lo")) || has_any_prefix(name, made))
            continue;
        out->in += v[0];
        out->out += v[8];
        found = true;
    }
    return found;
}
