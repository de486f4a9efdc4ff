/* hostile-daemon BUNDLE OTHER-BUNDLE [SEED]: the library against whoever may answer at the attach socket, and against image
   files that nobody compiled. Nothing of it may crash, hang, keep a descriptor, or be LICET_ALLOW where what came can't be
   believed; what a call returns is always a code of licet.h, in time. Prints one line; what is wrong goes to standard
   error, exit status 1. */
#include "daemon.h"
#include "exercise.h"
#include <dirent.h>
#include <signal.h>

/* For an answer of the daemon. What a call may take beyond it is the machine's. */
enum { TIMEOUT = 150 };
static double slack = 2; /* A busy machine, not a hang. */

static const char *label = "";
static long case_argument;
static unsigned failures, uses;

static void fail(const char *what, double found) {
  /* The first of a kind say it. */
  static const char *last;
  static unsigned alike;
  alike = last == label ? alike + 1 : 0;
  last = label;
  if (alike < 4) fprintf(stderr, "hostile-daemon: %s, %ld: %s (%g)\n", label, case_argument, what, found);
  if (++failures > 200) exit(1);
}

/* The watchdog's last words. */
static void give_up(int signal) {
  (void)signal;
  fprintf(stderr, "hostile-daemon: %s, %ld: hangs\n", label, case_argument);
  _exit(1);
}

static uint64_t random_state = 1;
static uint64_t random_word(void) {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 7;
  return random_state ^= random_state << 17;
}

static int count_descriptors(void) {
  int count = 0;
  DIR *folder = opendir("/proc/self/fd");
  if (folder == NULL) die("/proc/self/fd");
  while (readdir(folder) != NULL) count++;
  closedir(folder);
  return count;
}

/* ---- using it */

/* What may come of it. */
enum { NOTHING = 1 /* licet_open refuses */, STRICT = 2 /* it opens, and never allows */, ALLOWS = 4 };

typedef struct outcome {
  int opened, system, asked, otherwise;
  double longest;
} outcome;

#define TIMED(call) do { \
    uint64_t before_ = monotonic_now(); \
    double took_; \
    call; \
    took_ = (double)(monotonic_now() - before_) / 1e9; \
    if (took_ > o.longest) o.longest = took_; \
  } while (0)

static int is_code(int code) { return code >= LICET_E_BAD_COST && code <= LICET_ALLOW; }

static outcome use(int mode, const char *path, unsigned stale_after, void (*between)(void)) {
  outcome o = {0};
  licet *authority = NULL;
  licet_request *request = NULL;
  licet_error error = LICET_ERROR_INIT;
  licet_options options = LICET_OPTIONS_INIT;
  options.mode = (uint32_t)mode;
  options.path = path;
  options.timeout_ms = TIMEOUT;
  options.stale_after_ms = stale_after;
  uses++;
  TIMED(o.opened = licet_open(&options, &authority, &error));
  o.system = error.system;
  o.asked = o.otherwise = LICET_DENY;
  if (o.opened != 0) {
    if (authority != NULL) fail("an authority though opening failed", o.opened);
    if (o.opened > 0 || !is_code(o.opened) || error.code != o.opened || error.message[0] == 0)
      fail("opening failed without a stated code and a sentence", o.opened);
    return o;
  }
  if (licet_request_new(authority, &request, &error) != 0) {
    fail("no request", error.code);
    licet_close(authority);
    return o;
  }
  set_member(request);
  TIMED(o.asked = ask_mail(request));
  if (between != NULL) {
    between();
    TIMED(o.asked = ask_mail(request));
  }
  TIMED(o.otherwise = ask_otherwise(authority, request));
  if (!is_code(o.asked) || !is_code(o.otherwise)) fail("no code of licet.h", o.asked);
  licet_request_free(request);
  licet_close(authority);
  return o;
}

/* The same in a session. `opened`: what came of opening that. */
static outcome use_session(int mode, const char *path, void (*between)(void)) {
  outcome o = {0};
  licet *authority = NULL;
  licet_request *request = NULL;
  licet_session *session = NULL, *child = NULL;
  licet_error error = LICET_ERROR_INIT;
  licet_options options = LICET_OPTIONS_INIT;
  licet_terms terms = LICET_TERMS_INIT;
  licet_named_value name = {{LICET_TEXT("user.name")}, {{0}, 0, 0, {0}}};
  double left = 0;
  name.value = licet_string(LICET_TEXT("somebody"));
  terms.attributes = &name;
  terms.attribute_count = 1;
  options.mode = (uint32_t)mode;
  options.path = path;
  options.timeout_ms = TIMEOUT;
  uses++;
  TIMED(o.opened = licet_open(&options, &authority, &error));
  o.asked = o.otherwise = LICET_DENY;
  if (o.opened != 0) return o;
  if (licet_request_new(authority, &request, &error) != 0) fail("no request", error.code);
  TIMED(o.opened = licet_session_open(authority, &terms, &session, &error));
  if ((o.opened == 0) != (session != NULL)) fail("a session though opening failed", o.opened);
  if (o.opened != 0 && (!is_code(o.opened) || o.opened > 0 || error.code != o.opened || error.message[0] == 0))
    fail("a session wasn't opened, without a stated code and a sentence", o.opened);
  if (session != NULL) {
    if (strlen(licet_session_id(session)) != 32) fail("a session's id", 0);
    if (licet_request_set_session(request, session) != 0) fail("a request that takes no session", 0);
    set_member(request);
    licet_request_set_resource(request, LICET_TEXT("mailto:a@b.c"));
    TIMED(o.asked = ask_mail(request));
    if (between != NULL) {
      between();
      TIMED(o.asked = ask_mail(request));
    }
    TIMED(o.otherwise = ask_otherwise(authority, request));
    if (!is_code(o.asked) || !is_code(o.otherwise)) fail("no code of licet.h", o.asked);
    TIMED(licet_session_set_preference(session, LICET_TEXT("tool"), LICET_ASK, NULL));
    TIMED(licet_session_set_dial(session, 0.25, &error));
    TIMED(licet_session_spend(session, 1, &left, &error));
    TIMED(licet_session_delegate(session, NULL, &child, &error));
    licet_session_free(child);
    TIMED(licet_session_close(session, NULL));
    if (licet_request_set_session(request, NULL) != 0) fail("a request that leaves no session", 0);
    licet_session_free(session);
  }
  licet_request_free(request);
  licet_close(authority);
  return o;
}

static void judge(outcome o, int may, double bound) {
  int found = o.opened != 0 ? NOTHING : o.asked == LICET_ALLOW || o.otherwise == LICET_ALLOW ? ALLOWS : STRICT;
  if (!(found & may)) fail(found == ALLOWS ? "allowed" : found == STRICT ? "opened" : "refused", o.opened);
  if (o.longest > bound + slack) fail("a call took too long, seconds", o.longest);
}

/* Against the server, with this spoiler; a bound in time-outs. */
static outcome against(const char *name, int mode, spoiler *spoil, long argument, int may, double timeouts) {
  outcome o;
  label = name;
  case_argument = argument;
  server.spoil = spoil;
  server.argument = argument;
  server.until = monotonic_now() + 3000000000u;
  o = use(mode, server.path, 0, NULL);
  judge(o, may, timeouts * TIMEOUT / 1000.0);
  if (!is_quiet()) fail("a connection stayed open", 0);
  return o;
}

static void against_session(const char *name, int mode, spoiler *spoil, long argument, int may, double timeouts) {
  outcome o;
  label = name;
  case_argument = argument;
  server.spoil = spoil;
  server.argument = argument;
  server.until = monotonic_now() + 6000000000u;
  o = use_session(mode, server.path, NULL);
  judge(o, may, timeouts * TIMEOUT / 1000.0);
  if (!is_quiet()) fail("a connection stayed open", 0);
}

/* ---- spoilers */

/* The answer with this number. */
#define ONLY(n) do { if (r->question != (n)) return; } while (0)

static void cut(int c, reply *r, long length) { (void)c; ONLY(0); if ((size_t)length < r->count) r->count = (size_t)length; }
static void longer(int c, reply *r, long extra) { (void)c; memset(r->bytes + r->count, 0xA5, (size_t)extra); r->count += (size_t)extra; }
static void hang_up(int c, reply *r, long n) { (void)c; if (r->question == n) r->closes = 1; }
static void silent(int c, reply *r, long n) { (void)c; if (r->question >= n) r->is_silent = 1; }
static void another_kind(int c, reply *r, long kind) { (void)c; set(r, 0, (uint64_t)kind, 2); }
static void refuse(int c, reply *r, long code) { (void)c; drop_descriptors(r); put_refusal(r, (int32_t)code, "no\x1b[2J", 6); }
static void refuse_cut(int c, reply *r, long length) {
  (void)c;
  drop_descriptors(r);
  put_refusal(r, -7, "a refusal in words", 18);
  r->count = (size_t)length;
}
static void refuse_at_length(int c, reply *r, long length) {
  static char text[60000];
  (void)c;
  drop_descriptors(r);
  memset(text, 'x', sizeof text);
  put_refusal(r, -7, text, (size_t)length);
}
/* Answers to somebody else's questions, one after the other, for three seconds. */
static void drip(int connection, reply *r, long milliseconds) {
  uint64_t end = monotonic_now() + 3000000000u;
  drop_descriptors(r);
  set(r, 4, r->serial + 77, 4);
  while (monotonic_now() < end && send_reply(connection, r) == 0) pause_ms(milliseconds);
  r->closes = 1;
}
/* One of those, then the right one. */
static void stale_first(int connection, reply *r, long unused) {
  reply other = *r;
  (void)unused;
  other.descriptor_count = 0;
  set(&other, 4, r->serial - 1, 4);
  send_reply(connection, &other);
  set(r, 4, r->serial, 4);
}
static void store(int c, reply *r, long at_and_value) {
  (void)c;
  ONLY(0);
  set(r, (size_t)at_and_value & 0xFF, (uint64_t)at_and_value >> 8, 2);
}
static void flip_reply(int c, reply *r, long seed) {
  int i;
  (void)c;
  random_state = (uint64_t)seed * 2654435761u + 1;
  for (i = (int)(random_word() % 3) + 1; i > 0 && r->count > 0; i--)
    r->bytes[8 + random_word() % (r->count - 8)] ^= (unsigned char)(1u << random_word() % 8);
}
/* Only from the second on, so that it opens. */
static void flip_later(int c, reply *r, long seed) { if (r->question > 0) flip_reply(c, r, seed); }
static void garbage_later(int c, reply *r, long seed) {
  size_t i;
  (void)c;
  if (r->question == 0) return;
  random_state = (uint64_t)seed * 2654435761u + 1;
  r->count = 8 + random_word() % 2000;
  for (i = 8; i < r->count; i++) r->bytes[i] = (unsigned char)(random_word() >> 9);
}
static void cut_later(int c, reply *r, long length) { (void)c; if (r->question > 0 && (size_t)length < r->count) r->count = (size_t)length; }
/* A check's answer whose effect, decider, obligations … are this. */
static void store_later(int c, reply *r, long at_and_value) {
  (void)c;
  if (r->question > 0) set(r, (size_t)at_and_value & 0xFF, (uint64_t)at_and_value >> 8, 1);
}
/* The body of an answer to `check` in memory that isn't what it should be. */
enum {
  PIPE, FOLDER, NULL_DEVICE, ZERO_DEVICE, FILE_, UNSEALED, ONLY_WRITE, EMPTY, HUGE_, SPARSE, GARBAGE, SOCKET, EVENT, WRITABLE, KINDS
};
static int descriptor_of(int kind) {
  static unsigned char noise[8192];
  int fd = -1, ends[2];
  size_t i;
  switch (kind) {
    case PIPE: if (pipe2(ends, O_CLOEXEC) == 0) { fd = ends[0]; close(ends[1]); } break;
    case FOLDER: fd = open("/", O_RDONLY | O_CLOEXEC); break;
    case NULL_DEVICE: fd = open("/dev/null", O_RDWR | O_CLOEXEC); break;
    case ZERO_DEVICE: fd = open("/dev/zero", O_RDWR | O_CLOEXEC); break;
    case FILE_: fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC); break;
    case UNSEALED: fd = memory_of(world.platform, world.platform_size); break;
    /* Can be cut under the reader's feet. */
    case ONLY_WRITE: fd = memory_of(world.platform, world.platform_size); fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE); break;
    case EMPTY: fd = sealed("", 0); break;
    case HUGE_: fd = memory_of("", 0);
      if (ftruncate(fd, 1LL << 40) != 0) die("ftruncate");
      fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE); break;
    case SPARSE: fd = memory_of("", 0);
      if (ftruncate(fd, 1 << 20) != 0) die("ftruncate");
      fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE); break;
    case GARBAGE:
      for (i = 0; i < sizeof noise; i++) noise[i] = (unsigned char)(random_word() >> 5);
      fd = sealed(noise, sizeof noise); break;
    case SOCKET: fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0); break;
    case EVENT: if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0) { fd = ends[1]; close(ends[0]); } break;
    /* Sealed against everybody who comes later, but whoever made it writes on: a page's seals, on an image. */
    case WRITABLE: fd = memory_of(world.platform, world.platform_size); fcntl(fd, F_ADD_SEALS, PAGE_SEALS); break;
  }
  if (fd < 0) die("a descriptor");
  return fd;
}
static void sealed_later(int c, reply *r, long kind) {
  (void)c;
  if (r->question == 0) return;
  set(r, 2, SEALED, 2);
  r->count = 8;
  if (kind < KINDS) r->descriptors[r->descriptor_count++] = descriptor_of((int)kind);
}
/* The right body, but in memory. */
static void sealed_well(int c, reply *r, long unused) {
  (void)c, (void)unused;
  if (r->question == 0) return;
  set(r, 2, SEALED, 2);
  r->descriptors[r->descriptor_count++] = sealed(r->bytes + 8, r->count - 8);
  r->count = 8;
}
/* Descriptor 0, 1 or 2 (page, platform, overlay) of an attachment is of another kind. */
static void other_descriptor(int c, reply *r, long which_and_kind) {
  int which = (int)(which_and_kind / KINDS);
  (void)c;
  if (r->descriptor_count <= which) return;
  close(r->descriptors[which]);
  r->descriptors[which] = descriptor_of((int)(which_and_kind % KINDS));
}
static void fewer_descriptors(int c, reply *r, long left) {
  (void)c;
  while (r->descriptor_count > left) close(r->descriptors[--r->descriptor_count]);
}
static void more_descriptors(int c, reply *r, long wanted) {
  (void)c;
  while (r->descriptor_count > 0 && r->descriptor_count < wanted) r->descriptors[r->descriptor_count++] = descriptor_of(PIPE);
}
static void rotate_descriptors(int c, reply *r, long by) {
  int copy[3], i;
  (void)c;
  if (r->descriptor_count != 3) return;
  memcpy(copy, r->descriptors, sizeof copy);
  for (i = 0; i < 3; i++) r->descriptors[i] = copy[(i + by) % 3];
}
/* An image with bits turned; with `seal` its checksum is right again. */
static void turned_image(reply *r, int at, const unsigned char *image, size_t size, long seed, int seals) {
  unsigned char *copy = malloc(size);
  int i;
  if (copy == NULL) die("malloc");
  memcpy(copy, image, size);
  random_state = (uint64_t)seed * 2654435761u + 1;
  for (i = (int)(random_word() % 4); i >= 0; i--) copy[random_word() % size] ^= (unsigned char)(1u << random_word() % 8);
  if (seals) seal_image(copy, size);
  else if (memcmp(copy, image, size) == 0) copy[size / 2] ^= 1;
  close(r->descriptors[at]);
  r->descriptors[at] = sealed(copy, size);
  free(copy);
}
static void turned(int c, reply *r, long seed) {
  (void)c;
  if (r->descriptor_count != 3) return;
  if (seed & 1) turned_image(r, 1, world.platform, world.platform_size, seed, 0);
  else turned_image(r, 2, world.overlay, world.overlay_size, seed, 0);
}
static void turned_and_sealed(int c, reply *r, long seed) {
  (void)c;
  if (r->descriptor_count != 3) return;
  if (seed & 1) turned_image(r, 1, world.platform, world.platform_size, seed, 1);
  else turned_image(r, 2, world.overlay, world.overlay_size, seed, 1);
}
static void short_image(int c, reply *r, long size) {
  (void)c;
  if (r->descriptor_count != 3) return;
  close(r->descriptors[1]);
  r->descriptors[1] = sealed(world.platform, (size_t)size);
}
static unsigned char *other_overlay;
static size_t other_overlay_size;
static void foreign_overlay(int c, reply *r, long unused) {
  (void)c, (void)unused;
  if (r->descriptor_count != 3) return;
  close(r->descriptors[2]);
  r->descriptors[2] = sealed(other_overlay, other_overlay_size);
}

/* ---- what changes under its feet */

static void publish_smaller(void) { world.page[GENERATION] = world.generation -= 3; }
static void publish_larger(void) { world.page[GENERATION] = world.generation += 3; }
static void page_moves_on(void) { world.page[GENERATION] = world.generation + 5; }
static void die_out(void) { world.page[HEARTBEAT] = monotonic_now() - 3600000000000u; }
static void from_the_future(void) {
  world.page[HEARTBEAT] = monotonic_now() + (UINT64_C(1) << 62);
  server.spoil = silent;
  pause_ms(80);
}
static void end_of_daemon(void) { world.page[GONE] = 1; world.page[REVOCATION]++; }

static int turning;
static void *turn(void *unused) {
  uint64_t end = monotonic_now() + 3000000000u;
  (void)unused;
  while (__atomic_load_n(&turning, __ATOMIC_RELAXED) && monotonic_now() < end)
    __atomic_fetch_add((uint64_t *)&world.page[REVOCATION], 1, __ATOMIC_RELEASE);
  /* Still again and again, so that whoever believes it gets on at last. */
  world.page[REVOCATION] = world.revocation;
  return NULL;
}

static void fresh_world(void) {
  world.generation = 10;
  world.revocation = 4;
  make_page(4096, PAGE_SEALS);
}

static void changing(const char *name, void (*change)(void), int may, double timeouts, unsigned stale_after) {
  outcome o;
  fresh_world();
  label = name;
  case_argument = 0;
  server.spoil = NULL;
  server.until = monotonic_now() + 3000000000u;
  o = use(LICET_SNAPSHOT, server.path, stale_after, change);
  judge(o, may, timeouts * TIMEOUT / 1000.0);
  if (!is_quiet()) fail("a connection stayed open", 0);
  fresh_world();
}

/* ---- what is said of sessions */

#define OF_SESSION do { if (r->kind < OPEN) return; } while (0)
static void cut_session(int c, reply *r, long length) { (void)c; OF_SESSION; if ((size_t)length < r->count) r->count = (size_t)length; }
static void longer_session(int c, reply *r, long extra) { OF_SESSION; longer(c, r, extra); }
static void flip_session(int c, reply *r, long seed) { OF_SESSION; if (r->count > 8) flip_reply(c, r, seed); }
static void silent_session(int c, reply *r, long unused) { (void)c, (void)unused; OF_SESSION; r->is_silent = 1; }
static void hang_up_session(int c, reply *r, long unused) { (void)c, (void)unused; OF_SESSION; r->closes = 1; }
static void refuse_session(int c, reply *r, long code) { OF_SESSION; refuse(c, r, code); }
static void store_session(int c, reply *r, long at_and_value) {
  (void)c;
  OF_SESSION;
  if (r->count > 100) set(r, (size_t)at_and_value & 0xFF, (uint64_t)at_and_value >> 8, 2);
}
static void store_session_long(int c, reply *r, long at) {
  (void)c;
  OF_SESSION;
  if (r->count > 130) set(r, (size_t)at, UINT64_C(0x7FFFFFFFFFFFFFFF), 8);
}
static void other_region(int c, reply *r, long kind) {
  (void)c;
  OF_SESSION;
  if (r->descriptor_count == 0) return;
  close(r->descriptors[0]);
  r->descriptors[0] = descriptor_of((int)kind);
}
static void no_region(int c, reply *r, long unused) { (void)c, (void)unused; OF_SESSION; drop_descriptors(r); }
static void another_session(int c, reply *r, long unused) {
  (void)c, (void)unused;
  OF_SESSION;
  if (r->kind != OPEN && r->count > 100) set(r, 8, 99, 8);
}

static void word_moves_on(void) { __atomic_fetch_add((uint64_t *)&world.region[SESSION_WORD], 2, __ATOMIC_RELEASE); }
static void *turn_word(void *unused) {
  (void)unused;
  while (__atomic_load_n(&turning, __ATOMIC_RELAXED)) word_moves_on();
  return NULL;
}

static void sessions(unsigned rounds) {
  static const long codes[] = {0, 1, INT32_MAX, INT32_MIN, -1, -17, -19, -20, -21, -22, -23, -1000};
  static const size_t sizes[] = {8, 4096, REGION_WORDS * 8 - 8, REGION_WORDS * 8 + 4096};
  const int any = NOTHING | STRICT | ALLOWS;
  pthread_t turner;
  long i;
  int mode;
  make_region(REGION_WORDS * 8, PAGE_SEALS);
  for (mode = LICET_SNAPSHOT; mode <= LICET_REMOTE; mode++) {
    against_session("a session", mode, NULL, 0, ALLOWS, 0);
    for (i = 8; i < 200; i++) against_session("a session's answer that is cut", mode, cut_session, i, NOTHING, 2);
    for (i = 1; i < 5; i++) against_session("a session's answer that goes on", mode, longer_session, i * 7, NOTHING, 2);
    for (i = 0; i < (long)(sizeof codes / sizeof *codes); i++)
      against_session("refuses a session", mode, refuse_session, codes[i], NOTHING, 2);
    against_session("is silent about sessions", mode, silent_session, 0, NOTHING, 4);
    against_session("hangs up after it", mode, hang_up_session, 0, any, 4);
    against_session("speaks of another session", mode, another_session, 0, any, 2);
    for (i = 0; i < (long)rounds / 2; i++) against_session("a session's answer with turned bits", mode, flip_session, i, any, 4);
    for (i = 8; i < 120; i++) against_session("a session of absurd numbers", mode, store_session_long, i, any, 4);
  }
  for (i = 2; i < 256; i = i * 2 + 1) {
    against_session("so many names", LICET_SNAPSHOT, store_session, AT_NAMES | (i * 257) << 8, NOTHING, 2);
    against_session("so many patterns", LICET_SNAPSHOT, store_session, AT_PATTERNS | (i * 257) << 8, NOTHING, 2);
    against_session("so many attributes", LICET_SNAPSHOT, store_session, AT_SESSION_ATTRIBUTES | (i * 257) << 8, NOTHING, 2);
    against_session("so many halts of a session", LICET_SNAPSHOT, store_session, AT_SESSION_HALTS | (i * 257) << 8, NOTHING, 2);
  }
  for (i = 0; i < SESSION_WORD; i++) against_session("a word that is none", LICET_SNAPSHOT, store_session, AT_WORD | i << 8, NOTHING, 2);
  for (i = 0; i < KINDS; i++) against_session("a region of another kind", LICET_SNAPSHOT, other_region, i, NOTHING, 2);
  against_session("no region", LICET_SNAPSHOT, no_region, 0, NOTHING, 2);
  for (i = 0; i < 4; i++) {
    make_region(sizes[i], PAGE_SEALS);
    against_session("a region of another size", LICET_SNAPSHOT, NULL, (long)sizes[i], NOTHING, 2);
  }
  make_region(REGION_WORDS * 8, F_SEAL_SEAL);
  against_session("a region that can shrink", LICET_SNAPSHOT, NULL, 0, NOTHING, 2);
  make_region(REGION_WORDS * 8, PAGE_SEALS);
  for (i = 0; i < 3; i++) {
    world.region[i] ^= 1;
    against_session("another magic, version or number", LICET_SNAPSHOT, NULL, i, NOTHING, 2);
    world.region[i] ^= 1;
  }
  case_argument = 0;
  label = "a word that moves on";
  server.spoil = NULL;
  server.until = monotonic_now() + 6000000000u;
  judge(use_session(LICET_SNAPSHOT, server.path, word_moves_on), ALLOWS, 1.0);
  label = "a word that never stands still";
  turning = 1;
  if (pthread_create(&turner, NULL, turn_word, NULL) != 0) die("pthread_create");
  server.until = monotonic_now() + 6000000000u;
  judge(use_session(LICET_SNAPSHOT, server.path, NULL), STRICT | ALLOWS, 3.0);
  __atomic_store_n(&turning, 0, __ATOMIC_RELAXED);
  pthread_join(turner, NULL);
  munmap((void *)world.region, REGION_WORDS * 8);
  close(world.region_memory);
  world.region = NULL;
}

/* ---- sockets that are none */

static void *accept_late(void *listening) {
  pause_ms(3000);
  shutdown((int)(intptr_t)listening, SHUT_RDWR);
  close((int)(intptr_t)listening);
  return NULL;
}

static void sockets(const char *folder) {
  char path[100];
  int listening, waiting[3], i;
  pthread_t thread;
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  case_argument = 0;
  label = "nothing there";
  snprintf(path, sizeof path, "%s/none", folder);
  judge(use(LICET_SNAPSHOT, path, 0, NULL), NOTHING, 0);
  label = "a folder";
  judge(use(LICET_SNAPSHOT, folder, 0, NULL), NOTHING, 0);
  label = "a device";
  judge(use(LICET_SNAPSHOT, "/dev/null", 0, NULL), NOTHING, 0);
  label = "a path that no socket has";
  judge(use(LICET_SNAPSHOT, "/tmp/0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789",
            0, NULL), NOTHING, 0);
  snprintf(path, sizeof path, "%s/stream", folder);
  label = "a stream";
  listening = listen_at(path, SOCK_STREAM, 8);
  judge(use(LICET_SNAPSHOT, path, 0, NULL), NOTHING, 0);
  close(listening);
  label = "nobody listens any more";
  judge(use(LICET_SNAPSHOT, path, 0, NULL), NOTHING, 0);
  label = "never accepted";
  listening = listen_at(path, SOCK_SEQPACKET, 8);
  judge(use(LICET_SNAPSHOT, path, 0, NULL), NOTHING, 1.0 * TIMEOUT / 1000);
  close(listening);
  label = "a queue that is full";
  listening = listen_at(path, SOCK_SEQPACKET, 0);
  snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
  for (i = 0; i < 3; i++) {
    waiting[i] = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    (void)!connect(waiting[i], (struct sockaddr *)&address, sizeof address);
  }
  if (pthread_create(&thread, NULL, accept_late, (void *)(intptr_t)listening) != 0) die("pthread_create");
  judge(use(LICET_SNAPSHOT, path, 0, NULL), NOTHING, 1.0 * TIMEOUT / 1000);
  pthread_join(thread, NULL);
  for (i = 0; i < 3; i++) close(waiting[i]);
  unlink(path);
}

/* ---- image files */

static void write_file(const char *path, const void *bytes, size_t count) {
  int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0 || write(file, bytes, count) != (ssize_t)count) die(path);
  close(file);
}

static int growing;
static void *grow(void *path) {
  while (__atomic_load_n(&growing, __ATOMIC_RELAXED)) {
    int file = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    if (file < 0 || write(file, "more", 4) != 4 || ftruncate(file, 100 + (off_t)(random_word() % 8000)) != 0) die(path);
    close(file);
  }
  return NULL;
}

static void files(const char *folder, const unsigned char *bundle, size_t size, unsigned rounds) {
  char path[100];
  unsigned char *copy = malloc(size);
  uint64_t words[8], sum;
  unsigned round;
  size_t length;
  pthread_t thread;
  int file;
  if (copy == NULL) die("malloc");
  snprintf(path, sizeof path, "%s/image", folder);
  label = "an image file";
  write_file(path, bundle, size);
  judge(use(LICET_EMBEDDED, path, 0, NULL), ALLOWS, 0);
  label = "a cut image file";
  for (length = 0; length < size; length += length < 256 ? 1 : 97) {
    case_argument = (long)length;
    write_file(path, bundle, length);
    judge(use(LICET_EMBEDDED, path, 0, NULL), NOTHING, 0);
  }
  label = "an image file with turned bits";
  for (round = 0; round < rounds; round++) {
    int i;
    case_argument = round;
    random_state = round * 2654435761u + 1;
    memcpy(copy, bundle, size);
    for (i = (int)(random_word() % 4); i >= 0; i--) copy[random_word() % size] ^= (unsigned char)(1u << random_word() % 8);
    if (round % 2 == 0) {
      /* Every checksum is right again. */
      memcpy(words, bundle + 32, sizeof words);
      seal_image(copy + words[2], words[3]);
      seal_image(copy + words[6], words[7]);
      sum = hash64(copy + 32, 64, 0);
      memcpy(copy + 24, &sum, 8);
    }
    write_file(path, copy, size);
    judge(use(LICET_EMBEDDED, path, 0, NULL), NOTHING | STRICT | ALLOWS, 0);
  }
  label = "a file that changes while it is read";
  write_file(path, bundle, size);
  growing = 1;
  if (pthread_create(&thread, NULL, grow, path) != 0) die("pthread_create");
  for (round = 0; round < 200; round++) {
    case_argument = round;
    judge(use(LICET_EMBEDDED, path, 0, NULL), NOTHING | ALLOWS, 0.1);
  }
  __atomic_store_n(&growing, 0, __ATOMIC_RELAXED);
  pthread_join(thread, NULL);
  case_argument = 0;
  label = "no regular file";
  unlink(path);
  if (mkfifo(path, 0600) != 0) die(path);
  judge(use(LICET_EMBEDDED, path, 0, NULL), NOTHING, 0);
  judge(use(LICET_EMBEDDED, folder, 0, NULL), NOTHING, 0);
  judge(use(LICET_EMBEDDED, "/dev/zero", 0, NULL), NOTHING, 0);
  judge(use(LICET_EMBEDDED, "/dev/null", 0, NULL), NOTHING, 0);
  judge(use(LICET_EMBEDDED, "/proc/self/mem", 0, NULL), NOTHING, 0);
  unlink(path);
  label = "a file of a terabyte";
  file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0 || ftruncate(file, 1LL << 40) != 0) die(path);
  close(file);
  judge(use(LICET_EMBEDDED, path, 0, NULL), NOTHING, 0);
  unlink(path);
  free(copy);
}

int main(int argc, char **argv) {
  char folder[] = "/tmp/licet-hostile-XXXXXX";
  size_t size, other_size, spare;
  unsigned char *bundle, *other, *unused;
  unsigned rounds = getenv("HOSTILE_ROUNDS") != NULL ? (unsigned)atoi(getenv("HOSTILE_ROUNDS")) : 2000;
  int before, after;
  long i, k;
  pthread_t turner;
  uint64_t started = monotonic_now();
  if (argc < 3) {
    fprintf(stderr, "usage: hostile-daemon BUNDLE OTHER-BUNDLE\n");
    return 64;
  }
  if (getenv("HOSTILE_SLACK") != NULL) slack = atof(getenv("HOSTILE_SLACK"));
  /* A hang ends too, and says where. */
  signal(SIGALRM, give_up);
  alarm(240);
  if (mkdtemp(folder) == NULL) die(folder);
  bundle = read_whole(argv[1], &size);
  other = read_whole(argv[2], &other_size);
  take_images(bundle, &world.platform, &world.platform_size, &world.overlay, &world.overlay_size);
  take_images(other, &unused, &spare, &other_overlay, &other_overlay_size);
  fresh_world();
  before = count_descriptors();
  start_server(folder);

  against("as it should be", LICET_SNAPSHOT, NULL, 0, ALLOWS, 0);
  against("as it should be, remotely", LICET_REMOTE, NULL, 0, ALLOWS, 0);
  against("a stale answer first", LICET_SNAPSHOT, stale_first, 0, NOTHING | ALLOWS, 0);
  against("an answer in sealed memory", LICET_REMOTE, sealed_well, 0, ALLOWS, 0);
  sockets(folder);

  for (i = 0; i < 5; i++) against("hangs up", LICET_REMOTE, hang_up, i, NOTHING | STRICT | ALLOWS, 2);
  for (i = 0; i < 2; i++) against("is silent", LICET_REMOTE, silent, i, i == 0 ? NOTHING : STRICT, 2);
  against("is silent", LICET_SNAPSHOT, silent, 0, NOTHING, 1);
  against("answers others' questions", LICET_SNAPSHOT, drip, 20, NOTHING, 1);

  for (i = 0; i < ATTACH_SIZE; i++) against("cut", LICET_SNAPSHOT, cut, i, NOTHING, 0);
  for (i = 1; i < 10; i++) against("goes on", LICET_SNAPSHOT, longer, i * i * 100, NOTHING | ALLOWS, 0);
  for (i = 0; i < 12; i++) {
    against("another kind", LICET_SNAPSHOT, another_kind, i, NOTHING, 1);
    if (i != ATTACH) against("another kind", LICET_SNAPSHOT, another_kind, i | ANSWER, NOTHING, 1);
  }
  {
    static const long codes[] = {0, 1, 2, 3, INT32_MAX, INT32_MIN, -1, -7, -18, -19, -1000};
    for (i = 0; i < (long)(sizeof codes / sizeof *codes); i++) {
      against("refuses", LICET_SNAPSHOT, refuse, codes[i], NOTHING, 0);
      against("refuses", LICET_REMOTE, refuse, codes[i], NOTHING, 0);
    }
  }
  for (i = 8; i < 34; i++) against("a refusal that is cut", LICET_SNAPSHOT, refuse_cut, i, NOTHING, 0);
  for (i = 0; i < 60000; i = i * 2 + 119) against("a long refusal", LICET_SNAPSHOT, refuse_at_length, i, NOTHING, 0);
  for (i = 0; i < 2; i++)
    for (k = 0; k < 4; k++) {
      static const uint64_t versions[] = {0, 4, 255, 65535};
      against("another version", LICET_SNAPSHOT, store, AT_VERSION | (long)versions[k] << 8, NOTHING, 0);
      against("so many halts", LICET_SNAPSHOT, store, AT_HALTS | (long)(versions[k] == 0 ? 1 : versions[k]) << 8, NOTHING, 0);
      against("a name of such a length", LICET_SNAPSHOT, store, (AT_OPERATOR + 2 * i) | (long)(versions[k] <= 2 ? 51 : versions[k]) << 8,
              NOTHING, 0);
    }
  for (i = 0; i < 8; i++) against("other descriptors than it says", LICET_SNAPSHOT, store, AT_FLAGS | i << 8,
                                  i == 7 ? ALLOWS : NOTHING | ALLOWS, 0);
  for (i = 0; i < (long)rounds / 20; i++) against("turned bits", LICET_SNAPSHOT, flip_reply, i, NOTHING | STRICT | ALLOWS, 3);

  /* Where descriptors don't get through whole, as under a security module, licetd is asked call by call. */
  for (i = 0; i < 3 * KINDS; i++) against("another descriptor", LICET_SNAPSHOT, other_descriptor, i, NOTHING, 1);
  for (i = 0; i < 3; i++) against("descriptors are missing", LICET_SNAPSHOT, fewer_descriptors, i, NOTHING, 1);
  for (i = 4; i < 12; i++) against("too many descriptors", LICET_SNAPSHOT, more_descriptors, i, ALLOWS, 1);
  for (i = 1; i < 3; i++) against("descriptors in another order", LICET_SNAPSHOT, rotate_descriptors, i, NOTHING, 1);
  {
    static const size_t sizes[] = {1, 8, 63, 4095, 4097, 8192};
    for (i = 0; i < 6; i++) {
      make_page(sizes[i], PAGE_SEALS);
      against("a page of another size", LICET_SNAPSHOT, NULL, (long)sizes[i], sizes[i] < 4096 ? NOTHING : NOTHING | ALLOWS, 0);
    }
    fresh_world();
    for (i = 0; i < 2; i++) {
      world.page[i] ^= 1;
      against("another magic or version", LICET_SNAPSHOT, NULL, i, NOTHING, 0);
      world.page[i] ^= 1;
    }
  }
  for (i = 0; i < (long)rounds; i++) against("an image with turned bits", LICET_SNAPSHOT, turned, i, NOTHING, 0);
  for (i = 0; i < (long)rounds; i++)
    against("an image with turned bits and a right checksum", LICET_SNAPSHOT, turned_and_sealed, i, NOTHING | STRICT | ALLOWS, 0);
  for (i = 1; i < (long)world.platform_size; i += i < 256 ? 7 : 211) against("a cut image", LICET_SNAPSHOT, short_image, i, NOTHING, 0);
  against("another platform's overlay", LICET_SNAPSHOT, foreign_overlay, 0, NOTHING, 0);

  changing("a generation that goes on", publish_larger, ALLOWS, 1, 0);
  changing("a generation that goes back", publish_smaller, NOTHING | STRICT | ALLOWS, 1, 0);
  changing("a page ahead of its answers", page_moves_on, NOTHING | STRICT | ALLOWS, 2, 0);
  changing("an old heartbeat, but it answers", die_out, ALLOWS, 1, 50);
  changing("a heartbeat of the future, and silence", from_the_future, STRICT, 2, 50);
  changing("gone, and here again", end_of_daemon, STRICT, 2, 50);
  fresh_world();
  label = "a revocation at each look";
  turning = 1;
  if (pthread_create(&turner, NULL, turn, NULL) != 0) die("pthread_create");
  while (__atomic_load_n(&world.page[REVOCATION], __ATOMIC_ACQUIRE) == world.revocation) pause_ms(1);
  server.spoil = NULL;
  server.until = monotonic_now() + 3000000000u;
  judge(use(LICET_SNAPSHOT, server.path, 0, NULL), STRICT, 3.0 * TIMEOUT / 1000);
  __atomic_store_n(&turning, 0, __ATOMIC_RELAXED);
  pthread_join(turner, NULL);
  fresh_world();

  for (i = 0; i < 160; i++) against("an answer that is cut", LICET_REMOTE, cut_later, i, STRICT | (i >= 131 ? ALLOWS : 0), 2);
  for (i = 3; i < 256; i++) against("an effect that is none", LICET_REMOTE, store_later, 8 | i << 8, STRICT, 2);
  for (i = 10; i < 256; i++) against("a decider that is none", LICET_REMOTE, store_later, 17 | i << 8, STRICT, 2);
  for (i = 0; i < (long)rounds; i++) against("an answer with turned bits", LICET_REMOTE, flip_later, i, STRICT | ALLOWS, 2);
  for (i = 0; i < (long)rounds; i++) against("noise for an answer", LICET_REMOTE, garbage_later, i, STRICT, 2);
  for (i = 0; i <= KINDS; i++) against("an answer in other memory", LICET_REMOTE, sealed_later, i, STRICT, 2);

  sessions(rounds);
  files(folder, bundle, size, rounds);
  stop_server();
  unlink(server.path);
  rmdir(folder);
  after = count_descriptors();
  label = "the end";
  if (after != before) fail("descriptors stayed open", after - before);
  munmap((void *)world.page, 65536);
  free(bundle); free(other); free(unused); free(world.platform); free(world.overlay); free(other_overlay);
  if (failures > 0) return 1;
  printf("hostile-daemon: %u times used, %.1f s: no crash, no hang, nothing allowed that can't be believed\n", uses,
         (double)(monotonic_now() - started) / 1e9);
  return 0;
}
