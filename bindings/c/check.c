/* The least there is: may this be done?
 *
 *     check IMAGE BEHAVIOR [ATTRIBUTE=TEXT]...
 *
 * Prints the effect, what decided, and what has to be honoured. Ends with 0 for allow, 1 for deny, 2 for ask, 64 for an
 * error. `check - BEHAVIOR` asks licetd. */
#include <licet.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv) {
  static const char *const effects[] = {"deny", "ask", "allow"};
  static const int codes[] = {1, 2, 0};
  licet_options options = LICET_OPTIONS_INIT;
  licet_error error = LICET_ERROR_INIT;
  licet_statement statement = LICET_STATEMENT_INIT;
  licet_text obligations[16];
  licet *authority = NULL;
  licet_request *request = NULL;
  size_t i, count;
  int argument, effect;
  if (argc < 3) {
    fprintf(stderr, "usage: check IMAGE|- BEHAVIOR [ATTRIBUTE=TEXT]...\n");
    return 64;
  }
  if (strcmp(argv[1], "-") != 0) {
    options.mode = LICET_EMBEDDED;
    options.path = argv[1];
  }
  if (licet_open(&options, &authority, &error) != 0 || licet_request_new(authority, &request, &error) != 0) {
    fprintf(stderr, "check: %s\n", error.message);
    licet_close(authority);
    return 64;
  }
  for (argument = 3; argument < argc; argument++) {
    const char *name = argv[argument], *end = strchr(name, '=');
    if (end == NULL) end = name + strlen(name);
    /* An error here is the check's as well: what lacks what it was meant to say is not decided. */
    licet_request_set_named(request, name, (size_t)(end - name), licet_string(end + (*end != 0), strlen(end + (*end != 0))));
  }
  effect = licet_check_named(request, argv[2], strlen(argv[2]), NULL);
  if (effect < 0) {
    fprintf(stderr, "check: %s\n", licet_request_error(request)->message);
  } else {
    printf("%s", effects[effect]);
    if (licet_request_statement(request, &statement) == 0 && statement.line > 0)
      printf("  %.*s:%u", (int)statement.file.length, statement.file.bytes, (unsigned)statement.line);
    count = licet_request_obligations(request, obligations, 16);
    for (i = 0; i < count && i < 16; i++) printf("  %.*s", (int)obligations[i].length, obligations[i].bytes);
    printf("\n");
  }
  licet_request_free(request);
  licet_close(authority);
  return effect < 0 ? 64 : codes[effect];
}
