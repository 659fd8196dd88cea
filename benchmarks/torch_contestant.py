"""PyTorch's side of a race: a plain training loop at its best.

The data lie on the device, layouts are channels-last, the optimizer is fused, and
nothing waits for the loss between steps. Not to be run by hand: the benchmarks start
it, see `turns.py`.
"""

import json
import sys
from pathlib import Path
from time import perf_counter
from typing import Any

import torch
from torch import Tensor

from material import read_pairs
from torch_networks import ClassicUNet, monai_unet, num_parameters, segmentation_loss
from turns import Turns

_WARM_UP = 3  # steps: compilation, choice of kernels, memory


class Training:
    """Network, optimizer and data of a job."""

    def __init__(self, job: dict[str, Any]) -> None:
        torch.manual_seed(0)
        torch.backends.cudnn.benchmark = True
        self.device = torch.device(job["device"])
        self.batch_size: int = job["batch_size"]
        self.dtype = torch.bfloat16 if job["precision"] == "bfloat16" else None
        network = (
            monai_unet()
            if job["network"] == "monai"
            else ClassicUNet(job["filters"], job["depth"])
        )
        self.network = network.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.loss = torch.compile(self._loss) if job["compiled"] else self._loss
        self.optimizer = torch.optim.AdamW(
            self.network.parameters(), lr=2e-3, weight_decay=1e-4, fused=True
        )
        images, masks = read_pairs(Path(job["pairs"]))
        self.images = torch.from_numpy(images.transpose(0, 3, 1, 2)).to(self.device)
        self.masks = torch.from_numpy(masks[..., 0]).to(self.device)

    def run(self, steps: int) -> None:
        """Train for some steps; return when the device has done them."""
        order = torch.randperm(len(self.images), device=self.device)
        for chosen in torch.split(order, self.batch_size)[:steps]:
            loss = self._step(self.images[chosen], self.masks[chosen])
        loss.item()

    def _step(self, images: Tensor, masks: Tensor) -> Tensor:
        self.optimizer.zero_grad(set_to_none=True)
        loss: Tensor = self.loss(images, masks)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()
        return loss

    def _loss(self, images: Tensor, masks: Tensor) -> Tensor:
        x = (images.float() / 255.0).contiguous(memory_format=torch.channels_last)
        enabled = self.dtype is not None
        with torch.autocast(self.device.type, dtype=self.dtype, enabled=enabled):
            logits = self.network(x)
        return segmentation_loss(logits, masks.long())


def main() -> None:
    """Train on the pairs of the job."""
    turns = Turns()
    job = json.loads(sys.argv[1])
    training = Training(job)
    images = len(training.images)
    steps = images // training.batch_size
    training.run(_WARM_UP)
    turns.ready(
        {
            "parameters": num_parameters(training.network),
            "precision": job["precision"],
            "torch": torch.__version__,
        }
    )
    for _ in range(job["rounds"]):
        turns.wait()
        training.run(1)  # what slept comes back from cold memory; lungcli has it too
        began = perf_counter()
        training.run(steps)
        turns.done(images=images, seconds=perf_counter() - began)


if __name__ == "__main__":
    main()
