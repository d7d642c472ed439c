"""Multiply-accumulates of a pass, product by product, with the module that each belongs to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from maestro_ts.contract.batch import Batch

__all__ = ["count_products", "count_total"]

_aten: Any = torch.ops.aten
# PyTorch's own formulas, and those of products with a vector, which it leaves out.
_FORMULAS: dict[Any, Callable[..., int]] = {
    **flop_registry,
    _aten.mv: lambda a, b, **_: 2 * a.numel(),
    _aten.addmv: lambda c, a, b, **_: 2 * a.numel(),
    _aten.dot: lambda a, b, **_: 2 * a.numel(),
}
_WHOLE: set[Any] = set()  # operators known to consist of no others
_ADDED = {_aten.addmm, _aten.baddbmm, _aten.addmv}  # the first argument is no factor


def count_total(network: nn.Module, batch: Batch) -> int:
    """Multiply-accumulates of all matrix products of a pass over a batch."""
    counter = _Counter()
    with torch.no_grad(), _plain_kernels(), counter:
        network(batch)
    return counter.total


def count_products(network: nn.Module, batch: Batch) -> Counter[tuple[str, bool]]:
    """The same by the module to which a product belongs.

    A product with a weight belongs to the module that owns the weight, wherever it is computed; a
    product of two activations belongs to the innermost module that runs. So a layer may call its
    parts, or compute from their weights itself.

    Returns
    -------
    Counter of (str, bool)
        Qualified name of the module and whether a factor is a weight → multiply-accumulates, in
        the order of the pass.
    """
    counter = _ProductCounter(network)
    with torch.no_grad(), _plain_kernels(), _told(network, counter.running), counter:
        network(batch)
    return counter.macs


class _Counter(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Sees every operator while it is entered, and adds up the products."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.total = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Run an operator, and count it if it is a product."""
        kwargs = kwargs or {}
        packet = getattr(func, "overloadpacket", func)
        formula = _FORMULAS.get(packet)
        if formula is None and func not in _WHOLE:
            with self:
                result = func.decompose(*args, **kwargs)
            if result is not NotImplemented:
                return result
            _WHOLE.add(func)
        result = func(*args, **kwargs)
        if formula is not None:
            macs = formula(*args, **kwargs, out_val=result) // 2
            self.total += macs
            self.count(macs, args[1:3] if packet in _ADDED else args[:2])
        if packet is not _aten.embedding:  # what is looked up for an input is an activation
            self.follow(chain(args, kwargs.values()), result)
        return result

    def count(self, macs: int, factors: Iterable[Tensor]) -> None:
        """Told of every product."""

    def follow(self, inputs: Iterable[Any], result: Any) -> None:
        """Told of every operator."""


class _ProductCounter(_Counter):  # type: ignore[no-untyped-call]
    """Keeps apart to which module a product belongs."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.macs: Counter[tuple[str, bool]] = Counter()
        self.running = [""]
        # By storage, so that a transposed or sliced weight has its owner too.
        self._owners: dict[int, str] = {}
        self._kept: list[Tensor] = []  # a storage that is freed would give its address away
        for name, weight in network.named_parameters():
            self._own(weight, name.rpartition(".")[0])

    def count(self, macs: int, factors: Iterable[Tensor]) -> None:
        """Add a product to its module."""
        owner = next((o for o in map(self._owner, factors) if o is not None), None)
        self.macs[(self.running[-1], False) if owner is None else (owner, True)] += macs

    def follow(self, inputs: Iterable[Any], result: Any) -> None:
        """What is made of weights alone is a weight: gathered, stacked or cast ones."""
        given = _tensors(inputs)
        first = next(given, None)
        owner = None if first is None else self._owner(first)
        if owner is None:
            return
        alone = all(self._owner(t) is not None for t in given)
        for tensor in _tensors([result]):
            if alone:
                self._own(tensor, owner)
            else:  # written into what was made of weights, or new
                self._owners.pop(_address(tensor), None)

    def _own(self, tensor: Tensor, owner: str) -> None:
        if _address(tensor):
            self._owners[_address(tensor)] = owner
            self._kept.append(tensor)

    def _owner(self, tensor: Tensor) -> str | None:
        return self._owners.get(_address(tensor))


def _address(tensor: Tensor) -> int:
    """Of a tensor's storage; 0 if there is none."""
    return tensor.untyped_storage().data_ptr()


@contextmanager
def _told(network: nn.Module, running: list[str]) -> Iterator[None]:
    """Keep the qualified names of the modules that run, the innermost last."""
    with ExitStack() as hooks:
        for name, module in network.named_modules():

            def enter(*_: Any, name: str = name) -> None:
                running.append(name)

            def leave(*_: Any) -> None:
                running.pop()

            for handle in (
                module.register_forward_pre_hook(enter),
                module.register_forward_hook(leave, always_call=True),
            ):
                hooks.callback(handle.remove)
        yield


@contextmanager
def _plain_kernels() -> Iterator[None]:
    """Let attention and recurrent layers be computed by plain products, which can be counted.

    A fused kernel is one operator to PyTorch, for which it has no formula on a CPU.
    """
    backends: Any = torch.backends
    fast, fused = backends.mha.get_fastpath_enabled(), backends.mkldnn.enabled
    backends.mha.set_fastpath_enabled(False)
    backends.mkldnn.enabled = False
    try:
        with sdpa_kernel(SDPBackend.MATH):
            yield
    finally:
        backends.mha.set_fastpath_enabled(fast)
        backends.mkldnn.enabled = fused


def _tensors(values: Iterable[Any]) -> Iterator[Tensor]:
    """Floating-point tensors among arguments, in lists too; an index has no owner to ask for."""
    for value in values:
        if isinstance(value, Tensor):
            if value.is_floating_point():
                yield value
        elif isinstance(value, (list, tuple)):
            yield from _tensors(value)
