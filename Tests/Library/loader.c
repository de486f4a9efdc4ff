/* The library as plugins load it: `loader LIBRARY SOCKET local|global|copy`. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <licet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXPECT(truth, what) \
  do { \
    if (!(truth)) { \
      fprintf(stderr, "loader: %s (%s)\n", what, dlerror()); \
      exit(1); \
    } \
  } while (0)

struct functions {
  int32_t (*open)(const licet_options *, licet **, licet_error *);
  void (*close)(licet *);
  int32_t (*request_new)(licet *, licet_request **, licet_error *);
  void (*request_free)(licet_request *);
  int32_t (*check_named)(licet_request *, const char *, size_t, licet_decision *);
};

static struct functions functions(void *library) {
  struct functions found;
  *(void **)&found.open = dlsym(library, "licet_open");
  *(void **)&found.close = dlsym(library, "licet_close");
  *(void **)&found.request_new = dlsym(library, "licet_request_new");
  *(void **)&found.request_free = dlsym(library, "licet_request_free");
  *(void **)&found.check_named = dlsym(library, "licet_check_named");
  EXPECT(found.open && found.close && found.request_new && found.request_free && found.check_named, "a function is missing");
  return found;
}

static licet_request *opened(const struct functions *licet_, const char *path) {
  licet_options options = LICET_OPTIONS_INIT;
  licet_error error = LICET_ERROR_INIT;
  licet *authority;
  licet_request *request;
  options.path = path;
  options.operator_name.bytes = "keeper";
  options.operator_name.length = 6;
  if (licet_->open(&options, &authority, &error) != 0) {
    fprintf(stderr, "loader: %s\n", error.message);
    exit(1);
  }
  EXPECT(licet_->request_new(authority, &request, &error) == 0, "licet_request_new");
  licet_->close(authority);
  return request;
}

static void decides(const struct functions *licet_, licet_request *request) {
  EXPECT(licet_->check_named(request, LICET_TEXT("tool.read"), NULL) == LICET_ALLOW, "tool.read isn't allowed");
  EXPECT(licet_->check_named(request, LICET_TEXT("tool.write"), NULL) == LICET_DENY, "tool.write isn't denied");
}

int main(int argc, char **argv) {
  const char *how = argc > 3 ? argv[3] : "";
  int isGlobal = strcmp(how, "global") == 0, i;
  void *first = dlopen(argv[1], RTLD_NOW | (isGlobal ? RTLD_GLOBAL : RTLD_LOCAL));
  EXPECT(first, "dlopen");
  EXPECT((dlsym(RTLD_DEFAULT, "licet_check") != NULL) == isGlobal, "licet_check is in the global scope, or isn't");
  EXPECT(dlsym(first, "swift_retain") == NULL && dlsym(first, "main") == dlsym(RTLD_DEFAULT, "main"), "foreign names");
  struct functions one = functions(first);
  licet_request *request = opened(&one, argv[2]);
  decides(&one, request);
  void *second = dlopen(argv[1], RTLD_LAZY | RTLD_LOCAL);
  EXPECT(second == first, "loaded twice, two libraries");
  for (i = 0; i < 4; i++) dlclose(first);
  EXPECT(dlopen(argv[1], RTLD_NOW | RTLD_NOLOAD) == first, "unloaded all the same");
  decides(&one, request);
  licet_request *again = opened(&one, argv[2]);
  decides(&one, again);
  one.request_free(again);
  if (strcmp(how, "copy") == 0) {
    /* Another file with the same content, as two plugins bring their own: each has its state. */
    void *copy = dlopen(argv[4], RTLD_NOW | RTLD_LOCAL);
    EXPECT(copy && copy != first, "a copy under another name");
    struct functions two = functions(copy);
    EXPECT(two.open != one.open, "the same functions");
    licet_request *other = opened(&two, argv[2]);
    decides(&two, other);
    decides(&one, request);
    two.request_free(other);
  }
  one.request_free(request);
  printf("loader: %s\n", how);
  return 0;
}
