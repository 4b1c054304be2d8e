/* Side by side, as built (I6 with LANES=holdings; docs/holdings.md): no holding belongs to two undecided rows, rows of a sender
 * begin in the order of their nonces, and a row that waits for holdings is never forgotten.
 * Three rows of one sender; SHARED: the third is another sender's, who has the same party. Two holdings; an accepted transfer
 * spends its inputs and leaves change. What exactly_once.pml shows of one row is not shown again, but left
 * open in the same way: claims are lost at any moment, instances die before any step, requests arrive late or never, answers
 * are lost, the ledger refuses what it likes. A bound is a moment after which a submission is never accepted.
 * M_…: a guard taken out. run.sh has every configuration. */
#ifndef INSTANCES
#define INSTANCES 2
#endif
#define ROWS 3
#define BEGINS 2           /* so often does a row begin in the whole history */
#define IDS 5              /* holdings in the whole history: 0 and 1, and change */
#define ANY 255            /* reserved: nobody remembers what */

/* the submission of a row */
#define NONE 0
#define SENT 1             /* on its way, for as long as it likes */
#define ACC  2
#define REF  3

byte live = 3, next = 2;                 /* holdings on the ledger; the id of the next change */
byte msg[ROWS], inputs[ROWS];            /* what is on its way, and what it spends */
bit  late[ROWS];                         /* its bound has passed */

/* the database */
bit  done[ROWS], record[ROWS];
byte holder[ROWS], reserved[ROWS], waits[ROWS], begun[ROWS];
byte ended[ROWS];                        /* so many of its submissions were decided */
#ifdef FAILOVER
byte lost;                               /* 0, 1 failed over and not rechecked, 2 rechecked */
#define KNOWN (lost!=1)
#else
#define KNOWN true
#endif

#ifdef LIVE
byte faults = LIVE;
#define CANF faults>0
#define TAKEF faults--
#else
#define CANF true
#define TAKEF skip
#endif

#define NEEDS(r) (r==1 -> 2 : 1)
#define SIZE(h) ((h&1) + ((h>>1)&1) + ((h>>2)&1) + ((h>>3)&1) + ((h>>4)&1))
#define ALIVE(r) (msg[r]==SENT && !late[r])

#ifdef SHORTEST
byte i, j, x;              /* the search for the shortest history takes no hidden ones */
#else
hidden byte i, j, x;
#endif

/* ---------- the ledger ---------- */
/* What every step must keep: two that may still be accepted spend nothing in common. */
inline disjoint() { i=0;
  do :: i<ROWS -> j=i+1;
          do :: j<ROWS -> assert(!ALIVE(i) || !ALIVE(j) || (inputs[i]&inputs[j])==0); j++ :: else -> break od; i++
     :: else -> break od }

proctype Ledger(byte r) {
end_l: do
  :: atomic { msg[r]==SENT && !late[r] ->
#ifdef SHARED
       /* What the other sender has spent since it was read is refused, which costs a call. */
       if :: (inputs[r]&live)!=inputs[r] -> msg[r]=REF; inputs[r]=0; goto end_l :: else fi;
#else
       assert((inputs[r]&live)==inputs[r]);          /* no contention: what it spends is there */
#endif
       msg[r]=ACC; live=live&(255-inputs[r]);
       if :: next<IDS -> live=live|(1<<next); next++ :: else fi;
       inputs[r]=0; printf("r%d is accepted\n", r) }
  :: atomic { msg[r]==SENT && CANF -> TAKEF; msg[r]=REF; inputs[r]=0; printf("r%d is refused\n", r) }
  :: atomic { record[r] && !late[r] && msg[r]!=ACC -> late[r]=1; printf("the bound of r%d passes\n", r) }
  od }

/* ---------- the database ---------- */
inline free(r) { record[r]=0; reserved[r]=0; ended[r]++; msg[r]=NONE; inputs[r]=0; late[r]=0;
#ifdef M_PROMOTED
  x=0; do :: x<ROWS -> waits[x]=0; x++ :: else -> break od
#endif
}
/* The lowest row of its sender without a record, and none of them is on its way to one. */
/* Once it has begun as often as it may, it is parked, and steps aside. */
#define BEFORE(k) (!done[k] && !record[k] && begun[k]<BEGINS)
#ifdef SHARED
#define LOWER(r) (r==1 && BEFORE(0))
#define INORDER(r) (r!=1 || done[0] || begun[0]>0)
#else
#define LOWER(r) ((r>0 && BEFORE(0)) || (r>1 && BEFORE(1)))
#define INORDER(r) ((r<1 || done[0] || begun[0]>0) && (r<2 || done[1] || begun[1]>0))
#endif
#define BUSY(k) (holder[k]!=0 && !record[k])
#if defined(M_ORDER)
#define HEAD(r) true
#elif defined(M_NOLANE)
#define HEAD(r) (!LOWER(r))
#elif defined(SHARED)
#define HEAD(r) (!LOWER(r) && (r==2 || (!BUSY(0) && !BUSY(1))))
#else
#define HEAD(r) (!LOWER(r) && !BUSY(0) && !BUSY(1) && !BUSY(2))
#endif
#ifdef M_PROMOTED
#define MAYGO(r) (waits[r]==0)
#else
/* Computed from the rows that it waits on: one of them has no record any more. */
#define GONE(r,k) (((waits[r]>>k)&1) && (done[k] || !record[k]))
#define MAYGO(r) (waits[r]==0 || GONE(r,0) || GONE(r,1) || GONE(r,2))
#endif
#define CLAIMABLE(r) (!done[r] && !record[r] && holder[r]==0 && begun[r]<BEGINS && HEAD(r) && MAYGO(r))

/* What the others have reserved, and who. */
inline readReserved() { taken=0; by=0; i=0;
  do :: i<ROWS -> if :: record[i] && !done[i] -> by=by|(1<<i);
                        if :: reserved[i]==ANY ->
#ifdef M_UNKNOWNFREE
                             skip
#else
                             taken=ANY
#endif
                           :: else -> taken=taken|reserved[i] fi
                     :: else fi; i++
     :: else -> break od }
inline readHoldings() { have=live }
inline choose() { mine=0; i=0;
  do :: i<IDS -> if :: SIZE(mine)<NEEDS(r) && ((have>>i)&1) && !((taken>>i)&1) -> mine=mine|(1<<i) :: else fi; i++
     :: else -> break od }

#ifdef FAILOVER
/* The standby lacks what was written last, which may be any row's record. Whoever sees the new timeline rechecks: nobody
 * remembers what is under way, so each pending row may spend anything. */
active proctype Failover() {
end_f:
  atomic { lost==0 -> lost=1; i=0;
    do :: i<ROWS -> if :: !done[i] && record[i] -> record[i]=0; reserved[i]=0 :: true fi; i++ :: else -> break od;
    printf("failover\n") }
  atomic { lost==1 -> lost=2; i=0;
    do :: i<ROWS -> if :: !done[i] -> record[i]=1; reserved[i]=ANY; holder[i]=0 :: else fi; i++ :: else -> break od;
    printf("recheck\n") }
}
#endif

/* ---------- an instance ---------- */
#define MINE (holder[r]==me && !done[r])
/* Of this very submission: what has begun again since is another one. */
#define INTIME (msg[r]==NONE && !late[r] && ended[r]==nr)
inline forget() { if :: holder[r]==me -> holder[r]=0 :: else fi; mine=0; taken=0; have=0; by=0; nr=0 }
#define DIES :: atomic { CANF -> TAKEF; printf("%c stops\n", 'A'+me-1); forget(); goto end_idle }

inline claim(k) { r=k; holder[r]=me; printf("%c claims r%d\n", 'A'+me-1, r) }
inline lookAt(k) { r=k;
  if :: msg[r]==ACC -> done[r]=1; free(r); msg[r]=ACC; printf("%c finds r%d accepted\n", 'A'+me-1, r)
     :: else -> free(r); printf("%c finds r%d dead\n", 'A'+me-1, r) fi; r=0 }
/* A look is one step, whoever makes it; it ends a row that is accepted, or refused for certain, or past its bound. */
#define DECIDED(k) (!done[k] && record[k] && holder[k]==0 && KNOWN && (msg[k]==ACC || late[k]))

proctype Worker(byte me) {
  byte r, mine, taken, have, by, nr;
end_idle: do
  :: atomic { CLAIMABLE(0) && KNOWN -> claim(0); break }
  :: atomic { CLAIMABLE(1) && KNOWN -> claim(1); break }
  :: atomic { CLAIMABLE(2) && KNOWN -> claim(2); break }
  :: atomic { DECIDED(0) -> lookAt(0) }
  :: atomic { DECIDED(1) -> lookAt(1) }
  :: atomic { DECIDED(2) -> lookAt(2) }
  od;
#ifdef M_READAFTER
  if :: atomic { true -> readHoldings() } DIES fi;
  if :: atomic { true -> readReserved() } DIES fi;
#else
  if :: atomic { true -> readReserved() } DIES fi;
  if :: atomic { true -> readHoldings() } DIES fi;
#endif
  atomic { choose(); if :: SIZE(mine)<NEEDS(r) -> goto wait :: else fi };
reserve:
  if
#ifdef M_AFTER
  :: atomic { MINE && KNOWN -> msg[r]=SENT; inputs[r]=mine; disjoint() }
#else
#ifdef M_NOFENCE
  :: atomic { !done[r] && KNOWN ->
#else
  :: atomic { MINE && KNOWN ->
#endif
#ifndef M_NOTLOWEST
       if :: LOWER(r) -> printf("%c: one before it has not begun\n", 'A'+me-1); forget(); goto end_idle :: else fi;
#endif
#ifndef M_NOCHECK
       i=0; x=0;
       do :: i<ROWS -> if :: i!=r && record[i] && !done[i] && (reserved[i]&mine)!=0 -> x=1 :: else fi; i++ :: else -> break od;
#ifdef M_UNKNOWNFREE
       i=0; x=0;
       do :: i<ROWS -> if :: i!=r && record[i] && !done[i] && reserved[i]!=ANY && (reserved[i]&mine)!=0 -> x=1 :: else fi; i++
          :: else -> break od;
#endif
       if :: x==1 -> printf("%c is refused them\n", 'A'+me-1); forget(); goto end_idle :: else fi;
#endif
       assert(INORDER(r));                           /* begun in the order of their nonces */
       record[r]=1; reserved[r]=mine; begun[r]++; nr=ended[r]; waits[r]=0; late[r]=0;
       printf("%c reserves %d for r%d\n", 'A'+me-1, mine, r) }
#endif
  :: atomic { !MINE -> forget(); goto end_idle }
  DIES
  fi;
  if
#ifdef M_AFTER
  :: atomic { MINE && KNOWN -> record[r]=1; reserved[r]=mine; begun[r]++ }
#else
  :: atomic { INTIME -> msg[r]=SENT; inputs[r]=mine; disjoint(); printf("%c sends r%d\n", 'A'+me-1, r) }
  :: atomic { !INTIME -> forget(); goto end_idle }                /* it comes too late */
#endif
  DIES
  fi;
  if
  :: atomic { MINE && msg[r]==ACC -> done[r]=1; free(r); msg[r]=ACC; printf("%c hears: accepted\n", 'A'+me-1) }
  :: atomic { MINE && msg[r]==REF && KNOWN -> free(r); printf("%c hears: refused\n", 'A'+me-1) }
  :: atomic { CANF || late[r] -> if :: !late[r] -> TAKEF :: else fi; printf("%c hears nothing\n", 'A'+me-1);
#ifdef M_FREEEARLY
       reserved[r]=0
#endif
     }
  :: atomic { !MINE -> skip }
  fi;
  atomic { forget(); goto end_idle };
wait:                                                /* too little that is free: it waits in its place */
  if
  :: atomic { MINE -> if :: by==0 -> begun[r]=BEGINS :: else -> waits[r]=by fi; printf("%c: r%d waits on %d\n", 'A'+me-1, r, by); forget(); goto end_idle }
  :: atomic { !MINE -> forget(); goto end_idle }
  DIES
  fi
}

/* A lease that ran out: the claim is taken away, the record stays. */
active proctype Rescue() { end_r: do
  :: atomic { holder[0]!=0 && CANF -> TAKEF; holder[0]=0 }
  :: atomic { holder[1]!=0 && CANF -> TAKEF; holder[1]=0 }
  :: atomic { holder[2]!=0 && CANF -> TAKEF; holder[2]=0 }
  od }

init { atomic {
  i=0; do :: i<ROWS -> run Ledger(i); i++ :: else -> break od;
  i=1; do :: i<=INSTANCES -> run Worker(i); i++ :: else -> break od } }

#ifdef LIVE
/* Done, or nothing more can become of it in this history: it has begun as often as it may, or there is too little. */
#define ENDED(r) (done[r] || begun[r]==BEGINS)
ltl ends { <> (ENDED(0) && ENDED(1) && ENDED(2)) }
#endif
