#!/usr/bin/env python3
"""The tiny model in plain PyTorch: what bench_cpu compares itself with.

The same Llama-shaped model (RMSNorm, rotary positions in halves, grouped-query attention, SwiGLU, tied
embedding, no biases), the same batch, AdamW with the same settings and clipping at 1, in float32 on the CPU.
Written as PyTorch's users write it: torch.nn modules, scaled_dot_product_attention, torch.optim.AdamW.
Tokens are random: speed does not depend on them.

Prints one line of JSON for every line that it reads on standard input ("go"), so that whoever measures can
alternate with it; without --wait it measures once and ends.
"""

import argparse
import json
import math
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn


class RMSNorm(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(width))

    def forward(self, x):
        return F.rms_norm(x, self.gain.shape, self.gain, 1e-5)


def rotate(x, cos, sin):  # x (B, heads, T, K), cos and sin (T, K/2)
    a, b = x.chunk(2, dim=-1)
    return torch.cat((a * cos - b * sin, a * sin + b * cos), dim=-1)


class Block(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.c, k = c, c.width // c.heads
        self.attn_norm, self.ffn_norm = RMSNorm(c.width), RMSNorm(c.width)
        self.wqkv = nn.Linear(c.width, (c.heads + 2 * c.key_heads) * k, bias=False)
        self.wo = nn.Linear(c.heads * k, c.width, bias=False)
        self.w_gate_value = nn.Linear(c.width, 2 * c.ffn_width, bias=False)
        self.w_out = nn.Linear(c.ffn_width, c.width, bias=False)

    def attend(self, x, cos, sin):
        c, (B, T, D) = self.c, x.shape
        k = D // c.heads
        q, key, v = self.wqkv(x).split([c.heads * k, c.key_heads * k, c.key_heads * k], dim=-1)
        q = rotate(q.view(B, T, c.heads, k).transpose(1, 2), cos, sin)
        key = rotate(key.view(B, T, c.key_heads, k).transpose(1, 2), cos, sin)
        v = v.view(B, T, c.key_heads, k).transpose(1, 2)
        shared = c.heads // c.key_heads
        if shared > 1:
            key, v = key.repeat_interleave(shared, dim=1), v.repeat_interleave(shared, dim=1)
        y = F.scaled_dot_product_attention(q, key, v, is_causal=True)
        return self.wo(y.transpose(1, 2).reshape(B, T, D))

    def feed_forward(self, x):
        gate, value = self.w_gate_value(x).chunk(2, dim=-1)
        return self.w_out(F.silu(gate) * value)

    def forward(self, x, cos, sin):
        x = x + self.attend(self.attn_norm(x), cos, sin)
        return x + self.feed_forward(self.ffn_norm(x))


class Model(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.table = nn.Embedding(c.vocabulary, c.width)
        self.blocks = nn.ModuleList(Block(c) for _ in range(c.layers))
        self.norm = RMSNorm(c.width)
        k = c.width // c.heads
        angles = torch.arange(c.length)[:, None] * 10000.0 ** (-torch.arange(0, k, 2) / k)
        self.register_buffer("cos", angles.cos())
        self.register_buffer("sin", angles.sin())
        for name, p in self.named_parameters():
            if p.dim() > 1:
                ends_in_stream = name.endswith(("wo.weight", "w_out.weight"))
                nn.init.normal_(p, std=0.02 / math.sqrt(2 * c.layers) if ends_in_stream else 0.02)

    def forward(self, tokens, targets):
        x = self.table(tokens)
        for block in self.blocks:
            x = block(x, self.cos, self.sin)
        logits = F.linear(self.norm(x), self.table.weight)
        return F.cross_entropy(logits.flatten(0, 1), targets.flatten())


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, value in dict(layers=4, width=128, heads=4, key_heads=2, ffn_width=344, vocabulary=256,
                            length=128, batch=16).items():
        p.add_argument("--" + name.replace("_", "-"), type=int, default=value)
    p.add_argument("--threads", type=int, default=0, help="0: one for each core")
    p.add_argument("--steps", type=int, default=20, help="a measurement's steps; their median counts")
    p.add_argument("--compile", action="store_true", help="torch.compile the model")
    p.add_argument("--wait", action="store_true", help="measure once for each line on standard input")
    c = p.parse_args()
    if c.threads > 0:
        torch.set_num_threads(c.threads)
    torch.manual_seed(1)

    model = Model(c)
    matrices = [w for w in model.parameters() if w.dim() > 1]
    vectors = [w for w in model.parameters() if w.dim() == 1]
    optimizer = torch.optim.AdamW([dict(params=matrices, weight_decay=0.1), dict(params=vectors, weight_decay=0.0)],
                                  lr=3e-3, betas=(0.9, 0.95), eps=1e-8)
    loss_of = torch.compile(model) if c.compile else model
    data = torch.randint(c.vocabulary, (8, c.batch, c.length + 1))

    def step(i):
        tokens = data[i % len(data)]
        loss = loss_of(tokens[:, :-1], tokens[:, 1:])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        return loss.item()

    for i in range(5):
        step(i)
    while not c.wait or sys.stdin.readline().strip() == "go":
        seconds, cpu = [], time.process_time()
        for i in range(c.steps):
            start = time.perf_counter()
            loss = step(i)
            seconds.append(time.perf_counter() - start)
        cpu = (time.process_time() - cpu) / c.steps
        tokens = c.batch * c.length
        print(json.dumps(dict(
            name="PyTorch " + torch.__version__.split("+")[0] + (" compiled" if c.compile else " eager"),
            threads=torch.get_num_threads(), tokens_per_second=tokens / sorted(seconds)[len(seconds) // 2],
            tokens_per_cpu_second=tokens / cpu, loss=loss)), flush=True)
        if not c.wait:
            break


if __name__ == "__main__":
    main()
