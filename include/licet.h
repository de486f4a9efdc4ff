/* licet.h: may this be done, on whose word, and why? The C interface of liblicet.so.1.
 *
 *   licet *authority;
 *   licet_request *request;
 *   licet_error error = LICET_ERROR_INIT;
 *   if (licet_open(NULL, &authority, &error) != 0 || licet_request_new(authority, &request, &error) != 0)
 *     die(error.message);
 *   licet_request_set_named(request, LICET_TEXT("request.recipients"), licet_int(3));
 *   if (licet_check_named(request, LICET_TEXT("tool.email.send"), NULL) == LICET_ALLOW)
 *     send_it();
 *
 * Fails closed: whatever goes wrong, a check returns LICET_DENY or a negative error, never LICET_ALLOW.
 *
 * Threads     A `licet` may be used by any number of threads at once. A `licet_request` and a `licet_explanation` belong
 *             to one thread at a time: make a request for each thread and use it again and again. Threads may come and
 *             go; nothing is kept by thread.
 * Ownership   Texts and values that are given to a request are borrowed: they must stay as they are until they are set
 *             again, or `licet_request_reset`. Texts that a decision leads to belong to its request and are valid until
 *             the request's next call. What a function makes, its `_free` or `licet_close` ends; NULL is allowed there.
 * Heap, locks A check on a snapshot or an image takes no lock, calls no malloc and makes no system call, except when the
 *             authority has something new: then one thread fetches it, and others wait for at most `timeout_ms`. What is
 *             recorded one by one (an ask, a deny, an allow of a behaviour with `audit: full`) takes a short lock, and now
 *             and then one system call that tells licetd.
 * Records     On a snapshot each decision is counted or recorded in memory that licetd made and reads: nothing is lost when
 *             either process is killed. Where that memory is full, a check waits for licetd, at most `timeout_ms`; then it
 *             is LICET_E_NOT_RECORDED. licet_explain, and an image file without a daemon, count and record nothing.
 * fork(2)     Everything may be used in the child. The child notices at its next call, leaves the parent's connection
 *             alone, and attaches anew by itself. A request that another thread was using at the time of the fork must
 *             not be used in the child.
 * Signals     No handler is installed and no signal is raised (SIGPIPE neither). Not async-signal-safe: not for handlers.
 *             Calls that a signal interrupts go on.
 * Descriptors Two, close-on-exec: a connection, and what is recorded in. With a full table opening fails with LICET_E_SYSTEM
 *             (EMFILE); an authority that was open decides on, and is lost when a new policy comes for as long as there is
 *             no descriptor to take it by.
 * chroot      A connection that was made goes on; to connect anew, the socket must be there (a bind mount will do).
 * dlopen      May be loaded more than once, RTLD_GLOBAL or not, exports nothing but licet_*, and is never unloaded.
 *             It needs libc alone.
 * Environment LICET_SOCKET names the attach socket where the options don't; ignored in set-user-ID programs.
 * Strings     Bytes and a length; UTF-8 where a text is meant, no terminating zero needed.
 * Sizes       A struct with a member `size` is filled only as far as that says: set it to sizeof, or use the _INIT macro,
 *             so that a program that was built with an older header works with a newer library.
 */
#ifndef LICET_H
#define LICET_H 1

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define LICET_API __attribute__((visibility("default")))
#else
#define LICET_API
#endif

/* An effect, ordered: what a check returns. */
#define LICET_DENY 0
/* A human overseer decides first. */
#define LICET_ASK 1
#define LICET_ALLOW 2

/* Errors: stable negative numbers. */
#define LICET_E_INVALID (-1)             /* a NULL, a wrong size or a handle that was never given: the caller's mistake */
#define LICET_E_NO_MEMORY (-2)
#define LICET_E_SYSTEM (-3)              /* a system call failed; the error's `system` is its errno */
#define LICET_E_IMAGE (-4)               /* no image, a broken one, or one of a later version */
#define LICET_E_NO_AUTHORITY (-5)        /* no licetd answers there */
#define LICET_E_PROTOCOL (-6)            /* what answers there is no licetd, or shares no version of the protocol */
#define LICET_E_NOT_BOUND (-7)           /* no `bind` lets this process speak for the operator */
#define LICET_E_UNKNOWN_OPERATOR (-8)
#define LICET_E_AMBIGUOUS_OPERATOR (-9)  /* bound to several: say which */
#define LICET_E_UNKNOWN_ATTRIBUTE (-10)  /* the platform in force declares no such attribute */
#define LICET_E_VERIFIED_ATTRIBUTE (-11) /* comes from the authority alone, never from a caller */
#define LICET_E_WRONG_TYPE (-12)         /* not of the type that the platform declares */
#define LICET_E_NO_BEHAVIOR (-13)        /* a request for nothing */
#define LICET_E_BAD_NAME (-14)           /* no behaviour's name: segments of a-z, 0-9, _ and -, with dots between */
#define LICET_E_BAD_REQUEST (-15)        /* text that is not UTF-8, a value out of its range */
#define LICET_E_TOO_MANY (-16)           /* past a bound of LICET_MAXIMUM_… */
#define LICET_E_LIMITS_EXCEEDED (-17)    /* this user asks the daemon too much at once */
#define LICET_E_NOT_RECORDED (-18)       /* it has to be recorded, and licetd doesn't take records at the moment */
#define LICET_E_UNKNOWN_SESSION (-19)    /* there is no such session (any more), or not for this operator */
#define LICET_E_FOREIGN_SESSION (-20)    /* another user's */
#define LICET_E_BAD_DIAL (-21)           /* a dial lies strictly between 0 and 1 */
#define LICET_E_BAD_COST (-22)           /* a cost is a finite number, at least 0 */

/* Bounds of one request. */
#define LICET_MAXIMUM_BEHAVIORS 256     /* in one action */
#define LICET_MAXIMUM_TEXT 65536        /* bytes of a text */
#define LICET_MAXIMUM_NAMES 65536       /* interned in one authority, behaviours and attributes each */
#define LICET_MAXIMUM_DEPTH 16          /* of lists and maps within each other */

/* Borrowed bytes. */
typedef struct licet_text {
  const char *bytes;
  size_t length;
} licet_text;

/* A text of a string literal's bytes, as two arguments or between braces. */
#define LICET_TEXT(literal) ("" literal), (sizeof(literal) - 1)

/* Why something failed. Compared by `code`; `message` is for people and ends with a zero. */
typedef struct licet_error {
  uint32_t size;
  int32_t code;    /* 0, or LICET_E_… */
  int32_t system;  /* an errno, or 0 */
  uint32_t reserved;
  char message[240];
} licet_error;
#define LICET_ERROR_INIT {sizeof(licet_error), 0, 0, 0, {0}}

/* ---- Opening ---------------------------------------------------------------------------------------------------- */

/* An authority that decisions are asked of. */
typedef struct licet licet;

#define LICET_SNAPSHOT 0 /* decide in this process, by images that licetd hands out; where they can't be mapped, remote */
#define LICET_REMOTE 1   /* licetd decides, call by call */
#define LICET_EMBEDDED 2 /* decide by an image file that `licet compile DIR -o FILE` made, without any daemon */

typedef struct licet_options {
  uint32_t size;
  uint32_t mode;       /* LICET_SNAPSHOT, LICET_REMOTE or LICET_EMBEDDED */
  /* The attach socket, by default $LICET_SOCKET or /run/licetd/attach; for LICET_EMBEDDED the image file. Ends with a
     zero. Copied. */
  const char *path;
  /* The operator that is spoken for; empty: the only one that this process is bound to, or that the file holds. Copied. */
  licet_text operator_name;
  uint32_t timeout_ms; /* for an answer of licetd; 0: 1000 */
  /* Without a sign of life from licetd for so long, a snapshot counts as lost, unless licetd can be reached; 0: 30000. */
  uint32_t stale_after_ms;
  uint32_t on_authority_loss; /* what is answered then: LICET_DENY or LICET_ASK (only where the policy allows at least it) */
  uint32_t reserved;
} licet_options;
#define LICET_OPTIONS_INIT {sizeof(licet_options), 0, NULL, {NULL, 0}, 0, 0, 0, 0}

/* Opens an authority; NULL options: LICET_OPTIONS_INIT. 0, or a negative error, which `error` (may be NULL) explains. */
LICET_API int32_t licet_open(const licet_options *options, licet **authority, licet_error *error);

/* Gives the handle back; requests that were made of it may be used until they are freed, on what is in force now. */
LICET_API void licet_close(licet *authority);

/* How decisions are made now: LICET_SNAPSHOT, LICET_REMOTE or LICET_EMBEDDED. */
LICET_API int32_t licet_mode(const licet *authority);

/* The generation that was seen last; an image file's is 1; 0: there is none yet. Any thread, no system call. */
LICET_API uint64_t licet_generation(const licet *authority);

/* Waits until licetd has taken all that was counted and recorded here: before a process ends in a hurry, or a test looks
   at `licet status`. 0; LICET_E_NOT_RECORDED after `timeout_ms`; 0 at once where licetd decides, or there is none. */
LICET_API int32_t licet_flush(licet *authority, uint32_t timeout_ms, licet_error *error);

/* "1.2.3"; ends with a zero, never freed. */
LICET_API const char *licet_version(void);

/* A behaviour or attribute by number, so that its name is looked up once: valid in one authority until it is gone, over all
   its generations. 0 is none. */
typedef uint32_t licet_behavior;
typedef uint32_t licet_attribute;

/* The handle of this name, the same one each time. 0: no behaviour's (attribute's) name, or LICET_MAXIMUM_NAMES are taken.
   The name need not be declared: an undeclared behaviour is governed by its nearest declared ancestor; an undeclared
   attribute is an error when it is set, unless a later generation declares it. */
LICET_API licet_behavior licet_intern_behavior(licet *authority, const char *name, size_t length);
LICET_API licet_attribute licet_intern_attribute(licet *authority, const char *name, size_t length);

/* ---- Values ----------------------------------------------------------------------------------------------------- */

#define LICET_KIND_NULL 1
#define LICET_KIND_BOOL 2
#define LICET_KIND_INT 3
#define LICET_KIND_UINT 4
#define LICET_KIND_DOUBLE 5
#define LICET_KIND_STRING 6
#define LICET_KIND_BYTES 7
#define LICET_KIND_LIST 8
#define LICET_KIND_MAP 9        /* keys and values in turn */
#define LICET_KIND_TIMESTAMP 10 /* seconds since 1970, 0001 to 9999 */
#define LICET_KIND_DURATION 11

/* An attribute's value. What it points to is borrowed, deeply. */
typedef struct licet_value {
  union {
    int64_t signed_;                    /* int; the seconds of a timestamp or duration */
    uint64_t unsigned_;                 /* uint; bool: 0 or 1 */
    double floating;                    /* double */
    const void *bytes;                  /* string, bytes */
    const struct licet_value *elements; /* list, map */
#if UINTPTR_MAX < UINT64_MAX
    uint64_t word;
#endif
  } as;
  /* Bytes of a string, elements of a list, pairs of a map; for times the nanoseconds, as int32_t (of a duration with its
     sign, of a timestamp 0..999999999). */
  uint32_t length;
  uint8_t kind;
  uint8_t reserved[3]; /* 0 */
} licet_value;

static inline licet_value licet_make_(uint8_t kind, uint32_t length) {
  licet_value value;
  value.as.unsigned_ = 0;
  value.length = length;
  value.kind = kind;
  value.reserved[0] = value.reserved[1] = value.reserved[2] = 0;
  return value;
}
static inline licet_value licet_null(void) { return licet_make_(LICET_KIND_NULL, 0); }
static inline licet_value licet_bool(int truth) {
  licet_value value = licet_make_(LICET_KIND_BOOL, 0);
  value.as.unsigned_ = truth ? 1 : 0;
  return value;
}
static inline licet_value licet_int(int64_t number) {
  licet_value value = licet_make_(LICET_KIND_INT, 0);
  value.as.signed_ = number;
  return value;
}
static inline licet_value licet_uint(uint64_t number) {
  licet_value value = licet_make_(LICET_KIND_UINT, 0);
  value.as.unsigned_ = number;
  return value;
}
static inline licet_value licet_double(double number) {
  licet_value value = licet_make_(LICET_KIND_DOUBLE, 0);
  value.as.floating = number;
  return value;
}
/* At most LICET_MAXIMUM_TEXT bytes; longer ones are refused when they are set. */
static inline licet_value licet_string(const char *bytes, size_t length) {
  licet_value value = licet_make_(LICET_KIND_STRING, length > UINT32_MAX ? UINT32_MAX : (uint32_t)length);
  value.as.bytes = bytes;
  return value;
}
static inline licet_value licet_bytes(const void *bytes, size_t length) {
  licet_value value = licet_make_(LICET_KIND_BYTES, length > UINT32_MAX ? UINT32_MAX : (uint32_t)length);
  value.as.bytes = bytes;
  return value;
}
static inline licet_value licet_list(const licet_value *elements, size_t count) {
  licet_value value = licet_make_(LICET_KIND_LIST, count > UINT32_MAX ? UINT32_MAX : (uint32_t)count);
  value.as.elements = elements;
  return value;
}
/* `pairs` holds 2 × `count` values: key, value, key, value. */
static inline licet_value licet_map(const licet_value *pairs, size_t count) {
  licet_value value = licet_make_(LICET_KIND_MAP, count > UINT32_MAX ? UINT32_MAX : (uint32_t)count);
  value.as.elements = pairs;
  return value;
}
static inline licet_value licet_timestamp(int64_t seconds, int32_t nanoseconds) {
  licet_value value = licet_make_(LICET_KIND_TIMESTAMP, (uint32_t)nanoseconds);
  value.as.signed_ = seconds;
  return value;
}
static inline licet_value licet_duration(int64_t seconds, int32_t nanoseconds) {
  licet_value value = licet_make_(LICET_KIND_DURATION, (uint32_t)nanoseconds);
  value.as.signed_ = seconds;
  return value;
}

/* ---- Requests --------------------------------------------------------------------------------------------------- */

/* What is asked, and the answer to it: one thread at a time. */
typedef struct licet_request licet_request;

/* On whose instruction (DESIGN §1). */
#define LICET_SOURCE_PLATFORM 0
#define LICET_SOURCE_OPERATOR 1
#define LICET_SOURCE_USER 2
#define LICET_SOURCE_AGENT 3 /* its own initiative: the default */
#define LICET_SOURCE_UNTRUSTED 4

#define LICET_NO_PREFERENCE (-1)

LICET_API int32_t licet_request_new(licet *authority, licet_request **request, licet_error *error);
LICET_API void licet_request_free(licet_request *request);

/* As it was when it was made: no attribute, no resource, source agent. Gives back a snapshot that is no longer in force. */
LICET_API void licet_request_reset(licet_request *request);

/* Gives an attribute ("user.role", "request.amount") a value, in place of what it had; the value is borrowed. 0, or
   LICET_E_UNKNOWN_ATTRIBUTE, LICET_E_VERIFIED_ATTRIBUTE, LICET_E_WRONG_TYPE, LICET_E_BAD_REQUEST, LICET_E_TOO_MANY: then
   it has none, and every check returns this error until it is set again, or reset: a request that lacks what it was meant
   to say is not decided. After what is no attribute at all (LICET_E_INVALID for a handle that was never given,
   LICET_E_UNKNOWN_ATTRIBUTE for an impossible name, LICET_E_NO_MEMORY) only licet_request_reset helps. */
LICET_API int32_t licet_request_set(licet_request *request, licet_attribute attribute, licet_value value);
LICET_API int32_t licet_request_set_named(
    licet_request *request, const char *name, size_t length, licet_value value);
/* Takes an attribute back. */
LICET_API int32_t licet_request_unset(licet_request *request, licet_attribute attribute);

/* What it is done to: a path, an address. Borrowed. */
LICET_API int32_t licet_request_set_resource(licet_request *request, const char *text, size_t length);
/* Free text that tries to justify it; it never loosens anything. Borrowed. */
LICET_API int32_t licet_request_set_argument(licet_request *request, const char *text, size_t length);
LICET_API int32_t licet_request_set_source(licet_request *request, int32_t source);
/* The user's own wish: an effect, or LICET_NO_PREFERENCE. */
LICET_API int32_t licet_request_set_preference(licet_request *request, int32_t effect);
/* For tests and replays, only with LICET_EMBEDDED: the time that `now` is. With a daemon the clock counts. */
LICET_API int32_t licet_request_set_now(licet_request *request, int64_t seconds, int32_t nanoseconds);

/* ---- Sessions --------------------------------------------------------------------------------------------------- */

/* A session: who is served, what was wished, and how far the agent may go until when (DESIGN §2.6). licetd holds it: it ends
   when it is closed or stopped, when the connection that opened it does, and with licetd. Everything that changes in it
   (a stop, suspicion, a preference, what was spent) is seen by each process that uses it at its next decision. Any number of
   threads at once; a request asks in at most one. In a forked child it is found again by its id, as long as it lives.
   With LICET_EMBEDDED there is none: LICET_E_NO_AUTHORITY. */
typedef struct licet_session licet_session;

/* One attribute of the session's user ("user.id") or of the session itself ("session.purpose"). */
typedef struct licet_named_value {
  licet_text name;
  licet_value value;
} licet_named_value;

/* An effect for a behaviour and all below it. */
typedef struct licet_behavior_effect {
  licet_text behavior;
  int32_t effect;
  uint32_t reserved; /* 0 */
} licet_behavior_effect;

/* What a session is opened or delegated with. A delegate has its parent's terms as well: its own can only take away, and its
   attributes are its root's. Everything is copied. */
typedef struct licet_terms {
  uint32_t size;
  uint32_t is_scoped;         /* 1: `behaviors` are all that may be used */
  const licet_named_value *attributes;
  size_t attribute_count;     /* of a delegate 0 */
  const licet_behavior_effect *preferences; /* the user's wishes; a delegate's only cap */
  size_t preference_count;
  const licet_behavior_effect *caps;        /* the most that a behaviour may be */
  size_t cap_count;
  const licet_text *behaviors;
  size_t behavior_count;
  /* Patterns of which a request's resource has to match one; none: any will do. Segment by segment between `/`; `*` stands for
     any run of bytes in one, a last segment `**` for all the rest. A resource with a segment `.` or `..` matches none. */
  const licet_text *resources;
  size_t resource_count;
  double dial;                /* 0: its own has none */
  double cost;                /* the most that may be spent, in the operator's own unit; 0: no bound */
  uint64_t lifetime_ms;       /* how long it may be used, counted on while the machine sleeps; 0: no bound */
} licet_terms;
#define LICET_TERMS_INIT {sizeof(licet_terms), 0, NULL, 0, NULL, 0, NULL, 0, NULL, 0, NULL, 0, 0.0, 0.0, 0}

/* Opens one; NULL terms: LICET_TERMS_INIT. 0, or a negative error. */
LICET_API int32_t licet_session_open(
    licet *authority, const licet_terms *terms, licet_session **session, licet_error *error);
/* Opens one that can only have less than `parent`, and ends with it. */
LICET_API int32_t licet_session_delegate(
    licet_session *parent, const licet_terms *terms, licet_session **session, licet_error *error);
/* Uses one that another process of the same user opened for the same operator, by its id. */
LICET_API int32_t licet_session_join(
    licet *authority, const char *id, size_t length, licet_session **session, licet_error *error);
/* Gives the handle back; requests that ask in it may be used until they are freed. The session goes on. NULL is allowed. */
LICET_API void licet_session_free(licet_session *session);
/* Its id: 32 hexadecimal digits, and a zero. As long as the handle. */
LICET_API const char *licet_session_id(const licet_session *session);

/* The user's wish for a behaviour, or LICET_NO_PREFERENCE. 0 when licetd has it. */
LICET_API int32_t licet_session_set_preference(
    licet_session *session, const char *behavior, size_t length, int32_t effect, licet_error *error);
/* How far the agent may go on its own, as far as users may raise it; lower always. */
LICET_API int32_t licet_session_set_dial(licet_session *session, double dial, licet_error *error);
/* Says what was spent, here and in everything that it was delegated by; once the bound is reached it is halted. `left` (may be
   NULL) is what may still be, INFINITY without a bound. */
LICET_API int32_t licet_session_spend(licet_session *session, double cost, double *left, licet_error *error);
/* Ends it, and all that was delegated from it, in every process. */
LICET_API int32_t licet_session_close(licet_session *session, licet_error *error);

/* Asks in this session from now on, or in none (NULL). What it says of the user and of itself is the request's then, and
   can't be set: LICET_E_BAD_REQUEST. 0, or LICET_E_INVALID for a session of another authority. licet_request_reset keeps
   no session. */
LICET_API int32_t licet_request_set_session(licet_request *request, licet_session *session);

/* ---- Deciding --------------------------------------------------------------------------------------------------- */

/* What decided, lowest authority first. */
#define LICET_BY_DEFAULT 0       /* the platform's default, `unknown`, or the operator's audience's choice */
#define LICET_BY_SETTING 1       /* the operator's setting */
#define LICET_BY_CEILING 2       /* the platform's ceiling, to which the operator's setting was cut down */
#define LICET_BY_PREFERENCE 3    /* the user's preference, as far as it was granted */
#define LICET_BY_OPERATOR_TIER 4 /* the operator's limit */
#define LICET_BY_GUIDELINE 5     /* the platform's limits and duties, by tier */
#define LICET_BY_ETHICS 6
#define LICET_BY_SAFETY 7
#define LICET_BY_OVERSIGHT 8     /* `oversight` says what of it */
#define LICET_BY_ABSOLUTE 9

/* What of oversight, in the order in which it has its word. */
#define LICET_OVERSIGHT_NONE 0
#define LICET_OVERSIGHT_SESSION 1   /* a session's cap, scope or constraint */
#define LICET_OVERSIGHT_SUSPICION 2
#define LICET_OVERSIGHT_DIAL 3
#define LICET_OVERSIGHT_HALT 4      /* a stop, a session's end, no policy in force, the authority is lost */

/* The answer's short form. */
typedef struct licet_decision {
  uint32_t size;
  int32_t effect;        /* LICET_DENY, LICET_ASK or LICET_ALLOW */
  uint64_t generation;   /* the one generation that decided */
  uint8_t decided_by;    /* LICET_BY_… */
  uint8_t lost;          /* 1: the authority is lost, and this is what `on_authority_loss` says */
  uint8_t oversight;     /* LICET_OVERSIGHT_…; of LICET_BY_OVERSIGHT */
  uint8_t reserved[5];
  licet_text behavior;   /* the name that decided: one that was asked about, or a known one below it */
  uint64_t private_[4];
} licet_decision;
#define LICET_DECISION_INIT {sizeof(licet_decision), 0, 0, 0, 0, 0, {0}, {NULL, 0}, {0}}

/* Decides one behaviour. Returns the effect, or a negative error, and fills `decision` (may be NULL), in which an error is
   LICET_DENY. On a snapshot or an image no lock, no allocation, no system call. */
LICET_API int32_t licet_check(licet_request *request, licet_behavior behavior, licet_decision *decision);
LICET_API int32_t licet_check_named(
    licet_request *request, const char *name, size_t length, licet_decision *decision);
/* Decides one action that is several behaviours at once: the strictest decides, obligations add up. */
LICET_API int32_t licet_check_action(
    licet_request *request, const licet_text *behaviors, size_t count, licet_decision *decision);

/* The error of the request's last call that returned one. Belongs to the request; never NULL but for a NULL request. */
LICET_API const licet_error *licet_request_error(const licet_request *request);

/* A statement of the policy, or where there is none (a preference, a halt) all empty. */
typedef struct licet_statement {
  uint32_t size;
  uint32_t line;       /* from 1; 0: none */
  uint32_t column;
  int32_t form;        /* LICET_FORM_… */
  licet_text file;     /* as the authority reads it: "operators.d/nightowl.yaml" */
  licet_text behavior; /* the name that it names */
  licet_text clause;   /* what it cites; empty: nothing */
  licet_text condition; /* its `when`; empty: none. Of a choice: of how many people, and each response's total */
} licet_statement;
#define LICET_STATEMENT_INIT {sizeof(licet_statement), 0, 0, LICET_FORM_NONE, {NULL, 0}, {NULL, 0}, {NULL, 0}, {NULL, 0}}
#define LICET_FORM_NONE (-1)
#define LICET_FORM_RULE 0
#define LICET_FORM_DECLARATION 1 /* of a behaviour by the platform */
#define LICET_FORM_UNKNOWN 2     /* the platform's `unknown` */
#define LICET_FORM_BUILT_IN 3    /* compiled into Licet */
#define LICET_FORM_CHOSEN 4      /* a declaration whose default its population chose */
#define LICET_FORM_AUDIENCE 5    /* an operator's audience, for which the choice was made again */
#define LICET_FORM_DIAL 6        /* a dial, or a ceiling of one */
#define LICET_FORM_SUSPICION 9   /* what the platform says of suspicion */
#define LICET_FORM_PERIOD 7      /* a period: `behavior` is its name, `condition` says who ends it, and on what */
#define LICET_FORM_COUNTER 8     /* a counter: `behavior` is its name, `condition` says what it counts */

/* Names that the caller must honour if it goes ahead, sorted, without repeats: writes up to `capacity` of them and returns
   how many there are. Of the request's last decision. */
LICET_API size_t licet_request_obligations(const licet_request *request, licet_text *names, size_t capacity);

/* The statement that decided the request's last decision. 0, or LICET_E_INVALID. */
LICET_API int32_t licet_request_statement(const licet_request *request, licet_statement *statement);

/* LICET_ASK is the program's to take to a human, with what licet_explain says, until licetd itself does that; then its
   calls will stand here (licet_approval_…: a ticket, and a descriptor to poll), and what is above stays as it is. */

/* ---- Why -------------------------------------------------------------------------------------------------------- */

/* A decision with its trace, and with the way out of a refusal. Owns its texts; needs neither request nor authority. */
typedef struct licet_explanation licet_explanation;

/* Decides and explains. As licet_check_action, but made for people: slow, and it allocates. Returns the effect, or a
   negative error. */
LICET_API int32_t licet_explain(
    licet_request *request, const licet_text *behaviors, size_t count, licet_explanation **explanation);
LICET_API void licet_explanation_free(licet_explanation *explanation);

/* Its decision. */
LICET_API int32_t licet_explanation_decision(const licet_explanation *explanation, licet_decision *decision);
LICET_API int32_t licet_explanation_statement(const licet_explanation *explanation, licet_statement *statement);
LICET_API size_t licet_explanation_obligations(
    const licet_explanation *explanation, licet_text *names, size_t capacity);

#define LICET_STEP_DEFAULT 0  /* the platform's; a second one is what the operator's audience chooses instead */
#define LICET_STEP_SETTING 1  /* a setting of the operator's, considered; changes nothing by itself */
#define LICET_STEP_OPERATOR 2 /* what the operator's settings come to */
#define LICET_STEP_GRANT 3
#define LICET_STEP_PREFERENCE 4
#define LICET_STEP_DUTY 5
#define LICET_STEP_LIMIT 6
#define LICET_STEP_OVERSIGHT 7 /* a halt */
#define LICET_STEP_ABSOLUTE 8
#define LICET_STEP_DIAL 9     /* the dial's cap on an agent's own initiative, or on untrusted text; its truth says whether it holds */

#define LICET_STEP_SESSION 11 /* what the session says of the name: licet_explanation_hold; its truth says whether it holds it back */
#define LICET_STEP_SUSPICION 12 /* how suspect whoever asks is; its truth says whether that holds it back */

#define LICET_FALSE 0
#define LICET_TRUE 1
#define LICET_FAILED 2 /* the condition can't be evaluated, which never loosens */

/* One step of a decision. */
typedef struct licet_step {
  uint32_t size;
  uint8_t step;       /* LICET_STEP_… */
  uint8_t truth;      /* of the condition; LICET_TRUE where there is none */
  uint8_t says;       /* the effect that the statement has */
  uint8_t effect;     /* the running effect after this step */
  int8_t tier;        /* of a duty or limit: 0 operator, 1 guideline, 2 ethics, 3 safety; else -1 */
  uint8_t is_shadow;  /* evaluated, not enforced */
  uint8_t is_clamped; /* the operator's setting was cut down to the platform's ceiling */
  uint8_t reserved;
  uint32_t reserved1;
  licet_text behavior;  /* the name that this step belongs to */
  licet_text failure;   /* why a condition failed: "missing-attribute"; empty unless it did */
  licet_text attribute; /* and of which attribute */
  licet_statement statement;
} licet_step;
#define LICET_STEP_INIT \
  {sizeof(licet_step), 0, 0, 0, 0, -1, 0, 0, 0, 0, {NULL, 0}, {NULL, 0}, {NULL, 0}, LICET_STATEMENT_INIT}

/* The steps, in the order of authority, by index from 0. 0, or LICET_E_INVALID beyond the last. `size` is of the whole
   struct; that of its `statement` is set. */
LICET_API size_t licet_explanation_steps(const licet_explanation *explanation);
LICET_API int32_t licet_explanation_step(const licet_explanation *explanation, size_t index, licet_step *step);

/* What a step of LICET_STEP_DIAL compares. The step's own statement is what set the dial; none: the session did, or the
   source is LICET_SOURCE_UNTRUSTED, which is held back whatever the numbers are. */
typedef struct licet_dial {
  uint32_t size;
  int32_t is_untrusted;      /* the source is LICET_SOURCE_UNTRUSTED */
  double stakes;             /* what is at stake, from 0 to 1 */
  double dial;               /* the most that an agent may do on its own */
  licet_statement statement; /* who states the stakes; none: nobody, so they are 1 */
} licet_dial;
#define LICET_DIAL_INIT {sizeof(licet_dial), 0, 0, 0, LICET_STATEMENT_INIT}

/* Of the step with this index; LICET_E_INVALID where it is another, or beyond the last. `size` is of the whole struct. */
LICET_API int32_t licet_explanation_dial(const licet_explanation *explanation, size_t index, licet_dial *dial);

/* A period that a step depends on: a rule that is there only while it runs or once it has ended, or a default, ceiling or
   dial that its end replaces. */
typedef struct licet_period {
  uint32_t size;
  uint32_t has_ended;        /* 0: it runs */
  licet_statement statement; /* of LICET_FORM_PERIOD */
} licet_period;
#define LICET_PERIOD_INIT {sizeof(licet_period), 0, LICET_STATEMENT_INIT}

/* Of the step with this index; LICET_E_INVALID where it depends on none, or beyond the last. `size` is of the whole struct. */
LICET_API int32_t licet_explanation_period(const licet_explanation *explanation, size_t index, licet_period *period);

#define LICET_HOLD_CAP 1        /* a cap; `term` is the name that it is on */
#define LICET_HOLD_SCOPE 2      /* the scope; `term` is what of it covers the name, empty: nothing does */
#define LICET_HOLD_RESOURCES 3  /* the resource is none of the session's */
#define LICET_HOLD_PREFERENCE 4 /* a delegate's request has a preference, which only caps */

/* Of a step of LICET_STEP_SESSION: LICET_HOLD_…, and the name in the session's terms (may be NULL). LICET_E_INVALID where it
   is another step. */
LICET_API int32_t licet_explanation_hold(const licet_explanation *explanation, size_t index, licet_text *term);
/* Of a step of LICET_STEP_SUSPICION: the level, in attempts. 0, or LICET_E_INVALID. */
LICET_API int32_t licet_explanation_suspicion(const licet_explanation *explanation, size_t index, double *level);

#define LICET_WAY_NOT_NEEDED 0 /* it is allowed already */
#define LICET_WAY_USER 1
#define LICET_WAY_OPERATOR 2
#define LICET_WAY_PLATFORM 3
#define LICET_WAY_NOBODY 4     /* an absolute; or the source is LICET_SOURCE_UNTRUSTED */
#define LICET_WAY_AUTHORITIES 5 /* nobody yet: periods have to end first, which their authorities determine */
#define LICET_WAY_WAIT 6        /* nobody, or not they alone: counters have to fall, or suspicion decays */

#define LICET_CHANGE_PREFERENCE 0     /* the user's preference */
#define LICET_CHANGE_SETTING 1        /* the operator's settings and grants */
#define LICET_CHANGE_OPERATOR_LIMIT 2
#define LICET_CHANGE_CHOICE 3         /* the platform's default and ceilings */
#define LICET_CHANGE_PLATFORM_LIMIT 4
#define LICET_CHANGE_HALT 5           /* a halt ends */
#define LICET_CHANGE_SESSION_DIAL 6   /* the session's dial */
#define LICET_CHANGE_OPERATOR_DIAL 7  /* the operator's dial */
#define LICET_CHANGE_STAKES 8         /* the platform's: it states lower stakes, or raises the dial */
#define LICET_CHANGE_SESSION 11       /* the session's caps, scope or resources are wider */
#define LICET_CHANGE_SUSPICION 12     /* suspicion decays: licet_explanation_change_wait */
#define LICET_CHANGE_PERIOD 9         /* a period ends: the statement is its own (LICET_FORM_PERIOD) */
#define LICET_CHANGE_COUNTER 10       /* a counter falls: the statement is its own (LICET_FORM_COUNTER) */

/* One change that the way needs. */
typedef struct licet_change {
  uint32_t size;
  int32_t change;            /* LICET_CHANGE_… */
  int32_t decided_by;        /* what decides while this change alone is missing, LICET_BY_… */
  uint32_t user;             /* of a halt: who stopped it, or UINT32_MAX: not known */
  int64_t since;             /* of a halt: seconds since 1970, or -1: not known */
  licet_text halt;           /* of a halt: "operator-stop", "all-stop", "no-policy", "authority-lost", "session-stop",
                                "session-expired", "session-spent" */
  licet_text operator_name;  /* of a halt: whom it halts; empty: everybody */
  licet_text behavior;       /* the name that decides while this change is missing */
  licet_statement statement; /* what is to be changed */
} licet_change;
#define LICET_CHANGE_INIT \
  {sizeof(licet_change), 0, 0, UINT32_MAX, -1, {NULL, 0}, {NULL, 0}, {NULL, 0}, LICET_STATEMENT_INIT}

/* Whose best choices would give LICET_ALLOW: the lowest layer, LICET_WAY_…; for LICET_ASK an overseer comes first. */
LICET_API int32_t licet_explanation_way(const licet_explanation *explanation);
LICET_API size_t licet_explanation_changes(const licet_explanation *explanation);
LICET_API int32_t licet_explanation_change(const licet_explanation *explanation, size_t index, licet_change *change);

/* Of a change of the session's dial, the operator's, or stakes: the dial that the stakes need (0: no more than there is), and
   the highest that it may become by these changes. Either may be NULL. 0, or LICET_E_INVALID where the change is another. */
LICET_API int32_t licet_explanation_change_dial(
    const licet_explanation *explanation, size_t index, double *needed, double *highest);

/* Of a change of suspicion: the most seconds until it has fallen low enough. 0, or LICET_E_INVALID. */
LICET_API int32_t licet_explanation_change_wait(const licet_explanation *explanation, size_t index, uint64_t *seconds);
/* Of a halt: the session that it halts, this one or one that it was delegated by; empty: no session alone. 0, or
   LICET_E_INVALID. */
LICET_API int32_t licet_explanation_change_session(
    const licet_explanation *explanation, size_t index, licet_text *session);

#ifdef __cplusplus
}
#endif
#endif
