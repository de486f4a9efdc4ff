/* The floor of a remote check: `echo PATH QUESTION ANSWER`: answers each packet of QUESTION bytes at the SEQPACKET socket PATH
   with one of ANSWER bytes, from an epoll loop, and does nothing else. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int main(int argc, char **argv) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  struct epoll_event event = {.events = EPOLLIN}, ready;
  static char packet[65536];
  int listener, epoll;
  size_t question, answer;
  if (argc != 4 || strlen(argv[1]) >= sizeof address.sun_path) return 64;
  strcpy(address.sun_path, argv[1]);
  question = strtoul(argv[2], NULL, 10);
  answer = strtoul(argv[3], NULL, 10);
  listener = socket(AF_UNIX, SOCK_SEQPACKET, 0);
  epoll = epoll_create1(0);
  event.data.fd = listener;
  if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 8) != 0 ||
      epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event) != 0)
    return perror("echo"), 1;
  puts("ready");
  fflush(stdout);
  for (;;) {
    ssize_t got;
    if (epoll_wait(epoll, &ready, 1, -1) != 1) continue;
    if (ready.data.fd == listener) {
      event.data.fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
      epoll_ctl(epoll, EPOLL_CTL_ADD, event.data.fd, &event);
      continue;
    }
    got = recv(ready.data.fd, packet, sizeof packet, 0);
    if (got == 0) close(ready.data.fd);
    else if (got > 0 && ((size_t)got != question || send(ready.data.fd, packet, answer, MSG_NOSIGNAL) != (ssize_t)answer)) return 1;
  }
}
