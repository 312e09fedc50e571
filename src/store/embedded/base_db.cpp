/* The only file that knows RocksDB. */
#include "store/embedded/base_db.h"

#include <atomic>
#include <cstdio>
#include <cstring>
#include <memory>
#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/slice_transform.h>
#include <rocksdb/table.h>
#include <rocksdb/utilities/checkpoint.h>
#include <rocksdb/write_batch.h>
#include <vector>

namespace
{
constexpr size_t WRITE_BUFFER = 32 << 20, BLOCK_CACHE = 4 << 20, READ_AHEAD = 2 << 20,
                 BLOCK = 16 << 10;
constexpr int OPEN_FILES = 128;
constexpr int STEPS = 8; /* of a walk, that cost no more than a search */

/* Warnings of RocksDB become ours. */
class Messages : public rocksdb::Logger
{
  public:
    explicit Messages(void (*to)(const char *text)) : rocksdb::Logger(rocksdb::WARN_LEVEL), says(to)
    {
    }
    using rocksdb::Logger::Logv;
    void Logv(const char *format, va_list ap) override
    {
        char text[512];
        vsnprintf(text, sizeof text, format, ap);
        says(text);
    }

  private:
    void (*says)(const char *text);
};

/* Keys that are written in their order, by their first byte: each is looked for behind the one before. RocksDB remembers
 * the place also of what deletes a range, and in the wrong list, so keys where ranges begin must not be among them. */
class Sequences : public rocksdb::SliceTransform
{
  public:
    explicit Sequences(bool (*which)(struct str key)) : in_sequence(which)
    {
    }
    const char *Name() const override
    {
        return "wellspring.sequences";
    }
    rocksdb::Slice Transform(const rocksdb::Slice &key) const override
    {
        return rocksdb::Slice(key.data(), 1);
    }
    bool InDomain(const rocksdb::Slice &key) const override
    {
        return in_sequence({key.data(), key.size()});
    }

  private:
    bool (*in_sequence)(struct str key);
};

rocksdb::Slice slice(struct str s)
{
    return rocksdb::Slice(s.p ? s.p : "", s.n);
}

struct str view(const rocksdb::Slice &s)
{
    return {s.data(), s.size()};
}

char *message(const rocksdb::Status &st)
{
    return st.ok() ? nullptr : strdup(st.ToString().c_str());
}

rocksdb::Options options(bool create, void (*says)(const char *text), bool (*in_sequence)(struct str key))
{
    rocksdb::BlockBasedTableOptions table;
    table.block_cache = rocksdb::NewLRUCache(BLOCK_CACHE);
    table.block_size = BLOCK;
    rocksdb::Options o;
    o.create_if_missing = create;
    o.paranoid_checks = true;
    o.atomic_flush = true;
    o.write_buffer_size = WRITE_BUFFER;
    o.max_write_buffer_number = 2;
    o.max_open_files = OPEN_FILES;
    o.max_background_jobs = 2;
    o.disable_auto_compactions = true; /* until something was flushed */
    o.max_bgerror_resume_count = 0; /* after a fault the fold opens it again */
    o.compression = rocksdb::kLZ4Compression;
    if (in_sequence)
        o.memtable_insert_with_hint_prefix_extractor = std::make_shared<Sequences>(in_sequence);
    o.info_log = std::make_shared<Messages>(says);
    o.stats_dump_period_sec = 0;
    o.stats_persist_period_sec = 0;
    o.skip_stats_update_on_db_open = true;
    o.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
    return o;
}
} // namespace

struct base_db {
    std::unique_ptr<rocksdb::DB> db;
    rocksdb::WriteBatch batch;
    bool tidying = false; /* files are merged in the background */
};

struct base_db *base_db_open(const char *path, bool create, void (*says)(const char *text), bool (*in_sequence)(struct str key),
                             char **error)
{
    rocksdb::DB *db = nullptr;
    *error = message(rocksdb::DB::Open(options(create, says, in_sequence), path, &db));
    if (*error)
        return nullptr;
    auto *made = new base_db;
    made->db.reset(db);
    return made;
}

void base_db_close(struct base_db *db)
{
    delete db;
}

void base_db_put(struct base_db *db, struct str key, const struct str *parts, int count)
{
    std::vector<rocksdb::Slice> slices;
    for (int i = 0; i < count; i++)
        slices.push_back(slice(parts[i]));
    rocksdb::Slice name = slice(key);
    db->batch.Put(rocksdb::SliceParts(&name, 1), rocksdb::SliceParts(slices.data(), count));
}

void base_db_delete(struct base_db *db, struct str key)
{
    db->batch.Delete(slice(key));
}

void base_db_delete_range(struct base_db *db, struct str from, struct str to)
{
    db->batch.DeleteRange(slice(from), slice(to));
}

void base_db_forget_batch(struct base_db *db)
{
    db->batch.Clear();
}

size_t base_db_batch_bytes(const struct base_db *db)
{
    return db->batch.GetDataSize();
}

char *base_db_write(struct base_db *db)
{
    rocksdb::WriteOptions o;
    o.disableWAL = true;
    char *error = message(db->db->Write(o, &db->batch));
    db->batch.Clear();
    return error;
}

/* Not from the opening on: who waits for a start or a stop waits for reading and writing alone. */
static rocksdb::Status tidy(struct base_db *db)
{
    if (db->tidying)
        return rocksdb::Status::OK();
    rocksdb::Status st = db->db->EnableAutoCompaction({db->db->DefaultColumnFamily()});
    db->tidying = st.ok();
    return st;
}

char *base_db_flush(struct base_db *db)
{
    rocksdb::Status st = db->db->Flush(rocksdb::FlushOptions());
    return message(st.ok() ? tidy(db) : st);
}

static char *get(struct base_db *db, const rocksdb::ReadOptions &o, struct str key, size_t *n, char **error)
{
    std::string value;
    rocksdb::Status st = db->db->Get(o, slice(key), &value);
    *error = st.IsNotFound() ? nullptr : message(st);
    if (!st.ok())
        return nullptr;
    *n = value.size();
    char *copy = static_cast<char *>(malloc(value.size() + 1));
    if (copy)
        memcpy(copy, value.data(), value.size());
    else
        *error = strdup("out of memory");
    return copy;
}

char *base_db_get(struct base_db *db, struct str key, size_t *n, char **error)
{
    return get(db, rocksdb::ReadOptions(), key, n, error);
}

char *base_db_each(struct base_db *db, struct str from,
                   bool (*pair)(void *arg, struct str key, struct str value),
                   void *arg)
{
    rocksdb::ReadOptions o;
    o.fill_cache = false;
    o.verify_checksums = true;
    o.readahead_size = READ_AHEAD;
    std::unique_ptr<rocksdb::Iterator> it(db->db->NewIterator(o));
    for (it->Seek(slice(from)); it->Valid(); it->Next())
        if (!pair(arg, view(it->key()), view(it->value())))
            return nullptr;
    return message(it->status());
}

struct base_db_view {
    struct base_db *db;
    const rocksdb::Snapshot *snapshot;
};

struct base_db_view *base_db_view_open(struct base_db *db)
{
    return new base_db_view{db, db->db->GetSnapshot()};
}

void base_db_view_close(struct base_db_view *v)
{
    v->db->db->ReleaseSnapshot(v->snapshot);
    delete v;
}

char *base_db_view_get(struct base_db_view *v, struct str key, size_t *n, char **error)
{
    rocksdb::ReadOptions o;
    o.snapshot = v->snapshot;
    return get(v->db, o, key, n, error);
}

char *base_db_view_range(struct base_db_view *v, struct str from, struct str to, bool backwards,
                         bool (*pair)(void *arg, struct str key, struct str value),
                         void *arg)
{
    rocksdb::ReadOptions o;
    rocksdb::Slice low = slice(from), high = slice(to);
    o.snapshot = v->snapshot;
    o.iterate_lower_bound = &low;
    o.iterate_upper_bound = &high;
    std::unique_ptr<rocksdb::Iterator> it(v->db->db->NewIterator(o));
    backwards ? it->SeekToLast() : it->SeekToFirst();
    for (; it->Valid(); backwards ? it->Prev() : it->Next())
        if (!pair(arg, view(it->key()), view(it->value())))
            return nullptr;
    return message(it->status());
}

struct base_db_walk {
    std::unique_ptr<rocksdb::Iterator> it;
    bool begun = false;
};

struct base_db_walk *base_db_walk_open(struct base_db_view *v)
{
    rocksdb::ReadOptions o;
    o.snapshot = v->snapshot;
    o.fill_cache = false;
    auto *made = new base_db_walk;
    made->it.reset(v->db->db->NewIterator(o));
    return made;
}

void base_db_walk_close(struct base_db_walk *w)
{
    delete w;
}

bool base_db_walk_get(struct base_db_walk *w, struct str key, struct str *value, char **error)
{
    rocksdb::Slice wanted = slice(key);
    for (int i = 0; w->begun && i < STEPS && w->it->Valid() && w->it->key().compare(wanted) < 0; i++)
        w->it->Next();
    if (!w->begun || (w->it->Valid() && w->it->key().compare(wanted) < 0))
        w->it->Seek(wanted);
    *error = message(w->it->status());
    w->begun = !*error; /* what comes next is searched for */
    if (*error || !w->it->Valid() || w->it->key() != wanted)
        return false;
    *value = view(w->it->value());
    return true;
}

uint64_t base_db_bytes(struct base_db *db, struct str from, struct str to)
{
    uint64_t bytes = 0;
    rocksdb::Range range(slice(from), slice(to));
    rocksdb::SizeApproximationOptions o;
    o.include_memtables = true;
    if (!db->db->GetApproximateSizes(o, db->db->DefaultColumnFamily(), &range, 1, &bytes).ok())
        return 0;
    return bytes;
}

struct base_db_cancel {
    std::atomic<bool> wanted{false};
};

struct base_db_cancel *base_db_cancel_new(void)
{
    return new base_db_cancel;
}

void base_db_cancel_free(struct base_db_cancel *c)
{
    delete c;
}

void base_db_cancel_set(struct base_db_cancel *c)
{
    c->wanted = true;
}

char *base_db_compact(struct base_db *db, struct str from, struct str to, struct base_db_cancel *cancel)
{
    rocksdb::Slice begin = slice(from), end = slice(to);
    rocksdb::CompactRangeOptions o;
    o.exclusive_manual_compaction = false;
    o.canceled = &cancel->wanted;
    rocksdb::Status st = db->db->CompactRange(o, &begin, &end);
    return st.IsIncomplete() || st.IsManualCompactionPaused() || cancel->wanted ? nullptr : message(st);
}

char *base_db_checkpoint(struct base_db *db, const char *path)
{
    rocksdb::Checkpoint *made = nullptr;
    rocksdb::Status st = rocksdb::Checkpoint::Create(db->db.get(), &made);
    std::unique_ptr<rocksdb::Checkpoint> checkpoint(made);
    if (st.ok())
        st = checkpoint->CreateCheckpoint(path);
    return message(st);
}
