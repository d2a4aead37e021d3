"""One training step, three ways: eager, torch.compile, and a CUDA graph of all of it."""

import torch
from torch.nn.functional import binary_cross_entropy_with_logits
from torch.nn.utils import clip_grad_norm_

from neumf import load_model

WARM_UP = 3


class Step:
    """step(users, items, labels) trains on one batch and gives its loss, which stays on the device."""

    def __init__(self, task, weights, device, mode):
        self.model = load_model(task, weights, device)
        # On CUDA the fused kernel is the fastest of PyTorch's own; on the CPU there is only the loop over tensors.
        fast = {"fused": True} if device.type == "cuda" else {}
        if mode == "graphs":
            fast["capturable"] = True  # keeps Adam's step counter on the device
        self.optimizer = torch.optim.Adam(
            self.model.parameters(), lr=task["lr"], weight_decay=task["weightDecay"], **fast
        )
        self.clip_norm = task["clipNorm"]
        self.forward = torch.compile(self._loss) if mode == "compile" else self._loss
        self.graph = None
        self.graph_rows = task["batchSize"] if mode == "graphs" else None

    def __call__(self, users, items, labels):
        if len(users) != self.graph_rows:
            return self._step(users, items, labels)
        if self.graph is None:
            self._capture(users, items, labels)
        for static, given in zip(self.inputs, (users, items, labels)):
            if static is not given:
                static.copy_(given)
        self.graph.replay()
        return self.loss

    def _loss(self, users, items, labels):
        return binary_cross_entropy_with_logits(self.model(users, items), labels)

    def _step(self, users, items, labels):
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.forward(users, items, labels)
        loss.backward()
        if self.clip_norm is not None:
            clip_grad_norm_(self.model.parameters(), self.clip_norm)
        self.optimizer.step()
        return loss.detach()

    def _capture(self, users, items, labels):
        """
        Records the step. What it needs first is run on a stream of its own, as torch.cuda.graph wants it; what that
        trained is then undone in place, because the graph knows the tensors by their addresses.
        """
        self.inputs = [tensor.clone() for tensor in (users, items, labels)]
        before = {name: tensor.clone() for name, tensor in self.model.state_dict().items()}
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(WARM_UP):
                self._step(*self.inputs)
        torch.cuda.current_stream().wait_stream(stream)
        self.optimizer.zero_grad(set_to_none=True)  # so that the gradients are allocated in the graph's own pool
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph):
            self.loss = self._step(*self.inputs)
        with torch.no_grad():
            for name, tensor in self.model.state_dict().items():
                tensor.copy_(before[name])
            for state in self.optimizer.state.values():
                for value in state.values():
                    value.zero_()
