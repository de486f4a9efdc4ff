/* When a reload has reached everybody: `reload SOCKET TARGET A B PROCESSES ROUNDS LICETD-PID`. PROCESSES processes have a snapshot
   each and sleep. The file TARGET becomes A, then B, in turns; this process looks at the state page without a pause, and when
   licetd has stored the new generation there, wakes all of them at once, which is the worst that can come: each makes one check,
   and all have to fetch what is new. Before each reload they are woken once for nothing: that is the floor. Prints
   "figure least median" over the rounds, nanoseconds, from the store to the check that the new generation decided:
     last, middle         of the last process, and of the one in the middle
     idle-last            of the last process where there is nothing new
     work, work-licetd    the processor time of all processes and licetd until the last one has decided; licetd's share of it */
#define _GNU_SOURCE
#include "batches.h"

#include <errno.h>
#include <linux/futex.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <fcntl.h>

enum { most = 1000 };
static struct shared {
  uint32_t round, ready, done;
  double decided[most], used[most];
  uint64_t generation[most];
} *shared;
static pid_t children[most];
static int started;

static void end_children(void) {
  int i;
  for (i = 0; i < started; i++) kill(children[i], SIGKILL);
  for (i = 0; i < started; i++) waitpid(children[i], NULL, 0);
}

static double processor_time(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void follow(const char *socket, int own) {
  licet *authority = open_at(socket, LICET_SNAPSHOT);
  licet_request *request = request_of(authority);
  licet_text name = name_of(0);
  licet_behavior behavior = licet_intern_behavior(authority, name.bytes, name.length);
  licet_decision decision = LICET_DECISION_INIT;
  uint32_t round = 0;
  if (licet_check(request, behavior, &decision) < 0) exit(2);
  __atomic_fetch_add(&shared->ready, 1, __ATOMIC_SEQ_CST);
  for (;;) {
    while (__atomic_load_n(&shared->round, __ATOMIC_ACQUIRE) == round)
      syscall(SYS_futex, &shared->round, FUTEX_WAIT, round, NULL, NULL, 0);
    round++;
    if (licet_check(request, behavior, &decision) < 0) exit(2);
    shared->decided[own] = now();
    shared->used[own] = processor_time();
    shared->generation[own] = decision.generation;
    __atomic_fetch_add(&shared->done, 1, __ATOMIC_SEQ_CST);
  }
}

/* The state page, which liblicet has mapped here: the generation's word (docs/attach-protocol.md). */
static const volatile uint64_t *generation_word(void) {
  FILE *maps = fopen("/proc/self/maps", "r");
  char line[512];
  void *start;
  while (maps && fgets(line, sizeof line, maps))
    if (strstr(line, "licetd-state") && sscanf(line, "%p", &start) == 1) {
      fclose(maps);
      return (const volatile uint64_t *)start + 3;
    }
  fprintf(stderr, "no state page is mapped\n");
  exit(1);
}

/* Puts it where it wasn't, whole. */
static void place(const char *from, const char *target) {
  char kept[4096];
  static char bytes[1 << 24];
  int in = open(from, O_RDONLY), out;
  ssize_t size = in < 0 ? -1 : read(in, bytes, sizeof bytes);
  snprintf(kept, sizeof kept, "%s.next", from);
  out = open(kept, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (size < 0 || out < 0 || write(out, bytes, (size_t)size) != size || rename(kept, target) != 0) perror(target), exit(1);
  close(in);
  close(out);
}

/* Of all threads of licetd, by the scheduler. */
static double licetd_time(const char *pid) {
  clockid_t clock;
  struct timespec t;
  if (clock_getcpuclockid(atoi(pid), &clock) != 0 || clock_gettime(clock, &t) != 0) exit(1);
  return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* Wakes all, and waits until each has decided; when was that, since `start`, sorted. */
static void wake(int processes, double start, double *samples) {
  int i;
  shared->done = 0;
  __atomic_fetch_add(&shared->round, 1, __ATOMIC_RELEASE);
  syscall(SYS_futex, &shared->round, FUTEX_WAKE, most, NULL, NULL, 0);
  for (i = 0; __atomic_load_n(&shared->done, __ATOMIC_SEQ_CST) < (uint32_t)processes; i++) {
    if (i > 50000) fprintf(stderr, "%u of %d processes decided within 10 s\n", shared->done, processes), exit(1);
    usleep(200);
  }
  for (i = 0; i < processes; i++) samples[i] = shared->decided[i] - start;
  qsort(samples, (size_t)processes, sizeof *samples, before);
}

int main(int argc, char **argv) {
  enum { figures = 5 };
  static const char *names[figures] = {"last", "middle", "idle-last", "work", "work-licetd"};
  static double all[figures][most];
  const volatile uint64_t *word;
  double samples[most];
  int processes, rounds, i, round;
  if (argc != 8) return 64;
  processes = atoi(argv[5]);
  rounds = atoi(argv[6]);
  if (processes < 1 || processes > most || rounds < 1 || rounds > most) return 64;
  shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) return 1;
  atexit(end_children);
  for (i = 0; i < processes; i++) {
    children[i] = fork();
    if (children[i] == 0) started = 0, follow(argv[1], i), _exit(0);
    if (children[i] < 0) return 1;
    started++;
  }
  for (i = 0; __atomic_load_n(&shared->ready, __ATOMIC_SEQ_CST) < (uint32_t)processes; i++) {
    if (i > 30000) return fprintf(stderr, "%u of %d processes attached\n", shared->ready, processes), 1;
    usleep(1000);
  }
  open_at(argv[1], LICET_SNAPSHOT);
  word = generation_word();
  /* The first one warms up. */
  for (round = -1; round < rounds; round++) {
    uint64_t old = *word, new;
    double stored, give_up, licetd, work = 0;
    int at = round < 0 ? 0 : round;
    usleep(300000);
    wake(processes, now(), samples);
    all[2][at] = samples[processes - 1];
    for (i = 0; i < processes; i++) work -= shared->used[i];
    usleep(10000);
    place(argv[3 + (round & 1)], argv[2]);
    give_up = now() + 10e9;
    while ((new = __atomic_load_n(word, __ATOMIC_ACQUIRE)) == old)
      if (now() > give_up) return fprintf(stderr, "no new generation within 10 s\n"), 1;
    stored = now();
    licetd = licetd_time(argv[7]);
    wake(processes, stored, samples);
    licetd = licetd_time(argv[7]) - licetd;
    for (i = 0; i < processes; i++) {
      work += shared->used[i];
      if (shared->generation[i] < new) return fprintf(stderr, "process %d decided by generation %llu, not %llu\n", i,
                                                      (unsigned long long)shared->generation[i], (unsigned long long)new), 2;
    }
    all[0][at] = samples[processes - 1];
    all[1][at] = samples[processes / 2];
    all[3][at] = work + licetd;
    all[4][at] = licetd;
  }
  for (i = 0; i < figures; i++) print_figure(names[i], all[i], rounds);
  return 0;
}
