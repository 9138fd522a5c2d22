"""read_wafers.py FILE: what uproot reads of the table wafers, as JSON."""
import json
import sys

import uproot

with uproot.open(sys.argv[1]) as f:
    t = f["wafers"]
    print(json.dumps({k: t[k].array().tolist() for k in t.keys() if "." not in k}))
