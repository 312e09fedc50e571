/* A model city: reproducible, plausible, marked, and valid NGSI-LD whenever one looks. */
#include "check.h"

#include "base/json.h"
#include "base/time.h"
#include "model/context.h"
#include "model/reader.h"
#include "sense/city.h"
#include "sense/noise.h"

#include <math.h>
#include <stdlib.h>

#define HOUR INT64_C(3600000000)
#define DAY (24 * HOUR)
/* Monday 2024-01-15T00:00:00+08:00 */
#define MONDAY (INT64_C(1705248000) * 1000000)

static const struct city city = {.seed = 42, .devices = CITY_DEVICES};

static void noise_is_even_and_smooth(void **state)
{
    (void)state;
    double sum = 0, square = 0, normal = 0, spread = 0;
    for (uint64_t i = 0; i < 20000; i++) {
        double u = noise_unit(7, 3, i), n = noise_normal(7, 4, i);
        assert_true(u >= 0 && u < 1);
        sum += u;
        square += u * u;
        normal += n;
        spread += n * n;
    }
    assert_float_equal(sum / 20000, 0.5, 0.01);
    assert_float_equal(square / 20000, 1.0 / 3, 0.01);
    assert_float_equal(normal / 20000, 0, 0.03);
    assert_float_equal(spread / 20000, 1, 0.03);
    assert_true(noise_hash(1, 2, 3) != noise_hash(1, 3, 2));
    assert_true(noise_hash(1, 2, 3) != noise_hash(2, 1, 3));
    double before = noise_smooth(7, 1, -10 * HOUR, HOUR);
    for (int64_t t = -10 * HOUR; t < 10 * HOUR; t += HOUR / 100) {
        double v = noise_smooth(7, 1, t, HOUR);
        assert_true(v >= -1 && v <= 1 && fabs(v - before) < 0.04);
        before = v;
    }
}

/* Against almanacs: Jinan, noon of the solstices; sunrise of an equinox; the equator. */
static void sun_stands_where_it_should(void **state)
{
    (void)state;
    int64_t summer, winter, equinox;
    assert_true(time_parse(STR("2024-06-21T04:14:00Z"), &summer)); /* 12:14 local, solar noon */
    assert_true(time_parse(STR("2024-12-21T04:10:00Z"), &winter));
    assert_true(time_parse(STR("2024-03-20T12:07:00Z"), &equinox));
    assert_float_equal(climate_sun_deg(summer, 117, 36.66), 90 - 36.66 + 23.44, 0.3);
    assert_float_equal(climate_sun_deg(winter, 117, 36.66), 90 - 36.66 - 23.44, 0.4);
    assert_float_equal(climate_sun_deg(equinox, 0, 0), 90, 0.7);
    assert_true(climate_sun_deg(winter + 12 * HOUR, 117, 36.66) < -60);
}

static void clock_knows_the_local_day(void **state)
{
    (void)state;
    struct climate_clock c;
    climate_clock(MONDAY, &c);
    assert_int_equal(c.weekday, 0);
    assert_float_equal(c.hour, 0, 1e-9);
    climate_clock(MONDAY - 1000000, &c);
    assert_int_equal(c.weekday, 6);
    assert_float_equal(c.hour, 24, 0.001);
    climate_clock(0, &c); /* a Thursday, 8 o'clock */
    assert_int_equal(c.weekday, 3);
    assert_float_equal(c.hour, 8, 1e-9);
    climate_clock(-30 * DAY, &c);
    assert_true(c.weekday >= 0 && c.weekday < 7 && c.hour >= 0 && c.hour < 24 && c.year_day >= 0);
}

static void climate_has_days_and_seasons(void **state)
{
    (void)state;
    double january = 0, july = 0, day = 0, night = 0;
    for (int64_t h = 0; h < 24 * 28; h++) {
        struct climate w, s;
        climate_at(1, MONDAY + h * HOUR, &w);
        climate_at(1, MONDAY + 182 * DAY + h * HOUR, &s);
        january += w.temperature_c / (24 * 28);
        july += s.temperature_c / (24 * 28);
        if (s.clock.hour > 13 && s.clock.hour < 17)
            day += s.temperature_c / (28 * 3);
        if (s.clock.hour > 2 && s.clock.hour < 6)
            night += s.temperature_c / (28 * 3);
        for (int k = 0; k < 2; k++) {
            const struct climate *c = k ? &s : &w;
            assert_true(c->humidity > 0.1 && c->humidity < 1 && c->dew_point_c <= c->temperature_c);
            assert_true(c->wind_m_s > 0 && c->wind_m_s < 20);
            assert_true(c->wind_from_deg >= 0 && c->wind_from_deg < 360);
            assert_true(c->pressure_hpa > 980 && c->pressure_hpa < 1050);
            assert_true(c->sun_deg > 0 || c->radiation_w_m2 == 0);
            assert_true(c->radiation_w_m2 >= 0 && c->radiation_w_m2 < 1050);
            assert_true(c->rain_mm_h >= 0 && c->rain_mm_h < 20);
        }
    }
    assert_true(january > -8 && january < 6);
    assert_true(july > 22 && july < 33);
    assert_true(day > night + 3);
}

static void counts_and_places(void **state)
{
    (void)state;
    uint32_t seen[CITY_KIND_COUNT] = {0};
    for (uint32_t i = 0; i < city.devices; i++) {
        struct city_device d;
        city_device(&city, i, &d);
        assert_int_equal(d.number, seen[d.kind]);
        seen[d.kind]++;
        assert_true(d.lon > 116.9 && d.lon < 117.12 && d.lat > 36.6 && d.lat < 36.72);
        assert_true(d.phase_us >= 0 && d.phase_us < d.period_us);
    }
    static const uint32_t counts[CITY_KIND_COUNT] = {400, 80, 20, 60, 440, 500, 300, 200};
    for (int k = 0; k < CITY_KIND_COUNT; k++) {
        assert_int_equal(seen[k], counts[k]);
        assert_int_equal(city_count(&city, (enum city_kind)k), counts[k]);
    }
    /* other sizes add up as well */
    for (uint32_t n = 1; n < 3000; n += 37) {
        struct city other = {.seed = 1, .devices = n};
        uint32_t all = 0;
        for (int k = 0; k < CITY_KIND_COUNT; k++)
            all += city_count(&other, (enum city_kind)k);
        assert_int_equal(all, n);
    }
}

/* Every report exactly once, however time is cut up. */
static void reports_when_due(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < city.devices; i += 97) {
        struct city_device d;
        city_device(&city, i, &d);
        uint32_t reports = 0;
        for (int64_t t = MONDAY; t < MONDAY + DAY;) {
            int64_t step = (int64_t)noise_range(5, 5, (uint64_t)t, 1, 90e6);
            int64_t to = t + step < MONDAY + DAY ? t + step : MONDAY + DAY;
            reports += city_is_due(&d, t, to);
            t = to;
        }
        /* at most one a step: steps longer than the period count once */
        assert_true(reports <= (uint32_t)(DAY / d.period_us) + 1);
        if (d.period_us > 90 * 1000000)
            assert_int_equal(reports, DAY / d.period_us);
    }
}

static void observe(struct buf *out, const struct city *c, uint32_t i, int64_t t, bool whole)
{
    struct city_device d;
    struct climate climate;
    city_device(c, i, &d);
    climate_at(c->seed, t, &climate);
    buf_clear(out);
    city_observe(c, &d, &climate, whole, out);
    assert_false(out->full);
}

static void is_reproducible(void **state)
{
    (void)state;
    struct buf a, b;
    uint32_t same = 0;
    struct city other = {.seed = 43, .devices = CITY_DEVICES};
    buf_init(&a, 65536);
    buf_init(&b, 65536);
    for (uint32_t i = 0; i < city.devices; i += 3) {
        observe(&a, &city, i, MONDAY + i * HOUR, true);
        observe(&b, &city, (i * 7) % city.devices, MONDAY, false); /* something in between */
        observe(&b, &city, i, MONDAY + i * HOUR, true);
        assert_true(str_eq(buf_view(&a), buf_view(&b)));
        observe(&b, &other, i, MONDAY + i * HOUR, true);
        same += str_eq(buf_view(&a), buf_view(&b));
    }
    assert_int_equal(same, 0);
    buf_free(&a);
    buf_free(&b);
}

/* The reader takes it, it is marked, and partial observations leave out only what stays. */
static void is_valid_and_marked(void **state)
{
    (void)state;
    static const struct reader_limits limits = {.attrs_max = 100,
                                                .depth_max = 4,
                                                .types_max = 4,
                                                .scopes_max = 4,
                                                .name_bytes_max = 200,
                                                .coordinates_max = 10};
    struct terms *terms = terms_new(10000);
    struct arena *a = arena_new(0);
    struct buf out;
    context_setup(terms);
    buf_init(&out, 65536);
    for (uint32_t i = 0; i < city.devices; i++) {
        for (int whole = 0; whole < 2; whole++) {
            struct json tree;
            struct entity e;
            struct why why = {0};
            observe(&out, &city, i, MONDAY + i * 11 * HOUR, whole);
            arena_reset(a);
            assert_int_equal(
                json_read(a, buf_view(&out), &(struct json_limits){16, 65536}, &tree, &why), OK);
            struct reader r = {.context = context_core(),
                               .limits = &limits,
                               .arena = a,
                               .mode = READER_ENTITY,
                               .observed_at = TIME_NONE};
            if (reader_entity(&r, &tree, STR_NONE, NULL, &e, &why) != OK)
                fail_msg("%.*s: %s", STR_ARG(buf_view(&out)), why.text);
            const struct json *mark = json_get(json_get(&tree, STR("simulated")), STR("value"));
            const struct json *name = json_get(json_get(&tree, STR("name")), STR("value"));
            assert_true(whole ? json_is(mark, JSON_BOOL) && mark->boolean : mark == NULL);
            assert_true(!whole || str_find(name->string, STR("(simulated)")) != STR_NPOS);
            assert_true(!whole || json_get(&tree, STR("location")));
        }
    }
    buf_free(&out);
    arena_free(a);
    terms_free(terms);
}

static double number(struct arena *a, struct buf *out, const char *name)
{
    struct json tree;
    double v = NAN;
    arena_reset(a);
    assert_int_equal(json_read(a, buf_view(out), &(struct json_limits){16, 65536}, &tree, NULL),
                     OK);
    assert_true(json_number(json_get(json_get(&tree, str_of(name)), STR("value")), &v));
    return v;
}

static uint32_t first_of(enum city_kind kind)
{
    uint32_t i = 0;
    for (int k = 0; k < (int)kind; k++)
        i += city_count(&city, (enum city_kind)k);
    return i;
}

static void lives_by_the_day(void **state)
{
    (void)state;
    struct arena *a = arena_new(0);
    struct buf out;
    double rush = 0, night = 0, lit_at_night = 0, lit_at_noon = 0;
    buf_init(&out, 65536);
    for (uint32_t i = 0; i < 100; i++) {
        observe(&out, &city, first_of(CITY_TRAFFIC) + i, MONDAY + 8 * HOUR, false);
        rush += number(a, &out, "intensity");
        assert_true(number(a, &out, "occupancy") <= 1);
        observe(&out, &city, first_of(CITY_TRAFFIC) + i, MONDAY + 3 * HOUR, false);
        night += number(a, &out, "intensity");
        observe(&out, &city, first_of(CITY_LIGHT) + i, MONDAY + 22 * HOUR, false);
        lit_at_night += number(a, &out, "illuminanceLevel") > 0;
        observe(&out, &city, first_of(CITY_LIGHT) + i, MONDAY + 12 * HOUR, false);
        lit_at_noon += number(a, &out, "illuminanceLevel") > 0;
    }
    assert_true(rush > 3 * night);
    assert_true(lit_at_night > 90);
    assert_int_equal(lit_at_noon, 0);
    buf_free(&out);
    arena_free(a);
}

/* Meters never run backwards, containers fill and are emptied, garages hold what they say. */
static void keeps_its_books(void **state)
{
    (void)state;
    struct arena *a = arena_new(0);
    struct buf out;
    buf_init(&out, 65536);
    for (uint32_t i = 0; i < 20; i++) {
        double meter = 0, level = 0;
        uint32_t emptied = 0;
        for (int64_t h = 0; h < 24 * 7; h++) {
            observe(&out, &city, first_of(CITY_METER) + i, MONDAY + h * HOUR, false);
            double now = number(a, &out, "totalConsumption");
            assert_true(now >= meter);
            meter = now;
            observe(&out, &city, first_of(CITY_WASTE) + i, MONDAY + h * HOUR, false);
            now = number(a, &out, "fillingLevel");
            assert_true(now >= 0 && now <= 1);
            emptied += now < level;
            level = now;
            observe(&out, &city, first_of(CITY_GARAGE) + i, MONDAY + h * HOUR, true);
            double total = number(a, &out, "totalSpotNumber");
            assert_true(number(a, &out, "availableSpotNumber") +
                            number(a, &out, "occupiedSpotNumber") ==
                        total);
        }
        assert_true(emptied >= 2 && emptied <= 8);
    }
    buf_free(&out);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(noise_is_even_and_smooth),  cmocka_unit_test(sun_stands_where_it_should),
        cmocka_unit_test(clock_knows_the_local_day), cmocka_unit_test(climate_has_days_and_seasons),
        cmocka_unit_test(counts_and_places),         cmocka_unit_test(reports_when_due),
        cmocka_unit_test(is_reproducible),           cmocka_unit_test(is_valid_and_marked),
        cmocka_unit_test(lives_by_the_day),          cmocka_unit_test(keeps_its_books),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
