/* Why: an import knows all its inputs before it begins, so that it can say how far it is and go on
 * later. Start at import_inputs_collect(). */
#include "sense/import_inputs.h"

#include "sense/import_fetch.h"
#include "sense/source.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define INPUTS_MAX 1000000u
#define DIRECTORY_DEPTH_MAX 32

static enum status inputs_add(struct import_inputs *in, const struct import_input *input,
                              struct why *why)
{
    if (in->count == INPUTS_MAX)
        return why_limit(why, E_LIMIT, NULL, "import.files", "more than %u files", INPUTS_MAX);
    if (in->count == in->cap) {
        in->cap = in->cap ? in->cap * 2 : 16;
        in->list = mem_realloc(in->list, in->cap * sizeof *in->list);
    }
    in->list[in->count++] = *input;
    return OK;
}

static enum status inputs_add_failed(struct import_inputs *in, const char *name,
                                     const struct why *reason, struct why *why)
{
    struct why *kept = arena_array(in->arena, struct why, 1);
    *kept = *reason;
    return inputs_add(in, &(struct import_input){.name = name, .format = name, .why = kept}, why);
}

static int name_order(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int name_wanted(const struct dirent *d)
{
    return d->d_name[0] != '.';
}

static enum status inputs_add_path(struct import_inputs *in, const char *path, int depth,
                                   struct why *why);

/* One entry of a directory: links are followed to files, not to directories, which could go round
 * in circles; files whose names promise nothing are passed by. */
static enum status inputs_add_entry(struct import_inputs *in, const char *path, int depth,
                                    struct why *why)
{
    struct stat link, target;
    if (lstat(path, &link) != 0 || stat(path, &target) != 0)
        return OK;
    if (S_ISDIR(target.st_mode) && S_ISLNK(link.st_mode))
        return OK;
    if (!S_ISDIR(target.st_mode) && !(S_ISREG(target.st_mode) && source_knows_name(path)))
        return OK;
    return inputs_add_path(in, path, depth, why);
}

static enum status inputs_add_directory(struct import_inputs *in, const char *path, int depth,
                                        struct why *why)
{
    struct dirent **entries = NULL;
    struct why reason;
    why_clear(&reason);
    int n = depth > DIRECTORY_DEPTH_MAX ? -1 : scandir(path, &entries, name_wanted, name_order);
    if (n < 0) {
        if (depth > DIRECTORY_DEPTH_MAX)
            (void)why_set(&reason, E_LIMIT, NULL, "directories are nested too deeply");
        else
            (void)why_set(&reason, E_IO, NULL, "cannot be read: %s", strerror(errno));
        return inputs_add_failed(in, path, &reason, why);
    }
    enum status st = OK;
    struct str base = str_of(path);
    while (base.n > 1 && base.p[base.n - 1] == '/')
        base.n--;
    for (int i = 0; i < n; i++) {
        if (st == OK)
            st = inputs_add_entry(
                in, arena_printf(in->arena, "%.*s/%s", STR_ARG(base), entries[i]->d_name).p,
                depth + 1, why);
        free(entries[i]);
    }
    free(entries);
    return st;
}

static enum status inputs_add_path(struct import_inputs *in, const char *path, int depth,
                                   struct why *why)
{
    struct stat st;
    struct why reason;
    why_clear(&reason);
    if (stat(path, &st) != 0) {
        (void)why_set(&reason, E_NOT_FOUND, NULL, "cannot be opened: %s", strerror(errno));
        return inputs_add_failed(in, path, &reason, why);
    }
    if (S_ISDIR(st.st_mode))
        return inputs_add_directory(in, path, depth, why);
    return inputs_add(
        in,
        &(struct import_input){
            .name = path, .format = path, .path = path, .bytes = (uint64_t)st.st_size},
        why);
}

static enum status inputs_add_url(struct import_inputs *in, const char *url,
                                  const struct import_options *o, struct why *why)
{
    struct import_input input = {.name = url};
    struct why reason;
    why_clear(&reason);
    if (import_fetch(url, o, in->arena, &input.blob, &input.format, &reason) != OK)
        return inputs_add_failed(in, url, &reason, why);
    input.bytes = input.blob.bytes.n;
    enum status st = inputs_add(in, &input, why);
    if (st != OK)
        blob_close(&input.blob);
    return st;
}

enum status import_inputs_collect(struct import_inputs *in, const struct import_options *o,
                                  struct why *why)
{
    *in = (struct import_inputs){.arena = arena_new(0)};
    enum status st = OK;
    for (size_t i = 0; st == OK && i < o->input_count; i++) {
        struct str name = str_of(o->inputs[i]);
        bool url = str_starts(name, STR("http://")) || str_starts(name, STR("https://"));
        st = url ? inputs_add_url(in, name.p, o, why) : inputs_add_path(in, name.p, 0, why);
    }
    return st;
}

void import_inputs_free(struct import_inputs *in)
{
    for (uint32_t i = 0; i < in->count; i++)
        blob_close(&in->list[i].blob);
    free(in->list);
    if (in->arena)
        arena_free(in->arena);
}

enum status import_input_open(struct import_input *input, struct blob *blob, struct why *why)
{
    if (input->why) {
        *why = *input->why;
        return why->status;
    }
    if (input->path)
        return blob_open(blob, input->path, why);
    *blob = input->blob;
    input->blob = (struct blob){.bytes = STR("")};
    return OK;
}
