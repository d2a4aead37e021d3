"""
The lesson's own data path and loop as a contender: a Python list of all samples, negatives drawn one by one, a Dataset
that makes three tensors a sample, a DataLoader with four workers, and loss.item() after every step.

Two kindnesses: interactions come as arrays instead of pandas' iterrows, and negatives are drawn uniformly
(np.random.choice with probabilities takes many times as long). The list is built once, as in the lesson, so its
negatives are the same in every epoch.
"""

import time

from serve import serve


def open_contender():
    from contender import describe, open_device, versions

    device = open_device("cpu")
    import torch

    if torch.cuda.is_available():
        device = torch.device("cuda")
    return Contender(device, {"device": describe(device), "versions": versions()})


class Contender:
    def __init__(self, device, hello):
        self.device, self.hello = device, hello
        self.requests = {"prepareEpoch": self.prepare_epoch, "epoch": lambda request: self.epoch()}

    def prepare_epoch(self, request):
        import torch
        from torch.utils.data import DataLoader

        from files import read_tensors
        from neumf import load_model

        task = request["task"]
        self.clip_norm = task["clipNorm"]
        self.model = load_model(task, request["weights"], self.device)
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=task["lr"], weight_decay=task["weightDecay"])
        file = read_tensors(request["interactions"])
        offsets, items = file["offsets"].tolist(), file["items"].tolist()
        start = time.perf_counter()
        dataset = NCFDataset(offsets, items, task["items"], task["negatives"])
        milliseconds = 1000 * (time.perf_counter() - start)
        pinned = self.device.type == "cuda"
        self.loader = DataLoader(
            dataset, batch_size=task["batchSize"], shuffle=True, num_workers=4, pin_memory=pinned
        )
        return {"drawnOnceMilliseconds": milliseconds}

    def epoch(self):
        import torch
        from torch import nn

        device, criterion = self.device, nn.BCELoss()
        start = time.perf_counter()
        total_loss, samples = 0.0, 0
        for users, items, labels in self.loader:
            users, items, labels = users.to(device), items.to(device), labels.to(device)
            self.optimizer.zero_grad()
            loss = criterion(torch.sigmoid(self.model(users, items)), labels)
            loss.backward()
            if self.clip_norm is not None:
                nn.utils.clip_grad_norm_(self.model.parameters(), max_norm=self.clip_norm)
            self.optimizer.step()
            total_loss += loss.item() * len(labels)
            samples += len(labels)
        milliseconds = 1000 * (time.perf_counter() - start)
        return {"milliseconds": milliseconds, "samples": samples, "loss": total_loss / samples}


class NCFDataset:
    def __init__(self, offsets, items, num_items, num_negatives):
        import numpy as np

        self.samples = []
        for user, (start, end) in enumerate(zip(offsets, offsets[1:])):
            positives = set(items[start:end])
            for item in items[start:end]:
                self.samples.append((user, item, 1.0))
                negatives = []
                attempts = 0
                while len(negatives) < num_negatives and attempts < num_negatives * 20:
                    candidate = np.random.randint(0, num_items)
                    if candidate not in positives:
                        negatives.append(candidate)
                    attempts += 1
                for negative in negatives:
                    self.samples.append((user, negative, 0.0))

    def __len__(self):
        return len(self.samples)

    def __getitem__(self, index):
        import torch

        user, item, label = self.samples[index]
        return (
            torch.tensor(user, dtype=torch.long),
            torch.tensor(item, dtype=torch.long),
            torch.tensor(label, dtype=torch.float32),
        )


if __name__ == "__main__":
    serve(open_contender)
