/* Widths are those of the widest cell, bounded so that a terminal's line holds a table of a few columns. */
#include "main/screen.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { COLUMNS_PRESET = 80, COLUMNS_MAX = 1000, CELL_MAX = 48 };

struct str screen_harmless(struct arena *a, struct str s)
{
    struct str copy = arena_dup(a, s);
    char *p = (char *)(uintptr_t)copy.p;
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)p[i];
        bool c1 = i > 0 && (unsigned char)p[i - 1] == 0xC2 && c < 0xA0;
        if (c1)
            p[i - 1] = '?';
        if (c1 || c < 0x20 || c == 0x7F)
            p[i] = '?';
    }
    return copy;
}

size_t screen_width(struct str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        n += ((unsigned char)s.p[i] & 0xC0) != 0x80;
    return n;
}

size_t screen_columns(void)
{
    struct winsize size;
    unsigned long long n;
    const char *said = getenv("COLUMNS");
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col)
        return size.ws_col;
    return said && str_to_u64(str_of(said), COLUMNS_MAX, &n) && n ? (size_t)n : COLUMNS_PRESET;
}

/* ---- tables ---- */

static struct str cell(struct arena *a, const struct json *v)
{
    if (v->kind == JSON_NULL)
        return STR("");
    return screen_harmless(a, v->kind == JSON_STRING ? v->string : json_text(a, v));
}

/* The first columns of s. */
static struct str cut(struct str s, size_t columns)
{
    size_t n = 0, i = 0;
    while (i < s.n && (((unsigned char)s.p[i] & 0xC0) == 0x80 || n < columns))
        n += ((unsigned char)s.p[i++] & 0xC0) != 0x80;
    return str_head(s, i);
}

static void cell_print(struct str s, size_t width, bool right, bool last)
{
    size_t n = screen_width(s);
    if (n > width) {
        printf("%.*s…", STR_ARG(cut(s, width - 1)));
        n = width;
    } else {
        printf("%*s%.*s", right ? (int)(width - n) : 0, "", STR_ARG(s));
        n = right ? width : n;
    }
    printf("%*s", last ? 0 : (int)(width - n + 2), "");
}

static bool is_number(const struct json *v)
{
    return v->kind == JSON_INT || v->kind == JSON_REAL;
}

void screen_table(struct arena *a, const struct json *rows)
{
    bool bounded = isatty(STDOUT_FILENO);
    uint32_t columns = rows->n ? rows->items[0].n : 0;
    size_t *widths = arena_zarray(a, size_t, columns);
    for (uint32_t i = 0; i < columns; i++) {
        widths[i] = screen_width(screen_harmless(a, rows->items[0].members[i].key));
        for (uint32_t k = 0; k < rows->n; k++) {
            size_t n = i < rows->items[k].n ? screen_width(cell(a, &rows->items[k].members[i].value)) : 0;
            widths[i] = n > widths[i] ? n : widths[i];
        }
        widths[i] = bounded && widths[i] > CELL_MAX ? CELL_MAX : widths[i];
    }
    for (uint32_t i = 0; i < columns; i++)
        cell_print(screen_harmless(a, rows->items[0].members[i].key), widths[i],
                   is_number(&rows->items[0].members[i].value), i + 1 == columns);
    printf(columns ? "\n" : "");
    for (uint32_t k = 0; k < rows->n; k++) {
        for (uint32_t i = 0; i < columns && i < rows->items[k].n; i++)
            cell_print(cell(a, &rows->items[k].members[i].value), widths[i],
                       is_number(&rows->items[k].members[i].value), i + 1 == columns);
        printf("\n");
    }
    printf("(%u row%s)\n", rows->n, rows->n == 1 ? "" : "s");
}
