/* One input as a stream of entities that is pulled: whoever sends them decides the
 * pace, and back-pressure needs no machinery.
 *
 * A record (a row, a feature, an element of an array) gives any number of entities,
 * or reasons why it gives none. Marks stand between entities: an interrupted import
 * goes on from one. */
#ifndef SENSE_SOURCE_H
#define SENSE_SOURCE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/status.h"
#include "sense/blob.h"
#include "sense/mapping.h"

#include <stdbool.h>
#include <stdint.h>

/* "The next entity is number `sub` of the record that begins at or after `offset`." */
struct source_mark {
    uint32_t part;   /* file of an archive; 1 behind the end of a single file that broke off */
    uint32_t sub;    /* entities of the record that are done */
    uint64_t offset; /* bytes */
    uint64_t line;   /* of offset, from 1 */
    uint64_t record; /* records before it */
};

struct source_item {
    struct str json;  /* one NGSI-LD entity as a JSON object; absent when rejected */
    struct str id;    /* absent when it is not known */
    bool own_context; /* json has a member "@context" */
    const char *part; /* file of an archive that lines count in ("stops.txt"), or NULL; static */
    uint64_t line;    /* where the record begins, from 1 */
    const struct why *why; /* the reason, when rejected */
    struct source_mark after;
};

struct source_limits {
    size_t record_bytes_max; /* of a row, a feature, an element */
    size_t output_bytes_max; /* of what one record gives */
    uint32_t fields_max;     /* columns of a table */
};

struct source_options {
    const struct mapping *mapping; /* NULL: none given; must outlive the source */
    struct str context; /* JSON text of an @context for entities without one; absent: none */
    struct str type;    /* for features without a mapping; absent: none */
    struct source_limits limits;
};

extern const struct source_limits source_limits_preset;

struct source;

/* Opens what `blob` holds (taken over, also on failure) by the extension of name: .csv, .geojson,
 * .json, .jsonld, .jsonl, .ndjson, .zip. name is used in templates and borrowed. E_NOT_SUPPORTED
 * for another extension, E_BAD_DATA when the content makes no sense. Free with source_free(). */
MUST_USE enum status source_open(struct source **out, const char *name, struct blob *blob,
                                 const struct source_options *options, struct why *why);
void source_free(struct source *s);
/* Does an extension promise entities? For walks through directories. */
bool source_knows_name(const char *name);

/* The next entity or rejection; borrowed until the next call. False at the end. */
bool source_next(struct source *s, struct source_item *item);
/* Only before the first source_next(). The mark must come from a source over the same bytes. */
void source_seek(struct source *s, const struct source_mark *mark);
/* Bytes of input read so far and in all, for a progress bar. */
void source_progress(const struct source *s, uint64_t *done, uint64_t *total);

#endif
