#!/usr/bin/env bash
# npm run test:model [-- [--histories | --list] [pattern]]
# Checks the model of the protocol exhaustively, then takes out its guards, one at a time: each must be missed. One line a
# check: what came of it, how many states, how long; --histories tells in words what happens where a guard is gone, --list
# only what would be checked.
# Needs spin and gcc, up to 8 GB, and one core for some twenty minutes. TL=seconds bounds one check (default 1800).
set -u
cd "$(dirname "$0")" || exit 1
tell= list=
case ${1:-} in
  --histories) tell=1 && shift ;;
  --list) list=1 && shift ;;
esac
for tool in spin gcc; do
  [[ -n $list ]] && break
  command -v "$tool" >/dev/null && continue
  echo "test:model needs $tool. Debian, Ubuntu: apt-get install spin gcc. macOS: brew install spin, and Xcode's command line tools." >&2
  exit 2
done

pattern=${1:-}
folder=$PWD model=exactly_once
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
checks=0 bad=0

# check name expected search flags…
#   all: every state is visited. fair: and every infinite run, under weak fairness. shortest: breadth first.
check() {
  local name=$1 expected=$2 search=$3 came compile run states note mark=ok
  shift 3
  [[ -n $pattern && $name != *$pattern* ]] && return
  checks=$((checks + 1))
  [[ -n $list ]] && echo "$name $expected" && return
  cd "$work" && rm -f ./* && cp "$folder/$model.pml" . || exit 1
  case $search in
    all) compile='-O2 -DSAFETY -DNOFAIR' run='-m1000000 -w24 -n' ;;
    fair) compile='-O2 -DNFAIR=6' run='-a -f -m1000000 -w22 -n' ;;
    shortest) compile='-O1 -DSAFETY -DNOFAIR -DBFS' run='-w22 -n' && set -- "$@" -DSHORTEST ;;
  esac
  SECONDS=0
  # shellcheck disable=SC2086
  if ! { spin -a "$@" $model.pml && gcc -w -DCOLLAPSE $compile -o pan pan.c; } >build.out 2>&1; then
    cat build.out && came='does not build'
  else
    # shellcheck disable=SC2086
    (ulimit -v 8000000 && exec nice -n 10 timeout "${TL:-1800}" ./pan $run) >pan.out 2>&1
    came=unfinished
    grep -q 'errors: 0$' pan.out && came=holds
    grep -q 'errors: [1-9]' pan.out && came=broken
    grep -qE 'max search depth too small|out of memory|aborted' pan.out && came=unfinished
  fi
  [[ $came == "$expected" ]] || { mark="NOT EXPECTED: it should be $expected" && bad=$((bad + 1)); }
  states=$(grep -oE '[0-9]+ states, stored' pan.out | tail -1 | cut -d' ' -f1)
  [[ $came == broken ]] && note=$(broken_rule)
  printf '%-34s %-10s %10s states %4d s  %s%s\n' "$name" "$came" "${states:-?}" "$SECONDS" "$mark" "${note:+  ($note)}"
  if [[ -n $tell && -f $model.pml.trail ]]; then
    spin -t -T -B "$@" $model.pml | grep -vE '^spin:|^ *$|^#' | sed 's/^/    /'
    echo "    => $(broken_rule)"
  fi
}

broken_rule() {
  case $(grep -oE '(assertion violated|acceptance cycle|invalid end state).*' pan.out | head -1) in
    *'accs<=1'*) echo 'I4: accepted twice' ;;
    *'what!=2'*) echo 'I5: written failed, and accepted' ;;
    *'status!=2'*) echo 'I5: accepted after it was written failed' ;;
    *'what!=1'*) echo 'I5: written completed, and not accepted' ;;
    *'status==what'*) echo 'I5: what was final is written over' ;;
    *'holder==me'*) echo 'I1: a call begins outside the lease' ;;
    *'inputs[i]&inputs[j]'*) echo 'I6: two that may be accepted spend one holding' ;;
    *'live)==inputs'*) echo 'I6: it spends what is gone' ;;
    *begun*) echo 'I6: begun before an earlier one' ;;
    *) echo 'it never ends' ;;
  esac
}

for party in external hosted; do
  P=()
  [[ $party == hosted ]] && P=(-DHOSTED)
  one=("${P[@]}" -DONECLOCK)

  # What must hold, every state of it.
  check $party.clocks-apart holds all "${P[@]}"
  check $party.three-submissions holds all "${P[@]}" -DN=3
  check $party.three-instances holds all "${P[@]}" -DINSTANCES=3
  check $party.event-by-event holds all "${P[@]}" -DSLOW
  check $party.deduplication holds all "${one[@]}" -DN=3 -DDEDUP=1
  check $party.foreign holds all "${P[@]}" -DFOREIGN
  check $party.foreign-deduplication holds all "${P[@]}" -DFOREIGN -DDEDUP=1
  check $party.lease holds all "${P[@]}" -DI1 -DN=1 -DDM=2
  check $party.ends holds fair "${one[@]}" -DN=3 -DLIVE=2
  check $party.failover holds all "${P[@]}" -DFAILOVER
  check $party.failover-clock-back holds all "${one[@]}" -DFAILOVER -DSKEW=1
  check $party.failover-three-submissions holds all "${one[@]}" -DFAILOVER -DSKEW=1 -DN=3 -DINSTANCES=1
  check $party.failover-twice holds all "${one[@]}" -DFAILOVER -DFAILOVERS=2
  check $party.failover-three-instances holds all "${one[@]}" -DFAILOVER -DINSTANCES=3
  check $party.insert-lost holds all "${one[@]}" -DREINSERT -DDEDUP=1

  # Not needed beside the others: what is in flight is told apart from what is refused, all the same.
  check $party.BUSYDEAD holds all "${one[@]}" -DN=3 -DDEDUP=1 -DM_BUSYDEAD

  # Guards taken out. The first history found is the shortest.
  for guard in NOFENCE NOWA NOBOUND NEWBOUND GE TWOREADS FROMOVER LOCALFAIL NOLOOK EAGER RESEND UNKNOWNCLEARS CLEARUNFENCED; do
    check $party.$guard broken shortest "${one[@]}" -DM_$guard
  done
  check $party.WALL broken shortest "${one[@]}" -DDM=2 -DM_WALL
  check $party.WALL.twice broken shortest "${one[@]}" -DTWICE -DDM=2 -DM_WALL
  check $party.ANYACC broken shortest "${one[@]}" -DFOREIGN -DM_ANYACC
  check $party.DUPCOMPLETES broken shortest "${one[@]}" -DFOREIGN -DDEDUP=1 -DM_DUPCOMPLETES
  check $party.DLAFTER broken shortest "${one[@]}" -DI1 -DN=1 -DDM=2 -DM_DLAFTER
  for guard in NOTIMELINESETTLE RECHECKKEEPSTOKEN; do
    check $party.$guard broken shortest "${one[@]}" -DFAILOVER -DM_$guard
  done
  for guard in RECHECKNARROW RECHECKONLYRECORDS MARKSBLIND RECHECKFROM IDONLY; do
    check $party.$guard broken shortest "${one[@]}" -DFAILOVER -DINSTANCES=1 -DM_$guard
  done
  check $party.RECHECKNOSKEW broken shortest "${one[@]}" -DFAILOVER -DINSTANCES=1 -DSKEW=1 -DM_RECHECKNOSKEW
  check $party.NOFAILLOOK broken shortest "${one[@]}" -DREINSERT -DDEDUP=1 -DM_NOFAILLOOK
  # The same where nothing is ever judged, so that the money itself has to move twice.
  for guard in NOWA NOBOUND NEWBOUND GE TWOREADS FROMOVER NOLOOK EAGER RESEND UNKNOWNCLEARS CLEARUNFENCED; do
    check $party.$guard.twice broken shortest "${one[@]}" -DTWICE -DM_$guard
  done
  for guard in RECHECKNARROW RECHECKONLYRECORDS MARKSBLIND RECHECKFROM IDONLY; do
    check $party.$guard.twice broken shortest "${one[@]}" -DTWICE -DFAILOVER -DINSTANCES=1 -DM_$guard
  done
done

# The hosted party's claim is its write-ahead. The external one's only begins an attempt, whose every end compares again.
check hosted.NOTIMELINE broken shortest -DHOSTED -DONECLOCK -DFAILOVER -DM_NOTIMELINE
check hosted.NOTIMELINE.twice broken shortest -DHOSTED -DONECLOCK -DTWICE -DFAILOVER -DINSTANCES=1 -DM_NOTIMELINE
check external.NOTIMELINE holds all -DONECLOCK -DFAILOVER -DM_NOTIMELINE
check external.NOTIMELINEWA.twice broken shortest -DONECLOCK -DTWICE -DFAILOVER -DM_NOTIMELINEWA

# What only an external party has: a write-ahead of its own, a hash to ask by, rejections that are an end.
for guard in WAUNFENCED HASHNEVER; do
  check external.$guard broken shortest -DONECLOCK -DM_$guard
  check external.$guard.twice broken shortest -DONECLOCK -DTWICE -DM_$guard
done
check external.REJBYCMD broken shortest -DONECLOCK -DM_REJBYCMD
check external.REJBYCMD.twice broken shortest -DONECLOCK -DTWICE -DN=3 -DINSTANCES=1 -DM_REJBYCMD
check external.RECHECKKEEPSID broken shortest -DONECLOCK -DFAILOVER -DINSTANCES=1 -DN=3 -DM_RECHECKKEEPSID
check external.RECHECKKEEPSID.twice broken shortest -DONECLOCK -DTWICE -DFAILOVER -DINSTANCES=1 -DN=3 -DM_RECHECKKEEPSID

# Several rows of one sender: side_by_side.pml.
model=side_by_side
check holdings.side-by-side holds all
check holdings.one-party-two-senders holds all -DSHARED
check holdings.failover holds all -DFAILOVER -DINSTANCES=1
check holdings.ends holds fair -DLIVE=1
for guard in ORDER NOLANE FREEEARLY AFTER NOFENCE READAFTER; do
  check holdings.$guard broken shortest -DM_$guard
done
check holdings.NOCHECK broken shortest -DSHARED -DM_NOCHECK
check holdings.NOTLOWEST broken shortest -DFAILOVER -DM_NOTLOWEST
check holdings.UNKNOWNFREE broken shortest -DFAILOVER -DM_UNKNOWNFREE
check holdings.PROMOTED broken fair -DLIVE=1 -DM_PROMOTED

[[ -n $list ]] || echo "$((checks - bad)) of $checks checks came out as they should"
[[ $bad -eq 0 && $checks -gt 0 ]]
