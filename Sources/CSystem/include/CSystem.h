/* What Swift can't import from libc, libseccomp and libgcrypt: macros, variadics, flexible layouts. Thin: one call each,
   errors as -errno. */
#pragma once
#include <stddef.h>
#include <stdint.h>

/* syncfs(2). */
int licet_syncfs(int descriptor);

/* memfd_create(2) with MFD_ALLOW_SEALING and MFD_CLOEXEC. */
int licet_memfd(const char *name);
/* fcntl(2) F_ADD_SEALS: SHRINK, GROW, WRITE, SEAL. */
int licet_seal(int fd);
/* 1: SHRINK, GROW and WRITE are sealed; 0: not; negative: an error. */
int licet_is_sealed(int fd);

int licet_epoll_create(void);
/* epoll_ctl(2): op 1 add, 2 delete, 3 modify; interest: bit 0 readable, bit 1 writable. */
int licet_epoll_control(int epoll, int op, int fd, int interest);
struct licet_ready {
  int fd;
  int interest;
};
/* epoll_wait(2); errors and hang-ups count as readable and writable. */
int licet_epoll_wait(int epoll, struct licet_ready *ready, int count, int milliseconds);
int licet_eventfd(void);
/* pthread_setname_np(3), of the calling thread. */
int licet_name_thread(const char *name);

/* Blocks the signals in the calling thread and returns a signalfd(2) for them. */
int licet_signalfd(const int *signals, int count);
/* The next signal's number, or -EAGAIN. */
int licet_read_signal(int fd);

int licet_socketpair(int pair[2]);
int licet_connect(const char *path);
/* sendmsg(2) with SCM_RIGHTS, MSG_NOSIGNAL and MSG_DONTWAIT. */
intptr_t licet_send(int fd, const void *bytes, size_t count, const int *descriptors, int descriptor_count);
/* recvmsg(2) with MSG_CMSG_CLOEXEC and MSG_DONTWAIT; truncation of either part is -EMSGSIZE, and then nothing stays open. */
intptr_t licet_receive(int fd, void *bytes, size_t count, int *descriptors, int *descriptor_count);
/* SO_PEERCRED. */
int licet_peer(int fd, uint32_t *pid, uint32_t *uid, uint32_t *gid);

/* fork(2) for a process with one thread. */
int licet_fork(void);
/* fork, descriptors put at 3, 4, …, all others but 0 to 2 closed, execv. Signal mask emptied, parent's death is SIGTERM. Returns the pid. */
int licet_spawn(const char *path, char *const *arguments, const int *descriptors, int descriptor_count);
/* Closes everything but these and 0 to 2. */
int licet_close_others(const int *keep, int count);
int licet_pidfd(int pid);
/* waitid(2) without hanging: 1 it has ended (status as of wait(2)), 0 not yet. */
int licet_reap(int pid, int *status);
int licet_die_with_parent(int signal);
int licet_limit(int what, uint64_t value);
enum { LICET_LIMIT_CPU, LICET_LIMIT_MEMORY, LICET_LIMIT_FILES, LICET_LIMIT_CORE, LICET_LIMIT_PROCESSES };

/* profile 0: parent, 1: child. files: opening a file to read is possible, as far as Landlock lets it; else it is EACCES. */
int licet_sandbox_seccomp(int profile, int files);
/* No file system but time zones, read only, where the kernel has Landlock: the ABI's version, or negative. */
int licet_sandbox_landlock(void);
int licet_no_new_privileges(void);

int licet_sha256(const void *bytes, size_t count, unsigned char digest[32]);

int licet_notify(const char *state);
/* Microseconds, 0: no watchdog. */
uint64_t licet_watchdog(void);
int licet_unit(int pid, char *name, size_t size);

/* A listening SOCK_SEQPACKET socket at `path` that everybody may connect to; -EADDRINUSE: somebody listens there. What
   nobody listens at any more is replaced, in one step. */
int licet_listen(const char *path);
/* accept4(2), not blocking, close-on-exec; -EAGAIN: nobody waits. */
int licet_accept(int fd);
/* SO_PEERGROUPS: the peer's groups when it connected; `count` is the room, then how many there are. -ERANGE: more. */
int licet_peer_groups(int fd, uint32_t *groups, int *count);
/* SO_PEERSEC: the peer's label when it connected, ending with a zero; negative: none. */
int licet_peer_label(int fd, char *label, size_t size);
/* A second open file of the same memory, to read alone: open(2) of /proc/self/fd. */
int licet_reopen_to_read(int fd);

/* Memory that is shared as it changes: `size` bytes of zeros of mode 0600, that can neither shrink nor grow. */
int licet_shared_memory(const char *name, size_t size);
/* Whether `fd` is such memory, of this size: 0, or -EINVAL. */
int licet_is_shared_memory(int fd, size_t size);
/* mmap(2), shared, to write; NULL: errno says why. */
void *licet_map_shared(int fd, size_t size);

static inline void licet_store_release(uint64_t *word, uint64_t value) { __atomic_store_n(word, value, __ATOMIC_RELEASE); }
static inline uint64_t licet_load_acquire(const uint64_t *word) { return __atomic_load_n(word, __ATOMIC_ACQUIRE); }

/* sd_pid_notify_with_fds(3): the manager keeps the descriptor under this name, in place of one that it had. */
int licet_store_descriptor(const char *name, int fd);
/* sd_listen_fds_with_names(3): how many descriptors the manager passed on, from 3 on, and their names, each ending with a zero. */
int licet_listen_names(char *names, size_t size);

/* recvmsg(2) as licet_receive, with at most one descriptor, -1 if none came; more are dropped. NULL: none is taken at all. */
intptr_t licet_receive_one(int fd, void *bytes, size_t count, int *descriptor);
/* Whether a descriptor is of memory, whose close(2) never blocks. */
int licet_is_memory(int fd);
/* pipe2(2), close-on-exec: reading end, writing end. */
int licet_pipe(int ends[2]);
