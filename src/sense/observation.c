/* Why: the machine and the model city say the same kind of things; here is how they are written.
 * Names and units are literals of ours and need no escaping. */
#include "sense/observation.h"

#include "base/json.h"

void observation_open(struct observation *o, struct buf *out, struct str id, const char *type,
                      int64_t observed_at)
{
    o->out = out;
    o->time_bytes = time_format(observed_at, o->time);
    buf_lit(out, "{\"id\":");
    json_write_str(out, id);
    buf_lit(out, ",\"type\":\"");
    buf_str(out, str_of(type));
    buf_char(out, '"');
}

void observation_close(struct observation *o)
{
    buf_char(o->out, '}');
}

static void property_open(struct observation *o, const char *name)
{
    buf_lit(o->out, ",\"");
    buf_str(o->out, str_of(name));
    buf_lit(o->out, "\":{\"type\":\"Property\",\"value\":");
}

static void property_unit(struct observation *o, const char *unit)
{
    if (!unit)
        return;
    buf_lit(o->out, ",\"unitCode\":\"");
    buf_str(o->out, str_of(unit));
    buf_char(o->out, '"');
}

static void property_observed(struct observation *o)
{
    buf_lit(o->out, ",\"observedAt\":\"");
    buf_put(o->out, o->time, o->time_bytes);
    buf_char(o->out, '"');
}

/* "-0.00" reads badly, and is another value than 0. */
static void put_decimal(struct buf *b, double value, int decimals)
{
    static const double half[] = {0.5, 0.05, 0.005, 0.0005, 0.00005, 0.000005, 0.0000005};
    if (value < 0 && -value < half[decimals])
        value = 0;
    buf_printf(b, "%.*f", decimals, value);
}

void observation_number(struct observation *o, const char *name, double value, int decimals,
                        const char *unit)
{
    property_open(o, name);
    put_decimal(o->out, value, decimals);
    property_unit(o, unit);
    property_observed(o);
    buf_char(o->out, '}');
}

void observation_integer(struct observation *o, const char *name, int64_t value, const char *unit)
{
    property_open(o, name);
    buf_i64(o->out, value);
    property_unit(o, unit);
    property_observed(o);
    buf_char(o->out, '}');
}

void observation_truth(struct observation *o, const char *name, bool value)
{
    property_open(o, name);
    buf_str(o->out, value ? STR("true") : STR("false"));
    property_observed(o);
    buf_char(o->out, '}');
}

void observation_state(struct observation *o, const char *name, const char *value)
{
    property_open(o, name);
    json_write_str(o->out, str_of(value));
    property_observed(o);
    buf_char(o->out, '}');
}

void observation_time(struct observation *o, const char *name, int64_t value)
{
    property_open(o, name);
    buf_lit(o->out, "{\"@type\":\"DateTime\",\"@value\":\"");
    buf_time(o->out, value);
    buf_lit(o->out, "\"}}");
}

void observation_text(struct observation *o, const char *name, struct str value)
{
    property_open(o, name);
    json_write_str(o->out, value);
    buf_char(o->out, '}');
}

void observation_fixed(struct observation *o, const char *name, double value, int decimals,
                       const char *unit)
{
    property_open(o, name);
    put_decimal(o->out, value, decimals);
    property_unit(o, unit);
    buf_char(o->out, '}');
}

void observation_json(struct observation *o, const char *name, const char *json)
{
    property_open(o, name);
    buf_str(o->out, str_of(json));
    buf_char(o->out, '}');
}

void observation_point(struct observation *o, const char *name, double lon, double lat)
{
    buf_printf(o->out,
               ",\"%s\":{\"type\":\"GeoProperty\",\"value\":{\"type\":\"Point\",\"coordinates\":"
               "[%.6f,%.6f]}}",
               name, lon, lat);
}

void observation_relationship(struct observation *o, const char *name, struct str object)
{
    buf_printf(o->out, ",\"%s\":{\"type\":\"Relationship\",\"object\":", name);
    json_write_str(o->out, object);
    buf_char(o->out, '}');
}

void observation_instances_open(struct observation *o, const char *name)
{
    buf_printf(o->out, ",\"%s\":[", name);
}

void observation_instance(struct observation *o, struct str dataset, double value, int decimals,
                          const char *unit)
{
    buf_str(o->out, dataset.n ? STR(",{\"type\":\"Property\",\"value\":")
                              : STR("{\"type\":\"Property\",\"value\":"));
    put_decimal(o->out, value, decimals);
    property_unit(o, unit);
    property_observed(o);
    if (dataset.n > 0) {
        buf_lit(o->out, ",\"datasetId\":");
        json_write_str(o->out, dataset);
    }
    buf_char(o->out, '}');
}

void observation_instances_close(struct observation *o)
{
    buf_char(o->out, ']');
}
