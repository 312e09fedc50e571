/* Which URL a file of the folder stands for, and what stops the start. */
#include "broker/preload.h"

#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct seen {
    char dir[32];
    struct preload preload;
    struct why why;
    struct arena *arena;
    struct str list; /* "URL=text\n" of all documents, in the order seen */
    const char *refuse; /* text that is refused */
};

static enum status document(void *arg, const struct str *urls, size_t count, struct str text, struct why *why)
{
    struct seen *s = arg;
    if (s->refuse && str_eq(text, str_of(s->refuse)))
        return why_set(why, E_BAD_DATA, NULL, "it is refused");
    for (size_t i = 0; i < count; i++)
        s->list = arena_printf(s->arena, "%.*s%.*s=%.*s\n", STR_ARG(s->list), STR_ARG(urls[i]), STR_ARG(text));
    return OK;
}

static int setup(void **state)
{
    struct seen *s = calloc(1, sizeof *s);
    strncpy(s->dir, "preload_test_XXXXXX", sizeof s->dir - 1);
    assert_non_null(mkdtemp(s->dir));
    s->arena = arena_new(0);
    s->list = STR("");
    s->preload = (struct preload){.bytes_max = 100, .arg = s, .document = document};
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    struct seen *s = *state;
    char command[64];
    snprintf(command, sizeof command, "rm -r %s", s->dir);
    int code = system(command);
    arena_free(s->arena);
    free(s);
    return code;
}

/* Makes the folders of name too. */
static void put(struct seen *s, const char *name, const char *text)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", s->dir, name);
    for (char *slash = strchr(path, '/'); (slash = strchr(slash + 1, '/'));) {
        *slash = 0;
        mkdir(path, 0700);
        *slash = '/';
    }
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static enum status run(struct seen *s)
{
    why_clear(&s->why);
    s->list = STR("");
    return preload_run(&s->preload, s->dir, &s->why);
}

static void has(struct seen *s, const char *line)
{
    if (str_find(s->list, str_of(line)) == STR_NPOS)
        fail_msg("%s is not in\n%.*s", line, STR_ARG(s->list));
}

static void says(struct seen *s, const char *part)
{
    if (!strstr(s->why.text, part))
        fail_msg("\"%s\" does not speak of %s", s->why.text, part);
}

static void mirrored_paths(void **state)
{
    struct seen *s = *state;
    put(s, "city.example/a.jsonld", "A");
    put(s, "city.example/models/deep/b.json", "B");
    put(s, "other.example/c.txt", "no context");
    put(s, ".hidden/d.json", "hidden");
    put(s, "readme.json", "no host");
    assert_int_equal(run(s), OK);
    assert_int_equal(s->preload.count, 2); /* once, for both schemes */
    has(s, "https://city.example/a.jsonld=A\n");
    has(s, "http://city.example/a.jsonld=A\n");
    has(s, "https://city.example/models/deep/b.json=B\n");
    has(s, "http://city.example/models/deep/b.json=B\n");
}

static void index_names_the_files(void **state)
{
    struct seen *s = *state;
    put(s, "index.json", "{\"https://x.example/1\": \"one\", \"http://y.example/2?v=1\": \"sub/two\"}");
    put(s, "one", "1");
    put(s, "sub/two", "2");
    put(s, "city.example/a.jsonld", "not listed");
    assert_int_equal(run(s), OK);
    assert_int_equal(s->preload.count, 2);
    assert_true(str_eq(s->list, STR("https://x.example/1=1\nhttp://y.example/2?v=1=2\n")));
}

static void faults_of_the_index_name_it(void **state)
{
    static const char *const TEXTS[] = {"{", "[]", "{\"https://x.example\": 7}", "{\"https://x.example\": \"none\"}"};
    static const char *const PARTS[] = {"/index.json", "/index.json", "https://x.example", "/none"};
    struct seen *s = *state;
    for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++) {
        put(s, "index.json", TEXTS[i]);
        assert_int_not_equal(run(s), OK);
        says(s, PARTS[i]);
        says(s, s->dir);
    }
}

static void refused_documents_name_the_file(void **state)
{
    struct seen *s = *state;
    s->refuse = "bad";
    put(s, "city.example/a.jsonld", "bad");
    assert_int_equal(run(s), E_BAD_DATA);
    says(s, "/city.example/a.jsonld");
    says(s, "it is refused");
    put(s, "city.example/a.jsonld", "good");
    put(s, "index.json", "{\"https://x.example\": \"wrong\"}");
    put(s, "wrong", "bad");
    assert_int_equal(run(s), E_BAD_DATA);
    says(s, "/wrong");
}

static void sizes_and_kinds_are_bounded(void **state)
{
    struct seen *s = *state;
    char large[102];
    memset(large, ' ', 101);
    large[101] = 0;
    put(s, "city.example/a.jsonld", large + 1);
    assert_int_equal(run(s), OK);
    put(s, "city.example/a.jsonld", large);
    assert_int_equal(run(s), E_TOO_LARGE);
    assert_string_equal(s->why.limit, "contexts.document_bytes");
    says(s, "a.jsonld");
    put(s, "index.json", "{\"https://x.example\": \"pipe\"}");
    char path[64];
    snprintf(path, sizeof path, "%s/pipe", s->dir);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(run(s), E_IO); /* and does not wait for a writer */
    says(s, "pipe");
}

static void folders_too_deep_are_not_left_out_silently(void **state)
{
    struct seen *s = *state;
    put(s, "h/1/2/3/4/5/6/7/8/9/10/11/a.json", "A");
    assert_int_equal(run(s), OK);
    assert_int_equal(s->preload.count, 1);
    put(s, "h/1/2/3/4/5/6/7/8/9/10/11/12/a.json", "A");
    assert_int_equal(run(s), E_BAD_DATA);
    says(s, "/11/12");
}

static void folder_must_be_there(void **state)
{
    struct seen *s = *state;
    assert_int_equal(preload_run(&s->preload, "preload_test_none", &s->why), E_IO);
    says(s, "preload_test_none");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(mirrored_paths, setup, teardown),
        cmocka_unit_test_setup_teardown(index_names_the_files, setup, teardown),
        cmocka_unit_test_setup_teardown(faults_of_the_index_name_it, setup, teardown),
        cmocka_unit_test_setup_teardown(refused_documents_name_the_file, setup, teardown),
        cmocka_unit_test_setup_teardown(sizes_and_kinds_are_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(folders_too_deep_are_not_left_out_silently, setup, teardown),
        cmocka_unit_test_setup_teardown(folder_must_be_there, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
