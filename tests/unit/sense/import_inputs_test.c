/* What the command line names, as files: walks, order, and what cannot be had. */
#include "check.h"

#include "sense/import_inputs.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];

static void put(const char *name, const char *content)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(content, f);
    assert_int_equal(fclose(f), 0);
}

static int make_folder(void **state)
{
    char path[256];
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/import-inputs-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    static const char *const folders[] = {"b", "b/deep", ".git"};
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, folders[i]);
        if (mkdir(path, 0700) != 0)
            return -1;
    }
    put("c.json", "{}");
    put("a.CSV", "x");
    put("notes.txt", "x");
    put(".hidden.json", "{}");
    put(".git/config.json", "{}");
    put("b/deep/z.zip", "PK");
    put("b/y.geojson", "{}");
    snprintf(path, sizeof path, "%s/b/loop", folder);
    if (symlink(folder, path) != 0)
        return -1;
    snprintf(path, sizeof path, "%s/b/link.json", folder);
    return symlink("../c.json", path);
}

static int remove_folder(void **state)
{
    char command[128];
    (void)state;
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

static void walks_in_order(void **state)
{
    (void)state;
    static const char *const expected[] = {"a.CSV", "b/deep/z.zip", "b/link.json", "b/y.geojson",
                                           "c.json"};
    char slashed[80];
    snprintf(slashed, sizeof slashed, "%s//", folder);
    const char *names[] = {slashed};
    struct import_options o;
    struct import_inputs in;
    struct why why;
    why_clear(&why);
    import_options_preset(&o);
    o.inputs = names;
    o.input_count = 1;
    assert_int_equal(import_inputs_collect(&in, &o, &why), OK);
    assert_int_equal(in.count, 5);
    for (uint32_t i = 0; i < in.count; i++) {
        assert_string_equal(in.list[i].name + strlen(folder) + 1, expected[i]);
        assert_null(in.list[i].why);
        assert_true(in.list[i].bytes > 0);
    }
    import_inputs_free(&in);
}

static void keeps_what_cannot_be_had_with_its_reason(void **state)
{
    (void)state;
    const char *names[] = {"/nowhere/a.csv", "/dev/null", "http://127.0.0.1:9/a.json"};
    struct import_options o;
    struct import_inputs in;
    struct blob blob;
    struct why why;
    why_clear(&why);
    import_options_preset(&o);
    o.inputs = names;
    o.input_count = 3;
    o.timeout_s = 2;
    assert_int_equal(import_inputs_collect(&in, &o, &why), OK);
    assert_int_equal(in.count, 3);
    for (uint32_t i = 0; i < in.count; i++) {
        why_clear(&why);
        assert_string_equal(in.list[i].name, names[i]);
        assert_true(import_input_open(&in.list[i], &blob, &why) != OK);
        assert_true(why.text[0] != 0);
    }
    import_inputs_free(&in);
}

static void maps_and_decodes(void **state)
{
    (void)state;
    struct blob blob;
    struct why why;
    char path[256];
    why_clear(&why);
    put("gbk.csv", "\xBC\xC3\xC4\xCF");
    put("empty.csv", "");
    snprintf(path, sizeof path, "%s/gbk.csv", folder);
    assert_int_equal(blob_open(&blob, path, &why), OK);
    uint64_t digest = blob_digest(&blob);
    assert_int_equal(blob_decode(&blob, "GBK", 1000, &why), OK);
    assert_str(blob.bytes, "济南");
    assert_true(blob_digest(&blob) != digest);
    assert_int_equal(blob_decode(&blob, "ASCII", 1000, &why), E_BAD_DATA);
    blob_close(&blob);
    snprintf(path, sizeof path, "%s/empty.csv", folder);
    assert_int_equal(blob_open(&blob, path, &why), OK);
    assert_int_equal(blob.bytes.n, 0);
    blob_close(&blob);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(walks_in_order),
        cmocka_unit_test(keeps_what_cannot_be_had_with_its_reason),
        cmocka_unit_test(maps_and_decodes),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
