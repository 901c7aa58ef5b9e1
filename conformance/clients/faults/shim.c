/*
 * Makes the system lie to one process, by LD_PRELOAD: calls on chosen files fail, the clock stands
 * elsewhere, and what a disk would have kept is written down.
 *
 * Owns what the C library's functions answer. Knows nothing of the program that calls them. Only
 * callers of the C library meet it: SQLite and Rust's standard library are such, raw system calls
 * are not. `faults.py` writes the control file, which is mapped here, and compiles this.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { WRITE = 1, SYNC = 2, TRUNCATE = 4, READ = 8, OPEN = 16 };
enum { RULES = 8, NAME = 64, FILES = 64 };

struct rule {
    char name[NAME];  /* what the file's name begins with, or with a $ behind it, the whole name;
                         empty: the rule is not in force */
    int64_t calls;    /* which kinds of calls, as bits */
    int64_t error;    /* the errno to fail with; 0: a write takes only half of what it is given */
    int64_t after;    /* how many matching calls go well first */
    int64_t times;    /* how many fail then; negative: all of them */
    int64_t seen;     /* matching calls so far */
    int64_t failed;   /* of these, how many were made to fail */
};

struct control {
    int64_t clock_seconds;  /* added to the wall clock */
    int64_t disk;           /* whether to keep what a disk would have kept */
    struct rule rules[RULES];
};

static struct control *control;
static const char *disk_directory;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("STRONGROOM_FAULTS");
    disk_directory = getenv("STRONGROOM_FAULTS_DISK");
    if (!path)
        return;
    int fd = open(path, O_RDWR | O_CLOEXEC);
    void *mapped = fd < 0 ? MAP_FAILED
        : mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (mapped == MAP_FAILED) {
        perror("faults: control file");
        _exit(120);
    }
    control = mapped;
    close(fd);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
/* Looked up once each. */
#define NEXT(name) \
    static __typeof__(&name) next; \
    if (!next) next = REAL(name)

/* The name of an open file without its directories. */
static const char *name_of(int fd, char *room, size_t size)
{
    char link[40];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, room, size - 1);
    if (length <= 0)
        return "";
    room[length] = 0;
    char *slash = strrchr(room, '/');
    return slash ? slash + 1 : room;
}

/* The rule that makes this call fail, if one does. */
static struct rule *verdict(int call, const char *name)
{
    struct rule *found = NULL;
    for (int i = 0; i < RULES && !found; i++) {
        struct rule *rule = &control->rules[i];
        size_t length = strnlen(rule->name, NAME);
        if (!length || !(rule->calls & call))
            continue;
        int whole = rule->name[length - 1] == '$';
        if (strncmp(name, rule->name, length - whole) || (whole && name[length - 1]))
            continue;
        int64_t seen = __atomic_fetch_add(&rule->seen, 1, __ATOMIC_SEQ_CST);
        if (seen < rule->after || (rule->times >= 0 && seen >= rule->after + rule->times))
            continue;
        __atomic_fetch_add(&rule->failed, 1, __ATOMIC_SEQ_CST);
        found = rule;
    }
    return found;
}

static int in_force(void)
{
    if (!control)
        return 0;
    for (int i = 0; i < RULES; i++)
        if (control->rules[i].name[0])
            return 1;
    return 0;
}

static struct rule *fails(int call, int fd)
{
    if (!in_force())
        return NULL;
    char room[4096];
    int before = errno;
    struct rule *rule = verdict(call, name_of(fd, room, sizeof room));
    errno = before;
    return rule;
}

/* -- the disk -------------------------------------------------------------------------------- */

/* What was written to a file since it was last synced. */
struct pending {
    struct pending *next;
    int64_t offset;  /* where; or the new length of a file that was cut, if there are no bytes */
    int64_t length;  /* negative: the file was cut */
    char bytes[];
};

static struct {
    char path[256];
    struct pending *first, **last;
} files[FILES];

static int file_of(int fd)
{
    char room[4096];
    const char *name = name_of(fd, room, sizeof room);
    if (strncmp(name, "state.sqlite3", 13) && strncmp(name, "audit.jsonl", 11))
        return -1;
    if (strstr(name, "-shm"))
        return -1;
    for (int i = 0; i < FILES; i++) {
        if (!files[i].path[0]) {
            snprintf(files[i].path, sizeof files[i].path, "%s", name);
            files[i].last = &files[i].first;
        }
        if (!strcmp(files[i].path, name))
            return i;
    }
    return -1;
}

static void note(int fd, const void *bytes, int64_t length, int64_t offset)
{
    if (!control || !control->disk || !disk_directory)
        return;
    pthread_mutex_lock(&lock);
    int file = file_of(fd);
    if (file >= 0) {
        struct pending *one = malloc(sizeof *one + (length > 0 ? length : 0));
        one->next = NULL;
        one->offset = offset;
        one->length = length;
        if (length > 0)
            memcpy(one->bytes, bytes, length);
        *files[file].last = one;
        files[file].last = &one->next;
    }
    pthread_mutex_unlock(&lock);
}

/* Brings what was written to the disk; or forgets it, as a kernel does whose write-back failed. */
static void settle(int fd, int reaches)
{
    if (!control || !control->disk || !disk_directory)
        return;
    pthread_mutex_lock(&lock);
    int file = file_of(fd);
    if (file >= 0) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s", disk_directory, files[file].path);
        int disk = reaches ? REAL(open)(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
        for (struct pending *one = files[file].first, *next; one; one = next) {
            next = one->next;
            if (disk >= 0 && one->length < 0) {
                if (REAL(ftruncate)(disk, one->offset)) _exit(121);
            } else if (disk >= 0) {
                if (REAL(pwrite)(disk, one->bytes, one->length, one->offset) != one->length)
                    _exit(121);
            }
            free(one);
        }
        if (disk >= 0)
            close(disk);
        files[file].first = NULL;
        files[file].last = &files[file].first;
    }
    pthread_mutex_unlock(&lock);
}

/* Where a write without an offset will have gone: its end is the file's place or, of a file that
 * is appended to, its end. */
static void note_at_place(int fd, const void *bytes, ssize_t written)
{
    if (control && control->disk && written > 0)
        note(fd, bytes, written, lseek(fd, 0, SEEK_CUR) - written);
}

/* -- the functions --------------------------------------------------------------------------- */

#define FAIL(rule) do { errno = (int)(rule)->error; return -1; } while (0)
#define CUT(call, size) \
    struct rule *rule = fails(call, fd); \
    if (rule && rule->error) FAIL(rule); \
    if (rule) size = size > 1 ? size / 2 : size

ssize_t write(int fd, const void *bytes, size_t size)
{
    NEXT(write);
    CUT(WRITE, size);
    ssize_t written = next(fd, bytes, size);
    note_at_place(fd, bytes, written);
    return written;
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    NEXT(writev);
    struct rule *rule = fails(WRITE, fd);
    if (rule && rule->error)
        FAIL(rule);
    if (rule || (control && control->disk)) {
        size_t size = 0;
        for (int i = 0; i < count; i++)
            size += parts[i].iov_len;
        char *whole = malloc(size + 1), *end = whole;
        for (int i = 0; i < count; i++)
            end = mempcpy(end, parts[i].iov_base, parts[i].iov_len);
        ssize_t written = REAL(write)(fd, whole, rule && size > 1 ? size / 2 : size);
        int error = errno;
        note_at_place(fd, whole, written);
        free(whole);
        errno = error;
        return written;
    }
    return next(fd, parts, count);
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t offset)
{
    NEXT(pwrite);
    CUT(WRITE, size);
    ssize_t written = next(fd, bytes, size, offset);
    if (written > 0)
        note(fd, bytes, written, offset);
    return written;
}

ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t offset)
{
    return pwrite(fd, bytes, size, offset);
}

ssize_t pread(int fd, void *bytes, size_t size, off_t offset)
{
    NEXT(pread);
    struct rule *rule = fails(READ, fd);
    if (rule && rule->error)
        FAIL(rule);
    return next(fd, bytes, size, offset);
}

ssize_t pread64(int fd, void *bytes, size_t size, off64_t offset)
{
    return pread(fd, bytes, size, offset);
}

int fsync(int fd)
{
    NEXT(fsync);
    struct rule *rule = fails(SYNC, fd);
    settle(fd, !rule);
    if (rule)
        FAIL(rule);
    return next(fd);
}

int fdatasync(int fd)
{
    NEXT(fdatasync);
    struct rule *rule = fails(SYNC, fd);
    settle(fd, !rule);
    if (rule)
        FAIL(rule);
    return next(fd);
}

int ftruncate(int fd, off_t length)
{
    NEXT(ftruncate);
    struct rule *rule = fails(TRUNCATE, fd);
    if (rule)
        FAIL(rule);
    int result = next(fd, length);
    if (!result)
        note(fd, NULL, -1, length);
    return result;
}

int ftruncate64(int fd, off64_t length)
{
    return ftruncate(fd, length);
}

static int open_fails(const char *path)
{
    if (!in_force())
        return 0;
    const char *slash = strrchr(path, '/');
    struct rule *rule = verdict(OPEN, slash ? slash + 1 : path);
    if (rule)
        errno = (int)rule->error;
    return rule != NULL;
}

int open(const char *path, int flags, ...)
{
    NEXT(open);
    va_list more;
    va_start(more, flags);
    mode_t mode = va_arg(more, mode_t);
    va_end(more);
    return open_fails(path) ? -1 : next(path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    va_list more;
    va_start(more, flags);
    mode_t mode = va_arg(more, mode_t);
    va_end(more);
    return open(path, flags | O_LARGEFILE, mode);
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    NEXT(clock_gettime);
    int result = next(clock, now);
    if (!result && control && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        now->tv_sec += control->clock_seconds;
    return result;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    NEXT(gettimeofday);
    int result = next(now, zone);
    if (!result && control)
        now->tv_sec += control->clock_seconds;
    return result;
}

time_t time(time_t *out)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (out)
        *out = now.tv_sec;
    return now.tv_sec;
}
