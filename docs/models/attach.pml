/* The protocol of epochs, generations and revocation between licetd and liblicet (docs/attach-protocol.md), for spin.
   tools/check-model runs it: as it is, and with each FAULT_ below, which must be refuted.

   One daemon publishes, stops, unbinds, beats, ends, hangs, and is killed between any two of its stores; it comes back with
   the same state page, or with a new one. Threads of up to three processes check: one process has up to two threads with
   one snapshot and one lock, one is another process, one is a child that the first one forks. A store, a system call, and
   a run of loads is one step; everything else may happen between two steps.

   Memory. The daemon's stores are made in program order, each a release. A load is not taken to see the newest value: it
   is satisfied at any instant since the last point that orders it, and that is: the call's start, taking the lock,
   an answer received, an acquire load, an acquire fence. A lower bound (`lowGen`, `lowRev`, `lowBeat`) is kept for each word; `genSaw…` and
   `beatSaw…` say how far the other words had come when a value was stored, which is what an acquire of it brings along.

   Time. `now` is counted in units of stale-after: a sign of life is fresh until the next tick. Stamps are now + 1; 0: never.

   Ghosts. `truth` numbers what is in force (a generation, its halts, who is bound): it grows with the store that
   tells mapped clients. A snapshot carries the number that its answer was made under. */

#ifndef PUBLISHES
#define PUBLISHES 1
#endif
#ifndef STOPS
#define STOPS 1
#endif
#ifndef UNBINDS
#define UNBINDS 0
#endif
#ifndef CRASHES
#define CRASHES 1
#endif
#ifndef HANGS
#define HANGS 0
#endif
#ifndef ENDS
#define ENDS 0
#endif
#ifndef TICKS
#define TICKS 1
#endif
#ifndef CHECKS
#define CHECKS 2
#endif
/* Those of the second thread, the other process, the child. */
#ifndef MORECHECKS
#define MORECHECKS 1
#endif
/* Threads of the first process: 1 or 2. */
#ifndef THREADS
#define THREADS 1
#endif
/* 1: there is another process; a child of the first. */
#ifndef OTHERS
#define OTHERS 0
#endif
#ifndef FORKS
#define FORKS 0
#endif
/* How a daemon may come back: with the page continued, with a new one. */
#ifndef CONTINUED
#define CONTINUED 1
#endif
#ifndef NEWPAGE
#define NEWPAGE 1
#endif

#define MAXGEN 8
#define MAXREV 10
#define MAXSTAMP 5
#define G(q, v) ((q) * MAXGEN + (v))
#define B(q, v) ((q) * MAXSTAMP + (v))

/* ---- the state pages: page 1 is the one of a daemon that was given none */
byte gen[2], rev[2], beat[2];
byte genSawRev[2 * MAXGEN], genSawBeat[2 * MAXGEN];
byte beatSawRev[2 * MAXSTAMP];
bool beatStored[2 * MAXSTAMP];

/* ---- the daemon */
byte inc;        /* which one lives; grows */
byte page;       /* the page that it writes */
bool alive, listening, ready, hung;
byte dGen, dPlatform, dOverlay;  /* what it hands out */
bool dHalt, bound = 1;
bool diskHalt;
byte numbers;    /* the last generation number that was used, on disk */
byte publishes, stops, unbinds, crashes, hangs, ends;
bool pending;

/* ---- ghosts */
byte truth;
byte truthPage;      /* the page of the daemon that made it so */
bool inForce;        /* that daemon lives */
byte deathStamp[2], deathTruth[2];
bool stopReturned;
byte disturbances;   /* crashes, hangs, ends */
byte usedNumbers;    /* bits */
byte working;        /* clients that have not done all their checks: without any the rest tells nothing */
byte now;

/* ---- the processes */
byte mark[3];        /* of the page that a fork wipes: 0, 1: the connection is ours, 2: and the snapshot came by it */
bool lock[3];        /* in the same page */
byte conn[3];        /* the daemon that it leads to; 0: none */
byte connOwner[3];
typedef Snapshot { byte page; byte gen; byte rev; byte answered; bool halt; byte truth; byte platform; byte overlay; byte owner };
Snapshot current[3];
#ifdef FAULT_SHARED_LAST_ANSWER
byte lastAnswer[3];
#endif
typedef Answer { byte state; bool refused; byte gen; byte rev; byte page; bool halt; byte truth; byte platform; byte overlay; byte asked };
Answer answer[3];    /* state: 0, 1 asked, 2 answered */

/* ---- stores: one step each, with the ghost that belongs to it */
inline storeGen(v) {
  gen[page] = v;
  genSawRev[G(page, v)] = rev[page]; genSawBeat[G(page, v)] = beat[page]
}
inline storeRev() { rev[page] = rev[page] + 1 }
inline storeBeat() {
  beat[page] = now + 1;
  if
  :: !beatStored[B(page, now + 1)] ->
    beatStored[B(page, now + 1)] = 1;
    beatSawRev[B(page, now + 1)] = rev[page]
  :: else
  fi
}
inline newTruth() { truth++; truthPage = page }
inline takeNumber() {
  numbers++;
  assert((usedNumbers & (1 << numbers)) == 0);             /* b */
  usedNumbers = usedNumbers | (1 << numbers)
}
inline die() {
  alive = 0; listening = 0; ready = 0; hung = 0; pending = 0; disturbances++;
  if
  :: inForce -> inForce = 0; deathStamp[truthPage] = now + 1; deathTruth[truthPage] = truth
  :: else
  fi
}
/* A step, or the end of it all before it. */
#define STEP(x) if :: d_step { x } :: d_step { crashes < CRASHES && working -> crashes++; die() } goto start fi

#define ASKED(p) (answer[p].state == 1 && conn[p] == inc)
inline reply(p) {
  answer[p].state = 2; answer[p].refused = !bound;
#ifdef FAULT_PUBLISH_BEFORE_IMAGE
  answer[p].gen = gen[page];
#else
  answer[p].gen = dGen;
#endif
  answer[p].rev = rev[page]; answer[p].page = page; answer[p].halt = dHalt; answer[p].truth = truth;
  answer[p].platform = dPlatform; answer[p].overlay = dOverlay
}

proctype Daemon() {
end_down:
start:
  /* Whoever manages it starts it, again and again, or not. The policy is read, compiled, put in force under a new number,
     and it listens: nothing is told yet. The page is the one that was kept, or a new one. */
  atomic {
    inc <= CRASHES + ENDS && working ->
    inc++; alive = 1; listening = 1; dHalt = diskHalt;
#ifdef FAULT_GENERATION_REUSED
    if :: inc > 1 -> numbers-- :: else fi;
#endif
#ifdef FAULT_GENERATION_GOES_BACK
    if :: inc == 1 -> numbers = 4 :: inc == 2 -> numbers = 0 :: else fi;
#endif
    takeNumber();
    dGen = numbers; dPlatform = numbers; dOverlay = numbers;
    if
    :: inc == 1
    :: inc > 1 && CONTINUED
    :: inc > 1 && NEWPAGE && page == 0 -> page = 1
    :: inc > 1 && !CONTINUED && page == 1
    fi
  };
#ifdef FAULT_BEAT_BEFORE_TAKEOVER
  STEP(storeBeat());
#endif
#ifdef FAULT_NO_TAKEOVER_REVOCATION
  STEP(newTruth(); inForce = 1);
#else
#ifdef FAULT_BEAT_BEFORE_REVOCATION
  /* As a machine may do with stores that are no releases. */
  STEP(storeBeat(); newTruth(); inForce = 1);
  STEP(storeRev());
#else
  STEP(storeRev(); newTruth(); inForce = 1);
#endif
#endif
  STEP(storeBeat());
  STEP(storeGen(dGen); ready = 1);

end_serving:
  do
  :: d_step { ASKED(0) -> reply(0) }
#if OTHERS
  :: d_step { ASKED(1) -> reply(1) }
#endif
#if FORKS
  :: d_step { ASKED(2) -> reply(2) }
#endif
  :: beat[page] != now + 1 && working -> STEP(storeBeat())

  :: publishes < PUBLISHES && !pending && working ->
#ifdef FAULT_PUBLISH_BEFORE_IMAGE
    STEP(publishes++; takeNumber(); storeGen(numbers); newTruth(); pending = 1)
  :: pending -> STEP(dGen = numbers; dPlatform = numbers; dOverlay = numbers; pending = 0)
#else
#ifdef FAULT_IMAGES_PIECEMEAL
    STEP(publishes++; takeNumber(); dGen = numbers; dPlatform = numbers; pending = 1)
  :: pending -> STEP(dOverlay = numbers; storeGen(numbers); newTruth(); pending = 0)
#else
    STEP(publishes++; takeNumber(); dGen = numbers; dPlatform = numbers; dOverlay = numbers);
    STEP(storeGen(numbers); newTruth())
#endif
#endif

  :: stops < STOPS && working ->
#ifdef FAULT_STOP_NOT_ON_DISK
    STEP(stops++; dHalt = 1);
#else
    STEP(stops++; dHalt = 1; diskHalt = 1);
#endif
#ifdef FAULT_NO_STOP_REVOCATION
    STEP(newTruth(); stopReturned = 1)
#else
#ifdef FAULT_REVOKE_AFTER_REPLY
    STEP(stopReturned = 1); STEP(storeRev(); newTruth())
#else
    STEP(storeRev(); newTruth()); STEP(stopReturned = 1)
#endif
#endif

  :: unbinds < UNBINDS && working ->
#ifdef FAULT_NO_UNBIND_REVOCATION
    STEP(unbinds++; bound = 0; newTruth())
#else
    STEP(unbinds++; bound = 0); STEP(storeRev(); newTruth())
#endif

  :: crashes < CRASHES -> d_step { crashes++; die() } goto start

  :: hangs < HANGS && working -> d_step { hangs++; hung = 1; disturbances++ }
end_hung:
    /* Stopped by a debugger, or swapped out: it answers nobody, until it is killed, if ever. */
    atomic { crashes < CRASHES && working -> crashes++; die() } goto start

  :: ends < ENDS && working ->
    /* From now on nobody decides, until there is another one. */
#ifdef FAULT_END_WITHOUT_REVOCATION
    STEP(ends++; truth++; ready = 0; disturbances++);
#else
    STEP(ends++; ready = 0; disturbances++; storeRev(); truth++);
#endif
    STEP(inForce = 0; deathStamp[page] = 0; deathTruth[page] = truth);
    d_step { die() } goto start
  od
}

proctype Clock() {
end:
  do :: now < TICKS && working -> now++ od
}

/* ---- a client */

#define MAX(a, b) ((a) > (b) -> (a) : (b))
#define RAISE(x, v) if :: x < (v) -> x = (v) :: else fi

inline orderHere(q) { lowGen = gen[q]; lowRev = rev[q]; lowBeat = beat[q]; lowTime = now }

/* What the mark must say for a snapshot to count. */
#ifdef FAULT_MARK_BEFORE_ATTACH
#define NEEDED 1
#else
#define NEEDED 2
#endif

/* Snapshot.isInForce: result in `is`. Each load is satisfied at some instant since what orders it; see above. */
inline isInForce(s) {
  is = 0; fenceRev = 0;
  if
  :: s.gen == 0 || mark[p] < NEEDED
  :: else ->
    /* the clock */
    if :: time = lowTime :: lowTime < now -> time = now fi;
    if
    :: gen[s.page] != s.gen          /* another generation is seen */
    :: s.gen >= lowGen ->            /* the same one: acquire */
#ifndef WEAK_GENERATION_LOAD
      RAISE(lowRev, genSawRev[G(s.page, s.gen)]); RAISE(lowBeat, genSawBeat[G(s.page, s.gen)]);
#endif
      if
      :: rev[s.page] != s.rev
      :: s.rev >= lowRev ->
        if
        :: beatStored[B(s.page, time + 1)] && time + 1 >= lowBeat -> is = 1; fenceRev = beatSawRev[B(s.page, time + 1)]
        :: (beat[s.page] != time + 1 || lowBeat < time + 1) ->
          /* no sign of life: when was there an answer? */
#ifdef FAULT_SHARED_LAST_ANSWER
          is = (lastAnswer[p] == time + 1)
#else
          is = (s.answered == time + 1)
#endif
        fi
      fi
    fi
  fi
}

inline copySnapshot(a, b) {
  a.page = b.page; a.gen = b.gen; a.rev = b.rev; a.answered = b.answered; a.halt = b.halt; a.truth = b.truth;
  a.platform = b.platform; a.overlay = b.overlay; a.owner = b.owner
}
inline forgetSnapshot(a) {
  a.page = 0; a.gen = 0; a.rev = 0; a.answered = 0; a.halt = 0; a.truth = 0; a.platform = 0; a.overlay = 0; a.owner = 0
}
inline adopt() {
  current[p].page = answer[p].page; current[p].gen = answer[p].gen; current[p].rev = answer[p].rev;
  current[p].halt = answer[p].halt; current[p].truth = answer[p].truth; current[p].platform = answer[p].platform;
  current[p].overlay = answer[p].overlay; current[p].owner = p;
#ifdef FAULT_SHARED_LAST_ANSWER
  lastAnswer[p] = answer[p].asked;
#endif
#ifdef FAULT_ANSWER_COUNTS_WHEN_READ
  current[p].answered = now + 1;
#else
  current[p].answered = answer[p].asked;
#endif
  mark[p] = 2;
  orderHere(current[p].page);
  forgetAnswer()
}
inline forgetAnswer() {
  answer[p].state = 0; answer[p].refused = 0; answer[p].gen = 0; answer[p].rev = 0; answer[p].page = 0;
  answer[p].halt = 0; answer[p].truth = 0; answer[p].platform = 0; answer[p].overlay = 0; answer[p].asked = 0
}
#define isConnected (alive && conn[p] == inc)
/* A time-out is only for what a living daemon doesn't cause: it answers in time. */
#define wasDisturbed (!startReady || disturbances != startDisturbances)

/* What every call leaves behind, so that states that differ in nothing that counts are one. */
inline finish() {
  startTruth = 0; startNow = 0; startStop = 0; startPage = 0; startOk = 0; startReady = 0; startDisturbances = 0;
  lowGen = 0; lowRev = 0; lowBeat = 0; lowTime = 0; is = 0; time = 0; fenceRev = 0;
  stopBefore = 0; pageBefore = 0; evalRev = 0
}
inline ask() {
  assert(connOwner[p] == p);                               /* f */
  answer[p].state = 1; answer[p].asked = now + 1
}
inline lay() { copySnapshot(mine, current[p]); lock[p] = 0 }
inline giveUp() { forgetAnswer(); conn[p] = 0; lock[p] = 0 }

inline client() {
  do
  :: left > 0 ->
    d_step {
      left--;
      startTruth = truth; startNow = now; startStop = stopReturned; startPage = truthPage;
      startOk = (inForce || deathStamp[truthPage] == now + 1);
      startReady = (ready && !hung); startDisturbances = disturbances;
      orderHere(mine.page)
    };
again:
    atomic {
      isInForce(mine);
      if
#ifdef FAULT_REPEATED_WITHOUT_SECOND_READ
      /* The last answer once more, on the strength of the first loads alone. */
      :: is && lastGen -> goto decided
#endif
      :: is -> goto evaluate
      :: else -> is = 0; time = 0; fenceRev = 0
      fi
    };
    /* The slow path, under the lock. */
    if
    :: atomic {
        !lock[p] -> lock[p] = 1; orderHere(current[p].page);
        isInForce(current[p]);
        if
        :: is -> lay(); goto evaluate
        :: else
        fi;
        if
        :: conn[p] != 0 && mark[p] >= 1 -> ask(); goto wait
        :: else -> goto connect
        fi
      }
#ifndef FAULT_UNBOUNDED_LOCK
    :: atomic { lock[p] && wasDisturbed -> goto lost }
#endif
    fi;
connect:
    if
    :: atomic { listening -> conn[p] = inc; connOwner[p] = p; RAISE(mark[p], 1); ask(); goto wait }
    /* Nobody listens until the time is up; or somebody whose queue is full, and who accepts nobody. */
    :: atomic { !listening -> giveUp(); goto lost }
#ifdef FAULT_UNBOUNDED_CONNECT
    :: hung -> false
#else
    :: atomic { hung -> giveUp(); goto lost }
#endif
    fi;
wait:
    if
    :: atomic { answer[p].state == 2 && !answer[p].refused -> adopt(); lay(); goto evaluate }
    :: atomic { answer[p].state == 2 && answer[p].refused -> forgetAnswer(); lock[p] = 0; goto done }
#ifdef FAULT_NO_REATTACHMENT
    :: atomic { answer[p].state == 1 && !isConnected -> giveUp(); goto lost }
#else
    :: atomic { answer[p].state == 1 && !isConnected -> forgetAnswer(); conn[p] = 0; goto connect }
#endif
#ifndef FAULT_UNBOUNDED_WAIT
    :: atomic { answer[p].state == 1 && isConnected && hung -> giveUp(); goto lost }
#endif
    fi;

evaluate:
    atomic { stopBefore = stopReturned; pageBefore = truthPage; evalRev = rev[mine.page] };
    atomic {
#ifndef FAULT_NO_SECOND_REVOCATION_READ
#ifndef FAULT_NO_FENCE
      RAISE(lowRev, fenceRev); RAISE(lowRev, evalRev);
#endif
      if
      :: rev[mine.page] != mine.rev -> goto again
      :: mine.rev >= lowRev
      fi;
#endif
#ifdef FAULT_REPEATED_WITHOUT_SECOND_READ
decided:
#endif
      /* a: one generation, whole. */
      assert(mine.platform == mine.gen && mine.overlay == mine.gen);
      /* b: never back. */
      assert(mine.gen >= lastGen);
      lastGen = mine.gen;
      /* c: in force between the call's start and its end, or when the last daemon died, less than stale-after ago; or,
         where a daemon came back with another page, when that of our page died, less than stale-after ago. */
      assert(mine.truth > startTruth || (mine.truth == startTruth && startOk)
        || (mine.page != startPage && deathStamp[mine.page] == startNow + 1 && mine.truth >= deathTruth[mine.page]));
      /* d: no check that began, none that was evaluated, after Stop had returned, without the halt. */
      assert(!startStop || mine.page != startPage || mine.halt);
      assert(!stopBefore || mine.page != pageBefore || mine.halt);
      /* f: by what this very process was given. */
      assert(mine.owner == p);
      goto done
    };
lost:
    /* g: with a daemon that serves all the time, nothing is lost. */
    assert(wasDisturbed);
done:
    atomic { finish() }
  :: else -> break
  od;
  atomic { forgetSnapshot(mine); lastGen = 0; working-- }
}

#define LOCALS \
  Snapshot mine; byte lastGen; \
  byte lowGen, lowRev, lowBeat, lowTime, time, fenceRev, evalRev; bool is; \
  byte startTruth, startNow, startPage, startDisturbances, pageBefore; bool startOk, startStop, startReady, stopBefore

proctype Thread(byte p; byte left) {
  LOCALS;
  client()
}

/* The first process forks at any instant; a request that is laid out on its snapshot is used in the child. */
proctype Child(byte p; byte left) {
  LOCALS;
  d_step {
    copySnapshot(current[2], current[0]); copySnapshot(mine, current[0]);
    conn[2] = conn[0]; connOwner[2] = connOwner[0];
#ifdef FAULT_FORK_SHARES_CONNECTION
    mark[2] = mark[0];
#endif
#ifdef FAULT_FORK_KEEPS_LOCK
    lock[2] = lock[0];
#endif
#ifdef FAULT_SHARED_LAST_ANSWER
    lastAnswer[2] = lastAnswer[0];
#endif
  };
  client()
}

init {
  atomic {
    working = THREADS + OTHERS + FORKS;
    run Daemon(); run Clock(); run Thread(0, CHECKS);
#if THREADS > 1
    run Thread(0, MORECHECKS);
#endif
#if OTHERS
    run Thread(1, MORECHECKS);
#endif
#if FORKS
    run Child(2, MORECHECKS);
#endif
  }
}
