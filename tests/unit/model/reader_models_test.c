/* Real city models: every example entity is read, goes through the stored form and
 * all representations and comes back equal in meaning; those that break a clause are
 * listed here with the member and the rule. */
#include "entity_fixture.h"

#include "model/doc.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

/* What the clauses refuse, or names a context that is not there; the first fault of each. */
static const struct {
    const char *file, *pointer, *part;
} REFUSED[] = {
    {"Building.VibrationsObserved.jsonld", "/location", "must be a GeoProperty"},
    {"Device.Device.jsonld", "/value", "reserved"},
    {"Device.DeviceMeasurement.jsonld", "/location", "must be a GeoProperty"},
    {"Device.Modbus.jsonld", "/value", "reserved"},
    {"Device.UWBAnchor.jsonld", "/@context/0",
     "dataModel.Aeronautics/refs/heads/master/context.jsonld is not available"},
    {"Energy.InverterDevice.jsonld", "/nominalAmpereAC ",
     "begin with a letter and go on with letters"},
    {"Energy.SolarEnergy.jsonld", "/location/value/coordinates", "expected a position"},
    {"Environment.AirQualityMonitoring.jsonld", "/location", "must be a GeoProperty"},
    {"Environment.FloodMonitoring.jsonld", "/floodLevelStatus/type",
     "\"string\" is no type of attribute"},
    {"Environment.IndoorEnvironmentObserved.jsonld", "/@context/0",
     "fiware.github.io/data-models/context.jsonld is not available"},
    {"Environment.NightSkyQuality.jsonld", "/id", "must be a URI"},
    {"Environment.PhreaticObserved.jsonld", "/depth/status ",
     "begin with a letter and go on with letters"},
    {"Environment.WaterObserved.jsonld", "/dateObserved/object",
     "a Relationship's object must be a URI"},
    {"Transportation.BikeLane.jsonld", "/location", "must be a GeoProperty"},
    {"Transportation.CityWork.jsonld", "/workDisposition/tramwayImpacted/type",
     "\"Property \" is no type"},
    {"Transportation.FareCollectionSystem.jsonld", "/location", "must be a GeoProperty"},
    {"Transportation.RestrictionException.jsonld", "/name/type",
     "\"string\" is no type of attribute"},
    {"Transportation.SpecialRestriction.jsonld", "/name/type",
     "\"string\" is no type of attribute"},
    {"Transportation.TransportStation.jsonld", "/featuredArtist ",
     "begin with a letter and go on with letters"},
    {"Transportation.Vehicle.jsonld", "/battery/observedAt", "expected a DateTime in UTC"},
    {"Transportation.VehicleFault.jsonld", "/observedAt", "reserved"},
    {"Weather.SeaConditions.jsonld", "/location", "must be a GeoProperty"},
    {"Weather.WeatherForecast.jsonld", "/id", "must be a URI"},
    {NULL, NULL, NULL},
};

struct loader {
    struct context_loader loader;
    struct fixture *f;
};

/* Contexts are named …/dataModel.SUBJECT/…/context.jsonld and kept as dataModel.SUBJECT.jsonld. */
static const struct json *load(struct context_loader *l, struct str url)
{
    struct fixture *f = ((struct loader *)l)->f;
    size_t at = str_find(url, STR("dataModel."));
    if (at == STR_NPOS)
        return NULL;
    struct str name = str_from(url, at);
    name = str_head(name, str_find_char(name, '/'));
    struct str path =
        arena_printf(f->arena, "smart-data-models/contexts/%.*s.jsonld", STR_ARG(name));
    return fixture_shared(f, path.p);
}

static void check_forms(struct fixture *f, const struct context *c, const struct json *in,
                        const struct entity *e, const char *file)
{
    struct reader r = entity_reader(f, c, READER_ENTITY);
    for (int format = REPRESENT_NORMALIZED; format <= REPRESENT_CONCISE; format++) {
        struct represent rep = entity_represent(f, c, (enum represent_format)format);
        rep.sys_attrs = true;
        entity_same(f, e, entity_read(f, &r, entity_text(f, &rep, e).p), file);
    }
    struct represent rep = entity_represent(f, c, REPRESENT_NORMALIZED);
    const struct json *out = entity_json(f, entity_text(f, &rep, e).p);
    for (uint32_t i = 0; i < in->n; i++) { /* the examples use the names that come back */
        const struct json_member *m = &in->members[i];
        const struct json *back = json_get(out, m->key);
        if (!str_eq(m->key, STR("@context")) && !back)
            fail_msg("%s: %.*s is gone", file, STR_ARG(m->key));
    }
    assert_int_equal(out->n, in->n - 1);
}

static void check_stored(struct fixture *f, struct entity *e, const char *file)
{
    struct entity back;
    struct why why = {0};
    e->created_at = e->modified_at = 1;
    for (uint32_t i = 0; i < e->attr_count; i++)
        e->attrs[i].created_at = e->attrs[i].modified_at = 1;
    size_t n = doc_size(e);
    void *block = aligned_alloc(8, (n + 7) & ~(size_t)7);
    doc_encode(e, block);
    doc_set_seq(block, 1);
    if (doc_check(block, n, terms_count(f->terms), &why) != OK)
        fail_msg("%s: %s", file, why.text);
    doc_decode(block, f->arena, &back);
    entity_same(f, e, &back, file);
    free(block);
}

/* True when it was read, false when it was refused as the list says. */
static bool check_example(struct fixture *f, const char *file)
{
    struct str path = arena_printf(f->arena, "smart-data-models/examples/%s", file);
    const struct json *v = fixture_shared(f, path.p);
    struct loader l = {{load}, f};
    struct context *c = NULL;
    struct entity e;
    why_clear(&f->why);
    assert_non_null(v);
    enum status st = context_build(&c, json_get(v, STR("@context")), STR_NONE, &l.loader,
                                   &f->limits, f->arena, &f->missing, &f->why);
    if (st == OK) {
        struct reader r = entity_reader(f, c, READER_ENTITY);
        st = reader_entity(&r, v, STR_NONE, NULL, &e, &f->why);
    }
    if (st == OK) {
        check_forms(f, c, v, &e, file);
        check_stored(f, &e, file);
    }
    size_t i = 0;
    while (REFUSED[i].file && strcmp(REFUSED[i].file, file) != 0)
        i++;
    if (REFUSED[i].file ? st == OK || strcmp(f->why.pointer, REFUSED[i].pointer) != 0 ||
                              !strstr(f->why.text, REFUSED[i].part)
                        : st != OK)
        fail_msg("%s at \"%s\": %s", file, f->why.pointer, f->why.text);
    if (c)
        context_unref(c);
    return st == OK;
}

static void examples_of_every_model(void **state)
{
    struct fixture *f = *state;
    struct str path =
        arena_printf(f->arena, "%s/smart-data-models/examples", fixture_shared_folder());
    DIR *folder = opendir(path.p);
    if (!folder) {
        print_message("%s is not at hand\n", path.p);
        skip();
    }
    unsigned seen = 0, taken = 0, refused = 0;
    while (REFUSED[refused].file)
        refused++;
    for (struct dirent *d; (d = readdir(folder));) {
        if (d->d_name[0] == '.')
            continue;
        seen++;
        taken += check_example(f, d->d_name);
    }
    closedir(folder);
    assert_int_equal(seen, 107);
    assert_int_equal(taken, 107 - refused);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(examples_of_every_model, fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
