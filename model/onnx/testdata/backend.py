"""backend.py DIR: ONNX' own backend tests as files, NAME.onnx with NAME.npz (x0, x1, … in, y0, y1, … out, of 64-bit numbers), and
cases.json: the operators of each, how near is right, why it has no arrays. All of the installed package: those of single
operators, those that PyTorch exported, and the simple ones."""
import json, os, sys, warnings
import numpy as np, onnx, onnx.backend.test
from onnx import numpy_helper
from onnx.backend.test.case.node import collect_testcases

warnings.simplefilter("ignore")
to, cases = sys.argv[1], []


def numbers(v):
    if isinstance(v, onnx.TensorProto):
        v = numpy_helper.to_array(v)
    a = np.asarray(v)
    if a.dtype.kind in "OSU" or isinstance(v, (list, type(None))):
        raise TypeError(f"{type(v).__name__} of {a.dtype}")
    return a.astype(np.float64)


def within(graph, outs):
    """How near is right: 1e-5, but what numbers in half precision, and those that a test has printed to four digits, can say."""
    kinds = [v.type.tensor_type.elem_type for v in [*graph.input, *graph.output]]
    if onnx.TensorProto.BFLOAT16 in kinds:
        return 1e-2
    if onnx.TensorProto.FLOAT16 in kinds:
        return 1e-3
    return 1e-4 if any(np.any(v % 1) and np.allclose(v, np.round(v, 4), 0, 1e-7) for v in outs) else 1e-5


def write(name, model, ins, outs, pytorch):
    onnx.save(model, f"{to}/{name}.onnx")
    g = model.graph
    given = {i.name for i in g.initializer}
    names = [i.name for i in g.input]
    c = {"name": name, "ops": sorted({n.op_type for n in g.node}), "pytorch": pytorch}
    if len(ins) == len(names):
        ins = [v for n, v in zip(names, ins) if n not in given]
    try:
        xs, ys = [numbers(v) for v in ins], [numbers(v) for v in outs]
        np.savez(f"{to}/{name}.npz", **{f"x{i}": v for i, v in enumerate(xs)}, **{f"y{i}": v for i, v in enumerate(ys)})
        c |= {"in": len(xs), "out": len(ys), "within": within(g, ys)}
    except (TypeError, ValueError) as e:
        c["none"] = str(e)
    cases.append(c)


for c in collect_testcases(None):
    if c.data_sets:
        write(c.name, c.model, *c.data_sets[0], False)

data = os.path.join(os.path.dirname(onnx.backend.test.__file__), "data")
for kind in ("pytorch-converted", "pytorch-operator", "simple"):
    for name in sorted(os.listdir(f"{data}/{kind}")):
        d = f"{data}/{kind}/{name}"
        if not os.path.exists(d + "/model.onnx"):
            continue
        def load(which):
            out = []
            while os.path.exists(f := f"{d}/test_data_set_0/{which}_{len(out)}.pb"):
                t = onnx.TensorProto()
                t.ParseFromString(open(f, "rb").read())
                try:
                    out.append(numpy_helper.to_array(t))
                except (TypeError, ValueError, KeyError):
                    out.append(None)  # a sequence, or an optional value
            return out
        write(f"{kind}-{name}", onnx.load(d + "/model.onnx"), load("input"), load("output"), kind != "simple")
json.dump(cases, open(to + "/cases.json", "w"))
print(onnx.__version__, len(cases))
