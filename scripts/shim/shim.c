/* Crash tests: a library to preload (Linux) that counts the calls by which a process changes files, and kills the
 * process, fails a call or pauses the process at a chosen one.
 *
 *   cc -shared -fPIC -O1 -o shim.so shim.c
 *   SHIM_UNDER=/data LD_PRELOAD=./shim.so program
 *
 *   SHIM_UNDER=DIR[:DIR…]  only files under these absolute, resolved folders count; without it nothing happens
 *   SHIM_COUNT=FILE        keep the number of calls so far in FILE, so that a dry run tells how many there are
 *   SHIM_KILL_AT=N         SIGKILL ourselves before the N-th call
 *   SHIM_TORN=1            … but when that call writes, let half of its bytes through first
 *   SHIM_PAUSE_AT=N        SIGSTOP ourselves before the N-th call
 *   SHIM_FAIL_AT=N         from the N-th call on, fail every call that a full or broken disk would fail …
 *   SHIM_ERRNO=ENOSPC|EIO  … with this errno (ENOSPC when not given; EIO fails syncs and truncations as well)
 *   SHIM_FAIL_ONCE=1       … or only the first of them
 *
 * What counts: writes, copies, truncations, syncs, renames, links, removals, new folders, opens that may create or
 * truncate. What does not: memory-mapped writes (of SQLite only its shared-memory index, which is rebuilt), and
 * calls that do not go through the C library's functions: direct system calls and stdio.
 * A torn or failed call is simulated: the kernel has what was written before, so this tests the death of a process,
 * not a power cut.
 *
 * Children inherit all of it and count for themselves. Every call goes to the kernel directly, so nothing here
 * looks up symbols, allocates or calls itself; that wants a 64-bit system.
 */
#undef _FORTIFY_SOURCE
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

_Static_assert(sizeof(long) == 8, "offsets are passed to the kernel in one register");

/* ---- settings, read once when the library is loaded ---- */

static char under[8][PATH_MAX];
static int under_count;
static long kill_at, pause_at, fail_at;
static int torn, fail_once, fail_errno, count_fd = -1;
static atomic_long counted;
static atomic_int failed_already;

static long number(const char *name)
{
    const char *text = getenv(name);
    return text ? strtol(text, NULL, 10) : 0;
}

__attribute__((constructor)) static void read_settings(void)
{
    const char *text = getenv("SHIM_UNDER");
    if (!text || !*text)
        return;
    kill_at = number("SHIM_KILL_AT");
    pause_at = number("SHIM_PAUSE_AT");
    fail_at = number("SHIM_FAIL_AT");
    torn = number("SHIM_TORN") != 0;
    fail_once = number("SHIM_FAIL_ONCE") != 0;
    const char *name = getenv("SHIM_ERRNO");
    fail_errno = name && strcmp(name, "EIO") == 0 ? EIO : ENOSPC;
    const char *file = getenv("SHIM_COUNT");
    if (file)
        count_fd = (int)syscall(SYS_openat, AT_FDCWD, file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    int found = 0;
    while (*text && found < 8) {
        size_t length = strcspn(text, ":");
        size_t kept = length;
        while (kept > 1 && text[kept - 1] == '/')
            kept--;
        if (kept > 0 && kept < PATH_MAX) {
            memcpy(under[found], text, kept);
            under[found++][kept] = 0;
        }
        text += length + (text[length] == ':');
    }
    under_count = found; /* last: it switches everything on */
}

/* ---- which calls count ---- */

static int is_under(const char *path)
{
    for (int i = 0; i < under_count; i++) {
        size_t length = strlen(under[i]);
        if (strncmp(path, under[i], length) == 0 && (path[length] == '/' || path[length] == 0))
            return 1;
    }
    return 0;
}

/* The path of an open file, by system calls alone: no allocation, nothing of ours is called again. */
static int fd_path(int fd, char *path)
{
    char link[48];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    long length = syscall(SYS_readlinkat, AT_FDCWD, link, path, PATH_MAX - 1);
    if (length <= 0)
        return 0;
    path[length] = 0;
    return 1;
}

static int fd_counts(int fd)
{
    char path[PATH_MAX];
    struct stat status;
    if (!under_count || !fd_path(fd, path) || !is_under(path))
        return 0;
    return fstat(fd, &status) == 0 && (S_ISREG(status.st_mode) || S_ISDIR(status.st_mode));
}

static int path_counts(int at, const char *path)
{
    char whole[PATH_MAX * 2];
    if (!under_count || !path)
        return 0;
    if (path[0] == '/')
        return is_under(path);
    if (at == AT_FDCWD) {
        long length = syscall(SYS_getcwd, whole, PATH_MAX);
        if (length <= 0)
            return 0;
    } else if (!fd_path(at, whole)) {
        return 0;
    }
    size_t length = strlen(whole);
    if (length + 1 + strlen(path) >= sizeof whole)
        return 0;
    whole[length] = '/';
    strcpy(whole + length + 1, path);
    return is_under(whole);
}

/* ---- what happens at a call that counts ---- */

enum kind {
    SAFE,   /* a full disk does not fail it, nor does a broken one here: removals */
    SYNC,   /* fails on a broken disk only: syncs, truncations */
    CREATE, /* fails on both: new names */
    WRITE   /* fails on both, and can be torn */
};
enum verdict { GO, FAIL, TEAR };

static void die(void)
{
    syscall(SYS_kill, (pid_t)syscall(SYS_getpid), SIGKILL);
    for (;;)
        pause();
}

static void show_count(void)
{
    /* A slower thread may come with a smaller number; the loop makes the largest one stay. */
    long shown;
    do {
        char text[24];
        shown = atomic_load(&counted);
        int length = snprintf(text, sizeof text, "%ld\n", shown);
        syscall(SYS_pwrite64, count_fd, text, (size_t)length, (off_t)0);
    } while (shown != atomic_load(&counted));
}

static enum verdict at_call(enum kind kind)
{
    long n = atomic_fetch_add(&counted, 1) + 1;
    if (count_fd >= 0)
        show_count();
    if (pause_at && n == pause_at)
        syscall(SYS_kill, (pid_t)syscall(SYS_getpid), SIGSTOP);
    if (kill_at && n >= kill_at) {
        while (n > kill_at)
            pause(); /* another thread is dying; it may have half a write to do first */
        if (torn && kind == WRITE)
            return TEAR;
        die();
    }
    if (fail_at && n >= fail_at && kind >= (fail_errno == EIO ? SYNC : CREATE)) {
        if (fail_once && atomic_exchange(&failed_already, 1))
            return GO;
        return FAIL;
    }
    return GO;
}

/* For calls that do not write bytes: 0 to go on, -1 with errno set to give up. */
static int refused(int counts, enum kind kind)
{
    if (!counts || at_call(kind) != FAIL)
        return 0;
    errno = fail_errno;
    return -1;
}

/* ---- writes ---- */

#define NO_OFFSET (-1L)

static ssize_t write_now(int fd, const void *bytes, size_t length, off_t at)
{
    return at == NO_OFFSET ? syscall(SYS_write, fd, bytes, length) : syscall(SYS_pwrite64, fd, bytes, length, at);
}

static ssize_t write_at(int fd, const void *bytes, size_t length, off_t at)
{
    if (fd_counts(fd)) {
        switch (at_call(WRITE)) {
        case GO:
            break;
        case FAIL:
            errno = fail_errno;
            return -1;
        case TEAR:
            if (length > 1)
                write_now(fd, bytes, length / 2, at);
            die();
        }
    }
    return write_now(fd, bytes, length, at);
}

static ssize_t write_parts(int fd, const struct iovec *parts, int count, off_t at)
{
    if (fd_counts(fd)) {
        switch (at_call(WRITE)) {
        case GO:
            break;
        case FAIL:
            errno = fail_errno;
            return -1;
        case TEAR: {
            size_t half = 0;
            for (int i = 0; i < count; i++)
                half += parts[i].iov_len;
            half /= 2;
            for (int i = 0; i < count && half > 0; i++) {
                size_t length = parts[i].iov_len < half ? parts[i].iov_len : half;
                write_now(fd, parts[i].iov_base, length, at);
                half -= length;
                if (at != NO_OFFSET)
                    at += (off_t)length;
            }
            die();
        }
        }
    }
    return at == NO_OFFSET ? syscall(SYS_writev, fd, parts, count) : syscall(SYS_pwritev, fd, parts, count, at, 0L);
}

/* A negative offset is the kernel's to refuse; it must not be taken for NO_OFFSET. */
static off_t checked(off_t at) { return at == NO_OFFSET ? -2 : at; }

ssize_t write(int fd, const void *b, size_t n) { return write_at(fd, b, n, NO_OFFSET); }
ssize_t pwrite(int fd, const void *b, size_t n, off_t at) { return write_at(fd, b, n, checked(at)); }
ssize_t pwrite64(int fd, const void *b, size_t n, off64_t at) { return write_at(fd, b, n, checked(at)); }
ssize_t writev(int fd, const struct iovec *p, int n) { return write_parts(fd, p, n, NO_OFFSET); }
ssize_t pwritev(int fd, const struct iovec *p, int n, off_t at) { return write_parts(fd, p, n, checked(at)); }
ssize_t pwritev2(int fd, const struct iovec *p, int n, off_t at, int flags)
{
    (void)flags; /* hints, except for RWF_APPEND and RWF_DSYNC, which nothing we test uses */
    return write_parts(fd, p, n, at);
}
ssize_t pwritev64v2(int fd, const struct iovec *p, int n, off64_t at, int flags) { return pwritev2(fd, p, n, at, flags); }
ssize_t pwritev64(int fd, const struct iovec *p, int n, off64_t at) { return write_parts(fd, p, n, checked(at)); }

/* Copies inside the kernel are torn by asking for half of the length. */
static int copy_dies(int to, size_t *length)
{
    if (!fd_counts(to))
        return 0;
    enum verdict verdict = at_call(WRITE);
    if (verdict == TEAR)
        *length /= 2;
    return (int)verdict;
}

ssize_t copy_file_range(int from, off64_t *a, int to, off64_t *b, size_t length, unsigned flags)
{
    int verdict = copy_dies(to, &length);
    if (verdict == FAIL)
        return errno = fail_errno, -1;
    ssize_t done = syscall(SYS_copy_file_range, from, a, to, b, length, flags);
    if (verdict == TEAR)
        die();
    return done;
}

ssize_t sendfile(int to, int from, off_t *at, size_t length)
{
    int verdict = copy_dies(to, &length);
    if (verdict == FAIL)
        return errno = fail_errno, -1;
    ssize_t done = syscall(SYS_sendfile, to, from, at, length);
    if (verdict == TEAR)
        die();
    return done;
}
ssize_t sendfile64(int to, int from, off64_t *at, size_t length) { return sendfile(to, from, at, length); }

/* ---- syncs and sizes ---- */

static int on_fd(int fd, enum kind kind) { return refused(fd_counts(fd), kind); }

int fsync(int fd) { return on_fd(fd, SYNC) ? -1 : (int)syscall(SYS_fsync, fd); }
int fdatasync(int fd) { return on_fd(fd, SYNC) ? -1 : (int)syscall(SYS_fdatasync, fd); }
int ftruncate(int fd, off_t n) { return on_fd(fd, SYNC) ? -1 : (int)syscall(SYS_ftruncate, fd, n); }
int ftruncate64(int fd, off64_t n) { return ftruncate(fd, n); }
int fallocate(int fd, int mode, off_t at, off_t n)
{
    return on_fd(fd, CREATE) ? -1 : (int)syscall(SYS_fallocate, fd, mode, at, n);
}
int fallocate64(int fd, int mode, off64_t at, off64_t n) { return fallocate(fd, mode, at, n); }
/* This one returns its error instead of setting errno. */
int posix_fallocate(int fd, off_t at, off_t n) { return fallocate(fd, 0, at, n) ? errno : 0; }
int posix_fallocate64(int fd, off64_t at, off64_t n) { return posix_fallocate(fd, at, n); }

/* ---- names ---- */

static int on_path(int at, const char *path, enum kind kind) { return refused(path_counts(at, path), kind); }

int truncate(const char *path, off_t n) { return on_path(AT_FDCWD, path, SYNC) ? -1 : (int)syscall(SYS_truncate, path, n); }
int truncate64(const char *path, off64_t n) { return truncate(path, n); }

int renameat2(int from_at, const char *from, int to_at, const char *to, unsigned flags)
{
    int counts = path_counts(from_at, from) || path_counts(to_at, to);
    return refused(counts, CREATE) ? -1 : (int)syscall(SYS_renameat2, from_at, from, to_at, to, flags);
}
int renameat(int from_at, const char *from, int to_at, const char *to) { return renameat2(from_at, from, to_at, to, 0); }
int rename(const char *from, const char *to) { return renameat2(AT_FDCWD, from, AT_FDCWD, to, 0); }

int linkat(int from_at, const char *from, int to_at, const char *to, int flags)
{
    return on_path(to_at, to, CREATE) ? -1 : (int)syscall(SYS_linkat, from_at, from, to_at, to, flags);
}
int link(const char *from, const char *to) { return linkat(AT_FDCWD, from, AT_FDCWD, to, 0); }
int symlinkat(const char *text, int at, const char *path)
{
    return on_path(at, path, CREATE) ? -1 : (int)syscall(SYS_symlinkat, text, at, path);
}
int symlink(const char *text, const char *path) { return symlinkat(text, AT_FDCWD, path); }

int unlinkat(int at, const char *path, int flags)
{
    return on_path(at, path, SAFE) ? -1 : (int)syscall(SYS_unlinkat, at, path, flags);
}
int unlink(const char *path) { return unlinkat(AT_FDCWD, path, 0); }
int rmdir(const char *path) { return unlinkat(AT_FDCWD, path, AT_REMOVEDIR); }

int mkdirat(int at, const char *path, mode_t mode)
{
    return on_path(at, path, CREATE) ? -1 : (int)syscall(SYS_mkdirat, at, path, mode);
}
int mkdir(const char *path, mode_t mode) { return mkdirat(AT_FDCWD, path, mode); }

static int open_at(int at, const char *path, int flags, mode_t mode)
{
    int creates = (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE;
    if ((creates || (flags & O_TRUNC)) && path_counts(at, path)) {
        /* A full disk still opens what is there. */
        int exists = syscall(SYS_faccessat, at, path, F_OK) == 0;
        if (refused(1, exists ? SYNC : CREATE))
            return -1;
    }
    return (int)syscall(SYS_openat, at, path, flags, mode);
}

static mode_t mode_of(int flags, va_list rest)
{
    return (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE ? (mode_t)va_arg(rest, int) : 0;
}

#define OPEN(name) \
    int name(const char *path, int flags, ...) \
    { \
        va_list rest; \
        va_start(rest, flags); \
        mode_t mode = mode_of(flags, rest); \
        va_end(rest); \
        return open_at(AT_FDCWD, path, flags, mode); \
    }
OPEN(open)
OPEN(open64)

#define OPENAT(name) \
    int name(int at, const char *path, int flags, ...) \
    { \
        va_list rest; \
        va_start(rest, flags); \
        mode_t mode = mode_of(flags, rest); \
        va_end(rest); \
        return open_at(at, path, flags, mode); \
    }
OPENAT(openat)
OPENAT(openat64)

int creat(const char *path, mode_t mode) { return open_at(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, mode); }
int creat64(const char *path, mode_t mode) { return creat(path, mode); }
