/* A disk that stops answering, for LD_PRELOAD: while the file named by SYNC_HANGS is there, no sync comes back. */
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static void hang(void)
{
    const char *file = getenv("SYNC_HANGS");
    while (file && access(file, F_OK) == 0)
        usleep(10000);
}

int fdatasync(int fd)
{
    hang();
    return (int)syscall(SYS_fdatasync, fd);
}

int fsync(int fd)
{
    hang();
    return (int)syscall(SYS_fsync, fd);
}
