/* The fixture of the context tests: one terms table, one arena, a loader over texts. */
#include "context_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct json_limits JSON = {.depth_max = 64, .bytes_max = 64 << 20};

int fixture_setup(void **state)
{
    struct fixture *f = mem_zalloc(sizeof *f);
    f->arena = arena_new(0);
    f->terms = terms_new(100000);
    f->limits = (struct context_limits){.terms_max = 10000, .remotes_max = 8, .depth_max = 8};
    context_setup(f->terms);
    *state = f;
    return 0;
}

int fixture_teardown(void **state)
{
    struct fixture *f = *state;
    terms_free(f->terms);
    arena_free(f->arena);
    free(f);
    return 0;
}

static const struct json *parse(struct fixture *f, struct str text)
{
    struct json *v = arena_alloc(f->arena, sizeof *v);
    struct why why = {0};
    if (json_read(f->arena, text, &JSON, v, &why) != OK)
        fail_msg("%s: %.*s", why.text, STR_ARG(text));
    return v;
}

struct loader {
    struct context_loader loader;
    struct fixture *f;
};

static const struct json *load(struct context_loader *l, struct str url)
{
    struct fixture *f = ((struct loader *)l)->f;
    f->loads++;
    for (const struct remote_text *r = f->remotes; r && r->url; r++)
        if (str_eq(url, str_of(r->url)))
            return parse(f, str_of(r->text));
    return NULL;
}

struct context *fixture_build(struct fixture *f, const char *text, enum status *st)
{
    struct loader l = {{load}, f};
    struct context *c = NULL;
    why_clear(&f->why);
    *st = context_build(&c, parse(f, str_of(text)), f->base, &l.loader, &f->limits, f->arena,
                        &f->missing, &f->why);
    return c;
}

struct context *fixture_context(struct fixture *f, const char *text)
{
    enum status st;
    struct context *c = fixture_build(f, text, &st);
    if (st != OK)
        fail_msg("%s: %s: %s", text, f->why.pointer, f->why.text);
    assert_non_null(c);
    return c;
}

void fixture_refused(struct fixture *f, const char *text, enum status want, const char *pointer,
                     const char *part)
{
    enum status st;
    struct context *c = fixture_build(f, text, &st);
    if (st != want || f->why.status != want || strcmp(f->why.pointer, pointer) != 0 ||
        !strstr(f->why.text, part))
        fail_msg("%s: %s at %s: %s", text, status_name(st), f->why.pointer, f->why.text);
    assert_null(c);
}

void fixture_expands(struct fixture *f, const struct context *c, const char *name, const char *iri)
{
    struct str got = context_expand(c, str_of(name), f->arena);
    if (iri ? !str_eq(got, str_of(iri)) : !str_absent(got))
        fail_msg("%s expands to %.*s, not %s", name, STR_ARG(got), iri ? iri : "nothing");
    uint32_t id = context_expand_term(c, str_of(name), true, f->arena, NULL);
    if (!iri) {
        assert_int_equal(id, TERM_NONE);
        return;
    }
    if (id == TERM_NONE || !str_eq(terms_iri(f->terms, id), str_of(iri)))
        fail_msg("%s interns as %u, not %s", name, id, iri);
    for (int again = 0; again < 2; again++)
        assert_int_equal(context_expand_term(c, str_of(name), again, f->arena, NULL), id);
}

void fixture_compacts(struct fixture *f, const struct context *c, const char *iri, const char *name)
{
    struct str got = context_compact(c, str_of(iri), f->arena);
    if (!str_eq(got, str_of(name)))
        fail_msg("%s compacts to %.*s, not %s", iri, STR_ARG(got), name);
    uint32_t id = terms_intern(f->terms, str_of(iri), NULL);
    for (int again = 0; again < 2; again++) {
        got = context_compact_term(c, id);
        if (!str_eq(got, str_of(name)))
            fail_msg("term %s compacts to %.*s, not %s", iri, STR_ARG(got), name);
    }
}

const char *fixture_shared_folder(void)
{
    const char *folder = getenv("WELLSPRING_SHARED_DATA");
    return folder ? folder : WELLSPRING_SOURCE "/../shared/data";
}

const struct json *fixture_shared(struct fixture *f, const char *path)
{
    struct str name = arena_printf(f->arena, "%s/%s", fixture_shared_folder(), path);
    FILE *file = fopen(name.p, "r");
    if (!file)
        return NULL;
    size_t n = 0, cap = 1 << 20;
    char *text = arena_alloc(f->arena, cap);
    n = fread(text, 1, cap, file);
    assert_true(n < cap && !ferror(file));
    fclose(file);
    return parse(f, (struct str){text, n});
}
