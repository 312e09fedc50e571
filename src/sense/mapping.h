/* How a row or a feature becomes entities: a JSON document that says which columns
 * go where, in which unit, with which time zone and marks for missing values.
 * docs/import.md is the reference; share/mappings/ has those that are built in.
 *
 * A mapping is read once, checked as a whole (an unknown member is an error with
 * its pointer), and does not change afterwards. */
#ifndef SENSE_MAPPING_H
#define SENSE_MAPPING_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/status.h"
#include "sense/field.h"
#include "sense/template.h"

#include <stdbool.h>
#include <stdint.h>

/* Where an attribute's value comes from; exactly one of these is given. */
enum mapping_from {
    FROM_COLUMN,       /* "column": "pm2.5" */
    FROM_TEMPLATE,     /* "template": "{street} {number}" */
    FROM_CONSTANT,     /* "constant": any JSON */
    FROM_POINT,        /* "point": [longitude column, latitude column] */
    FROM_GEOMETRY,     /* "geometry": "shape" … */
    FROM_RELATIONSHIP, /* "relationship": template of an id */
    FROM_COUNT
};

enum mapping_type {                /* "type" of a column or template */
                    MAPPING_AS_IS, /* strings from a table, any JSON from a feature */
                    MAPPING_STRING,
                    MAPPING_NUMBER,
                    MAPPING_INTEGER,
                    MAPPING_BOOLEAN,  /* true/false, yes/no, 1/0 */
                    MAPPING_DATETIME, /* ISO 8601; without a zone, in the mapping's */
                    MAPPING_JSON,     /* the text is JSON */
                    MAPPING_TYPE_COUNT
};

enum mapping_shape {               /* "geometry" */
                     SHAPE_WHOLE,  /* the geometry itself, as a GeoProperty */
                     SHAPE_START,  /* first position of a line, as a GeoProperty */
                     SHAPE_END,    /* last position */
                     SHAPE_LENGTH, /* length in kilometres, as a Property */
                     SHAPE_COUNT
};

struct mapping_pair {
    struct str from;
    const struct json *to; /* JSON_NULL: the attribute is left out */
};

struct mapping_attr {
    struct str name;
    uint8_t from;  /* enum mapping_from */
    uint8_t type;  /* enum mapping_type */
    uint8_t shape; /* enum mapping_shape */
    bool required; /* a row without it is rejected */
    bool geo;      /* the constant is a geometry */
    bool scaled, has_min, has_max;
    uint32_t column, latitude;          /* fields */
    struct template template;           /* FROM_TEMPLATE, FROM_RELATIONSHIP */
    struct str constant;                /* JSON text */
    struct str unit_code, lang;         /* absent when none */
    double scale, offset;               /* value × scale + offset */
    double min, max;                    /* after scaling; outside, the row is rejected */
    const struct template *observed_at; /* NULL: the entity's for columns; empty template: none */
    uint32_t pair_count;
    struct mapping_pair *pairs;   /* "map" */
    const struct json *otherwise; /* "otherwise": for values not in the map; NULL: reject */
    char separator;               /* "separator": the text is a list; 0: it is not */
};

struct mapping_entity {
    struct template id;
    struct str type;                    /* JSON text: a string or an array */
    const struct template *scope;       /* NULL when none */
    const struct template *observed_at; /* NULL when none */
    uint32_t only_if_count;
    uint32_t *only_if; /* fields: the entity is made when any has a value; none: always */
    uint32_t attr_count;
    struct mapping_attr *attrs;
};

enum mapping_kind { MAPPING_CSV, MAPPING_GEOJSON };

struct mapping {
    uint8_t kind; /* enum mapping_kind */
    char delimiter;
    bool split_lines;    /* one record a line of a MultiLineString */
    int zone_minutes;    /* of times without a zone */
    struct str encoding; /* absent: UTF-8 */
    struct str context;  /* JSON text of an @context; absent: the core context */
    uint32_t missing_count;
    const struct str *missing; /* texts that mean "no value" */
    uint32_t column_count;
    const struct str *columns; /* names when the file has no header; 0: the first row has them */
    uint32_t optional_count;
    const struct str *optional; /* columns that a header may lack */
    struct field_names fields;
    uint32_t entity_count;
    struct mapping_entity *entities;
};

/* Reads a mapping's text. Everything lives in the arena. E_INVALID_REQUEST or E_BAD_DATA with
 * pointer. */
MUST_USE enum status mapping_read(struct mapping *out, struct str text, struct arena *a,
                                  struct why *why);

/* A mapping that is built in ("jinan-roads"), or absent. */
struct str mapping_builtin(struct str name);
/* Their names, comma separated, for messages. */
struct str mapping_builtin_names(struct arena *a);

/* Memory that applying a mapping works with; the caller empties the arena between records. */
struct mapping_scratch {
    struct arena *arena;
    struct buf text;
};

/* Makes entity e of the record, as normalized NGSI-LD, and appends it to out; *id is in the arena.
 * E_NOT_FOUND: "onlyIf" says that there is none; any other status rejects the record, why says
 * what was wrong with which column. Nothing is appended unless OK. */
MUST_USE enum status mapping_apply(const struct mapping *m, const struct mapping_entity *e,
                                   const struct record *r, struct mapping_scratch *scratch,
                                   struct buf *out, struct str *id, struct why *why);

#endif
