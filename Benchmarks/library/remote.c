/* A remote check beside a bare ping-pong, in turns: `remote SOCKET ECHO QUESTION ANSWER`: of the licetd at SOCKET, and packets of
   as many bytes to and from echo.c at ECHO. Prints the p50 of batches, "figure least median", in nanoseconds; with one argument,
   asks a few times and prints nothing (run.py looks how large the packets are). */
#define _GNU_SOURCE
#include "batches.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { batches = 41, calls = 400 };
static licet_request *request;
static licet_behavior behavior;
static licet_attribute times;
static int echo;
static size_t question, answer;

static int check(long i) {
  licet_decision decision = LICET_DECISION_INIT;
  licet_request_set(request, times, licet_int(1000 + (i & 7)));
  return licet_check(request, behavior, &decision) == LICET_ALLOW;
}

static int ping(long i) {
  static char packet[65536];
  packet[0] = (char)i;
  return send(echo, packet, question, MSG_NOSIGNAL) == (ssize_t)question &&
         recv(echo, packet, sizeof packet, 0) == (ssize_t)answer;
}

/* The p50 of so many calls. */
static double middle(int (*call)(long)) {
  double samples[calls];
  int i;
  for (i = 0; i < calls; i++) {
    double start = now();
    if (!call(i)) fprintf(stderr, "%s\n", call == check ? licet_request_error(request)->message : "echo: no answer"), exit(2);
    samples[i] = now() - start;
  }
  qsort(samples, calls, sizeof *samples, before);
  return samples[calls / 2];
}

int main(int argc, char **argv) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  struct timeval wait = {1, 0};
  double remote[batches], bare[batches];
  licet_text name = name_of(0);
  licet *authority;
  int i;
  if (argc != 2 && argc != 5) return 64;
  authority = open_at(argv[1], LICET_REMOTE);
  times = licet_intern_attribute(authority, LICET_TEXT("request.count"));
  behavior = licet_intern_behavior(authority, name.bytes, name.length);
  request = request_of(authority);
  if (argc == 2) {
    for (i = 0; i < 3; i++)
      if (!check(i)) return fprintf(stderr, "%s\n", licet_request_error(request)->message), 2;
    return 0;
  }
  if (strlen(argv[2]) >= sizeof address.sun_path) return 64;
  strcpy(address.sun_path, argv[2]);
  question = strtoul(argv[3], NULL, 10);
  answer = strtoul(argv[4], NULL, 10);
  echo = socket(AF_UNIX, SOCK_SEQPACKET, 0);
  /* As liblicet has it. */
  setsockopt(echo, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
  setsockopt(echo, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
  if (connect(echo, (struct sockaddr *)&address, sizeof address) != 0) return perror("echo"), 1;
  middle(check);
  middle(ping);
  for (i = 0; i < batches; i++) {
    remote[i] = middle(check);
    bare[i] = middle(ping);
  }
  print_figure("remote", remote, batches);
  print_figure("ping-pong", bare, batches);
  licet_request_free(request);
  licet_close(authority);
  close(echo);
  return 0;
}
