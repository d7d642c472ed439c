"""What networks are built of, against loops that know no masks."""

from __future__ import annotations

import math

import pytest
import torch

from maestro_ts.baselines.attention import Attention, EncoderLayer, sine_positions
from maestro_ts.baselines.conv_encoder import ConvEncoder
from maestro_ts.baselines.dropout import Dropout
from maestro_ts.baselines.masked_steps import SameConv, StepNorm, masked_max, masked_mean
from maestro_ts.baselines.masked_token_transformer import in_patches
from maestro_ts.baselines.opinions import joint_answer

DOUBLE = torch.float64


def draws(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=DOUBLE)


THERE = torch.tensor([[1, 1, 0, 1, 0], [0, 0, 0, 0, 0], [0, 0, 0, 0, 1]], dtype=torch.bool)


def test_attention_is_that_of_the_tokens_that_are_there() -> None:
    net, x = Attention(6, 2).double(), draws(3, 5, 6)
    found = net(x, THERE)
    for row in (0, 2):
        q, k, v = net.project(x[row]).chunk(3, dim=1)
        k, v = k[THERE[row]], v[THERE[row]]
        heads = [
            torch.softmax(q[:, h] @ k[:, h].T / math.sqrt(3), dim=1) @ v[:, h]
            for h in (slice(0, 3), slice(3, 6))
        ]
        torch.testing.assert_close(found[row], net.out(torch.cat(heads, dim=1)))
    assert not found[1].any()  # nothing is there: neither NaN nor the bias


@pytest.mark.parametrize("norm_first", [True, False])
def test_tokens_that_are_not_there_change_no_other(norm_first: bool) -> None:
    layer, x = EncoderLayer(6, 8, 2, 0.0, norm_first=norm_first).double(), draws(3, 5, 6)
    other = torch.where(THERE[..., None], x, 100.0)
    assert torch.equal(layer(x, THERE)[THERE], layer(other, THERE)[THERE])


def test_positions_are_sines_and_cosines_in_turn() -> None:
    found = sine_positions(torch.tensor([0.0, 2.5], dtype=DOUBLE), 5)
    assert found[0].tolist() == [0.0, 1.0, 0.0, 1.0, 0.0]
    slow = 2.5 / 10000 ** (2 / 5)
    assert found[1, :4].tolist() == pytest.approx(
        [math.sin(2.5), math.cos(2.5), math.sin(slow), math.cos(slow)]
    )


def test_batch_norm_is_that_of_the_steps_that_are_there() -> None:
    norm, x = StepNorm(2).double(), draws(3, 2, 5)
    rows = x.transpose(1, 2)[THERE]
    found = norm(x, THERE)
    wanted = (rows - rows.mean(dim=0)) / torch.sqrt(rows.var(dim=0, correction=0) + norm.eps)
    torch.testing.assert_close(found.transpose(1, 2)[THERE], wanted)
    assert not found.transpose(1, 2)[~THERE].any()
    torch.testing.assert_close(norm.running_mean, 0.1 * rows.mean(dim=0))
    whole = StepNorm(2).double()
    torch.testing.assert_close(whole(x), StepNorm(2).double()(x, torch.ones_like(THERE)))


def test_a_single_step_is_normalised_by_what_ran_before() -> None:
    norm = StepNorm(2).double()
    alone = torch.zeros(1, 5, dtype=torch.bool)
    alone[0, 3] = True
    x = draws(1, 2, 5)
    torch.testing.assert_close(norm(x, alone)[0, :, 3], x[0, :, 3] / math.sqrt(1 + norm.eps))


def test_means_and_maxima_of_the_steps_that_are_there() -> None:
    x = draws(3, 2, 5) - 5.0  # all negative: a zero would be the maximum
    mean, most = masked_mean(x, THERE), masked_max(x, THERE)
    for b in range(3):
        rows = x[b][:, THERE[b]]
        torch.testing.assert_close(mean[b], rows.mean(dim=1) if rows.shape[1] else 0 * mean[b])
        for t in range(5):
            near = [s for s in (t - 1, t, t + 1) if 0 <= s < 5 and THERE[b, s]]
            wanted = x[b][:, near].amax(dim=1) if near else 0 * most[b, :, t]
            assert torch.equal(most[b, :, t], wanted)


@pytest.mark.parametrize(("kernel", "reach"), [(3, (-1, 1)), (8, (-3, 4)), (1, (0, 0))])
def test_a_convolution_is_as_long_as_its_input(kernel: int, reach: tuple[int, int]) -> None:
    conv = SameConv(1, 1, kernel).double()
    x = torch.zeros(1, 1, 20, dtype=DOUBLE)
    x[0, 0, 10] = 1.0
    hit = conv(x)[0, 0].nonzero().flatten()
    assert (10 - int(hit.max()), 10 - int(hit.min())) == reach
    assert conv(x).shape == x.shape


def test_an_encoder_ignores_what_is_appended() -> None:
    encoder, x = ConvEncoder(2, (4, 4, 4), 0.0).double(), draws(1, 2, 13)
    there = torch.ones(1, 13, dtype=torch.bool)
    alone = masked_mean(*encoder(x, there))
    longer = torch.nn.functional.pad(x, (0, 19)), torch.nn.functional.pad(there, (0, 19))
    torch.testing.assert_close(masked_mean(*encoder(*longer)), alone)
    assert encoder(x, there)[0].shape == (1, 4, 2)


def test_a_patch_is_there_where_one_of_its_steps_is() -> None:
    x = torch.arange(10.0).view(1, 5, 2)
    values, there = in_patches(x, torch.tensor([[0, 0, 0, 1, 0]], dtype=torch.bool), 2)
    assert values[0].tolist() == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 0, 0]]
    assert there[0].tolist() == [False, True, False]


def test_the_joint_answer_is_the_mean_probability_of_who_is_there() -> None:
    members = draws(3, 2, 4)
    there = torch.tensor([[1, 0], [0, 0], [1, 0]], dtype=torch.bool)
    found = joint_answer(members, there).exp()
    wanted = (members[0, 0].softmax(dim=0) + members[2, 0].softmax(dim=0)) / 2
    torch.testing.assert_close(found[0], wanted)
    assert found[1].unique().numel() == 1  # nobody is there
    torch.testing.assert_close(joint_answer(members).exp(), members.softmax(dim=2).mean(dim=0))
    numbers = members[:, :, :1]
    torch.testing.assert_close(joint_answer(numbers), numbers.mean(dim=0))


def test_dropout_draws_from_its_generator_alone() -> None:
    drop, x = Dropout(0.25), torch.ones(20_000)
    state = torch.get_rng_state()
    found = []
    for seed in (1, 1, 2):
        drop.generator = torch.Generator().manual_seed(seed)
        found.append(drop(x))
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])
    assert found[0].unique().tolist() == pytest.approx([0.0, 4 / 3])
    assert float(found[0].mean()) == pytest.approx(1.0, abs=0.02)
    assert torch.equal(drop.eval()(x), x)
