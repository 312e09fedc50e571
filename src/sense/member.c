/* Why: mappings are written by hand; see member.h. Start at member_read_all(). */
#include "sense/member.h"

enum status member_read_all(struct member_reader *r, const struct json *o, const struct at *at,
                            const struct member *members, void *into)
{
    if (o->kind != JSON_OBJECT)
        return MEMBER_REFUSE(r, at, "an object was expected, not %s", json_kind_name(o->kind));
    for (uint32_t i = 0; i < o->n; i++) {
        const struct json_member *m = &o->members[i];
        struct at here = {at, m->key, 0};
        const struct member *known = members;
        while (known->name && !str_eq(m->key, str_of(known->name)))
            known++;
        if (!known->name)
            return MEMBER_REFUSE(r, &here, "\"%.*s\" is not known here", STR_ARG(m->key));
        enum status st = known->read(r, &m->value, &here, into);
        if (st != OK)
            return st;
    }
    return OK;
}

enum status member_string(struct member_reader *r, const struct json *v, const struct at *at,
                          struct str *out)
{
    if (v->kind != JSON_STRING || v->string.n == 0)
        return MEMBER_REFUSE(r, at, "a string was expected");
    *out = v->string;
    return OK;
}

enum status member_strings(struct member_reader *r, const struct json *v, const struct at *at,
                           const struct str **out, uint32_t *count)
{
    if (v->kind != JSON_ARRAY || v->n > MEMBER_LIST_MAX)
        return MEMBER_REFUSE(r, at, "an array of at most %d strings was expected", MEMBER_LIST_MAX);
    struct str *list = arena_array(r->arena, struct str, v->n + 1);
    for (uint32_t i = 0; i < v->n; i++) {
        struct at here = {at, STR_NONE, i};
        if (v->items[i].kind != JSON_STRING)
            return MEMBER_REFUSE(r, &here, "a string was expected");
        list[i] = v->items[i].string;
    }
    *out = list;
    *count = v->n;
    return OK;
}

enum status member_char(struct member_reader *r, const struct json *v, const struct at *at,
                        char *out)
{
    if (v->kind != JSON_STRING || v->string.n != 1 || strchr("\"\r\n", v->string.p[0]))
        return MEMBER_REFUSE(r, at, "one ASCII character was expected");
    *out = v->string.p[0];
    return OK;
}

enum status member_bool(struct member_reader *r, const struct json *v, const struct at *at,
                        bool *out)
{
    if (v->kind != JSON_BOOL)
        return MEMBER_REFUSE(r, at, "true or false was expected");
    *out = v->boolean;
    return OK;
}

enum status member_number(struct member_reader *r, const struct json *v, const struct at *at,
                          double *out)
{
    if (!json_number(v, out))
        return MEMBER_REFUSE(r, at, "a number was expected");
    return OK;
}

enum status member_choice(struct member_reader *r, const struct json *v, const struct at *at,
                          const char *const *names, uint8_t n, uint8_t *out)
{
    for (uint8_t i = 0; i < n; i++) {
        if (json_is_string(v, str_of(names[i]))) {
            *out = i;
            return OK;
        }
    }
    struct str list = STR("");
    for (uint8_t i = 0; i < n; i++)
        list = arena_printf(r->arena, "%.*s%s\"%s\"", STR_ARG(list), i ? ", " : "", names[i]);
    return MEMBER_REFUSE(r, at, "one of %.*s was expected", STR_ARG(list));
}

enum status member_column(struct member_reader *r, const struct json *v, const struct at *at,
                          uint32_t *out)
{
    struct str name;
    enum status st = member_string(r, v, at, &name);
    if (st != OK)
        return st;
    *out = field_intern(r->fields, r->arena, name);
    return *out == FIELD_NONE
               ? MEMBER_REFUSE(r, at, "more than %d columns are used", FIELD_COUNT_MAX)
               : OK;
}

enum status member_template(struct member_reader *r, const struct json *v, const struct at *at,
                            struct template *out)
{
    struct str text;
    enum status st = member_string(r, v, at, &text);
    return st != OK ? st : template_read(out, text, r->fields, r->arena, at, r->why);
}

enum status member_new_template(struct member_reader *r, const struct json *v, const struct at *at,
                                const struct template **out)
{
    struct template *t = arena_zarray(r->arena, struct template, 1);
    *out = t;
    return member_template(r, v, at, t);
}
