/* The simplified representation of a value (clause 4.5.4): the kinds that could not
 * be told from a Property say which they are by an object of one member. */
#include "model/represent_int.h"

void represent_simplified(struct buf *b, const struct represent *r, const struct attr *a)
{
    struct str tag, text;
    if (a->value.kind == VALUE_NULL) {
        represent_value(b, r, a, false);
        return;
    }
    switch ((enum attr_kind)a->kind) {
    case ATTR_RELATIONSHIP:
    case ATTR_LIST_RELATIONSHIP:
        if (!r->links || !represent_linked_simplified(b, r, a))
            represent_value(b, r, a, false);
        return;
    case ATTR_LANGUAGE_PROPERTY:
        if (!str_absent(r->lang) && represent_language(a->value.text, r->lang, &tag, &text)) {
            buf_str(b, text);
            return;
        }
        buf_lit(b, "{\"languageMap\":");
        break;
    case ATTR_VOCAB_PROPERTY:
        buf_lit(b, "{\"vocab\":");
        break;
    case ATTR_JSON_PROPERTY:
        buf_lit(b, "{\"json\":");
        break;
    default:
        represent_value(b, r, a, false);
        return;
    }
    represent_value(b, r, a, false);
    buf_char(b, '}');
}
