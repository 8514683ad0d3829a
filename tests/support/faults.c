/* Preloaded into a program (LD_PRELOAD), for tests of what strikes one rank at one place:
 *   XLRM_FAULT_RANK=N          the rank that is struck (default: all)
 *   XLRM_FAULT_FULL=PART       writing to a file whose path has PART in it fails: no space is left
 *   XLRM_FAULT_READ=PART       reading of such a file fails: input/output error
 *   XLRM_FAULT_MEMORY=PART     once such a file was opened, memory is short: requests of XLRM_FAULT_BYTES or more (default 64 KiB) fail
 *   XLRM_FAULT_THREADS=1       MPI grants no more than MPI_THREAD_FUNNELED
 *   XLRM_FAULT_ALLGATHER=1     MPI_Allgather fails at once, and the other ranks wait in theirs */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <mpi.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

enum { kFiles = 4096, kFull = 1, kUnreadable = 2 };
static unsigned char marks[kFiles];
static volatile int short_of_memory = 0;

extern void* __libc_malloc(size_t);
extern void* __libc_calloc(size_t, size_t);
extern void* __libc_realloc(void*, size_t);
extern void* __libc_memalign(size_t, size_t);

static int struck(void) {
    const char* wanted = getenv("XLRM_FAULT_RANK");
    const char* rank = getenv("OMPI_COMM_WORLD_RANK");
    return wanted == NULL || strcmp(wanted, rank == NULL ? "0" : rank) == 0;
}

static int names(const char* variable, const char* path) {
    const char* part = getenv(variable);
    return part != NULL && path != NULL && strstr(path, part) != NULL && struck();
}

/* Of a file that was just opened. */
static int opened(int fd, const char* path, int writing) {
    if (fd < 0 || fd >= kFiles) return fd;
    marks[fd] = 0;
    if (writing && names("XLRM_FAULT_FULL", path)) marks[fd] |= kFull;
    if (names("XLRM_FAULT_READ", path)) marks[fd] |= kUnreadable;
    if (names("XLRM_FAULT_MEMORY", path)) short_of_memory = 1;
    return fd;
}

static int is_marked(int fd, int mark) { return fd >= 0 && fd < kFiles && (marks[fd] & mark) != 0; }

#define NEXT(name) static __typeof__(&name) next; if (next == NULL) next = (__typeof__(&name))dlsym(RTLD_NEXT, #name)
#define MODE(flags) mode_t mode = 0; if ((flags) & O_CREAT) { va_list list; va_start(list, flags); mode = va_arg(list, mode_t); va_end(list); }
#define WRITES(flags) (((flags) & O_ACCMODE) != O_RDONLY)

int open(const char* path, int flags, ...) { MODE(flags) NEXT(open); return opened(next(path, flags, mode), path, WRITES(flags)); }
int open64(const char* path, int flags, ...) { MODE(flags) NEXT(open64); return opened(next(path, flags, mode), path, WRITES(flags)); }
FILE* fopen(const char* path, const char* how) {
    NEXT(fopen);
    FILE* file = next(path, how);
    if (file != NULL) opened(fileno(file), path, how[0] != 'r');
    return file;
}
FILE* fopen64(const char* path, const char* how) {
    NEXT(fopen64);
    FILE* file = next(path, how);
    if (file != NULL) opened(fileno(file), path, how[0] != 'r');
    return file;
}
int close(int fd) {
    NEXT(close);
    if (fd >= 0 && fd < kFiles) marks[fd] = 0;
    return next(fd);
}

#define FAIL_IF_MARKED(mark, code) if (is_marked(fd, mark)) { errno = code; return -1; }
ssize_t write(int fd, const void* bytes, size_t size) { NEXT(write); FAIL_IF_MARKED(kFull, ENOSPC) return next(fd, bytes, size); }
ssize_t writev(int fd, const struct iovec* parts, int count) { NEXT(writev); FAIL_IF_MARKED(kFull, ENOSPC) return next(fd, parts, count); }
ssize_t pwrite(int fd, const void* bytes, size_t size, off_t at) { NEXT(pwrite); FAIL_IF_MARKED(kFull, ENOSPC) return next(fd, bytes, size, at); }
ssize_t pwrite64(int fd, const void* bytes, size_t size, off64_t at) { NEXT(pwrite64); FAIL_IF_MARKED(kFull, ENOSPC) return next(fd, bytes, size, at); }
ssize_t read(int fd, void* bytes, size_t size) { NEXT(read); FAIL_IF_MARKED(kUnreadable, EIO) return next(fd, bytes, size); }
ssize_t pread(int fd, void* bytes, size_t size, off_t at) { NEXT(pread); FAIL_IF_MARKED(kUnreadable, EIO) return next(fd, bytes, size, at); }

static int refused(size_t size) {
    static size_t least = 0;
    if (!short_of_memory) return 0;
    if (least == 0) {
        const char* text = getenv("XLRM_FAULT_BYTES");
        least = text == NULL ? 65536 : (size_t)atol(text);
    }
    if (size < least) return 0;
    errno = ENOMEM;
    return 1;
}

void* malloc(size_t size) { return refused(size) ? NULL : __libc_malloc(size); }
void* calloc(size_t count, size_t size) { return refused(count * size) ? NULL : __libc_calloc(count, size); }
void* realloc(void* old, size_t size) { return refused(size) ? NULL : __libc_realloc(old, size); }
void* aligned_alloc(size_t alignment, size_t size) { return refused(size) ? NULL : __libc_memalign(alignment, size); }
int posix_memalign(void** out, size_t alignment, size_t size) {
    if (refused(size)) return ENOMEM;
    *out = __libc_memalign(alignment, size);
    return *out == NULL ? ENOMEM : 0;
}

void* mmap(void* at, size_t size, int access, int flags, int fd, off_t offset) {
    NEXT(mmap);
    return (flags & MAP_ANONYMOUS) != 0 && refused(size) ? MAP_FAILED : next(at, size, access, flags, fd, offset);
}
void* mmap64(void* at, size_t size, int access, int flags, int fd, off64_t offset) {
    NEXT(mmap64);
    return (flags & MAP_ANONYMOUS) != 0 && refused(size) ? MAP_FAILED : next(at, size, access, flags, fd, offset);
}

int MPI_Init_thread(int* argc, char*** argv, int required, int* provided) {
    const int low = getenv("XLRM_FAULT_THREADS") != NULL && required > MPI_THREAD_FUNNELED;
    return PMPI_Init_thread(argc, argv, low ? MPI_THREAD_FUNNELED : required, provided);
}
int MPI_Allgather(const void* mine, int count, MPI_Datatype type, void* all, int each, MPI_Datatype as, MPI_Comm comm) {
    if (getenv("XLRM_FAULT_ALLGATHER") != NULL && struck()) return MPI_ERR_OTHER;
    return PMPI_Allgather(mine, count, type, all, each, as, comm);
}
