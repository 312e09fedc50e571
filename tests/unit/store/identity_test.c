/* Who a data directory is, and that one process has it. */
#include "fixture.h"

#include "store/embedded/identity.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static char dir[256];
static const struct embedded_io *const io = &embedded_io_os;

static int setup(void **state)
{
    (void)state;
    fixture_directory(dir, sizeof dir);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fixture_remove(dir);
    return 0;
}

static void test_made_once_and_kept(void **state)
{
    (void)state;
    struct why why = {0};
    uint64_t id = 0, again = 0, read = 0;
    int fd;
    assert_int_equal(identity_take(io, dir, false, &id, &fd, &why), E_NOT_FOUND);
    why_clear(&why);
    assert_int_equal(identity_take(io, dir, true, &id, &fd, &why), OK);
    assert_true(id != 0);
    assert_int_equal(identity_read(io, dir, &read, &why), OK);
    assert_true(read == id);
    io->close(io, fd);
    assert_int_equal(identity_take(io, dir, false, &again, &fd, &why), OK);
    assert_true(again == id);
    io->close(io, fd);
}

static void test_what_is_written_is_read(void **state)
{
    (void)state;
    struct why why = {0};
    uint64_t id = 0;
    assert_int_equal(identity_write(io, dir, 0x1234567890ABCDEF, &why), OK);
    assert_int_equal(identity_read(io, dir, &id, &why), OK);
    assert_true(id == 0x1234567890ABCDEF);
}

static void test_damage_is_seen(void **state)
{
    (void)state;
    struct why why = {0};
    uint64_t id = 0;
    char path[300];
    assert_int_equal(identity_write(io, dir, 77, &why), OK);
    snprintf(path, sizeof path, "%s/store", dir);
    for (int at = 0; at < 32; at += 5) { /* magic, version, sum, id */
        int fd = open(path, O_RDWR);
        unsigned char byte;
        assert_int_equal(pread(fd, &byte, 1, at), 1);
        byte ^= 0x40;
        assert_int_equal(pwrite(fd, &byte, 1, at), 1);
        assert_int_not_equal(identity_read(io, dir, &id, &why), OK);
        why_clear(&why);
        byte ^= 0x40;
        assert_int_equal(pwrite(fd, &byte, 1, at), 1);
        close(fd);
    }
    assert_int_equal(truncate(path, 20), 0);
    assert_int_not_equal(identity_read(io, dir, &id, &why), OK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_made_once_and_kept),
        TEST(test_what_is_written_is_read),
        TEST(test_damage_is_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
