#!/bin/sh
# Hands the shards in, and the step that makes the whole once all are done; it goes where one fails for good.
set -e
cd {{sh .Dir}}
id=$(sbatch --parsable shards.sbatch)
echo "$id"
sbatch --parsable --dependency=afterok:"${id%%;*}" --kill-on-invalid-dep=yes merge.sbatch
