"""What words add to tokens, against a sum over words written out."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from maestro_ts.contract.front_end import FrontEnd
from maestro_ts.contract.registry import build_front_end, build_network
from maestro_ts.evaluation.cost import count_components
from maestro_ts.model.maestro import Maestro
from maestro_ts.model.words import WordEmbedding
from maestro_ts.recipe import load_recipe
from maestro_ts.symbols.alphabet import centres
from maestro_ts.testing.windows_generator import keep, random_windows

ALPHABET, F, D, L = 5, 6, 4, 3
MIDDLE = torch.tensor(centres(ALPHABET))


def made(dropout: float = 0.0) -> WordEmbedding:
    torch.manual_seed(0)
    return WordEmbedding([0, 2, 3], F, ALPHABET, D, dropout).double()


def drawn(rows: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    words = torch.randint(1, ALPHABET + 1, (rows, L, F), generator=generator).byte()
    words[::2, 1] = 0
    return words


def by_hand(embedding: WordEmbedding, m: int, words: Tensor, kept: Tensor | None = None) -> Tensor:
    """One modality's tokens [R, L, D]."""
    own = embedding.map_of(m)
    numbers = MIDDLE[words.long()]
    if kept is not None:
        numbers = numbers * kept * embedding.dropout.scale
    gone = (words == 0).all(dim=-1, keepdim=True).double()
    return numbers @ own.weight[:, :F].t() + gone * own.weight[:, F] + own.bias


def test_each_modality_by_its_own_map_and_one_without_words_as_it_is() -> None:
    embedding, sizes = made().eval(), [2, 5, 3, 0]
    words = [drawn(2, 0), drawn(3, 1), drawn(0, 2)]
    x = torch.randn(10, L, D, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    found = embedding(x, [0, 1, 2, 3], words, sizes)
    added = [by_hand(embedding, 0, words[0]), torch.zeros(5, L, D), by_hand(embedding, 2, words[1])]
    torch.testing.assert_close(found, x + torch.cat(added))
    all_worded = embedding(x[:5], [0, 2], words[:2], [2, 3])
    torch.testing.assert_close(all_worded, x[:5] + torch.cat([added[0], added[2]]))
    assert embedding(x, [1], [], [10]) is x


def test_dropout_is_of_single_words_and_never_of_the_flag() -> None:
    embedding, words = made(dropout=0.5).train(), drawn(4, 0)
    embedding.dropout.generator = torch.Generator().manual_seed(3)
    kept = embedding.dropout.draw(words.shape, words.device)
    assert kept is not None
    assert 0 < kept.sum() < kept.numel()
    embedding.dropout.generator = torch.Generator().manual_seed(3)
    blank = torch.zeros(4, L, D, dtype=torch.float64)
    found = embedding(blank, [2], [words], [4])
    torch.testing.assert_close(found, by_hand(embedding, 2, words, kept))


def network(**settings: object) -> tuple[Maestro, FrontEnd]:
    windows = random_windows({"acc": 32.0, "bvp": 64.0}, 6, gaps=False)
    recipe = load_recipe("tiny").override(settings)
    front_end = build_front_end(recipe).fit(windows)
    torch.manual_seed(0)
    built = build_network(front_end, 3, recipe)
    assert isinstance(built, Maestro)
    return built.eval(), front_end


@pytest.mark.parametrize("groups", [1, 2])
def test_a_window_pays_for_the_words_of_what_is_present(groups: int) -> None:
    windows = random_windows({"acc": 32.0, "bvp": 64.0}, 1, gaps=False)
    (plain, before), (worded, front_end) = network(), network(**{"symbols.dictionary": groups})
    for pattern, present in (([True, True], 2), ([True, False], 1)):
        given = keep(windows, torch.tensor(pattern).numpy())
        with_words = count_components(worded, front_end(given))
        without = count_components(plain, before(given))
        more = {k: n - without[k] for k, n in with_words.items() if n != without[k]}
        length, words = 8, 64 * groups
        assert more == {"embedding": present * length * (words + 1) * plain.recipe.model.width}


def test_all_other_weights_are_drawn_as_without_words() -> None:
    plain, worded = network()[0].state_dict(), network(**{"symbols.dictionary": 1})[0].state_dict()
    same = {name for name in plain if not name.startswith("budget.")}
    assert same
    for name in same:
        assert torch.equal(plain[name], worded[name]), name
    assert {name.split(".")[0] for name in set(worded) - set(plain)} == {"words"}
