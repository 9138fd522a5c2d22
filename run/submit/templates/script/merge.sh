#!/bin/sh
# Makes {{if .Folder}}the run{{else}}the file{{end}} of its shards.
{{- if not .Image}}
program=$PWD/barrow
[ -x "$program" ] || program={{sh .Dir}}/barrow
{{- end}}
cd {{sh .At}} || exit
exec {{if .Image}}{{if eq .Scheduler "slurm"}}apptainer exec --bind "$PWD" {{sh .Image}} {{end}}barrow{{else}}"$program"{{end}} {{sh .MergeArgs}}
