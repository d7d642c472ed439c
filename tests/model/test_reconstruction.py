from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from slow_reconstruction import slow_answers, slow_reconstruction_loss

from maestro_ts.contract.batch import Batch
from maestro_ts.contract.registry import build_network
from maestro_ts.model.front_end import SymbolFrontEnd
from maestro_ts.model.maestro import Maestro
from maestro_ts.model.reconstruction import MaskedModelling, reconstruction_loss
from maestro_ts.recipe import load_recipe
from maestro_ts.signals.masks import Mask
from maestro_ts.signals.modality import Modality
from maestro_ts.signals.windows import Windows

SENSORS = (Modality("acc", channels=2, rate_hz=16), Modality("eda", rate_hz=7))
N = 6
BINS = {"acc": 8, "eda": 7}  # of 2 s; seven bins are four tokens


def arrays(seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    made = {"acc": rng.normal(size=(N, 32, 2)), "eda": rng.normal(size=(N, 14, 1))}
    made["acc"][0, :, 1] = np.nan
    made["acc"][1, 4:8] = np.nan  # the second bin, missing by nature
    return made


def windows(given: dict[str, np.ndarray]) -> Windows:
    return Windows.from_arrays(given, SENSORS, duration_s=2.0)


def a_mask() -> Mask:
    """Window 0: half of acc. 1: a part of both. 2: no eda. 3: no acc. 4, 5: nothing hidden."""
    mask = Mask.nothing(N, 2)
    mask.segments[0, 0] = (0.5, 1.0)
    mask.segments[1] = (0.125, 0.375)
    mask.keep[2, 1] = mask.keep[3, 0] = False
    return mask


class Case:
    def __init__(self, **settings: Any) -> None:
        self.recipe = load_recipe("tiny").override(
            {"budget.fusion_beta": 40.0} | {k.replace("__", "."): v for k, v in settings.items()}
        )
        self.front_end = SymbolFrontEnd(self.recipe.symbols).fit(windows(arrays()))
        torch.manual_seed(0)
        network = build_network(self.front_end, 1, self.recipe)
        assert isinstance(network, Maestro)
        self.model = MaskedModelling(network).eval()

    def batch(self, given: dict[str, np.ndarray], mask: Mask | None = None) -> Batch:
        prepared = self.front_end.prepare(windows(given))
        return self.front_end.collate(prepared, np.arange(N), mask)

    def loss(self, seen: Batch, whole: Batch) -> torch.Tensor:
        found = self.model(seen).logits
        return reconstruction_loss(found, seen, whole, self.recipe.symbols.alphabet)


@pytest.fixture
def case() -> Case:
    return Case()


def test_the_loss_is_that_of_the_slow_twin(case: Case) -> None:
    case.model.double()
    seen, whole = case.batch(arrays(), a_mask()), case.batch(arrays())
    found = 2.0 * torch.randn(
        case.model(seen).logits.shape,
        dtype=torch.float64,
        generator=torch.Generator().manual_seed(1),
    )
    fast = reconstruction_loss(found, seen, whole, 20)
    slow = slow_reconstruction_loss(found, seen.valid, whole.inputs, 20)
    assert float(fast) == pytest.approx(slow, rel=1e-12)


@pytest.mark.parametrize("settings", [{}, {"model__fusion_distil": True}])
def test_the_answers_are_those_of_the_slow_twin(settings: dict[str, Any]) -> None:
    case = Case(**settings)
    model = case.model.double()
    seen = case.batch(arrays(), a_mask())
    with torch.no_grad():
        fused, queries = model.network.fuse(seen), model.queries()
        found = model.decoder._attend(fused, queries)
        for b in range(N):
            own = fused.tokens[fused.spans.owner == b]
            decoder = model.decoder
            slow = slow_answers(queries, own, decoder.ask, decoder.keys, decoder.heads)
            torch.testing.assert_close(found[b], slow, rtol=1e-10, atol=1e-12)


def test_what_is_hidden_reaches_no_prediction(case: Case) -> None:
    """Other samples in hidden bins: the same predictions to the last bit, and another loss."""
    mask, before, after = a_mask(), arrays(), arrays()
    after["acc"][0, 16:] += 5.0
    after["acc"][1, 4:12] -= 3.0
    after["eda"][2], after["acc"][3] = 7.0, -7.0
    seen, altered = case.batch(before, mask), case.batch(after, mask)
    with torch.no_grad():
        assert torch.equal(case.model(seen).logits, case.model(altered).logits)
        one, two = case.loss(seen, case.batch(before)), case.loss(altered, case.batch(after))
    assert abs(float(one - two)) > 0.01
    after["eda"][0, 0] += 5.0  # what is not hidden does reach them
    with torch.no_grad():
        seen_otherwise = case.model(case.batch(after, mask)).logits
        assert not torch.equal(seen_otherwise[0], case.model(seen).logits[0])


def test_only_hidden_symbols_have_a_say(case: Case) -> None:
    seen, whole = case.batch(arrays(), a_mask()), case.batch(arrays())
    found = case.model(seen).logits.detach().requires_grad_()
    reconstruction_loss(found, seen, whole, 20).backward()  # type: ignore[no-untyped-call]
    assert found.grad is not None
    acc, eda = torch.split(found.grad != 0, [8 * 2 * 3, 7 * 3], dim=1)
    acc, eda = acc.view(N, 8, 2, 3), eda.view(N, 7, 1, 3)
    assert acc.any(dim=3)[0].tolist() == [[False, False]] * 4 + [[True, False]] * 4  # NaN channel
    # Of acc's bins 1 and 2 in window 1 the first was never there.
    assert acc.any(dim=3).all(dim=2)[1].tolist() == [False, False, True] + [False] * 5
    assert eda.any(dim=3)[1, :, 0].tolist() == [False, True, True] + [False] * 4
    assert eda[2].any(dim=2).all()
    assert not acc[2].any()
    assert acc[3].any(dim=2).all()
    assert not eda[3].any()
    assert not acc[4:].any()
    assert not eda[4:].any()


def test_a_hidden_modality_teaches_the_encoder_of_another(case: Case) -> None:
    mask = Mask.nothing(N, 2)
    mask.keep[:, 1] = False
    case.loss(case.batch(arrays(), mask), case.batch(arrays())).backward()  # type: ignore[no-untyped-call]
    acc, eda = (e.map.weight.grad for e in case.model.network.embeddings)
    assert acc is not None
    assert acc.abs().sum() > 0
    assert eda is None or not eda.any()


def test_nothing_hidden_is_no_loss_and_no_fault(case: Case) -> None:
    whole = case.batch(arrays())
    loss = case.loss(whole, whole)
    assert float(loss.detach()) == 0.0
    loss.backward()  # type: ignore[no-untyped-call]


def test_the_network_has_no_head_afterwards_and_decoding_draws_nothing(case: Case) -> None:
    assert not [name for name in case.model.network.state_dict() if name.startswith("head.")]
    seen = case.batch(arrays(), a_mask())
    with torch.no_grad():
        assert torch.equal(case.model(seen).logits, case.model(seen).logits)
        alone = case.front_end.collate(
            case.front_end.prepare(windows(arrays())), np.array([1]), a_mask()[np.array([1])]
        )
        torch.testing.assert_close(
            case.model(alone).logits[0], case.model(seen).logits[1], rtol=1e-4, atol=1e-5
        )
