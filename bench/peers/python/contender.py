"""PyTorch as a contender: python contender.py cpu|cuda eager|compile|graphs"""

import os
import platform
import sys
import time

from serve import serve


def open_device(name):
    """Throws LookupError when PyTorch or its device is missing."""
    try:
        import torch
    except ImportError as error:
        raise LookupError("not installed: apt-get install python3-torch libopenblas0-pthread") from error
    if name == "cuda" and not torch.cuda.is_available():
        raise LookupError(f"PyTorch {torch.__version__} finds no CUDA device")
    torch.set_num_threads(os.cpu_count())  # Debian's default is one
    return torch.device(name)


def open_contender():
    device_name, mode = sys.argv[1:]
    device = open_device(device_name)
    import torch

    if mode == "compile" and not hasattr(torch, "compile"):
        raise LookupError(f"PyTorch {torch.__version__} has no torch.compile; 2.0 or later would be right")
    return Contender(device, mode)


class Contender:
    def __init__(self, device, mode):
        self.device, self.mode = device, mode
        self.hello = {"device": describe(device), "versions": versions()}
        self.requests = {
            "prepareSteps": self.prepare_steps,
            "steps": lambda request: self.steps(request["count"]),
            "prepareEpoch": self.prepare_epoch,
            "epoch": lambda request: self.epoch(),
            "prepareRanking": self.prepare_ranking,
            "rank": lambda request: self.rank(),
            "rankBounds": lambda request: self.rank_bounds(request["margin"]),
        }

    def prepare_steps(self, request):
        from files import read_tensors
        from step import Step

        self.step = Step(request["task"], request["weights"], self.device, self.mode)
        file = read_tensors(request["batch"])
        self.columns = [file[name].to(self.device) for name in ("users", "items", "labels")]
        return {}

    def steps(self, count):
        start = time.perf_counter()
        for _ in range(count):
            loss = self.step(*self.columns)
        self.wait()
        return {"milliseconds": 1000 * (time.perf_counter() - start), "loss": loss.item()}

    def prepare_epoch(self, request):
        from sampler import Sampler
        from step import Step

        self.task = request["task"]
        self.step = Step(self.task, request["weights"], self.device, self.mode)
        self.sampler = Sampler(self.task, request["interactions"], self.device)
        return {"drawnOnceMilliseconds": 0}

    def epoch(self):
        start = time.perf_counter()
        samples, total = 0, 0
        for rows in zip(*(column.split(self.task["batchSize"]) for column in self.sampler.epoch())):
            count = len(rows[0])
            if count == 1 and self.task["batchNorm"]:
                continue  # one sample has no variance
            total = total + self.step(*rows) * count
            samples += count
        self.wait()
        milliseconds = 1000 * (time.perf_counter() - start)
        return {"milliseconds": milliseconds, "samples": samples, "loss": total.item() / samples}

    def prepare_ranking(self, request):
        from ranking import Ranking

        self.ranking = Ranking(request["task"], request["weights"], request["interactions"], self.device)
        return {}

    def rank(self):
        start = time.perf_counter()
        ranks = self.ranking.ranks()
        self.wait()
        return {"milliseconds": 1000 * (time.perf_counter() - start), "ranks": ranks.tolist()}

    def rank_bounds(self, margin):
        least, most = self.ranking.bounds(margin)
        return {"least": least.tolist(), "most": most.tolist()}

    def wait(self):
        if self.device.type == "cuda":
            import torch

            torch.cuda.synchronize()


def describe(device):
    import torch

    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"CPU, {torch.get_num_threads()} threads, {blas()}"


def blas():
    """The BLAS that is mapped into this process; a reference BLAS would be many times slower."""
    with open("/proc/self/maps") if os.path.exists("/proc/self/maps") else open(os.devnull) as maps:
        files = {os.path.realpath(line.split()[-1]) for line in maps if "blas" in line or "mkl" in line}
    names = sorted({os.path.join(*path.split("/")[-2:]) for path in files})
    return "BLAS " + (", ".join(names) or "built in")


def versions():
    import torch

    found = {"PyTorch": str(torch.__version__), "Python": platform.python_version()}
    return {**found, "CUDA": torch.version.cuda} if torch.version.cuda else found


if __name__ == "__main__":
    serve(open_contender)
