/* Exactly once, as built (I4, I5; docs/proof.md): of one row, at most one submission is undecided at any time.
 * One row, two instances, one participant, one database. What may happen is left open wherever it can be, so that
 * nothing rests on it:
 * - a claim is lost at ANY moment, and a deadline check stops nobody (but in I1 and LIVE): leases protect no money;
 * - an instance stops for ever, or dies and begins anew, before any of its steps;
 * - a request arrives at any later time or never, also after its row was settled; any answer may be lost;
 * - the ledger takes or refuses what it likes for reasons of its own, and a balance that is asked for is anything.
 * A look is one step: what a log that only grows says cannot change, so reading it slowly finds what reading it at the
 * end does (SLOW reads it event by event all the same).
 *
 * HOSTED: the claim writes the record (submission id: the claim token). Else external: the record is a statement of its
 * own, after the signature. M_…: a guard taken out. run.sh has every configuration. */
#ifndef N
#define N 2                /* submissions in the whole history */
#endif
#ifndef INSTANCES
#define INSTANCES 2
#endif
#ifndef W
#define W 1                /* bound = database time of the claim + W */
#endif
#ifndef DM
#define DM (N-1)           /* last database time */
#endif
#ifndef SKEW
#define SKEW 0             /* FAILOVER: how far the new database's clock may be behind the old one's */
#endif
#ifndef DEDUP
#define DEDUP 0            /* 0: the participant's deduplication window is over, or its store lost; 1: it works */
#endif
#if defined(REINSERT) && !defined(FAILOVER)
#define FAILOVER
#endif
#ifndef FAILOVERS
#define FAILOVERS 1
#endif
#define LM (DM+W+SKEW+1)   /* last record time */
#define NEV (2*N+LM+2)
#define NO 99              /* no submission, no bound: none, or unknown */
#define A(m) ('A'+m-1)

/* row status */
#define PEND 0
#define COMP 1
#define FAIL 2
#define GONE 3             /* REINSERT: not inserted (again) yet */
#define CLEAR 4            /* a verdict: back to pending, nothing undecided any more */
#define PARK 5             /* a verdict: as it is, for a person */
#define ASKED 6            /* where a guard is gone: half a verdict */

/* a submission */
#define NONE 0             /* not sent */
#define NET  1             /* on the network, for as long as it likes */
#define INFL 2             /* DEDUP: registered, not sequenced */
#define SEQ  3             /* sequenced, no verdict yet */
#define ACC  4
#define REF  5             /* refused for certain: at the door, at the sequencer, or by the verdict */
#define DUP  6             /* DUPLICATE_COMMAND */
#define BUSY 7             /* SUBMISSION_ALREADY_IN_FLIGHT */

/* the completion stream: kind + submission, or + record time */
#define E_ACC 10
#define E_REF 20
#define E_DUP 30
#define E_CP  50
#define E_FOR 49           /* FOREIGN: an acceptance of this command id that is not our transfer */

byte rst[N+1], rbnd[N+1], rrt[N+1];       /* state, bound it carries, record time; [N] is never sent */
byte ev[NEV], end, cp, L, accs;
#ifdef ONECLOCK
byte back;                 /* FAILOVER: by so much is the database's clock behind now */
#define D ((L<DM -> L : DM) < back -> 0 : (L<DM -> L : DM) - back)
#else
byte D;                    /* nothing ties the database's clock to the ledger's */
#endif
#ifdef FOREIGN
bit  foreign;              /* somebody else's transaction was accepted under this command id */
#endif
#ifdef M_RESEND
bit  copy[N+1], refused[N+1];
#endif

/* the row, and its record: sent_from, sent_until (NO: nothing undecided), submission id (NO: unknown) */
byte status = PEND, holder, sfrom, suntil = NO, sub = NO;
byte wk[4] = NO;           /* the submission that each instance has in hand: NO, or one it may still send */

/* the standby: what it had when the primary began to lose its writes */
#ifdef FAILOVER
#ifdef REINSERT
byte lost = 1;             /* as below; the insert itself is lost */
#else
byte lost;                 /* 0 nothing, 1 writes will be lost, 2 failed over and not rechecked, 3 rechecked */
#endif
byte times;                /* failed over so often */
byte sholder, ssfrom, ssuntil, ssub = NO, pinned;
#ifdef REINSERT
byte rcfrom, rcuntil = NO; /* the pinned row's recheck: where `failed` looks first */
#endif
#define KNOWN (lost!=2)    /* the timeline is the pinned one */
#else
#define KNOWN true
#endif

#ifdef M_NOTIMELINE
#define CLAIMKNOWN true
#else
#define CLAIMKNOWN KNOWN
#endif
#ifdef M_NOTIMELINEWA
#define AHEADKNOWN true
#else
#define AHEADKNOWN KNOWN
#endif
#ifdef M_NOTIMELINESETTLE
#define SETTLEKNOWN true
#else
#define SETTLEKNOWN (KNOWN || what!=FAIL)
#endif

#ifdef I1
byte lease;
#define CLAIMABLE (status==PEND && (holder==0 || D>=lease))
#else
#ifdef LIVE
#define CLAIMABLE (status==PEND && holder==0)
#else
#define CLAIMABLE (status==PEND)
#endif
#endif
#ifdef LIVE
bit  begun;
byte faults = LIVE;        /* so many faults, then everything works */
#define CANF faults>0
#define TAKEF faults--
#define RUNS begun
#else
#define CANF true
#define TAKEF skip
#define RUNS true
#endif

/* Of no meaning after the step that uses them. The search for the shortest history takes no hidden ones. */
#ifdef SHORTEST
byte i, x, found;
#else
hidden byte i, x, found;
#endif

inline publish(e) { ev[end] = e; end++ }

/* ---------- time ---------- */
#ifdef ONECLOCK
active proctype Clock() { end_c: do :: atomic { L<LM && RUNS -> L++; printf("record time %d\n", L) } od }
#else
active proctype DatabaseClock() { end_d: do :: atomic { D<DM -> D++; printf("database time %d\n", D) } od }
active proctype LedgerClock() { end_l: do :: atomic { L<LM -> L++; printf("record time %d\n", L) } od }
#endif

/* ---------- the participant ---------- */
/* A checkpoint with record time L: nothing with a record time below L will still appear. At or below the least bound it
 * could tell nobody anything, so such are left out. */
#ifdef FAILOVER
#define LOOKEDAT true
#else
#define LOOKEDAT (status==PEND)                      /* once final, for ever: nobody reads any more */
#endif
#ifdef M_GE
#define LEAST W
#else
#define LEAST (W+1)
#endif
active proctype Checkpoints() {
end_k: do
  :: atomic { L>cp && L>=LEAST && LOOKEDAT ->
       i=0; found=0;
       do :: i<N -> if :: rst[i]==SEQ && rrt[i]<L -> found=1 :: else fi; i++ :: else -> break od;
       if :: found==0 -> cp=L; publish(E_CP+L); printf("the stream shows a checkpoint at %d\n", L) :: else fi }
  od }

inline refuse(k) { rst[k]=REF; rbnd[k]=0; rrt[k]=0; printf("s%d is refused\n", k+1) }
/* Hosted: a completion that refuses decides nothing (a request might arrive twice), so none is written down here. */
#ifdef HOSTED
inline refuseByCompletion(k) { refuse(k) }
#else
inline refuseByCompletion(k) { refuse(k); publish(E_REF+k); printf("a completion says so\n") }
#endif

/* The other submissions: is one undecided at the ledger, was one accepted? */
inline others(k) { i=0; found=0;
  do :: i<N -> if :: i!=k && (rst[i]==INFL || rst[i]==SEQ) -> found=1
                  :: i!=k && found==0 && rst[i]==ACC -> found=2
                  :: else fi; i++
     :: else -> break od }

#ifdef M_NOBOUND
#define INTIME(k) true
#else
#define INTIME(k) (L<=rbnd[k])
#endif

proctype Submission(byte k) {
end_s: do
#if DEDUP
  :: atomic { rst[k]==NET -> others(k);
#ifdef FOREIGN
       if :: foreign && found==0 -> found=2 :: else fi;
#endif
       if
       :: CANF -> TAKEF; refuse(k)                /* backpressure, or interpretation, which comes first */
       :: found==1 -> rst[k]=BUSY; rbnd[k]=0; printf("s%d: SUBMISSION_ALREADY_IN_FLIGHT\n", k+1)
       :: found==2 -> rst[k]=DUP; rbnd[k]=0; publish(E_DUP+k); printf("s%d: DUPLICATE_COMMAND\n", k+1)
       :: found==0 -> rst[k]=INFL; printf("s%d is registered\n", k+1)
       fi }
#define READY INFL
#else
#define READY NET          /* registered or not: without deduplication nobody can tell */
  :: atomic { rst[k]==NET && CANF -> TAKEF;
#ifdef M_RESEND
       if :: copy[k] -> copy[k]=0; refused[k]=1; printf("one copy of s%d is refused\n", k+1)
          :: !copy[k] -> refuse(k) fi
#else
       refuse(k)                                  /* at the door: no completion */
#endif
     }
#endif
  :: atomic { rst[k]==READY && INTIME(k) -> rst[k]=SEQ; rrt[k]=L; rbnd[k]=0; printf("s%d is sequenced at %d\n", k+1, L) }
#ifndef M_NOBOUND
  :: atomic { rst[k]==READY && L>rbnd[k] -> refuseByCompletion(k) }      /* NOT_SEQUENCED_TIMEOUT */
#endif
  :: atomic { rst[k]==READY && CANF -> TAKEF; refuseByCompletion(k) }    /* the sequencer's backpressure, and the like */
  :: atomic { rst[k]==SEQ ->                                    /* verdicts come in record-time order */
       i=0; found=0;
       do :: i<N -> if :: rst[i]==SEQ && rrt[i]<rrt[k] -> found=1 :: else fi; i++ :: else -> break od;
       if
       :: found!=0 -> skip
       :: found==0 -> rst[k]=ACC; rrt[k]=0; accs++; publish(E_ACC+k); printf("s%d is accepted\n", k+1);
            assert(accs<=1);                         /* I4 */
            assert(status!=FAIL)                     /* I5: failed only what never will be */
       :: found==0 && CANF -> TAKEF; refuseByCompletion(k)    /* contention */
       fi }
  od }

#ifdef FOREIGN
active proctype Foreign() { end_f: do :: atomic { !foreign -> foreign=1; publish(E_FOR); printf("a foreign transaction is accepted under this command id\n") } od }
#endif

/* ---------- the database ---------- */
/* Before any statement that writes the row the primary may begin to lose its writes: the standby never gets this one. */
#ifdef FAILOVER
inline write() {
  if
  :: lost==0 -> lost=1; sholder=holder; ssfrom=sfrom; ssuntil=suntil; ssub=sub;
       if :: pinned=end :: pinned=0 fi;              /* a ledger end pinned before it */
       printf("(from here on the primary's writes will be lost; pinned ledger end %d)\n", pinned)
  :: true
  fi }
#if defined(M_RECHECKNOSKEW)
#define UNTIL (D+W)
#else
#define UNTIL (D+W+SKEW)
#endif
/* An unknown record: whatever was lost with the log was sent after what it shows, and for longer. */
inline widen() {
#ifdef M_RECHECKFROM
  sfrom=end;
#else
  if :: suntil==NO || pinned<sfrom -> sfrom=pinned :: else fi;
#endif
#ifdef M_RECHECKNARROW
  if :: suntil==NO -> suntil=UNTIL :: else fi;
#else
  if :: suntil==NO || suntil<UNTIL -> suntil=UNTIL :: else fi;
#endif
#ifndef M_RECHECKKEEPSID
  sub=NO
#endif
}
active proctype Failover() {
end_f: do
  :: atomic { lost==1 ->
       lost=2; holder=sholder; sfrom=ssfrom; suntil=ssuntil; sub=ssub; sholder=0; ssfrom=0; ssuntil=0; ssub=NO;
#ifdef REINSERT
       status=GONE; holder=0; sfrom=0; suntil=NO; sub=NO;
#else
       status=PEND;
#endif
#if SKEW
       if :: back=SKEW :: back=0 fi;
#endif
       printf("failover: the row is as the standby had it\n") }
  /* The first who sees the new timeline: one transaction. */
  :: atomic { lost==2 -> times++; if :: times<FAILOVERS -> lost=0 :: else -> lost=3 fi;
#ifdef M_MARKSBLIND
       if :: pinned=end; printf("the pinned ledger end was moved on meanwhile\n") :: skip fi;
#endif
#ifdef REINSERT
       rcfrom=pinned; rcuntil=D+W+SKEW;
#endif
       if
       :: status==PEND ->
#ifndef M_RECHECKKEEPSTOKEN
            holder=0;
#endif
#ifdef M_RECHECKONLYRECORDS
            if :: suntil!=NO -> widen() :: else fi
#else
            widen()
#endif
       :: else
       fi; pinned=0;
       if :: status==PEND && suntil!=NO -> printf("recheck: undecided from %d until %d\n", sfrom, suntil)
          :: else -> printf("recheck\n") fi }
#ifdef REINSERT
  :: atomic { status==GONE -> status=PEND; printf("the row is inserted again\n") }
#endif
  od }
#else
#define write() skip
#endif

/* ---------- an instance ---------- */
#define MINE (holder==me && status==PEND)            /* the fence: a fresh token a claim */
#if defined(M_NOFENCE)
#define MAYSET (status==PEND || status==COMP || status==FAIL)
#elif defined(M_CLEARUNFENCED)
#define MAYSET (MINE || (what==CLEAR && status==PEND))
#else
#define MAYSET MINE
#endif

/* The attempt is over, or its process is. A token that nobody holds any more is as good as none, but where a lease is
 * what frees it (I1). A standby may still have it. */
#ifdef I1
inline forget() { bnd=0; what=0; wk[me]=NO; dl=0 }
#else
inline forget() { bnd=0; what=0; wk[me]=NO;
#ifdef SLOW
  pos=0;
#endif
  if :: holder==me -> holder=0 :: else fi;
#ifdef FAILOVER
  if :: sholder==me -> sholder=0 :: else fi;
#endif
}
#endif
#ifdef LIVE
#define DIES :: atomic { CANF -> TAKEF; forget(); goto end_idle } :: atomic { !MINE -> forget(); goto end_idle }
#else
#define DIES :: atomic { true -> printf("%c stops\n", A(me)); forget(); goto end_idle }
#endif

inline newid() { x=0;
  do :: x<N && (rst[x]!=NONE || sub==x || wk[1]==x || wk[2]==x || wk[3]==x
#ifdef FAILOVER
        || ssub==x
#endif
       ) -> x++ :: else -> break od }
/* The record: its bound is the request's, its begin a ledger end known before, this one or an older. */
inline remember() { suntil=bnd; sub=wk[me];
#ifdef LIVE
  sfrom=0                  /* the model's time ends, and with it the checkpoints: read them all */
#else
  if :: sfrom=end :: sfrom=0 fi
#endif
}

#if defined(HOSTED) && !defined(M_NOWA)
inline fresh() { newid(); wk[me]=x; remember(); printf("%c claims it, and records s%d from %d until %d\n", A(me), x+1, sfrom, suntil) }
#else
inline fresh() { printf("%c claims it, at %d\n", A(me), D) }
#endif

#ifdef SLOW
#define FIRST pos
#define LAST (pos+1)
#define MORE (pos<end)
#define SEEN pos=0
#else
#define FIRST sfrom
#define LAST end
#define MORE true
#define SEEN skip
#endif
/* One read of the stream, from sent_from on: the first event that says something of this submission. */
inline read() { i=FIRST; found=PEND;
  do
  :: i<LAST && found==PEND ->
       if
       :: ev[i]>=E_ACC && ev[i]<E_REF ->
#ifdef M_IDONLY
            if :: ev[i]==E_ACC+sub -> found=COMP :: else fi
#else
            found=COMP                               /* by its id, or by its content: one row, one transfer */
#endif
#ifdef FOREIGN
#ifdef M_ANYACC
       :: ev[i]==E_FOR -> found=COMP
#else
       :: ev[i]==E_FOR -> found=PARK                 /* loudly */
#endif
#endif
       :: ev[i]>=E_DUP && ev[i]<E_FOR -> chase()
#ifndef HOSTED
#ifdef M_REJBYCMD
       :: ev[i]>=E_REF && ev[i]<E_DUP -> found=CLEAR
#else
       :: sub!=NO && ev[i]==E_REF+sub -> found=CLEAR /* a rejection of this submission id: dead */
#endif
#endif
#if !defined(M_TWOREADS) && !defined(M_WALL)
#ifdef M_GE
       :: ev[i]>=E_CP && ev[i]-E_CP>=suntil -> found=CLEAR
#else
       :: ev[i]>=E_CP && ev[i]-E_CP>suntil -> found=CLEAR       /* strictly past the bound: dead */
#endif
#endif
       :: else
       fi; i++
  :: else -> break
  od }
/* DUPLICATE_COMMAND: its acceptance is somewhere, and whose it is only its content tells. */
inline chase() {
#ifdef M_DUPCOMPLETES
  found=COMP
#else
  x=0; found=PARK;
  do :: x<end && found==PARK -> if :: ev[x]>=E_ACC && ev[x]<E_REF -> found=COMP :: ev[x]==E_FOR -> break :: else fi; x++
     :: else -> break od
#endif
}

inline submit() { rst[wk[me]]=NET;
#ifdef M_NEWBOUND
  rbnd[wk[me]]=D+W;
#else
  rbnd[wk[me]]=bnd;
#endif
  bnd=0;
#ifdef M_RESEND
  copy[wk[me]]=1;
#endif
  printf("%c sends s%d, until %d\n", A(me), wk[me]+1, rbnd[wk[me]]) }

#ifdef REINSERT
/* `failed` on a row that may have been done before the failover: the ledger is asked first. */
inline check() {
#ifdef M_NOFAILLOOK
  what=FAIL; printf("%c judges: it can never be\n", A(me))
#else
  if
  :: rcuntil==NO -> what=FAIL; printf("%c judges: it can never be\n", A(me))
  :: else -> printf("%c judges that it can never be, and looks first\n", A(me)); i=rcfrom; found=PEND;
       do
       :: i<end && found==PEND ->
            if :: ev[i]>=E_ACC && ev[i]<E_REF -> found=COMP
               :: ev[i]>=E_CP && ev[i]-E_CP>rcuntil -> found=FAIL
               :: else fi; i++
       :: else -> break
       od;
       if :: found==PEND -> what=CLEAR :: else -> what=found fi
  fi
#endif
}
#endif

#if defined(M_RESEND)
#define REFUSED(k) (rst[k]==REF || refused[k])
#elif defined(M_BUSYDEAD)
#define REFUSED(k) (rst[k]==REF || rst[k]==BUSY)
#else
#define REFUSED(k) (rst[k]==REF)
#endif
proctype Worker(byte me) {
  byte bnd, what;
#ifdef I1
  byte dl;
#endif
#ifdef SLOW
  byte pos;                                          /* read so far: one event a step */
#endif

end_idle:
#ifdef I1
  atomic { CLAIMABLE -> dl=D+1 }                     /* the deadline starts before the claim is sent */
#endif
  if
  :: atomic { CLAIMABLE && CLAIMKNOWN ->             /* the claim: one statement */
       write(); holder=me; bnd=D+W;
#ifdef LIVE
       begun=1;
#endif
#ifdef I1
       lease=D+1;
#endif
#ifdef M_FROMOVER
       if :: suntil!=NO -> sfrom=end :: else fi;
#endif
       if
       :: suntil==NO ->
            fresh()
       :: else -> printf("%c claims it: undecided from %d until %d\n", A(me), sfrom, suntil);
#ifdef SLOW
            pos=sfrom;
#endif
#ifdef M_NOLOOK
            fresh()
#elif defined(M_DLAFTER)
            what=ASKED
#else
            goto look
#endif
       fi
     }
#ifdef I1
  :: atomic { !CLAIMABLE -> forget(); goto end_idle }
#endif
  fi;
#ifdef M_DLAFTER
  atomic { dl=D+1; if :: what==ASKED -> what=0; goto look :: else fi };
#endif

judge:                                               /* nothing earlier is undecided */
  if
#if defined(REINSERT)
  :: atomic { MINE -> check(); goto settle }
#elif !defined(TWICE)
  :: atomic { MINE -> what=FAIL; printf("%c judges: it can never be\n", A(me)); goto settle }
#endif
#if defined(HOSTED) && !defined(M_NOWA)
  :: true                                            /* the claim was the write-ahead */
#else
  :: atomic {                                        /* the write-ahead, fenced */
#ifdef M_WAUNFENCED
       status==PEND && AHEADKNOWN ->
#else
       MINE && AHEADKNOWN ->
#endif
       newid();
       if :: x==N -> forget(); goto end_idle :: x<N fi;
       wk[me]=x;
#ifdef M_NOWA
       skip
#else
       write(); remember(); printf("%c records s%d from %d until %d\n", A(me), x+1, sfrom, suntil)
#endif
     }
#endif
  DIES
  fi;

send:                                                /* a pause before it is a state: whoever lost the claim may send */
  if
#ifdef I1
  :: atomic { wk[me]<N && D<dl -> submit();
       assert(holder==me) }                          /* I1: the check never passes outside the lease */
  :: atomic { D>=dl -> what=CLEAR; goto settle }
#else
  :: atomic { wk[me]<N -> submit() }
#endif
#ifdef LIVE
  :: atomic { wk[me]==N -> what=CLEAR; goto settle }
#else
  :: atomic { what=CLEAR; printf("%c does not send\n", A(me)); goto settle }   /* no connection, stopping, too late, … */
#endif
  DIES
  fi;
#ifdef M_NOWA
  if :: atomic { MINE -> remember() } :: atomic { !MINE -> skip } DIES fi;
#endif

  if                                                 /* the answer */
  :: atomic { rst[wk[me]]==ACC -> what=COMP; printf("%c hears: accepted\n", A(me)) }
  :: atomic { REFUSED(wk[me]) -> printf("%c hears: refused\n", A(me));
#if defined(REINSERT)
       if :: check() :: what=CLEAR fi }
#elif defined(TWICE)
       what=CLEAR }
#else
       if :: what=FAIL :: what=CLEAR fi }            /* for good, or to try again: nothing is undecided */
#endif
#if DEDUP
  :: atomic { rst[wk[me]]==DUP -> found=PEND; chase();
       if :: found==COMP -> what=COMP; printf("%c finds the acceptance\n", A(me))
          :: else -> forget(); goto end_idle fi }
#endif
#ifdef M_UNKNOWNCLEARS
  :: atomic { CANF -> TAKEF; what=CLEAR; printf("%c hears nothing\n", A(me)) }
#else
  :: atomic { CANF -> TAKEF; printf("%c hears nothing, and releases it undecided\n", A(me)); forget(); goto end_idle }
#endif
#ifdef LIVE
  DIES
  :: atomic { rst[wk[me]]==BUSY -> forget(); goto end_idle }
#endif
  fi;
  goto settle;

look:                                                /* an earlier submission may still commit: nothing else is done */
  if
#ifdef M_LOCALFAIL
  :: atomic { MINE -> what=FAIL; printf("%c judges: it can never be\n", A(me)); goto settle }
#endif
#ifdef M_HASHNEVER
  :: atomic { MINE && accs==0 -> what=CLEAR; printf("%c asks by hash, and finds nothing\n", A(me)) }
#endif
  :: atomic { MINE && MORE -> read();
       if
#ifdef SLOW
       :: found==PEND -> pos++; goto look
#endif
       :: found==COMP -> what=COMP; SEEN; printf("%c finds the acceptance\n", A(me))
       :: found==CLEAR -> what=CLEAR; SEEN; printf("%c finds it dead\n", A(me))
#ifdef M_WALL
       :: found==PEND && D>suntil -> what=CLEAR; printf("%c takes it for dead, by the clock\n", A(me))
#endif
#ifdef M_EAGER
       :: found==PEND -> what=CLEAR; printf("%c finds nothing\n", A(me))
#endif
#ifdef M_TWOREADS
       :: found==PEND -> what=ASKED; printf("%c reads the stream, and finds nothing\n", A(me))
#endif
       :: else -> printf("%c finds nothing, and releases it undecided\n", A(me)); forget(); goto end_idle
       fi }
  DIES
  fi;
#ifdef M_TWOREADS
  if
  :: atomic { what==ASKED && cp>suntil -> what=CLEAR; printf("%c asks for the time: past the bound\n", A(me)) }
  :: what!=ASKED
  DIES
  fi;
#endif

settle:
  if
  :: atomic { MAYSET && SETTLEKNOWN ->
       write();
       if
       :: what==CLEAR -> suntil=NO; sfrom=0; sub=NO; printf("%c clears the record\n", A(me))
       :: else ->
            if :: what==COMP -> printf("%c writes completed\n", A(me)) :: else -> printf("%c writes failed\n", A(me)) fi;
            assert(status==PEND || status==what);    /* I5: what is final stays */
            assert(what!=COMP || accs==1);           /* I5: completed only what was accepted */
            assert(what!=FAIL || accs==0);           /* I5: failed only what was not */
            status=what; suntil=NO; sfrom=0; sub=NO
       fi;
#ifdef I1
       if :: holder==me -> holder=0 :: else fi;
#endif
       forget(); goto end_idle }
  DIES
  fi
}
#ifdef LIVE
/* Rescue of a lease that ran out: whoever held it stopped, or was paused. */
active proctype Rescue() { end_r: do :: atomic { holder!=0 && CANF -> TAKEF; holder=0 } od }
#endif

init { atomic {
  i=0; do :: i<N -> run Submission(i); i++ :: else -> break od;
  i=1; do :: i<=INSTANCES -> run Worker(i); i++ :: else -> break od } }

#ifdef LIVE
#define USED (rst[0]!=NONE && rst[N-1]!=NONE)
ltl ends { <> (status!=PEND || USED) }
#endif
