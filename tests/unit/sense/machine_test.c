/* What the kernel's files say, in all the forms they come in. */
#include "check.h"

#include "base/json.h"
#include "base/time.h"
#include "sense/machine.h"
#include "sense/machine_read.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void reads_load_and_uptime(void **state)
{
    (void)state;
    struct machine_load load;
    double up;
    assert_true(machine_read_load(STR("0.25 1.50 12.00 3/456 7890\n"), &load));
    assert_float_equal(load.minute_1, 0.25, 1e-9);
    assert_float_equal(load.minutes_15, 12, 1e-9);
    assert_false(machine_read_load(STR(""), &load));
    assert_false(machine_read_load(STR("0.1 x 0.2"), &load));
    assert_true(machine_read_uptime(STR("3600.75 7000.00\n"), &up));
    assert_float_equal(up, 3600.75, 1e-9);
}

static void reads_processor_time(void **state)
{
    (void)state;
    struct machine_cpu cpu;
    assert_true(machine_read_cpu(STR("cpu  10 1 5 100 20 2 3 4 50 60\ncpu0 1 2 3\n"), &cpu));
    assert_int_equal(cpu.total, 145); /* guest time counts as user time already */
    assert_int_equal(cpu.busy, 25);
    assert_true(machine_read_cpu(STR("cpu 1 2 3 4"), &cpu)); /* old kernels say less */
    assert_int_equal(cpu.total, 10);
    assert_false(machine_read_cpu(STR("cpu0 1 2 3 4"), &cpu));
    assert_false(machine_read_cpu(STR("cpu 1 2 3"), &cpu));
}

static void reads_memory(void **state)
{
    (void)state;
    struct machine_memory m;
    assert_true(machine_read_memory(STR("MemTotal:  1000 kB\nMemFree: 5 kB\nMemAvailable: 400 kB\n"
                                        "SwapTotal: 8 kB\nSwapFree: 3 kB\n"),
                                    &m));
    assert_int_equal(m.total, 1024000);
    assert_int_equal(m.available, 409600);
    assert_int_equal(m.swap_total - m.swap_free, 5 * 1024);
    assert_false(machine_read_memory(STR("MemTotal: 1000 kB\n"), &m));
}

static void counts_real_disks_once(void **state)
{
    (void)state;
    struct machine_traffic t;
    assert_true(machine_read_disks(STR("   8 0 sda 1 0 10 0 1 0 20 0 0 0 0\n"
                                       "   8 1 sda1 1 0 10 0 1 0 20 0 0 0 0\n"
                                       " 259 0 nvme0n1 1 0 100 0 1 0 200 0 0 0 0\n"
                                       " 259 1 nvme0n1p1 1 0 7 0 1 0 7 0 0 0 0\n"
                                       " 254 0 dm-0 1 0 7 0 1 0 7 0 0 0 0\n"
                                       "   7 0 loop0 1 0 7 0 1 0 7 0 0 0 0\n"
                                       "garbage\n"),
                                   &t));
    assert_int_equal(t.in, 110 * 512);
    assert_int_equal(t.out, 220 * 512);
    assert_false(machine_read_disks(STR("   7 0 loop0 1 0 7 0 1 0 7 0\n"), &t));
}

static void counts_real_interfaces_once(void **state)
{
    (void)state;
    struct machine_traffic t;
    assert_true(machine_read_network(STR("Inter-|   Receive  |  Transmit\n face |bytes packets\n"
                                         "    lo: 9 0 0 0 0 0 0 0 9 0 0 0 0 0 0 0\n"
                                         "  eth0:100 0 0 0 0 0 0 0 200 0 0 0 0 0 0 0\n"
                                         "wlan0: 1 0 0 0 0 0 0 0 2 0 0 0 0 0 0 0\n"
                                         "veth12: 5 0 0 0 0 0 0 0 5 0 0 0 0 0 0 0\n"),
                                     &t));
    assert_int_equal(t.in, 101);
    assert_int_equal(t.out, 202);
    assert_false(machine_read_network(STR("lo: 9 0 0 0 0 0 0 0 9 0"), &t));
}

/* ---- a machine made of files ---- */

static void put(const char *root, const char *path, const char *text)
{
    char full[512];
    snprintf(full, sizeof full, "%s/%s", root, path);
    for (char *c = full + strlen(root) + 1; (c = strchr(c, '/')) != NULL; c++) {
        *c = 0;
        (void)mkdir(full, 0700);
        *c = '/';
    }
    FILE *f = fopen(full, "w");
    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
}

static const struct json *observe(struct machine *m, int64_t now, bool whole, struct arena *a)
{
    struct buf out;
    struct json *tree = arena_array(a, struct json, 1);
    struct why why = {0};
    buf_init(&out, 65536);
    machine_observe(m, now, whole, &out);
    assert_int_equal(json_read(a, buf_view(&out), &(struct json_limits){16, 65536}, tree, &why),
                     OK);
    buf_free(&out);
    return tree;
}

static double value_of(const struct json *entity, const char *name)
{
    double v = -1;
    const struct json *attr = json_get(entity, str_of(name));
    assert_non_null(attr);
    assert_true(json_number(json_get(attr, STR("value")), &v));
    return v;
}

static void observes_rates_from_the_second_time_on(void **state)
{
    (void)state;
    char root[] = "/tmp/machine-XXXXXX";
    char command[128];
    assert_non_null(mkdtemp(root));
    put(root, "proc/sys/kernel/hostname", "node 7\n");
    put(root, "proc/loadavg", "0.50 0.40 0.30 1/2 3\n");
    put(root, "proc/stat", "cpu 100 0 0 100 0 0 0 0\n");
    put(root, "proc/net/dev", "eth0: 1000 0 0 0 0 0 0 0 50 0 0 0 0 0 0 0\n");
    put(root, "sys/class/thermal/thermal_zone0/type", "x86_pkg_temp\n");
    put(root, "sys/class/thermal/thermal_zone0/temp", "45500\n");
    put(root, "sys/class/hwmon/hwmon1/name", "nvme\n");
    put(root, "sys/class/hwmon/hwmon1/temp1_input", "38000\n");
    put(root, "sys/class/hwmon/hwmon1/temp2_input", "broken\n");
    struct arena *a = arena_new(0);
    struct machine *m = machine_new(root, root);
    assert_str(machine_id(m), "urn:ngsi-ld:Device:node-7");
    const struct json *first = observe(m, 1000000, true, a);
    assert_float_equal(value_of(first, "loadAverage"), 0.5, 1e-9);
    assert_non_null(json_get(first, STR("name")));
    assert_true(value_of(first, "diskTotal") > 0);
    assert_null(json_get(first, STR("processorUtilization")));
    assert_null(json_get(first, STR("networkReceiveRate")));
    assert_null(json_get(first, STR("memoryTotal"))); /* not told: left out */
    const struct json *t = json_get(first, STR("temperature"));
    assert_true(json_is(t, JSON_ARRAY) && t->n == 3);
    double hottest;
    assert_true(json_number(json_get(&t->items[0], STR("value")), &hottest));
    assert_float_equal(hottest, 45.5, 1e-9);
    assert_true(json_is_string(json_get(&t->items[1], STR("datasetId")),
                               STR("urn:ngsi-ld:sensor:x86_pkg_temp")));
    put(root, "proc/stat", "cpu 175 0 0 125 0 0 0 0\n");
    put(root, "proc/net/dev", "eth0: 5000 0 0 0 0 0 0 0 250 0 0 0 0 0 0 0\n");
    const struct json *second = observe(m, 3000000, false, a);
    assert_null(json_get(second, STR("name")));
    assert_float_equal(value_of(second, "processorUtilization"), 0.75, 1e-9);
    assert_float_equal(value_of(second, "networkReceiveRate"), 2000, 1e-9);
    assert_float_equal(value_of(second, "networkTransmitRate"), 100, 1e-9);
    put(root, "proc/net/dev",
        "eth0: 10 0 0 0 0 0 0 0 10 0 0 0 0 0 0 0\n"); /* counters were reset */
    const struct json *third = observe(m, 4000000, false, a);
    assert_null(json_get(third, STR("networkReceiveRate")));
    machine_free(m);
    arena_free(a);
    snprintf(command, sizeof command, "rm -r %s", root);
    assert_int_equal(system(command), 0);
}

static void observes_this_machine(void **state)
{
    (void)state;
    struct arena *a = arena_new(0);
    struct machine *m = machine_new("", "/");
    const struct json *e = observe(m, time_now(), true, a);
    assert_true(value_of(e, "memoryTotal") > 1e6);
    assert_true(value_of(e, "uptime") > 0);
    machine_free(m);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_load_and_uptime),
        cmocka_unit_test(reads_processor_time),
        cmocka_unit_test(reads_memory),
        cmocka_unit_test(counts_real_disks_once),
        cmocka_unit_test(counts_real_interfaces_once),
        cmocka_unit_test(observes_rates_from_the_second_time_on),
        cmocka_unit_test(observes_this_machine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
