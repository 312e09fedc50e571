#include "store/embedded/embedded_int.h"
enum status embedded_check(const char *dir, struct embedded_report *report, void (*error)(void *arg, const char *text), void *arg, struct why *why)
{
    (void)report; (void)error; (void)arg;
    return why_set(why, E_NOT_SUPPORTED, NULL, "%s: checking comes with the base", dir);
}
enum status embedded_restore(const char *from, const char *dir, struct why *why)
{
    return why_set(why, E_NOT_SUPPORTED, NULL, "%s, %s: restoring comes with the base", from, dir);
}
