/* Runs a fuzz target over stored inputs, with any compiler: each argument is a
 * file or a folder of files. Nothing to replay is an error, so that a corpus
 * cannot get lost unnoticed. */
#include "fuzz.h"

#include <dirent.h>
#include <sys/stat.h>

enum { PATH_BYTES = 4096 };

/* Inputs replayed: 0 or 1. The copy has no slack, so that sanitizers see overruns. */
static int replay_file(const char *path)
{
    struct stat st;
    FILE *f = fopen(path, "rbe");
    if (!f || fstat(fileno(f), &st) != 0) {
        perror(path);
        return 0;
    }
    size_t n = (size_t)st.st_size;
    uint8_t *data = malloc(n ? n : 1);
    if (!data || fread(data, 1, n, f) != n) {
        perror(path);
        exit(1);
    }
    fclose(f);
    LLVMFuzzerTestOneInput(data, n);
    free(data);
    return 1;
}

static int replay_folder(DIR *dir, const char *path)
{
    int replayed = 0;
    for (struct dirent *e; (e = readdir(dir));) {
        char file[PATH_BYTES];
        if (e->d_name[0] == '.')
            continue;
        snprintf(file, sizeof file, "%s/%s", path, e->d_name);
        replayed += replay_file(file);
    }
    return replayed;
}

int main(int argc, char **argv)
{
    int replayed = 0;
    for (int i = 1; i < argc; i++) {
        DIR *dir = opendir(argv[i]);
        replayed += dir ? replay_folder(dir, argv[i]) : replay_file(argv[i]);
        if (dir)
            closedir(dir);
    }
    printf("%d inputs replayed\n", replayed);
    return replayed ? 0 : 1;
}
