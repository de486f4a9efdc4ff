/* attached OPERATOR BEHAVIOR: decides again and again in this process, and prints "effect generation lost" when one of them
   changes; at SIGTERM "counted N": how often it decided while the authority was not lost. */
#include <licet.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t is_over;
static void end(int number) { is_over = number; }

int main(int argc, char **argv) {
  static const char *const effects[] = {"deny", "ask", "allow"};
  licet_options options = LICET_OPTIONS_INIT;
  licet_error error = LICET_ERROR_INIT;
  licet_decision decision = LICET_DECISION_INIT, last = LICET_DECISION_INIT;
  licet *authority;
  licet_request *request;
  unsigned long counted = 0;
  if (argc != 3) return 64;
  signal(SIGTERM, end);
  setvbuf(stdout, NULL, _IOLBF, 0);
  options.operator_name.bytes = argv[1];
  options.operator_name.length = strlen(argv[1]);
  options.timeout_ms = 3000;
  if (licet_open(&options, &authority, &error) != 0 || licet_request_new(authority, &request, &error) != 0) {
    printf("%s\n", error.message);
    return 1;
  }
  last.effect = -1;
  while (!is_over) {
    int32_t effect = licet_check_named(request, argv[2], strlen(argv[2]), &decision);
    if (effect >= 0 && !decision.lost) counted++;
    if (effect < 0) printf("error %d %s\n", effect, licet_request_error(request)->message);
    else if (decision.effect != last.effect || decision.generation != last.generation || decision.lost != last.lost)
      printf("%s %llu %d\n", effects[decision.effect], (unsigned long long)decision.generation, decision.lost);
    last = decision;
    usleep(200);
  }
  if (licet_flush(authority, 5000, &error) != 0) printf("%s\n", error.message);
  printf("counted %lu\n", counted);
  licet_request_free(request);
  licet_close(authority);
  return 0;
}
