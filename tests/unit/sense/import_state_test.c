/* How far an import got: kept exactly, never guessed. */
#include "check.h"

#include "sense/import_state.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/import-state-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    char command[128];
    (void)state;
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

static const char *path_of(const char *name)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void keeps_everything(void **state)
{
    (void)state;
    const struct import_state saved = {
        .run = UINT64_C(0xfedcba9876543210),
        .input = 3,
        .digest = UINT64_C(0x0000000100000002),
        .mark = {.part = 1, .sub = 2, .offset = UINT64_C(1) << 40, .line = 7, .record = 8},
        .stored = 21,
        .created = 9,
        .updated = 10,
        .rejected = 11,
        .report = 12,
    };
    struct import_state loaded;
    struct why why;
    why_clear(&why);
    const char *path = path_of("state.json");
    assert_int_equal(import_state_load(&loaded, path, &why), E_NOT_FOUND);
    assert_int_equal(import_state_save(&saved, path, &why), OK);
    assert_int_equal(import_state_save(&saved, path, &why), OK); /* again, over the first */
    assert_int_equal(import_state_load(&loaded, path, &why), OK);
    /* member by member: the padding between them is anything */
    assert_true(loaded.run == saved.run && loaded.input == saved.input && loaded.digest == saved.digest);
    assert_true(loaded.mark.part == saved.mark.part && loaded.mark.sub == saved.mark.sub &&
                loaded.mark.offset == saved.mark.offset && loaded.mark.line == saved.mark.line &&
                loaded.mark.record == saved.mark.record);
    assert_true(loaded.stored == saved.stored && loaded.created == saved.created &&
                loaded.updated == saved.updated && loaded.rejected == saved.rejected &&
                loaded.report == saved.report);
}

static void refuses_what_is_no_state(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "", "{", "[]", "{\"wellspring\":\"import\",\"version\":1}",
        "{\"wellspring\":\"import\",\"version\":2,\"run\":\"0000000000000000\"}"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct import_state s;
        struct why why;
        why_clear(&why);
        FILE *f = fopen(path_of("bad.json"), "w");
        assert_non_null(f);
        fputs(texts[i], f);
        assert_int_equal(fclose(f), 0);
        assert_int_equal(import_state_load(&s, path_of("bad.json"), &why), E_DAMAGED);
    }
}

static void says_when_it_cannot_be_written(void **state)
{
    (void)state;
    struct import_state s = {0};
    struct why why;
    why_clear(&why);
    assert_int_equal(import_state_save(&s, path_of("missing/state.json"), &why), E_IO);
    assert_non_null(strstr(why.text, "cannot write"));
}

static void has_a_place_for_each_run(void **state)
{
    (void)state;
    struct arena *a = arena_new(0);
    struct stat st;
    char expected[256];
    setenv("XDG_STATE_HOME", folder, 1);
    snprintf(expected, sizeof expected, "%s/wellspring/import-00000000000000ff.json", folder);
    assert_string_equal(import_state_place(255, a), expected);
    assert_int_equal(stat(path_of("wellspring"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    unsetenv("XDG_STATE_HOME");
    setenv("HOME", folder, 1);
    snprintf(expected, sizeof expected, "%s/.local/state/wellspring/import-0000000000000001.json",
             folder);
    assert_string_equal(import_state_place(1, a), expected);
    setenv("HOME", "nowhere", 1);
    assert_null(import_state_place(1, a));
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_everything),
        cmocka_unit_test(refuses_what_is_no_state),
        cmocka_unit_test(says_when_it_cannot_be_written),
        cmocka_unit_test(has_a_place_for_each_run),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
