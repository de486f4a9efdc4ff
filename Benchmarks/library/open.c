/* What a process pays for the library: `open SOCKET LIBRARY [hold]`, not linked with it. With `hold` it says "ready" when it has a
   snapshot and has asked once, and stays: what processes share is no process' own as soon as there are two. Else it prints "memory", KiB of memory that is this process'
   alone (smaps_rollup) with the library loaded, a snapshot open and one request asked about, less what it was before;
   "load", the dlopen; then "open", licet_open with all that comes from licetd, and "first", a new request's first check: nanoseconds,
   least and median of 51. */
#define _GNU_SOURCE
#include "batches.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <unistd.h>

#define FUNCTION(name) __typeof__(name) *name
static struct {
  FUNCTION(licet_open);
  FUNCTION(licet_close);
  FUNCTION(licet_request_new);
  FUNCTION(licet_request_free);
  FUNCTION(licet_request_set_named);
  FUNCTION(licet_check_named);
} at;

static void *find(void *library, const char *name) {
  void *found = dlsym(library, name);
  if (!found) fprintf(stderr, "%s\n", dlerror()), exit(1);
  return found;
}

/* Without stdio's buffers, which would be counted. */
static double own_memory(void) {
  static char text[8192];
  int file = open("/proc/self/smaps_rollup", O_RDONLY);
  ssize_t size = file < 0 ? -1 : read(file, text, sizeof text - 1);
  const char *clean, *dirty;
  if (size < 0) perror("smaps_rollup"), exit(1);
  close(file);
  text[size] = 0;
  clean = strstr(text, "Private_Clean:");
  dirty = strstr(text, "Private_Dirty:");
  if (!clean || !dirty) exit(1);
  return atof(clean + 14) + atof(dirty + 14);
}

static licet *opened(const char *path) {
  licet_options options = LICET_OPTIONS_INIT;
  licet_error error = LICET_ERROR_INIT;
  licet *authority;
  options.path = path;
  options.operator_name.bytes = "bench";
  options.operator_name.length = 5;
  if (at.licet_open(&options, &authority, &error) != 0) fprintf(stderr, "%s\n", error.message), exit(1);
  return authority;
}

static licet_request *asked(licet *authority) {
  static licet_text name;
  licet_request *request;
  if (!name.bytes) name = name_of(0);
  if (at.licet_request_new(authority, &request, NULL) != 0) exit(1);
  at.licet_request_set_named(request, LICET_TEXT("request.count"), licet_int(1000));
  at.licet_request_set_named(request, LICET_TEXT("user.role"), licet_string(LICET_TEXT("member")));
  if (at.licet_check_named(request, name.bytes, name.length, NULL) != LICET_ALLOW) exit(2);
  return request;
}

int main(int argc, char **argv) {
  enum { rounds = 51 };
  double loads[1], opens[rounds], firsts[rounds], memory[1], start;
  licet_request *request;
  licet *authority;
  void *library;
  int i;
  if (argc < 3) return 64;
  name_of(0);
  now();
  own_memory();
  memory[0] = own_memory();
  start = now();
  library = dlopen(argv[2], RTLD_NOW | RTLD_LOCAL);
  loads[0] = now() - start;
  if (!library) return fprintf(stderr, "%s\n", dlerror()), 1;
  *(void **)&at.licet_open = find(library, "licet_open");
  *(void **)&at.licet_close = find(library, "licet_close");
  *(void **)&at.licet_request_new = find(library, "licet_request_new");
  *(void **)&at.licet_request_free = find(library, "licet_request_free");
  *(void **)&at.licet_request_set_named = find(library, "licet_request_set_named");
  *(void **)&at.licet_check_named = find(library, "licet_check_named");
  authority = opened(argv[1]);
  request = asked(authority);
  if (argc > 3) {
    puts("ready");
    fflush(stdout);
    for (;;) pause();
  }
  memory[0] = own_memory() - memory[0];
  at.licet_request_free(request);
  at.licet_close(authority);
  for (i = 0; i < rounds; i++) {
    start = now();
    authority = opened(argv[1]);
    opens[i] = now() - start;
    start = now();
    request = asked(authority);
    firsts[i] = now() - start;
    at.licet_request_free(request);
    at.licet_close(authority);
  }
  print_figure("memory", memory, 1);
  print_figure("load", loads, 1);
  print_figure("open", opens, rounds);
  print_figure("first", firsts, rounds);
  return 0;
}
