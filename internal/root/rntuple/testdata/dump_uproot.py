"""dump_uproot.py TABLE FILE…: what uproot reads of an RNTuple in each file, as dump.py says."""
import json
import os
import sys

import uproot

sys.path.insert(0, os.path.dirname(__file__))
from dump import dump

print(json.dumps([dump(uproot.open(path)[sys.argv[1]]) for path in sys.argv[2:]]))
