"""An epoch's samples, drawn with tensor operations on the model's device: what a careful PyTorch user would write."""

import torch

from files import read_tensors


class Sampler:
    def __init__(self, task, interactions, device):
        file = read_tensors(interactions)
        counts = file["offsets"].diff()
        self.users = torch.repeat_interleave(torch.arange(task["users"]), counts).to(device)
        self.items = file["items"].to(device)
        self.item_count = task["items"]
        self.negatives = task["negatives"]
        self.taken = torch.zeros(task["users"], task["items"], dtype=torch.bool, device=device)
        self.taken[self.users, self.items] = True

    def epoch(self):
        """users, items i64[n], labels f32[n]: every positive and its negatives (rejected against taken), shuffled."""
        users = self.users.repeat(1 + self.negatives)
        items = torch.randint(self.item_count, users.shape, device=users.device)
        positives = len(self.items)
        items[:positives] = self.items
        again = torch.arange(positives, len(users), device=users.device)
        while len(again := again[self.taken[users[again], items[again]]]) > 0:
            items[again] = torch.randint(self.item_count, again.shape, device=users.device)
        labels = torch.zeros(len(users), device=users.device)
        labels[:positives] = 1
        order = torch.randperm(len(users), device=users.device)
        return users[order], items[order], labels[order]
