"""Turn graphs of PyTensor into functions of JAX, all in double precision."""

from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from typing import Any

import jax

from exmc_actors.errors import ModelError
from exmc_actors.model.normal_probability import erfcx

_NARROW = ("float16", "float32")


def in_jax(inputs: Sequence[Any], outputs: Sequence[Any]) -> Callable[..., Sequence[jax.Array]]:
    """Turn a PyTensor graph into a JAX function, with -inf where a parameter is out of its bounds.

    ``pymc.sampling.jax`` does the same, but sets XLA's flags when it is imported, and leaves the bounds out.
    """
    from pytensor.compile.mode import get_mode
    from pytensor.graph.fg import FunctionGraph
    from pytensor.link.jax.dispatch import jax_funcify

    _supply_erfcx()
    graph = FunctionGraph(list(inputs), _without_shared(outputs), clone=True)
    mode = get_mode("JAX").including("local_check_parameter_to_ninf_switch")
    mode.optimizer.rewrite(graph)
    _widen_constants(graph)
    try:
        function: Callable[..., Sequence[jax.Array]] = jax_funcify(graph)
    except NotImplementedError as error:
        raise ModelError(f"the model cannot be turned into JAX: {error}") from error
    return function


def _without_shared(outputs: Sequence[Any]) -> list[Any]:
    """Return the graphs with the arrays that shared variables hold now."""
    from pytensor.compile.sharedvalue import SharedVariable
    from pytensor.graph.replace import clone_replace
    from pytensor.graph.traversal import graph_inputs
    from pytensor.tensor import constant
    from pytensor.tensor.random.type import RandomType

    shared = [v for v in graph_inputs(outputs) if isinstance(v, SharedVariable)]
    for variable in shared:
        if isinstance(variable.type, RandomType):
            raise ModelError("the model draws random numbers where it is evaluated: leave these out of it.")
    replacements: Mapping[Any, Any] = {v: constant(v.get_value(borrow=True)) for v in shared}
    return list(clone_replace(outputs, replace=replacements))


def _widen_constants(graph: Any) -> None:
    """Give constants of less than double precision that precision, those of fused operations too.

    PyTensor keeps a constant such as 0.5 in the fewest bits that hold it.  JAX would let it narrow what it
    meets, wherever that began as a number of Python's: those have no precision of their own there.
    """
    from pytensor.graph.basic import Constant
    from pytensor.graph.op import HasInnerGraph

    for node in graph.toposort():
        for place, given in enumerate(node.inputs):
            if isinstance(given, Constant) and getattr(given.type, "dtype", None) in _NARROW:
                wide = type(given)(given.type.clone(dtype="float64"), given.data.astype("float64"))
                graph.change_node_input(node, place, wide, import_missing=True, check=False)
        operation = getattr(node.op, "scalar_op", node.op)
        if isinstance(operation, HasInnerGraph):
            _widen_constants(operation.fgraph)


def _supply_erfcx() -> None:
    """Teach PyTensor the function of a normal's tails, which it takes from TensorFlow Probability alone."""
    from pytensor.link.jax.dispatch import jax_funcify
    from pytensor.scalar.math import Erfcx

    if find_spec("tensorflow_probability") is None:
        jax_funcify.register(Erfcx, lambda op, **_: erfcx)
