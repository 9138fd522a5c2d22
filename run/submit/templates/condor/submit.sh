#!/bin/sh
# Hands the shards in, and the step that makes the whole once all are done.
set -e
cd {{sh .Dir}}
condor_submit_dag -update_submit -maxjobs {{.AtOnce}} job.dag
