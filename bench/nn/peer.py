"""The PyTorch side of bench/nn: reads requests, one a line, and times them.

A request is "model operation threads seconds setting"; the answer is one line
of JSON. The networks are those of model.go, layer for layer.
"""

import json
import resource
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

DATA = json.loads(sys.stdin.readline())  # wafer tables: pixel, groups, weights


class EMDCNN(nn.Module):
    def __init__(self, filters, convs, dense):
        super().__init__()
        body, channels = [], 6
        for _ in range(convs):
            body += [nn.Conv2d(channels, filters, 5, padding=2), nn.BatchNorm2d(filters, eps=1e-3, momentum=0.01), nn.ReLU()]
            channels = filters
        self.body = nn.Sequential(*body)
        self.head = nn.Sequential(nn.Flatten(), nn.Linear(16 * filters, dense),
                                  nn.BatchNorm1d(dense, eps=1e-3, momentum=0.01), nn.ReLU(), nn.Linear(dense, 1))

    def forward(self, x):
        n = x.shape[0]
        both = torch.cat([x, torch.cat([x[:, 3:], x[:, :3]], 1)], 0)
        y = self.head(self.body(both))
        return (y[:n] + y[n:]) / 2


def quantised(x, bits, integer, signed):
    """QKeras' quantized_bits / quantized_relu, as PyTorch's own fused operator."""
    step = 2.0 ** (integer - bits + signed)
    low, high = (-2 ** (bits - 1), 2 ** (bits - 1) - 1) if signed else (0, 2 ** bits - 1)
    return torch.fake_quantize_per_tensor_affine(x, step, 0, low, high)


class Autoencoder(nn.Module):
    def __init__(self, quantise=False):
        super().__init__()
        self.quantise = quantise
        self.conv = nn.Conv2d(1, 8, 3, stride=2)
        self.latent = nn.Linear(128, 16)
        self.dense = nn.Linear(16, 128)
        self.up = nn.ConvTranspose2d(8, 8, 3, stride=2)
        self.last = nn.ConvTranspose2d(8, 1, 3, padding=1)

    def forward(self, x):
        if self.quantise:
            x = F.pad(quantised(x, 8, 1, 0), (0, 1, 0, 1))
            x = F.conv2d(x, quantised(self.conv.weight, 6, 0, 1), quantised(self.conv.bias, 6, 0, 1), stride=2)
            x = quantised(F.relu(x), 8, 1, 0)
            x = F.linear(x.flatten(1), quantised(self.latent.weight, 6, 0, 1), quantised(self.latent.bias, 6, 0, 1))
            x = quantised(F.relu(x), 9, 1, 0)
        else:
            x = F.relu(self.conv(F.pad(x, (0, 1, 0, 1))))
            x = F.relu(self.latent(x.flatten(1)))
        x = F.relu(self.dense(x)).view(-1, 8, 4, 4)
        x = F.relu(self.up(x)[:, :, :8, :8])
        return torch.sigmoid(self.last(x))


class Through(nn.Module):
    """N3: the autoencoder, then the EMD CNN on both images, each of sum 1."""

    def __init__(self):
        super().__init__()
        self.ae, self.cnn = Autoencoder(), EMDCNN(32, 3, 256)
        self.register_buffer("pixel", torch.tensor(DATA["pixel"]))
        self.cnn.requires_grad_(False)

    def cells(self, x):
        c = x.flatten(1).index_select(1, self.pixel)
        return (c / (c.sum(1, keepdim=True) + 1e-9)).view(-1, 3, 4, 4)

    def forward(self, x):
        return self.cnn(torch.cat([self.cells(x), self.cells(self.ae(x))], 1))


def telescope(x, y):
    def level(a, b):
        return (a - b).square() * torch.maximum(a, b)
    a, b = x.flatten(1)[:, PIXEL], y.flatten(1)[:, PIXEL]
    return 4 * level(a, b).mean() + 2 * (level(a @ GROUPS, b @ GROUPS) * WEIGHTS).mean() + level(a @ RHOMBI, b @ RHOMBI).mean()


PIXEL = torch.tensor(DATA["pixel"])
GROUPS = torch.zeros(48, 36)
for g, cells in enumerate(DATA["groups"]):
    GROUPS[cells, g] = 1
WEIGHTS = torch.tensor(DATA["weights"])
RHOMBI = torch.eye(3).repeat_interleave(16, 0)

BUILD = {
    "N1a": lambda: EMDCNN(32, 3, 256), "N1b": lambda: EMDCNN(128, 4, 64),
    "N2": Autoencoder, "N2q": lambda: Autoencoder(True), "N3": Through,
}


def compiled(net, setting):
    """torch.compile, which PyTorch has from version 2 on."""
    if "freeze" in setting:
        import torch._inductor.config
        torch._inductor.config.freezing = True
    return torch.compile(net, mode="max-autotune" if "autotune" in setting else "default")


class Case:
    """One model under one setting, ready to run either operation."""

    def __init__(self, name, setting):
        torch.manual_seed(1)
        torch.backends.mkldnn.enabled = "native" not in setting
        self.mkldnn = torch.backends.mkldnn.enabled
        pairs = name.startswith("N1")
        self.batch = 256 if pairs else 500
        self.x = torch.rand(self.batch, 6, 4, 4) / 48 if pairs else torch.rand(self.batch, 1, 8, 8) / 16
        self.target = torch.rand(self.batch, 1) * 5
        net = BUILD[name]()
        if "channels_last" in setting:
            net = net.to(memory_format=torch.channels_last)
            self.x = self.x.contiguous(memory_format=torch.channels_last)
        self.loss = {"N2": telescope, "N2q": telescope, "N3": lambda x, y: y.mean()}.get(
            name, lambda x, y: F.huber_loss(y, self.target))
        net.train()
        if name == "N3":
            net.cnn.eval()
        self.step_net = net
        if "jit" in setting:
            self.step_net = torch.jit.trace(net, self.x, check_trace=False)
        elif "compile" in setting:
            self.step_net = compiled(net, setting)
        decayed = [p for p in net.parameters() if p.requires_grad and p.dim() > 1]
        rest = [p for p in net.parameters() if p.requires_grad and p.dim() <= 1]
        self.adam = torch.optim.Adam(
            [{"params": decayed, "weight_decay": 2e-4 if pairs else 0}, {"params": rest}],
            lr=1e-3, eps=1e-7, foreach="foreach" in setting)
        import copy
        ready = copy.deepcopy(net).eval()
        if "jit" in setting:
            with torch.no_grad():
                ready = torch.jit.freeze(torch.jit.trace(ready, self.x, check_trace=False))
                try:
                    ready = torch.jit.optimize_for_inference(ready)
                except RuntimeError:
                    pass
        elif "compile" in setting:
            ready = compiled(ready, setting)
        self.forward_net = ready

    def forward(self):
        with torch.no_grad():
            self.forward_net(self.x)

    def step(self):
        self.adam.zero_grad(set_to_none=True)
        self.loss(self.x, self.step_net(self.x)).backward()
        self.adam.step()


CASES = {}


def run(name, operation, threads, seconds, setting):
    torch.set_num_threads(int(threads))
    if (name, setting) not in CASES:
        CASES[name, setting] = Case(name, setting)
    case = CASES[name, setting]
    torch.backends.mkldnn.enabled = case.mkldnn
    call = getattr(case, operation)
    for _ in range(3):
        call()
    count, begin = 0, time.perf_counter()
    while True:
        call()
        count += 1
        spent = time.perf_counter() - begin
        if spent >= float(seconds):
            return count * case.batch / spent


for line in sys.stdin:
    name, operation, threads, seconds, setting = line.split()
    try:
        answer = {"rate": run(name, operation, threads, seconds, setting)}
    except Exception as e:  # a setting that this PyTorch cannot do
        answer = {"error": str(e).splitlines()[0] if str(e) else repr(e)}
    answer["mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(answer), flush=True)
