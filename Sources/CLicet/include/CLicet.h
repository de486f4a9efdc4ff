/* What liblicet needs of libc, as one call each: Embedded Swift can't import macros, variadics and C11 atomics.
   Errors are -errno. Header only: nothing of it is exported. */
#pragma once
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "../../../include/licet.h"

#define CLICET static inline __attribute__((always_inline))

/* ---- memory */

CLICET void *clicet_allocate(size_t size) { return calloc(1, size); }
CLICET void *clicet_resize(void *memory, size_t size) { return realloc(memory, size); }
CLICET void clicet_free(void *memory) { free(memory); }

/* Pages of zeros that are there when they are touched; NULL: none. mmap(2) */
CLICET void *clicet_pages(size_t size) {
  void *base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return base == MAP_FAILED ? NULL : base;
}
/* A page that a forked child finds zeroed; NULL: none. madvise(2), MADV_WIPEONFORK */
CLICET void *clicet_wiped_page(size_t size) {
  void *base = clicet_pages(size);
  if (base != NULL && madvise(base, size, MADV_WIPEONFORK) != 0) {
    munmap(base, size);
    return NULL;
  }
  return base;
}
CLICET void clicet_unmap(void *base, size_t size) { munmap(base, size); }

/* ---- atomics */

CLICET uint64_t clicet_load_acquire(const uint64_t *word) { return __atomic_load_n(word, __ATOMIC_ACQUIRE); }
CLICET uint64_t clicet_load_relaxed(const uint64_t *word) { return __atomic_load_n(word, __ATOMIC_RELAXED); }
CLICET void clicet_store_release(uint64_t *word, uint64_t value) { __atomic_store_n(word, value, __ATOMIC_RELEASE); }
CLICET void clicet_store_relaxed(uint64_t *word, uint64_t value) { __atomic_store_n(word, value, __ATOMIC_RELAXED); }
/* Orders the loads before it before the loads behind it. */
CLICET void clicet_fence_acquire(void) { __atomic_thread_fence(__ATOMIC_ACQUIRE); }
CLICET uint32_t clicet_load32(const uint32_t *word) { return __atomic_load_n(word, __ATOMIC_ACQUIRE); }
CLICET void clicet_store32(uint32_t *word, uint32_t value) { __atomic_store_n(word, value, __ATOMIC_RELEASE); }
/* The value before. */
CLICET uint32_t clicet_add32(uint32_t *word, uint32_t value) { return __atomic_fetch_add(word, value, __ATOMIC_ACQ_REL); }
CLICET uint32_t clicet_subtract32(uint32_t *word, uint32_t value) {
  return __atomic_fetch_sub(word, value, __ATOMIC_ACQ_REL);
}

CLICET uint64_t clicet_exchange(uint64_t *word, uint64_t value) { return __atomic_exchange_n(word, value, __ATOMIC_SEQ_CST); }
CLICET uint64_t clicet_add(uint64_t *word, uint64_t value) { return __atomic_fetch_add(word, value, __ATOMIC_RELAXED); }
/* Whether the word was `expected` and is `value` now. */
CLICET int clicet_replace(uint64_t *word, uint64_t expected, uint64_t value) {
  return __atomic_compare_exchange_n(word, &expected, value, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}
/* Orders everything before it before everything behind it. */
CLICET void clicet_fence(void) { __atomic_thread_fence(__ATOMIC_SEQ_CST); }

/* A lock of one word, 0: free, 1: held, 2: held and waited for. futex(2) */
CLICET int clicet_try_lock(uint32_t *word) {
  uint32_t free_ = 0;
  return __atomic_compare_exchange_n(word, &free_, 1, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}
/* 0, or -ETIMEDOUT after so many milliseconds; a negative time: waits on. */
CLICET int clicet_lock(uint32_t *word, int64_t milliseconds) {
  struct timespec end, now, left;
  if (clicet_try_lock(word)) return 0;
  clock_gettime(CLOCK_MONOTONIC, &end);
  end.tv_sec += milliseconds / 1000;
  end.tv_nsec += milliseconds % 1000 * 1000000;
  while (__atomic_exchange_n(word, 2, __ATOMIC_ACQUIRE) != 0) {
    if (milliseconds >= 0) {
      clock_gettime(CLOCK_MONOTONIC, &now);
      int64_t wait = (end.tv_sec - now.tv_sec) * 1000000000LL + end.tv_nsec - now.tv_nsec;
      if (wait <= 0) return -ETIMEDOUT;
      left.tv_sec = wait / 1000000000LL;
      left.tv_nsec = wait % 1000000000LL;
    }
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, 2, milliseconds >= 0 ? &left : NULL, NULL, 0);
  }
  return 0;
}
CLICET void clicet_unlock(uint32_t *word) {
  if (__atomic_exchange_n(word, 0, __ATOMIC_RELEASE) == 2) syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

/* ---- time */

/* CLOCK_MONOTONIC_COARSE in nanoseconds: a few milliseconds old, without a system call. */
CLICET uint64_t clicet_coarse_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}
CLICET uint64_t clicet_monotonic_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}
/* CLOCK_BOOTTIME, which goes on while the machine sleeps; no system call either. */
CLICET uint64_t clicet_boot_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_BOOTTIME, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}
CLICET void clicet_wall_clock(int64_t *seconds, int32_t *nanoseconds) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME_COARSE, &now);
  *seconds = now.tv_sec;
  *nanoseconds = (int32_t)now.tv_nsec;
}
CLICET void clicet_sleep(int64_t milliseconds) {
  struct timespec wait = {milliseconds / 1000, milliseconds % 1000 * 1000000};
  nanosleep(&wait, NULL);
}

/* ---- files */

/* secure_getenv(3) */
CLICET const char *clicet_socket_variable(void) { return secure_getenv("LICET_SOCKET"); }

/* A file's bytes in pages of their own, so that nothing that happens to the file is felt. 0, or -errno; -EINVAL: no
   regular file or empty, -EFBIG: more than `maximum`. */
CLICET int clicet_read_file(const char *path, size_t maximum, void **pages, size_t *size) {
  int file, error = 0;
  struct stat status;
  size_t done = 0;
  do file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  while (file < 0 && errno == EINTR);
  if (file < 0) return -errno;
  if (fstat(file, &status) != 0) error = -errno;
  else if (S_ISDIR(status.st_mode)) error = -EISDIR;
  else if (!S_ISREG(status.st_mode) || status.st_size <= 0) error = -EINVAL;
  else if ((uint64_t)status.st_size > maximum) error = -EFBIG;
  if (error == 0) {
    *size = (size_t)status.st_size;
    *pages = clicet_pages(*size);
    if (*pages == NULL) error = -ENOMEM;
  }
  while (error == 0 && done < *size) {
    ssize_t got = read(file, (char *)*pages + done, *size - done);
    if (got < 0 && errno == EINTR) continue;
    /* Shorter than it said: the image's own size will not fit, and it is refused. */
    if (got == 0) break;
    if (got < 0) error = -errno;
    else done += (size_t)got;
  }
  if (error != 0 && *pages != NULL) {
    munmap(*pages, *size);
    *pages = NULL;
  }
  close(file);
  return error;
}

CLICET void clicet_error_text(int code, char *buffer, size_t size) {
  /* The GNU one, which never fails. */
  const char *text = strerror_r(code, buffer, size);
  if (text != buffer && size > 0) {
    strncpy(buffer, text, size - 1);
    buffer[size - 1] = 0;
  }
}

/* ---- the attach socket */

CLICET void clicet_close(int descriptor) { close(descriptor); }

/* SO_RCVTIMEO, so that one call waits and reads. setsockopt(2) */
CLICET int clicet_set_timeout(int connection, int64_t milliseconds) {
  struct timeval wait = {milliseconds / 1000, milliseconds % 1000 * 1000};
  /* 0 would be for ever. */
  if (milliseconds <= 0) wait.tv_usec = 1;
  if (setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait) != 0) return -errno;
  if (setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait) != 0) return -errno;
  return 0;
}

/* A SOCK_SEQPACKET connection, close-on-exec, whose calls wait so long at most, this one too; -errno. connect(2) */
CLICET int clicet_connect(const char *path, int64_t milliseconds) {
  struct sockaddr_un address;
  int connection;
  size_t length = strlen(path);
  if (length >= sizeof address.sun_path) return -ENAMETOOLONG;
  memset(&address, 0, sizeof address);
  address.sun_family = AF_UNIX;
  memcpy(address.sun_path, path, length + 1);
  uint64_t end = clicet_monotonic_now() + (uint64_t)milliseconds * 1000000u;
  connection = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  if (connection < 0) return -errno;
  int error = -clicet_set_timeout(connection, milliseconds);
  while (error == 0 && connect(connection, (struct sockaddr *)&address, sizeof address) != 0) {
    if (errno == EISCONN) break;
    if (errno != EINTR) error = errno;
    else if (clicet_monotonic_now() >= end) error = EAGAIN;
  }
  if (error == 0) return connection;
  close(connection);
  return -error;
}

/* Waits until something can be read; 1, 0 for a time-out, -errno. poll(2) */
CLICET int clicet_wait(int descriptor, int64_t milliseconds) {
  struct pollfd one = {descriptor, POLLIN, 0};
  uint64_t end = clicet_monotonic_now() + (uint64_t)milliseconds * 1000000u;
  for (;;) {
    int ready = poll(&one, 1, (int)milliseconds);
    if (ready >= 0) return ready;
    if (errno != EINTR) return -errno;
    uint64_t now = clicet_monotonic_now();
    milliseconds = now >= end ? 0 : (int64_t)((end - now) / 1000000u);
  }
}

/* One message, with at most one descriptor (-1: none); -errno. sendmsg(2) */
CLICET intptr_t clicet_send(int connection, const void *bytes, size_t count, int descriptor, int64_t milliseconds) {
  struct iovec part = {(void *)bytes, count};
  union {
    struct cmsghdr header;
    char space[CMSG_SPACE(sizeof(int))];
  } control;
  struct msghdr message;
  ssize_t sent;
  memset(&message, 0, sizeof message);
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (descriptor >= 0) {
    memset(&control, 0, sizeof control);
    message.msg_control = &control;
    message.msg_controllen = sizeof control;
    control.header.cmsg_level = SOL_SOCKET;
    control.header.cmsg_type = SCM_RIGHTS;
    control.header.cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(&control.header), &descriptor, sizeof descriptor);
  }
  /* A packet is sent whole or not at all; signals must not make the waiting longer. */
  sent = sendmsg(connection, &message, MSG_NOSIGNAL);
  if (sent < 0 && errno == EINTR) {
    uint64_t end = clicet_monotonic_now() + (uint64_t)milliseconds * 1000000u;
    do sent = sendmsg(connection, &message, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR && clicet_monotonic_now() < end);
  }
  return sent < 0 ? (errno == EINTR ? -EAGAIN : -errno) : sent;
}

/* A packet that may get lost: nobody waits. */
CLICET int clicet_tell(int connection, const void *bytes, size_t count) {
  return send(connection, bytes, count, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -errno : 0;
}

#define CLICET_DESCRIPTORS 4
/* One message and its descriptors (the rest of `descriptors` is -1); 0: the peer is gone; -errno, -EAGAIN: none within
   the time-out, however many signals come; -EMSGSIZE: it did not fit, or somebody took descriptors out; -EMFILE: there was
   no room for them. Then nothing of it stays open. recvmsg(2) */
CLICET intptr_t clicet_receive(
    int connection, void *bytes, size_t count, int descriptors[CLICET_DESCRIPTORS], int64_t milliseconds) {
  struct iovec part = {bytes, count};
  union {
    struct cmsghdr header;
    char space[CMSG_SPACE(CLICET_DESCRIPTORS * sizeof(int))];
  } control;
  struct msghdr message;
  struct cmsghdr *one;
  ssize_t got;
  int found = 0, i;
  for (i = 0; i < CLICET_DESCRIPTORS; i++) descriptors[i] = -1;
  memset(&message, 0, sizeof message);
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = &control;
  message.msg_controllen = sizeof control;
  got = recvmsg(connection, &message, MSG_CMSG_CLOEXEC);
  if (got < 0 && errno == EINTR) {
    uint64_t end = clicet_monotonic_now() + (uint64_t)milliseconds * 1000000u;
    do {
      uint64_t now = clicet_monotonic_now();
      int ready = clicet_wait(connection, now >= end ? 0 : (int64_t)((end - now + 999999u) / 1000000u));
      if (ready <= 0) return ready < 0 ? ready : -EAGAIN;
      got = recvmsg(connection, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    } while (got < 0 && (errno == EINTR || errno == EAGAIN));
  }
  if (got < 0) return -errno;
  for (one = CMSG_FIRSTHDR(&message); one != NULL; one = CMSG_NXTHDR(&message, one)) {
    int inside, fd;
    if (one->cmsg_level != SOL_SOCKET || one->cmsg_type != SCM_RIGHTS) continue;
    inside = (int)((one->cmsg_len - CMSG_LEN(0)) / sizeof(int));
    for (i = 0; i < inside; i++) {
      memcpy(&fd, CMSG_DATA(one) + (size_t)i * sizeof fd, sizeof fd);
      if (found < CLICET_DESCRIPTORS) descriptors[found++] = fd;
      else close(fd);
    }
  }
  if (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) {
    for (i = 0; i < found; i++) {
      close(descriptors[i]);
      descriptors[i] = -1;
    }
    /* The kernel says the same for a full table as for a security module's no. */
    i = message.msg_flags & MSG_CTRUNC ? fcntl(connection, F_DUPFD_CLOEXEC, 0) : 0;
    if (i < 0 && (errno == EMFILE || errno == ENFILE)) return -EMFILE;
    if (i > 0) close(i);
    return -EMSGSIZE;
  }
  return got;
}

/* Maps sealed memory to read: -EINVAL unless it can neither shrink nor grow and nobody can write it (`is_state`: the page
   that licetd writes, and after a restart the next one, so it is not sealed against writing), -EFBIG above `maximum`. */
CLICET int clicet_map_sealed(int descriptor, int is_state, size_t maximum, void **base, size_t *size) {
  int wanted = F_SEAL_SHRINK | F_SEAL_GROW | (is_state ? 0 : F_SEAL_WRITE);
  int seals = fcntl(descriptor, F_GET_SEALS);
  struct stat status;
  if (seals < 0) return -errno;
  if ((seals & wanted) != wanted) return -EINVAL;
  if (fstat(descriptor, &status) != 0) return -errno;
  if (status.st_size <= 0) return -EINVAL;
  if ((uint64_t)status.st_size > maximum) return -EFBIG;
  *size = (size_t)status.st_size;
  *base = mmap(NULL, *size, PROT_READ, is_state ? MAP_SHARED : MAP_PRIVATE, descriptor, 0);
  if (*base == MAP_FAILED) {
    *base = NULL;
    return -errno;
  }
  return 0;
}

/* Maps memory that both sides write, `size` bytes, whose last `ring` bytes are there a second time behind them, so that what
   goes over their end needn't be cut. -EINVAL unless it is of this size and can neither shrink nor grow. */
CLICET int clicet_map_ring(int descriptor, size_t size, size_t ring, void **base) {
  int seals = fcntl(descriptor, F_GET_SEALS);
  struct stat status;
  char *space;
  *base = NULL;
  if (seals < 0) return -errno;
  if ((seals & (F_SEAL_SHRINK | F_SEAL_GROW)) != (F_SEAL_SHRINK | F_SEAL_GROW)) return -EINVAL;
  if (fstat(descriptor, &status) != 0) return -errno;
  if (status.st_size < 0 || (uint64_t)status.st_size != size) return -EINVAL;
  space = mmap(NULL, size + ring, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (space == MAP_FAILED) return -errno;
  if (mmap(space, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, descriptor, 0) == MAP_FAILED ||
      mmap(space + size, ring, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, descriptor, (off_t)(size - ring)) == MAP_FAILED) {
    int error = errno;
    munmap(space, size + ring);
    return -error;
  }
  *base = space;
  return 0;
}

/* Sealed memory with these bytes, to pass on; -errno. memfd_create(2) */
CLICET int clicet_sealed_copy(const void *bytes, size_t count) {
  size_t done = 0;
  int memory = memfd_create("licet-message", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (memory < 0) return -errno;
  while (done < count) {
    ssize_t put = write(memory, (const char *)bytes + done, count - done);
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) {
      int error = put < 0 ? errno : ENOSPC;
      close(memory);
      return -error;
    }
    done += (size_t)put;
  }
  if (fcntl(memory, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) != 0) {
    int error = errno;
    close(memory);
    return -error;
  }
  return memory;
}

CLICET intptr_t clicet_length(const char *text) { return (intptr_t)strlen(text); }
