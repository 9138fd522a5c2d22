#!/bin/sh
# Does one shard: sh shard.sh 3/{{.Shards}}
# It keeps in logs/ when the shard began and how it ended, for "barrow status".
shard=$1
state={{sh .Dir}}/logs/${shard%/*}.state
{{- if not .Image}}
program=$PWD/barrow
[ -x "$program" ] || program={{sh .Dir}}/barrow
{{- end}}
cd {{sh .At}} || exit
echo "begin $(date +%s) $(uname -n)" >>"$state"
{{if .Image}}{{if eq .Scheduler "slurm"}}apptainer exec --bind "$PWD" {{sh .Image}} {{end}}barrow{{else}}"$program"{{end}} {{sh .Args}} --shard "$shard" &
pid=$!
# What the batch system says to this script goes on to the program, which saves and ends.
trap 'kill -TERM $pid 2>/dev/null' TERM INT XCPU
wait $pid
code=$?
while [ $code -gt 128 ] && kill -0 $pid 2>/dev/null; do
  wait $pid
  code=$?
done
echo "end $(date +%s) $code ${SLURM_JOB_ID:-}" >>"$state"
{{- if eq .Scheduler "slurm"}}
if [ -n "$SLURM_JOB_ID" ] && [ $code != 0 ]; then
{{- if .Folder}}
  if [ $code = 85 ]; then # stopped in time, and saved
    scontrol requeue "$SLURM_JOB_ID"
    exit $code
  fi
  failures=$(grep " $SLURM_JOB_ID\$" "$state" | grep -c -v '^end [0-9]* 85 ')
{{- else}}
  failures=$(grep -c "^end .* $SLURM_JOB_ID\$" "$state")
{{- end}}
  [ "$failures" -gt {{.Retries}} ] || scontrol requeue "$SLURM_JOB_ID"
fi
{{- end}}
exit $code
