/* Rules over the whole of a subscription, and what a fragment makes of one (clauses
 * 5.2.12, 5.8.2.4, 5.5.8): members of the fragment replace those of the same name, so
 * `notification` comes as a whole. */
#include "base/time.h"
#include "model/subscription_int.h"

/* ---- rules ---- */

static enum status refuse(struct why *why, const char *member, const char *text)
{
    struct at at = {NULL, str_of(member), 0};
    return why_set(why, E_BAD_DATA, &at, "%s", text);
}

static enum status check_local(const struct json *s, struct why *why)
{
    const struct json *entities = json_get(s, STR("entities"));
    const struct json *local = json_get(s, STR("localOnly"));
    if (!entities && !json_get(s, STR("watchedAttributes")) && !draft_is_true(s, STR("localOnly")))
        return why_set(why, E_BAD_DATA, NULL,
                       "a subscription needs entities or watchedAttributes, or localOnly=true");
    for (uint32_t i = 0; local && !local->boolean && entities && i < entities->n; i++)
        if (json_is_string(json_get(&entities->items[i], STR("type")), STR("*")))
            return refuse(why, "localOnly",
                          "the type \"*\" implies local scope: localOnly must not be false");
    return OK;
}

static enum status check_times(const struct subscription_limits *l, const struct json *s,
                               struct why *why)
{
    struct at at = {NULL, STR("timeInterval"), 0};
    double seconds;
    if (!json_number(json_get(s, at.key), &seconds))
        return OK;
    if (seconds * 1e6 < (double)l->interval_min_us)
        return why_limit(why, E_LIMIT, &at, "subscriptions.interval_min",
                         "timeInterval must be at least %g seconds",
                         (double)l->interval_min_us / 1e6);
    if (json_get(s, STR("watchedAttributes")))
        return refuse(why, "timeInterval", "timeInterval excludes watchedAttributes");
    if (json_get(s, STR("throttling")))
        return refuse(why, "timeInterval", "timeInterval excludes throttling");
    if (!json_get(s, STR("entities")) && !draft_is_true(s, STR("localOnly")))
        return refuse(why, "timeInterval", "timeInterval needs entities, or localOnly=true");
    return OK;
}

static enum status check_sizes(const struct subscription_limits *l, const struct json *s,
                               struct why *why)
{
    static const struct str PAIRS[] = {{"receiverInfo", 12}, {"notifierInfo", 12}};
    struct at notification = {NULL, STR("notification"), 0};
    struct at endpoint = {&notification, STR("endpoint"), 0};
    struct at at = {NULL, STR("entities"), 0};
    const struct json *entities = json_get(s, at.key);
    const struct json *e = json_get(json_get(s, notification.key), endpoint.key);
    if (entities && entities->n > l->selectors_max)
        return why_limit(why, E_LIMIT, &at, "limits.subscription_selectors",
                         "at most %u EntitySelectors", l->selectors_max);
    for (size_t i = 0; i < 2; i++) {
        struct at here = {&endpoint, PAIRS[i], 0};
        const struct json *pairs = json_get(e, PAIRS[i]);
        if (pairs && pairs->n > l->pairs_max)
            return why_limit(why, E_LIMIT, &here, "limits.subscription_pairs", "at most %u pairs",
                             l->pairs_max);
    }
    return OK;
}

enum status subscription_check(const struct subscription_reader *r, const struct json *s,
                               struct why *why)
{
    if (!json_get(s, STR("type")))
        return refuse(why, "type", "a subscription needs the type \"Subscription\"");
    if (!json_get(s, STR("notification")))
        return refuse(why, "notification", "a subscription needs a notification");
    if (json_get(s, STR("temporalQ")) && !r->of_registrations)
        return refuse(why, "temporalQ", "temporalQ is for subscriptions to registrations only");
    enum status st = check_local(s, why);
    if (st == OK)
        st = check_times(r->limits, s, why);
    return st == OK ? check_sizes(r->limits, s, why) : st;
}

/* ---- fragments ---- */

enum status subscription_check_expiry(const struct subscription_reader *r, const struct json *given,
                                      struct why *why)
{
    int64_t us;
    struct str text = draft_text_of(given, STR("expiresAt"));
    if (!str_absent(text) && time_parse(text, &us) && us <= r->now_us)
        return refuse(why, "expiresAt", "expiresAt lies in the past");
    return OK;
}

static enum status check_fragment(const struct subscription_reader *r, const struct json *stored,
                                  const struct json *given, struct why *why)
{
    static const char *const FIXED[] = {"id", "type", "jsonldContext"};
    for (size_t i = 0; i < sizeof FIXED / sizeof *FIXED; i++)
        if (json_is(json_get(given, str_of(FIXED[i])), JSON_NULL))
            return refuse(why, FIXED[i], "the member cannot be removed");
    const struct json *id = json_get(given, STR("id"));
    if (id && !json_same(id, json_get(stored, STR("id"))))
        return refuse(why, "id", "the id of a subscription cannot be changed");
    return subscription_check_expiry(r, given, why);
}

enum status subscription_change(const struct subscription_reader *r, struct str stored,
                                const struct json *fragment, struct buf *changed, struct why *why)
{
    struct json whole, given;
    enum status st = draft_parse(r->arena, stored, &whole, why);
    if (st == OK)
        st = subscription_members(r, fragment, &whole, &given, why);
    if (st == OK)
        st = check_fragment(r, &whole, &given, why);
    if (st != OK)
        return st;
    for (uint32_t i = 0; i < given.n; i++) {
        if (given.members[i].value.kind == JSON_NULL)
            draft_remove(&whole, given.members[i].key);
        else
            draft_set(r->arena, &whole, given.members[i].key, given.members[i].value);
    }
    draft_set(r->arena, &whole, STR("modifiedAt"), draft_time(r->now_us, r->arena));
    st = subscription_check(r, &whole, why);
    if (st == OK)
        json_write(changed, &whole);
    return st;
}
