"""What the runner wrote: safetensors files of F32 and U32 tensors."""

import json
from math import prod

import numpy as np
import torch

TYPES = {"F32": np.dtype("<f4"), "U32": np.dtype("<u4")}


def read_tensors(path):
    """Name → tensor; ids become int64, as PyTorch's indexing wants them."""
    with open(path, "rb") as file:
        data = file.read()
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        shape = entry["shape"]
        offset = start + entry["data_offsets"][0]
        array = np.frombuffer(data, TYPES[entry["dtype"]], prod(shape), offset).reshape(shape)
        tensors[name] = torch.from_numpy(array.astype(np.float32 if entry["dtype"] == "F32" else np.int64))
    return tensors
