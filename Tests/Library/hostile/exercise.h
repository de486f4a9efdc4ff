/* Every question that can be put to an authority, every byte of every answer touched, so that a sanitizer or valgrind
   sees what lies outside. */
#pragma once
#include <licet.h>
#include <stdlib.h>
#include <string.h>

static _Thread_local volatile unsigned long touched;

static void touch(licet_text text) {
  size_t i;
  unsigned long sum = 0;
  for (i = 0; i < text.length; i++) sum += (unsigned char)text.bytes[i];
  touched += sum;
}

static void touch_statement(const licet_statement *one) {
  touch(one->file);
  touch(one->behavior);
  touch(one->clause);
  touch(one->condition);
}

/* A member's request for tool.mail, which the test's policy allows. */
static void set_member(licet_request *request) {
  static _Thread_local licet_value tag;
  tag = licet_string(LICET_TEXT("abac"));
  licet_request_set_named(request, LICET_TEXT("user.adult"), licet_bool(1));
  licet_request_set_named(request, LICET_TEXT("user.role"), licet_string(LICET_TEXT("member")));
  licet_request_set_named(request, LICET_TEXT("request.tags"), licet_list(&tag, 1));
  licet_request_set_named(request, LICET_TEXT("request.args"), licet_map(NULL, 0));
}

static void walk_explanation(const licet_explanation *why) {
  licet_decision decision = LICET_DECISION_INIT;
  licet_statement statement = LICET_STATEMENT_INIT;
  licet_text names[64];
  licet_step step;
  licet_change change;
  size_t i, count;
  if (licet_explanation_decision(why, &decision) == 0) touch(decision.behavior);
  if (licet_explanation_statement(why, &statement) == 0) touch_statement(&statement);
  count = licet_explanation_obligations(why, names, 64);
  for (i = 0; i < count && i < 64; i++) touch(names[i]);
  for (i = 0; i <= licet_explanation_steps(why); i++) {
    memset(&step, 0, sizeof step);
    step.size = sizeof step;
    if (licet_explanation_step(why, i, &step) != 0) continue;
    touch(step.behavior);
    touch(step.failure);
    touch(step.attribute);
    touch_statement(&step.statement);
  }
  licet_explanation_way(why);
  for (i = 0; i <= licet_explanation_changes(why); i++) {
    memset(&change, 0, sizeof change);
    change.size = sizeof change;
    if (licet_explanation_change(why, i, &change) != 0) continue;
    touch(change.halt);
    touch(change.operator_name);
    touch(change.behavior);
    touch_statement(&change.statement);
  }
}

static void touch_last(licet_request *request) {
  licet_statement statement = LICET_STATEMENT_INIT;
  licet_text names[64];
  size_t i, count = licet_request_obligations(request, names, 64);
  for (i = 0; i < count && i < 64; i++) touch(names[i]);
  if (licet_request_statement(request, &statement) == 0) touch_statement(&statement);
  touched += strlen(licet_request_error(request)->message);
}

/* Asks about tool.mail by name; what it came to. */
static int ask_mail(licet_request *request) {
  licet_decision decision = LICET_DECISION_INIT;
  int effect = licet_check_named(request, LICET_TEXT("tool.mail"), &decision);
  touch(decision.behavior);
  touch_last(request);
  return effect;
}

/* The same by handle, as an action, and explained; the greatest of what they came to. */
static int ask_otherwise(licet *authority, licet_request *request) {
  licet_decision decision = LICET_DECISION_INIT;
  licet_text names[2] = {{LICET_TEXT("tool.mail")}, {LICET_TEXT("tool.mail.send")}};
  licet_explanation *why = NULL;
  int one, most = licet_check(request, licet_intern_behavior(authority, LICET_TEXT("tool.mail")), &decision);
  touch(decision.behavior);
  touch_last(request);
  one = licet_check_action(request, names, 2, &decision);
  if (one > most) most = one;
  touch(decision.behavior);
  touch_last(request);
  one = licet_explain(request, names, 2, &why);
  if (one > most) most = one;
  if (why != NULL) walk_explanation(why);
  licet_explanation_free(why);
  return most;
}
