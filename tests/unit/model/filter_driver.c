/* Answers queries from standard input, for filter_oracle.py. A line is 'E' and an entity
 * in JSON, 'Q' and a query, answered by a line of 0s and 1s, one an entity in the order
 * given, or 'O' and an orderBy, answered by the entities' numbers in order. 'C' forgets
 * the entities. Trees and blocks are asked alike (filter_fixture.c). */
#include "filter_fixture.h"

#include <stdio.h>
#include <stdlib.h>

static void answer_query(struct city *c, const char *q)
{
    struct filter *f = city_q(c, q);
    for (uint32_t i = 0; i < c->count; i++)
        putchar(city_matches(c, f, i) ? '1' : '0');
    putchar('\n');
    filter_free(f);
}

static void answer_order(struct city *c, const char *by)
{
    struct order *o = NULL;
    struct why why = {0};
    if (order_read(&c->reader, str_of(by), STR_NONE, STR_NONE, STR_NONE, &o, &why) != OK) {
        printf("%s\n", why.text);
        return;
    }
    struct order_top *t = order_top_new(o, c->count);
    for (uint32_t i = 0; i < c->count; i++)
        order_top_add(t, c->docs[i]);
    const struct doc **docs;
    uint32_t n = order_top_take(t, c->scratch, &docs);
    for (uint32_t i = 0; i < n; i++)
        printf("%s%llu", i ? " " : "", (unsigned long long)doc_created_seq(docs[i]) - 1);
    putchar('\n');
    order_top_free(t);
    order_free(o);
}

int main(void)
{
    void *state;
    char *line = NULL;
    size_t room = 0;
    ssize_t n;
    city_setup(&state);
    struct city *c = state;
    while ((n = getline(&line, &room, stdin)) > 1) {
        line[n - 1] = 0;
        if (line[0] == 'E')
            city_add(c, line + 1);
        else if (line[0] == 'Q')
            answer_query(c, line + 1);
        else if (line[0] == 'O')
            answer_order(c, line + 1);
        else
            c->count = 0;
        fflush(stdout);
    }
    free(line);
    return city_teardown(&state);
}
