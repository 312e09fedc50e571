/* Text with holes: "urn:ngsi-ld:Stop:{agency}:{stop_id}".
 *
 * {name} is a field, {name:02} the same padded with zeros to two digits, {@line} a
 * fact (field.h); {{ and }} stand for the braces themselves. */
#ifndef SENSE_TEMPLATE_H
#define SENSE_TEMPLATE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/status.h"
#include "sense/field.h"

#include <stdint.h>

enum template_part_kind { TEMPLATE_LITERAL, TEMPLATE_FIELD, TEMPLATE_FACT };

struct template_part {
    uint8_t kind;    /* enum template_part_kind */
    uint8_t width;   /* at least so many digits; 0: as it is */
    uint32_t index;  /* field or fact */
    struct str text; /* literal, or the name for messages */
};

struct template
{
    uint32_t count;
    struct template_part *parts;
};

/* Everything lives in the arena. E_BAD_DATA with the position of a brace without its fellow. */
MUST_USE enum status template_read(struct template *out, struct str text, struct field_names *names,
                                   struct arena *a, const struct at *at, struct why *why);
/* Appends the text. as_id: values are percent-encoded as RFC 3986 demands of a URI's segment,
 * but for one that begins the text, which is a whole URI.
 * *missing: the name of the first field that has no value; nothing sensible was then appended. */
MUST_USE bool template_fill(const struct template *t, const struct record *r, bool as_id,
                            struct buf *out, struct str *missing);
/* Does it have any hole? */
bool template_is_constant(const struct template *t);
/* The text of a field as it stands in a file; false for missing, arrays and objects. Appends. */
bool template_put_value(struct buf *out, const struct json *v);

#endif
