/* Shared by the files that make stored subscriptions. Not for others. */
#ifndef MODEL_SUBSCRIPTION_INT_H
#define MODEL_SUBSCRIPTION_INT_H

#include "model/draft.h"
#include "model/subscription.h"

/* The members that v has, checked one by one and in stored form. target: what v is a fragment for,
 * which may have NGSI-LD Nulls; NULL: v is a whole. */
MUST_USE enum status subscription_members(const struct subscription_reader *r, const struct json *v,
                                          const struct json *target, struct json *out,
                                          struct why *why);
/* NotificationParams (5.2.14.1), with Endpoint (5.2.15). */
enum status subscription_notification(struct draft *d, const struct json *v, const struct at *at,
                                      struct json *out);
enum status subscription_endpoint(struct draft *d, const struct json *v, const struct at *at,
                                  struct json *out);
/* expiresAt, where it is given, lies ahead (5.8.1.4, 5.8.2.4). */
MUST_USE enum status subscription_check_expiry(const struct subscription_reader *r,
                                               const struct json *given, struct why *why);
/* What the tables say about several members together. */
MUST_USE enum status subscription_check(const struct subscription_reader *r,
                                        const struct json *stored, struct why *why);
/* Bits of a notificationTrigger; 0: no such trigger. */
uint32_t subscription_trigger(struct str name);

#endif
