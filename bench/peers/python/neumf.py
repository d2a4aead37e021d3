"""NeuMF (He et al. 2017) as the lesson has it, with the module names that neumf-webgpu's checkpoints use."""

import torch
from torch import nn

from files import read_tensors


class NeuMF(nn.Module):
    def __init__(self, task):
        super().__init__()
        users, items = task["users"], task["items"]
        self.gmf_user_emb = nn.Embedding(users, task["gmfDim"])
        self.gmf_item_emb = nn.Embedding(items, task["gmfDim"])
        self.mlp_user_emb = nn.Embedding(users, task["mlpDim"])
        self.mlp_item_emb = nn.Embedding(items, task["mlpDim"])
        layers, width = [], 2 * task["mlpDim"]
        for units in task["mlpLayers"]:
            norm = [nn.BatchNorm1d(units)] if task["batchNorm"] else []
            layers += [nn.Linear(width, units), *norm, nn.ReLU(), nn.Dropout(task["dropout"])]
            width = units
        self.mlp = nn.Sequential(*layers)
        self.output_layer = nn.Linear(task["gmfDim"] + width, 1)

    def forward(self, users, items):
        """Logits f32[rows] of the pairs (users[b], items[b])."""
        gmf = self.gmf_user_emb(users) * self.gmf_item_emb(items)
        mlp = self.mlp(torch.cat([self.mlp_user_emb(users), self.mlp_item_emb(items)], dim=-1))
        return self.output_layer(torch.cat([gmf, mlp], dim=-1)).squeeze(-1)


def load_model(task, weights, device):
    """A model in training with the weights of a safetensors file."""
    model = NeuMF(task)
    loaded = model.load_state_dict(read_tensors(weights), strict=False)
    missing = [name for name in loaded.missing_keys if not name.endswith("num_batches_tracked")]
    if missing or loaded.unexpected_keys:
        raise ValueError(f"{weights}: missing {missing}, unexpected {loaded.unexpected_keys}")
    return model.to(device).train()
