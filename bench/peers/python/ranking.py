"""Full-catalogue ranking as it is written in PyTorch: all pairs of whole users through the model, batch after batch."""

import torch

from files import read_tensors
from neumf import load_model

USERS = 64  # in a batch: with fewer, PyTorch's own costs show; with more, it is no faster and the memory large


class Ranking:
    def __init__(self, task, weights, interactions, device):
        file = read_tensors(interactions)
        self.model = load_model(task, weights, device).eval()
        self.users, self.held_out = file["testUsers"].to(device), file["testItems"].to(device)
        self.items = torch.arange(task["items"], device=device)
        self.seen = torch.zeros(task["users"], task["items"], dtype=torch.bool, device=device)
        takers = torch.repeat_interleave(torch.arange(task["users"]), file["offsets"].diff())
        self.seen[takers.to(device), file["items"].to(device)] = True

    def ranks(self):
        """i64[tested]: how many unseen items are not scored below each held-out one."""
        return torch.cat([(logits >= own).sum(1) for logits, own in self.batches()])

    def bounds(self, margin):
        """The ranks with each held-out logit raised and lowered by margin times the user's largest logit."""
        least, most = [], []
        for logits, own in self.batches():
            shift = margin * torch.where(logits.isinf(), own, logits).abs().amax(1, keepdim=True)
            least.append((logits >= own + shift).sum(1))
            most.append((logits >= own - shift).sum(1))
        return torch.cat(least), torch.cat(most)

    @torch.no_grad()
    def batches(self):
        """Logits f32[users, items], −∞ for seen items and the held-out one, and the held-out one's f32[users, 1]."""
        for users, held_out in zip(self.users.split(USERS), self.held_out.split(USERS)):
            pairs = users.repeat_interleave(len(self.items)), self.items.repeat(len(users))
            logits = self.model(*pairs).view(len(users), -1)
            own = logits.gather(1, held_out[:, None])
            logits = logits.masked_fill(self.seen[users], -torch.inf)
            yield logits.scatter(1, held_out[:, None], -torch.inf), own
