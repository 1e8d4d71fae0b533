"""One operation that compilers don't find by themselves: dot products of four-bit with eight-bit integers.

Modern processors multiply unsigned by signed bytes and add up in one instruction (x86: `vpdpbusd`, before it
`vpmaddubsw`). LLVM widens every byte to 32 bits first, which takes three times as long, so the instruction is asked for
by name where the processor has it. Every variant computes the same integers; `ANY` is plain LLVM IR, right
everywhere.
Beside `compiler`, the only module that imports Numba.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.core.registry import cpu_target
from numba.extending import intrinsic

# Numba ships no types.
_get_item_pointer: Callable[..., Any] = cgutils.get_item_pointer
_get_or_insert_function: Callable[..., Any] = cgutils.get_or_insert_function

CHUNK_BYTES = 64
"""Bytes of codes that one operation takes: a cache line, and a register of AVX-512."""

_BYTE = ir.IntType(8)
_SHORT = ir.IntType(16)
_WORD = ir.IntType(32)


class InstructionSet(StrEnum):
    """What the operation is made of."""

    AVX512_VNNI = "avx512_vnni"
    AVX2 = "avx2"
    ANY = "any"


def instruction_sets() -> list[InstructionSet]:
    """What Numba may use on this processor, best first. Follows `NUMBA_CPU_NAME` and `NUMBA_CPU_FEATURES`."""
    target: Any = cpu_target.target_context  # a cached property, of which type checkers see only the wrapper
    _, _, features = target.codegen().magic_tuple()
    has = {feature for feature in features.split(",") if feature.startswith("+")}
    sets = [InstructionSet.ANY]
    if "+avx2" in has:
        sets.insert(0, InstructionSet.AVX2)
    if {"+avx512vnni", "+avx512bw", "+avx512vl"} <= has:
        sets.insert(0, InstructionSet.AVX512_VNNI)
    return sets


def chunk_product(instructions: InstructionSet) -> Any:
    """Build the operation `(codes, row, place, low, high, probe) -> int32` for use within kernels.

    It takes the 64 bytes of `codes[row]` from `place` on, and returns the sum of the products of their low halves with
    `low[probe, place:]` and of their high halves with `high[probe, place:]`.
    """
    sums = _SUMS[instructions]

    def typed(_context: Any, codes: Any, _row: Any, _place: Any, low: Any, high: Any, _probe: Any) -> Any:
        def generated(context: Any, builder: ir.IRBuilder, _signature: Any, arguments: Any) -> Any:
            codes_value, row_value, place_value, low_value, high_value, probe_value = arguments

            def load(kind: Any, array: Any, index: Any) -> Any:
                struct = context.make_array(kind)(context, builder, array)
                pointer = _get_item_pointer(context, builder, kind, struct, [index, place_value])
                vector = ir.VectorType(_BYTE, CHUNK_BYTES)
                return builder.load(builder.bitcast(pointer, vector.as_pointer()), align=1)

            both = load(codes, codes_value, row_value)
            low_codes = builder.and_(both, _splat(_BYTE, CHUNK_BYTES, 15))
            high_codes = builder.lshr(both, _splat(_BYTE, CHUNK_BYTES, 4))
            pairs = [
                (low_codes, load(low, low_value, probe_value)),
                (high_codes, load(high, high_value, probe_value)),
            ]
            return _horizontal_sum(builder, sums(builder, pairs))

        index = types.int64
        return types.int32(codes, index, index, low, high, index), generated

    return intrinsic(typed)


def _splat(kind: ir.Type, lanes: int, value: int) -> ir.Constant:
    return ir.Constant(ir.VectorType(kind, lanes), [value] * lanes)


def _call(builder: ir.IRBuilder, name: str, result: ir.Type, arguments: list[Any]) -> Any:
    kind = ir.FunctionType(result, [argument.type for argument in arguments])
    return builder.call(_get_or_insert_function(builder.module, kind, name), arguments)


def _horizontal_sum(builder: ir.IRBuilder, words: Any) -> Any:
    return _call(builder, f"llvm.vector.reduce.add.v{words.type.count}i32", _WORD, [words])


def _sums_by_vnni(builder: ir.IRBuilder, pairs: list[tuple[Any, Any]]) -> Any:
    words = ir.VectorType(_WORD, 16)
    total: Any = _splat(_WORD, 16, 0)
    for codes, factors in pairs:
        # Declared with words for operands, as LLVM had it at first; newer ones declare bytes and upgrade this.
        operands = [builder.bitcast(codes, words), builder.bitcast(factors, words)]
        total = _call(builder, "llvm.x86.avx512.vpdpbusd.512", words, [total, *operands])
    return total


def _sums_by_avx2(builder: ir.IRBuilder, pairs: list[tuple[Any, Any]]) -> Any:
    shorts = ir.VectorType(_SHORT, 16)
    words = ir.VectorType(_WORD, 8)
    total: Any = _splat(_SHORT, 16, 0)
    for codes, factors in pairs:
        for half in range(2):
            lanes = ir.Constant(ir.VectorType(_WORD, 32), list(range(32 * half, 32 * half + 32)))
            operands = [builder.shuffle_vector(vector, vector, lanes) for vector in (codes, factors)]
            # A lane gets eight products of at most 15 * 128 in all: 15,360, far from where 16 bits saturate.
            total = builder.add(total, _call(builder, "llvm.x86.avx2.pmadd.ub.sw", shorts, operands))
    return _call(builder, "llvm.x86.avx2.pmadd.wd", words, [total, _splat(_SHORT, 16, 1)])


def _sums_by_plain_code(builder: ir.IRBuilder, pairs: list[tuple[Any, Any]]) -> Any:
    words = ir.VectorType(_WORD, CHUNK_BYTES)
    total: Any = _splat(_WORD, CHUNK_BYTES, 0)
    for codes, factors in pairs:
        total = builder.add(total, builder.mul(builder.zext(codes, words), builder.sext(factors, words)))
    return total


_SUMS: dict[InstructionSet, Callable[[ir.IRBuilder, list[tuple[Any, Any]]], Any]] = {
    InstructionSet.AVX512_VNNI: _sums_by_vnni,
    InstructionSet.AVX2: _sums_by_avx2,
    InstructionSet.ANY: _sums_by_plain_code,
}
