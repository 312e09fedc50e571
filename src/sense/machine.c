/* Why: a city without a single sensor still has one real device: this machine. Start at
 * machine_observe(). */
#include "sense/machine.h"

#include "base/arena.h"
#include "sense/machine_read.h"
#include "sense/observation.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define FILE_BYTES_MAX 65536
#define SENSORS_MAX 16

struct sensor {
    struct str dataset; /* "urn:ngsi-ld:sensor:…" */
    const char *path;   /* holds thousandths of a degree */
};

struct machine {
    struct arena *arena;
    const char *root;
    const char *disk;
    struct str host;
    struct str id;
    uint32_t sensor_count;
    struct sensor sensors[SENSORS_MAX];
    char text[FILE_BYTES_MAX];
    /* the observation before */
    int64_t at_us; /* TIME_NONE: there was none */
    bool have_cpu, have_disks, have_network;
    struct machine_cpu cpu;
    struct machine_traffic disks, network;
};

/* The file's text, borrowed until the next call; absent when it cannot be read. */
static struct str machine_file(struct machine *m, const char *path)
{
    char full[1024];
    int n = snprintf(full, sizeof full, "%s%s", m->root, path);
    int fd = n > 0 && (size_t)n < sizeof full ? open(full, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0)
        return STR_NONE;
    size_t used = 0;
    ssize_t got;
    while (used < sizeof m->text && (got = read(fd, m->text + used, sizeof m->text - used)) > 0)
        used += (size_t)got;
    close(fd);
    return (struct str){m->text, used};
}

/* ---- sensors ---- */

/* Only what a URI may hold (RFC 3986 unreserved). */
static struct str uri_safe(struct arena *a, struct str s)
{
    struct str copy = arena_dup(a, s);
    char *p = (char *)(uintptr_t)copy.p;
    for (size_t i = 0; i < copy.n; i++) {
        char c = p[i];
        bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    c == '-' || c == '.' || c == '_';
        if (!good)
            p[i] = '-';
    }
    return copy;
}

static bool sensor_known(const struct machine *m, struct str dataset)
{
    for (uint32_t i = 0; i < m->sensor_count; i++)
        if (str_eq(m->sensors[i].dataset, dataset))
            return true;
    return false;
}

/* Adds dir/value, named by what dir/name_file says. */
static void sensor_add(struct machine *m, const char *dir, const char *name_file, const char *value)
{
    const char *path = arena_printf(m->arena, "%s/%s", dir, value).p;
    if (m->sensor_count == SENSORS_MAX || str_absent(machine_file(m, path)))
        return;
    struct str name = machine_file(m, arena_printf(m->arena, "%s/%s", dir, name_file).p);
    name = uri_safe(m->arena, str_absent(name) ? STR("sensor") : str_trim(name));
    struct str dataset = arena_printf(m->arena, "urn:ngsi-ld:sensor:%.*s", STR_ARG(name));
    for (int n = 2; sensor_known(m, dataset); n++)
        dataset = arena_printf(m->arena, "urn:ngsi-ld:sensor:%.*s-%d", STR_ARG(name), n);
    m->sensors[m->sensor_count++] = (struct sensor){dataset, path};
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void find_thermal_zones(struct machine *m, const char *dir)
{
    sensor_add(m, dir, "type", "temp");
}

static void find_monitors(struct machine *m, const char *dir)
{
    char value[32], label[32];
    for (int i = 1; i <= SENSORS_MAX; i++) {
        snprintf(value, sizeof value, "temp%d_input", i);
        snprintf(label, sizeof label, "temp%d_label", i);
        bool labelled = !str_absent(machine_file(m, arena_printf(m->arena, "%s/%s", dir, label).p));
        sensor_add(m, dir, labelled ? label : "name", value);
    }
}

static void find_sensors(struct machine *m, const char *dir, const char *prefix,
                         void (*find)(struct machine *m, const char *dir))
{
    struct dirent **entries;
    int n = scandir(arena_printf(m->arena, "%s%s", m->root, dir).p, &entries, NULL, by_name);
    for (int i = 0; i < n; i++) {
        if (str_starts(str_of(entries[i]->d_name), str_of(prefix)))
            find(m, arena_printf(m->arena, "%s/%s", dir, entries[i]->d_name).p);
        free(entries[i]);
    }
    if (n >= 0)
        free(entries);
}

/* ---- what is observed ---- */

static void observe_load(struct machine *m, struct observation *o)
{
    struct machine_load load;
    if (!machine_read_load(machine_file(m, "/proc/loadavg"), &load))
        return;
    observation_number(o, "loadAverage", load.minute_1, 2, NULL);
    observation_number(o, "loadAverage5Minutes", load.minutes_5, 2, NULL);
    observation_number(o, "loadAverage15Minutes", load.minutes_15, 2, NULL);
}

static void observe_cpu(struct machine *m, struct observation *o)
{
    struct machine_cpu now;
    bool have = machine_read_cpu(machine_file(m, "/proc/stat"), &now);
    if (have && m->have_cpu && now.total > m->cpu.total && now.busy >= m->cpu.busy)
        observation_number(o, "processorUtilization",
                           (double)(now.busy - m->cpu.busy) / (double)(now.total - m->cpu.total), 3,
                           "C62");
    m->have_cpu = have;
    m->cpu = now;
}

static void observe_memory(struct machine *m, struct observation *o)
{
    struct machine_memory memory;
    if (!machine_read_memory(machine_file(m, "/proc/meminfo"), &memory))
        return;
    observation_integer(o, "memoryTotal", (int64_t)memory.total, "AD");
    observation_integer(o, "memoryAvailable", (int64_t)memory.available, "AD");
    if (memory.swap_total > 0 && memory.swap_free <= memory.swap_total)
        observation_integer(o, "swapUsed", (int64_t)(memory.swap_total - memory.swap_free), "AD");
}

/* Counters that grew since the observation before, as bytes a second. */
static void observe_rates(struct observation *o, const struct machine_traffic *before,
                          const struct machine_traffic *now, double seconds, const char *in_name,
                          const char *out_name)
{
    if (seconds <= 0 || now->in < before->in || now->out < before->out)
        return;
    observation_number(o, in_name, (double)(now->in - before->in) / seconds, 0, "P93");
    observation_number(o, out_name, (double)(now->out - before->out) / seconds, 0, "P93");
}

static void observe_disk(struct machine *m, struct observation *o, double seconds)
{
    struct machine_traffic now;
    struct statvfs fs;
    if (statvfs(m->disk, &fs) == 0) {
        observation_integer(o, "diskTotal", (int64_t)(fs.f_blocks * fs.f_frsize), "AD");
        observation_integer(o, "diskAvailable", (int64_t)(fs.f_bavail * fs.f_frsize), "AD");
    }
    bool have = machine_read_disks(machine_file(m, "/proc/diskstats"), &now);
    if (have && m->have_disks)
        observe_rates(o, &m->disks, &now, seconds, "diskReadRate", "diskWriteRate");
    m->have_disks = have;
    m->disks = now;
}

static void observe_network(struct machine *m, struct observation *o, double seconds)
{
    struct machine_traffic now;
    bool have = machine_read_network(machine_file(m, "/proc/net/dev"), &now);
    if (have && m->have_network)
        observe_rates(o, &m->network, &now, seconds, "networkReceiveRate", "networkTransmitRate");
    m->have_network = have;
    m->network = now;
}

static bool sensor_read(struct machine *m, const struct sensor *s, double *degrees)
{
    char text[32];
    struct str value = str_trim(machine_file(m, s->path));
    if (value.n == 0 || value.n >= sizeof text)
        return false;
    memcpy(text, value.p, value.n);
    text[value.n] = 0;
    char *end;
    *degrees = (double)strtol(text, &end, 10) / 1000;
    return *end == 0 && *degrees > -100 && *degrees < 200;
}

/* The hottest is the default instance. */
static void observe_temperatures(struct machine *m, struct observation *o)
{
    double degrees[SENSORS_MAX], hottest = -1000;
    bool good[SENSORS_MAX];
    for (uint32_t i = 0; i < m->sensor_count; i++) {
        good[i] = sensor_read(m, &m->sensors[i], &degrees[i]);
        if (good[i] && degrees[i] > hottest)
            hottest = degrees[i];
    }
    if (hottest < -999)
        return;
    observation_instances_open(o, "temperature");
    observation_instance(o, STR(""), hottest, 1, "CEL");
    for (uint32_t i = 0; i < m->sensor_count; i++)
        if (good[i])
            observation_instance(o, m->sensors[i].dataset, degrees[i], 1, "CEL");
    observation_instances_close(o);
}

static void observe_itself(struct machine *m, struct observation *o)
{
    struct str name = arena_printf(m->arena, "The city's first device: %.*s", STR_ARG(m->host));
    observation_text(o, "name", name);
    observation_text(o, "description",
                     STR("The machine this city runs on, as its kernel sees it once a second"));
    observation_json(o, "deviceCategory", "[\"sensor\"]");
    observation_json(o, "controlledProperty",
                     "[\"processor\",\"memory\",\"disk\",\"network\",\"temperature\"]");
    observation_text(o, "dataProvider", STR("Wellspring (this machine)"));
    observation_json(o, "simulated", "false");
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    if (processors > 0)
        observation_fixed(o, "processorCount", (double)processors, 0, NULL);
}

void machine_observe(struct machine *m, int64_t now_us, bool whole, struct buf *out)
{
    struct observation o;
    double up, seconds = m->at_us == TIME_NONE ? 0 : (double)(now_us - m->at_us) / 1e6;
    observation_open(&o, out, m->id, "Device", now_us);
    if (whole)
        observe_itself(m, &o);
    observe_load(m, &o);
    observe_cpu(m, &o);
    observe_memory(m, &o);
    observe_disk(m, &o, seconds);
    observe_network(m, &o, seconds);
    observe_temperatures(m, &o);
    if (machine_read_uptime(machine_file(m, "/proc/uptime"), &up))
        observation_number(&o, "uptime", up, 0, "SEC");
    observation_close(&o);
    m->at_us = now_us;
}

struct machine *machine_new(const char *root, const char *disk)
{
    struct machine *m = mem_zalloc(sizeof *m);
    m->arena = arena_new(0);
    m->root = arena_dup(m->arena, str_of(root)).p;
    m->disk = arena_dup(m->arena, str_of(disk)).p;
    m->at_us = TIME_NONE;
    struct str host = str_trim(machine_file(m, "/proc/sys/kernel/hostname"));
    m->host = uri_safe(m->arena, host.n ? host : STR("localhost"));
    m->id = arena_printf(m->arena, "urn:ngsi-ld:Device:%.*s", STR_ARG(m->host));
    find_sensors(m, "/sys/class/thermal", "thermal_zone", find_thermal_zones);
    find_sensors(m, "/sys/class/hwmon", "hwmon", find_monitors);
    return m;
}

void machine_free(struct machine *m)
{
    if (m)
        arena_free(m->arena);
    free(m);
}

struct str machine_id(const struct machine *m)
{
    return m->id;
}
