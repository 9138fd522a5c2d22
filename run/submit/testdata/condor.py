"""Reads a folder's DAG and submit files with HTCondor's own bindings and prints what they say, as JSON."""

import json
import os
import sys
import tempfile

import htcondor2

os.chdir(sys.argv[1])

# The bindings hand DAGs to condor_dagman, which they do not bring: this one is never called.
tools = tempfile.TemporaryDirectory()
with open(os.path.join(tools.name, "condor_dagman"), "w") as f:
    f.write("#!/bin/sh\nexit 1\n")
os.chmod(f.name, 0o755)
os.environ["PATH"] = tools.name + os.pathsep + os.environ["PATH"]
htcondor2.Submit.from_dag("job.dag", {"force": 1})

nodes, variables, parents = {}, {}, []
for line in open("job.dag"):
    words = line.split()
    if not words or words[0].startswith("#"):
        continue
    if words[0] == "JOB":
        nodes[words[1]] = words[2]
    elif words[0] == "VARS":
        name, value = words[2].split("=")
        variables[words[1]] = {name: json.loads(value)}
    elif words[0] == "PARENT":
        parents.append([words[1], words[3]])

said = {}
for node, path in nodes.items():
    submit = htcondor2.Submit(open(path).read())
    for name, value in variables.get(node, {}).items():
        submit[name] = value
    if submit.getQArgs():
        raise SystemExit(f"{path} queues {submit.getQArgs()!r}")
    said[node] = {key.lower(): submit.expand(key) for key in submit}
print(json.dumps({"nodes": said, "parents": parents}))
