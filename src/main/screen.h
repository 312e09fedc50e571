/* What commands show a person in a terminal. */
#ifndef MAIN_SCREEN_H
#define MAIN_SCREEN_H

#include "base/arena.h"
#include "base/json.h"

/* What comes from devices must not drive the terminal: control characters, C1 too, become '?'. */
struct str screen_harmless(struct arena *a, struct str s);
/* Columns that characters of s take, combining ones and wide ones aside. */
size_t screen_width(struct str s);
/* Of the terminal, else what COLUMNS says, else 80. */
size_t screen_columns(void);
/* rows: an array of objects with the same members. Numbers stand to the right; on a terminal, long texts are cut. */
void screen_table(struct arena *a, const struct json *rows);

#endif
