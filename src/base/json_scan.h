/* Walks minified JSON text that was checked before (what json_write() made), without
 * building a tree: for values stored as text of which one member is wanted. Texts that
 * are no JSON give wrong or no answers, but nothing behind their end is read.
 *
 * A value is the text of one: `"a\"b"`, `[1,2]`, `-0.5`. Everything borrows from it. */
#ifndef BASE_JSON_SCAN_H
#define BASE_JSON_SCAN_H

#include "base/arena.h"
#include "base/json.h"
#include "base/str.h"

/* By its first byte; every number is JSON_REAL. An empty text is JSON_NULL. */
enum json_kind json_scan_kind(struct str value);
/* For the two below: what stands between the brackets of an array or object; else "". */
struct str json_scan_inside(struct str value);
/* Cuts the next element off *rest; false at the end. */
bool json_scan_element(struct str *rest, struct str *element);
/* Cuts the next member off *rest; key is a string value, with quotes and escapes. */
bool json_scan_member(struct str *rest, struct str *key, struct str *value);
/* Member of an object (the last one wins), absent when there is none. key is unescaped. */
struct str json_scan_get(struct str object, struct str key);
/* What a string value says: borrowed when it has no escapes, else in the arena. */
struct str json_scan_string(struct str value, struct arena *a);
/* Is it that string? Without memory. */
bool json_scan_string_is(struct str value, struct str text);

#endif
