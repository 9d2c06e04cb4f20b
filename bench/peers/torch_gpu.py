#!/usr/bin/env python3
"""PyTorch on the GPU, on the shapes of bench/gpu/targets.h and as a trainer: what bench_gpu compares itself with.

Each row is measured as PyTorch's users write it, eager and compiled (torch.compile; autotuned for single operations).
Training takes the model of torch_tiny.py: eager, compiled, and compiled with the whole step in a CUDA graph.

    python3 bench/peers/torch_gpu.py --json peers.json && ./run bench gpu --peers peers.json

Results go to the file as they come. After --budget seconds nothing new is begun. --dry-run takes small shapes on the
CPU, to see that the script runs.
"""

import argparse
import json
import os
import sys
import time
import traceback
from types import SimpleNamespace

import torch
import torch.nn.functional as F
from torch import nn

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from torch_tiny import Model, rotate  # noqa: E402

START = time.perf_counter()


def parse():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--json", default="", help="the file for the results")
    p.add_argument("--only", default="", help="rows whose name, storage or way has one of these words: rmsnorm,training")
    p.add_argument("--budget", type=float, default=230, help="seconds after which nothing new is begun")
    p.add_argument("--dry-run", action="store_true", help="small shapes on the CPU")
    return p.parse_args()


ARGS = parse()
DEVICE = "cpu" if ARGS.dry_run else "cuda"
REPORT = dict(torch=torch.__version__, results=[], training=[],
              device="cpu" if ARGS.dry_run else torch.cuda.get_device_name() if torch.cuda.is_available() else "none")


def save():
    if ARGS.json:
        with open(ARGS.json + ".part", "w") as out:
            json.dump(REPORT, out, indent=1, ensure_ascii=False)
        os.replace(ARGS.json + ".part", ARGS.json)


def wanted(*words):
    if time.perf_counter() - START > ARGS.budget:
        print("  out of budget:", *words, flush=True)
        return False
    return not ARGS.only or any(part in " ".join(words) for part in ARGS.only.split(","))


def synchronize():
    if DEVICE == "cuda":
        torch.cuda.synchronize()


def median_us(f, seconds=0.2, least=20):
    """Median time of a call by the device's clock; calls are queued, so that Python's own time hides behind them."""
    for _ in range(3):
        f()
    synchronize()
    if DEVICE == "cpu":
        start = time.perf_counter()
        f()
        return 1e6 * (time.perf_counter() - start)
    start = time.perf_counter()
    f()
    synchronize()
    count = int(min(1000, max(least, seconds / (time.perf_counter() - start))))
    events = [torch.cuda.Event(enable_timing=True) for _ in range(count + 1)]
    events[0].record()
    for event in events[1:]:
        f()
        event.record()
    synchronize()
    times = sorted(a.elapsed_time(b) for a, b in zip(events, events[1:]))
    return 1e3 * times[len(times) // 2]


def measure(name, shape, storage, way, make):
    """make() takes the buffers and returns what to time."""
    if not wanted(name, storage, way):
        return
    row = dict(name=name, shape=shape, storage=storage, way=way)
    began = time.perf_counter()
    try:
        row["us"] = median_us(make())
        print(f"{name}, {shape}, {storage}, {way}: {row['us']:.1f} µs ({time.perf_counter() - began:.0f} s)", flush=True)
    except Exception as e:  # a row that fails must not end the others
        row["error"] = f"{type(e).__name__}: {e}"[:300]
        print(f"FAILED: {name}, {storage}, {way}: {row['error']}", flush=True)
        traceback.print_exc()
    REPORT["results"].append(row)
    save()
    if DEVICE == "cuda":
        torch.cuda.empty_cache()


def compiled(f):
    return torch.compile(f, dynamic=False, mode=None if ARGS.dry_run else "max-autotune-no-cudagraphs")


# --- Operations -------------------------------------------------------------------------------------------------------

def forward(f, *inputs):
    def run():
        with torch.no_grad():
            f(*inputs)
    return run


def forward_backward(f, dy, *inputs):
    for x in inputs:
        x.requires_grad_(x.is_floating_point())

    def run():
        y = f(*inputs)
        torch.autograd.backward(y, dy)
        for x in inputs:
            x.grad = None
    return run


def rms_norm(x, gain):
    return F.rms_norm(x, gain.shape, gain, 1e-5)


def layer_norm(x, gain, bias):
    return F.layer_norm(x, gain.shape, gain, bias, 1e-5)


def swiglu(gate, value):
    return F.silu(gate) * value


def softmax(x):
    return F.softmax(x, dim=-1)


def cross_entropy(logits, targets):
    return F.cross_entropy(logits, targets)


def operations(way, wrap):
    small = ARGS.dry_run

    def size(big, little):
        return little if small else big

    for storage, dtype in (("float", torch.float32), ("bf16", torch.bfloat16)):
        def normal(*shape):
            return torch.randn(*shape, device=DEVICE, dtype=dtype)

        N, D = size(32768, 8), size(2048, 16)
        measure("rmsnorm forward", "32768 × 2048", storage, way,
                lambda: forward(wrap(rms_norm), normal(N, D), normal(D)))
        measure("rmsnorm forward + backward", "32768 × 2048", storage, way,
                lambda: forward_backward(wrap(rms_norm), normal(N, D), normal(N, D), normal(D)))
        measure("layernorm forward", "32768 × 2048", storage, way,
                lambda: forward(wrap(layer_norm), normal(N, D), normal(D), normal(D)))
        width = size(5504, 16)
        measure("swiglu forward", "32768 × 5504", storage, way,
                lambda: forward(wrap(swiglu), normal(N, width), normal(N, width)))
        measure("swiglu forward + backward", "32768 × 5504", storage, way,
                lambda: forward_backward(wrap(swiglu), normal(N, width), normal(N, width), normal(N, width)))

        def rope_inputs():
            B, T, H, K = size((8, 4096, 16, 128), (1, 4, 2, 8))
            angles = torch.arange(T)[:, None] * 10000.0 ** (-torch.arange(0, K, 2) / K)
            cos, sin = (a.to(DEVICE, dtype)[:, None, :] for a in (angles.cos(), angles.sin()))
            return normal(B, T, H, K), cos, sin
        measure("rope", "8 × 4096 × 16 × 128", storage, way, lambda: forward(wrap(rotate), *rope_inputs()))

        N, V = size(8192, 4), size(50304, 16)
        measure("cross-entropy forward + backward", "8192 × 50304", storage, way,
                lambda: forward_backward(wrap(cross_entropy), torch.ones((), device=DEVICE, dtype=dtype), normal(N, V),
                                         torch.randint(V, (N,), device=DEVICE)))
        N, D = size(65536, 8), size(1024, 16)
        measure("softmax", "65536 × 1024", storage, way, lambda: forward(wrap(softmax), normal(N, D)))


def adamw(way):
    def make():
        side = 16 if ARGS.dry_run else 2048
        parameters = [nn.Parameter(torch.randn(side, side, device=DEVICE)) for _ in range(32)]  # 134,217,728 numbers
        for p in parameters:
            p.grad = torch.randn_like(p)
        optimizer = torch.optim.AdamW(parameters, lr=1e-3, betas=(0.9, 0.95), weight_decay=0.1, fused=way == "fused",
                                      foreach=way != "fused", capturable=way == "compiled" and not ARGS.dry_run)
        return torch.compile(optimizer.step) if way == "compiled" else optimizer.step
    measure("adamw", "134 M", "float", way, make)


def simple():
    n = 1 << (10 if ARGS.dry_run else 28)

    def copy():
        x, y = torch.randn(n, device=DEVICE), torch.empty(n, device=DEVICE)
        return lambda: y.copy_(x)
    measure("copy", "1 GiB", "float", "eager", copy)

    side = 64 if ARGS.dry_run else 8192
    for storage, dtype, tf32 in (("float", torch.float32, False), ("tf32", torch.float32, True),
                                 ("bf16", torch.bfloat16, False)):
        def product():
            torch.backends.cuda.matmul.allow_tf32 = tf32
            a, b = (torch.randn(side, side, device=DEVICE, dtype=dtype) for _ in range(2))
            y = torch.empty_like(a)
            return lambda: torch.mm(a, b, out=y)
        measure("matmul", "8192 × 8192 × 8192", storage, "eager", product)
    torch.backends.cuda.matmul.allow_tf32 = False


# --- Training ---------------------------------------------------------------------------------------------------------

TINY = dict(layers=4, width=128, heads=4, key_heads=2, ffn_width=344, vocabulary=256, length=128)
BABY = dict(layers=6, width=384, heads=6, key_heads=6, ffn_width=1024, vocabulary=256, length=256)


def train(model_name, config, batch, precision, ways):
    ways = [way for way in ways if wanted("training", model_name, precision, way)]
    if not ways:
        return
    torch.set_float32_matmul_precision("high" if precision == "tf32" else "highest")
    torch._dynamo.reset()
    for way in ways:
        if not wanted("training", model_name, precision, way):
            continue
        row = dict(model=model_name, precision=precision, way=way)
        began = time.perf_counter()
        try:
            row["tokens_per_second"] = tokens_per_second(config, batch, precision, way)
            print(f"training {model_name}, {precision}, {way}: {row['tokens_per_second']:,.0f} tokens/s "
                  f"({time.perf_counter() - began:.0f} s)", flush=True)
        except Exception as e:
            row["error"] = f"{type(e).__name__}: {e}"[:300]
            print(f"FAILED: training {model_name}, {precision}, {way}: {row['error']}", flush=True)
            traceback.print_exc()
        REPORT["training"].append(row)
        save()
        if DEVICE == "cuda":
            torch.cuda.empty_cache()


def tokens_per_second(config, batch, precision, way):
    torch.manual_seed(1)
    c = SimpleNamespace(batch=2 if ARGS.dry_run else batch, **config)
    model = Model(c).to(DEVICE)
    matrices = [w for w in model.parameters() if w.dim() > 1]
    vectors = [w for w in model.parameters() if w.dim() == 1]
    on_gpu = DEVICE == "cuda"
    optimizer = torch.optim.AdamW([dict(params=matrices, weight_decay=0.1), dict(params=vectors, weight_decay=0.0)],
                                  lr=3e-3, betas=(0.9, 0.95), eps=1e-8, fused=on_gpu, capturable=on_gpu)
    loss_of = model if way == "eager" else torch.compile(model, dynamic=False)
    data = torch.randint(c.vocabulary, (8, c.batch, c.length + 1), device=DEVICE)
    tokens, targets = data[0, :, :-1].contiguous(), data[0, :, 1:].contiguous()

    def compute():
        with torch.autocast(DEVICE, torch.bfloat16, enabled=precision == "bf16"):
            loss = loss_of(tokens, targets)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        return loss

    if way == "graphs" and on_gpu:  # the whole step, forward to update, in one graph
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(4):
                compute()
        torch.cuda.current_stream().wait_stream(side)
        torch.cuda.synchronize()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            compute()
        compute_now = graph.replay
    else:
        compute_now = compute

    def step(i):
        tokens.copy_(data[i % len(data), :, :-1])
        targets.copy_(data[i % len(data), :, 1:])
        compute_now()

    for i in range(1 if ARGS.dry_run else 8):
        step(i)
    synchronize()
    rates = []
    for _ in range(1 if ARGS.dry_run else 7):  # medians of rounds; nothing waits for the device inside a round
        count, start = 1 if ARGS.dry_run else 30, time.perf_counter()
        for i in range(count):
            step(i)
        synchronize()
        rates.append(count * c.batch * c.length / (time.perf_counter() - start))
    return sorted(rates)[len(rates) // 2]


def main():
    if not ARGS.dry_run and not torch.cuda.is_available():
        print("PyTorch finds no CUDA device: torch.cuda.is_available() is False. Nothing to measure.")
        return 2
    print(f"PyTorch {torch.__version__} on {REPORT['device']}", flush=True)
    torch.manual_seed(1)
    simple()
    operations("eager", lambda f: f)
    for way in ("fused", "foreach"):
        adamw(way)
    ways = ["eager", "compiled", "graphs"]
    train("tiny × 16", TINY, 16, "tf32", ways)
    train("tiny × 128", TINY, 128, "bf16", ways)
    operations("compiled", compiled)
    train("baby × 64", BABY, 64, "bf16", ways)
    train("tiny × 16", TINY, 16, "float32", ways)
    adamw("compiled")
    save()
    failed = [r for r in REPORT["results"] + REPORT["training"] if "error" in r]
    print(f"{len(REPORT['results']) + len(REPORT['training'])} rows, {len(failed)} failed, "
          f"{time.perf_counter() - START:.0f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
