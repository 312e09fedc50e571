/* Why: a file of a million entities must not become one tree of a million entities. The scan knows
 * strings, escapes and nesting, nothing else. Start at json_split_next(). */
#include "sense/json_split.h"

#include <assert.h>

static bool split_is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Offset of the first byte at or after `at` that is no white space. */
static size_t split_skip_space(struct str text, size_t at)
{
    while (at < text.n && split_is_space(text.p[at]))
        at++;
    return at;
}

/* Offset behind the string whose opening quote is at `at`. */
static size_t split_string_end(struct str text, size_t at)
{
    for (size_t i = at + 1; i < text.n; i++) {
        if (text.p[i] == '\\')
            i++;
        else if (text.p[i] == '"')
            return i + 1;
    }
    return STR_NPOS;
}

static size_t split_scalar_end(struct str text, size_t at)
{
    size_t i = at;
    while (i < text.n && !split_is_space(text.p[i]) && text.p[i] != ',' && text.p[i] != ']' &&
           text.p[i] != '}')
        i++;
    return i;
}

static size_t split_nested_end(struct str text, size_t at)
{
    size_t depth = 0;
    for (size_t i = at; i < text.n; i++) {
        switch (text.p[i]) {
        case '"':
            i = split_string_end(text, i);
            if (i == STR_NPOS)
                return STR_NPOS;
            i--;
            break;
        case '[':
        case '{':
            depth++;
            break;
        case ']':
        case '}':
            if (--depth == 0)
                return i + 1;
            break;
        default:
            break;
        }
    }
    return STR_NPOS;
}

size_t json_split_value_end(struct str text, size_t at)
{
    assert(at < text.n);
    if (text.p[at] == '"')
        return split_string_end(text, at);
    if (text.p[at] == '{' || text.p[at] == '[')
        return split_nested_end(text, at);
    return split_scalar_end(text, at);
}

/* Moves to offset `to`, counting lines. */
static void split_advance(struct json_split *s, size_t to)
{
    const char *p = s->text.p + s->at, *end = s->text.p + to;
    while (p < end && (p = memchr(p, '\n', (size_t)(end - p))) != NULL) {
        s->line++;
        p++;
    }
    s->at = to;
}

/* One member of the object being looked at: key, then value. */
struct split_member {
    struct str key; /* with quotes, escapes as they are */
    struct str value;
    size_t value_at;
};

/* Reads the member at *at; false at the object's end or when the text is no JSON. */
static bool split_next_member(struct str text, size_t *at, struct split_member *m)
{
    size_t i = split_skip_space(text, *at);
    if (i < text.n && text.p[i] == ',')
        i = split_skip_space(text, i + 1);
    if (i >= text.n || text.p[i] != '"')
        return false;
    size_t end = split_string_end(text, i);
    if (end == STR_NPOS)
        return false;
    m->key = (struct str){text.p + i, end - i};
    i = split_skip_space(text, end);
    if (i >= text.n || text.p[i] != ':')
        return false;
    i = split_skip_space(text, i + 1);
    if (i >= text.n)
        return false;
    end = json_split_value_end(text, i);
    if (end == STR_NPOS)
        end = text.n; /* a cut text: its whole features are still worth reading */
    m->value = (struct str){text.p + i, end - i};
    m->value_at = i;
    *at = end;
    return true;
}

/* Looks whether the object at s->at is a FeatureCollection and where its features begin. */
static enum status split_find_features(struct json_split *s, struct why *why)
{
    size_t at = s->at + 1, features = STR_NPOS;
    bool collection = false;
    struct split_member m;
    while ((!collection || features == STR_NPOS) && split_next_member(s->text, &at, &m)) {
        if (str_eq(m.key, STR("\"type\""))) {
            collection = str_eq(m.value, STR("\"FeatureCollection\""));
            s->feature = str_eq(m.value, STR("\"Feature\""));
            if (!collection)
                return OK;
        } else if (str_eq(m.key, STR("\"features\"")) && m.value.p[0] == '[') {
            features = m.value_at;
        }
    }
    if (!collection)
        return OK;
    if (features == STR_NPOS)
        return why_set(why, E_BAD_DATA, NULL, "a FeatureCollection needs an array of \"features\"");
    s->form = JSON_SPLIT_FEATURES;
    split_advance(s, features + 1);
    return OK;
}

enum status json_split_init(struct json_split *s, struct str text, struct why *why)
{
    *s = (struct json_split){.text = text, .line = 1};
    if (str_starts(text, STR("\xEF\xBB\xBF")))
        s->at = 3;
    split_advance(s, split_skip_space(text, s->at));
    char first = s->at < text.n ? text.p[s->at] : 0;
    if (first == '[') {
        s->form = JSON_SPLIT_ARRAY;
        s->at++;
        return OK;
    }
    if (first == '{') {
        s->form = JSON_SPLIT_OBJECTS;
        return split_find_features(s, why);
    }
    return why_set(why, E_BAD_DATA, NULL, "no JSON object or array");
}

void json_split_seek(struct json_split *s, size_t offset, uint64_t line)
{
    assert(offset <= s->text.n);
    s->at = offset;
    s->line = line;
    s->behind = true;
    s->ended = false;
}

static enum json_split_step split_bad(struct json_split *s, struct json_element *element,
                                      struct why *why, const char *text)
{
    s->ended = true;
    *element = (struct json_element){.offset = s->at, .line = s->line};
    (void)why_set(why, E_BAD_DATA, NULL, "%s", text);
    return JSON_SPLIT_BAD;
}

/* At the array's "]": is there nothing behind it? */
static enum json_split_step split_close(struct json_split *s, struct json_element *element,
                                        struct why *why)
{
    size_t rest = split_skip_space(s->text, s->at + 1);
    if (s->form == JSON_SPLIT_ARRAY && rest < s->text.n) {
        split_advance(s, rest);
        return split_bad(s, element, why, "text follows the array");
    }
    s->ended = true;
    return JSON_SPLIT_END;
}

/* Between the elements of an array: moves behind a comma. JSON_SPLIT_ELEMENT: one must follow. */
static enum json_split_step split_between(struct json_split *s, struct json_element *element,
                                          struct why *why)
{
    if (s->at >= s->text.n)
        return split_bad(s, element, why, "the text ends before the array does");
    if (s->text.p[s->at] == ']')
        return split_close(s, element, why);
    if (!s->behind)
        return JSON_SPLIT_ELEMENT;
    if (s->text.p[s->at] != ',')
        return split_bad(s, element, why, "a comma or the array's end was expected here");
    split_advance(s, split_skip_space(s->text, s->at + 1));
    return JSON_SPLIT_ELEMENT;
}

enum json_split_step json_split_next(struct json_split *s, struct json_element *element,
                                     struct why *why)
{
    if (s->ended)
        return JSON_SPLIT_END;
    split_advance(s, split_skip_space(s->text, s->at));
    if (s->form == JSON_SPLIT_OBJECTS) {
        if (s->at >= s->text.n) {
            s->ended = true;
            return JSON_SPLIT_END;
        }
        if (s->text.p[s->at] != '{')
            return split_bad(s, element, why, "an object was expected here");
    } else {
        enum json_split_step step = split_between(s, element, why);
        if (step != JSON_SPLIT_ELEMENT)
            return step;
    }
    size_t end = s->at < s->text.n ? json_split_value_end(s->text, s->at) : STR_NPOS;
    if (end == STR_NPOS)
        return split_bad(s, element, why, "the text ends inside the element that begins here");
    if (end == s->at)
        return split_bad(s, element, why, "a value was expected here");
    *element = (struct json_element){
        .text = {s->text.p + s->at, end - s->at}, .offset = s->at, .line = s->line};
    split_advance(s, end);
    s->behind = true;
    return JSON_SPLIT_ELEMENT;
}
