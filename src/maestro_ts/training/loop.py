"""The training loop: curriculum, optimiser, selection on validation subjects, exact resume."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from maestro_ts.contract.batch import Batch
from maestro_ts.contract.front_end import FrontEnd
from maestro_ts.contract.network import Network
from maestro_ts.contract.output import Output
from maestro_ts.errors import RunError
from maestro_ts.recipe import Recipe
from maestro_ts.signals.curriculum import draw_mask
from maestro_ts.signals.masks import Mask, hide, modality_mask
from maestro_ts.signals.windows import Windows
from maestro_ts.training.augmentation import augmented
from maestro_ts.training.callbacks import Callback, EpochReport
from maestro_ts.training.memory import memory_kept
from maestro_ts.training.moving_average import MovingAverage, copied
from maestro_ts.training.objective import ClassObjective, Objective
from maestro_ts.training.precision import in_precision
from maestro_ts.training.predictor import predict_prepared
from maestro_ts.training.ranking import poorer_view, ranked
from maestro_ts.training.ranks import Ranks
from maestro_ts.training.resume import (
    TrainingState,
    flatten,
    load_state,
    optimizer_tensors,
    restore_optimizer,
    save_state,
)
from maestro_ts.training.schedule import learning_rate, optimizer_for, planned_epochs

__all__ = ["Examples", "Trainer"]


@dataclass(frozen=True)
class Examples:
    """Windows with targets and weights.

    Attributes
    ----------
    windows : Windows
    targets : (n,) int64, (n,) float64 or (n, K) float32
        Numbers of classes, numbers to be estimated, or labels as 0 and 1.
    weights : (n,)
    """

    windows: Windows
    targets: NDArray[Any]
    weights: NDArray[np.float32]


@dataclass
class Trainer:
    """Train a network; the best weights are in it afterwards.

    In a process group all processes call it alike; the first one gets the best weights, the others
    need no validation windows, callbacks or state.

    Parameters
    ----------
    front_end, network : fitted front end; network on its device
    recipe : Recipe
    seed : int
        Seeds order, masks, dropout and key jitter; nothing else draws.
    callbacks : sequence of Callback
    state_path : Path or None
        Where the resumable state goes after each epoch.
    objective : Objective
        What is learned; classes unless given.
    """

    front_end: FrontEnd
    network: Network
    recipe: Recipe
    seed: int
    callbacks: Sequence[Callback] = ()
    state_path: Path | None = None
    log: list[dict[str, Any]] = field(default_factory=list)
    objective: Objective = field(default_factory=ClassObjective)

    def fit(self, train: Examples, validation: Examples | None, *, resume: bool = False) -> None:
        """Run all epochs, or those that are left of an interrupted training."""
        settings = self.recipe.training
        self.device = next(self.network.parameters()).device
        self.order = np.random.default_rng([self.seed, 1])
        self.masks = np.random.default_rng([self.seed, 2])
        self.draws = torch.Generator(self.device).manual_seed(self.seed)
        self.optimizer = optimizer_for(self.network, settings)
        decay = settings.average_decay
        self.average = None if decay is None else MovingAverage(self.network, decay)
        self.best: dict[str, Tensor] | None = None
        self.best_score = (-math.inf, -math.inf)
        self.epoch, self.step, self.stale, self.spent = 0, 0, 0, 0.0
        per_epoch = math.ceil(len(train.targets) / settings.batch_size)
        epochs = planned_epochs(settings, per_epoch)
        self.steps = epochs * per_epoch
        self.ranks = Ranks.current()
        self.ranks.check(self.network, settings.batch_size, [self.seed, self.steps])
        state = None
        if resume and self.state_path is not None and self.state_path.exists():
            state = load_state(self.state_path)
        state = self.ranks.from_first(state)
        if state is not None:
            self._restore(state)
        self.prepared: Any = None
        held = None
        if validation is not None and self.ranks.first:
            held = self._prepare_validation(validation)
        for callback in self.callbacks:
            callback.on_begin(self.steps, self.step)
        self.network.use_generator(self.draws)
        began = time.perf_counter() - self.spent
        try:
            with memory_kept():
                while self.epoch < epochs and not self._exhausted():
                    self._prepare(train.windows)
                    loss, budget = self._epoch(train, self.prepared)
                    self.epoch += 1
                    self._report(loss, budget, held, epochs, began)
                    self.stale = self.ranks.from_first(self.stale)
        finally:
            self.network.use_generator(None)
        if self.best is None:
            self.best = self._candidate()
        self.network.load_state_dict(self.best)
        self.network.eval()
        for callback in self.callbacks:
            callback.on_end()

    def _exhausted(self) -> bool:
        patience = self.recipe.training.patience
        return patience is not None and self.stale >= patience

    def _prepare(self, windows: Windows) -> None:
        """Training windows of this epoch: once for all, or changed anew every few epochs.

        What is drawn depends on the seed and the epoch alone, so that a resumed run draws alike.
        """
        settings = self.recipe.augmentation
        if not settings.applies(len(windows)):
            if self.prepared is None:
                self.prepared = self.front_end.prepare(windows)
            return
        number, first = divmod(self.epoch, settings.every)
        if self.prepared is None or first == 0:
            rng = np.random.default_rng([self.seed, 4, number])
            self.prepared = self.front_end.prepare(augmented(windows, settings, rng))

    # ------------------------------------------------------------ one epoch

    def _epoch(self, train: Examples, prepared: Any) -> tuple[float, float | None]:
        self.network.train()
        if not self.ranks.first:
            self.draws.manual_seed(self.ranks.own_seed(self.seed, self.epoch))
        size = self.recipe.training.batch_size
        order = self.order.permutation(len(train.targets))
        losses, budgets = [], []
        for first in range(0, len(order), size):
            rows = order[first : first + size]
            loss, budget = self._step(train, prepared, rows)
            losses.append(loss * len(rows))
            if budget is not None:
                budgets.append(budget)
            for callback in self.callbacks:
                callback.on_step(self.step, self.steps, loss)
        return sum(losses) / len(order), float(np.mean(budgets)) if budgets else None

    def _step(
        self, train: Examples, prepared: Any, rows: NDArray[np.intp]
    ) -> tuple[float, float | None]:
        settings = self.recipe.training
        share = self.step / max(self.steps, 1)
        batch, mask = self._masked_batch(train.windows.present[rows], prepared, rows, share)
        views = [batch]
        if settings.ranking_weight > 0.0:
            views.append(poorer_view(self.front_end, prepared, rows, mask, batch, self.masks))
        self.network.set_progress(share)
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(settings, share)
        forward = in_precision(self.network, self.recipe.model.precision)
        # Drawn for the whole batch in every process, so that all draw alike; then cut.
        part = self.ranks.part(len(rows))
        own = [view.part(part.rows) for view in views]
        outs = [forward(view) for view in own]
        loss = self._loss(train, prepared, rows[part.rows], own, outs)
        total = loss = loss * part.share(train.weights[rows])
        for view, out in zip(views, outs, strict=True):
            if out.aux_loss is not None:
                total = total + out.aux_loss * part.share(view.host_present.sum(dim=1).numpy())
        self.optimizer.zero_grad(set_to_none=True)
        total.backward()  # type: ignore[no-untyped-call]
        told = self.ranks.add_up(self.network, _told(loss, outs[0], own[0]))
        if settings.gradient_norm is not None:
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), settings.gradient_norm)
        self.optimizer.step()
        self.network.after_step()
        self.step += 1
        if self.average is not None:
            self.average.update(self.step)
        value = float(told[0])
        if not math.isfinite(value):
            raise RunError(
                f"the training loss became {value} at step {self.step}.",
                fix="Lower training.learning_rate or set training.gradient_norm.",
            )
        return value, None if outs[0].budgets is None else float(told[1] / told[2].clamp(min=1))

    def _loss(
        self,
        train: Examples,
        prepared: Any,
        rows: NDArray[np.intp],
        views: Sequence[Batch],
        outs: Sequence[Output],
    ) -> Tensor:
        """What is minimised, of views of these rows; the budgets' price comes on top.

        Members learn each by itself, so that they stay apart.
        """
        target = torch.from_numpy(train.targets[rows]).to(self.device)
        weight = torch.from_numpy(train.weights[rows]).to(self.device)
        losses = []
        for out in outs:
            answers = out.logits[None] if out.members is None else out.members
            smoothing = self.network.smoothing(self.recipe.training.label_smoothing, len(answers))
            found = [
                self.objective.loss(answer, target, own)
                for answer, own in zip(answers, smoothing, strict=True)
            ]
            losses.append(torch.stack(found))
        if len(views) == 2:
            weighed = self.recipe.training.ranking_weight
            losses = [ranked(losses[0], losses[1], (views[0], views[1]), weighed)]
        each = losses[0].sum(dim=0)
        return (each * weight).sum() / weight.sum().clamp(min=1e-12)

    def _masked_batch(
        self, present: NDArray[np.bool_], prepared: Any, rows: NDArray[np.intp], share: float
    ) -> tuple[Batch, Mask]:
        """A batch under a fresh mask, and the mask. A segment may cover all of a short stream:
        where nothing would be left of a window, it keeps its segments.
        """
        mask = draw_mask(self.recipe.curriculum, present, share, self.masks)
        batch = self.front_end.collate(prepared, rows, mask)
        bare = present.any(axis=1) & ~batch.host_present.any(dim=1).numpy()
        if bare.any():
            mask.segments[bare] = 0.0
            batch = self.front_end.collate(prepared, rows, mask)
        return batch.to(self.device), mask

    # ------------------------------------------------- validation, selection

    def _prepare_validation(self, validation: Examples) -> list[tuple[Any, Examples]]:
        """Validation windows under each rate of the selection, masks fixed."""
        held = []
        for rate in self.recipe.training.selection_rates:
            mask = modality_mask(validation.windows, rate, seed=self.seed)
            held.append((self.front_end.prepare(hide(validation.windows, mask)), validation))
        return held

    def _validate(self, held: list[tuple[Any, Examples]]) -> tuple[float, float]:
        """The objective's score and its loss, mean over the selection's rates."""
        scores, losses = [], []
        with nullcontext() if self.average is None else self.average.applied():
            for prepared, examples in held:
                predicted = predict_prepared(
                    self.front_end,
                    self.network,
                    prepared,
                    len(examples.targets),
                    precision=self.recipe.model.precision,
                )
                score, loss = self.objective.validated(predicted, examples.targets)
                scores.append(score)
                losses.append(loss)
        return float(np.mean(scores)), float(np.mean(losses))

    def _candidate(self) -> dict[str, Tensor]:
        """The weights that would be kept now: a copy, never a reference to the live ones."""
        return copied(self.average.weights if self.average else self.network.state_dict())

    def _report(
        self,
        loss: float,
        budget: float | None,
        held: list[tuple[Any, Examples]] | None,
        epochs: int,
        began: float,
    ) -> None:
        score = validation_loss = None
        best = False
        due = self.epoch % self.recipe.training.evaluate_every == 0 or self.epoch == epochs
        if held is not None and due:
            score, validation_loss = self._validate(held)
            self.stale += self.recipe.training.evaluate_every  # patience counts epochs
            rank = score if self.objective.larger_is_better else -score
            if (rank, -validation_loss) > self.best_score:
                self.best_score = (rank, -validation_loss)
                self.best, best, self.stale = self._candidate(), True, 0
        self.spent = time.perf_counter() - began
        share = max(self.step - 1, 0) / max(self.steps, 1)
        report = EpochReport(
            epoch=self.epoch,
            epochs=epochs,
            step=self.step,
            steps=self.steps,
            loss=loss,
            validation_loss=validation_loss,
            validation_f1=score if self.objective.score == "f1" else None,
            learning_rate=learning_rate(self.recipe.training, share),
            mean_budget=budget,
            seconds=self.spent,
            best=best,
            validation_mae=score if self.objective.score == "mae" else None,
        )
        self.log.append(report.to_dict())
        if self.state_path is not None:
            save_state(self.state_path, self._state())
        for callback in self.callbacks:
            callback.on_epoch(report)

    # --------------------------------------------------------------- resume

    def _state(self) -> TrainingState:
        tensors = flatten("network", self.network.state_dict())
        tensors |= flatten("optimizer", optimizer_tensors(self.optimizer))
        if self.best is not None:
            tensors |= flatten("best", self.best)
        if self.average is not None:
            tensors |= flatten("average", self.average.weights)
        tensors["generator"] = self.draws.get_state().cpu()
        plain = {
            "seed": self.seed,
            "steps": self.steps,
            "epoch": self.epoch,
            "step": self.step,
            "stale": self.stale,
            "spent": self.spent,
            "best_score": list(self.best_score),
            "order": self.order.bit_generator.state,
            "masks": self.masks.bit_generator.state,
            "log": self.log,
        }
        return TrainingState(tensors, plain)

    def _restore(self, state: TrainingState) -> None:
        """Take up a state; one of another training is refused, for it would end elsewhere."""
        plain = state.plain
        started = {key: plain.get(key) for key in ("seed", "steps")}
        if started != {"seed": self.seed, "steps": self.steps}:
            raise RunError(
                f"the state is of another training: seed {started['seed']}, {started['steps']} "
                f"steps; here seed {self.seed}, {self.steps} steps.",
                where=str(self.state_path),
                fix="Resume with the same data, settings and seed, or start anew.",
            )
        try:
            self._take_up(state)
        except (KeyError, RuntimeError, TypeError, ValueError) as error:
            raise RunError(
                f"the state does not fit this model: {error}.", where=str(self.state_path)
            ) from error

    def _take_up(self, state: TrainingState) -> None:
        self.network.load_state_dict(state.group("network"))
        restore_optimizer(self.optimizer, state.group("optimizer"))
        self.best = state.group("best") or None
        if self.average is not None:
            self.average.weights = {
                name: value.to(self.device) for name, value in state.group("average").items()
            }
        self.draws.set_state(state.tensors["generator"])
        plain = state.plain
        self.epoch, self.step = plain["epoch"], plain["step"]
        self.stale, self.spent = plain["stale"], plain["spent"]
        self.best_score = (plain["best_score"][0], plain["best_score"][1])
        self.order.bit_generator.state = plain["order"]
        self.masks.bit_generator.state = plain["masks"]
        self.log[:] = plain["log"]


def _told(loss: Tensor, out: Output, batch: Batch) -> Tensor:
    """The loss, and the sum and number of the budgets of what is present, [3]."""
    there = batch.present.sum()
    budgets = there if out.budgets is None else (out.budgets * batch.present).sum()
    return torch.stack([each.detach().to(loss.dtype) for each in (loss, budgets, there)])
