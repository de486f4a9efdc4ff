/* What a licetd would answer at its attach socket, byte by byte, and a hook through which a case spoils it. One listening
   thread, one thread a connection. */
#pragma once
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { ATTACH = 1, REFRESH = 2, CHECK = 3, REFUSAL = 4, OPEN = 8, SESSION = 9, CHANGE = 10, ANSWER = 0x8000, SEALED = 1 };
/* Words of the state page. */
enum { MAGIC, VERSION, EPOCH, GENERATION, HEARTBEAT, REVOCATION, GONE };
static const uint64_t page_magic = 0x415453544543494cu; /* "LICETSTA", little-endian */
/* Words of a region of sessions: magic, version, identity; the one session's own. */
enum { REGION_WORDS = 131072, REGION_IDENTITY = 2, SESSION_WORD = 8 };
static const uint64_t region_magic = 0x534553544543494cu; /* "LICETSES" */

static void die(const char *what) {
  perror(what);
  exit(70);
}

static uint64_t monotonic_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void pause_ms(long milliseconds) {
  struct timespec wait = {milliseconds / 1000, milliseconds % 1000 * 1000000};
  while (nanosleep(&wait, &wait) != 0 && errno == EINTR) {}
}

/* ---- memory to hand out */

static int memory_of(const void *bytes, size_t count) {
  int memory = memfd_create("hostile", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (memory < 0 || (count > 0 && write(memory, bytes, count) != (ssize_t)count)) die("memfd");
  return memory;
}

static inline int sealed(const void *bytes, size_t count) {
  int memory = memory_of(bytes, count);
  if (fcntl(memory, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) != 0) die("seal");
  return memory;
}

/* ---- the world that is answered from */

static struct {
  unsigned char *platform, *overlay;
  size_t platform_size, overlay_size;
  /* The state page, mapped to write. */
  volatile uint64_t *page;
  int page_memory;
  size_t page_size;
  uint64_t generation, revocation;
  /* The words of sessions, mapped to write. */
  volatile uint64_t *region;
  int region_memory;
} world;

static void make_page(size_t size, int seals) {
  if (world.page != NULL) {
    munmap((void *)world.page, 65536);
    close(world.page_memory);
  }
  world.page_memory = memfd_create("hostile-page", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  world.page_size = size;
  if (world.page_memory < 0 || ftruncate(world.page_memory, (off_t)size) != 0) die("page");
  /* More is mapped than there may be, and only what there is gets touched. */
  world.page = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_SHARED, world.page_memory, 0);
  if (world.page == MAP_FAILED) die("mmap");
  if (size >= 64) {
    world.page[MAGIC] = page_magic;
    world.page[VERSION] = 1;
    world.page[EPOCH] = 1;
    world.page[GENERATION] = world.generation;
    world.page[HEARTBEAT] = monotonic_now();
    world.page[REVOCATION] = world.revocation;
    world.page[GONE] = 0;
  }
  if (fcntl(world.page_memory, F_ADD_SEALS, seals) != 0) die("seal the page");
}
enum { PAGE_SEALS = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL | 0x10 /* F_SEAL_FUTURE_WRITE */ };

static inline void make_region(size_t size, int seals) {
  if (world.region != NULL) {
    munmap((void *)world.region, REGION_WORDS * 8);
    close(world.region_memory);
  }
  world.region_memory = memfd_create("hostile-region", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (world.region_memory < 0 || ftruncate(world.region_memory, (off_t)size) != 0) die("region");
  world.region = mmap(NULL, REGION_WORDS * 8, PROT_READ | PROT_WRITE, MAP_SHARED, world.region_memory, 0);
  if (world.region == MAP_FAILED) die("mmap");
  if (size >= 80) {
    world.region[MAGIC] = region_magic;
    world.region[VERSION] = 1;
    world.region[REGION_IDENTITY] = 4711;
    world.region[SESSION_WORD] = 3;
  }
  if (fcntl(world.region_memory, F_ADD_SEALS, seals) != 0) die("seal the region");
}

/* ---- messages */

typedef struct reply {
  unsigned char *bytes;
  size_t count;
  int descriptors[16];
  int descriptor_count;
  /* Of the question. */
  uint16_t kind;
  uint32_t serial;
  /* From 0: of this connection. */
  int question;
  /* The spoiler sets it: nothing is sent. */
  int is_silent;
  /* The connection ends behind the answer. */
  int closes;
} reply;
enum { reply_room = 1 << 17 };

static void put(reply *r, uint64_t value, size_t width) {
  memcpy(r->bytes + r->count, &value, width);
  r->count += width;
}
static void put_text(reply *r, const char *text, size_t length) {
  put(r, length, 4);
  memcpy(r->bytes + r->count, text, length);
  r->count += length;
}
static inline void set(reply *r, size_t offset, uint64_t value, size_t width) { memcpy(r->bytes + offset, &value, width); }

static void put_head(reply *r, unsigned kind) {
  put(r, kind, 2);
  put(r, 0, 2);
  put(r, r->serial, 4);
}

/* Offsets in an answer to `attach`. */
enum {
  AT_VERSION = 8, AT_NOW = 12, AT_OPERATOR = 20, AT_EPOCH = 26, AT_GENERATION = 34, AT_REVOCATION = 42, AT_PLATFORM = 50,
  AT_OVERLAY = 58, AT_FLAGS = 66, AT_HALTS = 68, ATTACH_SIZE = 70
};

static void put_snapshot(reply *r, int with_page) {
  uint64_t generation = __atomic_load_n(&world.generation, __ATOMIC_ACQUIRE);
  put(r, 1, 8);
  put(r, generation, 8);
  put(r, world.revocation, 8);
  put(r, generation, 8);
  put(r, generation, 8);
  put(r, with_page ? 7 : 6, 2);
  put(r, 0, 2);
  if (with_page) r->descriptors[r->descriptor_count++] = dup(world.page_memory);
  r->descriptors[r->descriptor_count++] = sealed(world.platform, world.platform_size);
  r->descriptors[r->descriptor_count++] = sealed(world.overlay, world.overlay_size);
}

static void put_attach(reply *r, int wants_images) {
  put_head(r, ATTACH | ANSWER);
  put(r, 3, 2);
  put(r, 0, 2);
  put(r, monotonic_now(), 8);
  put_text(r, "op", 2);
  if (wants_images) {
    put_snapshot(r, 1);
  } else {
    put(r, 1, 8);
    put(r, world.generation, 8);
    put(r, world.revocation, 8);
    put(r, 0, 8);
    put(r, 0, 8);
    put(r, 0, 4);
  }
}

static void put_statement(reply *r) {
  put(r, 0, 1);
  put(r, 7, 4);
  put(r, 5, 2);
  put_text(r, "operators.d/op.yaml", 19);
  put_text(r, "tool.mail", 9);
  put_text(r, "T/1", 3);
  put(r, UINT32_MAX, 4);
}

static void put_halt(reply *r) {
  put(r, 0, 1); put(r, 5, 8); put(r, 0, 4); put_text(r, "op", 2); put_text(r, "", 0);
}

/* LICET_ALLOW with everything that an answer can hold. */
static void put_check(reply *r, int explains) {
  put_head(r, CHECK | ANSWER);
  put(r, 2, 1);
  put(r, world.generation, 8);
  put(r, 1, 1);
  put(r, 0, 1);
  put_text(r, "tool.mail", 9);
  put_statement(r);
  put(r, 2, 2);
  put_text(r, "balance", 7);
  put_text(r, "log", 3);
  put(r, 1, 2);
  put_halt(r);
  if (!explains) {
    put(r, 255, 1);
    put(r, 0, 4);
    return;
  }
  put(r, 2, 1);
  put(r, 1, 1);
  put(r, 5, 1);
  put_halt(r);
  put(r, 8, 1); put(r, 4, 1); put_text(r, "tool.mail", 9); put_statement(r);
  put(r, 1, 4);
  put(r, 1, 1); put(r, 1, 1); put(r, 2, 1); put(r, 2, 1); put(r, 255, 1); put(r, 0, 1); put(r, 0, 1);
  put_text(r, "tool.mail", 9);
  put_text(r, "user.role", 9);
  put_statement(r);
}

/* Offsets in an answer about a session. */
enum {
  AT_SESSION_FLAGS = 24, AT_SESSION_ATTRIBUTES = 26, AT_SESSION_HALTS = 28, AT_REGION = 32, AT_WORD = 40, AT_SESSION_VERSION = 48,
  AT_LEFT = 56, AT_UNSPENT = 80, AT_TERMS = 88, AT_NAMES = 90, AT_PATTERNS = 92
};

/* A session that lets everything be, with something of each kind. `knows`: the region that the asker has; `wants`: any. */
static void put_session(reply *r, unsigned kind, uint64_t knows) {
  int has_word = world.region != NULL && knows != UINT64_MAX, brings = has_word && knows != 4711;
  double unspent = 2.5;
  put_head(r, kind | ANSWER);
  put(r, 0x0123456789abcdefu, 8);
  put(r, 0xfedcba9876543210u, 8);
  put(r, brings ? 1 : 0, 2);
  put(r, 2, 2);
  put(r, 0, 2);
  put(r, 0, 2);
  put(r, has_word ? 4711 : 0, 8);
  put(r, has_word ? SESSION_WORD : 0, 4);
  put(r, 0, 4);
  put(r, has_word ? __atomic_load_n((uint64_t *)&world.region[SESSION_WORD], __ATOMIC_ACQUIRE) : 0, 8);
  put(r, UINT64_MAX, 8);
  put(r, 0, 8);
  put(r, 0, 8);
  memcpy(r->bytes + r->count, &unspent, 8);
  r->count += 8;
  put(r, 1, 1); put(r, 0, 1); put(r, 4, 2); put(r, 2, 2); put(r, 0, 2); put(r, 300000, 4); put(r, 1000000, 4);
  put(r, 1, 1); put(r, 2, 1); put_text(r, "tool", 4);
  put(r, 2, 1); put(r, 2, 1); put_text(r, "tool", 4);
  put(r, 0, 1); put(r, 2, 1); put_text(r, "tool.mail", 9);
  put(r, 1, 1); put(r, 1, 1); put_text(r, "unrelated", 9);
  put(r, 0, 2); put_text(r, "**", 2);
  put(r, 1, 2); put_text(r, "mailto:*", 8);
  put_text(r, "user.name", 9); put(r, 6, 1); put_text(r, "somebody", 8);
  put_text(r, "session.list", 12); put(r, 8, 1); put(r, 2, 4); put(r, 3, 1); put(r, 7, 8); put(r, 2, 1); put(r, 1, 1);
  if (brings) r->descriptors[r->descriptor_count++] = dup(world.region_memory);
}

static inline void put_refusal(reply *r, int32_t code, const char *text, size_t length) {
  r->count = 0;
  put_head(r, REFUSAL);
  put(r, (uint32_t)code, 4);
  put_text(r, text, length);
}

static void drop_descriptors(reply *r) {
  int i;
  for (i = 0; i < r->descriptor_count; i++) close(r->descriptors[i]);
  r->descriptor_count = 0;
}

static int send_reply(int connection, const reply *r) {
  struct iovec part = {r->bytes, r->count};
  union {
    struct cmsghdr header;
    char space[CMSG_SPACE(16 * sizeof(int))];
  } control;
  struct msghdr message;
  memset(&message, 0, sizeof message);
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (r->descriptor_count > 0) {
    memset(&control, 0, sizeof control);
    message.msg_control = &control;
    message.msg_controllen = CMSG_SPACE((size_t)r->descriptor_count * sizeof(int));
    control.header.cmsg_level = SOL_SOCKET;
    control.header.cmsg_type = SCM_RIGHTS;
    control.header.cmsg_len = CMSG_LEN((size_t)r->descriptor_count * sizeof(int));
    memcpy(CMSG_DATA(&control.header), r->descriptors, (size_t)r->descriptor_count * sizeof(int));
  }
  return sendmsg(connection, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* ---- the server */

typedef void spoiler(int connection, reply *r, long argument);

static struct {
  char path[108];
  int listening;
  spoiler *spoil;
  long argument;
  /* Connections that are served, and that ever were. */
  int open, accepted;
  pthread_t thread;
  /* After that nobody is answered: who would ask for ever gets on, late. */
  uint64_t until;
} server;

static void *serve(void *opaque) {
  int connection = (int)(intptr_t)opaque;
  unsigned char question[65536], space[reply_room];
  reply r;
  r.bytes = space;
  for (r.question = 0;; r.question++) {
    ssize_t got = recv(connection, question, sizeof question, 0);
    int stops;
    if (got < 8 || monotonic_now() > server.until) break;
    r.count = 0;
    r.descriptor_count = 0;
    r.is_silent = r.closes = 0;
    memcpy(&r.kind, question, 2);
    memcpy(&r.serial, question + 4, 4);
    if (r.kind == ATTACH) put_attach(&r, got > 12 && question[12] & 1);
    else if (r.kind == REFRESH) {
      put_head(&r, REFRESH | ANSWER);
      put_snapshot(&r, 0);
    } else if (r.kind == CHECK) put_check(&r, got > 8 && question[8] & 1);
    else if (r.kind == OPEN || r.kind == SESSION || (r.kind == CHANGE && got > 32 && question[32] != 3)) {
      uint64_t knows = 0;
      if (got >= 16) memcpy(&knows, question + 8, 8);
      put_session(&r, r.kind, knows);
    } else if (r.kind == CHANGE) put_head(&r, CHANGE | ANSWER);
    else put_refusal(&r, -15, "what?", 5);
    if (server.spoil != NULL) server.spoil(connection, &r, server.argument);
    stops = r.closes || (!r.is_silent && send_reply(connection, &r) < 0);
    drop_descriptors(&r);
    if (stops) break;
  }
  close(connection);
  __atomic_fetch_sub(&server.open, 1, __ATOMIC_RELEASE);
  return NULL;
}

static void *accept_all(void *unused) {
  pthread_attr_t detached;
  (void)unused;
  pthread_attr_init(&detached);
  pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&detached, 1 << 20);
  for (;;) {
    pthread_t thread;
    int connection = accept4(server.listening, NULL, NULL, SOCK_CLOEXEC);
    if (connection < 0) {
      if (errno == EINTR || errno == ECONNABORTED) continue;
      return NULL;
    }
    __atomic_fetch_add(&server.open, 1, __ATOMIC_RELEASE);
    __atomic_fetch_add(&server.accepted, 1, __ATOMIC_RELEASE);
    if (pthread_create(&thread, &detached, serve, (void *)(intptr_t)connection) != 0) die("pthread_create");
  }
}

static int listen_at(const char *path, int type, int backlog) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  int listening = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
  snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
  unlink(path);
  if (listening < 0 || bind(listening, (struct sockaddr *)&address, sizeof address) != 0 || listen(listening, backlog) != 0)
    die(path);
  return listening;
}

static void start_server(const char *folder) {
  snprintf(server.path, sizeof server.path, "%s/attach", folder);
  server.listening = listen_at(server.path, SOCK_SEQPACKET, 128);
  if (pthread_create(&server.thread, NULL, accept_all, NULL) != 0) die("pthread_create");
}

static inline void stop_server(void) {
  shutdown(server.listening, SHUT_RDWR);
  pthread_join(server.thread, NULL);
  close(server.listening);
}

/* Until every connection was given back; 0: they were not. */
static inline int is_quiet(void) {
  int i;
  for (i = 0; i < 2000; i++) {
    if (__atomic_load_n(&server.open, __ATOMIC_ACQUIRE) == 0) return 1;
    pause_ms(1);
  }
  return 0;
}

/* ---- images */

static uint64_t mix(uint64_t state, uint64_t word) {
  uint64_t x = (state ^ word) * 0x9E3779B97F4A7C15u;
  return x ^ (x >> 32);
}

/* PolicyImage's hash. */
static uint64_t hash64(const unsigned char *p, size_t count, uint64_t seed) {
  uint64_t state = mix(seed, count), word;
  size_t offset = 0;
  for (; offset + 8 <= count; offset += 8) {
    memcpy(&word, p + offset, 8);
    state = mix(state, word);
  }
  if (offset < count) {
    word = 0;
    memcpy(&word, p + offset, count - offset);
    state = mix(state, word);
  }
  return mix(state, 0);
}

/* Makes an image's checksum right. */
static inline void seal_image(unsigned char *image, size_t size) {
  uint64_t seed = hash64(image, 24, 0), lanes[4], sum;
  size_t at = 32;
  int i;
  for (i = 0; i < 4; i++) lanes[i] = mix(seed, (uint64_t)i);
  for (; at + 32 <= size; at += 32)
    for (i = 0; i < 4; i++) {
      uint64_t word;
      memcpy(&word, image + at + 8 * i, 8);
      lanes[i] = mix(lanes[i], word);
    }
  sum = hash64(image + at, size - at, mix(mix(mix(lanes[0], lanes[1]), lanes[2]), lanes[3]));
  memcpy(image + 24, &sum, 8);
}

static unsigned char *read_whole(const char *path, size_t *size) {
  struct stat status;
  unsigned char *bytes;
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0 || fstat(file, &status) != 0) die(path);
  *size = (size_t)status.st_size;
  bytes = malloc(*size);
  if (bytes == NULL || read(file, bytes, *size) != (ssize_t)*size) die(path);
  close(file);
  return bytes;
}

/* Platform and first overlay of a bundle. */
static void take_images(const unsigned char *bundle, unsigned char **platform, size_t *platform_size,
                        unsigned char **overlay, size_t *overlay_size) {
  uint64_t words[8];
  memcpy(words, bundle + 32, sizeof words);
  *platform_size = words[3];
  *platform = malloc(words[3]);
  *overlay_size = words[7];
  *overlay = malloc(words[7]);
  if (*platform == NULL || *overlay == NULL) die("malloc");
  memcpy(*platform, bundle + words[2], words[3]);
  memcpy(*overlay, bundle + words[6], words[7]);
}
