/* Cuts a JSON text into the elements that an importer reads one by one, without
 * building a tree of the whole: the elements of an array, the features of a
 * FeatureCollection, or objects that follow one another (one a line, or a single
 * one). Memory is bounded by one element however large the text is, and every
 * element knows its line and offset.
 *
 * Only brackets and strings are looked at; what an element contains is for the
 * JSON reader to judge. */
#ifndef SENSE_JSON_SPLIT_H
#define SENSE_JSON_SPLIT_H

#include "base/status.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

enum json_split_form {
    JSON_SPLIT_ARRAY,    /* [ … ] */
    JSON_SPLIT_FEATURES, /* {"type":"FeatureCollection","features":[ … ]} */
    JSON_SPLIT_OBJECTS,  /* { … } { … } */
};

struct json_split {
    struct str text;
    enum json_split_form form;
    size_t at;     /* where the next element, comma or end is looked for */
    uint64_t line; /* of text[at] */
    bool behind;   /* an element ends at or before `at` */
    bool ended;
    bool feature; /* the first object is a GeoJSON feature */
};

struct json_element {
    struct str text; /* borrowed */
    size_t offset;
    uint64_t line; /* from 1 */
};

enum json_split_step { JSON_SPLIT_ELEMENT, JSON_SPLIT_BAD, JSON_SPLIT_END };

/* Finds out the form. E_BAD_DATA when text begins with neither bracket nor brace, or a
 * FeatureCollection has no array of features. text is borrowed; a byte order mark is skipped. */
MUST_USE enum status json_split_init(struct json_split *s, struct str text, struct why *why);
/* JSON_SPLIT_BAD: element->line says where, why what; nothing can be read behind it, so the next
 * step is JSON_SPLIT_END. */
enum json_split_step json_split_next(struct json_split *s, struct json_element *element,
                                     struct why *why);
/* Goes on behind an element: at the offset and line that s->at and s->line had after it. */
void json_split_seek(struct json_split *s, size_t offset, uint64_t line);

/* Offset behind the value that begins at `at`; STR_NPOS when the text ends inside. */
size_t json_split_value_end(struct str text, size_t at);

#endif
