/* Private to machine: what the kernel's text files say (proc(5), the kernel's
 * Documentation/ABI for sysfs). Pure functions of their text. */
#ifndef SENSE_MACHINE_READ_H
#define SENSE_MACHINE_READ_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

struct machine_load {
    double minute_1, minutes_5, minutes_15;
};
struct machine_cpu {
    uint64_t busy, total; /* ticks since boot, all processors */
};
struct machine_memory {
    uint64_t total, available, swap_total, swap_free; /* bytes */
};
/* Bytes since boot. */
struct machine_traffic {
    uint64_t in, out;
};

bool machine_read_load(struct str text, struct machine_load *out);     /* /proc/loadavg */
bool machine_read_cpu(struct str text, struct machine_cpu *out);       /* /proc/stat */
bool machine_read_memory(struct str text, struct machine_memory *out); /* /proc/meminfo */
bool machine_read_uptime(struct str text, double *seconds);            /* /proc/uptime */
/* Real disks, without their partitions and what is made of them: read, written. /proc/diskstats */
bool machine_read_disks(struct str text, struct machine_traffic *out);
/* Real interfaces: received, sent. /proc/net/dev */
bool machine_read_network(struct str text, struct machine_traffic *out);

#endif
