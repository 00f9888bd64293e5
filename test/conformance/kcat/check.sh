#!/usr/bin/env bash
# Debian's kcat against a broker that speaks Kafka: what a person types, and what a script reads.
set -uo pipefail
bootstrap=127.0.0.1:9092 only=
while [ $# -gt 0 ]; do
  case $1 in
    -b|--bootstrap) bootstrap=$2; shift 2 ;;
    --only) only=,$2,; shift 2 ;;
    *) echo "usage: check.sh [-b HOST:PORT] [--only AREA,...]" >&2; exit 2 ;;
  esac
done
run=$RANDOM$RANDOM
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0 skipped=0
k() { timeout 40 kcat -b "$bootstrap" -m 10 "$@"; }
topic() { echo "conf-kcat-$run-$1"; }

# check AREA NAME FUNCTION [ARGUMENT]: the function's own output is shown when it fails.
check() {
  local area=$1 name=$2 started=$EPOCHREALTIME
  shift 2
  [[ -z $only || $only == *,$area,* || $only == *,$name,* ]] || return 0
  if ( set -e; "$@" ) >"$work/out" 2>&1; then
    passed=$((passed + 1))
    printf 'ok   %s/%s (%.1f s)\n' "$area" "$name" "$(took "$started")"
  else
    failed=$((failed + 1))
    printf 'FAIL %s/%s (%.1f s): %s\n' "$area" "$name" "$(took "$started")" \
      "$(tail -n 3 "$work/out" | tr '\n' ' ' | cut -c 1-300)"
  fi
}
took() { awk -v a="$1" -v b="$EPOCHREALTIME" 'BEGIN { print b - a }'; }
cannot() {
  [[ -z $only || $only == *,$1,* ]] || return 0
  skipped=$((skipped + 1))
  echo "skip $1/$2: $3"
}
same() { [ "$1" == "$2" ] || { echo "$3: got '${1:0:100}', expected '${2:0:100}'"; return 1; }; }

codec() {
  local t; t=$(topic "codec-$1")
  seq 1 500 | sed 's/.*/key-&\tvalue & & & & & & &/' >"$work/in-$1"
  k -P -t "$t" -K '\t' -z "$1" -l "$work/in-$1" -H a=1 -H b=2 -X linger.ms=20
  k -C -t "$t" -o beginning -e -q -f '%k\t%s\n' >"$work/out-$1"
  cmp "$work/in-$1" "$work/out-$1"
  same "$(k -C -t "$t" -o beginning -c 1 -q -f '%h %p %o')" "a=1,b=2 0 0" "headers, partition, offset"
}
acks() {
  local t; t=$(topic "acks-$1")
  seq 1 200 | k -P -t "$t" -X "acks=$1"
  same "$(k -C -t "$t" -o beginning -e -q | md5sum)" "$(seq 1 200 | md5sum)" "values"
}
null_and_empty() {
  local t; t=$(topic null)
  printf 'a:\nb:x\n' | k -P -t "$t" -K: -Z
  same "$(k -C -t "$t" -o beginning -e -q -f '%k=%s/%S ' -Z)" "a=NULL/-1 b=x/1 " "values"
}
idempotent() {
  local t; t=$(topic idempotent)
  seq 1 3000 | k -P -t "$t" -X enable.idempotence=true -X linger.ms=0 -X batch.num.messages=10
  same "$(k -C -t "$t" -o beginning -e -q | md5sum)" "$(seq 1 3000 | md5sum)" "values"
}
metadata() {
  local t; t=$(topic metadata)
  echo x | k -P -t "$t"
  k -L | grep -q "topic \"$t\" with 1 partitions"
  k -L -J -t "$t" >"$work/metadata"
  grep -q '"controllerid":' "$work/metadata"
  grep -q "\"topic\":\"$t\",\"partitions\":\[{\"partition\":0,\"leader\":" "$work/metadata"
}
positions() {
  local t; t=$(topic positions)
  seq 0 99 | k -P -t "$t"
  same "$(k -C -t "$t" -o -5 -e -q | tr '\n' ' ')" "95 96 97 98 99 " "the last five"
  same "$(k -C -t "$t" -o 42 -c 2 -q | tr '\n' ' ')" "42 43 " "from 42"
  same "$(k -C -t "$t" -p 0 -o end -e -q)" "" "from the end"
}
by_time() {
  local t first second; t=$(topic time)
  seq 0 9 | k -P -t "$t"
  sleep 0.05
  first=$(date +%s%3N)
  sleep 0.05
  seq 10 19 | k -P -t "$t"
  same "$(k -C -t "$t" -o "s@$first" -e -q | head -n 1)" 10 "first after the time"
  same "$(k -C -t "$t" -o beginning -o "e@$first" -e -q | tail -n 1)" 9 "last before the time"
  second=$(k -Q -t "$t:0:$first")
  [[ $second == *"offset 10" ]] || { echo "$second"; return 1; }
}
group() {
  local t; t=$(topic group)
  seq 0 99 | k -P -t "$t"
  same "$(k -G "$t-g" -c 40 -q -X auto.offset.reset=earliest "$t" | tail -n 1)" 39 "the first 40"
  same "$(k -G "$t-g" -c 60 -q -X auto.offset.reset=earliest "$t" | sed -n '1p;$p' | tr '\n' ' ')" \
    "40 99 " "the next 60"
}
two_members() {
  local t a b; t=$(topic two)
  k -P -t "$t" <<<warm
  for member in a b; do
    timeout 40 kcat -b "$bootstrap" -G "$t-g" -X auto.offset.reset=earliest -u -f '%s\n' "$t" \
      >"$work/member-$member" 2>"$work/log-$member" &
  done
  for _ in $(seq 300); do
    grep -q assigned "$work/log-a" && grep -q assigned "$work/log-b" &&
      [ -s "$work/member-a" -o -s "$work/member-b" ] && break
    sleep 0.1
  done
  seq 1 50 | k -P -t "$t"
  for _ in $(seq 200); do
    [ "$(cat "$work"/member-? | sort -u | wc -l)" -eq 51 ] && break
    sleep 0.1
  done
  kill %1 %2
  wait
  same "$(cat "$work"/member-? | sort | uniq | wc -l)" 51 "records of both"
}
transaction() {
  local t; t=$(topic transaction)
  # One transaction each, committed at the end of input.
  for i in 1 2 3; do seq "$i" 3 9 | k -P -t "$t" -X "transactional.id=$t-x"; done
  same "$(k -C -t "$t" -o beginning -e -q -X isolation.level=read_committed | sort | tr -d '\n')" \
    123456789 "values"
  same "$(k -Q -t "$t:0:-1" | grep -o 'offset.*')" "offset 12" "records and three markers"
}

kcat -V | sed -nE 's|Version ([^ ]+) .*(librdkafka [0-9.]+).*|kcat \1 on \2|p'
for name in none gzip snappy lz4 zstd; do check codecs "${name}_keeps_every_byte" codec $name; done
for name in 0 1 all; do check acks "acks_${name}_are_delivered" acks $name; done
check acks null_and_empty_values_differ null_and_empty
check idempotence many_small_batches_keep_their_order idempotent
check transactions three_transactions_are_committed transaction
cannot transactions "abort and fencing" "kcat commits at the end of input and cannot abort"
check topics metadata_is_listed_for_people_and_as_json metadata
cannot topics "create, alter and delete" "kcat has no call for it"
check offsets first_last_and_numbered_positions_are_read positions
check offsets a_time_finds_its_record by_time
check groups a_group_resumes_where_it_committed group
check groups two_members_read_everything_once two_members
cannot group-admin "list, describe, delete" "kcat has no call for it"
line="$passed passed, $failed failed"
[ "$skipped" -eq 0 ] || line+=", $skipped skipped"
echo "$line"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
