# Makes pytorch.onnx: PyTorch (2.15 here), its ONNX exporter of TorchScript; needs torch and onnx.
#   python pytorch.py pytorch.onnx
import sys, torch, torch.nn as nn
torch.manual_seed(1)
class A(nn.Module):
    def __init__(s):
        super().__init__()
        s.enc=nn.Sequential(nn.Conv2d(3,4,3,stride=2,padding=1),nn.ReLU(),nn.Flatten(),nn.Linear(16,6),nn.ReLU())
        s.dec=nn.Sequential(nn.Linear(6,16),nn.ReLU(),nn.Unflatten(1,(4,2,2)),nn.ConvTranspose2d(4,3,3,stride=2,padding=1,output_padding=1),nn.BatchNorm2d(3),nn.Sigmoid())
    def forward(s,x): return s.dec(s.enc(x))
m=A().eval()
torch.onnx.export(m,torch.zeros(1,3,4,4),sys.argv[1],input_names=["x"],output_names=["y"],dynamic_axes={"x":{0:"N"},"y":{0:"N"}},dynamo=False)
# With a second file, the newer exporter writes it of the same network (dynamo.onnx); needs onnxscript.
if len(sys.argv) > 2:
    torch.onnx.export(m,(torch.zeros(2,3,4,4),),sys.argv[2],input_names=["x"],output_names=["y"],dynamic_shapes=({0:torch.export.Dim("N")},),dynamo=True,external_data=False)
    import onnx # paths of this machine are left out
    p=onnx.load(sys.argv[2])
    for n in [p.graph,*p.graph.node,*p.graph.input,*p.graph.output,*p.graph.value_info]: del n.metadata_props[:]
    onnx.save(p,sys.argv[2])
