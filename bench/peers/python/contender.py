"""PyTorch as a contender: python contender.py cpu|cuda eager|compile|graphs"""

import os
import platform
import sys
import time

from serve import serve


def open_contender():
    try:
        import torch
    except ImportError as error:
        raise LookupError("not installed: apt-get install python3-torch libopenblas0-pthread") from error
    device_name, mode = sys.argv[1:]
    if device_name == "cuda" and not torch.cuda.is_available():
        raise LookupError(f"PyTorch {torch.__version__} finds no CUDA device")
    if mode == "compile" and not hasattr(torch, "compile"):
        raise LookupError(f"PyTorch {torch.__version__} has no torch.compile; 2.0 or later would be right")
    torch.set_num_threads(os.cpu_count())  # Debian's default is one
    return Contender(torch.device(device_name), mode)


class Contender:
    def __init__(self, device, mode):
        self.device, self.mode = device, mode
        self.hello = {"device": describe(device), "versions": versions()}

    def prepare_steps(self, task, weights, batch):
        from files import read_tensors
        from step import Step

        step = Step(task, weights, self.device, self.mode)
        file = read_tensors(batch)
        columns = [file[name].to(self.device) for name in ("users", "items", "labels")]

        def steps(count):
            start = time.perf_counter()
            for _ in range(count):
                loss = step(*columns)
            self.wait()
            milliseconds = 1000 * (time.perf_counter() - start)
            return {"milliseconds": milliseconds, "loss": loss.item()}

        return steps

    def prepare_epoch(self, task, weights, interactions):
        from sampler import Sampler
        from step import Step

        step = Step(task, weights, self.device, self.mode)
        sampler = Sampler(task, interactions, self.device)
        batch_size = task["batchSize"]

        def epoch():
            start = time.perf_counter()
            columns = sampler.epoch()
            samples, total = 0, 0
            for rows in zip(*(column.split(batch_size) for column in columns)):
                count = len(rows[0])
                if count == 1 and task["batchNorm"]:
                    continue  # one sample has no variance
                total = total + step(*rows) * count
                samples += count
            self.wait()
            milliseconds = 1000 * (time.perf_counter() - start)
            return {"milliseconds": milliseconds, "samples": samples, "loss": total.item() / samples}

        return epoch

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
