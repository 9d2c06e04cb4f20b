#!/usr/bin/env python3
"""The recorder's figures beside ncu's, as the table of kernels/README.md: requests and sectors must be equal.

    tpp_kernel_compare > recorder.txt
    ncu --csv --metrics $(python3 tests/kernels/cuda/compare.py --metrics) ./compare_gpu > ncu.csv
    python3 tests/kernels/cuda/compare.py recorder.txt ncu.csv
"""

import csv
import re
import sys
from collections import defaultdict

REQUESTS, SECTORS = "l1tex__t_requests_pipe_lsu_mem_global_op", "l1tex__t_sectors_pipe_lsu_mem_global_op"
WAVES, CONFLICTS = "l1tex__data_pipe_lsu_wavefronts_mem_shared_op", "l1tex__data_bank_conflicts_pipe_lsu_mem_shared_op"
COLUMNS = [[f"{metric}_{op}.sum" for metric, op in pairs] for pairs in (
    [(REQUESTS, "ld"), (SECTORS, "ld")], [(REQUESTS, "st"), (SECTORS, "st")], [(WAVES, "ld"), (WAVES, "st")],
    [(CONFLICTS, "ld"), (CONFLICTS, "st")])]
MUST_AGREE = 2  # the first columns: shared memory may differ, where nvcc joins neighbouring accesses


def short(name):
    """void tpp::good::row_sum<(int)128>(const float *, …) → row_sum<128>"""
    name = re.sub(r"\(\w+\)(?=\d)", "", name)
    name = name.split("(")[0].replace("void ", "").strip()
    head, angle, rest = name.partition("<")
    return head.split("::")[-1] + angle + rest


def read_recorder(path):
    figures = {}
    for line in open(path, encoding="utf-8"):
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) == 5 and cells[0] != "kernel":
            figures[short(cells[0])] = [[int(n) for n in cell.split(",")] for cell in cells[1:]]
    return figures


def read_ncu(path):
    sums = defaultdict(lambda: defaultdict(float))
    lines = [line for line in open(path, encoding="utf-8") if line.startswith('"')]
    for row in csv.DictReader(lines):
        value = row["Metric Value"].replace(",", "")
        sums[short(row["Kernel Name"])][row["Metric Name"]] += float(value)
    return {name: [[int(metrics[m]) for m in column] for column in COLUMNS] for name, metrics in sums.items()}


def main():
    if sys.argv[1:] == ["--metrics"]:
        print(",".join(m for column in COLUMNS for m in column))
        return 0
    recorder, ncu = read_recorder(sys.argv[1]), read_ncu(sys.argv[2])
    different = 0
    print("Recorder / ncu:\n")
    print("| kernel | load requests, sectors | store requests, sectors | shared wavefronts (load, store) | "
          "bank conflicts (load, store) |\n| --- | --- | --- | --- | --- |")
    for name, ours in recorder.items():
        theirs = ncu.get(name)
        if theirs is None:
            print(f"| `{name}` | ncu has no such kernel | | | |")
            different += 1
            continue
        cells = []
        for i, (a, b) in enumerate(zip(ours, theirs)):
            cells.append(", ".join(map(str, a)) + " / " + ("same" if a == b else ", ".join(map(str, b))))
            different += i < MUST_AGREE and a != b
        print(f"| `{name}` | " + " | ".join(cells) + " |")
    print(f"\n{len(recorder)} kernels, {different} differences in requests or sectors.")
    return 0 if recorder and different == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
