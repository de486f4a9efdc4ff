#define _GNU_SOURCE
#include "CSystem.h"

#include <errno.h>
#include <fcntl.h>
#include <gcrypt.h>
#include <linux/landlock.h>
#include <pthread.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-login.h>
#include <unistd.h>

static int result(long value) { return value < 0 ? -errno : (int)value; }

int licet_syncfs(int descriptor) { return result(syncfs(descriptor)); }

int licet_memfd(const char *name) { return result(memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING)); }
int licet_seal(int fd) { return result(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL)); }

int licet_is_sealed(int fd) {
  int wanted = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE, seals = fcntl(fd, F_GET_SEALS);
  return seals < 0 ? -errno : (seals & wanted) == wanted;
}

int licet_epoll_create(void) { return result(epoll_create1(EPOLL_CLOEXEC)); }

int licet_epoll_control(int epoll, int op, int fd, int interest) {
  struct epoll_event event = {.events = (interest & 1 ? EPOLLIN : 0) | (interest & 2 ? EPOLLOUT : 0), .data.fd = fd};
  return result(epoll_ctl(epoll, op == 1 ? EPOLL_CTL_ADD : op == 2 ? EPOLL_CTL_DEL : EPOLL_CTL_MOD, fd, &event));
}

int licet_epoll_wait(int epoll, struct licet_ready *ready, int count, int milliseconds) {
  struct epoll_event events[64];
  int n = epoll_wait(epoll, events, count < 64 ? count : 64, milliseconds);
  for (int i = 0; i < n; i++) {
    int failed = events[i].events & (EPOLLERR | EPOLLHUP) ? 3 : 0;
    ready[i].fd = events[i].data.fd;
    ready[i].interest = failed | (events[i].events & EPOLLIN ? 1 : 0) | (events[i].events & EPOLLOUT ? 2 : 0);
  }
  return n < 0 ? -errno : n;
}

int licet_name_thread(const char *name) { return -pthread_setname_np(pthread_self(), name); }
int licet_eventfd(void) { return result(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)); }

int licet_signalfd(const int *signals, int count) {
  sigset_t set;
  sigemptyset(&set);
  for (int i = 0; i < count; i++) sigaddset(&set, signals[i]);
  int failed = pthread_sigmask(SIG_BLOCK, &set, NULL);
  return failed ? -failed : result(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
}

int licet_read_signal(int fd) {
  struct signalfd_siginfo info;
  ssize_t n = read(fd, &info, sizeof info);
  return n < 0 ? -errno : n == sizeof info ? (int)info.ssi_signo : -EIO;
}

int licet_socketpair(int pair[2]) { return result(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair)); }

int licet_connect(const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof address.sun_path) return -ENAMETOOLONG;
  strcpy(address.sun_path, path);
  int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -errno;
  if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0) {
    int failed = errno;
    close(fd);
    return -failed;
  }
  return fd;
}

enum { most_descriptors = 8 };

intptr_t licet_send(int fd, const void *bytes, size_t count, const int *descriptors, int descriptor_count) {
  union {
    struct cmsghdr header;
    char space[CMSG_SPACE(sizeof(int) * most_descriptors)];
  } control;
  struct iovec part = {(void *)bytes, count};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
  if (descriptor_count > most_descriptors) return -EINVAL;
  if (descriptor_count > 0) {
    memset(&control, 0, sizeof control);
    message.msg_control = &control;
    message.msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)descriptor_count);
    struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof(int) * (size_t)descriptor_count);
    memcpy(CMSG_DATA(rights), descriptors, sizeof(int) * (size_t)descriptor_count);
  }
  ssize_t n;
  do n = sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  while (n < 0 && errno == EINTR);
  return n < 0 ? -errno : n;
}

intptr_t licet_receive(int fd, void *bytes, size_t count, int *descriptors, int *descriptor_count) {
  union {
    struct cmsghdr header;
    char space[CMSG_SPACE(sizeof(int) * most_descriptors)];
  } control;
  struct iovec part = {bytes, count};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  int room = *descriptor_count, got = 0;
  *descriptor_count = 0;
  ssize_t n;
  do n = recvmsg(fd, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  while (n < 0 && errno == EINTR);
  if (n < 0) return -errno;
  for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
    int many = (int)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int)), one;
    for (int i = 0; i < many; i++) {
      memcpy(&one, CMSG_DATA(c) + sizeof(int) * (size_t)i, sizeof one);
      if (got < room) descriptors[got++] = one;
      else close(one), message.msg_flags |= MSG_CTRUNC;
    }
  }
  if (message.msg_flags & (MSG_CTRUNC | MSG_TRUNC)) {
    for (int i = 0; i < got; i++) close(descriptors[i]);
    return -EMSGSIZE;
  }
  *descriptor_count = got;
  return n;
}

intptr_t licet_receive_one(int fd, void *bytes, size_t count, int *descriptor) {
  union {
    struct cmsghdr header;
    char space[CMSG_SPACE(sizeof(int))];
  } control;
  struct iovec part = {bytes, count};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
  /* Without room the kernel drops what comes: it was never open here, and needs no close(2), which may block. */
  /* Not CMSG_SPACE: its padding is room for a second one. */
  if (descriptor) message.msg_control = &control, message.msg_controllen = CMSG_LEN(sizeof(int)), *descriptor = -1;
  ssize_t n;
  do n = recvmsg(fd, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  while (n < 0 && errno == EINTR);
  if (n < 0) return -errno;
  struct cmsghdr *c = CMSG_FIRSTHDR(&message);
  if (descriptor && c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS && c->cmsg_len >= CMSG_LEN(sizeof(int)))
    memcpy(descriptor, CMSG_DATA(c), sizeof *descriptor);
  return message.msg_flags & MSG_TRUNC ? -EMSGSIZE : n;
}

int licet_pipe(int ends[2]) { return result(pipe2(ends, O_CLOEXEC)); }

int licet_is_memory(int fd) { return fcntl(fd, F_GET_SEALS) >= 0; }

int licet_peer(int fd, uint32_t *pid, uint32_t *uid, uint32_t *gid) {
  struct ucred peer;
  socklen_t size = sizeof peer;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0) return -errno;
  *pid = (uint32_t)peer.pid, *uid = peer.uid, *gid = peer.gid;
  return 0;
}

int licet_fork(void) { return result(fork()); }

int licet_close_others(const int *keep, int count) {
  int from = 3;
  for (;;) {
    int next = -1;
    for (int i = 0; i < count; i++)
      if (keep[i] >= from && (next < 0 || keep[i] < next)) next = keep[i];
    if (next < 0) return result(close_range((unsigned)from, ~0u, 0));
    if (next > from && close_range((unsigned)from, (unsigned)next - 1, 0) < 0) return -errno;
    from = next + 1;
  }
}

int licet_spawn(const char *path, char *const *arguments, const int *descriptors, int descriptor_count) {
  if (descriptor_count > most_descriptors) return -EINVAL;
  pid_t parent = getpid();
  int pid = fork();
  if (pid != 0) return pid < 0 ? -errno : pid;
  /* Only calls that are safe after a fork of a process with threads. */
  int high[most_descriptors];
  for (int i = 0; i < descriptor_count; i++) high[i] = fcntl(descriptors[i], F_DUPFD, 3 + most_descriptors);
  for (int i = 0; i < descriptor_count; i++)
    if (high[i] < 0 || dup2(high[i], 3 + i) < 0) _exit(127);
  close_range((unsigned)(3 + descriptor_count), ~0u, 0);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  signal(SIGPIPE, SIG_DFL);
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent) _exit(127);
  execv(path, arguments);
  _exit(127);
}

int licet_pidfd(int pid) { return result(syscall(SYS_pidfd_open, pid, 0)); }

int licet_reap(int pid, int *status) {
  int n = waitpid(pid, status, WNOHANG);
  return n < 0 ? -errno : n > 0;
}

int licet_die_with_parent(int signal) { return result(prctl(PR_SET_PDEATHSIG, signal)); }

int licet_limit(int what, uint64_t value) {
  static const int kinds[] = {RLIMIT_CPU, RLIMIT_AS, RLIMIT_NOFILE, RLIMIT_CORE, RLIMIT_NPROC};
  struct rlimit limit = {value, value};
  return result(setrlimit(kinds[what], &limit));
}

int licet_no_new_privileges(void) {
  prctl(PR_SET_DUMPABLE, 0);
  return result(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
}

int licet_sandbox_landlock(void) {
  struct landlock_ruleset_attr nothing = {.handled_access_fs = (1ull << 13) - 1};
  long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
  if (version < 0) return -errno;
  long rules = syscall(SYS_landlock_create_ruleset, &nothing, sizeof nothing, 0);
  if (rules < 0) return -errno;
  /* Conditions name time zones; without this folder they are errors of the policy. */
  int zones = open("/usr/share/zoneinfo", O_PATH | O_CLOEXEC);
  if (zones >= 0) {
    struct landlock_path_beneath_attr read_only = {.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE, .parent_fd = zones};
    syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &read_only, 0);
    close(zones);
  }
  long failed = syscall(SYS_landlock_restrict_self, rules, 0);
  int error = errno;
  close((int)rules);
  return failed < 0 ? -error : (int)version;
}

/* What a Swift process needs to compute, to wait, and to answer on descriptors that it has. */
static const int child_calls[] = {
    SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(close), SCMP_SYS(fstat), SCMP_SYS(newfstatat), SCMP_SYS(lseek), SCMP_SYS(munmap), SCMP_SYS(mremap),
    SCMP_SYS(brk), SCMP_SYS(madvise), SCMP_SYS(futex), SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigaction),
    SCMP_SYS(sigaltstack), SCMP_SYS(getrandom), SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday), SCMP_SYS(exit), SCMP_SYS(exit_group),
    SCMP_SYS(sched_yield), SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(tgkill), SCMP_SYS(sendmsg), SCMP_SYS(ftruncate), SCMP_SYS(memfd_create),
    SCMP_SYS(fcntl), SCMP_SYS(restart_syscall), SCMP_SYS(prctl), SCMP_SYS(membarrier), SCMP_SYS(rseq), SCMP_SYS(pwrite64),
};
static const int parent_calls[] = {
    SCMP_SYS(clone), SCMP_SYS(clone3), SCMP_SYS(fork), SCMP_SYS(vfork), SCMP_SYS(wait4), SCMP_SYS(waitid), SCMP_SYS(kill), SCMP_SYS(recvmsg),
    SCMP_SYS(accept4), SCMP_SYS(accept), SCMP_SYS(getsockopt), SCMP_SYS(epoll_create1), SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_wait),
    SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_pwait2), SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(eventfd2), SCMP_SYS(signalfd4), SCMP_SYS(timerfd_create),
    SCMP_SYS(timerfd_settime), SCMP_SYS(close_range), SCMP_SYS(setrlimit), SCMP_SYS(prlimit64), SCMP_SYS(setpgid), SCMP_SYS(set_robust_list),
    SCMP_SYS(set_tid_address), SCMP_SYS(getppid), SCMP_SYS(seccomp), SCMP_SYS(pidfd_open), SCMP_SYS(pidfd_send_signal), SCMP_SYS(dup), SCMP_SYS(dup3),
    SCMP_SYS(socketpair), SCMP_SYS(sendto), SCMP_SYS(sched_getaffinity),
};

int licet_sandbox_seccomp(int profile, int files) {
  scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
  if (!filter) return -ENOMEM;
  int failed = 0;
  for (size_t i = 0; !failed && i < sizeof child_calls / sizeof *child_calls; i++) failed = seccomp_rule_add(filter, SCMP_ACT_ALLOW, child_calls[i], 0);
  /* Memory that can be written and run is never made. */
  int wx[] = {SCMP_SYS(mmap), SCMP_SYS(mprotect)};
  for (size_t i = 0; !failed && i < 2; i++) failed = seccomp_rule_add(filter, SCMP_ACT_ALLOW, wx[i], 1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
  for (size_t i = 0; profile == 0 && !failed && i < sizeof parent_calls / sizeof *parent_calls; i++)
    failed = seccomp_rule_add(filter, SCMP_ACT_ALLOW, parent_calls[i], 0);
  /* Opening a file to read is refused, or left to Landlock; to write, it ends the process. */
  if (!failed)
    failed = seccomp_rule_add(
        filter, files ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(EACCES), SCMP_SYS(openat), 1,
        SCMP_A2(SCMP_CMP_MASKED_EQ, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY));
  if (!failed) failed = seccomp_load(filter);
  seccomp_release(filter);
  return failed;
}

int licet_sha256(const void *bytes, size_t count, unsigned char digest[32]) {
  if (!gcry_control(GCRYCTL_INITIALIZATION_FINISHED_P)) {
    gcry_check_version(NULL);
    gcry_control(GCRYCTL_DISABLE_SECMEM, 0);
    gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0);
  }
  gcry_md_hash_buffer(GCRY_MD_SHA256, digest, bytes, count);
  return 0;
}

int licet_notify(const char *state) { return sd_notify(0, state); }

uint64_t licet_watchdog(void) {
  uint64_t microseconds = 0;
  return sd_watchdog_enabled(0, &microseconds) > 0 ? microseconds : 0;
}

int licet_unit(int pid, char *name, size_t size) {
  char *unit = NULL;
  int failed = sd_pid_get_unit(pid, &unit);
  if (failed < 0) return failed;
  int fits = strlen(unit) < size;
  if (fits) strcpy(name, unit);
  free(unit);
  return fits ? 0 : -ENAMETOOLONG;
}

/* ---- the attach socket and the state page */

static int unix_socket(const char *path, struct sockaddr_un *address) {
  size_t length = strlen(path);
  if (length >= sizeof address->sun_path) return -ENAMETOOLONG;
  memset(address, 0, sizeof *address);
  address->sun_family = AF_UNIX;
  memcpy(address->sun_path, path, length + 1);
  return result(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

int licet_listen(const char *path) {
  struct sockaddr_un address;
  char other[sizeof address.sun_path];
  int probe = unix_socket(path, &address), error = 0;
  if (probe < 0) return probe;
  if (connect(probe, (struct sockaddr *)&address, sizeof address) == 0) error = -EADDRINUSE;
  /* A queue that is full is somebody's too. */
  else if (errno == EAGAIN) error = -EADDRINUSE;
  close(probe);
  if (error) return error;
  if (snprintf(other, sizeof other, "%s.%d", path, (int)getpid()) >= (int)sizeof other) return -ENAMETOOLONG;
  int fd = unix_socket(other, &address);
  if (fd < 0) return fd;
  unlink(other);
  if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || chmod(other, 0666) < 0 || listen(fd, 512) < 0 ||
      rename(other, path) < 0) {
    error = -errno;
    unlink(other);
    close(fd);
    return error;
  }
  return fd;
}

int licet_accept(int fd) {
  int peer;
  do peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  while (peer < 0 && (errno == EINTR || errno == ECONNABORTED));
  return result(peer);
}

int licet_peer_groups(int fd, uint32_t *groups, int *count) {
  socklen_t size = (socklen_t)((size_t)*count * sizeof *groups);
  _Static_assert(sizeof(gid_t) == sizeof *groups, "a group's number has 32 bits");
  if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) < 0) return -errno;
  *count = (int)(size / sizeof *groups);
  return 0;
}

int licet_peer_label(int fd, char *label, size_t size) {
  socklen_t length = (socklen_t)(size - 1);
  if (getsockopt(fd, SOL_SOCKET, SO_PEERSEC, label, &length) < 0) return -errno;
  label[length < size ? length : size - 1] = 0;
  return 0;
}

int licet_reopen_to_read(int fd) {
  char path[32];
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  return result(open(path, O_RDONLY | O_CLOEXEC));
}

int licet_shared_memory(const char *name, size_t size) {
  int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (fd < 0) return -errno;
  if (fchmod(fd, 0600) < 0 || ftruncate(fd, (off_t)size) < 0 ||
      fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0) {
    int error = -errno;
    close(fd);
    return error;
  }
  return fd;
}

int licet_is_shared_memory(int fd, size_t size) {
  struct stat status;
  int seals = fcntl(fd, F_GET_SEALS);
  if (seals < 0 || (seals & (F_SEAL_SHRINK | F_SEAL_GROW)) != (F_SEAL_SHRINK | F_SEAL_GROW)) return -EINVAL;
  return fstat(fd, &status) == 0 && (size_t)status.st_size == size ? 0 : -EINVAL;
}

void *licet_map_shared(int fd, size_t size) {
  void *base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  return base == MAP_FAILED ? NULL : base;
}

int licet_store_descriptor(const char *name, int fd) {
  char state[128];
  /* One of that name only: what was kept before goes first. */
  snprintf(state, sizeof state, "FDSTOREREMOVE=1\nFDNAME=%s", name);
  sd_notify(0, state);
  snprintf(state, sizeof state, "FDSTORE=1\nFDNAME=%s", name);
  return sd_pid_notify_with_fds(0, 0, state, &fd, 1);
}

int licet_listen_names(char *names, size_t size) {
  char **all = NULL;
  int count = sd_listen_fds_with_names(1, &all);
  size_t used = 0;
  for (int i = 0; i < count; i++) {
    size_t length = strlen(all[i]) + 1;
    if (used + length > size) count = -ENAMETOOLONG;
    else memcpy(names + used, all[i], length), used += length;
  }
  for (int i = 0; all && all[i]; i++) free(all[i]);
  free(all);
  return count;
}
