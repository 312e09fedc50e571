/* The log alone: what is written is read, what a crash tears is cut, what is damaged is named. */
#include "fixture.h"

#include "base/hash.h"
#include "fault_io.h"
#include "store/embedded/journal_int.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[256];
static struct fault_io io;
static struct journal *journal;

enum { SEGMENT = 64 << 10, STORE = 77 };

static struct journal_options options(void)
{
    return (struct journal_options){
        .io = &io.io, .dir = dir, .store_id = STORE, .segment_bytes = SEGMENT};
}

/* Sequences in the order read. */
struct reading {
    struct journal_replay replay;
    uint64_t seqs[4096];
    uint32_t n;
};

static enum status note(struct journal_replay *r, const struct record *record, struct why *why)
{
    struct reading *g = container_of(r, struct reading, replay);
    (void)why;
    assert_true(g->n < 4096);
    g->seqs[g->n++] = record->seq;
    return OK;
}

static enum status read_all(struct reading *g, uint64_t from, struct why *why)
{
    struct journal_options o = options();
    *g = (struct reading){.replay = {.record = note}};
    why_clear(why);
    enum status st = journal_open(&journal, &o, from, why);
    return st == OK ? journal_read(journal, &g->replay, why) : st;
}

/* Opens, expecting records 1 … n. */
static void open_with(uint32_t n)
{
    static struct reading g;
    struct why why;
    if (read_all(&g, 0, &why) != OK)
        fail_msg("%s", why.text);
    assert_int_equal(g.n, n);
    for (uint32_t i = 0; i < n; i++)
        assert_int_equal(g.seqs[i], i + 1);
}

static void shut(void)
{
    journal_close(journal);
    journal = NULL;
}

/* A process that ends without closing. */
static void die(void)
{
    if (journal->fd >= 0)
        close(journal->fd);
    journal->fd = -1;
    shut();
}

static int setup(void **state)
{
    (void)state;
    fixture_directory(dir, sizeof dir);
    fault_io_init(&io);
    open_with(0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    shut();
    fixture_remove(dir);
    return 0;
}

static void add(uint64_t seq, size_t bytes)
{
    static char block[SEGMENT * 4];
    memset(block, (int)seq, bytes);
    struct record r = {.kind = RECORD_DOCUMENT,
                       .document_kind = 1,
                       .seq = seq,
                       .tenant = 1,
                       .key = STR("key"),
                       .block = {block, bytes}};
    journal_add(journal, &r);
}

static void commit(void)
{
    struct why why = {0};
    if (journal_write(journal, &why) != OK || journal_sync(journal, &why) != OK)
        fail_msg("%s", why.text);
}

static void path_of(uint64_t segment, char *path)
{
    snprintf(path, 300, "%s/%016llx.log", dir, (unsigned long long)segment);
}

static void test_groups_come_back_in_order(void **state)
{
    (void)state;
    for (uint64_t seq = 1; seq <= 60; seq++) {
        add(seq, seq * 13 % 300);
        if (seq % 3 == 0)
            commit();
    }
    shut();
    open_with(60);
    add(61, 5);
    commit();
    die();
    open_with(61);
}

static void test_segments_follow_one_another(void **state)
{
    (void)state;
    for (uint64_t seq = 1; seq <= 40; seq++) {
        add(seq, 7000);
        commit();
    }
    assert_true(journal_segment(journal) > 3);
    struct journal_figures f;
    journal_figures(journal, &f);
    assert_int_equal(f.segments, journal_segment(journal));
    assert_int_equal(f.groups, 40);
    die();
    open_with(40);
}

static void test_group_larger_than_a_segment(void **state)
{
    (void)state;
    add(1, 10);
    commit();
    add(2, SEGMENT * 3);
    commit();
    add(3, 10);
    commit();
    die();
    open_with(3);
}

static void test_trimmed_segments_are_used_again(void **state)
{
    (void)state;
    uint64_t seq = 0;
    for (int round = 0; round < 5; round++) {
        while (journal_segment(journal) < 4u * (unsigned)(round + 1)) {
            add(++seq, 7000);
            commit();
        }
        journal_trim(journal, journal_segment(journal));
        journal_prepare(journal);
    }
    struct journal_figures f;
    journal_figures(journal, &f);
    assert_int_equal(f.segments, 1);
    uint64_t last = journal_segment(journal);
    die();
    static struct reading g;
    struct why why;
    assert_int_equal(read_all(&g, last, &why), OK);
    assert_int_equal(g.seqs[g.n - 1],
                     seq); /* what the reused files held before does not come back */
    assert_int_equal(g.replay.segments, 1);
}

static bool stock_file(int n)
{
    char path[300];
    snprintf(path, sizeof path, "%s/stock.%d", dir, n);
    struct stat st;
    return stat(path, &st) == 0 && st.st_size == SEGMENT;
}

static void test_stock_is_bounded(void **state)
{
    (void)state;
    uint64_t seq = 0;
    while (journal_segment(journal) < 10) {
        add(++seq, 7000);
        commit();
    }
    journal_trim(journal, 10);
    for (int i = 0; i < JOURNAL_STOCK_MAX; i++)
        assert_true(stock_file(i));
    assert_false(stock_file(JOURNAL_STOCK_MAX));
    journal_prepare(journal); /* in vain */
    assert_false(stock_file(JOURNAL_STOCK_MAX));
    assert_int_equal(journal->stocked, JOURNAL_STOCK_MAX);
    while (journal_segment(journal) < 12) {
        add(++seq, 7000);
        commit();
    }
    assert_int_equal(journal->stocked, JOURNAL_STOCK_MAX - 2);
    die();
    static struct reading g;
    struct why why;
    assert_int_equal(read_all(&g, 10, &why), OK);
    assert_int_equal(g.seqs[g.n - 1], seq);
    add(++seq, 10); /* the first segment of a new process: what was in stock goes */
    commit();
    for (int i = 0; i < JOURNAL_STOCK_MAX; i++)
        assert_false(stock_file(i));
}

/* Blocks that are only allocated cost the writer a change of metadata at each sync. */
static void test_prepared_segments_are_written(void **state)
{
    (void)state;
    add(1, 10);
    commit();
    unsigned before = io.writes;
    journal_prepare(journal);
    assert_int_equal(io.writes, before + 1);
    assert_true(stock_file(0));
}

/* Another thread lays in stock at the worst moment: while a segment from stock is being named. */
static void prepare_meanwhile(const char *to)
{
    if (!strcmp(to + strlen(to) - 4, ".log"))
        journal_prepare(journal);
}

static void test_stock_in_use_is_left_alone(void **state)
{
    (void)state;
    uint64_t seq = 0;
    io.on_rename = prepare_meanwhile;
    while (journal_segment(journal) < 6) {
        add(++seq, 7000);
        commit();
        journal_prepare(journal);
    }
    io.on_rename = NULL;
    die();
    open_with((uint32_t)seq);
}

/* ---- crashes ---- */

static char image[SEGMENT];
static size_t image_bytes;

static void read_image(uint64_t segment)
{
    char path[300];
    path_of(segment, path);
    int fd = open(path, O_RDONLY);
    image_bytes = (size_t)read(fd, image, sizeof image);
    close(fd);
}

static void write_image(uint64_t segment, const char *p, size_t n)
{
    char path[300];
    path_of(segment, path);
    int fd = open(path, O_WRONLY | O_TRUNC);
    assert_int_equal(write(fd, p, n), (ssize_t)n);
    close(fd);
}

/* Two groups, records 1-2 and 3-5; *first, *last: where the second begins and ends. */
static void two_groups(size_t *first, size_t *last)
{
    add(1, 20);
    add(2, 33);
    commit();
    *first = journal->end;
    add(3, 1);
    add(4, 50);
    add(5, 0);
    commit();
    *last = journal->end;
    die();
    read_image(1);
}

static void test_last_group_torn_at_every_byte(void **state)
{
    (void)state;
    size_t first, last;
    two_groups(&first, &last);
    char *torn = malloc(image_bytes);
    for (size_t cut = first; cut <= last; cut++) {
        memcpy(torn, image, image_bytes);
        uint32_t whole = cut == last ? 5 : 2;
        /* The file ends there; the rest is zero; the rest is what stood there before. */
        write_image(1, torn, cut);
        open_with(whole);
        die();
        if (cut < last && memcmp(torn + cut, (char[4096]){0}, last - cut) == 0)
            continue; /* padding: nothing is torn off */
        memset(torn + cut, 0, last - cut);
        write_image(1, torn, image_bytes);
        open_with(whole);
        die();
        memset(torn + cut, 0xA5, last - cut);
        write_image(1, torn, image_bytes);
        open_with(whole);
        die();
    }
    free(torn);
    open_with(5);
}

static void test_log_goes_on_behind_a_torn_group(void **state)
{
    (void)state;
    size_t first, last;
    two_groups(&first, &last);
    write_image(1, image, last - 8);
    open_with(2);
    add(3, 40);
    commit();
    die();
    open_with(3);
}

static void test_every_flipped_byte_is_noticed(void **state)
{
    (void)state;
    size_t first, last;
    two_groups(&first, &last);
    for (size_t at = 0; at < last; at++) {
        char kept = image[at];
        image[at] = (char)(kept ^ 0x20);
        write_image(1, image, image_bytes);
        static struct reading g;
        struct why why;
        enum status st = read_all(&g, 0, &why);
        if (at >= first) { /* in the last group: as if torn */
            assert_int_equal(st, OK);
            assert_int_equal(g.n, 2);
        } else if (at >= 8 && at < 12) { /* the version */
            assert_true(st == E_NOT_SUPPORTED || st == E_DAMAGED);
        } else {
            assert_int_equal(st, E_DAMAGED);
            assert_non_null(strstr(why.text, "log segment 0000000000000001, offset"));
        }
        if (at >= JOURNAL_HEADER && at < first)
            assert_non_null(strstr(why.text, "offset 64: a bad group, with a good one behind it"));
        if (journal)
            die();
        image[at] = kept;
    }
    write_image(1, image, image_bytes);
    open_with(5);
}

static void test_damage_before_the_last_segment_is_named(void **state)
{
    (void)state;
    for (uint64_t seq = 1; seq <= 20; seq++) {
        add(seq, 7000);
        commit();
    }
    assert_true(journal_segment(journal) >= 3);
    die();
    read_image(2);
    image[image_bytes - 9000] ^= 1; /* in its last group or behind: its end is known */
    image[JOURNAL_HEADER + 100] ^= 1;
    write_image(2, image, image_bytes);
    static struct reading g;
    struct why why;
    assert_int_equal(read_all(&g, 0, &why), E_DAMAGED);
    assert_non_null(strstr(why.text, "log segment 0000000000000002, offset 64"));
    die();
    image[JOURNAL_HEADER + 100] ^= 1;
    image[image_bytes - 9000] ^= 1;
    write_image(2, image, image_bytes);
    open_with(20);
}

static void test_missing_segment_is_named(void **state)
{
    (void)state;
    for (uint64_t seq = 1; seq <= 20; seq++) {
        add(seq, 7000);
        commit();
    }
    die();
    char path[300];
    path_of(2, path);
    unlink(path);
    static struct reading g;
    struct why why;
    assert_int_equal(read_all(&g, 0, &why), E_DAMAGED);
    assert_int_equal(read_all(&g, 2, &why), E_DAMAGED);
    journal = NULL;
    assert_int_equal(read_all(&g, 3, &why), OK);
}

static void test_unsynced_groups_may_be_lost_in_any_order(void **state)
{
    (void)state;
    struct why why;
    add(1, 100);
    commit();
    size_t first = journal->end;
    add(2, 100);
    assert_int_equal(journal_write(journal, &why), OK);
    size_t second = journal->end;
    add(3, 100);
    assert_int_equal(journal_write(journal, &why), OK);
    die();
    read_image(1);
    image[first + 60] ^= 1; /* 2 did not reach the disk, 3 did: none was promised */
    write_image(1, image, image_bytes);
    open_with(1);
    die();
    image[first + 60] ^= 1;
    image[second + 60] ^= 1;
    write_image(1, image, image_bytes);
    open_with(2);
}

static void test_other_stores_segments_are_refused(void **state)
{
    (void)state;
    add(1, 10);
    commit();
    shut();
    struct journal_options o = options();
    o.store_id = STORE + 1;
    struct reading g = {.replay = {.record = note}};
    struct why why = {0};
    assert_int_equal(journal_open(&journal, &o, 0, &why), OK);
    assert_int_equal(journal_read(journal, &g.replay, &why), E_DAMAGED);
    assert_non_null(strstr(why.text, "another store"));
}

/* ---- faults ---- */

static void test_full_disk_cuts_back_and_goes_on(void **state)
{
    (void)state;
    struct why why = {0};
    add(1, 100);
    commit();
    uint64_t end = journal->end;
    for (int64_t budget = 0; budget < 200; budget += 7) {
        io.budget = budget;
        add(99, 100);
        why_clear(&why);
        assert_int_equal(journal_write(journal, &why), E_NO_SPACE);
        assert_int_equal(journal->end, end);
        struct stat st;
        fstat(journal->fd, &st);
        assert_int_equal(st.st_size, end);
        assert_false(journal_failed(journal));
    }
    io.budget = INT64_MAX;
    add(2, 100);
    commit();
    die();
    open_with(2);
}

static void test_no_room_for_the_next_segment(void **state)
{
    (void)state;
    struct why why = {0};
    uint64_t seq = 0;
    do {
        add(++seq, 7000);
        commit();
    } while (journal->end + 7200 < SEGMENT);
    io.budget = 1000;
    add(99, 7000);
    assert_int_equal(journal_write(journal, &why), E_NO_SPACE);
    assert_int_equal(journal_segment(journal), 1);
    io.budget = INT64_MAX;
    add(++seq, 7000);
    commit();
    assert_int_equal(journal_segment(journal), 2);
    die();
    open_with((uint32_t)seq);
}

static void test_failed_sync_stops_writing(void **state)
{
    (void)state;
    struct why why = {0};
    add(1, 10);
    commit();
    io.sync_errors = 1;
    add(2, 10);
    assert_int_equal(journal_write(journal, &why), OK);
    assert_int_equal(journal_sync(journal, &why), E_UNKNOWN_OUTCOME);
    assert_true(journal_failed(journal));
    die();
    static struct reading g;
    assert_int_equal(read_all(&g, 0, &why), OK);
    assert_true(g.n == 1 || g.n == 2);
}

static void test_failed_cut_stops_writing(void **state)
{
    (void)state;
    struct why why = {0};
    add(1, 10);
    commit();
    io.budget = 20;
    io.truncate_errors = -1;
    add(2, 10);
    assert_int_equal(journal_write(journal, &why), E_UNKNOWN_OUTCOME);
    assert_true(journal_failed(journal));
    io.truncate_errors = 0;
    io.budget = INT64_MAX;
}

static void test_failed_naming_of_a_segment_stops_writing(void **state)
{
    (void)state;
    struct why why = {0};
    io.rename_errors = 1;
    add(1, 10);
    assert_int_equal(journal_write(journal, &why), E_UNKNOWN_OUTCOME);
    assert_true(journal_failed(journal));
}

/* ---- copies ---- */

static void test_copy_holds_what_is_durable(void **state)
{
    (void)state;
    struct why why = {0};
    for (uint64_t seq = 1; seq <= 20; seq++) {
        add(seq, 7000);
        commit();
    }
    add(21, 10);
    assert_int_equal(journal_write(journal, &why), OK); /* not synced */
    char copy[300], kept[256];
    snprintf(copy, sizeof copy, "%s/copy", dir);
    assert_int_equal(journal_copy(journal, 0, copy, &why), OK);
    shut();
    memcpy(kept, dir, sizeof kept);
    snprintf(dir, sizeof dir, "%.200s/copy", kept);
    open_with(20);
    shut();
    memcpy(dir, kept, sizeof dir);
    open_with(21);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_groups_come_back_in_order),
        TEST(test_segments_follow_one_another),
        TEST(test_group_larger_than_a_segment),
        TEST(test_trimmed_segments_are_used_again),
        TEST(test_stock_in_use_is_left_alone),
        TEST(test_stock_is_bounded),
        TEST(test_prepared_segments_are_written),
        TEST(test_last_group_torn_at_every_byte),
        TEST(test_log_goes_on_behind_a_torn_group),
        TEST(test_every_flipped_byte_is_noticed),
        TEST(test_damage_before_the_last_segment_is_named),
        TEST(test_missing_segment_is_named),
        TEST(test_unsynced_groups_may_be_lost_in_any_order),
        TEST(test_other_stores_segments_are_refused),
        TEST(test_full_disk_cuts_back_and_goes_on),
        TEST(test_no_room_for_the_next_segment),
        TEST(test_failed_sync_stops_writing),
        TEST(test_failed_cut_stops_writing),
        TEST(test_failed_naming_of_a_segment_stops_writing),
        TEST(test_copy_holds_what_is_durable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
