/* Hosts of liblicet, one a word: `host WORD SOCKET [...]` (tools/test-library runs them and says what they are to come to).
   `tool.read` is allowed and `tool.write` denied by whatever is asked. Prints what it found, or where it went wrong. */
#define _GNU_SOURCE
#include <licet.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define READ LICET_TEXT("tool.read")
#define WRITE LICET_TEXT("tool.write")

static void fail(const char *format, ...) {
  va_list list;
  va_start(list, format);
  fprintf(stderr, "host: ");
  vfprintf(stderr, format, list);
  fprintf(stderr, "\n");
  va_end(list);
  fflush(NULL);
  _exit(1);
}
#define EXPECT(truth, ...) \
  do { \
    if (!(truth)) fail(__VA_ARGS__); \
  } while (0)

static uint64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}
static void pause_ms(int milliseconds) {
  struct timespec left = {milliseconds / 1000, milliseconds % 1000 * 1000000L};
  while (nanosleep(&left, &left) != 0 && errno == EINTR) {}
}

/* ---- what every host does */

static licet *open_with(const char *path, uint32_t mode, uint32_t stale_ms, uint32_t timeout_ms) {
  licet_options options = LICET_OPTIONS_INIT;
  licet_error error = LICET_ERROR_INIT;
  licet *authority = NULL;
  options.mode = mode;
  options.path = path;
  options.operator_name.bytes = "keeper";
  options.operator_name.length = 6;
  options.stale_after_ms = stale_ms;
  options.timeout_ms = timeout_ms;
  int32_t code = licet_open(&options, &authority, &error);
  EXPECT(code == 0, "licet_open: %d (errno %d): %s", code, error.system, error.message);
  return authority;
}
static licet *open_at(const char *path) { return open_with(path, LICET_SNAPSHOT, 0, 5000); }

static licet_request *request_of(licet *authority) {
  licet_error error = LICET_ERROR_INIT;
  licet_request *request;
  EXPECT(licet_request_new(authority, &request, &error) == 0, "licet_request_new: %s", error.message);
  return request;
}

static void must(licet_request *request, const char *where) {
  licet_decision decision = LICET_DECISION_INIT;
  int32_t effect = licet_check_named(request, READ, &decision);
  EXPECT(effect == LICET_ALLOW && decision.lost == 0, "%s: tool.read is %d (lost %d), not allowed: %s", where, effect,
         decision.lost, effect < 0 ? licet_request_error(request)->message : "");
  effect = licet_check_named(request, WRITE, &decision);
  EXPECT(effect == LICET_DENY && decision.lost == 0, "%s: tool.write is %d (lost %d), not denied", where, effect, decision.lost);
}

static void decides(licet *authority, const char *where) {
  licet_request *request = request_of(authority);
  EXPECT(licet_request_set_named(request, LICET_TEXT("request.count"), licet_int(3)) == 0, "%s: set: %s", where,
         licet_request_error(request)->message);
  must(request, where);
  licet_request_free(request);
}

/* The number N of the obligation "rev-N"; -1: there is none. */
static long revision(licet_request *request) {
  licet_text names[8];
  size_t i, count = licet_request_obligations(request, names, 8);
  for (i = 0; i < count && i < 8; i++)
    if (names[i].length > 4 && memcmp(names[i].bytes, "rev-", 4) == 0) return strtol(names[i].bytes + 4, NULL, 10);
  return -1;
}

static int descriptors(void) {
  int count = 0;
  DIR *folder = opendir("/proc/self/fd");
  EXPECT(folder != NULL, "/proc/self/fd: %s", strerror(errno));
  while (readdir(folder)) count++;
  closedir(folder);
  return count - 3;
}
static long lines_of_maps(void) {
  long count = 0;
  int c;
  FILE *file = fopen("/proc/self/maps", "r");
  while ((c = getc(file)) != EOF) count += c == '\n';
  fclose(file);
  return count;
}
static long resident_kib(void) {
  long size, resident;
  FILE *file = fopen("/proc/self/statm", "r");
  EXPECT(fscanf(file, "%ld %ld", &size, &resident) == 2, "/proc/self/statm");
  fclose(file);
  return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

/* Sockets that this process holds, by inode. */
struct sockets {
  size_t count;
  ino_t inodes[64];
};
static struct sockets sockets(void) {
  struct sockets found = {0};
  struct stat status;
  int fd;
  for (fd = 0; fd < 1024; fd++)
    if (fstat(fd, &status) == 0 && S_ISSOCK(status.st_mode) && found.count < 64) found.inodes[found.count++] = status.st_ino;
  return found;
}
static int holds(const struct sockets *set, ino_t inode) {
  size_t i;
  for (i = 0; i < set->count; i++)
    if (set->inodes[i] == inode) return 1;
  return 0;
}
static size_t common(const struct sockets *a, const struct sockets *b) {
  size_t i, count = 0;
  for (i = 0; i < a->count; i++) count += (size_t)holds(b, a->inodes[i]);
  return count;
}

static void reap(pid_t child, const char *what) {
  int status;
  while (waitpid(child, &status, 0) < 0) EXPECT(errno == EINTR, "waitpid: %s", strerror(errno));
  EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s: a child ended with %s %d", what,
         WIFEXITED(status) ? "status" : "signal", WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
}

/* ---- malloc and mmap, counted, and failing when asked to */

void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
static long allocations, allowed_allocations = -1;

static int is_refused(void) {
  long left = __atomic_load_n(&allowed_allocations, __ATOMIC_RELAXED);
  __atomic_fetch_add(&allocations, 1, __ATOMIC_RELAXED);
  if (left < 0) return 0;
  if (left == 0) return 1;
  __atomic_fetch_sub(&allowed_allocations, 1, __ATOMIC_RELAXED);
  return 0;
}
void *malloc(size_t size) { return is_refused() ? NULL : __libc_malloc(size); }
void *calloc(size_t count, size_t size) { return is_refused() ? NULL : __libc_calloc(count, size); }
void *realloc(void *memory, size_t size) { return is_refused() ? NULL : __libc_realloc(memory, size); }
void *mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset) {
  if (is_refused()) {
    errno = ENOMEM;
    return MAP_FAILED;
  }
  return (void *)syscall(SYS_mmap, address, size, protection, flags, fd, offset);
}

/* ---- fork */

/* Child, grandchild and so on: each has a connection of its own, and leaves the others' alone. */
static void descend(licet *authority, licet_request *request, int depth) {
  struct sockets before = sockets(), after;
  pid_t child = fork();
  EXPECT(child >= 0, "fork: %s", strerror(errno));
  if (child == 0) {
    alarm(20);
    must(request, "a forked child, with the request that it was born with");
    decides(authority, "a forked child, with a request of its own");
    after = sockets();
    EXPECT(after.count == before.count, "the child holds %zu sockets, the parent %zu", after.count, before.count);
    EXPECT(common(&before, &after) == before.count - 1, "the child keeps the parent's connection: %zu of %zu in common",
           common(&before, &after), before.count);
    if (depth > 1) descend(authority, request, depth - 1);
    _exit(0);
  }
  reap(child, "fork");
  after = sockets();
  EXPECT(after.count == before.count && common(&before, &after) == before.count, "the parent's connection changed");
  must(request, "the parent of a forked child");
}

static int host_fork(const char *path) {
  licet *authority = open_at(path), *remote = open_with(path, LICET_REMOTE, 0, 5000);
  licet_request *request = request_of(authority), *asked = request_of(remote);
  must(request, "before");
  must(asked, "before, remote");
  licet_close(open_at(path));
  EXPECT(sockets().count == 2, "%zu sockets for two authorities", sockets().count);
  descend(authority, request, 4);
  descend(remote, asked, 4);
  /* A child that ends its copies gives nothing of the parent's back. */
  pid_t child = fork();
  if (child == 0) {
    licet_request_free(request);
    licet_close(authority);
    licet_request_free(asked);
    licet_close(remote);
    _exit(0);
  }
  reap(child, "closing in a child");
  must(request, "after a child closed its copy");
  must(asked, "after a child closed its copy, remote");
  printf("fork: 4 generations, snapshot and remote\n");
  return 0;
}

static int stop_threads;
struct crowd {
  licet *authority;
  long decisions;
};
static void *decide_until_stopped(void *argument) {
  struct crowd *crowd = argument;
  licet_request *request = request_of(crowd->authority);
  while (!__atomic_load_n(&stop_threads, __ATOMIC_RELAXED)) {
    must(request, "a thread, while others fork");
    __atomic_fetch_add(&crowd->decisions, 1, __ATOMIC_RELAXED);
  }
  licet_request_free(request);
  return NULL;
}

static int host_fork_threads(const char *path, int rounds) {
  struct crowd crowd[2] = {{open_at(path), 0}, {open_with(path, LICET_REMOTE, 0, 5000), 0}};
  pthread_t threads[4];
  int i, k;
  for (i = 0; i < 4; i++) pthread_create(&threads[i], NULL, decide_until_stopped, &crowd[i & 1]);
  for (i = 0; i < rounds; i++) {
    pid_t child = fork();
    EXPECT(child >= 0, "fork: %s", strerror(errno));
    if (child == 0) {
      alarm(20);
      for (k = 0; k < 2; k++) decides(crowd[k].authority, k ? "a child, remote" : "a child");
      _exit(0);
    }
    reap(child, "fork beside threads");
  }
  __atomic_store_n(&stop_threads, 1, __ATOMIC_RELAXED);
  for (i = 0; i < 4; i++) pthread_join(threads[i], NULL);
  EXPECT(crowd[0].decisions > rounds && crowd[1].decisions > 0, "the threads hardly decided");
  printf("fork beside threads: %d children, %ld + %ld decisions\n", rounds, crowd[0].decisions, crowd[1].decisions);
  return 0;
}

/* ---- threads that come and go */

static void *decide_once(void *authority) {
  decides(authority, "a short thread");
  return NULL;
}

static int host_threads(const char *path, int count) {
  licet *authority = open_at(path);
  pthread_t threads[4];
  long maps = 0, resident = 0;
  int i, k, open_descriptors = 0;
  for (i = 0; i < count; i += 4) {
    if (i == count / 5 / 4 * 4) maps = lines_of_maps(), resident = resident_kib(), open_descriptors = descriptors();
    for (k = 0; k < 4; k++) EXPECT(pthread_create(&threads[k], NULL, decide_once, authority) == 0, "pthread_create");
    for (k = 0; k < 4; k++) pthread_join(threads[k], NULL);
  }
  printf("threads: %d; after a fifth of them and at the end: resident %ld and %ld KiB, maps %ld and %ld, descriptors %d and %d\n",
         count, resident, resident_kib(), maps, lines_of_maps(), open_descriptors, descriptors());
  EXPECT(resident_kib() <= resident + 1024, "memory grows");
  EXPECT(lines_of_maps() <= maps + 4, "maps grow");
  EXPECT(descriptors() == open_descriptors, "descriptors are left");
  licet_close(authority);
  return 0;
}

/* Everything that can be made, made and given back, in one thread. */
static int host_leak(const char *path, const char *image) {
  licet *authority;
  licet_request *request;
  licet_explanation *explanation;
  licet_text names[2] = {{READ}, {WRITE}};
  long resident = 0, maps = 0;
  size_t heap = 0;
  int i, open_descriptors = 0;
  for (i = 0; i < 900; i++) {
    if (i == 300) resident = resident_kib(), maps = lines_of_maps(), open_descriptors = descriptors(), heap = mallinfo2().uordblks;
    authority = i % 3 == 2 ? open_with(image, LICET_EMBEDDED, 0, 0) : open_with(path, (uint32_t)(i % 3), 0, 5000);
    request = request_of(authority);
    licet_request_set_named(request, LICET_TEXT("request.count"), licet_int(i));
    licet_request_set_named(request, LICET_TEXT("request.nobody-knows"), licet_int(i));
    EXPECT(licet_check_named(request, READ, NULL) == LICET_E_UNKNOWN_ATTRIBUTE, "an unknown attribute was taken");
    licet_request_reset(request);
    must(request, "opened anew");
    EXPECT(licet_explain(request, names, 2, &explanation) == LICET_DENY, "explain");
    licet_explanation_free(explanation);
    licet_close(authority);
    must(request, "a request whose authority was closed");
    licet_request_free(request);
  }
  size_t now = mallinfo2().uordblks;
  printf("leak: %d authorities; heap %zu and %zu bytes, resident %ld and %ld KiB, maps %ld and %ld, descriptors %d and %d\n", i,
         heap, now, resident, resident_kib(), maps, lines_of_maps(), open_descriptors, descriptors());
  /* The kernel's count of resident pages is only roughly current; a page left by each authority would be 2,400 KiB. */
  EXPECT(now <= heap + 1024, "the heap grows");
  EXPECT(resident_kib() <= resident + 1024, "memory grows");
  EXPECT(lines_of_maps() <= maps, "maps grow");
  EXPECT(descriptors() == open_descriptors, "descriptors are left");
  return 0;
}

/* ---- signals */

static volatile sig_atomic_t alarms;
static void note_alarm(int number) {
  (void)number;
  alarms++;
}
static void storm(int is_on) {
  struct sigaction action;
  struct itimerval timer = {{0, is_on ? 100 : 0}, {0, is_on ? 100 : 0}};
  memset(&action, 0, sizeof action);
  action.sa_handler = note_alarm; /* without SA_RESTART */
  sigaction(SIGALRM, &action, NULL);
  setitimer(ITIMER_REAL, &timer, NULL);
}

static int host_signals(const char *path, int milliseconds) {
  uint64_t end = now_ns() + (uint64_t)milliseconds * 1000000u;
  long opened = 0, asked = 0, decided = 0;
  licet *mapped, *remote;
  licet_request *request, *question;
  storm(1);
  mapped = open_at(path);
  remote = open_with(path, LICET_REMOTE, 0, 5000);
  request = request_of(mapped);
  question = request_of(remote);
  while (now_ns() < end) {
    licet *one = open_at(path);
    int i;
    decides(one, "opened in a storm of signals");
    licet_close(one);
    opened++;
    for (i = 0; i < 20; i++, asked++) must(question, "asked in a storm of signals");
    for (i = 0; i < 1000; i++, decided++) must(request, "decided in a storm of signals");
  }
  storm(0);
  EXPECT(alarms > 1000, "only %d signals came", (int)alarms);
  printf("signals: %d; %ld opened, %ld asked, %ld decided, last rev-%ld\n", (int)alarms, opened, asked, decided,
         licet_check_named(request, READ, NULL) == LICET_ALLOW ? revision(request) : -1);
  return 0;
}

/* A daemon that doesn't answer, in a storm: no call takes longer than its time-out, give or take. The daemon stops when
   this says "ready". */
static int host_signals_mute(const char *path) {
  licet *remote = open_with(path, LICET_REMOTE, 0, 300);
  licet_request *request = request_of(remote);
  licet_decision decision = LICET_DECISION_INIT;
  char line[16];
  uint64_t begin;
  int32_t effect;
  must(request, "before");
  printf("ready\n");
  fflush(stdout);
  EXPECT(fgets(line, sizeof line, stdin) != NULL, "no word on standard input");
  alarm(0);
  storm(1);
  begin = now_ns();
  effect = licet_check_named(request, READ, &decision);
  begin = (now_ns() - begin) / 1000000u;
  storm(0);
  EXPECT(effect == LICET_DENY && decision.lost == 1, "a mute daemon: %d, lost %d", effect, decision.lost);
  EXPECT(begin < 3000, "a time-out of 300 ms took %" PRIu64 " ms", begin);
  printf("signals, mute: %" PRIu64 " ms\n", begin);
  return 0;
}

/* ---- a full table of descriptors */

static int fill_table(int fds[], int most) {
  int count = 0;
  while (count < most && (fds[count] = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0) count++;
  EXPECT(count < most && errno == EMFILE, "the table isn't full after %d: %s", count, strerror(errno));
  return count;
}

static int host_descriptors(const char *path) {
  struct rlimit limit = {64, 64};
  licet_options options = LICET_OPTIONS_INIT;
  licet_error error = LICET_ERROR_INIT;
  licet_decision decision = LICET_DECISION_INIT;
  licet *authority, *other = (licet *)&options;
  licet_request *request;
  int fds[64], count, i;
  char line[16];
  long old, changed = 0;
  setrlimit(RLIMIT_NOFILE, &limit);
  authority = open_with(path, LICET_SNAPSHOT, 1500, 300);
  request = request_of(authority);
  must(request, "before");
  count = fill_table(fds, 64);
  options.path = path;
  EXPECT(licet_open(&options, &other, &error) == LICET_E_SYSTEM && error.code == LICET_E_SYSTEM && error.system == EMFILE,
         "licet_open with a full table: code %d, errno %d: %s", error.code, error.system, error.message);
  EXPECT(other == NULL, "licet_open failed and left a handle");
  must(request, "with a full table");
  licet_check_named(request, READ, NULL);
  old = revision(request);
  printf("ready\n");
  fflush(stdout);
  EXPECT(fgets(line, sizeof line, stdin) != NULL, "no word on standard input");
  /* There is a new generation. It can't be mapped; what is had goes on until it is stale, or licetd is asked. */
  for (i = 0; i < 60; i++) {
    int32_t effect = licet_check_named(request, READ, &decision);
    EXPECT(effect >= 0, "with a full table after a reload: %d: %s", effect, licet_request_error(request)->message);
    EXPECT((effect == LICET_ALLOW && !decision.lost) || (effect == LICET_DENY && decision.lost), "effect %d, lost %d",
           effect, decision.lost);
    if (effect == LICET_ALLOW && revision(request) != old) changed++;
    pause_ms(50);
  }
  printf("full: lost %d, mode %d, rev-%ld was rev-%ld, changed in %ld of 60\n", decision.lost, licet_mode(authority),
         revision(request), old, changed);
  for (i = 0; i < count; i++) close(fds[i]);
  for (i = 0; i < 60; i++) {
    int32_t effect = licet_check_named(request, READ, &decision);
    if (effect == LICET_ALLOW && !decision.lost && revision(request) > old && licet_mode(authority) == LICET_SNAPSHOT) break;
    pause_ms(50);
  }
  printf("free: effect %d, lost %d, mode %d, rev-%ld after %d ms\n", decision.effect, decision.lost, licet_mode(authority),
         revision(request), i * 50);
  EXPECT(i < 60, "with free descriptors it doesn't recover");
  EXPECT(changed > 0 || decision.lost == 0, "unreachable");
  return 0;
}

/* ---- roots, name spaces, identities */

static int host_chroot(const char *path, const char *folder) {
  licet *authority = open_at(path);
  licet_options options = LICET_OPTIONS_INIT;
  licet_error error = LICET_ERROR_INIT;
  licet *other;
  licet_request *request = request_of(authority);
  char line[16];
  must(request, "before");
  EXPECT(chroot(folder) == 0 && chdir("/") == 0, "chroot: %s", strerror(errno));
  must(request, "in a chroot");
  printf("ready\n");
  fflush(stdout);
  EXPECT(fgets(line, sizeof line, stdin) != NULL, "no word on standard input");
  must(request, "in a chroot, after a reload");
  licet_check_named(request, READ, NULL);
  options.path = path;
  EXPECT(licet_open(&options, &other, &error) == LICET_E_NO_AUTHORITY, "a socket that isn't there: %d: %s", error.code,
         error.message);
  printf("chroot: rev-%ld\n", revision(request));
  return 0;
}

/* Nothing but the socket, bind-mounted. */
static int host_mounts(const char *path, const char *folder) {
  char inside[4096];
  licet *authority;
  snprintf(inside, sizeof inside, "%s/attach", folder);
  EXPECT(unshare(CLONE_NEWNS) == 0, "unshare: %s", strerror(errno));
  EXPECT(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0, "mount: %s", strerror(errno));
  EXPECT(mount("none", folder, "tmpfs", 0, NULL) == 0, "tmpfs: %s", strerror(errno));
  close(open(inside, O_CREAT | O_WRONLY, 0600));
  EXPECT(mount(path, inside, NULL, MS_BIND, NULL) == 0, "bind: %s", strerror(errno));
  EXPECT(chroot(folder) == 0 && chdir("/") == 0, "chroot: %s", strerror(errno));
  authority = open_at("/attach");
  EXPECT(licet_mode(authority) == LICET_SNAPSHOT, "mode %d", licet_mode(authority));
  decides(authority, "with nothing but the socket");
  licet_close(authority);
  printf("mounts: ok\n");
  return 0;
}

/* Where the environment says. */
static int host_environment(void) {
  licet_error error = LICET_ERROR_INIT;
  licet *authority;
  int32_t code = licet_open(NULL, &authority, &error);
  printf("secure %lu code %d %s\n", getauxval(AT_SECURE), code, code ? error.message : "open");
  return 0;
}

static int host_watch(const char *path, uint32_t stale_ms, int milliseconds) {
  licet *authority = open_with(path, LICET_SNAPSHOT, stale_ms, 300);
  licet_request *request = request_of(authority);
  licet_decision decision = LICET_DECISION_INIT;
  uint64_t end = now_ns() + (uint64_t)milliseconds * 1000000u;
  long lost = 0, fresh = 0;
  printf("ready\n");
  fflush(stdout);
  while (now_ns() < end) {
    licet_check_named(request, READ, &decision);
    if (decision.lost) lost++;
    else fresh++;
    pause_ms(20);
  }
  printf("watch: fresh %ld lost %ld\n", fresh, lost);
  return 0;
}

/* ---- little memory */

/* One life of an authority: whatever fails says so by a code that fits. */
static void live(const char *path, uint32_t mode) {
  licet_options options = LICET_OPTIONS_INIT;
  licet_error error = LICET_ERROR_INIT;
  licet_decision decision = LICET_DECISION_INIT;
  licet *authority = NULL;
  licet_request *request = NULL;
  licet_explanation *explanation = NULL;
  licet_text names[2] = {{READ}, {WRITE}};
  licet_behavior handle;
  int32_t code;
  int i;
  options.path = path;
  options.mode = mode;
  options.operator_name.bytes = "keeper";
  options.operator_name.length = 6;
  options.timeout_ms = 1000;
  code = licet_open(&options, &authority, &error);
  EXPECT(code == 0 || code == LICET_E_NO_MEMORY || (code == LICET_E_SYSTEM && error.system == ENOMEM),
         "licet_open with little memory: %d, errno %d: %s", code, error.system, error.message);
  EXPECT((code == 0) == (authority != NULL), "licet_open: %d and %p", code, (void *)authority);
  if (code != 0) return;
  code = licet_request_new(authority, &request, &error);
  EXPECT(code == 0 || code == LICET_E_NO_MEMORY, "licet_request_new with little memory: %d: %s", code, error.message);
  if (code == 0) {
    code = licet_request_set_named(request, LICET_TEXT("request.count"), licet_int(3));
    EXPECT(code == 0 || code == LICET_E_NO_MEMORY, "set with little memory: %d", code);
    handle = licet_intern_behavior(authority, READ);
    for (i = 0; i < 3; i++) {
      int wasSet = code == 0;
      int32_t effect = i == 0 ? licet_check_named(request, READ, &decision)
                       : i == 1 ? licet_check(request, handle, &decision)
                                : licet_check_action(request, names, 1, &decision);
      EXPECT(effect == LICET_ALLOW || effect == LICET_E_NO_MEMORY || (effect == LICET_DENY && decision.lost) ||
                 (i == 1 && handle == 0 && effect == LICET_E_INVALID) || !wasSet,
             "check %d with little memory: %d, lost %d: %s", i, effect, decision.lost,
             effect < 0 ? licet_request_error(request)->message : "");
    }
    EXPECT(licet_check_named(request, WRITE, &decision) != LICET_ALLOW, "tool.write was allowed");
    code = licet_explain(request, names, 2, &explanation);
    EXPECT(code == LICET_DENY || code < 0, "explain with little memory: %d", code);
    licet_explanation_free(explanation);
    licet_request_free(request);
  }
  licet_close(authority);
}

static int host_memory(const char *path, const char *image) {
  static const char *const words[3] = {"snapshot", "remote", "embedded"};
  uint32_t mode;
  int before = descriptors();
  for (mode = 0; mode < 3; mode++) {
    const char *from = mode == LICET_EMBEDDED ? image : path;
    long needed, k;
    live(from, mode);
    needed = allocations;
    live(from, mode);
    needed = allocations - needed;
    EXPECT(needed > 3 && needed < 1000, "%ld allocations", needed);
    for (k = 0; k <= needed; k++) {
      __atomic_store_n(&allowed_allocations, k, __ATOMIC_RELAXED);
      live(from, mode);
      __atomic_store_n(&allowed_allocations, -1, __ATOMIC_RELAXED);
    }
    EXPECT(descriptors() == before, "%d descriptors are left", descriptors() - before);
    printf("memory, %s: each of %ld allocations failed\n", words[mode], needed);
  }
  return 0;
}

/* The same with the kernel's own limit on address space, a little more each time. */
static int host_limited(const char *path, const char *image) {
  uint32_t mode;
  int ends = 0, i;
  for (mode = 0; mode < 3; mode++)
    for (i = 0; i < 40; i++) {
      pid_t child = fork();
      if (child == 0) {
        struct rlimit limit;
        long size, resident;
        FILE *file = fopen("/proc/self/statm", "r");
        EXPECT(fscanf(file, "%ld %ld", &size, &resident) == 2, "/proc/self/statm");
        limit.rlim_cur = limit.rlim_max = (rlim_t)size * 4096u + (rlim_t)i * (128u << 10);
        setrlimit(RLIMIT_AS, &limit);
        live(mode == LICET_EMBEDDED ? image : path, mode);
        _exit(0);
      }
      reap(child, "RLIMIT_AS");
      ends++;
    }
  printf("limited: %d\n", ends);
  return 0;
}

/* ---- nothing but deciding */

static int host_decide(const char *path, uint32_t mode, long count) {
  licet *authority = open_with(path, mode, 0, 5000);
  licet_request *request = request_of(authority);
  licet_behavior behavior = licet_intern_behavior(authority, READ);
  licet_attribute attribute = licet_intern_attribute(authority, LICET_TEXT("request.count"));
  licet_attribute label = licet_intern_attribute(authority, LICET_TEXT("request.label"));
  licet_decision decision = LICET_DECISION_INIT;
  licet_statement statement = LICET_STATEMENT_INIT;
  licet_text names[4];
  long i, made, allowed = 0;
  must(request, "before");
  for (i = 0; i < 2; i++) {
    licet_request_set(request, attribute, licet_int(i));
    licet_request_set(request, label, licet_string(LICET_TEXT("x")));
    licet_check(request, behavior, &decision);
  }
  made = allocations;
  for (i = 0; i < count; i++) {
    licet_request_reset(request);
    licet_request_set(request, attribute, licet_int(i));
    licet_request_set(request, label, licet_string(LICET_TEXT("x")));
    allowed += licet_check(request, behavior, &decision) == LICET_ALLOW;
    allowed += licet_check_named(request, READ, NULL) == LICET_ALLOW;
    if ((i & 15) == 0) {
      licet_request_obligations(request, names, 4);
      licet_request_statement(request, &statement);
    }
  }
  made = allocations - made;
  EXPECT(allowed == 2 * count, "%ld of %ld allowed", allowed, 2 * count);
  EXPECT(made == 0, "%ld allocations in %ld decisions", made, 2 * count);
  printf("decide: %ld decisions, %ld allocations\n", 2 * count, made);
  return 0;
}

/* ---- a host that may not map */

static void refuse_maps(void) {
  /* mmap of anything but anonymous memory: EACCES, as a security module says. */
  struct sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mmap, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args) + 3 * 8),
      BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, MAP_ANONYMOUS, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EACCES),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = {sizeof code / sizeof *code, code};
  EXPECT(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "no_new_privs: %s", strerror(errno));
  EXPECT(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0, "seccomp: %s", strerror(errno));
}

/* ---- many decisions under reloads and kills */

/* What the test writes: the highest revision that may be in a file, whether to end, and which one was confirmed when. */
struct floor {
  uint64_t highest;
  uint64_t is_over;
  uint64_t count;
  struct {
    uint64_t ns, revision;
  } entries[65000];
};

/* Decides until it is over; every decision is of a revision that was in force within `bound_ms`, and none goes back. */
static int host_steady(const char *path, const char *floor_path, uint32_t mode, uint32_t stale_ms, long bound_ms) {
  int fd = open(floor_path, O_RDONLY | O_CLOEXEC);
  const struct floor *floor = mmap(NULL, sizeof *floor, PROT_READ, MAP_SHARED, fd, 0);
  licet *authority;
  licet_request *request;
  licet_decision decision = LICET_DECISION_INIT;
  uint64_t begin, longest = 0, at = 0, generation = 0, count;
  long last = -1, wanted = 0, decided = 0, lost = 0, changes = 0;
  EXPECT(floor != MAP_FAILED, "%s: %s", floor_path, strerror(errno));
  close(fd);
  authority = open_with(path, mode, stale_ms, 2000);
  request = request_of(authority);
  printf("ready\n");
  fflush(stdout);
  while (!__atomic_load_n(&floor->is_over, __ATOMIC_ACQUIRE)) {
    int32_t effect;
    long found;
    begin = now_ns();
    count = __atomic_load_n(&floor->count, __ATOMIC_ACQUIRE);
    while (at < count && floor->entries[at].ns + (uint64_t)bound_ms * 1000000u <= begin)
      wanted = (long)floor->entries[at++].revision;
    effect = licet_check_named(request, READ, &decision);
    uint64_t took = now_ns() - begin;
    if (took > longest) longest = took;
    EXPECT(effect >= 0, "a decision came to %d: %s", effect, licet_request_error(request)->message);
    if (decision.lost) {
      EXPECT(effect == LICET_DENY, "lost, and %d", effect);
      lost++;
      pause_ms(2);
      continue;
    }
    EXPECT(effect == LICET_ALLOW, "tool.read came to %d by %d", effect, decision.decided_by);
    found = revision(request);
    EXPECT(found >= wanted, "decided by rev-%ld (generation %" PRIu64 ") when rev-%ld was confirmed %ld ms and longer ago", found,
           decision.generation, wanted, bound_ms);
    EXPECT(found >= last, "decided by rev-%ld after rev-%ld", found, last);
    EXPECT(found <= (long)__atomic_load_n(&floor->highest, __ATOMIC_ACQUIRE), "rev-%ld, which no file held", found);
    EXPECT(decision.generation >= generation, "generation %" PRIu64 " after %" PRIu64, decision.generation, generation);
    changes += found != last;
    generation = decision.generation;
    last = found;
    decided++;
    if (mode == LICET_SNAPSHOT && (decided & 1023) == 0) pause_ms(1);
  }
  printf("steady: decided %ld lost %ld changes %ld last %ld longest-ms %" PRIu64 " mode %d\n", decided, lost, changes, last,
         longest / 1000000u, licet_mode(authority));
  licet_request_free(request);
  licet_close(authority);
  return 0;
}

/* Attaches and decides without an end: to be killed. */
static _Noreturn void host_endless(const char *path, uint32_t mode) {
  for (;;) {
    licet *authority = open_with(path, mode, 0, 5000);
    licet_request *request = request_of(authority);
    int i;
    for (i = 0; i < 50; i++) must(request, "until killed");
    licet_request_free(request);
    licet_close(authority);
  }
}

/* ---- told what to do, line by line */

#include "sessions.h"

static void tell(licet *authority, licet_request *request, int32_t effect, const licet_decision *decision) {
  licet_text names[8];
  size_t i, count = effect >= 0 ? licet_request_obligations(request, names, 8) : 0;
  printf("effect=%d generation=%" PRIu64 " by=%d over=%d lost=%d mode=%d seen=%" PRIu64 " obligations=", effect, decision->generation,
         decision->decided_by, decision->oversight, decision->lost, licet_mode(authority), licet_generation(authority));
  for (i = 0; i < count && i < 8; i++) printf("%s%.*s", i ? "," : "", (int)names[i].length, names[i].bytes);
  printf(" message=%s\n", effect < 0 ? licet_request_error(request)->message : "");
}

static int host_agent(void) {
  licet *authority = NULL;
  licet_request *request = NULL;
  char line[4096], *word, *state;
  while (fgets(line, sizeof line, stdin)) {
    word = strtok_r(line, " \n", &state);
    if (word == NULL) continue;
    if (strcmp(word, "open") == 0) { /* open PATH MODE STALE_MS TIMEOUT_MS LOSS [OPERATOR] */
      licet_options options = LICET_OPTIONS_INIT;
      licet_error error = LICET_ERROR_INIT;
      options.path = strtok_r(NULL, " \n", &state);
      options.mode = (uint32_t)atoi(strtok_r(NULL, " \n", &state));
      options.stale_after_ms = (uint32_t)atoi(strtok_r(NULL, " \n", &state));
      options.timeout_ms = (uint32_t)atoi(strtok_r(NULL, " \n", &state));
      options.on_authority_loss = (uint32_t)atoi(strtok_r(NULL, " \n", &state));
      options.operator_name.bytes = strtok_r(NULL, " \n", &state);
      options.operator_name.length = options.operator_name.bytes ? strlen(options.operator_name.bytes) : 0;
      licet_request_free(request);
      licet_close(authority);
      request = NULL;
      int32_t code = licet_open(&options, &authority, &error);
      if (code == 0) request = request_of(authority);
      printf("code=%d system=%d mode=%d message=%s\n", code, error.system, code ? -1 : licet_mode(authority), error.message);
    } else if (strcmp(word, "check") == 0) { /* check NAME... */
      licet_decision decision = LICET_DECISION_INIT;
      licet_text names[8];
      size_t count = 0;
      while (count < 8 && (word = strtok_r(NULL, " \n", &state)) != NULL)
        names[count].bytes = word, names[count++].length = strlen(word);
      int32_t effect = count == 1 ? licet_check_named(request, names[0].bytes, names[0].length, &decision)
                                  : licet_check_action(request, names, count, &decision);
      tell(authority, request, effect, &decision);
    } else if (strcmp(word, "explain") == 0) { /* explain NAME */
      licet_explanation *explanation = NULL;
      licet_decision decision = LICET_DECISION_INIT;
      licet_change change = {.size = sizeof change};
      licet_text name;
      word = strtok_r(NULL, " \n", &state);
      name.bytes = word;
      name.length = strlen(word);
      int32_t effect = licet_explain(request, &name, 1, &explanation);
      if (explanation) licet_explanation_decision(explanation, &decision);
      printf("effect=%d lost=%d generation=%" PRIu64 " steps=%zu way=%d halt=", effect, decision.lost, decision.generation,
             licet_explanation_steps(explanation), explanation ? licet_explanation_way(explanation) : -1);
      if (explanation && licet_explanation_change(explanation, 0, &change) == 0)
        printf("%.*s", (int)change.halt.length, change.halt.bytes);
      printf("\n");
      licet_explanation_free(explanation);
    } else if (strcmp(word, "count") == 0) { /* count N: request.count */
      printf("code=%d\n", licet_request_set_named(request, LICET_TEXT("request.count"),
                                                  licet_int(atol(strtok_r(NULL, " \n", &state)))));
    } else if (strcmp(word, "session") == 0) { /* session PLACE WORD [...] */
      if (!do_session(authority, request, &state)) fail("session: no such word");
    } else if (strcmp(word, "set") == 0) { /* set NAME TEXT: kept until the agent ends */
      char *name = strtok_r(NULL, " \n", &state), *value = strdup(strtok_r(NULL, " \n", &state));
      int32_t code = licet_request_set_named(request, name, strlen(name), licet_string(value, strlen(value)));
      printf("code=%d message=%s\n", code, code ? licet_request_error(request)->message : "");
    } else if (strcmp(word, "resource") == 0) { /* resource TEXT: likewise */
      char *value = strdup(strtok_r(NULL, " \n", &state));
      printf("code=%d\n", licet_request_set_resource(request, value, strlen(value)));
    } else if (strcmp(word, "argument") == 0) { /* argument TEXT: likewise */
      char *value = strdup(strtok_r(NULL, " \n", &state));
      printf("code=%d\n", licet_request_set_argument(request, value, strlen(value)));
    } else if (strcmp(word, "fork") == 0) { /* the child goes on being told; the parent waits for it */
      fflush(stdout);
      pid_t child = fork();
      EXPECT(child >= 0, "fork: %s", strerror(errno));
      if (child > 0) {
        reap(child, "a forked agent");
        printf("reaped\n");
      } else {
        printf("child\n");
      }
    } else if (strcmp(word, "exit") == 0) {
      fflush(stdout);
      _exit(0);
    } else if (strcmp(word, "reset") == 0) {
      licet_request_reset(request);
      printf("reset\n");
    } else if (strcmp(word, "maps") == 0) {
      printf("maps=%ld descriptors=%d\n", lines_of_maps(), descriptors());
    } else if (strcmp(word, "refuse-maps") == 0) {
      refuse_maps();
      printf("refused\n");
    } else {
      fail("%s: no such word", word);
    }
    fflush(stdout);
  }
  licet_request_free(request);
  licet_close(authority);
  return 0;
}

int main(int argc, char **argv) {
  const char *word = argc > 1 ? argv[1] : "", *path = argc > 2 ? argv[2] : NULL, *third = argc > 3 ? argv[3] : "0";
#define IS(name) (strcmp(word, name) == 0)
  if (IS("fork")) return host_fork(path);
  if (IS("fork-threads")) return host_fork_threads(path, atoi(third));
  if (IS("threads")) return host_threads(path, atoi(third));
  if (IS("leak")) return host_leak(path, third);
  if (IS("signals")) return host_signals(path, atoi(third));
  if (IS("signals-mute")) return host_signals_mute(path);
  if (IS("descriptors")) return host_descriptors(path);
  if (IS("chroot")) return host_chroot(path, third);
  if (IS("mounts")) return host_mounts(path, third);
  if (IS("environment")) return host_environment();
  if (IS("watch")) return host_watch(path, (uint32_t)atoi(third), atoi(argv[4]));
  if (IS("memory")) return host_memory(path, third);
  if (IS("limited")) return host_limited(path, third);
  if (IS("decide")) return host_decide(path, (uint32_t)atoi(third), atol(argv[4]));
  if (IS("steady"))
    return host_steady(path, third, (uint32_t)atoi(argv[4]), (uint32_t)atoi(argv[5]), atol(argv[6]));
  if (IS("endless")) host_endless(path, (uint32_t)atoi(third));
  if (IS("agent")) return host_agent();
  fprintf(stderr, "host: %s: no such host\n", word);
  return 64;
}
