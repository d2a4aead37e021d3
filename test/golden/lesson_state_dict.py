"""Makes lesson-state-dict.safetensors and .json: the lesson's NeuMF at a small size, trained for some steps by PyTorch.

    python3 lesson_state_dict.py        needs torch and numpy; PyTorch 1.13 made the files beside it

The state dict is written as `safetensors.torch.save_file(model.state_dict(), path)` would write it, BatchNorm's counts
(I64) included; the JSON has users, items and the trained model's logits in evaluation.
"""

import json
import os

import torch
from torch import nn

USERS, ITEMS, GMF_DIM, MLP_DIM, LAYERS = 7, 9, 4, 6, [8, 4]
TYPES = {torch.float32: "F32", torch.int64: "I64"}


class NeuMF(nn.Module):
    """As the lesson has it, but for the sigmoid at the end."""

    def __init__(self):
        super().__init__()
        self.gmf_user_emb = nn.Embedding(USERS, GMF_DIM)
        self.gmf_item_emb = nn.Embedding(ITEMS, GMF_DIM)
        self.mlp_user_emb = nn.Embedding(USERS, MLP_DIM)
        self.mlp_item_emb = nn.Embedding(ITEMS, MLP_DIM)
        layers, width = [], 2 * MLP_DIM
        for units in LAYERS:
            layers += [nn.Linear(width, units), nn.BatchNorm1d(units), nn.ReLU(), nn.Dropout(0.2)]
            width = units
        self.mlp = nn.Sequential(*layers)
        self.output_layer = nn.Linear(GMF_DIM + width, 1)

    def forward(self, users, items):
        gmf = self.gmf_user_emb(users) * self.gmf_item_emb(items)
        mlp = self.mlp(torch.cat([self.mlp_user_emb(users), self.mlp_item_emb(items)], dim=-1))
        return self.output_layer(torch.cat([gmf, mlp], dim=-1)).squeeze(-1)


def train(model):
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    for _ in range(25):
        users, items = torch.randint(USERS, (32,)), torch.randint(ITEMS, (32,))
        loss = nn.functional.binary_cross_entropy_with_logits(model(users, items), ((users + items) % 2).float())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def save(state, path):
    header, data = {}, b""
    for name, tensor in state.items():
        bytes_ = tensor.contiguous().numpy().tobytes()
        offsets = [len(data), len(data) + len(bytes_)]
        header[name] = {"dtype": TYPES[tensor.dtype], "shape": list(tensor.shape), "data_offsets": offsets}
        data += bytes_
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text + data)


if __name__ == "__main__":
    torch.manual_seed(4)
    model = NeuMF()
    train(model)
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "lesson-state-dict")
    save(model.state_dict(), path + ".safetensors")
    model.eval()
    users = torch.arange(USERS).repeat_interleave(ITEMS)
    items = torch.arange(ITEMS).repeat(USERS)
    with torch.no_grad():
        logits = model(users, items)
    with open(path + ".json", "w") as file:
        source = f"PyTorch {torch.__version__}"
        json.dump({"source": source, "users": users.tolist(), "items": items.tolist(), "logits": logits.tolist()}, file)
        file.write("\n")
