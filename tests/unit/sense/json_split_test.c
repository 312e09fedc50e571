/* Elements, their lines, and texts that end too early. */
#include "check.h"

#include "sense/json_split.h"

#include <stdlib.h>

/* Elements as "line:text|", the reason of a bad one as "line!". */
static void split_all(const char *text, size_t n, char *out, size_t room)
{
    char *exact = malloc(n ? n : 1);
    memcpy(exact, text, n);
    struct json_split s;
    struct json_element e;
    struct why why;
    size_t used = 0;
    out[0] = 0;
    if (json_split_init(&s, (struct str){exact, n}, &why) != OK) {
        snprintf(out, room, "refused");
        free(exact);
        return;
    }
    enum json_split_step step;
    while ((step = json_split_next(&s, &e, &why)) != JSON_SPLIT_END) {
        if (step == JSON_SPLIT_ELEMENT)
            used +=
                (size_t)snprintf(out + used, room - used, "%d:%.*s|", (int)e.line, STR_ARG(e.text));
        else
            used += (size_t)snprintf(out + used, room - used, "%d!", (int)e.line);
    }
    assert_int_equal(json_split_next(&s, &e, &why), JSON_SPLIT_END);
    free(exact);
}

static void splits(void **state)
{
    (void)state;
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"[]", ""},
        {" [ 1 , \"a,]\" , {\"x\":[1,2]} ] ", "1:1|1:\"a,]\"|1:{\"x\":[1,2]}|"},
        {"[\n{\"a\":\"\\\"]\"},\n\n{\n}]", "2:{\"a\":\"\\\"]\"}|4:{\n}|"},
        {"{\"id\":1}", "1:{\"id\":1}|"},
        {"\xEF\xBB\xBF{}", "1:{}|"},
        {"{\"a\":1}\n{\"b\":2}\n", "1:{\"a\":1}|2:{\"b\":2}|"},
        {"{\"type\":\"FeatureCollection\",\n\"features\":[{},\n{}],\"x\":1}", "2:{}|3:{}|"},
        {"{\"features\":[\n{}],\"type\":\"FeatureCollection\"}", "2:{}|"},
        {"{\"type\":\"Feature\",\"features\":[1]}", "1:{\"type\":\"Feature\",\"features\":[1]}|"},
        /* what is wrong is named with its line, and what came before is kept */
        {"[{},\n{\"a\":1", "1:{}|2!"},
        {"[{}\n{}]", "1:{}|2!"},
        {"[{},]", "1:{}|1!"},
        {"[{}]\nx", "1:{}|2!"},
        {"[{}", "1:{}|1!"},
        {"[", "1!"},
        {"{} 7", "1:{}|1!"},
        {"{\"a", "1!"},
        {"{\"type\":\"FeatureCollection\",\"features\":[{},{\"a", "1:{}|1!"},
        {"{\"type\":\"FeatureCollection\"}", "refused"},
        {"", "refused"},
        {"id,name", "refused"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char out[512];
        split_all(cases[i].text, strlen(cases[i].text), out, sizeof out);
        assert_string_equal(out, cases[i].expected);
    }
}

static void seeks_behind_an_element(void **state)
{
    (void)state;
    struct str text = STR("[{\"a\":1},\n{\"b\":2},\n{\"c\":3}]");
    struct json_split s;
    struct json_element e;
    assert_int_equal(json_split_init(&s, text, NULL), OK);
    assert_int_equal(json_split_next(&s, &e, NULL), JSON_SPLIT_ELEMENT);
    assert_int_equal(json_split_next(&s, &e, NULL), JSON_SPLIT_ELEMENT);
    size_t offset = s.at;
    uint64_t line = s.line;
    assert_int_equal(json_split_init(&s, text, NULL), OK);
    json_split_seek(&s, offset, line);
    assert_int_equal(json_split_next(&s, &e, NULL), JSON_SPLIT_ELEMENT);
    assert_str(e.text, "{\"c\":3}");
    assert_int_equal(e.line, 3);
    assert_int_equal(json_split_next(&s, &e, NULL), JSON_SPLIT_END);
}

static void survives_any_bytes(void **state)
{
    (void)state;
    static const char alphabet[] = "[]{}\"\\,: \n1a";
    uint32_t seed = 7;
    char text[40], out[4096];
    for (int round = 0; round < 50000; round++) {
        size_t n = (size_t)(round % 40);
        for (size_t i = 0; i < n; i++) {
            seed = seed * 1664525u + 1013904223u;
            text[i] = alphabet[(seed >> 16) % (sizeof alphabet - 1)];
        }
        if (n > 0 && round % 3 == 0)
            text[0] = '[';
        split_all(text, n, out, sizeof out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(splits),
        cmocka_unit_test(seeks_behind_an_element),
        cmocka_unit_test(survives_any_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
