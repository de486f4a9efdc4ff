/* Sessions of an agent (host.c): eight places, told what to do line by line. */

#define PLACES 8
static licet_session *places[PLACES];

struct lists {
  licet_named_value attributes[8];
  licet_behavior_effect preferences[8], caps[8];
  licet_text behaviors[8], resources[8];
};

static licet_text text_of(const char *word) {
  licet_text text = {word, strlen(word)};
  return text;
}

/* NAME:EFFECT */
static licet_behavior_effect effect_of(char *word) {
  licet_behavior_effect one = {{NULL, 0}, 0, 0};
  char *colon = strrchr(word, ':');
  EXPECT(colon != NULL, "%s: NAME:EFFECT is wanted", word);
  *colon = 0;
  one.behavior = text_of(word);
  one.effect = atoi(colon + 1);
  return one;
}

/* KEY=VALUE... */
static void read_terms(char **state, licet_terms *terms, struct lists *lists) {
  char *word;
  licet_terms empty = LICET_TERMS_INIT;
  *terms = empty;
  terms->attributes = lists->attributes;
  terms->preferences = lists->preferences;
  terms->caps = lists->caps;
  terms->behaviors = lists->behaviors;
  terms->resources = lists->resources;
  while ((word = strtok_r(NULL, " \n", state)) != NULL) {
    char *value = strchr(word, '=');
    EXPECT(value != NULL, "%s: KEY=VALUE is wanted", word);
    *value++ = 0;
    if (strcmp(word, "cap") == 0) lists->caps[terms->cap_count++] = effect_of(value);
    else if (strcmp(word, "prefer") == 0) lists->preferences[terms->preference_count++] = effect_of(value);
    else if (strcmp(word, "scope") == 0) lists->behaviors[terms->behavior_count++] = text_of(value), terms->is_scoped = 1;
    else if (strcmp(word, "resource") == 0) lists->resources[terms->resource_count++] = text_of(value);
    else if (strcmp(word, "dial") == 0) terms->dial = atof(value);
    else if (strcmp(word, "cost") == 0) terms->cost = atof(value);
    else if (strcmp(word, "lifetime") == 0) terms->lifetime_ms = strtoull(value, NULL, 10);
    else { /* an attribute, a text */
      licet_named_value one = {text_of(word), licet_string(value, strlen(value))};
      lists->attributes[terms->attribute_count++] = one;
    }
  }
}

static void told(int32_t code, const licet_error *error, const licet_session *session) {
  printf("code=%d id=%s message=%s\n", code, session == NULL ? "" : licet_session_id(session), code == 0 ? "" : error->message);
}

/* session PLACE WORD [...]; false: no word of these. */
static int do_session(licet *authority, licet_request *request, char **state) {
  licet_error error = LICET_ERROR_INIT;
  licet_terms terms;
  struct lists lists;
  char *place_word = strtok_r(NULL, " \n", state), *word = strtok_r(NULL, " \n", state);
  int place;
  licet_session *made = NULL;
  int32_t code;
  if (place_word == NULL || word == NULL) return 0;
  place = atoi(place_word) % PLACES;
  memset(&lists, 0, sizeof lists);
  if (strcmp(word, "open") == 0) {
    read_terms(state, &terms, &lists);
    code = licet_session_open(authority, &terms, &made, &error);
    if (code == 0) places[place] = made;
    told(code, &error, made);
  } else if (strcmp(word, "delegate") == 0) { /* delegate CHILD [...] */
    int child = atoi(strtok_r(NULL, " \n", state)) % PLACES;
    read_terms(state, &terms, &lists);
    code = licet_session_delegate(places[place], &terms, &made, &error);
    if (code == 0) places[child] = made;
    told(code, &error, made);
  } else if (strcmp(word, "join") == 0) {
    char *id = strtok_r(NULL, " \n", state);
    code = licet_session_join(authority, id, strlen(id), &made, &error);
    if (code == 0) places[place] = made;
    told(code, &error, made);
  } else if (strcmp(word, "use") == 0) {
    code = licet_request_set_session(request, places[place]);
    printf("code=%d message=%s\n", code, code ? licet_request_error(request)->message : "");
  } else if (strcmp(word, "leave") == 0) {
    printf("code=%d\n", licet_request_set_session(request, NULL));
  } else if (strcmp(word, "prefer") == 0) { /* prefer NAME EFFECT */
    char *name = strtok_r(NULL, " \n", state);
    told(licet_session_set_preference(places[place], name, strlen(name), atoi(strtok_r(NULL, " \n", state)), &error), &error, NULL);
  } else if (strcmp(word, "dial") == 0) {
    told(licet_session_set_dial(places[place], atof(strtok_r(NULL, " \n", state)), &error), &error, NULL);
  } else if (strcmp(word, "spend") == 0) {
    double left = -1;
    code = licet_session_spend(places[place], atof(strtok_r(NULL, " \n", state)), &left, &error);
    printf("code=%d left=%g message=%s\n", code, left, code ? error.message : "");
  } else if (strcmp(word, "close") == 0) {
    told(licet_session_close(places[place], &error), &error, NULL);
  } else if (strcmp(word, "free") == 0) {
    licet_session_free(places[place]);
    places[place] = NULL;
    printf("freed\n");
  } else {
    return 0;
  }
  return 1;
}
