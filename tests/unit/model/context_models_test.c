/* The contexts of real city models: each of their terms means what the document
 * says, and its IRI gets a name again that means the same. */
#include "context_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static const char *const SUBJECTS[] = {
    "Alert",          "Building",       "Device",          "Energy",
    "Environment",    "Parking",        "Weather",         "PointOfInterest",
    "Streetlighting", "Transportation", "WasteManagement", "UrbanMobility",
};

/* The IRI that a string or an "@id" of the document stands for, by its prefixes, without any of the
 * code under test. These documents have one object of plain terms. */
static struct str meaning(struct fixture *f, const struct json *object, const struct json *v)
{
    struct str id = v->kind == JSON_STRING ? v->string : json_get(v, STR("@id"))->string;
    size_t colon = str_find_char(id, ':');
    assert_true(colon != STR_NPOS);
    const struct json *prefix = json_get(object, str_head(id, colon));
    if (!prefix)
        return id;
    return arena_printf(f->arena, "%.*s%.*s", STR_ARG(prefix->string),
                        STR_ARG(str_from(id, colon + 1)));
}

static void check_model(struct fixture *f, const struct json *document)
{
    struct context *c = NULL;
    const struct json *object = json_get(document, STR("@context"));
    if (context_build(&c, object, STR_NONE, NULL, &f->limits, f->arena, &f->missing, &f->why) != OK)
        fail_msg("%s: %s", f->why.pointer, f->why.text);
    uint32_t own = 0;
    for (uint32_t i = 0; i < object->n; i++) {
        struct str term = arena_dup(f->arena, object->members[i].key);
        struct str iri = STR_NONE;
        if (!json_is_string(&object->members[i].value, STR("@id")) &&
            !json_is_string(&object->members[i].value, STR("@type")))
            iri = arena_dup(f->arena, meaning(f, object, &object->members[i].value));
        /* the core's meaning goes before the model's */
        struct str core = context_expand(context_core(), term, f->arena);
        if (!str_starts(core, STR("https://uri.etsi.org/ngsi-ld/default-context/")))
            iri = core;
        else
            own++;
        if (str_absent(iri))
            continue;
        fixture_expands(f, c, term.p, iri.p);
        struct str name = context_compact(c, iri, f->arena);
        assert_true(str_eq(context_expand(c, name, f->arena), iri));
        assert_true(str_find_char(name, ':') == STR_NPOS || str_eq(name, term));
        fixture_compacts(f, c, iri.p, arena_dup(f->arena, name).p);
    }
    assert_true(own > 10);
    context_unref(c);
}

static void models_go_both_ways(void **state)
{
    struct fixture *f = *state;
    f->limits.scoped_refused = true;
    unsigned seen = 0;
    for (size_t i = 0; i < sizeof SUBJECTS / sizeof *SUBJECTS; i++) {
        struct str path =
            arena_printf(f->arena, "smart-data-models/contexts/dataModel.%s.jsonld", SUBJECTS[i]);
        const struct json *document = fixture_shared(f, path.p);
        if (!document) {
            print_message("there is no ../shared/data/%s\n", path.p);
            continue;
        }
        check_model(f, document);
        seen++;
    }
    if (!seen)
        skip();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(models_go_both_ways, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
