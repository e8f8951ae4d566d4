// A disk that breaks: preloaded, it makes one file fail as failing hardware does.
//
//   BROKEN_FILE   the file's path
//   BROKEN_AT     which opening of it fails, from 1
//   BROKEN_HOW    "read": EIO in the middle of it; "open": EACCES
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static atomic_int openings;
static atomic_int broken_fd = -1;

static int is_meant(const char *path) {
    const char *meant = getenv("BROKEN_FILE");
    char real[PATH_MAX];
    return meant && realpath(path, real) && strcmp(real, meant) == 0;
}

static int how(const char *what) {
    const char *said = getenv("BROKEN_HOW");
    return said && strcmp(said, what) == 0;
}

int open64(const char *path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    mode_t mode = va_arg(rest, mode_t);
    va_end(rest);
    int (*real)(const char *, int, ...) = (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, "open64");
    const char *at = getenv("BROKEN_AT");
    int broken = is_meant(path) && atomic_fetch_add(&openings, 1) + 1 == atoi(at ? at : "1");
    if (broken && how("open")) {
        errno = EACCES;
        return -1;
    }
    int fd = real(path, flags, mode);
    if (broken) atomic_store(&broken_fd, fd);
    return fd;
}

// Another file may get the number.
int close(int fd) {
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "close");
    if (fd >= 0 && fd == atomic_load(&broken_fd)) atomic_store(&broken_fd, -1);
    return real(fd);
}

ssize_t pread64(int fd, void *buffer, size_t count, off64_t offset) {
    ssize_t (*real)(int, void *, size_t, off64_t) =
        (ssize_t (*)(int, void *, size_t, off64_t))dlsym(RTLD_NEXT, "pread64");
    if (fd >= 0 && fd == atomic_load(&broken_fd) && offset + (off64_t)count > 1024 * 1024) {
        errno = EIO;
        return -1;
    }
    return real(fd, buffer, count, offset);
}

ssize_t read(int fd, void *buffer, size_t count) {
    ssize_t (*real)(int, void *, size_t) = (ssize_t (*)(int, void *, size_t))dlsym(RTLD_NEXT, "read");
    if (fd >= 0 && fd == atomic_load(&broken_fd) && lseek(fd, 0, SEEK_CUR) > 0) {
        errno = EIO;
        return -1;
    }
    return real(fd, buffer, count);
}
