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
# What the batch system says to this script goes on to the program, which saves and ends.
pid=
told=
trap 'told=1; [ -z "$pid" ] || kill -TERM $pid 2>/dev/null' TERM INT XCPU
echo "begin $(date +%s) $(uname -n)" >>"$state"
{{if .Image}}{{if eq .Scheduler "slurm"}}apptainer exec --bind "$PWD" {{sh .Image}} {{end}}barrow{{else}}"$program"{{end}} {{sh .Args}} --shard "$shard" &
pid=$!
[ -z "$told" ] || kill -TERM $pid 2>/dev/null
wait $pid
code=$?
while [ -n "$told" ]; do # the code was that of the signal, perhaps; 127 is that of a program whose code was told already
  told=
  wait $pid
  again=$?
  [ $again = 127 ] || code=$again
done
echo "end $(date +%s) $code ${SLURM_JOB_ID:-}" >>"$state"
{{- if eq .Scheduler "slurm"}}
if [ -n "$SLURM_JOB_ID" ] && [ $code != 0 ]; then
  # The last task's own number is the array's, by which all tasks would be queued again.
  task=$SLURM_JOB_ID
  [ -z "$SLURM_ARRAY_TASK_ID" ] || task=${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID
{{- if .Folder}}
  if [ $code = 85 ]; then # stopped in time, and saved
    scontrol requeue "$task"
    exit $code
  fi
  failures=$(grep " $SLURM_JOB_ID\$" "$state" | grep -c -v '^end [0-9]* 85 ')
{{- else}}
  failures=$(grep -c "^end .* $SLURM_JOB_ID\$" "$state")
{{- end}}
  [ "$failures" -gt {{.Retries}} ] || scontrol requeue "$task"
fi
{{- end}}
exit $code
