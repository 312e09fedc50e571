/* Limits of control groups, in directories that look like a machine's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/machine.h"

#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { BUILT_IN = 1000000 };

static char root[64];

static int setup(void **state)
{
    (void)state;
    snprintf(root, sizeof root, "/tmp/wellspring-machine-XXXXXX");
    return mkdtemp(root) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st;
    (void)flag;
    (void)ftw;
    return remove(path);
}

static int teardown(void **state)
{
    (void)state;
    return nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void file(const char *name, const char *text)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", root, name);
    for (char *slash = strchr(path + strlen(root) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        (void)mkdir(path, 0755);
        *slash = '/';
    }
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
}

static void test_no_groups(void **state)
{
    (void)state;
    assert_int_equal(machine_memory_under(root, BUILT_IN), BUILT_IN);
    file("proc/self/cgroup", "nonsense\n4:memory\n0::/gone\n");
    assert_int_equal(machine_memory_under(root, BUILT_IN), BUILT_IN);
}

static void test_version_2(void **state)
{
    (void)state;
    file("proc/self/cgroup", "0::/city.slice/wellspring.service\n");
    file("sys/fs/cgroup/city.slice/wellspring.service/memory.max", "max\n");
    assert_int_equal(machine_memory_under(root, BUILT_IN), BUILT_IN);
    file("sys/fs/cgroup/city.slice/memory.max", "700000\n"); /* of a group above */
    assert_int_equal(machine_memory_under(root, BUILT_IN), 700000);
    file("sys/fs/cgroup/city.slice/wellspring.service/memory.max", "500000\n");
    assert_int_equal(machine_memory_under(root, BUILT_IN), 500000);
    assert_int_equal(machine_memory_under(root, 300000), 300000);
}

static void test_version_2_of_a_container(void **state)
{
    (void)state;
    file("proc/self/cgroup", "0::/../../outside\n");
    file("sys/fs/cgroup/memory.max", "400000\n");
    assert_int_equal(machine_memory_under(root, BUILT_IN), 400000);
}

static void test_version_1(void **state)
{
    (void)state;
    file("proc/self/cgroup", "9:name=systemd:/\n4:cpu,memory:/box\n3:memory_other:/tight\n0::/\n");
    file("sys/fs/cgroup/memory/tight/memory.limit_in_bytes", "1\n");
    file("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n"); /* none */
    assert_int_equal(machine_memory_under(root, BUILT_IN), BUILT_IN);
    file("sys/fs/cgroup/memory/box/memory.limit_in_bytes", "600000\n");
    assert_int_equal(machine_memory_under(root, BUILT_IN), 600000);
}

static void test_this_machine(void **state)
{
    (void)state;
    assert_true(machine_memory() > 1 << 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_no_groups, setup, teardown),
        cmocka_unit_test_setup_teardown(test_version_2, setup, teardown),
        cmocka_unit_test_setup_teardown(test_version_2_of_a_container, setup, teardown),
        cmocka_unit_test_setup_teardown(test_version_1, setup, teardown),
        cmocka_unit_test(test_this_machine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
