/* Loaded into redis-server alone (LD_PRELOAD) so that a test decides what time it is.
 *
 * The file named by REDIS_CLOCK_FILE holds one 64-bit number, microseconds since the epoch. Whoever writes it moves
 * the wall clock of the server; the monotonic clock keeps running. No allocation and no dlsym, because the
 * server's allocator reads the clock while it starts. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const uint64_t *cell;

__attribute__((constructor)) static void map_cell(void) {
    const char *path = getenv("REDIS_CLOCK_FILE");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) _exit(97);
    void *page = mmap(NULL, sizeof *cell, PROT_READ, MAP_SHARED, file, 0);
    if (page == MAP_FAILED) _exit(98);
    cell = page;
}

int clock_gettime(clockid_t clock, struct timespec *out) {
    if (clock != CLOCK_REALTIME || !cell) return (int)syscall(SYS_clock_gettime, clock, out);
    uint64_t now_us = __atomic_load_n(cell, __ATOMIC_ACQUIRE);
    out->tv_sec = (time_t)(now_us / 1000000);
    out->tv_nsec = (long)(now_us % 1000000) * 1000;
    return 0;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone) {
    struct timespec now;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    out->tv_sec = now.tv_sec;
    out->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *out) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (out) *out = now.tv_sec;
    return now.tv_sec;
}
