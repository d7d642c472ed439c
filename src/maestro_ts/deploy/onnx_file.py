"""The graph as ONNX, its 8-bit form, and ONNX Runtime. Extra ``export``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from maestro_ts.deploy.feed import Exported
from maestro_ts.deploy.quiet import quiet
from maestro_ts.deploy.runner import Runner
from maestro_ts.errors import MissingExtraError

__all__ = ["onnx_runner", "quantised", "require_onnx", "write_onnx"]

OPSET = 20


def require_onnx() -> None:
    """Refuse before the work begins.

    Raises
    ------
    MissingExtraError
        A package of the extra is not installed.
    """
    for package in ("onnx", "onnxscript", "onnxruntime"):
        try:
            __import__(package)
        except ImportError as error:
            raise MissingExtraError.of(package, "export", "Export to ONNX") from error


def write_onnx(graph: Exported, example: Sequence[Tensor], path: Path) -> None:
    """Write the graph for batches of any size.

    Parameters
    ----------
    graph : Exported
    example : sequence of Tensor
        Inputs of two windows or more.
    path : Path
    """
    batch = torch.export.Dim("batch")
    with torch.no_grad(), quiet():
        program = torch.onnx.export(
            graph,
            tuple(example),
            dynamo=True,
            dynamic_shapes={"given": tuple({0: batch} for _ in example)},
            input_names=list(graph.inputs),
            output_names=["logits"],
            opset_version=OPSET,
            verbose=False,
        )
        assert program is not None
        program.save(path)


def quantised(path: Path, to: Path) -> None:
    """Write the same with weights of 8 bits; what they multiply is rounded as it comes."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    with quiet():
        quantize_dynamic(
            path, to, weight_type=QuantType.QInt8, op_types_to_quantize=["MatMul", "Gemm"]
        )


def onnx_runner(path: Path, threads: int) -> Runner:
    """ONNX Runtime on the CPU."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    names = [given.name for given in session.get_inputs()]

    def run(given: Sequence[Tensor]) -> Tensor:
        feeds = {name: x.numpy() for name, x in zip(names, given, strict=True)}
        return torch.from_numpy(session.run(None, feeds)[0])

    return run
