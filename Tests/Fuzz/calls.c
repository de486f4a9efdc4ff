/* The library's own entry points and what it reads, for libFuzzer over a liblicet that is instrumented itself (tools/fuzz
   builds it: `calls`). The first byte of an input says what the rest is:
     0  calls in a row, with names, texts and values of any kind and size: licet_intern_behavior, licet_intern_attribute,
        licet_request_new, _free, _reset, _set, _set_named, _unset, _set_resource, _set_argument, _set_source,
        _set_preference, _set_now, _obligations, _statement, _error, licet_check, _check_named, _check_action, licet_explain,
        licet_explanation_…
     1  an image file for licet_open (2: its checksums are made right first)
     3  what a daemon answers to a question for a decision: licet_check…, licet_explain, licet_request_obligations …
     4  what a daemon answers to an attachment: licet_open
   LICET_FUZZ_BUNDLE names an image of Tests/Library/hostile/policy. With -DREPLAY a program that reads the files it is
   given, once each. */
#include "../Library/hostile/daemon.h"
#include "../Library/hostile/exercise.h"

static struct { const uint8_t *at, *end; } input;

static unsigned take(void) { return input.at < input.end ? *input.at++ : 0; }
static uint64_t take_word(void) {
  uint64_t word = 0;
  int i, width = (int)(take() % 9);
  for (i = 0; i < width; i++) word = word << 8 | take();
  return word;
}
/* A copy of exactly that size, so that a byte too far is seen; the caller frees it. */
static char *take_text(size_t *length) {
  size_t wanted = take(), left;
  char *text;
  if (wanted == 255) wanted = 65530 + take();
  left = (size_t)(input.end - input.at);
  *length = wanted;
  text = malloc(wanted > 0 ? wanted : 1);
  if (text == NULL) die("malloc");
  memset(text, 'a', wanted);
  memcpy(text, input.at, wanted < left ? wanted : left);
  input.at += wanted < left ? wanted : left;
  return text;
}

static void *owned[512];
static int owned_count;
static void *own(void *memory) {
  if (memory == NULL) die("malloc");
  if (owned_count == 512) {
    free(owned[0]);
    memmove(owned, owned + 1, sizeof owned - sizeof *owned);
    owned_count--;
  }
  return owned[owned_count++] = memory;
}

static licet_value take_value(int depth) {
  licet_value value = licet_null(), *parts;
  unsigned kind = take(), count, i;
  size_t length;
  value.kind = (uint8_t)(kind < 200 ? kind % 12 + 1 : kind);
  if (value.kind == LICET_KIND_STRING || value.kind == LICET_KIND_BYTES) {
    value.as.bytes = own(take_text(&length));
    value.length = (uint32_t)length;
  } else if ((value.kind == LICET_KIND_LIST || value.kind == LICET_KIND_MAP) && depth < 20 && owned_count < 200) {
    count = take() % 5;
    parts = own(calloc(count * 2 + 1, sizeof *parts));
    value.as.elements = parts;
    value.length = count;
    for (i = 0; i < count * (value.kind == LICET_KIND_MAP ? 2 : 1); i++) parts[i] = take_value(depth + 1);
  } else {
    value.as.unsigned_ = take_word();
    value.length = (uint32_t)take_word();
    /* What would be a pointer that nobody has. */
    if (value.kind == LICET_KIND_LIST || value.kind == LICET_KIND_MAP) value.as.elements = NULL;
  }
  value.reserved[0] = (uint8_t)take();
  return value;
}

static const char *const names[] = {
    "tool.mail", "tool.shell", "tool.mail.send", "tool", "harm.csam", "nobody.declared", "user.adult", "user.role",
    "user.visits", "request.amount", "request.tags", "request.args", "request.wait", "now", "operator.name"};

static const char *take_name(size_t *length) {
  unsigned which = take();
  if (which < 200) {
    const char *name = names[which % (sizeof names / sizeof *names)];
    *length = strlen(name);
    return name;
  }
  return own(take_text(length));
}

static const char *bundle;

/* For one input: interned names lie where a leak checker doesn't look. */
static licet *opened(int mode, const char *path) {
  licet_options options = LICET_OPTIONS_INIT;
  licet *authority = NULL;
  options.mode = (uint32_t)mode;
  options.path = path;
  if (licet_open(&options, &authority, NULL) != 0) abort();
  return authority;
}

static void check_code(int code) {
  if (code < LICET_E_NOT_RECORDED || code > LICET_ALLOW) abort();
}

static void calls(void) {
  licet_request *request = NULL, *other = NULL;
  licet_decision decision = LICET_DECISION_INIT;
  licet_explanation *why = NULL;
  licet_text action[4];
  size_t length;
  const char *name;
  unsigned i, count, left = 200;
  licet *embedded = opened(LICET_EMBEDDED, bundle);
  if (licet_request_new(embedded, &request, NULL) != 0) abort();
  while (input.at < input.end && left-- > 0) {
    switch (take() % 16) {
      case 0: name = take_name(&length); check_code(licet_request_set_named(request, name, length, take_value(0))); break;
      case 1: name = take_name(&length);
        check_code(licet_request_set(request, licet_intern_attribute(embedded, name, length), take_value(0))); break;
      case 2: check_code(licet_request_set(request, (uint32_t)take_word(), take_value(0))); break;
      case 3: licet_request_unset(request, (uint32_t)take_word()); break;
      case 4: name = own(take_text(&length)); check_code(licet_request_set_resource(request, name, length)); break;
      case 5: name = own(take_text(&length)); check_code(licet_request_set_argument(request, name, length)); break;
      case 6: check_code(licet_request_set_source(request, (int32_t)take_word())); break;
      case 7: check_code(licet_request_set_preference(request, (int32_t)take_word())); break;
      case 8: check_code(licet_request_set_now(request, (int64_t)take_word(), (int32_t)take_word())); break;
      case 9: name = take_name(&length); check_code(licet_check_named(request, name, length, &decision)); touch(decision.behavior); break;
      case 10: name = take_name(&length);
        check_code(licet_check(request, licet_intern_behavior(embedded, name, length), &decision)); break;
      case 11: check_code(licet_check(request, (uint32_t)take_word(), NULL)); break;
      case 12: case 13:
        count = take() % 5;
        for (i = 0; i < count && i < 4; i++) action[i].bytes = take_name(&action[i].length);
        check_code(licet_check_action(request, action, count % 5, &decision));
        why = NULL;
        check_code(licet_explain(request, action, count, &why));
        if (why != NULL) walk_explanation(why);
        licet_explanation_free(why);
        break;
      case 14: licet_request_reset(request); break;
      default:
        if (licet_request_new(embedded, &other, NULL) != 0) abort();
        licet_request_free(request);
        request = other;
    }
    touch_last(request);
  }
  licet_request_free(request);
  licet_close(embedded);
}

static void open_file(int seals) {
  size_t count = (size_t)(input.end - input.at);
  uint8_t *copy = malloc(count + 1);
  char path[64];
  int file;
  uint64_t words[8], sum;
  licet_options options = LICET_OPTIONS_INIT;
  licet_error error = LICET_ERROR_INIT;
  licet *authority = NULL;
  licet_request *request = NULL;
  if (copy == NULL) die("malloc");
  memcpy(copy, input.at, count);
  if (seals && count >= 96) {
    uint64_t size = count;
    memcpy(copy + 16, &size, 8);
    memcpy(words, copy + 32, sizeof words);
    if (words[3] >= 32 && words[3] <= count && words[2] <= count - words[3]) seal_image(copy + words[2], words[3]);
    if (words[7] >= 32 && words[7] <= count && words[6] <= count - words[7]) seal_image(copy + words[6], words[7]);
    sum = hash64(copy + 32, 64, 0);
    memcpy(copy + 24, &sum, 8);
  }
  file = memory_of(copy, count);
  snprintf(path, sizeof path, "/proc/self/fd/%d", file);
  options.mode = LICET_EMBEDDED;
  options.path = path;
  check_code(licet_open(&options, &authority, &error));
  if (authority != NULL && licet_request_new(authority, &request, NULL) == 0) {
    set_member(request);
    check_code(ask_mail(request));
    check_code(ask_otherwise(authority, request));
    licet_request_free(request);
  }
  licet_close(authority);
  close(file);
  free(copy);
}

/* Answers are the input's, behind a right head. */
static void answer_with_input(int connection, reply *r, long kind) {
  size_t count = (size_t)(input.end - input.at);
  (void)connection;
  if (r->kind != kind) return;
  if (count > 65000) count = 65000;
  memcpy(r->bytes + 8, input.at, count);
  r->count = 8 + count;
}

static void answers(void) {
  licet_request *request = NULL;
  licet *remote;
  server.argument = CHECK;
  server.spoil = answer_with_input;
  remote = opened(LICET_REMOTE, server.path);
  if (licet_request_new(remote, &request, NULL) != 0) abort();
  check_code(ask_mail(request));
  check_code(ask_otherwise(remote, request));
  licet_request_free(request);
  licet_close(remote);
}

static void attachments(void) {
  licet_options options = LICET_OPTIONS_INIT;
  licet *authority = NULL;
  options.path = server.path;
  options.timeout_ms = 200;
  server.argument = ATTACH;
  server.spoil = answer_with_input;
  check_code(licet_open(&options, &authority, NULL));
  licet_close(authority);
}

static char folder[] = "/tmp/licet-calls-XXXXXX";

static void end(void) {
  unlink(server.path);
  rmdir(folder);
}

static void prepare(void) {
  size_t size;
  unsigned char *bytes;
  bundle = getenv("LICET_FUZZ_BUNDLE");
  if (bundle == NULL || mkdtemp(folder) == NULL) die("LICET_FUZZ_BUNDLE");
  bytes = read_whole(bundle, &size);
  take_images(bytes, &world.platform, &world.platform_size, &world.overlay, &world.overlay_size);
  world.generation = 10;
  make_page(4096, PAGE_SEALS);
  start_server(folder);
  server.until = UINT64_MAX;
  atexit(end);
  free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static int is_prepared;
  if (!is_prepared) prepare();
  is_prepared = 1;
  input.at = data;
  input.end = data + size;
  if (size == 0) return 0;
  switch (take() % 5) {
    case 0: calls(); break;
    case 1: open_file(0); break;
    case 2: open_file(1); break;
    case 3: answers(); break;
    default: attachments();
  }
  while (owned_count > 0) free(owned[--owned_count]);
  return 0;
}

#ifdef REPLAY
int main(int argc, char **argv) {
  int i;
  for (i = 1; i < argc; i++) {
    size_t size;
    unsigned char *bytes = read_whole(argv[i], &size);
    LLVMFuzzerTestOneInput(bytes, size);
    free(bytes);
  }
  printf("calls: %d inputs, each harmless\n", argc - 1);
  return 0;
}
#endif
