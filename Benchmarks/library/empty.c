/* A call into a library that does nothing: what no library can be faster than. */
#include <licet.h>

int32_t empty(licet_request *request, licet_behavior behavior, licet_decision *decision) {
  __asm__ volatile("" : : "r"(request), "r"(behavior), "r"(decision) : "memory");
  return LICET_ALLOW;
}
