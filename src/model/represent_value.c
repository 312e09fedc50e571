/* Values as JSON. Strings of IRIs need no escapes: the reader lets only URIs in. */
#include "model/represent_int.h"

void represent_iri(struct buf *b, const struct represent *r, struct str iri)
{
    json_write_str(b, context_compact(r->context, iri, r->arena));
}

bool represent_next_iri(struct str *rest, struct str *iri)
{
    size_t from = str_find_char(*rest, '"');
    if (from == STR_NPOS)
        return false;
    struct str tail = str_from(*rest, from + 1);
    size_t n = str_find_char(tail, '"');
    if (n == STR_NPOS)
        return false;
    *iri = str_head(tail, n);
    *rest = str_from(tail, n + 1);
    return true;
}

void represent_iris(struct buf *b, const struct represent *r, struct str json)
{
    struct str rest = json, iri;
    bool array = json.n && json.p[0] == '[', first = true;
    if (array)
        buf_char(b, '[');
    while (represent_next_iri(&rest, &iri)) {
        if (!first)
            buf_char(b, ',');
        first = false;
        represent_iri(b, r, iri);
    }
    if (array)
        buf_char(b, ']');
}

static void write_objects(struct buf *b, struct str json)
{
    struct str rest = json, uri;
    bool first = true;
    buf_char(b, '[');
    while (represent_next_iri(&rest, &uri)) {
        if (first)
            buf_lit(b, "{\"object\":");
        else
            buf_lit(b, ",{\"object\":");
        first = false;
        represent_plain(b, uri);
        buf_char(b, '}');
    }
    buf_char(b, ']');
}

/* The encodings of a deleted attribute (clause 4.5.0). */
static void write_null(struct buf *b, enum attr_kind kind)
{
    if (kind == ATTR_LANGUAGE_PROPERTY)
        buf_lit(b, "{\"@none\":\"urn:ngsi-ld:null\"}");
    else if (kind == ATTR_LIST_PROPERTY || kind == ATTR_LIST_RELATIONSHIP)
        buf_lit(b, "[\"urn:ngsi-ld:null\"]");
    else
        buf_lit(b, "\"urn:ngsi-ld:null\"");
}

void represent_value(struct buf *b, const struct represent *r, const struct attr *a, bool wrap)
{
    const struct value *v = &a->value;
    switch ((enum value_kind)v->kind) {
    case VALUE_NONE:
    case VALUE_NULL:
        write_null(b, (enum attr_kind)a->kind);
        break;
    case VALUE_BOOL:
        if (v->boolean)
            buf_lit(b, "true");
        else
            buf_lit(b, "false");
        break;
    case VALUE_INT:
        buf_i64(b, v->integer);
        break;
    case VALUE_REAL:
        buf_double(b, v->real);
        break;
    case VALUE_STRING:
        if (a->kind == ATTR_VOCAB_PROPERTY)
            represent_iri(b, r, v->text);
        else if (v->plain)
            represent_plain(b, v->text);
        else
            json_write_str(b, v->text);
        break;
    case VALUE_JSON:
        if (a->kind == ATTR_VOCAB_PROPERTY)
            represent_iris(b, r, v->text);
        else if (wrap && a->kind == ATTR_LIST_RELATIONSHIP)
            write_objects(b, v->text);
        else
            buf_str(b, v->text);
        break;
    case VALUE_GEO:
        buf_str(b, v->text);
        break;
    }
}
