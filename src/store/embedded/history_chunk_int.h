/* What the writer and the reader of chunks share: docs/formats/history.md draws it. */
#ifndef STORE_EMBEDDED_HISTORY_CHUNK_INT_H
#define STORE_EMBEDDED_HISTORY_CHUNK_INT_H

#include "store/embedded/history_chunk.h"
#include "store/embedded/history_column.h"

enum { CHUNK_VERSION = 1 };

/* Columns, in the order of the bytes. What the header tells already has none. */
enum {
    COLUMN_TIMES, /* one of each time_property */
    COLUMN_SEQ = COLUMN_TIMES + TIME_PROPERTY_COUNT,
    COLUMN_INDEX,
    COLUMN_KINDS,
    COLUMN_BOOLEANS,
    COLUMN_NUMBERS,
    COLUMN_TEXTS,
    COLUMN_GEOMETRIES,
    COLUMN_SHAPES,
    COLUMN_COUNT
};
_Static_assert(COLUMN_COUNT <= sizeof((struct chunk *)0)->columns / sizeof(struct str), "room for every column");

/* How the times of one property are told. */
enum chunk_form {
    FORM_ABSENT,
    FORM_CONSTANT, /* all the same */
    FORM_DISTANCE, /* a constant from another property's */
    FORM_COLUMN,   /* in units */
    FORM_FROM,     /* distances from another property's, in units */
    FORM_COUNT
};
/* A property's first byte: form, unit, the other property, whether all instances have it. */
enum { FORM_BITS = 3, UNIT_SHIFT = 3, FROM_SHIFT = 5, EVERY_BIT = 0x80 };
/* Units, coarsest last. */
enum { UNIT_COUNT = 4 };
static const int64_t CHUNK_UNIT_US[UNIT_COUNT] = {1, 1000, 1000000, 60000000};
/* Another property stands before it here. */
static const enum time_property CHUNK_TIME_ORDER[TIME_PROPERTY_COUNT] = {TIME_OBSERVED_AT, TIME_MODIFIED_AT,
                                                                         TIME_CREATED_AT, TIME_DELETED_AT};

/* Classes of values: each has a column of its own. The byte of the header: one of them, or mixed, and a flag. */
enum {
    VALUES_NULL,
    VALUES_BOOLEAN,
    VALUES_NUMBER,
    VALUES_STRING,
    VALUES_JSON,
    VALUES_GEOMETRY,
    VALUES_COUNT,
    VALUES_MIXED = 15,
    VALUES_SUMMED = 16, /* the numbers' summary follows */
};

/* Where the places' range is a property's. */
enum { PLACES_OWN = TIME_PROPERTY_COUNT };

/* A double of the header: its first byte is the power of ten of a whole number that follows, or: */
enum { SHORT_POWER_MAX = 18, SHORT_SAME = 0xFE /* as the one before */, SHORT_RAW = 0xFF };

/* Room for count; false: damaged. */
bool chunk_read_seqs(const struct chunk *c, int64_t *out);
bool chunk_read_indexes(const struct chunk *c, int64_t *out);

#endif
